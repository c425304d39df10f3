//! Receipts: telling those who wrote how far the others have received and read (contract 6).
//!
//! What has risen waits here for at most [`limits::RECEIPT_EVERY_MS`] per room and then leaves
//! together; who is told of it is looked up in one snapshot. A receipt may be lost: whoever opens a
//! room asks how everybody stands. Who hides receipts tells nobody and is told nothing. Rooms of
//! more than [`limits::RECEIPT_MEMBERS_MAX`] members have none. [`Pacer`] lives as long as its node.

use std::collections::BTreeMap;

use crate::code::ErrorCode;
use crate::ids::{RoomId, Seq, Tick, UserId};
use crate::limits;
use crate::marker::{Marked, Trails, visible_head};
use crate::mutant::{self, Mutant};
use crate::room::{self, Member, Part, Range, Room};
use crate::view::View;
use crate::wire::{Req, ServerFrame, Standing};

/// Somebody's markers that rose: from where, to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Delivered: where it stood, and stands.
    pub delivered: (Seq, Seq),
    /// Read: where it stood, and stands.
    pub read: (Seq, Seq),
}

impl Moved {
    fn holds(&self, seq: Seq) -> bool {
        let within = |(from, to): (Seq, Seq)| from < seq && seq <= to;
        within(self.delivered) || within(self.read)
    }
}

/// What is to be told about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub room: RoomId,
    /// Whose markers rose, and how.
    pub moved: BTreeMap<UserId, Moved>,
}

#[derive(Debug)]
struct Waiting {
    /// When it may be told next.
    at: Tick,
    moved: BTreeMap<UserId, Moved>,
}

/// What rose and is not told yet, and which rooms were told a moment ago.
#[derive(Debug, Default)]
pub struct Pacer {
    rooms: BTreeMap<RoomId, Waiting>,
}

impl Pacer {
    /// Markers of `user` rose. Beyond [`limits::RECEIPT_ROOMS_MAX`] rooms it is not told.
    pub fn rose(&mut self, room: RoomId, user: UserId, marked: &Marked, now: Tick) {
        if !marked.told {
            return;
        }
        if self.rooms.len() >= limits::RECEIPT_ROOMS_MAX && !self.rooms.contains_key(&room) {
            return;
        }
        let waiting = self.rooms.entry(room).or_insert_with(|| Waiting {
            at: now,
            moved: BTreeMap::new(),
        });
        let moved = waiting.moved.entry(user).or_insert_with(|| Moved {
            delivered: (marked.was_delivered, marked.delivered),
            read: (marked.was_read, marked.read),
        });
        moved.delivered.1 = moved.delivered.1.max(marked.delivered);
        moved.read.1 = moved.read.1.max(marked.read);
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Tick> {
        self.rooms.values().map(|waiting| waiting.at).min()
    }

    /// What is due, at most [`limits::RECEIPT_BATCH_MAX`] rooms.
    pub fn take(&mut self, now: Tick) -> Vec<Due> {
        let mut due = Vec::new();
        self.rooms.retain(|room, waiting| {
            if waiting.at > now || due.len() >= limits::RECEIPT_BATCH_MAX {
                return true;
            }
            // Told a while ago, and nothing has come since.
            if waiting.moved.is_empty() {
                return false;
            }
            let moved = std::mem::take(&mut waiting.moved);
            due.push(Due { room: *room, moved });
            waiting.at = now.plus(limits::RECEIPT_EVERY_MS);
            true
        });
        due
    }
}

/// A receipt and whom it is for.
pub type Told = (UserId, ServerFrame);

/// Who is to be told what of `due`: the authors of what was received or read who are in the room,
/// `connected` and hide nothing. Of what was marked at once, the newest
/// [`limits::RECEIPT_LINES_MAX`] lines are looked at. Errors are the snapshot's own.
pub fn share<V: View + ?Sized>(
    view: &V,
    due: &Due,
    connected: impl Fn(UserId) -> bool,
) -> Result<Vec<Told>, V::Error> {
    let mut showing: Vec<(UserId, Moved)> = Vec::new();
    for (user, moved) in &due.moved {
        if shows(view, *user)? && is_in(view, due.room, *user)? {
            showing.push((*user, *moved));
        }
    }
    let froms = showing.iter().map(|(_, it)| it.delivered.0.min(it.read.0));
    let tos = showing.iter().map(|(_, it)| it.delivered.1.max(it.read.1));
    let (Some(from), Some(to)) = (froms.min(), tos.max()) else {
        return Ok(Vec::new());
    };
    let Some(span) = Range::new(from.next(), to) else {
        return Ok(Vec::new());
    };
    let lines = view.lines(due.room, span, limits::RECEIPT_LINES_MAX)?;
    let mut wrote: BTreeMap<UserId, Vec<Seq>> = BTreeMap::new();
    for event in lines.iter().filter(|event| event.body.is_message()) {
        wrote.entry(event.from.0).or_default().push(event.seq);
    }
    let mut told = Vec::new();
    for (author, seqs) in wrote {
        let others = showing
            .iter()
            .filter(|(user, moved)| *user != author && seqs.iter().any(|seq| moved.holds(*seq)));
        let members: Vec<(UserId, Seq, Seq)> = others
            .map(|(user, moved)| (*user, moved.delivered.1, moved.read.1))
            .collect();
        if members.is_empty() || !connected(author) {
            continue;
        }
        if shows(view, author)? && is_in(view, due.room, author)? {
            let room = due.room;
            told.push((author, ServerFrame::Receipt { room, members }));
        }
    }
    Ok(told)
}

fn shows<V: View + ?Sized>(view: &V, user: UserId) -> Result<bool, V::Error> {
    let hides = view.settings(user)?.hide_receipts;
    Ok(!hides || mutant::active(Mutant::ReceiptOfHidden))
}

fn is_in<V: View + ?Sized>(view: &V, room: RoomId, user: UserId) -> Result<bool, V::Error> {
    Ok(view
        .member(room, user)?
        .is_some_and(|member| member.is_in()))
}

/// How somebody in a room stands, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Who.
    pub user: UserId,
    /// Their delivered marker.
    pub delivered: Seq,
    /// Their read marker.
    pub read: Seq,
    /// Whether they hide it.
    pub hides: bool,
    /// When they came there.
    pub trails: Trails,
}

/// The reply to `receipts`: how the others in a room stand, and when they had come to `seq`.
/// Errors are the snapshot's own.
pub fn reply<V: View + ?Sized>(
    view: &V,
    user: UserId,
    req: Req,
    id: RoomId,
    seq: Option<Seq>,
) -> Result<Result<ServerFrame, ErrorCode>, V::Error> {
    let (Some(room), Some(member)) = (view.room(id)?, view.member(id, user)?) else {
        return Ok(Err(ErrorCode::NotFound));
    };
    if !member.is_in() {
        return Ok(Err(ErrorCode::NotMember));
    }
    if room.members as usize > limits::RECEIPT_MEMBERS_MAX {
        return Ok(Err(ErrorCode::TooMany));
    }
    if let Some(seq) = seq
        && !is_message(view, &room, &member, seq)?
    {
        return Ok(Err(ErrorCode::NoMessage));
    }
    let shown = match shows(view, user)? {
        true => view.standing(id)?,
        false => Vec::new(),
    };
    let others = shown.into_iter().filter(|stand| {
        stand.user != user && (!stand.hides || mutant::active(Mutant::ReceiptOfHidden))
    });
    let members = others.map(|stand| standing(&stand, seq)).collect();
    let room = id;
    Ok(Ok(ServerFrame::Receipts {
        req,
        room,
        seq,
        members,
    }))
}

fn standing(stand: &Stand, seq: Option<Seq>) -> Standing {
    Standing {
        user: stand.user,
        delivered: stand.delivered,
        read: stand.read,
        delivered_at: seq.and_then(|seq| stand.trails.delivered.reached(seq)),
        read_at: seq.and_then(|seq| stand.trails.read.reached(seq)),
    }
}

/// Whether there is a message at `seq` that `member` may see.
fn is_message<V: View + ?Sized>(
    view: &V,
    room: &Room,
    member: &Member,
    seq: Seq,
) -> Result<bool, V::Error> {
    let here = Range { from: seq, to: seq };
    if seq > visible_head(room, member) || room::parts(room, member, here) != [Part::Shown(here)] {
        return Ok(false);
    }
    let found = view.event(room.id, seq)?;
    Ok(found.is_some_and(|event| event.body.is_message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([1; 16]);

    fn user(number: u8) -> UserId {
        UserId([number; 16])
    }

    fn marked(was: (u64, u64), now: (u64, u64)) -> Marked {
        Marked {
            delivered: Seq(now.0),
            read: Seq(now.1),
            was_delivered: Seq(was.0),
            was_read: Seq(was.1),
            told: was != now,
        }
    }

    fn moved(delivered: (u64, u64), read: (u64, u64)) -> Moved {
        let pair = |(from, to)| (Seq(from), Seq(to));
        Moved {
            delivered: pair(delivered),
            read: pair(read),
        }
    }

    #[test]
    fn the_first_is_due_at_once_and_the_next_after_a_while_together() {
        let mut pacer = Pacer::default();
        pacer.rose(ROOM, user(1), &marked((0, 0), (1, 0)), Tick(50));
        assert_eq!(pacer.due(), Some(Tick(50)));
        let first = pacer.take(Tick(50));
        assert_eq!(
            first[0].moved,
            BTreeMap::from([(user(1), moved((0, 1), (0, 0)))])
        );
        pacer.rose(ROOM, user(1), &marked((1, 0), (2, 0)), Tick(60));
        pacer.rose(ROOM, user(2), &marked((0, 0), (2, 2)), Tick(70));
        pacer.rose(ROOM, user(1), &marked((2, 0), (3, 3)), Tick(80));
        assert_eq!(pacer.take(Tick(149)), []);
        assert_eq!(pacer.due(), Some(Tick(150)));
        let second = pacer.take(Tick(150));
        let both = [
            (user(1), moved((1, 3), (0, 3))),
            (user(2), moved((0, 2), (0, 2))),
        ];
        assert_eq!(second[0].moved, BTreeMap::from(both));
        // Nothing came since: the room is forgotten.
        assert_eq!(pacer.take(Tick(250)), []);
        assert_eq!(pacer.due(), None);
    }

    #[test]
    fn what_is_not_told_is_not_kept() {
        let mut pacer = Pacer::default();
        pacer.rose(ROOM, user(1), &marked((3, 3), (3, 3)), Tick(0));
        assert_eq!(pacer.due(), None);
    }

    #[test]
    fn rooms_beyond_the_bound_are_not_told() {
        let mut pacer = Pacer::default();
        for number in 0..=limits::RECEIPT_ROOMS_MAX as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_le_bytes());
            pacer.rose(RoomId(id), user(1), &marked((0, 0), (1, 0)), Tick(0));
        }
        assert_eq!(pacer.rooms.len(), limits::RECEIPT_ROOMS_MAX);
        assert_eq!(pacer.take(Tick(0)).len(), limits::RECEIPT_BATCH_MAX);
    }
}
