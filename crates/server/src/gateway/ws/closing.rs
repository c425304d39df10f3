//! The end of a WebSocket: why there is no next message, and closing in order.
//!
//! It does not decide to close: whoever drives the socket does.

use std::io;

use bytes::Bytes;
use tokio::time::timeout;

use super::encoder::empty_close_frame;
use super::socket::{Reader, Writer};
use super::{CloseFrame, Violation, WriteError, close_frame};

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    /// The peer sent a close frame.
    #[error("closed by the peer")]
    ByPeer(Option<CloseFrame>),
    /// The peer broke the protocol or a limit.
    #[error("protocol: {0}")]
    Violation(Violation),
    /// The peer ended the stream without a close frame.
    #[error("the peer hung up")]
    HungUp,
    /// The connection is gone.
    #[error("connection lost: {0}")]
    Lost(#[source] io::Error),
}

impl Closed {
    /// The close frame that the peer is owed, for [`close`]; `None` if nobody is there to read it.
    #[must_use]
    pub fn answer(&self) -> Option<Bytes> {
        match self {
            // RFC 6455, section 5.5.1: the answer echoes the code.
            Self::ByPeer(Some(said)) => Some(close_frame(said.code, "")),
            Self::ByPeer(None) => Some(empty_close_frame()),
            Self::Violation(violation) => Some(violation.answer()),
            Self::HungUp | Self::Lost(_) => None,
        }
    }
}

/// Ends a WebSocket: what is queued, then `last` (a close frame, from [`Closed::answer`] or
/// [`close_frame`]), then FIN; then reads on for a short while, so that unread bytes do not make
/// the system answer with a reset that overtakes the close frame. Takes at most
/// [`SocketLimits::closing`] plus [`SocketLimits::linger`].
pub async fn close(mut reader: Reader, mut writer: Writer, last: Option<Bytes>) {
    let Some(last) = last else { return };
    let limits = writer.limits;
    let farewell = async {
        writer.keep(last);
        writer.flush().await?;
        writer.shutdown().await.map_err(WriteError::Lost)
    };
    // A peer that waits for us to read before it reads gets nothing: the time is bounded.
    match timeout(limits.closing, farewell).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return tracing::debug!(%error, "no close frame could be written"),
        Err(_elapsed) => return tracing::debug!("the peer took no close frame"),
    }
    if timeout(limits.linger, reader.discard(limits.linger_bytes_max))
        .await
        .is_err()
    {
        tracing::debug!("the peer did not hang up after the close frame");
    }
}
