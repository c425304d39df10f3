//! Writing: from the outbox of a connection to its socket, in as few system calls as there can be.
//!
//! Whoever queued frames drains all that waits for that socket into one write, without asking
//! the driver's task to run (ADR 7). What the system does not take at once is the driver's: it
//! waits for room, and until then nobody else tries. What waits for a client of low bandwidth is
//! held until the session says so, and leaves as a list.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use bytes::Bytes;
use chinwag_core::ids::Tick;
use tokio::time::timeout_at;

use super::{Connection, State};
use crate::gateway::dialect::Dialect;
use crate::gateway::ws::{WriteError, Writer};
use crate::metrics::{Direction, Metrics};

/// Bytes of frames taken for one write.
const WRITE_BYTES: usize = 64 * 1024;

/// What somebody who writes has at hand: scratch that all writes share, and how much they have
/// handed to sockets since somebody looked.
#[derive(Debug, Default)]
pub struct Pen {
    /// Empty between two writes.
    frames: Vec<Bytes>,
    bytes: u64,
    writes: u64,
}

impl Pen {
    /// Counts what was written, and begins anew.
    pub fn count(&mut self, metrics: &Metrics) {
        let writes = std::mem::take(&mut self.writes);
        if writes > 0 {
            metrics.writes.add(writes);
            let bytes = metrics.frames_bytes.of(Direction::Out);
            bytes.add(std::mem::take(&mut self.bytes));
        }
    }
}

/// What a driver waits for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Another frame may be read: work in flight and replies are bounded.
    pub reading: bool,
    /// Something waits for room in the socket: [`Connection::written`] is due.
    pub blocked: bool,
    /// The socket takes nothing any more.
    pub lost: bool,
    /// When the session wants to be told the time.
    pub due: Tick,
}

impl Connection {
    /// Gives the connection its socket.
    pub fn attach(&self, writer: Writer) {
        self.state().writer = Some(writer);
    }

    /// Takes the socket back, and the frames that still wait with it. From now on what is queued
    /// is written by nobody.
    pub fn detach(&self) -> Option<Writer> {
        let mut state = self.state();
        let mut writer = state.writer.take()?;
        let mut all = 0;
        while let Some((frame, bytes)) = state.outbox.pop() {
            writer.keep(frame);
            all += bytes as u64;
        }
        self.metrics.frames_bytes.of(Direction::Out).add(all);
        Some(writer)
    }

    /// Writes what waits, as far as the system takes it now; the driver does the rest. Returns how
    /// many bytes were handed on.
    pub fn flush(&self, pen: &mut Pen, now: Tick) -> usize {
        let mut state = self.state();
        // What the driver waits for already is nothing to wake it for again.
        let before = state.waits();
        let bytes = state.flush(&self.dialect, pen, now);
        let driver = state.waits().has_more_than(before);
        drop(state);
        if bytes > 0 {
            self.drained.notify_waiters();
        }
        if driver {
            self.wake.notify_one();
        }
        bytes
    }

    /// Writes a frame straight to the socket if nothing waits before it: for somebody who has
    /// nothing else to say to this connection now. `false`: queue it.
    #[must_use]
    pub fn pass(&self, frame: &Bytes, pen: &mut Pen) -> bool {
        let mut state = self.state();
        if !state.is_clear() {
            return false;
        }
        pen.frames.push(frame.clone());
        state.write(pen);
        // Nobody waits for an empty outbox to drain; what did not go is the driver's.
        let driver = state.lost || state.is_blocked();
        drop(state);
        if driver {
            self.wake.notify_one();
        }
        true
    }

    /// The driver's turn: writes what waits and says what to wait for. The first look after a sync
    /// has begun does not write: `welcome` leaves with the summary, which is being read.
    pub fn look(&self, pen: &mut Pen, now: Tick) -> Outlook {
        let mut state = self.state();
        let bytes = if std::mem::take(&mut state.gathering) {
            0
        } else {
            state.flush(&self.dialect, pen, now)
        };
        let outlook = Outlook {
            reading: state.wants_input(),
            blocked: state.is_blocked(),
            lost: state.lost,
            due: state.session.due(),
        };
        drop(state);
        if bytes > 0 {
            self.drained.notify_waiters();
        }
        outlook
    }

    /// Waits until the socket has taken something of what waits for it. Cancel safe.
    ///
    /// # Errors
    /// It takes nothing for too long, or is gone.
    pub async fn written(&self) -> Result<(), WriteError> {
        let progress = poll_fn(|context| match &mut self.state().writer {
            Some(writer) if writer.is_blocked() => writer.poll_flush(context),
            Some(_) | None => Poll::Ready(Ok(())),
        });
        let stalls = self.state().writer.as_ref().and_then(Writer::stalls_at);
        let Some(stalls) = stalls else { return Ok(()) };
        match timeout_at(stalls, progress).await {
            Ok(progress) => progress.map_err(WriteError::Lost),
            Err(_elapsed) => Err(WriteError::Stalled),
        }
    }
}

/// What keeps frames from leaving: each is the driver's to end.
#[derive(Debug, Clone, Copy)]
struct Waits {
    /// For the driver to close what is gone.
    lost: bool,
    /// For room in the socket.
    blocked: bool,
    /// For the driver's timer, which ends the window of a client of low bandwidth.
    held: bool,
}

impl Waits {
    fn has_more_than(self, before: Self) -> bool {
        (self.lost && !before.lost)
            || (self.blocked && !before.blocked)
            || (self.held && !before.held)
    }
}

impl State {
    fn waits(&self) -> Waits {
        Waits {
            lost: self.lost,
            blocked: self.is_blocked(),
            held: self.session.held_until().is_some(),
        }
    }

    fn is_blocked(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_blocked)
    }

    fn flush(&mut self, dialect: &Dialect, pen: &mut Pen, now: Tick) -> usize {
        if self.writer.is_none() {
            return 0;
        }
        let low_bandwidth = self.session.is_low_bandwidth();
        if low_bandwidth && !self.is_blocked() && self.session.holds(self.outbox.bytes(), now) {
            return 0;
        }
        let mut all = 0;
        while !self.is_blocked() && !self.lost {
            let mut bytes = 0;
            while bytes < WRITE_BYTES
                && let Some((frame, length)) = self.outbox.pop()
            {
                bytes += length;
                pen.frames.push(frame);
            }
            if bytes == 0 {
                break;
            }
            all += bytes;
            if low_bandwidth {
                dialect.pack(&mut pen.frames);
            }
            self.write(pen);
        }
        if self.settling && self.outbox.is_empty() {
            self.settling = false;
            self.outbox.settle();
        }
        all
    }

    /// Whether nothing waits before a frame that comes now.
    fn is_clear(&self) -> bool {
        let writes = self
            .writer
            .as_ref()
            .is_some_and(|writer| !writer.is_blocked());
        writes && !self.lost && self.outbox.is_empty() && !self.session.is_low_bandwidth()
    }

    /// One write of the frames of `pen`.
    fn write(&mut self, pen: &mut Pen) {
        let frames = &mut pen.frames;
        let Some(writer) = &mut self.writer else {
            return frames.clear();
        };
        pen.writes += 1;
        pen.bytes += frames.iter().map(Bytes::len).sum::<usize>() as u64;
        if let Err(error) = writer.try_write(frames) {
            frames.clear();
            self.lost = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                tracing::debug!(%error, "a socket is gone");
            }
        }
    }
}
