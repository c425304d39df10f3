//! A device: a client as docs/protocol.md wants it, with what it stores and what it only
//! remembers.
//!
//! The memory of rooms and position is stored as a whole from time to time; a crash goes back to
//! what was stored. The outbox is stored before anything is sent.

mod beside;
mod receive;
mod reply;
mod send;

use std::collections::{BTreeMap, BTreeSet};

use chinwag_core::batch::Command;
use chinwag_core::code::{CloseCode, ComeBack};
use chinwag_core::event::Event;
use chinwag_core::ids::{Epoch, Key, Position, RoomId, Seq, UserId};
use chinwag_core::room::Role;
use chinwag_core::wire::{ClientFrame, Cursor, Last, Req};

use self::beside::Beside;
use crate::base::{Base, Happening};
use crate::link::{End, LinkId, Links, Up};
use crate::oracle::Oracle;
use crate::store::Store;

/// Silence after which a client asks whether the server is there.
const SILENCE_MS: u64 = 15_000;
/// How long it waits for the answer.
const ANSWER_MS: u64 = 8_000;
/// How long connecting may take.
const CONNECT_MS: u64 = 10_000;

/// What a device works with that is not its own.
pub(crate) struct Shore<'a> {
    /// Time, chance, agenda.
    pub(crate) base: &'a mut Base,
    /// Sockets.
    pub(crate) links: &'a mut Links,
    /// Who writes down what is seen here.
    pub(crate) oracle: &'a mut Oracle,
    /// Only for the oracle.
    pub(crate) store: &'a Store,
}

/// What a device has of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copy {
    /// Everything up to here has been applied.
    pub(crate) cursor: Seq,
    /// The key of the event at the cursor; none after a skip.
    key: Option<Key>,
    /// The log reaches to here at least.
    pub(crate) head: Seq,
    /// Whether one is in.
    pub(crate) joined: bool,
    /// One's role.
    pub(crate) role: Option<Role>,
    /// What the server has confirmed as marked.
    marked: (Seq, Seq),
    /// What one has read.
    read: Seq,
    /// The newest messages that came one by one, and who wrote them.
    pub(crate) spoken: Vec<(Seq, UserId)>,
}

/// What a device stores in one transaction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    epoch: Option<Epoch>,
    position: Option<Position>,
    last: Option<Last>,
    /// By room.
    pub(crate) rooms: BTreeMap<RoomId, Copy>,
}

/// Why a command waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is the user's.
    Real,
    /// It has been acked long ago and is repeated.
    Again,
    /// It carries a used key with another content.
    Conflict,
}

/// A command that has not been answered for good.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// Its key.
    pub(crate) key: Key,
    /// What.
    pub(crate) command: Command,
    /// The room whose order it keeps.
    pub(crate) room: RoomId,
    /// Why.
    pub(crate) purpose: Purpose,
    /// When it was sent last on this connection.
    sent: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Off,
    Hello,
    Syncing,
    Live,
}

#[derive(Debug)]
enum Asked {
    Command(Key, Purpose, RoomId),
    After(RoomId),
    Mark(RoomId, Seq, Seq),
    Watch,
    History(Seq),
    Other,
}

/// One install of a client.
pub(crate) struct Device {
    /// Its number.
    pub(crate) index: usize,
    /// Whose.
    pub(crate) user: UserId,
    /// Which life of it.
    pub(crate) life: u64,
    token: String,
    /// What it remembers.
    pub(crate) memory: Memory,
    saved: Memory,
    /// Commands, in order.
    pub(crate) outbox: Vec<Waiting>,
    /// Answered since the last saving: they wait again after a crash.
    answered: Vec<Waiting>,
    link: Option<LinkId>,
    phase: Phase,
    asked: BTreeMap<Req, Asked>,
    next_req: Req,
    held: BTreeMap<RoomId, BTreeMap<Seq, Event>>,
    fetching: BTreeSet<RoomId>,
    pauses: BTreeMap<RoomId, u64>,
    heard: u64,
    begun: u64,
    pinged: Option<u64>,
    failures: u32,
    hint: Option<(u64, u64)>,
    /// No connection before this time.
    off_until: u64,
    /// Acked sends, to be repeated one day.
    pub(crate) past: Vec<(Key, Command)>,
    beside: Beside,
}

impl Device {
    /// A fresh install.
    #[must_use]
    pub(crate) fn new(index: usize, user: UserId, token: String) -> Self {
        Self {
            index,
            user,
            life: 1,
            token,
            memory: Memory::default(),
            saved: Memory::default(),
            outbox: Vec::new(),
            answered: Vec::new(),
            link: None,
            phase: Phase::Off,
            asked: BTreeMap::new(),
            next_req: 0,
            held: BTreeMap::new(),
            fetching: BTreeSet::new(),
            pauses: BTreeMap::new(),
            heard: 0,
            begun: 0,
            pinged: None,
            failures: 0,
            hint: None,
            off_until: 0,
            past: Vec::new(),
            beside: Beside::default(),
        }
    }

    /// Its link.
    #[must_use]
    pub(crate) fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// Whether it is live.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether it has nothing left to do, and why not.
    #[must_use]
    pub(crate) fn unrest(&self) -> Option<String> {
        if self.phase != Phase::Live {
            return Some(format!("d{} is {:?}", self.index, self.phase));
        }
        if self.beside.stale {
            return Some(format!("d{} wants to look again", self.index));
        }
        if let Some(first) = self.outbox.first() {
            return Some(format!("d{} still sends {:?}", self.index, first));
        }
        for (room, copy) in &self.memory.rooms {
            let marked = !copy.joined || copy.marked.0 >= copy.cursor;
            if copy.cursor < copy.head || !marked || self.fetching.contains(room) {
                return Some(format!("d{} has {copy:?} of {room}", self.index));
            }
        }
        None
    }

    /// Looks at timers and does what is due.
    pub(crate) fn look(&mut self, nodes: usize, shore: &mut Shore<'_>) {
        let now = shore.base.now;
        if self.link.is_none() {
            if now >= self.off_until {
                self.connect(nodes, shore);
            }
            return;
        }
        let silent = self
            .pinged
            .is_some_and(|at| self.heard < at && now >= at + ANSWER_MS);
        let late = self.phase == Phase::Hello && now >= self.begun + CONNECT_MS;
        if silent || late {
            return self.give_up(None, shore);
        }
        if self.phase == Phase::Hello {
            return;
        }
        if now >= self.heard + SILENCE_MS && self.pinged.is_none_or(|at| at <= self.heard) {
            self.ping(shore);
        }
        self.pump(shore);
        self.repair(shore);
        self.mark(shore);
        self.look_again(shore);
        if shore.base.rng.chance(400) {
            self.save(shore.oracle);
        }
    }

    /// Stores everything in one transaction.
    fn save(&mut self, oracle: &mut Oracle) {
        self.saved = self.memory.clone();
        self.answered.clear();
        oracle.saved(self.index);
    }

    /// Loses what was not stored.
    pub(crate) fn crash(&mut self, shore: &mut Shore<'_>) {
        self.life += 1;
        if let Some(link) = self.link.take() {
            shore.links.release(link, End::Client, shore.base);
        }
        self.memory = self.saved.clone();
        let answered = std::mem::take(&mut self.answered);
        self.outbox.splice(0..0, answered);
        self.forget_connection();
        shore.oracle.crashed(self.index);
        self.off_until = shore.base.now + shore.base.rng.between(100, 2_000);
    }

    /// Goes offline for a while.
    pub(crate) fn go_away(&mut self, for_ms: u64, shore: &mut Shore<'_>) {
        self.give_up(None, shore);
        self.off_until = shore.base.now + for_ms;
    }

    fn forget_connection(&mut self) {
        self.phase = Phase::Off;
        self.asked.clear();
        self.held.clear();
        self.fetching.clear();
        self.pauses.clear();
        self.pinged = None;
        self.beside = Beside::default();
        for waiting in &mut self.outbox {
            waiting.sent = None;
        }
    }

    /// Lets go of the connection and decides when to come back.
    pub(crate) fn give_up(&mut self, code: Option<CloseCode>, shore: &mut Shore<'_>) {
        let Some(link) = self.link.take() else {
            return;
        };
        shore.links.release(link, End::Client, shore.base);
        self.forget_connection();
        let step = match code.map(|code| ComeBack::of(code.number())) {
            Some(ComeBack::Later) => 4,
            Some(ComeBack::Soon | ComeBack::WithToken | ComeBack::Never) | None => {
                self.failures.min(4)
            }
        };
        self.failures += 1;
        let mut wait = shore.base.rng.below(1_000 << step);
        if let Some((after, spread)) = self.hint.take() {
            wait = after + shore.base.rng.below(spread + 1);
        }
        self.off_until = shore.base.now + wait;
        shore.base.trace.note(
            shore.base.now,
            format_args!("d{} off, {code:?}, back in {wait} ms", self.index),
        );
    }

    fn connect(&mut self, nodes: usize, shore: &mut Shore<'_>) {
        let node = shore.base.rng.index(nodes);
        let link = shore.links.open(self.index, node);
        self.link = Some(link);
        self.phase = Phase::Hello;
        self.begun = shore.base.now;
        self.heard = shore.base.now;
        self.next_req = 0;
        let cursor = self.stored_cursor(shore);
        shore.base.trace.note(
            shore.base.now,
            format_args!(
                "d{} hello to n{node} with {:?}",
                self.index, cursor.position
            ),
        );
        shore
            .oracle
            .sync_begins(self.index, &cursor, self.rooms_out());
        let hello = ClientFrame::Hello {
            v: chinwag_core::wire::VERSION,
            token: self.token.clone(),
            device: None,
            cursor,
            low_bandwidth: false,
        };
        self.say(&hello, shore);
    }

    /// What was read from the store, not what memory believes: so it is stored first.
    fn stored_cursor(&mut self, shore: &mut Shore<'_>) -> Cursor {
        self.save(shore.oracle);
        let all = shore.base.rng.chance(700);
        let mut open = Vec::new();
        for (room, copy) in &self.saved.rooms {
            if copy.cursor > Seq::ZERO && (all || shore.base.rng.chance(500)) {
                open.push((*room, copy.cursor));
            }
        }
        open.truncate(chinwag_core::limits::OPEN_ROOMS_MAX);
        Cursor {
            epoch: self.saved.epoch,
            position: self.saved.position,
            last: self.saved.last,
            open,
        }
    }

    /// The rooms of which this device knows that its user is out.
    pub(super) fn rooms_out(&self) -> BTreeSet<RoomId> {
        let rooms = self.saved.rooms.iter();
        let out = rooms.filter(|(_room, copy)| !copy.joined);
        out.map(|(room, _copy)| *room).collect()
    }

    fn say(&mut self, frame: &ClientFrame, shore: &mut Shore<'_>) {
        let Some(link) = self.link else { return };
        let text = serde_json::to_string(frame).expect("frames hold only strings and numbers");
        shore.links.up(link, Up::Frame(text), shore.base);
    }

    fn req(&mut self, asked: Asked) -> Req {
        self.next_req += 1;
        self.asked.insert(self.next_req, asked);
        self.next_req
    }

    /// Asks whether the server is there, and for the heads of all rooms.
    pub(crate) fn ping(&mut self, shore: &mut Shore<'_>) {
        if self.link.is_none() || self.phase == Phase::Hello {
            return;
        }
        self.pinged = Some(shore.base.now);
        let req = self.req(Asked::Other);
        let rooms = self.memory.rooms.iter();
        let rooms = rooms.filter(|(_room, copy)| copy.joined);
        let rooms = rooms.map(|(room, _copy)| *room).take(32).collect();
        self.say(&ClientFrame::Ping { req, rooms }, shore);
    }

    /// Puts this device's next look on the agenda.
    pub(crate) fn plan_look(&self, base: &mut Base) {
        let pause = base.rng.between(100, 300);
        base.later(pause, Happening::Device(self.index, self.life));
    }
}
