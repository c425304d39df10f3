//! What a field alone proves wrong, beyond its type: the same for JSON and the binary form.

use super::Refusal;
use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::limits;
use crate::name;
use crate::room::{HistoryFrom, Role, RoomKind};
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
