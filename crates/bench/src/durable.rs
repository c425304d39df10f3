//! Senders who wait for their ack, in rooms whose members all listen: how many durable messages.
//!
//! Closed loop: a sender has one message under way, so the figures are those of a server that is
//! busy and not of one that is buried. Each measurement stands beside one of the disk alone.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use crate::chinwag::Chinwag;
use crate::floor::{self, Floor};
use crate::ground::{AT_ONCE, Common, Ground};
use crate::machine::Usage;
use crate::report::{Latency, Report, Table, busy, cell, median};
use crate::swarm::load::{self, Load, Pace};
use crate::swarm::{Cut, Swarm};
use crate::terminal::progress;

/// The floor's measurement: it needs no warming up, and scatters little.
const FLOOR: Duration = Duration::from_secs(3);

/// Of the command, and of the marks in a document.
const NAME: &str = "durable";

/// What `durable` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// People who send, each waiting for the ack before the next message
    #[arg(
        long, value_name = "N,…", value_delimiter = ',', default_value = "1,100,1000",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    senders: Vec<u32>,
    /// Rooms, the senders spread over them [default: as many as senders]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rooms: Option<u32>,
    /// Members of each room, all of them connected
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// Bytes of a text: a sentence
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(23..=16_384))]
    text_bytes: u32,
    /// Length of one measurement, after two seconds of warming up
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Measurements of each number of senders, each beside one of the disk alone
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    #[command(flatten)]
    common: Common,
}

/// One measurement beside one of the disk.
#[derive(Debug, Clone, Copy, Serialize)]
struct Pair {
    senders: u32,
    /// Absent if the disk is not ours to measure.
    disk: Option<Floor>,
    seconds: f64,
    acks_per_second: f64,
    deliveries_per_second: f64,
    ack: Latency,
    usage: Usage,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// Anything that keeps the figures from being true.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let most = options.senders.iter().copied().max().unwrap_or(1);
    let rooms = options.rooms.unwrap_or(most) as usize;
    let members = options.members as usize;
    let people = rooms * members;
    ensure!(
        most as usize <= people,
        "{most} senders need at least as many members: there are {people}"
    );
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, people)?;
    let whole = Load::spread(rooms, members, 1);
    let mut swarm = ground.explain(ground.people(people, &whole.rooms))?;
    let mut pairs = Vec::new();
    for &senders in &options.senders {
        // As many rooms as senders, if nobody says otherwise: the others stay away.
        let rooms = options.rooms.unwrap_or(senders) as usize;
        let load = Load {
            text_bytes: options.text_bytes as usize,
            length: Duration::from_secs(options.seconds),
            pace: Pace::Window(1),
            sample_each: 0,
            ..Load::spread(rooms, members, senders as usize)
        };
        swarm.connect(0..rooms * members, AT_ONCE)?;
        for number in 1..=options.pairs {
            let pair = ground.explain(measure(&ground, &mut swarm, &load, senders))?;
            progress(&format!(
                "{senders} senders, pair {number} of {}: {:.0} acks a second, p99 {:.1} ms; the \
                 disk alone {}",
                options.pairs,
                pair.acks_per_second,
                pair.ack.p99_ms,
                cell(pair.disk.map(|disk| disk.acks_per_second), 0)
            ));
            pairs.push(pair);
        }
        swarm.cut(0..rooms * members, Cut::Reset);
    }
    drop(swarm);
    let report = report(options, &ground, &pairs);
    ground.finish(&report)
}

fn measure(
    ground: &Ground,
    swarm: &mut Swarm<Chinwag>,
    load: &Load,
    senders: u32,
) -> anyhow::Result<Pair> {
    let disk = match ground.directory() {
        Some(directory) => Some(floor::measure(directory, senders as usize, FLOOR)?),
        None => None,
    };
    let outcome = load::run(swarm, load, &ground.watched)?;
    Ok(Pair {
        senders,
        disk,
        seconds: outcome.seconds,
        acks_per_second: outcome.acks as f64 / outcome.seconds,
        deliveries_per_second: outcome.counts.deliveries as f64 / outcome.seconds,
        ack: outcome.ack.summary(),
        usage: outcome.usage,
    })
}

fn report(options: &Options, ground: &Ground, pairs: &[Pair]) -> Report {
    let mut table = Table::new(&[
        "senders",
        "acks/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "received/s",
        "disk/s",
        "disk p99 ms",
        "ratio",
        "server user",
        "sys",
        "bench user",
        "sys",
        "µs/ack",
    ]);
    let mut headline = Vec::new();
    for &senders in &options.senders {
        let of = || pairs.iter().filter(move |pair| pair.senders == senders);
        for pair in of() {
            table.row(row(pair));
        }
        let middle = |figure: fn(&Pair) -> Option<f64>| median(of().filter_map(figure));
        headline.push(format!(
            "{senders} senders: {} durable sends acknowledged per second, p99 of the ack {} ms, \
             {} of what the disk alone gives",
            cell(middle(|pair| Some(pair.acks_per_second)), 0),
            cell(middle(|pair| Some(pair.ack.p99_ms)), 1),
            cell(middle(Pair::ratio), 2),
        ));
    }
    let joined: Vec<String> = options.senders.iter().map(u32::to_string).collect();
    let (rooms_option, rooms) = match options.rooms {
        Some(rooms) => (format!(" --rooms {rooms}"), rooms.to_string()),
        None => (String::new(), "as many".to_owned()),
    };
    let Options {
        members,
        text_bytes,
        seconds,
        pairs: count,
        ..
    } = options;
    Report {
        scenario: NAME,
        headline,
        table,
        load: format!(
            "each sender waits for its ack; {rooms} rooms of {members} connected members, the \
             sender included; texts of {text_bytes} bytes; {count} measurements of {seconds} s \
             for each number of senders; medians above"
        ),
        options: format!(
            "--senders {}{rooms_option} --members {members} --text-bytes {text_bytes} --seconds \
             {seconds} --pairs {count}",
            joined.join(",")
        ),
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "pairs": pairs }),
        notes: ground.notes(),
    }
}

fn row(pair: &Pair) -> Vec<String> {
    let server = busy(pair.usage.server, pair.seconds);
    let bench = busy(pair.usage.bench, pair.seconds);
    let micros = pair
        .usage
        .server
        .map(|cpu| cpu.total() * 1e6 / (pair.acks_per_second * pair.seconds));
    [
        pair.senders.to_string(),
        cell(pair.acks_per_second, 0),
        cell(pair.ack.p50_ms, 2),
        cell(pair.ack.p99_ms, 2),
        cell(pair.ack.p999_ms, 2),
        cell(pair.ack.max_ms, 1),
        cell(pair.deliveries_per_second, 0),
        cell(pair.disk.map(|disk| disk.acks_per_second), 0),
        cell(pair.disk.map(|disk| disk.latency.p99_ms), 2),
        cell(pair.ratio(), 2),
    ]
    .into_iter()
    .chain(server)
    .chain(bench)
    .chain([cell(micros, 1)])
    .collect()
}

impl Pair {
    /// Of the acks to the disk's.
    fn ratio(&self) -> Option<f64> {
        let disk = self.disk?;
        (disk.acks_per_second > 0.0).then(|| self.acks_per_second / disk.acks_per_second)
    }
}
