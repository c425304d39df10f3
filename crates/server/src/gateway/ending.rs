//! How a connection ends: the last words, then everybody forgets it.
//!
//! Runs once, after the driver's last step.

use std::time::Duration;

use bytes::Bytes;
use chinwag_core::code::CloseCode;

use crate::gateway::driver::Driver;
use crate::gateway::ws::{self, Closed, WriteError, close_frame};
use crate::hub::Item;
use crate::metrics::{Direction, Left, Metrics, Open};

/// Why a connection ends, from this side.
pub(super) enum End {
    /// The session says so.
    Close(CloseCode),
    /// The peer, or the bytes it sent, say so.
    Peer(Closed),
    /// It takes nothing any more.
    Stuck,
    /// A write has said that it is gone.
    Gone,
}

impl From<WriteError> for End {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stalled | WriteError::Full => Self::Stuck,
            WriteError::Lost(_) => Self::Gone,
        }
    }
}

impl End {
    fn count(&self, metrics: &Metrics) {
        match self {
            Self::Close(code) => metrics.closed.of(*code).add(1),
            Self::Peer(Closed::Violation(violation)) => {
                metrics.closed.of(violation.close_code()).add(1);
            }
            Self::Peer(Closed::ByPeer(said)) => {
                let code = said.as_ref().map(|said| said.code);
                metrics.left.of(Left::of(code)).add(1);
            }
            Self::Peer(Closed::HungUp | Closed::Lost(_)) | Self::Gone => metrics.lost.add(1),
            Self::Stuck => metrics.stuck.add(1),
        }
    }

    /// What became of a `hello` that was never answered with `welcome`.
    fn unwelcome(&self) -> Open {
        match self {
            Self::Close(CloseCode::BadToken) => Open::BadToken,
            Self::Close(CloseCode::TokenExpired) => Open::TokenExpired,
            Self::Close(CloseCode::TooManyConnections) => Open::TooManyConnections,
            Self::Close(CloseCode::Overloaded) => Open::Overloaded,
            Self::Close(_) | Self::Peer(_) | Self::Stuck | Self::Gone => Open::Abandoned,
        }
    }
}

/// Whatever is queued still goes out, acks above all; then the close frame. Then the node forgets
/// the connection.
pub(super) async fn farewell(driver: Driver, end: End) {
    let Driver {
        services,
        connection,
        mut reader,
        opened,
        ..
    } = driver;
    let last = match &end {
        End::Close(code) => Some(close_frame(code.number(), code.reason())),
        End::Peer(closed) => closed.answer(),
        End::Stuck | End::Gone => None,
    };
    let writer = connection.detach();
    let now = services.clock.tick();
    connection.end(now);
    let metrics = &services.metrics;
    end.count(metrics);
    if !connection.is_welcome() {
        metrics.opens.of(end.unwelcome()).add(1);
    }
    let open_for = Duration::from_millis(now.since(opened));
    metrics.connection_seconds.observe(open_for);
    let bytes = &metrics.frames_bytes;
    bytes.of(Direction::In).add(reader.take_read_bytes());
    bytes
        .of(Direction::Out)
        .add(last.as_ref().map_or(0, Bytes::len) as u64);
    if let Some(writer) = writer {
        ws::close(reader, writer, last).await;
    }
    services
        .connections
        .closed(&connection, services.clock.tick());
    services
        .hub
        .send(connection.id, Item::Unregister(connection.id))
        .await;
    services.commit.gone(connection.id).await;
}
