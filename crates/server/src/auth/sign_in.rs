//! Registering, signing in, refreshing, signing out, changing a password, inviting.

use std::net::IpAddr;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::{Name, name};
use chinwag_core::wire::Profile;

use super::answer::{Invitation, Refused, SignedIn};
use super::attempts::holder;
use super::clock::{Secret, random};
use super::password::Password;
use super::{Accounts, INVITE_MS, Identity, REFRESH_GRACE_MS};
use crate::config::Registration;
use crate::store::accounts::{Admission, NewSession, NewUser, NotMade, Rotation};

impl Accounts {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// `registration_closed`, `invite_needed`, `name_taken`, `weak_password`, what
    /// `core::name` refuses, `rate_limited`, `busy`, `unavailable`.
    pub async fn register(
        &self,
        from: IpAddr,
        name_text: &str,
        password: &str,
        invite: Option<&str>,
        device_name: Option<String>,
    ) -> Result<SignedIn, Refused> {
        let invite = invite.map(|text| Secret::received(text).hash());
        // An invitation opens what is not open; closed stays closed.
        let admission = match (self.settings.registration, invite) {
            (Registration::Closed, _) => return Err(Refused::new(ErrorCode::RegistrationClosed)),
            (Registration::Open, None) => Admission::Open,
            (Registration::Invite, None) => {
                return Err(Refused::field(ErrorCode::InviteNeeded, "invite"));
            }
            (Registration::Open | Registration::Invite, Some(hash)) => Admission::Invite(hash),
        };
        self.create(from, name_text, password, admission, device_name)
            .await
    }

    /// Makes the first administrator by the one-time link.
    ///
    /// # Errors
    /// `bad_token` if the link is used or there is an administrator, and as for `register`.
    pub async fn setup(
        &self,
        from: IpAddr,
        token: &str,
        name_text: &str,
        password: &str,
        device_name: Option<String>,
    ) -> Result<SignedIn, Refused> {
        let admission = Admission::Setup(Secret::received(token).hash());
        self.create(from, name_text, password, admission, device_name)
            .await
    }

    async fn create(
        &self,
        from: IpAddr,
        name_text: &str,
        password: &str,
        admission: Admission,
        device_name: Option<String>,
    ) -> Result<SignedIn, Refused> {
        let now_ms = self.now_millis();
        let limited = self.registrations.take(&holder(from), now_ms);
        limited.map_err(|wait_ms| Refused::after(ErrorCode::RateLimited, wait_ms))?;
        let name = checked_name(name_text)?;
        let weak = || Refused::field(ErrorCode::WeakPassword, "password");
        let password = Password::new(password).ok_or_else(weak)?;
        // Asked before the work of hashing; the transaction asks again and decides.
        let admitted = match &admission {
            Admission::Open => true,
            Admission::Invite(hash) => self.store.invite_is_good(*hash, now_ms).await?,
            Admission::Setup(hash) => self.store.setup_is_good(*hash).await?,
        };
        if !admitted {
            return Err(not_admitted(&admission));
        }
        if self.store.is_name_taken(name.clone()).await? {
            return Err(Refused::field(ErrorCode::NameTaken, "name"));
        }
        let password_hash = self.passwords.hash(password).await?;
        let now_ms = self.now_millis();
        let (session, refresh) = self.new_session(device_name, now_ms);
        let id = session.id;
        let refusal = not_admitted(&admission);
        let new = NewUser {
            id: UserId(random()),
            name,
            password_hash,
            admission,
            session,
        };
        let made = self.store.create_user(new, now_ms).await?;
        let user = made.map_err(|why| match why {
            NotMade::NameTaken => Refused::field(ErrorCode::NameTaken, "name"),
            NotMade::InviteInvalid | NotMade::SetupInvalid => refusal,
        })?;
        tracing::info!(user = %user.id, administrator = user.administrator, "an account was made");
        Ok(self.signed_in(user.profile(), id, refresh, now_ms))
    }

    /// Signs in. Unknown names and wrong passwords cost the same and say the same.
    ///
    /// # Errors
    /// `bad_credentials`, `rate_limited`, `busy`, `unavailable`.
    pub async fn login(
        &self,
        from: IpAddr,
        name_text: &str,
        password: &str,
        device_name: Option<String>,
    ) -> Result<SignedIn, Refused> {
        // What cannot be a name is nobody's: it goes the same way to the same answer.
        let key = name(name_text).ok().map(|name| name.key().to_owned());
        let address = holder(from);
        let account = key.clone().unwrap_or_default();
        let now_ms = self.now_millis();
        self.take_attempt(address, &account, now_ms)?;
        let user = match key {
            Some(key) => self.store.user_by_name(key).await?,
            None => None,
        };
        let verified = self.passwords.verify(user, password).await?;
        let wrong = || Refused::new(ErrorCode::BadCredentials);
        let authenticated = verified.ok_or_else(wrong)?;
        self.by_address.give_back(&address);
        self.by_account.give_back(&account);
        let now_ms = self.now_millis();
        let (session, refresh) = self.new_session(device_name, now_ms);
        let id = session.id;
        let user = authenticated.user();
        let verified_hash = authenticated.verified_hash().to_owned();
        let made = self
            .store
            .create_session(user.id, verified_hash, session, now_ms)
            .await?;
        let revoked = made.ok_or_else(wrong)?;
        self.revocations.record(&revoked, now_ms);
        Ok(self.signed_in(user.profile(), id, refresh, now_ms))
    }

    pub(super) fn take_attempt(
        &self,
        address: IpAddr,
        account: &str,
        now_ms: i64,
    ) -> Result<(), Refused> {
        let limited = |wait_ms| Refused::after(ErrorCode::RateLimited, wait_ms);
        self.by_address.take(&address, now_ms).map_err(limited)?;
        self.by_account
            .take(&account.to_owned(), now_ms)
            .map_err(limited)
    }

    /// Exchanges a refresh token for an access token and the next refresh token.
    ///
    /// # Errors
    /// `bad_token` if it is unknown, too old, revoked, or had been used by somebody else, which
    /// ends the session; `unavailable`.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, Refused> {
        let now_ms = self.now_millis();
        let next = Secret::draw();
        let presented = Secret::received(token).hash();
        let expires_ms = now_ms + self.settings.refresh_token_ms;
        let rotation = self
            .store
            .rotate(presented, next.hash(), REFRESH_GRACE_MS, expires_ms, now_ms)
            .await?;
        match rotation {
            Rotation::Rotated { session, user } => {
                Ok(self.signed_in(user.profile(), session, next, now_ms))
            }
            Rotation::Reused { session, revoked } => {
                tracing::warn!(%session, "an old refresh token came again: the session was ended");
                self.revocations.record(revoked.as_slice(), now_ms);
                Err(Refused::new(ErrorCode::BadToken))
            }
            Rotation::Refused => Err(Refused::new(ErrorCode::BadToken)),
        }
    }

    /// Ends the session of a refresh token. One that has ended already is no error.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn logout_by_refresh(&self, token: &str) -> Result<(), Refused> {
        match self
            .store
            .session_of(Secret::received(token).hash())
            .await?
        {
            Some(session) => self.end(session).await,
            None => Ok(()),
        }
    }

    /// Ends the session of an identity. A foreign token has none to end: its issuer ends it.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn logout(&self, identity: &Identity) -> Result<(), Refused> {
        match identity.session {
            Some(session) => self.end(session).await,
            None => Ok(()),
        }
    }

    async fn end(&self, session: SessionId) -> Result<(), Refused> {
        let now_ms = self.now_millis();
        let revoked = self.store.revoke_session(session, now_ms).await?;
        self.revocations.record(revoked.as_slice(), now_ms);
        Ok(())
    }

    /// Changes one's own password and ends all one's other sessions.
    ///
    /// # Errors
    /// `bad_credentials` if the old one is wrong, `weak_password`, `forbidden` for users of
    /// another issuer, `rate_limited`, `busy`, `unavailable`.
    pub async fn change_password(
        &self,
        from: IpAddr,
        identity: &Identity,
        old: &str,
        new: &str,
    ) -> Result<(), Refused> {
        let weak = || Refused::field(ErrorCode::WeakPassword, "new");
        let new = Password::new(new).ok_or_else(weak)?;
        if identity.session.is_none() {
            return Err(Refused::new(ErrorCode::Forbidden));
        }
        let user = self
            .store
            .identity(identity.user.id, identity.session)
            .await?;
        let user = user.ok_or_else(|| Refused::new(ErrorCode::BadToken))?;
        let account = name(&user.name)
            .map(|name| name.key().to_owned())
            .unwrap_or_default();
        let address = holder(from);
        self.take_attempt(address, &account, self.now_millis())?;
        let wrong = || Refused::field(ErrorCode::BadCredentials, "old");
        let authenticated = self
            .passwords
            .verify(Some(user), old)
            .await?
            .ok_or_else(wrong)?;
        self.by_address.give_back(&address);
        self.by_account.give_back(&account);
        let new_hash = self.passwords.hash(new).await?;
        let now_ms = self.now_millis();
        let (user, verified) = (
            authenticated.user().id,
            authenticated.verified_hash().to_owned(),
        );
        let changed = self
            .store
            .change_password(user, verified, new_hash, identity.session, now_ms)
            .await?;
        let revoked = changed.ok_or_else(wrong)?;
        self.revocations.record(&revoked, now_ms);
        tracing::info!(%user, ended = revoked.len(), "a password was changed");
        Ok(())
    }

    /// Makes an invitation.
    ///
    /// # Errors
    /// `forbidden` for whoever is no administrator, `unavailable`.
    pub async fn invite(&self, identity: &Identity) -> Result<Invitation, Refused> {
        if !identity.administrator {
            return Err(Refused::new(ErrorCode::Forbidden));
        }
        let now_ms = self.now_millis();
        let token = Secret::draw();
        let expires_at_ms = now_ms + INVITE_MS;
        self.store
            .create_invite(token.hash(), identity.user.id, expires_at_ms, now_ms)
            .await?;
        Ok(Invitation {
            token,
            expires_at_ms,
        })
    }

    fn new_session(&self, device_name: Option<String>, now_ms: i64) -> (NewSession, Secret) {
        let refresh = Secret::draw();
        let expires_ms = now_ms + self.settings.refresh_token_ms;
        let id = SessionId(random());
        (
            NewSession {
                id,
                refresh: refresh.hash(),
                device_name,
                expires_ms,
            },
            refresh,
        )
    }

    fn signed_in(
        &self,
        user: Profile,
        session: SessionId,
        refresh: Secret,
        now_ms: i64,
    ) -> SignedIn {
        let (access_token, expires_in_ms) = self.tokens.issue(user.id, session, now_ms);
        SignedIn {
            user,
            session,
            access_token,
            expires_in_ms,
            refresh,
        }
    }
}

fn checked_name(text: &str) -> Result<Name, Refused> {
    name(text).map_err(|code| Refused::field(code, "name"))
}

fn not_admitted(admission: &Admission) -> Refused {
    match admission {
        Admission::Open => Refused::new(ErrorCode::RegistrationClosed),
        Admission::Invite(_) => Refused::field(ErrorCode::InviteNeeded, "invite"),
        Admission::Setup(_) => Refused::field(ErrorCode::BadToken, "token"),
    }
}
