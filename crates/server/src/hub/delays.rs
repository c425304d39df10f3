//! How long committed events take to reach their sockets: from a command that was read to the last
//! write that its batch asks for.
//!
//! One entry for each batch on its way, not for each receiver, and a look at the clock only when
//! some may have ended. Lives as long as its shard.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::metrics::Metrics;

/// Batches on their way whose time is taken. Beyond: a batch is delivered without being measured.
const MEASURED_MAX: usize = 1_024;

/// The batches on their way, in order.
#[derive(Debug, Default)]
pub(super) struct Delays {
    /// When each began, and the number of the turn that is its last.
    begun: VecDeque<(Instant, u64)>,
}

impl Delays {
    /// A batch whose oldest command was read at `read_at` is written out when turn `last` is over.
    pub(super) fn begin(&mut self, read_at: Instant, last: u64) {
        if self.begun.len() < MEASURED_MAX {
            self.begun.push_back((read_at, last));
        }
    }

    /// So many `turns` are over. `clock` is asked only if a batch has ended by them.
    pub(super) fn end(&mut self, turns: u64, clock: fn() -> Instant, metrics: &Metrics) {
        let ended = self
            .begun
            .iter()
            .take_while(|(_begun, last)| *last <= turns);
        let ended = ended.count();
        if ended > 0 {
            let now = clock();
            let delays = self.begun.drain(..ended);
            let delays = delays.map(|(begun, _last)| now.saturating_duration_since(begun));
            metrics.delivery_seconds.observe_each(delays);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_batch_ends_with_its_last_turn() {
        let (mut delays, metrics) = (Delays::default(), Metrics::default());
        let ago = |ms| Instant::now() - Duration::from_millis(ms);
        delays.begin(ago(30), 2);
        delays.begin(ago(20), 2);
        delays.begin(ago(10), 5);
        let mut ended = |turns, expected: u64| {
            delays.end(turns, Instant::now, &metrics);
            let spread = metrics.delivery_seconds.spread();
            assert_eq!(spread.count, expected, "after {turns} turns");
            spread.sum
        };
        assert_eq!(ended(1, 0), 0.0);
        assert!(ended(2, 2) >= 0.05);
        assert!(ended(9, 3) >= 0.06);
    }

    #[test]
    fn so_many_are_measured_and_no_more() {
        let (mut delays, metrics) = (Delays::default(), Metrics::default());
        for turn in 0..2 * MEASURED_MAX {
            delays.begin(Instant::now(), turn as u64);
        }
        delays.end(u64::MAX, Instant::now, &metrics);
        assert_eq!(metrics.delivery_seconds.spread().count, MEASURED_MAX as u64);
    }
}
