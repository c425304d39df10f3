//! What one user has of their rooms, as an SDK keeps it: cursors, and whether anything is missing.
//!
//! Only as much as a load generator needs to prove that nobody missed anything; no text is kept.
//! It outlives connections: that is what it is for.

use chinwag_core::ids::{Epoch, Key, Position, RoomId, Seq};
use chinwag_core::wire::{Cursor, Item, Last, ServerFrame};

use crate::chinwag::EVENT;
use crate::swarm::stamp::leading_number;

/// Characters of an id on the wire: its prefix and 26 more.
const ID_CHARS: usize = 28;
/// How a stretch of events begins that nobody asked for.
const EVENTS: &[u8] = br#"{"type":"events","room":""#;

/// A room that a user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Followed {
    room: RoomId,
    /// As on the wire.
    name: String,
    /// Everything up to here has come.
    seq: u64,
}

/// What one user has. See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    epoch: Option<Epoch>,
    position: Option<Position>,
    last: Option<Last>,
    rooms: Vec<Followed>,
    /// Events that came before what should have come first: each is a message that was missed.
    pub(crate) gaps: u64,
    /// Rooms that were sent anew instead of what was missed.
    pub(crate) resets: u64,
    /// Events that came as stretches while resuming.
    pub(crate) caught_up: u64,
}

impl Seat {
    /// What the next `hello` says.
    pub(crate) fn resume(&mut self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            position: self.position,
            last: self.last,
            open: self
                .rooms
                .iter()
                .map(|followed| (followed.room, Seq(followed.seq)))
                .collect(),
        }
    }

    /// Up to where this user has everything of a room; 0 if they are not in it.
    pub(crate) fn cursor(&self, room: RoomId) -> u64 {
        let followed = self.rooms.iter().find(|followed| followed.room == room);
        followed.map_or(0, |followed| followed.seq)
    }

    /// Takes in a live event.
    pub(crate) fn event(&mut self, payload: &[u8]) {
        let Some(event) = read_event(payload) else {
            // None that we know how to read: then nothing follows from it, and it is missing.
            self.gaps += 1;
            return;
        };
        let rooms = &mut self.rooms;
        let Some(followed) = rooms
            .iter_mut()
            .find(|followed| followed.name.as_bytes() == event.room)
        else {
            return;
        };
        if event.seq > followed.seq + 1 {
            self.gaps += 1;
        }
        if event.seq > followed.seq {
            followed.seq = event.seq;
            if let Some(key) = event.key {
                self.last = Some(Last {
                    room: followed.room,
                    seq: Seq(event.seq),
                    key,
                });
            }
        }
    }

    /// Takes in a stretch of events by its head alone, if the payload is one that nobody asked
    /// for. The server says that it leaves nothing out between `from` and `to`.
    pub(crate) fn events(&mut self, payload: &[u8]) -> bool {
        let Some((room, from, to)) = read_events(payload) else {
            return false;
        };
        let rooms = &mut self.rooms;
        if let Some(followed) = rooms
            .iter_mut()
            .find(|followed| followed.name.as_bytes() == room)
        {
            if from > followed.seq + 1 {
                self.gaps += 1;
            }
            followed.seq = followed.seq.max(to);
            self.caught_up += (to + 1).saturating_sub(from);
            // Which key the last of them has is not read: the next `hello` names none.
            self.last = None;
        }
        true
    }

    /// Takes in any other frame.
    pub(crate) fn take_in(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Welcome { epoch, .. } => self.epoch = Some(*epoch),
            ServerFrame::Summary { rooms, .. } => {
                for row in rooms {
                    if !self.rooms.iter().any(|followed| followed.room == row.room) {
                        self.set(row.room, row.head.0);
                    }
                }
            }
            ServerFrame::Reset(reset) => {
                self.resets += 1;
                self.set(reset.row.room, reset.row.head.0);
            }
            ServerFrame::Skip(skip) => self.pass(skip.room, skip.from.0, skip.to.0),
            ServerFrame::Events { room, items, .. } => {
                for item in items {
                    let range = match item {
                        Item::Event(event) => (event.seq.0, event.seq.0),
                        Item::Skip(skip) => (skip.from.0, skip.to.0),
                    };
                    self.pass(*room, range.0, range.1);
                }
            }
            ServerFrame::CaughtUp { position } => self.position = Some(*position),
            _ => {}
        }
    }

    fn set(&mut self, room: RoomId, seq: u64) {
        match self.rooms.iter_mut().find(|followed| followed.room == room) {
            Some(followed) => followed.seq = seq,
            None => self.rooms.push(Followed {
                room,
                name: room.to_string(),
                seq,
            }),
        }
    }

    fn pass(&mut self, room: RoomId, from: u64, to: u64) {
        let Some(followed) = self.rooms.iter_mut().find(|followed| followed.room == room) else {
            return;
        };
        if from > followed.seq + 1 {
            self.gaps += 1;
        }
        followed.seq = followed.seq.max(to);
    }
}

/// What is needed of an event.
struct Read<'a> {
    room: &'a [u8],
    seq: u64,
    key: Option<Key>,
}

/// Reads an event by the order of its fields, which the golden frames pin.
fn read_event(payload: &[u8]) -> Option<Read<'_>> {
    let rest = payload.strip_prefix(EVENT)?.strip_prefix(br#""room":""#)?;
    let (room, rest) = rest.split_at_checked(ID_CHARS)?;
    let (seq, rest) = number(rest.strip_prefix(br#"","seq":"#)?)?;
    Some(Read {
        room,
        seq,
        key: read_key(rest),
    })
}

/// The key in what follows the seq.
fn read_key(rest: &[u8]) -> Option<Key> {
    let (_msg_no, rest) = number(rest.strip_prefix(br#","msg_no":"#)?)?;
    let (_version, rest) = number(rest.strip_prefix(br#","v":"#)?)?;
    let rest = rest.strip_prefix(br#","from":[""#)?;
    let rest = rest.get(ID_CHARS..)?.strip_prefix(br#"","#)?;
    let (_profile, rest) = number(rest)?;
    let key = rest.strip_prefix(br#"],"key":""#)?.get(..ID_CHARS)?;
    std::str::from_utf8(key).ok()?.parse().ok()
}

/// Room, first and last seq of a stretch.
fn read_events(payload: &[u8]) -> Option<(&[u8], u64, u64)> {
    let (room, rest) = payload.strip_prefix(EVENTS)?.split_at_checked(ID_CHARS)?;
    let (from, rest) = number(rest.strip_prefix(br#"","from":"#)?)?;
    let (to, _rest) = number(rest.strip_prefix(br#","to":"#)?)?;
    Some((room, from, to))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, digits) = leading_number(bytes)?;
    Some((number, &bytes[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chinwag_core::event::{Author, Body, Event};
    use chinwag_core::ids::{Millis, UserId};

    const ROOM: RoomId = RoomId([9; 16]);

    fn event(seq: u64) -> Event {
        Event {
            room: ROOM,
            seq: Seq(seq),
            msg_no: 4_500,
            v: 1,
            from: Author(UserId([2; 16]), 13),
            key: Key([seq as u8; 16]),
            ts: Millis(1),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body: Body::Message("text".to_owned().into()),
        }
    }

    fn seated() -> Seat {
        let mut seat = Seat::default();
        seat.set(ROOM, 10);
        seat
    }

    fn live(seat: &mut Seat, seq: u64) {
        seat.event(&serde_json::to_vec(&ServerFrame::Event(event(seq))).unwrap());
    }

    #[test]
    fn events_move_the_cursor_and_name_the_last() {
        let mut seat = seated();
        live(&mut seat, 11);
        live(&mut seat, 11);
        live(&mut seat, 12);
        assert_eq!((seat.cursor(ROOM), seat.gaps), (12, 0));
        let resume = seat.resume();
        assert_eq!(resume.open, [(ROOM, Seq(12))]);
        let last = resume.last.unwrap();
        assert_eq!((last.seq, last.key), (Seq(12), Key([12; 16])));
    }

    #[test]
    fn what_is_missing_shows() {
        let mut seat = seated();
        live(&mut seat, 13);
        assert_eq!((seat.cursor(ROOM), seat.gaps), (13, 1));
    }

    #[test]
    fn stretches_are_read_by_their_head() {
        let frame = |req, from: u64, to: u64| {
            serde_json::to_vec(&ServerFrame::Events {
                req,
                room: ROOM,
                from: Seq(from),
                to: Seq(to),
                head: Seq(90),
                items: (from..=to).map(|seq| Item::Event(event(seq))).collect(),
            })
            .unwrap()
        };
        let mut seat = seated();
        assert!(seat.events(&frame(None, 11, 40)));
        assert_eq!((seat.cursor(ROOM), seat.gaps, seat.caught_up), (40, 0, 30));
        assert!(seat.events(&frame(None, 42, 50)));
        assert_eq!((seat.cursor(ROOM), seat.gaps), (50, 1));
        assert!(
            !seat.events(&frame(Some(7), 51, 52)),
            "that one was asked for"
        );
    }
}
