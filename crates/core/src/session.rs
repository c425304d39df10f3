//! One connection's session: frames in, effects out (design, principle 14).
//!
//! Pure: the driver runs the effects, feeds back what became of them, and gives the time. What
//! the frame alone proves wrong is refused here for good; mute, role and membership are decided
//! in the commit, after the key look-up (contract 2).

use std::collections::{BTreeSet, VecDeque};

use crate::batch::{Command, Outcome, Submission};
use crate::code::{CloseCode, ErrorCode};
use crate::codec::Refusal;
use crate::gate::Gate;
use crate::ids::{Epoch, Key, Millis, RoomId, Seq, SessionId, Tick, UserId};
use crate::lanes::Lane;
use crate::limits;
use crate::marker::Mark;
use crate::mutant::{self, Mutant};
use crate::rate::{Bucket, Rate};
use crate::wire::{ClientFrame, Cursor, Profile, PublicLimits, Req, ServerFrame, VERSION};

/// Whom a token speaks for, as the verifier found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user: Profile,
    /// The session that a logout ends; foreign tokens have none.
    pub session: Option<SessionId>,
    /// How long the token is still good.
    pub expires_in_ms: u64,
    /// The server's clock when it was verified: a label.
    pub now: Millis,
}

/// What the node tells every client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The store's life.
    pub epoch: Epoch,
    /// Messages of a user.
    pub rate: Rate,
}

/// Something that happened to the connection.
#[derive(Debug)]
pub enum Input {
    /// A frame came.
    Frame(Result<ClientFrame, Refusal>),
    /// Bytes or a pong came, or reading went on after a pause of our own.
    Heard,
    /// The answer to [`Effect::Authenticate`].
    Authenticated(Result<Identity, ErrorCode>),
    /// What became of [`Effect::Submit`]: the store's answer, or a refusal that says nothing
    /// about the store.
    Committed {
        /// Which.
        req: Req,
        /// Its room.
        room: RoomId,
        /// Its key.
        key: Key,
        /// What became of it.
        result: Result<Outcome, ErrorCode>,
    },
    /// The driver has answered [`Effect::Mark`] or [`Effect::Read`].
    Replied(Req),
    /// `caught_up` is queued: the connection is live.
    CaughtUp,
    /// The outbox ran over, or the sync could not be completed: `behind` is queued.
    FellBehind,
    /// The snapshot cannot be read.
    SyncFailed,
    /// The user has as many connections as one may have.
    Crowded,
    /// The session was ended elsewhere.
    Revoked,
    /// The server stops now.
    Restart,
    /// The socket is gone.
    Ended,
    /// The server stops: come back after so long, spread over so much more.
    Draining {
        /// Not before.
        after_ms: u64,
        /// Over so much more.
        spread_ms: u64,
    },
    /// Time passed.
    Time,
}

/// Something to be done; the driver is the only match on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Verify the token; answer with [`Input::Authenticated`].
    Authenticate(String),
    /// Register with the shard: from here on events are kept (contract 3, step a).
    Register(UserId),
    /// Read the snapshot and run the plan; answer with [`Input::CaughtUp`],
    /// [`Input::FellBehind`] or [`Input::SyncFailed`].
    Snapshot(Cursor),
    /// Hand to the commit queue; answer with [`Input::Committed`].
    Submit(Req, Submission),
    /// Hand to the commit's lower queue; reply and answer with [`Input::Replied`].
    Mark(Req, Mark),
    /// Read and reply; answer with [`Input::Replied`].
    Read(Req, Query),
    /// Let the shard queue a `pong`.
    Pong(Req, Vec<RoomId>),
    /// Queue a frame.
    Send(Lane, Box<ServerFrame>),
    /// Send a protocol ping (RFC 6455, 5.5.2).
    Ping,
    /// Write out what waits, close with this code, and end.
    Close(CloseCode),
}

/// A question that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// See [`ClientFrame::After`].
    After {
        room: RoomId,
        seq: Seq,
        key: Option<Key>,
        limit: Option<u64>,
    },
    /// See [`ClientFrame::History`].
    History {
        room: RoomId,
        before: Option<Seq>,
        at_least: Option<Seq>,
        limit: Option<u64>,
    },
    /// See [`ClientFrame::Room`].
    Room { room: RoomId },
    /// See [`ClientFrame::Members`].
    Members { room: RoomId, after: Option<UserId> },
    /// See [`ClientFrame::Profiles`].
    Profiles {
        users: Vec<UserId>,
        name: Option<String>,
    },
    /// See [`ClientFrame::Directory`].
    Directory { after: Option<RoomId> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// Nothing yet.
    Hello,
    /// The token of `hello` is being verified.
    Verifying(Cursor),
    /// A snapshot is being sent.
    Syncing,
    /// Live.
    Live,
    /// `behind` was said; `sync` is awaited since.
    Behind(Tick),
    /// A close was asked for: nothing more happens.
    Closed,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Session {
    terms: Terms,
    phase: Phase,
    user: Option<UserId>,
    in_flight: BTreeSet<Req>,
    /// A renewal being verified.
    renewing: Option<Req>,
    gate: Gate<RoomId>,
    begun: Tick,
    heard: Tick,
    next_ping: Tick,
    expires: Tick,
    told_expiring: bool,
    fell_behind: VecDeque<Tick>,
    draining: bool,
}

impl Session {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(terms: Terms, now: Tick) -> Self {
        Self {
            terms,
            phase: Phase::Hello,
            user: None,
            in_flight: BTreeSet::new(),
            renewing: None,
            gate: Gate::default(),
            begun: now,
            heard: now,
            next_ping: now.plus(limits::HEARTBEAT_MS),
            expires: Tick(u64::MAX),
            told_expiring: false,
            fell_behind: VecDeque::new(),
            draining: false,
        }
    }

    /// Whether another frame may be read: the work in flight is bounded.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.in_flight.len() < limits::IN_FLIGHT_MAX
    }

    /// Whether no command waits for its reply.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.renewing.is_none()
    }

    /// Whether the token of `hello` was good.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.user.is_some()
    }

    /// Whether a close was asked for.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Takes in what happened; `effects` gets what is to be done, in this order. `bucket` is the
    /// user's, shared by all their connections; before `hello` it is not touched.
    pub fn step(
        &mut self,
        input: Input,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        if self.phase == Phase::Closed {
            return;
        }
        match input {
            Input::Heard => self.heard = now,
            Input::Frame(frame) => {
                self.heard = now;
                match frame {
                    Ok(frame) => self.frame(frame, now, bucket, effects),
                    Err(refusal) => self.malformed(refusal, effects),
                }
            }
            Input::Authenticated(result) => self.authenticated(result, now, effects),
            Input::Committed {
                req,
                room,
                key,
                result,
            } => {
                self.committed(req, room, key, result, effects);
            }
            Input::Replied(req) => {
                self.in_flight.remove(&req);
            }
            Input::CaughtUp => self.phase = Phase::Live,
            Input::FellBehind => self.behind(now, effects),
            Input::SyncFailed => self.close(CloseCode::Overloaded, effects),
            Input::Crowded => self.close(CloseCode::TooManyConnections, effects),
            Input::Revoked => self.close(CloseCode::Revoked, effects),
            Input::Restart => self.close(CloseCode::Restart, effects),
            Input::Ended => self.phase = Phase::Closed,
            Input::Draining {
                after_ms,
                spread_ms,
            } => {
                self.draining = true;
                send(
                    effects,
                    ServerFrame::Reconnect {
                        after_ms,
                        spread_ms,
                    },
                );
            }
            Input::Time => self.time(now, effects),
        }
    }

    /// When [`Input::Time`] has something to do next.
    #[must_use]
    pub fn due(&self) -> Tick {
        let dead = self.heard.plus(limits::DEAD_MS);
        let notice = Tick(self.expires.0.saturating_sub(limits::TOKEN_NOTICE_MS));
        let token = if self.told_expiring {
            self.expires
        } else {
            notice
        };
        let phase = match &self.phase {
            Phase::Hello | Phase::Verifying(_) => self.begun.plus(limits::HELLO_DEADLINE_MS),
            Phase::Behind(since) => since.plus(limits::BEHIND_SYNC_MS),
            Phase::Syncing | Phase::Live | Phase::Closed => Tick(u64::MAX),
        };
        dead.min(self.next_ping).min(token).min(phase)
    }

    fn time(&mut self, now: Tick, effects: &mut Vec<Effect>) {
        let late = |since: Tick, ms: u64| now >= since.plus(ms);
        match &self.phase {
            Phase::Hello | Phase::Verifying(_) if late(self.begun, limits::HELLO_DEADLINE_MS) => {
                return self.close(CloseCode::HelloLate, effects);
            }
            Phase::Behind(since) if late(*since, limits::BEHIND_SYNC_MS) => {
                return self.close(CloseCode::Behind, effects);
            }
            _ => {}
        }
        if late(self.heard, limits::DEAD_MS) {
            return self.close(CloseCode::Silent, effects);
        }
        if now >= self.expires {
            return self.close(CloseCode::TokenExpired, effects);
        }
        if !self.told_expiring && now.plus(limits::TOKEN_NOTICE_MS) >= self.expires {
            self.told_expiring = true;
            send(
                effects,
                ServerFrame::TokenExpiring {
                    in_ms: self.expires.since(now),
                },
            );
        }
        if now >= self.next_ping {
            self.next_ping = now.plus(limits::HEARTBEAT_MS);
            effects.push(Effect::Ping);
        }
    }

    fn behind(&mut self, now: Tick, effects: &mut Vec<Effect>) {
        self.fell_behind.push_back(now);
        while self
            .fell_behind
            .front()
            .is_some_and(|at| now.since(*at) > limits::BEHIND_WINDOW_MS)
        {
            self.fell_behind.pop_front();
        }
        if self.fell_behind.len() > limits::BEHIND_TIMES_MAX {
            return self.close(CloseCode::Behind, effects);
        }
        self.phase = Phase::Behind(now);
    }

    fn malformed(&mut self, refusal: Refusal, effects: &mut Vec<Effect>) {
        send(effects, refusal.into_frame());
        // A first frame that is no `hello` shows somebody who does not speak this protocol.
        if self.phase == Phase::Hello {
            self.close(CloseCode::Refused, effects);
        }
    }

    fn frame(
        &mut self,
        frame: ClientFrame,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let frame = match (frame, &self.phase) {
            (
                ClientFrame::Hello {
                    v,
                    token,
                    cursor,
                    device: _,
                },
                Phase::Hello,
            ) => {
                if v != VERSION {
                    return self.close(CloseCode::Version, effects);
                }
                self.phase = Phase::Verifying(cursor);
                return effects.push(Effect::Authenticate(token));
            }
            (ClientFrame::Hello { .. }, _) => {
                return send(
                    effects,
                    refuse(None, ErrorCode::HelloTwice, "`hello` comes once"),
                );
            }
            (frame, Phase::Hello | Phase::Verifying(_)) => {
                let text = "wait for `welcome` before anything else";
                send(effects, refuse(frame.req(), ErrorCode::HelloFirst, text));
                return self.close(CloseCode::Refused, effects);
            }
            (frame, _) => frame,
        };
        let (Some(req), Some(user)) = (frame.req(), self.user) else {
            return;
        };
        if self.in_flight.contains(&req) || self.renewing == Some(req) {
            let text = "choose another `req`: this one still waits for its reply";
            return send(effects, refuse(Some(req), ErrorCode::ReqReused, text));
        }
        self.command(req, user, frame, now, bucket, effects);
    }

    fn command(
        &mut self,
        req: Req,
        user: UserId,
        frame: ClientFrame,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let query = match frame {
            ClientFrame::Hello { .. } => return,
            ClientFrame::Auth { token, .. } => {
                if self.renewing.is_some() {
                    let text = "another `auth` is being verified";
                    return send(effects, refuse(Some(req), ErrorCode::Busy, text));
                }
                self.renewing = Some(req);
                return effects.push(Effect::Authenticate(token));
            }
            ClientFrame::Sync { cursor, .. } => return self.sync(req, user, cursor, effects),
            ClientFrame::Ping { rooms, .. } => return effects.push(Effect::Pong(req, rooms)),
            ClientFrame::Mark {
                room,
                delivered,
                read,
                ..
            } => {
                self.in_flight.insert(req);
                let (delivered, read) = (delivered.unwrap_or_default(), read.unwrap_or_default());
                return effects.push(Effect::Mark(
                    req,
                    Mark {
                        user,
                        room,
                        delivered,
                        read,
                    },
                ));
            }
            ClientFrame::After {
                room,
                seq,
                key,
                limit,
                ..
            } => Query::After {
                room,
                seq,
                key,
                limit,
            },
            ClientFrame::History {
                room,
                before,
                at_least,
                limit,
                ..
            } => Query::History {
                room,
                before,
                at_least,
                limit,
            },
            ClientFrame::Room { room, .. } => Query::Room { room },
            ClientFrame::Members { room, after, .. } => Query::Members { room, after },
            ClientFrame::Profiles { users, name, .. } => Query::Profiles { users, name },
            ClientFrame::Directory { after, .. } => Query::Directory { after },
            writing => {
                let Some((key, command)) = writing.command() else {
                    return;
                };
                let submission = Submission {
                    from: user,
                    key,
                    command,
                };
                return self.submit(req, submission, now, bucket, effects);
            }
        };
        self.in_flight.insert(req);
        effects.push(Effect::Read(req, query));
    }

    fn sync(&mut self, req: Req, user: UserId, cursor: Cursor, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Syncing {
            let text = "a sync is under way: wait for `caught_up`";
            return send(effects, refuse(Some(req), ErrorCode::Busy, text));
        }
        send(effects, ServerFrame::Ok { req });
        self.begin_sync(user, cursor, effects);
    }

    fn begin_sync(&mut self, user: UserId, cursor: Cursor, effects: &mut Vec<Effect>) {
        self.phase = Phase::Syncing;
        effects.push(Effect::Register(user));
        effects.push(Effect::Snapshot(cursor));
        if mutant::active(Mutant::SnapshotBeforeRegister) {
            let last = effects.len() - 1;
            effects.swap(last - 1, last);
        }
    }

    fn submit(
        &mut self,
        req: Req,
        submission: Submission,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let (room, key) = (submission.room(), submission.key);
        if !self.gate.admit(&room, key) {
            let text = "an earlier command to this room was refused for now: repeat that first";
            return send(effects, refuse(Some(req), ErrorCode::RetryInOrder, text));
        }
        if self.draining {
            self.gate.refuse(room, key);
            let text = "the server is stopping: reconnect and send it again";
            return send(effects, refuse(Some(req), ErrorCode::GoingAway, text));
        }
        if let Some(Err(wait_ms)) = bucket.map(|bucket| bucket.take(1, now)) {
            self.gate.refuse(room, key);
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req);
        effects.push(Effect::Submit(req, submission));
    }

    fn committed(
        &mut self,
        req: Req,
        room: RoomId,
        key: Key,
        result: Result<Outcome, ErrorCode>,
        effects: &mut Vec<Effect>,
    ) {
        self.in_flight.remove(&req);
        let code = match result {
            Ok(Outcome::Done(ack) | Outcome::Replayed(ack)) => {
                let (room, seq, msg_no, ts) = (ack.room, ack.seq, ack.msg_no, ack.ts);
                return send(
                    effects,
                    ServerFrame::Ack {
                        req,
                        room,
                        seq,
                        msg_no,
                        ts,
                    },
                );
            }
            Ok(Outcome::Refused(code)) | Err(code) => code,
        };
        if code.retryable() && code != ErrorCode::RetryInOrder {
            self.gate.refuse(room, key);
        }
        send(effects, refuse(Some(req), code, code.meaning()));
    }

    fn authenticated(
        &mut self,
        result: Result<Identity, ErrorCode>,
        now: Tick,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(req) = self.renewing.take() {
            return self.renewed(req, result, now, effects);
        }
        let Phase::Verifying(cursor) = &mut self.phase else {
            return;
        };
        let cursor = std::mem::take(cursor);
        let identity = match result {
            Ok(identity) => identity,
            Err(code) => {
                send(effects, refuse(None, code, code.meaning()));
                let close = match code {
                    ErrorCode::TokenExpired => CloseCode::TokenExpired,
                    code if code.retryable() => CloseCode::Overloaded,
                    _ => CloseCode::BadToken,
                };
                return self.close(close, effects);
            }
        };
        let user = identity.user.id;
        self.user = Some(user);
        self.expires = now.plus(identity.expires_in_ms);
        let now = identity.now;
        let welcome = ServerFrame::Welcome {
            v: VERSION,
            epoch: self.terms.epoch,
            user: identity.user,
            session: identity.session,
            features: Vec::new(),
            limits: public_limits(self.terms.rate),
            now,
        };
        send(effects, welcome);
        self.begin_sync(user, cursor, effects);
    }

    fn renewed(
        &mut self,
        req: Req,
        result: Result<Identity, ErrorCode>,
        now: Tick,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok(identity) if Some(identity.user.id) == self.user => {
                self.expires = now.plus(identity.expires_in_ms);
                self.told_expiring = false;
                send(effects, ServerFrame::Ok { req });
            }
            Ok(_other) => {
                let text = "this token is another user's";
                send(effects, refuse(Some(req), ErrorCode::BadToken, text));
            }
            Err(code) => send(effects, refuse(Some(req), code, code.meaning())),
        }
    }

    fn close(&mut self, code: CloseCode, effects: &mut Vec<Effect>) {
        self.phase = Phase::Closed;
        effects.push(Effect::Close(code));
    }
}

fn send(effects: &mut Vec<Effect>, frame: ServerFrame) {
    // `welcome` precedes `summary`, which travels in the message lane; both reach an empty
    // outbox in this order, because control goes first.
    effects.push(Effect::Send(Lane::Control, Box::new(frame)));
}

/// A refusal as a frame.
#[must_use]
pub fn refuse(req: Option<Req>, code: ErrorCode, message: &str) -> ServerFrame {
    ServerFrame::Error {
        req,
        code,
        message: message.to_owned(),
        field: None,
        retryable: code.retryable(),
        retry_after_ms: None,
    }
}

fn rate_limited(req: Req, wait_ms: u64) -> ServerFrame {
    let code = ErrorCode::RateLimited;
    ServerFrame::Error {
        req: Some(req),
        code,
        message: format!("too many at once: wait {wait_ms} ms"),
        field: None,
        retryable: code.retryable(),
        retry_after_ms: Some(wait_ms),
    }
}

fn public_limits(rate: Rate) -> PublicLimits {
    PublicLimits {
        text_bytes: limits::TEXT_BYTES_MAX as u64,
        frame_bytes: limits::FRAME_BYTES_MAX as u64,
        in_flight: limits::IN_FLIGHT_MAX as u64,
        open_rooms: limits::OPEN_ROOMS_MAX as u64,
        rate_per_second: u64::from(rate.thousandths_per_second.div_ceil(1_000)),
        rate_burst: u64::from(rate.burst),
    }
}

impl ClientFrame {
    /// The number that pairs the reply; `hello` has none.
    #[must_use]
    pub fn req(&self) -> Option<Req> {
        match self {
            Self::Hello { .. } => None,
            Self::Auth { req, .. }
            | Self::Sync { req, .. }
            | Self::Send { req, .. }
            | Self::Create { req, .. }
            | Self::Direct { req, .. }
            | Self::Join { req, .. }
            | Self::Leave { req, .. }
            | Self::Add { req, .. }
            | Self::Remove { req, .. }
            | Self::Mark { req, .. }
            | Self::After { req, .. }
            | Self::History { req, .. }
            | Self::Room { req, .. }
            | Self::Members { req, .. }
            | Self::Profiles { req, .. }
            | Self::Directory { req, .. }
            | Self::Ping { req, .. } => Some(*req),
        }
    }

    /// The typed command of a writing frame.
    fn command(self) -> Option<(Key, Command)> {
        match self {
            Self::Send {
                key, room, text, ..
            } => Some((key, Command::Send { room, text })),
            Self::Create {
                key, kind, name, ..
            } => Some((key, Command::Create { kind, name })),
            Self::Direct { key, user, .. } => Some((key, Command::Direct { user })),
            Self::Join { key, room, .. } => Some((key, Command::Join { room })),
            Self::Leave { key, room, .. } => Some((key, Command::Leave { room })),
            Self::Add {
                key, room, user, ..
            } => Some((key, Command::Add { room, user })),
            Self::Remove {
                key, room, user, ..
            } => Some((key, Command::Remove { room, user })),
            Self::Hello { .. }
            | Self::Auth { .. }
            | Self::Sync { .. }
            | Self::Mark { .. }
            | Self::After { .. }
            | Self::History { .. }
            | Self::Room { .. }
            | Self::Members { .. }
            | Self::Profiles { .. }
            | Self::Directory { .. }
            | Self::Ping { .. } => None,
        }
    }
}
