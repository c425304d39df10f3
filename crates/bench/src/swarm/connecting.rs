//! Bringing users in: so many at the same time, until all are ready.
//!
//! Who gets back after a cut, and when, is a scenario's; it begins single connections here.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::event::epoll;

use super::stamp::now_ns;
use super::{Cut, Note, Stage, Swarm};
use crate::dialect::Dialect;
use crate::report::Latencies;

/// Without anybody getting ready for so long, nobody will.
const STUCK_NS: u64 = 30_000_000_000;

/// How users came in.
pub(crate) struct Connected {
    /// From the first connect(2) until all were ready.
    pub(crate) seconds: f64,
    /// From each one's connect(2) until that one was ready.
    pub(crate) took: Latencies,
}

impl<D: Dialect> Swarm<D> {
    /// Begins to connect a user who is away. A note says how it went.
    ///
    /// # Errors
    /// No files or ports are left.
    pub(crate) fn begin(&mut self, user: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[user];
        ensure!(connection.stage == Stage::Away, "connected already");
        connection.open(self.address, user, now_ns())?;
        let file = connection.file().context("it was just opened")?;
        let data = epoll::EventData::new_u64(user as u64);
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT;
        epoll::add(&self.poll, file, data, flags)?;
        connection.waits_for_room = true;
        Ok(())
    }

    /// Connects these users, at most `at_once` of them under way at the same time.
    ///
    /// # Errors
    /// One of them does not come in, or none for half a minute.
    pub(crate) fn connect(
        &mut self,
        users: impl IntoIterator<Item = usize>,
        at_once: usize,
    ) -> anyhow::Result<Connected> {
        let mut waiting = users.into_iter();
        let mut took = Latencies::new();
        let (mut under_way, mut notes) = (0, Vec::new());
        let begun_ns = now_ns();
        let mut last_ready_ns = begun_ns;
        loop {
            while under_way < at_once.max(1) {
                let Some(user) = waiting.next() else { break };
                self.begin(user)?;
                under_way += 1;
            }
            if under_way == 0 {
                break;
            }
            self.turn(last_ready_ns + STUCK_NS)?;
            self.take_notes(&mut notes);
            let now = now_ns();
            for note in notes.drain(..) {
                match note {
                    Note::Ready { took_ns, .. } => {
                        took.record(Duration::from_nanos(took_ns));
                        under_way -= 1;
                        last_ready_ns = now;
                    }
                    Note::Closed { why, .. } | Note::Refused { why, .. } => {
                        bail!("{why} ({} are connected)", self.counts().ready)
                    }
                    Note::Done { .. } => {}
                }
            }
            ensure!(
                now < last_ready_ns + STUCK_NS,
                "{under_way} connections are stuck half way; {} are connected",
                self.counts().ready
            );
        }
        Ok(Connected {
            seconds: (now_ns() - begun_ns) as f64 / 1e9,
            took,
        })
    }

    /// Lets time pass, in which nothing happens but signs of life.
    ///
    /// # Errors
    /// A connection ends.
    pub(crate) fn rest(&mut self, length: Duration) -> anyhow::Result<()> {
        let until_ns = now_ns() + length.as_nanos() as u64;
        let mut notes = Vec::new();
        while now_ns() < until_ns {
            self.turn(until_ns)?;
            self.take_notes(&mut notes);
            for note in notes.drain(..) {
                if let Note::Closed { user, why } | Note::Refused { user, why } = note {
                    bail!("user {user}, at rest: {why}");
                }
            }
        }
        Ok(())
    }

    /// Ends the connections of these users, all without a turn between.
    pub(crate) fn cut(&mut self, users: impl IntoIterator<Item = usize>, how: Cut) {
        for user in users {
            self.close(user, how);
        }
    }
}
