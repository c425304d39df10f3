//! Answers out of one read snapshot: connecting, what follows a cursor, history, rows.
//!
//! Everything here reads through [`View`], so that each store gives the same answer. What a
//! reader may see is cut by [`room::parts`], here and nowhere else.

use crate::code::ErrorCode;
use crate::event::Event;
use crate::fold::{self, Folded};
use crate::ids::{Epoch, Key, Position, RoomId, Seq, UserId};
use crate::limits;
use crate::marker::{unread_range, visible_head};
use crate::mutant::{self, Mutant};
use crate::room::{self, Member, Part, Range, Room, RoomKind};
use crate::view::View;
use crate::wire::{Cursor, Item, Me, Reset, ResetWhy, RoomRow, Skip};

/// Bytes of bodies in one stretch or page; the rest follows in the next.
const STRETCH_BYTES_MAX: usize = 96 * 1024;

/// The one snapshot of connecting (contract 3, step c).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The store's life.
    pub epoch: Epoch,
    /// What this snapshot has seen.
    pub position: Position,
    /// All rooms that the user is in, with heads: what to subscribe to, and from where.
    pub heads: Vec<(RoomId, Seq)>,
    /// The rooms that changed since the cursor, or all.
    pub rows: Vec<RoomRow>,
    /// Whether `rows` are all rooms.
    pub all: bool,
    /// Why everything cached is void, if it is.
    pub reset: Option<ResetWhy>,
    /// What the open rooms need.
    pub open: Vec<Open>,
}

/// What an open room needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// These seqs, streamed.
    Stream(RoomId, Range),
    /// The room anew.
    Reset(Box<Reset>),
}

/// Reads the snapshot for `user`, who has `cursor`.
///
/// # Errors
/// Only the view's.
pub fn snapshot<V: View + ?Sized>(
    view: &V,
    user: UserId,
    cursor: &Cursor,
) -> Result<Snapshot, V::Error> {
    let epoch = view.epoch()?;
    let position = view.position()?;
    let reset = distrust(view, cursor, epoch, position)?;
    let since = cursor.position.filter(|_since| reset.is_none());
    let mut rows = Vec::new();
    for id in view.changed(user, since)? {
        rows.extend(row(view, user, id)?);
    }
    let mut open = Vec::new();
    for (id, seq) in &cursor.open {
        open.extend(open_room(view, user, *id, *seq, reset)?);
    }
    let heads = view.heads(user)?;
    Ok(Snapshot {
        epoch,
        position,
        heads,
        rows,
        all: since.is_none(),
        reset,
        open,
    })
}

/// Whether the cursor belongs to another history than the store's.
fn distrust<V: View + ?Sized>(
    view: &V,
    cursor: &Cursor,
    epoch: Epoch,
    position: Position,
) -> Result<Option<ResetWhy>, V::Error> {
    if cursor.epoch.is_some_and(|theirs| theirs != epoch) {
        return Ok(Some(ResetWhy::Epoch));
    }
    if cursor.position.is_some_and(|theirs| theirs > position) {
        return Ok(Some(ResetWhy::History));
    }
    if let Some(last) = cursor.last {
        let there = view.event(last.room, last.seq)?;
        if there.is_none_or(|event| event.key != last.key) {
            return Ok(Some(ResetWhy::History));
        }
    }
    Ok(None)
}

fn open_room<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    seq: Seq,
    all: Option<ResetWhy>,
) -> Result<Option<Open>, V::Error> {
    let Some((room, member)) = place(view, user, id)? else {
        // Foreign rooms answer like none: the summary simply does not have them.
        return Ok(None);
    };
    let head = visible_head(&room, &member);
    let why = match all {
        Some(why) => Some(why),
        None if seq > head => Some(ResetWhy::History),
        None if head.0 - seq.0 >= limits::STREAM_EVENTS_MAX => Some(ResetWhy::TooFar),
        None => None,
    };
    if let Some(why) = why {
        let anew = reset(view, &room, &member, seq, why)?;
        return Ok(Some(Open::Reset(Box::new(anew))));
    }
    let first = if mutant::active(Mutant::SyncFromCursor) {
        seq
    } else {
        seq.next()
    };
    Ok(Range::new(first.max(Seq(1)), head).map(|range| Open::Stream(id, range)))
}

/// A room and the reader's row in it; none if they were never in.
fn place<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
) -> Result<Option<(Room, Member)>, V::Error> {
    let Some(member) = view.member(id, user)? else {
        return Ok(None);
    };
    Ok(view.room(id)?.map(|room| (room, member)))
}

/// The row of one room as `user` sees it; none if they were never in.
///
/// # Errors
/// Only the view's.
pub fn row<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
) -> Result<Option<RoomRow>, V::Error> {
    match place(view, user, id)? {
        Some((room, member)) => Ok(Some(room_row(view, &room, &member)?)),
        None => Ok(None),
    }
}

fn room_row<V: View + ?Sized>(view: &V, room: &Room, member: &Member) -> Result<RoomRow, V::Error> {
    let counted = unread(view, room, member)?;
    let head = visible_head(room, member);
    let msg_no = if head == room.head {
        room.msg_no
    } else {
        view.event(room.id, head)?.map_or(0, |event| event.msg_no)
    };
    let peer = match room.kind {
        RoomKind::Direct => {
            let people = view.members(room.id, None, 2)?;
            people
                .into_iter()
                .map(|(user, _role)| user)
                .find(|user| *user != member.user)
        }
        RoomKind::Group | RoomKind::Public => None,
    };
    Ok(RoomRow {
        room: room.id,
        kind: room.kind,
        name: room.name.clone(),
        topic: room.topic.clone(),
        peer,
        history: room.history,
        head,
        msg_no,
        floor: room.floor,
        members: room.members,
        pins: pins(room, member),
        me: Me {
            state: member.state,
            role: member.role,
            since: member.since(),
            delivered: member.delivered,
            read: member.read,
            unread: counted.unread,
            mentions: counted.mentions,
            muted: member.muted,
        },
    })
}

/// The pinned messages that a member may see.
fn pins(room: &Room, member: &Member) -> Vec<Seq> {
    let is_shown = |seq: &Seq| {
        let here = Range {
            from: *seq,
            to: *seq,
        };
        room::parts(room, member, here) == [Part::Shown(here)]
    };
    room.pins.iter().copied().filter(is_shown).collect()
}

/// What is unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Countable messages (contract 6): exact to 999, then 1000.
    pub unread: u64,
    /// How many of them call on the reader, in the same way.
    pub mentions: u64,
}

/// What `member` has not read.
///
/// # Errors
/// Only the view's.
pub fn unread<V: View + ?Sized>(
    view: &V,
    room: &Room,
    member: &Member,
) -> Result<Counted, V::Error> {
    // Nobody has more of them than the room has messages: whoever has counted so many need not
    // look at what came before, such as the coming of everybody.
    let most = room.msg_no.min(limits::UNREAD_MAX + 1);
    let Some(range) = unread_range(room, member).filter(|_range| most > 0) else {
        return Ok(Counted::default());
    };
    let unread = view.countable(room.id, member.user, range, most)?;
    let mentions = match unread {
        0 => 0,
        most => view.mentioned(room.id, member.user, range, most)?,
    };
    Ok(Counted { unread, mentions })
}

fn reset<V: View + ?Sized>(
    view: &V,
    room: &Room,
    member: &Member,
    seq: Seq,
    why: ResetWhy,
) -> Result<Reset, V::Error> {
    let (page, _skips, _before) = page(view, room, member, None, limits::RESET_MESSAGES)?;
    let redacted = match Range::new(seq.next(), visible_head(room, member)) {
        Some(range) => view.redacted(room.id, range)?,
        None => Vec::new(),
    };
    Ok(Reset {
        req: None,
        why,
        row: room_row(view, room, member)?,
        page,
        redacted,
    })
}

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
fn weight(event: &Event) -> usize {
    let fields = if event.body.is_message() { 0 } else { 100 };
    fields + event.elsewhere()
}

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

fn page<V: View + ?Sized>(
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
    Ok((fold::fold(lines, &about), skips, next))
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

/// How many items a client gets that asked for `asked`.
#[must_use]
pub fn page_limit(asked: Option<u64>, default: usize) -> usize {
    let asked = asked.map_or(default, |asked| {
        usize::try_from(asked).unwrap_or(usize::MAX)
    });
    asked.clamp(1, limits::PAGE_MAX)
}
