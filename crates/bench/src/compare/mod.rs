//! Chinwag beside what people would use instead, and beside what the machine itself costs: one run,
//! one table.
//!
//! Every contender gets the same users, rooms, texts and messages under way from the same client,
//! alone on the same processor, one after the other in turns, so that a machine whose speed drifts
//! changes a ratio little. What each of them promises is another matter: the report says it.

mod contender;
mod figures;
mod ours;
mod play;
mod rows;
mod verdict;

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum as _};

use crate::machine::{self, Machine};
use crate::processors::Split;
use crate::publish::publish;
use crate::report::Report;
use crate::terminal::{print, progress};

use contender::{Contender, Field};
use figures::{Figure, Figures, Measured};
use play::Length;
use rows::Row;

/// Files besides the sockets.
const OTHER_FILES: u64 = 200;

/// What a measurement takes besides its length: starting, signing in, warming up, stopping.
const AROUND_SECONDS: u64 = 10;

/// What `compare` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Measurements of each contender; medians are reported [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: Option<u32>,
    /// Length of one measurement in seconds [default: 5]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Two pairs of short measurements with fewer clients: to try it, not to publish
    #[arg(long)]
    quick: bool,
    /// Only this row; may be given several times
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(rows::names()))]
    only: Vec<String>,
    /// Without this contender; may be given several times
    #[arg(long, value_name = "NAME")]
    without: Vec<Contender>,
    /// Where the contenders' data is kept [default: beside this program]
    ///
    /// Must be on the disk in question: one in memory has nothing to sync.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Let servers and load generator share all processors
    #[arg(long)]
    no_pin: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Also put the result into this document, between its two marks
    #[arg(long, value_name = "FILE")]
    publish: Option<PathBuf>,
}

impl Options {
    fn pairs(&self) -> u32 {
        self.pairs.unwrap_or(if self.quick { 2 } else { 7 })
    }

    fn length(&self) -> Length {
        Length {
            seconds: self.seconds.unwrap_or(if self.quick { 2 } else { 5 }),
            quick: self.quick,
        }
    }

    /// As they can be typed.
    fn shown(&self) -> String {
        let mut words = vec![
            format!("--pairs {}", self.pairs()),
            format!("--seconds {}", self.length().seconds),
        ];
        let named = |name: &str, set: bool| set.then(|| format!("--{name}"));
        words.extend(named("quick", self.quick));
        words.extend(named("no-pin", self.no_pin));
        words.extend(self.only.iter().map(|name| format!("--only {name}")));
        let without = self.without.iter().filter_map(Contender::to_possible_value);
        words.extend(without.map(|value| format!("--without {}", value.get_name())));
        words.join(" ")
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = rows::all(self.quick);
        rows.retain(|row| self.only.is_empty() || self.only.iter().any(|name| name == row.name));
        rows
    }
}

/// Compares, and shows the tables.
///
/// What cannot be measured is left out, and the report says why.
///
/// # Errors
/// Nothing can be compared here, or Chinwag failed: then the report is shown all the same.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let machine = Machine::here();
    let rows = options.rows();
    check_files(&rows)?;
    let split = if options.no_pin {
        None
    } else {
        Split::of_this_machine()
    };
    if let Some(split) = split {
        split.take_ours()?;
    }
    let wanted: Vec<Contender> = rows
        .iter()
        .flat_map(|row| row.contenders.iter().copied())
        .filter(|contender| !options.without.contains(contender))
        .collect();
    let field = Field::prepare(
        &wanted,
        &options.without,
        options.directory.as_deref(),
        split,
    )?;
    announce(&rows, options, &field);
    let mut measured = Measured::default();
    for row in &rows {
        compare(row, options, &field, &mut measured);
    }
    let report = report(options, machine, &rows, &measured, &field);
    let text = format!("{}\n{}", report.to_text(), measured.to_text(&rows));
    print(&if options.json {
        report.to_json()
    } else {
        text.clone()
    });
    if let Some(document) = &options.publish {
        publish(document, report.scenario, &text)?;
    }
    let failures = measured.failures(Contender::Chinwag);
    ensure!(
        failures == 0,
        "{failures} measurements of Chinwag failed: the report says why"
    );
    Ok(())
}

fn check_files(rows: &[Row]) -> anyhow::Result<()> {
    let files = machine::raise_file_limit();
    let users = rows.iter().map(|row| row.shape.users()).max().unwrap_or(0);
    ensure!(
        users as u64 + OTHER_FILES <= files,
        "{users} connections need more than {files} open files in each of two processes: raise the \
         hard limit (`ulimit -Hn`), or choose rows with `--only`"
    );
    Ok(())
}

/// Says how long it will take: whoever waits wants to know.
fn announce(rows: &[Row], options: &Options, field: &Field) {
    let here = |row: &Row| row.contenders.iter().filter(|&&one| field.has(one)).count();
    let count = rows.iter().map(here).sum::<usize>() * options.pairs() as usize;
    let minutes = (count as u64 * (options.length().seconds + AROUND_SECONDS)).div_ceil(60);
    progress(&format!("{count} measurements, about {minutes} minutes"));
}

/// Measures the contenders of a row in turns.
fn compare(row: &Row, options: &Options, field: &Field, measured: &mut Measured) {
    let pairs = options.pairs();
    for pair in 1..=pairs {
        // Forth and back: nobody always has the processor that somebody else has warmed up.
        let mut order = row.contenders.clone();
        if pair % 2 == 0 {
            order.reverse();
        }
        // The rate of an open loop is that of this pair, for all of them.
        let rate = match row.rate_from {
            Some(contender) if field.has(contender) => {
                match half_maximum(row, contender, options, field) {
                    Ok(rate) => Some(rate),
                    Err(error) => {
                        measured.fail(row.name, contender, format!("{error:#}"));
                        continue;
                    }
                }
            }
            // Without that rate there is no such row.
            Some(_) => continue,
            None => None,
        };
        for contender in order {
            if !field.has(contender) {
                continue;
            }
            match field.measure(contender, row, options.length(), rate) {
                Ok(figures) => {
                    progress(&format!(
                        "{} {pair}/{pairs}: {contender}: {}",
                        row.name,
                        figures.in_words()
                    ));
                    measured.add(row.name, contender, figures);
                }
                Err(error) => {
                    progress(&format!(
                        "{} {pair}/{pairs}: {contender}: {error:#}",
                        row.name
                    ));
                    measured.fail(row.name, contender, format!("{error:#}"));
                }
            }
        }
    }
}

/// Half of the messages a second that this one takes at most, for people like those of `row`.
fn half_maximum(
    row: &Row,
    contender: Contender,
    options: &Options,
    field: &Field,
) -> anyhow::Result<f64> {
    let figures = field.measure(contender, &row.saturated(), options.length(), None)?;
    let deliveries = figures.get(Figure::DeliveriesPerSecond).unwrap_or(0.0);
    let rate = deliveries / row.shape.members as f64 / 2.0;
    ensure!(rate > 0.0, "{contender} delivered nothing at saturation");
    progress(&format!("{}: {rate:.0} messages a second", row.name));
    Ok(rate)
}

fn report(
    options: &Options,
    machine: Machine,
    rows: &[Row],
    measured: &Measured,
    field: &Field,
) -> Report {
    let verdicts = verdict::all(rows, measured);
    let reached = verdicts
        .iter()
        .filter(|verdict| verdict.reached == Some(true));
    let judged = verdicts.iter().filter(|verdict| verdict.reached.is_some());
    let mut notes = field.notes();
    notes.extend(rows.iter().map(Row::note));
    notes.extend(measured.notes());
    if cfg!(debug_assertions) {
        notes.push("A debug build: these figures mean nothing.".to_owned());
    }
    if options.quick {
        notes.push("A quick run: these figures are for trying, not for quoting.".to_owned());
    }
    Report {
        scenario: "compare",
        headline: vec![format!(
            "{} of {} targets reached",
            reached.count(),
            judged.count()
        )],
        table: verdict::table(&verdicts),
        load: format!(
            "every measurement {} s on a freshly started server, contenders in turns, {} of each; \
             ratios are medians of the ratios within the turns",
            options.length().seconds,
            options.pairs()
        ),
        options: options.shown(),
        machine,
        figures: serde_json::json!({ "verdicts": verdicts, "measured": measured }),
        notes,
    }
}

/// Figures of one contender in one measurement, for all files here.
type Outcome = anyhow::Result<Figures>;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn typed(line: &str) -> Options {
        let words = std::iter::once("compare").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().options
    }

    #[test]
    fn what_is_shown_can_be_typed_again() {
        for (line, expected) in [
            ("", "--pairs 7 --seconds 5"),
            ("--quick", "--pairs 2 --seconds 2 --quick"),
            (
                "--quick --pairs 3 --only idle --only storm --without socketio --no-pin",
                "--pairs 3 --seconds 2 --quick --no-pin --only idle --only storm --without socketio",
            ),
        ] {
            let shown = typed(line).shown();
            assert_eq!(shown, expected);
            assert_eq!(typed(&shown).shown(), expected);
        }
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let names = |line| -> Vec<&str> { typed(line).rows().iter().map(|row| row.name).collect() };
        assert_eq!(names("--only storm --only idle"), ["idle", "storm"]);
        assert_eq!(names(""), rows::names());
        assert!(Line::try_parse_from(["compare", "--only", "nothing"]).is_err());
    }
}
