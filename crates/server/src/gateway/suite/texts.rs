//! UTF-8, valid or not, whole or cut anywhere: the ground of Autobahn's cases 6.

use super::conversation::{check, check_raw, check_refused};
use super::{BINARY, CONTINUATION, FIN, PING, Seen, TEXT, frame, seen_text};

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
