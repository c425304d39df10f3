//! permessage-deflate over a raw socket: what is agreed on, sent, shared and refused.
//!
//! Messages are compressed and inflated here by zlib itself, not by the code that is judged.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::response::IntoResponse as _;
use axum::routing::get;
use chinwag_core::event::{Author, BODY_VERSION, Body, Event, Shared};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::{
    BINARY, CONTINUATION, Client, FIN, PING, Seen, Server, Setup, TEXT, close_frame, frame,
    upgrade_request,
};
use crate::gateway::accept::Lifetime;
use crate::gateway::dialect::Dialect;
use crate::gateway::upgrade::{UpgradeOptions, upgrade};
use crate::gateway::ws::{self, Deflate, WebSocket};

/// The bit of a compressed message's first frame.
pub(super) const RSV1: u8 = 0x40;
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// `plain` as a client sends it: compressed, and without the tail.
pub(super) fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plain.len() + 64);
    let mut zlib = Compress::new(Compression::best(), false);
    zlib.compress_vec(plain, &mut bytes, FlushCompress::Sync)
        .expect("room for all");
    assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]));
    bytes.truncate(bytes.len() - 4);
    bytes
}

fn inflated(compressed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 << 20);
    let whole = [compressed, &[0, 0, 0xff, 0xff]].concat();
    let mut zlib = Decompress::new(false);
    zlib.decompress_vec(&whole, &mut bytes, FlushDecompress::Sync)
        .expect("a good message");
    bytes
}

fn compressing() -> (Setup, Arc<Deflate>) {
    let deflate = Arc::new(Deflate::default());
    let setup = Setup {
        upgrade: UpgradeOptions {
            deflate: Some(deflate.clone()),
            ..UpgradeOptions::default()
        },
        ..Setup::default()
    };
    (setup, deflate)
}

/// An open socket that negotiated compression.
async fn open(server: &Server, path: &str) -> Client {
    let mut client = server.connect().await;
    let request = upgrade_request(OFFER).replace("/echo", path);
    client.send(request.as_bytes()).await;
    let head = client.head().await.to_ascii_lowercase();
    let answer = "\r\nsec-websocket-extensions: permessage-deflate; server_no_context_takeover; \
                  client_no_context_takeover\r\n";
    assert!(head.contains(answer), "{head}");
    client
}

/// First byte and payload of each frame of up to 64 KiB.
fn raw_frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (length, rest) = match second {
            126 => (
                usize::from(u16::from_be_bytes([rest[0], rest[1]])),
                &rest[2..],
            ),
            short => (usize::from(*short), rest),
        };
        let (payload, rest) = rest.split_at(length);
        frames.push((*first, payload));
        bytes = rest;
    }
    frames
}

/// Sends `bytes` on a compressing socket; the peer must close with this code and say no more.
async fn check_refused(name: &str, bytes: &[u8], code: u16) {
    let (setup, _deflate) = compressing();
    let server = Server::start(setup);
    let mut client = open(&server, "/echo").await;
    client.send(bytes).await;
    assert_eq!(client.frames().await, [Seen::Close(Some(code))], "{name}");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn offers_are_answered_in_the_header() {
    for (offer, expected) in [
        (
            "permessage-deflate",
            "server_no_context_takeover; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=12, permessage-deflate; server_max_window_bits=15",
            "client_no_context_takeover; server_max_window_bits=15",
        ),
    ] {
        let server = Server::start(compressing().0);
        let mut client = server.connect().await;
        let offer = format!("Sec-WebSocket-Extensions: {offer}\r\n");
        client.send(upgrade_request(&offer).as_bytes()).await;
        let head = client.head().await;
        let answers: Vec<&str> = head
            .lines()
            .filter(|line| line.starts_with("sec-websocket-extensions"))
            .collect();
        assert_eq!(answers.len(), 1, "{head}");
        assert!(answers[0].ends_with(expected), "{head}");
        drop(client);
        server.stop().await;
    }
}

#[tokio::test]
async fn what_fits_no_offer_goes_on_without() {
    let server = Server::start(compressing().0);
    let mut client = server.connect().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n";
    client.send(upgrade_request(offer).as_bytes()).await;
    assert!(!client.head().await.contains("extensions"));
    client
        .send(&frame(FIN | RSV1 | TEXT, &deflated(b"x")))
        .await;
    assert_eq!(client.frames().await, [Seen::Close(Some(1002))]);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn messages_come_and_go_compressed_or_not() {
    let (setup, deflate) = compressing();
    let server = Server::start(setup);
    let mut client = open(&server, "/echo").await;
    let long = "a text that repeats itself, ".repeat(100);
    let packed = deflated(long.as_bytes());
    let (one, two) = packed.split_at(packed.len() / 2);
    for bytes in [
        frame(FIN | RSV1 | TEXT, &packed),
        frame(FIN | RSV1 | TEXT, &deflated(b"short")),
        frame(FIN | TEXT, long.as_bytes()),
        frame(FIN | RSV1 | BINARY, &deflated(&[7; 600])),
        frame(RSV1 | TEXT, one),
        frame(FIN | PING, b"between"),
        frame(FIN | CONTINUATION, two),
        close_frame(1000),
    ] {
        client.send(&bytes).await;
    }
    let heard = client.rest().await;
    let heard: Vec<(u8, Vec<u8>)> = raw_frames(&heard)
        .into_iter()
        .map(|(first, payload)| match first & RSV1 {
            0 => (first, payload.to_vec()),
            _ => (first, inflated(payload)),
        })
        .collect();
    let long = long.into_bytes();
    let compressed_text = FIN | RSV1 | TEXT;
    assert_eq!(
        heard,
        [
            (compressed_text, long.clone()),
            (FIN | TEXT, b"short".to_vec()),
            (compressed_text, long.clone()),
            (FIN | RSV1 | BINARY, vec![7; 600]),
            (0x8a, b"between".to_vec()),
            (compressed_text, long.clone()),
            (0x88, vec![0x03, 0xe8]),
        ]
    );
    let figures = deflate.figures();
    let sent = 3 * long.len() + 600;
    assert_eq!(figures.before_bytes, u64::try_from(sent).expect("small"));
    assert!(
        figures.after_bytes * 10 < figures.before_bytes,
        "{figures:?}"
    );
    let received = 2 * long.len() + 600 + "short".len();
    assert_eq!(
        figures.inflated_bytes,
        u64::try_from(received).expect("small")
    );
    assert!(
        figures.received_bytes * 10 < figures.inflated_bytes,
        "{figures:?}"
    );
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_bomb_is_refused_when_it_passes_the_limit() {
    let most = deflated(&[b'a'; 65_536]);
    let (setup, deflate) = compressing();
    let server = Server::start(setup);
    let mut client = open(&server, "/echo").await;
    client.send(&frame(FIN | RSV1 | TEXT, &most)).await;
    client.send(&close_frame(1000)).await;
    let heard = client.rest().await;
    assert_eq!(inflated(raw_frames(&heard)[0].1), [b'a'; 65_536]);
    assert_eq!(deflate.figures().inflated_bytes, 65_536);
    drop(client);
    server.stop().await;

    let one_more = frame(FIN | RSV1 | TEXT, &deflated(&[b'a'; 65_537]));
    check_refused("one byte too many", &one_more, 1009).await;
    let bomb = deflated(&vec![0; 50_000_000]);
    assert!(bomb.len() < 65_536);
    check_refused("50 MB", &frame(FIN | RSV1 | BINARY, &bomb), 1009).await;
    let (head, tail) = bomb.split_at(100);
    let split = [frame(RSV1 | BINARY, head), frame(FIN | CONTINUATION, tail)].concat();
    check_refused("50 MB in two fragments", &split, 1009).await;
}

#[tokio::test]
async fn the_bit_stands_on_the_first_frame_of_a_message_only() {
    check_refused("ping", &frame(FIN | RSV1 | PING, b""), 1002).await;
    check_refused("close", &frame(FIN | RSV1 | 0x8, b""), 1002).await;
    let again = [
        frame(RSV1 | TEXT, b"\xf2\x48"),
        frame(FIN | RSV1 | CONTINUATION, b""),
    ]
    .concat();
    check_refused("continuation", &again, 1002).await;
    check_refused("RSV2", &frame(FIN | 0x20 | TEXT, b""), 1002).await;
    check_refused("RSV1 and RSV3", &frame(FIN | 0x50 | TEXT, b""), 1002).await;
}

#[tokio::test]
async fn damaged_messages_are_refused() {
    let text = |payload: &[u8]| frame(FIN | RSV1 | TEXT, payload);
    check_refused("not UTF-8", &text(&deflated(b"\xff\xfe")), 1007).await;
    check_refused("no deflate", &text(&[0xff; 40]), 1007).await;
    check_refused("nothing", &text(b""), 1007).await;
    let whole = deflated(b"a sentence of which the end is missing");
    check_refused("cut short", &text(&whole[..whole.len() - 3]), 1007).await;
    check_refused(
        "inside a stored block",
        &text(&[0x00, 0x09, 0x00, 0xf6, 0xff, b'x']),
        1007,
    )
    .await;
    // The first window was forgotten: nothing may refer to it.
    let back_reference = [0x02, 0x23, 0x00, 0x00];
    check_refused("refers to nothing", &text(&back_reference), 1007).await;
}

fn long_event() -> Event {
    Event {
        room: RoomId([1; 16]),
        seq: Seq(7),
        msg_no: 5,
        v: BODY_VERSION,
        from: Author(UserId([2; 16]), 3),
        key: Key([3; 16]),
        ts: Millis(1_763_780_001_234),
        target: None,
        reply_to: None,
        mentions: Vec::new(),
        body: Body::Message(
            "Minutes of the meeting about the minutes of the meeting. "
                .repeat(20)
                .into(),
        ),
    }
}

/// A route that says one event to everybody, and goodbye.
fn announcing(deflate: Arc<Deflate>, event: Arc<Shared>) -> Router {
    let handler = get(
        async move |Extension(lifetime): Extension<Lifetime>, request: Request| {
            let options = UpgradeOptions {
                deflate: Some(deflate),
                ..UpgradeOptions::default()
            };
            match upgrade(request, &options) {
                Ok((response, socket)) => {
                    lifetime.tasks.spawn(async move {
                        let socket = socket.await.expect("a socket");
                        let dialect = Dialect::of(&socket);
                        let WebSocket {
                            reader,
                            mut writer,
                            permit,
                            ..
                        } = socket;
                        let frame = dialect.event(&event).clone();
                        writer.write_all(&[frame]).await.expect("the peer reads");
                        ws::close(reader, writer, Some(ws::close_frame(1000, ""))).await;
                        drop(permit);
                    });
                    response
                }
                Err(refused) => refused.into_response(),
            }
        },
    );
    Router::new().route("/event", handler)
}

#[tokio::test]
async fn receivers_share_one_compressed_frame() {
    let (setup, deflate) = compressing();
    let event = Shared::new(long_event());
    let server = Server::start(Setup {
        router: announcing(deflate.clone(), event.clone()),
        ..setup
    });
    let mut compressing = [open(&server, "/event").await, open(&server, "/event").await];
    let mut plain = server.connect().await;
    let request = upgrade_request("").replace("/echo", "/event");
    plain.send(request.as_bytes()).await;
    assert!(plain.head().await.starts_with("HTTP/1.1 101 "));

    let whole = plain.rest().await;
    let (first, whole) = raw_frames(&whole)[0];
    assert_eq!(first, FIN | TEXT);
    let mut heard = Vec::new();
    for client in &mut compressing {
        heard.push(client.rest().await);
    }
    assert_eq!(heard[0], heard[1]);
    let (first, packed) = raw_frames(&heard[0])[0];
    assert_eq!(first, FIN | RSV1 | TEXT);
    assert_eq!(inflated(packed), whole);
    let figures = deflate.figures();
    let once = u64::try_from(whole.len()).expect("small");
    assert_eq!(figures.before_bytes, once, "it was compressed once");
    assert!(figures.after_bytes * 3 < once, "{figures:?}");
    drop((compressing, plain));
    server.stop().await;
}
