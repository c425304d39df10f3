//! Why a store is not opened: in words that say what, where, and what to do.
//!
//! What is looked for is the matter of `open`. Damage is what was found in a file; that a file
//! cannot be had, or that another program holds it, is told apart, because a person has to do
//! something else about it. Lifetime: one refused start.

use std::io;
use std::path::{Path, PathBuf};

use super::files;

/// Why a store was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the data directory {} is in use by another process: stop that one, or choose another \
         directory with --data DIR", dir.display()
    )]
    Locked {
        /// Which.
        dir: PathBuf,
    },
    /// It cannot be made, entered or locked.
    #[error(
        "the data directory {} cannot be used: {reason}. {}", dir.display(), advice(reason)
    )]
    Directory {
        /// Which.
        dir: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file is something else.
    #[error(
        "{} is not an SQLite database: move it away, or choose another directory with --data DIR",
        file.display()
    )]
    NotADatabase {
        /// Which.
        file: PathBuf,
    },
    /// The file is another program's.
    #[error(
        "{} belongs to another program (application id {application_id:#010x}): choose another \
         directory with --data DIR", file.display()
    )]
    Foreign {
        /// Which.
        file: PathBuf,
        /// Whose.
        application_id: u32,
    },
    /// The file was written by a later release.
    #[error(
        "{} has schema version {found}, this release knows {known}: start the newer release \
         again, or restore a backup made before the upgrade; --data DIR chooses another directory",
        file.display()
    )]
    Newer {
        /// Which.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that this code knows.
        known: u32,
    },
    /// The file is ours and broken.
    #[error(
        "{} is damaged: {what}. Keep a copy of the whole directory, then restore a backup; \
         --data DIR chooses another directory", file.display()
    )]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// A WAL lies there without its database.
    #[error(
        "{} is there without its database {}: put the database back beside it, or move the file \
         away", wal.display(), files::DATABASE
    )]
    Orphan {
        /// The WAL.
        wal: PathBuf,
    },
    /// There is no room to begin.
    #[error(
        "the disk of {} has {free_bytes} bytes free, {needed_bytes} are needed: make room, or \
         choose another directory with --data DIR", dir.display()
    )]
    Full {
        /// Where.
        dir: PathBuf,
        /// How much there is.
        free_bytes: u64,
        /// How much there must be.
        needed_bytes: u64,
    },
    /// A file operation failed.
    #[error("{doing} failed for {}: {reason}. {}", file.display(), advice(reason))]
    Disk {
        /// Which file.
        file: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        reason: io::Error,
    },
    /// Another program, which does not know our lock, has the database open for writing.
    #[error(
        "{} is held by another program, such as an SQLite shell or a backup: close that one and \
         start again, or choose another directory with --data DIR", file.display()
    )]
    Held {
        /// Which.
        file: PathBuf,
    },
    /// A database operation failed.
    #[error(
        "{doing} failed for {}: {reason}. Look at the disk and at who may read and write the \
         file, or choose another directory with --data DIR", file.display()
    )]
    Sqlite {
        /// Which file.
        file: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What SQLite says.
        reason: rusqlite::Error,
    },
    /// The program was built with an SQLite that must not be used.
    #[error("this build has SQLite {0}, which can corrupt its WAL: 3.51.3 or newer is needed")]
    OldLibrary(&'static str),
}

/// What to do about a file that the system does not give.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Make room, or choose another directory with --data DIR"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "Mount the file system writable, or choose another directory with --data DIR"
        }
        _ => {
            "Make it readable and writable for this user, or choose another directory with \
             --data DIR"
        }
    }
}

impl OpenError {
    /// What SQLite says about `file`, told apart by what a person has to do.
    pub(super) fn sqlite(file: &Path, doing: &'static str, reason: rusqlite::Error) -> Self {
        let file = file.to_owned();
        if is_held(&reason) {
            Self::Held { file }
        } else {
            Self::Sqlite {
                file,
                doing,
                reason,
            }
        }
    }
}

/// Whether an error says that another program has the database.
fn is_held(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(Code::DatabaseBusy | Code::DatabaseLocked)
    )
}

/// What a person has to do about a file that could not be checked: damage is what SQLite finds in
/// it, not that it cannot be had.
pub(super) fn unchecked(file: &Path, error: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(
            Code::DatabaseBusy
            | Code::DatabaseLocked
            | Code::CannotOpen
            | Code::PermissionDenied
            | Code::ReadOnly
            | Code::DiskFull
            | Code::OutOfMemory
            | Code::SystemIoFailure,
        ) => OpenError::sqlite(file, "checking the database", error),
        _ => OpenError::Damaged {
            file: file.to_owned(),
            what: error.to_string(),
        },
    }
}
