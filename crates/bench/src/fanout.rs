//! One room, everybody in it: what a message to many costs, and how late it is.
//!
//! Three parts: as fast as it goes; one single message under way, where nothing can be done for
//! several at once; and an open loop at half of the maximum, where latency is measured.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::chinwag::Chinwag;
use crate::ground::{AT_ONCE, Common, Ground};
use crate::machine::Usage;
use crate::report::{Latency, Report, Table, busy, cell, median};
use crate::swarm::Swarm;
use crate::swarm::load::{self, Load, Pace};
use crate::terminal::progress;

/// Where it goes as fast as it can, only some deliveries are timed.
const SATURATED_SAMPLE: u32 = 16;

/// Of the command, and of the marks in a document.
const NAME: &str = "fanout";

/// What `fanout` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Members of the room, all of them connected
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// Members who send
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    senders: u32,
    /// Messages that each sender keeps unanswered in the part `saturated`
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    window: u32,
    /// Messages per second in the part `rate` [default: half of what `saturated` gave]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Bytes of a text
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(23..=16_384))]
    text_bytes: u32,
    /// Length of one measurement, after two seconds of warming up
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// How often the parts are measured, in turns; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
    #[command(flatten)]
    common: Common,
}

/// A positive number.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a number above zero".to_owned()),
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// Every sender keeps its window full
    Saturated,
    /// One message under way in all
    One,
    /// An open loop: latency
    Rate,
}

const PARTS: [Part; 3] = [Part::Saturated, Part::One, Part::Rate];

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Saturated => "saturated",
            Self::One => "one",
            Self::Rate => "rate",
        }
    }
}

/// One measurement.
#[derive(Debug, Clone, Copy, Serialize)]
struct Run {
    part: Part,
    seconds: f64,
    messages_per_second: f64,
    deliveries_per_second: f64,
    /// From when a message was due to its arrival, of the deliveries sampled.
    delivery: Latency,
    ack: Latency,
    usage: Usage,
    /// Frames that one read of the load generator brought: how well the server writes together.
    frames_per_read: f64,
}

impl Run {
    fn deliveries(&self) -> f64 {
        self.deliveries_per_second * self.seconds
    }

    fn server_us(&self) -> Option<f64> {
        Some(self.usage.server?.total() * 1e6 / self.deliveries())
    }

    fn server_user_us(&self) -> Option<f64> {
        Some(self.usage.server?.user * 1e6 / self.deliveries())
    }
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// Anything that keeps the figures from being true.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let members = options.members as usize;
    ensure!(
        options.senders <= options.members,
        "{} senders cannot be among {members} members",
        options.senders
    );
    ensure!(
        options.only != Some(Part::Rate) || options.rate.is_some(),
        "`--only rate` needs --rate: there is no maximum to take the half of"
    );
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, members)?;
    let load = Load {
        text_bytes: options.text_bytes as usize,
        length: Duration::from_secs(options.seconds),
        ..Load::spread(1, members, options.senders as usize)
    };
    let outcome = play(options, &ground, load);
    let runs = ground.explain(outcome)?;
    let report = report(options, &ground, &runs);
    ground.finish(&report)
}

fn play(options: &Options, ground: &Ground, mut load: Load) -> anyhow::Result<Vec<Run>> {
    let members = options.members as usize;
    let mut swarm = ground.people(members, &load.rooms)?;
    swarm.connect(0..members, AT_ONCE)?;
    let mut runs: Vec<Run> = Vec::new();
    for number in 1..=options.runs {
        for part in PARTS {
            if options.only.is_some_and(|only| only != part) {
                continue;
            }
            (load.pace, load.sample_each) = match part {
                Part::Saturated => (Pace::Window(options.window as usize), SATURATED_SAMPLE),
                Part::One => (Pace::OneInAll, 1),
                Part::Rate => (Pace::Rate(half(options, &runs)?), 1),
            };
            let run = measure(&mut swarm, &load, ground, part)?;
            progress(&format!(
                "run {number} of {}, {}: {:.0} deliveries a second, p99 {:.2} ms, {} µs of the \
                 server for each",
                options.runs,
                part.name(),
                run.deliveries_per_second,
                run.delivery.p99_ms,
                cell(run.server_us(), 2),
            ));
            runs.push(run);
        }
    }
    Ok(runs)
}

/// The rate of the open loop: of the first run for all, so that all are at the same.
fn half(options: &Options, runs: &[Run]) -> anyhow::Result<f64> {
    if let Some(rate) = options.rate {
        return Ok(rate);
    }
    let saturated = runs.iter().find(|run| run.part == Part::Saturated);
    let saturated = saturated.context("there is no maximum to take the half of")?;
    Ok((saturated.messages_per_second / 2.0).max(1.0))
}

fn measure(
    swarm: &mut Swarm<Chinwag>,
    load: &Load,
    ground: &Ground,
    part: Part,
) -> anyhow::Result<Run> {
    let outcome = load::run(swarm, load, &ground.watched)
        .with_context(|| format!("the part `{}`", part.name()))?;
    Ok(Run {
        part,
        seconds: outcome.seconds,
        messages_per_second: outcome.acks as f64 / outcome.seconds,
        deliveries_per_second: outcome.counts.deliveries as f64 / outcome.seconds,
        delivery: outcome.delivery.summary(),
        ack: outcome.ack.summary(),
        usage: outcome.usage,
        frames_per_read: outcome.counts.frames as f64 / outcome.counts.reads.max(1) as f64,
    })
}

fn report(options: &Options, ground: &Ground, runs: &[Run]) -> Report {
    let mut table = Table::new(&[
        "part",
        "messages/s",
        "deliveries/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "ack p99 ms",
        "frames/read",
        "server user",
        "sys",
        "bench user",
        "sys",
        "user µs",
        "µs/delivery",
    ]);
    for run in runs {
        table.row(row(run));
    }
    let Options {
        members,
        senders,
        window,
        text_bytes,
        seconds,
        runs: count,
        ..
    } = options;
    let mut again = format!(
        "--members {members} --senders {senders} --window {window} --text-bytes {text_bytes} \
         --seconds {seconds} --runs {count}"
    );
    if let Some(rate) = options.rate {
        again.push_str(&format!(" --rate {rate}"));
    }
    if let Some(only) = options.only {
        again.push_str(&format!(" --only {}", only.name()));
    }
    Report {
        scenario: NAME,
        headline: headline(runs),
        table,
        load: format!(
            "one room of {members} connected members, {senders} of them send texts of {text_bytes} \
             bytes; `saturated`: {window} unanswered from each; `one`: the next is sent when all \
             have the last; `rate`: at fixed times, latency from the time at which a message was \
             due; {count} measurements of {seconds} s each, medians above"
        ),
        options: again,
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "runs": runs }),
        notes: ground.notes(),
    }
}

fn headline(runs: &[Run]) -> Vec<String> {
    let middle = |part: Part, figure: fn(&Run) -> Option<f64>| {
        median(
            runs.iter()
                .filter(|run| run.part == part)
                .filter_map(figure),
        )
    };
    let mut lines = Vec::new();
    if let Some(rate) = middle(Part::Saturated, |run| Some(run.deliveries_per_second)) {
        lines.push(format!(
            "{rate:.0} deliveries per second at saturation, {} µs of the server's processor each",
            cell(middle(Part::Saturated, Run::server_us), 2)
        ));
    }
    if let Some(rate) = middle(Part::One, |run| Some(run.deliveries_per_second)) {
        lines.push(format!(
            "{rate:.0} deliveries per second with one message under way, {} µs each, {} µs of them \
             in the program itself",
            cell(middle(Part::One, Run::server_us), 2),
            cell(middle(Part::One, Run::server_user_us), 2)
        ));
    }
    if let Some(rate) = middle(Part::Rate, |run| Some(run.deliveries_per_second)) {
        let p99 = middle(Part::Rate, |run| Some(run.delivery.p99_ms));
        lines.push(format!(
            "p99 of a delivery {} ms at {rate:.0} deliveries per second",
            cell(p99, 2)
        ));
    }
    lines
}

fn row(run: &Run) -> Vec<String> {
    let server = busy(run.usage.server, run.seconds);
    let bench = busy(run.usage.bench, run.seconds);
    [
        run.part.name().to_owned(),
        cell(run.messages_per_second, 0),
        cell(run.deliveries_per_second, 0),
        cell(run.delivery.p50_ms, 2),
        cell(run.delivery.p99_ms, 2),
        cell(run.delivery.p999_ms, 2),
        cell(run.ack.p99_ms, 2),
        cell(run.frames_per_read, 1),
    ]
    .into_iter()
    .chain(server)
    .chain(bench)
    .chain([cell(run.server_user_us(), 2), cell(run.server_us(), 2)])
    .collect()
}
