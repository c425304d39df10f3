//! Rows of the database and the values they stand for: codes, bodies, checksums.
//!
//! Encoding is strict, decoding of events is total: whatever a damaged row holds, it becomes an
//! event, at worst one that says so. Lifetime: none, pure functions.

use chinwag_core::event::{Author, Body, Content, DamagedBody, Event, Mention};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::room::{HistoryFrom, MemberState, Role, Room, RoomKind, Stay};
use chinwag_core::wire::Profile;
use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};
use serde::{Deserialize, Serialize};

use super::avatars;

/// The columns that [`event`] reads, of `events AS e LEFT JOIN users AS u`.
pub(super) const EVENT_COLUMNS: &str = "e.room, e.seq, e.msg_no, e.kind, e.v, e.sender, \
     e.sender_version, e.key, e.hash, e.ts, e.target, e.body, e.sum, u.public, e.extras";

/// Codes of event kinds; also written into the partial index of 0001_log.sql.
pub(super) mod kind {
    pub(in super::super) const ROOM: i64 = 1;
    pub(in super::super) const MEMBER: i64 = 2;
    pub(in super::super) const MESSAGE: i64 = 3;
    pub(in super::super) const EDIT: i64 = 4;
    pub(in super::super) const REDACT: i64 = 5;
    pub(in super::super) const REACTION: i64 = 6;
    pub(in super::super) const SETTINGS: i64 = 7;
    pub(in super::super) const ROLE: i64 = 8;
    pub(in super::super) const PIN: i64 = 9;
}

/// The codes of kinds that have a line of their own in a timeline, as queries name them
/// (`core::fold::has_line`): room, member, message, settings, role. A damaged row keeps its code.
pub(super) const KINDS_WITH_A_LINE: &str = "1, 2, 3, 7, 8";

/// Stands for the whole room where a mention names a user.
pub(super) const WHOLE_ROOM: i64 = 0;

/// A number that SQLite can hold. What clients name may be larger; no row is.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number out of a row; there are no negative ones in an undamaged row.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Everything a row's checksum covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) room: i64,
    pub(super) seq: i64,
    pub(super) msg_no: i64,
    pub(super) kind: i64,
    pub(super) v: i64,
    pub(super) sender: i64,
    pub(super) sender_version: i64,
    pub(super) key: &'a [u8],
    pub(super) hash: i64,
    pub(super) ts: i64,
    pub(super) target: Option<i64>,
    pub(super) body: &'a [u8],
    pub(super) extras: Option<&'a [u8]>,
}

/// What a message says beside its text.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Extras {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<Seq>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<Mention>,
}

/// What an event says beside its body, as stored; most say nothing.
pub(super) fn extras_bytes(event: &Event) -> Option<Vec<u8>> {
    let extras = Extras {
        reply_to: event.reply_to,
        mentions: event.mentions.clone(),
    };
    let written = || serde_json::to_vec(&extras).expect("extras hold only numbers and ids");
    (extras != Extras::default()).then(written)
}

impl Fields<'_> {
    /// CRC-32 of the fields, each number as eight bytes, each text after its length.
    pub(super) fn sum(&self) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        let numbers = [
            self.room,
            self.seq,
            self.msg_no,
            self.kind,
            self.v,
            self.sender,
            self.sender_version,
            self.hash,
            self.ts,
            i64::from(self.target.is_some()),
            self.target.unwrap_or(0),
            self.key.len() as i64,
            self.body.len() as i64,
        ];
        for number in numbers {
            sum.update(&number.to_le_bytes());
        }
        sum.update(self.key);
        sum.update(self.body);
        // Rows of before there were any keep their sums.
        if let Some(extras) = self.extras {
            sum.update(&(extras.len() as i64).to_le_bytes());
            sum.update(extras);
        }
        sum.finalize()
    }
}

/// The code of a body's kind. `damaged` is never written: it has the code of nothing.
pub(super) fn kind_of(body: &Body) -> i64 {
    match body {
        Body::Room(_) => kind::ROOM,
        Body::Member(_) => kind::MEMBER,
        Body::Message(_) => kind::MESSAGE,
        Body::Edit(_) => kind::EDIT,
        Body::Redact(_) => kind::REDACT,
        Body::Reaction(_) => kind::REACTION,
        Body::Settings(_) => kind::SETTINGS,
        Body::Role(_) => kind::ROLE,
        Body::Pin(_) => kind::PIN,
        Body::Damaged(_) => 0,
    }
}

/// A body as stored: JSON of what its kind says.
pub(super) fn body_bytes(body: &Body) -> Vec<u8> {
    let written = match body {
        Body::Room(body) => serde_json::to_vec(body),
        Body::Member(body) => serde_json::to_vec(body),
        Body::Message(body) | Body::Edit(body) => serde_json::to_vec(body),
        Body::Redact(body) => serde_json::to_vec(body),
        Body::Reaction(body) => serde_json::to_vec(body),
        Body::Settings(body) => serde_json::to_vec(body),
        Body::Role(body) => serde_json::to_vec(body),
        Body::Pin(body) => serde_json::to_vec(body),
        Body::Damaged(body) => serde_json::to_vec(body),
    };
    written.expect("bodies hold only strings, numbers and ids")
}

fn body_of(kind: i64, bytes: &[u8]) -> Option<Body> {
    // A body that was emptied on purpose has a checksum that says so.
    if bytes.is_empty() {
        return match kind {
            kind::MESSAGE => Some(Body::Message(Content::emptied())),
            kind::EDIT => Some(Body::Edit(Content::emptied())),
            _ => None,
        };
    }
    match kind {
        kind::ROOM => serde_json::from_slice(bytes).ok().map(Body::Room),
        kind::MEMBER => serde_json::from_slice(bytes).ok().map(Body::Member),
        kind::MESSAGE => serde_json::from_slice(bytes).ok().map(Body::Message),
        kind::EDIT => serde_json::from_slice(bytes).ok().map(Body::Edit),
        kind::REDACT => serde_json::from_slice(bytes).ok().map(Body::Redact),
        kind::REACTION => serde_json::from_slice(bytes).ok().map(Body::Reaction),
        kind::SETTINGS => serde_json::from_slice(bytes).ok().map(Body::Settings),
        kind::ROLE => serde_json::from_slice(bytes).ok().map(Body::Role),
        kind::PIN => serde_json::from_slice(bytes).ok().map(Body::Pin),
        _ => None,
    }
}

/// Whom a stored message mentions, as far as that can be read.
pub(super) fn mentions(fields: &Fields<'_>) -> Vec<Mention> {
    extras(fields.extras).unwrap_or_default().mentions
}

fn extras(stored: Option<&[u8]>) -> Option<Extras> {
    match stored {
        None => Some(Extras::default()),
        Some(bytes) => serde_json::from_slice(bytes).ok(),
    }
}

fn bytes<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(match row.get_ref(at)? {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    })
}

fn whole(row: &Row<'_>, at: usize) -> rusqlite::Result<i64> {
    row.get_ref(at).map(|value| value.as_i64().unwrap_or(0))
}

/// What the checksum covers, out of a row of [`EVENT_COLUMNS`], and whether it is right.
pub(super) fn fields<'a>(row: &'a Row<'_>) -> rusqlite::Result<(Fields<'a>, bool)> {
    let fields = Fields {
        room: whole(row, 0)?,
        seq: whole(row, 1)?,
        msg_no: whole(row, 2)?,
        kind: whole(row, 3)?,
        v: whole(row, 4)?,
        sender: whole(row, 5)?,
        sender_version: whole(row, 6)?,
        key: bytes(row, 7)?,
        hash: whole(row, 8)?,
        ts: whole(row, 9)?,
        target: row.get_ref(10)?.as_i64_or_null().unwrap_or(None),
        body: bytes(row, 11)?,
        extras: row.get_ref(14)?.as_blob_or_null().unwrap_or(None),
    };
    let intact = i64::from(fields.sum()) == whole(row, 12)?;
    Ok((fields, intact))
}

/// The event in a row of [`EVENT_COLUMNS`]; `room` is the public id that was asked for.
///
/// A row whose checksum or body is wrong becomes [`Body::Damaged`], the rest as it stands there,
/// and is logged: it never fails the page that it lies in.
pub(super) fn event(row: &Row<'_>, room: RoomId) -> rusqlite::Result<Event> {
    let (fields, intact) = fields(row)?;
    let sender = UserId::from_slice(bytes(row, 13)?);
    let read = match sender {
        Some(_) if intact => body_of(fields.kind, fields.body).zip(extras(fields.extras)),
        _ => None,
    };
    let (body, extras) = read.unwrap_or_else(|| {
        tracing::error!(%room, seq = fields.seq, "a stored event is damaged: its body is withheld");
        (Body::Damaged(DamagedBody {}), Extras::default())
    });
    let author = Author(
        sender.unwrap_or(UserId([0; 16])),
        count(fields.sender_version),
    );
    Ok(Event {
        room,
        seq: Seq(count(fields.seq)),
        msg_no: count(fields.msg_no),
        v: u8::try_from(fields.v).unwrap_or(0),
        from: author,
        key: Key::from_slice(fields.key).unwrap_or(Key([0; 16])),
        ts: Millis(fields.ts),
        target: fields.target.map(|seq| Seq(count(seq))),
        reply_to: extras.reply_to,
        mentions: extras.mentions,
        body,
    })
}

pub(super) fn room_kind_code(kind: RoomKind) -> i64 {
    match kind {
        RoomKind::Direct => 0,
        RoomKind::Group => 1,
        RoomKind::Public => 2,
    }
}

pub(super) fn room_kind(code: i64) -> Option<RoomKind> {
    [RoomKind::Direct, RoomKind::Group, RoomKind::Public]
        .into_iter()
        .find(|kind| room_kind_code(*kind) == code)
}

pub(super) fn role_code(role: Role) -> i64 {
    match role {
        Role::Reader => 0,
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

pub(super) fn role(code: i64) -> Option<Role> {
    [Role::Reader, Role::Member, Role::Admin, Role::Owner]
        .into_iter()
        .find(|role| role_code(*role) == code)
}

/// The code of [`MemberState::Joined`], as queries name it.
pub(super) const JOINED: i64 = 0;
/// The code of [`MemberState::Invited`], likewise.
pub(super) const INVITED: i64 = 4;

pub(super) fn state_code(state: MemberState) -> i64 {
    match state {
        MemberState::Joined => JOINED,
        MemberState::Left => 1,
        MemberState::Removed => 2,
        MemberState::Banned => 3,
        MemberState::Invited => INVITED,
    }
}

pub(super) fn state(code: i64) -> Option<MemberState> {
    use MemberState::{Banned, Invited, Joined, Left, Removed};
    [Joined, Left, Removed, Banned, Invited]
        .into_iter()
        .find(|state| state_code(*state) == code)
}

pub(super) fn history_code(history: HistoryFrom) -> i64 {
    match history {
        HistoryFrom::Joining => 0,
        HistoryFrom::Beginning => 1,
    }
}

pub(super) fn history(code: i64) -> Option<HistoryFrom> {
    [HistoryFrom::Joining, HistoryFrom::Beginning]
        .into_iter()
        .find(|history| history_code(*history) == code)
}

/// A stay in two columns.
pub(super) fn stay(row: &Row<'_>, at: usize) -> rusqlite::Result<Stay> {
    let gone: Option<i64> = row.get(at + 1)?;
    Ok(Stay {
        from: seq(row, at)?,
        to: gone.map(|gone| Seq(count(gone))),
    })
}

pub(super) fn seq(row: &Row<'_>, at: usize) -> rusqlite::Result<Seq> {
    Ok(Seq(count(row.get(at)?)))
}

pub(super) fn room_id(row: &Row<'_>, at: usize) -> rusqlite::Result<RoomId> {
    row.get(at).map(RoomId)
}

pub(super) fn user_id(row: &Row<'_>, at: usize) -> rusqlite::Result<UserId> {
    row.get(at).map(UserId)
}

/// A code out of a row, or the error that names the column.
pub(super) fn code<T>(
    row: &Row<'_>,
    at: usize,
    known: fn(i64) -> Option<T>,
) -> rusqlite::Result<T> {
    let code: i64 = row.get(at)?;
    known(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(at, code))
}

/// What [`profile`] is read from.
pub(super) const PROFILE_BY_ID: &str =
    "SELECT public, name, profile_version, display_name, avatar FROM users WHERE public = ?1";
/// The same by the unique form of the name.
pub(super) const PROFILE_BY_NAME: &str =
    "SELECT public, name, profile_version, display_name, avatar FROM users WHERE name_key = ?1";

pub(super) fn profile(row: &Row<'_>) -> rusqlite::Result<Profile> {
    Ok(Profile {
        id: user_id(row, 0)?,
        name: row.get(1)?,
        version: count(row.get(2)?),
        display_name: row.get(3)?,
        avatar: avatars::id(row, 4)?,
    })
}

fn pins(row: &Row<'_>, at: usize) -> rusqlite::Result<Vec<Seq>> {
    let text: Option<String> = row.get(at)?;
    let read = text.map(|text| serde_json::from_str(&text));
    let pins = read.transpose().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
    })?;
    Ok(pins.unwrap_or_default())
}

/// Pinned messages in a column; none is absent.
pub(super) fn pins_text(pins: &[Seq]) -> Option<String> {
    let written = || serde_json::to_string(pins).expect("a list of numbers");
    (!pins.is_empty()).then(written)
}

pub(super) fn room(row: &Row<'_>, id: RoomId) -> rusqlite::Result<Room> {
    let (members, owners): (i64, i64) = (row.get(6)?, row.get(9)?);
    Ok(Room {
        id,
        kind: code(row, 0, room_kind)?,
        name: row.get(1)?,
        history: code(row, 2, history)?,
        head: seq(row, 3)?,
        msg_no: count(row.get(4)?),
        floor: seq(row, 5)?,
        members: u32::try_from(members).unwrap_or(0),
        created: Millis(row.get(7)?),
        topic: row.get(8)?,
        owners: u32::try_from(owners).unwrap_or(0),
        pins: pins(row, 10)?,
        avatar: avatars::id(row, 11)?,
    })
}
