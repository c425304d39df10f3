//! Commands beside the log: what the rate leaves to them.
//!
//! They take of the user's own rate, and never the half that is left to messages. `typing` beyond it
//! is dropped, since it may vanish anyhow; the others are refused.

use super::reply::{rate_limited, send};
use super::{Effect, Query, Session, refuse};
use crate::aside::Aside;
use crate::code::ErrorCode;
use crate::ids::Tick;
use crate::rate::Bucket;
use crate::wire::{Req, ServerFrame};

/// What a change of one's own state or a deed costs, in thousandths of a message: it is written.
const WRITE_COST_THOUSANDTHS: u32 = 1_000;

impl Session {
    pub(super) fn aside(
        &mut self,
        req: Req,
        aside: Aside,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let cost = aside.cost_thousandths();
        let taken = bucket.map(|bucket| bucket.take_aside(cost, now));
        match (taken, &aside) {
            (Some(Err(_wait_ms)), Aside::Typing { .. }) => send(effects, ServerFrame::Ok { req }),
            (Some(Err(wait_ms)), _) => send(effects, rate_limited(req, wait_ms)),
            (Some(Ok(())) | None, _) => {
                self.in_flight.insert(req, None);
                effects.push(Effect::Aside(req, aside));
            }
        }
    }

    /// Has something written beside the log by `effect`, if the rate allows it.
    pub(super) fn settle(
        &mut self,
        req: Req,
        effect: Effect,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        if self.draining {
            let code = ErrorCode::GoingAway;
            return send(effects, refuse(Some(req), code, code.meaning()));
        }
        let taken = bucket.map(|bucket| bucket.take_aside(WRITE_COST_THOUSANDTHS, now));
        if let Some(Err(wait_ms)) = taken {
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req, None);
        effects.push(effect);
    }

    /// A question; those by which somebody could look for what is not theirs have a price.
    pub(super) fn read(
        &mut self,
        req: Req,
        query: Query,
        now: Tick,
        bucket: Option<&mut Bucket>,
        effects: &mut Vec<Effect>,
    ) {
        let cost = query.cost_thousandths();
        let bucket = bucket.filter(|_bucket| cost > 0);
        if let Some(Err(wait_ms)) = bucket.map(|bucket| bucket.take_aside(cost, now)) {
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req, None);
        effects.push(Effect::Read(req, query));
    }
}
