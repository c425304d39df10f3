//! What Autobahn does not look at: sizes, floods, and peers that do not read.

use std::time::Duration;

use super::{
    BINARY, CONTINUATION, FIN, PING, PONG, Seen, Server, Setup, TEXT, bounded, close_frame, frame,
    seen_text,
};
use crate::gateway::ws::{FrameLimits, SocketLimits};

/// `bytes` are sent in one go; the peer must hear `expected` and then FIN.
async fn check(name: &str, bytes: &[u8], expected: &[Seen]) {
    let server = Server::start(Setup::default());
    let client = server.open().await;
    let (mut read, mut write) = client.stream.into_split();
    // A flood is larger than the system's buffers: it is sent while the answers are read, and the
    // server may well be gone before its end.
    let sending = async {
        use tokio::io::AsyncWriteExt as _;
        if write.write_all(bytes).await.is_err() {
            assert!(
                bytes.len() > 65_536,
                "{name}: nothing this small may be cut off"
            );
        }
        write
    };
    let reading = async {
        use tokio::io::AsyncReadExt as _;
        let mut heard = Vec::new();
        read.read_to_end(&mut heard)
            .await
            .expect("FIN, not a reset");
        super::parse(&heard)
    };
    let (_write, heard) = bounded(name, async { tokio::join!(sending, reading) }).await;
    assert_eq!(heard, expected, "{name}");
    drop(read);
    drop(_write);
    server.stop().await;
}

fn header(first: u8, length: u64) -> Vec<u8> {
    [
        &[first, 0x80 | 127],
        length.to_be_bytes().as_slice(),
        &[1, 2, 3, 4],
    ]
    .concat()
}

#[tokio::test]
async fn an_announced_length_is_judged_by_its_header() {
    let too_big = &[Seen::Close(Some(1009))];
    for length in [65_537, 1 << 20, 1 << 32, 1 << 40, i64::MAX.unsigned_abs()] {
        check("binary", &header(FIN | BINARY, length), too_big).await;
        check("text", &header(FIN | TEXT, length), too_big).await;
        check("fragment", &header(TEXT, length), too_big).await;
    }
}

#[tokio::test]
async fn fragments_add_up_to_the_size_of_a_message() {
    let most = frame(BINARY, &[0; 65_536]);
    check(
        "one too many",
        &[most.clone(), frame(CONTINUATION, b"x")].concat(),
        &[Seen::Close(Some(1009))],
    )
    .await;
    let exact = [most, frame(FIN | CONTINUATION, b""), close_frame(1000)].concat();
    check(
        "exact",
        &exact,
        &[Seen::Binary(vec![0; 65_536]), Seen::Close(Some(1000))],
    )
    .await;
}

#[tokio::test]
async fn fragments_are_counted_empty_ones_too() {
    let mut sixty_four = frame(TEXT, b"a");
    sixty_four.extend(frame(CONTINUATION, b"").repeat(62));
    let good = [
        sixty_four.clone(),
        frame(FIN | CONTINUATION, b"z"),
        close_frame(1000),
    ]
    .concat();
    check("64", &good, &[seen_text("az"), Seen::Close(Some(1000))]).await;
    sixty_four.extend(frame(CONTINUATION, b"").repeat(2));
    check("65", &sixty_four, &[Seen::Close(Some(1008))]).await;
    let flood = [frame(TEXT, b""), frame(CONTINUATION, b"").repeat(100_000)].concat();
    check("100,000", &flood, &[Seen::Close(Some(1008))]).await;
}

#[tokio::test]
async fn control_frames_have_a_rate() {
    let server = Server::start(Setup::default());
    let mut client = server.open().await;
    client.send(&frame(FIN | PING, b"x").repeat(2_000)).await;
    let heard = client.frames().await;
    let (last, pongs) = heard.split_last().expect("something was said");
    assert_eq!(*last, Seen::Close(Some(1008)));
    assert!(
        pongs.iter().all(|seen| *seen == Seen::Pong(b"x".to_vec())),
        "{pongs:?}"
    );
    // The burst at once, and what the machine's slowness earned beyond it.
    assert!((20..2_000).contains(&pongs.len()), "{}", pongs.len());
    drop(client);

    let mut client = server.open().await;
    client.send(&frame(FIN | PONG, b"").repeat(2_000)).await;
    assert_eq!(client.frames().await, [Seen::Close(Some(1008))]);
    drop(client);
    server.stop().await;
}

/// A peer that sends and never reads must not hold a writer for ever.
#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up() {
    let frames = FrameLimits {
        message_bytes_max: 1 << 20,
        frame_bytes_max: 1 << 20,
        ..FrameLimits::STANDARD
    };
    let limits = SocketLimits {
        frames,
        write_stall: Duration::from_millis(100),
        queued_bytes_max: 4 << 20,
        ..SocketLimits::STANDARD
    };
    let server = Server::start(Setup {
        limits,
        ..Setup::default()
    });
    let mut client = server.open().await;
    let large = frame(FIN | BINARY, &vec![1; 1 << 20]);
    let flooding = async {
        use tokio::io::AsyncWriteExt as _;
        // Ends when the server has hung up: its echoes fill every buffer on the way.
        while client.stream.write_all(&large).await.is_ok() {}
    };
    bounded("the server hangs up", flooding).await;
    server.settle(0).await;
    server.stop().await;
}

/// Whoever does not answer the close frame is left alone after the linger time.
#[tokio::test]
async fn a_peer_that_never_hangs_up_is_left_after_the_linger_time() {
    let limits = SocketLimits {
        linger: Duration::from_millis(50),
        ..SocketLimits::STANDARD
    };
    let server = Server::start(Setup {
        limits,
        ..Setup::default()
    });
    let mut client = server.open().await;
    client.send(&[0xff]).await;
    assert_eq!(client.frames().await, [Seen::Close(Some(1002))]);
    server.settle(0).await;
    drop(client);
    server.stop().await;
}
