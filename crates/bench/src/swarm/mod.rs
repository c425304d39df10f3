//! The swarm: very many users on one thread, each with a socket of its own.
//!
//! One epoll loop on plain sockets: reads go into one buffer that all share, frames are taken
//! apart in place, deliveries are counted and not parsed. So one processor drives as many clients
//! as one processor of a server can serve, and the figures are the server's. It does nothing by
//! itself: `turn` does what is ready, and whoever calls it decides what comes next (`connecting`,
//! `load`). It lives as long as its run.

pub(crate) mod burst;
mod connecting;
mod connection;
pub(crate) mod frames;
pub(crate) mod load;
pub(crate) mod pace;
mod reading;
pub(crate) mod stamp;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{Timespec, epoll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::dialect::Dialect;
use crate::report::Latencies;

use connection::{Connection, Sent};
pub(crate) use connection::{Cut, Stage};
use frames::TEXT;
use stamp::{CLASSES, now_ns};

/// Bytes read at once, shared by all connections. Grows if a frame is longer.
const BUFFER_BYTES: usize = 256 * 1024;
/// Sockets that one turn looks at: few enough that what they say is acted upon soon.
const READY_MAX: usize = 512;
/// The timer's mark among the sockets.
const TIMER: u64 = u64::MAX;

/// Something that happened to a user, other than a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// Signed in; so long after the connection was begun.
    Ready {
        /// Who.
        user: usize,
        /// From connect(2) to here.
        took_ns: u64,
    },
    /// A command is done.
    Done {
        /// Whose.
        user: usize,
        /// Its number.
        number: u64,
        /// When the answer was read.
        at_ns: u64,
    },
    /// The connection is gone.
    Closed {
        /// Whose.
        user: usize,
        /// What is known about it.
        why: String,
    },
    /// The server said no.
    Refused {
        /// To whom.
        user: usize,
        /// Why.
        why: String,
    },
}

/// Which deliveries are timed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampling {
    /// Only messages that were due from this time on.
    pub(crate) from_ns: u64,
    /// And before this one.
    pub(crate) until_ns: u64,
    /// Each n-th delivery; 0: none.
    pub(crate) each: u32,
}

/// What all connections did together, since the swarm was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages of the load that reached users.
    pub(crate) deliveries: u64,
    /// Texts of any kind from the server.
    pub(crate) frames: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
    /// Calls that read them.
    pub(crate) reads: u64,
    /// Connections that are ready now.
    pub(crate) ready: usize,
}

impl Counts {
    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            deliveries: self.deliveries - earlier.deliveries,
            frames: self.frames - earlier.frames,
            bytes: self.bytes - earlier.bytes,
            reads: self.reads - earlier.reads,
            ready: self.ready,
        }
    }
}

/// Very many users. See the module.
pub(crate) struct Swarm<D> {
    address: SocketAddr,
    dialect: D,
    poll: OwnedFd,
    timer: OwnedFd,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    ready: Vec<epoll::Event>,
    answers: Vec<Vec<u8>>,
    payload: Vec<u8>,
    /// Users with something queued.
    dirty: Vec<usize>,
    counts: Counts,
    sampling: Sampling,
    until_sample: u32,
    /// By class of the text.
    latencies: [Latencies; CLASSES],
    notes: Vec<Note>,
}

impl<D: Dialect> Swarm<D> {
    /// `users` users of the server at `address`, none of them connected.
    ///
    /// # Errors
    /// The system gives no epoll or no timer.
    pub(crate) fn new(address: SocketAddr, dialect: D, users: usize) -> anyhow::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).context("no epoll")?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).context("no timer")?;
        let data = epoll::EventData::new_u64(TIMER);
        // Edge-triggered: its expirations need not be read.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&poll, &timer, data, flags)?;
        Ok(Self {
            address,
            dialect,
            poll,
            timer,
            connections: (0..users).map(|_user| Connection::away()).collect(),
            buffer: vec![0; BUFFER_BYTES],
            ready: Vec::with_capacity(READY_MAX),
            answers: Vec::new(),
            payload: Vec::new(),
            dirty: Vec::new(),
            counts: Counts::default(),
            sampling: Sampling {
                from_ns: 0,
                until_ns: 0,
                each: 0,
            },
            until_sample: 0,
            latencies: std::array::from_fn(|_class| Latencies::new()),
            notes: Vec::new(),
        })
    }

    /// Goes to a server that has moved, from the next connection on.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    /// How its server is spoken to.
    pub(crate) fn dialect(&self) -> &D {
        &self.dialect
    }

    /// The same, to be changed.
    pub(crate) fn dialect_mut(&mut self) -> &mut D {
        &mut self.dialect
    }

    /// How many users there are.
    pub(crate) fn users(&self) -> usize {
        self.connections.len()
    }

    /// What all did together.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Deliveries to this user since the swarm was made.
    pub(crate) fn received(&self, user: usize) -> u64 {
        self.connections[user].received
    }

    /// Whether this user is signed in.
    pub(crate) fn is_ready(&self, user: usize) -> bool {
        self.connections[user].stage == Stage::Ready
    }

    /// Times deliveries from now on, and forgets those timed before.
    pub(crate) fn sample(&mut self, sampling: Sampling) {
        self.sampling = sampling;
        self.latencies = std::array::from_fn(|_class| Latencies::new());
    }

    /// The times of the deliveries sampled, from when each message was due, by class.
    pub(crate) fn latencies(&self) -> &[Latencies; CLASSES] {
        &self.latencies
    }

    /// What happened since this was called last, into `to`, oldest first.
    pub(crate) fn take_notes(&mut self, to: &mut Vec<Note>) {
        to.clear();
        std::mem::swap(&mut self.notes, to);
    }

    /// Queues a text of this user; the next turn sends it.
    ///
    /// # Errors
    /// The server does not read what is sent to it.
    pub(crate) fn say(&mut self, user: usize, payload: &[u8]) -> anyhow::Result<()> {
        self.connections[user].queue(TEXT, payload)?;
        self.mark_dirty(user);
        Ok(())
    }

    /// Queues a message of this user to a room; the next turn sends it.
    ///
    /// # Errors
    /// As [`Self::say`].
    pub(crate) fn say_message(
        &mut self,
        user: usize,
        room: usize,
        number: u64,
        text: &str,
    ) -> anyhow::Result<()> {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        self.dialect.message(user, room, number, text, &mut payload);
        let said = self.say(user, &payload);
        self.payload = payload;
        said
    }

    /// Sends what is queued, waits until something is ready or `until_ns` has come, and takes in
    /// what is ready. What it means is in the counts and the notes.
    ///
    /// # Errors
    /// The system refuses what it never should, or the server breaks its protocol.
    pub(crate) fn turn(&mut self, until_ns: u64) -> anyhow::Result<()> {
        self.flush()?;
        self.wait(until_ns)?;
        let mut ready = std::mem::take(&mut self.ready);
        for event in ready.drain(..) {
            let (flags, data) = (event.flags, event.data.u64());
            if data == TIMER {
                continue;
            }
            let user = usize::try_from(data)?;
            if flags.contains(epoll::EventFlags::OUT) {
                self.has_room(user)?;
            }
            let readable = epoll::EventFlags::IN | epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            if flags.intersects(readable) {
                self.read(user)?;
            }
        }
        self.ready = ready;
        self.flush()
    }

    fn wait(&mut self, until_ns: u64) -> anyhow::Result<()> {
        let now_ns = now_ns();
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut timeout = Some(&zero);
        if until_ns > now_ns {
            // epoll_wait(2) knows whole milliseconds only, and a message may be due sooner.
            let at = Duration::from_nanos(until_ns);
            let timer = Itimerspec {
                it_interval: zero,
                it_value: at.try_into().context("a time beyond all times")?,
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &timer)?;
            timeout = None;
        }
        self.ready.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.ready);
        match epoll::wait(&self.poll, spare, timeout) {
            // Interrupted by a signal: nothing was ready.
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error).context("epoll failed"),
        }
    }

    fn mark_dirty(&mut self, user: usize) {
        let connection = &mut self.connections[user];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(user);
        }
    }

    /// Sends what is queued.
    fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(user) = self.dirty.pop() {
            let connection = &mut self.connections[user];
            let waits = std::mem::take(&mut connection.dirty) && !connection.waits_for_room;
            if waits && connection.stage != Stage::Connecting {
                self.send(user)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, user: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[user];
        match connection.send() {
            Ok(sent) => self.wait_for_room(user, sent == Sent::Rest),
            Err(error) => {
                self.lost(user, format!("sending failed: {error}"));
                Ok(())
            }
        }
    }

    /// Asks to be told of room for what is queued, or not any more.
    fn wait_for_room(&mut self, user: usize, waits: bool) -> anyhow::Result<()> {
        let connection = &mut self.connections[user];
        if connection.waits_for_room != waits
            && let Some(file) = connection.file()
        {
            let mut flags = epoll::EventFlags::IN;
            flags.set(epoll::EventFlags::OUT, waits);
            let data = epoll::EventData::new_u64(user as u64);
            epoll::modify(&self.poll, file, data, flags)?;
            connection.waits_for_room = waits;
        }
        Ok(())
    }

    fn has_room(&mut self, user: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[user];
        if connection.stage == Stage::Connecting {
            if let Some(error) = connection.failure() {
                self.lost(user, format!("cannot connect to {}: {error}", self.address));
                return Ok(());
            }
            connection.stage = Stage::Upgrading;
            let request = self.dialect.handshake(user);
            connection.queue_raw(&request);
        }
        self.send(user)
    }

    fn lost(&mut self, user: usize, why: String) {
        self.close(user, Cut::End);
        self.notes.push(Note::Closed { user, why });
    }

    /// Ends the connection of this user from our side; nothing is noted.
    pub(crate) fn close(&mut self, user: usize, cut: Cut) {
        let connection = &mut self.connections[user];
        if connection.stage == Stage::Ready {
            self.counts.ready -= 1;
        }
        connection.close(cut);
    }
}
