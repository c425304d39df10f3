//! The store: where acknowledged means durable.
//!
//! [`Store`] is the small interface that implementations share; `contract` is the one suite
//! that all of them pass. Deciding is not here: `core::batch` decides inside the transaction,
//! `core::read` assembles answers over a [`View`] of one snapshot.

pub mod accounts;
pub mod avatars;
#[cfg(test)]
mod contract;
pub mod memory;
pub mod recent;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Submission;
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::erasure::Step;
use chinwag_core::ids::{Millis, UserId};
use chinwag_core::invite::InviteHash;
use chinwag_core::ledger::Committed;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::view::View;
use chinwag_core::wire::Settings;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing of it is stored, and the disk has no room: the same may succeed later.
    #[error("the disk is full")]
    Full,
    /// Nothing of it is stored; the writer has ended or cannot begin.
    #[error("the store takes no writes: {0}")]
    Closed(String),
    /// It may be stored or not: only a repetition under the same keys tells (contract 2).
    #[error("whether it was stored is unknown: {0}")]
    Unknown(String),
    /// A read failed; nothing changed.
    #[error("the store cannot be read: {0}")]
    Read(String),
}

/// What a store answers, in time.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A view of one read snapshot, whatever store it comes from.
pub type AnyView<'a> = dyn View<Error = StoreError> + 'a;

/// Something to read in one snapshot.
pub type ReadJob = Box<dyn FnOnce(&AnyView<'_>) -> Result<(), StoreError> + Send>;

/// A store of rooms, logs and markers.
pub trait Store: Send + Sync {
    /// Decides and stores `items` as one transaction. When it answers, the events are on disk,
    /// synced, and visible to every read that starts later. Dropping the future does not undo
    /// anything.
    fn append(&self, items: Vec<Submission>, now: Millis) -> StoreFuture<'_, Committed>;

    /// Raises markers, durably, with `at` as the time of it; none for rooms that the user was never
    /// in. A lower queue than [`Store::append`]: it never delays messages.
    fn mark(&self, marks: Vec<Mark>, at: Millis) -> StoreFuture<'_, Vec<Option<Marked>>>;

    /// Changes what a user shows of themselves, durably; the settings after it. As low a queue as
    /// [`Store::mark`].
    fn set(&self, user: UserId, change: SettingsChange) -> StoreFuture<'_, Settings>;

    /// Changes something of a user's own state, durably; what stands then, or the code to answer
    /// with. As low a queue as [`Store::mark`].
    fn own(&self, user: UserId, change: OwnChange) -> StoreFuture<'_, Result<Owned, ErrorCode>>;

    /// Keeps when users went offline, which `core::aside::to_the_minute` has made coarse. As low a
    /// queue as [`Store::mark`].
    fn saw(&self, seen: Vec<(UserId, Millis)>) -> StoreFuture<'_, ()>;

    /// Decides and does what is written beside the logs, as one transaction; the refusal is a value.
    /// `drawn` is the hash of a token for an invitation. As low a queue as [`Store::mark`].
    fn perform(
        &self,
        user: UserId,
        deed: Deed,
        drawn: InviteHash,
        now: Millis,
    ) -> StoreFuture<'_, Result<Change, ErrorCode>>;

    /// Does a step of an erasure, as one transaction with the place that the job has then reached;
    /// nothing, if the job is further or there is none. As low a queue as [`Store::mark`].
    fn erase(&self, step: Step, now: Millis) -> StoreFuture<'_, Committed>;

    /// Runs `job` over one read snapshot.
    fn run(&self, job: ReadJob) -> StoreFuture<'_, ()>;

    /// Answers when the writer has ended for good, with the reason: the process shall exit
    /// non-zero soon, so that a restart recovers (contract 2).
    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>>;
}

/// Reads a value in one snapshot of `store`.
///
/// # Errors
/// [`StoreError::Read`] if the snapshot cannot be had or a look-up fails.
pub async fn read<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&AnyView<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let run = store.run(Box::new(move |view| {
        let value = job(view)?;
        // A reader that has gone away wants no answer.
        let _gone = answer.send(value);
        Ok(())
    }));
    run.await?;
    answered
        .await
        .map_err(|_dropped| StoreError::Read("the read was given up".into()))
}
