//! What is done with a contender's people, the same for all of them.

use std::time::Duration;

use anyhow::Context as _;

use super::Outcome;
use super::figures::{Figure, Figures};
use super::rows::{Play, Row};
use crate::dialect::Dialect;
use crate::machine::Watched;
use crate::swarm::load::{self, Load, Pace};
use crate::swarm::stamp::now_ns;
use crate::swarm::{Cut, Swarm};

/// Bytes of a text of Chinwag's: a sentence. The others' are longer, where the rest of their
/// frames is shorter.
pub(super) const TEXT_BYTES: usize = 100;
/// People who sign in at the same time, where that is not what is measured.
const AT_ONCE: usize = 64;
/// The same, where it is.
const AT_ONCE_MEASURED: usize = 256;
/// Until memory has come to rest.
const SETTLE: Duration = Duration::from_secs(2);

/// How long a measurement takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// Of the measurement itself.
    pub(super) seconds: u64,
    /// Whether it is only tried.
    pub(super) quick: bool,
}

impl Length {
    /// Before it, for caches, and for programs that are compiled while they run.
    fn warm_up(self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 3 })
    }
}

/// Lets everybody sign in once and leave, so that their accounts and places in rooms exist, and
/// no more than a few are there at the same time.
pub(super) fn introduce<D: Dialect>(swarm: &mut Swarm<D>) -> anyhow::Result<()> {
    let users = swarm.users();
    for first in (0..users).step_by(AT_ONCE) {
        let some = first..users.min(first + AT_ONCE);
        swarm
            .connect(some.clone(), AT_ONCE)
            .context("signing in for the first time")?;
        swarm.cut(some, Cut::Reset);
    }
    Ok(())
}

/// Plays a row with people who are all away.
pub(super) fn play<D: Dialect>(
    swarm: &mut Swarm<D>,
    row: &Row,
    length: Length,
    rate: Option<f64>,
    watched: &Watched,
) -> Outcome {
    let pace = match row.play {
        Play::Window(window) => Pace::Window(window),
        Play::OneInAll => Pace::OneInAll,
        Play::HalfRate => Pace::Rate(rate.context("no rate is known")?),
        Play::Idle => return idle(swarm, watched),
        Play::Connects => return connects(swarm),
        Play::Storm => return storm(swarm),
        // Has its own people.
        Play::Readers => anyhow::bail!("this row is not played by everybody"),
    };
    swarm
        .connect(0..swarm.users(), AT_ONCE)
        .context("signing in")?;
    let load = Load {
        pace,
        text_bytes: TEXT_BYTES,
        warm_up: length.warm_up(),
        length: Duration::from_secs(length.seconds),
        sample_each: match row.play {
            Play::HalfRate => 1,
            _ => 0,
        },
        ..Load::spread(row.shape.rooms, row.shape.members, row.senders)
    };
    let outcome = load::run(swarm, &load, watched)?;
    Ok(of_a_load(&outcome))
}

/// The figures of a load.
pub(super) fn of_a_load(outcome: &load::Outcome) -> Figures {
    let load::Outcome {
        seconds,
        acks,
        ack,
        counts,
        delivery,
        usage,
    } = outcome;
    let deliveries = counts.deliveries as f64;
    let mut figures = Figures::default();
    figures.set(Figure::DeliveriesPerSecond, deliveries / seconds);
    figures.set(Figure::AcksPerSecond, *acks as f64 / seconds);
    if ack.count() > 0 {
        figures.set(Figure::AckP99Ms, ack.summary().p99_ms);
    }
    if delivery.count() > 0 {
        figures.set(Figure::DeliveryP50Ms, delivery.summary().p50_ms);
        figures.set(Figure::DeliveryP99Ms, delivery.summary().p99_ms);
    }
    figures.set(
        Figure::FrameBytes,
        counts.bytes as f64 / counts.frames as f64,
    );
    if let Some(cpu) = usage.server {
        figures.set(Figure::CpuUs, cpu.total() * 1e6 / deliveries);
        figures.set(Figure::UserUs, cpu.user * 1e6 / deliveries);
        figures.set(Figure::ServerBusy, cpu.total() / seconds);
    }
    let busy = usage.bench.map(|cpu| cpu.total() / seconds);
    figures.set(Figure::BenchBusy, busy);
    figures
}

/// Answers what is asked for so long, and sends nothing.
fn rest<D: Dialect>(swarm: &mut Swarm<D>, length: Duration) -> anyhow::Result<()> {
    let until = now_ns() + length.as_nanos() as u64;
    let mut notes = Vec::new();
    while now_ns() < until {
        swarm.turn(until)?;
        swarm.take_notes(&mut notes);
    }
    Ok(())
}

fn idle<D: Dialect>(swarm: &mut Swarm<D>, watched: &Watched) -> Outcome {
    let users = swarm.users();
    let first = users / 5;
    let mut memory = |people: std::ops::Range<usize>| -> anyhow::Result<f64> {
        swarm.connect(people, AT_ONCE).context("signing in")?;
        rest(swarm, SETTLE)?;
        let memory = watched.server_memory();
        Ok(memory.context("the memory of the server is not told")? as f64)
    };
    let before = memory(0..first)?;
    let after = memory(first..users)?;
    let mut figures = Figures::default();
    let each = (after - before) / (users - first) as f64;
    figures.set(Figure::KibPerConnection, each / 1024.0);
    Ok(figures)
}

fn connects<D: Dialect>(swarm: &mut Swarm<D>) -> Outcome {
    let users = swarm.users();
    let connected = swarm.connect(0..users, AT_ONCE_MEASURED)?;
    let mut figures = Figures::default();
    figures.set(Figure::ConnectsPerSecond, users as f64 / connected.seconds);
    Ok(figures)
}

fn storm<D: Dialect>(swarm: &mut Swarm<D>) -> Outcome {
    let users = swarm.users();
    swarm.connect(0..users, AT_ONCE).context("signing in")?;
    rest(swarm, SETTLE)?;
    swarm.cut(0..users, Cut::Reset);
    let back = swarm.connect(0..users, users).context("coming back")?;
    let mut figures = Figures::default();
    figures.set(Figure::BackSeconds, back.seconds);
    figures.set(Figure::UsPerClient, back.seconds * 1e6 / users as f64);
    Ok(figures)
}
