//! Checkpoints: moving what is in the WAL into the database file, beside commits.
//!
//! SQLite would do it inside every thousandth page's commit, which quadruples the slowest
//! acknowledgements. So the automatic one is off. A thread with its own connection makes PASSIVE
//! checkpoints, which wait for nobody: about every second, or when the WAL has grown by 16 MiB.
//! While the writer never pauses they cannot reset the WAL, only keep what is left to move
//! small; so the writer itself makes a RESTART when nothing waits, or between two transactions
//! when the WAL has grown and next to nothing of it is left to move, and a TRUNCATE when it is
//! very long. All may find a reader in the way; then the next occasion does it. A WAL that begins
//! anew is written over pages that the file has already, which costs commits less than new ones.
//!
//! A checkpoint that fails with an error ends the writer: the database file was not synced, the
//! kernel may have dropped the pages, and a later checkpoint that "succeeds" would throw away
//! the WAL, the only place where they still are. For the same reason closing a connection never
//! makes one by itself. Lifetime: as long as the store.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::open::BUSY;

/// Between background checkpoints.
const EVERY: Duration = Duration::from_secs(1);
/// Growth of the WAL that does not wait for the next one, in pages of 4 KiB.
const GROWTH_PAGES: u32 = 4_096;
/// Length of the WAL at which the writer itself empties it, in bytes.
pub(super) const WAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Default)]
struct State {
    /// Written since the last complete checkpoint began.
    dirty: bool,
    /// The WAL's length at the newest commit, and when a checkpoint was last asked for.
    pages: u32,
    asked_at_pages: u32,
    urgent: bool,
    /// The writer is to begin the WAL anew.
    restart: bool,
    closing: bool,
}

/// What writer and checkpoint thread tell each other. Its lock is never held with another.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    state: Mutex<State>,
    news: Condvar,
}

impl Checkpoints {
    /// A transaction has been committed; the WAL has so many pages now.
    pub(super) fn wrote(&self, pages: u32) {
        let mut state = self.lock();
        state.dirty = true;
        if pages < state.asked_at_pages {
            state.asked_at_pages = 0;
        }
        state.pages = pages;
        if pages >= state.asked_at_pages + GROWTH_PAGES {
            state.asked_at_pages = pages;
            state.urgent = true;
            drop(state);
            self.news.notify_one();
        }
    }

    /// Whether the writer is to begin the WAL anew now; says so once.
    pub(super) fn takes_restart(&self) -> bool {
        std::mem::take(&mut self.lock().restart)
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.news.notify_one();
    }

    /// Checkpoints over `db` until closed (then `Ok`) or until one fails (then why).
    pub(super) fn run(&self, db: &Connection) -> Result<(), String> {
        while self.due() {
            let mut done = passive(db);
            // What was committed meanwhile is moved as well, so that the writer finds little.
            if self.lock().pages >= GROWTH_PAGES && done.is_ok() {
                done = passive(db);
                // Never behind a failure: what it could not sync stands in the WAL alone.
                self.lock().restart = done.is_ok();
            }
            match done {
                Ok(true) => {}
                Ok(false) => self.lock().dirty = true,
                Err(error) => return Err(format!("a checkpoint failed: {error}")),
            }
        }
        Ok(())
    }

    /// Waits until a checkpoint is due; false if there will be none.
    fn due(&self) -> bool {
        loop {
            let (mut state, _timeout) = self
                .news
                .wait_timeout_while(self.lock(), EVERY, |state| !state.urgent && !state.closing)
                .unwrap_or_else(PoisonError::into_inner);
            if state.closing {
                return false;
            }
            state.urgent = false;
            if std::mem::take(&mut state.dirty) {
                return true;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values: a panic elsewhere leaves nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves what no reader is in the way of. True if that was all.
fn passive(db: &Connection) -> rusqlite::Result<bool> {
    checkpoint(db, "PRAGMA wal_checkpoint(PASSIVE)")
}

/// Moves everything and lets the next transaction begin at the WAL's start. False if a reader is
/// in the way.
pub(super) fn restart(db: &Connection) -> rusqlite::Result<bool> {
    checkpoint(db, "PRAGMA wal_checkpoint(RESTART)")
}

/// Like [`restart`], and cuts the file to nothing.
pub(super) fn truncate(db: &Connection) -> rusqlite::Result<bool> {
    checkpoint(db, "PRAGMA wal_checkpoint(TRUNCATE)")
}

fn checkpoint(db: &Connection, sql: &str) -> rusqlite::Result<bool> {
    // Whoever is in the way is not waited for: messages may be waiting behind us.
    db.busy_timeout(Duration::ZERO)?;
    let done = db.query_row(sql, [], |row| {
        let (busy, wal, moved): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && wal == moved)
    });
    db.busy_timeout(BUSY)?;
    match done {
        // Somebody is in the way; nothing is wrong.
        Err(error) if is_busy(&error) => Ok(false),
        other => other,
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}
