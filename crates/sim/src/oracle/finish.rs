//! The last judgement: final logs, read through every node by every member, against all that
//! was seen.

use std::collections::BTreeMap;

use chinwag_core::event::{Body, Event, Mention};
use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::read::{self, After};
use chinwag_core::room::{MemberState, Range, Role, RoomKind};
use chinwag_core::view::View as _;
use chinwag_core::wire::Item;

use super::{Oracle, emptied, has_text};
use crate::device::Device;
use crate::store::{Entry, Store};

type Logs = BTreeMap<RoomId, Vec<Event>>;

impl Oracle {
    /// Judges a world that has come to rest.
    pub(crate) fn finish(&mut self, store: &mut Store, devices: &[Device], nodes: u64) {
        let journal: Vec<Entry> = std::mem::take(&mut store.journal);
        self.standing.read(&journal);
        let people = self.standing.people();
        let mut logs: Logs = BTreeMap::new();
        for (room, _members) in &people {
            let all = Range {
                from: Seq(1),
                to: Seq(i64::MAX as u64),
            };
            logs.insert(*room, store.ledger.range(*room, all, usize::MAX));
        }
        self.judge_logs(&logs, &journal);
        self.judge_sends(&logs);
        self.judge_redactions(&logs);
        self.judge_receptions(&logs);
        for node in 0..nodes {
            store.ledger.set_node(node);
            for (room, members) in &people {
                for user in members {
                    self.judge_reads(&store.ledger, *user, *room, &logs[room]);
                }
            }
        }
        for (room, members) in &people {
            self.judge_owners(&store.ledger, *room);
            for user in members {
                self.judge_markers(&store.ledger, *user, *room, &logs[room]);
            }
        }
        self.judge_devices(devices, &logs);
    }

    /// Dense, and as committed; every author was in.
    fn judge_logs(&mut self, logs: &Logs, journal: &[Entry]) {
        for (room, log) in logs {
            for (at, event) in log.iter().enumerate() {
                if event.seq.0 != at as u64 + 1 {
                    let what = format!("{room} has #{} in place {}", event.seq, at + 1);
                    self.violation("dense", what);
                    break;
                }
                let said = has_text(event) || matches!(event.body, Body::Reaction(_));
                if said && !self.standing.was_in(event.from.0, *room, event.seq) {
                    let what = format!("{room} #{}: {} is not in", event.seq, event.from.0);
                    self.violation("only members write", what);
                }
            }
        }
        for entry in journal {
            let event = &entry.event;
            let log = &logs[&event.room];
            let place = usize::try_from(event.seq.0 - 1).expect("logs are short");
            let stands = log.get(place);
            if stands != Some(event) && stands != Some(&emptied(event)) {
                let what = format!("{} #{} is not what was committed", event.room, event.seq);
                self.violation("a seq keeps its meaning", what);
            }
        }
    }

    /// What a redaction names has no text, what has none was redacted, and no text was read out
    /// of a snapshot that knew of its redaction.
    fn judge_redactions(&mut self, logs: &Logs) {
        let shown = std::mem::take(&mut self.shown);
        for (room, log) in logs {
            let redactions = log
                .iter()
                .filter(|event| matches!(event.body, Body::Redact(_)));
            let redacted: BTreeMap<Seq, Seq> = redactions
                .filter_map(|event| Some((event.target?, event.seq)))
                .collect();
            for event in log.iter().filter(|event| has_text(event)) {
                let of = if event.body.is_message() {
                    Some(event.seq)
                } else {
                    event.target
                };
                let gone = of.and_then(|of| redacted.get(&of)).copied();
                if event.is_emptied() != gone.is_some() {
                    let what = format!("{event:?}, redacted by {gone:?}");
                    self.violation("redacted is empty", what);
                }
                let read = shown.get(&(*room, event.seq)).copied();
                if let (Some(gone), Some(read)) = (gone, read)
                    && gone <= read
                {
                    let what = format!("{room} #{}, redacted by #{gone}, as of #{read}", event.seq);
                    self.violation("nothing returns a redacted text", what);
                }
            }
        }
    }

    /// A room with people in it has an owner.
    fn judge_owners(&mut self, ledger: &Ledger, room: RoomId) {
        let Ok(row) = ledger.room(room);
        let Ok(people) = ledger.members(room, MemberState::Joined, None, usize::MAX);
        let owners = people.iter().filter(|listed| listed.role == Role::Owner);
        let owners = owners.count() as u64;
        let Some(row) = row else { return };
        let lost = row.kind != RoomKind::Direct && owners == 0 && !people.is_empty();
        let miscounted = u64::from(row.owners) != owners || row.members as usize != people.len();
        if lost || miscounted {
            self.violation("owners", format!("{row:?} has {people:?}"));
        }
    }

    /// What anybody received is in the log, and was theirs to see.
    fn judge_receptions(&mut self, logs: &Logs) {
        for ((room, seq), event) in std::mem::take(&mut self.contents) {
            let place = usize::try_from(seq.0.saturating_sub(1)).expect("logs are short");
            let stands = logs.get(&room).and_then(|log| log.get(place));
            if stands != Some(&event) && stands != Some(&emptied(&event)) {
                let what = format!("{room} #{seq}: received {event:?}, stands {stands:?}");
                self.violation("received is logged", what);
            }
        }
        for (user, room, seq) in std::mem::take(&mut self.received) {
            if !self.standing.may_see(user, room, seq) {
                let what = format!("{user} received {room} #{seq}");
                self.violation("only members read", what);
            }
        }
        for (user, room, seq) in std::mem::take(&mut self.received_live) {
            if !self.standing.was_in(user, room, seq) {
                let what = format!("{user} heard {room} #{seq} live");
                self.violation("nothing after removal", what);
            }
        }
        for (user, room, from, to) in std::mem::take(&mut self.skips) {
            let hidden = (from.0..=to.0).find(|seq| self.standing.may_see(user, room, Seq(*seq)));
            if let Some(seq) = hidden {
                let what = format!("{user} was told to skip {room} #{seq}");
                self.violation("skips hide nothing", what);
            }
        }
    }

    /// The whole log, page by page, as one member reads it from one node.
    fn judge_reads(&mut self, ledger: &Ledger, user: UserId, room: RoomId, log: &[Event]) {
        let mut at = Seq::ZERO;
        let mut shown: Vec<Event> = Vec::new();
        loop {
            let Ok(answer) = read::after(ledger, user, room, at, None, limits::PAGE_MAX);
            match answer {
                Ok(After::Events(stretch)) if stretch.items.is_empty() => break,
                Ok(After::Events(stretch)) => {
                    at = stretch.to;
                    for item in stretch.items {
                        if let Item::Event(event) = item {
                            shown.push(event);
                        }
                    }
                }
                // Too long to be streamed: the rest is read from where streams begin.
                Ok(After::Reset(reset)) if at == Seq::ZERO => {
                    let long = reset
                        .row
                        .head
                        .0
                        .saturating_sub(limits::STREAM_EVENTS_MAX - 1);
                    at = Seq(long);
                }
                other => {
                    let what = format!("{user} cannot read {room} after #{at}: {other:?}");
                    return self.violation("one order", what);
                }
            }
        }
        let first = shown.first().map_or(Seq::ZERO, |event| event.seq);
        let mine = |event: &&Event| self.standing.may_see(user, room, event.seq);
        let mut expected = log.iter().filter(mine);
        let expected: Vec<&Event> = expected.by_ref().filter(|e| e.seq >= first).collect();
        let same = shown.iter().eq(expected.iter().copied());
        if !same || (shown.is_empty() && log.iter().any(|event| mine(&event))) {
            let what = format!("{user} reads {} events of {room}", shown.len());
            self.violation("one order", what);
        }
    }

    /// Markers lie where they may, and unread is what a recount says.
    fn judge_markers(&mut self, ledger: &Ledger, user: UserId, room: RoomId, log: &[Event]) {
        let Ok(Some(row)) = read::row(ledger, user, room) else {
            return self.violation("markers", format!("{user} has no row in {room}"));
        };
        let (delivered, read) = (row.me.delivered, row.me.read);
        let slot = (user, room);
        let asked = self.marks_asked.get(&slot).copied().unwrap_or_default();
        let told = self.marks_told.get(&slot).copied().unwrap_or_default();
        let invented = delivered > asked.0.max(asked.1) || read > asked.1;
        let fallen = delivered < told.0 || read < told.1;
        if delivered > row.head || read > delivered || invented || fallen {
            let what = format!("{user} in {room}: {row:?}, asked {asked:?}, told {told:?}");
            self.violation("markers", what);
        }
        let since = self.standing.joined(user, room);
        let after = since.map_or(Seq(u64::MAX), |since| read.max(since));
        let Ok((blocks, _changed)) = ledger.blocks(user);
        let blocked = blocks.users;
        let countable = log.iter().filter(|event| {
            let counts = event.body.is_message() && !event.is_emptied();
            let by = event.from.0;
            event.seq > after && counts && by != user && !blocked.contains(&by)
        });
        let countable: Vec<&Event> = countable.collect();
        let calls = |event: &&&Event| {
            let mentions = &event.mentions;
            mentions.contains(&Mention::Room) || mentions.contains(&Mention::User(user))
        };
        let mentions = countable.iter().filter(calls).count() as u64;
        let most = limits::UNREAD_MAX + 1;
        let counted = ((countable.len() as u64).min(most), mentions.min(most));
        if (row.me.unread, row.me.mentions) != counted {
            let what = format!("{user} in {room}: {:?} and not {counted:?}", row.me);
            self.violation("unread", what);
        }
    }

    /// Every device has come to the head of every room that it is in.
    fn judge_devices(&mut self, devices: &[Device], logs: &Logs) {
        for device in devices {
            let rooms: Vec<(RoomId, Seq)> = logs
                .iter()
                .filter(|(room, _log)| self.standing.joined(device.user, **room).is_some())
                .map(|(room, log)| (*room, log.last().map_or(Seq::ZERO, |event| event.seq)))
                .collect();
            for (room, head) in rooms {
                let copy = device.memory.rooms.get(&room);
                let seen = self.seen.get(&device.index);
                let applied = seen.and_then(|seen| seen.applied.get(&room)).copied();
                if copy.is_none_or(|copy| copy.cursor != head) || applied != Some(head) {
                    let index = device.index;
                    let what = format!("d{index} has {copy:?} of {room}, head #{head}");
                    self.violation("all converge", what);
                }
            }
        }
    }
}
