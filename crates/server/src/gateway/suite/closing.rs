//! Close frames and what follows them: the ground of Autobahn's cases 7.

use super::conversation::{check_raw, check_refused};
use super::{CLOSE, FIN, PING, Seen, TEXT, close_frame, frame};

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
