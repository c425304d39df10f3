//! What this node answers over HTTP: the socket, the accounts, its health, and the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::gateway::driver::{Services, drive};
use crate::gateway::http::{self, Peer};
use crate::gateway::network::ClientAddress;
use crate::gateway::page::{self, Page};
use crate::gateway::upgrade::{UpgradeOptions, upgrade};
use crate::gateway::with_feature_routes;

/// Whether this node wants new clients: false before it serves and while it stops.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether new clients are welcome.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// How the outside reaches this node.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Exact origins besides our own.
    pub allowed_origins: Vec<String>,
    /// TLS ends here.
    pub is_tls: bool,
    /// Proxies are configured, so their `X-Forwarded-Proto` means something.
    pub behind_proxy: bool,
}

/// All routes of a node.
pub fn routes(services: Services, outside: Outside, readiness: Readiness) -> Router {
    let options = UpgradeOptions {
        allowed_origins: outside.allowed_origins.clone(),
        ..UpgradeOptions::default()
    };
    let socket = Socket {
        services: services.clone(),
        options: Arc::new(options),
    };
    let health = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(readiness);
    let routes = Router::new()
        .route("/ws", any(websocket))
        .with_state(socket)
        .merge(http::router(services.accounts).layer(from_fn_with_state(outside, name_peer)))
        .merge(health);
    with_feature_routes(routes).merge(page::router(Page::built()))
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    if readiness.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

#[derive(Clone)]
struct Socket {
    services: Services,
    options: Arc<UpgradeOptions>,
}

async fn websocket(State(socket): State<Socket>, request: Request) -> Response {
    match upgrade(request, &socket.options) {
        Ok((response, opening)) => {
            let services = socket.services;
            services.tasks.clone().spawn(async move {
                match opening.await {
                    Ok(socket) => drive(socket, services).await,
                    Err(error) => tracing::debug!(%error, "an upgrade came to nothing"),
                }
            });
            response
        }
        Err(refused) => refused.into_response(),
    }
}

/// Tells the accounts who is at the other end.
async fn name_peer(State(outside): State<Outside>, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<ClientAddress>().copied();
    let Some(ClientAddress(address)) = address else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let forwarded = request.headers().get("x-forwarded-proto");
    let by_proxy = outside.behind_proxy && forwarded.is_some_and(|scheme| scheme == "https");
    let secure = outside.is_tls || by_proxy;
    request.extensions_mut().insert(Peer { address, secure });
    next.run(request).await
}
