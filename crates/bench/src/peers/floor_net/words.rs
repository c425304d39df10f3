//! What the floor and its clients say: WebSocket frames (RFC 6455) around words that cost nothing.
//!
//! A client says `join ROOM`, and `send ROOM NUMBER FILLING TEXT`; the floor answers `ready` and
//! `ack NUMBER`, and says `FILLING TEXT` to everybody. The filling makes frames as long as those of
//! the server that the floor is compared with. Pure: no socket, nothing kept.

use std::fmt::Write as _;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

/// Appended to a nonce before it is hashed (RFC 6455, section 1.3).
const HANDSHAKE_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes of a client's frame at most.
const FRAME_BYTES_MAX: usize = 64 * 1024;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish<'a> {
    /// To hear a room.
    Join { room: usize },
    /// To say something in a room.
    Send {
        room: usize,
        number: u64,
        text: &'a [u8],
    },
    /// A sign of life, or one in return.
    Alive,
    /// To leave.
    Leave,
}

/// A client's frame within the bytes that were read, its payload unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    opcode: u8,
    payload: &'a [u8],
    /// Bytes that it takes, head included.
    pub(super) bytes: usize,
}

/// The frame at the beginning of `bytes`, unmasked in place; nothing if it is not whole yet.
///
/// # Errors
/// No client may send what stands there.
pub(super) fn first_frame(bytes: &mut [u8]) -> anyhow::Result<Option<Frame<'_>>> {
    let (opcode, head, length) = match &*bytes {
        [first, second, ..] if first & 0xf0 != 0x80 || second & 0x80 == 0 => {
            bail!("a fragment, an extension, or no mask")
        }
        [first, 0xfe, a, b, ..] => (first & 0x0f, 8, usize::from(u16::from_be_bytes([*a, *b]))),
        [_, 0xfe, ..] | [] | [_] => return Ok(None),
        [_, 0xff, ..] => bail!("a frame of more than {FRAME_BYTES_MAX} bytes"),
        [first, short, ..] => (first & 0x0f, 6, usize::from(short & 0x7f)),
    };
    ensure!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes");
    let Some((head, payload)) = bytes
        .get_mut(..head + length)
        .map(|frame| frame.split_at_mut(head))
    else {
        return Ok(None);
    };
    let mask = [
        head[head.len() - 4],
        head[head.len() - 3],
        head[head.len() - 2],
        head[head.len() - 1],
    ];
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Some(Frame {
        opcode,
        bytes: head.len() + payload.len(),
        payload,
    }))
}

impl<'a> Frame<'a> {
    /// What its sender wants.
    ///
    /// # Errors
    /// It cannot be understood.
    pub(super) fn wish(&self) -> anyhow::Result<Wish<'a>> {
        match self.opcode {
            TEXT => {}
            PING | PONG => return Ok(Wish::Alive),
            CLOSE => return Ok(Wish::Leave),
            other => bail!("a frame with opcode {other}"),
        }
        let mut words = self.payload.split(|&byte| byte == b' ');
        let word = words.next().unwrap_or_default();
        let mut number = |what: &'static str| -> anyhow::Result<u64> {
            let word = std::str::from_utf8(words.next().context(what)?)?;
            word.parse().context(what)
        };
        let room = usize::try_from(number("no room")?)?;
        match word {
            b"join" => return Ok(Wish::Join { room }),
            b"send" => {}
            _ => bail!("an unknown word"),
        }
        let number = number("no number")?;
        let text = self.payload.rsplit(|&byte| byte == b' ').next();
        Ok(Wish::Send {
            room,
            number,
            text: text.context("no text")?,
        })
    }
}

/// Appends the payload of `send`, of at least `bytes` bytes.
pub(crate) fn write_send(room: usize, number: u64, text: &str, bytes: usize, to: &mut Vec<u8>) {
    let begin = to.len();
    to.extend_from_slice(format!("send {room} {number} ").as_bytes());
    let filled = bytes.saturating_sub(text.len() + 1);
    while to.len() - begin < filled {
        to.push(b'.');
    }
    to.push(b' ');
    to.extend_from_slice(text.as_bytes());
}

/// Appends the frame that carries `text` to everybody, of a payload of at least `bytes` bytes.
pub(super) fn write_event(text: &[u8], bytes: usize, to: &mut Vec<u8>) {
    let length = bytes.max(text.len());
    write_head(length, to);
    to.resize(to.len() + length - text.len(), b'.');
    to.extend_from_slice(text);
}

/// Appends the frame that acknowledges a message.
pub(super) fn write_ack(number: u64, to: &mut Vec<u8>) {
    let mut text = String::from("ack ");
    write!(text, "{number}").expect("a string takes everything");
    write_head(text.len(), to);
    to.extend_from_slice(text.as_bytes());
}

/// Appends the frame that answers `join`.
pub(super) fn write_ready(to: &mut Vec<u8>) {
    write_head(5, to);
    to.extend_from_slice(b"ready");
}

/// The head of a server's text frame.
fn write_head(length: usize, to: &mut Vec<u8>) {
    to.push(0x80 | TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => to.push(short),
        (_, Ok(medium)) => {
            to.push(126);
            to.extend_from_slice(&medium.to_be_bytes());
        }
        (_, Err(_)) => {
            to.push(127);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// The answer to a handshake, and how many bytes that took; nothing if it is not whole yet.
///
/// # Errors
/// It is none for a WebSocket.
pub(super) fn accept(request: &[u8]) -> anyhow::Result<Option<(String, usize)>> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&request[..end])?;
    let nonce = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| value.trim())
        .context("no handshake of a WebSocket")?;
    let accept = BASE64.encode(Sha1::digest(format!("{nonce}{HANDSHAKE_GUID}")));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(Some((answer, end + 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client writes it.
    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ ..=125 => frame.push(0x80 | short as u8),
            medium => frame.extend([0xfe, (medium >> 8) as u8, medium as u8]),
        }
        frame.extend([7, 8, 9, 10]);
        frame.extend((0..payload.len()).map(|at| payload[at] ^ [7, 8, 9, 10][at % 4]));
        frame
    }

    fn check(payload: &[u8], expected: Wish<'_>) {
        let mut bytes = masked(TEXT, payload);
        let whole = bytes.len();
        for cut in [0, 1, 2, 5, whole - 1] {
            assert_eq!(
                first_frame(&mut bytes[..cut]).unwrap(),
                None,
                "cut at {cut}"
            );
        }
        bytes.extend(b"\x81");
        let frame = first_frame(&mut bytes).unwrap().unwrap();
        assert_eq!(frame.bytes, whole);
        assert_eq!(frame.wish().unwrap(), expected);
    }

    #[test]
    fn wishes_are_understood_at_every_length() {
        check(b"join 17", Wish::Join { room: 17 });
        for bytes in [0, 20, 125, 126, 1_000] {
            let mut payload = Vec::new();
            write_send(3, 99, "xx@t=1", bytes, &mut payload);
            assert!(payload.len() >= bytes, "{bytes}");
            let (room, number, text) = (3, 99, &b"xx@t=1"[..]);
            check(&payload, Wish::Send { room, number, text });
        }
        let mut exact = Vec::new();
        write_send(3, 99, "text", 300, &mut exact);
        assert_eq!(exact.len(), 300);
    }

    #[test]
    fn nonsense_is_refused() {
        for payload in [&b"sing"[..], b"join x", b"send 1", b"send 1 x y z", b"send"] {
            let mut bytes = masked(TEXT, payload);
            let frame = first_frame(&mut bytes).unwrap().unwrap();
            assert!(frame.wish().is_err(), "{payload:?}");
        }
        for bytes in [
            &b"\x81\x05hello"[..],
            b"\x01\x80\0\0\0\0",
            b"\x82\xff\0\0\0\0\0\0\0\0",
        ] {
            assert!(first_frame(&mut bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn events_are_as_long_as_asked() {
        for (bytes, head) in [(100, 2), (125, 2), (126, 4), (300, 4), (70_000, 10)] {
            let mut frame = Vec::new();
            write_event(b"x@t=1", bytes, &mut frame);
            assert_eq!(frame.len(), head + bytes, "{bytes}");
            assert!(frame.ends_with(b".x@t=1"));
        }
        let mut frame = Vec::new();
        write_event(b"longer", 3, &mut frame);
        assert_eq!(frame, b"\x81\x06longer");
    }

    #[test]
    fn the_handshake_is_that_of_the_rfc() {
        let request = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest";
        let (answer, taken) = accept(request).unwrap().unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert_eq!(&request[taken..], b"rest");
        assert!(accept(b"GET / HTTP/1.1\r\n").unwrap().is_none());
        assert!(accept(b"GET / HTTP/1.1\r\n\r\n").is_err());
    }
}
