//! The reference store: everything in memory, nothing clever, and the measure of all others.
//!
//! The simulator's nodes share one; the server's memory store wraps one; the contract suite
//! compares the rest with it. It never forgets and is never durable.

use std::collections::{BTreeMap, BTreeSet};

use crate::aside::SettingsChange;
use crate::batch::{self, Ack, Decided, Outcome, Submission};
use crate::code::ErrorCode;
use crate::deed::{self, Change, Deed};
use crate::erasure::Erasure;
use crate::event::Event;
use crate::fold;
use crate::ids::{Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::marker::{self, Mark, Marked, Trails};
use crate::rate::Rate;
use crate::room::{Member, MemberState, Range, Room};
use crate::view::View;
use crate::wire::{Blocks, Profile, Settings};

use self::avatars::Avatars;

mod avatars;
mod estate;
mod own;
mod view;

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// One for each item, in order.
    pub outcomes: Vec<Outcome>,
    /// The new events, in the order of their items.
    pub events: Vec<Event>,
    /// The store's position with them.
    pub position: Position,
}

#[derive(Debug, Clone)]
struct Log {
    room: Room,
    events: BTreeMap<Seq, (Event, u64)>,
    members: BTreeMap<UserId, (Member, Position)>,
    changed: Position,
}

/// All rooms, logs, members and people of one store.
#[derive(Debug, Clone)]
pub struct Ledger {
    epoch: Epoch,
    position: Position,
    logs: BTreeMap<RoomId, Log>,
    keys: BTreeMap<(Key, UserId, RoomId), (u64, Ack)>,
    rooms_of: BTreeMap<UserId, BTreeSet<RoomId>>,
    people: BTreeMap<UserId, Profile>,
    settings: BTreeMap<UserId, Settings>,
    blocks: BTreeMap<UserId, (Blocks, Position)>,
    seen: BTreeMap<UserId, Millis>,
    trails: BTreeMap<(RoomId, UserId), Trails>,
    invites: BTreeMap<InviteHash, Invitation>,
    avatars: Avatars,
    hidden: BTreeMap<(RoomId, UserId), BTreeSet<Seq>>,
    rates: BTreeMap<UserId, Rate>,
    erasures: Vec<Erasure>,
    /// Heads as the present node believes them; only the planted fault reads it.
    node_heads: BTreeMap<(u64, RoomId), Seq>,
    node: u64,
}

impl Ledger {
    /// An empty store with its first life.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            position: Position(0),
            logs: BTreeMap::new(),
            keys: BTreeMap::new(),
            rooms_of: BTreeMap::new(),
            people: BTreeMap::new(),
            settings: BTreeMap::new(),
            blocks: BTreeMap::new(),
            seen: BTreeMap::new(),
            trails: BTreeMap::new(),
            invites: BTreeMap::new(),
            avatars: Avatars::default(),
            hidden: BTreeMap::new(),
            rates: BTreeMap::new(),
            erasures: Vec::new(),
            node_heads: BTreeMap::new(),
            node: 0,
        }
    }

    /// Adds or changes somebody.
    pub fn put_profile(&mut self, profile: Profile) {
        self.people.insert(profile.id, profile);
    }

    /// Changes what somebody shows of themselves.
    pub fn set(&mut self, user: UserId, change: SettingsChange) -> Settings {
        if self.is_deleted(user) {
            return Settings::default();
        }
        let settings = change.of(self.settings.get(&user).copied().unwrap_or_default());
        if !settings.is_new() {
            self.settings.insert(user, settings);
        }
        settings
    }

    /// Keeps when people went offline; earlier than known changes nothing.
    pub fn saw(&mut self, seen: &[(UserId, Millis)]) {
        for (user, at) in seen {
            if self.is_deleted(*user) {
                continue;
            }
            let kept = self.seen.entry(*user).or_insert(*at);
            *kept = (*kept).max(*at);
        }
    }

    /// Decides and does what is written beside the logs; `drawn` is for an invitation.
    ///
    /// # Errors
    /// The refusal: then nothing has changed.
    pub fn perform(
        &mut self,
        user: UserId,
        deed: &Deed,
        drawn: InviteHash,
        now: Millis,
    ) -> Result<Change, ErrorCode> {
        let Ok(decided) = deed::decide(&*self, user, deed, drawn, now);
        let change = decided?;
        match &change {
            Change::Invited(invitation) => {
                let room = invitation.room;
                self.invites
                    .retain(|_hash, kept| kept.room != room || kept.is_good(now));
                self.invites.insert(invitation.hash, *invitation);
            }
            Change::Revoked(hash) => {
                self.invites.remove(hash);
            }
            Change::Rated(user, Some(rate)) => {
                self.rates.insert(*user, *rate);
            }
            Change::Rated(user, None) => {
                self.rates.remove(user);
            }
        }
        self.position.0 += 1;
        Ok(change)
    }

    /// Names the node that commits next; matters to a planted fault alone.
    pub fn set_node(&mut self, node: u64) {
        self.node = node;
    }

    /// Decides and stores a batch as one transaction.
    pub fn append(&mut self, items: &[Submission], now: Millis) -> Committed {
        let Ok(decided) = batch::decide(&*self, items, now);
        self.store(decided)
    }

    /// Stores what was decided, as one transaction.
    fn store(&mut self, decided: Decided) -> Committed {
        if decided.appended.is_empty() {
            return Committed {
                outcomes: decided.outcomes,
                events: Vec::new(),
                position: self.position,
            };
        }
        self.position.0 += 1;
        for room in decided.rooms {
            self.node_heads.insert((self.node, room.id), room.head);
            let position = self.position;
            self.logs
                .entry(room.id)
                .and_modify(|log| {
                    log.room = room.clone();
                    log.changed = position;
                })
                .or_insert_with(|| Log {
                    room,
                    events: BTreeMap::new(),
                    members: BTreeMap::new(),
                    changed: position,
                });
        }
        for (id, member) in decided.members {
            // Also whoever has come and gone within this batch: their devices hear of it.
            self.rooms_of.entry(member.user).or_default().insert(id);
            let log = self
                .logs
                .get_mut(&id)
                .expect("a member's room is stored before");
            log.members.insert(member.user, (member, self.position));
        }
        for invitation in decided.invitations {
            if invitation.uses_left == 0 {
                self.invites.remove(&invitation.hash);
            } else {
                self.invites.insert(invitation.hash, invitation);
            }
        }
        self.hang(&decided.hung);
        let mut events = Vec::new();
        for appended in decided.appended {
            self.insert(appended.event.clone(), appended.hash);
            events.push(appended.event);
        }
        Committed {
            outcomes: decided.outcomes,
            events,
            position: self.position,
        }
    }

    /// Stores an event of a room that is there, and empties what it redacts.
    fn insert(&mut self, event: Event, hash: u64) {
        let Event {
            room, seq, msg_no, ..
        } = event;
        let ts = event.ts;
        let ack = Ack {
            room,
            seq,
            msg_no,
            ts,
        };
        self.keys
            .insert((event.key, event.from.0, room), (hash, ack));
        let log = self.logs.get_mut(&room).expect("the room is stored before");
        fold::empty(log.events.values_mut().map(|(event, _hash)| event), &event);
        log.events.insert(seq, (event, hash));
    }

    /// Raises markers at `at`; none for rooms that the user was never in.
    pub fn mark(&mut self, marks: &[Mark], at: Millis) -> Vec<Option<Marked>> {
        let next = Position(self.position.0 + 1);
        let mut rose = false;
        let mut out = Vec::new();
        for mark in marks {
            let log = self.logs.get_mut(&mark.room);
            out.push(log.and_then(|log| {
                let (member, changed) = log.members.get_mut(&mark.user)?;
                let marked = marker::raise(&log.room, member, mark);
                if marked.rose() {
                    *changed = next;
                    rose = true;
                    let slot = (mark.room, mark.user);
                    self.trails.entry(slot).or_default().step(&marked, at);
                }
                Some(marked)
            }));
        }
        if rose {
            self.position = next;
        }
        out
    }

    /// Raw events of a range, for a node that fills a gap.
    #[must_use]
    pub fn range(&self, room: RoomId, range: Range, limit: usize) -> Vec<Event> {
        let Ok(events) = self.events(room, range, limit);
        events
    }

    fn in_range(&self, room: RoomId, range: Range) -> impl DoubleEndedIterator<Item = &Event> {
        let log = self.logs.get(&room);
        log.into_iter()
            .flat_map(move |log| log.events.range(range.from..=range.to))
            .map(|(_seq, (event, _hash))| event)
    }

    fn is_asked(&self, user: UserId, room: RoomId) -> bool {
        let row = self.logs.get(&room).and_then(|log| log.members.get(&user));
        row.is_some_and(|row| row.0.state == MemberState::Invited)
    }

    fn rooms_where_in(&self, user: UserId) -> impl Iterator<Item = &Log> {
        self.rooms_of
            .get(&user)
            .into_iter()
            .flatten()
            .filter_map(|id| self.logs.get(id))
            .filter(move |log| log.members.get(&user).is_some_and(|row| row.0.is_in()))
    }
}
