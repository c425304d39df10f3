//! A connection as the rest of the node sees it: its session and its outbox behind one lock.
//!
//! The driver owns the socket. Shard, commit and the reading tasks hold an `Arc` of this, step
//! the session with what they know and queue frames; the driver is woken and writes. Lock order:
//! this lock, then the user's bucket; nothing else is taken under it, and it is never held
//! across an await.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chinwag_core::ids::{SessionId, Tick, UserId};
use chinwag_core::lanes::{Lane, Outbox};
use chinwag_core::live::ConnId;
use chinwag_core::rate::Bucket;
use chinwag_core::session::{Effect, Input, Session, Terms};
use chinwag_core::wire::ServerFrame;
use tokio::sync::Notify;

use crate::gateway::dialect::Dialect;

/// Bytes of frames taken for one write.
const WRITE_BYTES: usize = 64 * 1024;

/// Session and outbox of one socket.
#[derive(Debug)]
pub struct Connection {
    /// Its number on this node.
    pub id: ConnId,
    /// What its client takes frames in.
    pub dialect: Dialect,
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
    /// Reused by every step.
    scratch: Vec<Effect>,
    signed_in: Option<SignedIn>,
    sync: SyncId,
}

/// One run of section 3 of the contract on a connection: what belongs to an earlier one, or to
/// one that was given up, is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncId(u64);

/// Who is behind a connection.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// The session that a logout ends; foreign tokens have none.
    pub session: Option<SessionId>,
    /// When the token was made, in ms since 1970.
    pub issued_at_ms: i64,
    /// The user's messages per second, over all their connections.
    pub bucket: Arc<Mutex<Bucket>>,
}

impl Connection {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(id: ConnId, dialect: Dialect, terms: Terms, now: Tick) -> Arc<Self> {
        let state = State {
            session: Session::new(terms, now),
            outbox: Outbox::default(),
            effects: VecDeque::new(),
            scratch: Vec::new(),
            signed_in: None,
            sync: SyncId::default(),
        };
        let (wake, drained) = (Notify::new(), Notify::new());
        Arc::new(Self {
            id,
            dialect,
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

    /// Steps the session. Frames it sends are queued at once, in order; other effects wait for
    /// the driver.
    pub fn input(&self, input: Input, now: Tick) {
        let mut state = self.state();
        let State {
            session,
            outbox,
            effects,
            scratch,
            signed_in,
            sync,
        } = &mut *state;
        let bucket = signed_in.as_ref().map(|who| who.bucket.clone());
        let mut bucket = bucket
            .as_ref()
            .map(|bucket| bucket.lock().expect("a bucket never panics"));
        session.step(input, now, bucket.as_deref_mut(), scratch);
        drop(bucket);
        for effect in scratch.drain(..) {
            match effect {
                Effect::Send(lane, frame) => {
                    let frame = self.dialect.encode(&frame);
                    let bytes = frame.len();
                    let queued = outbox.push(lane, frame, bytes);
                    assert!(
                        queued,
                        "a session sends control frames, which always find room"
                    );
                }
                other => {
                    if let Effect::Snapshot(_) = other {
                        sync.0 += 1;
                    }
                    effects.push_back(other);
                }
            }
        }
        drop(state);
        self.wake.notify_one();
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

    /// Queues a reply; replies always find room, because what asks for them is bounded.
    pub fn reply(&self, frame: &ServerFrame) {
        let frame = self.dialect.encode(frame);
        let bytes = frame.len();
        let queued = self.state().outbox.push(Lane::Control, frame, bytes);
        assert!(queued, "control frames always find room");
        self.wake.notify_one();
    }

    /// Whether `sync` is still the one under way.
    #[must_use]
    pub fn is_current(&self, sync: SyncId) -> bool {
        let state = self.state();
        state.sync == sync && !state.session.is_closed()
    }

    /// Queues a frame of a sync once the message lane has room for it. `false`: that sync is no
    /// longer under way.
    pub async fn stream(&self, sync: SyncId, frame: &ServerFrame) -> bool {
        let frame = self.dialect.encode(frame);
        loop {
            self.stream_ready(sync, frame.len()).await;
            let mut state = self.state();
            if state.sync != sync || state.session.is_closed() {
                return false;
            }
            let queued = state
                .outbox
                .push(Lane::vouching(), frame.clone(), frame.len());
            drop(state);
            self.wake.notify_one();
            if queued {
                return true;
            }
        }
    }

    /// Queues bytes that are a whole frame. `false`: no room; the connection is behind now, and
    /// has been told so.
    pub fn push(&self, lane: Lane, frame: Bytes, now: Tick) -> bool {
        let bytes = frame.len();
        let room = self.state().outbox.push(lane, frame, bytes);
        if room {
            self.wake.notify_one();
        } else {
            self.fall_behind(now);
        }
        room
    }

    /// Empties the outbox but for replies and tells the client that it is behind.
    pub fn fall_behind(&self, now: Tick) {
        let behind = self.dialect.encode(&ServerFrame::Behind {});
        let bytes = behind.len();
        let mut state = self.state();
        state.outbox.fall_behind(behind, bytes);
        // A sync under way has lost frames: it ends here, begun or not.
        state.sync.0 += 1;
        state
            .effects
            .retain(|effect| !matches!(effect, Effect::Register(_) | Effect::Snapshot(_)));
        drop(state);
        self.input(Input::FellBehind, now);
        self.drained.notify_waiters();
    }

    /// Takes what the session wants done, with the sync that it belongs to if it is one.
    #[must_use]
    pub fn take_effect(&self) -> Option<(Effect, SyncId)> {
        let mut state = self.state();
        let effect = state.effects.pop_front()?;
        Some((effect, state.sync))
    }

    /// Takes frames for one write.
    pub fn take_frames(&self, frames: &mut Vec<Bytes>) {
        let mut state = self.state();
        let mut bytes = 0;
        while bytes < WRITE_BYTES {
            let Some((frame, length)) = state.outbox.pop() else {
                break;
            };
            bytes += length;
            frames.push(frame);
        }
        if bytes > 0 {
            self.drained.notify_waiters();
        }
    }

    /// Whether another frame may be read: work in flight and replies are bounded.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        let state = self.state();
        state.session.wants_input() && !state.outbox.replies_full()
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
        state.session.is_idle() && state.outbox.is_empty() && state.effects.is_empty()
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

#[cfg(test)]
mod tests {
    use chinwag_core::code::ErrorCode;
    use chinwag_core::ids::{Epoch, Millis};
    use chinwag_core::rate::Rate;
    use chinwag_core::session::Identity;
    use chinwag_core::wire::{ClientFrame, Cursor, Profile};

    use super::*;

    /// A connection that has said `hello`; its sync is about to begin.
    fn connection() -> Arc<Connection> {
        let terms = Terms {
            epoch: Epoch([1; 16]),
            rate: Rate::default(),
        };
        let connection = Connection::new(ConnId(1), Dialect::default(), terms, Tick(0));
        let hello = ClientFrame::Hello {
            v: 1,
            token: "token".into(),
            device: None,
            cursor: Cursor::default(),
        };
        connection.input(Input::Frame(Ok(hello)), Tick(0));
        let identity = Identity {
            user: Profile {
                id: UserId([1; 16]),
                name: "Ann".into(),
                version: 1,
            },
            session: None,
            expires_in_ms: 600_000,
            now: Millis(0),
        };
        connection.input(Input::Authenticated(Ok(identity)), Tick(0));
        connection
    }

    fn effects(connection: &Connection) -> Vec<(Effect, SyncId)> {
        std::iter::from_fn(|| connection.take_effect()).collect()
    }

    fn texts(connection: &Connection) -> Vec<String> {
        let mut frames = Vec::new();
        connection.take_frames(&mut frames);
        let texts = frames.iter().map(|frame| String::from_utf8_lossy(frame));
        texts.map(std::borrow::Cow::into_owned).collect()
    }

    /// A connection that fell behind while its sync was being streamed got the rest of that
    /// stream behind `behind`, and its `caught_up`, although frames between had been dropped.
    #[tokio::test]
    async fn what_fell_behind_gets_no_more_of_that_sync() {
        let connection = connection();
        let effects = effects(&connection);
        let (_snapshot, sync) = effects.last().expect("a snapshot is wanted");
        let part = ServerFrame::Ok { req: 1 };
        assert!(connection.stream(*sync, &part).await);
        connection.fall_behind(Tick(1));
        assert!(!connection.is_current(*sync));
        assert!(!connection.stream(*sync, &part).await);
        let texts = texts(&connection);
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            texts[0].contains("welcome") && texts[1].contains("behind"),
            "{texts:?}"
        );
        let sync_frame = ClientFrame::Sync {
            req: 2,
            cursor: Cursor::default(),
        };
        connection.input(Input::Frame(Ok(sync_frame)), Tick(2));
        let (_snapshot, next) = self::effects(&connection).pop().expect("a snapshot");
        assert!(connection.is_current(next) && !connection.is_current(*sync));
    }

    #[test]
    fn a_sync_that_has_not_begun_is_given_up() {
        let connection = connection();
        connection.fall_behind(Tick(1));
        let left = effects(&connection);
        let begun = left
            .iter()
            .any(|(effect, _)| matches!(effect, Effect::Register(_) | Effect::Snapshot(_)));
        assert!(!begun, "{left:?}");
    }

    /// Commands that wait for the disk used to count as drained: the acks came after the close.
    #[test]
    fn commands_in_flight_are_not_drained() {
        let connection = connection();
        effects(&connection);
        texts(&connection);
        assert!(connection.is_drained());
        let room = chinwag_core::ids::RoomId([1; 16]);
        let key = chinwag_core::ids::Key([1; 16]);
        let send = ClientFrame::Send {
            req: 3,
            key,
            room,
            text: "x".into(),
        };
        connection.input(Input::Frame(Ok(send)), Tick(3));
        effects(&connection);
        assert!(!connection.is_drained(), "its ack is still to come");
        let result = Err(ErrorCode::Unavailable);
        let committed = Input::Committed {
            req: 3,
            room,
            key,
            result,
        };
        connection.input(committed, Tick(4));
        assert!(!connection.is_drained(), "its reply is still to go");
        texts(&connection);
        assert!(connection.is_drained());
    }
}
