//! The writer: one thread, the only connection that writes, one transaction for all that waits.
//!
//! Callers that arrive during an fsync are the next transaction; nobody sleeps to fill one. The
//! first error of a transaction ends the thread for good, because after a failed fsync the
//! kernel may have dropped what it could not write, and a second attempt would claim to have
//! stored it. Reads go on; a restart recovers. Lifetime: as long as the store, or to that error.

mod lower;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_core::batch::{self, Decided};
use chinwag_core::ids::{Millis, Position};
use chinwag_core::ledger::Committed;
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::checkpoint::{self, Checkpoints};
use super::faults::{self, Mutant, Seams};
use super::inside::Inside;
use super::kept::Kept;
use super::lookup::SqlView;
use super::queue::{AppendCall, Queue, Reply, Round};
use super::reply::{answer, split};
use super::{apply, files};
use crate::store::StoreError;

/// Below this many free bytes nothing is accepted: a transaction that hits the end of the disk
/// would end the writer, a refusal does not.
pub(super) const FREE_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// How often the disk is asked for its free space and the WAL for its length, at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Silence after which the writer tidies the WAL.
const IDLE_AFTER: Duration = Duration::from_millis(250);

/// What the writer thread owns.
pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) dir: PathBuf,
    pub(super) queue: Arc<Queue>,
    pub(super) checkpoints: Arc<Checkpoints>,
    pub(super) seams: Arc<Seams>,
    pub(super) position: Position,
    inside: Inside,
    kept: Kept,
    looked: Option<Instant>,
    full: bool,
    /// Whether anything was written since the WAL was tidied last.
    dirty: bool,
    mutant: Option<Mutant>,
    #[cfg(feature = "mutants")]
    remembered: faults::Remembered,
}

/// Why the writer cannot go on.
struct Fatal(String);

impl From<rusqlite::Error> for Fatal {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl Writer {
    pub(super) fn new(
        db: Connection,
        dir: PathBuf,
        queue: Arc<Queue>,
        checkpoints: Arc<Checkpoints>,
        seams: Arc<Seams>,
        position: Position,
    ) -> Self {
        Self {
            db,
            dir,
            queue,
            checkpoints,
            seams,
            position,
            inside: Inside::default(),
            kept: Kept::default(),
            looked: None,
            full: false,
            dirty: false,
            mutant: faults::planted(),
            #[cfg(feature = "mutants")]
            remembered: faults::Remembered::default(),
        }
    }

    /// Works until the store is closed (then `Ok`) or a write has failed (then why).
    pub(super) fn run(&mut self) -> Result<(), String> {
        let checkpoints = self.checkpoints.clone();
        let wrote = move |_wal: &mut Wal, pages: i32| {
            checkpoints.wrote(pages.unsigned_abs());
            Ok(())
        };
        self.db
            .wal_hook(Some(wrote))
            .map_err(|error| error.to_string())?;
        loop {
            let done = match self.queue.next(IDLE_AFTER) {
                Round::Appends(calls) => self.appends(calls),
                Round::Lower(writes, marks) => self.lower(writes, marks),
                Round::Idle => self.tidy(),
                Round::Failed(reason) => Err(Fatal(reason)),
                Round::Close => {
                    return checkpoint::truncate(&self.db)
                        .map(|_done| ())
                        .map_err(|error| error.to_string());
                }
            };
            done.map_err(|Fatal(reason)| reason)?;
        }
    }

    fn appends(&mut self, mut calls: Vec<AppendCall>) -> Result<(), Fatal> {
        if let Err(refusal) = self.ready() {
            calls
                .into_iter()
                .for_each(|call| answer(call.reply, Err(refusal.clone())));
            return Ok(());
        }
        let mut items = Vec::new();
        let mut lengths = Vec::new();
        let mut now = Millis(0);
        for call in &mut calls {
            lengths.push(call.items.len());
            items.append(&mut call.items);
            // One transaction, one label; a time is never an order (contract 9).
            now = now.max(call.now);
        }
        let next = Position(self.position.0 + 1);
        let decided = self.decide(&items, now, next);
        let (decided, wrote) = match decided {
            Ok(decided) => decided,
            Err(fatal) => return Err(unknown(calls.into_iter().map(|call| call.reply), fatal)),
        };
        if wrote {
            self.position = next;
        }
        #[cfg(feature = "mutants")]
        self.remember(&decided);
        let answers = split(decided, &lengths, self.position);
        let replies: Vec<Reply<Committed>> = calls.into_iter().map(|call| call.reply).collect();
        if let Some(Mutant::AckBeforeCommit | Mutant::PublishBeforeCommit) = self.mutant {
            replies
                .into_iter()
                .zip(answers)
                .for_each(|(reply, committed)| answer(reply, Ok(committed)));
            return self.finish(wrote);
        }
        if let Err(fatal) = self.finish(wrote) {
            return Err(unknown(replies.into_iter(), fatal));
        }
        replies
            .into_iter()
            .zip(answers)
            .for_each(|(reply, committed)| answer(reply, Ok(committed)));
        Ok(())
    }

    /// Decides and writes `items` in a transaction that is left open, and says whether it holds
    /// anything.
    fn decide(
        &self,
        items: &[batch::Submission],
        now: Millis,
        next: Position,
    ) -> Result<(Decided, bool), Fatal> {
        let decided =
            batch::decide(&self.view(), items, now).map_err(|error| Fatal(error.to_string()))?;
        let wrote = !decided.appended.is_empty();
        if wrote {
            apply::batch(&self.db, &self.inside, &decided, next)?;
            self.kept.learn(&decided);
        }
        Ok((decided, wrote))
    }

    /// Begins a transaction, unless the disk is too full or somebody else holds the database:
    /// then nothing is touched, and the same may succeed later.
    fn ready(&mut self) -> Result<(), StoreError> {
        self.look();
        if self.full {
            return Err(StoreError::Full);
        }
        if self.checkpoints.takes_restart()
            && let Err(error) = checkpoint::restart(&self.db)
        {
            let reason = format!("a checkpoint failed: {error}");
            self.queue.fail(reason.clone());
            return Err(StoreError::Closed(reason));
        }
        let begun = self.simply("BEGIN IMMEDIATE").and_then(|()| {
            let mut version = self.db.prepare_cached("PRAGMA data_version")?;
            version.query_row([], |row| row.get(0))
        });
        let closed = |error| StoreError::Closed(format!("a transaction cannot begin: {error}"));
        self.kept.begin(begun.map_err(closed)?);
        Ok(())
    }

    /// Makes the transaction durable; without anything in it, ends it without a sync.
    fn finish(&mut self, wrote: bool) -> Result<(), Fatal> {
        if !wrote {
            self.db.execute_batch("ROLLBACK")?;
            return Ok(());
        }
        if self.seams.before_commit() {
            return Err(Fatal("the commit failed".into()));
        }
        self.simply("COMMIT")?;
        if self.seams.after_commit() {
            return Err(Fatal("the commit reported an error".into()));
        }
        self.dirty = true;
        Ok(())
    }

    /// Runs a statement that has neither parameters nor rows, and is parsed once.
    fn simply(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(|_none| ())
    }

    /// Looks at the disk and the WAL, at most every [`LOOK_EVERY`].
    fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let was_full = self.full;
        match self.seams.free_bytes(&self.dir) {
            Ok(free) => self.full = free < FREE_BYTES_MIN,
            // A disk that does not tell is asked by writing to it.
            Err(error) => tracing::warn!(%error, "the free space cannot be asked for"),
        }
        if self.full && !was_full {
            tracing::error!(dir = %self.dir.display(), "the disk is full: nothing is accepted");
        }
        if files::wal_bytes(&self.dir) >= checkpoint::WAL_BYTES_MAX
            && let Err(error) = checkpoint::truncate(&self.db)
        {
            self.queue.fail(format!("a checkpoint failed: {error}"));
        }
    }

    /// Nobody waits: lets the next transaction begin at the start of the WAL again.
    fn tidy(&mut self) -> Result<(), Fatal> {
        if self.dirty && checkpoint::restart(&self.db)? {
            self.dirty = false;
        }
        Ok(())
    }

    fn view(&self) -> SqlView<'_> {
        SqlView {
            kept: Some(&self.kept),
            db: &self.db,
            inside: &self.inside,
            #[cfg(feature = "mutants")]
            remembered: (self.mutant == Some(Mutant::DedupeInMemory)).then_some(&self.remembered),
        }
    }

    #[cfg(feature = "mutants")]
    fn remember(&self, decided: &Decided) {
        for appended in &decided.appended {
            let event = &appended.event;
            let ack = batch::Ack {
                room: event.room,
                seq: event.seq,
                msg_no: event.msg_no,
                ts: event.ts,
            };
            self.remembered
                .put(event.key, event.from.0, event.room, (appended.hash, ack));
        }
    }
}

/// Whether an error of a statement says that the files cannot be trusted or written.
fn ends_writer(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(
            Code::SystemIoFailure
                | Code::DatabaseCorrupt
                | Code::DiskFull
                | Code::NotADatabase
                | Code::CannotOpen
                | Code::ReadOnly
                | Code::OutOfMemory
                | Code::InternalMalfunction
        )
    )
}

/// Tells callers that their transaction may or may not be stored.
fn unknown<T>(replies: impl Iterator<Item = Reply<T>>, fatal: Fatal) -> Fatal {
    replies.for_each(|reply| answer(reply, Err(StoreError::Unknown(fatal.0.clone()))));
    fatal
}
