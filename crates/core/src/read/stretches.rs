//! Raw stretches of a log, each seq of which is an event or accounted for.

use super::{Reset, STRETCH_BYTES_MAX, place, reset};
use crate::code::ErrorCode;
use crate::event::Event;
use crate::ids::{Key, RoomId, Seq, UserId};
use crate::limits;
use crate::marker::visible_head;
use crate::room::{self, Member, Part, Range, Room};
use crate::view::View;
use crate::wire::{Item, ResetWhy, Skip};

/// Seqs `from..=to` of a room, every one of them an event or a skip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The first seq accounted for.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// The last that the reader may see.
    pub head: Seq,
    /// All of them.
    pub items: Vec<Item>,
}

/// What follows a cursor in one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// The next stretch; empty (`to` before `from`) if there is nothing new.
    Events(Stretch),
    /// The room anew.
    Reset(Box<Reset>),
}

/// What follows `seq` in a room; `key` is that of the event at `seq`, if the client knows it.
///
/// # Errors
/// Outer: the view's. Inner: [`ErrorCode::NotFound`] for rooms that the user was never in.
pub fn after<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    seq: Seq,
    key: Option<Key>,
    limit: usize,
) -> Result<Result<After, ErrorCode>, V::Error> {
    let Some((room, member)) = place(view, user, id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let head = visible_head(&room, &member);
    let other_history = match key {
        Some(key) => view.event(id, seq)?.is_none_or(|event| event.key != key),
        None => false,
    };
    let why = if other_history || seq > head {
        Some(ResetWhy::History)
    } else if head.0 - seq.0 >= limits::STREAM_EVENTS_MAX {
        Some(ResetWhy::TooFar)
    } else {
        None
    };
    if let Some(why) = why {
        let anew = reset(view, &room, &member, seq, why)?;
        return Ok(Ok(After::Reset(Box::new(anew))));
    }
    let stretch = match Range::new(seq.next(), head) {
        Some(range) => cut(view, &room, &member, range, limit)?,
        None => Stretch {
            from: seq.next(),
            to: seq,
            head,
            items: Vec::new(),
        },
    };
    Ok(Ok(After::Events(stretch)))
}

/// The beginning of `wanted`, which an earlier snapshot has promised to `user`.
///
/// # Errors
/// Only the view's. A room that is gone answers with nothing.
pub fn stretch<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    wanted: Range,
    limit: usize,
) -> Result<Option<Stretch>, V::Error> {
    match place(view, user, id)? {
        Some((room, member)) => Ok(Some(cut(view, &room, &member, wanted, limit)?)),
        None => Ok(None),
    }
}

fn cut<V: View + ?Sized>(
    view: &V,
    room: &Room,
    member: &Member,
    wanted: Range,
    limit: usize,
) -> Result<Stretch, V::Error> {
    let mut out = Stretch {
        from: wanted.from,
        to: wanted.from.before(),
        head: visible_head(room, member),
        items: Vec::new(),
    };
    let mut bytes = 0;
    for part in room::parts(room, member, wanted) {
        match part {
            Part::Skipped(range, why) => {
                let skip = Skip {
                    room: room.id,
                    from: range.from,
                    to: range.to,
                    why,
                };
                out.items.push(Item::Skip(skip));
                out.to = range.to;
            }
            Part::Shown(range) => {
                let left = limit.saturating_sub(out.items.len());
                for event in view.events(room.id, range, left)? {
                    bytes += weight(&event);
                    out.to = event.seq;
                    out.items.push(Item::Event(event));
                    if bytes >= STRETCH_BYTES_MAX {
                        return Ok(out);
                    }
                }
                if out.to < range.to {
                    return Ok(out);
                }
            }
        }
    }
    Ok(out)
}

/// Bytes of an event in a frame beyond what every message has, roughly.
pub(super) fn weight(event: &Event) -> usize {
    let fields = if event.body.is_message() { 0 } else { 100 };
    fields + event.elsewhere()
}
