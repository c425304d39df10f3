//! The echo route of the conformance suite: the product's upgrade, decoder and socket, with a
//! driver that sends everything back. Never in a release build.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::accept::Lifetime;
use super::upgrade::{UpgradeOptions, UpgradeRefused, upgrade};
use super::ws::{
    Closed, Message, WebSocket, WriteError, binary_frame, close, close_frame, pong_frame,
    text_frame,
};

/// "Going away" (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// Everything that [`UpgradeOptions`] decides is the caller's, so that tests can lower the limits.
pub(crate) fn echo_router(options: UpgradeOptions) -> Router {
    Router::new()
        .route("/echo", any(handle))
        .with_state(Arc::new(options))
}

async fn handle(State(options): State<Arc<UpgradeOptions>>, request: Request) -> Response {
    let Some(lifetime) = request.extensions().get::<Lifetime>().cloned() else {
        return UpgradeRefused::NotFromGateway.into_response();
    };
    match upgrade(request, &options) {
        Ok((response, socket)) => {
            let tasks = lifetime.tasks.clone();
            tasks.spawn(async move {
                match socket.await {
                    Ok(socket) => echo(socket, lifetime).await,
                    Err(error) => tracing::debug!(%error, "no socket"),
                }
            });
            response
        }
        Err(refused) => refused.into_response(),
    }
}

/// Why an echo ends.
enum Ended {
    Stopped,
    Read(Closed),
    Write(WriteError),
}

async fn echo(socket: WebSocket, lifetime: Lifetime) {
    let WebSocket {
        mut reader,
        mut writer,
        permit,
        deflate,
        ..
    } = socket;
    let ended = loop {
        let message = tokio::select! {
            () = lifetime.stop.cancelled() => break Ended::Stopped,
            message = reader.next() => message,
        };
        let is_data = matches!(message, Ok(Message::Text(_) | Message::Binary(_)));
        let frame = match message {
            Ok(Message::Text(text)) => text_frame(text.as_bytes()),
            Ok(Message::Binary(bytes)) => binary_frame(&bytes),
            Ok(Message::Ping(payload)) => pong_frame(&payload),
            Ok(Message::Pong(_)) => continue,
            Err(closed) => break Ended::Read(closed),
        };
        let frame = match &deflate {
            Some(deflate) if is_data => deflate.frame(&frame),
            Some(_) | None => frame,
        };
        // Whoever has said something counts as known here; the product asks for a token first.
        permit.authenticated();
        if let Err(error) = writer.write_all(&[frame]).await {
            break Ended::Write(error);
        }
    };
    let last = match &ended {
        Ended::Stopped => Some(close_frame(GOING_AWAY, "server stops")),
        Ended::Read(closed) => closed.answer(),
        Ended::Write(error) => {
            tracing::debug!(%error, "echo not written");
            None
        }
    };
    close(reader, writer, last).await;
}
