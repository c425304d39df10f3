//! Targets, and whether they are reached.

use serde::Serialize;

use super::contender::Contender;
use super::figures::{Figure, Measured};
use super::rows::Row;
use crate::report::{Table, cell};

/// How far something may go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

/// What is wanted of Chinwag in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Of which number.
    pub(crate) figure: Figure,
    /// Of its ratio to that of this contender; of the number itself, if there is none.
    pub(crate) against: Option<Contender>,
    /// How far.
    pub(crate) bound: Bound,
}

/// What became of a target.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    row: &'static str,
    figure: Figure,
    against: Option<Contender>,
    bound: Bound,
    chinwag: Option<f64>,
    other: Option<f64>,
    ratio: Option<f64>,
    /// Nothing, if it was not measured.
    pub(crate) reached: Option<bool>,
}

/// Judges every target of these rows.
pub(crate) fn all(rows: &[Row], measured: &Measured) -> Vec<Verdict> {
    let targets = rows
        .iter()
        .flat_map(|row| row.targets.iter().map(move |target| (row.name, *target)));
    targets
        .map(|(row, target)| judge(row, target, measured))
        .collect()
}

fn judge(row: &'static str, target: Target, measured: &Measured) -> Verdict {
    let Target {
        figure,
        against,
        bound,
    } = target;
    let chinwag = measured.median(row, Contender::Chinwag, figure);
    let other = against.and_then(|other| measured.median(row, other, figure));
    let ratio = against.and_then(|other| measured.ratio(row, other, figure));
    let judged = if against.is_some() { ratio } else { chinwag };
    Verdict {
        row,
        figure,
        against,
        bound,
        chinwag,
        other,
        ratio,
        reached: judged.map(|value| bound.holds(value)),
    }
}

/// One line for each target.
pub(crate) fn table(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new(&[
        "scenario", "figure", "Chinwag", "beside", "has", "ratio", "target", "reached",
    ]);
    for verdict in verdicts {
        let digits = verdict.figure.digits();
        let (sign, bound) = match verdict.bound {
            Bound::AtLeast(bound) => ('≥', bound),
            Bound::AtMost(bound) => ('≤', bound),
        };
        let times = if verdict.against.is_some() { " ×" } else { "" };
        table.row([
            verdict.row.to_owned(),
            verdict.figure.to_string(),
            cell(verdict.chinwag, digits),
            verdict
                .against
                .map_or_else(|| "-".to_owned(), |other| other.to_string()),
            cell(verdict.other, digits),
            cell(verdict.ratio, 2),
            format!("{sign} {}{times}", short(bound)),
            match verdict.reached {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "not measured",
            }
            .to_owned(),
        ]);
    }
    table
}

/// With two digits behind the point at most, and none that say nothing.
fn short(bound: f64) -> String {
    let text = format!("{bound:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::figures::Figures;
    use super::*;

    fn check(bound: Bound, against: Option<Contender>, expected: Option<bool>) {
        let mut measured = Measured::default();
        for (contender, value) in [(Contender::Chinwag, 30.0), (Contender::SocketIo, 10.0)] {
            let mut figures = Figures::default();
            figures.set(Figure::AcksPerSecond, value);
            measured.add("row", contender, figures);
        }
        let figure = Figure::AcksPerSecond;
        let target = Target {
            figure,
            against,
            bound,
        };
        let verdict = judge("row", target, &measured);
        assert_eq!(verdict.reached, expected, "{verdict:?}");
        assert_eq!(verdict.chinwag, Some(30.0));
    }

    #[test]
    fn ratios_and_plain_figures_are_judged() {
        let socketio = Some(Contender::SocketIo);
        check(Bound::AtLeast(3.0), socketio, Some(true));
        check(Bound::AtLeast(3.1), socketio, Some(false));
        check(Bound::AtMost(3.0), socketio, Some(true));
        check(Bound::AtMost(2.9), socketio, Some(false));
        check(Bound::AtMost(30.0), None, Some(true));
        check(Bound::AtLeast(31.0), None, Some(false));
    }

    #[test]
    fn bounds_are_short() {
        for (bound, expected) in [
            (10.0, "10"),
            (0.4, "0.4"),
            (1.0 / 3.0, "0.33"),
            (2.5, "2.5"),
        ] {
            assert_eq!(short(bound), expected);
        }
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        check(Bound::AtLeast(1.0), Some(Contender::Ejabberd), None);
    }
}
