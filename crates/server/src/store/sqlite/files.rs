//! The data directory: which files there are, and the lock that keeps a second process out.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::refused::OpenError;

/// The database. Its WAL and the WAL's index lie beside it while it is open.
pub(super) const DATABASE: &str = "chinwag.db";
/// A database being made; takes its name when it is whole.
const UNFINISHED: &str = "chinwag.db.new";
/// Empty; locked while a process has the directory.
const LOCK: &str = "lock";

pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

pub(super) fn wal(dir: &Path) -> PathBuf {
    dir.join(format!("{DATABASE}-wal"))
}

pub(super) fn unfinished(dir: &Path) -> PathBuf {
    dir.join(UNFINISHED)
}

/// The copy of the database as it was before the migration away from `version`.
pub(super) fn snapshot(dir: &Path, version: u32) -> PathBuf {
    dir.join(format!("chinwag.v{version}.db"))
}

/// The WAL's length; 0 if there is none.
pub(super) fn wal_bytes(dir: &Path) -> u64 {
    fs::metadata(wal(dir)).map_or(0, |file| file.len())
}

/// Makes the directory if need be and takes its lock, for as long as the file is open.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    let failed = |reason: io::Error| OpenError::Directory {
        dir: dir.to_owned(),
        reason,
    };
    if !dir.exists() {
        fs::create_dir_all(dir).map_err(failed)?;
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new("."))).map_err(failed)?;
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(dir.join(LOCK))
        .map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(OpenError::Locked {
            dir: dir.to_owned(),
        }),
        Err(error) => Err(failed(error.into())),
    }
}

/// Removes `file` with what SQLite may have put beside it.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _removed_or_absent => {}
        }
    }
    Ok(())
}

/// Gives a finished file its name, so that after a power cut it is there whole or not at all.
pub(super) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    sync(from)?;
    fs::rename(from, to)?;
    sync(to.parent().unwrap_or(Path::new(".")))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
