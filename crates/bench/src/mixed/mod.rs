//! A day of a company, in two minutes: everything at the same time, as in life.
//!
//! Everybody is in a room of two, of ten, of a hundred, and of all; they write, mark as read, open
//! rooms, and lose their connections. What the server does not have yet (typing, presence) is not
//! played.

mod plan;
mod run;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::ground::{AT_ONCE, Common, Ground};
use crate::machine::Usage;
use crate::report::{Latency, Report, Table, cell};
use crate::swarm::pace::Schedule;
use crate::swarm::stamp::{CLASSES, now_ns};
use crate::swarm::{Counts, Sampling};
use crate::terminal::progress;
use plan::{Company, Day, KINDS};
use run::{Playing, TIMED};

/// Before the measurement.
const WARM_UP: Duration = Duration::from_secs(5);
/// Each n-th delivery is timed.
const SAMPLE_EACH: u32 = 4;

const _: () = assert!(KINDS == CLASSES, "each kind of room is timed apart");

/// Of the command, and of the marks in a document.
const NAME: &str = "mixed";

/// What `mixed` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// People, all of them connected; rounded up to whole rooms
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    people: u32,
    /// Length of the day, after five seconds of warming up
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    seconds: u64,
    /// Messages of each person on that day, half of them to one other
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    messages: u64,
    /// How often each person marks a room as read
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    reads: u64,
    /// How often each person opens a room: its newest page
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    looks: u64,
    /// How often each person loses the connection, for a second
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    leaves: u64,
    /// Messages to everybody [default: one a second]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    announcements: Option<u64>,
    #[command(flatten)]
    common: Common,
}

/// The day.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    seconds: f64,
    /// By kind of room: from when a message was due to its ack.
    sends: [Latency; KINDS],
    /// By kind of room: from when a message was due to each sampled delivery.
    deliveries: [Latency; KINDS],
    read: Latency,
    look: Latency,
    /// From connect(2) until signed in with everything.
    comeback: Latency,
    deliveries_per_second: f64,
    bytes_per_second: f64,
    skipped: u64,
    postponed: u64,
    failures: u64,
    usage: Usage,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// Anything is refused or missed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let company = Company::of(options.people as usize);
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, company.people())?;
    let outcome = play(options, &ground, company);
    let figures = ground.explain(outcome)?;
    let report = report(options, &ground, company, &figures);
    ground.finish(&report)
}

fn play(options: &Options, ground: &Ground, company: Company) -> anyhow::Result<Figures> {
    let people = company.people();
    let day = Day {
        messages: options.messages,
        reads: options.reads,
        looks: options.looks,
        leaves: options.leaves,
        announcements: options.announcements.unwrap_or(options.seconds),
    };
    let mut swarm = ground.people(people, &company.groups())?;
    swarm.dialect_mut().follow();
    swarm.dialect_mut().be_patient();
    swarm.connect(0..people, AT_ONCE)?;
    let per_second = day.actions(people) as f64 / options.seconds as f64;
    progress(&format!(
        "{people} people are in {} rooms; the day begins, {per_second:.0} actions a second",
        company.groups().len()
    ));
    let begun_ns = now_ns();
    let from_ns = begun_ns + WARM_UP.as_nanos() as u64;
    let until_ns = from_ns + options.seconds * 1_000_000_000;
    swarm.sample(Sampling {
        from_ns,
        until_ns,
        each: SAMPLE_EACH,
    });
    let mut schedule = Schedule::new(begun_ns, per_second);
    let mut playing = Playing::new(&mut swarm, company, day, from_ns);
    playing.play(&mut schedule, from_ns)?;
    let (before, usage, measured_ns) = (playing.counts(), ground.watched.usage(), now_ns());
    // In steps, so that one sees how far it is.
    for tenth in 1..=10 {
        let until_ns = from_ns + options.seconds * 100_000_000 * tenth;
        playing.play(&mut schedule, until_ns)?;
        progress(&format!("{tenth}0 % of the day are over"));
    }
    let usage = ground.watched.usage().since(usage);
    let seconds = (now_ns() - measured_ns) as f64 / 1e9;
    let counts: Counts = playing.counts().since(before);
    let played = playing.end()?;
    let summary = |timed: usize| played.answers[timed].summary();
    let deliveries = swarm.latencies();
    let [.., read, look, comeback]: [Latency; TIMED] = std::array::from_fn(summary);
    Ok(Figures {
        seconds,
        sends: std::array::from_fn(summary),
        deliveries: std::array::from_fn(|kind| deliveries[kind].summary()),
        read,
        look,
        comeback,
        deliveries_per_second: counts.deliveries as f64 / seconds,
        bytes_per_second: counts.bytes as f64 / seconds,
        skipped: played.skipped,
        postponed: played.postponed,
        failures: played.failures,
        usage,
    })
}

fn table(company: Company, figures: &Figures) -> Table {
    let mut table = Table::new(&[
        "what", "timed", "a second", "p50 ms", "p99 ms", "p99.9 ms", "max ms",
    ]);
    let mut row = |name: String, latency: &Latency| {
        table.row([
            name,
            latency.count.to_string(),
            cell(latency.count as f64 / figures.seconds, 1),
            cell(latency.p50_ms, 2),
            cell(latency.p99_ms, 2),
            cell(latency.p999_ms, 2),
            cell(latency.max_ms, 1),
        ]);
    };
    for kind in 0..KINDS {
        let size = company.size(kind);
        row(format!("ack, room of {size}"), &figures.sends[kind]);
        let name = format!("delivery, room of {size} (1 in {SAMPLE_EACH})");
        row(name, &figures.deliveries[kind]);
    }
    row("read marker stored".to_owned(), &figures.read);
    row("room opened, newest page".to_owned(), &figures.look);
    row("back after a cut".to_owned(), &figures.comeback);
    table
}

fn report(options: &Options, ground: &Ground, company: Company, figures: &Figures) -> Report {
    let share = |cpu: Option<f64>| cell(cpu.map(|seconds| seconds / figures.seconds), 2);
    let server = figures.usage.server;
    let mut notes = ground.notes();
    notes.push(format!(
        "Processors kept busy: server {} in the program and {} in the kernel, load generator {}. \
         {:.0} messages a second were delivered, {:.1} MB a second. {} attempts to come back \
         failed; for {} actions nobody was there; {} markers and pages were refused for now and \
         asked again a second later.",
        share(server.map(|cpu| cpu.user)),
        share(server.map(|cpu| cpu.system)),
        share(figures.usage.bench.map(|cpu| cpu.total())),
        figures.deliveries_per_second,
        figures.bytes_per_second / 1e6,
        figures.failures,
        figures.skipped,
        figures.postponed,
    ));
    notes.push("Typing and presence are left out: `presence` measures them.".to_owned());
    let Options {
        seconds,
        messages,
        reads,
        looks,
        leaves,
        ..
    } = options;
    let announcements = options.announcements.unwrap_or(*seconds);
    let people = company.people();
    let all = KINDS - 1;
    Report {
        scenario: NAME,
        headline: vec![format!(
            "A day of {people} people in {seconds} s: p99 of the ack {} ms, of a delivery in a \
             room of {} {} ms, in the room of all {} ms; {} of a processor",
            cell(figures.sends[0].p99_ms, 1),
            company.size(0),
            cell(figures.deliveries[0].p99_ms, 1),
            cell(figures.deliveries[all].p99_ms, 1),
            share(server.map(|cpu| cpu.total())),
        )],
        table: table(company, figures),
        load: format!(
            "{people} people, each in a room of 2, 10, 100 and {people}; on this day each sends \
             {messages} messages to the smaller rooms, marks {reads} times as read, opens a room \
             {looks} times and loses the connection {leaves} times; {announcements} messages go to \
             everybody; open loop: latency from the time at which something was due"
        ),
        options: format!(
            "--people {people} --seconds {seconds} --messages {messages} --reads {reads} --looks \
             {looks} --leaves {leaves} --announcements {announcements}"
        ),
        machine: ground.machine.clone(),
        figures: serde_json::json!(figures),
        notes,
    }
}
