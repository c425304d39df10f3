//! A connection as the rest of the node sees it: session, outbox and writing half behind one lock.
//!
//! The driver reads the socket. Shard, commit and the reading tasks hold an `Arc` of this, step
//! the session with what they know and queue frames. Whoever has queued sees to it that they are
//! written (`outgoing.rs`): the shard does so itself, others wake the driver. Lock order: this
//! lock, then the user's allowance, then that of their address; nothing else is taken under it, nor is it held across an await.

mod outgoing;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chinwag_core::ids::{SessionId, Tick};
use chinwag_core::lanes::{Lane, Outbox, Topic};
use chinwag_core::live::ConnId;
use chinwag_core::rate::Purse;
use chinwag_core::session::{Effect, Input, Session, Terms};
use chinwag_core::wire::{Req, ServerFrame};
use tokio::sync::Notify;

use crate::gateway::connections::SignedIn;
use crate::gateway::dialect::Dialect;
use crate::gateway::ws::Writer;
use crate::metrics::Metrics;

pub use self::outgoing::{Outlook, Pen};
pub use super::syncing::SyncId;

thread_local! {
    /// What a step wants done, before it is queued: one list for each thread, not for each socket.
    static STEPPED: Cell<Vec<Effect>> = const { Cell::new(Vec::new()) };
}

/// Session and outbox of one socket.
#[derive(Debug)]
pub struct Connection {
    /// Its number on this node.
    pub id: ConnId,
    /// What its client takes frames in.
    pub dialect: Dialect,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    /// The driver has something to do.
    wake: Notify,
    /// The message lane has drained: a sync may go on.
    drained: Notify,
}

#[derive(Debug)]
struct State {
    session: Session,
    outbox: Outbox<Bytes>,
    effects: VecDeque<Effect>,
    signed_in: Option<SignedIn>,
    sync: SyncId,
    /// A sync has just begun: what waits is not written by the driver's next look, but leaves
    /// with what the sync reads.
    gathering: bool,
    /// A sync has just ended: once that is written, many a client is silent for long.
    settling: bool,
    /// None before there is a socket, and after its driver has let go of it.
    writer: Option<Writer>,
    /// The socket is gone: a write has said so.
    lost: bool,
}

impl Connection {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(
        id: ConnId,
        dialect: Dialect,
        terms: Terms,
        metrics: Arc<Metrics>,
        now: Tick,
    ) -> Arc<Self> {
        let state = State {
            session: Session::new(terms, now),
            outbox: Outbox::default(),
            effects: VecDeque::new(),
            signed_in: None,
            sync: SyncId::default(),
            gathering: false,
            settling: false,
            writer: None,
            lost: false,
        };
        let (wake, drained) = (Notify::new(), Notify::new());
        Arc::new(Self {
            id,
            dialect,
            metrics,
            state: Mutex::new(state),
            wake,
            drained,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nobody panics while holding a connection")
    }

    /// Steps the session, and lets the driver do what it wants done.
    pub fn input(&self, input: Input, now: Tick) {
        self.step(input, now);
        self.wake.notify_one();
    }

    /// Steps the session for the driver itself, or for somebody who writes afterwards.
    pub fn step(&self, input: Input, now: Tick) {
        self.state().step(self, input, now);
    }

    /// Steps the session with the answer to a command. The shard writes it, together with the
    /// events of its batch; the driver is woken only if it has something else to do.
    pub fn answered(&self, input: Input, now: Tick) {
        let mut state = self.state();
        let paused = !state.wants_input();
        state.step(self, input, now);
        let reads_on = paused && state.wants_input();
        let wanted = reads_on || !state.effects.is_empty();
        drop(state);
        if wanted {
            self.wake.notify_one();
        }
    }

    /// Who signed in, set once.
    pub fn sign_in(&self, who: SignedIn) {
        self.state().signed_in = Some(who);
    }

    /// A fresh token took the place of the one that signed in.
    pub fn renewed(&self, session: Option<SessionId>, issued_at_ms: i64) {
        if let Some(who) = &mut self.state().signed_in {
            who.session = session;
            who.issued_at_ms = issued_at_ms;
        }
    }

    /// Who signed in.
    #[must_use]
    pub fn signed_in(&self) -> Option<SignedIn> {
        self.state().signed_in.clone()
    }

    /// Answers `req`. At once with the session's knowing of it: who has the reply may use the
    /// number again. Replies always find room, because what asks for them is bounded.
    pub fn reply(&self, req: Req, frame: &ServerFrame, now: Tick) {
        self.metrics.said(frame);
        let frame = self.dialect.encode(frame);
        let bytes = frame.len();
        let mut state = self.state();
        let queued = state.outbox.push(Lane::Control, frame, bytes);
        assert!(queued, "control frames always find room");
        state.step(self, Input::Replied(req), now);
        drop(state);
        self.wake.notify_one();
    }

    /// Whether `sync` is still the one under way.
    #[must_use]
    pub fn is_current(&self, sync: SyncId) -> bool {
        let state = self.state();
        state.sync == sync && !state.session.is_closed()
    }

    /// Queues a frame of a sync once the message lane has room for it. It leaves with what is
    /// queued next, unless [`Connection::leave`] is said. `false`: that sync is no longer under
    /// way.
    pub async fn stream(&self, sync: SyncId, frame: &ServerFrame) -> bool {
        let frame = self.dialect.encode(frame);
        loop {
            if let Some(queued) = self.stream_now(sync, &frame) {
                return queued;
            }
            self.leave();
            self.stream_ready(sync, frame.len()).await;
        }
    }

    /// Queues a frame of a sync, if there is room: `None` if not.
    fn stream_now(&self, sync: SyncId, frame: &Bytes) -> Option<bool> {
        let bytes = frame.len();
        let mut state = self.state();
        if state.sync != sync || state.session.is_closed() {
            return Some(false);
        }
        let outbox = &mut state.outbox;
        let queued =
            outbox.stream_takes(bytes) && outbox.push(Lane::vouching(), frame.clone(), bytes);
        queued.then_some(true)
    }

    /// Lets the driver write what waits.
    pub fn leave(&self) {
        self.wake.notify_one();
    }

    /// Queues bytes that are a whole frame, for somebody who writes afterwards. `false`: there is
    /// no room; [`Connection::flush`] may make some, else [`Connection::fall_behind`].
    #[must_use]
    pub fn queue(&self, lane: Lane, frame: Bytes) -> bool {
        let bytes = frame.len();
        self.state().outbox.push(lane, frame, bytes)
    }

    /// Queues a frame that may vanish, in the place of an older one of its topic, for somebody who
    /// writes afterwards.
    pub fn queue_ephemeral(&self, topic: Option<Topic>, frame: Bytes) {
        let bytes = frame.len();
        self.state().outbox.push_ephemeral(topic, frame, bytes);
    }

    /// Queues the end of a sync, for somebody who writes afterwards. At once with the session's
    /// knowing of it: who has read it may sync again. `false`: as for [`Connection::queue`].
    #[must_use]
    pub fn queue_caught_up(&self, frame: Bytes, now: Tick) -> bool {
        let bytes = frame.len();
        let mut state = self.state();
        let queued = state.outbox.push(Lane::vouching(), frame, bytes);
        if queued {
            state.settling = true;
            state.step(self, Input::CaughtUp, now);
        }
        queued
    }

    /// Empties the outbox but for replies and tells the client that it is behind.
    pub fn fall_behind(&self, now: Tick) {
        self.metrics.behind.add(1);
        let behind = self.dialect.encode(&ServerFrame::Behind {});
        let bytes = behind.len();
        let mut state = self.state();
        state.outbox.fall_behind(behind, bytes);
        // A sync under way has lost frames: it ends here, begun or not.
        state.sync = state.sync.next();
        state.gathering = false;
        state
            .effects
            .retain(|effect| !matches!(effect, Effect::Register(_) | Effect::Snapshot(_)));
        state.step(self, Input::FellBehind, now);
        drop(state);
        self.wake.notify_one();
        self.drained.notify_waiters();
    }

    /// Takes what the session wants done, with the sync that it belongs to if it is one.
    #[must_use]
    pub fn take_effect(&self) -> Option<(Effect, SyncId)> {
        let mut state = self.state();
        let effect = state.effects.pop_front()?;
        if state.effects.is_empty() {
            // An idle connection keeps no room for effects.
            state.effects = VecDeque::new();
        }
        Some((effect, state.sync))
    }

    /// Whether another frame may be read: work in flight and replies are bounded.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.state().wants_input()
    }

    /// When the session wants to be told the time.
    #[must_use]
    pub fn due(&self) -> Tick {
        self.state().session.due()
    }

    /// Whether everything that was asked has been answered, and every answer been taken.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let state = self.state();
        let written = state
            .writer
            .as_ref()
            .is_none_or(|writer| !writer.is_blocked());
        state.session.is_idle()
            && state.outbox.is_empty()
            && state.effects.is_empty()
            && (written || state.lost)
    }

    /// Whether its `hello` has been answered with `welcome`.
    #[must_use]
    pub fn is_welcome(&self) -> bool {
        self.state().session.is_authenticated()
    }

    /// Bytes that wait in its outbox.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.state().outbox.bytes()
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state().session.is_closed()
    }

    /// Waits until there may be something to do.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Waits until a stream may add `bytes` to the message lane, or `sync` has ended.
    async fn stream_ready(&self, sync: SyncId, bytes: usize) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Enabled before looking: a wake between the look and the wait is not lost.
            drained.as_mut().enable();
            if !self.is_current(sync) || self.state().outbox.stream_takes(bytes) {
                return;
            }
            drained.await;
        }
    }

    /// The socket is gone: nothing more is decided, and whoever waits for it goes on.
    pub fn end(&self, now: Tick) {
        self.input(Input::Ended, now);
        self.drained.notify_waiters();
    }
}

impl State {
    fn wants_input(&self) -> bool {
        self.session.wants_input() && !self.outbox.replies_full()
    }

    /// Steps the session. Frames it sends are queued at once, in order; other effects wait for
    /// the driver.
    fn step(&mut self, of: &Connection, input: Input, now: Tick) {
        let Connection {
            dialect, metrics, ..
        } = of;
        let Self {
            session,
            outbox,
            effects,
            signed_in,
            sync,
            gathering,
            ..
        } = self;
        let mut allowed = signed_in.as_ref().map(|who| {
            let own = who.own.lock().expect("an allowance never panics");
            let shared = who.origin.allowance.lock();
            (own, shared.expect("an allowance never panics"))
        });
        let purse = allowed
            .as_mut()
            .map(|(own, shared)| Purse::new(own, Some(&mut **shared)));
        let mut stepped = STEPPED.take();
        session.step(input, now, purse, &mut stepped);
        drop(allowed);
        if session.is_low_bandwidth() {
            dialect.leave_together();
        }
        for effect in stepped.drain(..) {
            match effect {
                Effect::Send(lane, frame) => {
                    metrics.said(&frame);
                    let frame = dialect.encode(&frame);
                    let bytes = frame.len();
                    let queued = outbox.push(lane, frame, bytes);
                    assert!(
                        queued,
                        "a session sends control frames, which always find room"
                    );
                    // An answer to something else does not wait for the sync.
                    *gathering = false;
                }
                other => {
                    if let Effect::Snapshot(_) = other {
                        *sync = sync.next();
                        *gathering = true;
                    }
                    effects.push_back(other);
                }
            }
        }
        STEPPED.set(stepped);
    }
}

#[cfg(test)]
mod tests;
