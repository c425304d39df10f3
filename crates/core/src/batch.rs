//! What a batch of commands does to the logs: who is answered how, and which events follow.
//!
//! Called inside the transaction that stores the result (contract 1 and 2): key first, then
//! membership, then the number. Items see the effect of earlier ones. A refusal is a value; one
//! bad item never fails its batch.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::code::ErrorCode;
use crate::event::{Author, BODY_VERSION, Body, Event, MemberBody, RoomBody, TextBody};
use crate::ids::{Key, Millis, RoomId, Seq, UserId};
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::room::{self, Act, HistoryFrom, Member, MemberState, Role, Room, RoomKind};
use crate::view::View;

/// A command as every door makes it (design, decision 10): who, under which key, what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Who: from the session, never from the payload.
    pub from: UserId,
    /// Idempotency key.
    pub key: Key,
    /// What.
    pub command: Command,
}

/// A writing command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// A message.
    Send {
        /// Where.
        room: RoomId,
        /// What.
        text: String,
    },
    /// A new group or public room.
    Create {
        /// Which of the two.
        kind: RoomKind,
        /// Its name.
        name: String,
    },
    /// The direct room with somebody.
    Direct {
        /// The other one.
        user: UserId,
    },
    /// Come in.
    Join {
        /// Where.
        room: RoomId,
    },
    /// Go.
    Leave {
        /// Where.
        room: RoomId,
    },
    /// Let somebody in.
    Add {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
    /// Send somebody away.
    Remove {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
    },
}

impl Submission {
    /// The room whose log it would write to.
    #[must_use]
    pub fn room(&self) -> RoomId {
        match &self.command {
            Command::Send { room, .. }
            | Command::Join { room }
            | Command::Leave { room }
            | Command::Add { room, .. }
            | Command::Remove { room, .. } => *room,
            Command::Create { .. } => RoomId::created(self.from, self.key),
            Command::Direct { user } => RoomId::direct(self.from, *user),
        }
    }

    /// Eight bytes of SHA-256 over the command as decoded: tells a replay from a conflict.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let text = serde_json::to_vec(&self.command).expect("commands hold only strings and ids");
        let digest = Sha256::digest(&text);
        u64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Where a command's event stands. A replay gets the first one again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The room.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// Messages up to and with it.
    pub msg_no: u64,
    /// The label.
    pub ts: Millis,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log now.
    Done(Ack),
    /// It was there already.
    Replayed(Ack),
    /// It is not, and this is why.
    Refused(ErrorCode),
}

/// An event to insert, with the hash of its command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The event.
    pub event: Event,
    /// See [`Submission::hash`].
    pub hash: u64,
}

/// What to answer and what to store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decided {
    /// One for each item, in order.
    pub outcomes: Vec<Outcome>,
    /// Events, in the order of their items.
    pub appended: Vec<Appended>,
    /// Rooms that are new or have a new head.
    pub rooms: Vec<Room>,
    /// Rows that are new or changed.
    pub members: Vec<(RoomId, Member)>,
}

/// Decides `items` in order over what the transaction sees.
///
/// # Errors
/// Only the view's: then nothing may be stored.
pub fn decide<V: View + ?Sized>(
    view: &V,
    items: &[Submission],
    now: Millis,
) -> Result<Decided, V::Error> {
    let mut batch = Batch {
        view,
        now,
        rooms: BTreeMap::new(),
        members: BTreeMap::new(),
        keys: BTreeMap::new(),
        entered: BTreeMap::new(),
        author_version: 0,
        out: Decided::default(),
    };
    for item in items {
        let outcome = match batch.item(item)? {
            Ok(outcome) => outcome,
            Err(code) => Outcome::Refused(code),
        };
        batch.out.outcomes.push(outcome);
    }
    let Batch {
        rooms,
        members,
        mut out,
        ..
    } = batch;
    out.rooms = rooms
        .into_values()
        .flatten()
        .filter(|entry| entry.dirty)
        .map(|e| e.is)
        .collect();
    for ((room, _user), entry) in members {
        out.members.extend(
            entry
                .filter(|entry| entry.dirty)
                .map(|entry| (room, entry.is)),
        );
    }
    Ok(out)
}

/// A row as this batch sees it, and whether it must be written.
#[derive(Clone)]
struct Entry<T> {
    is: T,
    dirty: bool,
}

struct Batch<'a, V: View + ?Sized> {
    view: &'a V,
    now: Millis,
    rooms: BTreeMap<RoomId, Option<Entry<Room>>>,
    members: BTreeMap<(RoomId, UserId), Option<Entry<Member>>>,
    keys: BTreeMap<(Key, UserId, RoomId), (u64, Ack)>,
    /// Rooms entered less rooms left in this batch, by user.
    entered: BTreeMap<UserId, i64>,
    /// The profile version of the present item's sender.
    author_version: u64,
    out: Decided,
}

type Verdict<E> = Result<Result<Outcome, ErrorCode>, E>;

/// Leaves the item with a refusal, or goes on with the value.
macro_rules! or_refuse {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(code) => return Ok(Err(code)),
        }
    };
}

impl<V: View + ?Sized> Batch<'_, V> {
    fn item(&mut self, item: &Submission) -> Verdict<V::Error> {
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
        self.author_version = author.version;
        match &item.command {
            Command::Create { kind, name } => self.create(item, *kind, name),
            Command::Direct { user } => self.direct(item, *user),
            Command::Send { text, .. } => {
                or_refuse!(self.may(Act::Send, room, item.from, None)?);
                self.append(item, room, Body::Message(TextBody { text: text.clone() }))
            }
            Command::Join { .. } => {
                or_refuse!(self.may(Act::Join, room, item.from, None)?);
                self.turn(item, room, item.from, MemberState::Joined)
            }
            Command::Leave { .. } => {
                or_refuse!(self.may(Act::Leave, room, item.from, None)?);
                self.turn(item, room, item.from, MemberState::Left)
            }
            Command::Add { user, .. } => {
                or_refuse!(self.may(Act::Add, room, item.from, Some(*user))?);
                if self.view.profile(*user)?.is_none() {
                    return Ok(Err(ErrorCode::NotFound));
                }
                self.turn(item, room, *user, MemberState::Joined)
            }
            Command::Remove { user, .. } => {
                or_refuse!(self.may(Act::Remove, room, item.from, Some(*user))?);
                self.turn(item, room, *user, MemberState::Removed)
            }
        }
    }

    /// Planted: keys that are forgotten after five seconds.
    fn forgotten(&self, ts: Millis) -> bool {
        mutant::active(Mutant::DedupeForgets) && self.now.0 - ts.0 > 5_000
    }

    fn create(&mut self, item: &Submission, kind: RoomKind, name: &str) -> Verdict<V::Error> {
        let id = RoomId::created(item.from, item.key);
        or_refuse!(self.room_left(item.from)?);
        let history = match kind {
            RoomKind::Public => HistoryFrom::Beginning,
            RoomKind::Group | RoomKind::Direct => HistoryFrom::Joining,
        };
        let body = RoomBody {
            kind,
            name: Some(name.to_owned()),
            history,
            members: vec![(item.from, Role::Owner)],
        };
        self.found(item, id, body)
    }

    fn direct(&mut self, item: &Submission, user: UserId) -> Verdict<V::Error> {
        if user == item.from {
            return Ok(Err(ErrorCode::SelfDirect));
        }
        let id = RoomId::direct(item.from, user);
        if let Some(room) = self.room(id)? {
            // Found, not doubled: the answer is the same for both, whoever was first.
            let ack = Ack {
                room: id,
                seq: Seq(1),
                msg_no: 0,
                ts: room.created,
            };
            return Ok(Ok(Outcome::Replayed(ack)));
        }
        if self.view.profile(user)?.is_none() {
            return Ok(Err(ErrorCode::NotFound));
        }
        or_refuse!(self.room_left(item.from)?);
        or_refuse!(self.room_left(user)?);
        let body = RoomBody {
            kind: RoomKind::Direct,
            name: None,
            history: HistoryFrom::Beginning,
            members: vec![(item.from, Role::Member), (user, Role::Member)],
        };
        self.found(item, id, body)
    }

    /// The first event of a room lets its first members in.
    fn found(&mut self, item: &Submission, id: RoomId, body: RoomBody) -> Verdict<V::Error> {
        let room = Room {
            id,
            kind: body.kind,
            name: body.name.clone(),
            history: body.history,
            head: Seq::ZERO,
            msg_no: 0,
            floor: Seq(1),
            members: body.members.len() as u32,
            created: self.now,
        };
        self.rooms.insert(
            id,
            Some(Entry {
                is: room,
                dirty: true,
            }),
        );
        for (user, role) in &body.members {
            let member = Member::joining(*user, *role, Seq(1));
            self.members.insert(
                (id, *user),
                Some(Entry {
                    is: member,
                    dirty: true,
                }),
            );
            *self.entered.entry(*user).or_default() += 1;
        }
        self.append(item, id, Body::Room(body))
    }

    /// Lets `user` in or out by an event.
    fn turn(
        &mut self,
        item: &Submission,
        id: RoomId,
        user: UserId,
        state: MemberState,
    ) -> Verdict<V::Error> {
        let mut room = self.room(id)?.expect("policy has looked at the room");
        let at = room.head.next();
        let row = self.member(id, user)?;
        let role = match &row {
            Some(member) if state != MemberState::Joined => member.role,
            _ => Role::Member,
        };
        let member = match (row, state) {
            (Some(mut member), MemberState::Joined) => {
                member.enter(role, at);
                member
            }
            (None, MemberState::Joined) => Member::joining(user, role, at),
            (Some(mut member), MemberState::Left | MemberState::Removed) => {
                member.go(state, at);
                member
            }
            (None, MemberState::Left | MemberState::Removed) => {
                return Ok(Err(ErrorCode::NotMember));
            }
        };
        if state == MemberState::Joined {
            or_refuse!(self.room_left(user)?);
            room.members += 1;
            *self.entered.entry(user).or_default() += 1;
        } else {
            room.members -= 1;
            *self.entered.entry(user).or_default() -= 1;
        }
        self.members.insert(
            (id, user),
            Some(Entry {
                is: member,
                dirty: true,
            }),
        );
        self.rooms.insert(
            id,
            Some(Entry {
                is: room,
                dirty: true,
            }),
        );
        self.append(item, id, Body::Member(MemberBody { user, state, role }))
    }

    /// Gives the next number and keeps the event.
    fn append(&mut self, item: &Submission, id: RoomId, body: Body) -> Verdict<V::Error> {
        let mut room = self.room(id)?.expect("policy has looked at the room");
        room.head = room.head.next();
        room.msg_no += u64::from(body.is_message());
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
            target: None,
            body,
        };
        let hash = item.hash();
        self.rooms.insert(
            id,
            Some(Entry {
                is: room,
                dirty: true,
            }),
        );
        self.keys.insert((item.key, item.from, id), (hash, ack));
        self.out.appended.push(Appended { event, hash });
        Ok(Ok(Outcome::Done(ack)))
    }

    fn may(
        &mut self,
        act: Act,
        id: RoomId,
        actor: UserId,
        other: Option<UserId>,
    ) -> Result<Result<(), ErrorCode>, V::Error> {
        let Some(room) = self.room(id)? else {
            return Ok(Err(ErrorCode::NotFound));
        };
        let actor = self.member(id, actor)?;
        let other = match other {
            Some(user) => self.member(id, user)?,
            None => None,
        };
        let joined_once = act == Act::Send && actor.is_some();
        if joined_once && mutant::active(Mutant::AuthorisedAtJoinOnly) {
            return Ok(Ok(()));
        }
        Ok(room::allowed(act, &room, actor.as_ref(), other.as_ref()))
    }

    fn room_left(&mut self, user: UserId) -> Result<Result<(), ErrorCode>, V::Error> {
        let stored = self.view.rooms_in(user)? as i64;
        let entered = self.entered.get(&user).copied().unwrap_or(0);
        let full = stored + entered >= limits::ROOMS_PER_USER_MAX as i64;
        Ok(if full {
            Err(ErrorCode::TooManyRooms)
        } else {
            Ok(())
        })
    }

    fn room(&mut self, id: RoomId) -> Result<Option<Room>, V::Error> {
        if !self.rooms.contains_key(&id) {
            let found = self.view.room(id)?;
            self.rooms
                .insert(id, found.map(|is| Entry { is, dirty: false }));
        }
        Ok(self.rooms[&id].as_ref().map(|entry| entry.is.clone()))
    }

    fn member(&mut self, id: RoomId, user: UserId) -> Result<Option<Member>, V::Error> {
        let slot = (id, user);
        if !self.members.contains_key(&slot) {
            let found = self.view.member(id, user)?;
            self.members
                .insert(slot, found.map(|is| Entry { is, dirty: false }));
        }
        Ok(self.members[&slot].as_ref().map(|entry| entry.is.clone()))
    }
}
