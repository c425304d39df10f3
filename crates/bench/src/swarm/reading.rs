//! What comes in: bytes to frames, frames to deliveries and notes.
//!
//! The hot path of the load generator: nothing is copied, allocated or parsed for a delivery.
//! Knows frames and stages; what a text means is the dialect's.

use std::time::Duration;

use anyhow::bail;

use super::frames::{self, CLOSE, PING, PONG, TEXT};
use super::stamp::{self, now_ns};
use super::{Note, Sampling, Stage, Swarm};
use crate::dialect::{Dialect, Heard};

/// Bytes of the answer to the handshake at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;

impl<D: Dialect> Swarm<D> {
    /// Reads what a user was sent, and acts upon each whole frame of it.
    pub(super) fn read(&mut self, user: usize) -> anyhow::Result<()> {
        // Taken out, so that what is in it can be looked at while all else changes.
        let mut buffer = std::mem::take(&mut self.buffer);
        let connection = &mut self.connections[user];
        if matches!(connection.stage, Stage::Away | Stage::Connecting) {
            self.buffer = buffer;
            return Ok(());
        }
        let kept = connection.tail.len();
        let outcome = match connection.read(&mut buffer) {
            Ok(Some(filled)) => {
                self.counts.reads += 1;
                self.counts.bytes += (filled - kept) as u64;
                self.take_in(user, &buffer[..filled])
            }
            Ok(None) => Ok(()),
            Err(error) => {
                self.lost(user, format!("the connection ended: {error}"));
                Ok(())
            }
        };
        self.buffer = buffer;
        outcome
    }

    /// Takes whole frames, and keeps the rest.
    fn take_in(&mut self, user: usize, mut bytes: &[u8]) -> anyhow::Result<()> {
        let at_ns = now_ns();
        if self.connections[user].stage == Stage::Upgrading {
            let Some(rest) = self.upgraded(user, bytes)? else {
                return Ok(());
            };
            bytes = rest;
        }
        while let Some(frame) = frames::first_frame(bytes)? {
            bytes = &bytes[frame.bytes..];
            match frame.opcode {
                TEXT => self.hear(user, frame.payload, at_ns)?,
                PING => {
                    self.connections[user].queue(PONG, frame.payload)?;
                    self.mark_dirty(user);
                }
                PONG => {}
                CLOSE => {
                    let why = frames::close_reason(frame.payload);
                    self.lost(user, format!("the server closed: {why}"));
                    return Ok(());
                }
                other => bail!("the server sent a frame with opcode {other}"),
            }
        }
        self.connections[user].keep(bytes);
        Ok(())
    }

    /// The bytes behind the answer to the handshake, once it is whole.
    fn upgraded<'a>(&mut self, user: usize, bytes: &'a [u8]) -> anyhow::Result<Option<&'a [u8]>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            if bytes.len() > HEAD_BYTES_MAX {
                bail!("the answer to the handshake has no end");
            }
            self.connections[user].keep(bytes);
            return Ok(None);
        };
        if !bytes.starts_with(b"HTTP/1.1 101 ") {
            let line = bytes.split(|&byte| byte == b'\r').next().unwrap_or(bytes);
            bail!("no WebSocket there: {}", String::from_utf8_lossy(line));
        }
        let connection = &mut self.connections[user];
        connection.stage = Stage::Greeting;
        for payload in self.dialect.greet(user) {
            connection.queue(TEXT, &payload)?;
        }
        self.mark_dirty(user);
        Ok(Some(&bytes[end + 4..]))
    }

    fn hear(&mut self, user: usize, payload: &[u8], at_ns: u64) -> anyhow::Result<()> {
        self.counts.frames += 1;
        match self.dialect.heard(user, payload, &mut self.answers) {
            Heard::Delivery { behind } => self.delivered(user, payload, behind, at_ns),
            Heard::Echo { number, behind } => {
                self.delivered(user, payload, behind, at_ns);
                self.notes.push(Note::Done {
                    user,
                    number,
                    at_ns,
                });
            }
            Heard::Ack(number) => self.notes.push(Note::Done {
                user,
                number,
                at_ns,
            }),
            Heard::Ready => {
                let connection = &mut self.connections[user];
                if connection.stage == Stage::Greeting {
                    connection.stage = Stage::Ready;
                    self.counts.ready += 1;
                    let took_ns = at_ns.saturating_sub(connection.begun_ns);
                    self.notes.push(Note::Ready { user, took_ns });
                }
            }
            Heard::Refused(why) => self.notes.push(Note::Refused { user, why }),
            Heard::Other => {}
        }
        if !self.answers.is_empty() {
            for answer in std::mem::take(&mut self.answers) {
                self.connections[user].queue(TEXT, &answer)?;
            }
            self.mark_dirty(user);
        }
        Ok(())
    }

    fn delivered(&mut self, user: usize, payload: &[u8], behind: usize, at_ns: u64) {
        self.connections[user].received += 1;
        self.counts.deliveries += 1;
        if self.sampling.each == 0 {
            return;
        }
        self.until_sample += 1;
        if self.until_sample < self.sampling.each {
            return;
        }
        self.until_sample = 0;
        let Sampling {
            from_ns, until_ns, ..
        } = self.sampling;
        if let Some(due_ns) = stamp::stamp_before(payload, behind)
            && (from_ns..until_ns).contains(&due_ns)
        {
            let took = at_ns.saturating_sub(due_ns);
            let class = stamp::class_before(payload, behind);
            self.latencies[class].record(Duration::from_nanos(took));
        }
    }
}
