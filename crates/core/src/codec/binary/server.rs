//! The table of what the server says.

use super::cbor::Writer;
use super::event::{EVENT, SKIP, put_live, put_skip, take_event, take_reset, take_skip};
use super::frames;
use super::shape::{Fields, Wrong, put_fields};
use crate::wire::{ServerFrame, Settings};

const RESET: u64 = 5;
const SETTINGS: u64 = 23;

/// The frames that are not nothing but their fields, for the documents.
#[cfg(test)]
pub(super) const BY_HAND: &[(u64, &str, &str)] = &[
    (
        EVENT,
        "event",
        "room, seq, msg_no, v, from, key, ts, kind, body, target, reply_to, mentions",
    ),
    (SKIP, "skip", "room, from, to, why"),
    (RESET, "reset", "req, why, row, page, redacted"),
    (
        SETTINGS,
        "settings",
        "hide_last_seen, hide_online, version, hide_receipts, dnd_until, dnd_daily",
    ),
];

frames! {
    PLAIN, ServerFrame, fields, Err(Wrong::HERE);
    0 = "welcome" Welcome { v, epoch, user, session, features, limits, now };
    3 = "summary" Summary { rooms, new, all, reset, more, settings, blocks, profile };
    4 = "events" Events { req, room, from, to, head, items };
    6 = "page" Page { req, room, as_of, messages, skips, before };
    7 = "caught_up" CaughtUp { position };
    8 = "ack" Ack { req, room, seq, msg_no, ts };
    9 = "ok" Ok { req };
    10 = "error" Error { req, code, message, field, retryable, retry_after_ms, seq };
    11 = "behind" Behind {};
    12 = "marker" Marker { room, delivered, read, unread, mentions };
    13 = "token_expiring" TokenExpiring { in_ms };
    14 = "reconnect" Reconnect { after_ms, spread_ms };
    15 = "pong" Pong { req, now, position, heads };
    16 = "room" Room { req, row };
    17 = "members" Members { req, room, members, more, muted };
    18 = "profiles" Profiles { req, users };
    19 = "directory" Directory { req, rooms, more };
    20 = "typing" Typing { room, users, more };
    21 = "presence" Presence { room, count, change, online, joined, left };
    22 = "who" Who { req, room, people, more };
    24 = "receipt" Receipt { room, members };
    25 = "receipts" Receipts { req, room, seq, members };
    26 = "notify" Notify { room, notify };
    27 = "blocks" Blocks { users, version };
    30 = "invite" Invite { req, room, token, invite };
    31 = "invites" Invites { req, room, invites };
    32 = "invitation" Invitation { req, room, kind, name, topic, members, avatar };
    33 = "edits" Edits { req, room, target, edits, more };
    34 = "row" Row { row };
    50 = "profile" Profile { user };
    60 = "hidden" Hidden { req, room, seqs, version };
}

pub(super) fn put(frame: &ServerFrame, to: &mut Writer) {
    match frame {
        ServerFrame::Event(event) => put_live(event, to),
        ServerFrame::Skip(skip) => put_skip(skip, to),
        ServerFrame::Reset(reset) => {
            let (why, row) = (&reset.why, &reset.row);
            put_fields(
                to,
                &[&RESET, &reset.req, why, row, &reset.page, &reset.redacted],
            );
        }
        ServerFrame::Settings(settings) => {
            let Settings {
                hide_last_seen,
                hide_online,
                hide_receipts,
                dnd_until,
                dnd_daily,
                version,
            } = settings;
            put_fields(
                to,
                &[
                    &SETTINGS,
                    hide_last_seen,
                    hide_online,
                    version,
                    hide_receipts,
                    dnd_until,
                    dnd_daily,
                ],
            );
        }
        plain => {
            let is_put = put_plain(plain, to);
            assert!(is_put, "every frame stands in the table: {plain:?}");
        }
    }
}

pub(super) fn take(fields: &mut Fields<'_, '_>) -> Result<ServerFrame, Wrong> {
    match fields.field("type")? {
        EVENT => take_event(fields).map(ServerFrame::Event),
        SKIP => take_skip(fields).map(ServerFrame::Skip),
        RESET => take_reset(fields).map(ServerFrame::Reset),
        SETTINGS => Ok(ServerFrame::Settings(Settings {
            hide_last_seen: fields.field("hide_last_seen")?,
            hide_online: fields.field("hide_online")?,
            version: fields.field("version")?,
            hide_receipts: fields.field("hide_receipts")?,
            dnd_until: fields.field("dnd_until")?,
            dnd_daily: fields.field("dnd_daily")?,
        })),
        number if is_plain(number) => take_plain(number, fields),
        _ => Err(Wrong::HERE),
    }
}
