//! A request, checked: where it comes from, what it says it is, and its fields.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use chinwag_core::code::ErrorCode;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::{BODY_BYTES_MAX, BODY_DEADLINE_MS, Failure, Peer, REFRESH_COOKIE};
use crate::auth::{Accounts, Identity, Refused};

/// Characters of a device's name that are kept.
const DEVICE_CHARS_MAX: usize = 120;

/// A POST with JSON from a page that may send it. Not printable: it holds passwords.
pub(super) struct Call {
    pub(super) peer: Peer,
    headers: HeaderMap,
    fields: Fields,
}

/// Where a refresh token came from.
pub(super) enum Given<'a> {
    InBody(&'a str),
    InCookie(&'a str),
    Nowhere,
}

impl FromRequest<Arc<Accounts>> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, accounts: &Arc<Accounts>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let peer = checked_peer(&parts, accounts)?;
        check_content_type(&parts.headers)?;
        let body = whole(body, BODY_BYTES_MAX, "the body is larger than 16 KiB").await?;
        let fields = serde_json::from_slice(&body).map_err(|_| {
            // Its own words could repeat a part of the body, and so of a password.
            let message = "the body must be one JSON object without repeated names";
            Failure::with(StatusCode::BAD_REQUEST, ErrorCode::BadFrame, message)
        })?;
        Ok(Self {
            peer,
            headers: parts.headers,
            fields,
        })
    }
}

/// A request without a body that matters: a question, or something ended.
pub(super) struct Asking {
    pub(super) peer: Peer,
    pub(super) headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Asking
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let peer = checked_peer(parts, &Arc::from_ref(state))?;
        let headers = parts.headers.clone();
        Ok(Self { peer, headers })
    }
}

impl Asking {
    /// Who the bearer token says one is (RFC 6750).
    pub(super) async fn identity(&self, accounts: &Accounts) -> Result<Identity, Failure> {
        bearer(&self.headers, accounts).await
    }
}

/// Who is at the other end, if the request may come from where it does.
fn checked_peer(parts: &Parts, accounts: &Accounts) -> Result<Peer, Failure> {
    let Some(peer) = parts.extensions.get::<Peer>().copied() else {
        tracing::error!("a request without its peer: the router is mounted wrongly");
        return Err(Refused::new(ErrorCode::Unavailable).into());
    };
    check_origin(&parts.headers, peer, &accounts.settings().allowed_origins)?;
    Ok(peer)
}

async fn bearer(headers: &HeaderMap, accounts: &Accounts) -> Result<Identity, Failure> {
    let given = only(headers, &AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let token = token.ok_or_else(|| Refused::new(ErrorCode::BadToken))?;
    let identity = accounts.authenticate(token, accounts.now_millis()).await;
    identity.map_err(|code| Refused::new(code).into())
}

/// The whole body, if it comes in time and has at most `max` bytes.
pub(super) async fn whole(
    body: Body,
    max: usize,
    too_large: &'static str,
) -> Result<Bytes, Failure> {
    // Of one that says its length nothing has to be read.
    if body.size_hint().lower() > max as u64 {
        return Err(oversized(too_large));
    }
    let reading = axum::body::to_bytes(body, max);
    let read = tokio::time::timeout(Duration::from_millis(BODY_DEADLINE_MS), reading).await;
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(unread(&error, too_large)),
        Err(_) => {
            let message = "the body did not come in time";
            Err(Failure::with(
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::BadFrame,
                message,
            ))
        }
    }
}

fn oversized(message: &'static str) -> Failure {
    Failure::with(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLong, message)
}

fn unread(error: &axum::Error, too_large: &'static str) -> Failure {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        if one.is::<http_body_util::LengthLimitError>() {
            return oversized(too_large);
        }
        cause = one.source();
    }
    let message = "the body broke off";
    Failure::with(StatusCode::BAD_REQUEST, ErrorCode::BadFrame, message)
}

/// A page of another site can make a browser post here, with our cookie or for a cookie of ours.
/// The browser then says where the page is from.
fn check_origin(headers: &HeaderMap, peer: Peer, allowed: &[String]) -> Result<(), Failure> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, &ORIGIN).and_then(|origin| origin.to_str().ok());
    let host = only(headers, &HOST).and_then(|host| host.to_str().ok());
    let is_good = origin.is_some_and(|origin| {
        allowed.iter().any(|one| one == origin)
            || host.is_some_and(|host| is_own(origin, host, peer.secure))
    });
    if is_good {
        return Ok(());
    }
    let message =
        "this origin may not sign people in here: an operator can add it to the allowed origins";
    Err(Failure::with(
        StatusCode::FORBIDDEN,
        ErrorCode::Forbidden,
        message,
    ))
}

/// Whether `origin` is the page of `host`. A proxy whose word we do not take may speak HTTPS for
/// us, so HTTPS is good on a plain connection too; the other way round it is not.
fn is_own(origin: &str, host: &str, secure: bool) -> bool {
    let host = host.to_ascii_lowercase();
    let (rest, port) = match (
        origin.strip_prefix("https://"),
        origin.strip_prefix("http://"),
    ) {
        (Some(rest), _) => (rest, ":443"),
        (None, Some(rest)) if !secure => (rest, ":80"),
        (None, _) => return false,
    };
    rest == host || Some(rest) == host.strip_suffix(port)
}

/// What `Content-Type` says, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let given = only(headers, &CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.map(|text| text.split(';').next().unwrap_or_default().trim())
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
    let essence = media_type(headers);
    if essence.is_some_and(|text| text.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let message = "the body must be JSON and say so: `Content-Type: application/json`";
    Err(Failure::with(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::BadFrame,
        message,
    ))
}

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

impl Call {
    /// The text in `field`.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Failure> {
        let missing = || Refused::field(ErrorCode::BadField, field).into();
        self.text_if_any(field)?.ok_or_else(missing)
    }

    /// The text in `field`; null counts as absent.
    pub(super) fn text_if_any(&self, field: &'static str) -> Result<Option<&str>, Failure> {
        match self.fields.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::field(ErrorCode::BadField, field).into()),
        }
    }

    /// The number in `field`, if it is one.
    pub(super) fn number(&self, field: &'static str) -> Option<f64> {
        self.fields.0.get(field).and_then(Value::as_f64)
    }

    /// Whether the refresh token shall be a cookie; so if nothing is said.
    pub(super) fn wants_cookie(&self) -> Result<bool, Failure> {
        match self.fields.0.get("cookie") {
            None | Some(Value::Null) => Ok(true),
            Some(Value::Bool(wants)) => Ok(*wants),
            Some(_) => Err(Refused::field(ErrorCode::BadField, "cookie").into()),
        }
    }

    /// The refresh token; one in the body goes before the cookie.
    pub(super) fn refresh_token(&self) -> Result<Given<'_>, Failure> {
        if let Some(token) = self.text_if_any("refresh_token")? {
            return Ok(Given::InBody(token));
        }
        let pairs = self.headers.get_all(COOKIE).iter();
        let pairs = pairs
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
        let found = named.find(|(name, value)| *name == REFRESH_COOKIE && !value.is_empty());
        Ok(found.map_or(Given::Nowhere, |(_, token)| Given::InCookie(token)))
    }

    /// Whether there is an `Authorization` header at all.
    pub(super) fn has_bearer(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Who the bearer token says one is (RFC 6750).
    pub(super) async fn identity(&self, accounts: &Accounts) -> Result<Identity, Failure> {
        bearer(&self.headers, accounts).await
    }

    /// What the person calls the device, or else what the client calls itself: for a list of one's
    /// sessions.
    pub(super) fn device_name(&self) -> Result<Option<String>, Failure> {
        if let Some(text) = self.text_if_any("device")? {
            if text.chars().count() > DEVICE_CHARS_MAX {
                return Err(Refused::field(ErrorCode::TooLong, "device").into());
            }
            if text.chars().any(char::is_control) {
                return Err(Refused::field(ErrorCode::BadField, "device").into());
            }
            return Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
        }
        let header = only(&self.headers, &USER_AGENT).and_then(|value| value.to_str().ok());
        let shown: String = header
            .unwrap_or_default()
            .chars()
            .take(DEVICE_CHARS_MAX)
            .collect();
        Ok((!shown.trim().is_empty()).then_some(shown))
    }
}

/// A JSON object. A repeated name is refused: two readers could choose differently.
struct Fields(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name is repeated"));
                    }
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_ours_by_scheme_host_and_port() {
        for (origin, host, secure, expected) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", false, true),
            ("https://chat.example", "chat.example", true, true),
            ("https://chat.example", "Chat.Example:443", true, true),
            ("https://chat.example", "chat.example", false, true),
            ("http://chat.example", "chat.example:80", false, true),
            ("http://[::1]:8080", "[::1]:8080", false, true),
            ("http://chat.example", "chat.example", true, false),
            ("https://chat.example:444", "chat.example", true, false),
            ("https://chat.example.evil.com", "chat.example", true, false),
            ("https://evilchat.example", "chat.example", true, false),
            ("https://chat.example/", "chat.example", true, false),
            ("https://a@chat.example", "chat.example", true, false),
            ("null", "chat.example", true, false),
            ("null", "null", true, false),
            ("", "", false, false),
            ("file://", "", false, false),
        ] {
            assert_eq!(
                is_own(origin, host, secure),
                expected,
                "{origin} {host} {secure}"
            );
        }
    }
}
