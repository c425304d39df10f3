//! Plays a day on the swarm: an open loop of actions, and the proof that nobody missed anything.
//!
//! Whoever is drawn but away, or about to lose the connection with something unanswered, is
//! replaced by a neighbour. Lives as long as the day.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use anyhow::{bail, ensure};
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::wire::ClientFrame;

use super::plan::{Action, Company, Day, Dice, KINDS};
use crate::chinwag::Chinwag;
use crate::report::Latencies;
use crate::swarm::pace::Schedule;
use crate::swarm::stamp::{now_ns, stamped_as};
use crate::swarm::{Counts, Cut, Note, Swarm};

/// How long somebody is away who lost the connection.
const AWAY_NS: u64 = 1_000_000_000;
/// Until everything has been answered and delivered, at the end.
const DRAIN_NS: u64 = 60_000_000_000;
/// One step of waiting, at most.
const STEP_NS: u64 = 20_000_000;
/// Neighbours that are asked, until one has time.
const NEIGHBOURS_MAX: usize = 64;
/// Bytes of a text.
const TEXT_BYTES: usize = 100;
/// Lines of a page.
const PAGE: u64 = 50;

/// What is timed apart: messages by kind of room, and the rest.
pub(super) const TIMED: usize = KINDS + 3;
const READ: usize = KINDS;
const LOOK: usize = KINDS + 1;
const LEAVE: usize = KINDS + 2;

/// How long whoever was refused for now waits before asking again.
const AGAIN_NS: u64 = 1_000_000_000;

/// Something that was asked and not answered yet.
#[derive(Clone, Copy)]
struct Pending {
    user: usize,
    room: usize,
    timed: usize,
    due_ns: u64,
}

/// What came of the day.
pub(super) struct Played {
    /// From when each action was due to its answer.
    pub(super) answers: [Latencies; TIMED],
    /// Actions for which nobody was found.
    pub(super) skipped: u64,
    /// Commands that were refused for now, and asked again.
    pub(super) postponed: u64,
    /// Attempts to come back that failed.
    pub(super) failures: u64,
}

/// A day being played. See the module.
pub(super) struct Playing<'a> {
    swarm: &'a mut Swarm<Chinwag>,
    company: Company,
    day: Day,
    dice: Dice,
    /// When measuring begins: latencies of what was due before are not kept.
    from_ns: u64,
    numbers: u64,
    pending: BTreeMap<u64, Pending>,
    /// Unanswered commands of each user.
    busy: Vec<u32>,
    /// Who has come in and has not been cut off since.
    here: Vec<bool>,
    /// Who comes back when; the first on top.
    away: BinaryHeap<Reverse<(u64, usize)>>,
    /// Numbers of commands that are to be asked again, and when.
    again: BinaryHeap<Reverse<(u64, u64)>>,
    /// Connections that are not ready yet.
    coming: usize,
    /// Of each room, the seq that everybody should have in the end.
    heads: Vec<u64>,
    played: Played,
}

impl<'a> Playing<'a> {
    /// Everybody is signed in, follows their rooms and has everything.
    pub(super) fn new(
        swarm: &'a mut Swarm<Chinwag>,
        company: Company,
        day: Day,
        from_ns: u64,
    ) -> Self {
        let rooms = swarm.dialect().rooms().to_vec();
        let cursor = |user: usize, room: RoomId| {
            let seat = swarm.dialect().seat(user);
            seat.map_or(0, |seat| seat.cursor(room))
        };
        let groups = company.groups();
        let firsts = groups.iter().zip(&rooms);
        Self {
            heads: firsts
                .map(|(group, room)| cursor(group.start, *room))
                .collect(),
            busy: vec![0; swarm.users()],
            here: vec![true; swarm.users()],
            swarm,
            company,
            day,
            dice: Dice::new(2_026),
            from_ns,
            numbers: 0,
            pending: BTreeMap::new(),
            away: BinaryHeap::new(),
            again: BinaryHeap::new(),
            coming: 0,
            played: Played {
                answers: std::array::from_fn(|_timed| Latencies::new()),
                skipped: 0,
                postponed: 0,
                failures: 0,
            },
        }
    }

    /// Plays until `until_ns`.
    ///
    /// # Errors
    /// Something is refused, or a connection ends that nobody ended.
    pub(super) fn play(&mut self, schedule: &mut Schedule, until_ns: u64) -> anyhow::Result<()> {
        loop {
            let now = now_ns();
            if now >= until_ns {
                return Ok(());
            }
            while let Some((_number, due_ns)) = schedule.take(now) {
                self.act(due_ns)?;
            }
            self.step(schedule.next_due_ns().min(until_ns).min(now + STEP_NS))?;
        }
    }

    /// What all did together.
    pub(super) fn counts(&self) -> Counts {
        self.swarm.counts()
    }

    /// Brings back who is away, waits for all answers, and until everybody has everything.
    ///
    /// # Errors
    /// Somebody does not come back, is not answered, or misses something.
    pub(super) fn end(mut self) -> anyhow::Result<Played> {
        let give_up = now_ns() + DRAIN_NS;
        let groups = self.company.groups();
        let mut unsure: Vec<usize> = (0..groups.len()).collect();
        loop {
            self.step(now_ns() + STEP_NS)?;
            if self.pending.is_empty() && self.away.is_empty() && self.coming == 0 {
                unsure.retain(|&room| {
                    let members = groups[room].clone();
                    !members
                        .into_iter()
                        .all(|user| self.cursor(user, room) == self.heads[room])
                });
                if unsure.is_empty() {
                    break;
                }
            }
            ensure!(
                now_ns() < give_up,
                "{} commands were not answered, {} people are not back, and in {} rooms not \
                 everybody has everything",
                self.pending.len(),
                self.away.len() + self.coming,
                unsure.len()
            );
        }
        let gaps: u64 = (0..self.swarm.users())
            .filter_map(|user| self.swarm.dialect().seat(user))
            .map(|seat| seat.gaps)
            .sum();
        ensure!(
            gaps == 0,
            "{gaps} events came before what should have come first"
        );
        Ok(self.played)
    }

    fn cursor(&self, user: usize, room: usize) -> u64 {
        let dialect = self.swarm.dialect();
        let id = dialect.rooms()[room];
        dialect.seat(user).map_or(0, |seat| seat.cursor(id))
    }

    /// Does what is drawn next.
    fn act(&mut self, due_ns: u64) -> anyhow::Result<()> {
        let action = self.day.draw(self.company.people(), &mut self.dice);
        let drawn = self.dice.below(self.company.people() as u64) as usize;
        let neighbours = (drawn..self.company.people()).chain(0..drawn);
        let has_time = |user: &usize| {
            let idle = action != Action::Leave || self.busy[*user] == 0;
            idle && self.swarm.is_ready(*user)
        };
        let found = neighbours.take(NEIGHBOURS_MAX).find(has_time);
        let Some(user) = found else {
            self.played.skipped += 1;
            return Ok(());
        };
        let (kind, timed) = match action {
            Action::Leave => {
                // A box that forgets, or a process that is killed: half of each.
                let how = if user.is_multiple_of(2) {
                    Cut::Reset
                } else {
                    Cut::End
                };
                self.swarm.close(user, how);
                self.here[user] = false;
                self.away.push(Reverse((now_ns() + AWAY_NS, user)));
                return Ok(());
            }
            Action::Say(kind) => (kind, kind),
            Action::Read(kind) => (kind, READ),
            Action::Look(kind) => (kind, LOOK),
        };
        self.numbers += 1;
        let pending = Pending {
            user,
            room: self.company.room(user, kind),
            timed,
            due_ns,
        };
        self.pending.insert(self.numbers, pending);
        self.busy[user] += 1;
        if timed < KINDS {
            let text = stamped_as(kind, due_ns, TEXT_BYTES);
            return self
                .swarm
                .say_message(user, pending.room, self.numbers, &text);
        }
        self.ask(self.numbers, pending)
    }

    /// Marks a room as read, or opens it.
    fn ask(&mut self, req: u64, pending: Pending) -> anyhow::Result<()> {
        let Pending { user, room, .. } = pending;
        let id = self.swarm.dialect().rooms()[room];
        let frame = if pending.timed == READ {
            let read = Some(Seq(self.cursor(user, room)));
            ClientFrame::Mark {
                req,
                room: id,
                delivered: read,
                read,
            }
        } else {
            ClientFrame::History {
                req,
                room: id,
                before: None,
                at_least: None,
                limit: Some(PAGE),
            }
        };
        self.swarm.say(user, &Chinwag::frame(&frame))
    }

    /// Asks again what was refused for now, when its time has come; says when the next one's will.
    fn ask_again(&mut self) -> anyhow::Result<u64> {
        let now = now_ns();
        for (_user, number) in self.swarm.dialect_mut().take_postponed() {
            let pending = self.pending.get(&number);
            ensure!(
                pending.is_some_and(|pending| pending.timed >= KINDS),
                "a message was refused for now: the server cannot keep up with so many"
            );
            self.played.postponed += 1;
            self.again.push(Reverse((now + AGAIN_NS, number)));
        }
        while let Some(&Reverse((at_ns, number))) = self.again.peek() {
            if at_ns > now {
                return Ok(at_ns);
            }
            self.again.pop();
            if let Some(&pending) = self.pending.get(&number) {
                self.ask(number, pending)?;
            }
        }
        Ok(u64::MAX)
    }

    /// Lets come back whose time has come, and takes note of what happened.
    fn step(&mut self, until_ns: u64) -> anyhow::Result<()> {
        let now = now_ns();
        let mut wake = self.ask_again()?.min(until_ns);
        while let Some(&Reverse((at_ns, user))) = self.away.peek() {
            if at_ns > now {
                wake = wake.min(at_ns);
                break;
            }
            self.away.pop();
            self.swarm.begin(user)?;
            self.coming += 1;
        }
        self.swarm.turn(wake)?;
        let mut notes = Vec::new();
        self.swarm.take_notes(&mut notes);
        for note in notes {
            match note {
                Note::Ready { user, took_ns } => {
                    self.here[user] = true;
                    self.coming -= 1;
                    if now_ns() >= self.from_ns {
                        self.played.answers[LEAVE].record(Duration::from_nanos(took_ns));
                    }
                }
                Note::Done {
                    user,
                    number,
                    at_ns,
                } => self.done(user, number, at_ns)?,
                Note::Refused { user, why } => bail!("user {user}: {why}"),
                Note::Closed { user, why } => {
                    ensure!(!self.here[user], "user {user}: {why}");
                    self.coming -= 1;
                    self.played.failures += 1;
                    self.away.push(Reverse((now_ns() + AWAY_NS, user)));
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, user: usize, number: u64, at_ns: u64) -> anyhow::Result<()> {
        let Some(pending) = self.pending.remove(&number) else {
            bail!("command {number} was answered twice, or never sent");
        };
        self.busy[user] -= 1;
        if pending.timed < KINDS {
            self.heads[pending.room] += 1;
        }
        if pending.due_ns >= self.from_ns {
            let took = at_ns.saturating_sub(pending.due_ns);
            self.played.answers[pending.timed].record(Duration::from_nanos(took));
        }
        Ok(())
    }
}
