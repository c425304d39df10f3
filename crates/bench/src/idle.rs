//! Very many people who are signed in, in a room, and silent: what each of them costs.
//!
//! The server is started anew before it is weighed, so that nothing of how the people came
//! together stays in its memory. Memory is looked at in steps: what counts is the slope.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use crate::chinwag::Chinwag;
use crate::ground::{Common, Ground};
use crate::machine::{Usage, kernel_memory};
use crate::report::{Latency, Report, Table, cell};
use crate::swarm::Swarm;
use crate::terminal::progress;

/// Where memory is looked at, on the way to all connections.
const STEPS: [usize; 3] = [1_000, 10_000, 100_000];
/// Until what was allocated for a moment has been given back.
const SETTLE: Duration = Duration::from_secs(1);

/// Of the command, and of the marks in a document.
const NAME: &str = "idle";

/// What `idle` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// Members of each room: everybody is in one
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    room_size: u32,
    /// Connections that are being opened at the same time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    at_once: u32,
    /// How long all of them are kept, silent
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    #[command(flatten)]
    common: Common,
}

/// The state at a number of connections.
#[derive(Debug, Clone, Copy, Serialize)]
struct Step {
    connections: usize,
    /// From the step before.
    connects_per_second: f64,
    connect: Latency,
    /// Bytes that the server holds.
    server_bytes: Option<u64>,
    /// Of the server, for each connection, against none.
    server_bytes_each: Option<f64>,
    /// Of the kernel, for both ends of each connection, against none.
    kernel_bytes_each: Option<f64>,
    seconds: f64,
    usage: Usage,
    /// Connections that were made in this step.
    made: usize,
}

/// Processor time while all are silent.
#[derive(Debug, Clone, Copy, Serialize)]
struct Silence {
    seconds: f64,
    usage: Usage,
    server_bytes_each: Option<f64>,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// A limit of the machine stands in the way, or the server loses a connection.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let connections = options.connections as usize;
    let size = options.room_size as usize;
    options.common.check(NAME)?;
    let mut ground = Ground::prepare(&options.common, connections)?;
    let starts = (0..connections).step_by(size);
    let rooms: Vec<_> = starts
        .map(|start| start..(start + size).min(connections))
        .collect();
    let swarm = ground.people(connections, &rooms);
    let mut swarm = ground.explain(swarm)?;
    ground.restart(&mut swarm)?;
    let outcome = play(options, &ground, &mut swarm);
    let (steps, silence) = ground.explain(outcome)?;
    drop(swarm);
    let report = report(options, &ground, &steps, silence);
    ground.finish(&report)
}

fn play(
    options: &Options,
    ground: &Ground,
    swarm: &mut Swarm<Chinwag>,
) -> anyhow::Result<(Vec<Step>, Silence)> {
    let all = swarm.users();
    std::thread::sleep(SETTLE);
    let (server, kernel) = (ground.watched.server_memory(), kernel_memory());
    let each = |now: Option<u64>, before: Option<u64>, count: usize| {
        Some((now? as f64 - before? as f64) / count as f64)
    };
    let mut steps: Vec<Step> = Vec::new();
    let mut connected = 0;
    for step in STEPS.into_iter().filter(|&step| step < all).chain([all]) {
        let usage = ground.watched.usage();
        let came = swarm.connect(connected..step, options.at_once as usize)?;
        let usage = ground.watched.usage().since(usage);
        let made = step - connected;
        connected = step;
        swarm.rest(SETTLE)?;
        let server_now = ground.watched.server_memory();
        steps.push(Step {
            connections: step,
            connects_per_second: made as f64 / came.seconds,
            connect: came.took.summary(),
            server_bytes: server_now,
            server_bytes_each: each(server_now, server, step),
            kernel_bytes_each: each(kernel_memory(), kernel, step),
            seconds: came.seconds,
            usage,
            made,
        });
        progress(&format!(
            "{step} connections, {:.0} a second, {} KiB of the server for each",
            made as f64 / came.seconds,
            cell(each(server_now, server, step).map(kib), 2),
        ));
    }
    let usage = ground.watched.usage();
    swarm.rest(Duration::from_secs(options.seconds))?;
    ensure!(swarm.counts().ready == all, "connections were lost");
    Ok((
        steps,
        Silence {
            seconds: options.seconds as f64,
            usage: ground.watched.usage().since(usage),
            server_bytes_each: each(ground.watched.server_memory(), server, all),
        },
    ))
}

fn kib(bytes: f64) -> f64 {
    bytes / 1024.0
}

/// Bytes of the server for each connection more, between the first step and the last.
fn slope(steps: &[Step]) -> Option<f64> {
    let (first, last) = (steps.first()?, steps.last()?);
    let more = last.connections.checked_sub(first.connections)?;
    if more == 0 {
        return None;
    }
    Some((last.server_bytes? as f64 - first.server_bytes? as f64) / more as f64)
}

fn table(steps: &[Step]) -> Table {
    let mut table = Table::new(&[
        "connections",
        "connects/s",
        "p50 ms",
        "p99 ms",
        "server MiB",
        "KiB each",
        "kernel KiB each",
        "server user µs",
        "sys µs",
        "bench µs",
    ]);
    for step in steps {
        let micros = |seconds: Option<f64>| cell(seconds.map(|s| s * 1e6 / step.made as f64), 1);
        table.row([
            step.connections.to_string(),
            cell(step.connects_per_second, 0),
            cell(step.connect.p50_ms, 2),
            cell(step.connect.p99_ms, 2),
            cell(step.server_bytes.map(|bytes| kib(bytes as f64) / 1024.0), 1),
            cell(step.server_bytes_each.map(kib), 2),
            cell(step.kernel_bytes_each.map(kib), 2),
            micros(step.usage.server.map(|cpu| cpu.user)),
            micros(step.usage.server.map(|cpu| cpu.system)),
            micros(step.usage.bench.map(|cpu| cpu.total())),
        ]);
    }
    table
}

fn report(options: &Options, ground: &Ground, steps: &[Step], silence: Silence) -> Report {
    let Options {
        connections,
        room_size,
        at_once,
        seconds,
        ..
    } = options;
    let last = steps.last();
    let server = silence
        .usage
        .server
        .map(|cpu| cpu.total() / silence.seconds);
    let mut notes = ground.notes();
    notes.push(
        "Kernel memory is what its own objects (slab) grew by on the whole machine, for both ends \
         of each connection: other work shows in it."
            .to_owned(),
    );
    Report {
        scenario: NAME,
        headline: vec![
            format!(
                "{} KiB of the server's memory for each of {connections} connections; slope from \
                 the first step: {} KiB",
                cell(last.and_then(|step| step.server_bytes_each).map(kib), 2),
                cell(slope(steps).map(kib), 2)
            ),
            format!(
                "{} authenticated connects per second; {} of a processor while all are silent",
                cell(last.map(|step| step.connects_per_second), 0),
                cell(server, 3)
            ),
        ],
        table: table(steps),
        load: format!(
            "{connections} people sign in with a token, {at_once} at the same time, each in one \
             room of {room_size}; the server was started anew before; then {seconds} s of silence"
        ),
        options: format!(
            "--connections {connections} --room-size {room_size} --at-once {at_once} --seconds \
             {seconds}"
        ),
        machine: ground.machine.clone(),
        figures: serde_json::json!({
            "steps": steps, "silence": silence, "slope_bytes": slope(steps),
        }),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Latencies;

    fn step(connections: usize, server_bytes: Option<u64>) -> Step {
        Step {
            connections,
            connects_per_second: 0.0,
            connect: Latencies::new().summary(),
            server_bytes,
            server_bytes_each: None,
            kernel_bytes_each: None,
            seconds: 0.0,
            usage: Usage::default(),
            made: 0,
        }
    }

    #[test]
    fn the_slope_is_what_one_more_costs() {
        let mib = 1024 * 1024;
        let steps = [step(1_000, Some(20 * mib)), step(1_512, Some(21 * mib))];
        assert_eq!(slope(&steps), Some(2_048.0));
        assert_eq!(slope(&steps[..1]), None);
        assert_eq!(slope(&[step(1, None), step(2, None)]), None);
    }
}
