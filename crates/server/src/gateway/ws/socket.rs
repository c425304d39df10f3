//! A WebSocket as two halves, for one task or two.
//!
//! An idle socket holds no buffer: reads go into the stack and only what follows an unread message
//! is kept; writes keep only what the system did not take.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};

use super::closing::Closed;
use super::{Agreed, Decoded, Decoder, Deflate, Message, SocketLimits, WriteError};
use crate::gateway::budget::Permit;
use crate::gateway::network::ClientAddress;
use crate::gateway::stream::{ReadStream, Stream, WriteStream};

/// Bytes of one read.
const READ_BYTES: usize = 8 * 1024;
/// Frames of one vectored write.
const SLICES_MAX: usize = 256;
/// The same where most writes have one frame or a few: the list is made anew for each.
const TRY_SLICES_MAX: usize = 32;

/// An open WebSocket: take it apart and drive the halves.
#[derive(Debug)]
pub struct WebSocket {
    /// What the peer sends.
    pub reader: Reader,
    /// What is sent to the peer.
    pub writer: Writer,
    /// The connection's places in the budget: say `authenticated()`, and keep it as long as the halves.
    pub permit: Permit,
    /// Who is there.
    pub address: ClientAddress,
    /// The subprotocol that was chosen, if the client offered any.
    pub subprotocol: Option<&'static str>,
    /// What compresses frames for this client, if it was agreed on. Reading does it by itself.
    pub deflate: Option<Arc<Deflate>>,
}

impl WebSocket {
    pub(crate) fn new(
        stream: Stream,
        already_read: &[u8],
        limits: SocketLimits,
        permit: Permit,
        address: ClientAddress,
        agreed: Agreed,
    ) -> Self {
        let (read, write) = stream.into_halves();
        // Copied, so that the HTTP connection's whole read buffer is not kept for a few bytes.
        let tail = Bytes::copy_from_slice(already_read);
        Self {
            reader: Reader {
                stream: read,
                decoder: Decoder::new(limits.frames, agreed.deflate.clone()),
                read_bytes: tail.len() as u64,
                tail,
            },
            writer: Writer {
                stream: write,
                limits,
                queue: VecDeque::new(),
                queued_bytes: 0,
                unflushed: false,
                took_at: None,
            },
            permit,
            address,
            subprotocol: agreed.subprotocol,
            deflate: agreed.deflate,
        }
    }
}

/// The reading half.
#[derive(Debug)]
pub struct Reader {
    stream: ReadStream,
    decoder: Decoder,
    /// Bytes read since somebody asked.
    read_bytes: u64,
    /// Bytes read behind the last message that was returned; at most [`READ_BYTES`], or what came
    /// glued to the upgrade request.
    tail: Bytes,
}

impl Reader {
    /// The next message. Cancel safe: a call that is dropped has lost nothing.
    ///
    /// # Errors
    /// [`Closed`] when there will be no further message; pass its answer to [`close`].
    pub async fn next(&mut self) -> Result<Message, Closed> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next message of what has been read already; none if it takes another read.
    pub fn next_read(&mut self) -> Option<Result<Message, Closed>> {
        if self.tail.is_empty() {
            return None;
        }
        let fed = self.decoder.feed(&self.tail, now());
        let (taken, decoded) = match fed {
            Ok(fed) => fed,
            Err(violation) => return Some(Err(Closed::Violation(violation))),
        };
        self.tail.advance(taken);
        if self.tail.is_empty() {
            self.tail = Bytes::new(); // Frees it.
        }
        decoded.map(message)
    }

    /// How many bytes have been read since this was asked last.
    pub fn take_read_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.read_bytes)
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Closed>> {
        if let Some(next) = self.next_read() {
            return Poll::Ready(next);
        }
        loop {
            let mut scratch = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))
                .map_err(Closed::Lost)?;
            let bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(Err(Closed::HungUp));
            }
            self.read_bytes += bytes.len() as u64;
            let (taken, decoded) = self.decoder.feed(bytes, now()).map_err(Closed::Violation)?;
            if let Some(decoded) = decoded {
                if taken < bytes.len() {
                    self.tail = Bytes::copy_from_slice(&bytes[taken..]);
                }
                return Poll::Ready(message(decoded));
            }
        }
    }

    /// Reads and forgets until the peer's FIN, an error, or `bytes_max`.
    pub(super) async fn discard(&mut self, bytes_max: usize) {
        let mut discarded = 0;
        while discarded < bytes_max {
            let read = poll_fn(|context| {
                let mut scratch = [const { MaybeUninit::uninit() }; READ_BYTES];
                let mut buffer = ReadBuf::uninit(&mut scratch);
                ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
                Poll::Ready(io::Result::Ok(buffer.filled().len()))
            });
            match read.await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => discarded += bytes,
            }
        }
    }
}

/// Tokio's clock, so that tests can move it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

fn message(decoded: Decoded) -> Result<Message, Closed> {
    match decoded {
        Decoded::Message(message) => Ok(message),
        Decoded::Close(said) => Err(Closed::ByPeer(said)),
    }
}

/// The writing half.
#[derive(Debug)]
pub struct Writer {
    stream: WriteStream,
    pub(super) limits: SocketLimits,
    /// Frames not yet taken by the system; the first may have lost its beginning.
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    /// TLS may hold records back until it is flushed.
    unflushed: bool,
    /// When the peer took something last, while something waits for it.
    took_at: Option<Instant>,
}

impl Writer {
    /// Queues `frames` and writes all that is queued, in one vectored write where the system takes
    /// it. Cancel safe: what was not written stays queued, and goes before whatever comes later.
    ///
    /// # Errors
    /// [`WriteError::Full`] before anything is queued, else as [`Writer::flush`].
    pub async fn write_all(&mut self, frames: &[Bytes]) -> Result<(), WriteError> {
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        if self.queued_bytes.saturating_add(bytes) > self.limits.queued_bytes_max {
            return Err(WriteError::Full);
        }
        self.queued_bytes += bytes;
        self.queue
            .extend(frames.iter().filter(|frame| !frame.is_empty()).cloned());
        self.flush().await
    }

    /// Writes `frames` as far as the system takes them now, and keeps the rest: then, or if an
    /// earlier rest still waits, `false`, and [`Writer::poll_flush`] is due. Leaves `frames`
    /// empty. Whoever makes frames has bounds of their own; nothing is refused here.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn try_write(&mut self, frames: &mut Vec<Bytes>) -> io::Result<bool> {
        if self.is_blocked() {
            frames.drain(..).for_each(|frame| self.keep(frame));
            return Ok(false);
        }
        let mut at = 0;
        while at < frames.len() {
            let mut slices = [IoSlice::new(&[]); TRY_SLICES_MAX];
            let used = (frames.len() - at).min(TRY_SLICES_MAX);
            for (slice, frame) in slices.iter_mut().zip(&frames[at..]) {
                *slice = IoSlice::new(frame);
            }
            let Some(mut written) = self.stream.try_write_vectored(&slices[..used])? else {
                break;
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            while written > 0 {
                let first = &mut frames[at];
                let taken = written.min(first.len());
                first.advance(taken);
                written -= taken;
                at += usize::from(first.is_empty());
            }
        }
        frames.drain(..).skip(at).for_each(|frame| self.keep(frame));
        if self.queue.is_empty() {
            self.unflushed = !self.stream.try_flush()?;
        }
        self.took_at = self.is_blocked().then(Instant::now);
        Ok(!self.is_blocked())
    }

    /// Puts a frame behind those that wait, without writing: for [`close`], or behind a rest.
    pub fn keep(&mut self, frame: Bytes) {
        self.queued_bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// Whether something waits for the system to take it.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        !self.queue.is_empty() || self.unflushed
    }

    /// When the peer will have taken nothing for [`SocketLimits::write_stall`], if something
    /// waits for it.
    #[must_use]
    pub fn stalls_at(&self) -> Option<Instant> {
        Some(self.took_at? + self.limits.write_stall)
    }

    /// One step of writing what waits; asks to be told when there is room for the next one.
    /// Over when [`Writer::is_blocked`] says no.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_progress(context))?;
        if self.queue.is_empty() {
            // A burst's worth of list is not kept for an idle socket.
            self.queue = VecDeque::new();
        }
        self.took_at = self.is_blocked().then(Instant::now);
        Poll::Ready(Ok(()))
    }

    /// Writes all that is queued. Cancel safe. Returns at once when nothing is.
    ///
    /// # Errors
    /// [`WriteError::Stalled`] or [`WriteError::Lost`]: the socket is of no further use.
    pub async fn flush(&mut self) -> Result<(), WriteError> {
        let stall = self.limits.write_stall;
        while !self.queue.is_empty() || self.unflushed {
            match timeout(stall, poll_fn(|context| self.poll_progress(context))).await {
                Ok(progress) => progress.map_err(WriteError::Lost)?,
                Err(_elapsed) => return Err(WriteError::Stalled),
            }
        }
        // A burst's worth of list is not kept for an idle socket.
        self.queue = VecDeque::new();
        Ok(())
    }

    /// One write, or one flush when everything is written.
    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.stream);
        let written = match self.queue.len() {
            0 => {
                ready!(stream.poll_flush(context))?;
                self.unflushed = false;
                return Poll::Ready(Ok(()));
            }
            1 => ready!(stream.poll_write(context, &self.queue[0]))?,
            _ => {
                let mut slices = [IoSlice::new(&[]); SLICES_MAX];
                let mut used = 0;
                for (slice, frame) in slices.iter_mut().zip(&self.queue) {
                    *slice = IoSlice::new(frame);
                    used += 1;
                }
                ready!(stream.poll_write_vectored(context, &slices[..used]))?
            }
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.unflushed = true;
        self.written(written);
        Poll::Ready(Ok(()))
    }

    fn written(&mut self, mut bytes: usize) {
        self.queued_bytes -= bytes;
        while let Some(first) = self.queue.front_mut() {
            if bytes < first.len() {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.queue.pop_front();
        }
    }

    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|context| Pin::new(&mut self.stream).poll_shutdown(context)).await
    }
}
