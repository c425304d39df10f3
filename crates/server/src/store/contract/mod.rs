//! The contract suite: what every store promises, run on each of them.
//!
//! A test is an async function over a [`Subject`]; the macro [`contract`] runs it on the memory
//! store, on SQLite, and on SQLite with recent events in front of it. What only a file can suffer is in `sqlite/tests.rs`.

mod answers;
mod asked;
mod blocks;
mod conversation;
mod erasing;
mod exporting;
mod invites;
mod markers;
mod messages;
mod own;
mod people;
mod profile;
mod random;
mod rates;
mod rooms;
mod sending;

use std::sync::Arc;

use chinwag_core::batch::{Ack, Command, Outcome, Submission};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use chinwag_core::ledger::Committed;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Profile;
use tempfile::TempDir;

use super::avatars::AvatarStore;
use super::memory::MemoryStore;
use super::recent::RecentFirst;
use super::sqlite::SqliteStore;
use super::{AnyView, Store, StoreError, read};

/// Runs each of the named functions on each store.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod memory {
            use crate::store::contract::Subject;
            $(#[tokio::test]
            async fn $name() {
                super::$name(Subject::memory().await).await;
            })*
        }
        mod sqlite {
            use crate::store::contract::Subject;
            $(#[tokio::test]
            async fn $name() {
                super::$name(Subject::sqlite().await).await;
            })*
        }
        mod recent {
            use crate::store::contract::Subject;
            $(#[tokio::test]
            async fn $name() {
                super::$name(Subject::recent().await).await;
            })*
        }
    };
}
use contract;

/// People whom every subject knows: `user(1)` to this.
pub(super) const PEOPLE: u8 = 9;

/// The store under test, with people in it.
pub(super) enum Subject {
    Memory(Box<MemoryStore>),
    Sqlite(Option<SqliteStore>, TempDir),
    Recent(
        Option<(Arc<SqliteStore>, RecentFirst<SqliteStore>)>,
        TempDir,
    ),
}

/// Recent events in so few bytes that rooms come and go.
fn recent_first(dir: &TempDir) -> (Arc<SqliteStore>, RecentFirst<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(dir.path()).expect("the same store"));
    let front = RecentFirst::new(Arc::clone(&store), 300 * 1024);
    (store, front)
}

pub(super) fn user(number: u8) -> UserId {
    UserId([number; 16])
}

pub(super) fn key(number: u64) -> Key {
    Key(u128::from(number).to_be_bytes())
}

pub(super) fn by(from: u8, key_number: u64, command: Command) -> Submission {
    Submission {
        from: user(from),
        key: key(key_number),
        command,
    }
}

pub(super) fn send(from: u8, key_number: u64, room: RoomId, text: &str) -> Submission {
    let text = text.to_owned();
    by(from, key_number, Command::say(room, text))
}

pub(super) fn create(from: u8, key_number: u64, kind: RoomKind) -> Submission {
    let name = format!("room {key_number}");
    by(from, key_number, Command::open(kind, name))
}

pub(super) fn edit(room: RoomId, target: u64, text: &str) -> Command {
    Command::Edit {
        room,
        target: Seq(target),
        body: text.to_owned().into(),
    }
}

pub(super) fn redact(room: RoomId, target: u64) -> Command {
    let target = Seq(target);
    Command::Redact { room, target }
}

pub(super) fn react(room: RoomId, target: u64, emoji: &str, on: bool) -> Command {
    Command::React {
        room,
        target: Seq(target),
        emoji: emoji.to_owned(),
        on,
    }
}

pub(super) fn profile(number: u8) -> Profile {
    Profile {
        id: user(number),
        name: format!("Person {number}"),
        version: 1,
        display_name: None,
        avatar: None,
    }
}

impl Subject {
    pub(super) async fn memory() -> Self {
        Self::Memory(Box::new(MemoryStore::new(Epoch([7; 16]))))
            .peopled()
            .await
    }

    pub(super) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a new store");
        Self::Sqlite(Some(store), dir).peopled().await
    }

    pub(super) async fn recent() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self::Recent(Some(recent_first(&dir)), dir).peopled().await
    }

    async fn peopled(self) -> Self {
        for number in 1..=PEOPLE {
            self.put_profile(profile(number)).await;
        }
        self
    }

    pub(super) async fn put_profile(&self, profile: Profile) {
        match self {
            Self::Memory(store) => store.put_profile(profile),
            Self::Sqlite(..) | Self::Recent(..) => {
                self.file().put_profile(profile).await.expect("stored")
            }
        }
    }

    /// Closes and opens what can be closed.
    pub(super) fn reopen(&mut self) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(store, dir) => {
                drop(store.take());
                *store = Some(SqliteStore::open(dir.path()).expect("the same store"));
            }
            Self::Recent(store, dir) => {
                drop(store.take());
                *store = Some(recent_first(dir));
            }
        }
    }

    fn file(&self) -> &SqliteStore {
        match self {
            Self::Sqlite(Some(store), _dir) => store,
            Self::Recent(Some((store, _front)), _dir) => store,
            Self::Sqlite(None, _) | Self::Recent(None, _) | Self::Memory(_) => {
                panic!("not a file")
            }
        }
    }

    pub(super) fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => &**store,
            Self::Recent(Some((_store, front)), _dir) => front,
            Self::Sqlite(..) | Self::Recent(None, _) => self.file(),
        }
    }

    pub(super) fn avatars(&self) -> &dyn AvatarStore {
        match self {
            Self::Memory(store) => &**store,
            Self::Sqlite(..) | Self::Recent(..) => self.file(),
        }
    }

    pub(super) async fn append(&self, items: Vec<Submission>) -> Committed {
        let appended = self.store().append(items, Millis(1_000)).await;
        appended.expect("the store takes writes")
    }

    pub(super) async fn one(&self, item: Submission) -> Outcome {
        self.append(vec![item]).await.outcomes[0]
    }

    pub(super) async fn done(&self, item: Submission) -> Ack {
        let words = format!("{item:?}");
        match self.one(item).await {
            Outcome::Done(ack) => ack,
            other => panic!("{words}: {other:?}"),
        }
    }

    /// What is answered to something that was done before.
    pub(super) async fn done_again(&self, item: Submission) -> Ack {
        let words = format!("{item:?}");
        match self.one(item).await {
            Outcome::Replayed(ack) => ack,
            other => panic!("{words}: {other:?}"),
        }
    }

    pub(super) async fn refused(&self, item: Submission) -> ErrorCode {
        let words = format!("{item:?}");
        match self.one(item).await {
            Outcome::Refused(code) => code,
            other => panic!("{words}: {other:?}"),
        }
    }

    pub(super) async fn room(&self, from: u8, key_number: u64, kind: RoomKind) -> RoomId {
        self.done(create(from, key_number, kind)).await.room
    }

    pub(super) async fn mark(
        &self,
        number: u8,
        room: RoomId,
        delivered: u64,
        read: u64,
    ) -> Option<Marked> {
        let mark = Mark {
            user: user(number),
            room,
            delivered: Seq(delivered),
            read: Seq(read),
        };
        let marked = self.store().mark(vec![mark], Millis(1_000)).await;
        marked.expect("the store takes writes")[0]
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&AnyView<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        read(self.store(), job)
            .await
            .expect("the store can be read")
    }

    pub(super) async fn position(&self) -> Position {
        self.read(|view| view.position()).await
    }
}
