//! The look-ups of `core::view` over one SQLite transaction, whoever began it.
//!
//! Does not begin or end transactions, does not write. Lifetime: one transaction.

use chinwag_core::aside::Seen;
use chinwag_core::batch::Ack;
use chinwag_core::estate::Estate;
use chinwag_core::event::Event;
use chinwag_core::ids::{AvatarId, Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use chinwag_core::invite::{Invitation, InviteHash};
use chinwag_core::rate::Rate;
use chinwag_core::receipt::Stand;
use chinwag_core::room::{Listed, Member, MemberState, Range, Room};
use chinwag_core::view::{Alterations, Changes, View};
use chinwag_core::wire::{Blocks, DirectoryRow, Profile, Settings};
use rusqlite::{named_params, params};

use super::avatars;
use super::deeds;
use super::lookup::{Read, SqlView, unreadable};
use super::people;
use super::rates;
use super::rows::{
    self, EVENT_COLUMNS, INVITED, JOINED, count, kind, number, profile, room_id, seq,
};
use super::stored::stored_position;
use super::trails;
use crate::store::StoreError;

impl SqlView<'_> {
    /// Events of a room that fulfil `and`, over `:from` and `:to`.
    fn some_events(&self, room: RoomId, range: Range, limit: usize, and: &str) -> Read<Vec<Event>> {
        let Some(inside) = self.inside_room(room)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM events AS e LEFT JOIN users AS u ON u.id = e.sender \
             WHERE e.room = :room AND {and} LIMIT :limit"
        );
        let with = named_params! {
            ":room": inside,
            ":from": number(range.from.0),
            ":to": number(range.to.0),
            ":limit": number(limit as u64),
        };
        self.all(&sql, with, |row| rows::event(row, room))
    }
}

impl View for SqlView<'_> {
    type Error = StoreError;

    fn epoch(&self) -> Read<Epoch> {
        let epoch = self.one("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
            row.get(0).map(Epoch)
        })?;
        epoch.ok_or_else(|| StoreError::Read("the database has lost its epoch".into()))
    }

    fn position(&self) -> Read<Position> {
        stored_position(self.db).map_err(unreadable)
    }

    fn replay(&self, key: Key, from: UserId, room: RoomId) -> Read<Option<(u64, Ack)>> {
        #[cfg(feature = "mutants")]
        if let Some(remembered) = self.remembered {
            return Ok(remembered.get(key, from, room));
        }
        let (Some(sender), Some(inside)) = (self.inside_user(from)?, self.inside_room(room)?)
        else {
            return Ok(None);
        };
        self.one(
            "SELECT hash, seq, msg_no, ts FROM events WHERE key = ?1 AND sender = ?2 AND room = ?3",
            params![&key.0[..], sender, inside],
            |row| {
                let ack = Ack {
                    room,
                    seq: seq(row, 1)?,
                    msg_no: count(row.get(2)?),
                    ts: Millis(row.get(3)?),
                };
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), ack))
            },
        )
    }

    fn room(&self, id: RoomId) -> Read<Option<Room>> {
        match self.kept {
            Some(kept) => kept.room(id, || self.stored_room(id)),
            None => self.stored_room(id),
        }
    }

    fn member(&self, room: RoomId, user: UserId) -> Read<Option<Member>> {
        match self.kept {
            Some(kept) => kept.member(room, user, || self.stored_member(room, user)),
            None => self.stored_member(room, user),
        }
    }

    fn profile(&self, user: UserId) -> Read<Option<Profile>> {
        let load = || self.one(rows::PROFILE_BY_ID, [&user.0[..]], profile);
        match self.kept {
            Some(kept) => kept.profile(user, load),
            None => load(),
        }
    }

    fn named(&self, name: &str) -> Read<Option<Profile>> {
        self.one(rows::PROFILE_BY_NAME, [name_key(name)], profile)
    }

    fn rooms_in(&self, user: UserId) -> Read<usize> {
        self.rooms_where(user, JOINED)
    }

    fn heads(&self, user: UserId) -> Read<Vec<(RoomId, Seq)>> {
        let Some(user) = self.inside_user(user)? else {
            return Ok(Vec::new());
        };
        self.all(
            "SELECT r.public, r.head FROM members AS m JOIN rooms AS r ON r.id = m.room \
             WHERE m.user = ?1 AND m.state = ?2 ORDER BY r.public",
            [user, JOINED],
            |row| Ok((room_id(row, 0)?, seq(row, 1)?)),
        )
    }

    fn changed(&self, user: UserId, since: Option<Position>) -> Read<Vec<RoomId>> {
        let Some(user) = self.inside_user(user)? else {
            return Ok(Vec::new());
        };
        let Some(since) = since else {
            return self.all(
                "SELECT r.public FROM members AS m JOIN rooms AS r ON r.id = m.room \
                 WHERE m.user = ?1 AND m.state IN (?2, ?3) ORDER BY r.public",
                [user, JOINED, INVITED],
                |row| room_id(row, 0),
            );
        };
        // Somebody who is out hears only of their own going.
        self.all(
            "SELECT r.public FROM members AS m JOIN rooms AS r ON r.id = m.room \
             WHERE m.user = ?1 AND (m.changed > ?3 OR (m.state = ?2 AND r.changed > ?3)) \
             ORDER BY r.public",
            [user, JOINED, number(since.0)],
            |row| room_id(row, 0),
        )
    }

    fn event(&self, room: RoomId, seq: Seq) -> Read<Option<Event>> {
        let range = Range { from: seq, to: seq };
        Ok(self.events(room, range, 1)?.pop())
    }

    fn events(&self, room: RoomId, range: Range, limit: usize) -> Read<Vec<Event>> {
        let and = "e.seq BETWEEN :from AND :to ORDER BY e.seq";
        self.some_events(room, range, limit, and)
    }

    fn lines(&self, room: RoomId, range: Range, limit: usize) -> Read<Vec<Event>> {
        let and = format!(
            "e.seq BETWEEN :from AND :to AND e.kind IN ({}) ORDER BY e.seq DESC",
            rows::KINDS_WITH_A_LINE
        );
        let mut lines = self.some_events(room, range, limit, &and)?;
        lines.reverse();
        Ok(lines)
    }

    fn about(&self, room: RoomId, range: Range) -> Read<Vec<Event>> {
        let and = "e.target IS NOT NULL AND e.target BETWEEN :from AND :to AND e.seq >= :from \
                   ORDER BY e.seq";
        self.some_events(room, range, usize::MAX, and)
    }

    fn last_message(&self, room: RoomId) -> Read<Option<Seq>> {
        self.newest_message(room)
    }

    fn redacted(&self, room: RoomId, range: Range) -> Read<Vec<Seq>> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT target FROM events WHERE room = ?1 AND kind = {} AND seq BETWEEN ?2 AND ?3 \
             AND +target IS NOT NULL ORDER BY seq",
            kind::REDACT
        );
        self.all(
            &sql,
            [room, number(range.from.0), number(range.to.0)],
            |row| seq(row, 0),
        )
    }

    fn countable(&self, room: RoomId, user: UserId, range: Range, limit: u64) -> Read<u64> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(0);
        };
        // Somebody whom the database does not know has written nothing.
        let user = self.inside_user(user)?.unwrap_or(0);
        let blocks = self.unless_blocked(user)?;
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM events AS e \
             WHERE e.room = ?1 AND e.seq BETWEEN ?2 AND ?3 AND e.kind = {} AND e.sender <> ?4 \
             AND {blocks} AND NOT EXISTS (SELECT 1 FROM events AS g WHERE g.room = ?1 AND g.target = e.seq \
             AND g.target IS NOT NULL AND g.kind = {}) ORDER BY e.seq DESC LIMIT ?5)",
            kind::MESSAGE,
            kind::REDACT
        );
        let with = [
            room,
            number(range.from.0),
            number(range.to.0),
            user,
            number(limit),
        ];
        let counted = self.one(&sql, with, |row| row.get::<_, i64>(0))?;
        Ok(counted.map_or(0, count))
    }

    fn alterations(&self, room: RoomId, target: Seq) -> Read<Alterations> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(Alterations::new());
        };
        let counts = self.all(
            "SELECT what, times FROM alterations WHERE room = ?1 AND target = ?2",
            [room, number(target.0)],
            |row| Ok((row.get(0)?, count(row.get(1)?))),
        )?;
        Ok(counts.into_iter().collect())
    }

    fn mentioned(&self, room: RoomId, user: UserId, range: Range, limit: u64) -> Read<u64> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(0);
        };
        // Somebody whom the database does not know is mentioned with the whole room.
        let user = self.inside_user(user)?.unwrap_or(rows::WHOLE_ROOM);
        // By name and as part of the room is once.
        let blocks = self.unless_blocked(user)?;
        let sql = format!(
            "SELECT count(*) FROM (SELECT e.seq FROM mentions AS e WHERE e.room = ?1 \
             AND e.user = ?4 AND e.seq BETWEEN ?2 AND ?3 AND e.sender <> ?4 AND {blocks} \
             UNION SELECT e.seq FROM mentions AS e WHERE e.room = ?1 AND e.user = 0 \
             AND e.seq BETWEEN ?2 AND ?3 AND e.sender <> ?4 AND {blocks} LIMIT ?5)"
        );
        let with = [
            room,
            number(range.from.0),
            number(range.to.0),
            user,
            number(limit),
        ];
        let counted = self.one(&sql, with, |row| row.get::<_, i64>(0))?;
        Ok(counted.map_or(0, count))
    }

    fn members(
        &self,
        room: RoomId,
        state: MemberState,
        after: Option<UserId>,
        limit: usize,
    ) -> Read<Vec<Listed>> {
        self.listed(room, state, after, limit)
    }

    fn directory(&self, after: Option<RoomId>, limit: usize) -> Read<Vec<DirectoryRow>> {
        self.public_rooms(after, limit)
    }

    fn changes(&self, since: Position) -> Read<Changes> {
        self.stored_changes(since)
    }

    fn settings(&self, user: UserId) -> Read<Settings> {
        people::settings(self.db, user).map_err(unreadable)
    }

    fn invited_to(&self, user: UserId) -> Read<usize> {
        self.rooms_where(user, INVITED)
    }

    fn invitation(&self, hash: InviteHash) -> Read<Option<Invitation>> {
        self.one(deeds::INVITATION, [&hash.0[..]], deeds::invitation)
    }

    fn has_avatar(&self, avatar: AvatarId) -> Read<bool> {
        avatars::exists(self.db, avatar).map_err(unreadable)
    }

    fn profile_changed(&self, user: UserId) -> Read<Position> {
        let sql = "SELECT changed FROM users WHERE public = ?1";
        let changed = self.one(sql, [&user.0[..]], |row| row.get::<_, i64>(0))?;
        Ok(Position(changed.map_or(0, count)))
    }

    fn invitations(&self, room: RoomId) -> Read<Vec<Invitation>> {
        self.all(deeds::INVITATIONS, [&room.0[..]], deeds::invitation)
    }

    fn rates(&self) -> Read<Vec<(UserId, Rate)>> {
        self.all(rates::RATES, [], rates::rate)
    }

    fn hidden(&self, room: RoomId, user: UserId, range: Range) -> Read<Vec<Seq>> {
        self.hidden_seqs(room, user, range)
    }

    fn people(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Read<Vec<Seen>> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(Vec::new());
        };
        let (joined, after, limit) = people::page(after, limit);
        let with = params![room, joined, after, limit];
        self.all(people::PEOPLE, with, people::seen)
    }

    fn standing(&self, room: RoomId) -> Read<Vec<Stand>> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(Vec::new());
        };
        self.all(trails::STANDING, trails::everybody(room), trails::stand)
    }

    fn blocks(&self, user: UserId) -> Read<(Blocks, Position)> {
        self.block_list(user)
    }

    fn is_wall_between(&self, one: UserId, other: UserId) -> Read<bool> {
        self.has_wall_between(one, other)
    }

    fn is_walled(&self, room: RoomId, user: UserId) -> Read<bool> {
        self.has_wall(room, user)
    }

    fn estate(&self) -> &dyn Estate<Error = StoreError> {
        self
    }
}

/// The unique form of a name: two names that differ only in case are one.
pub(super) fn name_key(name: &str) -> String {
    // A text that is no name has no unique form: nobody has it.
    chinwag_core::name::name(name)
        .map_or_else(|_code| name.to_owned(), |name| name.key().to_owned())
}
