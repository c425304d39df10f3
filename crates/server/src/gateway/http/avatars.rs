//! `/api/v1/avatars`: pictures of people and rooms, in and out.
//!
//! They are shown to whoever is signed in, never to others: an id grants nothing (contract 9). What
//! comes in is read, and put together anew, by `core::avatar`; what goes out runs nothing, wherever
//! it is opened. Who puts a picture where is a command on the socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use chinwag_core::avatar::{Image, ImageKind};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{AvatarId, Millis, UserId};
use chinwag_core::limits;
use chinwag_core::rate::{Bucket, Rate};
use serde_json::json;

use super::call::{self, Asking};
use super::{Answer, Failure, reply, wrong_method};
use crate::auth::{Accounts, Refused};
use crate::clock::Clock;
use crate::store::avatars::AvatarStore;

#[derive(Clone)]
struct Avatars {
    accounts: Arc<Accounts>,
    store: Arc<dyn AvatarStore>,
    rates: Arc<Rates>,
}

impl FromRef<Avatars> for Arc<Accounts> {
    fn from_ref(avatars: &Avatars) -> Self {
        avatars.accounts.clone()
    }
}

pub(super) fn router(accounts: Arc<Accounts>, store: Arc<dyn AvatarStore>) -> Router {
    let avatars = Avatars {
        accounts,
        store,
        rates: Arc::new(Rates::new()),
    };
    Router::new()
        .route("/v1/avatars", put(upload))
        .route("/v1/avatars/{id}", get(show))
        .method_not_allowed_fallback(wrong_method)
        .with_state(avatars)
}

/// `PUT /api/v1/avatars`
async fn upload(State(avatars): State<Avatars>, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let asking = Asking::from_request_parts(&mut parts, &avatars).await?;
    // Who one is comes first, and the body last: a stranger makes nobody read anything.
    let identity = asking.identity(&avatars.accounts).await?;
    let kind = claimed(&asking.headers)?;
    let user = identity.user.id;
    avatars.rates.take(user, limits::AVATAR_UPLOAD_COST)?;
    let image = received(kind, body).await?;
    let now = Millis(avatars.accounts.now_millis());
    let kept = avatars.store.put_avatar(user, image, now).await;
    let id = kept.map_err(Refused::from)?.map_err(Refused::new)?;
    let body = json!({ "avatar": id });
    Ok(reply::json(StatusCode::CREATED, &body))
}

/// `GET /api/v1/avatars/{id}`
async fn show(State(avatars): State<Avatars>, Path(id): Path<String>, asking: Asking) -> Answer {
    let identity = asking.identity(&avatars.accounts).await?;
    avatars.rates.take(identity.user.id, 1)?;
    // What is no id is nobody's picture either.
    let id: AvatarId = id
        .parse()
        .map_err(|_bad| Refused::new(ErrorCode::NotFound))?;
    let found = avatars.store.avatar(id).await.map_err(Refused::from)?;
    let image = found.ok_or_else(|| Refused::new(ErrorCode::NotFound))?;
    Ok(shown(id, image, &asking.headers))
}

fn claimed(headers: &HeaderMap) -> Result<ImageKind, Failure> {
    call::media_type(headers)
        .and_then(ImageKind::of)
        .ok_or_else(|| {
            let message = "a picture is sent as what it is: `Content-Type: image/png`, \
                           `image/jpeg` or `image/webp`";
            Failure::with(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorCode::BadFrame,
                message,
            )
        })
}

async fn received(kind: ImageKind, body: Body) -> Result<Image, Failure> {
    let too_large = "the picture is larger than 64 KiB";
    let bytes = call::whole(body, limits::AVATAR_BYTES_MAX, too_large).await?;
    Image::read(kind, &bytes)
        .map_err(|why| Failure::with(StatusCode::BAD_REQUEST, ErrorCode::BadField, why.meaning()))
}

/// The bytes under an id never change, so whoever has them need not ask again. Only the browser of
/// whoever was let in keeps them.
fn shown(id: AvatarId, image: Image, asked: &HeaderMap) -> Response {
    let tag = format!("\"{id}\"");
    let known = asked.get_all(IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let has_it = known
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag);
    let headers = [
        (ETAG, tag.as_str()),
        (CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    if has_it {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = [(CONTENT_TYPE, image.kind.media_type())];
    (StatusCode::OK, headers, kind, image.bytes).into_response()
}

/// How many pictures people fetch: for each user as [`limits::AVATARS_PER_SECOND`] says.
struct Rates {
    clock: Clock,
    /// No other lock is taken while this is held.
    buckets: Mutex<HashMap<UserId, Bucket>>,
}

impl Rates {
    fn new() -> Self {
        Self {
            clock: Clock::begin(),
            buckets: Mutex::default(),
        }
    }

    fn take(&self, user: UserId, cost: u32) -> Result<(), Refused> {
        let rate = Rate {
            thousandths_per_second: limits::AVATARS_PER_SECOND * 1_000,
            burst: limits::AVATARS_BURST,
        };
        let now = self.clock.tick();
        // Buckets are changed whole: a panic elsewhere leaves no half-changed one behind.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= limits::AVATAR_RATES_MAX && !buckets.contains_key(&user) {
            buckets.clear();
        }
        let bucket = buckets
            .entry(user)
            .or_insert_with(|| Bucket::new(rate, now));
        let taken = bucket.take(cost, now);
        taken.map_err(|wait_ms| Refused {
            retry_after_ms: Some(wait_ms),
            ..Refused::new(ErrorCode::RateLimited)
        })
    }
}
