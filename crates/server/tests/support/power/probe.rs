//! Runs a small program that keeps the server's promise, or breaks it, under the recorder.
//!
//! It proves that the machinery sees a broken promise, and that it blames nobody wrongly. Not here: what the
//! program does (`probe_program.rs`), and judging the images (the test). A run ends with the program.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::image::Baseline;
use super::record::{Record, RecordError, SentStream};
use super::{Faults, record_into};

/// Rows the program stores, one transaction each.
pub(crate) const ROWS: u64 = 240;
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
    /// Honest, but it also writes a file by bare system calls, which the recorder does not see.
    PastTheRecorder,
}

impl Manner {
    pub(super) const ALL: [(Self, &str); 6] = [
        (Self::Honest, "honest"),
        (Self::Normal, "normal"),
        (Self::Off, "off"),
        (Self::AckFirst, "ack-first"),
        (Self::AckBeside, "ack-beside"),
        (Self::PastTheRecorder, "past-the-recorder"),
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

/// A directory for the program and the record of all runs in it. Runs append to one record, since what an
/// earlier run left unsynced is no safer after a restart.
pub(crate) struct Stand {
    pub(crate) directory: PathBuf,
    /// What was in the directory before the record began.
    pub(crate) before: Baseline,
    record_file: PathBuf,
}

/// What is known after a run; the record and the acknowledgements are those of all runs so far.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    /// Row numbers as the peer received them, in this run.
    pub(crate) received: Vec<u64>,
    pub(crate) record: Record,
    /// Where in the record each acknowledgement began to leave: (first cut behind it, row).
    pub(crate) acks: Vec<(usize, u64)>,
}

impl Stand {
    /// Takes `work/data`, with what is in it, and begins a record.
    pub(crate) fn new(work: &Path) -> std::io::Result<Self> {
        let directory = work.join("data");
        std::fs::create_dir_all(&directory)?;
        let before = Baseline::of_directory(&directory)?;
        let (_, record_file) = tempfile::NamedTempFile::new_in(work)?.keep()?;
        Ok(Self {
            directory,
            before,
            record_file,
        })
    }

    /// Runs the program and waits for its end. It continues behind the last row it finds.
    pub(crate) fn run(&self, manner: Manner, faults: Faults) -> Result<Run, RecordError> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--exact", "probe_child", "--nocapture"])
            .env("CHINWAG_PROBE", manner.name())
            .env("CHINWAG_PROBE_DIR", &self.directory)
            .env("CHINWAG_PROBE_ADDRESS", listener.local_addr()?.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        record_into(&mut command, &self.directory, &self.record_file, faults);
        let mut child = command.spawn()?;
        let received = receive_all(listener, &mut child);
        let status = child.wait()?;
        let record = Record::read(&self.record_file)?;
        let streams = record.streams();
        let acks = streams.iter().flat_map(acks_in).collect();
        Ok(Run {
            status,
            received,
            record,
            acks,
        })
    }
}

/// The acknowledgements of one connection; the program opens no other.
fn acks_in(stream: &SentStream) -> impl Iterator<Item = (usize, u64)> {
    let acks = stream.bytes.chunks_exact(ACK_BYTES).enumerate();
    acks.map(|(index, ack)| (stream.left_at((index + 1) * ACK_BYTES), number_in(ack)))
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
