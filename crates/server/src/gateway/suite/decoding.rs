//! The decoder alone, under generated input: cuts do not matter, and no bytes make it panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{BINARY, CONTINUATION, FIN, PING, PONG, TEXT, close_frame, frame};
use crate::gateway::ws::{CloseFrame, Decoded, Decoder, FrameLimits, Message, Violation};

pub(super) const NO_RATE: FrameLimits = FrameLimits {
    control_frames_per_second: 1_000_000,
    control_frames_burst: 1_000_000,
    ..FrameLimits::STANDARD
};

/// Feeds `pieces` in order and collects what comes out, up to the first violation.
fn decode(limits: FrameLimits, pieces: &[&[u8]]) -> (Vec<Decoded>, Option<Violation>) {
    feed_all(Decoder::new(limits, None), pieces)
}

pub(super) fn feed_all(
    mut decoder: Decoder,
    pieces: &[&[u8]],
) -> (Vec<Decoded>, Option<Violation>) {
    let now = Instant::now();
    let mut decoded = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match decoder.feed(rest, now) {
                Ok((taken, Some(found))) => {
                    rest = &rest[taken..];
                    decoded.push(found);
                }
                Ok((taken, None)) => {
                    assert_eq!(taken, rest.len(), "all is taken when nothing was found");
                    break;
                }
                Err(violation) => {
                    assert_eq!(
                        decoder.feed(b"more", now),
                        Err(violation),
                        "it stays broken"
                    );
                    return (decoded, Some(violation));
                }
            }
        }
    }
    (decoded, None)
}

/// A message in fragments, each with control frames before it.
#[derive(Debug, Clone)]
struct Sent {
    text: Option<String>,
    binary: Vec<u8>,
    cuts: Vec<prop::sample::Index>,
    pings: Vec<Vec<u8>>,
}

impl Sent {
    fn encode(&self, bytes: &mut Vec<u8>, expected: &mut Vec<Decoded>) {
        let payload = self
            .text
            .as_ref()
            .map_or(self.binary.as_slice(), |text| text.as_bytes());
        let mut cuts: Vec<usize> = self
            .cuts
            .iter()
            .map(|cut| cut.index(payload.len() + 1))
            .collect();
        cuts.sort_unstable();
        cuts.push(payload.len());
        let mut opcode = if self.text.is_some() { TEXT } else { BINARY };
        let mut pings = self.pings.iter();
        let mut from = 0;
        for (number, cut) in cuts.iter().enumerate() {
            if let Some(ping) = pings.next() {
                let (code, found): (u8, fn(bytes::Bytes) -> Message) = if ping.len() % 2 == 0 {
                    (PING, Message::Ping)
                } else {
                    (PONG, Message::Pong)
                };
                bytes.extend(frame(FIN | code, ping));
                expected.push(Decoded::Message(found(ping.clone().into())));
            }
            let last = if number + 1 == cuts.len() { FIN } else { 0 };
            bytes.extend(frame(last | opcode, &payload[from..*cut]));
            opcode = CONTINUATION;
            from = *cut;
        }
        expected.push(Decoded::Message(match &self.text {
            Some(text) => Message::Text(text.clone()),
            None => Message::Binary(self.binary.clone().into()),
        }));
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let texts =
        prop::option::of(prop::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter));
    let binaries = prop::collection::vec(any::<u8>(), 0..300);
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let pings = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=125), 0..4);
    (texts, binaries, cuts, pings).prop_map(|(text, binary, cuts, pings)| Sent {
        text,
        binary,
        cuts,
        pings,
    })
}

pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_cut_of_a_valid_stream_yields_the_same_messages(
        messages in prop::collection::vec(sent(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for message in &messages {
            message.encode(&mut bytes, &mut expected);
        }
        bytes.extend(close_frame(1000));
        expected.push(Decoded::Close(Some(CloseFrame { code: 1000, reason: String::new() })));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(decode(NO_RATE, &pieces), (expected.clone(), None));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(decode(NO_RATE, &single), (expected, None));
    }

    /// Anything at all: no panic, and every cut gives the same answer.
    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cut in any::<prop::sample::Index>(),
    ) {
        let (one, other) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(decode(NO_RATE, &[one, other]), decode(NO_RATE, &[&bytes]));
    }

    /// A valid stream with one byte changed gets further than noise does.
    #[test]
    fn a_changed_byte_never_panics(
        message in sent(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        message.encode(&mut bytes, &mut expected);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (one, other) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(decode(NO_RATE, &[one, other]), decode(NO_RATE, &[&bytes]));
    }
}

#[test]
fn the_rate_of_control_frames_is_refilled_by_time() {
    let limits = FrameLimits {
        control_frames_per_second: 10,
        control_frames_burst: 3,
        ..FrameLimits::STANDARD
    };
    let start = Instant::now();
    let at = |millis: u64| start + Duration::from_millis(millis);
    let ping = frame(FIN | PING, b"");
    let mut decoder = Decoder::new(limits, None);
    let mut check = |millis: u64, expected: bool| {
        assert_eq!(
            decoder.feed(&ping, at(millis)).is_ok(),
            expected,
            "at {millis} ms"
        );
    };
    check(0, true);
    check(0, true);
    check(0, true);
    check(100, true);
    check(250, true);
    check(10_000, true);
    check(10_000, true);
    check(10_000, true);
    check(10_099, false);
    check(60_000, false); // A violation is for ever.
}

#[test]
fn a_close_frame_does_not_need_allowance() {
    let limits = FrameLimits {
        control_frames_burst: 1,
        ..FrameLimits::STANDARD
    };
    let bytes = [frame(FIN | PING, b""), close_frame(1000)].concat();
    let (decoded, violation) = decode(limits, &[&bytes]);
    assert_eq!((decoded.len(), violation), (2, None));
}

#[test]
fn each_header_byte_is_judged_when_it_comes() {
    let check = |bytes: &[u8], expected: Violation| {
        let (last, before) = bytes.split_last().expect("bytes");
        assert_eq!(
            decode(FrameLimits::STANDARD, &[before]),
            (vec![], None),
            "{bytes:?}"
        );
        assert_eq!(
            decode(FrameLimits::STANDARD, &[before, &[*last]]),
            (vec![], Some(expected)),
            "{bytes:?}"
        );
    };
    check(
        &[0xc1],
        Violation::Protocol("reserved bit without an extension"),
    );
    check(&[0x83], Violation::Protocol("reserved opcode"));
    check(&[0x80], Violation::Protocol("continuation of nothing"));
    check(&[0x09], Violation::Protocol("fragmented control frame"));
    check(
        &[0x81, 0x05],
        Violation::Protocol("client frame without mask"),
    );
    check(
        &[0x89, 0xfe],
        Violation::Protocol("control frame above 125 bytes"),
    );
    check(
        &[0x81, 0xfe, 0, 125],
        Violation::Protocol("length not in its shortest form"),
    );
    check(&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1], Violation::TooBig);
}
