//! The time and the randomness that accounts use: passed in, and drawn at the edge.

use sha2::{Digest as _, Sha256};

use crate::store::accounts::TokenHash;

/// Tells the time. Everything in `auth` asks this, so that tests can advance it.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 UTC.
    fn now_millis(&self) -> i64;
}

impl<F: Fn() -> i64 + Send + Sync + 'static> Clock for F {
    fn now_millis(&self) -> i64 {
        self()
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// 32 random bytes in base64url: what a client keeps. Never logged, never stored as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    pub(crate) fn draw() -> Self {
        use base64::Engine as _;
        Self(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>()))
    }

    /// The one that a client sent.
    pub(crate) fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For the client alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// For the store. Looking this up leaks nothing by its time: who cannot guess the token
    /// cannot steer its hash.
    pub(crate) fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
