//! One's own sessions: which there are, and ending them.
//!
//! Another's session answers like one that is not there. Whoever signs in by another issuer has
//! none here: that issuer ends them.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::SessionId;

use super::{Accounts, Identity, Refused};
use crate::store::accounts::SessionRow;

impl Accounts {
    /// The sessions of an identity that go on, the one used last first.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sessions(&self, identity: &Identity) -> Result<Vec<SessionRow>, Refused> {
        let now_ms = self.now_millis();
        Ok(self.store.sessions(identity.user.id, now_ms).await?)
    }

    /// Ends one of them; its sockets close and its tokens are void.
    ///
    /// # Errors
    /// `not_found` if it is none of theirs, or has ended; `unavailable`.
    pub async fn end_session(
        &self,
        identity: &Identity,
        session: SessionId,
    ) -> Result<(), Refused> {
        let now_ms = self.now_millis();
        let user = identity.user.id;
        let revoked = self.store.end_session(user, session, now_ms).await?;
        let revoked = revoked.ok_or_else(|| Refused::new(ErrorCode::NotFound))?;
        self.revocations.record(&[revoked], now_ms);
        tracing::info!(%user, %session, "a session was ended by its user");
        Ok(())
    }

    /// Ends all of them but the one of this identity; how many there were.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn end_other_sessions(&self, identity: &Identity) -> Result<usize, Refused> {
        let now_ms = self.now_millis();
        let (user, keep) = (identity.user.id, identity.session);
        let revoked = self.store.end_sessions(user, keep, now_ms).await?;
        self.revocations.record(&revoked, now_ms);
        tracing::info!(%user, ended = revoked.len(), "other sessions were ended by their user");
        Ok(revoked.len())
    }
}
