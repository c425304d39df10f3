//! Events, folded ones too, and what else both directions are made of.

use super::cbor::{self, Reader, Writer};
use super::shape::{Fields, Put, Take, Wrong, put_fields, record, words};
use crate::avatar::Avatar;
use crate::event::{
    Author, Body, Content, DamagedBody, Event, MemberBody, Mention, OpaqueBody, OpaqueBytes,
    PinBody, ReactionBody, RedactBody, RoleBody, RoomBody, SettingsBody, TextBody,
};
use crate::fold::Folded;
use crate::ids::{AvatarId, UserId};
use crate::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use crate::wire::{
    Blocks, Daily, DirectoryRow, EditRow, Hidden, InviteRow, Item, Last, Me, Notify, NotifyLevel,
    Person, Profile, PublicLimits, Reset, ResetWhy, RoomRow, Settings, Skip, Standing,
};

/// The number of the frame `event`, also as an item of `events`.
pub(super) const EVENT: u64 = 1;
/// The number of the frame `skip`, likewise.
pub(super) const SKIP: u64 = 2;

words! {
    RoomKind { Direct, Group, Public };
    Role { Reader, Member, Admin, Owner };
    MemberState { Joined, Left, Removed, Banned, Invited };
    HistoryFrom { Joining, Beginning };
    SkipWhy { BeforeJoin, NotMember, Purged };
    ResetWhy { Epoch, History, TooFar };
    NotifyLevel { All, Mentions, Nothing };
}

record! {
    RoomBody { kind, name, history, members };
    MemberBody { user, state, role, members };
    ReactionBody { emoji, on };
    SettingsBody { name, topic, avatar };
    RoleBody { user, role, muted };
    PinBody { on };
    Last { room, seq, key };
    Me { state, role, since, delivered, read, unread, mentions, muted, notify, hidden };
    Hidden { seqs, version, more };
    Notify { level, quiet_until, version };
    Daily { from, to };
    Blocks { users, version };
    Profile { id, name, version, display_name, avatar };
    DirectoryRow { room, name, members, avatar };
    Settings { hide_last_seen, hide_online, version, hide_receipts, dnd_until, dnd_daily };
    Standing { user, delivered, read, delivered_at, read_at };
    Person { user, online, last_seen };
    InviteRow { id, by, uses, expires };
    PublicLimits { text_bytes, frame_bytes, in_flight, open_rooms, rate_per_second, rate_burst };
    RoomRow { room, kind, name, peer, history, head, msg_no, floor, members, me, topic, pins, avatar };
}

/// The text of a content, or the two fields of one that the server does not understand.
pub(super) fn parts(content: &Content) -> (Option<String>, Option<String>, Option<OpaqueBytes>) {
    match content {
        Content::Text(body) => (Some(body.text.clone()), None, None),
        Content::Opaque(body) => (None, Some(body.enc.clone()), Some(body.bytes.clone())),
    }
}

fn take_content(from: &mut Fields<'_, '_>) -> Result<Content, Wrong> {
    let text: Option<String> = from.field("text")?;
    match text {
        Some(text) => Ok(Content::Text(TextBody { text })),
        None => Ok(Content::Opaque(OpaqueBody {
            enc: from.field("enc")?,
            bytes: from.field("bytes")?,
        })),
    }
}

impl Put for Content {
    fn put(&self, to: &mut Writer) {
        let (text, enc, bytes) = parts(self);
        put_fields(to, &[&text, &enc, &bytes]);
    }
}

impl Take for Content {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut fields = Fields::open(from)?;
        let content = take_content(&mut fields)?;
        fields.close()?;
        Ok(content)
    }
}

impl Put for EditRow {
    fn put(&self, to: &mut Writer) {
        let (text, enc, bytes) = parts(&self.body);
        put_fields(to, &[&self.seq, &self.ts, &text, &enc, &bytes]);
    }
}

impl Take for EditRow {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut fields = Fields::open(from)?;
        let row = Self {
            seq: fields.field("seq")?,
            ts: fields.field("ts")?,
            body: take_content(&mut fields)?,
        };
        fields.close()?;
        Ok(row)
    }
}

/// Bodies that say nothing but their kind.
macro_rules! empty_records {
    ($($name:ident),*) => {$(
        impl Put for $name {
            fn put(&self, to: &mut Writer) {
                to.array(0);
            }
        }

        impl Take for $name {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                Fields::open(from)?.close()?;
                Ok(Self {})
            }
        }
    )*};
}
empty_records!(RedactBody, DamagedBody);

/// A user's bytes, or `true` for the whole room.
impl Put for Mention {
    fn put(&self, to: &mut Writer) {
        match self {
            Self::Room => to.bool(true),
            Self::User(user) => user.put(to),
        }
    }
}

impl Take for Mention {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut ahead = *from;
        if bool::take(&mut ahead) == Ok(true) {
            *from = ahead;
            return Ok(Self::Room);
        }
        UserId::take(from).map(Self::User)
    }
}

impl Put for Author {
    fn put(&self, to: &mut Writer) {
        (self.0, self.1).put(to);
    }
}

impl Take for Author {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        Take::take(from).map(|(user, version)| Self(user, version))
    }
}

/// A picture's bytes, or none for none: null says nothing of it.
impl Put for Avatar {
    fn put(&self, to: &mut Writer) {
        to.bytes(self.0.as_ref().map_or(&[], |id| &id.0));
    }
}

impl Take for Avatar {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut ahead = *from;
        if let Ok(cbor::Item::Bytes([])) = ahead.item() {
            *from = ahead;
            return Ok(Self(None));
        }
        AvatarId::take(from).map(|id| Self(Some(id)))
    }
}

/// A body's number and its fields.
fn body(body: &Body) -> (u64, &dyn Put) {
    match body {
        Body::Room(body) => (0, body),
        Body::Member(body) => (1, body),
        Body::Message(body) => (2, body),
        Body::Edit(body) => (3, body),
        Body::Redact(body) => (4, body),
        Body::Reaction(body) => (5, body),
        Body::Damaged(body) => (6, body),
        Body::Settings(body) => (7, body),
        Body::Role(body) => (8, body),
        Body::Pin(body) => (9, body),
    }
}

fn take_body(number: u64, from: &mut Fields<'_, '_>) -> Result<Body, Wrong> {
    match number {
        0 => from.field("body").map(Body::Room),
        1 => from.field("body").map(Body::Member),
        2 => from.field("body").map(Body::Message),
        3 => from.field("body").map(Body::Edit),
        4 => from.field("body").map(Body::Redact),
        5 => from.field("body").map(Body::Reaction),
        6 => from.field("body").map(Body::Damaged),
        7 => from.field("body").map(Body::Settings),
        8 => from.field("body").map(Body::Role),
        9 => from.field("body").map(Body::Pin),
        _ => Err(Wrong::HERE),
    }
}

/// An event as a frame.
pub(super) fn put_live(event: &Event, to: &mut Writer) {
    let (kind, body) = body(&event.body);
    let Event {
        room,
        seq,
        msg_no,
        v,
        from,
        key,
        ts,
        target,
        reply_to,
        mentions,
        body: _,
    } = event;
    let fields: [&dyn Put; 13] = [
        &EVENT, room, seq, msg_no, v, from, key, ts, &kind, body, target, reply_to, mentions,
    ];
    put_fields(to, &fields);
}

/// The fields of an event, behind the number of the frame.
pub(super) fn take_event(fields: &mut Fields<'_, '_>) -> Result<Event, Wrong> {
    Ok(Event {
        room: fields.field("room")?,
        seq: fields.field("seq")?,
        msg_no: fields.field("msg_no")?,
        v: fields.field("v")?,
        from: fields.field("from")?,
        key: fields.field("key")?,
        ts: fields.field("ts")?,
        body: {
            let kind = fields.field("kind")?;
            take_body(kind, fields)?
        },
        target: fields.field("target")?,
        reply_to: fields.field("reply_to")?,
        mentions: fields.field("mentions")?,
    })
}

impl Put for Folded {
    fn put(&self, to: &mut Writer) {
        let (kind, body) = body(&self.event.body);
        let Event {
            room,
            seq,
            msg_no,
            v,
            from,
            key,
            ts,
            target,
            reply_to,
            mentions,
            body: _,
        } = &self.event;
        let fields: [&dyn Put; 16] = [
            room,
            seq,
            msg_no,
            v,
            from,
            key,
            ts,
            &kind,
            body,
            target,
            reply_to,
            mentions,
            &self.edited,
            &self.redacted,
            &self.reactions,
            &self.hidden,
        ];
        put_fields(to, &fields);
    }
}

impl Take for Folded {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut fields = Fields::open(from)?;
        let folded = Self {
            event: take_event(&mut fields)?,
            edited: fields.field("edited")?,
            redacted: fields.field("redacted")?,
            reactions: fields.field("reactions")?,
            hidden: fields.field("hidden")?,
        };
        fields.close()?;
        Ok(folded)
    }
}

pub(super) fn put_skip(skip: &Skip, to: &mut Writer) {
    put_fields(to, &[&SKIP, &skip.room, &skip.from, &skip.to, &skip.why]);
}

pub(super) fn take_skip(fields: &mut Fields<'_, '_>) -> Result<Skip, Wrong> {
    Ok(Skip {
        room: fields.field("room")?,
        from: fields.field("from")?,
        to: fields.field("to")?,
        why: fields.field("why")?,
    })
}

/// In a list of them, without the number: there are no others there.
impl Put for Skip {
    fn put(&self, to: &mut Writer) {
        put_fields(to, &[&self.room, &self.from, &self.to, &self.why]);
    }
}

impl Take for Skip {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut fields = Fields::open(from)?;
        let skip = take_skip(&mut fields)?;
        fields.close()?;
        Ok(skip)
    }
}

impl Put for Item {
    fn put(&self, to: &mut Writer) {
        match self {
            Self::Event(event) => put_live(event, to),
            Self::Skip(skip) => put_skip(skip, to),
        }
    }
}

impl Take for Item {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let mut fields = Fields::open(from)?;
        let item = match fields.field("type")? {
            EVENT => Self::Event(take_event(&mut fields)?),
            SKIP => Self::Skip(take_skip(&mut fields)?),
            _ => return Err(Wrong::HERE),
        };
        fields.close()?;
        Ok(item)
    }
}

/// The fields of `reset`, behind the number of the frame.
pub(super) fn take_reset(fields: &mut Fields<'_, '_>) -> Result<Reset, Wrong> {
    Ok(Reset {
        req: fields.field("req")?,
        why: fields.field("why")?,
        row: fields.field("row")?,
        page: fields.field("page")?,
        redacted: fields.field("redacted")?,
    })
}
