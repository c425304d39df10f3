//! The writing commands of a session: what it refuses itself, and what becomes of the rest.
//!
//! Keeps the order of one connection's sends to one room (contract 1): see [`crate::gate`].

use super::reply::{rate_limited, send};
use super::{Effect, Session, refuse};
use crate::batch::{Outcome, Submission};
use crate::code::ErrorCode;
use crate::ids::{Key, RoomId, Tick};
use crate::rate::Bucket;
use crate::wire::{Req, ServerFrame};

impl Session {
    pub(super) fn submit(
        &mut self,
        req: Req,
        submission: Submission,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let (room, key) = (submission.room(), submission.key);
        // The first attempt may have its final answer any moment: nobody must wait for a second
        // one, which the client would have no reason to repeat.
        let repeated = self.is_in_flight(room, key);
        // While refused ones wait to come again, what passed before must have its answer first:
        // it may have been refused as well, and then comes before others.
        let mut writing = self.in_flight.values().flatten();
        let open = writing.any(|(other, _key)| *other == room);
        let late = !self.line.is_next(room, key) || (open && self.line.waits(room));
        let refused = if late {
            let text = "an earlier command to this room was refused for now: repeat that first";
            Some(refuse(Some(req), ErrorCode::RetryInOrder, text))
        } else if repeated {
            None
        } else if self.draining {
            let text = "the server is stopping: reconnect and send it again";
            Some(refuse(Some(req), ErrorCode::GoingAway, text))
        } else {
            let taken = bucket.map(|bucket| bucket.take(1, now));
            let wait_ms = taken.and_then(Result::err);
            wait_ms.map(|wait_ms| rate_limited(req, wait_ms))
        };
        if let Some(frame) = refused {
            if !repeated {
                self.line.refuse(room, key);
            }
            return send(effects, frame);
        }
        self.line.pass(room, key);
        self.in_flight.insert(req, Some((room, key)));
        effects.push(Effect::Submit(req, self.turn, submission));
    }

    fn is_in_flight(&self, room: RoomId, key: Key) -> bool {
        let mut writing = self.in_flight.values().flatten();
        writing.any(|other| *other == (room, key))
    }

    pub(super) fn committed(
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
            Ok(Outcome::Refused(code)) | Err(code) => code,
        };
        if code.retryable() {
            self.turn += 1;
            if !self.is_in_flight(room, key) {
                self.line.recall(room, key);
            }
        } else {
            self.line.settle(room, key);
        }
        send(effects, refuse(Some(req), code, code.meaning()));
    }
}
