//! What people have hidden from themselves: a row for each of these messages.
//!
//! Runs in transactions that others begin. Decides nothing itself: that is `core::hidden`'s.

use chinwag_core::code::ErrorCode;
use chinwag_core::hidden;
use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::own::Owned;
use chinwag_core::room::Range;
use chinwag_core::view::View;
use rusqlite::{Connection, OptionalExtension};

use super::deeds::unread;
use super::inside::Inside;
use super::lookup::{Read, SqlView};
use super::rows::{count, number, seq};
use super::stored::stored_position;

/// Hides a message from somebody, or does so no longer; the list then.
pub(super) fn set(
    db: &Connection,
    user: UserId,
    room: RoomId,
    target: Seq,
    on: bool,
) -> rusqlite::Result<Result<Owned, ErrorCode>> {
    let inside = Inside::default();
    let view = SqlView::of(db, &inside);
    let changes = match hidden::changes(&view, user, room, target, on).map_err(unread)? {
        Ok(changes) => changes,
        Err(code) => return Ok(Err(code)),
    };
    let found = db
        .prepare_cached(
            "SELECT room, user, hidden_version FROM members \
             WHERE room = (SELECT id FROM rooms WHERE public = ?1) \
             AND user = (SELECT id FROM users WHERE public = ?2)",
        )?
        .query_row([&room.0[..], &user.0[..]], |row| {
            Ok((row.get(0)?, row.get(1)?, count(row.get(2)?)))
        });
    let Some((inside_room, inside_user, mut version)) = found.optional()? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    if changes {
        let (inside_room, inside_user): (i64, i64) = (inside_room, inside_user);
        let sql = if on {
            "INSERT INTO hidden (room, user, seq) VALUES (?1, ?2, ?3)"
        } else {
            "DELETE FROM hidden WHERE room = ?1 AND user = ?2 AND seq = ?3"
        };
        let row = [inside_room, inside_user, number(target.0)];
        db.prepare_cached(sql)?.execute(row)?;
        version += 1;
        db.prepare_cached(
            "UPDATE members SET hidden_version = ?3, changed = ?4 WHERE room = ?1 AND user = ?2",
        )?
        .execute([
            inside_room,
            inside_user,
            number(version),
            number(stored_position(db)?.0),
        ])?;
    }
    let all = Range {
        from: Seq(1),
        to: Seq(u64::MAX),
    };
    let seqs = view.hidden(room, user, all).map_err(unread)?;
    Ok(Ok(Owned::Hidden {
        room,
        seqs,
        version,
    }))
}

impl SqlView<'_> {
    pub(super) fn hidden_seqs(&self, room: RoomId, user: UserId, range: Range) -> Read<Vec<Seq>> {
        let (Some(room), Some(user)) = (self.inside_room(room)?, self.inside_user(user)?) else {
            return Ok(Vec::new());
        };
        self.all(
            "SELECT seq FROM hidden WHERE room = ?1 AND user = ?2 AND seq BETWEEN ?3 AND ?4 \
             ORDER BY seq",
            [room, user, number(range.from.0), number(range.to.0)],
            |row| seq(row, 0),
        )
    }
}
