//! The project's own raw-frame suite: what Autobahn's cases 1-7, 10, 12 and 13 cover, and what they
//! do not.
//!
//! Every test drives the real accept loop over loopback with raw bytes. Nothing here shares code
//! with the decoder it judges, and every wait ends after [`BOUND`].

mod batching;
mod closing;
mod compressing;
mod connections;
mod conversation;
mod decoding;
mod framing;
mod handshake;
mod inflating;
mod limits;
mod texts;
mod tls;
mod writing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept::{AcceptOptions, ConnectionDeadlines, Lifetime, accept, listen};
use super::budget::{Budget, ConnectionLimits};
use super::echo::echo_router;
use super::upgrade::UpgradeOptions;
use super::ws::SocketLimits;

/// Longer than anything here takes; reaching it is a failure.
pub(super) const BOUND: Duration = Duration::from_secs(20);
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// `future`, or a panic that says what did not happen.
pub(super) async fn bounded<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(BOUND, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {BOUND:?}"),
    }
}

/// What a test server is made of; tests change what they are about.
pub(super) struct Setup {
    pub(super) limits: SocketLimits,
    pub(super) upgrade: UpgradeOptions,
    pub(super) deadlines: ConnectionDeadlines,
    pub(super) connections: ConnectionLimits,
    pub(super) trusted_proxies: Vec<&'static str>,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) router: Router,
}

impl Default for Setup {
    fn default() -> Self {
        // A slow machine must not turn an orderly end into a reset.
        let limits = SocketLimits {
            linger: BOUND,
            closing: BOUND,
            ..SocketLimits::STANDARD
        };
        Self {
            limits,
            upgrade: UpgradeOptions::default(),
            deadlines: ConnectionDeadlines {
                head: BOUND,
                unauthenticated: BOUND * 2,
                finish: BOUND,
            },
            connections: ConnectionLimits::default(),
            trusted_proxies: Vec::new(),
            tls: None,
            router: Router::new(),
        }
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) budget: Arc<Budget>,
    pub(super) lifetime: Lifetime,
}

impl Server {
    pub(super) fn start(setup: Setup) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let budget = Budget::new(setup.connections);
        let lifetime = Lifetime {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let options = AcceptOptions {
            router: echo_router(UpgradeOptions {
                limits: setup.limits,
                ..setup.upgrade
            })
            .merge(setup.router),
            tls: setup.tls,
            deadlines: setup.deadlines,
            budget: Arc::clone(&budget),
            trusted_proxies: setup
                .trusted_proxies
                .iter()
                .map(|text| text.parse().expect("a network"))
                .collect(),
            lifetime: lifetime.clone(),
        };
        lifetime.tasks.spawn(accept(listener, options));
        Self {
            address,
            budget,
            lifetime,
        }
    }

    pub(super) async fn connect(&self) -> Client {
        let stream = bounded("connect", TcpStream::connect(self.address))
            .await
            .expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        Client { stream }
    }

    /// An open WebSocket.
    pub(super) async fn open(&self) -> Client {
        let mut client = self.connect().await;
        client.send(upgrade_request("").as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    /// Waits until the budget counts this many connections.
    pub(super) async fn settle(&self, connections: usize) {
        let settled = async {
            while self.budget.figures().connections != connections {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        bounded("the budget settles", settled).await;
    }

    /// Stops, and waits for every task.
    pub(super) async fn stop(self) {
        self.lifetime.stop.cancel();
        self.lifetime.tasks.close();
        bounded("all tasks end", self.lifetime.tasks.wait()).await;
        let figures = self.budget.figures();
        assert_eq!(
            (figures.connections, figures.unauthenticated),
            (0, 0),
            "places were not given back"
        );
    }
}

/// A valid opening handshake, with `more` header lines.
pub(super) fn upgrade_request(more: &str) -> String {
    format!(
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
    )
}

pub(super) struct Client {
    pub(super) stream: TcpStream,
}

impl Client {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        bounded("send", self.stream.write_all(bytes))
            .await
            .expect("send");
    }

    /// Says that nothing more comes from here.
    pub(super) async fn hang_up(&mut self) {
        bounded("FIN", self.stream.shutdown()).await.expect("FIN");
    }

    /// One HTTP head, and not a byte more.
    pub(super) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = bounded("a response head", self.stream.read_u8()).await;
            head.push(byte.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&head))
            }));
        }
        String::from_utf8(head).expect("ASCII")
    }

    /// Everything until the server's FIN. A reset is a failure: it may eat a close frame.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bounded("the end", self.stream.read_to_end(&mut bytes))
            .await
            .expect("FIN, not a reset");
        bytes
    }

    /// All frames until the server's FIN.
    pub(super) async fn frames(&mut self) -> Vec<Seen> {
        parse(&self.rest().await)
    }

    /// The next bytes, exactly these.
    pub(super) async fn expect(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        bounded("bytes", self.stream.read_exact(&mut bytes))
            .await
            .expect("bytes");
        assert_eq!(bytes, expected);
    }

    /// That the server has closed without a word, however abruptly.
    pub(super) async fn expect_closed(&mut self) {
        let mut byte = [0; 1];
        match bounded("closed", self.stream.read(&mut byte)).await {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("expected no byte, got {byte:?}"),
        }
    }
}

/// A frame as the client saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With its code, if it had one.
    Close(Option<u16>),
}

pub(super) fn seen_text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

/// Parses server frames: unmasked, final, without reserved bits, and nothing left over.
fn parse(mut bytes: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first & 0xf0, 0x80, "final and without reserved bits");
        assert_eq!(second & 0x80, 0, "a server does not mask");
        let (length, rest) = match second {
            126 => (
                usize::from(u16::from_be_bytes([rest[0], rest[1]])),
                &rest[2..],
            ),
            127 => {
                let length = u64::from_be_bytes(rest[..8].try_into().expect("eight bytes"));
                (usize::try_from(length).expect("small"), &rest[8..])
            }
            short => (usize::from(*short), rest),
        };
        let (payload, rest) = rest.split_at(length);
        bytes = rest;
        seen.push(match first & 0x0f {
            0x1 => Seen::Text(String::from_utf8(payload.to_vec()).expect("UTF-8")),
            0x2 => Seen::Binary(payload.to_vec()),
            0x8 => Seen::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            0x9 => Seen::Ping(payload.to_vec()),
            0xa => Seen::Pong(payload.to_vec()),
            other => panic!("opcode {other}"),
        });
    }
    assert!(bytes.is_empty(), "half a header: {bytes:?}");
    seen
}

/// A masked client frame whose first byte is `first`.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x9e, 0x01, 0x5c, 0xf0];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | u8::try_from(length).expect("short")),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).expect("medium").to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend(u64::try_from(length).expect("long").to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

pub(super) const FIN: u8 = 0x80;
pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xa;

pub(super) fn close_frame(code: u16) -> Vec<u8> {
    frame(FIN | CLOSE, &code.to_be_bytes())
}
