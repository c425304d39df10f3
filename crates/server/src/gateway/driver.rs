//! The driver: one task per socket. It reads, steps the session, runs the effects, and writes.
//!
//! The only match on [`Effect`] (design, section 4). Work that takes time runs beside it, bounded
//! by the session's commands in flight; when that bound or the outbox is full, the socket is not
//! read, and TCP pushes back. The task lives from the upgrade to the close.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use chinwag_core::answer;
use chinwag_core::code::{CloseCode, ErrorCode};
use chinwag_core::ids::{Key, RoomId, Tick, UserId};
use chinwag_core::lanes::Lane;
use chinwag_core::session::{Effect, Identity, Input, Query};
use chinwag_core::wire::{Cursor, Req};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::task::TaskTracker;

use crate::auth::Accounts;
use crate::clock::{self, Clock};
use crate::commit::{Commit, Job, MarkJob};
use crate::deeds::Deeds;
use crate::eraser::Eraser;
use crate::gateway::budget::Permit;
use crate::gateway::connections::Connections;
use crate::gateway::dialect::Dialect;
use crate::gateway::ending::{End, farewell};
use crate::gateway::network::AddressKey;
use crate::gateway::outbox::{Connection, Pen, SyncId};
use crate::gateway::syncing::sync;
use crate::gateway::ws::{Closed, Deflate, Message, Reader, WebSocket, ping_frame, pong_frame};
use crate::hub::{Hub, Item};
use crate::metrics::{Direction, Metrics};
use crate::presence::Presence;
use crate::store::avatars::AvatarStore;
use crate::store::{self, AnyView, Store, StoreError};

/// What every driver of a node uses.
#[derive(Clone)]
pub struct Services {
    /// Rooms and logs.
    pub store: Arc<dyn Store>,
    /// Users and tokens.
    pub accounts: Arc<Accounts>,
    /// Pictures of people and rooms.
    pub avatars: Arc<dyn AvatarStore>,
    /// The way into the logs.
    pub commit: Commit,
    /// The way out to the sockets.
    pub hub: Hub,
    /// What goes on beside the log.
    pub presence: Presence,
    /// What is written beside the log.
    pub deeds: Deeds,
    /// What goes through the rooms of erased accounts.
    pub eraser: Eraser,
    /// All sockets.
    pub connections: Arc<Connections>,
    /// What compresses for clients that ask for it, with its counters; none: nobody is offered it.
    pub deflate: Option<Arc<Deflate>>,
    /// What the node counts.
    pub metrics: Arc<Metrics>,
    /// Timers.
    pub clock: Clock,
    /// Where work beside the drivers runs.
    pub tasks: TaskTracker,
}

/// Serves a socket from its first frame to its close. Very many of these futures wait at the same
/// time: what is rare is boxed, and nothing is handed from one `async fn` to the next by value,
/// which would keep room for it in both.
pub fn drive(socket: WebSocket, services: Arc<Services>) -> impl Future<Output = ()> + Send {
    let dialect = Dialect::of(&socket);
    let WebSocket {
        reader,
        writer,
        permit,
        address,
        ..
    } = socket;
    let opened = services.clock.tick();
    let connection = services.connections.open(dialect, opened);
    connection.attach(writer);
    let mut driver = Driver {
        services,
        connection,
        permit,
        address: AddressKey::of(address.0),
        reader,
        opened,
        read_at: Instant::now(),
    };
    async move {
        let end = driver.run().await;
        Box::pin(farewell(driver, end)).await;
    }
}

/// The timer of a connection. Each frame moves what is due to later; moving the timer with it
/// would cost more than letting it ring early about once a heartbeat.
struct Alarm {
    clock: Clock,
    at: Tick,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    fn new(clock: Clock, at: Tick) -> Self {
        let sleep = Box::pin(sleep_until(clock.instant(at)));
        Self { clock, at, sleep }
    }

    fn set(&mut self, at: Tick) {
        self.at = at;
        self.sleep.as_mut().reset(self.clock.instant(at));
    }

    fn no_later_than(&mut self, due: Tick) {
        if due < self.at {
            self.set(due);
        }
    }
}

pub(super) struct Driver {
    pub(super) services: Arc<Services>,
    pub(super) connection: Arc<Connection>,
    permit: Permit,
    address: AddressKey,
    pub(super) reader: Reader,
    pub(super) opened: Tick,
    /// When the messages came whose effects are run.
    read_at: Instant,
}

/// What an effect leaves to be done.
enum Next<'a> {
    Nothing,
    /// Before the next effect. Boxed: rare, and large while it lasts.
    Wait(Pin<Box<dyn Future<Output = ()> + Send + 'a>>),
    Close(CloseCode),
}

impl Driver {
    async fn run(&mut self) -> End {
        let clock = self.services.clock;
        let mut alarm = Alarm::new(clock, self.connection.due());
        loop {
            if let Some(code) = self.effects().await {
                return End::Close(code);
            }
            // One write for all that waits; what comes meanwhile goes into the next.
            let mut pen = Pen::default();
            let outlook = self.connection.look(&mut pen, clock.tick());
            pen.count(&self.services.metrics);
            if outlook.lost {
                return End::Gone;
            }
            alarm.no_later_than(outlook.due);
            tokio::select! {
                written = async { Box::pin(self.connection.written()).await }, if outlook.blocked => {
                    if let Err(error) = written {
                        return error.into();
                    }
                }
                message = self.reader.next(), if outlook.reading => {
                    if let Some(end) = self.messages(message) {
                        return end;
                    }
                }
                () = self.connection.woken() => {}
                () = &mut alarm.sleep => {
                    if clock.tick() >= outlook.due {
                        if !outlook.reading {
                            // A pause of our own is no silence of the peer's.
                            self.connection.step(Input::Heard, clock.tick());
                        }
                        self.connection.step(Input::Time, clock.tick());
                    }
                    alarm.set(self.connection.due());
                }
            }
        }
    }

    /// Steps the session with all that one read has brought, as long as it wants more.
    fn messages(&mut self, first: Result<Message, Closed>) -> Option<End> {
        self.read_at = Instant::now();
        let now = self.services.clock.tick_at(self.read_at);
        let (mut next, mut count, mut done) = (Some(first), 0, None);
        while let Some(message) = next {
            done = match message {
                Ok(message) => {
                    count += 1;
                    self.message(message, now).map(End::Close)
                }
                Err(closed) => Some(End::Peer(closed)),
            };
            let goes_on = done.is_none() && self.connection.wants_input();
            next = goes_on.then(|| self.reader.next_read()).flatten();
        }
        let metrics = &self.services.metrics;
        metrics.frames_received.add(count);
        let bytes = metrics.frames_bytes.of(Direction::In);
        bytes.add(self.reader.take_read_bytes());
        done
    }

    fn message(&self, message: Message, now: Tick) -> Option<CloseCode> {
        match message {
            Message::Text(text) => match self.connection.dialect.read_text(&text) {
                Ok(frame) => self.connection.step(Input::Frame(frame), now),
                Err(code) => return Some(code),
            },
            Message::Binary(bytes) => match self.connection.dialect.read_binary(&bytes) {
                Ok(frame) => self.connection.step(Input::Frame(frame), now),
                Err(code) => return Some(code),
            },
            Message::Ping(payload) => {
                self.control(pong_frame(&payload));
                self.connection.step(Input::Heard, now);
            }
            Message::Pong(_) => self.connection.step(Input::Heard, now),
        }
        None
    }

    fn control(&self, frame: Bytes) {
        let queued = self.connection.queue(Lane::Control, frame);
        assert!(queued, "control frames always find room");
    }

    /// Runs what the session wants; a close code ends the connection.
    async fn effects(&self) -> Option<CloseCode> {
        while let Some((effect, sync_id)) = self.connection.take_effect() {
            match self.effect(effect, sync_id) {
                Next::Nothing => {}
                Next::Wait(work) => work.await,
                Next::Close(code) => return Some(code),
            }
        }
        None
    }

    fn effect(&self, effect: Effect, sync_id: SyncId) -> Next<'_> {
        let (hub, commit) = (&self.services.hub, &self.services.commit);
        let presence = &self.services.presence;
        let id = self.connection.id;
        match effect {
            Effect::Authenticate(token) => self.authenticate(token),
            Effect::Register(user) => {
                let item = Item::Register(self.connection.clone(), user);
                return Next::Wait(Box::pin(hub.send(id, item)));
            }
            Effect::Snapshot(cursor) => self.snapshot(sync_id, cursor),
            Effect::Submit(req, turn, submission) => {
                let connection = self.connection.clone();
                commit.submit(Job {
                    connection,
                    req,
                    turn,
                    submission,
                    read_at: self.read_at,
                });
            }
            Effect::LookUp(room, key) => self.look_up(room, key),
            Effect::Mark(req, mark) => {
                let connection = self.connection.clone();
                commit.mark(MarkJob {
                    connection,
                    req,
                    mark,
                });
            }
            Effect::Read(req, query) => self.read(req, query),
            Effect::Pong(req, rooms) => {
                return Next::Wait(Box::pin(hub.send(id, Item::Pong(id, req, rooms))));
            }
            Effect::Aside(req, aside) => presence.ask(&self.connection, req, aside),
            Effect::Settings(req, change) => presence.change(&self.connection, req, change),
            Effect::Own(req, change) => presence.own(&self.connection, req, change),
            Effect::Deed(req, deed) => self.services.deeds.perform(&self.connection, req, deed),
            Effect::Ping => self.control(ping_frame(&[])),
            Effect::Close(code) => return Next::Close(code),
            // Queued where the session was stepped.
            Effect::Send(..) => {}
        }
        Next::Nothing
    }

    fn snapshot(&self, sync_id: SyncId, cursor: Cursor) {
        let Some(who) = self.connection.signed_in() else {
            return;
        };
        let connection = self.connection.clone();
        let services = self.services.clone();
        self.services
            .tasks
            .spawn(sync(connection, sync_id, who.user, cursor, services));
    }

    fn read(&self, req: Req, query: Query) {
        self.ask(
            move |view, user| answer::reply(view, user, req, query, clock::wall()),
            move |connection, found, now| {
                let frame = found.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a question could not be answered");
                    answer::unavailable(req)
                });
                connection.reply(req, &frame, now);
            },
        );
    }

    fn look_up(&self, room: RoomId, key: Key) {
        self.ask(
            move |view, user| view.replay(key, user, room),
            move |connection, found, now| {
                // What cannot be read now is asked again when the client tries again.
                let stored = found.is_ok_and(|found| found.is_some());
                connection.input(Input::LookedUp { room, key, stored }, now);
            },
        );
    }

    /// Asks the store beside this task, and tells the connection what it found.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&AnyView<'_>, UserId) -> Result<T, StoreError> + Send + 'static,
        tell: impl FnOnce(&Connection, Result<T, StoreError>, Tick) + Send + 'static,
    ) {
        let Some(who) = self.connection.signed_in() else {
            return;
        };
        let (store, clock) = (self.services.store.clone(), self.services.clock);
        let connection = self.connection.clone();
        self.services.tasks.spawn(async move {
            let found = store::read(&*store, move |view| question(view, who.user)).await;
            tell(&connection, found, clock.tick());
        });
    }

    fn authenticate(&self, token: String) {
        let services = self.services.clone();
        let (connection, permit) = (self.connection.clone(), self.permit.clone());
        let address = self.address;
        self.services.tasks.spawn(async move {
            let Services {
                accounts,
                connections,
                clock,
                ..
            } = &*services;
            let wall = clock::wall();
            let identity = match accounts.authenticate(&token, wall.0).await {
                Ok(identity) => identity,
                Err(code) => {
                    return connection.input(Input::Authenticated(Err(code)), clock.tick());
                }
            };
            let user = identity.user.id;
            let signed_in = connection.signed_in();
            let admit = || connections.admit(&connection, address, &identity, clock.tick());
            if signed_in.is_none() && !admit() {
                return connection.input(Input::Crowded, clock.tick());
            }
            // Another user's token renews nothing: the session refuses it.
            let renews = signed_in.is_some_and(|who| who.user == user);
            if renews {
                connection.renewed(identity.session, identity.issued_at_ms);
            }
            permit.authenticated();
            // After the connection can be found by a notice: a revocation between the check and
            // this moment is seen here (contract 8).
            let revoked = accounts.revocations();
            if revoked.is_revoked(identity.session, user, identity.issued_at_ms) {
                let refused = if renews {
                    Input::Revoked
                } else {
                    Input::Authenticated(Err(ErrorCode::BadToken))
                };
                return connection.input(refused, clock.tick());
            }
            let left_ms = u64::try_from(identity.expires_at_ms - wall.0).unwrap_or(0);
            let known = Identity {
                user: identity.user,
                session: identity.session,
                expires_in_ms: left_ms,
                now: wall,
            };
            connection.input(Input::Authenticated(Ok(known)), clock.tick());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten thousand of them are idle most of the time. The registries of hub, node and core come
    /// on top; `chinwag-bench idle` weighs all of it.
    #[test]
    fn an_idle_connection_is_small() {
        fn bytes<F: Future>(_drive: impl FnOnce(WebSocket, Arc<Services>) -> F) -> usize {
            size_of::<F>()
        }
        let (task, state) = (bytes(drive), size_of::<Connection>());
        assert!(
            task <= 1_400 && state <= 950,
            "{task} and {state} bytes; effect {}",
            size_of::<Effect>()
        );
    }
}
