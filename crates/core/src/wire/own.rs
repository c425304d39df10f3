//! One's own state of rooms and times that frames show: whom nothing of it concerns but oneself.

use serde::{Deserialize, Serialize};

use super::rows::is_zero;
use crate::ids::{Millis, Seq, UserId};

/// What of a room one wants to be notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NotifyLevel {
    /// Every message.
    #[default]
    All,
    /// Messages that call on one, by name or as part of the room.
    Mentions,
    /// Nothing.
    #[serde(rename = "none")]
    Nothing,
}

/// What one wants to be notified of in a room, and from when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Notify {
    /// What.
    pub level: NotifyLevel,
    /// Nothing until then; absent: the room is not quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub quiet_until: Option<Millis>,
    /// Rises with each change; 0 before the first.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
}

impl Notify {
    /// Whether nothing was ever changed.
    #[must_use]
    pub fn is_new(&self) -> bool {
        is_zero(&self.version)
    }
}

/// Whom one has blocked: all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Blocks {
    /// By id.
    pub users: Vec<UserId>,
    /// Rises with each change; 0 before the first.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
}

/// What one has hidden from oneself in a room, as its row shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hidden {
    /// The newest of these messages, by seq.
    pub seqs: Vec<Seq>,
    /// Rises with each change.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
    /// There are older ones: `hidden` lists them all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub more: bool,
}

/// A part of each day, in whole minutes since midnight UTC: from `from` on, until `to`; over
/// midnight if `to` is the smaller one. Two that are alike are no time at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Daily {
    /// The first minute, 0 to 1439.
    pub from: u16,
    /// The minute after the last, 0 to 1439.
    pub to: u16,
}

impl Daily {
    /// Minutes of a day.
    pub const MINUTES: u16 = 24 * 60;

    /// Whether it is no time at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Whether both are minutes of a day.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.from < Self::MINUTES && self.to < Self::MINUTES
    }

    /// Whether `at` lies in it.
    #[must_use]
    pub fn holds(self, at: Millis) -> bool {
        let minute = at.0.div_euclid(60_000).rem_euclid(i64::from(Self::MINUTES));
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        if from <= to {
            from <= minute && minute < to
        } else {
            from <= minute || minute < to
        }
    }
}
