//! Everything that a store holds of one person, as lines of JSON: for taking away what is one's own.
//!
//! Read page by page, each in a short snapshot of its own, so a whole export is not one moment: what
//! changes while it runs is in it or not. What others wrote is never in it. Who somebody is and
//! where they are signed in is the accounts' to say. Lifetime: one page.

use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::limits;
use chinwag_core::read;
use chinwag_core::room::{Member, Range, Room, RoomKind};
use chinwag_core::trail::Trail;
use chinwag_core::view::View;
use serde_json::{Value, json};

/// The version of these lines. A reader passes over types that it does not know.
pub(crate) const FORMAT: u32 = 1;

/// Rooms of a page.
const ROOMS: usize = 100;
/// Events of a page.
const EVENTS: usize = 200;

/// From where a page goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Settings, blocks, invitations.
    Own,
    /// Memberships after this room.
    Rooms(Option<RoomId>),
    /// What they wrote, in the order of rooms: in this room after this seq, and in those after it.
    Written(Option<RoomId>, Seq),
}

/// A part of an export.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    /// Its lines.
    pub(crate) lines: Vec<Value>,
    /// Where the next one begins; none: this was the last.
    pub(crate) next: Option<Place>,
}

/// The page of `user` at `place`; none if the account is closed.
///
/// # Errors
/// The view's.
pub(crate) fn page<V: View + ?Sized>(
    view: &V,
    user: UserId,
    place: Place,
) -> Result<Option<Page>, V::Error> {
    if view.profile(user)?.is_none_or(|who| who.is_deleted()) {
        return Ok(None);
    }
    let page = match place {
        Place::Own => own(view, user)?,
        Place::Rooms(after) => rooms(view, user, after)?,
        Place::Written(room, seq) => written(view, user, room, seq)?,
    };
    Ok(Some(page))
}

fn own<V: View + ?Sized>(view: &V, user: UserId) -> Result<Page, V::Error> {
    let mut lines = vec![typed("settings", json!(view.settings(user)?))];
    if let Some(at) = view.estate().last_seen(user)? {
        lines.push(json!({"type": "last_seen", "at": at}));
    }
    let (blocks, _changed) = view.blocks(user)?;
    let blocks = blocks.users.into_iter();
    lines.extend(blocks.map(|other| json!({"type": "block", "user": other})));
    let invitations = view.estate().invitations_by(user)?.into_iter();
    lines.extend(invitations.map(|invitation| {
        json!({
            "type": "invitation",
            "room": invitation.room,
            "invite": invitation.hash.id(),
            "uses_left": invitation.uses_left,
            "expires": invitation.expires,
        })
    }));
    Ok(Page {
        lines,
        next: Some(Place::Rooms(None)),
    })
}

fn rooms<V: View + ?Sized>(
    view: &V,
    user: UserId,
    after: Option<RoomId>,
) -> Result<Page, V::Error> {
    let ids = view.estate().ever_in(user, after, ROOMS)?;
    let mut lines = Vec::new();
    for id in &ids {
        if let (Some(room), Some(member)) = (view.room(*id)?, view.member(*id, user)?) {
            lines.push(membership(view, &room, &member)?);
        }
    }
    let next = match ids.last() {
        Some(last) if ids.len() == ROOMS => Place::Rooms(Some(*last)),
        _ => Place::Written(None, Seq::ZERO),
    };
    Ok(Page {
        lines,
        next: Some(next),
    })
}

fn membership<V: View + ?Sized>(view: &V, room: &Room, member: &Member) -> Result<Value, V::Error> {
    let trails = view.estate().trails(room.id, member.user)?;
    let stays = member.stays.iter().map(|stay| json!([stay.from, stay.to]));
    let mut line = json!({
        "type": "room",
        "room": room.id,
        "kind": room.kind,
        "state": member.state,
        "role": member.role,
        "since": member.since(),
        "muted": member.muted,
        "stays": stays.collect::<Vec<Value>>(),
        "delivered": member.delivered,
        "read": member.read,
        "delivered_at": steps(&trails.delivered),
        "read_at": steps(&trails.read),
        "notify": member.notify,
    });
    let whole = Range::new(room.floor, room.head);
    if let Some(whole) = whole.filter(|_whole| member.hidden > 0) {
        line["hidden"] = json!(view.hidden(room.id, member.user, whole)?);
    }
    if let Some(name) = &room.name {
        line["name"] = json!(name);
    }
    if room.kind == RoomKind::Direct {
        let row = read::row(view, member.user, room.id)?;
        line["peer"] = json!(row.and_then(|row| row.peer));
    }
    Ok(line)
}

/// Where a marker came, and when.
fn steps(trail: &Trail) -> Value {
    json!(trail.steps())
}

fn written<V: View + ?Sized>(
    view: &V,
    user: UserId,
    room: Option<RoomId>,
    seq: Seq,
) -> Result<Page, V::Error> {
    let mut rooms = Vec::new();
    rooms.extend(room);
    let later = view.estate().ever_in(user, room, ROOMS)?;
    let is_last_page = later.len() < ROOMS;
    rooms.extend(later);
    let mut lines = Vec::new();
    let mut budget = limits::ERASE_SCAN_MAX;
    let mut reached = (room, seq);
    for id in rooms {
        if reached.0 != Some(id) {
            reached = (Some(id), Seq::ZERO);
        }
        let Some(room) = view.room(id)? else { continue };
        let first = reached.1.next().max(room.floor);
        let Some(range) = Range::new(first, room.head) else {
            continue;
        };
        let to = range.to.min(Seq(range.from.0 + budget - 1));
        let left = EVENTS - lines.len();
        let part = Range { from: first, to };
        let found = view.estate().by(id, user, part, left)?;
        let is_full = found.len() == left;
        reached.1 = match found.last() {
            Some(last) if is_full => last.seq,
            _ => to,
        };
        lines.extend(found.into_iter().map(line));
        budget -= (to.0 - first.0 + 1).min(budget);
        if is_full || budget == 0 {
            let (room, seq) = reached;
            return Ok(Page {
                lines,
                next: Some(Place::Written(room, seq)),
            });
        }
    }
    let (room, seq) = reached;
    let next = (!is_last_page).then_some(Place::Written(room, seq));
    Ok(Page { lines, next })
}

/// An event of theirs; of one that was redacted, that it was.
fn line(event: Event) -> Value {
    let is_redacted = event.is_emptied();
    let is_message = matches!(event.body, Body::Message(_) | Body::Edit(_));
    let mut line = typed("event", json!(event));
    if is_redacted && is_message {
        line["body"] = json!({});
        line["redacted"] = json!(true);
    }
    line
}

fn typed(kind: &str, mut line: Value) -> Value {
    line["type"] = json!(kind);
    line
}
