//! The commit of a node: what is queued becomes one batch, then acks, then deliveries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chinwag_core::batch::{Outcome, Submission};
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Shared;
use chinwag_core::gate::Turn;
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::ledger::Committed;
use chinwag_core::limits;
use chinwag_core::live::ConnId;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::session::{Input, refuse};
use chinwag_core::wire::{Req, ServerFrame};

use super::hub::Item;
use super::{Node, Site};
use crate::base::Base;
use crate::store::{Ask, StoreError};

/// Marks in one transaction.
const MARKS_BATCH_MAX: usize = 4_096;

/// A command on its way to the store.
pub(super) struct Job {
    pub(super) conn: ConnId,
    pub(super) req: Req,
    pub(super) turn: Turn,
    pub(super) submission: Submission,
}

pub(super) enum Work {
    Job(Job),
    Gone(ConnId),
}

/// A marker on its way to the store.
pub(super) struct MarkJob {
    pub(super) conn: ConnId,
    pub(super) req: Req,
    pub(super) mark: Mark,
}

impl Node {
    /// Takes what queued during the last commit; one batch at a time.
    pub(super) fn begin_commit(&mut self, site: &mut Site<'_>) {
        if self.committing.is_some() {
            return;
        }
        let mut jobs = Vec::new();
        while jobs.len() < limits::BATCH_MAX {
            match self.work.pop_front() {
                Some(Work::Job(job)) => {
                    let scope = (job.conn, job.submission.room());
                    if self.gate.admits(&scope, job.turn) {
                        jobs.push(job);
                    } else {
                        self.answer(&job, Err(ErrorCode::RetryInOrder), site.base);
                    }
                }
                Some(Work::Gone(conn)) => self.gate.retain(|(other, _room)| *other != conn),
                None => break,
            }
        }
        if jobs.is_empty() {
            return;
        }
        let items = jobs.iter().map(|job| job.submission.clone()).collect();
        site.store.append(self.name(), items, site.base);
        self.committing = Some(jobs);
    }

    /// What became of the batch: acks first, then deliveries.
    pub(super) fn appended(&mut self, result: Result<Committed, StoreError>, site: &mut Site<'_>) {
        let Some(jobs) = self.committing.take() else {
            return;
        };
        match result {
            Ok(committed) => {
                site.store.remember(self.name(), &committed.events);
                let mut replayed = Vec::new();
                for (job, outcome) in jobs.iter().zip(&committed.outcomes) {
                    if let Outcome::Replayed(ack) = outcome {
                        replayed.push(ack.room);
                    }
                    self.answer(job, Ok(*outcome), site.base);
                }
                let events: Vec<Arc<Shared>> =
                    committed.events.into_iter().map(Shared::new).collect();
                if !events.is_empty() {
                    let (index, others) = (self.index, site.others);
                    site.bus.publish(index, others, &events, site.base);
                    self.item(Item::Committed(events), site.base);
                }
                if !replayed.is_empty() {
                    self.item(Item::Check(replayed), site.base);
                }
            }
            Err(error) => self.refuse(&jobs, error, site.base),
        }
    }

    fn refuse(&mut self, jobs: &[Job], error: StoreError, base: &mut Base) {
        for job in jobs {
            let room = job.submission.room();
            self.gate.refuse((job.conn, room), job.turn);
            self.answer(job, Err(ErrorCode::Unavailable), base);
        }
        if error == StoreError::Unknown {
            let rooms: BTreeSet<RoomId> = jobs.iter().map(|job| job.submission.room()).collect();
            self.item(Item::Check(rooms.into_iter().collect()), base);
        }
    }

    pub(super) fn answer(&mut self, job: &Job, result: Result<Outcome, ErrorCode>, base: &Base) {
        let input = Input::Committed {
            req: job.req,
            room: job.submission.room(),
            key: job.submission.key,
            result,
        };
        self.input(job.conn, input, base);
    }

    /// The lower queue: markers, the highest of each member.
    pub(super) fn begin_marks(&mut self, site: &mut Site<'_>) {
        if self.marking.is_some() || self.marks.is_empty() {
            return;
        }
        let count = self.marks.len().min(MARKS_BATCH_MAX);
        let jobs: Vec<MarkJob> = self.marks.drain(..count).collect();
        site.store.mark(
            self.name(),
            highest(&jobs).into_values().collect(),
            site.base,
        );
        self.marking = Some(jobs);
    }

    /// What became of the markers: replies, and the user's other connections are told.
    pub(super) fn marked(
        &mut self,
        result: Result<Vec<Option<Marked>>, StoreError>,
        site: &mut Site<'_>,
    ) {
        let Some(jobs) = self.marking.take() else {
            return;
        };
        let slots = highest(&jobs).into_keys();
        let stored: Option<BTreeMap<(UserId, RoomId), Option<Marked>>> =
            result.ok().map(|stored| slots.zip(stored).collect());
        for MarkJob { conn, req, mark } in jobs {
            let slot = (mark.user, mark.room);
            let marked = match &stored {
                Some(stored) => stored
                    .get(&slot)
                    .copied()
                    .flatten()
                    .ok_or(ErrorCode::NotFound),
                None => Err(ErrorCode::Unavailable),
            };
            let reply = match marked {
                Ok(_marked) => ServerFrame::Ok { req },
                Err(code) => refuse(Some(req), code, code.meaning()),
            };
            if let Some(conn) = self.conns.get_mut(&conn).filter(|conn| !conn.gone) {
                conn.reply(reply);
            }
            if let Ok(marked) = &marked {
                self.pacer
                    .rose(mark.room, mark.user, marked, site.base.tick());
            }
            if marked.is_ok_and(|marked| marked.rose()) {
                let ask = Ask::Row(conn.0, mark.user, mark.room);
                site.store.read(self.name(), ask, site.base);
            }
            self.input(conn, Input::Replied(req), site.base);
        }
    }
}

fn highest(jobs: &[MarkJob]) -> BTreeMap<(UserId, RoomId), Mark> {
    let mut highest: BTreeMap<(UserId, RoomId), Mark> = BTreeMap::new();
    for job in jobs {
        let slot = highest
            .entry((job.mark.user, job.mark.room))
            .or_insert(job.mark);
        slot.read = slot.read.max(job.mark.read);
        slot.delivered = slot.delivered.max(job.mark.delivered);
    }
    highest
}
