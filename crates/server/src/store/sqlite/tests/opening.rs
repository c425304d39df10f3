//! Opening: what is refused, what is made, what is migrated, and kills in between.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use chinwag_core::batch::Outcome;
use chinwag_core::ids::Seq;
use rusqlite::Connection;

use super::{directory, filled, one, send};
use crate::store::sqlite::faults::Seams;
use crate::store::sqlite::migrate::{self, MIGRATIONS, Migration};
use crate::store::sqlite::{OpenError, SqliteStore, files};

/// All files of a directory, byte for byte.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).expect("a directory");
    files
        .map(|file| file.expect("a file"))
        .map(|file| {
            let bytes = fs::read(file.path()).expect("its bytes");
            (file.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// Opening is refused with words that contain `words`, and changes no byte.
fn check_refused(dir: &Path, words: &str) {
    // The lock file is ours whatever the rest is.
    fs::write(dir.join("lock"), b"").expect("written");
    let before = contents(dir);
    let Err(error) = SqliteStore::open(dir) else {
        panic!("opened, should say {words:?}");
    };
    let said = error.to_string();
    assert!(said.contains(words), "{said:?} does not say {words:?}");
    let place = dir.to_string_lossy();
    assert!(said.contains(&*place), "{said:?} does not name {place:?}");
    assert!(contents(dir) == before, "{words}: something was changed");
}

fn raw(dir: &Path) -> Connection {
    Connection::open(files::database(dir)).expect("a database")
}

#[tokio::test]
async fn what_is_not_ours_or_not_whole_is_refused_untouched() {
    let dir = directory();
    drop(filled(dir.path(), Seams::default(), &["text"; 60]).await);
    let good = fs::read(files::database(dir.path())).expect("the file");
    let cases: [(&str, Vec<u8>); 6] = [
        ("is not an SQLite database", Vec::new()),
        ("is not an SQLite database", b"hello ".repeat(50)),
        ("belongs to another program", patched(&good, 68, 7)),
        ("has schema version", patched(&good, 60, 77)),
        ("it should have", good[..good.len() - 5_000].to_vec()),
        ("is damaged", zeroed(&good, 4_096..20_480)),
    ];
    for (words, bytes) in cases {
        let dir = directory();
        fs::write(files::database(dir.path()), bytes).expect("written");
        check_refused(dir.path(), words);
    }
    // A WAL alone would be taken for a new database's own.
    let dir = directory();
    fs::write(files::wal(dir.path()), b"frames").expect("written");
    check_refused(dir.path(), "is there without its database");
}

fn patched(good: &[u8], at: usize, to: u32) -> Vec<u8> {
    let mut bytes = good.to_vec();
    bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
    bytes
}

fn zeroed(good: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = good.to_vec();
    bytes[range].fill(0);
    bytes
}

#[tokio::test]
async fn a_newer_version_that_only_the_wal_knows_is_refused_untouched() {
    let dir = directory();
    drop(filled(dir.path(), Seams::default(), &["text"]).await);
    let db = raw(dir.path());
    db.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 77")
        .expect("written");
    let copy = directory();
    for name in [files::database(dir.path()), files::wal(dir.path())] {
        let to = copy.path().join(name.file_name().expect("a name"));
        fs::copy(name, to).expect("copied");
    }
    check_refused(copy.path(), "has schema version 77");
}

/// It used to be called damaged, with the advice to restore a backup: somebody only had an SQLite
/// shell open on what a killed server had left.
#[tokio::test]
async fn a_database_that_another_program_holds_is_not_called_damaged() {
    for holding in [
        // Nothing beside the file when the check begins.
        "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE",
        // A WAL that a kill left, and a program that only reads.
        "PRAGMA wal_autocheckpoint = 0; UPDATE rooms SET name = 'x'; \
         BEGIN; SELECT count(*) FROM rooms",
    ] {
        let dir = directory();
        drop(filled(dir.path(), Seams::default(), &["text"]).await);
        let other = raw(dir.path());
        other.execute_batch(holding).expect("held");
        check_refused(dir.path(), "is held by another program");
        drop(other);
        SqliteStore::open(dir.path()).expect("free again");
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let file = || Path::new("/srv/chat/chinwag.db").to_owned();
    let error = |errno: rustix::io::Errno| io::Error::from_raw_os_error(errno.raw_os_error());
    let disk = |errno| OpenError::Disk {
        file: file(),
        doing: "reading the database",
        reason: error(errno),
    };
    for (refused, remedy) in [
        (disk(rustix::io::Errno::NOSPC), "Make room"),
        (
            disk(rustix::io::Errno::ROFS),
            "Mount the file system writable",
        ),
        (
            disk(rustix::io::Errno::ACCESS),
            "readable and writable for this user",
        ),
        (OpenError::Held { file: file() }, "close that one"),
        (OpenError::Locked { dir: file() }, "stop that one"),
        (OpenError::NotADatabase { file: file() }, "move it away"),
    ] {
        // With all its causes, as the command line prints it: each is told once.
        let said = format!("{:#}", anyhow::Error::new(refused));
        assert_eq!(
            said.matches("(os error").count(),
            usize::from(said.contains("os error"))
        );
        for expected in ["/srv/chat/chinwag.db", remedy, "--data DIR"] {
            assert!(said.contains(expected), "{expected} in {said}");
        }
    }
}

#[tokio::test]
async fn one_process_at_a_time() {
    let dir = directory();
    let store = SqliteStore::open(dir.path()).expect("a new store");
    let Err(error) = SqliteStore::open(dir.path()) else {
        panic!("opened twice");
    };
    let said = error.to_string();
    assert!(
        said.contains("in use by another process") && said.contains(&*dir.path().to_string_lossy())
    );
    drop(store);
    SqliteStore::open(dir.path()).expect("free again");
    let files: Vec<_> = contents(dir.path()).into_keys().collect();
    assert_eq!(
        files,
        ["chinwag.db", "lock"],
        "an orderly end leaves nothing else"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_an_error_that_names_it() {
    let dir = directory();
    let file = dir.path().join("file");
    fs::write(&file, b"").expect("written");
    let Err(error) = SqliteStore::open(&file.join("data")) else {
        panic!("opened below a file");
    };
    assert!(
        error.to_string().contains("file/data cannot be used"),
        "{error}"
    );
}

/// The version that a release knows.
const KNOWN: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// The real steps and one that only this test knows.
const ONE_MORE: &[Migration] = &[
    MIGRATIONS[0],
    MIGRATIONS[1],
    MIGRATIONS[2],
    MIGRATIONS[3],
    Migration {
        version: KNOWN + 1,
        sql: "ALTER TABLE rooms ADD COLUMN later TEXT; UPDATE rooms SET later = name",
    },
];

#[tokio::test]
async fn a_migration_survives_a_kill_at_every_step() {
    let dir = directory();
    drop(filled(dir.path(), Seams::default(), &["text"; 9]).await);
    let copies = directory();
    let mut steps = Vec::new();
    let mut kill_here = |step: &'static str| {
        // What lies on the disk now is what a killed process leaves.
        let to = copies.path().join(steps.len().to_string());
        fs::create_dir(&to).expect("a directory");
        for (name, bytes) in contents(dir.path()) {
            fs::write(to.join(name), bytes).expect("written");
        }
        steps.push(step);
    };
    migrate::forward(dir.path(), KNOWN, ONE_MORE, &mut kill_here).expect("migrated");
    let expected = [
        "opened",
        "copied, not named",
        "copied",
        "written, not committed",
        "committed",
    ];
    assert_eq!(steps, expected);
    for (number, step) in steps.iter().enumerate() {
        let dir = copies.path().join(number.to_string());
        let store = SqliteStore::open_with(&dir, Arc::default(), ONE_MORE).expect(step);
        let later = "SELECT later FROM rooms";
        let later = store
            .read_with(move |db| db.query_row(later, [], |row| row.get(0)))
            .await;
        assert_eq!(later, Ok("tea".to_owned()), "{step}");
        let again = one(&store, send(2, "text")).await;
        assert!(
            matches!(again, Ok(Outcome::Replayed(ack)) if ack.seq == Seq(2)),
            "{step}"
        );
        drop(store);
        // The copy is a whole database of the version before.
        let copy = directory();
        fs::copy(files::snapshot(&dir, KNOWN), files::database(copy.path())).expect("copied");
        let version: u32 = raw(copy.path())
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .expect("read");
        assert_eq!(version, KNOWN, "{step}");
        let newer = format!(
            "has schema version {}, this release knows {KNOWN}",
            KNOWN + 1
        );
        check_refused(&dir, &newer);
    }
}

#[tokio::test]
async fn names_that_were_there_before_looks_were_unique_stay() {
    let dir = directory();
    drop(SqliteStore::open_with(dir.path(), Arc::default(), &MIGRATIONS[..7]).expect("older"));
    let db = raw(dir.path());
    for (id, name) in [(1_u8, "ann"), (2, "\u{430}nn"), (3, "Tom")] {
        let values = ([id; 16], name);
        db.execute(
            "INSERT INTO users (public, kind, name, name_key, profile_version, created, changed)
             VALUES (?1, 'user', ?2, ?2, 1, 0, 0)",
            values,
        )
        .expect("written");
    }
    drop(db);
    drop(SqliteStore::open(dir.path()).expect("migrated"));
    let db = raw(dir.path());
    let mut looks = db
        .prepare("SELECT name_look FROM users ORDER BY public")
        .expect("read");
    let looks = looks.query_map([], |row| row.get(0)).expect("read");
    let looks: Vec<Option<String>> = looks.map(|look| look.expect("read")).collect();
    assert_eq!(
        looks,
        [Some("ann".to_owned()), None, Some("torn".to_owned())]
    );
}

#[tokio::test]
async fn what_an_interrupted_first_start_left_is_begun_anew() {
    let dir = directory();
    fs::write(files::unfinished(dir.path()), b"half").expect("written");
    fs::write(dir.path().join("chinwag.db.new-wal"), b"half").expect("written");
    drop(SqliteStore::open(dir.path()).expect("a new store"));
    let files: Vec<_> = contents(dir.path()).into_keys().collect();
    assert_eq!(files, ["chinwag.db", "lock"]);
}
