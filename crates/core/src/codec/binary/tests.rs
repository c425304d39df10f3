//! The binary form against bad input; good input is in `protocol/vectors` and `tests/codecs`.

use super::cbor::{Reader, Writer};
use super::*;
use crate::codec;
use crate::event::{Author, BODY_VERSION, Body};
use crate::ids::{Key, Millis, RoomId, Seq, UserId};
use crate::limits;

/// What an item of a frame is, to be written down quickly.
enum To {
    Number(u64),
    Signed(i64),
    Id,
    Text(&'static str),
    Long(usize),
    Null,
    True,
    List(Vec<To>),
}
use To::{Id, List, Long, Null, Number, Signed, Text, True};

fn write(item: &To, to: &mut Writer) {
    match item {
        Number(number) => to.number(*number),
        Signed(number) => to.signed(*number),
        Id => to.bytes(&[7; 16]),
        Text(text) => to.text(text),
        Long(length) => to.text(&"x".repeat(*length)),
        Null => to.null(),
        True => to.bool(true),
        List(items) => {
            to.array(items.len());
            items.iter().for_each(|item| write(item, to));
        }
    }
}

fn bytes(items: Vec<To>) -> Vec<u8> {
    let mut to = Writer::default();
    write(&List(items), &mut to);
    to.bytes
}

fn check(items: Vec<To>, code: ErrorCode, field: Option<&str>, req: Option<u64>) {
    let bytes = bytes(items);
    let refusal = decode(&bytes).expect_err("a bad frame");
    let found = (refusal.code, refusal.field, refusal.req);
    assert_eq!(found, (code, field, req), "{bytes:x?}: {refusal:?}");
}

#[test]
fn what_is_not_good_cbor() {
    for bytes in [
        &[][..],
        &[0x00],
        &[0xa0],
        &[0x81, 0x00, 0x00],
        b"{\"type\":\"ping\",\"req\":1}",
        &[0x82, 0x11],
        &[0x83, 0x11, 0x01, 0xa1, 0x00, 0x00],
    ] {
        let refusal = decode(bytes).expect_err("a bad frame");
        let found = (refusal.code, refusal.field, refusal.req);
        assert_eq!(found, (ErrorCode::BadFrame, None, None), "{bytes:x?}");
    }
    let mut deep = vec![0x83, 0x11, 0x01];
    deep.extend([0x81; 16]);
    deep.push(0x00);
    let refusal = decode(&deep).expect_err("too deep");
    assert_eq!(refusal.code, ErrorCode::BadFrame);
}

#[test]
fn what_has_a_bad_field() {
    let bad = ErrorCode::BadField;
    check(vec![], bad, Some("type"), None);
    check(vec![Text("ping"), Number(1)], bad, Some("type"), Some(1));
    check(vec![Null, Number(1)], bad, Some("type"), Some(1));
    check(vec![Number(17)], bad, Some("req"), None);
    check(vec![Number(99)], bad, Some("req"), None);
    let unknown = ErrorCode::UnknownCommand;
    check(vec![Number(99), Number(3)], unknown, None, Some(3));
    for req in [
        Signed(-1),
        Number(1 << 53),
        Text("1"),
        True,
        List(vec![]),
        Null,
    ] {
        check(vec![Number(17), req], bad, Some("req"), None);
    }
    check(vec![Number(3), Number(3)], bad, Some("key"), Some(3));
    check(
        vec![Number(3), Number(3), Text("k")],
        bad,
        Some("key"),
        Some(3),
    );
    let send = |text| vec![Number(3), Number(3), Id, Id, text];
    assert!(decode(&bytes(send(Text("x")))).is_ok());
    check(send(Text("")), ErrorCode::Blank, Some("text"), Some(3));
    check(send(Text(" \n")), ErrorCode::Blank, Some("text"), Some(3));
    check(send(Text("a\0b")), bad, Some("text"), Some(3));
    check(send(Null), bad, Some("text"), Some(3));
    check(send(Number(1)), bad, Some("text"), Some(3));
    let long = Long(limits::TEXT_BYTES_MAX + 1);
    check(send(long), ErrorCode::TooLong, Some("text"), Some(3));
    let ids = |count| List((0..count).map(|_| Id).collect());
    let many = ids(limits::OPEN_ROOMS_MAX + 1);
    check(
        vec![Number(17), Number(1), many],
        bad,
        Some("rooms"),
        Some(1),
    );
    let many = ids(limits::PROFILES_MAX + 1);
    check(
        vec![Number(15), Number(1), many],
        bad,
        Some("users"),
        Some(1),
    );
    let rooms = List(vec![Text("u_x")]);
    check(
        vec![Number(17), Number(1), rooms],
        bad,
        Some("rooms"),
        Some(1),
    );
    let last = List(vec![Text("x")]);
    let hello = vec![Number(0), Number(1), Text("t"), Null, Null, Null, last];
    check(hello, bad, Some("room"), None);
    let position = vec![Number(0), Number(1), Text("t"), Null, Null, Text("1729")];
    check(position, bad, Some("position"), None);
    let create = |kind, name| vec![Number(4), Number(1), Id, kind, name];
    assert!(decode(&bytes(create(Number(1), Text("x")))).is_ok());
    check(create(Number(0), Text("x")), bad, Some("kind"), Some(1));
    check(create(Number(3), Text("x")), bad, Some("kind"), Some(1));
    check(create(Number(1), Text(" x")), bad, Some("name"), Some(1));
}

#[test]
fn unknown_fields_are_ignored() {
    let later = List(vec![Signed(-3), Null, True, List(vec![]), Id]);
    let ping = vec![Number(17), Number(1), Null, Text("later"), later];
    let expected = ClientFrame::Ping {
        req: 1,
        rooms: Vec::new(),
    };
    assert_eq!(decode(&bytes(ping)), Ok(expected));
}

#[test]
fn every_number_names_one_frame() {
    for frames in tables() {
        let numbers: Vec<u64> = frames.iter().map(|(number, ..)| *number).collect();
        let once = numbers.windows(2).all(|two| two[0] < two[1]);
        assert!(once && numbers[0] == 0, "{numbers:?}");
    }
}

/// Bytes of both forms, of what is sent most. The mission wants half.
#[test]
fn the_binary_form_is_half_of_json() {
    let text = |text: &str| {
        ServerFrame::Event(Event {
            room: RoomId([1; 16]),
            seq: Seq(1_234),
            msg_no: 1_180,
            v: BODY_VERSION,
            from: Author(UserId([2; 16]), 3),
            key: Key([3; 16]),
            ts: Millis(1_795_324_500_285),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body: Body::Message(text.into()),
        })
    };
    let marker = ServerFrame::Marker {
        room: RoomId([1; 16]),
        delivered: Seq(1_234),
        read: Seq(1_230),
        unread: 4,
        mentions: 0,
    };
    let ack = ServerFrame::Ack {
        req: 7,
        room: RoomId([1; 16]),
        seq: Seq(1_234),
        msg_no: 1_180,
        ts: Millis(1_795_324_500_285),
    };
    for (what, frame, percent_max) in [
        ("event of 3 bytes", text("ok!"), 35),
        (
            "event of 43 bytes",
            text("Is anybody here? The meeting began at nine."),
            46,
        ),
        ("event of 64 bytes", text(&"01234567".repeat(8)), 50),
        ("marker", marker, 35),
        ("ack", ack, 35),
    ] {
        let (json, binary) = (codec::encode(&frame).len(), encode(&frame).len());
        println!("{what}: {json} bytes of JSON, {binary} in binary");
        assert!(
            binary * 100 <= json * percent_max,
            "{what}: {binary} of {json} bytes"
        );
    }
    let mark = ClientFrame::Mark {
        req: 30,
        room: RoomId([1; 16]),
        delivered: Some(Seq(1_234)),
        read: Some(Seq(1_230)),
    };
    let (json, binary) = (codec::encode(&mark).len(), encode_client(&mark).len());
    println!("mark: {json} bytes of JSON, {binary} in binary");
    assert!(binary * 100 <= json * 40, "mark: {binary} of {json} bytes");
}

#[test]
fn what_the_check_passed_can_be_passed_over() {
    let bytes = bytes(vec![Number(17), Number(1), List(vec![Id, Id])]);
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.skip(), Ok(()));
    assert!(reader.item().is_err(), "nothing is left");
}
