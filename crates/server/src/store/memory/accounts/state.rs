//! The maps, and what changes them: each function is one transaction's work.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::Name;

use crate::store::accounts::{
    Admission, NewSession, NewUser, NotMade, REFRESH_TOKENS_KEPT, REVOCATIONS_KEPT_MS, Revocation,
    Revoked, Rotation, SESSIONS_PER_USER_MAX, SessionRow, TokenHash, UserKind, UserRow, erased_key,
};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) changed: u64,
    pub(super) secrets: BTreeMap<&'static str, Vec<u8>>,
    pub(super) setup: Option<TokenHash>,
    pub(super) users: BTreeMap<UserId, UserRow>,
    pub(super) names: BTreeMap<String, UserId>,
    /// What the names look like.
    pub(super) looks: BTreeSet<String>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) tokens: BTreeMap<TokenHash, Token>,
    pub(super) tokens_made: u64,
    pub(super) invites: BTreeMap<TokenHash, i64>,
    pub(super) revocations: BTreeMap<u64, Revocation>,
    pub(super) born: BTreeMap<UserId, Born>,
}

/// How an account came about.
#[derive(Debug, Clone)]
pub(super) struct Born {
    pub(super) at_ms: i64,
    pub(super) issued: Option<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) user: UserId,
    pub(super) made: u64,
    pub(super) device_name: Option<String>,
    pub(super) created_ms: i64,
    pub(super) last_used_ms: i64,
    pub(super) expires_ms: i64,
    pub(super) revoked_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) session: SessionId,
    pub(super) generation: u64,
    pub(super) made: u64,
    pub(super) replaced_ms: Option<i64>,
}

impl State {
    pub(super) fn tick(&mut self) -> u64 {
        self.changed += 1;
        self.changed
    }

    pub(super) fn has_administrator(&self) -> bool {
        self.users.values().any(|user| user.administrator)
    }

    pub(super) fn setup_is_good(&self, hash: &TokenHash) -> bool {
        self.setup.as_ref() == Some(hash) && !self.has_administrator()
    }

    pub(super) fn invite_is_good(&self, hash: &TokenHash, now_ms: i64) -> bool {
        self.invites
            .get(hash)
            .is_some_and(|expires_ms| *expires_ms > now_ms)
    }

    pub(super) fn has_password(&self, user: UserId, verified: &str) -> bool {
        let stored = self
            .users
            .get(&user)
            .and_then(|row| row.password_hash.as_deref());
        stored == Some(verified)
    }

    /// Whether somebody has this name, or one that looks like it, or had it before they closed
    /// their account.
    pub(super) fn is_taken(&self, name: &Name) -> bool {
        let (key, look) = (name.key(), name.look());
        self.names.contains_key(key)
            || self.names.contains_key(&erased_key(key))
            || self.looks.contains(look)
            || self.looks.contains(&erased_key(look))
    }

    pub(super) fn insert(&mut self, row: UserRow, name: &Name) -> UserRow {
        self.tick();
        self.names.insert(name.key().to_owned(), row.id);
        self.looks.insert(name.look().to_owned());
        self.users.insert(row.id, row.clone());
        row
    }

    /// The sessions of a user that go on, the one used last first.
    pub(super) fn sessions_of(&self, user: UserId, now_ms: i64) -> Vec<SessionRow> {
        let mut alive = self.alive_of(user);
        alive.retain(|id| self.sessions[id].expires_ms > now_ms);
        alive.sort_by_key(|id| {
            let session = &self.sessions[id];
            std::cmp::Reverse((session.last_used_ms, session.made))
        });
        let row = |id: SessionId| {
            let session = &self.sessions[&id];
            SessionRow {
                id,
                device_name: session.device_name.clone(),
                created_ms: session.created_ms,
                last_used_ms: session.last_used_ms,
                expires_ms: session.expires_ms,
            }
        };
        alive.into_iter().map(row).collect()
    }

    fn alive_of(&self, user: UserId) -> Vec<SessionId> {
        let alive = |session: &Session| session.user == user && session.revoked_ms.is_none();
        let found = self.sessions.iter().filter(|(_, session)| alive(session));
        found.map(|(id, _)| *id).collect()
    }

    pub(super) fn create_session(
        &mut self,
        user: UserId,
        new: &NewSession,
        now_ms: i64,
    ) -> Vec<Revocation> {
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
            device_name: new.device_name.clone(),
            created_ms: now_ms,
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

    pub(super) fn revoke(&mut self, id: SessionId, now_ms: i64) -> Option<Revocation> {
        let session = self.sessions.get_mut(&id)?;
        if session.revoked_ms.is_some() {
            return None;
        }
        session.revoked_ms = Some(now_ms);
        Some(self.add_revocation(Revoked::Session(id), now_ms))
    }

    pub(super) fn add_revocation(&mut self, what: Revoked, now_ms: i64) -> Revocation {
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

    pub(super) fn revoke_all(
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

    pub(super) fn rotate(&mut self, old: TokenHash, next: TokenHash, times: Times) -> Rotation {
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

    pub(super) fn create_user(&mut self, new: &NewUser, now_ms: i64) -> Result<UserRow, NotMade> {
        let administrator = match &new.admission {
            Admission::Open => false,
            Admission::Invite(hash) if self.invite_is_good(hash, now_ms) => false,
            Admission::Invite(_) => return Err(NotMade::InviteInvalid),
            Admission::Setup(hash) if self.setup_is_good(hash) => true,
            Admission::Setup(_) => return Err(NotMade::SetupInvalid),
        };
        if self.is_taken(&new.name) {
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
            display_name: None,
            avatar: None,
            password_hash: Some(new.password_hash.clone()),
            administrator,
        };
        let row = self.insert(row, &new.name);
        let born = Born {
            at_ms: now_ms,
            issued: None,
        };
        self.born.insert(new.id, born);
        self.create_session(new.id, &new.session, now_ms);
        Ok(row)
    }
}

/// The clock and the spans of one refresh, in ms.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) grace_ms: i64,
    pub(super) expires_ms: i64,
    pub(super) now_ms: i64,
}
