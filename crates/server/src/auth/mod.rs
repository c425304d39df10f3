//! Accounts: who somebody is, and how they prove it.
//!
//! [`Accounts`] holds the rules; rows live in `store::accounts`, HTTP in `gateway::http`. It
//! lives as long as its node. Nothing here prints or logs a password or a token.

mod answer;
pub mod attempts;
pub mod clock;
mod closing;
mod issuers;
mod jwks;
pub mod password;
pub mod revocation;
mod sessions;
mod sign_in;
pub mod token;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::wire::Profile;

pub use self::answer::{Invitation, Refused, SignedIn};
use self::attempts::{AttemptRate, Buckets};
use self::clock::{Clock, Secret, random};
pub use self::issuers::IssuerError;
use self::issuers::Issuers;
use self::password::Passwords;
pub use self::revocation::{Notice, Notices, Revocations};
use self::token::{AccessTokens, LEEWAY_MS};
use crate::config::{Issuer, Registration};
use crate::store::StoreError;
pub use crate::store::accounts::Revoked;
use crate::store::accounts::{AccountStore, UserRow};

/// How long a replaced refresh token is still good, in ms: two tabs may refresh at once, and an
/// answer may be lost.
pub const REFRESH_GRACE_MS: i64 = 30_000;
/// Life of an invitation, in ms.
pub const INVITE_MS: i64 = 7 * 24 * 3_600_000;
/// The name of the signing secret in the store.
const SIGNING_SECRET: &str = "access-token";

/// What the operator decides about accounts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the server calls itself to strangers.
    pub server_name: String,
    /// The version of the program.
    pub version: String,
    /// Who may make an account.
    pub registration: Registration,
    /// Life of an access token, in ms.
    pub access_token_ms: i64,
    /// Life of a session without a visit, in ms.
    pub refresh_token_ms: i64,
    /// Other issuers of tokens.
    pub issuers: Vec<Issuer>,
    /// Origins besides our own whose pages may sign people in, as browsers write them:
    /// `https://chat.example`, with the port unless it is the default one.
    pub allowed_origins: Vec<String>,
    /// Wrong passwords per address.
    pub attempts_per_address: AttemptRate,
    /// Wrong passwords per account, known or not.
    pub attempts_per_account: AttemptRate,
    /// New accounts per address.
    pub registrations_per_address: AttemptRate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_name: "Chinwag".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            registration: Registration::Closed,
            access_token_ms: 600_000,
            refresh_token_ms: 30 * 24 * 3_600_000,
            issuers: Vec::new(),
            allowed_origins: Vec::new(),
            attempts_per_address: AttemptRate {
                burst: 30,
                refill_ms: 2_000,
            },
            attempts_per_account: AttemptRate {
                burst: 10,
                refill_ms: 12_000,
            },
            registrations_per_address: AttemptRate {
                burst: 100,
                refill_ms: 5_000,
            },
        }
    }
}

/// Why accounts cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration of an issuer is broken.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the keys of foreign issuers that lie in files, and keeps nothing: a check before the
/// start.
///
/// # Errors
/// Which issuer is broken, and how.
pub fn check_issuers(issuers: &[Issuer]) -> Result<(), IssuerError> {
    Issuers::new(issuers).map(drop)
}

/// Who speaks, as a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user: Profile,
    /// In which session; foreign tokens have none.
    pub session: Option<SessionId>,
    /// May do everything.
    pub administrator: bool,
    /// When the token ends, in ms since 1970.
    pub expires_at_ms: i64,
    /// When it was made, in ms; 0 if a foreign token does not say.
    pub issued_at_ms: i64,
}

/// The accounts of a node.
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    passwords: Passwords,
    tokens: AccessTokens,
    issuers: Issuers,
    revocations: Arc<Revocations>,
    by_address: Buckets<IpAddr>,
    by_account: Buckets<String>,
    registrations: Buckets<IpAddr>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Reads or makes the signing secret, reads the issuers' key files, and takes in what was
    /// revoked lately. Reads files: call it before serving.
    ///
    /// # Errors
    /// A broken issuer, or a store that does not answer.
    pub async fn start(
        settings: Settings,
        store: Arc<dyn AccountStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let issuers = Issuers::new(&settings.issuers)?;
        let secret = store
            .secret(SIGNING_SECRET, random::<32>().to_vec())
            .await?;
        // A minute more than any token made now is accepted.
        let revocations = Revocations::new(settings.access_token_ms + LEEWAY_MS + 60_000);
        revocations.poll(&*store, clock.now_millis()).await?;
        let passwords = Passwords::default();
        // So that the first unknown user does not wait for the dummy hash to be made.
        let _nobody = passwords.verify(None, "").await;
        Ok(Self {
            tokens: AccessTokens::new(&secret, settings.access_token_ms),
            issuers,
            revocations: Arc::new(revocations),
            passwords,
            by_address: Buckets::new(settings.attempts_per_address),
            by_account: Buckets::new(settings.attempts_per_account),
            registrations: Buckets::new(settings.registrations_per_address),
            store,
            clock,
            settings,
        })
    }

    /// What the operator decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The hasher, for its metrics.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Now, by the clock that accounts use, in ms since 1970.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        self.clock.now_millis()
    }

    /// Who the token says one is: verified, not revoked, and still there. Foreign users are made
    /// at first sight. Call [`Accounts::subscribe`] before, so that no revocation falls between.
    ///
    /// # Errors
    /// `bad_token`, `token_expired`, `unavailable`, `storage_full`.
    pub async fn authenticate(&self, token: &str, now_ms: i64) -> Result<Identity, ErrorCode> {
        let issuer = token::claimed_issuer(token).ok_or(ErrorCode::BadToken)?;
        let (user, session, life) = if issuer == token::ISSUER {
            let verified = self.tokens.verify(token, now_ms)?;
            let identity = self
                .store
                .identity(verified.user, Some(verified.session))
                .await;
            let user = identity
                .map_err(|error| store_code(&error))?
                .ok_or(ErrorCode::BadToken)?;
            (user, Some(verified.session), verified.life)
        } else {
            let foreign = self.issuers.verify(&issuer, token, now_ms).await?;
            let life = foreign.life;
            let known = self.store.identity(foreign.id, None).await;
            let row = match known {
                Ok(None) => self.store.foreign_user(foreign.into_user(), now_ms).await,
                Ok(Some(row)) => Ok(row),
                Err(error) => Err(error),
            };
            (row.map_err(|error| store_code(&error))?, None, life)
        };
        let is_revoked = self
            .revocations
            .is_revoked(session, user.id, life.issued_at_ms);
        // A closed account stays closed, also for whom another issuer still vouches.
        if is_revoked || user.is_deleted() {
            return Err(ErrorCode::BadToken);
        }
        Ok(Identity {
            user: user.profile(),
            session,
            administrator: user.administrator,
            expires_at_ms: life.expires_at_ms,
            issued_at_ms: life.issued_at_ms,
        })
    }

    /// What everybody may see of these users; unknown ones are left out.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn profiles(&self, users: Vec<UserId>) -> Result<Vec<Profile>, StoreError> {
        self.store.profiles(users).await
    }

    /// The user of exactly this name, by its key.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn profile_by_name(&self, text: &str) -> Result<Option<Profile>, StoreError> {
        match chinwag_core::name::name(text) {
            Ok(name) => {
                let found = self.store.user_by_name(name.key().to_owned()).await?;
                Ok(found.as_ref().map(UserRow::profile))
            }
            Err(_) => Ok(None),
        }
    }

    /// Who is signed out, for live connections.
    #[must_use]
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Notices of revocations from now on.
    #[must_use]
    pub fn subscribe(&self) -> Notices {
        self.revocations.subscribe()
    }

    /// Polls the revocations of other nodes for ever; dropped with the node.
    pub async fn poll_loop(&self) {
        self.revocations
            .poll_loop(Arc::clone(&self.store), Arc::clone(&self.clock))
            .await;
    }

    /// A new one-time token that makes the first administrator, for the link
    /// `http://host/#setup=TOKEN`; `None` if there is one. It takes the place of any earlier.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn setup_token(&self) -> Result<Option<Secret>, StoreError> {
        let token = Secret::draw();
        Ok(self.store.offer_setup(token.hash()).await?.then_some(token))
    }

    /// Signs a user out everywhere, foreign tokens too: for administrators.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revoke_user(&self, user: UserId) -> Result<(), StoreError> {
        let now_ms = self.now_millis();
        let revoked = self.store.revoke_user(user, now_ms).await?;
        self.revocations.record(&revoked, now_ms);
        Ok(())
    }
}

/// What a client is told about a store that does not do it.
pub(crate) fn store_code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Full => ErrorCode::StorageFull,
        StoreError::Closed(_) | StoreError::Unknown(_) | StoreError::Read(_) => {
            ErrorCode::Unavailable
        }
    }
}
