//! Rows that the writer keeps in mind: rooms, members of them, and people, as it has read or
//! written them.
//!
//! What is kept is what is stored: a transaction that has written and is not committed ends the
//! writer, and after any write that did not go through here (accounts, another connection) all is
//! forgotten. It saves a message three look-ups. Lifetime: the writer's.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;

use chinwag_core::batch::Decided;
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::room::{Member, Room};
use chinwag_core::wire::Profile;

/// Rows of one kind; beyond, all are forgotten. At a few hundred bytes each: some megabytes.
const ROWS_MAX: usize = 16_384;

/// Rooms, members and people by their ids.
#[derive(Debug, Default)]
pub(super) struct Kept {
    rooms: Rows<RoomId, Room>,
    members: Rows<(RoomId, UserId), Member>,
    people: Rows<UserId, Profile>,
    version: Cell<i64>,
}

impl Kept {
    /// Begins a transaction, over a database of this `PRAGMA data_version`: it changes when
    /// another connection has written.
    pub(super) fn begin(&self, version: i64) {
        if self.version.replace(version) != version {
            self.forget();
        }
    }

    /// Something else has written.
    pub(super) fn forget(&self) {
        self.rooms.0.borrow_mut().clear();
        self.members.0.borrow_mut().clear();
        self.people.0.borrow_mut().clear();
    }

    /// The room, from here or from `load`; what is not there is not remembered.
    pub(super) fn room<E>(
        &self,
        id: RoomId,
        load: impl FnOnce() -> Result<Option<Room>, E>,
    ) -> Result<Option<Room>, E> {
        self.rooms.get(id, load)
    }

    /// The member, likewise.
    pub(super) fn member<E>(
        &self,
        room: RoomId,
        user: UserId,
        load: impl FnOnce() -> Result<Option<Member>, E>,
    ) -> Result<Option<Member>, E> {
        self.members.get((room, user), load)
    }

    /// Somebody's public face, likewise.
    pub(super) fn profile<E>(
        &self,
        user: UserId,
        load: impl FnOnce() -> Result<Option<Profile>, E>,
    ) -> Result<Option<Profile>, E> {
        self.people.get(user, load)
    }

    /// Takes over what a batch has written.
    pub(super) fn learn(&self, decided: &Decided) {
        for room in &decided.rooms {
            self.rooms.put(room.id, room.clone());
        }
        for (room, member) in &decided.members {
            self.learn_member(*room, member.clone());
        }
    }

    /// Takes over a member that has been written.
    pub(super) fn learn_member(&self, room: RoomId, member: Member) {
        self.members.put((room, member.user), member);
    }
}

#[derive(Debug)]
struct Rows<K, V>(RefCell<HashMap<K, V>>);

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Eq + Hash, V: Clone> Rows<K, V> {
    fn get<E>(&self, key: K, load: impl FnOnce() -> Result<Option<V>, E>) -> Result<Option<V>, E> {
        if let Some(row) = self.0.borrow().get(&key) {
            return Ok(Some(row.clone()));
        }
        let found = load()?;
        if let Some(row) = &found {
            self.put(key, row.clone());
        }
        Ok(found)
    }

    fn put(&self, key: K, row: V) {
        let mut rows = self.0.borrow_mut();
        if rows.len() >= ROWS_MAX && !rows.contains_key(&key) {
            rows.clear();
        }
        rows.insert(key, row);
    }
}
