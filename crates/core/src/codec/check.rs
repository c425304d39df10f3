//! What a field alone proves wrong, beyond its type: the same for JSON and the binary form.

use super::Refusal;
use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::event::{Content, OpaqueBody, OpaqueBytes, TextBody};
use crate::limits;
use crate::name;
use crate::room::{HistoryFrom, MemberState, Role, RoomKind};
use crate::text;
use crate::wire::NotifyLevel;

/// The kinds of room that are created; `direct` is a command of its own.
pub(super) const KINDS: [(&str, RoomKind); 2] =
    [("group", RoomKind::Group), ("public", RoomKind::Public)];

/// From where on a log is seen.
pub(super) const HISTORIES: [(&str, HistoryFrom); 2] = [
    ("joining", HistoryFrom::Joining),
    ("beginning", HistoryFrom::Beginning),
];

/// What somebody may be in a room.
pub(super) const ROLES: [(&str, Role); 4] = [
    ("reader", Role::Reader),
    ("member", Role::Member),
    ("admin", Role::Admin),
    ("owner", Role::Owner),
];

/// Which people of a room are listed.
pub(super) const LISTED: [(&str, MemberState); 2] = [
    ("joined", MemberState::Joined),
    ("banned", MemberState::Banned),
];

/// What somebody wants to be notified of.
pub(super) const LEVELS: [(&str, NotifyLevel); 3] = [
    ("all", NotifyLevel::All),
    ("mentions", NotifyLevel::Mentions),
    ("none", NotifyLevel::Nothing),
];

/// The text of a message or an edit.
pub(super) fn message(text: &str) -> Result<(), Refusal> {
    text::message(text).map_err(|code| bad_text(code, "text"))
}

/// What a message or an edit says: a text, or what the server does not understand, never both.
pub(super) fn content(
    text: Option<String>,
    enc: Option<String>,
    bytes: Option<OpaqueBytes>,
) -> Result<Content, Refusal> {
    match (text, enc, bytes) {
        (Some(text), None, None) => {
            message(&text)?;
            Ok(Content::Text(TextBody { text }))
        }
        (None, None, None) => Err(super::fields::missing("text")),
        (Some(_), ..) => Err(super::fields::wrong(
            "text",
            "what stands beside `enc` and `bytes`: a message is one of the two",
        )),
        (None, Some(enc), Some(bytes)) => {
            opaque(&enc, &bytes)?;
            Ok(Content::Opaque(OpaqueBody { enc, bytes }))
        }
        (None, None, Some(_)) => Err(super::fields::missing("enc")),
        (None, Some(_), None) => Err(super::fields::missing("bytes")),
    }
}

/// The bytes of an opaque body as JSON has them.
pub(super) fn opaque_text(text: &str) -> Result<OpaqueBytes, Refusal> {
    let wanted = "a text of base64url (RFC 4648, section 5) without padding";
    OpaqueBytes::from_text(text).ok_or_else(|| super::fields::wrong("bytes", wanted))
}

fn opaque(enc: &str, bytes: &OpaqueBytes) -> Result<(), Refusal> {
    let is_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    if !(1..=limits::ENC_BYTES_MAX).contains(&enc.len()) || !enc.bytes().all(is_word) {
        let wanted = format!("1 to {} of a-z, 0-9, `.`, `_`, `-`", limits::ENC_BYTES_MAX);
        return Err(super::fields::wrong("enc", &wanted));
    }
    match bytes.0.len() {
        0 => Err(bad_text(ErrorCode::Blank, "bytes")),
        length if length > limits::OPAQUE_BYTES_MAX => Err(bad_text(ErrorCode::TooLong, "bytes")),
        _ => Ok(()),
    }
}

/// Which people of a room somebody asks for.
pub(super) fn listed(state: Option<MemberState>) -> Result<(), Refusal> {
    match state {
        Some(asked) if LISTED.iter().all(|(_word, known)| *known != asked) => {
            Err(super::fields::not_a_word("state", &LISTED))
        }
        Some(_) | None => Ok(()),
    }
}

/// A reaction.
pub(super) fn reaction(emoji: &str) -> Result<(), Refusal> {
    text::reaction(emoji).map_err(|code| bad_text(code, "emoji"))
}

/// What somebody wants to be called; empty for nothing.
pub(super) fn display_name(name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some("") => Ok(()),
        Some(name) => match name::name(name) {
            Ok(_name) => Ok(()),
            Err(code) => Err(bad_text(code, "display_name")),
        },
    }
}

/// The name of a room.
pub(super) fn room_name(name: &str) -> Result<(), Refusal> {
    text::room_name(name).map_err(|code| bad_text(code, "name"))
}

/// What changes of a room: at least one of the three. An empty topic is none.
pub(super) fn settings(
    name: Option<&str>,
    topic: Option<&str>,
    avatar: Option<Avatar>,
) -> Result<(), Refusal> {
    if name.is_none() && topic.is_none() && avatar.is_none() {
        let message = "neither `name` nor `topic` nor `avatar` is there: nothing would change";
        return Err(Refusal::field(ErrorCode::BadField, "name", message));
    }
    if let Some(name) = name {
        room_name(name)?;
    }
    match topic {
        None | Some("") => Ok(()),
        Some(topic) => text::topic(topic).map_err(|code| bad_text(code, "topic")),
    }
}

/// A kind of room that `create` makes.
pub(super) fn kind(kind: RoomKind) -> Result<(), Refusal> {
    if KINDS.iter().any(|(_word, known)| *known == kind) {
        return Ok(());
    }
    Err(super::fields::not_a_word("kind", &KINDS))
}

/// For how long an invitation is good, and for how many.
pub(super) fn invitation(expires_in_ms: Option<u64>, uses: Option<u64>) -> Result<(), Refusal> {
    between("expires_in_ms", expires_in_ms, limits::INVITE_LIFE_MAX_MS)?;
    between("uses", uses, limits::INVITE_USES_MAX)
}

/// A number of 1 to `max`, if it is there.
fn between(field: &'static str, number: Option<u64>, max: u64) -> Result<(), Refusal> {
    match number {
        Some(number) if number == 0 || number > max => Err(super::fields::wrong(
            field,
            &format!("a number of 1 to {max}"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn bad_text(code: ErrorCode, field: &'static str) -> Refusal {
    let message = match code {
        ErrorCode::TooLong => format!("`{field}` is longer than its limit"),
        ErrorCode::Blank => format!("`{field}` has nothing to see"),
        _ => format!("`{field}` holds a character that it may not"),
    };
    Refusal::field(code, field, message)
}
