//! The codec against bad input; good input is in `protocol/vectors` (see `tests/vectors.rs`).

use proptest::prelude::*;

use super::*;

fn check(text: &str, code: ErrorCode, field: Option<&str>, req: Option<u64>) {
    let refusal = decode(text).expect_err(text);
    assert_eq!(
        (refusal.code, refusal.field, refusal.req),
        (code, field, req),
        "{text}: {refusal:?}"
    );
}

const ROOM: &str = "r_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY: &str = "k_aaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn what_is_not_good_json() {
    for text in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{}{}",
        "{\"type\":\"ping\",\"req\":1,}",
        "{\"type\":\"ping\",\"req\":1} x",
        "{\"type\":\"ping\",\"type\":\"ping\",\"req\":1}",
        "{\"type\":\"ping\",\"req\":1,\"x\":{\"a\":1,\"a\":2}}",
        "{\"type\":\"ping\",\"req\":1e400}",
        "{\"type\":\"ping\",\"req\":NaN}",
        "{\"type\":\"ping\",\"req\":01}",
        "{\"type\":\"\\ud800\",\"req\":1}",
        "{\"type\":\"ping\",\"x\":\"\u{1}\"}",
    ] {
        check(text, ErrorCode::BadFrame, None, None);
    }
    let deep = format!(
        "{{\"type\":\"ping\",\"x\":{}1{}}}",
        "[".repeat(16),
        "]".repeat(16)
    );
    check(&deep, ErrorCode::BadFrame, None, None);
}

#[test]
fn what_has_a_bad_field() {
    let bad = ErrorCode::BadField;
    check("{}", bad, Some("type"), None);
    check("{\"type\":7,\"req\":1}", bad, Some("type"), Some(1));
    check("{\"type\":\"ping\"}", bad, Some("req"), None);
    for req in [
        "-1",
        "1.5",
        "1.0",
        "9007199254740992",
        "\"1\"",
        "true",
        "[]",
    ] {
        check(
            &format!("{{\"type\":\"ping\",\"req\":{req}}}"),
            bad,
            Some("req"),
            None,
        );
    }
    check(
        "{\"type\":\"nonsense\",\"req\":3}",
        ErrorCode::UnknownCommand,
        None,
        Some(3),
    );
    check("{\"type\":\"send\",\"req\":3}", bad, Some("key"), Some(3));
    let short = "{\"type\":\"send\",\"req\":3,\"key\":\"k_short\"}";
    check(short, bad, Some("key"), Some(3));
    let send = |text: &str| {
        format!(
            "{{\"type\":\"send\",\"req\":3,\"key\":\"{KEY}\",\"room\":\"{ROOM}\",\"text\":{text}}}"
        )
    };
    assert!(decode(&send("\"x\"")).is_ok());
    check(&send("\"\""), ErrorCode::Blank, Some("text"), Some(3));
    check(&send("\" \\n\""), ErrorCode::Blank, Some("text"), Some(3));
    check(&send("\"a\\u0000b\""), bad, Some("text"), Some(3));
    check(&send("null"), bad, Some("text"), Some(3));
    check(&send("{}"), bad, Some("text"), Some(3));
    let long = "x".repeat(limits::TEXT_BYTES_MAX + 1);
    check(
        &send(&format!("\"{long}\"")),
        ErrorCode::TooLong,
        Some("text"),
        Some(3),
    );
    let rooms = vec![format!("\"{ROOM}\""); limits::OPEN_ROOMS_MAX + 1].join(",");
    check(
        &format!("{{\"type\":\"ping\",\"req\":1,\"rooms\":[{rooms}]}}"),
        bad,
        Some("rooms"),
        Some(1),
    );
    check(
        "{\"type\":\"ping\",\"req\":1,\"rooms\":[\"u_x\"]}",
        bad,
        Some("rooms"),
        Some(1),
    );
    let hello = "{\"type\":\"hello\",\"v\":1,\"token\":\"t\",\"last\":{\"room\":\"x\"}}";
    check(hello, bad, Some("room"), None);
    let create = format!(
        "{{\"type\":\"create\",\"req\":1,\"key\":\"{KEY}\",\"kind\":\"direct\",\"name\":\"x\"}}"
    );
    check(&create, bad, Some("kind"), Some(1));
}

#[test]
fn unknown_fields_are_ignored() {
    let text = "{\"type\":\"ping\",\"req\":1,\"later\":{\"x\":[1.5,-3,null,true]}}";
    assert_eq!(
        decode(text),
        Ok(ClientFrame::Ping {
            req: 1,
            rooms: Vec::new()
        })
    );
}

proptest! {
    /// Whatever the bytes, there is an answer and no panic.
    #[test]
    fn anything_gets_an_answer(text in ".{0,200}") {
        let _answer = decode(&text);
    }

    /// Texts pass byte for byte.
    #[test]
    fn texts_keep_their_bytes(text in "[^\u{0}]{1,80}") {
        let frame = ClientFrame::Send {
            req: 1,
            key: KEY.parse().expect("a key"),
            room: ROOM.parse().expect("a room"),
            body: text.clone().into(),
            reply_to: None,
            mentions: Vec::new(), if_last: None, };
        let bytes = encode(&frame);
        let read = decode(std::str::from_utf8(&bytes).expect("JSON is UTF-8"));
        if text.chars().all(char::is_whitespace) {
            prop_assert_eq!(read.expect_err("blank").code, ErrorCode::Blank);
        } else {
            prop_assert_eq!(read, Ok(frame));
        }
    }
}
