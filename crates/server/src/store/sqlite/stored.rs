//! Rooms and members as their rows say.

use chinwag_core::ids::{Position, RoomId, Seq, UserId};
use chinwag_core::room::{Member, Room, Stay};
use chinwag_core::view::{Changes, View};

use rusqlite::Connection;

use super::lookup::{Read, SqlView};
use super::own::notify;
use super::rows::{self, JOINED, code, count, number, room, room_id, seq, stay, user_id};

impl SqlView<'_> {
    pub(super) fn stored_room(&self, id: RoomId) -> Read<Option<Room>> {
        self.one(
            "SELECT kind, name, history, head, msg_no, floor, members, created, topic, owners, \
             pins, avatar FROM rooms WHERE public = ?1",
            [&id.0[..]],
            |row| room(row, id),
        )
    }

    pub(super) fn stored_member(&self, room: RoomId, user: UserId) -> Read<Option<Member>> {
        let (Some(inside_room), Some(inside_user)) =
            (self.inside_room(room)?, self.inside_user(user)?)
        else {
            return Ok(None);
        };
        let found = self.one(
            "SELECT state, role, since, gone, earlier, delivered, read, muted, \
             level, quiet_until, notify_version, hidden_version FROM members \
             WHERE room = ?1 AND user = ?2",
            [inside_room, inside_user],
            |row| {
                let earlier: i64 = row.get(4)?;
                let member = Member {
                    user,
                    state: code(row, 0, rows::state)?,
                    role: code(row, 1, rows::role)?,
                    muted: row.get(7)?,
                    stays: stay(row, 2).map(|stay| match stay.from {
                        // Asked in, and never in: no event has let them in.
                        Seq::ZERO => Vec::new(),
                        _joined => vec![stay],
                    })?,
                    delivered: seq(row, 5)?,
                    read: seq(row, 6)?,
                    notify: notify(row, 8)?,
                    hidden: count(row.get(11)?),
                };
                Ok((member, earlier))
            },
        )?;
        let Some((mut member, earlier)) = found else {
            return Ok(None);
        };
        if earlier > 0 {
            let last = std::mem::take(&mut member.stays);
            member.stays = self.stays(inside_room, inside_user)?;
            member.stays.extend(last);
        }
        Ok(Some(member))
    }

    /// In how many rooms somebody stands so.
    pub(super) fn rooms_where(&self, user: UserId, state: i64) -> Read<usize> {
        let Some(user) = self.inside_user(user)? else {
            return Ok(0);
        };
        let rooms = self.one(
            "SELECT count(*) FROM members WHERE user = ?1 AND state = ?2",
            [user, state],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(rooms.map_or(0, |rooms| usize::try_from(rooms).unwrap_or(0)))
    }

    pub(super) fn stored_changes(&self, since: Position) -> Read<Changes> {
        let position = self.position()?;
        if since >= position {
            // The frequent answer costs no scan.
            return Ok(Changes {
                position,
                ..Changes::default()
            });
        }
        let since = number(since.0);
        let rooms = self.all(
            "SELECT public, head FROM rooms WHERE changed > ?1 ORDER BY public",
            [since],
            |row| Ok((room_id(row, 0)?, seq(row, 1)?)),
        )?;
        let joined = self.all(
            "SELECT u.public, r.public, m.since FROM members AS m \
             JOIN rooms AS r ON r.id = m.room JOIN users AS u ON u.id = m.user \
             WHERE m.changed > ?1 AND m.state = ?2 ORDER BY r.public, u.public",
            [since, JOINED],
            |row| Ok((user_id(row, 0)?, room_id(row, 1)?, seq(row, 2)?)),
        )?;
        Ok(Changes {
            position,
            rooms,
            joined,
        })
    }

    fn stays(&self, room: i64, user: i64) -> Read<Vec<Stay>> {
        self.all(
            "SELECT since, gone FROM stays WHERE room = ?1 AND user = ?2 ORDER BY since",
            [room, user],
            |row| stay(row, 0),
        )
    }
}

/// The position of a transaction, as far as it has written.
pub(super) fn stored_position(db: &Connection) -> rusqlite::Result<Position> {
    db.prepare_cached("SELECT value FROM meta WHERE key = 'position'")?
        .query_row([], |row| row.get(0).map(count).map(Position))
}
