//! The newest events of rooms, in memory: in front of history and sync (mission B12).
//!
//! [`Tails`] decides what is kept and what is loaded, [`Tail`] what it can answer, [`Recalling`]
//! puts both in front of a snapshot. None of them waits, locks or reads a store: whoever shares
//! them does. Losing a tail, or never hearing of a commit, costs a read and nothing else, because
//! each answer is held against the head of the reader's own snapshot. Lifetime: a process.

mod recalling;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Event;
use crate::ids::{RoomId, Seq};
use crate::room::Range;

pub use self::recalling::{Loaded, Recall, Recalling};
pub use self::tail::{Tail, newest};

/// What a map of tails costs a room besides its events, in bytes, near enough.
const ROOM_BYTES: usize = 256;

/// How the look-ups fared, and what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Look-ups answered from memory; of counts, the recent part.
    pub hits: u64,
    /// Look-ups of recent events for which the store had to be read.
    pub misses: u64,
    /// Look-ups that reached further back than a tail: the store's, always.
    pub older: u64,
    /// Stretches read from the store to be kept.
    pub loads: u64,
    /// Rooms that had to go for others.
    pub evictions: u64,
    /// Rooms kept.
    pub rooms: u64,
    /// What they take up, in bytes.
    pub bytes: u64,
}

impl Figures {
    /// Adds another part's.
    pub fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.older += other.older;
        self.loads += other.loads;
        self.evictions += other.evictions;
        self.rooms += other.rooms;
        self.bytes += other.bytes;
    }
}

/// What became of a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fared {
    /// See [`Figures::hits`].
    Hit,
    /// See [`Figures::misses`].
    Miss,
    /// See [`Figures::older`].
    Older,
}

/// What a reader who lacks recent events does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// The tail has all that this snapshot could give it.
    Complete,
    /// Another reader loads this room now.
    Busy,
    /// Read this range and hand it to [`Tails::finish`], whatever comes of it.
    Read(Range),
}

#[derive(Debug)]
struct Kept {
    tail: Tail,
    used: u64,
}

/// Tails of many rooms within a bound of bytes; the longest unused goes first.
#[derive(Debug)]
pub struct Tails {
    rooms: BTreeMap<RoomId, Kept>,
    /// Rooms by when they were last used.
    order: BTreeMap<u64, RoomId>,
    loading: BTreeSet<RoomId>,
    uses: u64,
    bytes_max: usize,
    figures: Figures,
}

impl Tails {
    /// None yet, and never more than `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            rooms: BTreeMap::new(),
            order: BTreeMap::new(),
            loading: BTreeSet::new(),
            uses: 0,
            bytes_max,
            figures: Figures::default(),
        }
    }

    /// How it fared so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Counts a look-up.
    pub fn note(&mut self, fared: Fared) {
        match fared {
            Fared::Hit => self.figures.hits += 1,
            Fared::Miss => self.figures.misses += 1,
            Fared::Older => self.figures.older += 1,
        }
    }

    /// The tail of a room, which is used by this.
    pub fn tail(&mut self, room: RoomId) -> Option<&Tail> {
        self.touch(room);
        self.rooms.get(&room).map(|kept| &kept.tail)
    }

    /// Takes in an event that is committed.
    pub fn commit(&mut self, event: &Event) {
        self.grow(event.room, std::iter::once(event.clone()));
    }

    /// What a reader shall do whose snapshot has this head, and who found no answer.
    pub fn begin(&mut self, room: RoomId, head: Seq) -> Begin {
        let missing = match self.rooms.get(&room) {
            Some(kept) => kept.tail.missing(head),
            None => newest(head),
        };
        match missing {
            None => Begin::Complete,
            Some(_) if self.loading.contains(&room) => Begin::Busy,
            Some(range) => {
                self.loading.insert(room);
                self.figures.loads += 1;
                Begin::Read(range)
            }
        }
    }

    /// Whether a reader loads this room.
    #[must_use]
    pub fn is_loading(&self, room: RoomId) -> bool {
        self.loading.contains(&room)
    }

    /// Takes in what was read; nothing, if the read failed.
    pub fn finish(&mut self, room: RoomId, loaded: Vec<Event>) {
        self.loading.remove(&room);
        self.grow(room, loaded);
    }

    /// Lets go of everything, and keeps the counts: after a panic in the midst of a change.
    pub fn forget(&mut self) {
        let counts = Figures {
            rooms: 0,
            bytes: 0,
            ..self.figures
        };
        *self = Self::new(self.bytes_max);
        self.figures = counts;
    }

    fn grow(&mut self, room: RoomId, events: impl IntoIterator<Item = Event>) {
        match self.rooms.get_mut(&room) {
            Some(kept) => {
                self.figures.bytes -= kept.tail.bytes() as u64;
                kept.tail.merge(events);
                self.figures.bytes += kept.tail.bytes() as u64;
            }
            None => {
                let Some(tail) = Tail::of(events) else {
                    return;
                };
                self.figures.bytes += (ROOM_BYTES + tail.bytes()) as u64;
                self.figures.rooms += 1;
                self.rooms.insert(room, Kept { tail, used: 0 });
            }
        }
        self.touch(room);
        while self.figures.bytes > self.bytes_max as u64 {
            let Some((_used, oldest)) = self.order.pop_first() else {
                break;
            };
            if let Some(kept) = self.rooms.remove(&oldest) {
                self.figures.bytes -= (ROOM_BYTES + kept.tail.bytes()) as u64;
                self.figures.rooms -= 1;
                self.figures.evictions += 1;
            }
        }
    }

    fn touch(&mut self, room: RoomId) {
        if let Some(kept) = self.rooms.get_mut(&room) {
            self.uses += 1;
            self.order.remove(&kept.used);
            kept.used = self.uses;
            self.order.insert(kept.used, room);
        }
    }
}
