//! What only a process shows: signals, exit codes, the one line on a data directory that cannot be
//! used, and file handles that run out.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{self, BOUND, Client, ISSUER, Person, bounded};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chinwag");

/// Completes `command`, which begins with the program or ends in it, so that it serves `data`.
pub(crate) fn serve(command: &mut Command, data: &Path) {
    let issuer = format!(
        "auth.issuers=[{{ issuer = \"{ISSUER}\", audience = \"chinwag\", secret_file = \"{}\", \
         algorithms = [\"HS256\"] }}]",
        data.with_file_name("issuer.secret").display()
    );
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHINWAG_") {
            command.env_remove(name);
        }
    }
    command.arg("serve").arg("--data").arg(data).args([
        "--listen",
        "127.0.0.1:0",
        "--set",
        &issuer,
    ]);
}

/// The one line in which a program that did not start says why.
fn complaint(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "one clear line: {said}");
    errors[0].to_owned()
}

/// The program on `data`, which it is expected to refuse: one line that says what and where.
#[track_caller]
fn check_refused(data: &Path, expected: &[&str]) {
    let mut command = Command::new(PROGRAM);
    serve(&mut command, data);
    let output: Output = command.output().unwrap();
    let complaint = complaint(output);
    for expected in expected.iter().copied().chain([data.to_str().unwrap()]) {
        assert!(complaint.contains(expected), "{expected} in {complaint}");
    }
    assert!(!complaint.contains("panicked"), "{complaint}");
}

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_telling(command, Stdio::null())
    }

    /// The same, with its complaints and log to `told`.
    pub(crate) fn start_telling(command: &mut Command, told: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(told).spawn().unwrap();
        let mut address = None;
        for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
            if let Some((_, rest)) = line.unwrap().split_once("http://") {
                let text = rest.split(['/', ' ']).next().unwrap();
                address = Some(text.parse().unwrap());
                break;
            }
        }
        let address = address.expect("it says where it serves");
        Self { child, address }
    }

    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// The exit code, within `limit`.
    pub(crate) fn exit(&mut self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < limit, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    // Writes the secret of our issuer.
    support::config(place.path());
    place
}

pub(crate) async fn enter(address: SocketAddr, person: &Person) -> Client {
    let mut client = Client::open(address, None).await;
    client.hello(&person.token, json!({})).await;
    client.until("caught_up").await;
    client
}

#[tokio::test]
async fn sigterm_flushes_closes_with_1012_and_exits_with_0() {
    let place = place();
    let data = place.path().join("data");
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &data);
    let mut server = Server::start(&mut command);
    let ann = Person::new("Ann");
    let mut client = enter(server.address, &ann).await;
    let room = client.create("group").await;
    let reqs = client.tell_numbers(room, 40).await;
    server.terminate();
    let mut acked = 0;
    for req in reqs {
        let reply = client.reply(req).await;
        match reply["code"].as_str() {
            None => acked += 1,
            Some(code) => assert!(
                ["rate_limited", "retry_in_order"].contains(&code),
                "{reply}"
            ),
        }
    }
    assert!(acked > 0);
    let (code, frames) = client.closed().await;
    assert_eq!(code, 1012);
    assert!(
        frames.iter().any(|frame| frame["type"] == "reconnect"),
        "{frames:?}"
    );
    assert_eq!(server.exit(Duration::from_secs(10)), Some(0));
    // The directory is free again, and what was acknowledged is there.
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &data);
    let server = Server::start(&mut command);
    let mut client = enter(server.address, &ann).await;
    let row = client.ask("room", json!({"room": room})).await;
    assert!(row["row"]["head"].as_u64().unwrap() > acked, "{row}");
}

/// The signal used to be listened for only after the address had been printed: a manager that was
/// quick killed the server instead of stopping it.
#[test]
fn a_server_that_is_stopped_the_moment_it_serves_ends_in_order() {
    let place = place();
    let data = place.path().join("data");
    for _ in 0..10 {
        let mut command = Command::new(PROGRAM);
        serve(&mut command, &data);
        let mut server = Server::start(&mut command);
        server.terminate();
        assert_eq!(server.exit(BOUND), Some(0));
    }
}

#[test]
fn data_directories_that_cannot_be_used_are_refused_untouched() {
    let place = place();
    let data = place.path().join("data");
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &data);
    let server = Server::start(&mut command);
    check_refused(&data, &["in use by another process"]);
    drop(server);

    let file = data.join("chinwag.db");
    assert!(file.is_file(), "the database's name");
    let change = |name: &str, sql: &str| {
        let other = place.path().join(name);
        std::fs::create_dir(&other).unwrap();
        std::fs::copy(&file, other.join("chinwag.db")).unwrap();
        for beside in ["chinwag.db-wal"] {
            if data.join(beside).is_file() {
                std::fs::copy(data.join(beside), other.join(beside)).unwrap();
            }
        }
        let db = rusqlite::Connection::open(other.join("chinwag.db")).unwrap();
        db.execute_batch(sql).unwrap();
        db.close().unwrap();
        other
    };
    let newer = change(
        "newer",
        "PRAGMA user_version = 1000000; PRAGMA wal_checkpoint(TRUNCATE);",
    );
    check_untouched(&newer, &["newer release"]);
    let foreign = change(
        "foreign",
        "PRAGMA application_id = 7; PRAGMA wal_checkpoint(TRUNCATE);",
    );
    check_untouched(&foreign, &["another program"]);
    let damaged = place.path().join("damaged");
    std::fs::create_dir(&damaged).unwrap();
    std::fs::write(damaged.join("chinwag.db"), vec![b'x'; 8_192]).unwrap();
    check_untouched(&damaged, &["not an SQLite database"]);
}

#[track_caller]
fn check_untouched(data: &Path, expected: &[&str]) {
    let before = std::fs::read(data.join("chinwag.db")).unwrap();
    check_refused(data, expected);
    assert_eq!(
        std::fs::read(data.join("chinwag.db")).unwrap(),
        before,
        "it is as it was"
    );
}

/// Not even the administrator can write there, so that this holds in a container as well.
#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let place = place();
    for data in ["/proc/chinwag", "/proc"] {
        let mut command = Command::new(PROGRAM);
        serve(&mut command, &place.path().join("data"));
        let output = command
            .args(["--set", &format!("data={data}")])
            .output()
            .unwrap();
        let complaint = complaint(output);
        assert!(complaint.contains(data), "{complaint}");
    }
}

/// Milliseconds of processor time that a process has used (proc(5), fields 14 and 15 of stat).
fn processor_ms(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    // A tick is 10 ms on every Linux that we build for.
    ticks * 10
}

#[tokio::test]
async fn no_file_handles_left_neither_spins_nor_stays() {
    let place = place();
    let data = place.path().join("data");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100; exec \"$0\" \"$@\"", PROGRAM]);
    serve(&mut command, &data);
    let server = Server::start(&mut command);
    let ann = Person::new("Ann");
    let mut inside = enter(server.address, &ann).await;
    // The system completes these handshakes itself: to the server they are accepts that fail.
    let mut crowd = Vec::new();
    for _ in 0..150 {
        let stream = bounded("connect", tokio::net::TcpStream::connect(server.address)).await;
        crowd.push(stream.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = processor_ms(server.child.id());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let used = processor_ms(server.child.id()) - before;
    assert!(
        used < 300,
        "it spins: {used} ms of processor time in a second"
    );
    // Those who are in are served, and acknowledged means stored as ever.
    let room = inside.create("group").await;
    inside.send(room, "in spite of all").await;
    drop(crowd);
    let begun = Instant::now();
    let _late = enter(server.address, &ann).await;
    assert!(begun.elapsed() < BOUND);
}
