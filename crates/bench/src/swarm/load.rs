//! A load: senders in rooms, at a pace, for a while; and the proof that it arrived.
//!
//! Closed loops send when they have been answered, open loops when it is time. A run that cannot
//! show that every member received every message exactly once is no measurement and fails.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use anyhow::{bail, ensure};

use super::pace::Schedule;
use super::stamp::{now_ns, stamped};
use super::{Counts, Note, Sampling, Swarm};
use crate::dialect::Dialect;
use crate::machine::{Usage, Watched};
use crate::report::Latencies;

/// Until the last message has reached everybody.
const DRAIN: Duration = Duration::from_secs(30);
/// One step of waiting, at most.
const STEP_NS: u64 = 100_000_000;

/// When the next message is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// Each sender keeps so many unanswered.
    Window(usize),
    /// The next goes out when all members have the last one: exactly one is under way in all.
    OneInAll,
    /// So many a second in all, the senders taking turns, whatever has been answered.
    Rate(f64),
}

/// What is sent, by whom, where, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The users of each room: neighbours, each user in one room at most.
    pub(crate) rooms: Vec<Range<usize>>,
    /// User and room of each sender.
    pub(crate) senders: Vec<(usize, usize)>,
    /// When.
    pub(crate) pace: Pace,
    /// Bytes of a text.
    pub(crate) text_bytes: usize,
    /// Before the measurement.
    pub(crate) warm_up: Duration,
    /// Of the measurement.
    pub(crate) length: Duration,
    /// Each n-th delivery is timed; 0: none.
    pub(crate) sample_each: u32,
}

impl Load {
    /// `senders` people spread evenly over `rooms` rooms of `members` users each.
    pub(crate) fn spread(rooms: usize, members: usize, senders: usize) -> Self {
        Self {
            rooms: (0..rooms)
                .map(|room| room * members..(room + 1) * members)
                .collect(),
            senders: (0..senders)
                .map(|sender| {
                    let room = sender % rooms;
                    (room * members + sender / rooms, room)
                })
                .collect(),
            pace: Pace::Window(1),
            text_bytes: 100,
            warm_up: Duration::from_secs(2),
            length: Duration::from_secs(10),
            sample_each: 1,
        }
    }
}

/// What came of it.
pub(crate) struct Outcome {
    /// Of the measurement.
    pub(crate) seconds: f64,
    /// Messages answered while measuring.
    pub(crate) acks: u64,
    /// From when a message was due to its answer, for those due while measuring.
    pub(crate) ack: Latencies,
    /// What all users got while measuring.
    pub(crate) counts: Counts,
    /// From when a message was due to each sampled delivery, likewise.
    pub(crate) delivery: Latencies,
    /// Processor time while measuring.
    pub(crate) usage: Usage,
}

/// A message without an answer.
struct Flight {
    number: u64,
    due_ns: u64,
}

/// A load at work.
struct Drive<'a, D> {
    swarm: &'a mut Swarm<D>,
    load: &'a Load,
    /// Of each sender, in the order of sending.
    flights: Vec<VecDeque<Flight>>,
    /// Which sender a user is.
    senders: Vec<Option<usize>>,
    /// Messages sent to each room.
    sent: Vec<u64>,
    /// Deliveries that these will be, in all.
    owed: u64,
    in_flight: usize,
    numbers: u64,
    notes: Vec<Note>,
    measured: Range<u64>,
    acks: u64,
    ack: Latencies,
}

/// Puts a load on the swarm, whose users are ready, and measures.
///
/// # Errors
/// A message is refused, lost, or comes twice; a connection ends; the server cannot keep up.
pub(crate) fn run<D: Dialect>(
    swarm: &mut Swarm<D>,
    load: &Load,
    watched: &Watched,
) -> anyhow::Result<Outcome> {
    let base: Vec<u64> = (0..swarm.users())
        .map(|user| swarm.received(user))
        .collect();
    let begun = swarm.counts().deliveries;
    let now = now_ns();
    let from_ns = now + load.warm_up.as_nanos() as u64;
    let until_ns = from_ns + load.length.as_nanos() as u64;
    swarm.sample(Sampling {
        from_ns,
        until_ns,
        each: load.sample_each,
    });
    let mut senders = vec![None; swarm.users()];
    for (sender, (user, _room)) in load.senders.iter().enumerate() {
        senders[*user] = Some(sender);
    }
    let mut drive = Drive {
        swarm,
        load,
        flights: load.senders.iter().map(|_sender| VecDeque::new()).collect(),
        senders,
        sent: vec![0; load.rooms.len()],
        owed: begun,
        in_flight: 0,
        numbers: 0,
        notes: Vec::new(),
        measured: from_ns..until_ns,
        acks: 0,
        ack: Latencies::new(),
    };
    let (seconds, counts, usage) = drive.measure(now, watched)?;
    drive.drain()?;
    let (acks, ack, sent) = (drive.acks, drive.ack, drive.sent);
    for (members, sent) in load.rooms.iter().zip(sent) {
        for user in members.clone() {
            let received = swarm.received(user) - base[user];
            ensure!(
                received == sent,
                "user {user} received {received} messages of a room with {sent}"
            );
        }
    }
    Ok(Outcome {
        seconds,
        acks,
        ack,
        counts,
        delivery: swarm.latencies()[0].clone(),
        usage,
    })
}

impl<D: Dialect> Drive<'_, D> {
    /// Sends until the time is over; gives seconds, counts and processor time of the measurement.
    fn measure(
        &mut self,
        now_ns_at_start: u64,
        watched: &Watched,
    ) -> anyhow::Result<(f64, Counts, Usage)> {
        let mut schedule = match self.load.pace {
            Pace::Rate(per_second) => Some(Schedule::new(now_ns_at_start, per_second)),
            Pace::Window(_) | Pace::OneInAll => None,
        };
        if let Pace::Window(window) = self.load.pace {
            for sender in (0..window).flat_map(|_| 0..self.load.senders.len()) {
                self.send(sender, now_ns())?;
            }
        }
        let mut begun = None;
        loop {
            let now = now_ns();
            if begun.is_none() && now >= self.measured.start {
                begun = Some((now, self.swarm.counts(), watched.usage()));
            }
            if now >= self.measured.end
                && let Some((from_ns, counts, usage)) = begun
            {
                let seconds = (now - from_ns) as f64 / 1e9;
                let counts = self.swarm.counts().since(counts);
                return Ok((seconds, counts, watched.usage().since(usage)));
            }
            let mut until = self.measured.end.min(now + STEP_NS);
            if let Some(schedule) = &mut schedule {
                while let Some((number, due_ns)) = schedule.take(now) {
                    let sender = number as usize % self.load.senders.len();
                    self.send(sender, due_ns)?;
                }
                until = until.min(schedule.next_due_ns());
            } else if self.load.pace == Pace::OneInAll && self.is_idle() {
                let sender = self.numbers as usize % self.load.senders.len();
                self.send(sender, now)?;
            }
            self.swarm.turn(until)?;
            self.act(true)?;
        }
    }

    /// Whether all that was sent has been answered and delivered.
    fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.swarm.counts().deliveries >= self.owed
    }

    fn send(&mut self, sender: usize, due_ns: u64) -> anyhow::Result<()> {
        let (user, room) = self.load.senders[sender];
        self.numbers += 1;
        let number = self.numbers;
        let text = stamped(due_ns, self.load.text_bytes);
        self.swarm.say_message(user, room, number, &text)?;
        self.flights[sender].push_back(Flight { number, due_ns });
        self.sent[room] += 1;
        self.owed += self.load.rooms[room].len() as u64;
        self.in_flight += 1;
        Ok(())
    }

    /// Takes note of what happened; `again`: closed loops go on.
    fn act(&mut self, again: bool) -> anyhow::Result<()> {
        let mut notes = std::mem::take(&mut self.notes);
        self.swarm.take_notes(&mut notes);
        for note in notes.drain(..) {
            match note {
                Note::Done {
                    user,
                    number,
                    at_ns,
                } => {
                    let Some(sender) = self.senders[user] else {
                        bail!("an answer to user {user}, who asked for nothing");
                    };
                    self.done(sender, number, at_ns)?;
                    if again && matches!(self.load.pace, Pace::Window(_)) {
                        self.send(sender, at_ns)?;
                    }
                }
                Note::Closed { user, why } | Note::Refused { user, why } => {
                    bail!("user {user}: {why}")
                }
                Note::Ready { .. } => {}
            }
        }
        self.notes = notes;
        Ok(())
    }

    fn done(&mut self, sender: usize, number: u64, at_ns: u64) -> anyhow::Result<()> {
        let flights = &mut self.flights[sender];
        // Nearly always the first one.
        let Some(at) = flights.iter().position(|flight| flight.number == number) else {
            bail!("message {number} was answered twice, or never sent");
        };
        let due_ns = flights.remove(at).map_or(at_ns, |flight| flight.due_ns);
        self.in_flight -= 1;
        if self.measured.contains(&at_ns) {
            self.acks += 1;
        }
        if self.measured.contains(&due_ns) {
            let took = at_ns.saturating_sub(due_ns);
            self.ack.record(Duration::from_nanos(took));
        }
        Ok(())
    }

    /// Waits until everything has been answered and delivered, and listens a little longer for
    /// what comes twice.
    fn drain(&mut self) -> anyhow::Result<()> {
        let give_up = now_ns() + DRAIN.as_nanos() as u64;
        while !self.is_idle() {
            let now = now_ns();
            ensure!(
                now < give_up,
                "{} messages were never answered, {} of {} deliveries never came",
                self.in_flight,
                self.owed.saturating_sub(self.swarm.counts().deliveries),
                self.owed
            );
            self.swarm.turn(now + STEP_NS)?;
            self.act(false)?;
        }
        let until = now_ns() + STEP_NS;
        while now_ns() < until {
            self.swarm.turn(until)?;
            self.act(false)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_spread_over_rooms() {
        let load = Load::spread(3, 4, 5);
        assert_eq!(load.rooms, [0..4, 4..8, 8..12]);
        assert_eq!(load.senders, [(0, 0), (4, 1), (8, 2), (1, 0), (5, 1)]);
    }
}
