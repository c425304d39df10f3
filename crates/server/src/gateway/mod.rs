//! The gateway: everything between a TCP connection and the frames of a session.
//!
//! Its lowest layer (`accept`, `upgrade`, `ws`) is bytes and frames only. Above it, `driver` runs
//! one session per socket; `outbox` is what the rest of the node sees of a connection.

pub mod accept;
pub mod budget;
mod connection;
pub mod connections;
pub mod dialect;
pub mod driver;
#[cfg(any(test, feature = "conformance"))]
mod echo;
mod ending;
pub mod http;
pub mod network;
pub mod outbox;
pub mod page;
mod stream;
#[cfg(test)]
mod suite;
mod syncing;
pub mod tls;
pub mod upgrade;
pub mod ws;

#[cfg(feature = "conformance")]
use std::sync::Arc;

use axum::Router;

/// The echo route of the conformance suite: `/echo`, through the same upgrade and socket code as
/// the product. Only its sizes are raised, since the suite sends messages of up to 16 MiB in any number of
/// fragments.
#[cfg(feature = "conformance")]
pub fn conformance_router() -> Router {
    use upgrade::UpgradeOptions;
    use ws::{Deflate, FrameLimits, SocketLimits};

    /// The largest message of Autobahn's cases 9.
    const ECHO_BYTES_MAX: usize = 16 * 1024 * 1024;
    let frames = FrameLimits {
        frame_bytes_max: ECHO_BYTES_MAX,
        message_bytes_max: ECHO_BYTES_MAX,
        // Those of 4 MiB come in fragments of 64 bytes.
        fragments_max: 128 * 1024,
        ..FrameLimits::STANDARD
    };
    let limits = SocketLimits {
        frames,
        queued_bytes_max: 2 * ECHO_BYTES_MAX,
        ..SocketLimits::STANDARD
    };
    echo::echo_router(UpgradeOptions {
        limits,
        deflate: Some(Arc::new(Deflate::default())),
        ..UpgradeOptions::default()
    })
}

/// `router` with what the cargo features add to it: the echo route, or nothing in a release build.
pub fn with_feature_routes(router: Router) -> Router {
    #[cfg(feature = "conformance")]
    return router.merge(conformance_router());
    #[cfg(not(feature = "conformance"))]
    router
}
