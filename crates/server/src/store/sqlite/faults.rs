//! Where tests and planted faults reach into the writer. In an ordinary build there is nothing
//! to reach: every question is answered "no" at compile time.

#[cfg(feature = "mutants")]
use std::cell::RefCell;
#[cfg(feature = "mutants")]
use std::collections::HashMap;
use std::path::Path;

#[cfg(feature = "mutants")]
use chinwag_core::batch::Ack;
#[cfg(feature = "mutants")]
use chinwag_core::ids::{Key, RoomId, UserId};

/// What the tests of one store steer. Empty outside of them.
#[derive(Debug, Default)]
pub(super) struct Seams {
    /// Free bytes that the disk pretends to have; `u64::MAX` asks the disk.
    #[cfg(test)]
    pub(super) free_bytes: Option<std::sync::atomic::AtomicU64>,
    /// The next commit happens and then reports an error.
    #[cfg(test)]
    pub(super) fail_after_commit: std::sync::atomic::AtomicBool,
    /// The next commit does not happen and reports an error.
    #[cfg(test)]
    pub(super) fail_before_commit: std::sync::atomic::AtomicBool,
}

impl Seams {
    /// Bytes that this process may still write below `dir`.
    pub(super) fn free_bytes(&self, dir: &Path) -> std::io::Result<u64> {
        #[cfg(test)]
        if let Some(free) = &self.free_bytes {
            return Ok(free.load(std::sync::atomic::Ordering::SeqCst));
        }
        let disk = rustix::fs::statvfs(dir)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether to fail in place of the commit.
    pub(super) fn before_commit(&self) -> bool {
        #[cfg(test)]
        {
            self.fail_before_commit
                .swap(false, std::sync::atomic::Ordering::SeqCst)
        }
        #[cfg(not(test))]
        false
    }

    /// Whether to report the commit that has just happened as failed.
    pub(super) fn after_commit(&self) -> bool {
        #[cfg(test)]
        {
            self.fail_after_commit
                .swap(false, std::sync::atomic::Ordering::SeqCst)
        }
        #[cfg(not(test))]
        false
    }
}

/// A mistake of the shell to make on purpose, named by `CHINWAG_MUTANT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "mutants"),
    expect(
        dead_code,
        reason = "asked for everywhere, planted only under the feature"
    )
)]
pub(super) enum Mutant {
    /// The WAL is not synced when a transaction commits.
    SynchronousNormal,
    /// The reply goes out before the commit.
    AckBeforeCommit,
    /// Receivers are told before the commit; the reply waits for it (`commit.rs` has the other
    /// half).
    PublishBeforeCommit,
    /// Keys are looked up in memory only; the table has no unique index on them.
    DedupeInMemory,
}

/// The mistake that the environment asks for, read once when a store is opened.
#[cfg(feature = "mutants")]
pub(super) fn planted() -> Option<Mutant> {
    match std::env::var("CHINWAG_MUTANT").ok()?.as_str() {
        "synchronous-normal" => Some(Mutant::SynchronousNormal),
        "ack-before-commit" => Some(Mutant::AckBeforeCommit),
        "publish-before-commit" => Some(Mutant::PublishBeforeCommit),
        "dedupe-in-memory" => Some(Mutant::DedupeInMemory),
        // A misspelt mistake would make none, and its test would prove nothing.
        other => panic!("CHINWAG_MUTANT={other}: there is no such mistake"),
    }
}

/// The mistake that the environment asks for: none in this build.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub(super) fn planted() -> Option<Mutant> {
    None
}

/// A command as the unique index knows it.
#[cfg(feature = "mutants")]
type Name = (Key, UserId, RoomId);

/// The keys of this process, for [`Mutant::DedupeInMemory`].
#[cfg(feature = "mutants")]
#[derive(Debug, Default)]
pub(super) struct Remembered {
    keys: RefCell<HashMap<Name, (u64, Ack)>>,
}

#[cfg(feature = "mutants")]
impl Remembered {
    pub(super) fn get(&self, key: Key, from: UserId, room: RoomId) -> Option<(u64, Ack)> {
        self.keys.borrow().get(&(key, from, room)).copied()
    }

    pub(super) fn put(&self, key: Key, from: UserId, room: RoomId, known: (u64, Ack)) {
        self.keys.borrow_mut().insert((key, from, room), known);
    }
}
