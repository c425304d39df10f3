//! A tail: the newest events of one room, without a hole, and what they alone can answer.
//!
//! Every answer belongs to the moment of a snapshot whose head is given: nothing beyond it is
//! shown, and a tail that does not hold all that was asked says so instead of guessing. Lifetime:
//! until it is dropped for others, or a hole makes it begin anew.

use std::collections::VecDeque;

use crate::event::{Body, Event};
use crate::fold;
use crate::ids::{Seq, UserId};
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::room::Range;

/// The newest events of one room: never empty, dense, at most [`limits::RECENT_EVENTS_MAX`].
///
/// What a redaction among them names has no text any more. A reader whose snapshot is older than
/// that redaction gets the emptied text before the redaction itself, and never the other way
/// round: its seq lies beyond their head, so it comes next, live or by their cursor, and then
/// both say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    events: VecDeque<Event>,
    /// What the events hold outside of their own places, in bytes.
    elsewhere: usize,
}

impl Tail {
    /// The tail of these events, in order: of the last ones, from the last hole on.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = Event>) -> Option<Self> {
        let mut tail = Self {
            events: VecDeque::new(),
            elsewhere: 0,
        };
        for event in events {
            tail.append(event);
        }
        (!tail.events.is_empty()).then_some(tail)
    }

    /// The first seq that it has.
    #[must_use]
    pub fn first(&self) -> Seq {
        self.events.front().map_or(Seq::ZERO, |event| event.seq)
    }

    /// The last seq that it has.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.events.back().map_or(Seq::ZERO, |event| event.seq)
    }

    /// Its events, in order.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    /// What it takes up in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.capacity() * size_of::<Event>() + self.elsewhere
    }

    /// Takes in an event that is committed. One that it has, or is older, changes nothing; behind
    /// a hole (another node wrote in between) it begins anew, since what it cannot vouch for is
    /// worth nothing.
    pub fn append(&mut self, event: Event) {
        if !self.events.is_empty() {
            if event.seq <= self.last() {
                return;
            }
            let hole = event.seq != self.last().next();
            if hole && !mutant::active(Mutant::TailOverHole) {
                self.events.clear();
                self.elsewhere = 0;
            }
        }
        self.redact(&event);
        self.elsewhere += event.elsewhere();
        self.events.push_back(event);
        self.trim();
    }

    /// Takes in what was read from a snapshot of any moment, in order. What it has wins: it may
    /// know of a redaction that the snapshot did not.
    pub fn merge(&mut self, loaded: impl IntoIterator<Item = Event>) {
        let mut older = Vec::new();
        for event in loaded {
            if event.seq < self.first() {
                older.push(event);
            } else {
                self.append(event);
            }
        }
        let mut grew = false;
        for event in older.into_iter().rev() {
            // Beyond a hole, or an append above has begun anew: no part of this tail.
            if event.seq.next() != self.first() {
                break;
            }
            self.elsewhere += event.elsewhere();
            self.events.push_front(event);
            grew = true;
        }
        if grew {
            let redactions = self.events.iter().filter(|event| is_redaction(event));
            for redaction in redactions.cloned().collect::<Vec<_>>() {
                self.redact(&redaction);
            }
        }
        self.trim();
    }

    fn redact(&mut self, event: &Event) {
        if is_redaction(event) {
            fold::empty(&mut self.events, event);
            self.elsewhere = self.events.iter().map(Event::elsewhere).sum();
        }
    }

    fn trim(&mut self) {
        while self.events.len() > limits::RECENT_EVENTS_MAX {
            if let Some(gone) = self.events.pop_front() {
                self.elsewhere -= gone.elsewhere();
            }
        }
    }

    /// What a snapshot with this head can add to it: nothing if it has the last
    /// [`limits::RECENT_EVENTS_MAX`] events of that moment.
    #[must_use]
    pub fn missing(&self, head: Seq) -> Option<Range> {
        let wanted = newest(head)?;
        match (self.first() <= wanted.from, self.last() >= wanted.to) {
            (true, true) => None,
            (true, false) => Range::new(self.last().next().max(wanted.from), wanted.to),
            // What such a snapshot has and a tail far ahead of it lacks would not stay in it.
            (false, true) => Range::new(wanted.from, self.first().before())
                .filter(|part| part.to <= wanted.to && self.has_room()),
            (false, false) => Some(wanted),
        }
    }

    fn has_room(&self) -> bool {
        self.events.len() < limits::RECENT_EVENTS_MAX
    }

    fn holds(&self, from: Seq, to: Seq) -> bool {
        self.first() <= from.max(Seq(1)) && to <= self.last()
    }

    /// The events of a range that it has.
    fn within(&self, range: Range) -> impl DoubleEndedIterator<Item = &Event> {
        let first = self.first();
        let index = |seq: Seq| {
            let index = usize::try_from(seq.0.saturating_sub(first.0)).unwrap_or(usize::MAX);
            index.min(self.events.len())
        };
        let to = if range.to < first {
            0
        } else {
            index(range.to.next())
        };
        self.events.range(index(range.from).min(to)..to)
    }

    /// One event.
    #[must_use]
    pub fn event(&self, seq: Seq) -> Option<Event> {
        if !self.holds(seq, seq) {
            return None;
        }
        self.within(Range { from: seq, to: seq }).next().cloned()
    }

    /// See [`crate::view::View::events`]; `range` ends at or before the head.
    #[must_use]
    pub fn first_events(&self, range: Range, limit: usize) -> Option<Vec<Event>> {
        let last = range.from.0.saturating_add(limit as u64).saturating_sub(1);
        self.holds(range.from, range.to.min(Seq(last)))
            .then(|| self.within(range).take(limit).cloned().collect())
    }

    /// See [`crate::view::View::lines`]; `range` ends at or before the head.
    #[must_use]
    pub fn lines(&self, range: Range, limit: usize) -> Option<Vec<Event>> {
        if range.to > self.last() {
            return None;
        }
        let lines = self.within(range).rev();
        let lines = lines.filter(|event| fold::has_line(&event.body));
        let found: Vec<&Event> = lines.take(limit).collect();
        let all = found.len() == limit || self.holds(range.from, range.to);
        all.then(|| found.into_iter().rev().cloned().collect())
    }

    /// See [`crate::view::View::about`], as a snapshot with this head sees it.
    #[must_use]
    pub fn about(&self, range: Range, head: Seq) -> Option<Vec<Event>> {
        if !self.holds(range.from, head) {
            return None;
        }
        let later = Range {
            from: range.from,
            to: head,
        };
        let about = self.within(later);
        let about = about.filter(|event| event.target.is_some_and(|at| range.holds(at)));
        Some(about.cloned().collect())
    }

    /// See [`crate::view::View::redacted`]; `range` ends at or before the head.
    #[must_use]
    pub fn redacted(&self, range: Range) -> Option<Vec<Seq>> {
        self.holds(range.from, range.to)
            .then(|| self.targets(range))
    }

    fn targets(&self, range: Range) -> Vec<Seq> {
        let redactions = self.within(range).filter(|event| is_redaction(event));
        redactions.filter_map(|event| event.target).collect()
    }

    /// The part of [`crate::view::View::countable`] that it can count, and the range that is left
    /// to whoever has the older events; `range` ends at or before the head. `blocked` is by id.
    #[must_use]
    pub fn countable(
        &self,
        user: UserId,
        blocked: &[UserId],
        range: Range,
        head: Seq,
    ) -> Option<(u64, Option<Range>)> {
        let from = range.from.max(self.first());
        if from > range.to {
            return None;
        }
        let own = Range { from, to: range.to };
        // A redaction that this snapshot has not seen does not count yet.
        let gone = self.targets(Range { from, to: head });
        let messages = self.within(own).filter(|event| {
            let by = event.from.0;
            let counts = event.body.is_message() && !gone.contains(&event.seq);
            counts && by != user && blocked.binary_search(&by).is_err()
        });
        let rest = if from <= range.from.max(Seq(1)) {
            None
        } else {
            Range::new(range.from, from.before())
        };
        Some((messages.count() as u64, rest))
    }
}

/// The events that a tail of a log with this head would have; none for an empty log.
#[must_use]
pub fn newest(head: Seq) -> Option<Range> {
    let before = head.0.saturating_sub(limits::RECENT_EVENTS_MAX as u64);
    Range::new(Seq(before).next(), head)
}

fn is_redaction(event: &Event) -> bool {
    matches!(event.body, Body::Redact(_))
}
