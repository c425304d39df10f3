//! A connection on a node: session, outbox, and what its driver still has to do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chinwag_core::code::CloseCode;
use chinwag_core::event::{Shared, Turn};
use chinwag_core::ids::{Position, RoomId, Tick, UserId};
use chinwag_core::lanes::{Lane, Outbox};
use chinwag_core::live::{ConnId, Outlet};
use chinwag_core::rate::Bucket;
use chinwag_core::read::Snapshot;
use chinwag_core::session::{Effect, Input, Session, Terms};
use chinwag_core::sync::Plan;
use chinwag_core::wire::ServerFrame;

use crate::link::{Down, LinkId, Up};

/// A sync that is under way.
#[derive(Debug)]
pub(super) enum Sync {
    /// Its snapshot is being read.
    Reading,
    /// The shard is asked whether it goes on.
    Showing(Box<Snapshot>),
    /// Its plan is pulled; a frame may wait for room.
    Streaming(Plan, Option<Arc<ServerFrame>>),
    /// A stretch of its plan is being read.
    Stretching(Plan),
}

/// Session and outbox of one link.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) link: LinkId,
    pub(super) session: Session,
    pub(super) outbox: Outbox<Down>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) inbox: VecDeque<Up>,
    pub(super) user: Option<UserId>,
    pub(super) token: Option<String>,
    pub(super) driving: bool,
    pub(super) syncs: BTreeMap<u64, Sync>,
    pub(super) syncs_begun: u64,
    pub(super) closing: Option<CloseCode>,
    /// Its user has been told of being out of these rooms.
    pub(super) out: BTreeSet<RoomId>,
    /// Its user is online, or may be, while it is here: it has caught up once, or is what is left
    /// of somebody who was online.
    pub(super) keeps_online: bool,
    /// The socket is gone; the shard has not forgotten it yet.
    pub(super) gone: bool,
    scratch: Vec<Effect>,
}

impl Conn {
    pub(super) fn new(link: LinkId, terms: Terms, outbox_bytes: usize, now: Tick) -> Self {
        Self {
            link,
            session: Session::new(terms, now),
            outbox: Outbox::new(outbox_bytes),
            effects: VecDeque::new(),
            inbox: VecDeque::new(),
            user: None,
            token: None,
            driving: false,
            syncs: BTreeMap::new(),
            syncs_begun: 0,
            closing: None,
            out: BTreeSet::new(),
            keeps_online: false,
            gone: false,
            scratch: Vec::new(),
        }
    }

    /// Steps the session: frames are queued at once, other effects wait for the driver.
    pub(super) fn input(&mut self, input: Input, now: Tick, bucket: Option<&mut Bucket>) {
        self.session.step(input, now, bucket, &mut self.scratch);
        for effect in self.scratch.drain(..) {
            match effect {
                Effect::Send(lane, frame) => {
                    let frame = Down::Frame(Arc::from(frame));
                    let bytes = frame.weight();
                    let queued = self.outbox.push(lane, frame, bytes);
                    assert!(queued, "a session sends control frames only");
                }
                other => self.effects.push_back(other),
            }
        }
    }

    /// Queues a reply.
    pub(super) fn reply(&mut self, frame: ServerFrame) {
        let frame = Down::Frame(Arc::new(frame));
        let bytes = frame.weight();
        let queued = self.outbox.push(Lane::Control, frame, bytes);
        assert!(queued, "control frames always find room");
    }

    /// Queues a frame. `false`: no room; the connection is behind now, and has been told so.
    pub(super) fn push(&mut self, lane: Lane, frame: Down, now: Tick) -> bool {
        let bytes = frame.weight();
        let room = self.outbox.push(lane, frame, bytes);
        if !room {
            self.fall_behind(now);
        }
        room
    }

    pub(super) fn fall_behind(&mut self, now: Tick) {
        let behind = Down::Frame(Arc::new(ServerFrame::Behind {}));
        let bytes = behind.weight();
        self.outbox.fall_behind(behind, bytes);
        // What a sync under way would still stream belongs to a cursor that is given up.
        self.syncs.clear();
        self.input(Input::FellBehind, now, None);
    }

    /// Whether another frame may be read.
    pub(super) fn wants_input(&self) -> bool {
        self.session.wants_input() && !self.outbox.replies_full()
    }
}

/// The outboxes of a node, as its shard sees them.
pub(super) struct Outboxes<'a> {
    pub(super) conns: &'a mut BTreeMap<ConnId, Conn>,
    pub(super) now: Tick,
}

impl Outlet for Outboxes<'_> {
    fn event(&mut self, to: ConnId, event: &Arc<Shared>) -> bool {
        match self.conns.get_mut(&to) {
            Some(conn) => {
                event.event.turns(|turn| match turn {
                    Turn::In(user) if conn.user == Some(user) => {
                        conn.out.remove(&event.event.room);
                    }
                    Turn::Out(user) if conn.user == Some(user) => {
                        conn.out.insert(event.event.room);
                    }
                    Turn::In(_) | Turn::Out(_) => {}
                });
                conn.push(Lane::Message, Down::Event(event.clone()), self.now)
            }
            None => true,
        }
    }

    fn caught_up(&mut self, to: ConnId, position: Position) -> bool {
        let Some(conn) = self.conns.get_mut(&to) else {
            return true;
        };
        let frame = Down::Frame(Arc::new(ServerFrame::CaughtUp { position }));
        let queued = conn.push(Lane::vouching(), frame, self.now);
        if queued {
            conn.keeps_online = true;
            conn.input(Input::CaughtUp, self.now, None);
        }
        queued
    }

    fn behind(&mut self, to: ConnId) {
        if let Some(conn) = self.conns.get_mut(&to) {
            conn.fall_behind(self.now);
        }
    }
}
