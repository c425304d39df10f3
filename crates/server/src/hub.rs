//! The hub: one task per shard, fed with committed batches, delivering to outboxes.
//!
//! A batch reaches a shard as one queue item, whatever the number of its receivers (design,
//! section 8). Deciding who gets what is `core::shard`; this file queues bytes and runs the reads
//! that a shard wants. A shard lives as long as the node.

mod beside;
mod delays;
mod outboxes;
mod telling;

use std::sync::Arc;

use chinwag_core::aside::Granted;
use chinwag_core::event::{Event, Shared};
use chinwag_core::ids::{Position, RoomId, Seq, UserId};
use chinwag_core::lanes::Lane;
use chinwag_core::limits;
use chinwag_core::live::ConnId;
use chinwag_core::own::Owned;
use chinwag_core::receipt::Told;
use chinwag_core::room::Range;
use chinwag_core::shard::{Origin, Shard, Wants};
use chinwag_core::view::Changes;
use chinwag_core::wire::{Blocks, Req, ServerFrame, Settings};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::task::TaskTracker;

use self::outboxes::Outboxes;
use crate::clock::{self, Clock};
use crate::gateway::dialect::Dialect;
use crate::gateway::outbox::{Connection, SyncId};
use crate::metrics::Metrics;
use crate::store::{self, Store};

/// Items that wait for a shard; whoever adds one waits for room.
const QUEUE_MAX: usize = 4_096;
/// Items taken in before what they queued is written.
const ITEMS_MAX: usize = 64;
/// Between looks at what changed in the store that nobody told us of.
const CHANGES_EVERY: Duration = Duration::from_secs(5);
/// From a commit to its place in the queue of every shard that tells of it, generously.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// Something for a shard.
pub enum Item {
    /// Committed events, the connections that have an ack of theirs to send with them, and when
    /// the oldest command behind them was read.
    Committed(Arc<[Arc<Shared>]>, Arc<[ConnId]>, Instant),
    /// Rooms that may have more than we know of.
    Check(Vec<RoomId>),
    /// Step (a) of connecting.
    Register(Arc<Connection>, UserId),
    /// Step (c): rooms and heads of a snapshot; answers whether the sync goes on.
    Shown(
        ConnId,
        SyncId,
        Vec<(RoomId, Seq)>,
        Settings,
        Blocks,
        oneshot::Sender<bool>,
    ),
    /// Steps (e) and (f).
    Flush(ConnId, SyncId, Position),
    /// A connection is gone.
    Unregister(ConnId),
    /// A client's ping.
    Pong(ConnId, Req, Vec<RoomId>),
    /// Something of a user's own changed; all their connections but this one are told.
    Others(UserId, ConnId, Box<ServerFrame>),
    /// Markers rose in a room; each of these is told, if they are still in.
    Receipts(RoomId, Arc<[Told]>),
    /// What a read of a gap found.
    Fetched(RoomId, Option<Vec<Event>>, bool),
    /// What a look at the store found.
    Changed(Changes),
    /// A command beside the log that the store allows; the shard does it and replies.
    Granted(ConnId, Req, Granted),
    /// A user's settings as just stored.
    Settled(UserId, Settings),
    /// A user's own state as just stored; all their connections are told.
    Owned(UserId, Owned),
    /// A write of when users went offline has ended.
    Kept,
}

/// The shards of this node.
#[derive(Clone)]
pub struct Hub {
    shards: Arc<[mpsc::Sender<Item>]>,
}

impl Hub {
    /// Starts `shards` shards on `tasks`. They end when the hub is dropped.
    #[must_use]
    pub fn start(
        shards: usize,
        store: &Arc<dyn Store>,
        position: Position,
        clock: Clock,
        metrics: &Arc<Metrics>,
        tasks: &TaskTracker,
    ) -> Self {
        let start = |_shard| {
            let (queue, items) = mpsc::channel(QUEUE_MAX);
            let task = Task {
                shard: Shard::starting_at(position),
                outlet: Outboxes::new(metrics.clone()),
                wants: Wants::default(),
                looking: false,
                seen: beside::Seen::default(),
                store: store.clone(),
                clock,
                tasks: tasks.clone(),
                // Weak: its own reads must not keep the shard alive.
                queue: queue.downgrade(),
            };
            tasks.spawn(task.run(items));
            queue
        };
        Self {
            shards: (0..shards.max(1)).map(start).collect(),
        }
    }

    /// Hands an item to the shard of a connection.
    pub async fn send(&self, conn: ConnId, item: Item) {
        let at = usize::try_from(conn.0).unwrap_or(0) % self.shards.len();
        // A shard ends with the node only; then nobody is left to be told.
        let _ended = self.shards[at].send(item).await;
    }

    /// Hands a committed batch to every shard: one item each. The connections in `answered` have
    /// acks in their outboxes, which leave together with the events. `read_at`: when the oldest
    /// command behind them was read.
    pub async fn deliver(&self, events: Vec<Event>, answered: Vec<ConnId>, read_at: Instant) {
        let events: Arc<[Arc<Shared>]> = events.into_iter().map(Shared::new).collect();
        let answered: Arc<[ConnId]> = answered.into();
        for shard in &*self.shards {
            let item = Item::Committed(events.clone(), answered.clone(), read_at);
            let _ended = shard.send(item).await;
        }
    }

    /// How many items wait, over all shards.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let shards = self.shards.iter();
        shards
            .map(|queue| queue.max_capacity() - queue.capacity())
            .sum()
    }

    /// Lets every shard look whether these rooms have more.
    pub async fn check(&self, rooms: &[RoomId]) {
        for shard in &*self.shards {
            let _ended = shard.send(Item::Check(rooms.to_vec())).await;
        }
    }

    /// Takes over what a user shows of themselves from now on.
    pub async fn settled(&self, user: UserId, settings: Settings) {
        for shard in &*self.shards {
            let _ended = shard.send(Item::Settled(user, settings)).await;
        }
    }
}

struct Task {
    shard: Shard,
    outlet: Outboxes,
    wants: Wants,
    /// A look at the store is under way.
    looking: bool,
    seen: beside::Seen,
    store: Arc<dyn Store>,
    clock: Clock,
    tasks: TaskTracker,
    queue: mpsc::WeakSender<Item>,
}

impl Task {
    async fn run(mut self, mut items: mpsc::Receiver<Item>) {
        let mut look = Instant::now() + CHANGES_EVERY;
        loop {
            if self.outlet.has_dirty() {
                // Between two slices others run, and what came meanwhile goes into the next.
                tokio::task::yield_now().await;
            }
            let due = [self.shard.due(), self.shard.tell_due()];
            let due = due.into_iter().flatten().min();
            let due = due.map_or(look, |due| self.clock.instant(due).min(look));
            tokio::select! {
                biased;
                item = items.recv() => {
                    let Some(item) = item else { return self.end() };
                    self.items(item, &mut items);
                }
                () = std::future::ready(()), if self.outlet.has_dirty() => {}
                () = sleep_until(due) => {}
            }
            // Looked at in every round: a shard that never rests has its timers too.
            self.outlet.now = self.clock.tick();
            if self.shard.due().is_some_and(|due| due <= self.outlet.now) {
                self.shard
                    .tick(self.outlet.now, &mut self.outlet, &mut self.wants);
            }
            if Instant::now() >= look {
                look = Instant::now() + CHANGES_EVERY;
                self.look();
            }
            self.shard.tell(self.outlet.now, &mut self.outlet);
            self.outlet.flush_slice();
            self.forget_fallen();
            self.keep_seen();
            self.fetch();
        }
    }

    /// Takes in what has queued, up to a bound: all of it shares the writes that follow.
    fn items(&mut self, first: Item, items: &mut mpsc::Receiver<Item>) {
        self.outlet.now = self.clock.tick();
        let mut next = Some(first);
        for _ in 0..ITEMS_MAX {
            let Some(item) = next else { return };
            self.item(item);
            next = items.try_recv().ok();
        }
        if let Some(item) = next {
            self.item(item);
        }
    }

    fn forget_fallen(&mut self) {
        for conn in self.outlet.fallen.drain(..) {
            self.shard.fell_behind(conn);
        }
    }

    fn item(&mut self, item: Item) {
        let now = self.outlet.now;
        let Self {
            shard,
            outlet,
            wants,
            ..
        } = self;
        match item {
            Item::Committed(events, answered, read_at) => {
                answered.iter().for_each(|conn| outlet.answered(*conn));
                outlet.measure(read_at, |outlet| {
                    shard.deliver(&events, Origin::Local, now, outlet, wants);
                });
            }
            Item::Check(rooms) => shard.check(&rooms, now, outlet, wants),
            Item::Register(connection, user) => {
                shard.register(connection.id, user);
                outlet.insert(connection);
            }
            Item::Shown(conn, sync, heads, settings, blocks, answer) => {
                let current = outlet.is_current(conn, sync);
                if let Some(user) = shard.live().user_of(conn).filter(|_user| current) {
                    shard.learn(user, settings, now);
                    shard.learn_blocks(user, &blocks, now);
                }
                let on = current && shard.shown(conn, &heads, now, outlet, wants);
                // A sync whose connection is gone wants no answer.
                let _gone = answer.send(on);
            }
            Item::Flush(conn, sync, position) => {
                if outlet.is_current(conn, sync) {
                    shard.flush(conn, position, now, outlet);
                }
            }
            Item::Unregister(conn) => {
                shard.unregister(conn, now);
                outlet.remove(conn);
            }
            Item::Pong(conn, req, rooms) => self.pong(conn, req, &rooms),
            Item::Others(user, except, frame) => self.tell_user(user, Some(except), &frame),
            Item::Receipts(room, told) => self.tell_authors(room, &told),
            Item::Fetched(room, events, more) => {
                shard.fetched(room, events, more, now, outlet, wants);
            }
            Item::Changed(changes) => {
                self.looking = false;
                shard.changes(&changes, now, outlet, wants);
            }
            Item::Granted(conn, req, granted) => {
                let reply = shard.aside(conn, req, granted, now);
                outlet.reply(conn, req, &reply);
            }
            Item::Settled(user, settings) => shard.learn(user, settings, now),
            Item::Owned(user, owned) => {
                if let Owned::Blocks(blocks) = &owned {
                    shard.learn_blocks(user, blocks, now);
                }
                self.tell_user(user, None, &owned.frame());
            }
            Item::Kept => self.seen.storing = false,
        }
    }

    fn pong(&mut self, conn: ConnId, req: Req, rooms: &[RoomId]) {
        let (position, heads) = self.shard.pong(conn, rooms);
        let pong = ServerFrame::Pong {
            req,
            now: clock::wall(),
            position,
            heads,
        };
        let encode = |dialect: &Dialect| dialect.encode(&pong);
        if !self.outlet.push(conn, Lane::vouching(), encode) {
            self.shard.fell_behind(conn);
        }
    }

    /// Begins the reads that the shard wants.
    fn fetch(&mut self) {
        for (room, after) in self.wants.fetch.drain(..) {
            let (store, queue) = (self.store.clone(), self.queue.clone());
            self.tasks.spawn(async move {
                let range = Range {
                    from: after.next(),
                    to: Seq(i64::MAX as u64),
                };
                let limit = limits::PAGE_MAX;
                let read = store::read(&*store, move |view| view.events(room, range, limit)).await;
                let more = read.as_ref().is_ok_and(|events| events.len() == limit);
                if let Err(error) = &read {
                    tracing::warn!(%room, %error, "a gap cannot be read; it is tried again");
                }
                if let Some(queue) = queue.upgrade() {
                    // The shard has ended: nobody waits for the gap.
                    let _ended = queue.send(Item::Fetched(room, read.ok(), more)).await;
                }
            });
        }
    }

    /// Looks for changes that nobody told us of.
    fn look(&mut self) {
        if std::mem::replace(&mut self.looking, true) {
            return;
        }
        let (store, queue) = (self.store.clone(), self.queue.clone());
        let since = self.shard.vouched();
        self.tasks.spawn(async move {
            let read = store::read(&*store, move |view| view.changes(since)).await;
            let changes = read.unwrap_or_else(|error| {
                tracing::warn!(%error, "the store cannot be looked at; it is tried again");
                Changes {
                    position: since,
                    ..Changes::default()
                }
            });
            // Markers and what is one's own are told by whoever has committed them: what the position
            // covers must be in this queue before it is vouched for.
            tokio::time::sleep(TOLD_WITHIN).await;
            if let Some(queue) = queue.upgrade() {
                let _ended = queue.send(Item::Changed(changes)).await;
            }
        });
    }
}
