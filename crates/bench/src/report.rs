//! What was measured, as a table for people and as JSON for programs.
//!
//! Figures are compared within a pair, measured one after the other on the same disk, and given as
//! medians of pairs: one figure of a shared machine says little, their ratio says more.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::machine::Machine;

/// Longer than any latency, in microseconds: one minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// A histogram of durations in microseconds, exact to three digits.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self(histogram.expect("these bounds are in order"))
    }

    /// Adds one; what is longer than a minute counts as a minute.
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.0.saturating_record(micros);
    }

    /// Adds those of another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The figures that a report gives.
    pub(crate) fn summary(&self) -> Latency {
        let at = |quantile: f64| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        Latency {
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: self.0.max() as f64 / 1_000.0,
        }
    }
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// What the disk alone gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Floor {
    pub(crate) acks_per_second: f64,
    pub(crate) syncs_per_second: f64,
    pub(crate) latency: Latency,
}

/// What the server gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Served {
    pub(crate) acks_per_second: f64,
    /// Events that reached clients.
    pub(crate) deliveries_per_second: f64,
    pub(crate) latency: Latency,
    /// Processors that the server kept busy; absent for a server elsewhere.
    pub(crate) server_processors: Option<f64>,
    /// Processors that the load generator kept busy.
    pub(crate) bench_processors: Option<f64>,
}

/// One measurement beside one of the disk.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Pair {
    /// Absent if the disk is not ours to measure.
    pub(crate) floor: Option<Floor>,
    pub(crate) served: Served,
}

impl Pair {
    fn ratio(&self) -> Option<f64> {
        let floor = self.floor?;
        (floor.acks_per_second > 0.0).then(|| self.served.acks_per_second / floor.acks_per_second)
    }
}

/// The whole run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) headline: Headline,
    /// What was asked for, in words.
    pub(crate) load: String,
    /// How to run it again.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) pairs: Vec<Pair>,
    /// What makes the figures worth less.
    pub(crate) notes: Vec<String>,
}

/// The two numbers, and what they are worth: medians over the pairs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Headline {
    pub(crate) acks_per_second: f64,
    pub(crate) ack_p99_ms: f64,
    /// The floor's; absent with it.
    pub(crate) floor_acks_per_second: Option<f64>,
    /// Of the acks to the floor's, pair by pair.
    pub(crate) ratio_to_floor: Option<f64>,
    /// Processor time of the server for each ack, deliveries included, in microseconds: what
    /// other work on the machine changes least.
    pub(crate) server_us_per_ack: Option<f64>,
}

impl Headline {
    /// That of these pairs.
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let each = |figure: fn(&Pair) -> Option<f64>| median(pairs.iter().filter_map(figure));
        Self {
            acks_per_second: each(|pair| Some(pair.served.acks_per_second)).unwrap_or(0.0),
            ack_p99_ms: each(|pair| Some(pair.served.latency.p99_ms)).unwrap_or(0.0),
            floor_acks_per_second: each(|pair| Some(pair.floor?.acks_per_second)),
            ratio_to_floor: each(Pair::ratio),
            server_us_per_ack: each(|pair| {
                let busy = pair.served.server_processors?;
                Some(busy * 1e6 / pair.served.acks_per_second)
            }),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    if figures.len() % 2 == 1 {
        return Some(upper);
    }
    Some((figures[middle - 1] + upper) / 2.0)
}

impl Report {
    /// For programs.
    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a report holds only strings, numbers and lists") + "\n"
    }

    /// For people, as a Markdown fragment that also reads well in a terminal.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a string takes everything");
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let Headline {
            acks_per_second,
            ack_p99_ms,
            floor_acks_per_second,
            ratio_to_floor,
            server_us_per_ack,
        } = self.headline;
        writeln!(
            to,
            "**{acks_per_second:.0} durable sends acknowledged per second**\n"
        )?;
        writeln!(to, "**p99 of the ack: {ack_p99_ms:.1} ms**")?;
        if let (Some(floor), Some(ratio)) = (floor_acks_per_second, ratio_to_floor) {
            writeln!(
                to,
                "\nThe disk alone: {floor:.0} a second. Ratio: {ratio:.2}."
            )?;
        }
        if let Some(micros) = server_us_per_ack {
            writeln!(
                to,
                "Processor time of the server for each ack, deliveries included: {micros:.0} µs."
            )?;
        }
        writeln!(to, "\n```text")?;
        self.write_pairs(to)?;
        writeln!(to, "```\n")?;
        let machine = &self.machine;
        let unknown = || "unknown".to_owned();
        writeln!(to, "- Load: {}", self.load)?;
        writeln!(to, "- Command: `{}`", self.command)?;
        writeln!(
            to,
            "- Date: {}; commit: {}",
            machine.date,
            machine.commit.clone().unwrap_or_else(unknown)
        )?;
        writeln!(
            to,
            "- Machine: {} processors, {}; load average before the run: {}",
            machine.processors,
            machine.processor.clone().unwrap_or_else(unknown),
            machine
                .load_before
                .map_or_else(unknown, |load| format!("{load:.1}"))
        )?;
        for note in &self.notes {
            writeln!(to, "- {note}")?;
        }
        Ok(())
    }

    fn write_pairs(&self, to: &mut String) -> std::fmt::Result {
        writeln!(
            to,
            "pair          acks/s  p50 ms  p99 ms  p99.9 ms  max ms  syncs/s  received/s  CPU server  CPU bench"
        )?;
        let cores =
            |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.2}"));
        for (number, pair) in (1..).zip(&self.pairs) {
            if let Some(floor) = &pair.floor {
                writeln!(
                    to,
                    "{number:>2} disk    {:>10.0} {} {:>8.0}           -           -          -",
                    floor.acks_per_second,
                    latency(&floor.latency),
                    floor.syncs_per_second
                )?;
            }
            let served = &pair.served;
            writeln!(
                to,
                "{number:>2} server  {:>10.0} {}        - {:>11.0} {:>11} {:>10}",
                served.acks_per_second,
                latency(&served.latency),
                served.deliveries_per_second,
                cores(served.server_processors),
                cores(served.bench_processors)
            )?;
        }
        Ok(())
    }
}

fn latency(latency: &Latency) -> String {
    let Latency {
        p50_ms,
        p99_ms,
        p999_ms,
        max_ms,
    } = latency;
    format!("{p50_ms:>7.1} {p99_ms:>7.1} {p999_ms:>9.1} {max_ms:>7.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (figures, expected) in [
            (&[][..], None),
            (&[3.0][..], Some(3.0)),
            (&[9.0, 1.0, 2.0][..], Some(2.0)),
            (&[4.0, 1.0, 2.0, 9.0][..], Some(3.0)),
        ] {
            assert_eq!(median(figures.iter().copied()), expected);
        }
    }

    #[test]
    fn latencies_are_summed_up_in_milliseconds() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        (1..=99).for_each(|ms| one.record(Duration::from_millis(ms)));
        other.record(Duration::from_secs(3_600));
        one.add(&other);
        let summary = one.summary();
        assert_eq!(one.count(), 100);
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p99_ms - 99.0).abs() < 0.1, "{summary:?}");
        assert!(summary.max_ms >= 60_000.0, "{summary:?}");
    }

    #[test]
    fn the_ratio_is_taken_pair_by_pair() {
        let latency = Latencies::new().summary();
        let pair = |served: f64, floor: f64| Pair {
            floor: Some(Floor {
                acks_per_second: floor,
                syncs_per_second: 1.0,
                latency,
            }),
            served: Served {
                acks_per_second: served,
                deliveries_per_second: 0.0,
                latency,
                server_processors: Some(served / 1e4),
                bench_processors: None,
            },
        };
        let headline = Headline::of(&[pair(50.0, 100.0), pair(10.0, 20.0), pair(90.0, 100.0)]);
        assert_eq!(headline.acks_per_second, 50.0);
        assert_eq!(headline.floor_acks_per_second, Some(100.0));
        assert_eq!(headline.ratio_to_floor, Some(0.5));
        let micros = headline.server_us_per_ack.unwrap();
        assert!((micros - 100.0).abs() < 1e-9, "{micros}");
    }
}
