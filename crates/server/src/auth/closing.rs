//! Closing an account for good, and what is known of one for its owner.
//!
//! The rules of who may and how they prove it; the transaction is the store's, and what becomes of
//! their rooms the eraser's.

use std::net::IpAddr;

use chinwag_core::code::ErrorCode;
use chinwag_core::erasure::Texts;
use chinwag_core::ids::JobId;
use chinwag_core::name::name;

use super::attempts::holder;
use super::clock::random;
use super::{Accounts, Identity, Refused};
use crate::store::accounts::{AccountRow, Closing, NotClosed};

/// Why the last administrator cannot go.
const LAST_ADMINISTRATOR: &str =
    "you are the only administrator of this server: it would be left without one";

impl Accounts {
    /// Closes the account of an identity: signed out everywhere, its name gone, its own data gone.
    /// Whoever has a password here proves it by that; whoever signs in by another issuer says their
    /// own id in `confirm`, since they have none here. The job that is answered goes through their
    /// rooms.
    ///
    /// # Errors
    /// `bad_credentials` if the password is wrong, which counts as at sign-in; `bad_field`;
    /// `forbidden` for the last administrator; `rate_limited`, `busy`, `unavailable`.
    pub async fn close(
        &self,
        from: IpAddr,
        identity: &Identity,
        password: Option<&str>,
        confirm: Option<&str>,
        texts: Texts,
    ) -> Result<JobId, Refused> {
        let user = identity.user.id;
        let verified_hash = match identity.session {
            Some(_session) => {
                let given = password;
                let missing = || Refused::field(ErrorCode::BadField, "password");
                let given = given.ok_or_else(missing)?;
                Some(self.proven(from, identity, given).await?)
            }
            None if confirm == Some(user.to_string().as_str()) => None,
            None => return Err(Refused::field(ErrorCode::BadField, "confirm")),
        };
        let job = JobId(random());
        let closing = Closing {
            user,
            verified_hash,
            job,
            texts,
        };
        let now_ms = self.now_millis();
        let closed = self.store.close_account(closing, now_ms).await?;
        let revoked = closed.map_err(|why| match why {
            NotClosed::PasswordChanged => Refused::field(ErrorCode::BadCredentials, "password"),
            NotClosed::LastAdministrator => Refused {
                message: LAST_ADMINISTRATOR,
                ..Refused::new(ErrorCode::Forbidden)
            },
            NotClosed::Gone => Refused::new(ErrorCode::BadToken),
        })?;
        self.revocations.record(&revoked, now_ms);
        tracing::info!(%user, %job, texts = texts.text(), "an account was closed by its user");
        Ok(job)
    }

    /// The stored form of a password that was proven to be an identity's.
    async fn proven(
        &self,
        from: IpAddr,
        identity: &Identity,
        password: &str,
    ) -> Result<String, Refused> {
        let (user, session) = (identity.user.id, identity.session);
        let user = self.store.identity(user, session).await?;
        let user = user.ok_or_else(|| Refused::new(ErrorCode::BadToken))?;
        let account = name(&user.name)
            .map(|name| name.key().to_owned())
            .unwrap_or_default();
        let address = holder(from);
        self.take_attempt(address, &account, self.now_millis())?;
        let wrong = || Refused::field(ErrorCode::BadCredentials, "password");
        let proven = self.passwords.verify(Some(user), password).await?;
        let proven = proven.ok_or_else(wrong)?;
        self.by_address.give_back(&address);
        self.by_account.give_back(&account);
        Ok(proven.verified_hash().to_owned())
    }

    /// What is kept of an account, for its owner.
    ///
    /// # Errors
    /// `bad_token` if it is closed, `unavailable`.
    pub async fn account(&self, identity: &Identity) -> Result<AccountRow, Refused> {
        let found = self.store.account(identity.user.id).await?;
        found.ok_or_else(|| Refused::new(ErrorCode::BadToken))
    }
}
