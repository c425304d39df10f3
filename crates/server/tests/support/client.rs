//! A client as docs/protocol.md (section 11) asks for, that notes everything (`history.rs`).
//!
//! Each client is a thread of its own; it connects, writes, listens, and comes back with its cursors when the
//! connection is lost, to wherever the server is then. Not here: starting servers, and judging what was noted.
//! A client lives until its stage is told to end.

#[path = "listening.rs"]
mod listening;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chinwag_core::code::ErrorCode;
use chinwag_core::event::Event;
use chinwag_core::ids::{Epoch, Key, Position, RoomId, Seq};
use chinwag_core::wire::{ClientFrame, Cursor, Last, Req};

use crate::dice::Dice;
use crate::history::{Fate, History, Moment, Sent};
use crate::server::Account;
use crate::socket::{Lost, Socket, hello};

/// Between attempts to reach a server that is away.
const RETRY: Duration = Duration::from_millis(5);
/// Silence after which a client asks, and after which it gives up.
const ASK_AFTER: Duration = Duration::from_millis(300);
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// After a refusal for now that names no time.
const HOLD: Duration = Duration::from_secs(1);

/// Numbers below are those of the test's own requests (`scene.rs`).
const REQUESTS_FROM: Req = 1_000;

/// What the clients of a test share.
#[derive(Default)]
pub(crate) struct Stage {
    /// Where the server listens now.
    pub(crate) address: Mutex<Option<SocketAddr>>,
    /// Whether those who write shall write more.
    pub(crate) load: AtomicBool,
    pub(crate) end: AtomicBool,
    /// Sends that left and are not answered, over all clients.
    pub(crate) in_flight: AtomicI64,
    pub(crate) acked: AtomicU64,
    /// Raised by the test; a client that has everything then says so.
    pub(crate) round: AtomicU64,
    requests: AtomicU64,
}

/// How a client writes.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Sends that may wait for their ack; 0 only listens.
    pub(crate) window: usize,
    /// Longest pause before the next send, in microseconds.
    pub(crate) pause_us: usize,
    pub(crate) seed: u64,
}

/// What the test sees of a client.
pub(crate) struct Seat {
    pub(crate) history: Mutex<History>,
    /// The last round in which the client had everything and nothing waited.
    pub(crate) settled: AtomicU64,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Seat {
    /// Starts a client.
    pub(crate) fn take(
        stage: &Arc<Stage>,
        account: &Account,
        rooms: &[RoomId],
        manner: Manner,
    ) -> Arc<Self> {
        let seat = Arc::new(Self {
            history: Mutex::new(History::new(account.user)),
            settled: AtomicU64::new(0),
            thread: Mutex::new(None),
        });
        let client = Client {
            stage: stage.clone(),
            seat: seat.clone(),
            token: account.token.clone(),
            rooms: rooms.to_vec(),
            manner,
            dice: Dice::new(manner.seed),
            next_send: Instant::now(),
            store: Store::default(),
            outbox: Vec::new(),
        };
        let thread = std::thread::spawn(move || client.run());
        *seat.thread.lock().expect("nobody panicked here") = Some(thread);
        seat
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("the client has not panicked")
    }

    /// Waits for the end of the client; its stage has been told to end.
    pub(crate) fn leave(&self) {
        let thread = self.thread.lock().expect("nobody panicked here").take();
        thread
            .expect("a client ends once")
            .join()
            .expect("the client has not panicked");
    }
}

/// What a real client would keep on its disk, beside the views in the history.
#[derive(Default)]
struct Store {
    epoch: Option<Epoch>,
    position: Option<Position>,
    last: Option<Last>,
}

/// A connection and what belongs to it only.
struct Session {
    socket: Socket,
    asked: Moment,
    /// From `welcome`; stored with `caught_up`.
    epoch: Option<Epoch>,
    caught_up: bool,
    /// Requests that wait: sends by their place in the history, others by what they ask for.
    sends: BTreeMap<Req, usize>,
    afters: BTreeMap<Req, RoomId>,
    ping: Option<(Req, u64)>,
    /// Rooms whose sends were refused for now; nothing is sent there before.
    holds: BTreeMap<RoomId, Instant>,
    held: BTreeMap<(RoomId, Seq), Event>,
    unknown_rooms: BTreeSet<RoomId>,
    heard: Instant,
}

struct Client {
    stage: Arc<Stage>,
    seat: Arc<Seat>,
    token: String,
    rooms: Vec<RoomId>,
    manner: Manner,
    dice: Dice,
    next_send: Instant,
    store: Store,
    /// Places in the history of what is not answered for good, oldest first.
    outbox: Vec<usize>,
}

impl Client {
    fn run(mut self) {
        while !self.stage.end.load(SeqCst) {
            let address = *self.stage.address.lock().expect("nobody panicked here");
            let session = address.and_then(|address| self.begin(address).ok());
            let Some(mut session) = session else {
                std::thread::sleep(RETRY);
                continue;
            };
            let lost = self.converse(&mut session);
            self.account_for_lost(&session);
            if let Err(Lost(Some(code @ (1002 | 1003 | 1007 | 1009 | 4200..=4399)))) = lost {
                self.seat
                    .notes()
                    .contradictions
                    .push(format!("closed with {code}"));
                return;
            }
        }
    }

    fn begin(&mut self, address: SocketAddr) -> Result<Session, Lost> {
        let mut socket = Socket::connect(address)?;
        let asked = Moment::now();
        socket.say(&hello(&self.token, self.cursor()))?;
        self.seat.notes().connections += 1;
        Ok(Session {
            socket,
            asked,
            epoch: None,
            caught_up: false,
            sends: BTreeMap::new(),
            afters: BTreeMap::new(),
            ping: None,
            holds: BTreeMap::new(),
            held: BTreeMap::new(),
            unknown_rooms: BTreeSet::new(),
            heard: Instant::now(),
        })
    }

    fn cursor(&self) -> Cursor {
        let notes = self.seat.notes();
        let open = notes
            .rooms
            .iter()
            .map(|(room, view)| (*room, view.cursor))
            .collect();
        Cursor {
            epoch: self.store.epoch,
            position: self.store.position,
            last: self.store.last,
            open,
        }
    }

    fn converse(&mut self, session: &mut Session) -> Result<(), Lost> {
        while !self.stage.end.load(SeqCst) {
            if let Some(frame) = session.socket.hear()? {
                session.heard = Instant::now();
                self.take_in(session, frame)?;
            }
            if session.caught_up {
                self.write(session)?;
                self.look_around(session)?;
            }
            if session.heard.elapsed() > DEAD_AFTER {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What was in flight on a connection that is gone has an unknown outcome.
    fn account_for_lost(&self, session: &Session) {
        let mut notes = self.seat.notes();
        for place in session.sends.values() {
            notes.sent[*place].unknown += 1;
        }
        self.stage
            .in_flight
            .fetch_sub(session.sends.len() as i64, SeqCst);
    }

    fn request(&self) -> Req {
        self.stage.requests.fetch_add(1, SeqCst) + REQUESTS_FROM
    }

    /// Writes something new if it is time, and sends what may leave.
    fn write(&mut self, session: &mut Session) -> Result<(), Lost> {
        let now = Instant::now();
        let may_write = self.stage.load.load(SeqCst) && self.outbox.len() < self.manner.window;
        if may_write && now >= self.next_send {
            let pause = self.dice.below(self.manner.pause_us + 1) as u64;
            self.next_send = now + Duration::from_micros(pause);
            self.compose();
        }
        let waiting: BTreeSet<usize> = session.sends.values().copied().collect();
        for place in self.outbox.clone() {
            if !waiting.contains(&place) {
                self.send(session, place, now)?;
            }
        }
        Ok(())
    }

    fn compose(&mut self) {
        let room = self.rooms[self.dice.below(self.rooms.len())];
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.dice.next().to_be_bytes());
        key[8..].copy_from_slice(&self.dice.next().to_be_bytes());
        let bytes = if self.dice.chance(4) {
            self.dice.below(12_000)
        } else {
            self.dice.below(160)
        };
        let mut notes = self.seat.notes();
        let number = notes.sent.len();
        notes.sent.push(Sent {
            key: Key(key),
            room,
            text: format!("{number} {}", "wörd ".repeat(bytes / 6)),
            began: None,
            requests: Vec::new(),
            fate: Fate::Waiting,
            unknown: 0,
        });
        self.outbox.push(number);
    }

    /// Sends one entry of the outbox, unless its room holds.
    fn send(&self, session: &mut Session, place: usize, now: Instant) -> Result<(), Lost> {
        let mut notes = self.seat.notes();
        let sent = &mut notes.sent[place];
        if let Some(until) = session.holds.get(&sent.room) {
            // Later sends of this room may still be on their way to being refused: their answers first.
            let room = sent.room;
            let answered = !session
                .sends
                .values()
                .any(|other| notes.sent[*other].room == room);
            if now < *until || !answered {
                return Ok(());
            }
            session.holds.remove(&room);
        }
        let sent = &mut notes.sent[place];
        let req = self.request();
        sent.began.get_or_insert_with(Moment::now);
        sent.requests.push(req);
        let frame = ClientFrame::Send {
            req,
            key: sent.key,
            room: sent.room,
            body: sent.text.clone().into(),
            reply_to: None,
            mentions: Vec::new(),
            if_last: None,
        };
        drop(notes);
        session.sends.insert(req, place);
        self.stage.in_flight.fetch_add(1, SeqCst);
        session.socket.say(&frame)
    }

    fn answered(&mut self, session: &mut Session, req: Req, fate: Fate) {
        let Some(place) = session.sends.remove(&req) else {
            return;
        };
        self.stage.in_flight.fetch_sub(1, SeqCst);
        self.outbox.retain(|other| *other != place);
        let mut notes = self.seat.notes();
        let before = std::mem::replace(&mut notes.sent[place].fate, fate);
        if let (Fate::Acked { seq: one, .. }, Fate::Acked { seq: other, .. }) = (before, fate)
            && one != other
        {
            notes
                .contradictions
                .push(format!("one key was acked as {one} and as {other}"));
        }
        self.stage
            .acked
            .fetch_add(u64::from(before == Fate::Waiting), SeqCst);
    }

    fn refused_for_now(&self, session: &mut Session, req: Req, code: ErrorCode, wait: Option<u64>) {
        let Some(place) = session.sends.remove(&req) else {
            return;
        };
        self.stage.in_flight.fetch_sub(1, SeqCst);
        let mut notes = self.seat.notes();
        *notes.refusals.entry(code).or_default() += 1;
        let room = notes.sent[place].room;
        let wait = wait.map_or(HOLD, Duration::from_millis);
        session
            .holds
            .entry(room)
            .or_insert_with(|| Instant::now() + wait);
    }

    /// Asks for the heads after some silence, or when the test wants to know whether all has come.
    fn look_around(&self, session: &mut Session) -> Result<(), Lost> {
        let round = self.stage.round.load(SeqCst);
        let is_wanted = self.outbox.is_empty() && self.seat.settled.load(SeqCst) < round;
        let is_silent = session.heard.elapsed() > ASK_AFTER;
        if session.ping.is_some() || !(is_wanted || is_silent) {
            return Ok(());
        }
        let req = self.request();
        session.ping = Some((req, round));
        let rooms = self.rooms.clone();
        session.socket.say(&ClientFrame::Ping { req, rooms })
    }
}
