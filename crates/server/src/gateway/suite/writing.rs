//! The writer and reader as a driver uses them: cut off at any moment, and against a slow peer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::response::IntoResponse as _;
use axum::routing::get;
use tokio::sync::oneshot;

use super::{
    BOUND, Client, FIN, Seen, Server, Setup, TEXT, bounded, close_frame, frame, upgrade_request,
};
use crate::gateway::accept::Lifetime;
use crate::gateway::upgrade::{UpgradeOptions, upgrade};
use crate::gateway::ws::{self, Closed, Message, SocketLimits, WebSocket, WriteError, text_frame};

/// Frames that no buffer of the system holds together, and more than one vectored write takes.
const FRAMES: usize = 20_000;
const FRAME_BYTES: usize = 1_000;

/// A server whose only socket is handed to the test, and that socket's client.
pub(super) async fn pair(limits: SocketLimits) -> (Server, Client, WebSocket) {
    let (hand_over, handed) = oneshot::channel();
    let hand_over = Arc::new(Mutex::new(Some(hand_over)));
    let handler = get(
        async move |Extension(lifetime): Extension<Lifetime>, request: Request| {
            let options = UpgradeOptions {
                limits,
                ..UpgradeOptions::default()
            };
            match upgrade(request, &options) {
                Ok((response, socket)) => {
                    let hand_over = hand_over
                        .lock()
                        .expect("never poisoned")
                        .take()
                        .expect("one socket");
                    lifetime.tasks.spawn(async move {
                        hand_over
                            .send(socket.await.expect("a socket"))
                            .expect("awaited")
                    });
                    response
                }
                Err(refused) => refused.into_response(),
            }
        },
    );
    let server = Server::start(Setup {
        router: Router::new().route("/pair", handler),
        ..Setup::default()
    });
    let mut client = server.connect().await;
    client
        .send(upgrade_request("").replace("/echo", "/pair").as_bytes())
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    let socket = bounded("the socket", handed).await.expect("handed over");
    (server, client, socket)
}

pub(super) fn roomy() -> SocketLimits {
    let queued_bytes_max = 2 * FRAMES * FRAME_BYTES;
    SocketLimits {
        queued_bytes_max,
        write_stall: BOUND,
        closing: BOUND,
        linger: BOUND,
        ..SocketLimits::STANDARD
    }
}

/// A numbered text, so that loss, repetition and disorder show.
fn numbered(number: usize) -> String {
    format!("{number:0FRAME_BYTES$}")
}

#[tokio::test]
async fn a_write_that_is_cut_off_again_and_again_loses_and_repeats_nothing() {
    let (server, mut client, socket) = pair(roomy()).await;
    let WebSocket {
        reader,
        mut writer,
        permit,
        ..
    } = socket;
    let frames: Vec<_> = (0..FRAMES)
        .map(|number| text_frame(numbered(number).as_bytes()))
        .collect();
    let writing = async {
        let mut cut_off = 0;
        let (first, later) = frames.split_at(FRAMES / 2);
        tokio::select! {
            biased;
            result = writer.write_all(first) => panic!("ten megabytes fit into no buffer: {result:?}"),
            () = tokio::task::yield_now() => cut_off += 1,
        }
        assert!(writer.is_blocked());
        let whole = writer.try_write(&mut later.to_vec()).expect("a peer");
        assert!(!whole, "what waits goes first");
        while writer.is_blocked() {
            tokio::select! {
                biased;
                result = writer.flush() => result.expect("the peer reads"),
                () = tokio::task::yield_now() => cut_off += 1,
            }
        }
        assert!(cut_off > 1, "it was cut off only once");
        ws::close(reader, writer, Some(ws::close_frame(1000, ""))).await;
    };
    let reading = async {
        let heard = client.frames().await;
        drop(client);
        heard
    };
    let (heard, ()) = bounded("both sides", async { tokio::join!(reading, writing) }).await;
    assert_eq!(heard.len(), FRAMES + 1);
    for (number, seen) in heard[..FRAMES].iter().enumerate() {
        assert_eq!(*seen, Seen::Text(numbered(number)));
    }
    assert_eq!(heard[FRAMES], Seen::Close(Some(1000)));
    drop(permit);
    server.stop().await;
}

#[tokio::test]
async fn a_full_writer_takes_nothing_of_what_does_not_fit() {
    let (server, mut client, socket) = pair(SocketLimits {
        queued_bytes_max: 10,
        closing: BOUND,
        linger: BOUND,
        ..SocketLimits::STANDARD
    })
    .await;
    let WebSocket {
        reader,
        mut writer,
        permit,
        ..
    } = socket;
    let frame = text_frame(b"1234");
    let both = [frame.clone(), frame.clone()];
    let full = writer.write_all(&both).await;
    assert!(matches!(full, Err(WriteError::Full)), "{full:?}");
    writer.write_all(&[frame]).await.expect("the peer reads");
    let closing = ws::close(
        reader,
        writer,
        Some(ws::close_frame(
            1001,
            "a reason that is longer than ten bytes",
        )),
    );
    let reading = async {
        let heard = client.frames().await;
        drop(client);
        heard
    };
    let (heard, ()) = bounded("both sides", async { tokio::join!(reading, closing) }).await;
    assert_eq!(
        heard,
        [Seen::Text("1234".to_owned()), Seen::Close(Some(1001))]
    );
    drop(permit);
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_reported_as_stalled() {
    let (server, client, mut socket) = pair(SocketLimits {
        write_stall: Duration::from_millis(50),
        ..roomy()
    })
    .await;
    let frames: Vec<_> = (0..FRAMES)
        .map(|number| text_frame(numbered(number).as_bytes()))
        .collect();
    let result = bounded("a verdict", socket.writer.write_all(&frames)).await;
    assert!(matches!(result, Err(WriteError::Stalled)), "{result:?}");
    drop((socket, client));
    server.stop().await;
}

#[tokio::test]
async fn a_read_that_is_cut_off_at_every_byte_loses_nothing() {
    let (server, mut client, socket) = pair(roomy()).await;
    let WebSocket {
        mut reader,
        writer,
        permit,
        ..
    } = socket;
    let texts = ["one", "", "three \u{1f41f}"];
    let mut bytes: Vec<u8> = texts
        .iter()
        .flat_map(|text| frame(FIN | TEXT, text.as_bytes()))
        .collect();
    bytes.extend(close_frame(4001));
    let mut heard = Vec::new();
    let mut closed = None;
    for byte in bytes {
        client.send(&[byte]).await;
        // Long enough for the byte to arrive mostly; whether it has makes no difference.
        while let Ok(next) = tokio::time::timeout(Duration::from_millis(1), reader.next()).await {
            match next {
                Ok(message) => heard.push(message),
                Err(reason) => {
                    closed = Some(reason);
                    break;
                }
            }
        }
    }
    let closed = match closed {
        Some(closed) => closed,
        None => loop {
            match bounded("the rest", reader.next()).await {
                Ok(message) => heard.push(message),
                Err(closed) => break closed,
            }
        },
    };
    assert_eq!(heard, texts.map(|text| Message::Text(text.to_owned())));
    assert!(
        matches!(&closed, Closed::ByPeer(Some(said)) if said.code == 4001),
        "{closed:?}"
    );
    let reading = async {
        let heard = client.frames().await;
        drop(client);
        heard
    };
    let (heard, ()) = bounded("both sides", async {
        tokio::join!(reading, ws::close(reader, writer, closed.answer()))
    })
    .await;
    assert_eq!(heard, [Seen::Close(Some(4001))]);
    drop(permit);
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_told_nothing() {
    let (server, client, mut socket) = pair(roomy()).await;
    drop(client);
    let closed = bounded("the end", socket.reader.next())
        .await
        .expect_err("nothing was sent");
    assert!(
        matches!(closed, Closed::HungUp | Closed::Lost(_)),
        "{closed:?}"
    );
    assert_eq!(closed.answer(), None);
    drop(socket);
    server.stop().await;
}

/// Ten thousand of them are idle most of the time.
#[test]
fn an_idle_socket_is_small() {
    assert!(
        size_of::<WebSocket>() <= 640,
        "{} bytes",
        size_of::<WebSocket>()
    );
}
