//! Disks that are full, read-only or break, under the real program: at the start and in the middle.
//!
//! A small disk is a memory file system in a mount namespace of the program's own, which the test
//! reaches through /proc. Where the system does not grant one, the tests say so and do nothing;
//! the disk that breaks in the middle needs no right at all.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chinwag_core::ids::RoomId;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::process::{PROGRAM, Server, enter, place, serve};
use crate::support::{BOUND, Client, Person, http, refused};

/// A program on a disk of its own at `place/disk`, of so many KiB, prepared by `script`; none where
/// the system does not allow it.
fn on_small_disk(place: &Path, kib: u32, script: &str) -> Option<Command> {
    let allowed = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        #[expect(
            clippy::print_stderr,
            reason = "a test that does nothing has to say so"
        )]
        {
            eprintln!("skipped: this system grants no mount namespace (unshare -rm)");
        }
        return None;
    }
    let disk = place.join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let script = format!("mount -t tmpfs -o size={kib}k none disk && {script} exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", &script, PROGRAM])
        .current_dir(place);
    Some(command)
}

/// What the server says that does not start: one line, after nothing at all.
#[track_caller]
fn check_refused(command: &mut Command, expected: &[&str]) {
    let output = command.output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert_eq!(output.stdout, b"", "it does not say that it serves");
    let mut errors = complaint.lines().filter(|line| line.starts_with("error:"));
    let error = errors.next().expect("an error");
    assert_eq!(errors.next(), None, "one clear line: {complaint}");
    for expected in expected.iter().chain([&"/disk", &"--data DIR"]) {
        assert!(error.contains(expected), "{expected} in {error}");
    }
}

#[test]
fn disks_that_take_nothing_are_named_at_the_start() {
    let place = place();
    let data = place.path().join("disk");
    for (kib, script, expected) in [
        // Enough for a probe, not for a database that shall grow.
        (8_192, "", &["bytes free", "make room"][..]),
        (
            8_192,
            "cat /dev/zero >disk/filler 2>disk/said;",
            &["cannot write into the data directory", "free some space"],
        ),
        (
            64,
            "mount -o remount,ro disk;",
            &["cannot write into the data directory", "remount it"],
        ),
    ] {
        let Some(mut command) = on_small_disk(place.path(), kib, script) else {
            return;
        };
        serve(&mut command, &data);
        check_refused(&mut command, expected);
    }
}

/// A directory that a server has used, and left in order.
fn used(place: &Path) {
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &place.join("used"));
    let mut server = Server::start(&mut command);
    server.terminate();
    assert_eq!(server.exit(BOUND), Some(0));
}

/// SQLite opens what it may only read without a word, and the first write used to fail with
/// "whether it was stored is unknown"; a disk with little room said "the disk is full", and not
/// which.
#[test]
fn disks_that_take_no_more_of_an_old_database_are_named_at_the_start() {
    let place = place();
    used(place.path());
    let data = place.path().join("disk");
    for (script, expected) in [
        (
            "cp used/* disk && head -c 28M /dev/zero >disk/filler &&",
            &["the disk is full", "Make room"][..],
        ),
        (
            "cp used/* disk && mount --bind disk/chinwag.db disk/chinwag.db && \
             mount -o remount,bind,ro disk/chinwag.db &&",
            &["chinwag.db", "permission denied", "readable and writable"],
        ),
    ] {
        let Some(mut command) = on_small_disk(place.path(), 40 * 1024, script) else {
            return;
        };
        serve(&mut command, &data);
        check_refused(&mut command, expected);
    }
}

/// Sends messages until one is refused: that command, and what was acknowledged last.
async fn send_until_full(client: &mut Client, room: RoomId) -> (Value, u64) {
    let (begun, mut acked) = (Instant::now(), 0);
    loop {
        let send = json!({"key": client.key(), "room": room, "text": "is there room?"});
        let answer = client.ask("send", send.clone()).await;
        let Some(seq) = answer["seq"].as_u64() else {
            refused(&answer, "storage_full");
            return (send, acked);
        };
        acked = seq;
        assert!(begun.elapsed() < BOUND, "the disk is full and it goes on");
        // The server asks the disk at most ten times a second.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends `frame` again until there is room.
async fn send_until_acked(client: &mut Client, frame: &Value) -> Value {
    let begun = Instant::now();
    loop {
        let answer = client.ask("send", frame.clone()).await;
        if answer["code"] != "storage_full" {
            return answer;
        }
        assert!(begun.elapsed() < BOUND, "{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_what_is_new_and_recovers_by_itself() {
    let place = place();
    let data = place.path().join("disk");
    let Some(mut command) = on_small_disk(place.path(), 40 * 1024, "") else {
        return;
    };
    serve(&mut command, &data);
    let server = Server::start(&mut command);
    let address = server.address;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut client = enter(address, &ann).await;
    let room = client.create("group").await;
    client.send(room, "there is room").await;
    let inside = PathBuf::from(format!("/proc/{}/root", server.child.id()));
    let filler = inside.join(data.strip_prefix("/").unwrap()).join("filler");
    std::fs::write(&filler, vec![b'x'; 28 * 1024 * 1024]).unwrap();

    let (send, acked) = send_until_full(&mut client, room).await;
    // It is refused for now, everything that is written: markers, accounts, strangers.
    let mark = json!({"room": room, "read": 1});
    refused(&client.ask("mark", mark.clone()).await, "storage_full");
    let body = r#"{"name":"Carol","password":"correct horse","cookie":false}"#;
    let register = format!(
        "POST /api/register HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = http(address, &register).await;
    assert!(
        status == 507 && answer.contains("\"code\":\"storage_full\""),
        "{status} {answer}"
    );
    let mut stranger = Client::open(address, None).await;
    stranger.hello(&bob.token, json!({})).await;
    let (code, frames) = stranger.closed().await;
    assert_eq!(code, 4104);
    refused(&frames[0], "storage_full");
    // Reading goes on, and coming in.
    let page = client.ask("history", json!({"room": room})).await;
    assert_eq!(page["type"], "page", "{page}");
    enter(address, &ann).await;

    std::fs::remove_file(&filler).unwrap();
    let ack = send_until_acked(&mut client, &send).await;
    assert_eq!(ack["seq"], acked.max(2) + 1, "{ack}");
    assert_eq!(client.ask("mark", mark).await["type"], "ok");
    enter(address, &bob).await;
    assert_eq!(http(address, &register).await.0, 201);
}

/// Whatever a disk does to a write: here the system lets the program's files grow no more.
#[tokio::test]
async fn a_write_that_fails_ends_the_server_and_a_restart_has_all_that_was_acknowledged() {
    let place = place();
    let data = place.path().join("data");
    let mut command = Command::new("sh");
    // Without a handler, the signal would end it before it can say a word.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]);
    serve(&mut command, &data);
    let said = place.path().join("said");
    let told = std::fs::File::create(&said).unwrap();
    let mut server = Server::start_telling(&mut command, told.into());
    let ann = Person::new("Ann");
    let mut client = enter(server.address, &ann).await;
    let room = client.create("group").await;
    let mut acked = Vec::new();
    for number in 0..5 {
        acked.push(client.send(room, &number.to_string()).await);
    }
    let limit = Rlimit {
        current: Some(300 * 1024),
        maximum: Some(300 * 1024),
    };
    prlimit(Some(Pid::from_child(&server.child)), Resource::Fsize, limit).unwrap();
    let text = "y".repeat(16 * 1024);
    let refusal = loop {
        let key = client.key();
        let send = json!({"key": key, "room": room, "text": text});
        let answer = client.ask("send", send.clone()).await;
        match answer["seq"].as_u64() {
            Some(seq) => acked.push(seq),
            None => break (answer, send),
        }
        assert!(acked.len() < 1_000, "it has run out of disk long ago");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let (refusal, send) = refusal;
    refused(&refusal, "unavailable");
    // Reading goes on for a while; then it ends, with a word and a code that asks for a restart.
    let page = client.ask("history", json!({"room": room})).await;
    assert_eq!(page["type"], "page", "{page}");
    assert_eq!(client.closed().await.0, 1012);
    assert_eq!(server.exit(BOUND), Some(1));
    let said = std::fs::read_to_string(said).unwrap();
    let last = said.lines().last().unwrap();
    assert!(
        last.starts_with("error: the store's writer has ended: ")
            && last.contains("start the server again"),
        "{said}"
    );
    // A process without that limit: all is there, and what was refused is sent once.
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &data);
    let server = Server::start(&mut command);
    let mut client = enter(server.address, &ann).await;
    let ack = client.ask("send", send).await;
    assert_eq!(ack["type"], "ack", "{ack}");
    let last = *acked.last().unwrap();
    assert_eq!(ack["seq"], last + 1, "nothing between was taken");
    let before = json!({"room": room, "before": 8});
    let page = client.ask("history", before).await;
    let lines = page["messages"].as_array().unwrap().iter();
    let texts: Vec<&str> = lines
        .filter_map(|line| line["body"]["text"].as_str())
        .collect();
    assert_eq!(texts[..5], ["0", "1", "2", "3", "4"]);
}
