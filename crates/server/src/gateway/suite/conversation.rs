//! How the suite talks: the same bytes in every way of delivery, against the answers expected.

use super::{FIN, Seen, Server, Setup, TEXT, close_frame, frame, upgrade_request};

#[derive(Debug, Clone, Copy)]
enum Delivery {
    Whole,
    ByteByByte,
    /// In the same write as the upgrade request.
    Glued,
}

/// The bytes of `frames` are sent in every way of delivery, and the peer hears exactly `expected`
/// before FIN.
pub(super) async fn check_raw(name: &str, frames: &[Vec<u8>], expected: &[Seen]) {
    let server = Server::start(Setup::default());
    let bytes = frames.concat();
    for delivery in [Delivery::Whole, Delivery::ByteByByte, Delivery::Glued] {
        let mut client;
        match delivery {
            Delivery::Whole => {
                client = server.open().await;
                client.send(&bytes).await;
            }
            // Large payloads gain nothing by it but time.
            Delivery::ByteByByte if bytes.len() > 1_000 => continue,
            Delivery::ByteByByte => {
                client = server.open().await;
                for byte in &bytes {
                    client.send(&[*byte]).await;
                    tokio::task::yield_now().await;
                }
            }
            Delivery::Glued => {
                client = server.connect().await;
                client
                    .send(&[upgrade_request("").as_bytes(), &bytes].concat())
                    .await;
                assert!(client.head().await.starts_with("HTTP/1.1 101 "));
            }
        }
        assert_eq!(client.frames().await, expected, "{name}, {delivery:?}");
    }
    server.stop().await;
}

/// A conversation that stays valid: it is ended by the client, whose code is echoed.
pub(super) async fn check(name: &str, frames: &[Vec<u8>], expected: &[Seen]) {
    let mut frames = frames.to_vec();
    frames.push(close_frame(1000));
    let mut expected = expected.to_vec();
    expected.push(Seen::Close(Some(1000)));
    check_raw(name, &frames, &expected).await;
}

/// A conversation that the server ends with `code`, although the client would go on.
pub(super) async fn check_refused(name: &str, frames: &[Vec<u8>], before: &[Seen], code: u16) {
    let mut expected = before.to_vec();
    expected.push(Seen::Close(Some(code)));
    check_raw(name, frames, &expected).await;
    let mut frames = frames.to_vec();
    frames.push(frame(FIN | TEXT, b"after"));
    frames.push(close_frame(1000));
    check_raw(name, &frames, &expected).await;
}
