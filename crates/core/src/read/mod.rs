//! Answers out of one read snapshot: connecting, what follows a cursor, history, rows.
//!
//! Everything here reads through [`View`], so that each store gives the same answer. What a
//! reader may see is cut by [`room::parts`], here and nowhere else.

use crate::event::Body;
use crate::hidden;
use crate::ids::{Epoch, Position, RoomId, Seq, UserId};
use crate::limits;
use crate::marker::{unread_range, visible_head};
use crate::mutant::{self, Mutant};
use crate::room::{self, Member, MemberState, Part, Range, Room, RoomKind};
use crate::view::View;
use crate::wire::{Blocks, Cursor, Me, Profile, Reset, ResetWhy, RoomRow, Settings};

mod edits;
mod pages;
mod stretches;

pub use self::edits::{Texts, edits};
use self::pages::page;
pub use self::pages::{History, history};
pub use self::stretches::{After, Stretch, after, stretch};

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
    /// What the user shows of themselves.
    pub settings: Settings,
    /// Whom the user has blocked.
    pub blocks: Blocks,
    /// Whether the client has another list of them, for all that its cursor says.
    pub blocks_changed: bool,
    /// What others see of the user, if that has changed since the cursor.
    pub profile: Option<Profile>,
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
    let (blocks, changed) = view.blocks(user)?;
    let blocks_changed = blocks.version > 0 && since.is_none_or(|since| changed > since);
    let profile_changed = view.profile_changed(user)?;
    let profile = if since.is_some_and(|since| profile_changed > since) {
        view.profile(user)?
    } else {
        None
    };
    Ok(Snapshot {
        epoch,
        position,
        heads,
        rows,
        all: since.is_none(),
        reset,
        open,
        settings: view.settings(user)?,
        blocks,
        blocks_changed,
        profile,
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
pub(crate) fn place<V: View + ?Sized>(
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

/// The other one of a direct room, also after they have deleted their account.
fn peer<V: View + ?Sized>(view: &V, room: &Room, user: UserId) -> Result<Option<UserId>, V::Error> {
    let listed = view
        .members(room.id, MemberState::Joined, None, 2)?
        .into_iter();
    let mut people: Vec<UserId> = listed.map(|listed| listed.user).collect();
    if people.len() < 2
        && let Some(first) = view.event(room.id, Seq(1))?
        && let Body::Room(body) = first.body
    {
        people = body.members.into_iter().map(|(user, _role)| user).collect();
    }
    Ok(people.into_iter().find(|other| *other != user))
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
        RoomKind::Direct => peer(view, room, member.user)?,
        RoomKind::Group | RoomKind::Public => None,
    };
    Ok(RoomRow {
        room: room.id,
        kind: room.kind,
        name: room.name.clone(),
        topic: room.topic.clone(),
        avatar: room.avatar,
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
            notify: Some(member.notify).filter(|notify| !notify.is_new()),
            hidden: hidden::of_row(view, room.id, member)?,
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

/// How many items a client gets that asked for `asked`.
#[must_use]
pub fn page_limit(asked: Option<u64>, default: usize) -> usize {
    let asked = asked.map_or(default, |asked| {
        usize::try_from(asked).unwrap_or(usize::MAX)
    });
    asked.clamp(1, limits::PAGE_MAX)
}
