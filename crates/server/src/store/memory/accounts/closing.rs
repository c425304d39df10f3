//! Closing accounts in memory, and what is kept of one for its owner.

use chinwag_core::ids::UserId;
use chinwag_core::name::name;

use super::state::State;
use crate::store::accounts::{
    AccountRow, Closing, NotClosed, Revocation, Revoked, UserRow, erased_key,
};

impl State {
    /// What is kept of an account that is open.
    pub(super) fn account(&self, user: UserId) -> Option<AccountRow> {
        let row = self.users.get(&user).filter(|row| !row.is_deleted())?;
        let born = self.born.get(&user)?.clone();
        Some(AccountRow {
            user: row.clone(),
            created_ms: born.at_ms,
            issued: born.issued,
        })
    }

    /// Closes an account, or does nothing and says why.
    pub(super) fn close(
        &mut self,
        closing: &Closing,
        now_ms: i64,
    ) -> Result<Vec<Revocation>, NotClosed> {
        let user = closing.user;
        let row = self.users.get(&user).filter(|row| !row.is_deleted());
        let row = row.ok_or(NotClosed::Gone)?.clone();
        if row.password_hash != closing.verified_hash {
            return Err(NotClosed::PasswordChanged);
        }
        let administrators = self.users.values().filter(|row| row.administrator);
        if row.administrator && administrators.count() <= 1 {
            return Err(NotClosed::LastAdministrator);
        }
        let mut revoked = self.revoke_all(user, None, now_ms);
        let before = Revoked::User {
            user,
            before_ms: now_ms,
        };
        revoked.push(self.add_revocation(before, now_ms));
        self.sessions.retain(|_id, session| session.user != user);
        let sessions = &self.sessions;
        self.tokens
            .retain(|_hash, token| sessions.contains_key(&token.session));
        let named = self.names.iter().find(|(_key, id)| **id == user);
        if let Some(key) = named.map(|(key, _id)| key.clone()) {
            self.names.remove(&key);
            self.names.insert(erased_key(&key), user);
        }
        // A row's name is one: it was made of one.
        if let Ok(name) = name(&row.name)
            && self.looks.remove(name.look())
        {
            self.looks.insert(erased_key(name.look()));
        }
        self.born.remove(&user);
        let row = UserRow {
            name: String::new(),
            profile_version: row.profile_version + 1,
            password_hash: None,
            administrator: false,
            ..row
        };
        self.users.insert(user, row);
        self.tick();
        Ok(revoked)
    }
}
