//! A small program that stores numbered rows in SQLite and acknowledges each over TCP: the server's promise
//! without the server. It proves that the machinery sees a broken promise, and that it blames nobody wrongly.
//!
//! Not here: judging the images (`tally.rs`). The program is the test binary itself, started again with
//! `CHINWAG_PROBE` set, and ends after its last row.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;

use super::record::{Record, RecordError};
use super::{Faults, record_into};

/// Rows the program stores, one transaction each.
pub(crate) const ROWS: u64 = 240;
/// So many rows, then a checkpoint runs beside the next ones.
const ROWS_PER_CHECKPOINT: u64 = 24;
/// Bytes of one acknowledgement: the row's number, little-endian.
const ACK_BYTES: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

/// How the program keeps its promise, or breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Commit with a sync, then acknowledge.
    Honest,
    /// `synchronous=NORMAL`: commits are not synced.
    Normal,
    /// `synchronous=OFF`: checkpoints are not synced either, so the file itself may break.
    Off,
    /// Acknowledge, then commit.
    AckFirst,
    /// Acknowledge from another thread while the commit is on its way.
    AckBeside,
}

impl Manner {
    const ALL: [(Self, &str); 5] = [
        (Self::Honest, "honest"),
        (Self::Normal, "normal"),
        (Self::Off, "off"),
        (Self::AckFirst, "ack-first"),
        (Self::AckBeside, "ack-beside"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(manner, _)| *manner == self)
            .expect("every manner has a name")
            .1
    }
}

/// What a row holds: long enough to fill pages, different for each number, so that a mixed-up page shows.
pub(crate) fn body(number: u64) -> Vec<u8> {
    let mut dice = super::dice::Dice::new(number);
    let bytes = 40 + dice.below(1800);
    (0..bytes).map(|_| dice.next() as u8).collect()
}

/// One recorded run of the program.
pub(crate) struct Run {
    pub(crate) directory: PathBuf,
    pub(crate) record: Record,
    pub(crate) status: ExitStatus,
    /// Row numbers as the peer received them.
    pub(crate) received: Vec<u64>,
    /// Where in the record each acknowledgement began to leave: (first cut behind it, row).
    pub(crate) acks: Vec<(usize, u64)>,
}

/// Runs the program in `work`, an empty directory, and waits for its end.
pub(crate) fn run(manner: Manner, work: &Path, faults: Faults) -> Result<Run, RecordError> {
    let directory = work.join("data");
    std::fs::create_dir(&directory)?;
    let record_file = work.join("record");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--exact", "probe_child", "--nocapture"])
        .env("CHINWAG_PROBE", manner.name())
        .env("CHINWAG_PROBE_DIR", &directory)
        .env("CHINWAG_PROBE_ADDRESS", listener.local_addr()?.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    record_into(&mut command, &directory, &record_file, faults);
    let mut child = command.spawn()?;
    let received = receive_all(listener, &mut child);
    let status = child.wait()?;
    let record = Record::read(&record_file)?;
    let streams = record.streams();
    let acks = streams
        .iter()
        .flat_map(|stream| {
            stream
                .bytes
                .chunks_exact(ACK_BYTES)
                .enumerate()
                .map(|(index, ack)| (stream.left_at((index + 1) * ACK_BYTES), number_in(ack)))
        })
        .collect();
    Ok(Run {
        directory,
        record,
        status,
        received,
        acks,
    })
}

fn number_in(ack: &[u8]) -> u64 {
    u64::from_le_bytes(ack.try_into().expect("an ack has eight bytes"))
}

/// Reads until the program hangs up; a program that never does is killed, and the test fails.
fn receive_all(listener: TcpListener, child: &mut Child) -> Vec<u64> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = listener
            .accept()
            .and_then(|(mut stream, _)| stream.read_to_end(&mut bytes));
        // The test may have lost patience and gone.
        drop(sender.send(read.map(|_| bytes)));
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(bytes) => bytes
            .expect("the program connects")
            .chunks_exact(ACK_BYTES)
            .map(number_in)
            .collect(),
        Err(error) => {
            child.kill().expect("the program is ours to kill");
            panic!("the program did not end in {PATIENCE:?}: {error}");
        }
    }
}

/// The program itself. Does nothing unless the environment says that this process is the program.
pub(crate) fn main_of_child() -> Result<(), Box<dyn std::error::Error>> {
    let Ok(name) = std::env::var("CHINWAG_PROBE") else {
        return Ok(());
    };
    let (manner, _) = *Manner::ALL
        .iter()
        .find(|(_, known)| *known == name)
        .ok_or("an unknown manner")?;
    let path = Path::new(&std::env::var("CHINWAG_PROBE_DIR")?).join("probe.db");
    let mut peer = TcpStream::connect(std::env::var("CHINWAG_PROBE_ADDRESS")?)?;
    let mut database = Connection::open(&path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "wal_autocheckpoint", 0)?;
    database.pragma_update(
        None,
        "synchronous",
        match manner {
            Manner::Normal => "normal",
            Manner::Off => "off",
            Manner::Honest | Manner::AckFirst | Manner::AckBeside => "full",
        },
    )?;
    database.execute_batch(
        "CREATE TABLE entries (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
         CREATE INDEX entries_by_body ON entries (substr(body, 1, 16))",
    )?;
    let (checkpoints, checkpoint_wanted) = mpsc::sync_channel::<&str>(1);
    let (acks, ack_wanted) = mpsc::sync_channel::<u64>(1);
    let mut second_peer = peer.try_clone()?;
    std::thread::scope(|scope| {
        let sync = database.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))?;
        let checkpointer =
            scope.spawn(move || checkpoint_on_demand(&path, sync, &checkpoint_wanted));
        let messenger = scope.spawn(move || -> std::io::Result<()> {
            ack_wanted
                .iter()
                .try_for_each(|number| second_peer.write_all(&number.to_le_bytes()))
        });
        for number in 1..=ROWS {
            let transaction = database.transaction()?;
            transaction.execute(
                "INSERT INTO entries VALUES (?1, ?2)",
                (number.cast_signed(), body(number)),
            )?;
            match manner {
                Manner::AckFirst => peer.write_all(&number.to_le_bytes())?,
                Manner::AckBeside => acks.send(number)?,
                Manner::Honest | Manner::Normal | Manner::Off => {}
            }
            transaction.commit()?;
            if !matches!(manner, Manner::AckFirst | Manner::AckBeside) {
                peer.write_all(&number.to_le_bytes())?;
            }
            if number % ROWS_PER_CHECKPOINT == 0 {
                let kinds = ["passive", "restart", "truncate"];
                checkpoints.send(kinds[(number / ROWS_PER_CHECKPOINT % 3) as usize])?;
            }
        }
        drop((checkpoints, acks));
        messenger.join().expect("the messenger does not panic")?;
        checkpointer
            .join()
            .expect("the checkpointer does not panic")?;
        Ok(())
    })
}

/// Runs checkpoints on a connection of its own until nobody wants another.
fn checkpoint_on_demand(
    path: &Path,
    sync: i64,
    wanted: &mpsc::Receiver<&str>,
) -> rusqlite::Result<()> {
    let database = Connection::open(path)?;
    database.pragma_update(None, "synchronous", sync)?;
    database.busy_timeout(Duration::from_millis(100))?;
    for kind in wanted {
        // The writer may be in the way ("busy" is an answer, not an error); the next checkpoint does more.
        database.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(()))?;
    }
    Ok(())
}
