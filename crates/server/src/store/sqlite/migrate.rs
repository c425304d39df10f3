//! Making a database, and taking an older one forward.
//!
//! Forward only, one transaction a step, a copy of the file first. A kill at any point leaves
//! either the old version or the new one, and the next start goes on from there.

use std::path::Path;

use chinwag_core::name;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, params};

use super::files;
use super::open::{APPLICATION_ID, prepare_to_write};
use super::refused::OpenError;

/// One step: what takes a database of the version before to this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// From 1, without gaps.
    pub(super) version: u32,
    /// Without BEGIN and COMMIT.
    pub(super) sql: &'static str,
}

/// All steps, in order. A step that has been in a release is never changed.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sql: include_str!("../migrations/0001_log.sql"),
    },
    Migration {
        version: 2,
        sql: include_str!("../migrations/0002_accounts.sql"),
    },
    Migration {
        version: 3,
        sql: include_str!("../migrations/0003_conversation.sql"),
    },
    Migration {
        version: 4,
        sql: include_str!("../migrations/0004_presence.sql"),
    },
    Migration {
        version: 5,
        sql: include_str!("../migrations/0005_receipts.sql"),
    },
    Migration {
        version: 6,
        sql: include_str!("../migrations/0006_people.sql"),
    },
    Migration {
        version: 7,
        sql: include_str!("../migrations/0007_rooms.sql"),
    },
    Migration {
        version: 8,
        sql: include_str!("../migrations/0008_names.sql"),
    },
    Migration {
        version: 9,
        sql: include_str!("../migrations/0009_profile.sql"),
    },
    Migration {
        version: 10,
        sql: include_str!("../migrations/0010_messages.sql"),
    },
    Migration {
        version: 11,
        sql: include_str!("../migrations/0011_erase.sql"),
    },
];

/// The version that `migrations` lead to.
pub(super) fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |last| last.version)
}

/// Makes a new database under another name and gives it its own when it is whole.
pub(super) fn create(dir: &Path, migrations: &[Migration]) -> Result<(), OpenError> {
    let unfinished = files::unfinished(dir);
    let file = files::database(dir);
    let failed = |reason| OpenError::sqlite(&file, "making the database", reason);
    let mut epoch = [0; 16];
    getrandom::fill(&mut epoch).map_err(|error| OpenError::Disk {
        file: file.clone(),
        doing: "drawing the epoch",
        reason: std::io::Error::other(error.to_string()),
    })?;
    let db = Connection::open(&unfinished).map_err(failed)?;
    lend_functions(&db).map_err(failed)?;
    fill(&db, &epoch, migrations).map_err(failed)?;
    db.close().map_err(|(_db, error)| failed(error))?;
    files::publish(&unfinished, &file).map_err(|reason| OpenError::Disk {
        file: file.clone(),
        doing: "making the database",
        reason,
    })
}

/// What migrations may ask of `core`: `name_look(text)`, NULL for what is no name.
fn lend_functions(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("name_look", 1, flags, |call| {
        let text = call.get::<Option<String>>(0)?.unwrap_or_default();
        Ok(name::name(&text).ok().map(|name| name.look().to_owned()))
    })
}

fn fill(db: &Connection, epoch: &[u8; 16], migrations: &[Migration]) -> rusqlite::Result<()> {
    // Settings that only an empty database takes.
    db.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE;"
    ))?;
    for migration in migrations {
        db.execute_batch(migration.sql)?;
    }
    db.execute(
        "INSERT INTO meta (key, value) VALUES ('epoch', ?1), ('position', 0)",
        params![&epoch[..]],
    )?;
    db.execute_batch(&format!(
        "PRAGMA user_version = {}; COMMIT;",
        newest(migrations)
    ))?;
    // Written into the header; the WAL of it is gone again when the connection is closed.
    db.query_row("PRAGMA journal_mode = WAL", [], |_row| Ok(()))
}

/// Takes the database from version `found` to the newest. `step` hears of each boundary at which
/// a kill would leave what is on the disk then.
pub(super) fn forward(
    dir: &Path,
    found: u32,
    migrations: &[Migration],
    step: &mut dyn FnMut(&'static str),
) -> Result<(), OpenError> {
    let file = files::database(dir);
    let failed = |reason| OpenError::sqlite(&file, "migrating the database", reason);
    let db =
        Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    prepare_to_write(&db).map_err(failed)?;
    lend_functions(&db).map_err(failed)?;
    step("opened");
    copy(dir, &db, found, step)?;
    for migration in migrations.iter().filter(|step| step.version > found) {
        tracing::info!(version = migration.version, "migrating the database");
        let sql = format!(
            "BEGIN IMMEDIATE; {}; PRAGMA user_version = {};",
            migration.sql.trim_end().trim_end_matches(';'),
            migration.version
        );
        db.execute_batch(&sql).map_err(failed)?;
        step("written, not committed");
        db.execute_batch("COMMIT").map_err(failed)?;
        step("committed");
    }
    Ok(())
}

/// Copies the database as it is, so that a migration can be taken back by hand.
fn copy(
    dir: &Path,
    db: &Connection,
    found: u32,
    step: &mut dyn FnMut(&'static str),
) -> Result<(), OpenError> {
    // Under another name until it is whole; an earlier one of the same version may be outdated.
    let unfinished = files::unfinished(dir);
    let copy = files::snapshot(dir, found);
    let failed = |reason| OpenError::Disk {
        file: copy.clone(),
        doing: "copying the database before its migration",
        reason,
    };
    files::remove(&unfinished).map_err(failed)?;
    db.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])
        .map_err(|reason| {
            OpenError::sqlite(&copy, "copying the database before its migration", reason)
        })?;
    step("copied, not named");
    files::publish(&unfinished, &copy).map_err(failed)?;
    step("copied");
    Ok(())
}
