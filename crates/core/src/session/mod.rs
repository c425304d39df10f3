//! One connection's session: frames in, effects out (design, principle 14).
//!
//! Pure: the driver runs the effects, feeds back what became of them, and gives the time. What
//! the frame alone proves wrong is refused here for good; mute, role and membership are decided
//! in the commit, after the key look-up (contract 2).

mod aside;
mod command;
mod effect;
mod reply;
mod signing_in;
mod timers;
mod writing;

use std::collections::{BTreeMap, VecDeque};

use crate::batch::Submission;
use crate::code::{CloseCode, ErrorCode};
use crate::codec::Refusal;
use crate::gate::{Line, Turn};
use crate::ids::{Key, Tick, UserId};
use crate::limits;
use crate::marker::Mark;
use crate::mutant::{self, Mutant};
use crate::rate::{Price, Purse};
use crate::wire::{ClientFrame, Cursor, Req, ServerFrame, VERSION};

pub use self::effect::{Effect, Identity, Input, Query, Terms};
pub use self::reply::refuse;

use self::command::Asked;
use self::reply::send;
use self::timers::Window;
use self::writing::Writing;

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
    /// What waits for its reply; more of those that write.
    in_flight: BTreeMap<Req, Option<Writing>>,
    /// Of what passes now into a room in which nothing is under way.
    turn: Turn,
    /// A renewal being verified.
    renewing: Option<Req>,
    line: Line,
    /// The key that [`Effect::LookUp`] asks for: one at a time.
    looking_up: Option<Key>,
    begun: Tick,
    heard: Tick,
    next_ping: Tick,
    expires: Tick,
    told_expiring: bool,
    fell_behind: VecDeque<Tick>,
    draining: bool,
    /// Present for a client of low bandwidth.
    window: Option<Window>,
}

impl Session {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(terms: Terms, now: Tick) -> Self {
        Self {
            terms,
            phase: Phase::Hello,
            user: None,
            in_flight: BTreeMap::new(),
            turn: Turn::default(),
            renewing: None,
            line: Line::default(),
            looking_up: None,
            begun: now,
            heard: now,
            next_ping: now.plus(limits::HEARTBEAT_MS),
            expires: Tick(u64::MAX),
            told_expiring: false,
            fell_behind: VecDeque::new(),
            draining: false,
            window: None,
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

    /// Takes in what happened; `effects` gets what is to be done, in this order. `purse` has the
    /// buckets of the user, shared by all their connections, and of the address that they come from;
    /// before `hello` there is none.
    pub fn step(
        &mut self,
        input: Input,
        now: Tick,
        purse: Option<Purse<'_>>,
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
                    Ok(frame) => self.frame(frame, now, purse, effects),
                    Err(refusal) => self.malformed(refusal, effects),
                }
            }
            Input::Authenticated(result) => {
                let rate = purse.map_or(self.terms.rate, |purse| purse.rate());
                self.authenticated(result, rate, now, effects);
            }
            Input::Committed {
                req,
                room,
                key,
                result,
            } => {
                self.committed(req, room, key, result, effects);
            }
            Input::LookedUp { room, key, stored } => self.looked_up(room, key, stored),
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
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let frame = match (frame, &self.phase) {
            (
                ClientFrame::Hello {
                    v,
                    token,
                    cursor,
                    low_bandwidth,
                    device: _,
                },
                Phase::Hello,
            ) => {
                if v != VERSION {
                    return self.close(CloseCode::Version, effects);
                }
                if low_bandwidth {
                    self.spare_bandwidth(now);
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
        if self.in_flight.contains_key(&req) || self.renewing == Some(req) {
            let text = "choose another `req`: this one still waits for its reply";
            return send(effects, refuse(Some(req), ErrorCode::ReqReused, text));
        }
        self.command(req, user, frame, now, purse, effects);
    }

    fn command(
        &mut self,
        req: Req,
        user: UserId,
        frame: ClientFrame,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(asked) = frame.asked() else { return };
        match asked {
            Asked::Renew(token) => self.renew(req, token, effects),
            Asked::Sync(cursor) => self.sync(req, user, cursor, now, purse, effects),
            Asked::Ping(rooms) => effects.push(Effect::Pong(req, rooms)),
            Asked::Mark {
                room,
                delivered,
                read,
            } => {
                let mark = Mark {
                    user,
                    room,
                    delivered,
                    read,
                };
                self.mark(req, mark, now, purse, effects);
            }
            Asked::Read(query) => self.read(req, query, now, purse, effects),
            Asked::Write(key, command) => {
                let submission = Submission {
                    from: user,
                    key,
                    command,
                };
                self.submit(req, submission, now, purse, effects);
            }
            Asked::Aside(aside) => self.aside(req, aside, now, purse, effects),
            Asked::Settings(change) => {
                self.settle(req, Effect::Settings(req, change), now, purse, effects);
            }
            Asked::Own(change) => {
                self.settle(req, Effect::Own(req, change), now, purse, effects);
            }
            Asked::Deed(deed) => {
                self.settle(req, Effect::Deed(req, deed), now, purse, effects);
            }
        }
    }

    fn sync(
        &mut self,
        req: Req,
        user: UserId,
        cursor: Cursor,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        if self.phase == Phase::Syncing {
            let text = "a sync is under way: wait for `caught_up`";
            return send(effects, refuse(Some(req), ErrorCode::Busy, text));
        }
        // Whoever was told to is not kept from it: their time for it runs.
        let purse = purse.filter(|_purse| self.phase == Phase::Live);
        let price = Price::Questions(limits::SYNC_COST);
        if let Some(Err(wait_ms)) = purse.map(|purse| purse.pay(price, now)) {
            return send(effects, reply::rate_limited(req, wait_ms));
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

    fn close(&mut self, code: CloseCode, effects: &mut Vec<Effect>) {
        self.phase = Phase::Closed;
        effects.push(Effect::Close(code));
    }
}

#[cfg(test)]
mod tests;
