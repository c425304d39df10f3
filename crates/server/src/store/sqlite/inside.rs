//! Inside ids: the small numbers by which rows name rooms and people.
//!
//! Lifetime: that of the connection whose snapshots or transactions have met them.

use std::cell::RefCell;
use std::collections::HashMap;

use chinwag_core::ids::{RoomId, UserId};
use rusqlite::{Connection, OptionalExtension};

/// Public ids whose inside ids one connection keeps in mind; beyond, it forgets them all.
const INSIDE_IDS_MAX: usize = 65_536;

/// Inside ids by public ones. An id once committed keeps its number for ever, and what a reader
/// meets is committed; a transaction that has written and is not committed ends the writer, and
/// this with it.
#[derive(Debug, Default)]
pub(super) struct Inside {
    rooms: RefCell<HashMap<RoomId, i64>>,
    users: RefCell<HashMap<UserId, i64>>,
}

impl Inside {
    pub(super) fn room(&self, db: &Connection, id: RoomId) -> rusqlite::Result<Option<i64>> {
        if let Some(inside) = self.rooms.borrow().get(&id) {
            return Ok(Some(*inside));
        }
        let found = number_of(db, "SELECT id FROM rooms WHERE public = ?1", &id.0)?;
        if let Some(inside) = found {
            self.learn_room(id, inside);
        }
        Ok(found)
    }

    pub(super) fn user(&self, db: &Connection, id: UserId) -> rusqlite::Result<Option<i64>> {
        if let Some(inside) = self.users.borrow().get(&id) {
            return Ok(Some(*inside));
        }
        let found = number_of(db, "SELECT id FROM users WHERE public = ?1", &id.0)?;
        if let Some(inside) = found {
            let mut users = self.users.borrow_mut();
            if users.len() >= INSIDE_IDS_MAX {
                users.clear();
            }
            users.insert(id, inside);
        }
        Ok(found)
    }

    pub(super) fn learn_room(&self, id: RoomId, inside: i64) {
        let mut rooms = self.rooms.borrow_mut();
        if rooms.len() >= INSIDE_IDS_MAX {
            rooms.clear();
        }
        rooms.insert(id, inside);
    }
}

fn number_of(db: &Connection, sql: &str, id: &[u8; 16]) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(sql)?
        .query_row([&id[..]], |row| row.get(0))
        .optional()
}
