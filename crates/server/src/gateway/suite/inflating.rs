//! The decoder alone, with compressed messages: the RFC's examples, every cut, and noise.

use std::sync::Arc;

use proptest::prelude::*;

use super::compressing::{RSV1, deflated};
use super::decoding::{NO_RATE, config, feed_all};
use super::{BINARY, CONTINUATION, FIN, PING, TEXT, frame};
use crate::gateway::ws::{Decoded, Decoder, Deflate, Message, Violation};

fn decode(pieces: &[&[u8]]) -> (Vec<Decoded>, Option<Violation>) {
    feed_all(
        Decoder::new(NO_RATE, Some(Arc::new(Deflate::default()))),
        pieces,
    )
}

fn text(text: &str) -> Decoded {
    Decoded::Message(Message::Text(text.to_owned()))
}

fn message(payload: &[u8]) -> Vec<u8> {
    frame(FIN | RSV1 | TEXT, payload)
}

/// RFC 7692, sections 7.2.3.1 to 7.2.3.6.
#[test]
fn the_examples_of_the_rfc_say_hello() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(decode(&[bytes]), (vec![text(expected)], None), "{bytes:x?}");
    };
    let plain = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    check(&message(&plain), "Hello");
    let fragments = [
        frame(RSV1 | TEXT, &plain[..3]),
        frame(FIN | CONTINUATION, &plain[3..]),
    ];
    check(&fragments.concat(), "Hello");
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    check(&message(&stored), "Hello");
    let last_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    check(&message(&last_block), "Hello");
    let two_blocks = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    check(&message(&two_blocks), "Hello");
    check(&message(&[0x00]), "");
}

#[test]
fn every_cut_yields_the_same_messages() {
    let words = "\u{1f41f} fish and chips, fish and chips, fish and chips";
    let packed = deflated(words.as_bytes());
    let bytes = [
        message(&packed),
        frame(FIN | TEXT, words.as_bytes()),
        frame(RSV1 | TEXT, &packed[..5]),
        frame(FIN | PING, b"?"),
        frame(CONTINUATION, &packed[5..]),
        frame(FIN | CONTINUATION, b""),
    ]
    .concat();
    let ping = Decoded::Message(Message::Ping(bytes::Bytes::from_static(b"?")));
    let expected = (vec![text(words), text(words), ping, text(words)], None);
    for cut in 0..=bytes.len() {
        assert_eq!(
            decode(&[&bytes[..cut], &bytes[cut..]]),
            expected,
            "cut at {cut}"
        );
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(&single), expected);
}

#[test]
fn blocks_that_end_again_and_again_are_only_slow() {
    let endings = [0x03, 0x00].repeat(30_000);
    let bytes = frame(FIN | RSV1 | BINARY, &[endings.as_slice(), &[0x00]].concat());
    let empty = Decoded::Message(Message::Binary(bytes::Bytes::new()));
    assert_eq!(decode(&[&bytes]), (vec![empty], None));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_zlib_compressed_comes_out_whole(
        words in prop::collection::vec("[a-z]{1,4}|\\PC", 0..400),
        cut in any::<prop::sample::Index>(),
    ) {
        let words = words.concat();
        let packed = deflated(words.as_bytes());
        let (one, two) = packed.split_at(cut.index(packed.len() + 1));
        let bytes = [frame(RSV1 | TEXT, one), frame(FIN | CONTINUATION, two)].concat();
        prop_assert_eq!(decode(&[&bytes]), (vec![text(&words)], None));
    }

    #[test]
    fn noise_is_refused_or_read_and_never_panics(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = frame(FIN | RSV1 | BINARY, &noise);
        let (one, other) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(decode(&[one, other]), decode(&[&bytes]));
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_and_never_panics(
        words in prop::collection::vec("[a-z]{1,4}", 1..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut packed = deflated(words.concat().as_bytes());
        let at = at.index(packed.len());
        packed[at] = byte;
        let (found, violation) = decode(&[&frame(FIN | RSV1 | BINARY, &packed)]);
        prop_assert_eq!(found.len(), usize::from(violation.is_none()));
    }
}
