//! A large room at which all its members look, told of who is online and who types, while one sends.
//!
//! Two parts: everybody stays; and everybody goes and comes back, one after the other. A client that
//! falls behind ends the run: presence and typing must never cost anybody a message.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chinwag_core::wire::ClientFrame;
use clap::Args;
use serde::Serialize;

use crate::chinwag::Chinwag;
use crate::ground::{AT_ONCE, Common, Ground};
use crate::machine::Usage;
use crate::report::{Latency, Report, Table, busy, cell};
use crate::swarm::pace::Schedule;
use crate::swarm::stamp::{now_ns, stamped};
use crate::swarm::{Counts, Cut, Note, Sampling, Swarm};
use crate::terminal::progress;

/// Of the command, and of the marks in a document.
const NAME: &str = "presence";
/// Bytes of a text.
const TEXT_BYTES: usize = 100;
/// Numbers of `typing`, beyond those of all messages.
const TYPING: u64 = 1 << 40;
/// Number of `watch`.
const WATCH: u64 = 1 << 41;
/// One turn of waiting, at most.
const STEP_NS: u64 = 20_000_000;
/// For what is still under way at the end.
const DRAIN_NS: u64 = 10_000_000_000;

/// What `presence` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Members of the room, all of them connected and looking at it
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    people: u32,
    /// Length of each part; in the second one everybody reconnects within it
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    #[command(flatten)]
    common: Common,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// Everybody stays
    Steady,
    /// Everybody reconnects, evenly spread over the part
    Comeback,
}

/// One measurement.
#[derive(Debug, Clone, Copy, Serialize)]
struct Run {
    part: Part,
    seconds: f64,
    messages: u64,
    reconnects: u64,
    /// From when a message was due to its arrival.
    delivery: Latency,
    usage: Usage,
    /// Frames and bytes that a client got in the part: messages, presence, typing, and what
    /// connecting brings.
    frames_each: f64,
    bytes_each: f64,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// Anything that keeps the figures from being true.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, options.people as usize)?;
    let outcome = play(options, &ground);
    let runs = ground.explain(outcome)?;
    let report = report(options, &ground, &runs);
    ground.finish(&report)
}

fn play(options: &Options, ground: &Ground) -> anyhow::Result<Vec<Run>> {
    let people = options.people as usize;
    let mut swarm = ground.people(people, std::slice::from_ref(&(0..people)))?;
    swarm.connect(0..people, AT_ONCE)?;
    let mut room = Room {
        swarm: &mut swarm,
        people,
        messages: 0,
        unanswered: 0,
        away: 0,
    };
    for user in 0..people {
        room.look(user)?;
    }
    room.drain()?;
    let mut runs = Vec::new();
    for part in [Part::Steady, Part::Comeback] {
        let length = Duration::from_secs(options.seconds);
        let run = room.measure(part, length, ground)?;
        progress(&format!(
            "{part:?}: p99 {:.2} ms, {:.1} frames for each client, {} s of the server",
            run.delivery.p99_ms,
            run.frames_each,
            cell(run.usage.server.map(|cpu| cpu.total()), 2)
        ));
        runs.push(run);
    }
    Ok(runs)
}

/// The room and those in it; the first of them sends and types, and stays.
struct Room<'a> {
    swarm: &'a mut Swarm<Chinwag>,
    people: usize,
    messages: u64,
    unanswered: u64,
    /// On their way back.
    away: usize,
}

impl Room<'_> {
    fn look(&mut self, user: usize) -> anyhow::Result<()> {
        let rooms = self.swarm.dialect().rooms().to_vec();
        let watch = ClientFrame::Watch { req: WATCH, rooms };
        self.unanswered += 1;
        self.swarm.say(user, &Chinwag::frame(&watch))
    }

    fn types(&mut self, number: u64) -> anyhow::Result<()> {
        let rooms = self.swarm.dialect().rooms();
        let room = *rooms.first().context("there is a room")?;
        let (req, on) = (TYPING + number, true);
        let typing = ClientFrame::Typing { req, room, on };
        self.unanswered += 1;
        self.swarm.say(0, &Chinwag::frame(&typing))
    }

    fn measure(&mut self, part: Part, length: Duration, ground: &Ground) -> anyhow::Result<Run> {
        let from_ns = now_ns();
        let until_ns = from_ns + length.as_nanos() as u64;
        let each = 1;
        self.swarm.sample(Sampling {
            from_ns,
            until_ns,
            each,
        });
        let (counts, usage) = (self.swarm.counts(), ground.watched.usage());
        let (sent, mut gone) = (self.messages, 0);
        let mut messages = Schedule::new(from_ns, 1.0);
        let mut typing = Schedule::new(from_ns, 1.0 / 3.0);
        let others = self.people - 1;
        let mut goings = Schedule::new(from_ns, others as f64 / length.as_secs_f64());
        loop {
            let now = now_ns();
            if now >= until_ns {
                break;
            }
            while let Some((_number, due_ns)) = messages.take(now) {
                self.messages += 1;
                self.unanswered += 1;
                let text = stamped(due_ns, TEXT_BYTES);
                self.swarm.say_message(0, 0, self.messages, &text)?;
            }
            while let Some((number, _due_ns)) = typing.take(now) {
                self.types(number + sent)?;
            }
            let mut wake = until_ns.min(now + STEP_NS).min(messages.next_due_ns());
            while part == Part::Comeback && gone < others && goings.take(now).is_some() {
                gone += 1;
                // A reset leaves no port behind that is taken for another minute.
                self.swarm.close(gone, Cut::Reset);
                self.swarm.begin(gone)?;
                self.away += 1;
            }
            if part == Part::Comeback {
                wake = wake.min(goings.next_due_ns());
            }
            self.turn(wake)?;
        }
        let seconds = (now_ns() - from_ns) as f64 / 1e9;
        let counts: Counts = self.swarm.counts().since(counts);
        let usage = ground.watched.usage().since(usage);
        self.drain()?;
        Ok(Run {
            part,
            seconds,
            messages: self.messages - sent,
            reconnects: gone as u64,
            delivery: self.swarm.latencies()[0].summary(),
            usage,
            frames_each: counts.frames as f64 / self.people as f64,
            bytes_each: counts.bytes as f64 / self.people as f64,
        })
    }

    fn turn(&mut self, until_ns: u64) -> anyhow::Result<()> {
        self.swarm.turn(until_ns)?;
        let mut notes = Vec::new();
        self.swarm.take_notes(&mut notes);
        for note in notes {
            match note {
                Note::Ready { user, .. } => {
                    self.away = self.away.saturating_sub(1);
                    self.look(user)?;
                }
                Note::Done { .. } => self.unanswered = self.unanswered.saturating_sub(1),
                // Whoever falls behind is refused: an outbox has run over.
                Note::Closed { user, why } | Note::Refused { user, why } => {
                    bail!("user {user}: {why}")
                }
            }
        }
        Ok(())
    }

    /// Waits until everybody is back and everything is answered.
    fn drain(&mut self) -> anyhow::Result<()> {
        let give_up = now_ns() + DRAIN_NS;
        while self.away > 0 || self.unanswered > 0 {
            ensure!(
                now_ns() < give_up,
                "{} are not back, {} frames are not answered",
                self.away,
                self.unanswered
            );
            self.turn(now_ns() + STEP_NS)?;
        }
        Ok(())
    }
}

fn report(options: &Options, ground: &Ground, runs: &[Run]) -> Report {
    let mut table = Table::new(&[
        "part",
        "messages",
        "reconnects",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "frames/client",
        "bytes/client",
        "server user",
        "sys",
        "bench user",
        "sys",
    ]);
    for run in runs {
        let name = match run.part {
            Part::Steady => "steady",
            Part::Comeback => "comeback",
        };
        let cells = [
            name.to_owned(),
            run.messages.to_string(),
            run.reconnects.to_string(),
            cell(run.delivery.p50_ms, 2),
            cell(run.delivery.p99_ms, 2),
            cell(run.delivery.p999_ms, 2),
            cell(run.frames_each, 1),
            cell(run.bytes_each, 0),
        ];
        let busy = [run.usage.server, run.usage.bench].map(|cpu| busy(cpu, run.seconds));
        table.row(cells.into_iter().chain(busy.into_iter().flatten()));
    }
    let Options {
        people, seconds, ..
    } = options;
    let headline = runs.iter().map(|run| {
        let server = run
            .usage
            .server
            .map(|cpu| cpu.total() * 100.0 / run.seconds);
        format!(
            "{:?}: p99 of a delivery {:.2} ms, {} % of one processor of the server, {:.1} frames \
             for each client, no outbox ran over",
            run.part,
            run.delivery.p99_ms,
            cell(server, 1),
            run.frames_each
        )
    });
    Report {
        scenario: NAME,
        headline: headline.collect(),
        table,
        load: format!(
            "one room of {people} connected members who all look at it; one of them sends a message \
             of {TEXT_BYTES} bytes a second and types all the time; `steady`: {seconds} s of that; \
             `comeback`: the same while all others reconnect within {seconds} s, each looking at the \
             room again; latency from the time at which a message was due; a client that falls \
             behind would have ended the run"
        ),
        options: format!("--people {people} --seconds {seconds}"),
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "runs": runs }),
        notes: ground.notes(),
    }
}
