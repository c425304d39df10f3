//! Answers of the writer to its callers, each of whom gets their own part of a transaction.

use chinwag_core::batch::{Decided, Outcome};
use chinwag_core::event::Event;
use chinwag_core::ids::Position;
use chinwag_core::ledger::Committed;

use super::queue::Reply;
use crate::store::StoreError;

pub(super) fn answer<T>(reply: Reply<T>, with: Result<T, StoreError>) {
    // A caller that has gone away wants no answer; what was stored stays stored.
    let _gone = reply.send(with);
}

/// Gives each call its own outcomes and events.
pub(super) fn split(decided: Decided, lengths: &[usize], position: Position) -> Vec<Committed> {
    let mut outcomes = decided.outcomes.into_iter();
    let mut events = decided.appended.into_iter().map(|appended| appended.event);
    let each = |length: &usize| {
        let outcomes: Vec<Outcome> = outcomes.by_ref().take(*length).collect();
        let done = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Done(_)))
            .count();
        let events: Vec<Event> = events.by_ref().take(done).collect();
        Committed {
            outcomes,
            events,
            position,
        }
    };
    lengths.iter().map(each).collect()
}
