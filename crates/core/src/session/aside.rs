//! Commands beside the log: what the rate leaves to them.
//!
//! They take of the user's own rate, and never the half that is left to messages. `typing` beyond it
//! is dropped, since it may vanish anyhow; the others are refused.

use super::reply::{rate_limited, send};
use super::{Effect, Query, Session, refuse};
use crate::aside::Aside;
use crate::code::ErrorCode;
use crate::ids::Tick;
use crate::limits;
use crate::marker::Mark;
use crate::rate::{Price, Purse};
use crate::wire::{Req, ServerFrame};

/// What a change of one's own state or a deed costs, in thousandths of a message: it is written.
const WRITE_COST_THOUSANDTHS: u32 = 1_000;

impl Session {
    pub(super) fn aside(
        &mut self,
        req: Req,
        aside: Aside,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let cost = aside.cost_thousandths();
        let paid = purse.map(|purse| purse.pay(Price::Aside(cost), now));
        match (paid, &aside) {
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
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        if self.draining {
            let code = ErrorCode::GoingAway;
            return send(effects, refuse(Some(req), code, code.meaning()));
        }
        let price = Price::Aside(WRITE_COST_THOUSANDTHS);
        if let Some(Err(wait_ms)) = purse.map(|purse| purse.pay(price, now)) {
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req, None);
        effects.push(effect);
    }

    /// A question, at its price: see [`Query::price`].
    pub(super) fn read(
        &mut self,
        req: Req,
        query: Query,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let price = query.price();
        if let Some(Err(wait_ms)) = purse.map(|purse| purse.pay(price, now)) {
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req, None);
        effects.push(Effect::Read(req, query));
    }

    /// Markers; they are written, and so have a price, which only a loop meets.
    pub(super) fn mark(
        &mut self,
        req: Req,
        mark: Mark,
        now: Tick,
        purse: Option<Purse<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let price = Price::Questions(limits::QUESTION_COST);
        if let Some(Err(wait_ms)) = purse.map(|purse| purse.pay(price, now)) {
            return send(effects, rate_limited(req, wait_ms));
        }
        self.in_flight.insert(req, None);
        effects.push(Effect::Mark(req, mark));
    }
}
