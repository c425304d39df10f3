//! How look-ups are run in one SQLite transaction, whoever began it: one row, or all of them.
//!
//! Which look-ups there are is in `view`. Begins and ends no transaction, writes nothing.
//! Lifetime: one transaction.

use chinwag_core::ids::{RoomId, UserId};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::inside::Inside;
use super::kept::Kept;
use crate::store::StoreError;

/// A read that failed, in words.
pub(super) fn unreadable(error: rusqlite::Error) -> StoreError {
    StoreError::Read(error.to_string())
}

/// A transaction, seen through `core::view`.
pub(super) struct SqlView<'a> {
    pub(super) db: &'a Connection,
    pub(super) inside: &'a Inside,
    /// The writer's own memory; readers see a moment of their own.
    pub(super) kept: Option<&'a Kept>,
    /// Keys that this process has stored; only a planted fault looks here.
    #[cfg(feature = "mutants")]
    pub(super) remembered: Option<&'a super::faults::Remembered>,
}

pub(super) type Read<T> = Result<T, StoreError>;

impl<'a> SqlView<'a> {
    /// All that a transaction sees, and nothing that its writer keeps in mind.
    pub(super) fn of(db: &'a Connection, inside: &'a Inside) -> Self {
        Self {
            db,
            inside,
            kept: None,
            #[cfg(feature = "mutants")]
            remembered: None,
        }
    }
}

impl SqlView<'_> {
    pub(super) fn one<T>(
        &self,
        sql: &str,
        with: impl Params,
        each: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Option<T>> {
        let mut query = self.db.prepare_cached(sql).map_err(unreadable)?;
        query.query_row(with, each).optional().map_err(unreadable)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        with: impl Params,
        each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Vec<T>> {
        let mut query = self.db.prepare_cached(sql).map_err(unreadable)?;
        let rows = query.query_map(with, each).map_err(unreadable)?;
        rows.collect::<Result<_, _>>().map_err(unreadable)
    }

    pub(super) fn inside_room(&self, id: RoomId) -> Read<Option<i64>> {
        self.inside.room(self.db, id).map_err(unreadable)
    }

    pub(super) fn inside_user(&self, id: UserId) -> Read<Option<i64>> {
        self.inside.user(self.db, id).map_err(unreadable)
    }
}
