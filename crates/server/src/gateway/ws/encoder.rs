//! Server frames as whole byte strings: made once, shared by every socket that sends them.
//!
//! Servers do not mask (RFC 6455, section 5.1) and Chinwag does not fragment.

use bytes::{BufMut, Bytes, BytesMut};

use super::{FIN, OPCODE_BITS, RSV1, opcode};

/// Payload of a control frame at most, in bytes (RFC 6455, section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;
/// First byte, length byte and eight bytes of extended length.
const HEADER_BYTES_MAX: usize = 10;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// A text message in one frame. `payload` must be UTF-8; it is not looked at here.
#[must_use]
pub fn text_frame(payload: &[u8]) -> Bytes {
    frame(opcode::TEXT, payload)
}

/// A binary message in one frame.
#[must_use]
pub fn binary_frame(payload: &[u8]) -> Bytes {
    frame(opcode::BINARY, payload)
}

/// A ping.
///
/// # Panics
/// If `payload` has more than [`CONTROL_BYTES_MAX`] bytes.
#[must_use]
pub fn ping_frame(payload: &[u8]) -> Bytes {
    control_frame(opcode::PING, payload)
}

/// The answer to a ping with this payload.
///
/// # Panics
/// If `payload` has more than [`CONTROL_BYTES_MAX`] bytes, which no decoded ping has.
#[must_use]
pub fn pong_frame(payload: &[u8]) -> Bytes {
    control_frame(opcode::PONG, payload)
}

/// A close frame; a reason that does not fit is cut between characters.
#[must_use]
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let code = code.to_be_bytes();
    let reason = &reason[..reason.floor_char_boundary(CONTROL_BYTES_MAX - code.len())];
    control_frame(opcode::CLOSE, &[&code, reason.as_bytes()].concat())
}

/// A close frame that says nothing: the answer to one that said nothing.
pub(super) fn empty_close_frame() -> Bytes {
    control_frame(opcode::CLOSE, &[])
}

fn control_frame(opcode: u8, payload: &[u8]) -> Bytes {
    assert!(
        payload.len() <= CONTROL_BYTES_MAX,
        "a control frame of {} bytes",
        payload.len()
    );
    frame(opcode, payload)
}

/// A message whose payload permessage-deflate has compressed (RFC 7692, section 6).
pub(super) fn compressed_frame(opcode: u8, payload: &[u8]) -> Bytes {
    frame(RSV1 | opcode, payload)
}

/// The payload of a data frame that was made here and is not compressed; of no other frame.
pub(crate) fn plain_data(frame: &[u8]) -> Option<&[u8]> {
    let is_plain = matches!(frame[0] & !FIN, opcode::TEXT | opcode::BINARY);
    is_plain.then(|| payload(frame).1)
}

/// Opcode and payload of a frame that was made here.
pub(super) fn payload(frame: &[u8]) -> (u8, &[u8]) {
    let length_bytes = match frame[1] {
        LENGTH_16 => 2,
        LENGTH_64 => 8,
        _ => 0,
    };
    (frame[0] & OPCODE_BITS, &frame[2 + length_bytes..])
}

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER_BYTES_MAX + payload.len());
    bytes.put_u8(FIN | opcode);
    if payload.len() < usize::from(LENGTH_16) {
        bytes.put_u8(u8::try_from(payload.len()).expect("less than 126"));
    } else if let Ok(length) = u16::try_from(payload.len()) {
        bytes.put_u8(LENGTH_16);
        bytes.put_u16(length);
    } else {
        bytes.put_u8(LENGTH_64);
        bytes.put_u64(u64::try_from(payload.len()).expect("a length in memory"));
    }
    bytes.put_slice(payload);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_shortest_length_that_fits() {
        let check = |length: usize, header: &[u8]| {
            let payload = vec![b'x'; length];
            let frame = text_frame(&payload);
            assert_eq!(&frame[..header.len()], header, "{length}");
            assert_eq!(&frame[header.len()..], payload, "{length}");
            assert_eq!(super::payload(&frame), (opcode::TEXT, &*payload));
        };
        check(0, &[0x81, 0]);
        check(125, &[0x81, 125]);
        check(126, &[0x81, 126, 0, 126]);
        check(65_535, &[0x81, 126, 0xff, 0xff]);
        check(65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn control_frames_have_their_opcode() {
        assert_eq!(&ping_frame(b"a")[..], [0x89, 1, b'a']);
        assert_eq!(&pong_frame(b"")[..], [0x8a, 0]);
        assert_eq!(&binary_frame(&[7])[..], [0x82, 1, 7]);
        assert_eq!(
            &close_frame(1001, "bye")[..],
            [0x88, 5, 0x03, 0xe9, b'b', b'y', b'e']
        );
        assert_eq!(&empty_close_frame()[..], [0x88, 0]);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close_frame(1000, &"\u{e9}".repeat(100));
        assert_eq!(
            frame[1], 124,
            "two bytes of code and 61 characters of two bytes"
        );
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }
}
