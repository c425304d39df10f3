//! The reference store: everything in memory, nothing clever, and the measure of all others.
//!
//! The simulator's nodes share one; the server's memory store wraps one; the contract suite
//! compares the rest with it. It never forgets and is never durable.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use crate::batch::{self, Ack, Outcome, Submission};
use crate::event::{Body, Event, Mention};
use crate::fold;
use crate::ids::{Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use crate::marker::{self, Mark, Marked};
use crate::mutant::{self, Mutant};
use crate::name;
use crate::room::{Member, Range, Role, Room, RoomKind};
use crate::view::{Changes, View};
use crate::wire::{DirectoryRow, Profile};

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
            node_heads: BTreeMap::new(),
            node: 0,
        }
    }

    /// Adds or changes somebody.
    pub fn put_profile(&mut self, profile: Profile) {
        self.people.insert(profile.id, profile);
    }

    /// Names the node that commits next; matters to a planted fault alone.
    pub fn set_node(&mut self, node: u64) {
        self.node = node;
    }

    /// Decides and stores a batch as one transaction.
    pub fn append(&mut self, items: &[Submission], now: Millis) -> Committed {
        let Ok(decided) = batch::decide(&*self, items, now);
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

    /// Puts an event at the end of its room's log as it is, for tests of kinds that no command
    /// makes yet. Its seq must be the next one.
    pub fn put_event(&mut self, event: Event) {
        self.position.0 += 1;
        let log = self.logs.get_mut(&event.room).expect("the room is there");
        assert_eq!(event.seq, log.room.head.next(), "logs are dense");
        log.room.head = event.seq;
        log.room.msg_no = event.msg_no;
        log.changed = self.position;
        self.insert(event, 0);
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

    /// Raises markers; none for rooms that the user was never in.
    pub fn mark(&mut self, marks: &[Mark]) -> Vec<Option<Marked>> {
        let next = Position(self.position.0 + 1);
        let mut rose = false;
        let mut out = Vec::new();
        for mark in marks {
            let log = self.logs.get_mut(&mark.room);
            out.push(log.and_then(|log| {
                let (member, changed) = log.members.get_mut(&mark.user)?;
                let marked = marker::raise(&log.room, member, mark);
                if marked.rose {
                    *changed = next;
                    rose = true;
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

    fn rooms_where_in(&self, user: UserId) -> impl Iterator<Item = &Log> {
        self.rooms_of
            .get(&user)
            .into_iter()
            .flatten()
            .filter_map(|id| self.logs.get(id))
            .filter(move |log| log.members.get(&user).is_some_and(|row| row.0.is_in()))
    }
}

impl View for Ledger {
    type Error = Infallible;

    fn epoch(&self) -> Result<Epoch, Infallible> {
        Ok(self.epoch)
    }

    fn position(&self) -> Result<Position, Infallible> {
        Ok(self.position)
    }

    fn replay(
        &self,
        key: Key,
        from: UserId,
        room: RoomId,
    ) -> Result<Option<(u64, Ack)>, Infallible> {
        Ok(self.keys.get(&(key, from, room)).copied())
    }

    fn room(&self, room: RoomId) -> Result<Option<Room>, Infallible> {
        let mut found = self.logs.get(&room).map(|log| log.room.clone());
        if mutant::active(Mutant::NodeCounter)
            && let (Some(room), Some(head)) = (&mut found, self.node_heads.get(&(self.node, room)))
        {
            room.head = *head;
        }
        Ok(found)
    }

    fn member(&self, room: RoomId, user: UserId) -> Result<Option<Member>, Infallible> {
        let row = self.logs.get(&room).and_then(|log| log.members.get(&user));
        Ok(row.map(|(member, _changed)| member.clone()))
    }

    fn profile(&self, user: UserId) -> Result<Option<Profile>, Infallible> {
        Ok(self.people.get(&user).cloned())
    }

    fn named(&self, name: &str) -> Result<Option<Profile>, Infallible> {
        let Ok(wanted) = name::name(name) else {
            return Ok(None);
        };
        Ok(self
            .people
            .values()
            .find(|person| name::name(&person.name).is_ok_and(|name| name.key() == wanted.key()))
            .cloned())
    }

    fn rooms_in(&self, user: UserId) -> Result<usize, Infallible> {
        Ok(self.rooms_where_in(user).count())
    }

    fn heads(&self, user: UserId) -> Result<Vec<(RoomId, Seq)>, Infallible> {
        Ok(self
            .rooms_where_in(user)
            .map(|log| (log.room.id, log.room.head))
            .collect())
    }

    fn changed(&self, user: UserId, since: Option<Position>) -> Result<Vec<RoomId>, Infallible> {
        let Some(since) = since else {
            return Ok(self.rooms_where_in(user).map(|log| log.room.id).collect());
        };
        let rooms = self.rooms_of.get(&user).into_iter().flatten();
        let changed = rooms.filter(|id| {
            let row = self
                .logs
                .get(id)
                .and_then(|log| Some((log, log.members.get(&user)?)));
            // Somebody who is out hears only of their own going.
            row.is_some_and(|(log, (member, own))| {
                *own > since || (member.is_in() && log.changed > since)
            })
        });
        Ok(changed.copied().collect())
    }

    fn event(&self, room: RoomId, seq: Seq) -> Result<Option<Event>, Infallible> {
        Ok(self
            .logs
            .get(&room)
            .and_then(|log| log.events.get(&seq))
            .map(|row| row.0.clone()))
    }

    fn events(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Infallible> {
        Ok(self.in_range(room, range).take(limit).cloned().collect())
    }

    fn lines(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Infallible> {
        let lines = self
            .in_range(room, range)
            .rev()
            .filter(|event| fold::has_line(&event.body));
        let mut lines: Vec<Event> = lines.take(limit).cloned().collect();
        lines.reverse();
        Ok(lines)
    }

    fn about(&self, room: RoomId, range: Range) -> Result<Vec<Event>, Infallible> {
        let later = Range {
            from: range.from,
            to: Seq(u64::MAX),
        };
        let about = self.in_range(room, later);
        Ok(about
            .filter(|event| event.target.is_some_and(|at| range.holds(at)))
            .cloned()
            .collect())
    }

    fn redacted(&self, room: RoomId, range: Range) -> Result<Vec<Seq>, Infallible> {
        let redactions = self
            .in_range(room, range)
            .filter(|event| matches!(event.body, Body::Redact(_)));
        Ok(redactions.filter_map(|event| event.target).collect())
    }

    fn countable(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Infallible> {
        let later = Range {
            from: range.from,
            to: Seq(u64::MAX),
        };
        let Ok(gone) = self.redacted(room, later);
        let messages = self.in_range(room, range).filter(|event| {
            event.body.is_message() && event.from.0 != user && !gone.contains(&event.seq)
        });
        Ok(messages
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .count() as u64)
    }

    fn reaction_kinds(&self, room: RoomId, target: Seq) -> Result<BTreeSet<String>, Infallible> {
        let Ok(about) = self.about(
            room,
            Range {
                from: target,
                to: target,
            },
        );
        let kinds = about.into_iter().filter_map(|event| match event.body {
            Body::Reaction(body) => Some(body.emoji),
            _ => None,
        });
        Ok(kinds.collect())
    }

    fn mentioned(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Infallible> {
        // A redaction takes the mentions out as well.
        let messages = self.in_range(room, range).filter(|event| {
            let calls = |mention: &Mention| match mention {
                Mention::Room => true,
                Mention::User(who) => *who == user,
            };
            event.from.0 != user && event.mentions.iter().any(calls)
        });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(messages.take(limit).count() as u64)
    }

    fn members(
        &self,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Role)>, Infallible> {
        let rows = self
            .logs
            .get(&room)
            .into_iter()
            .flat_map(|log| &log.members);
        let people = rows
            .filter(|(user, row)| row.0.is_in() && after.is_none_or(|after| **user > after))
            .map(|(user, row)| (*user, row.0.role));
        Ok(people.take(limit).collect())
    }

    fn directory(
        &self,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<DirectoryRow>, Infallible> {
        let rooms = self.logs.values().map(|log| &log.room).filter(|room| {
            room.kind == RoomKind::Public && after.is_none_or(|after| room.id > after)
        });
        let rows = rooms.map(|room| DirectoryRow {
            room: room.id,
            name: room.name.clone().unwrap_or_default(),
            members: room.members,
        });
        Ok(rows.take(limit).collect())
    }

    fn changes(&self, since: Position) -> Result<Changes, Infallible> {
        let mut changes = Changes {
            position: self.position,
            ..Changes::default()
        };
        for (id, log) in &self.logs {
            if log.changed > since {
                changes.rooms.push((*id, log.room.head));
            }
            for (user, (member, changed)) in &log.members {
                if *changed > since && member.is_in() {
                    changes.joined.push((*user, *id, member.since()));
                }
            }
        }
        Ok(changes)
    }
}
