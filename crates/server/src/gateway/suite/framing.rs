//! Frames, fragments, text and closing: the ground of Autobahn's cases 1 to 7 and 10.

use super::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Seen, Server, Setup, TEXT, close_frame, frame,
    seen_text, upgrade_request,
};

/// How the bytes reach the server.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    Whole,
    ByteByByte,
    /// In the same write as the upgrade request.
    Glued,
}

/// The bytes of `frames` are sent in every way of delivery, and the peer hears exactly `expected`
/// before FIN.
async fn check_raw(name: &str, frames: &[Vec<u8>], expected: &[Seen]) {
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
async fn check(name: &str, frames: &[Vec<u8>], expected: &[Seen]) {
    let mut frames = frames.to_vec();
    frames.push(close_frame(1000));
    let mut expected = expected.to_vec();
    expected.push(Seen::Close(Some(1000)));
    check_raw(name, &frames, &expected).await;
}

/// A conversation that the server ends with `code`, although the client would go on.
async fn check_refused(name: &str, frames: &[Vec<u8>], before: &[Seen], code: u16) {
    let mut expected = before.to_vec();
    expected.push(Seen::Close(Some(code)));
    check_raw(name, frames, &expected).await;
    let mut frames = frames.to_vec();
    frames.push(frame(FIN | TEXT, b"after"));
    frames.push(close_frame(1000));
    check_raw(name, &frames, &expected).await;
}

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

/// Valid: the ends of every range that RFC 3629 allows, and its noncharacters.
const GOOD_TEXTS: &[&str] = &[
    "",
    "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
    "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
    "\0",
    "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}",
    "\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{1fffe}\u{feff}",
];

/// Invalid, and by which byte at the latest: overlong forms, surrogates, beyond the last code
/// point, lone continuation bytes, impossible bytes, broken sequences.
const BAD_TEXTS: &[(&[u8], usize)] = &[
    (b"\x80", 1),
    (b"\xbf", 1),
    (b"\xc0\xaf", 1),
    (b"\xc1\xbf", 1),
    (b"\xe0\x80\xaf", 2),
    (b"\xe0\x9f\xbf", 2),
    (b"\xf0\x80\x80\xaf", 2),
    (b"\xf0\x8f\xbf\xbf", 2),
    (b"\xed\xa0\x80", 2),
    (b"\xed\xbf\xbf", 2),
    (b"\xf4\x90\x80\x80", 2),
    (b"\xf5\x80\x80\x80", 1),
    (b"\xf8\x88\x80\x80\x80", 1),
    (b"\xfe", 1),
    (b"\xff", 1),
    (b"\xe2\x82x", 3),
    (b"\xf0\x9f\x98 ", 4),
    (b"\xc3\xc3", 2),
];

#[tokio::test]
async fn text_is_checked_whole_in_one_frame_and_in_fragments_cut_anywhere() {
    for text in GOOD_TEXTS {
        check(
            "one frame",
            &[frame(FIN | TEXT, text.as_bytes())],
            &[seen_text(text)],
        )
        .await;
        let mut frames: Vec<_> = text
            .bytes()
            .map(|byte| frame(CONTINUATION, &[byte]))
            .collect();
        frames.insert(0, frame(TEXT, b""));
        frames.push(frame(FIN | CONTINUATION, b""));
        check("a fragment for every byte", &frames, &[seen_text(text)]).await;
    }
    for (bytes, _) in BAD_TEXTS {
        let framed = [b"before ", *bytes, b" after"].concat();
        check_refused("one frame", &[frame(FIN | TEXT, &framed)], &[], 1007).await;
        check(
            "as binary",
            &[frame(FIN | BINARY, &framed)],
            &[Seen::Binary(framed.clone())],
        )
        .await;
    }
    for cut in [b"\xc3".as_slice(), b"\xe2\x82", b"\xf0\x9f\x98"] {
        check_refused(
            "ends inside a character",
            &[frame(FIN | TEXT, cut)],
            &[],
            1007,
        )
        .await;
        let frames = [frame(TEXT, cut), frame(FIN | CONTINUATION, b"")];
        check_refused("and in a fragment", &frames, &[], 1007).await;
    }
}

#[tokio::test]
async fn bad_text_fails_as_soon_as_it_is_known_to_be_bad() {
    for (bytes, fatal) in BAD_TEXTS {
        let head = [b"caf\xc3\xa9 ".as_slice(), &bytes[..*fatal]].concat();
        // The rest of the message never comes: only the byte that breaks it can end this.
        check_raw(
            "fragment",
            &[frame(TEXT, &head)],
            &[Seen::Close(Some(1007))],
        )
        .await;
        let mut announced = frame(FIN | TEXT, &[head.as_slice(), b"that never comes"].concat());
        announced.truncate(2 + 4 + head.len());
        check_raw("part of a frame", &[announced], &[Seen::Close(Some(1007))]).await;
        let cut = head.len() - 1;
        let frames = [
            frame(TEXT, &head[..cut]),
            frame(FIN | PING, b""),
            frame(CONTINUATION, &head[cut..]),
        ];
        check_raw(
            "two fragments",
            &frames,
            &[Seen::Pong(vec![]), Seen::Close(Some(1007))],
        )
        .await;
    }
}

#[tokio::test]
async fn close_codes_are_echoed_or_refused() {
    let valid = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1014, 3000, 3999, 4000, 4999,
    ];
    for code in valid {
        check_raw("valid", &[close_frame(code)], &[Seen::Close(Some(code))]).await;
    }
    for code in [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        check_refused("invalid", &[close_frame(code)], &[], 1002).await;
    }
}

#[tokio::test]
async fn close_payloads_are_checked() {
    check_raw("empty", &[frame(FIN | CLOSE, b"")], &[Seen::Close(None)]).await;
    check_refused("one byte", &[frame(FIN | CLOSE, &[3])], &[], 1002).await;
    let with = |reason: &[u8]| {
        [frame(
            FIN | CLOSE,
            &[&1000u16.to_be_bytes(), reason].concat(),
        )]
    };
    check_raw(
        "with a reason",
        &with("\u{e9}nough".as_bytes()),
        &[Seen::Close(Some(1000))],
    )
    .await;
    check_raw(
        "longest reason",
        &with(&[b'r'; 123]),
        &[Seen::Close(Some(1000))],
    )
    .await;
    check_refused("too long", &with(&[b'r'; 124]), &[], 1002).await;
    check_refused("not UTF-8", &with(b"\xce\xba\xed\xa0\x80"), &[], 1007).await;
}

#[tokio::test]
async fn nothing_after_a_close_frame_is_heard() {
    let closed = &[Seen::Close(Some(1000))];
    for after in [
        frame(FIN | TEXT, b"late"),
        frame(FIN | PING, b"late"),
        close_frame(1001),
        vec![0xff; 64],
    ] {
        check_raw("after close", &[close_frame(1000), after], closed).await;
    }
    check_raw(
        "inside a message",
        &[frame(TEXT, b"half"), close_frame(1000)],
        closed,
    )
    .await;
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
