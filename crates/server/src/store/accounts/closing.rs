//! What closing an account needs of a store, and what is kept of one that is open.

use chinwag_core::erasure::{Erasure, Place, Texts};
use chinwag_core::ids::{JobId, Millis, UserId};
use sha2::{Digest, Sha256};

use super::UserRow;

/// What is kept of an account, for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Who.
    pub user: UserRow,
    /// Since when, in ms.
    pub created_ms: i64,
    /// Another issuer that vouches for them, and for whom.
    pub issued: Option<(String, String)>,
}

/// An account to be closed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Whose.
    pub user: UserId,
    /// The password that was proven; none for users of other issuers.
    pub verified_hash: Option<String>,
    /// The job that goes through their rooms.
    pub job: JobId,
    /// What becomes of their messages.
    pub texts: Texts,
}

impl Closing {
    /// The job as it is stored, asked for at `now_ms`.
    #[must_use]
    pub fn erasure(&self, now_ms: i64) -> Erasure {
        Erasure {
            job: self.job,
            user: self.user,
            texts: self.texts,
            asked: Millis(now_ms),
            place: Place::START,
        }
    }
}

/// Why an account was not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotClosed {
    /// The password is no longer the one that was proven.
    PasswordChanged,
    /// The server would be left without an administrator.
    LastAdministrator,
    /// There is none, or it is closed already.
    Gone,
}

/// How the name of a closed account, its key and its look, is kept: nobody can take it again and pose as who had it, and
/// nobody can read it here. Longer than a name may be, and so nobody's name.
#[must_use]
pub fn erased_key(name: &str) -> String {
    let digest = Sha256::digest(name);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    format!("erased:{}", digits.collect::<String>())
}
