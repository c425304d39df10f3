//! A WebSocket client that costs little (RFC 6455), and the keys of its commands.
//!
//! Events are recognised and counted, not parsed: the load generator shares the processors with
//! what it measures. It trusts its server: the accept key is not checked, fragments are refused.
//! A socket lives as long as its user.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Buf as _, BytesMut};
use chinwag_core::codec;
use chinwag_core::ids::Key;
use chinwag_core::wire::{ClientFrame, ServerFrame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of the answer to the handshake at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one frame at most: more than any page.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes read at once.
const READ_BYTES: usize = 8 * 1024;
/// How the frame of an event begins. Should that change, events are parsed and only dearer.
const EVENT: &[u8] = br#"{"type":"event","#;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Something from the server.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event, not looked at.
    Event,
    /// Any other frame.
    Frame(Box<ServerFrame>),
}

/// An open socket.
pub(crate) struct Socket {
    stream: TcpStream,
    read: BytesMut,
    written: Vec<u8>,
    /// Masks differ from frame to frame; nobody here has a cache to protect by their randomness.
    mask: u32,
}

/// A frame taken off the buffer.
struct Taken {
    opcode: u8,
    payload: BytesMut,
}

impl Socket {
    /// Connects and shakes hands.
    ///
    /// # Errors
    /// Nobody answers there, or not with 101.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
            BASE64.encode(nonce)
        );
        stream.write_all(head.as_bytes()).await?;
        let mut read = BytesMut::with_capacity(READ_BYTES);
        let end = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(read.len() < HEAD_BYTES_MAX, "the answer has no end");
            let count = stream.read_buf(&mut read).await?;
            ensure!(count > 0, "the server closed during the handshake");
        };
        let answer = read.split_to(end);
        if !answer.starts_with(b"HTTP/1.1 101 ") {
            let line = answer[..]
                .split(|&byte| byte == b'\r')
                .next()
                .unwrap_or(&[]);
            bail!("no WebSocket there: {}", String::from_utf8_lossy(line));
        }
        Ok(Self {
            stream,
            read,
            written: Vec::new(),
            mask: u32::from_ne_bytes([nonce[0], nonce[1], nonce[2], nonce[3]]),
        })
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) async fn send(&mut self, frame: &ClientFrame) -> anyhow::Result<()> {
        self.mask = self.mask.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        self.written.clear();
        let payload = codec::encode(frame);
        write_frame(TEXT, &payload, self.mask.to_ne_bytes(), &mut self.written);
        Ok(self.stream.write_all(&self.written).await?)
    }

    /// Waits for the next frame, without parsing events. Loses nothing when dropped.
    ///
    /// # Errors
    /// The connection is gone or closed, or the server says something unknown.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Heard> {
        let payload = self.next_text().await?;
        if payload.starts_with(EVENT) {
            return Ok(Heard::Event);
        }
        Ok(match parse(&payload)? {
            ServerFrame::Event(_) => Heard::Event,
            frame => Heard::Frame(Box::new(frame)),
        })
    }

    /// Waits for the next frame and parses it, whatever it is.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn next_frame(&mut self) -> anyhow::Result<ServerFrame> {
        parse(&self.next_text().await?)
    }

    async fn next_text(&mut self) -> anyhow::Result<BytesMut> {
        loop {
            while let Some(Taken { opcode, payload }) = take_frame(&mut self.read)? {
                match opcode {
                    TEXT => return Ok(payload),
                    PING => self.pong(&payload),
                    PONG => {}
                    CLOSE => bail!("the server closed: {}", close_reason(&payload)),
                    other => bail!("a frame with opcode {other}"),
                }
            }
            self.read.reserve(READ_BYTES);
            let count = self.stream.read_buf(&mut self.read).await?;
            ensure!(count > 0, "the server is gone");
        }
    }

    fn pong(&self, payload: &[u8]) {
        let mut frame = Vec::new();
        write_frame(PONG, payload, self.mask.to_ne_bytes(), &mut frame);
        // Not to be waited for, so that `next` may be dropped. These few bytes always find room
        // with a client that has at most one command under way.
        let _full = self.stream.try_write(&frame);
    }
}

fn parse(payload: &[u8]) -> anyhow::Result<ServerFrame> {
    let text = std::str::from_utf8(payload).context("text that is not UTF-8")?;
    codec::decode_server(text).with_context(|| {
        let shown: String = text.chars().take(200).collect();
        format!("a frame that this version does not know: {shown}")
    })
}

fn close_reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            format!("{code} {}", String::from_utf8_lossy(reason))
        }
        _ => "without a code".to_owned(),
    }
}

/// Takes a whole frame of a server (RFC 6455, section 5.2) off the buffer, if one is there.
fn take_frame(read: &mut BytesMut) -> anyhow::Result<Option<Taken>> {
    let [first, second, rest @ ..] = &read[..] else {
        return Ok(None);
    };
    ensure!(first & 0xf0 == 0x80, "a fragment, or an extension");
    ensure!(second & 0x80 == 0, "a server does not mask");
    let opcode = first & 0x0f;
    let (head, length) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (10, usize::try_from(length)?)
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (2, usize::from(short)),
    };
    ensure!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes");
    if read.len() < head + length {
        return Ok(None);
    }
    read.advance(head);
    let payload = read.split_to(length);
    Ok(Some(Taken { opcode, payload }))
}

/// Appends a frame of a client: final and masked (RFC 6455, section 5.3).
fn write_frame(opcode: u8, payload: &[u8], mask: [u8; 4], to: &mut Vec<u8>) {
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

/// Makes keys as our SDK does: UUIDs of version 7 (RFC 9562, section 5.7), which rise with time.
pub(crate) struct Keys {
    /// Of one client alone.
    random: u64,
    made: u16,
}

impl Keys {
    /// The keys of one client.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            random: getrandom::u64()?,
            made: 0,
        })
    }

    /// A key that was never there before: 4,096 of them fit into a millisecond.
    pub(crate) fn next(&mut self) -> Key {
        self.made = (self.made + 1) & 0x0fff;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = since.map_or(0, |since| since.as_millis());
        let time = (now_ms & 0xffff_ffff_ffff) << 80;
        let count = u128::from(0x7000 | self.made) << 64;
        let random = u128::from(self.random >> 2 | 1 << 63);
        Key((time | count | random).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn frames_are_taken_whole_however_they_arrive() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let mut frame = vec![0x81];
            match length {
                ..=125 => frame.push(length as u8),
                126..=65_535 => frame.extend([126, (length >> 8) as u8, length as u8]),
                _ => frame.extend([127, 0, 0, 0, 0, 0, 1, 0, 0]),
            }
            frame.resize(frame.len() + length, b'y');
            let mut read = BytesMut::from(&frame[..frame.len() - 1]);
            if length > 0 {
                assert!(take_frame(&mut read).unwrap().is_none(), "{length}");
            }
            let mut read = BytesMut::from(&frame[..]);
            read.extend_from_slice(b"\x8a");
            let taken = take_frame(&mut read).unwrap().unwrap();
            assert_eq!((taken.opcode, taken.payload.len()), (TEXT, length));
            assert_eq!(&read[..], b"\x8a");
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        for bad in [&b"\x01\x00"[..], b"\xc1\x00", b"\x81\x80\0\0\0\0"] {
            assert!(take_frame(&mut BytesMut::from(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn keys_differ_and_say_their_version() {
        let mut keys = Keys::new().unwrap();
        let (one, other) = (keys.next(), keys.next());
        assert_ne!(one, other);
        for key in [one, other] {
            assert_eq!((key.0[6] >> 4, key.0[8] >> 6), (7, 2));
        }
    }
}
