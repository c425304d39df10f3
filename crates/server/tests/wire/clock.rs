//! Clocks that jump, in the real program: a day forward and back in the time of day, which ends
//! nothing and loses nothing, and seconds in the steady clock, which bring the deadlines.
//!
//! The program gets its time through a small library (`support/jump.c`); Linux, and a C compiler
//! when the test runs. A jump is noticed at the next event, so the test makes events.

use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::behind;
use crate::process::{PROGRAM, Server, enter, place, serve};
use crate::support::{Client, Person, Seen, bounded, get, http, refused, upgrade_request};

const DAY_MS: i64 = 24 * 3_600_000;

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let name = format!("clock-jump-{}.so", std::process::id());
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/jump.c");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o"])
            .arg(&library)
            .arg(source)
            .output()
            .expect("a C compiler called cc is installed");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cc: {complaint}");
        library
    })
}

/// A server and its clocks.
struct Jumper {
    server: Server,
    clocks: std::fs::File,
    _place: tempfile::TempDir,
}

impl Jumper {
    fn start() -> Self {
        let place = place();
        let file = place.path().join("clocks");
        std::fs::write(&file, [0; 16]).unwrap();
        let mut command = Command::new(PROGRAM);
        serve(&mut command, &place.path().join("data"));
        command
            .args(["--set", "limits.rate_per_second=10000"])
            .args(["--set", "limits.rate_burst=10000"])
            .env("CLOCK_JUMP", &file)
            .env("LD_PRELOAD", library());
        Self {
            server: Server::start(&mut command),
            clocks: std::fs::OpenOptions::new().write(true).open(&file).unwrap(),
            _place: place,
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The time of day is so far from ours from now on.
    fn wall(&self, jump_ms: i64) {
        self.clocks.write_all_at(&jump_ms.to_ne_bytes(), 0).unwrap();
    }

    /// So much time has passed since the start, in addition to what really has.
    fn steady(&self, jump_ms: i64) {
        self.clocks.write_all_at(&jump_ms.to_ne_bytes(), 8).unwrap();
    }

    /// `wait`, while the server is woken again and again so that it looks at its clock.
    async fn waking<T>(&self, wait: impl Future<Output = T>) -> T {
        let wake = async {
            loop {
                get(self.address(), "/livez").await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = async {
            tokio::select! {
                output = wait => output,
                () = wake => unreachable!("it wakes for ever"),
            }
        };
        bounded("it happens", waited).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address(),
            body.len()
        );
        let (status, answer) = http(self.address(), &request).await;
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    /// Says `hello` with `token`: what refuses it, and the close code.
    async fn check_hello_refused(&self, token: &str, error: &str, close: u16) {
        let mut client = Client::open(self.address(), None).await;
        client.hello(token, json!({})).await;
        let (code, frames) = client.closed().await;
        refused(&frames[0], error);
        assert_eq!(code, close);
    }
}

fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn a_clock_that_jumps_by_a_day_ends_no_connection_and_no_session() {
    let jumper = Jumper::start();
    let ann = json!({"name": "ann", "password": "correct horse", "cookie": false});
    let (status, mut session) = jumper.post("/api/register", &ann).await;
    assert_eq!(status, 201, "{session}");
    let mut client = Client::open(jumper.address(), None).await;
    client
        .hello(session["access_token"].as_str().unwrap(), json!({}))
        .await;
    client.until("caught_up").await;
    let room = client.create("group").await;
    assert_eq!(client.send(room, "at first").await, 2);
    let jumps = [
        (DAY_MS, "token_expired", 4201),
        // Two days back from there: the newest token seems to come from the future.
        (-DAY_MS, "bad_token", 4202),
        (0, "token_expired", 4201),
    ];
    for (number, (jump_ms, error, close)) in (3..).zip(jumps) {
        jumper.wall(jump_ms);
        // Who is in stays in, and the log goes on.
        assert_eq!(client.send(room, "after a jump").await, number);
        let pong = client.ask("ping", json!({"rooms": [room]})).await;
        let behind_ms = wall_ms() + jump_ms - pong["now"].as_i64().unwrap();
        assert!(behind_ms.abs() < 3_600_000, "{pong}");
        assert_eq!(pong["heads"], json!([[room, number]]));
        // Who comes with a token of before is told to fetch another, and gets one.
        let stale = session["access_token"].as_str().unwrap();
        jumper.check_hello_refused(stale, error, close).await;
        let refresh = json!({"refresh_token": session["refresh_token"]});
        let (status, fresh) = jumper.post("/api/refresh", &refresh).await;
        assert_eq!(status, 200, "{fresh}");
        let token = fresh["access_token"].clone();
        let mut late = Client::open(jumper.address(), None).await;
        late.hello(token.as_str().unwrap(), json!({})).await;
        late.until("caught_up").await;
        assert_eq!(
            client.ask("auth", json!({"token": token})).await["type"],
            "ok"
        );
        let (status, again) = jumper.post("/api/login", &ann).await;
        assert_eq!(status, 200, "{again}");
        session = fresh;
    }
    let page = client.ask("history", json!({"room": room})).await;
    let seqs = page["messages"].as_array().unwrap().iter();
    let seqs: Vec<_> = seqs.map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5], "labels jump, the order does not");
}

#[tokio::test]
async fn silence_before_hello_and_after_it_closes_with_a_code() {
    let jumper = Jumper::start();
    let mut silent = Client::open(jumper.address(), None).await;
    let mut half = Client::open(jumper.address(), None).await;
    half.raw(&[0x81]).await;
    let mut client = enter(jumper.address(), &Person::new("Ann")).await;
    jumper.steady(10_000);
    assert_eq!(jumper.waking(silent.closed()).await.0, 4103);
    assert_eq!(jumper.waking(half.closed()).await.0, 4103);
    // A ping at 30 s; who answers it lives on.
    jumper.steady(31_000);
    assert_eq!(jumper.waking(client.seen()).await, Seen::Ping);
    // Behind the pong: the server has seen both.
    assert_eq!(client.ask("ping", json!({})).await["type"], "pong");
    jumper.steady(62_000);
    assert_eq!(jumper.waking(client.seen()).await, Seen::Ping);
    assert_eq!(client.ask("ping", json!({})).await["type"], "pong");
    jumper.steady(62_000 + 46_000);
    let (code, frames) = jumper.waking(client.closed()).await;
    assert_eq!((code, frames), (4001, Vec::new()));
}

#[tokio::test]
async fn who_does_not_answer_behind_is_closed() {
    let jumper = Jumper::start();
    let mut sender = enter(jumper.address(), &Person::new("Ann")).await;
    let mut witness = enter(jumper.address(), &Person::new("Carol")).await;
    let mut reader = Client::open_with(
        jumper.address(),
        Some(4_096),
        upgrade_request(jumper.address(), "").as_bytes(),
    )
    .await;
    reader.hello(&Person::new("Bob").token, json!({})).await;
    reader.until("caught_up").await;
    let room = sender.create("public").await;
    reader.write("join", json!({"room": room})).await;
    behind::push(&mut sender, room).await;
    reader.until("behind").await;
    jumper.steady(30_000);
    let (code, _frames) = jumper.waking(reader.closed()).await;
    assert_eq!(code, 4102);
    // Who was not behind goes on.
    assert_eq!(witness.ask("ping", json!({})).await["type"], "pong");
}
