//! The texts that a message has had, for whoever may see it.

use super::{STRETCH_BYTES_MAX, place};
use crate::code::ErrorCode;
use crate::event::{Body, Event};
use crate::ids::{RoomId, Seq, UserId};
use crate::marker::visible_head;
use crate::room::{self, Part, Range};
use crate::view::View;
use crate::wire::EditRow;

/// A page of texts, and whether more follow; or why there is nothing to tell.
pub type Texts = Result<(Vec<EditRow>, bool), ErrorCode>;

/// A page of the texts of `target` after `after`, oldest first, the message itself included, and
/// whether more follow. What `user` may not see is not told: neither a message nor an edit of it.
///
/// # Errors
/// Outer: the view's. Inner: why there is nothing to tell; nothing is left of a redacted message.
pub fn edits<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    target: Seq,
    after: Option<Seq>,
) -> Result<Texts, V::Error> {
    let Some((room, member)) = place(view, user, id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let head = visible_head(&room, &member);
    let sees = |seq: Seq| {
        let here = Range { from: seq, to: seq };
        seq <= head && room::parts(&room, &member, here) == [Part::Shown(here)]
    };
    let found = match sees(target) {
        true => view.event(id, target)?,
        false => None,
    };
    let Some(message) = found else {
        return Ok(Err(ErrorCode::NotFound));
    };
    if !message.body.is_message() {
        return Ok(Err(ErrorCode::NoMessage));
    }
    if message.is_emptied() {
        return Ok(Err(ErrorCode::Gone));
    }
    let about = view.about(
        id,
        Range {
            from: target,
            to: target,
        },
    )?;
    let mut rows = Vec::new();
    let mut bytes = 0;
    for event in std::iter::once(message).chain(about) {
        let Some(row) = text_of(event).filter(|row| sees(row.seq)) else {
            continue;
        };
        if after.is_some_and(|after| row.seq <= after) {
            continue;
        }
        bytes += row.body.len();
        if bytes > STRETCH_BYTES_MAX && !rows.is_empty() {
            return Ok(Ok((rows, true)));
        }
        rows.push(row);
    }
    Ok(Ok((rows, false)))
}

fn text_of(event: Event) -> Option<EditRow> {
    match event.body {
        Body::Message(body) | Body::Edit(body) => Some(EditRow {
            seq: event.seq,
            ts: event.ts,
            body,
        }),
        _ => None,
    }
}
