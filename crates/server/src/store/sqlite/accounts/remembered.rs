//! Identities that have been read, for those who connect again.
//!
//! Nothing here can be older than the account writes that have been answered: each of them ends the
//! validity of all that was read before it (`AccountWrites`). Ten thousand people who come back at
//! once are then not asked for at the database one by one. Lifetime: the store's.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chinwag_core::ids::{SessionId, UserId};

use crate::store::accounts::UserRow;

/// Rows; beyond, all are forgotten. At some 200 bytes each: a few megabytes.
const ROWS_MAX: usize = 16_384;

/// The answers of `identity`, by its arguments.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Held for a look-up; nothing else is locked, and nothing awaited, under it.
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// The count of account writes that the rows belong to.
    writes: u64,
    rows: HashMap<(UserId, Option<SessionId>), UserRow>,
}

impl Remembered {
    /// The row, if it was read after as many account writes.
    pub(super) fn get(
        &self,
        writes: u64,
        user: UserId,
        session: Option<SessionId>,
    ) -> Option<UserRow> {
        self.at(writes)?.rows.get(&(user, session)).cloned()
    }

    /// Takes in what was read in a snapshot that began after `writes` account writes.
    pub(super) fn put(&self, writes: u64, session: Option<SessionId>, row: &UserRow) {
        if let Some(mut rows) = self.at(writes) {
            if rows.rows.len() >= ROWS_MAX {
                rows.rows.clear();
            }
            rows.rows.insert((row.id, session), row.clone());
        }
    }

    /// The rows of that count, which are none if it is news; `None` if it is outdated.
    fn at(&self, writes: u64) -> Option<MutexGuard<'_, Rows>> {
        // Rows are put whole: a panic elsewhere leaves no half-changed one behind.
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.writes < writes {
            rows.writes = writes;
            rows.rows.clear();
        }
        (rows.writes == writes).then_some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::UserKind;

    fn row(number: u64) -> UserRow {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        UserRow {
            id: UserId(id),
            kind: UserKind::User,
            name: format!("user {number}"),
            profile_version: 1,
            display_name: None,
            avatar: None,
            password_hash: None,
            administrator: false,
        }
    }

    #[test]
    fn an_account_write_ends_what_was_read_before_it() {
        let known = Remembered::default();
        let ann = row(1);
        known.put(3, None, &ann);
        assert_eq!(known.get(3, ann.id, None), Some(ann.clone()));
        assert_eq!(known.get(4, ann.id, None), None, "written since");
        // A read that began before the write ends after it.
        known.put(3, None, &ann);
        assert_eq!(known.get(4, ann.id, None), None, "of an old snapshot");
        assert_eq!(known.get(3, ann.id, None), None, "asked before the write");
    }

    #[test]
    fn a_session_is_asked_for_by_itself() {
        let known = Remembered::default();
        let ann = row(1);
        known.put(0, Some(SessionId([7; 16])), &ann);
        assert_eq!(known.get(0, ann.id, None), None);
        assert_eq!(known.get(0, ann.id, Some(SessionId([8; 16]))), None);
        assert_eq!(known.get(0, ann.id, Some(SessionId([7; 16]))), Some(ann));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let known = Remembered::default();
        for number in 0..=ROWS_MAX as u64 {
            known.put(0, None, &row(number));
        }
        let last = row(ROWS_MAX as u64);
        assert_eq!(known.get(0, last.id, None), Some(last), "the newest");
        assert!(known.rows.lock().expect("sound").rows.len() <= ROWS_MAX);
    }
}
