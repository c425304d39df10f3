//! The server under load: the release binary, started on loopback as anybody would start it.
//!
//! It is built beforehand, lies beside this program, has a data directory of its own, and is
//! stopped with SIGTERM. Its lifetime is the run's.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::issuer::{self, AUDIENCE, ISSUER};

/// From its start to its address.
const START: Duration = Duration::from_secs(20);
/// From SIGTERM to its end; contract 8 promises ten seconds.
const STOP: Duration = Duration::from_secs(20);
/// Where its socket is.
pub(crate) const PATH: &str = "/ws";

/// A server that we have started. Dropped before [`Server::stop`], it is killed.
pub(crate) struct Server {
    child: Child,
    /// Kept open: a closed pipe is nothing that a server should have to bear while measured.
    _output: BufReader<ChildStdout>,
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
    /// Starts `program` with room for `connections`, its data in a new directory in `parent`.
    ///
    /// # Errors
    /// It does not start; what it said is part of the error.
    pub(crate) async fn start(
        program: &Path,
        parent: &Path,
        connections: usize,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("chinwag-bench-")
            .tempdir_in(parent)
            .with_context(|| format!("cannot make a directory in {}", parent.display()))?;
        issuer::write_secret(&secret_file(directory.path()))?;
        let arguments = arguments(directory.path(), connections);
        let complaints = std::fs::File::create(complaints(directory.path()))?;
        let mut child = Command::new(program)
            .args(&arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        let found = timeout(START, address(&mut output)).await;
        let Ok(Some(address)) = found else {
            let said = std::fs::read_to_string(complaints_of(&directory));
            bail!("the server did not start: {}", said.unwrap_or_default());
        };
        Ok(Self {
            child,
            _output: output,
            command: shown(program, &arguments),
            directory,
            address,
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
    pub(crate) fn process(&self) -> Option<String> {
        self.child.id().map(|id| id.to_string())
    }

    /// Stops it as a service manager would, and removes its data.
    ///
    /// # Errors
    /// It does not end in time, or not with success.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the server has ended early")?;
        let id = rustix::process::Pid::from_raw(i32::try_from(id)?).context("no process")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let status = timeout(STOP, self.child.wait())
            .await
            .context("the server does not stop")??;
        let said = std::fs::read_to_string(complaints_of(&self.directory)).unwrap_or_default();
        ensure!(status.success(), "the server ended with {status}: {said}");
        Ok(())
    }
}

fn secret_file(directory: &Path) -> PathBuf {
    directory.join("issuer.secret")
}

fn complaints(directory: &Path) -> PathBuf {
    directory.join("server.log")
}

fn complaints_of(directory: &TempDir) -> PathBuf {
    complaints(directory.path())
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

/// Reads the greeting up to the address.
async fn address(output: &mut BufReader<ChildStdout>) -> Option<SocketAddr> {
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let url = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://"));
        if let Some(url) = url {
            return url.parse().ok();
        }
    }
}
