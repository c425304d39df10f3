//! Answers: JSON, the cookie, and failures in the words of the registry.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chinwag_core::code::ErrorCode;
use serde_json::{Value, json};

use super::REFRESH_COOKIE;
use crate::auth::Refused;

/// A failure as an answer.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    refused: Refused,
}

impl Failure {
    /// A failure of HTTP itself, with its own status and words.
    #[must_use]
    pub fn with(status: StatusCode, code: ErrorCode, message: &'static str) -> Self {
        Self {
            status,
            refused: Refused {
                message,
                ..Refused::new(code)
            },
        }
    }

    /// Whether the token was the reason.
    pub(super) fn is_about_the_token(&self) -> bool {
        matches!(
            self.refused.code,
            ErrorCode::BadToken | ErrorCode::TokenExpired
        )
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self {
            status: status(refused.code),
            refused,
        }
    }
}

/// The status that fits a code. Written out, so that a new code is thought about.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadFrame
        | ErrorCode::UnknownCommand
        | ErrorCode::BadField
        | ErrorCode::TooLong
        | ErrorCode::Blank
        | ErrorCode::HelloFirst
        | ErrorCode::HelloTwice
        | ErrorCode::ReqReused
        | ErrorCode::SelfDirect
        | ErrorCode::NoMessage
        | ErrorCode::WeakPassword => StatusCode::BAD_REQUEST,
        ErrorCode::BadToken | ErrorCode::TokenExpired | ErrorCode::BadCredentials => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::Forbidden
        | ErrorCode::Muted
        | ErrorCode::Banned
        | ErrorCode::NotMember
        | ErrorCode::RegistrationClosed
        | ErrorCode::InviteNeeded
        | ErrorCode::BadInvite => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Gone => StatusCode::GONE,
        ErrorCode::AlreadyMember
        | ErrorCode::AlreadyInvited
        | ErrorCode::LastOwner
        | ErrorCode::TooMany
        | ErrorCode::RoomFull
        | ErrorCode::TooManyRooms
        | ErrorCode::Conflict
        | ErrorCode::NotLast
        | ErrorCode::RetryInOrder
        | ErrorCode::NameTaken => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable | ErrorCode::GoingAway | ErrorCode::Busy => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refused = self.refused;
        let mut error = json!({
            "code": refused.code.text(),
            "message": refused.message,
            "retryable": refused.code.retryable(),
        });
        if let Some(field) = refused.field {
            error["field"] = json!(field);
        }
        if let Some(wait_ms) = refused.retry_after_ms {
            error["retry_after_ms"] = json!(wait_ms);
        }
        let mut response = json(self.status, &json!({ "error": error }));
        // For whoever counts: the body is text by now.
        response.extensions_mut().insert(refused.code);
        if let Some(wait_ms) = refused.retry_after_ms {
            let seconds = HeaderValue::from(wait_ms.div_ceil(1_000));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// `body` as JSON.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, json)], body.to_string()).into_response()
}

/// Sets the cookie: unreadable by scripts, sent to our own pages' requests under `/api` alone.
pub(super) fn with_cookie(response: Response, token: &str, life_ms: i64, secure: bool) -> Response {
    set_cookie(response, token, life_ms / 1_000, secure)
}

/// Takes the cookie away.
pub(super) fn without_cookie(response: Response, secure: bool) -> Response {
    set_cookie(response, "", 0, secure)
}

fn set_cookie(mut response: Response, token: &str, seconds: i64, secure: bool) -> Response {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{REFRESH_COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/api; Max-Age={seconds}{secure}"
    );
    let mut value = HeaderValue::try_from(text).expect("a token is base64url");
    value.set_sensitive(true);
    response.headers_mut().append(SET_COOKIE, value);
    response
}
