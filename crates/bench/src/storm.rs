//! Everybody is cut off at once and comes back at once: until the last is back and misses nothing.
//!
//! Meanwhile those who stayed go on talking. A client is back when it has resumed from its cursor
//! and has every message that was acknowledged; a round in which anybody misses one fails.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use crate::chinwag::Chinwag;
use crate::comeback::{Plan, all_back};
use crate::crowd::{Crowd, Seats};
use crate::ground::{AT_ONCE, Common, Ground};
use crate::machine::Usage;
use crate::report::{Latency, Report, Table, busy, cell, median};
use crate::swarm::stamp::{now_ns, stamped};
use crate::swarm::{Cut, Swarm};
use crate::terminal::progress;

/// Between two rounds, until the server has done what the last one left.
const SETTLE: Duration = Duration::from_secs(1);
/// Bytes of a text.
const TEXT_BYTES: usize = 100;

/// Of the command, and of the marks in a document.
const NAME: &str = "storm";

/// What `storm` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Clients that are cut off
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// Clients in each room; one more stays in it and talks
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=9_999))]
    room_size: u32,
    /// Messages in each room while its clients are away
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=60))]
    messages: u32,
    /// The time over which the first attempts are spread
    ///
    /// An SDK waits up to 1000 ms before its first one; 0 is the worst that can happen.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    spread_ms: u64,
    /// How often; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    common: Common,
}

/// One storm.
#[derive(Debug, Clone, Serialize)]
struct Round {
    /// From the cut until the last client was signed in again.
    back_s: f64,
    /// From the cut until the last one also had everything.
    whole_s: f64,
    /// From the cut until each one was signed in.
    back: Latency,
    failures: u64,
    failure: Option<String>,
    /// Events that came while resuming, and rooms that were sent anew instead.
    caught_up: u64,
    resets: u64,
    bytes: u64,
    usage: Usage,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// Somebody does not come back, or misses something.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let crowd = Crowd::of(options.clients as usize, options.room_size as usize);
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, crowd.users())?;
    let outcome = play(options, &ground, crowd);
    let rounds = ground.explain(outcome)?;
    let report = report(options, &ground, crowd, &rounds);
    ground.finish(&report)
}

fn play(options: &Options, ground: &Ground, crowd: Crowd) -> anyhow::Result<Vec<Round>> {
    let mut swarm = ground.people(crowd.users(), &crowd.groups())?;
    swarm.dialect_mut().follow();
    swarm.connect(0..crowd.users(), AT_ONCE)?;
    progress(&format!("{} clients are in their rooms", crowd.count()));
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        swarm.rest(SETTLE)?;
        let round = storm(options, ground, crowd, &mut swarm)?;
        progress(&format!(
            "round {number} of {}: the last is back after {:.2} s and has everything after {:.2} \
             s; {} attempts failed{}",
            options.rounds,
            round.back_s,
            round.whole_s,
            round.failures,
            round
                .failure
                .as_ref()
                .map_or_else(String::new, |why| format!(" ({why})")),
        ));
        rounds.push(round);
    }
    Ok(rounds)
}

fn storm(
    options: &Options,
    ground: &Ground,
    crowd: Crowd,
    swarm: &mut Swarm<Chinwag>,
) -> anyhow::Result<Round> {
    let keepers = crowd.keepers();
    let (before, bytes) = (Seats::of(swarm), swarm.counts().bytes);
    let usage = ground.watched.usage();
    let begun_ns = now_ns();
    swarm.cut(crowd.clients(), Cut::Reset);
    let mut owed = 0;
    for number in 1..=u64::from(options.messages) {
        for &(user, room) in &keepers {
            let text = stamped(begun_ns, TEXT_BYTES);
            swarm.say_message(user, room, number, &text)?;
            owed += 1;
        }
    }
    let plan = Plan {
        begun_ns,
        at_once: crowd.count(),
        spread: Duration::from_millis(options.spread_ms),
        owed,
    };
    let came = all_back(swarm, crowd, plan)?;
    let usage = ground.watched.usage().since(usage);
    let seats = Seats::of(swarm).since(before);
    ensure!(
        seats.gaps == 0,
        "{} messages were missed: they came neither live nor while resuming",
        seats.gaps
    );
    Ok(Round {
        back_s: came.back_s,
        whole_s: came.whole_s,
        back: came.back.summary(),
        failures: came.failures,
        failure: came.failure,
        caught_up: seats.caught_up,
        resets: seats.resets,
        bytes: swarm.counts().bytes - bytes,
        usage,
    })
}

fn report(options: &Options, ground: &Ground, crowd: Crowd, rounds: &[Round]) -> Report {
    let mut table = Table::new(&[
        "round",
        "back s",
        "gap-free s",
        "p50 ms",
        "p99 ms",
        "clients/s",
        "failed",
        "resumed events",
        "MB",
        "server user",
        "sys",
        "bench user",
        "sys",
    ]);
    for (number, round) in (1..).zip(rounds) {
        let first = [
            format!("{number}"),
            cell(round.back_s, 2),
            cell(round.whole_s, 2),
            cell(round.back.p50_ms, 0),
            cell(round.back.p99_ms, 0),
            cell(crowd.count() as f64 / round.whole_s, 0),
            round.failures.to_string(),
            round.caught_up.to_string(),
            cell(round.bytes as f64 / 1e6, 1),
        ];
        let cpu = [round.usage.server, round.usage.bench];
        let cpu = cpu.into_iter().flat_map(|cpu| busy(cpu, round.whole_s));
        table.row(first.into_iter().chain(cpu));
    }
    let Options {
        clients,
        room_size,
        messages,
        spread_ms,
        rounds: count,
        ..
    } = options;
    let middle = |figure: fn(&Round) -> f64| cell(median(rounds.iter().map(figure)), 2);
    Report {
        scenario: NAME,
        headline: vec![format!(
            "{} clients cut at once: the last is back after {} s, and has everything after {} s",
            crowd.count(),
            middle(|round| round.back_s),
            middle(|round| round.whole_s),
        )],
        table,
        load: format!(
            "{} clients in rooms of {room_size} are cut by a TCP reset, all within one step, and \
             connect again, the first attempts spread over {spread_ms} ms; at the moment of the \
             cut {messages} messages go to each room; {count} rounds, median above",
            crowd.count(),
        ),
        options: format!(
            "--clients {clients} --room-size {room_size} --messages {messages} --spread-ms \
             {spread_ms} --rounds {count}"
        ),
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "rounds": rounds }),
        notes: ground.notes(),
    }
}
