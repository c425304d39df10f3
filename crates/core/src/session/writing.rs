//! The writing commands of a session: what it refuses itself, and what becomes of the rest.
//!
//! Keeps the order of one connection's sends to one room (contract 1): see [`crate::gate`].

use super::reply::{not_last, rate_limited, send};
use super::{Effect, Session, refuse};
use crate::batch::{Outcome, Submission};
use crate::code::ErrorCode;
use crate::gate::{Place, Turn};
use crate::ids::{Key, RoomId, Tick};
use crate::rate::{Price, Purse};
use crate::wire::{Req, ServerFrame};

/// A command on its way through the commit.
#[derive(Debug)]
pub(super) struct Writing {
    room: RoomId,
    key: Key,
    place: Place,
    turn: Turn,
    /// It passed before a refusal in its room was heard of, and may have been refused as well.
    doubtful: bool,
}

impl Session {
    pub(super) fn submit(
        &mut self,
        req: Req,
        submission: Submission,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let (room, key) = (submission.room(), submission.key);
        // The first attempt may have its final answer any moment: nobody must wait for a second
        // one, which the client would have no reason to repeat.
        let repeated = self.is_in_flight(room, key);
        let refused = if let Some(frame) = self.out_of_turn(req, room, key, effects) {
            Some(frame)
        } else if repeated {
            None
        } else if self.draining {
            let text = "the server is stopping: reconnect and send it again";
            Some(refuse(Some(req), ErrorCode::GoingAway, text))
        } else {
            let paid = purse.map(|purse| purse.pay(Price::Messages(1), now));
            let wait_ms = paid.and_then(Result::err);
            wait_ms.map(|wait_ms| rate_limited(req, wait_ms))
        };
        if let Some(frame) = refused {
            if !repeated {
                self.line.refuse(room, key);
            }
            return send(effects, frame);
        }
        let first = self.writing(room).find(|other| other.key == key);
        let first = first.map(|first| first.place);
        let ahead = self.writing(room).map(|other| other.turn).max();
        let turn = ahead.unwrap_or(self.turn);
        let writing = Writing {
            room,
            key,
            place: first.unwrap_or_else(|| self.line.pass(room, key)),
            turn,
            doubtful: false,
        };
        self.in_flight.insert(req, Some(writing));
        effects.push(Effect::Submit(req, turn, submission));
    }

    /// The refusal of a command that has to wait for another: for one that must come again first,
    /// or for one that may have to.
    fn out_of_turn(
        &mut self,
        req: Req,
        room: RoomId,
        key: Key,
        effects: &mut Vec<Effect>,
    ) -> Option<ServerFrame> {
        let first = self.line.first(room).filter(|first| *first != key);
        if let Some(first) = first {
            // It may have been stored after all, and its client have heard so by its event: then
            // it does not come again.
            if self.looking_up.is_none() {
                self.looking_up = Some(first);
                effects.push(Effect::LookUp(room, first));
            }
        } else if !self.writing(room).any(|other| other.doubtful) {
            return None;
        }
        let text = "an earlier command to this room was refused for now: repeat that first";
        Some(refuse(Some(req), ErrorCode::RetryInOrder, text))
    }

    /// The answer to [`Effect::LookUp`].
    pub(super) fn looked_up(&mut self, room: RoomId, key: Key, stored: bool) {
        self.looking_up = None;
        if stored {
            self.line.settle(room, key);
        }
    }

    fn writing(&self, room: RoomId) -> impl Iterator<Item = &Writing> {
        let writing = self.in_flight.values().flatten();
        writing.filter(move |other| other.room == room)
    }

    fn is_in_flight(&self, room: RoomId, key: Key) -> bool {
        self.writing(room).any(|other| other.key == key)
    }

    pub(super) fn committed(
        &mut self,
        req: Req,
        room: RoomId,
        key: Key,
        result: Result<Outcome, ErrorCode>,
        effects: &mut Vec<Effect>,
    ) {
        let writing = self.in_flight.remove(&req).flatten();
        let code = match result {
            Ok(Outcome::Done(ack) | Outcome::Replayed(ack)) => {
                self.line.settle(room, key);
                let (room, seq, msg_no, ts) = (ack.room, ack.seq, ack.msg_no, ack.ts);
                let frame = ServerFrame::Ack {
                    req,
                    room,
                    seq,
                    msg_no,
                    ts,
                };
                return send(effects, frame);
            }
            Ok(Outcome::NotLast(last)) => {
                self.line.settle(room, key);
                return send(effects, not_last(req, last));
            }
            Ok(Outcome::Refused(code)) | Err(code) => code,
        };
        if !code.retryable() {
            self.line.settle(room, key);
        } else if let Some(writing) = writing {
            self.turn = self.turn.next();
            for other in self.in_flight.values_mut().flatten() {
                other.doubtful |= other.room == room;
            }
            if !self.is_in_flight(room, key) {
                self.line.recall(room, key, writing.place);
            }
        }
        send(effects, refuse(Some(req), code, code.meaning()));
    }
}
