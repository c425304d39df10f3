//! Whom people have blocked: rows of their own, and what the look-ups ask of them.
//!
//! Runs in transactions that others begin. What a change comes to is `core::own`'s.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Position, RoomId, UserId};
use chinwag_core::own;
use chinwag_core::wire::Blocks;
use rusqlite::{Connection, OptionalExtension, params};

use super::lookup::{Read, SqlView, unreadable};
use super::rows::{JOINED, count, number, user_id};
use super::stored::stored_position;

/// Of an inside user `?1` and an event `e`: leaves out what is by somebody whom they have blocked.
const NOT_BLOCKED: &str =
    "NOT EXISTS (SELECT 1 FROM blocks AS b WHERE b.user = ?4 AND b.other = e.sender)";

/// The list of somebody, by id, and when it changed last.
fn list(db: &Connection, user: UserId) -> rusqlite::Result<(Blocks, Position)> {
    let found = db
        .prepare_cached(
            "SELECT l.version, l.changed, l.user FROM users AS u \
             JOIN block_lists AS l ON l.user = u.id WHERE u.public = ?1",
        )?
        .query_row([&user.0[..]], |row| {
            Ok((count(row.get(0)?), count(row.get(1)?), row.get(2)?))
        });
    let Some((version, changed, inside)) = found.optional()? else {
        return Ok(Default::default());
    };
    let inside: i64 = inside;
    let mut query = db.prepare_cached(
        "SELECT u.public FROM blocks AS b JOIN users AS u ON u.id = b.other WHERE b.user = ?1 \
         ORDER BY u.public",
    )?;
    let users = query.query_map([inside], |row| user_id(row, 0))?;
    let users = users.collect::<rusqlite::Result<_>>()?;
    Ok((Blocks { users, version }, Position(changed)))
}

/// Blocks somebody, or does so no longer; the list then.
pub(super) fn set(
    db: &Connection,
    user: UserId,
    other: UserId,
    on: bool,
) -> rusqlite::Result<Result<Blocks, ErrorCode>> {
    let (Some(own_id), Some(other_id)) = (inside(db, user)?, inside(db, other)?) else {
        // Nobody of that id is on the list.
        let (before, _changed) = list(db, user)?;
        return Ok(if on {
            Err(ErrorCode::NotFound)
        } else {
            Ok(before)
        });
    };
    let (before, _changed) = list(db, user)?;
    let after = match own::block(user, &before, other, on) {
        Ok(after) if after != before => after,
        unchanged => return Ok(unchanged),
    };
    let sql = if on {
        "INSERT INTO blocks (user, other) VALUES (?1, ?2)"
    } else {
        "DELETE FROM blocks WHERE user = ?1 AND other = ?2"
    };
    db.prepare_cached(sql)?.execute([own_id, other_id])?;
    let position = number(stored_position(db)?.0);
    db.prepare_cached(
        "INSERT INTO block_lists (user, version, changed) VALUES (?1, ?2, ?3) \
         ON CONFLICT (user) DO UPDATE SET version = excluded.version, changed = excluded.changed",
    )?
    .execute(params![own_id, number(after.version), position])?;
    // What is unread there may be counted otherwise from now on.
    db.prepare_cached(
        "UPDATE members SET changed = ?3 WHERE user = ?1 AND state = ?4 AND room IN \
         (SELECT room FROM members WHERE user = ?2)",
    )?
    .execute([own_id, other_id, position, JOINED])?;
    Ok(Ok(after))
}

fn inside(db: &Connection, user: UserId) -> rusqlite::Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT id FROM users WHERE public = ?1")?;
    query.query_row([&user.0[..]], |row| row.get(0)).optional()
}

/// Whether somebody of this inside id has blocked anybody.
fn has_any(db: &Connection, user: i64) -> rusqlite::Result<bool> {
    exists(db, "SELECT 1 FROM blocks WHERE user = ?1", &[user])
}

/// Whether one of two people has blocked the other.
fn is_between(db: &Connection, one: i64, other: i64) -> rusqlite::Result<bool> {
    exists(
        db,
        "SELECT 1 FROM blocks WHERE user = ?1 AND other = ?2 UNION ALL \
         SELECT 1 FROM blocks WHERE user = ?2 AND other = ?1",
        &[one, other],
    )
}

/// Whether anybody who is or was in a room has blocked `user`, or is blocked by them.
fn is_in_room(db: &Connection, room: i64, user: i64) -> rusqlite::Result<bool> {
    exists(
        db,
        "SELECT 1 FROM members AS m WHERE m.room = ?1 AND m.user <> ?2 AND \
         (EXISTS (SELECT 1 FROM blocks AS b WHERE b.user = ?2 AND b.other = m.user) OR \
         EXISTS (SELECT 1 FROM blocks AS b WHERE b.user = m.user AND b.other = ?2))",
        &[room, user],
    )
}

fn exists(db: &Connection, sql: &str, with: &[i64]) -> rusqlite::Result<bool> {
    db.prepare_cached(sql)?
        .exists(rusqlite::params_from_iter(with))
}

impl SqlView<'_> {
    pub(super) fn block_list(&self, user: UserId) -> Read<(Blocks, Position)> {
        list(self.db, user).map_err(unreadable)
    }

    /// What a count of messages asks of an event beside the rest. Most people have blocked nobody,
    /// and need not look at each sender.
    pub(super) fn unless_blocked(&self, user: i64) -> Read<&'static str> {
        let any = has_any(self.db, user).map_err(unreadable)?;
        Ok(if any { NOT_BLOCKED } else { "TRUE" })
    }

    pub(super) fn has_wall_between(&self, one: UserId, other: UserId) -> Read<bool> {
        match (self.inside_user(one)?, self.inside_user(other)?) {
            (Some(one), Some(other)) => is_between(self.db, one, other).map_err(unreadable),
            _ => Ok(false),
        }
    }

    pub(super) fn has_wall(&self, room: RoomId, user: UserId) -> Read<bool> {
        match (self.inside_room(room)?, self.inside_user(user)?) {
            (Some(room), Some(user)) => is_in_room(self.db, room, user).map_err(unreadable),
            _ => Ok(false),
        }
    }
}
