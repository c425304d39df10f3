//! The program under the recorder: it stores numbered rows in SQLite and acknowledges each over TCP.
//!
//! It is the test binary itself, started again with `CHINWAG_PROBE` set by `probe.rs`, and ends after its last
//! row or with its first error. Not here: any judgement.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;

use super::probe::{Manner, ROWS, body};

/// So many rows, then a checkpoint runs beside the next ones.
const ROWS_PER_CHECKPOINT: u64 = 24;

/// Does nothing unless the environment says that this process is the program.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let Ok(name) = std::env::var("CHINWAG_PROBE") else {
        return Ok(());
    };
    let (manner, _) = *Manner::ALL
        .iter()
        .find(|(_, known)| *known == name)
        .ok_or("an unknown manner")?;
    let directory = PathBuf::from(std::env::var("CHINWAG_PROBE_DIR")?);
    let peer = TcpStream::connect(std::env::var("CHINWAG_PROBE_ADDRESS")?)?;
    let path = directory.join("probe.db");
    // Outlives the checkpointer's connection: the last one to close removes the log, a change of names that
    // judges count on. Were both to close at the same time, each might find the other there and leave it.
    let mut database = open(&path, manner)?;
    let (checkpoints, checkpoint_wanted) = mpsc::sync_channel::<&'static str>(1);
    let (acks, ack_wanted) = mpsc::sync_channel::<u64>(1);
    let mut second_peer = peer.try_clone()?;
    std::thread::scope(|scope| {
        let checkpointer =
            scope.spawn(move || checkpoint_on_demand(&path, manner, &checkpoint_wanted));
        let messenger = scope.spawn(move || -> std::io::Result<()> {
            ack_wanted
                .iter()
                .try_for_each(|number| second_peer.write_all(&number.to_le_bytes()))
        });
        let stored = store_rows(manner, &mut database, peer, checkpoints, acks);
        messenger.join().expect("the messenger does not panic")?;
        checkpointer
            .join()
            .expect("the checkpointer does not panic")?;
        stored
    })?;
    if manner == Manner::PastTheRecorder {
        use rustix::fs::{Mode, OFlags};
        let file = rustix::fs::open(
            directory.join("unseen"),
            OFlags::CREATE | OFlags::WRONLY,
            Mode::RUSR,
        )?;
        rustix::io::write(file, b"written by a bare system call")?;
    }
    Ok(())
}

fn open(path: &Path, manner: Manner) -> rusqlite::Result<Connection> {
    let database = Connection::open(path)?;
    database.busy_timeout(Duration::from_millis(100))?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "wal_autocheckpoint", 0)?;
    let synchronous = match manner {
        Manner::Normal => "normal",
        Manner::Off => "off",
        Manner::Honest | Manner::AckFirst | Manner::AckBeside | Manner::PastTheRecorder => "full",
    };
    database.pragma_update(None, "synchronous", synchronous)?;
    Ok(database)
}

/// Stores the rows that are missing and acknowledges each in the given manner.
fn store_rows(
    manner: Manner,
    database: &mut Connection,
    mut peer: TcpStream,
    checkpoints: mpsc::SyncSender<&'static str>,
    acks: mpsc::SyncSender<u64>,
) -> Result<(), Box<dyn Error>> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
         CREATE INDEX IF NOT EXISTS entries_by_body ON entries (substr(body, 1, 16))",
    )?;
    let last = database.query_row("SELECT coalesce(max(number), 0) FROM entries", [], |row| {
        row.get::<_, i64>(0)
    })?;
    for number in last.cast_unsigned() + 1..=ROWS {
        let ack = number.to_le_bytes();
        let transaction = database.transaction()?;
        transaction.execute(
            "INSERT INTO entries VALUES (?1, ?2)",
            (number.cast_signed(), body(number)),
        )?;
        match manner {
            Manner::AckFirst => {
                peer.write_all(&ack)?;
                transaction.commit()?;
            }
            Manner::AckBeside => {
                acks.send(number)?;
                transaction.commit()?;
            }
            Manner::Honest | Manner::Normal | Manner::Off | Manner::PastTheRecorder => {
                transaction.commit()?;
                peer.write_all(&ack)?;
            }
        }
        if number % ROWS_PER_CHECKPOINT == 0 {
            let kinds = ["passive", "restart", "truncate"];
            checkpoints.send(kinds[(number / ROWS_PER_CHECKPOINT % 3) as usize])?;
        }
    }
    Ok(())
}

/// Runs checkpoints on a connection of its own until nobody wants another.
fn checkpoint_on_demand(
    path: &Path,
    manner: Manner,
    wanted: &mpsc::Receiver<&'static str>,
) -> rusqlite::Result<()> {
    let database = open(path, manner)?;
    for kind in wanted {
        // The writer may be in the way ("busy" is an answer, not an error); the next checkpoint does more.
        database.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(()))?;
    }
    Ok(())
}
