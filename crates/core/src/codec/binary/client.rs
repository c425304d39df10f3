//! The table of what a client says, and the checks that JSON makes field by field.

use super::cbor::{Reader, Writer};
use super::event::parts;
use super::shape::{Fields, Put, Wrong, put_fields};
use super::{frames, refuse};
use crate::codec::{Refusal, check as field, fields, own, unknown_command};
use crate::event::Content;
use crate::limits;
use crate::wire::{ClientFrame, Cursor, Req};

const HELLO: u64 = 0;
const SYNC: u64 = 2;
const SEND: u64 = 3;
const EDIT: u64 = 18;

/// The frames that are not nothing but their fields, for the documents.
#[cfg(test)]
pub(super) const BY_HAND: &[(u64, &str, &str)] = &[
    (
        HELLO,
        "hello",
        "v, token, device, epoch, position, last, open, low_bandwidth",
    ),
    (SYNC, "sync", "req, epoch, position, last, open"),
    (
        SEND,
        "send",
        "req, key, room, text, reply_to, mentions, if_last, enc, bytes",
    ),
    (EDIT, "edit", "req, key, room, target, text, enc, bytes"),
];

frames! {
    PLAIN, ClientFrame, fields, Err(Wrong::HERE);
    1 = "auth" Auth { req, token };
    4 = "create" Create { req, key, kind, name, history };
    5 = "direct" Direct { req, key, user };
    6 = "join" Join { req, key, room, invite };
    7 = "leave" Leave { req, key, room };
    8 = "add" Add { req, key, room, user };
    9 = "remove" Remove { req, key, room, user };
    10 = "mark" Mark { req, room, delivered, read };
    11 = "after" After { req, room, seq, key, limit };
    12 = "history" History { req, room, before, at_least, limit };
    13 = "room" Room { req, room };
    14 = "members" Members { req, room, after, state };
    15 = "profiles" Profiles { req, users, name };
    16 = "directory" Directory { req, after };
    17 = "ping" Ping { req, rooms };
    19 = "redact" Redact { req, key, room, target };
    20 = "react" React { req, key, room, target, emoji, on };
    21 = "pin" Pin { req, key, room, target, on };
    22 = "configure" Configure { req, key, room, name, topic, avatar };
    23 = "ban" Ban { req, key, room, user, on };
    24 = "role" Role { req, key, room, user, role };
    25 = "mute" Mute { req, key, room, user, on };
    26 = "typing" Typing { req, room, on };
    27 = "watch" Watch { req, rooms };
    28 = "who" Who { req, room, after, online };
    29 = "settings" Settings { req, hide_last_seen, hide_online, hide_receipts, dnd_until, dnd_daily };
    30 = "receipts" Receipts { req, room, seq };
    31 = "notify" Notify { req, room, level, quiet_until };
    32 = "block" Block { req, user, on };
    40 = "invite" Invite { req, room, expires_in_ms, uses };
    41 = "invites" Invites { req, room };
    42 = "revoke_invite" RevokeInvite { req, room, invite };
    43 = "invitation" Invitation { req, token };
    44 = "invite_user" InviteUser { req, key, room, user };
    45 = "edits" Edits { req, room, target, after };
    50 = "profile" Profile { req, display_name, avatar };
    60 = "hide" Hide { req, room, target, on };
    61 = "hidden" Hidden { req, room };
}

pub(super) fn put(frame: &ClientFrame, to: &mut Writer) {
    match frame {
        ClientFrame::Hello {
            v,
            token,
            device,
            cursor,
            low_bandwidth,
        } => {
            let Cursor {
                epoch,
                position,
                last,
                open,
            } = cursor;
            let fields: [&dyn Put; 9] = [
                &HELLO,
                v,
                token,
                device,
                epoch,
                position,
                last,
                open,
                low_bandwidth,
            ];
            put_fields(to, &fields);
        }
        ClientFrame::Sync { req, cursor } => {
            let Cursor {
                epoch,
                position,
                last,
                open,
            } = cursor;
            put_fields(to, &[&SYNC, req, epoch, position, last, open]);
        }
        ClientFrame::Send {
            req,
            key,
            room,
            body,
            reply_to,
            mentions,
            if_last,
        } => {
            let (text, enc, bytes) = parts(body);
            let fields: [&dyn Put; 10] = [
                &SEND, req, key, room, &text, reply_to, mentions, if_last, &enc, &bytes,
            ];
            put_fields(to, &fields);
        }
        ClientFrame::Edit {
            req,
            key,
            room,
            target,
            body,
        } => {
            let (text, enc, bytes) = parts(body);
            let fields: [&dyn Put; 8] = [&EDIT, req, key, room, target, &text, &enc, &bytes];
            put_fields(to, &fields);
        }
        plain => {
            let is_put = put_plain(plain, to);
            assert!(is_put, "every frame stands in the table: {plain:?}");
        }
    }
}

/// Reads a frame of bytes that are good CBOR.
pub(super) fn take(from: &mut Reader<'_>) -> Result<ClientFrame, Refusal> {
    let in_type = |wrong| refuse(wrong, "type");
    let mut fields = Fields::open(from).map_err(in_type)?;
    // Looked at beforehand, so that every later refusal can be paired with its command.
    let req = fields.peek_second::<Req>();
    let paired = |refusal| Refusal { req, ..refusal };
    let number = fields
        .field("type")
        .map_err(|wrong| paired(in_type(wrong)))?;
    if number == HELLO {
        return check(take_hello(&mut fields).map_err(in_type)?);
    }
    let frame = take_command(number, &mut fields);
    frame.and_then(check).map_err(paired)
}

fn take_command(number: u64, fields: &mut Fields<'_, '_>) -> Result<ClientFrame, Refusal> {
    if number == SEND || number == EDIT {
        return take_content(number, fields);
    }
    if number != SYNC && !is_plain(number) {
        // As in JSON, a command without a number of its own is not even that.
        fields
            .field::<Req>("req")
            .map_err(|wrong| refuse(wrong, "req"))?;
        return Err(unknown_command(&number.to_string()));
    }
    let frame = match number {
        SYNC => take_sync(fields),
        number => take_plain(number, fields),
    };
    frame.map_err(|wrong| refuse(wrong, "type"))
}

/// A command that says something: a text, or what only its readers understand.
fn take_content(number: u64, fields: &mut Fields<'_, '_>) -> Result<ClientFrame, Refusal> {
    let in_type = |wrong| refuse(wrong, "type");
    let (req, key) = (fields.field("req"), fields.field("key"));
    let (req, key) = (req.map_err(in_type)?, key.map_err(in_type)?);
    let room = fields.field("room").map_err(in_type)?;
    if number == EDIT {
        let target = fields.field("target").map_err(in_type)?;
        let text = fields.field("text").map_err(in_type)?;
        let body = take_rest(text, fields)?;
        return Ok(ClientFrame::Edit {
            req,
            key,
            room,
            target,
            body,
        });
    }
    let text = fields.field("text").map_err(in_type)?;
    let reply_to = fields.field("reply_to").map_err(in_type)?;
    let mentions = fields.field("mentions").map_err(in_type)?;
    let if_last = fields.field("if_last").map_err(in_type)?;
    Ok(ClientFrame::Send {
        req,
        key,
        room,
        body: take_rest(text, fields)?,
        reply_to,
        mentions,
        if_last,
    })
}

fn take_rest(text: Option<String>, fields: &mut Fields<'_, '_>) -> Result<Content, Refusal> {
    let in_type = |wrong| refuse(wrong, "type");
    let enc = fields.field("enc").map_err(in_type)?;
    let bytes = fields.field("bytes").map_err(in_type)?;
    field::content(text, enc, bytes)
}

fn take_hello(fields: &mut Fields<'_, '_>) -> Result<ClientFrame, Wrong> {
    Ok(ClientFrame::Hello {
        v: fields.field("v")?,
        token: fields.field("token")?,
        device: fields.field("device")?,
        cursor: take_cursor(fields)?,
        low_bandwidth: fields.field("low_bandwidth")?,
    })
}

fn take_sync(fields: &mut Fields<'_, '_>) -> Result<ClientFrame, Wrong> {
    Ok(ClientFrame::Sync {
        req: fields.field("req")?,
        cursor: take_cursor(fields)?,
    })
}

fn take_cursor(fields: &mut Fields<'_, '_>) -> Result<Cursor, Wrong> {
    Ok(Cursor {
        epoch: fields.field("epoch")?,
        position: fields.field("position")?,
        last: fields.field("last")?,
        open: fields.field("open")?,
    })
}

/// What a frame alone proves wrong, beyond the types of its fields.
fn check(frame: ClientFrame) -> Result<ClientFrame, Refusal> {
    match &frame {
        ClientFrame::Send { mentions, .. } => {
            list(mentions.len(), "mentions", limits::MENTIONS_MAX)?;
        }
        ClientFrame::Members { state, .. } => field::listed(*state)?,
        ClientFrame::React { emoji, .. } => field::reaction(emoji)?,
        ClientFrame::Create { kind, name, .. } => {
            field::kind(*kind)?;
            field::room_name(name)?;
        }
        ClientFrame::Hello { cursor, .. } | ClientFrame::Sync { cursor, .. } => {
            list(cursor.open.len(), "open", limits::OPEN_ROOMS_MAX)?;
        }
        ClientFrame::Ping { rooms, .. } => list(rooms.len(), "rooms", limits::OPEN_ROOMS_MAX)?,
        ClientFrame::Profiles { users, .. } => list(users.len(), "users", limits::PROFILES_MAX)?,
        ClientFrame::Invite {
            expires_in_ms,
            uses,
            ..
        } => field::invitation(*expires_in_ms, *uses)?,
        ClientFrame::Watch { rooms, .. } => list(rooms.len(), "rooms", limits::WATCHED_ROOMS_MAX)?,
        ClientFrame::Configure { .. }
        | ClientFrame::Profile { .. }
        | ClientFrame::Settings { .. }
        | ClientFrame::Notify { .. } => check_settings(&frame)?,
        ClientFrame::Auth { .. }
        | ClientFrame::Direct { .. }
        | ClientFrame::Join { .. }
        | ClientFrame::Leave { .. }
        | ClientFrame::Add { .. }
        | ClientFrame::Remove { .. }
        | ClientFrame::Redact { .. }
        | ClientFrame::Pin { .. }
        | ClientFrame::Ban { .. }
        | ClientFrame::Role { .. }
        | ClientFrame::Mute { .. }
        | ClientFrame::Mark { .. }
        | ClientFrame::After { .. }
        | ClientFrame::History { .. }
        | ClientFrame::Room { .. }
        | ClientFrame::Edit { .. }
        | ClientFrame::Directory { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Block { .. }
        | ClientFrame::Who { .. }
        | ClientFrame::Receipts { .. }
        | ClientFrame::Invites { .. }
        | ClientFrame::RevokeInvite { .. }
        | ClientFrame::Invitation { .. }
        | ClientFrame::InviteUser { .. }
        | ClientFrame::Edits { .. }
        | ClientFrame::Hide { .. }
        | ClientFrame::Hidden { .. } => {}
    }
    Ok(frame)
}

/// The same, of frames that say how something is to be from now on.
fn check_settings(frame: &ClientFrame) -> Result<(), Refusal> {
    match frame {
        ClientFrame::Configure {
            name,
            topic,
            avatar,
            ..
        } => field::settings(name.as_deref(), topic.as_deref(), *avatar),
        ClientFrame::Profile { display_name, .. } => field::display_name(display_name.as_deref()),
        ClientFrame::Settings {
            dnd_until,
            dnd_daily,
            ..
        } => {
            own::time(*dnd_until, "dnd_until")?;
            own::daily(*dnd_daily)
        }
        ClientFrame::Notify { quiet_until, .. } => own::time(*quiet_until, "quiet_until"),
        other => unreachable!("checked by `check`: {other:?}"),
    }
}

fn list(length: usize, field: &'static str, max: usize) -> Result<(), Refusal> {
    if length <= max {
        return Ok(());
    }
    Err(fields::wrong(field, &format!("a list of at most {max}")))
}
