//! How soon a sender sees that a message has been delivered: its second tick.
//!
//! Many pairs, each in a room of its own. One sends; the other waits as our SDK does, says that it
//! has the message, and the first is told. The whole way is measured, from before the send to the
//! receipt. A pair is one thread with two plain clients, and one message is under way at a time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chinwag_core::event::Body;
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::wire::{ClientFrame, ServerFrame};
use clap::Args;
use serde::Serialize;

use crate::client::Client;
use crate::ground::{Common, Ground};
use crate::machine::Usage;
use crate::report::{Latencies, Latency, Report, Table, busy, cell};
use crate::terminal::progress;

/// Of the command, and of the marks in a document.
const NAME: &str = "ticks";
/// Our SDK gathers what has arrived for so long before it says so (`sdk/src/marks.ts`).
const SDK_WAIT: Duration = Duration::from_millis(30);

/// What `ticks` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Pairs of people who write to each other
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pairs: u32,
    /// Between two messages of a pair, in ms
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    every_ms: u64,
    /// How long
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    #[command(flatten)]
    common: Common,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
struct Run {
    seconds: f64,
    /// From before a send to its ack, and to the receipt that says it was delivered.
    sent: Latency,
    delivered: Latency,
    usage: Usage,
}

/// Runs the scenario and prints its report.
///
/// # Errors
/// A message or its receipt does not come.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    options.common.check(NAME)?;
    let ground = Ground::prepare(&options.common, 2 * options.pairs as usize)?;
    let outcome = play(options, &ground);
    let run = ground.explain(outcome)?;
    let report = report(options, &ground, &run);
    ground.finish(&report)
}

fn play(options: &Options, ground: &Ground) -> anyhow::Result<Run> {
    let pairs = options.pairs as usize;
    let groups: Vec<_> = (0..pairs).map(|pair| 2 * pair..2 * pair + 2).collect();
    let rooms = ground
        .people(2 * pairs, &groups)?
        .dialect()
        .rooms()
        .to_vec();
    let seats = rooms.iter().enumerate().map(|(pair, room)| {
        let one = ground.sign_in(2 * pair)?;
        Ok(Pair::new(*room, one, ground.sign_in(2 * pair + 1)?))
    });
    let seats: Vec<Pair> = seats.collect::<anyhow::Result<_>>()?;
    let every = Duration::from_millis(options.every_ms);
    let (begun, usage) = (Instant::now(), ground.watched.usage());
    let end = begun + Duration::from_secs(options.seconds);
    let done = thread::scope(|scope| {
        let workers: Vec<_> = seats
            .into_iter()
            .zip(0_u32..)
            .map(|(pair, number)| {
                // Not all in the same moment.
                let first = begun + every * number / options.pairs;
                scope.spawn(move || pair.talk(first, every, end))
            })
            .collect();
        let results = workers.into_iter().map(|worker| {
            // A panic there is a mistake of this program; it goes on here.
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        results.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let usage = ground.watched.usage().since(usage);
    let (mut sent, mut delivered) = (Latencies::new(), Latencies::new());
    for (ack, receipt) in done.into_iter().flatten() {
        sent.record(ack);
        delivered.record(receipt);
    }
    ensure!(delivered.count() > 0, "nobody has sent anything");
    let run = Run {
        seconds,
        sent: sent.summary(),
        delivered: delivered.summary(),
        usage,
    };
    progress(&format!(
        "{} messages: delivered p99 {:.1} ms",
        run.delivered.count, run.delivered.p99_ms
    ));
    Ok(run)
}

/// Two people in a room: the first writes.
struct Pair {
    room: RoomId,
    writer: Client,
    reader: Client,
}

impl Pair {
    fn new(room: RoomId, writer: Client, reader: Client) -> Self {
        Self {
            room,
            writer,
            reader,
        }
    }

    /// One message after the other until `end`: the time of each to its ack and to its receipt.
    fn talk(
        mut self,
        first: Instant,
        every: Duration,
        end: Instant,
    ) -> anyhow::Result<Vec<(Duration, Duration)>> {
        let mut done = Vec::new();
        let mut due = first;
        while due < end {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            done.push(self.one()?);
            due = (due + every).max(Instant::now());
        }
        Ok(done)
    }

    fn one(&mut self) -> anyhow::Result<(Duration, Duration)> {
        let room = self.room;
        let send = ClientFrame::Send {
            req: self.writer.next_req(),
            key: self.writer.keys.next(),
            room,
            text: "is this ticked?".to_owned(),
            reply_to: None,
            mentions: Vec::new(),
        };
        let begun = Instant::now();
        self.writer.send(&send)?;
        let seq = wait(&mut self.writer, |frame| match frame {
            ServerFrame::Ack { seq, .. } => Some(*seq),
            _ => None,
        })?;
        let acked = begun.elapsed();
        wait(&mut self.reader, |frame| match frame {
            ServerFrame::Event(event) => {
                (event.seq == seq && matches!(event.body, Body::Message(_))).then_some(())
            }
            _ => None,
        })?;
        thread::sleep(SDK_WAIT);
        let mark = ClientFrame::Mark {
            req: self.reader.next_req(),
            room,
            delivered: Some(seq),
            read: None,
        };
        self.reader.send(&mark)?;
        wait(&mut self.writer, |frame| told(frame, seq))?;
        Ok((acked, begun.elapsed()))
    }
}

/// Whether this frame says that somebody has everything up to `seq`.
fn told(frame: &ServerFrame, seq: Seq) -> Option<()> {
    let ServerFrame::Receipt { members, .. } = frame else {
        return None;
    };
    members
        .iter()
        .any(|(_user, delivered, _read)| *delivered >= seq)
        .then_some(())
}

/// Reads until `found` has what it looks for.
fn wait<T>(
    client: &mut Client,
    mut found: impl FnMut(&ServerFrame) -> Option<T>,
) -> anyhow::Result<T> {
    loop {
        let frame = client.next().context("waiting for what a message brings")?;
        if let ServerFrame::Error { code, message, .. } = &frame {
            bail!("{code:?}: {message}");
        }
        if let Some(found) = found(&frame) {
            return Ok(found);
        }
    }
}

fn report(options: &Options, ground: &Ground, run: &Run) -> Report {
    let mut table = Table::new(&[
        "",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "server user",
        "sys",
    ]);
    for (name, latency) in [("acked", run.sent), ("delivered", run.delivered)] {
        let figures = [
            name.to_owned(),
            cell(latency.p50_ms, 1),
            cell(latency.p99_ms, 1),
            cell(latency.p999_ms, 1),
            cell(latency.max_ms, 1),
        ];
        let server = busy(run.usage.server, run.seconds);
        table.row(figures.into_iter().chain(server));
    }
    let Options {
        pairs,
        every_ms,
        seconds,
        ..
    } = options;
    Report {
        scenario: NAME,
        headline: vec![format!(
            "a sender sees that a message was delivered after {} ms, 99 of 100 times within {} ms, \
             {} ms of which the SDK waits",
            cell(run.delivered.p50_ms, 0),
            cell(run.delivered.p99_ms, 0),
            SDK_WAIT.as_millis()
        )],
        table,
        load: format!(
            "{pairs} pairs, each in a room of its own; one of two sends every {every_ms} ms, {} \
             messages in all; the other says {} ms after one has come that it is here",
            run.delivered.count,
            SDK_WAIT.as_millis()
        ),
        options: format!("--pairs {pairs} --every-ms {every_ms} --seconds {seconds}"),
        machine: ground.machine.clone(),
        figures: serde_json::json!({ "run": run }),
        notes: ground.notes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chinwag_core::ids::UserId;

    #[test]
    fn only_a_receipt_that_reaches_so_far_counts() {
        let receipt = |delivered: u64| ServerFrame::Receipt {
            room: RoomId([1; 16]),
            members: vec![(UserId([2; 16]), Seq(delivered), Seq(0))],
        };
        assert_eq!(told(&receipt(6), Seq(7)), None);
        assert_eq!(told(&receipt(7), Seq(7)), Some(()));
        assert_eq!(told(&ServerFrame::Behind {}, Seq(7)), None);
    }
}
