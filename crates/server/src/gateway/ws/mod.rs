//! The WebSocket protocol, server side (RFC 6455): decoder, encoder and socket.
//!
//! It knows frames and messages, not what they mean, and it does not decide when to ping or to
//! close: the driver does. The only extension is permessage-deflate (RFC 7692), for those who
//! negotiated it; any other reserved bit is an error.

mod closing;
mod decoder;
mod deflate;
mod encoder;
mod extension;
mod mask;
mod socket;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chinwag_core::code::CloseCode;
use chinwag_core::limits::{CONTROL_FRAMES_PER_SECOND, FRAGMENTS_MAX, FRAME_BYTES_MAX};

pub use closing::{Closed, close};
pub use decoder::{Decoded, Decoder};
pub use deflate::{DEFLATE_FROM_BYTES, DEFLATE_TO_BYTES, Deflate, DeflateFigures};
pub(crate) use encoder::plain_data;
pub use encoder::{
    CONTROL_BYTES_MAX, binary_frame, close_frame, ping_frame, pong_frame, text_frame,
};
pub use extension::choose_offer;
pub use socket::{Reader, WebSocket, Writer};

/// What a peer may send. At a limit, decoding ends with the [`Violation`] named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLimits {
    /// Payload of one frame, in bytes. Beyond: [`Violation::TooBig`], from the header alone.
    pub frame_bytes_max: usize,
    /// Payload of all fragments of one message, in bytes, as sent and as inflated. Beyond:
    /// [`Violation::TooBig`].
    pub message_bytes_max: usize,
    /// Frames of one message, empty ones too. Beyond: [`Violation::Overrun`].
    pub fragments_max: u32,
    /// Pings and pongs per second, steadily; not 0. Beyond: [`Violation::Overrun`].
    pub control_frames_per_second: u32,
    /// Pings and pongs at once, after silence; not 0.
    pub control_frames_burst: u32,
}

impl FrameLimits {
    /// The product's limits (contract 9: frame 64 KiB).
    pub const STANDARD: Self = Self {
        frame_bytes_max: FRAME_BYTES_MAX,
        message_bytes_max: FRAME_BYTES_MAX,
        fragments_max: FRAGMENTS_MAX,
        control_frames_per_second: CONTROL_FRAMES_PER_SECOND,
        control_frames_burst: CONTROL_FRAMES_PER_SECOND,
    };
}

/// Limits of a [`WebSocket`] beyond its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketLimits {
    /// What the peer may send.
    pub frames: FrameLimits,
    /// How long the peer may take no byte at all while something waits to be written.
    /// Beyond: [`WriteError::Stalled`].
    pub write_stall: Duration,
    /// Bytes that may wait inside [`Writer`]. Beyond: [`WriteError::Full`]. The outbox in front of
    /// it has the smaller bound; this one only catches a driver that forgets to look.
    pub queued_bytes_max: usize,
    /// For the last frames and FIN to be written, at the end. Beyond: the socket is dropped.
    pub closing: Duration,
    /// How long what the peer still sends is read and thrown away after FIN, so that the system
    /// answers with no reset, which could overtake the close frame.
    pub linger: Duration,
    /// Bytes thrown away in that time at most.
    pub linger_bytes_max: usize,
}

impl SocketLimits {
    /// The product's limits.
    pub const STANDARD: Self = Self {
        frames: FrameLimits::STANDARD,
        write_stall: Duration::from_secs(10),
        queued_bytes_max: 1024 * 1024,
        closing: Duration::from_secs(2),
        linger: Duration::from_secs(1),
        linger_bytes_max: 8 * 1024 * 1024,
    };
}

/// What a handshake settled.
pub(crate) struct Agreed {
    pub(crate) subprotocol: Option<&'static str>,
    pub(crate) deflate: Option<Arc<Deflate>>,
}

/// A whole message, or a ping or pong that came between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text, valid UTF-8.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// To be answered by a pong with the same payload (at most 125 bytes).
    Ping(Bytes),
    /// Answers a ping, or is a sign of life by itself.
    Pong(Bytes),
}

/// What a close frame says, if it says anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// 1000-1003, 1007-1014 or 3000-4999.
    pub code: u16,
    /// Text for people; often empty.
    pub reason: String,
}

/// How a peer broke the protocol or its limits. Nothing can be decoded after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Framing: the text says which rule.
    #[error("{0}")]
    Protocol(&'static str),
    /// Text, or the reason of a close frame, is not UTF-8.
    #[error("not UTF-8")]
    BadText,
    /// A compressed message is damaged or not whole.
    #[error("cannot be inflated")]
    BadDeflate,
    /// [`FrameLimits::frame_bytes_max`] or [`FrameLimits::message_bytes_max`].
    #[error("frame or message too big")]
    TooBig,
    /// [`FrameLimits::fragments_max`] or the rate of control frames.
    #[error("too many small frames")]
    Overrun,
}

impl Violation {
    /// The code for the close frame that answers it.
    #[must_use]
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::BadText | Self::BadDeflate => CloseCode::BadText,
            Self::TooBig => CloseCode::TooBig,
            Self::Overrun => CloseCode::Overrun,
        }
    }

    /// The close frame that answers it.
    #[must_use]
    pub fn answer(self) -> Bytes {
        close_frame(self.close_code().number(), &self.to_string())
    }
}

/// Why frames could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// [`SocketLimits::queued_bytes_max`]: nothing was queued; the socket is still whole.
    #[error("too many bytes wait for this socket")]
    Full,
    /// [`SocketLimits::write_stall`]: the peer takes nothing any more.
    #[error("the peer takes no bytes")]
    Stalled,
    /// The connection is gone.
    #[error("connection lost: {0}")]
    Lost(#[source] io::Error),
}

/// Opcodes (RFC 6455, section 5.2).
mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}

/// The first header byte's bit for the last frame of a message.
const FIN: u8 = 0x80;
/// Its bit on the first frame of a compressed message (RFC 7692, section 6).
const RSV1: u8 = 0x40;
const OPCODE_BITS: u8 = 0x0f;
