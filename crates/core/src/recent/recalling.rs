//! A snapshot with recent events in front of it: what a tail has is not read again.
//!
//! The answers are those of the snapshot, exactly, but for texts that were redacted since (see
//! [`Tail`]). Lifetime: one snapshot.

use std::cell::{Cell, RefCell};

use super::{Begin, Fared, Tail, Tails};
use crate::aside::Seen;
use crate::batch::Ack;
use crate::estate::Estate;
use crate::event::Event;
use crate::ids::{AvatarId, Epoch, Key, Position, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::limits;
use crate::rate::Rate;
use crate::receipt::Stand;
use crate::room::{Listed, Member, MemberState, Range, Room};
use crate::view::{Alterations, Changes, View};
use crate::wire::{Blocks, DirectoryRow, Profile, Settings};

/// What an attempt to complete a tail came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The snapshot has nothing that the tail lacks.
    Complete,
    /// It was loaded here, or somewhere else meanwhile: look again.
    Tried,
}

/// Tails, however they are shared.
pub trait Recall {
    /// What `look` finds in the tail of a room.
    fn look<T>(&self, room: RoomId, look: impl FnOnce(&Tail) -> Option<T>) -> Option<T>;

    /// Has what the tail lacks of a snapshot with this head read by `read` and takes it in, at
    /// most once at a time for a room.
    ///
    /// # Errors
    /// That of `read`.
    fn load<E>(
        &self,
        room: RoomId,
        head: Seq,
        read: impl FnOnce(Range) -> Result<Vec<Event>, E>,
    ) -> Result<Loaded, E>;

    /// Counts a look-up.
    fn note(&self, room: RoomId, fared: Fared);
}

/// Tails that nobody else looks at meanwhile: the simulator's.
impl Recall for RefCell<Tails> {
    fn look<T>(&self, room: RoomId, look: impl FnOnce(&Tail) -> Option<T>) -> Option<T> {
        self.borrow_mut().tail(room).and_then(look)
    }

    fn load<E>(
        &self,
        room: RoomId,
        head: Seq,
        read: impl FnOnce(Range) -> Result<Vec<Event>, E>,
    ) -> Result<Loaded, E> {
        let begin = self.borrow_mut().begin(room, head);
        match begin {
            Begin::Complete => Ok(Loaded::Complete),
            Begin::Busy => Ok(Loaded::Tried),
            Begin::Read(range) => {
                let read = read(range);
                let (events, done) = match read {
                    Ok(events) => (events, Ok(Loaded::Tried)),
                    Err(error) => (Vec::new(), Err(error)),
                };
                self.borrow_mut().finish(room, events);
                done
            }
        }
    }

    fn note(&self, _room: RoomId, fared: Fared) {
        self.borrow_mut().note(fared);
    }
}

/// A view of one snapshot that looks into tails first.
pub struct Recalling<'a, V: ?Sized, R> {
    view: &'a V,
    recent: &'a R,
    /// The last head that was asked for: answers about a room come together.
    head: Cell<Option<(RoomId, Option<Seq>)>>,
    /// Whom the last user whose unread messages were counted has blocked: they are counted for
    /// many rooms of one user.
    blocked: RefCell<Option<(UserId, Vec<UserId>)>>,
}

impl<'a, V: View + ?Sized, R: Recall> Recalling<'a, V, R> {
    /// Puts `recent` in front of `view`.
    #[must_use]
    pub fn new(view: &'a V, recent: &'a R) -> Self {
        Self {
            view,
            recent,
            head: Cell::new(None),
            blocked: RefCell::new(None),
        }
    }

    /// The head of a room in this snapshot; none if there is no such room.
    fn head(&self, room: RoomId) -> Result<Option<Seq>, V::Error> {
        match self.head.get() {
            Some((known, head)) if known == room => Ok(head),
            _ => Ok(self.room(room)?.map(|room| room.head)),
        }
    }

    /// What `look` finds in a tail that knows all of this snapshot. One that lacks its last
    /// events may lack a redaction, and still have the text that the snapshot has no more.
    fn known<T>(
        &self,
        room: RoomId,
        head: Seq,
        look: impl FnOnce(&Tail) -> Option<T>,
    ) -> Option<T> {
        let known = |tail: &Tail| (tail.last() >= head).then(|| look(tail)).flatten();
        self.recent.look(room, known)
    }

    /// What `look` finds, without a load. For look-ups of one row or count of a room, which come
    /// for all rooms of somebody who connects: a load each would be far dearer, and drive out
    /// what others read.
    fn glance<T>(
        &self,
        room: RoomId,
        head: Seq,
        look: impl FnOnce(&Tail) -> Option<T>,
    ) -> Option<T> {
        let found = self.known(room, head, look);
        let fared = if found.is_some() {
            Fared::Hit
        } else {
            Fared::Miss
        };
        self.recent.note(room, fared);
        found
    }

    /// What `look` finds in the tail, which is completed once if it lacks something. `newest` is
    /// the seq from which on a tail must reach back; none is an answer that only the store has.
    fn recall<T>(
        &self,
        room: RoomId,
        head: Seq,
        newest: Seq,
        look: impl Fn(&Tail) -> Option<T>,
    ) -> Result<Option<T>, V::Error> {
        if let Some(found) = self.known(room, head, &look) {
            self.recent.note(room, Fared::Hit);
            return Ok(Some(found));
        }
        let kept = limits::RECENT_EVENTS_MAX as u64;
        if newest.0.saturating_add(kept) <= head.0 {
            self.recent.note(room, Fared::Older);
            return Ok(None);
        }
        let read = |range| self.view.events(room, range, limits::RECENT_EVENTS_MAX);
        match self.recent.load(room, head, read)? {
            Loaded::Complete => {
                self.recent.note(room, Fared::Older);
                Ok(None)
            }
            Loaded::Tried => {
                self.recent.note(room, Fared::Miss);
                // What came in meanwhile may have pushed this snapshot's events out again.
                Ok(self.known(room, head, &look))
            }
        }
    }

    /// What `count` finds with those whom `user` has blocked, by id.
    fn with_blocked<T>(
        &self,
        user: UserId,
        count: impl FnOnce(&[UserId]) -> T,
    ) -> Result<T, V::Error> {
        let mut known = self.blocked.borrow_mut();
        if !matches!(&*known, Some((whose, _users)) if *whose == user) {
            let (blocks, _changed) = self.view.blocks(user)?;
            *known = Some((user, blocks.users));
        }
        let users = known.as_ref().map_or(&[][..], |(_whose, users)| users);
        Ok(count(users))
    }

    /// The part of `range` that this snapshot has; nothing if it has no such room or part.
    fn cut(&self, room: RoomId, range: Range) -> Result<Option<(Range, Seq)>, V::Error> {
        let Some(head) = self.head(room)? else {
            return Ok(None);
        };
        let part = Range::new(range.from.max(Seq(1)), range.to.min(head));
        Ok(part.map(|part| (part, head)))
    }
}

/// Passes a look-up on.
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$answer, V::Error> {
            self.view.$name($($argument),*)
        })*
    };
}

impl<V: View + ?Sized, R: Recall> View for Recalling<'_, V, R> {
    type Error = V::Error;

    pass_on! {
        epoch() -> Epoch;
        position() -> Position;
        replay(key: Key, from: UserId, room: RoomId) -> Option<(u64, Ack)>;
        member(room: RoomId, user: UserId) -> Option<Member>;
        profile(user: UserId) -> Option<Profile>;
        named(name: &str) -> Option<Profile>;
        rooms_in(user: UserId) -> usize;
        heads(user: UserId) -> Vec<(RoomId, Seq)>;
        changed(user: UserId, since: Option<Position>) -> Vec<RoomId>;
        alterations(room: RoomId, target: Seq) -> Alterations;
        mentioned(room: RoomId, user: UserId, range: Range, limit: u64) -> u64;
        members(room: RoomId, state: MemberState, after: Option<UserId>, limit: usize) -> Vec<Listed>;
        directory(after: Option<RoomId>, limit: usize) -> Vec<DirectoryRow>;
        changes(since: Position) -> Changes;
        settings(user: UserId) -> Settings;
        people(room: RoomId, after: Option<UserId>, limit: usize) -> Vec<Seen>;
        standing(room: RoomId) -> Vec<Stand>;
        blocks(user: UserId) -> (Blocks, Position);
        is_wall_between(one: UserId, other: UserId) -> bool;
        is_walled(room: RoomId, user: UserId) -> bool;
        invited_to(user: UserId) -> usize;
        invitation(hash: InviteHash) -> Option<Invitation>;
        invitations(room: RoomId) -> Vec<Invitation>;
        has_avatar(avatar: AvatarId) -> bool;
        profile_changed(user: UserId) -> Position;
        hidden(room: RoomId, user: UserId, range: Range) -> Vec<Seq>;
        last_message(room: RoomId) -> Option<Seq>;
        rates() -> Vec<(UserId, Rate)>;
    }

    fn estate(&self) -> &dyn Estate<Error = V::Error> {
        self.view.estate()
    }

    fn room(&self, room: RoomId) -> Result<Option<Room>, V::Error> {
        let found = self.view.room(room)?;
        self.head
            .set(Some((room, found.as_ref().map(|room| room.head))));
        Ok(found)
    }

    fn event(&self, room: RoomId, seq: Seq) -> Result<Option<Event>, V::Error> {
        let one = Range { from: seq, to: seq };
        let Some((_part, head)) = self.cut(room, one)? else {
            return Ok(None);
        };
        match self.glance(room, head, |tail| tail.event(seq)) {
            Some(event) => Ok(Some(event)),
            None => self.view.event(room, seq),
        }
    }

    fn events(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, V::Error> {
        let Some((part, head)) = self.cut(room, range)? else {
            return Ok(Vec::new());
        };
        let found = self.recall(room, head, part.from, |tail| tail.first_events(part, limit))?;
        match found {
            Some(events) => Ok(events),
            None => self.view.events(room, part, limit),
        }
    }

    fn lines(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, V::Error> {
        let Some((part, head)) = self.cut(room, range)? else {
            return Ok(Vec::new());
        };
        match self.recall(room, head, part.to, |tail| tail.lines(part, limit))? {
            Some(lines) => Ok(lines),
            None => self.view.lines(room, part, limit),
        }
    }

    fn about(&self, room: RoomId, range: Range) -> Result<Vec<Event>, V::Error> {
        let Some((part, head)) = self.cut(room, range)? else {
            return Ok(Vec::new());
        };
        match self.recall(room, head, part.from, |tail| tail.about(part, head))? {
            Some(about) => Ok(about),
            None => self.view.about(room, part),
        }
    }

    fn redacted(&self, room: RoomId, range: Range) -> Result<Vec<Seq>, V::Error> {
        let Some((part, head)) = self.cut(room, range)? else {
            return Ok(Vec::new());
        };
        match self.recall(room, head, part.from, |tail| tail.redacted(part))? {
            Some(targets) => Ok(targets),
            None => self.view.redacted(room, part),
        }
    }

    fn countable(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, V::Error> {
        let Some((part, head)) = self.cut(room, range)? else {
            return Ok(0);
        };
        let counted = self.with_blocked(user, |blocked| {
            self.glance(room, head, |tail| tail.countable(user, blocked, part, head))
        })?;
        let (recent, rest) = counted.unwrap_or((0, Some(part)));
        let left = limit.saturating_sub(recent);
        match rest.filter(|_rest| left > 0) {
            Some(rest) => Ok(recent + self.view.countable(room, user, rest, left)?),
            None => Ok(recent.min(limit)),
        }
    }
}
