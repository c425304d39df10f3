//! `/api/v1/account`: taking away what is one's own, and deleting the account.
//!
//! An export is read page by page as the client takes it: each page is one short read, and nothing
//! is read that nobody has taken. Rules are the accounts', `export`'s and `core::erasure`'s.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Extension, Router};
use chinwag_core::code::ErrorCode;
use chinwag_core::erasure::Texts;
use chinwag_core::ids::UserId;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::call::{Asking, Call};
use super::export::{self, Page, Place};
use super::{Answer, reply};
use crate::auth::attempts::{AttemptRate, Buckets};
use crate::auth::{Accounts, Identity, Refused};
use crate::clock;
use crate::eraser::Eraser;
use crate::gateway::budget::Permit;

use crate::store::{self, Store};

/// An export that is not taken to its end by then ends without its last line.
const EXPORT_MAX: Duration = Duration::from_secs(15 * 60);
/// Exports of one person: so many at once after a pause, and one more per ten minutes.
const EXPORT_RATE: AttemptRate = AttemptRate {
    burst: 6,
    refill_ms: 600_000,
};

/// What these two need beside the accounts.
#[derive(Clone)]
pub struct Estates {
    store: Arc<dyn Store>,
    eraser: Eraser,
    exports: Arc<Exports>,
}

impl Estates {
    /// Over `store`; `eraser` is told of accounts that were closed.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, eraser: Eraser) -> Self {
        Self {
            store,
            eraser,
            exports: Arc::new(Exports {
                running: Mutex::default(),
                rate: Buckets::new(EXPORT_RATE),
            }),
        }
    }

    /// The routes, below `/api`.
    pub(super) fn routes(self) -> Router<Arc<Accounts>> {
        Router::new()
            .route("/v1/account", axum::routing::delete(erase))
            .route("/v1/account/export", get(export))
            .layer(Extension(self))
    }
}

/// `DELETE /api/v1/account`
async fn erase(
    State(accounts): State<Arc<Accounts>>,
    Extension(estates): Extension<Estates>,
    call: Call,
) -> Answer {
    let identity = call.identity(&accounts).await?;
    let wrong = || Refused::field(ErrorCode::BadField, "messages");
    let texts = Texts::read(call.text("messages")?).ok_or_else(wrong)?;
    let password = call.text_if_any("password")?;
    let confirm = call.text_if_any("confirm")?;
    let from = call.peer.address;
    let closed = accounts.close(from, &identity, password, confirm, texts);
    let job = closed.await?;
    estates.eraser.tell();
    let response = reply::json(StatusCode::ACCEPTED, &json!({ "job": job }));
    Ok(reply::without_cookie(response, call.peer.secure))
}

/// `GET /api/v1/account/export`
async fn export(
    State(accounts): State<Arc<Accounts>>,
    Extension(estates): Extension<Estates>,
    permit: Option<Extension<Permit>>,
    asking: Asking,
) -> Answer {
    let identity = asking.identity(&accounts).await?;
    let turn = estates.exports.begin(identity.user.id)?;
    let head = head(&accounts, &identity).await?;
    if let Some(Extension(permit)) = permit {
        // It may take longer than what strangers may ask for; but not for ever.
        permit.authenticated_until(turn.begun + EXPORT_MAX);
    }
    let download = Download {
        store: estates.store,
        user: identity.user.id,
        lines: 0,
        part: Part::Head(head),
        until: turn.begun + EXPORT_MAX,
        _turn: turn,
    };
    let body = Body::from_stream(stream::try_unfold(download, Download::next));
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"chinwag-export.ndjson\"",
        ),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((StatusCode::OK, headers, body).into_response())
}

/// What the accounts know: the first lines.
async fn head(accounts: &Accounts, identity: &Identity) -> Result<Vec<Value>, Refused> {
    let account = accounts.account(identity).await?;
    let sessions = accounts.sessions(identity).await?;
    let mut profile = json!({
        "type": "profile",
        "id": account.user.id,
        "name": account.user.name,
        "version": account.user.profile_version,
        "kind": account.user.kind.text(),
        "administrator": account.user.administrator,
        "created": account.created_ms,
    });
    if let Some(display_name) = &account.user.display_name {
        profile["display_name"] = json!(display_name);
    }
    if let Some(avatar) = account.user.avatar {
        profile["avatar"] = json!(avatar);
    }
    if let Some((issuer, subject)) = account.issued {
        profile["issuer"] = json!(issuer);
        profile["subject"] = json!(subject);
    }
    let mut lines = vec![
        json!({
            "type": "export",
            "format": export::FORMAT,
            "server": accounts.settings().server_name,
            "user": account.user.id,
            "at": clock::wall(),
        }),
        profile,
    ];
    lines.extend(sessions.into_iter().map(|session| {
        json!({
            "type": "session",
            "id": session.id,
            "device": session.device_name,
            "created": session.created_ms,
            "last_used": session.last_used_ms,
            "expires": session.expires_ms,
            "current": identity.session == Some(session.id),
        })
    }));
    Ok(lines)
}

/// Who exports, and how often.
struct Exports {
    /// Since when. Held for a look-up; nothing else is locked, and nothing awaited, under it.
    running: Mutex<BTreeMap<UserId, Instant>>,
    rate: Buckets<UserId>,
}

/// An export of somebody; dropped, it is over.
struct Turn {
    exports: Arc<Exports>,
    user: UserId,
    begun: Instant,
}

impl Exports {
    fn begin(self: &Arc<Self>, user: UserId) -> Result<Turn, Refused> {
        let begun = Instant::now();
        let mut running = self.running();
        // A client that takes nothing any more keeps its connection, but not its turn.
        if running
            .get(&user)
            .is_some_and(|at| begun < *at + EXPORT_MAX)
        {
            return Err(Refused::new(ErrorCode::Busy));
        }
        let limited = self.rate.take(&user, clock::wall().0);
        limited.map_err(|wait_ms| Refused {
            retry_after_ms: Some(wait_ms),
            ..Refused::new(ErrorCode::RateLimited)
        })?;
        running.insert(user, begun);
        drop(running);
        Ok(Turn {
            exports: Arc::clone(self),
            user,
            begun,
        })
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<UserId, Instant>> {
        // Entries are put whole: a panic elsewhere leaves no half-changed one behind.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.exports.running();
        if running.get(&self.user) == Some(&self.begun) {
            running.remove(&self.user);
        }
    }
}

/// What comes next in a download.
enum Part {
    /// The accounts' lines.
    Head(Vec<Value>),
    /// The store's.
    Stored(Place),
    /// The last line.
    End,
    /// Nothing.
    Over,
}

struct Download {
    store: Arc<dyn Store>,
    user: UserId,
    /// Lines so far.
    lines: u64,
    part: Part,
    until: Instant,
    _turn: Turn,
}

impl Download {
    /// The next piece that is not empty; an error breaks the answer off, and its last line never
    /// comes.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if Instant::now() >= self.until {
                return Err(io::Error::other("the export took too long"));
            }
            let lines = match std::mem::replace(&mut self.part, Part::Over) {
                Part::Head(lines) => {
                    self.part = Part::Stored(Place::Own);
                    lines
                }
                Part::Stored(place) => {
                    let page = self.page(place).await?;
                    self.part = page.next.map_or(Part::End, Part::Stored);
                    page.lines
                }
                Part::End => vec![json!({"type": "end", "lines": self.lines + 1})],
                Part::Over => return Ok(None),
            };
            if !lines.is_empty() {
                self.lines += lines.len() as u64;
                return Ok(Some((written(&lines), self)));
            }
        }
    }

    async fn page(&self, place: Place) -> io::Result<Page> {
        let user = self.user;
        let page = store::read(&*self.store, move |view| export::page(view, user, place));
        let page = page.await.map_err(io::Error::other)?;
        page.ok_or_else(|| io::Error::other("the account was closed"))
    }
}

fn written(lines: &[Value]) -> Bytes {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text.into()
}
