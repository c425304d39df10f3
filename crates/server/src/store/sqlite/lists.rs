//! Lists that are told page by page: the people of a room, the public rooms.

use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::room::{Listed, MemberState, RoomKind};
use chinwag_core::wire::DirectoryRow;
use rusqlite::params;

use super::avatars;
use super::lookup::{Read, SqlView};
use super::rows::{self, code, number, room_id, user_id};

impl SqlView<'_> {
    /// The first `limit` people after `after` who stand so in a room, by id.
    pub(super) fn listed(
        &self,
        room: RoomId,
        state: MemberState,
        after: Option<UserId>,
        limit: usize,
    ) -> Read<Vec<Listed>> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(Vec::new());
        };
        let (state, after) = (rows::state_code(state), after.map(|user| user.0));
        self.all(
            "SELECT u.public, m.role, m.muted FROM members AS m JOIN users AS u ON u.id = m.user \
             WHERE m.room = ?1 AND m.state = ?2 AND (?3 IS NULL OR u.public > ?3) \
             ORDER BY u.public LIMIT ?4",
            params![room, state, after, number(limit as u64)],
            |row| {
                Ok(Listed {
                    user: user_id(row, 0)?,
                    role: code(row, 1, rows::role)?,
                    muted: row.get(2)?,
                })
            },
        )
    }

    /// The first `limit` public rooms after `after`, by id.
    pub(super) fn public_rooms(
        &self,
        after: Option<RoomId>,
        limit: usize,
    ) -> Read<Vec<DirectoryRow>> {
        let public = rows::room_kind_code(RoomKind::Public);
        self.all(
            "SELECT public, name, members, avatar FROM rooms \
             WHERE kind = ?1 AND (?2 IS NULL OR public > ?2) ORDER BY public LIMIT ?3",
            params![public, after.map(|room| room.0), number(limit as u64)],
            |row| {
                let members: i64 = row.get(2)?;
                Ok(DirectoryRow {
                    room: room_id(row, 0)?,
                    name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    members: u32::try_from(members).unwrap_or(0),
                    avatar: avatars::id(row, 3)?,
                })
            },
        )
    }
}
