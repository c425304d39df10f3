//! One batch while it is decided: rows as its items have left them, keys, numbers, events.
//!
//! Knows no command beyond which of them goes where. Lifetime: one call of [`super::decide`].

use std::collections::BTreeMap;

use super::{Ack, Appended, Command, Decided, Outcome, Submission};
use crate::code::ErrorCode;
use crate::event::{Author, BODY_VERSION, Body, Event, Mention};
use crate::ids::{Key, Millis, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::policy::{self, Act};
use crate::room::{Member, Room};
use crate::view::View;

/// A row as this batch sees it, and whether it must be written.
struct Entry<T> {
    is: T,
    dirty: bool,
}

type Rows<K, T> = BTreeMap<K, Option<Entry<T>>>;

pub(super) struct Batch<'a, V: View + ?Sized> {
    pub(super) view: &'a V,
    pub(super) now: Millis,
    rooms: Rows<RoomId, Room>,
    members: Rows<(RoomId, UserId), Member>,
    invitations: Rows<InviteHash, Invitation>,
    keys: BTreeMap<(Key, UserId, RoomId), (u64, Ack)>,
    /// Rooms entered less rooms left in this batch, by user.
    pub(super) entered: BTreeMap<UserId, i64>,
    /// Invitations by name made less those that ended in this batch, by user.
    pub(super) asked: BTreeMap<UserId, i64>,
    /// The profile version of the present item's sender.
    author_version: u64,
    pub(super) out: Decided,
}

/// Outer: the view's errors. Inner: a value, or the refusal of the item.
pub(super) type Verdict<T, E> = Result<Result<T, ErrorCode>, E>;

/// Leaves the item with a refusal, or goes on with the value.
macro_rules! or_refuse {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(code) => return Ok(Err(code)),
        }
    };
}
pub(super) use or_refuse;

/// An event before it has its number.
pub(super) struct Draft {
    pub(super) target: Option<Seq>,
    pub(super) reply_to: Option<Seq>,
    pub(super) mentions: Vec<Mention>,
    pub(super) body: Body,
}

impl Draft {
    pub(super) fn of(body: Body) -> Self {
        Self {
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body,
        }
    }

    pub(super) fn about(target: Seq, body: Body) -> Self {
        Self {
            target: Some(target),
            ..Self::of(body)
        }
    }
}

impl<'a, V: View + ?Sized> Batch<'a, V> {
    pub(super) fn new(view: &'a V, now: Millis) -> Self {
        Self {
            view,
            now,
            rooms: BTreeMap::new(),
            members: BTreeMap::new(),
            invitations: BTreeMap::new(),
            keys: BTreeMap::new(),
            entered: BTreeMap::new(),
            asked: BTreeMap::new(),
            author_version: 0,
            out: Decided::default(),
        }
    }

    pub(super) fn item(&mut self, item: &Submission) -> Verdict<Outcome, V::Error> {
        let room = item.room();
        let hash = item.hash();
        let known = match self.keys.get(&(item.key, item.from, room)) {
            Some(known) => Some(*known),
            None => self.view.replay(item.key, item.from, room)?,
        };
        if let Some((first, ack)) = known.filter(|known| !self.forgotten(known.1.ts)) {
            let same = first == hash;
            return Ok(if same {
                Ok(Outcome::Replayed(ack))
            } else {
                Err(ErrorCode::Conflict)
            });
        }
        // Before anything is changed: a refused item leaves nothing behind.
        let Some(author) = self.view.profile(item.from)? else {
            return Ok(Err(ErrorCode::NotFound));
        };
        if author.is_deleted() {
            return Ok(Err(ErrorCode::BadToken));
        }
        self.author_version = author.version;
        match &item.command {
            Command::Send { .. }
            | Command::Edit { .. }
            | Command::Redact { .. }
            | Command::React { .. }
            | Command::Pin { .. } => self.message(item),
            Command::Create { .. }
            | Command::Direct { .. }
            | Command::Configure { .. }
            | Command::Join { .. }
            | Command::Leave { .. }
            | Command::Add { .. }
            | Command::InviteUser { .. }
            | Command::Remove { .. }
            | Command::Ban { .. }
            | Command::SetRole { .. }
            | Command::Mute { .. } => self.membership(item),
        }
    }

    /// What follows is written by `user`, whether or not they may write anything themselves.
    pub(super) fn speaks_for(&mut self, user: UserId) -> Result<(), V::Error> {
        let author = self.view.profile(user)?;
        self.author_version = author.map_or(0, |author| author.version);
        Ok(())
    }

    /// Whether there is somebody of that id whose account is open.
    pub(super) fn is_somebody(&self, user: UserId) -> Result<bool, V::Error> {
        let found = self.view.profile(user)?;
        Ok(found.is_some_and(|profile| !profile.is_deleted()))
    }

    /// Planted: keys that are forgotten after five seconds.
    fn forgotten(&self, ts: Millis) -> bool {
        mutant::active(Mutant::DedupeForgets) && self.now.0 - ts.0 > 5_000
    }

    pub(super) fn finish(self) -> Decided {
        let mut out = self.out;
        let rooms = self.rooms.into_values().flatten();
        out.rooms = rooms.filter(|entry| entry.dirty).map(|e| e.is).collect();
        for ((room, _user), entry) in self.members {
            let dirty = entry.filter(|entry| entry.dirty);
            out.members.extend(dirty.map(|entry| (room, entry.is)));
        }
        let invitations = self.invitations.into_values().flatten();
        let used = invitations.filter(|entry| entry.dirty);
        out.invitations = used.map(|entry| entry.is).collect();
        out
    }

    /// Gives the next number and keeps the event.
    pub(super) fn append(
        &mut self,
        item: &Submission,
        id: RoomId,
        draft: Draft,
    ) -> Verdict<Outcome, V::Error> {
        let mut room = self.known_room(id)?;
        room.head = room.head.next();
        room.msg_no += u64::from(draft.body.is_message());
        let ack = Ack {
            room: id,
            seq: room.head,
            msg_no: room.msg_no,
            ts: self.now,
        };
        let event = Event {
            room: id,
            seq: ack.seq,
            msg_no: ack.msg_no,
            v: BODY_VERSION,
            from: Author(item.from, self.author_version),
            key: item.key,
            ts: self.now,
            target: draft.target,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            body: draft.body,
        };
        let hash = item.hash();
        self.put_room(room);
        self.keys.insert((item.key, item.from, id), (hash, ack));
        self.out.appended.push(Appended { event, hash });
        Ok(Ok(Outcome::Done(ack)))
    }

    pub(super) fn may(
        &mut self,
        act: Act,
        id: RoomId,
        actor: UserId,
        other: Option<UserId>,
    ) -> Verdict<(), V::Error> {
        let Some(room) = self.room(id)? else {
            return Ok(Err(ErrorCode::NotFound));
        };
        let actor = self.member(id, actor)?;
        let other = match other {
            Some(user) => self.member(id, user)?,
            None => None,
        };
        let joined_once = matches!(act, Act::Send { .. }) && actor.is_some();
        if joined_once && mutant::active(Mutant::AuthorisedAtJoinOnly) {
            return Ok(Ok(()));
        }
        Ok(policy::allowed(act, &room, actor.as_ref(), other.as_ref()))
    }

    pub(super) fn room_left(&mut self, user: UserId) -> Verdict<(), V::Error> {
        let stored = self.view.rooms_in(user)? as i64;
        let entered = self.entered.get(&user).copied().unwrap_or(0);
        let full = stored + entered >= limits::ROOMS_PER_USER_MAX as i64;
        Ok(if full {
            Err(ErrorCode::TooManyRooms)
        } else {
            Ok(())
        })
    }

    pub(super) fn room(&mut self, id: RoomId) -> Result<Option<Room>, V::Error> {
        if !self.rooms.contains_key(&id) {
            let found = self.view.room(id)?;
            self.rooms
                .insert(id, found.map(|is| Entry { is, dirty: false }));
        }
        Ok(self.rooms[&id].as_ref().map(|entry| entry.is.clone()))
    }

    /// A room that policy has looked at already.
    pub(super) fn known_room(&mut self, id: RoomId) -> Result<Room, V::Error> {
        Ok(self.room(id)?.expect("policy has looked at the room"))
    }

    pub(super) fn put_room(&mut self, room: Room) {
        let entry = Entry {
            is: room,
            dirty: true,
        };
        self.rooms.insert(entry.is.id, Some(entry));
    }

    pub(super) fn member(&mut self, id: RoomId, user: UserId) -> Result<Option<Member>, V::Error> {
        let slot = (id, user);
        if !self.members.contains_key(&slot) {
            let found = self.view.member(id, user)?;
            self.members
                .insert(slot, found.map(|is| Entry { is, dirty: false }));
        }
        Ok(self.members[&slot].as_ref().map(|entry| entry.is.clone()))
    }

    pub(super) fn put_member(&mut self, id: RoomId, member: Member) {
        let entry = Entry {
            is: member,
            dirty: true,
        };
        self.members.insert((id, entry.is.user), Some(entry));
    }

    pub(super) fn invitation(&mut self, hash: InviteHash) -> Result<Option<Invitation>, V::Error> {
        if !self.invitations.contains_key(&hash) {
            let found = self.view.invitation(hash)?;
            self.invitations
                .insert(hash, found.map(|is| Entry { is, dirty: false }));
        }
        Ok(self.invitations[&hash].as_ref().map(|entry| entry.is))
    }

    pub(super) fn put_invitation(&mut self, is: Invitation) {
        self.invitations
            .insert(is.hash, Some(Entry { is, dirty: true }));
    }
}
