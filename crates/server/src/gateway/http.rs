//! The HTTP interface of accounts: `/api/…`, JSON in and out.
//!
//! No rule lives here: it turns requests into calls of [`Accounts`] and answers into JSON. Each
//! failure under `/api`, an unknown path too, is `{"error": {…}}` with a code of the registry.
//! Tokens travel in bodies, cookies and the `Authorization` header, never in an address.

mod account;
mod avatars;
mod call;
pub(crate) mod export;
mod rates;
mod reply;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use chinwag_core::code::ErrorCode;
use serde_json::json;

pub use self::account::Estates;
use self::call::{Call, Given};
pub use self::rates::Rating;
pub use self::reply::Failure;
use crate::auth::{Accounts, Refused, SignedIn};
use crate::store::avatars::AvatarStore;

/// Largest body of a request, in bytes. Beyond: 413.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// For the body to arrive, in ms. Beyond: 408.
pub const BODY_DEADLINE_MS: u64 = 10_000;
/// The cookie with the refresh token.
pub const REFRESH_COOKIE: &str = "chinwag_refresh";

/// Who is at the other end, as the accept loop knows: in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address, behind trusted proxies too.
    pub address: IpAddr,
    /// Whether the client's side is HTTPS: here, or as a trusted proxy says.
    pub secure: bool,
}

/// The routes under `/api` that need accounts and pictures alone. Every request needs a [`Peer`]
/// among its extensions.
pub fn router(accounts: Arc<Accounts>, store: Arc<dyn AvatarStore>) -> Router {
    mounted(accounts, store, Router::new())
}

/// The same, with what is about somebody's rooms as well.
pub fn router_with(
    accounts: Arc<Accounts>,
    store: Arc<dyn AvatarStore>,
    estates: Estates,
) -> Router {
    mounted(accounts, store, estates.routes())
}

fn mounted(
    accounts: Arc<Accounts>,
    store: Arc<dyn AvatarStore>,
    more: Router<Arc<Accounts>>,
) -> Router {
    let avatars = avatars::router(accounts.clone(), store);
    let routes = Router::new()
        .merge(more)
        .route("/register", post(register))
        .route("/login", post(login))
        .route("/refresh", post(refresh))
        .route("/logout", post(logout))
        .route("/password", post(password))
        .route("/setup", post(setup))
        .route("/invites", post(invites))
        .route("/server", get(server))
        .route(
            "/v1/sessions",
            get(sessions::list).delete(sessions::end_others),
        )
        .route("/v1/sessions/{id}", delete(sessions::end))
        .route("/v1/users/{id}/rate", put(rates::set).delete(rates::reset))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .with_state(accounts)
        .merge(avatars);
    Router::new()
        .nest("/api", routes)
        .layer(map_response(not_stored))
}

/// What stands under `/api` belongs to one person and one moment, unless it says otherwise.
async fn not_stored(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn unknown_path() -> Failure {
    Failure::with(
        StatusCode::NOT_FOUND,
        ErrorCode::NotFound,
        "there is nothing at this path",
    )
}

async fn wrong_method() -> Failure {
    let message = "this path takes another method: the `Allow` header names it";
    Failure::with(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::UnknownCommand,
        message,
    )
}

type Answer = Result<Response, Failure>;

async fn register(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    let (name, password) = (call.text("name")?, call.text("password")?);
    let (invite, wants_cookie) = (call.text_if_any("invite")?, call.wants_cookie()?);
    let device = call.device_name()?;
    let made = accounts
        .register(call.peer.address, name, password, invite, device)
        .await?;
    Ok(signed_in(
        &accounts,
        &call,
        StatusCode::CREATED,
        &made,
        wants_cookie,
    ))
}

async fn login(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    let (name, password) = (call.text("name")?, call.text("password")?);
    let wants_cookie = call.wants_cookie()?;
    let made = accounts
        .login(call.peer.address, name, password, call.device_name()?)
        .await?;
    Ok(signed_in(
        &accounts,
        &call,
        StatusCode::OK,
        &made,
        wants_cookie,
    ))
}

async fn setup(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    let token = call.text("token")?;
    let (name, password) = (call.text("name")?, call.text("password")?);
    let wants_cookie = call.wants_cookie()?;
    let device = call.device_name()?;
    let made = accounts
        .setup(call.peer.address, token, name, password, device)
        .await?;
    Ok(signed_in(
        &accounts,
        &call,
        StatusCode::CREATED,
        &made,
        wants_cookie,
    ))
}

async fn refresh(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    // The new token goes back the way the old one came.
    let (token, came_by_cookie) = match call.refresh_token()? {
        Given::InBody(token) => (token, false),
        Given::InCookie(token) => (token, true),
        // A page asks this at every first visit: that nobody is signed in is an answer, not a refusal.
        Given::Nowhere => return Ok(StatusCode::NO_CONTENT.into_response()),
    };
    let made = accounts.refresh(token).await?;
    Ok(signed_in(
        &accounts,
        &call,
        StatusCode::OK,
        &made,
        came_by_cookie,
    ))
}

async fn logout(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    match call.refresh_token()? {
        Given::InBody(token) | Given::InCookie(token) => accounts.logout_by_refresh(token).await?,
        Given::Nowhere if !call.has_bearer() => {
            return Err(Refused::new(ErrorCode::BadToken).into());
        }
        Given::Nowhere => {}
    }
    if call.has_bearer() {
        let identity = call.identity(&accounts).await;
        match identity {
            Ok(identity) => accounts.logout(&identity).await?,
            // The session may have ended by the refresh token just above, or long ago.
            Err(failure) if failure.is_about_the_token() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(reply::without_cookie(
        reply::json(StatusCode::OK, &json!({})),
        call.peer.secure,
    ))
}

async fn password(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    let identity = call.identity(&accounts).await?;
    let (old, new) = (call.text("old")?, call.text("new")?);
    accounts
        .change_password(call.peer.address, &identity, old, new)
        .await?;
    Ok(reply::json(StatusCode::OK, &json!({})))
}

async fn invites(State(accounts): State<Arc<Accounts>>, call: Call) -> Answer {
    let identity = call.identity(&accounts).await?;
    let made = accounts.invite(&identity).await?;
    let body = json!({"invite": made.token.expose(), "expires_at": made.expires_at_ms});
    Ok(reply::json(StatusCode::CREATED, &body))
}

async fn server(State(accounts): State<Arc<Accounts>>) -> Response {
    let settings = accounts.settings();
    let body = json!({
        "name": settings.server_name,
        "version": settings.version,
        "registration": settings.registration.word(),
    });
    reply::json(StatusCode::OK, &body)
}

fn signed_in(
    accounts: &Accounts,
    call: &Call,
    status: StatusCode,
    made: &SignedIn,
    by_cookie: bool,
) -> Response {
    let mut body = json!({
        "user": made.user,
        "access_token": made.access_token,
        "expires_in_ms": made.expires_in_ms,
    });
    if !by_cookie {
        body["refresh_token"] = json!(made.refresh.expose());
        return reply::json(status, &body);
    }
    let life_ms = accounts.settings().refresh_token_ms;
    let response = reply::json(status, &body);
    reply::with_cookie(response, made.refresh.expose(), life_ms, call.peer.secure)
}

#[cfg(test)]
mod tests;
