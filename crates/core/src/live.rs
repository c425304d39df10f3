//! Live delivery: who is connected, in which rooms, and what each connection has been shown.
//!
//! A connection is syncing (events are kept in one ring for all that sync), live, or behind
//! (contract 3 and 7). Membership acts here in seq order: "removed at k" reaches the removed
//! user and ends the subscription before k+1 is looked at. Driven by `shard`.

mod conns;
mod people;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::event::{Run, Shared, Turn};
use crate::ids::{Position, RoomId, Seq, UserId};
use crate::limits;

use self::conns::{Conn, Conns, Mode, Place};

/// A socket of this node; never on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Where deliveries go: the outboxes of one shard.
pub trait Outlet {
    /// Queues an event for a connection. `false`: its outbox was full, has been emptied, and the
    /// client is being told that it is behind.
    fn event(&mut self, to: ConnId, event: &Arc<Shared>) -> bool;

    /// Queues a whole run; `false` as with an event.
    fn run(&mut self, to: ConnId, run: &Run) -> bool {
        run.events().iter().all(|event| self.event(to, event))
    }

    /// Queues `caught_up`, behind everything that it vouches for. `false` as with an event.
    fn caught_up(&mut self, to: ConnId, position: Position) -> bool;

    /// More happened than can be kept for this connection while it syncs: empties its outbox
    /// and tells the client that it is behind.
    fn behind(&mut self, to: ConnId);
}

#[derive(Debug, Default)]
struct User {
    conns: Vec<ConnId>,
    rooms: BTreeSet<RoomId>,
    /// A connection of theirs has been live.
    online: bool,
}

/// Connections, users and rooms of one shard.
#[derive(Debug, Default)]
pub struct Live {
    conns: Conns,
    users: BTreeMap<UserId, User>,
    rooms: BTreeMap<RoomId, Vec<Place>>,
    /// Released events since the oldest syncing connection registered.
    ring: VecDeque<Arc<Shared>>,
    ring_start: u64,
    ring_bytes: usize,
    syncing: usize,
    /// Fell behind in a delivery.
    fallen: Vec<ConnId>,
}

impl Live {
    /// Step (a): from here on everything released is kept for `conn`.
    pub fn register(&mut self, conn: ConnId, user: UserId) {
        let from = self.ring_start + self.ring.len() as u64;
        self.syncing += 1;
        if let Some(known) = self.conns.get_mut(conn) {
            if let Mode::Syncing { .. } = known.mode {
                self.syncing -= 1;
            }
            known.mode = Mode::Syncing { from };
            known.shown.clear();
            known.missed.clear();
            return;
        }
        let mode = Mode::Syncing { from };
        let place = self.conns.insert(Conn {
            id: conn,
            user,
            mode,
            shown: BTreeMap::new(),
            missed: BTreeSet::new(),
            position: Position(0),
        });
        let known = self.users.entry(user).or_default();
        known.conns.push(conn);
        for room in &known.rooms {
            self.rooms.entry(*room).or_default().push(place);
        }
    }

    /// Forgets a connection; `idle` gets the rooms that nobody here is in any more.
    pub fn unregister(&mut self, conn: ConnId, idle: &mut Vec<RoomId>) {
        let Some((place, gone)) = self.conns.remove(conn) else {
            return;
        };
        if let Mode::Syncing { .. } = gone.mode {
            self.synced();
        }
        let Some(user) = self.users.get_mut(&gone.user) else {
            return;
        };
        user.conns.retain(|other| *other != conn);
        for room in &user.rooms {
            leave(&mut self.rooms, *room, place, idle);
        }
        if user.conns.is_empty() {
            self.users.remove(&gone.user);
        }
    }

    /// Whether anybody is syncing.
    #[must_use]
    pub fn anybody_syncing(&self) -> bool {
        self.syncing > 0
    }

    /// Whether `user` has a connection here.
    #[must_use]
    pub fn has_user(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// Whether somebody here is in `room`.
    #[must_use]
    pub fn has_room(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Whether `user` is known to be in `room`.
    #[must_use]
    pub fn is_in(&self, user: UserId, room: RoomId) -> bool {
        self.users
            .get(&user)
            .is_some_and(|user| user.rooms.contains(&room))
    }

    /// Whether a connection of `user` is syncing.
    #[must_use]
    pub fn is_syncing(&self, user: UserId) -> bool {
        let mut conns = self.connections(user).iter();
        conns.any(|conn| {
            let entry = self.conns.get(*conn);
            entry.is_some_and(|entry| matches!(entry.mode, Mode::Syncing { .. }))
        })
    }

    /// Whether a connection is live.
    #[must_use]
    pub fn is_live(&self, conn: ConnId) -> bool {
        let entry = self.conns.get(conn);
        entry.is_some_and(|entry| entry.mode == Mode::Live)
    }

    /// The user of a connection.
    #[must_use]
    pub fn user_of(&self, conn: ConnId) -> Option<UserId> {
        self.conns.get(conn).map(|conn| conn.user)
    }

    /// The connections of a user.
    #[must_use]
    pub fn connections(&self, user: UserId) -> &[ConnId] {
        self.users.get(&user).map_or(&[], |user| &user.conns)
    }

    /// How many connections and users there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.conns.len(), self.users.len())
    }

    /// Step (c): the snapshot has shown `conn` these rooms up to these heads. The user is
    /// subscribed where `released` says nothing newer. Returns the user's other live
    /// connections that have not been told of a room which this snapshot lets them into: they
    /// must sync again. `None` if not all that happened since registering was kept.
    pub fn shown(
        &mut self,
        conn: ConnId,
        heads: &[(RoomId, Seq)],
        released: impl Fn(RoomId) -> Option<Seq>,
    ) -> Option<BTreeSet<ConnId>> {
        let Mode::Syncing { from } = self.conns.get(conn)?.mode else {
            return None;
        };
        if from < self.ring_start || !self.covers(from, heads, &released) {
            return None;
        }
        let entry = self.conns.get_mut(conn)?;
        let user = entry.user;
        entry.shown = heads.iter().copied().collect();
        let mut untold = BTreeSet::new();
        for (room, head) in heads {
            if self.is_in(user, *room) {
                continue;
            }
            // The feed may have passed the snapshot: what it did since stands in the ring.
            let mut inside = true;
            if released(*room).is_some_and(|released| released > *head) {
                for event in self.kept(from) {
                    if event.event.room == *room && event.event.seq > *head {
                        event.event.turns(|turn| match turn {
                            Turn::In(who) if who == user => inside = true,
                            Turn::Out(who) if who == user => inside = false,
                            Turn::In(_) | Turn::Out(_) => {}
                        });
                    }
                }
            }
            if inside {
                self.enter(user, *room);
                self.tell_apart(conn, user, *room, &mut untold);
            }
        }
        Some(untold)
    }

    /// Whether everything between the snapshot and the feed is kept: not so where a later
    /// snapshot of somebody else began to follow a room beyond this one.
    fn covers(
        &self,
        from: u64,
        heads: &[(RoomId, Seq)],
        released: impl Fn(RoomId) -> Option<Seq>,
    ) -> bool {
        let mut between: BTreeMap<RoomId, (Seq, u64)> = BTreeMap::new();
        for (room, head) in heads {
            if let Some(ahead) = released(*room).filter(|released| released > head) {
                between.insert(*room, (*head, ahead.0 - head.0));
            }
        }
        if between.is_empty() {
            return true;
        }
        for event in self.kept(from) {
            if let Some((head, left)) = between.get_mut(&event.event.room)
                && event.event.seq > *head
            {
                *left = left.saturating_sub(1);
            }
        }
        between.values().all(|(_head, left)| *left == 0)
    }

    /// A snapshot of `conn` alone has let `user` into `room`. The event that did so may never be
    /// released here, and events before it are not theirs to see: other connections of the user
    /// must find out by a snapshot of their own.
    fn tell_apart(
        &mut self,
        conn: ConnId,
        user: UserId,
        room: RoomId,
        untold: &mut BTreeSet<ConnId>,
    ) {
        let known = self.users.get(&user).into_iter();
        for other in known.flat_map(|user| &user.conns) {
            let entry = self.conns.get_mut(*other).filter(|_entry| *other != conn);
            match entry.as_ref().map(|entry| entry.mode) {
                Some(Mode::Live) => {
                    untold.insert(*other);
                }
                Some(Mode::Syncing { .. }) => {
                    entry.expect("it has a mode").missed.insert(room);
                }
                Some(Mode::Behind) | None => {}
            }
        }
    }

    fn kept(&self, from: u64) -> impl Iterator<Item = &Arc<Shared>> {
        self.ring
            .iter()
            .skip(usize::try_from(from - self.ring_start).unwrap_or(usize::MAX))
    }

    /// Steps (e) and (f): shows `conn` what was kept for it, less what the snapshot showed, and
    /// lets it go live. Says whether it did.
    pub fn flush(
        &mut self,
        conn: ConnId,
        position: Position,
        released: impl Fn(RoomId) -> Option<Seq>,
        outlet: &mut impl Outlet,
    ) -> bool {
        let Some(entry) = self.conns.get(conn) else {
            return false;
        };
        let Mode::Syncing { from } = entry.mode else {
            return false;
        };
        let kept = from >= self.ring_start;
        let told = kept.then(|| self.replay(conn, entry, from, outlet));
        let complete = match told {
            // Too little was kept, or a room was opened that this snapshot did not show yet.
            None => {
                outlet.behind(conn);
                false
            }
            Some(Some(told)) if !entry.missed.is_subset(&told) => {
                outlet.behind(conn);
                false
            }
            Some(Some(_told)) => outlet.caught_up(conn, position),
            Some(None) => false,
        };
        let entry = self.conns.get_mut(conn).expect("it was there above");
        entry.mode = if complete { Mode::Live } else { Mode::Behind };
        entry.position = position;
        if complete && let Some(user) = self.users.get_mut(&entry.user) {
            user.online = true;
        }
        // Where the feed has passed the snapshot there is nothing left to compare with.
        entry
            .shown
            .retain(|room, head| released(*room).is_none_or(|seq| seq < *head));
        self.synced();
        complete
    }

    /// The rooms that `conn` has been told of; none if it has fallen behind.
    fn replay(
        &self,
        conn: ConnId,
        entry: &Conn,
        from: u64,
        outlet: &mut impl Outlet,
    ) -> Option<BTreeSet<RoomId>> {
        let mut inside: BTreeSet<RoomId> = entry.shown.keys().copied().collect();
        let mut told = inside.clone();
        for event in self.kept(from) {
            let room = event.event.room;
            if entry
                .shown
                .get(&room)
                .is_some_and(|head| event.event.seq <= *head)
            {
                continue;
            }
            let mut out = false;
            event.event.turns(|turn| match turn {
                Turn::In(user) if user == entry.user => {
                    inside.insert(room);
                    told.insert(room);
                }
                Turn::Out(user) if user == entry.user => out = true,
                Turn::In(_) | Turn::Out(_) => {}
            });
            if inside.contains(&room) && !outlet.event(conn, event) {
                return None;
            }
            if out {
                inside.remove(&room);
            }
        }
        Some(told)
    }

    fn synced(&mut self) {
        self.syncing -= 1;
        if self.syncing == 0 {
            self.ring_start += self.ring.len() as u64;
            self.ring.clear();
            self.ring_bytes = 0;
        }
    }

    /// A snapshot cannot be had or is too old: `conn` is behind and must sync again.
    pub fn give_up(&mut self, conn: ConnId) {
        let Some(entry) = self.conns.get_mut(conn) else {
            return;
        };
        let was = std::mem::replace(&mut entry.mode, Mode::Behind);
        if let Mode::Syncing { .. } = was {
            self.synced();
        }
    }

    /// Delivers released events to everybody who may have them; `idle` gets their room if nobody
    /// here is in it afterwards.
    pub fn deliver(&mut self, run: &Run, outlet: &mut impl Outlet, idle: &mut Vec<RoomId>) {
        let events = run.events();
        let Some(room) = events.first().map(|first| first.event.room) else {
            return;
        };
        let mut out: Vec<UserId> = Vec::new();
        let mut entering: Vec<UserId> = Vec::new();
        for event in events {
            event.event.turns(|turn| match turn {
                Turn::In(user) => entering.push(user),
                Turn::Out(user) => out.push(user),
            });
        }
        for user in entering {
            if self.has_user(user) {
                self.enter(user, room);
            }
        }
        for place in self.rooms.get(&room).into_iter().flatten() {
            let entry = self.conns.at(*place);
            if entry.mode != Mode::Live {
                continue;
            }
            let news = entry.news(room, events);
            let took = if news.len() == events.len() {
                outlet.run(entry.id, run)
            } else {
                news.iter().all(|event| outlet.event(entry.id, event))
            };
            if !took {
                entry.mode = Mode::Behind;
                self.fallen.push(entry.id);
            }
        }
        for user in out {
            self.go(user, room, idle);
        }
        if !self.has_room(room) {
            idle.push(room);
        }
        if self.syncing > 0 {
            events.iter().for_each(|event| self.keep(event));
        }
    }

    fn keep(&mut self, event: &Arc<Shared>) {
        self.ring_bytes += event.weight();
        self.ring.push_back(event.clone());
        let full = |live: &Self| {
            live.ring.len() > limits::RING_EVENTS_MAX || live.ring_bytes > limits::RING_BYTES_MAX
        };
        while full(self) {
            let Some(oldest) = self.ring.pop_front() else {
                break;
            };
            self.ring_bytes -= oldest.weight();
            self.ring_start += 1;
        }
    }

    fn enter(&mut self, user: UserId, room: RoomId) {
        let Some(known) = self.users.get_mut(&user) else {
            return;
        };
        if known.rooms.insert(room) {
            let places = known.conns.iter().map(|conn| self.conns.place(*conn));
            self.rooms.entry(room).or_default().extend(places);
        }
    }

    fn go(&mut self, user: UserId, room: RoomId, idle: &mut Vec<RoomId>) {
        let Some(known) = self.users.get_mut(&user) else {
            return;
        };
        if known.rooms.remove(&room) {
            for conn in &known.conns {
                leave(&mut self.rooms, room, self.conns.place(*conn), idle);
            }
        }
    }

    /// The position to tell `conn` now that everything up to `vouched` has been delivered: none
    /// unless it is live and this is news to it.
    pub fn vouch(&mut self, conn: ConnId, vouched: Position) -> Option<Position> {
        let entry = self.conns.get_mut(conn)?;
        if entry.mode != Mode::Live || vouched <= entry.position {
            return None;
        }
        entry.position = vouched;
        Some(vouched)
    }
}

fn leave(
    rooms: &mut BTreeMap<RoomId, Vec<Place>>,
    room: RoomId,
    place: Place,
    idle: &mut Vec<RoomId>,
) {
    let Some(conns) = rooms.get_mut(&room) else {
        return;
    };
    if let Some(at) = conns.iter().position(|other| *other == place) {
        conns.swap_remove(at);
    }
    if conns.is_empty() {
        rooms.remove(&room);
        idle.push(room);
    }
}
