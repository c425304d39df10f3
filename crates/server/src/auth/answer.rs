//! What accounts answer: a sign-in, an invitation, or why not.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::SessionId;
use chinwag_core::wire::Profile;

use super::clock::Secret;
use super::password::{BUSY_RETRY_MS, Busy};
use super::store_code;
use crate::store::StoreError;

/// What a sign-in gives.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: Profile,
    /// In which session.
    pub session: SessionId,
    /// For requests: never stored by a client.
    pub access_token: String,
    /// Its life from now, in ms.
    pub expires_in_ms: u64,
    /// For the next access token.
    pub refresh: Secret,
}

/// An invitation.
#[derive(Debug)]
pub struct Invitation {
    /// For the link `http://host/#invite=TOKEN`; works once.
    pub token: Secret,
    /// Its end, in ms since 1970.
    pub expires_at_ms: i64,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do.
    pub message: &'static str,
    /// The field at fault.
    pub field: Option<&'static str>,
    /// When it may succeed, in ms from now.
    pub retry_after_ms: Option<u64>,
}

impl Refused {
    /// A refusal with the code's own words.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: code.meaning(),
            field: None,
            retry_after_ms: None,
        }
    }

    /// The same, about `field`.
    #[must_use]
    pub fn field(code: ErrorCode, field: &'static str) -> Self {
        Self {
            field: Some(field),
            ..Self::new(code)
        }
    }

    pub(super) fn after(code: ErrorCode, retry_after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(code)
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "an account was not changed");
        Self::new(store_code(&error))
    }
}

impl From<Busy> for Refused {
    fn from(_: Busy) -> Self {
        Self::after(ErrorCode::Busy, BUSY_RETRY_MS)
    }
}
