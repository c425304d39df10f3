//! What this node answers over HTTP: the socket, the accounts, its health, and the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use chinwag_core::code::ErrorCode;

use crate::gateway::driver::{Services, drive};
use crate::gateway::http::{self, Estates, Rating};
use crate::gateway::page::{self, Page};
use crate::gateway::upgrade::{UpgradeOptions, upgrade};
use crate::gateway::with_feature_routes;
use crate::metrics::{Metrics, Scope};

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

/// All routes of a node.
///
/// `allowed_origins` are exact origins besides our own.
pub fn routes(services: Services, allowed_origins: Vec<String>, readiness: Readiness) -> Router {
    let options = UpgradeOptions {
        allowed_origins,
        deflate: services.deflate.clone(),
        ..UpgradeOptions::default()
    };
    let counting = map_response_with_state(services.metrics.clone(), count_refusals);
    let rating = Rating {
        store: services.store.clone(),
        connections: services.connections.clone(),
        clock: services.clock,
    };
    let estates = Estates::new(services.store.clone(), services.eraser.clone());
    let (accounts, avatars) = (services.accounts.clone(), services.avatars.clone());
    let accounts = http::router_with(accounts, avatars, estates)
        .layer(Extension(rating))
        .layer(counting);
    let socket = Socket {
        services: Arc::new(services),
        options: Arc::new(options),
    };
    let health = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(readiness);
    let routes = Router::new()
        .route("/ws", any(websocket))
        .with_state(socket)
        .merge(accounts)
        .merge(health);
    with_feature_routes(routes).merge(page::router(Page::built()))
}

/// Counts the failures of the accounts: each carries its code.
async fn count_refusals(State(metrics): State<Arc<Metrics>>, response: Response) -> Response {
    if let Some(code) = response.extensions().get::<ErrorCode>() {
        metrics.refused(*code, Scope::Accounts);
    }
    response
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
    services: Arc<Services>,
    options: Arc<UpgradeOptions>,
}

async fn websocket(State(socket): State<Socket>, request: Request) -> Response {
    match upgrade(request, &socket.options) {
        Ok((response, opening)) => {
            let services = socket.services;
            services.tasks.clone().spawn(async move {
                // Boxed: what opening takes is not kept while the socket lives.
                match Box::pin(opening).await {
                    Ok(socket) => drive(socket, services).await,
                    Err(error) => tracing::debug!(%error, "an upgrade came to nothing"),
                }
            });
            response
        }
        Err(refused) => refused.into_response(),
    }
}
