//! Messages that somebody has deleted for themselves alone.
//!
//! One's own state and no event (contract 4): the message stays in the log, and everybody else sees
//! it as ever. Nothing is counted otherwise because of it (contract 6). Stores keep the list of each
//! member, told whole to their connections; the room's row carries its newest part. Lifetime: for
//! good, also through leaving and coming back.

use crate::code::ErrorCode;
use crate::fold::Folded;
use crate::ids::{RoomId, Seq, UserId};
use crate::limits;
use crate::marker::visible_head;
use crate::read::place;
use crate::room::{self, Member, Part, Range};
use crate::view::View;
use crate::wire::{Hidden, Req, ServerFrame};

/// All seqs that there can be.
const ALL: Range = Range {
    from: Seq(1),
    to: Seq(u64::MAX),
};

/// Whether hiding `target` from `user`, or showing it again, changes their list.
///
/// # Errors
/// Outer: the view's. Inner: what they may not see is not found, what is no message cannot be
/// hidden, and there is an end to how many. What is on the list can always be shown again.
pub fn changes<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    target: Seq,
    on: bool,
) -> Result<Result<bool, ErrorCode>, V::Error> {
    let Some((room, member)) = place(view, user, id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let here = Range {
        from: target,
        to: target,
    };
    let is_hidden = member.hidden > 0 && !view.hidden(id, user, here)?.is_empty();
    if is_hidden || !on {
        return Ok(Ok(is_hidden != on));
    }
    let sees = target <= visible_head(&room, &member)
        && room::parts(&room, &member, here) == [Part::Shown(here)];
    let found = match sees {
        true => view.event(id, target)?,
        false => None,
    };
    Ok(match found {
        None => Err(ErrorCode::NotFound),
        Some(event) if !event.body.is_message() => Err(ErrorCode::NoMessage),
        Some(_) if view.hidden(id, user, ALL)?.len() >= limits::HIDDEN_MAX => {
            Err(ErrorCode::TooMany)
        }
        Some(_) => Ok(true),
    })
}

/// The list of a member as their rows show it: none if it was never changed.
pub(crate) fn of_row<V: View + ?Sized>(
    view: &V,
    room: RoomId,
    member: &Member,
) -> Result<Option<Hidden>, V::Error> {
    if member.hidden == 0 {
        return Ok(None);
    }
    let mut seqs = view.hidden(room, member.user, ALL)?;
    let more = seqs.len() > limits::HIDDEN_IN_ROW_MAX;
    seqs.drain(..seqs.len().saturating_sub(limits::HIDDEN_IN_ROW_MAX));
    Ok(Some(Hidden {
        seqs,
        version: member.hidden,
        more,
    }))
}

/// The whole list, as the reply to a question.
///
/// # Errors
/// Outer: the view's. Inner: [`ErrorCode::NotFound`] for rooms that the user was never in.
pub(crate) fn list<V: View + ?Sized>(
    view: &V,
    user: UserId,
    req: Req,
    room: RoomId,
) -> Result<Result<ServerFrame, ErrorCode>, V::Error> {
    let Some(member) = view.member(room, user)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    Ok(Ok(ServerFrame::Hidden {
        req: Some(req),
        room,
        seqs: view.hidden(room, user, ALL)?,
        version: member.hidden,
    }))
}

/// Marks the lines of a page that are hidden from a member.
pub(crate) fn mark<V: View + ?Sized>(
    view: &V,
    room: RoomId,
    member: &Member,
    page: &mut [Folded],
) -> Result<(), V::Error> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    if member.hidden == 0 {
        // Most have hidden nothing.
        return Ok(());
    }
    let range = Range {
        from: first.event.seq,
        to: last.event.seq,
    };
    let hidden = view.hidden(room, member.user, range)?;
    for line in page {
        line.hidden = hidden.binary_search(&line.event.seq).is_ok();
    }
    Ok(())
}
