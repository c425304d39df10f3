//! What was measured, as a table for people and as JSON for programs; the same for all scenarios.
//!
//! Figures are given as medians of runs: one figure of a shared machine says little. What they
//! mean is the scenario's.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::machine::{Cpu, Machine};

/// Longer than any latency, in microseconds: one minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// A histogram of durations in microseconds, exact to three digits.
#[derive(Clone)]
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

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The figures that a report gives.
    pub(crate) fn summary(&self) -> Latency {
        let at = |quantile: f64| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        Latency {
            count: self.count(),
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
    /// Of how many.
    pub(crate) count: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    if figures.len() % 2 == 1 {
        return Some(upper);
    }
    Some((figures[middle - 1] + upper) / 2.0)
}

/// A table of figures, its first column names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One with these columns and no rows.
    pub(crate) fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// In columns: names to the left, figures to the right.
    pub(crate) fn to_text(&self) -> String {
        let columns = self.head.len();
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let cells = line.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, &width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// A figure with so many digits behind the point, or a dash where there is none.
pub(crate) fn cell(figure: impl Into<Option<f64>>, digits: usize) -> String {
    let figure = figure.into();
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}

/// The processors that one side kept busy, in the program and in the kernel.
pub(crate) fn busy(cpu: Option<Cpu>, seconds: f64) -> [String; 2] {
    let share = |part: fn(Cpu) -> f64| cell(cpu.map(|cpu| part(cpu) / seconds), 2);
    [share(|cpu| cpu.user), share(|cpu| cpu.system)]
}

/// The whole run.
pub(crate) struct Report {
    /// Its name: that of the command, and of the marks in a document.
    pub(crate) scenario: &'static str,
    /// The sentences that one remembers.
    pub(crate) headline: Vec<String>,
    pub(crate) table: Table,
    /// What was asked for, in words.
    pub(crate) load: String,
    /// How to run it again: the options.
    pub(crate) options: String,
    pub(crate) machine: Machine,
    /// All figures, for programs.
    pub(crate) figures: serde_json::Value,
    /// What makes the figures worth less.
    pub(crate) notes: Vec<String>,
}

impl Report {
    fn command(&self) -> String {
        let Self {
            scenario, options, ..
        } = self;
        format!("cargo run --release -p chinwag-bench -- {scenario} {options}")
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::json!({
            "scenario": self.scenario,
            "headline": self.headline,
            "load": self.load,
            "command": self.command(),
            "machine": self.machine,
            "figures": self.figures,
            "notes": self.notes,
        });
        format!("{text:#}\n")
    }

    /// For people, as a Markdown fragment that also reads well in a terminal.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a string takes everything");
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        for line in &self.headline {
            writeln!(to, "**{line}**\n")?;
        }
        writeln!(to, "```text\n{}```\n", self.table.to_text())?;
        writeln!(to, "- Load: {}", self.load)?;
        writeln!(to, "- Command: `{}`", self.command())?;
        self.machine.write(to)?;
        for note in &self.notes {
            writeln!(to, "- {note}")?;
        }
        Ok(())
    }
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
        let mut latencies = Latencies::new();
        (1..=99).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        latencies.record(Duration::from_secs(3_600));
        let summary = latencies.summary();
        assert_eq!((latencies.count(), summary.count), (100, 100));
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p99_ms - 99.0).abs() < 0.1, "{summary:?}");
        assert!(summary.max_ms >= 60_000.0, "{summary:?}");
    }

    #[test]
    fn tables_stand_in_columns() {
        let mut table = Table::new(&["part", "a/s", "µs"]);
        table.row(["one".to_owned(), cell(1_234.56, 0), cell(None, 1)]);
        table.row(["another".to_owned(), cell(7.0, 0), cell(0.25, 2)]);
        let expected = "\
part      a/s    µs
one      1235     -
another     7  0.25
";
        assert_eq!(table.to_text(), expected);
    }
}
