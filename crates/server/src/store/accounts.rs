//! What accounts need of a store: users, sessions, refresh tokens, revocations, invitations.
//!
//! No rule about passwords or tokens lives here, only rows and the transactions that keep them
//! true: each method is one transaction, durable when it returns. Secrets arrive hashed. One
//! suite, `contract`, runs against every implementation.

use chinwag_core::ids::{AvatarId, SessionId, UserId};
use chinwag_core::name::Name;
use chinwag_core::wire::Profile;
use futures_util::future::BoxFuture;

use super::StoreError;

mod closing;
#[cfg(test)]
pub(crate) mod contract;

pub use self::closing::{AccountRow, Closing, NotClosed, erased_key};

/// Sessions that a user has at once. One more ends the one that was used longest ago.
pub const SESSIONS_PER_USER_MAX: usize = 64;
/// Refresh tokens remembered per session, so that a stolen old one is recognised. Older ones are
/// forgotten: they are refused like any unknown token, without ending the session.
pub const REFRESH_TOKENS_KEPT: u64 = 64;
/// Revocations are kept for so long, in ms: longer than any token lives (24 h) and some more.
pub const REVOCATIONS_KEPT_MS: i64 = 25 * 3_600_000;
/// Revocations read at once; the next poll goes on behind them.
pub const REVOCATIONS_PAGE: usize = 4_096;

/// SHA-256 of a token: the only form in which tokens are stored.
pub type TokenHash = [u8; 32];

/// The answer of a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// What kind of sender a user is (contract 9): one id space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    User,
    /// A program with a token.
    Bot,
    /// A program that only posts.
    Webhook,
    /// The server itself.
    System,
}

impl UserKind {
    /// As it is stored.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Webhook => "webhook",
            Self::System => "system",
        }
    }

    /// The kind stored as `text`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::User, Self::Bot, Self::Webhook, Self::System]
            .into_iter()
            .find(|kind| kind.text() == text)
    }
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Who.
    pub id: UserId,
    /// What kind.
    pub kind: UserKind,
    /// The shown name.
    pub name: String,
    /// Rises with each change of what others see.
    pub profile_version: u64,
    /// What they want to be called.
    pub display_name: Option<String>,
    /// Their picture.
    pub avatar: Option<AvatarId>,
    /// In PHC form; foreign users have none.
    pub password_hash: Option<String>,
    /// May do everything.
    pub administrator: bool,
}

impl UserRow {
    /// Whether the account was closed by its user: only then the name is empty.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.name.is_empty()
    }

    /// What everybody may see.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            id: self.id,
            name: self.name.clone(),
            version: self.profile_version,
            display_name: self.display_name.clone(),
            avatar: self.avatar,
        }
    }
}

/// A session to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Random.
    pub id: SessionId,
    /// Its first refresh token.
    pub refresh: TokenHash,
    /// What the person calls the device.
    pub device_name: Option<String>,
    /// Without a refresh until then, it ends.
    pub expires_ms: i64,
}

/// A session as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Which.
    pub id: SessionId,
    /// What the person, or the client, calls the device.
    pub device_name: Option<String>,
    /// When it was made, in ms.
    pub created_ms: i64,
    /// When its refresh token was used last, in ms.
    pub last_used_ms: i64,
    /// Without a refresh until then, it ends.
    pub expires_ms: i64,
}

/// What allows a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Registration is open.
    Open,
    /// An invitation, used up by this.
    Invite(TokenHash),
    /// The one-time link: makes an administrator, while there is none.
    Setup(TokenHash),
}

/// An account to be made, signed in at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Random.
    pub id: UserId,
    /// Checked by `core::name`.
    pub name: Name,
    /// In PHC form.
    pub password_hash: String,
    /// Why it may be made.
    pub admission: Admission,
    /// Its first session.
    pub session: NewSession,
}

/// Why no account was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// Somebody has a name with this key.
    NameTaken,
    /// The invitation is unknown, used or too old.
    InviteInvalid,
    /// The link is unknown or used, or there is an administrator.
    SetupInvalid,
}

/// A user for whom another issuer vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignUser {
    /// [`UserId::foreign`] of the two below.
    pub id: UserId,
    /// Who vouches.
    pub issuer: String,
    /// For whom.
    pub subject: String,
    /// Names to be tried in this order when the user is first seen; the last is certainly free.
    pub names: Vec<Name>,
}

/// What became of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The new token is stored; the old one stays good for the grace.
    Rotated {
        /// Of which session.
        session: SessionId,
        /// Of whom.
        user: UserRow,
    },
    /// The token had been replaced longer ago than the grace: somebody else has used it. The
    /// session is revoked by this.
    Reused {
        /// Which.
        session: SessionId,
        /// Whether it was still alive, and so a revocation was written.
        revoked: Option<Revocation>,
    },
    /// Unknown, expired or revoked.
    Refused,
}

/// Whose tokens are void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Those of one session.
    Session(SessionId),
    /// Those of a user that were made before a time in ms; foreign ones too.
    User {
        /// Whose.
        user: UserId,
        /// Tokens issued before this.
        before_ms: i64,
    },
}

/// A revocation as nodes tell it each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Where it stands: ask for what follows.
    pub changed: u64,
    /// When, in ms.
    pub at_ms: i64,
    /// What.
    pub what: Revoked,
}

/// Rows and transactions of accounts. `now_ms` is the caller's clock.
pub trait AccountStore: Send + Sync {
    /// The secret called `name`; `candidate` becomes it if there is none yet.
    fn secret(&self, name: &'static str, candidate: Vec<u8>) -> Answer<'_, Vec<u8>>;

    /// Puts the hash of a new setup link in the place of the last; `false`, and nothing is
    /// stored, if there is an administrator.
    fn offer_setup(&self, hash: TokenHash) -> Answer<'_, bool>;

    /// The user whose name has this key.
    fn user_by_name(&self, name_key: String) -> Answer<'_, Option<UserRow>>;

    /// Whether somebody has this name, or one that looks like it.
    fn is_name_taken(&self, name: Name) -> Answer<'_, bool>;

    /// The user, if that session (if any is named) exists, is of that user and is not revoked.
    fn identity(&self, user: UserId, session: Option<SessionId>) -> Answer<'_, Option<UserRow>>;

    /// What everybody may see of these; unknown ones are left out.
    fn profiles(&self, users: Vec<UserId>) -> Answer<'_, Vec<Profile>>;

    /// Makes an account and its first session, or nothing.
    fn create_user(&self, user: NewUser, now_ms: i64) -> Answer<'_, Result<UserRow, NotMade>>;

    /// The foreign user, made if not seen before under the first free of the names.
    fn foreign_user(&self, user: ForeignUser, now_ms: i64) -> Answer<'_, UserRow>;

    /// A new session, unless the password is no longer the one that was verified (`false`).
    /// Returns as well what was revoked because there were too many.
    fn create_session(
        &self,
        user: UserId,
        verified_hash: String,
        session: NewSession,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>>;

    /// Exchanges a refresh token: see [`Rotation`]. A token that was replaced less than
    /// `grace_ms` ago is still good, since two tabs may refresh at once, or an answer be lost.
    fn rotate(
        &self,
        presented: TokenHash,
        next: TokenHash,
        grace_ms: i64,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, Rotation>;

    /// The session that this refresh token belongs or belonged to, if it is alive.
    fn session_of(&self, refresh: TokenHash) -> Answer<'_, Option<SessionId>>;

    /// Ends a session; nothing if it is unknown or has ended.
    fn revoke_session(&self, session: SessionId, now_ms: i64) -> Answer<'_, Option<Revocation>>;

    /// The sessions of a user that go on, the one used last first; at most
    /// [`SESSIONS_PER_USER_MAX`].
    fn sessions(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<SessionRow>>;

    /// Ends a session of this user; nothing if it is another's, unknown, or has ended.
    fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now_ms: i64,
    ) -> Answer<'_, Option<Revocation>>;

    /// Ends all sessions of a user but `keep`.
    fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Vec<Revocation>>;

    /// Ends all sessions of a user and all foreign tokens made before now.
    fn revoke_user(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<Revocation>>;

    /// Sets a new password and ends all sessions but `keep`; nothing happens (`None`) if the
    /// password is no longer the one that was verified.
    fn change_password(
        &self,
        user: UserId,
        verified_hash: String,
        new_hash: String,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>>;

    /// What is kept of an account; none if there is none, or it is closed.
    fn account(&self, user: UserId) -> Answer<'_, Option<AccountRow>>;

    /// Closes an account, or does nothing: its password, sessions and refresh tokens are gone, and
    /// so are its name, and whatever else is its user's alone; all its tokens are revoked; the job
    /// that goes through its rooms is stored. Its name stays taken.
    fn close_account(
        &self,
        closing: Closing,
        now_ms: i64,
    ) -> Answer<'_, Result<Vec<Revocation>, NotClosed>>;

    /// Stores an invitation; those that have ended are swept away.
    fn create_invite(
        &self,
        hash: TokenHash,
        by: UserId,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, ()>;

    /// Whether this invitation is good now. Only a hint: `create_user` decides.
    fn invite_is_good(&self, hash: TokenHash, now_ms: i64) -> Answer<'_, bool>;

    /// Whether this setup link is good now. Only a hint: `create_user` decides.
    fn setup_is_good(&self, hash: TokenHash) -> Answer<'_, bool>;

    /// Revocations after `changed` in order, at most [`REVOCATIONS_PAGE`].
    fn revocations_after(&self, changed: u64) -> Answer<'_, Vec<Revocation>>;
}
