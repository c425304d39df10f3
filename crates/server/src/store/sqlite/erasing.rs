//! Erasing an account in the database: closing it, the steps of the job, and what else is known of
//! one person.
//!
//! Runs in transactions that others begin. What a step comes to is `core::erasure`'s. All that is
//! kept of a person alone is named here, in [`forget_own`] and [`forget_in_room`]: a new table of
//! that kind needs a line there.

use chinwag_core::batch::Decided;
use chinwag_core::erasure::{self, Erasure, Place, Stage, Step, Stepped, Texts};
use chinwag_core::estate::Estate;
use chinwag_core::event::Event;
use chinwag_core::ids::{JobId, Millis, RoomId, UserId};
use chinwag_core::invite::Invitation;
use chinwag_core::ledger::Committed;
use chinwag_core::marker::Trails;
use chinwag_core::room::Range;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::inside::Inside;
use super::lookup::{Read, SqlView};
use super::rows::{self, EVENT_COLUMNS, JOINED, code, number, room_id, seq, user_id};
use super::stored::stored_position;
use super::{SqliteStore, apply, avatars, deeds, trails};
use crate::store::StoreError;
use crate::store::accounts::erased_key;

/// Closes an account: nobody signs in with it again, its name is nobody's, what was theirs alone is
/// gone, and the job that goes through their rooms is stored.
pub(in crate::store::sqlite) fn begin(db: &Connection, erasure: &Erasure) -> rusqlite::Result<()> {
    let user = erasure.user;
    let named: Option<[Option<String>; 2]> = db
        .prepare_cached("SELECT name_key, name_look FROM users WHERE public = ?1")?
        .query_row([&user.0[..]], |row| Ok([row.get(0)?, row.get(1)?]))
        .optional()?;
    let [key, look] = named.unwrap_or_default();
    let reserved = [key, look].map(|name| name.map(|name| erased_key(&name)));
    db.prepare_cached(
        "UPDATE users SET name = '', name_key = ?2, name_look = ?4, profile_version = profile_version + 1, \
         password_hash = NULL, issuer = NULL, subject = NULL, administrator = 0, changed = ?3 \
         WHERE public = ?1",
    )?
    .execute(params![
        &user.0[..],
        reserved[0],
        number(stored_position(db)?.0),
        reserved[1],
    ])?;
    forget_own(db, user)?;
    let (stage, room, seq) = place_columns(&erasure.place);
    db.prepare_cached(
        "INSERT INTO erasures (job, user, texts, asked, stage, room, seq) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        &erasure.job.0[..],
        &user.0[..],
        erasure.texts.text(),
        erasure.asked.0,
        stage,
        room,
        seq,
    ])?;
    Ok(())
}

/// Does a step of a job; nothing if the job is further, or there is none.
pub(super) fn step(db: &Connection, step: &Step, now: Millis) -> rusqlite::Result<Committed> {
    let position = stored_position(db)?;
    let nothing = Committed {
        position,
        ..Committed::default()
    };
    let sql = format!("SELECT {COLUMNS} FROM erasures WHERE job = ?1");
    let stored = db
        .prepare_cached(&sql)?
        .query_row([&step.job.0[..]], erasure)
        .optional()?;
    let Some(stored) = stored else {
        return Ok(nothing);
    };
    let inside = Inside::default();
    let view = SqlView::of(db, &inside);
    let stepped = erasure::decide(&view, &stored, step, now).map_err(deeds::unread)?;
    let Some(Stepped { decided, after }) = stepped else {
        return Ok(nothing);
    };
    apply::batch(db, &inside, &decided, position)?;
    for room in &step.leave {
        forget_in_room(db, *room, after.user)?;
    }
    let is_over = after.place.stage == Stage::Done;
    if is_over {
        // Once more: a write of theirs may have been under way when the account was closed.
        forget_own(db, after.user)?;
    }
    let (stage, room, seq) = place_columns(&after.place);
    db.prepare_cached(
        "UPDATE erasures SET stage = ?2, room = ?3, seq = ?4, finished = ?5 WHERE job = ?1",
    )?
    .execute(params![
        &after.job.0[..],
        stage,
        room,
        seq,
        is_over.then_some(now.0)
    ])?;
    Ok(Committed {
        events: events_of(decided),
        position,
        ..Committed::default()
    })
}

fn events_of(decided: Decided) -> Vec<Event> {
    let appended = decided.appended.into_iter();
    appended.map(|appended| appended.event).collect()
}

/// Whether somebody's account was closed: then nothing is kept of them any more.
pub(super) fn is_deleted(db: &Connection, user: UserId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM users WHERE public = ?1 AND name = ''")?
        .exists([&user.0[..]])
}

/// Forgets what is somebody's alone.
fn forget_own(db: &Connection, user: UserId) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM presence WHERE user = (SELECT id FROM users WHERE public = ?1)",
        "DELETE FROM blocks WHERE user = (SELECT id FROM users WHERE public = ?1)",
        "DELETE FROM block_lists WHERE user = (SELECT id FROM users WHERE public = ?1)",
        "DELETE FROM room_invites WHERE by = ?1",
        "DELETE FROM user_rates WHERE user = ?1",
    ] {
        db.prepare_cached(sql)?.execute([&user.0[..]])?;
    }
    avatars::unshow(db, user)
}

/// Forgets what is somebody's alone in a room.
fn forget_in_room(db: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<()> {
    const WHERE: &str = "WHERE room = (SELECT id FROM rooms WHERE public = ?1) \
                         AND user = (SELECT id FROM users WHERE public = ?2)";
    for sql in [
        format!("DELETE FROM trails {WHERE}"),
        format!("DELETE FROM hidden {WHERE}"),
        format!(
            "UPDATE members SET delivered = 0, read = 0, level = 0, quiet_until = 0, \
             notify_version = 0, hidden_version = 0 {WHERE}"
        ),
    ] {
        db.prepare_cached(&sql)?
            .execute([&room.0[..], &user.0[..]])?;
    }
    Ok(())
}

impl SqliteStore {
    /// Closes somebody's account as far as rooms are concerned, and keeps the job.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub async fn begin_erasure(&self, erasure: Erasure) -> Result<(), StoreError> {
        self.write(move |db| begin(db, &erasure)).await
    }
}

const COLUMNS: &str = "job, user, texts, asked, stage, room, seq";

fn erasure(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    let texts: String = row.get(2)?;
    let room: Option<[u8; 16]> = row.get(5)?;
    Ok(Erasure {
        job: JobId(row.get(0)?),
        user: user_id(row, 1)?,
        // The table's CHECK admits no other; of an unknown one nothing is redacted.
        texts: Texts::read(&texts).unwrap_or(Texts::Keep),
        asked: Millis(row.get(3)?),
        place: Place {
            stage: code(row, 4, stage)?,
            room: room.map(RoomId),
            seq: seq(row, 6)?,
        },
    })
}

fn place_columns(place: &Place) -> (i64, Option<[u8; 16]>, i64) {
    let room = place.room.map(|room| room.0);
    (stage_code(place.stage), room, number(place.seq.0))
}

fn stage_code(stage: Stage) -> i64 {
    match stage {
        Stage::Leaving => 0,
        Stage::Redacting => 1,
        Stage::Done => 2,
    }
}

fn stage(code: i64) -> Option<Stage> {
    [Stage::Leaving, Stage::Redacting, Stage::Done]
        .into_iter()
        .find(|stage| stage_code(*stage) == code)
}

impl Estate for SqlView<'_> {
    type Error = StoreError;

    fn ever_in(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Read<Vec<RoomId>> {
        let Some(user) = self.inside_user(user)? else {
            return Ok(Vec::new());
        };
        self.all(
            "SELECT r.public FROM members AS m JOIN rooms AS r ON r.id = m.room \
             WHERE m.user = ?1 AND (?2 IS NULL OR r.public > ?2) ORDER BY r.public LIMIT ?3",
            params![user, after.map(|room| room.0), number(limit as u64)],
            |row| room_id(row, 0),
        )
    }

    fn by(&self, room: RoomId, user: UserId, range: Range, limit: usize) -> Read<Vec<Event>> {
        let (Some(inside), Some(sender)) = (self.inside_room(room)?, self.inside_user(user)?)
        else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM events AS e LEFT JOIN users AS u ON u.id = e.sender \
             WHERE e.room = ?1 AND e.seq BETWEEN ?2 AND ?3 AND +e.sender = ?4 \
             ORDER BY e.seq LIMIT ?5"
        );
        let with = params![
            inside,
            number(range.from.0),
            number(range.to.0),
            sender,
            number(limit as u64),
        ];
        self.all(&sql, with, |row| rows::event(row, room))
    }

    fn heir(&self, room: RoomId, user: UserId) -> Read<Option<UserId>> {
        let Some(room) = self.inside_room(room)? else {
            return Ok(None);
        };
        self.one(
            "SELECT u.public FROM members AS m JOIN users AS u ON u.id = m.user \
             WHERE m.room = ?1 AND m.state = ?2 AND u.public <> ?3 \
             ORDER BY u.name = '', m.role DESC, m.since, u.public LIMIT 1",
            params![room, JOINED, &user.0[..]],
            |row| user_id(row, 0),
        )
    }

    fn erasures(&self, limit: usize) -> Read<Vec<Erasure>> {
        let sql =
            format!("SELECT {COLUMNS} FROM erasures WHERE stage < 2 ORDER BY number LIMIT ?1");
        self.all(&sql, [number(limit as u64)], erasure)
    }

    fn invitations_by(&self, user: UserId) -> Read<Vec<Invitation>> {
        self.all(
            "SELECT hash, room, by, uses_left, expires FROM room_invites WHERE by = ?1 \
             ORDER BY hash",
            [&user.0[..]],
            deeds::invitation,
        )
    }

    fn trails(&self, room: RoomId, user: UserId) -> Read<Trails> {
        let (Some(room), Some(user)) = (self.inside_room(room)?, self.inside_user(user)?) else {
            return Ok(Trails::default());
        };
        let found = self.one(
            "SELECT delivered, read FROM trails WHERE room = ?1 AND user = ?2",
            [room, user],
            |row| trails::trails(row, 0),
        )?;
        Ok(found.unwrap_or_default())
    }

    fn last_seen(&self, user: UserId) -> Read<Option<Millis>> {
        let found = self.one(
            "SELECT p.last_seen FROM users AS u JOIN presence AS p ON p.user = u.id \
             WHERE u.public = ?1",
            [&user.0[..]],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(found.flatten().map(Millis))
    }
}
