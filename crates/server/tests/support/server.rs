//! The real program as a child process: started, killed, told to stop; and its accounts over HTTP.
//!
//! Not here: WebSockets (`client.rs`). A `Server` that is dropped is killed, so that no test leaves one.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use chinwag_core::ids::UserId;
use rustix::process::Signal;

/// Between looks at a process that should end.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Longer than any answer of a healthy server on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every server of these tests is told: no test is about rates or the life of tokens.
const SETTINGS: &[&str] = &[
    "limits.rate_per_second=10000",
    "limits.rate_burst=10000",
    "auth.access_token_minutes=1440",
];

/// The command that serves `data` on a free port and appends its log to `log`.
pub(crate) fn command(data: &Path, log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chinwag"));
    let ours =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CHINWAG_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data);
    for setting in SETTINGS {
        command.args(["--set", setting]);
    }
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .expect("the log can be written");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    command
}

/// A server that is running, starting, or has just ended.
pub(crate) struct Server {
    child: Child,
    address: mpsc::Receiver<SocketAddr>,
}

impl Server {
    /// Starts a process and does not wait for it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let output = child.stdout.take().expect("its output is piped");
        let (found, address) = mpsc::sync_channel(1);
        // Ends with the process, whose output it reads to the end.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    // The test may have killed the process and gone on.
                    let _gone = found.try_send(address);
                }
            }
        });
        Self { child, address }
    }

    /// Where it listens, once it says so; none if it ends before.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address.recv_timeout(PATIENCE).ok()
    }

    /// Sends a signal that ends the process, and says how it ended.
    pub(crate) fn kill_by(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.ended(PATIENCE).expect("the signal ends it")
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        // It may have ended by itself, which is what is wanted.
        let _ended = rustix::process::kill_process(id, signal);
    }

    /// How it ended, if it does within `patience`.
    pub(crate) fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn end(&mut self) {
        // Both fail only if the process is gone and reaped already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The address in the line `Open     http://127.0.0.1:PORT  (this machine only)`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Open ")?;
    let url = rest.split_whitespace().next()?;
    url.strip_prefix("http://")?.parse().ok()
}

/// Somebody who may sign in.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user: UserId,
    pub(crate) token: String,
}

/// Makes an account; its token outlives every test.
pub(crate) fn register(address: SocketAddr, name: &str) -> Account {
    let body = format!(r#"{{"name":"{name}","password":"a long pass phrase","cookie":false}}"#);
    let answer = post(address, "/api/register", &body).expect("the server answers");
    let text = |value: &serde_json::Value| value.as_str().expect("a session has it").to_owned();
    let session: serde_json::Value = serde_json::from_str(&answer).expect("an answer is JSON");
    Account {
        user: text(&session["user"]["id"]).parse().expect("an id"),
        token: text(&session["access_token"]),
    }
}

/// The body of the answer to a request; one connection each.
fn post(address: SocketAddr, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let bytes = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {bytes}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    assert!(head.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    Ok(body.to_owned())
}
