//! Very many people come back after a while, each some messages behind: how fast they catch up.
//!
//! Everybody resumes from a cursor; who misses so much that a room is sent anew instead of what
//! was missed is counted. A run in which anybody ends up without everything fails.

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
use crate::swarm::stamp::now_ns;
use crate::swarm::{Cut, Swarm, burst};
use crate::terminal::progress;

/// Between two rounds, until the server has done what the last one left.
const SETTLE: Duration = Duration::from_secs(1);
/// Bytes of a text.
const TEXT_BYTES: usize = 100;

/// Of the command, and of the marks in a document.
const NAME: &str = "sync";

/// What `sync` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Clients that resume
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// Clients in each room
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=9_999))]
    room_size: u32,
    /// Messages that each has missed
    ///
    /// From 1000 on a room is sent anew instead: its newest page.
    #[arg(
        long, value_name = "N,…", value_delimiter = ',', default_value = "0,10,999,1000",
        value_parser = clap::value_parser!(u32).range(0..=100_000)
    )]
    behind: Vec<u32>,
    /// Clients that resume at the same time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    at_once: u32,
    /// How often; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    common: Common,
}

/// All clients resumed once.
#[derive(Debug, Clone, Copy, Serialize)]
struct Round {
    behind: u32,
    clients_per_second: f64,
    /// Until the last one had everything.
    seconds: f64,
    /// From the beginning of all until each was signed in.
    back: Latency,
    /// Events that came as a stretch, and rooms that were sent anew instead.
    events: u64,
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
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        for &behind in &options.behind {
            let round = resume(options, ground, crowd, &mut swarm, behind)?;
            progress(&format!(
                "round {number} of {}, {behind} behind: {:.0} clients a second, all after {:.2} s",
                options.rounds, round.clients_per_second, round.seconds,
            ));
            rounds.push(round);
        }
    }
    Ok(rounds)
}

fn resume(
    options: &Options,
    ground: &Ground,
    crowd: Crowd,
    swarm: &mut Swarm<Chinwag>,
    behind: u32,
) -> anyhow::Result<Round> {
    swarm.cut(crowd.clients(), Cut::Reset);
    swarm.rest(SETTLE)?;
    if behind > 0 {
        progress(&format!("{behind} messages go to each room"));
        burst::send_all(swarm, &crowd.keepers(), u64::from(behind), TEXT_BYTES)?;
        swarm.rest(SETTLE)?;
    }
    let (before, bytes) = (Seats::of(swarm), swarm.counts().bytes);
    let usage = ground.watched.usage();
    let plan = Plan {
        begun_ns: now_ns(),
        at_once: options.at_once as usize,
        spread: Duration::ZERO,
        owed: 0,
    };
    let came = all_back(swarm, crowd, plan)?;
    let usage = ground.watched.usage().since(usage);
    let seats = Seats::of(swarm).since(before);
    let why = came.failure.as_deref().unwrap_or("none");
    ensure!(
        came.failures == 0,
        "{} clients had to try again; the last reason: {why}",
        came.failures
    );
    ensure!(seats.gaps == 0, "{} messages were missed", seats.gaps);
    let clients = crowd.count() as u64;
    ensure!(
        seats.resets == clients || seats.caught_up == clients * u64::from(behind),
        "{clients} clients were {behind} messages behind each, but got {} events and {} rooms anew",
        seats.caught_up,
        seats.resets
    );
    Ok(Round {
        behind,
        clients_per_second: crowd.count() as f64 / came.whole_s,
        seconds: came.whole_s,
        back: came.back.summary(),
        events: seats.caught_up,
        resets: seats.resets,
        bytes: swarm.counts().bytes - bytes,
        usage,
    })
}

fn report(options: &Options, ground: &Ground, crowd: Crowd, rounds: &[Round]) -> Report {
    let mut table = Table::new(&[
        "behind",
        "clients/s",
        "all after s",
        "p50 ms",
        "p99 ms",
        "events",
        "anew",
        "MB",
        "server user",
        "sys",
        "bench user",
        "sys",
        "µs/client",
    ]);
    for round in rounds {
        let first = [
            round.behind.to_string(),
            cell(round.clients_per_second, 0),
            cell(round.seconds, 2),
            cell(round.back.p50_ms, 0),
            cell(round.back.p99_ms, 0),
            round.events.to_string(),
            round.resets.to_string(),
            cell(round.bytes as f64 / 1e6, 1),
        ];
        let cpu = [round.usage.server, round.usage.bench];
        let cpu = cpu.into_iter().flat_map(|cpu| busy(cpu, round.seconds));
        let micros = round.usage.server.map(|cpu| cpu.total() * 1e6);
        let each = cell(micros.map(|micros| micros / crowd.count() as f64), 0);
        table.row(first.into_iter().chain(cpu).chain([each]));
    }
    let headline = |&behind: &u32| {
        let of = || rounds.iter().filter(move |round| round.behind == behind);
        format!(
            "{behind} messages behind: {} clients per second, all {} after {} s",
            cell(median(of().map(|round| round.clients_per_second)), 0),
            crowd.count(),
            cell(median(of().map(|round| round.seconds)), 2),
        )
    };
    let Options {
        clients,
        room_size,
        at_once,
        rounds: count,
        ..
    } = options;
    let behind: Vec<String> = options.behind.iter().map(u32::to_string).collect();
    Report {
        scenario: NAME,
        headline: options.behind.iter().map(headline).collect(),
        table,
        load: format!(
            "{} clients in rooms of {room_size} resume from their cursors, {at_once} at the same \
             time, each as many messages behind as said; {count} rounds, medians above",
            crowd.count()
        ),
        options: format!(
            "--clients {clients} --room-size {room_size} --behind {} --at-once {at_once} --rounds \
             {count}",
            behind.join(",")
        ),
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "rounds": rounds }),
        notes: ground.notes(),
    }
}
