//! The judge: what must be true of what clients saw and of the log that is left.
//!
//! Fed by client-side histories, by the final reads, and by the store's journal of when what was
//! committed; it takes no part in the world and knows nothing of how the core works. It counts
//! membership and visibility by its own naive rules.

mod finish;
mod presence;
mod receipts;
mod sends;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use chinwag_core::event::{Body, Content, Event, Turn};
use chinwag_core::ids::{Key, Position, RoomId, Seq, UserId};
use chinwag_core::room::MemberState;
use chinwag_core::wire::{Cursor, Item, Reset, RoomRow};

use crate::store::Entry;
use sends::Sent;
use truth::Standing;

/// Violations that one world keeps; the first is the one to read.
const VIOLATIONS_MAX: usize = 10;

/// How a stretch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// While connecting.
    Sync,
    /// As the answer to `after`.
    After,
}

/// An invariant that does not hold, in words.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// The counter-example.
    pub example: String,
}

/// What one device has been shown.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// Every seq up to here has been applied, skipped, or was replaced by a reset.
    applied: BTreeMap<RoomId, Seq>,
    /// The highest seq that the device knows to exist.
    told: BTreeMap<RoomId, Seq>,
}

/// What is expected of one connection between two syncs.
#[derive(Debug, Clone, Default)]
struct Round {
    /// What the cursor named, then what was shown since: a later event is the next one.
    shown: BTreeMap<RoomId, Seq>,
    /// Rooms that the snapshot shows one to be out of: what led there may be said again.
    out: BTreeSet<RoomId>,
    /// Rooms that the cursor named, with how far the stream has come.
    open: BTreeMap<RoomId, Seq>,
}

/// An event as its redaction leaves it.
fn emptied(event: &Event) -> Event {
    let mut event = event.clone();
    if let Body::Message(body) | Body::Edit(body) = &mut event.body {
        *body = Content::emptied();
        event.reply_to = None;
        event.mentions = Vec::new();
    }
    event
}

fn has_text(event: &Event) -> bool {
    matches!(event.body, Body::Message(_) | Body::Edit(_))
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    seen: BTreeMap<usize, Seen>,
    saved: BTreeMap<usize, Seen>,
    rounds: BTreeMap<usize, Round>,
    keys: BTreeMap<Key, Sent>,
    contents: BTreeMap<(RoomId, Seq), Event>,
    /// Texts that were read, with how far their snapshot reached: no redaction lies before it.
    shown: BTreeMap<(RoomId, Seq), Seq>,
    received: BTreeSet<(UserId, RoomId, Seq)>,
    received_live: BTreeSet<(UserId, RoomId, Seq)>,
    skips: BTreeSet<(UserId, RoomId, Seq, Seq)>,
    marks_asked: BTreeMap<(UserId, RoomId), (Seq, Seq)>,
    marks_told: BTreeMap<(UserId, RoomId), (Seq, Seq)>,
    /// Who hides receipts.
    pub(crate) hiding: BTreeSet<UserId>,
    standing: Standing,
    /// What does not hold.
    pub(crate) violations: Vec<Violation>,
}

impl Oracle {
    /// Something that must never happen, whatever the rest.
    pub(crate) fn wrong(&mut self, example: String) {
        self.violation("protocol", example);
    }

    pub(crate) fn violation(&mut self, invariant: &'static str, example: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { invariant, example });
        }
    }

    /// A device has stored what it has.
    pub(crate) fn saved(&mut self, device: usize) {
        let seen = self.seen.entry(device).or_default().clone();
        self.saved.insert(device, seen);
    }

    /// A device has lost what it had not stored.
    pub(crate) fn crashed(&mut self, device: usize) {
        let saved = self.saved.entry(device).or_default().clone();
        self.seen.insert(device, saved);
        self.rounds.remove(&device);
    }

    /// A device says `hello` or `sync` with this cursor; of the rooms in `out` it knows that its
    /// user is not in.
    pub(crate) fn sync_begins(&mut self, device: usize, cursor: &Cursor, out: BTreeSet<RoomId>) {
        let open: BTreeMap<RoomId, Seq> = cursor.open.iter().copied().collect();
        let shown = open.clone();
        self.rounds.insert(device, Round { shown, out, open });
    }

    /// A device knows that a room reaches to here.
    pub(crate) fn told(&mut self, device: usize, room: RoomId, head: Seq) {
        let seen = self.seen.entry(device).or_default();
        let told = seen.told.entry(room).or_default();
        *told = (*told).max(head);
    }

    /// Rows of rooms; `all`: the others are forgotten.
    pub(crate) fn summary(&mut self, device: usize, user: UserId, rows: &[RoomRow], all: bool) {
        if all {
            let seen = self.seen.entry(device).or_default();
            let here = |room: &RoomId| rows.iter().any(|row| row.room == *room);
            seen.told.retain(|room, _seq| here(room));
            seen.applied.retain(|room, _seq| here(room));
        }
        for row in rows {
            self.row(device, user, row);
        }
    }

    fn row(&mut self, device: usize, user: UserId, row: &RoomRow) {
        self.told(device, row.room, row.head);
        let round = self.rounds.entry(device).or_default();
        if row.me.state == MemberState::Joined {
            let shown = round.shown.entry(row.room).or_default();
            *shown = (*shown).max(row.head);
            round.out.remove(&row.room);
        } else {
            round.out.insert(row.room);
        }
        self.marker_told(user, row.room, row.me.delivered, row.me.read);
    }

    /// A live event reached a device.
    pub(crate) fn live(&mut self, device: usize, user: UserId, event: &Event) {
        let (room, seq) = (event.room, event.seq);
        let round = self.rounds.entry(device).or_default();
        let shown = round.shown.insert(room, seq);
        let (mut enters, mut goes) = (false, false);
        event.turns(|turn| {
            enters |= turn == Turn::In(user);
            goes |= turn == Turn::Out(user);
        });
        // Whoever was shown to be out may hear again what led there, from their coming in on.
        let out = round.out.contains(&room);
        if enters {
            round.out.remove(&room);
        }
        if goes {
            round.out.insert(room);
        }
        if let Some(shown) = shown.filter(|_shown| !out) {
            let dense = seq == shown.next() || (enters && seq > shown);
            if !dense {
                let what = format!("d{device} heard {room} #{seq} live after #{shown}");
                self.violation("live order", what);
            }
        }
        self.told(device, room, seq);
        self.received_live.insert((user, room, seq));
        self.receive(user, event);
    }

    fn receive(&mut self, user: UserId, event: &Event) {
        let place = (event.room, event.seq);
        self.received.insert((user, event.room, event.seq));
        match self.contents.get(&place) {
            None => {
                self.contents.insert(place, event.clone());
            }
            Some(first) if first == event || first == &emptied(event) => {}
            Some(first) if emptied(first) == *event => {
                self.contents.insert(place, event.clone());
            }
            Some(first) => {
                let what = format!("{} #{} is {first:?} and {event:?}", place.0, place.1);
                self.violation("one order", what);
            }
        }
    }

    /// What was read out of a snapshot that reached to `as_of`.
    fn receive_as_of(&mut self, user: UserId, event: &Event, as_of: Seq) {
        if has_text(event) && !event.is_emptied() {
            let shown = self.shown.entry((event.room, event.seq)).or_default();
            *shown = (*shown).max(as_of);
        }
        self.receive(user, event);
    }

    /// A page of lines reached a device. They are folded: only whether a text is there says
    /// something about the log.
    pub(crate) fn read<'a>(
        &mut self,
        user: UserId,
        lines: impl Iterator<Item = &'a Event>,
        as_of: Seq,
    ) {
        for event in lines {
            self.received.insert((user, event.room, event.seq));
            if has_text(event) && !event.is_emptied() {
                let shown = self.shown.entry((event.room, event.seq)).or_default();
                *shown = (*shown).max(as_of);
            }
        }
    }

    /// A stretch of a log reached a device.
    pub(crate) fn stretch(
        &mut self,
        device: usize,
        user: UserId,
        room: RoomId,
        (from, to, head): (Seq, Seq, Seq),
        items: &[Item],
        way: Way,
    ) {
        let mut at = from;
        for item in items {
            let range = item.range();
            if range.from != at || range.to < range.from {
                let what = format!("d{device}: {room} {from}..={to} has a hole before #{at}");
                self.violation("dense", what);
            }
            at = range.to.next();
            match item {
                Item::Event(event) => self.receive_as_of(user, event, head),
                Item::Skip(skip) => {
                    self.skips.insert((user, room, skip.from, skip.to));
                }
            }
        }
        if at != to.next() {
            let what = format!("d{device}: {room} {from}..={to} ends at #{at}");
            self.violation("dense", what);
        }
        self.told(device, room, head);
        if way == Way::Sync {
            self.streamed(device, room, from, to);
        }
    }

    fn streamed(&mut self, device: usize, room: RoomId, from: Seq, to: Seq) {
        let round = self.rounds.entry(device).or_default();
        let had = round.open.insert(room, to);
        let shown = round.shown.entry(room).or_default();
        *shown = (*shown).max(to);
        match had {
            Some(had) if from == had.next() => {}
            Some(had) => {
                let what = format!("d{device} has {room} up to #{had} and is sent #{from}");
                self.violation("sync after cursor", what);
            }
            None => {
                let what = format!("d{device} did not open {room} and is sent #{from}");
                self.violation("sync after cursor", what);
            }
        }
    }

    /// A room anew.
    pub(crate) fn reset(&mut self, device: usize, user: UserId, reset: &Reset) {
        let (room, head) = (reset.row.room, reset.row.head);
        self.read(user, reset.page.iter().map(|line| &line.event), head);
        let seen = self.seen.entry(device).or_default();
        seen.applied.insert(room, head);
        self.told(device, room, head);
        // An answer may pass events that wait; what connecting shows may not.
        if reset.req.is_none() {
            self.rounds.entry(device).or_default().open.remove(&room);
            self.row(device, user, &reset.row);
        }
    }

    /// A device applied an event.
    pub(crate) fn applied(&mut self, device: usize, room: RoomId, seq: Seq) {
        let seen = self.seen.entry(device).or_default();
        let applied = seen.applied.insert(room, seq).unwrap_or_default();
        if seq != applied.next() {
            let what = format!("d{device} applied {room} #{seq} after #{applied}");
            self.violation("gap-free", what);
        }
    }

    /// A device counted seqs as had.
    pub(crate) fn skipped(&mut self, device: usize, room: RoomId, to: Seq) {
        let seen = self.seen.entry(device).or_default();
        seen.applied.insert(room, to);
    }

    /// A device was told that it knows of everything up to `position`.
    pub(crate) fn position(
        &mut self,
        device: usize,
        user: UserId,
        position: Position,
        how: &str,
        journal: &[Entry],
    ) {
        self.standing.read(journal);
        let seen = self.seen.entry(device).or_default();
        let mut unheard = None;
        for (room, head) in self.standing.must_know(user, position) {
            let told = seen.told.get(&room).copied();
            let out = head.out_since;
            // Whoever is out, and was never told of their last stay, has nothing to know.
            let nothing = out.is_some_and(|since| told.is_none_or(|told| told < since));
            if !nothing && told.unwrap_or_default() < head.head {
                unheard = Some(format!(
                    "d{device} is told {position} by {how}, but of {room} only {told:?}, not #{}",
                    head.head
                ));
            }
        }
        if let Some(what) = unheard {
            self.violation("position vouches", what);
        }
    }

    /// A device asks for markers.
    pub(crate) fn mark_asked(&mut self, user: UserId, room: RoomId, delivered: Seq, read: Seq) {
        let asked = self.marks_asked.entry((user, room)).or_default();
        *asked = (asked.0.max(delivered), asked.1.max(read));
    }

    /// A device was told of markers.
    pub(crate) fn marker_told(&mut self, user: UserId, room: RoomId, delivered: Seq, read: Seq) {
        if read > delivered {
            let what = format!("{room}: read #{read} above delivered #{delivered}");
            self.violation("markers", what);
        }
        let told = self.marks_told.entry((user, room)).or_default();
        *told = (told.0.max(delivered), told.1.max(read));
    }
}
