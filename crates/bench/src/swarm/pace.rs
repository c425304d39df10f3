//! When the messages of an open loop are due: at their rate, whatever the server does.
//!
//! Latency counts from that time and not from when the message got out, so that a pause of the
//! server is seen by every message that should have been sent meanwhile ("coordinated omission"
//! is what hides it otherwise). Knows no clock.

/// A schedule of equal steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    begin_ns: u64,
    per_second: f64,
    made: u64,
}

impl Schedule {
    /// So many a second, the first at `begin_ns`.
    pub(crate) fn new(begin_ns: u64, per_second: f64) -> Self {
        Self {
            begin_ns,
            per_second,
            made: 0,
        }
    }

    /// When the next one is due.
    pub(crate) fn next_due_ns(&self) -> u64 {
        // From the beginning and not from the one before: rounding must not add up.
        self.begin_ns + (self.made as f64 * 1e9 / self.per_second) as u64
    }

    /// The number and due time of the next one, if it is due.
    pub(crate) fn take(&mut self, now_ns: u64) -> Option<(u64, u64)> {
        let due_ns = self.next_due_ns();
        (due_ns <= now_ns).then(|| {
            self.made += 1;
            (self.made - 1, due_ns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_at_their_rate() {
        let mut schedule = Schedule::new(1_000, 4.0);
        assert_eq!(schedule.take(999), None);
        assert_eq!(schedule.take(1_000), Some((0, 1_000)));
        assert_eq!(schedule.take(1_000), None);
        assert_eq!(schedule.next_due_ns(), 250_001_000);
    }

    #[test]
    fn a_pause_leaves_every_message_its_own_due_time() {
        let mut schedule = Schedule::new(0, 1_000.0);
        let late: Vec<_> = std::iter::from_fn(|| schedule.take(3_500_000)).collect();
        let expected = [(0, 0), (1, 1_000_000), (2, 2_000_000), (3, 3_000_000)];
        assert_eq!(late, expected);
    }

    #[test]
    fn rounding_does_not_add_up() {
        let mut schedule = Schedule::new(0, 3.0);
        let count = std::iter::from_fn(|| schedule.take(99_999_999_999)).count();
        assert_eq!(count, 300);
    }
}
