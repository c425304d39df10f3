//! The program as a person or a service manager meets it: what it prints, where, and its exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "cli/configured.rs"]
mod configured;
#[path = "cli/first_start.rs"]
mod first_start;
#[path = "cli/refused.rs"]
mod refused;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chinwag");

/// The program in a directory of its own, without settings from outside; backtraces asked for, so
/// that one which slips through is seen.
fn program(place: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(place).env("RUST_BACKTRACE", "1");
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CHINWAG_"))
    {
        command.env_remove(name);
    }
    command
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A failure: its code, and complaints that a person can act upon.
#[track_caller]
fn check_failure(output: &Output, code: i32, expected: &[&str]) {
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    for expected in expected {
        assert!(complaint.contains(expected), "{expected} in {complaint}");
    }
    for forbidden in ["panicked", "backtrace", "Os {", "Error {", "Some("] {
        assert!(!complaint.contains(forbidden), "{forbidden} in {complaint}");
    }
    assert_eq!(
        complaint
            .lines()
            .filter(|line| line.starts_with("error:"))
            .count(),
        1,
        "one clear line: {complaint}"
    );
}

/// A server that is stopped at the end, however the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Server {
    fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// What it says up to the line that names its address, and that address.
    fn greeting(&mut self) -> (String, SocketAddr) {
        let mut said = String::new();
        for line in BufReader::new(self.0.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            said.push_str(&line);
            said.push('\n');
            if let Some((_, rest)) = line.split_once("http://") {
                let address = rest.split_whitespace().next().unwrap().parse().unwrap();
                return (said, address);
            }
        }
        panic!("it ended without an address: {said}");
    }
}

#[test]
fn the_port_that_somebody_chose_is_not_exchanged() {
    let (place, holder) = (place(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = holder.local_addr().unwrap().to_string();
    let port = format!("port {} is taken", holder.local_addr().unwrap().port());
    let output = program(place.path())
        .args(["serve", "--listen", &address])
        .output()
        .unwrap();
    check_failure(&output, 1, &[&address, &port, "ss -ltnp", "--listen"]);
    let output = program(place.path())
        .env("CHINWAG_LISTEN", &address)
        .output()
        .unwrap();
    check_failure(&output, 1, &[&port]);
}

#[test]
fn the_usual_port_gives_way_aloud() {
    let place = place();
    // Somebody else on this machine may hold it: just as well, but then it may also become free in
    // between.
    let holder = TcpListener::bind("127.0.0.1:8080");
    let mut server = Server::start(&mut program(place.path()));
    let (said, address) = server.greeting();
    assert!((8080..=8100).contains(&address.port()), "{said}");
    if holder.is_ok() {
        assert_ne!(address.port(), 8080);
        assert!(
            said.contains(&format!(
                "Port 8080 is taken: using {} instead.",
                address.port()
            )),
            "{said}"
        );
    }
}

#[test]
fn it_serves_where_it_says() {
    let place = place();
    let mut server = Server::start(program(place.path()).args([
        "serve",
        "--data",
        "mine",
        "--listen",
        "127.0.0.1:0",
    ]));
    let (said, address) = server.greeting();
    assert!(
        said.contains(env!("CARGO_PKG_VERSION")) && !said.contains('\x1b'),
        "{said}"
    );
    assert!(place.path().join("mine").is_dir());
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"GET /no-such-file.js HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    assert!(
        answer
            .to_lowercase()
            .contains("x-content-type-options: nosniff"),
        "{answer}"
    );
}

#[test]
fn what_is_typed_wrong_ends_with_2_and_a_hint() {
    let place = place();
    for (arguments, expected) in [
        (
            &["serve", "--set", "log.levle=info"][..],
            &["did you mean `log.level`?", "chinwag --help"][..],
        ),
        (&["serve", "--set", "log.level"], &["--set KEY=VALUE"]),
        (
            &["serve", "--listen", "here"],
            &["option --listen", "expected an address and a port"],
        ),
        (
            &["serve", "--registration", "all"],
            &["one of \"open\", \"invite\", \"closed\""],
        ),
        (&["serv"], &["'serve'"]),
        (&["serve", "--prot", "80"], &["--prot", "--help"]),
        (&["config"], &[]),
    ] {
        let output = program(place.path()).args(arguments).output().unwrap();
        if arguments == ["config"] {
            assert_eq!(
                output.status.code(),
                Some(2),
                "a command is missing, and the help says which"
            );
        } else {
            check_failure(&output, 2, expected);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_takes_nothing_is_named_at_the_start() {
    let place = place();
    // Not even the administrator can write here, so the test is as true for one.
    let output = program(place.path())
        .args(["--data", "/proc/self/chat", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    check_failure(&output, 1, &["/proc/self/chat", "--data DIR"]);
    let output = program(place.path())
        .args(["doctor", "--json", "--data", "/proc/self"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][1]["verdict"], "fail", "{report}");
}

/// A full disk, in small: the system refuses to let the first file grow.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_at_the_start_and_nothing_is_left() {
    let place = place();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" serve --listen 127.0.0.1:0 2>&1 | cat";
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-c", script, PROGRAM])
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = text(&output.stdout);
    assert!(
        said.contains("error: cannot write into the data directory") && said.contains("--data DIR"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_dir(place.path().join("data"))
            .unwrap()
            .count(),
        0,
        "the probe is removed"
    );
}

#[test]
#[cfg(unix)]
fn too_few_file_handles_are_named_at_the_start() {
    let place = place();
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-c", "ulimit -n 32; exec \"$0\" serve", PROGRAM])
        .current_dir(place.path())
        .output()
        .unwrap();
    check_failure(&output, 1, &["only 32 files", "ulimit -n 65536"]);
}

#[test]
#[cfg(unix)]
fn the_file_limit_is_raised_aloud() {
    let place = place();
    let script =
        "ulimit -Sn 128; ulimit -Hn 512; exec \"$0\" serve --listen 192.0.2.1:1 --log-format json";
    let output = Command::new("sh")
        .args(["-c", script, PROGRAM])
        .current_dir(place.path())
        .output()
        .unwrap();
    check_failure(
        &output,
        1,
        &["\"before\":\"128\"", "\"now\":\"512\"", "no such address"],
    );
}

#[test]
fn the_default_configuration_is_the_example_and_checks_itself() {
    let place = place();
    let output = program(place.path())
        .args(["config", "default"])
        .output()
        .unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chinwag.example.toml");
    assert_eq!(
        text(&output.stdout),
        std::fs::read_to_string(example).unwrap()
    );
    std::fs::write(place.path().join("chinwag.toml"), &output.stdout).unwrap();
    let output = program(place.path())
        .args(["config", "check"])
        .env("CHINWAG_LOG_LEVEL", "warn")
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = text(&output.stdout);
    assert!(
        said.contains("File: chinwag.toml") && said.contains("# environment CHINWAG_LOG_LEVEL"),
        "{said}"
    );
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_is_no_failure() {
    let place = place();
    let script = "\"$0\" config default | true; \"$0\" doctor --set listen=127.0.0.1:0 | true";
    let output = Command::new("sh")
        .args(["-c", script, PROGRAM])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "", "nothing panicked");
}

#[test]
fn the_doctor_leaves_no_trace_in_either_shape() {
    let place = place();
    let options = ["doctor", "--listen", "127.0.0.1:0"];
    let lines = program(place.path()).args(options).output().unwrap();
    let json = program(place.path())
        .args(options)
        .arg("--json")
        .output()
        .unwrap();
    assert!(
        lines.status.success() && json.status.success(),
        "{}",
        text(&lines.stdout)
    );
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 8);
    assert!(text(&lines.stdout).contains("8 checks"));
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        0,
        "not even the data directory is created"
    );
}

#[test]
fn the_version_and_the_help_are_no_errors() {
    let place = place();
    for (argument, expected) in [
        ("--version", env!("CARGO_PKG_VERSION")),
        ("--help", "Examples:"),
        ("-h", "Examples:"),
    ] {
        let output = program(place.path()).arg(argument).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text(&output.stdout).contains(expected) && output.stderr.is_empty(),
            "{argument}"
        );
    }
}
