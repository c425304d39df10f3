//! What counts: counters, counters by label, histograms.
//!
//! Plain atomics, so that counting takes no lock, no allocation and no look-up by name. They know
//! no names and no text; [`super::table`] and [`super::text`] do. Each value is exact by itself;
//! read together they are not of one moment.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chinwag_core::code::{CloseCode, ErrorCode};

/// Something that only happens more often.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// It happened `times` more.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Ordering::Relaxed);
    }

    /// How often it has happened.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The values of a label: few, and all known beforehand. Nothing that a client can choose.
pub trait Label: Copy + 'static {
    /// All of them, in the order of their places.
    const ALL: &'static [Self];

    /// Its place in [`Label::ALL`].
    fn place(self) -> usize;

    /// The value as it is shown.
    fn text(self) -> Cow<'static, str>;
}

impl Label for ErrorCode {
    const ALL: &'static [Self] = Self::ALL;

    fn place(self) -> usize {
        self as usize
    }

    fn text(self) -> Cow<'static, str> {
        Self::text(self).into()
    }
}

impl Label for CloseCode {
    const ALL: &'static [Self] = Self::ALL;

    fn place(self) -> usize {
        self as usize
    }

    fn text(self) -> Cow<'static, str> {
        self.number().to_string().into()
    }
}

/// A label as an enum with its texts.
macro_rules! labels {
    ($(#[doc = $about:literal])* pub enum $name:ident { $( $(#[doc = $doc:literal])* $value:ident = $text:literal, )* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])* $value, )* }

        impl $crate::metrics::cells::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$value),*];

            fn place(self) -> usize {
                self as usize
            }

            fn text(self) -> std::borrow::Cow<'static, str> {
                match self { $( Self::$value => $text.into(), )* }
            }
        }
    };
}
pub(super) use labels;

/// A counter for each value of a label.
#[derive(Debug)]
pub struct Family<L> {
    counters: Box<[Counter]>,
    label: PhantomData<L>,
}

impl<L: Label> Default for Family<L> {
    fn default() -> Self {
        Self {
            counters: L::ALL.iter().map(|_value| Counter::default()).collect(),
            label: PhantomData,
        }
    }
}

impl<L: Label> Family<L> {
    /// The counter of this value.
    #[must_use]
    pub fn of(&self, value: L) -> &Counter {
        &self.counters[value.place()]
    }

    /// Every value with its count.
    pub fn each(&self) -> impl Iterator<Item = (L, u64)> {
        L::ALL.iter().map(|value| (*value, self.of(*value).get()))
    }
}

/// Buckets of a histogram at most, the open one included.
const BUCKETS_MAX: usize = 24;

/// How values are spread: how many are at most each bound, and their sum.
#[derive(Debug)]
pub struct Histogram {
    /// Rising. Above the last there is one more bucket.
    bounds: &'static [u64],
    /// By how much a value is divided when it is shown.
    unit: u64,
    counts: Box<[Counter]>,
    sum: Counter,
}

/// What a [`Histogram`] has seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Bounds in the unit that is shown, and how many values are at most each.
    pub at_most: Vec<(f64, u64)>,
    /// How many there are.
    pub count: u64,
    /// Their sum, in the unit that is shown.
    pub sum: f64,
}

/// Microseconds in a second: the `unit` of durations. In nanoseconds, the sum of what a hundred
/// thousand connections last would run over in days.
pub(super) const SECOND: u64 = 1_000_000;

impl Histogram {
    /// No values yet. `bounds` rise strictly, in units of 1 / `unit`.
    #[must_use]
    pub(super) fn new(bounds: &'static [u64], unit: u64) -> Self {
        assert!(
            bounds.len() < BUCKETS_MAX && bounds.is_sorted_by(|one, next| one < next),
            "bounds rise, and there are few"
        );
        let counts = (0..=bounds.len()).map(|_bucket| Counter::default());
        Self {
            bounds,
            unit,
            counts: counts.collect(),
            sum: Counter::default(),
        }
    }

    /// Takes in one duration.
    pub fn observe(&self, duration: Duration) {
        self.observe_each([duration]);
    }

    /// Takes in many durations, at the price of about one.
    pub fn observe_each(&self, durations: impl IntoIterator<Item = Duration>) {
        self.observe_values(durations.into_iter().map(microseconds));
    }

    /// Takes in values, of which `unit` are shown as 1.
    pub fn observe_values(&self, values: impl IntoIterator<Item = u64>) {
        let (mut counts, mut sum) = ([0; BUCKETS_MAX], 0_u64);
        for value in values {
            let bucket = self.bounds.iter().position(|bound| value <= *bound);
            counts[bucket.unwrap_or(self.bounds.len())] += 1;
            sum = sum.saturating_add(value);
        }
        for (counter, count) in self.counts.iter().zip(counts) {
            if count > 0 {
                counter.add(count);
            }
        }
        self.sum.add(sum);
    }

    /// What it has seen.
    #[must_use]
    pub fn spread(&self) -> Spread {
        let shown = |value: u64| value as f64 / self.unit as f64;
        let mut count = 0;
        let mut at_most = Vec::with_capacity(self.bounds.len());
        for (bucket, counter) in self.counts.iter().enumerate() {
            count += counter.get();
            if let Some(bound) = self.bounds.get(bucket) {
                at_most.push((shown(*bound), count));
            }
        }
        Spread {
            at_most,
            count,
            sum: shown(self.sum.get()),
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_at_most_that_bound() {
        let check = |values: &[u64], at_most: [u64; 2], count: u64, sum: f64| {
            let histogram = Histogram::new(&[10, 20], 10);
            histogram.observe_values(values.iter().copied());
            let spread = histogram.spread();
            assert_eq!(spread.at_most, [(1.0, at_most[0]), (2.0, at_most[1])]);
            assert_eq!((spread.count, spread.sum), (count, sum), "{values:?}");
        };
        check(&[], [0, 0], 0, 0.0);
        check(&[0, 10], [2, 2], 2, 1.0);
        check(&[11, 20], [0, 2], 2, 3.1);
        check(&[5, 21, 1_000], [1, 1], 3, 102.6);
    }

    #[test]
    fn a_code_is_counted_in_its_own_place() {
        fn check<L: Label + std::fmt::Debug + PartialEq>() {
            for (place, value) in L::ALL.iter().enumerate() {
                assert_eq!(value.place(), place, "{value:?}");
            }
        }
        check::<ErrorCode>();
        check::<CloseCode>();
        let codes: Family<CloseCode> = Family::default();
        codes.of(CloseCode::Behind).add(2);
        let counted: Vec<_> = codes.each().filter(|(_code, count)| *count > 0).collect();
        assert_eq!(counted, [(CloseCode::Behind, 2)]);
    }
}
