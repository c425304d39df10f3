//! A plain client for what happens before a measurement: it asks, waits, and reads every answer.
//!
//! Blocking and on a socket of its own; what is measured is the swarm's business. It trusts its
//! server: the accept key is not checked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use chinwag_core::codec;
use chinwag_core::ids::Key;
use chinwag_core::wire::{ClientFrame, Cursor, Req, ServerFrame, VERSION};

use crate::dialect::upgrade_request;
use crate::swarm::frames::{CLOSE, PING, PONG, TEXT, close_reason, first_frame, write_frame};

/// Bytes of the answer to the handshake at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Until an answer comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who is signed in.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was read; before `taken` it is done with.
    read: Vec<u8>,
    taken: usize,
    /// Keys for this client's commands.
    pub(crate) keys: Keys,
    req: Req,
}

impl Client {
    /// Connects and signs in with this token, up to `caught_up`.
    ///
    /// # Errors
    /// Nobody answers there, or not as a Chinwag server, or the token is refused.
    pub(crate) fn sign_in(address: SocketAddr, path: &str, token: String) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self {
            stream,
            read: Vec::new(),
            taken: 0,
            keys: Keys::new()?,
            req: 0,
        };
        client.shake_hands(&upgrade_request(&address.to_string(), path, None))?;
        client.send(&ClientFrame::Hello {
            v: VERSION,
            token,
            device: None,
            cursor: Cursor::default(),
            low_bandwidth: false,
        })?;
        loop {
            match client.next()? {
                ServerFrame::CaughtUp { .. } => return Ok(client),
                ServerFrame::Error { code, message, .. } => bail!("{code:?}: {message}"),
                _ => {}
            }
        }
    }

    fn shake_hands(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request)?;
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(self.read.len() < HEAD_BYTES_MAX, "the answer has no end");
            self.read_more()?;
        };
        if !self.read.starts_with(b"HTTP/1.1 101 ") {
            let line = self.read.split(|&byte| byte == b'\r').next();
            let line = String::from_utf8_lossy(line.unwrap_or(&[])).into_owned();
            bail!("no WebSocket there: {line}");
        }
        self.taken = end;
        Ok(())
    }

    /// A number for the next command.
    pub(crate) fn next_req(&mut self) -> Req {
        self.req += 1;
        self.req
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) fn send(&mut self, frame: &ClientFrame) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        write_frame(TEXT, &codec::encode(frame), [7, 1, 9, 3], &mut bytes);
        Ok(self.stream.write_all(&bytes)?)
    }

    /// Waits for the next frame.
    ///
    /// # Errors
    /// The connection is gone or closed, or the server says something unknown.
    pub(crate) fn next(&mut self) -> anyhow::Result<ServerFrame> {
        loop {
            let rest = &self.read[self.taken..];
            let Some(frame) = first_frame(rest)? else {
                self.read_more()?;
                continue;
            };
            self.taken += frame.bytes;
            match frame.opcode {
                TEXT => return parse(frame.payload),
                PING => {
                    let mut pong = Vec::new();
                    write_frame(PONG, frame.payload, [0; 4], &mut pong);
                    self.stream.write_all(&pong)?;
                }
                PONG => {}
                CLOSE => bail!("the server closed: {}", close_reason(frame.payload)),
                other => bail!("a frame with opcode {other}"),
            }
        }
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        self.read.drain(..self.taken);
        self.taken = 0;
        let kept = self.read.len();
        self.read.resize(kept + READ_BYTES, 0);
        let count = self.stream.read(&mut self.read[kept..]);
        self.read.truncate(kept + *count.as_ref().unwrap_or(&0));
        let count = count.context("no answer from the server")?;
        ensure!(count > 0, "the server closed without a word");
        Ok(())
    }
}

/// A frame of the server.
///
/// # Errors
/// It is none that this version knows.
pub(crate) fn parse(payload: &[u8]) -> anyhow::Result<ServerFrame> {
    let text = std::str::from_utf8(payload).context("text that is not UTF-8")?;
    codec::decode_server(text).with_context(|| {
        let shown: String = text.chars().take(200).collect();
        format!("a frame that this version does not know: {shown}")
    })
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
    fn keys_differ_and_say_their_version() {
        let mut keys = Keys::new().unwrap();
        let (one, other) = (keys.next(), keys.next());
        assert_ne!(one, other);
        for key in [one, other] {
            assert_eq!((key.0[6] >> 4, key.0[8] >> 6), (7, 2));
        }
    }
}
