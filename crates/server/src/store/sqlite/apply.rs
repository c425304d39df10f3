//! Writes what `core::batch` and `core::marker` have decided, inside the writer's transaction.
//!
//! Decides nothing, begins and commits nothing. Any error here means that the transaction must
//! not be committed.

use chinwag_core::batch::{Appended, Decided};
use chinwag_core::event::{Body, Event, Mention};
use chinwag_core::ids::{Position, RoomId, Seq};
use chinwag_core::marker::Marked;
use chinwag_core::room::{Member, Room, Stay};
use chinwag_core::wire::Profile;
use rusqlite::{Connection, params};

use super::avatars;
use super::deeds;
use super::inside::Inside;
use super::rows::{
    self, EVENT_COLUMNS, Fields, body_bytes, extras_bytes, history_code, kind, kind_of, number,
    pins_text, role_code, room_kind_code, state_code,
};
use super::view::name_key;

/// An id that the deciding look-ups have found a moment ago.
pub(super) fn known(inside: Option<i64>) -> rusqlite::Result<i64> {
    inside.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Stores rooms, members and events of a batch at `position`.
pub(super) fn batch(
    db: &Connection,
    inside: &Inside,
    decided: &Decided,
    position: Position,
) -> rusqlite::Result<()> {
    for room in &decided.rooms {
        put_room(db, inside, room, position)?;
    }
    for (room, row) in &decided.members {
        put_member(db, inside, *room, row, position)?;
    }
    avatars::hang(db, &decided.hung)?;
    for invitation in &decided.invitations {
        deeds::put(db, invitation)?;
    }
    for appended in &decided.appended {
        insert(db, inside, appended)?;
    }
    put_position(db, position)
}

/// Makes `position` the newest one.
pub(super) fn put_position(db: &Connection, position: Position) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'position'")?
        .execute([number(position.0)])?;
    Ok(())
}

fn put_room(
    db: &Connection,
    inside: &Inside,
    room: &Room,
    position: Position,
) -> rusqlite::Result<()> {
    if let Some(id) = inside.room(db, room.id)? {
        db.prepare_cached(
            "UPDATE rooms SET name = ?2, history = ?3, head = ?4, msg_no = ?5, floor = ?6, \
             members = ?7, changed = ?8, topic = ?9, owners = ?10, pins = ?11 WHERE id = ?1",
        )?
        .execute(params![
            id,
            room.name,
            history_code(room.history),
            number(room.head.0),
            number(room.msg_no),
            number(room.floor.0),
            room.members,
            number(position.0),
            room.topic,
            room.owners,
            pins_text(&room.pins),
        ])?;
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO rooms \
         (public, kind, name, history, head, msg_no, floor, members, created, changed, topic, \
         owners, pins) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        room.id.0,
        room_kind_code(room.kind),
        room.name,
        history_code(room.history),
        number(room.head.0),
        number(room.msg_no),
        number(room.floor.0),
        room.members,
        room.created.0,
        number(position.0),
        room.topic,
        room.owners,
        pins_text(&room.pins),
    ])?;
    inside.learn_room(room.id, db.last_insert_rowid());
    Ok(())
}

fn put_member(
    db: &Connection,
    inside: &Inside,
    room: RoomId,
    member: &Member,
    position: Position,
) -> rusqlite::Result<()> {
    let room = known(inside.room(db, room)?)?;
    let user = known(inside.user(db, member.user)?)?;
    // Asked in, and never in: a stay from before the first event stands for none.
    const NEVER: Stay = Stay {
        from: Seq::ZERO,
        to: Some(Seq::ZERO),
    };
    let (last, earlier) = member.stays.split_last().unwrap_or((&NEVER, &[]));
    for stay in earlier {
        db.prepare_cached(
            "INSERT INTO stays (room, user, since, gone) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (room, user, since) DO UPDATE SET gone = excluded.gone",
        )?
        .execute(params![
            room,
            user,
            number(stay.from.0),
            stay.to.map(|seq| number(seq.0)),
        ])?;
    }
    db.prepare_cached(
        "INSERT INTO members \
         (room, user, state, role, since, gone, earlier, delivered, read, changed, muted) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (room, user) DO UPDATE SET state = excluded.state, role = excluded.role, \
         since = excluded.since, gone = excluded.gone, earlier = excluded.earlier, \
         delivered = excluded.delivered, read = excluded.read, changed = excluded.changed, \
         muted = excluded.muted",
    )?
    .execute(params![
        room,
        user,
        state_code(member.state),
        role_code(member.role),
        number(last.from.0),
        last.to.map(|seq| number(seq.0)),
        number(earlier.len() as u64),
        number(member.delivered.0),
        number(member.read.0),
        number(position.0),
        member.muted,
    ])?;
    Ok(())
}

fn insert(db: &Connection, inside: &Inside, appended: &Appended) -> rusqlite::Result<()> {
    let event = &appended.event;
    let body = body_bytes(&event.body);
    let extras = extras_bytes(event);
    let fields = Fields {
        room: known(inside.room(db, event.room)?)?,
        seq: number(event.seq.0),
        msg_no: number(event.msg_no),
        kind: kind_of(&event.body),
        v: i64::from(event.v),
        sender: known(inside.user(db, event.from.0)?)?,
        sender_version: number(event.from.1),
        key: &event.key.0,
        hash: appended.hash.cast_signed(),
        ts: event.ts.0,
        target: event.target.map(|seq| number(seq.0)),
        body: &body,
        extras: extras.as_deref(),
    };
    db.prepare_cached(
        "INSERT INTO events (room, seq, msg_no, kind, v, sender, sender_version, key, hash, ts, \
         target, body, sum, extras) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        fields.room,
        fields.seq,
        fields.msg_no,
        fields.kind,
        fields.v,
        fields.sender,
        fields.sender_version,
        fields.key,
        fields.hash,
        fields.ts,
        fields.target,
        fields.body,
        fields.sum(),
        fields.extras,
    ])?;
    mentions(db, inside, &fields, event)?;
    alteration(db, fields.room, event)?;
    empty(db, inside, fields.room, event)
}

/// The rows by which mentions are counted. Nobody is called on by themselves, nor whom the
/// database does not know.
fn mentions(
    db: &Connection,
    inside: &Inside,
    fields: &Fields<'_>,
    event: &Event,
) -> rusqlite::Result<()> {
    for mention in &event.mentions {
        let user = called(db, inside, *mention)?;
        let Some(user) = user.filter(|user| *user != fields.sender) else {
            continue;
        };
        db.prepare_cached(
            "INSERT OR IGNORE INTO mentions (room, user, seq, sender) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute([fields.room, user, fields.seq, fields.sender])?;
    }
    Ok(())
}

/// The column `user` of a mention; none for people whom the database does not know.
fn called(db: &Connection, inside: &Inside, mention: Mention) -> rusqlite::Result<Option<i64>> {
    match mention {
        Mention::Room => Ok(Some(rows::WHOLE_ROOM)),
        Mention::User(user) => inside.user(db, user),
    }
}

fn alteration(db: &Connection, room: i64, event: &Event) -> rusqlite::Result<()> {
    if let (Some(what), Some(target)) = (event.body.alters(), event.target) {
        db.prepare_cached(
            "INSERT INTO alterations (room, target, what, times) VALUES (?1, ?2, ?3, 1) \
             ON CONFLICT (room, target, what) DO UPDATE SET times = times + 1",
        )?
        .execute(params![room, number(target.0), what])?;
    }
    Ok(())
}

/// Takes what a redaction names out of the database: the text, and that of the edits before it
/// (contract 1); `secure_delete` overwrites it. What is no redaction takes out nothing.
fn empty(db: &Connection, inside: &Inside, room: i64, redaction: &Event) -> rusqlite::Result<()> {
    let (Body::Redact(_), Some(target)) = (&redaction.body, redaction.target) else {
        return Ok(());
    };
    let (message, edit) = (kind::MESSAGE, kind::EDIT);
    let sql = format!(
        "SELECT {EVENT_COLUMNS}, e.id FROM events AS e LEFT JOIN users AS u ON u.id = e.sender \
         WHERE e.room = ?1 AND ((e.kind = {message} AND e.seq = ?2) OR (e.kind = {edit} AND \
         e.target IS NOT NULL AND e.target = ?2 AND e.seq < ?3))"
    );
    let mut named = db.prepare_cached(&sql)?;
    let at = [room, number(target.0), number(redaction.seq.0)];
    let found = named.query_map(at, |row| {
        let (mut fields, intact) = rows::fields(row)?;
        let mentions = rows::mentions(&fields);
        (fields.body, fields.extras) = (&[], None);
        // A row that was damaged before stays known as such.
        let sum = intact.then(|| fields.sum());
        Ok((row.get::<_, i64>(15)?, sum, mentions))
    })?;
    for (id, sum, mentions) in found.collect::<rusqlite::Result<Vec<_>>>()? {
        db.prepare_cached(
            "UPDATE events SET body = x'', extras = NULL, sum = coalesce(?2, sum) WHERE id = ?1",
        )?
        .execute(params![id, sum])?;
        for mention in mentions {
            if let Some(user) = called(db, inside, mention)? {
                db.prepare_cached(
                    "DELETE FROM mentions WHERE room = ?1 AND user = ?2 AND seq = ?3",
                )?
                .execute([room, user, number(target.0)])?;
            }
        }
    }
    db.prepare_cached("DELETE FROM alterations WHERE room = ?1 AND target = ?2")?
        .execute([room, number(target.0)])?;
    Ok(())
}

/// Stores markers that rose.
pub(super) fn marker(
    db: &Connection,
    inside: &Inside,
    room: RoomId,
    user: chinwag_core::ids::UserId,
    marked: &Marked,
    position: Position,
) -> rusqlite::Result<()> {
    let room = known(inside.room(db, room)?)?;
    let user = known(inside.user(db, user)?)?;
    db.prepare_cached(
        "UPDATE members SET delivered = ?3, read = ?4, changed = ?5 WHERE room = ?1 AND user = ?2",
    )?
    .execute([
        room,
        user,
        number(marked.delivered.0),
        number(marked.read.0),
        number(position.0),
    ])?;
    Ok(())
}

/// Adds or changes somebody's public face.
pub(super) fn profile(db: &Connection, profile: &Profile) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO users (public, name, name_key, profile_version, display_name, avatar) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (public) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, \
         profile_version = excluded.profile_version, display_name = excluded.display_name, \
         avatar = excluded.avatar",
    )?
    .execute(params![
        profile.id.0,
        profile.name,
        name_key(&profile.name),
        number(profile.version),
        profile.display_name,
        profile.avatar.map(|id| id.0),
    ])?;
    Ok(())
}
