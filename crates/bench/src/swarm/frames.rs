//! WebSocket frames (RFC 6455) as bytes: taken apart in place, and written as a client must.
//!
//! Knows no socket and keeps nothing: what is not whole yet is the caller's to keep. It trusts its
//! server, but not so far as to believe that a fragment or an extension it did not ask for is text.

use std::fmt;

/// A whole text (RFC 6455, section 5.6).
pub(crate) const TEXT: u8 = 1;
/// The end of the conversation (section 5.5.1).
pub(crate) const CLOSE: u8 = 8;
/// Asks for a sign of life (section 5.5.2).
pub(crate) const PING: u8 = 9;
/// The sign of life (section 5.5.3).
pub(crate) const PONG: u8 = 10;

/// Bytes of one frame at most: more than any page.
pub(crate) const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A frame within the bytes that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Which kind.
    pub(crate) opcode: u8,
    /// What it carries.
    pub(crate) payload: &'a [u8],
    /// Bytes that it takes, head included.
    pub(crate) bytes: usize,
}

/// What no server may send to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadFrame {
    /// A part of a message, or one that was changed by an extension that we did not offer.
    FragmentOrExtension,
    /// Only clients mask.
    Masked,
    /// Longer than [`FRAME_BYTES_MAX`].
    TooLong,
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FragmentOrExtension => "the server sent a fragment, or used an extension",
            Self::Masked => "the server sent a masked frame",
            Self::TooLong => "the server sent a frame of more than 16 MiB",
        })
    }
}

impl std::error::Error for BadFrame {}

/// The frame at the beginning of `bytes`, or nothing if it is not whole yet.
///
/// # Errors
/// No server may send what stands there.
pub(crate) fn first_frame(bytes: &[u8]) -> Result<Option<Frame<'_>>, BadFrame> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 {
        return Err(BadFrame::FragmentOrExtension);
    }
    let (head, length) = match (*second, rest) {
        (128.., _) => return Err(BadFrame::Masked),
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (10, usize::try_from(length).unwrap_or(usize::MAX))
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (2, usize::from(short)),
    };
    if length > FRAME_BYTES_MAX {
        return Err(BadFrame::TooLong);
    }
    Ok(bytes.get(head..head + length).map(|payload| Frame {
        opcode: first & 0x0f,
        payload,
        bytes: head + length,
    }))
}

/// Appends a frame of a client: final and masked (RFC 6455, section 5.3).
pub(crate) fn write_frame(opcode: u8, payload: &[u8], mask: [u8; 4], to: &mut Vec<u8>) {
    to.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => to.push(0x80 | short),
        (_, Ok(medium)) => {
            to.push(0x80 | 126);
            to.extend_from_slice(&medium.to_be_bytes());
        }
        (_, Err(_)) => {
            to.push(0x80 | 127);
            to.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    to.extend_from_slice(&mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    to.extend(masked.map(|(byte, mask)| byte ^ mask));
}

/// What a close frame says (RFC 6455, section 5.5.1).
pub(crate) fn close_reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            format!("{code} {}", String::from_utf8_lossy(reason))
        }
        _ => "without a code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a server writes it.
    fn served(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ ..=125 => frame.push(short as u8),
            medium @ 126..=65_535 => frame.extend([126, (medium >> 8) as u8, medium as u8]),
            long => {
                frame.push(127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn frames_of_every_length_are_written_masked() {
        for (length, head) in [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let (payload, mut frame) = (vec![b'x'; length], Vec::new());
            write_frame(TEXT, &payload, [1, 2, 3, 4], &mut frame);
            assert_eq!(frame.len(), head + length, "{length}");
            assert_eq!((frame[0], frame[1] & 0x80), (0x81, 0x80));
            let expected = (0..length).map(|at| b'x' ^ [1, 2, 3, 4][at % 4]);
            assert!(frame[head..].iter().copied().eq(expected), "{length}");
        }
    }

    #[test]
    fn a_frame_is_there_when_its_last_byte_is() {
        for length in [0_usize, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'y'; length];
            let mut bytes = served(TEXT, &payload);
            let whole = bytes.len();
            for cut in (0..whole.min(20)).chain([whole - 1]) {
                assert_eq!(
                    first_frame(&bytes[..cut]),
                    Ok(None),
                    "{length} cut at {cut}"
                );
            }
            bytes.extend(served(PONG, b"next"));
            let frame = first_frame(&bytes).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.payload), (TEXT, &payload[..]));
            let next = first_frame(&bytes[frame.bytes..]).unwrap().unwrap();
            assert_eq!((next.opcode, next.payload), (PONG, &b"next"[..]));
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        for (bytes, why) in [
            (&b"\x01\x00"[..], BadFrame::FragmentOrExtension),
            (b"\xc1\x00", BadFrame::FragmentOrExtension),
            (b"\x81\x80\0\0\0\0", BadFrame::Masked),
            (b"\x82\x7f\0\0\0\0\x01\0\0\x01", BadFrame::TooLong),
            (
                b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
                BadFrame::TooLong,
            ),
        ] {
            assert_eq!(first_frame(bytes), Err(why), "{bytes:?}");
        }
    }

    #[test]
    fn closes_say_why() {
        assert_eq!(close_reason(b"\x0f\xa1too late"), "4001 too late");
        assert_eq!(close_reason(b""), "without a code");
    }
}
