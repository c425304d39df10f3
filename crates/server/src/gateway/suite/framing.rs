//! Headers, masks and fragments: the ground of Autobahn's cases 1 to 5 and 10.

use super::conversation::{check, check_refused};
use super::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Seen, TEXT, frame, seen_text};

#[tokio::test]
async fn messages_of_every_header_length_come_back() {
    for length in [0, 1, 7, 8, 9, 125, 126, 127, 128, 65_535, 65_536] {
        let text = "*".repeat(length);
        check(
            "text",
            &[frame(FIN | TEXT, text.as_bytes())],
            &[seen_text(&text)],
        )
        .await;
        let bytes = vec![0xfe; length];
        check(
            "binary",
            &[frame(FIN | BINARY, &bytes)],
            &[Seen::Binary(bytes.clone())],
        )
        .await;
    }
}

#[tokio::test]
async fn pings_are_answered_and_pongs_are_not() {
    check("empty", &[frame(FIN | PING, b"")], &[Seen::Pong(vec![])]).await;
    let longest = vec![0xfe; 125];
    check(
        "longest",
        &[frame(FIN | PING, &longest)],
        &[Seen::Pong(longest.clone())],
    )
    .await;
    check("pong", &[frame(FIN | PONG, b"unsolicited")], &[]).await;
    let ten: Vec<_> = (0..10).map(|number| frame(FIN | PING, &[number])).collect();
    let answers: Vec<_> = (0..10).map(|number| Seen::Pong(vec![number])).collect();
    check("ten at once", &ten, &answers).await;
    check_refused("too long", &[frame(FIN | PING, &[0xfe; 126])], &[], 1002).await;
}

#[tokio::test]
async fn reserved_bits_are_a_protocol_error() {
    for bits in 1..=7u8 {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let frames = [
                frame(FIN | TEXT, b"before"),
                frame(FIN | (bits << 4) | opcode, b""),
            ];
            check_refused("reserved bits", &frames, &[seen_text("before")], 1002).await;
        }
    }
}

#[tokio::test]
async fn reserved_opcodes_are_a_protocol_error() {
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        let frames = [frame(FIN | TEXT, b"before"), frame(FIN | opcode, b"x")];
        check_refused("reserved opcode", &frames, &[seen_text("before")], 1002).await;
    }
}

#[tokio::test]
async fn fragments_are_joined_and_control_frames_come_between() {
    let parts = |between: Vec<Vec<u8>>| {
        let mut frames = vec![frame(TEXT, b"frag")];
        frames.extend(between);
        frames.push(frame(FIN | CONTINUATION, b"ment"));
        frames
    };
    check("plain", &parts(vec![]), &[seen_text("fragment")]).await;
    let ping = vec![frame(FIN | PING, b"now")];
    check(
        "ping between",
        &parts(ping),
        &[Seen::Pong(b"now".to_vec()), seen_text("fragment")],
    )
    .await;
    let empty = vec![
        frame(CONTINUATION, b""),
        frame(FIN | PONG, b"x"),
        frame(CONTINUATION, b""),
    ];
    check("empty between", &parts(empty), &[seen_text("fragment")]).await;
    let all_empty = [
        frame(BINARY, b""),
        frame(CONTINUATION, b""),
        frame(FIN | CONTINUATION, b""),
    ];
    check("all empty", &all_empty, &[Seen::Binary(vec![])]).await;
    let twice = [parts(vec![]), parts(vec![])].concat();
    check(
        "twice",
        &twice,
        &[seen_text("fragment"), seen_text("fragment")],
    )
    .await;
    let many: Vec<_> = std::iter::once(frame(BINARY, &[7; 1_300]))
        .chain((0..50).map(|number| {
            frame(
                if number == 49 { FIN } else { 0 } | CONTINUATION,
                &[7; 1_270],
            )
        }))
        .collect();
    check(
        "51 fragments of a large message",
        &many,
        &[Seen::Binary(vec![7; 64_800])],
    )
    .await;
}

#[tokio::test]
async fn fragments_out_of_order_are_a_protocol_error() {
    let start = frame(TEXT, b"one");
    for first in [CONTINUATION, FIN | CONTINUATION] {
        check_refused("continuation of nothing", &[frame(first, b"x")], &[], 1002).await;
        let frames = [frame(FIN | TEXT, b"whole"), frame(first, b"x")];
        check_refused(
            "continuation after the end",
            &frames,
            &[seen_text("whole")],
            1002,
        )
        .await;
    }
    for first in [TEXT, FIN | TEXT, BINARY, FIN | BINARY] {
        check_refused(
            "message inside a message",
            &[start.clone(), frame(first, b"two")],
            &[],
            1002,
        )
        .await;
    }
    for first in [PING, PONG, CLOSE] {
        check_refused("fragmented control frame", &[frame(first, b"")], &[], 1002).await;
        check_refused(
            "and inside a message",
            &[start.clone(), frame(first, b"")],
            &[],
            1002,
        )
        .await;
    }
}

#[tokio::test]
async fn client_frames_must_be_masked() {
    for bytes in [
        vec![0x81, 2, b'h', b'i'],
        vec![0x89, 0],
        vec![0x88, 2, 3, 0xe8],
    ] {
        check_refused("unmasked", &[bytes], &[], 1002).await;
    }
}

#[tokio::test]
async fn lengths_must_be_in_their_shortest_form() {
    let header = |length: &[u8]| [[0x82].as_slice(), length, &[1, 2, 3, 4]].concat();
    check_refused(
        "16 bits for 125",
        &[header(&[0x80 | 126, 0, 125])],
        &[],
        1002,
    )
    .await;
    check_refused(
        "64 bits for 65,535",
        &[header(&[0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff])],
        &[],
        1002,
    )
    .await;
    check_refused(
        "top bit",
        &[header(&[0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0])],
        &[],
        1002,
    )
    .await;
}
