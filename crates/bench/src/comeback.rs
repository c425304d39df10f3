//! Getting very many users back at the same time: who tries when, and who is back with everything.
//!
//! Each waits as the protocol says (docs/protocol.md, section 9): longer after each failure. Used
//! after a cut and for those who come late. Lives until the last one is back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use anyhow::{bail, ensure};

use crate::chinwag::Chinwag;
use crate::crowd::Crowd;
use crate::report::Latencies;
use crate::swarm::stamp::now_ns;
use crate::swarm::{Cut, Note, Swarm};

/// Without anybody coming back for so long, nobody will.
const STUCK_NS: u64 = 60_000_000_000;
/// The first wait after a failure, at most; each one after it is twice as long.
const WAIT_NS: u64 = 1_000_000_000;
/// How often it doubles.
const DOUBLINGS_MAX: u32 = 4;
/// One step of waiting, at most.
const STEP_NS: u64 = 50_000_000;

/// How the clients come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// When time begins.
    pub(crate) begun_ns: u64,
    /// Under way at the same time, at most.
    pub(crate) at_once: usize,
    /// The time over which the first attempts are spread.
    pub(crate) spread: Duration,
    /// Answers to messages that are still awaited.
    pub(crate) owed: usize,
}

/// How all came back.
pub(crate) struct Comeback {
    /// Until the last was signed in again.
    pub(crate) back_s: f64,
    /// Until the last also had everything.
    pub(crate) whole_s: f64,
    /// Of each, from the beginning of all until signed in again.
    pub(crate) back: Latencies,
    /// How often somebody had to try again.
    pub(crate) failures: u64,
    /// The last reason for it.
    pub(crate) failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    UnderWay,
    Back,
}

/// Clients on their way.
struct Return<'a> {
    swarm: &'a mut Swarm<Chinwag>,
    crowd: Crowd,
    plan: Plan,
    states: Vec<State>,
    attempts: Vec<u32>,
    /// Who tries when; the first one on top.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    under_way: usize,
    missing: usize,
    owed: usize,
    back: Latencies,
    failures: u64,
    failure: Option<String>,
    /// When somebody came back last.
    last_ns: u64,
}

/// Brings all clients of the crowd back, and waits until each has what those who stayed have.
///
/// # Errors
/// Somebody who stayed loses the connection, or nobody comes back for a minute.
pub(crate) fn all_back(
    swarm: &mut Swarm<Chinwag>,
    crowd: Crowd,
    plan: Plan,
) -> anyhow::Result<Comeback> {
    let mut unsure: Vec<usize> = crowd.clients().collect();
    let first = |(place, &user): (usize, &usize)| {
        let share = place as f64 / crowd.count() as f64;
        let wait_ns = (plan.spread.as_nanos() as f64 * share) as u64;
        Reverse((plan.begun_ns + wait_ns, user))
    };
    let mut returning = Return {
        states: vec![State::Waiting; swarm.users()],
        attempts: vec![0; swarm.users()],
        due: unsure.iter().enumerate().map(first).collect(),
        under_way: 0,
        missing: unsure.len(),
        owed: plan.owed,
        back: Latencies::new(),
        failures: 0,
        failure: None,
        last_ns: now_ns(),
        swarm,
        crowd,
        plan,
    };
    loop {
        returning.step()?;
        if returning.missing == 0 && returning.owed == 0 {
            unsure.retain(|&user| !crowd.has_all(returning.swarm, user));
            if unsure.is_empty() {
                return Ok(returning.done());
            }
        }
        ensure!(
            now_ns() < returning.last_ns + STUCK_NS,
            "{} of {} are not back, {} may miss something, {} messages were not answered; the \
             last failure: {}",
            returning.missing,
            crowd.count(),
            unsure.len(),
            returning.owed,
            returning.failure.as_deref().unwrap_or("none")
        );
    }
}

impl Return<'_> {
    /// Lets those try whose time has come, and takes note of what happened.
    fn step(&mut self) -> anyhow::Result<()> {
        let now = now_ns();
        let mut wake = now + STEP_NS;
        while self.under_way < self.plan.at_once
            && let Some(&Reverse((at_ns, user))) = self.due.peek()
        {
            if at_ns > now {
                wake = wake.min(at_ns);
                break;
            }
            self.due.pop();
            self.swarm.begin(user)?;
            self.states[user] = State::UnderWay;
            self.under_way += 1;
        }
        self.swarm.turn(wake)?;
        let mut notes = Vec::new();
        self.swarm.take_notes(&mut notes);
        let now = now_ns();
        for note in notes {
            match note {
                Note::Ready { user, .. } => {
                    let took = now.saturating_sub(self.plan.begun_ns);
                    self.back.record(Duration::from_nanos(took));
                    self.states[user] = State::Back;
                    self.under_way -= 1;
                    self.missing -= 1;
                    self.last_ns = now;
                }
                Note::Done { .. } => self.owed = self.owed.saturating_sub(1),
                Note::Closed { user, why } | Note::Refused { user, why } => {
                    self.failed(user, why, now)?;
                }
            }
        }
        Ok(())
    }

    fn failed(&mut self, user: usize, why: String, now_ns: u64) -> anyhow::Result<()> {
        if self.crowd.stays(user) {
            bail!("user {user}, who stayed: {why}");
        }
        match self.states[user] {
            // A refusal and the close that follows it are one failure.
            State::Waiting => return Ok(()),
            State::UnderWay => self.under_way -= 1,
            State::Back => self.missing += 1,
        }
        self.swarm.close(user, Cut::End);
        self.states[user] = State::Waiting;
        let wait_ns = wait_ns(user, self.attempts[user]);
        self.attempts[user] += 1;
        self.due.push(Reverse((now_ns + wait_ns, user)));
        (self.failures, self.failure) = (self.failures + 1, Some(why));
        Ok(())
    }

    fn done(self) -> Comeback {
        let seconds = |until_ns: u64| until_ns.saturating_sub(self.plan.begun_ns) as f64 / 1e9;
        Comeback {
            back_s: seconds(self.last_ns),
            whole_s: seconds(now_ns()),
            back: self.back,
            failures: self.failures,
            failure: self.failure,
        }
    }
}

/// The wait after so many failures: of the whole, the part that is this user's. Spread evenly
/// like random numbers, and the same in every run.
fn wait_ns(user: usize, failures: u32) -> u64 {
    let whole = WAIT_NS << failures.min(DOUBLINGS_MAX);
    let share = (user as f64 * 0.618_033_988_749_895).fract();
    (whole as f64 * share) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_spread() {
        for (failures, most_s) in [(0, 1), (1, 2), (4, 16), (40, 16)] {
            let most_ns = most_s * 1_000_000_000;
            let waits: Vec<u64> = (0..1_000).map(|user| wait_ns(user, failures)).collect();
            assert!(waits.iter().all(|&wait| wait < most_ns), "{failures}");
            let early = waits.iter().filter(|&&wait| wait < most_ns / 2).count();
            assert!((490..=510).contains(&early), "{failures}: {early}");
        }
    }
}
