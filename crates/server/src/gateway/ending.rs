//! How a connection ends: the last words, then everybody forgets it.
//!
//! Runs once, after the driver's last step.

use chinwag_core::code::CloseCode;

use crate::gateway::driver::Driver;
use crate::gateway::ws::{self, Closed, close_frame};
use crate::hub::Item;

/// Why a connection ends, from this side.
pub(super) enum End {
    /// The session says so.
    Close(CloseCode),
    /// The peer, or the bytes it sent, say so.
    Peer(Closed),
    /// It takes nothing any more.
    Stuck,
}

/// Whatever is queued still goes out, acks above all; then the close frame. Then the node forgets
/// the connection.
pub(super) async fn farewell(driver: Driver, end: End) {
    let Driver {
        services,
        connection,
        reader,
        ..
    } = driver;
    let last = match end {
        End::Close(code) => Some(close_frame(code.number(), code.reason())),
        End::Peer(closed) => closed.answer(),
        End::Stuck => None,
    };
    let writer = connection.detach();
    connection.end(services.clock.tick());
    if let Some(writer) = writer {
        ws::close(reader, writer, last).await;
    }
    services.connections.closed(&connection);
    services
        .hub
        .send(connection.id, Item::Unregister(connection.id))
        .await;
    services.commit.gone(connection.id).await;
}
