//! Pieces of a log: events, and what stands for those that a reader does not get.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::{RoomId, Seq};
use crate::room::{Range, SkipWhy};

/// Seqs that the reader does not get, and why: counted as had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Skip {
    /// Whose log.
    pub room: RoomId,
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// Why.
    pub why: SkipWhy,
}

/// A piece of a log: `event` or `skip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// An event.
    Event(Event),
    /// Seqs without an event.
    Skip(Skip),
}

impl Item {
    /// The seqs that it accounts for.
    #[must_use]
    pub fn range(&self) -> Range {
        match self {
            Self::Event(event) => Range {
                from: event.seq,
                to: event.seq,
            },
            Self::Skip(skip) => Range {
                from: skip.from,
                to: skip.to,
            },
        }
    }
}
