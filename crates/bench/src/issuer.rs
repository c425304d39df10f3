//! A product's own backend, as the configuration of a server knows it: it signs for its users.
//!
//! A thousand users sign in at once without a thousand slow password hashes. Lives as long as the
//! run; a token lives an hour.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use chinwag_core::ids::UserId;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// The `iss` of the tokens.
pub(crate) const ISSUER: &str = "chinwag-bench";
/// Their `aud`.
pub(crate) const AUDIENCE: &str = "chinwag";
/// Life of a token, in seconds: longer than any run.
const LIFE_SECONDS: u64 = 2 * 3_600;

/// Signs tokens (RFC 7519, HS256).
pub(crate) struct Issuer {
    key: EncodingKey,
    /// Keeps the users of this run apart from those of earlier ones.
    run: u64,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    name: &'a str,
    iat: u64,
    exp: u64,
}

impl Issuer {
    /// An issuer whose secret is the content of `file`, without the white space at its end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn from_file(file: &Path) -> anyhow::Result<Self> {
        let secret = std::fs::read(file)
            .with_context(|| format!("cannot read the secret {}", file.display()))?;
        Ok(Self {
            key: EncodingKey::from_secret(secret.trim_ascii_end()),
            run: getrandom::u64()?,
        })
    }

    /// The id that a server gives to the user with this number.
    pub(crate) fn user(&self, user: usize) -> UserId {
        UserId::foreign(ISSUER, &self.name(user))
    }

    fn name(&self, user: usize) -> String {
        format!("user{user}-{:016x}", self.run)
    }

    /// A token of the user with this number.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub(crate) fn token(&self, user: usize) -> anyhow::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let name = self.name(user);
        let claims = Claims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: &name,
            name: &name,
            iat: now,
            exp: now + LIFE_SECONDS,
        };
        Ok(jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &self.key,
        )?)
    }
}

/// Writes a fresh secret, as `openssl rand -hex 32` would.
///
/// # Errors
/// The file cannot be written, or the system gives no randomness.
pub(crate) fn write_secret(file: &Path) -> anyhow::Result<()> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(file, hex).with_context(|| format!("cannot write {}", file.display()))
}
