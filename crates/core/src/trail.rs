//! When a marker reached which seq, for those who ask when a message was read.
//!
//! A marker is one number; when it passed a message is known from its last steps. Older steps are
//! forgotten, and then the time is not told: better none than a wrong one. Lives with the marker.

use crate::ids::{Millis, Seq};
use crate::limits;

/// The last steps of one marker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// Up to here nothing is known.
    forgotten: Seq,
    /// Where each step ended, and when; both rise.
    steps: Vec<(Seq, Millis)>,
}

impl Trail {
    /// The steps after `forgotten`, as they were kept.
    #[must_use]
    pub fn kept(forgotten: Seq, steps: Vec<(Seq, Millis)>) -> Self {
        Self { forgotten, steps }
    }

    /// Up to where nothing is known.
    #[must_use]
    pub fn forgotten(&self) -> Seq {
        self.forgotten
    }

    /// Where each known step ended, and when.
    #[must_use]
    pub fn steps(&self) -> &[(Seq, Millis)] {
        &self.steps
    }

    /// The marker went to `to` at `at`. Steps within [`limits::TRAIL_STEP_MS`] are one, with the
    /// time of the first.
    pub fn step(&mut self, to: Seq, at: Millis) {
        if self.steps.last().is_some_and(|(end, _at)| *end >= to) {
            return;
        }
        if let Some((end, since)) = self.steps.last_mut()
            && at.0 < since.0.saturating_add(limits::TRAIL_STEP_MS)
        {
            *end = to;
            return;
        }
        // A clock that was set back makes no time before another.
        let at = self.steps.last().map_or(at, |(_end, last)| at.max(*last));
        self.steps.push((to, at));
        if self.steps.len() > limits::TRAIL_STEPS_MAX {
            self.forgotten = self.steps.remove(0).0;
        }
    }

    /// When the marker reached `seq`; none if it has not, or if that is forgotten.
    #[must_use]
    pub fn reached(&self, seq: Seq) -> Option<Millis> {
        if seq <= self.forgotten {
            return None;
        }
        let at = self.steps.partition_point(|(end, _at)| *end < seq);
        self.steps.get(at).map(|(_end, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is told is when it was, to a second; what is not known is not told.
        #[test]
        fn a_time_that_is_told_is_true(
            moves in prop::collection::vec((1u64..5, 0i64..3_000), 0..80),
        ) {
            let mut trail = Trail::default();
            let (mut seq, mut now) = (0, 1_000);
            let mut truth = Vec::new();
            for (further, later) in moves {
                now += later;
                truth.resize(seq + further as usize, now);
                seq += further as usize;
                trail.step(Seq(seq as u64), Millis(now));
            }
            prop_assert!(trail.steps().len() <= limits::TRAIL_STEPS_MAX);
            for (before, at) in truth.iter().enumerate() {
                let asked = Seq(before as u64 + 1);
                match trail.reached(asked) {
                    Some(told) => prop_assert!(
                        (at - limits::TRAIL_STEP_MS + 1..=*at).contains(&told.0),
                        "{asked:?}: told {told:?}, was {at}"
                    ),
                    None => prop_assert!(asked <= trail.forgotten(), "{asked:?} is unknown"),
                }
            }
            prop_assert_eq!(trail.reached(Seq(seq as u64 + 1)), None);
        }
    }

    #[test]
    fn a_marker_that_does_not_rise_leaves_no_step() {
        let mut trail = Trail::default();
        trail.step(Seq(4), Millis(10_000));
        trail.step(Seq(4), Millis(20_000));
        trail.step(Seq(2), Millis(30_000));
        assert_eq!(trail.steps(), [(Seq(4), Millis(10_000))]);
    }

    #[test]
    fn the_oldest_steps_are_forgotten() {
        let mut trail = Trail::default();
        let count = limits::TRAIL_STEPS_MAX as u64 + 3;
        for step in 1..=count {
            trail.step(Seq(step * 10), Millis(step as i64 * 5_000));
        }
        assert_eq!(trail.forgotten(), Seq(30));
        assert_eq!(trail.reached(Seq(30)), None);
        assert_eq!(trail.reached(Seq(31)), Some(Millis(20_000)));
        let last = trail.reached(Seq(count * 10));
        assert_eq!(last, Some(Millis(count as i64 * 5_000)));
    }
}
