//! A shard: the feed and the live connections of one thread, put together.
//!
//! Committed batches go in as one item each; events come out at the [`Outlet`], reads of gaps in
//! [`Wants`]. The server gives each thread one; the simulator gives each node one. Several
//! shards need nothing from each other, but for who is online: each knows its own users only.

mod beside;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Event, Run, Shared, Turn};
use crate::feed::{Feed, Flow};
use crate::ids::{Position, RoomId, Seq, Tick, UserId};
use crate::live::{ConnId, Live, Outlet};
use crate::mutant::{self, Mutant};
use crate::view::Changes;
use crate::watch::Watching;

/// Reads that the shard needs; each is answered by [`Shard::fetched`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Rooms and the seq after which their log is to be read.
    pub fetch: Vec<(RoomId, Seq)>,
}

/// Where committed events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This node's own commit.
    Local,
    /// The bus.
    Bus,
}

/// Feed and live delivery of one thread.
#[derive(Debug, Default)]
pub struct Shard {
    feed: Feed,
    live: Live,
    watching: Watching,
    flow: Flow,
    /// Rooms that nobody is in; untracked when nobody syncs.
    idle: Vec<RoomId>,
    /// Everything up to here has been delivered.
    vouched: Position,
    /// The next position to vouch for, and the rooms that must reach a head before.
    pending: Option<(Position, BTreeMap<RoomId, Seq>)>,
}

impl Shard {
    /// A shard without connections: everything up to `position` is delivered to nobody.
    #[must_use]
    pub fn starting_at(position: Position) -> Self {
        Self {
            vouched: position,
            ..Self::default()
        }
    }

    /// Step (a) of connecting, and of `sync` on the same socket.
    pub fn register(&mut self, conn: ConnId, user: UserId) {
        self.watching.part(conn);
        self.live.register(conn, user);
        self.feed.keep(true);
    }

    /// The socket is gone.
    pub fn unregister(&mut self, conn: ConnId, now: Tick) {
        self.watching.lose(conn, &self.live, now);
        self.live.unregister(conn, &mut self.idle);
        self.sweep();
    }

    /// Step (c): what the snapshot showed. `false`: too much happened since; the client has been
    /// told that it is behind.
    pub fn shown(
        &mut self,
        conn: ConnId,
        heads: &[(RoomId, Seq)],
        now: Tick,
        outlet: &mut impl Outlet,
        wants: &mut Wants,
    ) -> bool {
        let feed = &self.feed;
        let shown = self.live.shown(conn, heads, |room| feed.released(room));
        let Some(untold) = shown else {
            self.give_up(conn, outlet);
            return false;
        };
        for other in untold {
            self.give_up(other, outlet);
        }
        for (room, head) in heads {
            // A user whom the ring showed out again needs nothing of the room.
            if self.live.has_room(*room) {
                self.feed.track(*room, *head, now, &mut self.flow);
            }
        }
        self.pump(now, outlet, wants);
        true
    }

    /// Steps (e) and (f).
    pub fn flush(
        &mut self,
        conn: ConnId,
        position: Position,
        now: Tick,
        outlet: &mut impl Outlet,
    ) -> bool {
        let feed = &self.feed;
        let live = self
            .live
            .flush(conn, position, |room| feed.released(room), outlet);
        if live {
            self.watching.came(conn, &self.live, now);
        }
        self.sweep();
        live
    }

    /// The snapshot of `conn` cannot be had: the client must sync again.
    pub fn give_up(&mut self, conn: ConnId, outlet: &mut impl Outlet) {
        self.watching.part(conn);
        self.live.give_up(conn);
        outlet.behind(conn);
        self.sweep();
    }

    /// The outbox of `conn` ran over by a frame that the shard did not queue (a `pong`, a
    /// marker): what was dropped with it may have been events, so nothing more is delivered or
    /// vouched for until the client syncs again.
    pub fn fell_behind(&mut self, conn: ConnId) {
        self.watching.part(conn);
        self.live.give_up(conn);
        self.sweep();
    }

    /// Takes in a committed batch, from here or from the bus.
    pub fn deliver(
        &mut self,
        events: &[Arc<Shared>],
        origin: Origin,
        now: Tick,
        outlet: &mut impl Outlet,
        wants: &mut Wants,
    ) {
        for event in events {
            let bypass = origin == Origin::Local && mutant::active(Mutant::LocalBypassesFeed);
            if bypass {
                let run = Run::one(event.clone());
                self.live.deliver(&run, outlet, &mut self.idle);
                continue;
            }
            self.follow_newcomers(event, now);
            if self.feed.released(event.event.room).is_none() {
                self.watching.overheard(&event.event);
            }
            self.feed.offer(event.clone(), now, &mut self.flow);
        }
        self.pump(now, outlet, wants);
        self.sweep();
    }

    /// A room that lets in somebody who is here is followed from that event on, or from the
    /// first that is kept: a snapshot that is being sent may show the room as it was before.
    fn follow_newcomers(&mut self, event: &Shared, now: Tick) {
        if self.feed.released(event.event.room).is_some() {
            return;
        }
        let mut here = false;
        event.event.turns(|turn| {
            here |= matches!(turn, Turn::In(user) if self.live.has_user(user));
        });
        if here {
            let (room, seq) = (event.event.room, event.event.seq);
            let first = self.feed.kept_from(room).map_or(seq, |kept| kept.min(seq));
            self.feed.track(room, first.before(), now, &mut self.flow);
        }
    }

    /// What the store had after the seq that [`Wants::fetch`] named; nothing if it did not
    /// answer.
    pub fn fetched(
        &mut self,
        room: RoomId,
        events: Option<Vec<Event>>,
        more: bool,
        now: Tick,
        outlet: &mut impl Outlet,
        wants: &mut Wants,
    ) {
        self.feed.fetched(room, events, more, now, &mut self.flow);
        self.pump(now, outlet, wants);
        self.sweep();
    }

    /// These rooms may have more than anybody told us of.
    pub fn check(
        &mut self,
        rooms: &[RoomId],
        now: Tick,
        outlet: &mut impl Outlet,
        wants: &mut Wants,
    ) {
        for room in rooms {
            self.feed.check(*room, now, &mut self.flow);
        }
        self.pump(now, outlet, wants);
    }

    /// The periodic check of idle rooms: all that changed in the store since
    /// [`Shard::vouched`]. Once all of it is delivered, its position is vouched for.
    pub fn changes(
        &mut self,
        changes: &Changes,
        now: Tick,
        outlet: &mut impl Outlet,
        wants: &mut Wants,
    ) {
        let mut complete = true;
        for (user, room, since) in &changes.joined {
            if !self.live.has_user(*user) || self.live.is_in(*user, *room) {
                continue;
            }
            match self.feed.released(*room) {
                None => {
                    self.feed.track(*room, since.before(), now, &mut self.flow);
                    self.feed.reach(*room, *since, now);
                }
                // Its event is still to come.
                Some(released) if released < *since => {}
                // Another's snapshot began to follow the room beyond the event that let them in:
                // it is never released here, so they sync again.
                Some(_) => complete &= self.overlooked(*user, outlet),
            }
        }
        let mut behind = BTreeMap::new();
        for (room, head) in &changes.rooms {
            if self
                .feed
                .released(*room)
                .is_some_and(|released| released < *head)
            {
                self.feed.reach(*room, *head, now);
                behind.insert(*room, *head);
            }
        }
        if complete && self.pending.is_none() {
            self.pending = Some((changes.position, behind));
        }
        self.feed.tick(now, &mut self.flow);
        self.pump(now, outlet, wants);
    }

    /// Lets the connections of `user` sync again. `false`: one of them is just doing so, and what
    /// it lacks is looked at next time.
    fn overlooked(&mut self, user: UserId, outlet: &mut impl Outlet) -> bool {
        if self.live.is_syncing(user) {
            return false;
        }
        for conn in self.live.connections(user).to_vec() {
            if self.live.is_live(conn) {
                self.give_up(conn, outlet);
            }
        }
        true
    }

    /// Lets waiting gaps be read when their time has come.
    pub fn tick(&mut self, now: Tick, outlet: &mut impl Outlet, wants: &mut Wants) {
        self.feed.tick(now, &mut self.flow);
        self.pump(now, outlet, wants);
    }

    /// The soonest time at which [`Shard::tick`] has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Tick> {
        self.feed.due()
    }

    /// Everything up to here has been delivered to everybody who is live.
    #[must_use]
    pub fn vouched(&self) -> Position {
        self.vouched
    }

    /// What a `pong` says to `conn`: a newer position, if it may have one, and heads of those
    /// `rooms` that it is in. To be queued in the message lane.
    pub fn pong(
        &mut self,
        conn: ConnId,
        rooms: &[RoomId],
    ) -> (Option<Position>, Vec<(RoomId, Seq)>) {
        let Some(user) = self.live.user_of(conn) else {
            return (None, Vec::new());
        };
        let heads = rooms.iter().filter(|room| self.live.is_in(user, **room));
        let heads = heads
            .filter_map(|room| Some((*room, self.feed.released(*room)?)))
            .collect();
        (self.live.vouch(conn, self.vouched), heads)
    }

    /// Users and connections, for those who tell one user's devices something.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// How many rooms are followed.
    #[must_use]
    pub fn tracked(&self) -> usize {
        self.feed.tracked()
    }

    fn pump(&mut self, now: Tick, outlet: &mut impl Outlet, wants: &mut Wants) {
        while let Some(run) = Run::next(&mut self.flow.released) {
            self.live.deliver(&run, outlet, &mut self.idle);
            for event in run.events() {
                self.watching.delivered(&event.event, &self.live, now);
            }
        }
        for conn in self.live.take_fallen() {
            self.watching.part(conn);
        }
        wants.fetch.append(&mut self.flow.fetch);
        self.settle();
    }

    /// Vouches for the pending position once every room has reached its head.
    fn settle(&mut self) {
        let Some((position, rooms)) = &mut self.pending else {
            return;
        };
        let feed = &self.feed;
        rooms.retain(|room, head| {
            feed.released(*room)
                .is_some_and(|released| released < *head)
        });
        if rooms.is_empty() {
            self.vouched = self.vouched.max(*position);
            self.pending = None;
        }
    }

    /// Lets go of rooms that nobody here is in, unless somebody connects who may be.
    fn sweep(&mut self) {
        if self.live.anybody_syncing() {
            return;
        }
        self.feed.keep(false);
        for room in std::mem::take(&mut self.idle) {
            // A room that is to be vouched for is followed for somebody whom it lets in.
            let awaited = self
                .pending
                .as_ref()
                .is_some_and(|(_position, rooms)| rooms.contains_key(&room));
            if !self.live.has_room(room) && !awaited {
                self.feed.untrack(room);
            }
        }
        self.settle();
    }
}
