//! The text form of metrics: what Prometheus reads, version 0.0.4.
//!
//! Only form: names and words come from [`super::table`], values from whoever has them. A
//! [`Page`] lives as long as one scrape.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use super::cells::{Family, Histogram, Label};
use super::table::{Kind, Metric};

/// The `Content-Type` of a page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics at one moment, in the making.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// The whole of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// A metric without labels.
    pub fn one(&mut self, metric: &Metric, value: impl Display) {
        self.several::<0>(metric, [([], value)]);
    }

    /// A metric that may be absent.
    pub fn one_if_any(&mut self, metric: &Metric, value: Option<impl Display>) {
        if let Some(value) = value {
            self.one(metric, value);
        }
    }

    /// A counter with one label.
    pub fn family<L: Label>(&mut self, metric: &Metric, family: &Family<L>) {
        let samples = family.each().map(|(value, count)| ([value.text()], count));
        self.several(metric, samples);
    }

    /// A metric with labels: their values, in the order of the table.
    pub fn several<const LABELS: usize>(
        &mut self,
        metric: &Metric,
        samples: impl IntoIterator<Item = ([Cow<'static, str>; LABELS], impl Display)>,
    ) {
        assert!(
            metric.labels.len() == LABELS && metric.kind != Kind::Histogram,
            "{} has other labels in the table",
            metric.name
        );
        self.head(metric);
        for (values, sample) in samples {
            let names = metric.labels.iter().map(|(name, _values)| *name);
            self.sample(metric.name, "", names.zip(values), sample);
        }
    }

    /// A histogram.
    pub fn histogram(&mut self, metric: &Metric, histogram: &Histogram) {
        assert!(
            metric.labels.is_empty() && metric.kind == Kind::Histogram,
            "{} is something else in the table",
            metric.name
        );
        self.head(metric);
        let spread = histogram.spread();
        for (bound, count) in spread.at_most {
            let bound = Cow::from(bound.to_string());
            self.sample(metric.name, "_bucket", [("le", bound)], count);
        }
        let all = [("le", Cow::from("+Inf"))];
        self.sample(metric.name, "_bucket", all, spread.count);
        self.sample(metric.name, "_sum", [], spread.sum);
        self.sample(metric.name, "_count", [], spread.count);
    }

    fn head(&mut self, metric: &Metric) {
        let (name, kind) = (metric.name, metric.kind.text());
        self.line(format_args!("# HELP {name} {}", metric.help()));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// Label values are ours, and hold nothing that would have to be escaped.
    fn sample(
        &mut self,
        name: &str,
        part: &str,
        labels: impl IntoIterator<Item = (&'static str, Cow<'static, str>)>,
        value: impl Display,
    ) {
        let labels: Vec<String> = labels
            .into_iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        if labels.is_empty() {
            self.line(format_args!("{name}{part} {value}"));
        } else {
            self.line(format_args!("{name}{part}{{{}}} {value}", labels.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes every text");
    }
}
