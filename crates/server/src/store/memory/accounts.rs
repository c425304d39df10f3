//! Accounts in memory: the same answers as the other stores, kept until the process ends.

mod closing;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::Name;
use chinwag_core::wire::Profile;

use self::state::{Born, State, Times};
use super::MemoryStore;
use crate::store::accounts::{
    AccountRow, AccountStore, Answer, Closing, ForeignUser, NewSession, NewUser, NotClosed,
    NotMade, REVOCATIONS_PAGE, Revocation, Revoked, Rotation, SessionRow, TokenHash, UserKind,
    UserRow,
};

/// The accounts of a store in memory.
#[derive(Debug, Default)]
pub struct MemoryAccounts {
    /// Held for one call, never across an await. The store's own lock is taken inside it.
    state: Mutex<State>,
    /// Where rooms look for the faces of people.
    beside: Option<Arc<MemoryStore>>,
}

impl MemoryAccounts {
    /// The accounts of `store`: its rooms know who registers here.
    #[must_use]
    pub fn beside(store: Arc<MemoryStore>) -> Self {
        Self {
            beside: Some(store),
            ..Self::default()
        }
    }

    fn shown(&self, row: &UserRow) {
        if let Some(store) = &self.beside {
            store.put_profile(row.profile());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No operation below leaves the maps half-written, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl AccountStore for MemoryAccounts {
    fn secret(&self, name: &'static str, candidate: Vec<u8>) -> Answer<'_, Vec<u8>> {
        ready(
            self.state()
                .secrets
                .entry(name)
                .or_insert(candidate)
                .clone(),
        )
    }

    fn offer_setup(&self, hash: TokenHash) -> Answer<'_, bool> {
        let mut state = self.state();
        let offered = !state.has_administrator();
        if offered {
            state.setup = Some(hash);
        }
        ready(offered)
    }

    fn user_by_name(&self, name_key: String) -> Answer<'_, Option<UserRow>> {
        let state = self.state();
        ready(
            state
                .names
                .get(&name_key)
                .and_then(|id| state.users.get(id))
                .cloned(),
        )
    }

    fn is_name_taken(&self, name: Name) -> Answer<'_, bool> {
        ready(self.state().is_taken(&name))
    }

    fn identity(&self, user: UserId, session: Option<SessionId>) -> Answer<'_, Option<UserRow>> {
        let state = self.state();
        let alive = session.is_none_or(|id| {
            let found = state.sessions.get(&id);
            found.is_some_and(|found| found.user == user && found.revoked_ms.is_none())
        });
        ready(state.users.get(&user).filter(|_| alive).cloned())
    }

    fn profiles(&self, wanted: Vec<UserId>) -> Answer<'_, Vec<Profile>> {
        let state = self.state();
        let found = wanted.iter().filter_map(|id| state.users.get(id));
        ready(found.map(UserRow::profile).collect())
    }

    fn create_user(&self, user: NewUser, now_ms: i64) -> Answer<'_, Result<UserRow, NotMade>> {
        let mut state = self.state();
        let made = state.create_user(&user, now_ms);
        if let Ok(row) = &made {
            self.shown(row);
        }
        ready(made)
    }

    fn foreign_user(&self, new: ForeignUser, now_ms: i64) -> Answer<'_, UserRow> {
        let mut state = self.state();
        if let Some(row) = state.users.get(&new.id) {
            return ready(row.clone());
        }
        let free = new.names.iter().find(|name| !state.is_taken(name));
        let Some(name) = free else {
            let message = "every name of a foreign user is taken".to_owned();
            let refused = Err(crate::store::StoreError::Read(message));
            return Box::pin(std::future::ready(refused));
        };
        let row = UserRow {
            id: new.id,
            kind: UserKind::User,
            name: name.display().to_owned(),
            profile_version: 1,
            display_name: None,
            avatar: None,
            password_hash: None,
            administrator: false,
        };
        let row = state.insert(row, name);
        let born = Born {
            at_ms: now_ms,
            issued: Some((new.issuer.clone(), new.subject.clone())),
        };
        state.born.insert(row.id, born);
        self.shown(&row);
        ready(row)
    }

    fn create_session(
        &self,
        user: UserId,
        verified_hash: String,
        session: NewSession,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>> {
        let mut state = self.state();
        let good = state.has_password(user, &verified_hash);
        ready(good.then(|| state.create_session(user, &session, now_ms)))
    }

    fn rotate(
        &self,
        presented: TokenHash,
        next: TokenHash,
        grace_ms: i64,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, Rotation> {
        let times = Times {
            grace_ms,
            expires_ms,
            now_ms,
        };
        ready(self.state().rotate(presented, next, times))
    }

    fn session_of(&self, refresh: TokenHash) -> Answer<'_, Option<SessionId>> {
        let state = self.state();
        let session = state.tokens.get(&refresh).map(|token| token.session);
        let alive = |id: &SessionId| {
            state
                .sessions
                .get(id)
                .is_some_and(|session| session.revoked_ms.is_none())
        };
        ready(session.filter(alive))
    }

    fn revoke_session(&self, session: SessionId, now_ms: i64) -> Answer<'_, Option<Revocation>> {
        ready(self.state().revoke(session, now_ms))
    }

    fn sessions(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<SessionRow>> {
        ready(self.state().sessions_of(user, now_ms))
    }

    fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now_ms: i64,
    ) -> Answer<'_, Option<Revocation>> {
        let mut state = self.state();
        let found = state.sessions.get(&session);
        let is_own = found.is_some_and(|found| found.user == user);
        ready(is_own.then(|| state.revoke(session, now_ms)).flatten())
    }

    fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Vec<Revocation>> {
        ready(self.state().revoke_all(user, keep, now_ms))
    }

    fn revoke_user(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<Revocation>> {
        let mut state = self.state();
        let mut all = state.revoke_all(user, None, now_ms);
        all.push(state.add_revocation(
            Revoked::User {
                user,
                before_ms: now_ms,
            },
            now_ms,
        ));
        ready(all)
    }

    fn change_password(
        &self,
        user: UserId,
        verified_hash: String,
        new_hash: String,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>> {
        let mut state = self.state();
        if !state.has_password(user, &verified_hash) {
            return ready(None);
        }
        if let Some(row) = state.users.get_mut(&user) {
            row.password_hash = Some(new_hash);
        }
        state.tick();
        ready(Some(state.revoke_all(user, keep, now_ms)))
    }

    fn account(&self, user: UserId) -> Answer<'_, Option<AccountRow>> {
        ready(self.state().account(user))
    }

    fn close_account(
        &self,
        closing: Closing,
        now_ms: i64,
    ) -> Answer<'_, Result<Vec<Revocation>, NotClosed>> {
        let mut state = self.state();
        let closed = state.close(&closing, now_ms);
        if let (Ok(_revoked), Some(store)) = (&closed, &self.beside) {
            store.begin_erasure(closing.erasure(now_ms));
        }
        ready(closed)
    }

    fn create_invite(
        &self,
        hash: TokenHash,
        _by: UserId,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, ()> {
        let mut state = self.state();
        state.invites.retain(|_, old_ms| *old_ms > now_ms);
        state.invites.insert(hash, expires_ms);
        ready(())
    }

    fn invite_is_good(&self, hash: TokenHash, now_ms: i64) -> Answer<'_, bool> {
        ready(self.state().invite_is_good(&hash, now_ms))
    }

    fn setup_is_good(&self, hash: TokenHash) -> Answer<'_, bool> {
        ready(self.state().setup_is_good(&hash))
    }

    fn revocations_after(&self, changed: u64) -> Answer<'_, Vec<Revocation>> {
        let state = self.state();
        let later = state.revocations.range(changed + 1..);
        ready(
            later
                .map(|(_, revocation)| *revocation)
                .take(REVOCATIONS_PAGE)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::run(|| Arc::new(MemoryAccounts::default())).await;
    }
}
