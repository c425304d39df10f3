//! A program under test: started with a directory of its own, and stopped by its process id.
//!
//! It says on its first line where it listens, and ends on SIGTERM. Whatever happens to the run,
//! dropping one kills it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::processors::Split;

/// From its start to its address. A big program on one processor takes its time.
const START: Duration = Duration::from_secs(60);
/// From SIGTERM to its end; then it is killed, which loses nothing of a measurement.
const STOP: Duration = Duration::from_secs(10);
/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A running program.
pub(crate) struct Program {
    child: Child,
    directory: TempDir,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// A directory for one program, in `parent`.
///
/// # Errors
/// It cannot be made.
pub(crate) fn directory(parent: &Path) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("chinwag-bench-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot make a directory in {}", parent.display()))
}

impl Program {
    /// Starts `command` on the servers' side of `split`, and waits until it says where it
    /// listens, or, if `known` says so beforehand, until somebody listens there.
    ///
    /// # Errors
    /// It does not start; what it said is part of the error.
    pub(crate) fn start(
        mut command: Command,
        directory: TempDir,
        split: Option<Split>,
        known: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let complaints = std::fs::File::create(directory.path().join("complaints.log"))?;
        let output = match known {
            // Says nothing that we wait for, but may complain there.
            Some(_) => complaints.try_clone()?.into(),
            None => Stdio::piped(),
        };
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(complaints);
        let mut spawn = || {
            let child = command.spawn();
            child.with_context(|| format!("cannot start {name}"))
        };
        let mut child = match split {
            Some(split) => split.start_theirs(&mut spawn)?,
            None => spawn()?,
        };
        let output = child.stdout.take();
        let mut program = Self {
            child,
            directory,
            // Known once it has said so.
            address: known.unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
        };
        let found = match (known, output) {
            (Some(address), _) => program.answers(address).then_some(address),
            (None, Some(output)) => listening(output).recv_timeout(START).ok(),
            (None, None) => None,
        };
        program.address = found.with_context(|| {
            let said = std::fs::read_to_string(program.directory.path().join("complaints.log"));
            format!("{name} did not start: {}", said.unwrap_or_default())
        })?;
        Ok(program)
    }

    /// Waits until somebody listens there.
    fn answers(&mut self, address: SocketAddr) -> bool {
        let give_up = Instant::now() + START;
        while Instant::now() < give_up && matches!(self.child.try_wait(), Ok(None)) {
            if std::net::TcpStream::connect(address).is_ok() {
                return true;
            }
            thread::sleep(LOOK);
        }
        false
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits for that; one that does not hear is killed.
    ///
    /// # Errors
    /// The system does not let us.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_none() {
            let id = Pid::from_raw(i32::try_from(self.child.id())?).context("no process")?;
            kill_process(id, Signal::TERM)?;
        }
        let give_up = Instant::now() + STOP;
        while Instant::now() < give_up && self.child.try_wait()?.is_none() {
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Fails if it has ended by itself, with what it said.
    ///
    /// # Errors
    /// It has.
    pub(crate) fn is_alive(&mut self) -> anyhow::Result<()> {
        let ended = self.child.try_wait()?;
        let said = std::fs::read_to_string(self.directory.path().join("complaints.log"));
        ensure!(
            ended.is_none(),
            "a program under test ended: {}",
            said.unwrap_or_default()
        );
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the run has failed or it did not hear.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Reads what the program says to its end, so that it never waits for a full pipe; the first
/// address in it is told.
fn listening(output: ChildStdout) -> std::sync::mpsc::Receiver<SocketAddr> {
    let (tell, told) = sync_channel(1);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut words = line.split_whitespace();
            let url = words.find_map(|word| word.strip_prefix("http://"));
            if let Some(address) = url.and_then(|url| url.parse().ok()) {
                // Told already, or nobody waits any more.
                let _known = tell.try_send(address);
            }
        }
    });
    told
}
