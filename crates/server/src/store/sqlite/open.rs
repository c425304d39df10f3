//! Opening: who may have the directory, whether the file is ours and whole, and only then the
//! first write.
//!
//! A file that is refused is refused untouched: the checks read it without leaving anything
//! beside it. Lifetime: one start.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::faults::{Mutant, Seams};
use super::migrate::{self, Migration};
use super::refused::{OpenError, unchecked};
use super::writer::FREE_BYTES_MIN;
use super::{checkpoint, faults, files};

/// The oldest SQLite without the fault that can corrupt a WAL while it is reset.
const SQLITE_MIN: i32 = 3_051_003;
/// "Chin" in the database's header says whose file it is.
pub(super) const APPLICATION_ID: u32 = 0x4368_696e;
/// Up to this size the whole file is checked at start, in bytes; beyond, only its frame, so that
/// a large store starts in time. Bodies have checksums of their own.
const WHOLE_CHECK_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What the WAL is cut back to when it begins anew, in bytes.
const WAL_BYTES_KEPT: u64 = 64 * 1024 * 1024;
/// How long a transaction waits for another program that holds the database.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Statements kept prepared per connection.
const STATEMENTS_MAX: usize = 128;
/// Without SQLite's own lock around every call: a `Connection` belongs to one thread at a time, and
/// the compiler holds that.
const UNSHARED: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
/// Pages of SQLite's own cache per connection, in KiB.
const CACHE_KIB: u32 = 16 * 1024;

/// What a store is made of, before its threads begin.
pub(super) struct Opened {
    pub(super) lock: File,
    pub(super) writer: Connection,
}

/// Locks, checks, creates or migrates, and opens the writer's connection.
pub(super) fn open(
    dir: &Path,
    seams: &Seams,
    migrations: &[Migration],
) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(OpenError::OldLibrary(rusqlite::version()));
    }
    let lock = files::lock(dir)?;
    let file = files::database(dir);
    let unfinished = files::unfinished(dir);
    files::remove(&unfinished).map_err(|reason| OpenError::Disk {
        file: unfinished,
        doing: "removing what an earlier start left",
        reason,
    })?;
    if file.exists() {
        let found = check(dir, &file, migrations)?;
        if found < migrate::newest(migrations) {
            migrate::forward(dir, found, migrations, &mut |_step| {})?;
        }
    } else {
        room_to_begin(dir, seams)?;
        migrate::create(dir, migrations)?;
    }
    let writer = writer(&file)?;
    Ok(Opened { lock, writer })
}

fn room_to_begin(dir: &Path, seams: &Seams) -> Result<(), OpenError> {
    let wal = files::wal(dir);
    if wal.exists() {
        // SQLite would take it for the new database's own.
        return Err(OpenError::Orphan { wal });
    }
    let free_bytes = seams.free_bytes(dir).map_err(|reason| OpenError::Disk {
        file: dir.to_owned(),
        doing: "asking for the free space",
        reason,
    })?;
    if free_bytes < FREE_BYTES_MIN {
        return Err(OpenError::Full {
            dir: dir.to_owned(),
            free_bytes,
            needed_bytes: FREE_BYTES_MIN,
        });
    }
    Ok(())
}

/// Reads the file without changing it, and answers with its schema version.
fn check(dir: &Path, file: &Path, migrations: &[Migration]) -> Result<u32, OpenError> {
    let known = migrate::newest(migrations);
    let header = header(file)?;
    let (length, pages_bytes) = (header.file_bytes, header.pages_bytes);
    let newer = |found: u32| OpenError::Newer {
        file: file.to_owned(),
        found,
        known,
    };
    let damaged = |what: String| OpenError::Damaged {
        file: file.to_owned(),
        what,
    };
    if header.version > known {
        return Err(newer(header.version));
    }
    let has_wal = files::wal_bytes(dir) > 0;
    if !has_wal && length < pages_bytes {
        return Err(damaged(format!(
            "it should have {pages_bytes} bytes and has {length}"
        )));
    }
    let broken = |error: rusqlite::Error| unchecked(file, error);
    let db = untouched(file, has_wal).map_err(broken)?;
    // The header may be older than the WAL.
    let found: u32 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(broken)?;
    if found > known {
        return Err(newer(found));
    }
    if found == 0 {
        return Err(damaged("it has no schema version".into()));
    }
    if length <= WHOLE_CHECK_BYTES_MAX {
        let verdict: String = db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(broken)?;
        if verdict != "ok" {
            return Err(damaged(verdict));
        }
    }
    let life = "SELECT count(*) FROM meta WHERE (key = 'epoch' AND length(value) = 16) \
                OR (key = 'position' AND typeof(value) = 'integer')";
    let whole: i64 = db.query_row(life, [], |row| row.get(0)).map_err(broken)?;
    if whole != 2 {
        return Err(damaged("it has lost its epoch or its position".into()));
    }
    Ok(found)
}

struct Header {
    version: u32,
    file_bytes: u64,
    /// What the pages that it counts need.
    pages_bytes: u64,
}

/// Reads the header as the file format documents it, without SQLite.
fn header(file: &Path) -> Result<Header, OpenError> {
    let failed = |reason: io::Error| OpenError::Disk {
        file: file.to_owned(),
        doing: "reading the database",
        reason,
    };
    let not_a_database = || OpenError::NotADatabase {
        file: file.to_owned(),
    };
    let file_bytes = fs::metadata(file).map_err(failed)?.len();
    let mut head = [0; 100];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(not_a_database()),
        other => other.map_err(failed)?,
    }
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(not_a_database());
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let application_id = word(68);
    if application_id != APPLICATION_ID {
        return Err(OpenError::Foreign {
            file: file.to_owned(),
            application_id,
        });
    }
    // 1 stands for 65,536.
    let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    Ok(Header {
        version: word(60),
        file_bytes,
        pages_bytes: page_bytes * u64::from(word(28)),
    })
}

/// A connection that leaves no trace: nothing beside the file, no byte in it.
fn untouched(file: &Path, has_wal: bool) -> rusqlite::Result<Connection> {
    if !has_wal {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let uri = format!("file:{}?immutable=1", escaped(&file.to_string_lossy()));
        return Connection::open_with_flags(uri, flags);
    }
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Exclusive: the WAL's index is kept in memory instead of in a file.
    db.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;")?;
    Ok(db)
}

/// A path inside a URI: what would end it is written as a number.
fn escaped(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// What every connection needs.
pub(super) fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Plans do not look at bound values. If they may, each new value of a `LIMIT ?` makes SQLite
    // parse and plan the statement again, however often it has been prepared.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.busy_timeout(BUSY)?;
    db.execute_batch(&format!(
        "PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;"
    ))
}

/// What every connection needs that writes.
pub(super) fn prepare_to_write(db: &Connection) -> rusqlite::Result<()> {
    prepare(db)?;
    db.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0; \
         PRAGMA journal_size_limit = {WAL_BYTES_KEPT};"
    ))
}

fn writer(file: &Path) -> Result<Connection, OpenError> {
    let failed = |reason| OpenError::sqlite(file, "opening the database for writing", reason);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | UNSHARED;
    let db = Connection::open_with_flags(file, flags).map_err(failed)?;
    // SQLite is content with a file that it may only read, and fails at the first write.
    if db.is_readonly(MAIN_DB).map_err(failed)? {
        return Err(OpenError::Disk {
            file: file.to_owned(),
            doing: "opening the database for writing",
            reason: io::ErrorKind::PermissionDenied.into(),
        });
    }
    prepare_to_write(&db).map_err(failed)?;
    let mode: String = db
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::Damaged {
            file: file.to_owned(),
            what: format!("its journal mode is {mode}, not wal"),
        });
    }
    // What an earlier process wrote and could not sync may be in the kernel's memory and not on
    // the disk, and would be lost from under what is appended behind it. Moved into the database
    // and synced there, it no longer matters what the disk has of the WAL.
    checkpoint::truncate(&db).map_err(failed)?;
    match faults::planted() {
        Some(Mutant::SynchronousNormal) => db.execute_batch("PRAGMA synchronous = NORMAL"),
        Some(Mutant::DedupeInMemory) => db.execute_batch("DROP INDEX IF EXISTS events_key"),
        Some(Mutant::AckBeforeCommit | Mutant::PublishBeforeCommit) | None => Ok(()),
    }
    .map_err(failed)?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(dir: &Path) -> Result<Connection, OpenError> {
    let file = files::database(dir);
    let opened = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY | UNSHARED)
        .and_then(|db| prepare(&db).map(|()| db));
    opened.map_err(|reason| OpenError::sqlite(&file, "opening the database for reading", reason))
}

/// The connection of the checkpoint thread.
pub(super) fn checkpointer(dir: &Path) -> Result<Connection, OpenError> {
    let file = files::database(dir);
    let opened = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|db| prepare_to_write(&db).map(|()| db));
    opened
        .map_err(|reason| OpenError::sqlite(&file, "opening the database for checkpoints", reason))
}
