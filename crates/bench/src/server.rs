//! The server under load: the release binary, started on loopback as anybody would start it.
//!
//! It is built beforehand, lies beside this program, has a data directory of its own, and is
//! stopped with SIGTERM. Its lifetime is the run's.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::issuer::{self, AUDIENCE, ISSUER};
use crate::processors::Split;

/// From its start to its address.
const START: Duration = Duration::from_secs(20);
/// From SIGTERM to its end; contract 8 promises ten seconds.
const STOP: Duration = Duration::from_secs(20);
/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Where its socket is.
pub(crate) const PATH: &str = "/ws";

/// A server that we have started. Dropped before [`Server::stop`], it is killed.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    arguments: Vec<OsString>,
    split: Option<Split>,
    directory: TempDir,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How it was started.
    pub(crate) command: String,
}

/// The `chinwag` that was built beside this program.
///
/// # Errors
/// There is none.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("chinwag");
    ensure!(
        program.exists(),
        "there is no server at {}: build it with `cargo build --release`",
        program.display()
    );
    Ok(program)
}

impl Server {
    /// Starts `program` with room for `connections`, its data in a new directory in `parent`, on
    /// its side of `split`.
    ///
    /// # Errors
    /// It does not start; what it said is part of the error.
    pub(crate) fn start(
        program: &Path,
        parent: &Path,
        connections: usize,
        split: Option<Split>,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("chinwag-bench-")
            .tempdir_in(parent)
            .with_context(|| format!("cannot make a directory in {}", parent.display()))?;
        issuer::write_secret(&secret_file(directory.path()))?;
        let arguments = arguments(directory.path(), connections);
        let mut server = Self {
            child: spawn(program, directory.path(), &arguments, split)?,
            command: shown(program, &arguments),
            program: program.to_owned(),
            arguments,
            split,
            directory,
            // Known once it has said so.
            address: ([0, 0, 0, 0], 0).into(),
        };
        server.address = server.listening()?;
        Ok(server)
    }

    /// Stops it, and starts it again on the same data; on another port.
    ///
    /// # Errors
    /// As [`Self::start`] and [`Self::stop`].
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.end()?;
        let directory = self.directory.path();
        self.child = spawn(&self.program, directory, &self.arguments, self.split)?;
        self.address = self.listening()?;
        Ok(())
    }

    /// Waits until it says where it listens.
    fn listening(&mut self) -> anyhow::Result<SocketAddr> {
        let output = self.child.stdout.take().context("no standard output")?;
        let (tell, told) = sync_channel(1);
        // Reads to the end of the server: a full pipe is nothing that it should have to bear
        // while it is measured.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address(&line) {
                    // Told already, or nobody waits any more.
                    let _known = tell.try_send(address);
                }
            }
        });
        told.recv_timeout(START).map_err(|_error| {
            let said = std::fs::read_to_string(complaints(self.directory.path()));
            anyhow::anyhow!("the server did not start: {}", said.unwrap_or_default())
        })
    }

    /// The secret of the issuer that it knows.
    pub(crate) fn secret_file(&self) -> PathBuf {
        secret_file(self.directory.path())
    }

    /// The directory that holds its data, for what wants to be measured on the same disk.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it complained about so far.
    pub(crate) fn complaints(&self) -> String {
        // Nothing to read is nothing to tell.
        std::fs::read_to_string(complaints(self.directory.path())).unwrap_or_default()
    }

    /// Stops it as a service manager would, and removes its data.
    ///
    /// # Errors
    /// It does not end in time, or not with success.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_none() {
            let id = i32::try_from(self.child.id())?;
            let id = rustix::process::Pid::from_raw(id).context("no process")?;
            rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        }
        let give_up = Instant::now() + STOP;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(Instant::now() < give_up, "the server does not stop");
            thread::sleep(LOOK);
        };
        ensure!(
            status.success(),
            "the server ended with {status}: {}",
            self.complaints()
        );
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the run has failed: then there is nobody to tell.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn spawn(
    program: &Path,
    directory: &Path,
    arguments: &[OsString],
    split: Option<Split>,
) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(complaints(directory))?);
    let mut spawn = || {
        let child = command.spawn();
        child.with_context(|| format!("cannot start {}", program.display()))
    };
    match split {
        Some(split) => split.start_theirs(spawn),
        None => spawn(),
    }
}

fn secret_file(directory: &Path) -> PathBuf {
    directory.join("issuer.secret")
}

fn complaints(directory: &Path) -> PathBuf {
    directory.join("server.log")
}

fn arguments(directory: &Path, connections: usize) -> Vec<OsString> {
    let secret = secret_file(directory);
    let data = directory.join("data");
    let issuers = format!(
        "auth.issuers=[{{ issuer = \"{ISSUER}\", audience = \"{AUDIENCE}\", secret_file = {:?}, \
         algorithms = [\"HS256\"] }}]",
        secret.display().to_string()
    );
    let connections = connections + 100;
    let mut arguments: Vec<OsString> = vec!["serve".into(), "--data".into(), data.into()];
    arguments.extend(["--listen", "127.0.0.1:0", "--log-level", "warn"].map(OsString::from));
    for setting in [
        "limits.rate_per_second=10000".to_owned(),
        "limits.rate_burst=10000".to_owned(),
        format!("limits.connections_per_address={connections}"),
        format!("limits.unauthenticated_connections={connections}"),
        issuers,
    ] {
        arguments.extend(["--set".into(), setting.into()]);
    }
    arguments
}

/// A command as it can be typed.
fn shown(program: &Path, arguments: &[OsString]) -> String {
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(arguments.iter().map(|argument| {
        let text = argument.to_string_lossy();
        if text.contains([' ', '"', '[']) {
            format!("'{text}'")
        } else {
            text.into_owned()
        }
    }));
    words.join(" ")
}

/// The address in a line of the greeting.
fn address(line: &str) -> Option<SocketAddr> {
    let mut words = line.split_whitespace();
    let url = words.find_map(|word| word.strip_prefix("http://"))?;
    url.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_says_where() {
        let expected = Some("127.0.0.1:8080".parse().unwrap());
        for line in [
            "chinwag 0.1 http://127.0.0.1:8080",
            "  http://127.0.0.1:8080/ open",
        ] {
            assert_eq!(address(line), expected);
        }
        assert_eq!(address("no address http://example.org/#setup=1"), None);
    }
}
