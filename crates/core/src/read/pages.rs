//! Folded history, page by page.

use super::stretches::weight;
use super::{STRETCH_BYTES_MAX, place};
use crate::code::ErrorCode;
use crate::event::Event;
use crate::fold::{self, Folded};
use crate::hidden;
use crate::ids::{RoomId, Seq, UserId};
use crate::marker::visible_head;
use crate::room::{self, Member, Part, Range, Room};
use crate::view::View;
use crate::wire::Skip;

/// A page of folded history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The last seq that the page knows of.
    pub as_of: Seq,
    /// Oldest first.
    pub messages: Vec<Folded>,
    /// What the reader may not see in between.
    pub skips: Vec<Skip>,
    /// Where the next page ends; none: this was the oldest.
    pub before: Option<Seq>,
}

/// The page of at most `limit` lines that ends before `before`, or at the head.
///
/// # Errors
/// Outer: the view's. Inner: [`ErrorCode::NotFound`] for rooms that the user was never in.
pub fn history<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    before: Option<Seq>,
    limit: usize,
) -> Result<Result<History, ErrorCode>, V::Error> {
    let Some((room, member)) = place(view, user, id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let (messages, skips, before) = page(view, &room, &member, before, limit)?;
    let as_of = visible_head(&room, &member);
    Ok(Ok(History {
        as_of,
        messages,
        skips,
        before,
    }))
}

type Page = (Vec<Folded>, Vec<Skip>, Option<Seq>);

pub(super) fn page<V: View + ?Sized>(
    view: &V,
    room: &Room,
    member: &Member,
    before: Option<Seq>,
    limit: usize,
) -> Result<Page, V::Error> {
    let head = visible_head(room, member);
    let last = before.map_or(head, |before| before.before().min(head));
    let Some(wanted) = Range::new(Seq(1), last) else {
        return Ok((Vec::new(), Vec::new(), None));
    };
    let mut lines: Vec<Event> = Vec::new();
    let mut skips = Vec::new();
    let mut bytes = 0;
    let mut next = None;
    for part in room::parts(room, member, wanted).into_iter().rev() {
        match part {
            Part::Skipped(range, why) => {
                skips.push(Skip {
                    room: room.id,
                    from: range.from,
                    to: range.to,
                    why,
                });
            }
            Part::Shown(range) => {
                let left = limit - lines.len();
                let mut found = view.lines(room.id, range, left)?;
                let full = cut_page(&mut found, &mut bytes) || found.len() == left;
                // Nothing of this part fitted: it begins the next page.
                let oldest = found.first().map_or(range.to.next(), |event| event.seq);
                lines.splice(0..0, found);
                if full {
                    next = Some(oldest).filter(|oldest| *oldest > Seq(1));
                    break;
                }
            }
        }
    }
    skips.reverse();
    let about = match (lines.first(), lines.last()) {
        (Some(first), Some(last)) => {
            let targets = Range {
                from: first.seq,
                to: last.seq,
            };
            let mut about = view.about(room.id, targets)?;
            // What happened after somebody went is not theirs to see.
            about.retain(|event| event.seq <= head);
            about
        }
        _ => Vec::new(),
    };
    let mut folded = fold::fold(lines, &about);
    hidden::mark(view, room.id, member, &mut folded)?;
    if let Some(oldest) = cut_heavy(&mut folded) {
        // What lies before the lines that are left belongs to the next page.
        skips.retain(|skip| skip.from > oldest);
        next = Some(oldest);
    }
    Ok((folded, skips, next))
}

/// Bytes of one reaction in a frame, roughly.
const REACTION_BYTES: usize = 48;

/// Leaves the newest lines that fit a page with all that people thought of them, at least one; says
/// which is the oldest, if some were left out.
fn cut_heavy(folded: &mut Vec<Folded>) -> Option<Seq> {
    let mut bytes = 0;
    let fits = folded.iter().rev().take_while(|line| {
        let fits = bytes < STRETCH_BYTES_MAX;
        bytes += weight(&line.event) + line.reactions.len() * REACTION_BYTES;
        fits
    });
    let left_out = folded.len() - fits.count();
    if left_out == 0 {
        return None;
    }
    folded.drain(..left_out);
    folded.first().map(|line| line.event.seq)
}

/// Leaves the newest of `found` that fit a page which has `bytes` already; says whether it is
/// full. One line always fits, so that paging comes to its end.
fn cut_page(found: &mut Vec<Event>, bytes: &mut usize) -> bool {
    let mut kept = 0;
    for event in found.iter().rev() {
        if *bytes >= STRETCH_BYTES_MAX {
            break;
        }
        *bytes += weight(event);
        kept += 1;
    }
    let cut = kept < found.len();
    found.drain(..found.len() - kept);
    cut
}
