//! Accounts in SQLite: plain functions over a connection, each run inside one transaction.
//!
//! [`SqliteAccounts`] joins them to whatever owns the writer thread and the readers, through
//! [`Connections`]. A function that refuses has written nothing.

use std::sync::Arc;

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::Name;
use chinwag_core::wire::Profile;
use rusqlite::{Connection, Result as SqlResult};

use crate::store::StoreError;
use crate::store::accounts::{
    AccountRow, AccountStore, Answer, Closing, ForeignUser, NewSession, NewUser, NotClosed,
    NotMade, Revocation, Rotation, SessionRow, TokenHash, UserRow,
};
use crate::store::sqlite::SqliteStore;

mod closing;
mod remembered;
mod sessions;
mod users;

use self::remembered::Remembered;

/// Who runs functions on connections.
pub trait Connections: Send + Sync + 'static {
    /// On the writer, in a transaction; durable when it returns. `counts` says of an outcome
    /// whether it may have changed who somebody is, or ended a session.
    fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
        counts: fn(&R) -> bool,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;

    /// How many writes counted so far, at least all of those that have returned. A snapshot that
    /// begins afterwards has them all.
    fn writes(&self) -> u64;

    /// On a reader, in one snapshot that contains every write that has returned.
    fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
}

impl Connections for SqliteStore {
    async fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
        counts: fn(&R) -> bool,
    ) -> Result<R, StoreError> {
        self.write_counted(work, counts).await
    }

    fn writes(&self) -> u64 {
        self.account_writes.count()
    }

    async fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.read_with(work).await
    }
}

/// The accounts of a SQLite store.
#[derive(Debug)]
pub struct SqliteAccounts<C> {
    connections: Arc<C>,
    remembered: Remembered,
}

impl<C: Connections> SqliteAccounts<C> {
    /// The accounts in the database of `connections`, through which alone they are written.
    pub fn new(connections: Arc<C>) -> Self {
        Self {
            connections,
            remembered: Remembered::default(),
        }
    }

    /// A write after which nothing read before it is relied on.
    fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
    ) -> Answer<'_, R> {
        self.write_counted(work, |_value| true)
    }

    fn write_counted<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
        counts: fn(&R) -> bool,
    ) -> Answer<'_, R> {
        Box::pin(self.connections.write(work, counts))
    }

    fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<R> + Send + 'static,
    ) -> Answer<'_, R> {
        Box::pin(self.connections.read(work))
    }
}

impl<C: Connections> AccountStore for SqliteAccounts<C> {
    fn secret(&self, name: &'static str, candidate: Vec<u8>) -> Answer<'_, Vec<u8>> {
        self.write(move |db| users::secret(db, name, &candidate))
    }

    fn offer_setup(&self, hash: TokenHash) -> Answer<'_, bool> {
        self.write(move |db| users::offer_setup(db, &hash))
    }

    fn user_by_name(&self, name_key: String) -> Answer<'_, Option<UserRow>> {
        self.read(move |db| users::by_name(db, &name_key))
    }

    fn is_name_taken(&self, name: Name) -> Answer<'_, bool> {
        self.read(move |db| users::is_taken(db, &name))
    }

    fn identity(&self, user: UserId, session: Option<SessionId>) -> Answer<'_, Option<UserRow>> {
        // Before the snapshot begins: what is read may be newer than this count says, never older.
        let writes = self.connections.writes();
        if let Some(row) = self.remembered.get(writes, user, session) {
            return Box::pin(std::future::ready(Ok(Some(row))));
        }
        let read = self.read(move |db| match session {
            Some(session) if !sessions::is_alive(db, session, user)? => Ok(None),
            Some(_) | None => users::by_id(db, user),
        });
        Box::pin(async move {
            let found = read.await?;
            if let Some(row) = &found {
                self.remembered.put(writes, session, row);
            }
            Ok(found)
        })
    }

    fn profiles(&self, wanted: Vec<UserId>) -> Answer<'_, Vec<Profile>> {
        self.read(move |db| users::profiles(db, &wanted))
    }

    fn create_user(&self, user: NewUser, now_ms: i64) -> Answer<'_, Result<UserRow, NotMade>> {
        self.write(move |db| users::create(db, &user, now_ms))
    }

    fn foreign_user(&self, user: ForeignUser, now_ms: i64) -> Answer<'_, UserRow> {
        // Makes a row or leaves it as it is.
        self.write_counted(move |db| users::foreign(db, &user, now_ms), |_row| false)
    }

    fn create_session(
        &self,
        user: UserId,
        verified_hash: String,
        session: NewSession,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>> {
        self.write(move |db| {
            if users::password_hash(db, user)?.as_deref() != Some(&verified_hash) {
                return Ok(None);
            }
            sessions::create(db, user, &session, now_ms).map(Some)
        })
    }

    fn rotate(
        &self,
        presented: TokenHash,
        next: TokenHash,
        grace_ms: i64,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, Rotation> {
        let rotate = move |db: &Connection| {
            let times = sessions::RotationTimes {
                grace_ms,
                expires_ms,
                now_ms,
            };
            sessions::rotate(db, &presented, &next, times)
        };
        // Each session does this every few minutes; only a stolen token ends one.
        self.write_counted(rotate, |done| matches!(done, Rotation::Reused { .. }))
    }

    fn session_of(&self, refresh: TokenHash) -> Answer<'_, Option<SessionId>> {
        self.read(move |db| sessions::of_token(db, &refresh))
    }

    fn revoke_session(&self, session: SessionId, now_ms: i64) -> Answer<'_, Option<Revocation>> {
        self.write(move |db| sessions::revoke(db, session, now_ms))
    }

    fn sessions(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<SessionRow>> {
        self.read(move |db| sessions::of_user(db, user, now_ms))
    }

    fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now_ms: i64,
    ) -> Answer<'_, Option<Revocation>> {
        self.write(move |db| {
            if sessions::is_alive(db, session, user)? {
                sessions::revoke(db, session, now_ms)
            } else {
                Ok(None)
            }
        })
    }

    fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Vec<Revocation>> {
        self.write(move |db| sessions::revoke_all(db, user, keep, now_ms))
    }

    fn revoke_user(&self, user: UserId, now_ms: i64) -> Answer<'_, Vec<Revocation>> {
        self.write(move |db| {
            let mut all = sessions::revoke_all(db, user, None, now_ms)?;
            all.push(sessions::revoke_tokens_of(db, user, now_ms)?);
            Ok(all)
        })
    }

    fn change_password(
        &self,
        user: UserId,
        verified_hash: String,
        new_hash: String,
        keep: Option<SessionId>,
        now_ms: i64,
    ) -> Answer<'_, Option<Vec<Revocation>>> {
        self.write(move |db| {
            if !users::set_password(db, user, &verified_hash, &new_hash)? {
                return Ok(None);
            }
            sessions::revoke_all(db, user, keep, now_ms).map(Some)
        })
    }

    fn account(&self, user: UserId) -> Answer<'_, Option<AccountRow>> {
        self.read(move |db| closing::account(db, user))
    }

    fn close_account(
        &self,
        closing: Closing,
        now_ms: i64,
    ) -> Answer<'_, Result<Vec<Revocation>, NotClosed>> {
        self.write(move |db| closing::close(db, &closing, now_ms))
    }

    fn create_invite(
        &self,
        hash: TokenHash,
        by: UserId,
        expires_ms: i64,
        now_ms: i64,
    ) -> Answer<'_, ()> {
        self.write(move |db| users::create_invite(db, &hash, by, expires_ms, now_ms))
    }

    fn invite_is_good(&self, hash: TokenHash, now_ms: i64) -> Answer<'_, bool> {
        self.read(move |db| users::invite_is_good(db, &hash, now_ms))
    }

    fn setup_is_good(&self, hash: TokenHash) -> Answer<'_, bool> {
        self.read(move |db| users::setup_is_good(db, &hash))
    }

    fn revocations_after(&self, changed: u64) -> Answer<'_, Vec<Revocation>> {
        self.read(move |db| sessions::revocations_after(db, changed))
    }
}

/// The next number of the accounts' clock. The single writer makes its order the commit order.
fn tick(db: &Connection) -> SqlResult<u64> {
    db.prepare_cached("UPDATE accounts_clock SET changed = changed + 1 RETURNING changed")?
        .query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::store::accounts::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        let parent = tempfile::tempdir().expect("a directory");
        let made = Cell::new(0);
        contract::run(|| {
            made.set(made.get() + 1);
            let store = SqliteStore::open(&parent.path().join(made.get().to_string()));
            Arc::new(SqliteAccounts::new(Arc::new(store.expect("a new store"))))
        })
        .await;
    }
}
