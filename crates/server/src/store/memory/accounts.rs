//! Accounts in memory: the same answers as the other stores, kept until the process ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::wire::Profile;

use super::MemoryStore;
use crate::store::accounts::{
    AccountStore, Admission, Answer, ForeignUser, NewSession, NewUser, NotMade,
    REFRESH_TOKENS_KEPT, REVOCATIONS_KEPT_MS, REVOCATIONS_PAGE, Revocation, Revoked, Rotation,
    SESSIONS_PER_USER_MAX, TokenHash, UserKind, UserRow,
};

/// The accounts of a store in memory.
#[derive(Debug, Default)]
pub struct MemoryAccounts {
    /// Held for one call, never across an await. The store's own lock is taken inside it.
    state: Mutex<State>,
    /// Where rooms look for the faces of people.
    beside: Option<Arc<MemoryStore>>,
}

#[derive(Debug, Default)]
struct State {
    changed: u64,
    secrets: BTreeMap<&'static str, Vec<u8>>,
    setup: Option<TokenHash>,
    users: BTreeMap<UserId, UserRow>,
    names: BTreeMap<String, UserId>,
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<TokenHash, Token>,
    tokens_made: u64,
    invites: BTreeMap<TokenHash, i64>,
    revocations: BTreeMap<u64, Revocation>,
}

#[derive(Debug)]
struct Session {
    user: UserId,
    made: u64,
    last_used_ms: i64,
    expires_ms: i64,
    revoked_ms: Option<i64>,
}

#[derive(Debug)]
struct Token {
    session: SessionId,
    generation: u64,
    made: u64,
    replaced_ms: Option<i64>,
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

impl State {
    fn tick(&mut self) -> u64 {
        self.changed += 1;
        self.changed
    }

    fn has_administrator(&self) -> bool {
        self.users.values().any(|user| user.administrator)
    }

    fn setup_is_good(&self, hash: &TokenHash) -> bool {
        self.setup.as_ref() == Some(hash) && !self.has_administrator()
    }

    fn invite_is_good(&self, hash: &TokenHash, now_ms: i64) -> bool {
        self.invites
            .get(hash)
            .is_some_and(|expires_ms| *expires_ms > now_ms)
    }

    fn has_password(&self, user: UserId, verified: &str) -> bool {
        let stored = self
            .users
            .get(&user)
            .and_then(|row| row.password_hash.as_deref());
        stored == Some(verified)
    }

    fn insert(&mut self, row: UserRow, name_key: &str) -> UserRow {
        self.tick();
        self.names.insert(name_key.to_owned(), row.id);
        self.users.insert(row.id, row.clone());
        row
    }

    fn alive_of(&self, user: UserId) -> Vec<SessionId> {
        let alive = |session: &Session| session.user == user && session.revoked_ms.is_none();
        let found = self.sessions.iter().filter(|(_, session)| alive(session));
        found.map(|(id, _)| *id).collect()
    }

    fn create_session(&mut self, user: UserId, new: &NewSession, now_ms: i64) -> Vec<Revocation> {
        let old_ms = now_ms - REVOCATIONS_KEPT_MS;
        self.sessions.retain(|_, session| {
            let ended = session.revoked_ms.is_some_and(|at_ms| at_ms < old_ms);
            session.user != user || !(ended || session.expires_ms < old_ms)
        });
        let sessions = &self.sessions;
        self.tokens
            .retain(|_, token| sessions.contains_key(&token.session));
        let mut alive = self.alive_of(user);
        alive.sort_by_key(|id| {
            let session = &self.sessions[id];
            std::cmp::Reverse((session.last_used_ms, session.made))
        });
        let surplus: Vec<_> = alive.into_iter().skip(SESSIONS_PER_USER_MAX - 1).collect();
        let revoked = surplus
            .into_iter()
            .filter_map(|id| self.revoke(id, now_ms))
            .collect();
        let made = self.tick();
        let (last_used_ms, expires_ms) = (now_ms, new.expires_ms);
        let session = Session {
            user,
            made,
            last_used_ms,
            expires_ms,
            revoked_ms: None,
        };
        self.sessions.insert(new.id, session);
        self.add_token(new.id, new.refresh, 1);
        revoked
    }

    fn add_token(&mut self, session: SessionId, hash: TokenHash, generation: u64) {
        self.tokens_made += 1;
        let made = self.tokens_made;
        self.tokens.insert(
            hash,
            Token {
                session,
                generation,
                made,
                replaced_ms: None,
            },
        );
    }

    fn revoke(&mut self, id: SessionId, now_ms: i64) -> Option<Revocation> {
        let session = self.sessions.get_mut(&id)?;
        if session.revoked_ms.is_some() {
            return None;
        }
        session.revoked_ms = Some(now_ms);
        Some(self.add_revocation(Revoked::Session(id), now_ms))
    }

    fn add_revocation(&mut self, what: Revoked, now_ms: i64) -> Revocation {
        let revocation = Revocation {
            changed: self.tick(),
            at_ms: now_ms,
            what,
        };
        self.revocations.insert(revocation.changed, revocation);
        self.revocations
            .retain(|_, old| old.at_ms >= now_ms - REVOCATIONS_KEPT_MS);
        revocation
    }

    fn revoke_all(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Vec<Revocation> {
        let mut alive = self.alive_of(user);
        alive.sort_by_key(|id| self.sessions[id].made);
        let ending = alive.into_iter().filter(|id| Some(*id) != keep);
        ending.filter_map(|id| self.revoke(id, now_ms)).collect()
    }

    fn rotate(&mut self, old: TokenHash, next: TokenHash, times: Times) -> Rotation {
        let Times {
            grace_ms,
            expires_ms,
            now_ms,
        } = times;
        let Some(token) = self.tokens.get(&old) else {
            return Rotation::Refused;
        };
        let (id, generation) = (token.session, token.generation);
        if token
            .replaced_ms
            .is_some_and(|at_ms| now_ms >= at_ms + grace_ms)
        {
            return Rotation::Reused {
                session: id,
                revoked: self.revoke(id, now_ms),
            };
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return Rotation::Refused;
        };
        if session.revoked_ms.is_some() || session.expires_ms <= now_ms {
            return Rotation::Refused;
        }
        let Some(user) = self.users.get(&session.user).cloned() else {
            return Rotation::Refused;
        };
        session.last_used_ms = now_ms;
        session.expires_ms = expires_ms;
        let siblings = self.tokens.values_mut().filter(|token| token.session == id);
        for token in siblings.filter(|token| token.generation <= generation) {
            token.replaced_ms.get_or_insert(now_ms);
        }
        self.add_token(id, next, generation + 1);
        let mut made: Vec<u64> = self
            .tokens
            .values()
            .filter(|token| token.session == id)
            .map(|token| token.made)
            .collect();
        made.sort_unstable_by(|one, other| other.cmp(one));
        if let Some(forget) = made.get(REFRESH_TOKENS_KEPT as usize) {
            self.tokens
                .retain(|_, token| token.session != id || token.made > *forget);
        }
        Rotation::Rotated { session: id, user }
    }

    fn create_user(&mut self, new: &NewUser, now_ms: i64) -> Result<UserRow, NotMade> {
        let administrator = match &new.admission {
            Admission::Open => false,
            Admission::Invite(hash) if self.invite_is_good(hash, now_ms) => false,
            Admission::Invite(_) => return Err(NotMade::InviteInvalid),
            Admission::Setup(hash) if self.setup_is_good(hash) => true,
            Admission::Setup(_) => return Err(NotMade::SetupInvalid),
        };
        if self.names.contains_key(new.name.key()) {
            return Err(NotMade::NameTaken);
        }
        match &new.admission {
            Admission::Open => {}
            Admission::Invite(hash) => {
                self.invites.remove(hash);
            }
            Admission::Setup(_) => self.setup = None,
        }
        let row = UserRow {
            id: new.id,
            kind: UserKind::User,
            name: new.name.display().to_owned(),
            profile_version: 1,
            password_hash: Some(new.password_hash.clone()),
            administrator,
        };
        let row = self.insert(row, new.name.key());
        self.create_session(new.id, &new.session, now_ms);
        Ok(row)
    }
}

/// The clock and the spans of one refresh, in ms.
#[derive(Clone, Copy)]
struct Times {
    grace_ms: i64,
    expires_ms: i64,
    now_ms: i64,
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

    fn foreign_user(&self, new: ForeignUser, _now_ms: i64) -> Answer<'_, UserRow> {
        let mut state = self.state();
        if let Some(row) = state.users.get(&new.id) {
            return ready(row.clone());
        }
        let free = new
            .names
            .iter()
            .find(|name| !state.names.contains_key(name.key()));
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
            password_hash: None,
            administrator: false,
        };
        let row = state.insert(row, name.key());
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
