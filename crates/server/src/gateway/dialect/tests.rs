//! The forms of a frame, one beside the other: what is shared, what is refused, what is packed.

use chinwag_core::event::{Author, BODY_VERSION, Body, Event};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};

use super::*;
use crate::gateway::ws::{DeflateFigures, ping_frame};

fn event(text: String) -> Event {
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
        body: Body::Message(text.into()),
    }
}

fn long_event() -> Event {
    event("the same words again and again; ".repeat(40))
}

fn dialect(codec: Codec, deflate: Option<&Arc<Deflate>>) -> Dialect {
    Dialect {
        codec,
        deflate: deflate.cloned(),
        together: AtomicBool::new(false),
    }
}

#[test]
fn an_event_is_compressed_once_for_all_who_take_it() {
    for (codec, plain_first, compressed_first) in
        [(Codec::Json, 0x81, 0xc1), (Codec::Binary, 0x82, 0xc2)]
    {
        let deflate = Arc::new(Deflate::default());
        let one = dialect(codec, Some(&deflate));
        let other = dialect(codec, Some(&deflate));
        let event = Shared::new(long_event());
        let first = one.event(&event).clone();
        let figures = deflate.figures();
        let second = other.event(&event).clone();
        assert_eq!(first.as_ptr(), second.as_ptr(), "the bytes are shared");
        assert_eq!(deflate.figures(), figures, "and were made once");
        let plain = dialect(codec, None);
        let whole = plain.event(&event);
        assert_eq!((whole[0], first[0]), (plain_first, compressed_first));
        assert!(
            first.len() * 4 < whole.len(),
            "{} {}",
            first.len(),
            whole.len()
        );
    }
}

#[test]
fn a_small_event_has_one_frame_for_everybody_of_a_codec() {
    let deflate = Arc::new(Deflate::default());
    let event = Shared::new(event("Is anybody here?".to_owned()));
    for codec in [Codec::Json, Codec::Binary] {
        let plain = dialect(codec, None).event(&event).as_ptr();
        let compressing = dialect(codec, Some(&deflate)).event(&event).as_ptr();
        assert_eq!(plain, compressing);
    }
    assert_eq!(deflate.figures(), DeflateFigures::default());
}

#[test]
fn a_frame_for_several_is_encoded_once_per_form() {
    let deflate = Arc::new(Deflate::default());
    let json = dialect(Codec::Json, None);
    let frame = ServerFrame::Ok { req: 7 };
    let mut several = ForSeveral::new(&frame);
    let bytes = several.encode(&json);
    assert_eq!(bytes.as_ptr(), several.encode(&json).as_ptr());
    assert_eq!(bytes, several.encode(&dialect(Codec::Json, Some(&deflate))));
    assert_eq!(
        &several.encode(&dialect(Codec::Binary, None))[..],
        [0x82, 3, 0x82, 9, 7]
    );
}

#[test]
fn each_codec_refuses_the_other_kind_of_message() {
    let (json, binary) = (dialect(Codec::Json, None), dialect(Codec::Binary, None));
    let ping = ClientFrame::Ping {
        req: 1,
        rooms: Vec::new(),
    };
    let text = "{\"type\":\"ping\",\"req\":1}";
    assert_eq!(json.read_text(text), Ok(Ok(ping.clone())));
    assert_eq!(json.read_binary(&[0x82, 17, 1]), Err(CloseCode::WrongForm));
    assert_eq!(binary.read_binary(&[0x82, 17, 1]), Ok(Ok(ping)));
    assert_eq!(binary.read_text(text), Err(CloseCode::WrongForm));
}

fn packed(dialect: &Dialect, mut frames: Vec<Bytes>) -> Vec<Bytes> {
    dialect.pack(&mut frames);
    frames
}

#[test]
fn neighbours_become_one_list() {
    let ok = |req| ServerFrame::Ok { req };
    let json = dialect(Codec::Json, None);
    let frames = vec![
        json.encode(&ok(1)),
        json.encode(&ok(2)),
        ping_frame(b""),
        json.encode(&ok(3)),
    ];
    let list = text_frame(b"[{\"type\":\"ok\",\"req\":1},{\"type\":\"ok\",\"req\":2}]");
    assert_eq!(
        packed(&json, frames.clone()),
        [&list, &frames[2], &frames[3]]
    );
    let binary = dialect(Codec::Binary, None);
    let frames = vec![binary.encode(&ok(1)), binary.encode(&ok(2))];
    let list = binary_frame(&[0x82, 0x82, 9, 1, 0x82, 9, 2]);
    assert_eq!(packed(&binary, frames), [list]);
    assert!(packed(&json, Vec::new()).is_empty());
}

#[test]
fn a_list_is_bounded_and_compressed_as_a_whole() {
    let deflate = Arc::new(Deflate::default());
    let json = dialect(Codec::Json, Some(&deflate));
    json.leave_together();
    let event = Shared::new(event("words, words".to_owned()));
    let single = json.event(&event).clone();
    let frames = vec![single.clone(); 10];
    let list = packed(&json, frames);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0][0], 0xc1, "compressed");
    assert!(list[0].len() < 3 * single.len(), "{}", list[0].len());

    let plain = dialect(Codec::Json, None);
    let many = 3 * limits::BATCH_BYTES_MAX / single.len();
    let lists = packed(&plain, vec![single.clone(); many]);
    assert!((3..=4).contains(&lists.len()), "{}", lists.len());
    assert!(
        lists
            .iter()
            .all(|list| list.len() <= limits::BATCH_BYTES_MAX + 1_024)
    );
    let large = text_frame(&vec![b'x'; 2 * limits::BATCH_BYTES_MAX]);
    let frames = vec![single.clone(), large.clone(), single.clone()];
    assert_eq!(packed(&plain, frames.clone()), frames);
}
