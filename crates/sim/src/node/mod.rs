//! A node: the core's session, gate, shard, outboxes and sync, driven in the server's order of
//! steps. Only sockets, tasks and the disk are replaced by the world's links, agenda and store.
//!
//! A crash forgets everything here; a new life begins with [`Node::start`].

mod beside;
mod commit;
mod connection;
mod driver;
mod hub;
mod receipts;
mod syncing;

use std::collections::{BTreeMap, VecDeque};

use chinwag_core::code::CloseCode;
use chinwag_core::gate::Gate;
use chinwag_core::ids::{Epoch, Position, RoomId, UserId};
use chinwag_core::live::ConnId;
use chinwag_core::rate::{Allowance, Purse, Rate};
use chinwag_core::receipt::Pacer;
use chinwag_core::session::{Input, Terms};
use chinwag_core::shard::{Shard, Wants};
use chinwag_core::wire::Profile;

use crate::base::{Base, Happening, NodeRef, NodeWork};
use crate::bus::Bus;
use crate::link::{End, LinkId, Links, Up};
use crate::store::Store;
use beside::AsideJob;
use commit::{Job, MarkJob, Work};
use connection::{Conn, Outboxes};
use hub::Item;

/// Between looks at all sessions' timers.
const TIMERS_MS: u64 = 500;
/// Between looks at what changed in the store.
const LOOK_MS: u64 = 5_000;

/// What a node works with that is not its own.
pub(crate) struct Site<'a> {
    /// Time, chance, agenda.
    pub(crate) base: &'a mut Base,
    /// The shared store.
    pub(crate) store: &'a mut Store,
    /// Sockets.
    pub(crate) links: &'a mut Links,
    /// The bus.
    pub(crate) bus: &'a Bus,
    /// The other nodes as they live now.
    pub(crate) others: &'a [NodeRef],
    /// Everybody, by token.
    pub(crate) people: &'a BTreeMap<String, Profile>,
}

/// One of the three.
pub(crate) struct Node {
    index: usize,
    life: u64,
    up: bool,
    draining: Option<u64>,
    epoch: Epoch,
    shard: Shard,
    wants: Wants,
    items: VecDeque<Item>,
    /// A run of the shard is on the agenda.
    shard_planned: bool,
    due_planned: Option<u64>,
    looking: bool,
    conns: BTreeMap<ConnId, Conn>,
    by_link: BTreeMap<LinkId, ConnId>,
    next_conn: u64,
    buckets: BTreeMap<UserId, Allowance>,
    gate: Gate<(ConnId, RoomId)>,
    work: VecDeque<Work>,
    committing: Option<Vec<Job>>,
    marks: VecDeque<MarkJob>,
    marking: Option<Vec<MarkJob>>,
    pacer: Pacer,
    receipts_planned: Option<u64>,
    asides: VecDeque<AsideJob>,
    /// What some of them need is being read.
    asking: bool,
    /// When users lost their last connection here: the judge's, not the shard's.
    lost: BTreeMap<UserId, u64>,
}

impl Node {
    /// A node that has not been started.
    #[must_use]
    pub(crate) fn new(index: usize, epoch: Epoch) -> Self {
        Self {
            index,
            life: 0,
            up: false,
            draining: None,
            epoch,
            shard: Shard::default(),
            wants: Wants::default(),
            items: VecDeque::new(),
            shard_planned: false,
            due_planned: None,
            looking: false,
            conns: BTreeMap::new(),
            by_link: BTreeMap::new(),
            next_conn: 0,
            buckets: BTreeMap::new(),
            gate: Gate::default(),
            work: VecDeque::new(),
            committing: None,
            marks: VecDeque::new(),
            marking: None,
            pacer: Pacer::default(),
            receipts_planned: None,
            asides: VecDeque::new(),
            asking: false,
            lost: BTreeMap::new(),
        }
    }

    /// This node in its present life.
    #[must_use]
    pub(crate) fn name(&self) -> NodeRef {
        NodeRef {
            node: self.index,
            life: self.life,
        }
    }

    /// Whether it runs.
    #[must_use]
    pub(crate) fn is_up(&self) -> bool {
        self.up
    }

    /// Whether it runs and takes connections.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        self.up && self.draining.is_none()
    }

    /// Begins another life at the store's position.
    pub(crate) fn start(&mut self, position: Position, base: &mut Base) {
        let (index, life, epoch) = (self.index, self.life + 1, self.epoch);
        *self = Self::new(index, epoch);
        self.life = life;
        self.up = true;
        self.shard = Shard::starting_at(position);
        base.trace
            .note(base.now, format_args!("n{index} starts, life {life}"));
        self.later(base, TIMERS_MS, NodeWork::Time);
        self.later(base, LOOK_MS, NodeWork::Look);
    }

    /// Loses everything; its sockets end with what was in flight.
    pub(crate) fn crash(&mut self, links: &mut Links, base: &mut Base) {
        for link in self.by_link.keys() {
            links.cut(*link, true, false, base);
            links.release(*link, End::Server, base);
        }
        let (index, life, epoch) = (self.index, self.life + 1, self.epoch);
        *self = Self::new(index, epoch);
        self.life = life;
    }

    /// Begins a graceful stop.
    pub(crate) fn drain(&mut self, site: &mut Site<'_>) {
        self.draining = Some(site.base.now);
        let ids: Vec<ConnId> = self.conns.keys().copied().collect();
        for id in ids {
            let (after_ms, spread_ms) = (200, 800);
            let input = Input::Draining {
                after_ms,
                spread_ms,
            };
            self.input(id, input, site.base);
        }
        self.later(site.base, 1_000, NodeWork::Drained);
        self.settle(site);
    }

    /// Whether the drain is over: what was accepted is committed and written out, or five
    /// seconds are over. Then every socket is closed and the node is gone.
    fn drained(&mut self, site: &mut Site<'_>) {
        let Some(since) = self.draining else { return };
        let busy = self.committing.is_some() || !self.work.is_empty() || !self.items.is_empty();
        let mut open = self.conns.values().filter(|conn| !conn.gone);
        let written = open.all(|conn| conn.outbox.is_empty());
        if (busy || !written) && site.base.now < since + 5_000 {
            return self.later(site.base, 50, NodeWork::Drained);
        }
        for link in self.by_link.keys() {
            site.links.close(*link, CloseCode::Restart, site.base);
        }
        let (index, life, epoch) = (self.index, self.life + 1, self.epoch);
        *self = Self::new(index, epoch);
        self.life = life;
        let pause = site.base.rng.between(300, 1_500);
        site.base.later(pause, Happening::Start(index));
    }

    fn later(&self, base: &mut Base, delay: u64, work: NodeWork) {
        base.later(delay, Happening::Node(self.name(), work));
    }

    /// Something for this life of the node.
    pub(crate) fn work(&mut self, work: NodeWork, site: &mut Site<'_>) {
        match work {
            NodeWork::Shard => self.run_shard(site),
            NodeWork::Due => self.shard_due(site),
            NodeWork::Receipts => self.receipts_due(site),
            NodeWork::Drive(conn) => self.drive(conn, site),
            NodeWork::Verified(conn) => self.verified(conn, site),
            NodeWork::Appended(answer) => self.appended(answer.result, site),
            NodeWork::Marked(answer) => self.marked(answer.result, site),
            NodeWork::Read(answer) => self.found(answer.found, site),
            NodeWork::Bus(events) => self.item(Item::Bus(events), site.base),
            NodeWork::Time => {
                let ids: Vec<ConnId> = self.conns.keys().copied().collect();
                for id in ids {
                    self.input(id, Input::Time, site.base);
                }
                self.later(site.base, TIMERS_MS, NodeWork::Time);
            }
            NodeWork::Look => {
                self.later(site.base, LOOK_MS, NodeWork::Look);
                self.look(site);
            }
            NodeWork::Drained => return self.drained(site),
        }
        self.settle(site);
    }

    /// A frame came from a device; the first one of a link makes a connection.
    pub(crate) fn arrived(&mut self, link: LinkId, what: Up, site: &mut Site<'_>) {
        let id = match self.by_link.get(&link) {
            Some(id) => *id,
            None if self.is_ready() => self.accept(link, site.base),
            None => return site.links.release(link, End::Server, site.base),
        };
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.inbox.push_back(what);
        }
        self.settle(site);
    }

    fn accept(&mut self, link: LinkId, base: &mut Base) -> ConnId {
        self.next_conn += 1;
        let id = ConnId(self.next_conn);
        let terms = Terms {
            epoch: self.epoch,
            rate: Rate::default(),
        };
        let conn = Conn::new(link, terms, base.settings.outbox_bytes, base.tick());
        self.conns.insert(id, conn);
        self.by_link.insert(link, id);
        id
    }

    /// A device has read: there may be room for more.
    pub(crate) fn writable(&mut self, link: LinkId, site: &mut Site<'_>) {
        if self.by_link.contains_key(&link) {
            self.settle(site);
        }
    }

    /// A socket has ended.
    pub(crate) fn lost(&mut self, link: LinkId, site: &mut Site<'_>) {
        if let Some(id) = self.by_link.remove(&link) {
            self.end(id, site.base);
        }
        site.links.release(link, End::Server, site.base);
    }

    /// Nothing more comes from or goes to a connection.
    fn end(&mut self, id: ConnId, base: &mut Base) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        conn.gone = true;
        conn.syncs.clear();
        self.note_loss(id, base.now);
        self.item(Item::Unregister(id), base);
        self.work.push_back(Work::Gone(id));
    }

    fn input(&mut self, id: ConnId, input: Input, base: &Base) {
        if let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) {
            let bucket = conn.user.and_then(|user| self.buckets.get_mut(&user));
            let purse = bucket.map(|own| Purse::new(own, None));
            conn.input(input, base.tick(), purse);
        }
    }

    /// Lets every connection read, write and go on as far as it can.
    fn settle(&mut self, site: &mut Site<'_>) {
        let ids: Vec<ConnId> = self.conns.keys().copied().collect();
        for id in ids {
            self.read_frames(id, site.base);
            self.plan_drive(id, site.base);
            self.write(id, site);
            self.resume_syncs(id, site);
            self.write(id, site);
        }
        self.begin_commit(site);
        self.begin_marks(site);
        self.begin_asides(site);
        self.plan_due(site.base);
        self.plan_receipts(site.base);
    }

    fn outboxes<'a>(conns: &'a mut BTreeMap<ConnId, Conn>, base: &Base) -> Outboxes<'a> {
        Outboxes {
            conns,
            now: base.tick(),
        }
    }
}
