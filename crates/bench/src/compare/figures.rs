//! What was measured, by row and contender, and what of it can be compared.
//!
//! Knows no scenario and no program: names, numbers, medians.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::contender::Contender;
use super::rows::Row;
use crate::report::{Table, cell, median};

/// What a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Messages that reached users, each for itself.
    DeliveriesPerSecond,
    /// Messages that were acknowledged to their senders.
    AcksPerSecond,
    /// From when a message was due to its ack.
    AckP99Ms,
    /// From when a message was due to a user who got it.
    DeliveryP99Ms,
    /// The same for half of them.
    DeliveryP50Ms,
    /// Processor time of the server for each delivery, in microseconds.
    CpuUs,
    /// The part of it outside the kernel.
    UserUs,
    /// Processors that the server kept busy.
    ServerBusy,
    /// Processors that the load generator kept busy: near one, it was the limit.
    BenchBusy,
    /// Bytes of a text from the server, on average, heads of frames included.
    FrameBytes,
    /// Memory for each further connection.
    KibPerConnection,
    /// People who signed in.
    ConnectsPerSecond,
    /// Until the last one was back.
    BackSeconds,
    /// The same, for each client.
    UsPerClient,
    /// 99th percentile with readers that stopped reading, to that without.
    P99Growth,
    /// Memory that the readers who stopped reading took.
    MibGrown,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeliveriesPerSecond => "deliveries/s",
            Self::AcksPerSecond => "acks/s",
            Self::AckP99Ms => "ack p99 ms",
            Self::DeliveryP99Ms => "delivery p99 ms",
            Self::DeliveryP50Ms => "delivery p50 ms",
            Self::CpuUs => "CPU µs/delivery",
            Self::UserUs => "user µs/delivery",
            Self::ServerBusy => "server busy",
            Self::BenchBusy => "load busy",
            Self::FrameBytes => "bytes/frame",
            Self::KibPerConnection => "KiB/connection",
            Self::ConnectsPerSecond => "connects/s",
            Self::BackSeconds => "all back s",
            Self::UsPerClient => "µs/client",
            Self::P99Growth => "p99 growth",
            Self::MibGrown => "MiB grown",
        })
    }
}

impl Figure {
    /// Digits behind the point that mean something.
    pub(crate) fn digits(self) -> usize {
        match self {
            Self::DeliveriesPerSecond
            | Self::AcksPerSecond
            | Self::FrameBytes
            | Self::ConnectsPerSecond
            | Self::UsPerClient => 0,
            Self::MibGrown => 1,
            _ => 2,
        }
    }
}

/// What one measurement gave.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(BTreeMap<Figure, f64>);

impl Figures {
    /// Adds one, if it is a number.
    pub(crate) fn set(&mut self, figure: Figure, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into().filter(|value| value.is_finite()) {
            self.0.insert(figure, value);
        }
    }

    /// The value of this one.
    pub(crate) fn get(&self, figure: Figure) -> Option<f64> {
        self.0.get(&figure).copied()
    }

    /// For whoever watches.
    pub(crate) fn in_words(&self) -> String {
        let words = self.0.iter().map(|(figure, value)| {
            let digits = figure.digits();
            format!("{value:.digits$} {figure}")
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// All measurements of one contender in one row.
#[derive(Debug, Clone, Default, Serialize)]
struct Series {
    runs: Vec<Figures>,
    failures: Vec<String>,
}

/// All measurements.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Measured(BTreeMap<&'static str, BTreeMap<Contender, Series>>);

impl Measured {
    /// Adds a measurement.
    pub(crate) fn add(&mut self, row: &'static str, contender: Contender, figures: Figures) {
        self.series(row, contender).runs.push(figures);
    }

    /// Notes that one could not be taken.
    pub(crate) fn fail(&mut self, row: &'static str, contender: Contender, why: String) {
        let series = self.series(row, contender);
        // Keeps the turns in step: ratios are taken turn by turn.
        series.runs.push(Figures::default());
        series.failures.push(why);
    }

    fn series(&mut self, row: &'static str, contender: Contender) -> &mut Series {
        self.0.entry(row).or_default().entry(contender).or_default()
    }

    /// The values of a figure, turn by turn; nothing where it was not measured.
    fn values(&self, row: &str, contender: Contender, figure: Figure) -> Vec<Option<f64>> {
        let series = self.0.get(row).and_then(|row| row.get(&contender));
        let runs = series.map_or(&[][..], |series| &series.runs);
        runs.iter().map(|figures| figures.get(figure)).collect()
    }

    /// The median of a figure.
    pub(crate) fn median(&self, row: &str, contender: Contender, figure: Figure) -> Option<f64> {
        median(self.values(row, contender, figure).into_iter().flatten())
    }

    /// The median of the ratios within the turns, Chinwag's to the other's.
    pub(crate) fn ratio(&self, row: &str, other: Contender, figure: Figure) -> Option<f64> {
        let ours = self.values(row, Contender::Chinwag, figure);
        let theirs = self.values(row, other, figure);
        let ratios = ours.into_iter().zip(theirs).filter_map(|(ours, theirs)| {
            let theirs = theirs.filter(|&theirs| theirs > 0.0)?;
            Some(ours? / theirs)
        });
        median(ratios)
    }

    /// How many measurements of this contender are missing.
    pub(crate) fn failures(&self, contender: Contender) -> usize {
        let series = self.0.values().filter_map(|row| row.get(&contender));
        series.map(|series| series.failures.len()).sum()
    }

    /// Why some measurements are missing, each reason once.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (row, contenders) in &self.0 {
            for (contender, Series { runs, failures }) in contenders {
                if let Some(first) = failures.first() {
                    let (failed, all) = (failures.len(), runs.len());
                    notes.push(format!(
                        "{row}: {failed} of {all} measurements of {contender} failed: {first}"
                    ));
                }
            }
        }
        notes
    }

    /// Every median, row by row.
    pub(crate) fn to_text(&self, rows: &[Row]) -> String {
        let mut text = String::new();
        for row in rows {
            let Some(contenders) = self.0.get(row.name) else {
                continue;
            };
            let mut figures: Vec<Figure> = contenders
                .values()
                .flat_map(|series| &series.runs)
                .flat_map(|figures| figures.0.keys().copied())
                .collect();
            figures.sort();
            figures.dedup();
            let head: Vec<String> = figures.iter().map(Figure::to_string).collect();
            let mut table = Table::new(
                &[row.name, "stored"]
                    .into_iter()
                    .chain(head.iter().map(String::as_str))
                    .collect::<Vec<_>>(),
            );
            for &contender in contenders.keys() {
                let cells = figures
                    .iter()
                    .map(|&figure| cell(self.median(row.name, contender, figure), figure.digits()));
                let name = [contender.to_string(), contender.stored().to_owned()];
                table.row(name.into_iter().chain(cells));
            }
            text.push_str(&format!("```text\n{}```\n\n", table.to_text()));
        }
        text.trim_end().to_owned() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acks(value: f64) -> Figures {
        let mut figures = Figures::default();
        figures.set(Figure::AcksPerSecond, value);
        figures
    }

    #[test]
    fn ratios_are_taken_turn_by_turn() {
        let mut measured = Measured::default();
        for (ours, theirs) in [(50.0, 100.0), (10.0, 20.0), (90.0, 30.0)] {
            measured.add("row", Contender::Chinwag, acks(ours));
            measured.add("row", Contender::SocketIo, acks(theirs));
        }
        let ratio = |other| measured.ratio("row", other, Figure::AcksPerSecond);
        assert_eq!(ratio(Contender::SocketIo), Some(0.5));
        assert_eq!(ratio(Contender::Ws), None);
        let median = measured.median("row", Contender::SocketIo, Figure::AcksPerSecond);
        assert_eq!(median, Some(30.0));
    }

    #[test]
    fn a_failure_does_not_shift_the_turns() {
        let mut measured = Measured::default();
        measured.fail("row", Contender::SocketIo, "no port".to_owned());
        measured.add("row", Contender::Chinwag, acks(1.0));
        measured.add("row", Contender::SocketIo, acks(10.0));
        measured.add("row", Contender::Chinwag, acks(50.0));
        let ratio = measured.ratio("row", Contender::SocketIo, Figure::AcksPerSecond);
        assert_eq!(ratio, Some(5.0));
        let expected = "row: 1 of 2 measurements of Socket.IO failed: no port";
        assert_eq!(measured.notes(), [expected]);
        assert_eq!(measured.failures(Contender::SocketIo), 1);
        assert_eq!(measured.failures(Contender::Chinwag), 0);
    }

    #[test]
    fn the_details_say_who_stores() {
        let mut measured = Measured::default();
        let row = &super::super::rows::all(true)[0];
        measured.add(row.name, Contender::Chinwag, acks(2.0));
        measured.add(row.name, Contender::Ws, acks(30.0));
        let expected = "\
```text
fanout   stored  acks/s
Chinwag  synced       2
bare ws      no      30
```
";
        assert_eq!(measured.to_text(std::slice::from_ref(row)), expected);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let mut figures = acks(2.0);
        figures.set(Figure::CpuUs, f64::NAN);
        figures.set(Figure::UserUs, None);
        assert_eq!(figures.in_words(), "2 acks/s");
    }
}
