//! The embedded store: one SQLite file in a locked directory, one writer thread with group commit, a
//! few readers, checkpoints beside them. docs/storage.md says what it promises. Lifetime: from
//! [`SqliteStore::open`] to its drop, which finishes what waits and lets the directory go.

pub mod accounts;
mod apply;
mod avatars;
mod blocks;
mod checkpoint;
mod deeds;
mod erasing;
mod faults;
mod files;
mod hidden;
mod inside;
mod kept;
mod last;
mod lists;
mod lookup;
mod migrate;
mod open;
mod own;
mod people;
mod queue;
mod rates;
mod readers;
mod refused;
mod reply;
mod rows;
mod stored;
#[cfg(test)]
mod tests;
mod trails;
mod view;
mod writer;

use std::fs::File;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Submission;
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::erasure::Step;
use chinwag_core::ids::{Millis, Position, UserId};
use chinwag_core::invite::InviteHash;
use chinwag_core::ledger::Committed;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::wire::{Profile, Settings};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{oneshot, watch};

pub use refused::OpenError;

use self::checkpoint::Checkpoints;
use self::faults::Seams;
use self::lookup::{SqlView, unreadable};
use self::migrate::{MIGRATIONS, Migration};
use self::queue::{AccountWrites, AppendCall, EndedWrite, MarkCall, Queue, Work, WriteCall};
use self::readers::{READERS, Readers, Snapshot};
use self::stored::stored_position;
use self::writer::Writer;
use super::{ReadJob, Store, StoreError, StoreFuture};

/// Whether the store answers before its commit and wants [`crate::commit`] to tell receivers then.
#[cfg(feature = "mutants")]
pub(crate) fn publishes_before_commit() -> bool {
    static PLANTED: std::sync::LazyLock<Option<faults::Mutant>> =
        std::sync::LazyLock::new(faults::planted);
    *PLANTED == Some(faults::Mutant::PublishBeforeCommit)
}

/// A store in an SQLite file.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    checkpoints: Arc<Checkpoints>,
    account_writes: AccountWrites,
    ended: watch::Receiver<Option<String>>,
    reading: Vec<JoinHandle<()>>,
    writing: Vec<JoinHandle<()>>,
    /// Held, not read: the directory is ours while it is open.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `dir`, making directory and database if they are not there.
    ///
    /// Blocks for as long as the disk takes: milliseconds, or a copy of the file if it is
    /// migrated.
    ///
    /// # Errors
    /// [`OpenError`], with what was found where, and what to do. A file that is refused is as it
    /// was.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_with(dir, Arc::new(Seams::default()), MIGRATIONS)
    }

    fn open_with(
        dir: &Path,
        seams: Arc<Seams>,
        migrations: &[Migration],
    ) -> Result<Self, OpenError> {
        let opened = open::open(dir, &seams, migrations)?;
        let failed =
            |reason| OpenError::sqlite(&files::database(dir), "reading the position", reason);
        let position = stored_position(&opened.writer).map_err(failed)?;
        let (end, ended) = watch::channel(None);
        let mut store = Self {
            queue: Arc::new(Queue::new()),
            readers: Arc::new(Readers::new()),
            checkpoints: Arc::new(Checkpoints::default()),
            account_writes: AccountWrites::default(),
            ended,
            reading: Vec::new(),
            writing: Vec::new(),
            _lock: opened.lock,
        };
        // From here on the drop of `store` ends what has begun.
        for number in 0..READERS {
            let db = open::reader(dir)?;
            let readers = Arc::clone(&store.readers);
            let reader = spawn(dir, format!("store-reader-{number}"), move || {
                readers.run(db)
            })?;
            store.reading.push(reader);
        }
        let writer = Writer::new(
            opened.writer,
            dir.to_owned(),
            Arc::clone(&store.queue),
            Arc::clone(&store.checkpoints),
            seams,
            position,
        );
        let checkpointer = open::checkpointer(dir)?;
        let checkpoints = Arc::clone(&store.checkpoints);
        let queue = Arc::clone(&store.queue);
        let beside = move || {
            if let Err(reason) = checkpoints.run(&checkpointer) {
                queue.fail(reason);
            }
        };
        store
            .reading
            .push(spawn(dir, "store-checkpoint".into(), beside)?);
        let write = move || write_until_the_end(writer, &end);
        store
            .writing
            .push(spawn(dir, "store-writer".into(), write)?);
        Ok(store)
    }

    /// Runs `work` on the writer thread in a savepoint of its own. When it answers, what `work`
    /// did is on disk, synced. The transaction's position is [`position`].
    ///
    /// # Errors
    /// [`StoreError::Read`] with the error of `work` itself: nothing of it is stored. Else as
    /// for [`Store::append`].
    pub async fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.write_counted(work, |_value| true).await
    }

    /// As [`SqliteStore::write`]; `counts` says of an outcome whether it may have changed who
    /// somebody is, or ended a session.
    async fn write_counted<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
        counts: fn(&R) -> bool,
    ) -> Result<R, StoreError> {
        self.write_as(work, counts, false).await
    }

    /// As [`SqliteStore::write`], for what is no concern of rooms, members or accounts: nothing
    /// that is kept of them in memory is forgotten by it.
    async fn write_beside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.write_as(work, |_value| false, true).await
    }

    async fn write_as<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
        counts: fn(&R) -> bool,
        is_beside: bool,
    ) -> Result<R, StoreError> {
        let place = self.queue.lower_place().await?;
        let (reply, answer) = oneshot::channel();
        let ended = EndedWrite {
            writes: self.account_writes.clone(),
            counts,
            harmless: false,
        };
        self.queue.write(WriteCall {
            work: Box::new(Work {
                work: Some(work),
                value: None,
                reply,
                ended,
                is_beside,
            }),
            _place: place,
        })?;
        answered(answer).await
    }

    /// Runs `work` on a reader, in one snapshot of at most two seconds.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub async fn read_with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.on_reader(move |snapshot| work(snapshot.db).map_err(unreadable))
            .await
    }

    /// Adds or changes somebody's public face.
    ///
    /// # Errors
    /// As for [`Store::append`]; [`StoreError::Read`] if another has that name.
    pub async fn put_profile(&self, profile: Profile) -> Result<(), StoreError> {
        self.write(move |db| apply::profile(db, &profile)).await
    }

    async fn on_reader<R: Send + 'static>(
        &self,
        work: impl FnOnce(Snapshot<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = move |snapshot: Result<Snapshot<'_>, StoreError>| {
            // A caller that has gone away wants no answer.
            let _gone = reply.send(snapshot.and_then(work));
        };
        self.readers.push(Box::new(job)).await?;
        let given_up = |_dropped| Err(StoreError::Read("the read was given up".into()));
        answer.await.unwrap_or_else(given_up)
    }
}

/// The position of the transaction that `db` is in: for rows that carry `changed`.
///
/// # Errors
/// SQLite's, if the row cannot be read.
pub fn position(db: &Connection) -> rusqlite::Result<Position> {
    stored_position(db)
}

impl Store for SqliteStore {
    fn append(&self, items: Vec<Submission>, now: Millis) -> StoreFuture<'_, Committed> {
        Box::pin(async move {
            let place = self.queue.append_place(items.len()).await?;
            let (reply, answer) = oneshot::channel();
            self.queue.append(AppendCall {
                items,
                now,
                reply,
                _place: place,
            })?;
            answered(answer).await
        })
    }

    fn mark(&self, marks: Vec<Mark>, at: Millis) -> StoreFuture<'_, Vec<Option<Marked>>> {
        Box::pin(async move {
            let place = self.queue.lower_place().await?;
            let (reply, answer) = oneshot::channel();
            self.queue.mark(MarkCall {
                marks,
                at,
                reply,
                _place: place,
            })?;
            answered(answer).await
        })
    }

    fn set(&self, user: UserId, change: SettingsChange) -> StoreFuture<'_, Settings> {
        Box::pin(self.write_beside(move |db| people::set(db, user, change)))
    }

    fn own(&self, user: UserId, change: OwnChange) -> StoreFuture<'_, Result<Owned, ErrorCode>> {
        // Of all that is their own, what others see of them is what the writer keeps in mind, and
        // is remembered with who they are.
        let is_beside = !matches!(change, OwnChange::Profile(_));
        let counts = |done: &Result<Owned, _>| matches!(done, Ok(Owned::Profile(_)));
        Box::pin(self.write_as(move |db| own::change(db, user, &change), counts, is_beside))
    }

    fn saw(&self, seen: Vec<(UserId, Millis)>) -> StoreFuture<'_, ()> {
        Box::pin(self.write_beside(move |db| people::saw(db, &seen)))
    }

    fn perform(
        &self,
        user: UserId,
        deed: Deed,
        drawn: InviteHash,
        now: Millis,
    ) -> StoreFuture<'_, Result<Change, ErrorCode>> {
        Box::pin(self.write_beside(move |db| deeds::perform(db, user, &deed, drawn, now)))
    }

    fn erase(&self, step: Step, now: Millis) -> StoreFuture<'_, Committed> {
        let work = move |db: &Connection| erasing::step(db, &step, now);
        // It changes rooms and members, which the writer keeps in mind, and no account.
        Box::pin(self.write_as(work, |_value| false, false))
    }

    fn run(&self, job: ReadJob) -> StoreFuture<'_, ()> {
        Box::pin(self.on_reader(move |Snapshot { db, inside }| job(&SqlView::of(db, inside))))
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        let mut ended = self.ended.clone();
        Box::pin(async move {
            match ended.wait_for(Option::is_some).await {
                Ok(reason) => reason.clone().unwrap_or_default(),
                Err(_gone) => "the writer is gone".into(),
            }
        })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Readers first: the writer's last checkpoint wants nobody in its way.
        self.readers.close();
        self.checkpoints.close();
        join(&mut self.reading);
        self.queue.close();
        join(&mut self.writing);
    }
}

async fn answered<T>(answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    // No answer: the thread has panicked in the middle of a transaction.
    let lost = |_dropped| Err(StoreError::Unknown("the writer gave no answer".into()));
    answer.await.unwrap_or_else(lost)
}

fn write_until_the_end(mut writer: Writer, end: &watch::Sender<Option<String>>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| writer.run()));
    let reason = match outcome {
        Ok(Ok(())) => {
            // All is in the database: the last connection may remove the WAL's files.
            let config = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            if let Err(error) = writer.db.set_db_config(config, false) {
                tracing::warn!(%error, "the WAL's files stay behind");
            }
            "the store has been closed".to_owned()
        }
        Ok(Err(reason)) => reason,
        Err(_panic) => "the writer has panicked".to_owned(),
    };
    writer.queue.end(&reason);
    writer.checkpoints.close();
    tracing::debug!(%reason, "the writer has ended");
    end.send_replace(Some(reason));
}

fn spawn(
    dir: &Path,
    name: String,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let spawned = thread::Builder::new().name(name).spawn(run);
    spawned.map_err(|reason: io::Error| OpenError::Disk {
        file: dir.to_owned(),
        doing: "starting a thread",
        reason,
    })
}

fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        if thread.join().is_err() {
            tracing::error!("a thread of the store has panicked");
        }
    }
}
