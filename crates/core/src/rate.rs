//! Token bucket: so many at once, so many a second, exact in integers.

mod allowance;
mod pool;

use crate::ids::Tick;
use crate::limits;

pub use self::allowance::{Allowance, Price, Purse};
pub use self::pool::Pool;

/// Parts of a token.
const MILLION: u64 = 1_000_000;

/// What a bucket gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Thousandths of a token a second, so that half a message a second can be said.
    pub thousandths_per_second: u32,
    /// Tokens after silence.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            thousandths_per_second: limits::RATE_PER_SECOND * 1_000,
            burst: limits::RATE_BURST,
        }
    }
}

/// A bucket of millionths of tokens, so that a millisecond's share is a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    rate: Rate,
    millionths: u64,
    filled: Tick,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: Rate, now: Tick) -> Self {
        Self {
            rate,
            millionths: u64::from(rate.burst) * MILLION,
            filled: now,
        }
    }

    /// Takes `tokens`, or says in how many milliseconds they will be there.
    ///
    /// # Errors
    /// The wait in ms; nothing is taken then.
    pub fn take(&mut self, tokens: u32, now: Tick) -> Result<(), u64> {
        self.take_above(0, u64::from(tokens) * MILLION, now)
    }

    /// Takes `thousandths` of a token for something that is no message, or says in how many
    /// milliseconds they will be there. Half of what the bucket holds is left to messages: nothing
    /// else can make one of them wait.
    ///
    /// # Errors
    /// The wait in ms; nothing is taken then.
    pub fn take_aside(&mut self, thousandths: u32, now: Tick) -> Result<(), u64> {
        let half = u64::from(self.rate.burst) * MILLION / 2;
        self.take_above(half, u64::from(thousandths) * MILLION / 1_000, now)
    }

    /// Another rate from now on: what was gained stays, as far as there is room for it.
    pub fn set(&mut self, rate: Rate, now: Tick) {
        self.gain(now);
        self.rate = rate;
        self.millionths = self.millionths.min(u64::from(rate.burst) * MILLION);
    }

    /// How many milliseconds it takes until the bucket is full.
    #[must_use]
    pub fn rest_ms(mut self, now: Tick) -> u64 {
        self.gain(now);
        let share = u64::from(self.rate.thousandths_per_second.max(1));
        (u64::from(self.rate.burst) * MILLION - self.millionths).div_ceil(share)
    }

    fn gain(&mut self, now: Tick) {
        let share = u64::from(self.rate.thousandths_per_second);
        let full = u64::from(self.rate.burst) * MILLION;
        let gained = now.since(self.filled).saturating_mul(share);
        self.millionths = full.min(self.millionths.saturating_add(gained));
        self.filled = self.filled.max(now);
    }

    fn take_above(&mut self, floor: u64, wanted: u64, now: Tick) -> Result<(), u64> {
        let share = u64::from(self.rate.thousandths_per_second);
        let full = u64::from(self.rate.burst) * MILLION;
        self.gain(now);
        // A bucket of one message holds enough when it is full.
        let needed = (floor + wanted).min(full).max(wanted);
        if self.millionths >= needed {
            self.millionths -= wanted;
            return Ok(());
        }
        Err((needed - self.millionths).div_ceil(share.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_then_rate() {
        let mut bucket = Bucket::new(
            Rate {
                thousandths_per_second: 10_000,
                burst: 3,
            },
            Tick(0),
        );
        for _ in 0..3 {
            assert_eq!(bucket.take(1, Tick(0)), Ok(()));
        }
        assert_eq!(bucket.take(1, Tick(0)), Err(100));
        assert_eq!(bucket.take(1, Tick(40)), Err(60));
        assert_eq!(bucket.take(1, Tick(100)), Ok(()));
        assert_eq!(bucket.take(1, Tick(100)), Err(100));
    }

    #[test]
    fn what_is_no_message_leaves_half_to_messages() {
        let rate = Rate {
            thousandths_per_second: 10_000,
            burst: 4,
        };
        let mut bucket = Bucket::new(rate, Tick(0));
        let taken = (0..20).filter(|_| bucket.take_aside(250, Tick(0)).is_ok());
        assert_eq!(taken.count(), 8);
        assert_eq!(bucket.take_aside(250, Tick(0)), Err(25));
        assert_eq!(bucket.take(2, Tick(0)), Ok(()));
        assert_eq!(bucket.take(1, Tick(0)), Err(100));
    }

    #[test]
    fn a_clock_that_goes_back_or_far_ahead_gives_no_more_than_a_burst() {
        let mut bucket = Bucket::new(
            Rate {
                thousandths_per_second: 10_000,
                burst: 2,
            },
            Tick(1_000),
        );
        assert_eq!(bucket.take(2, Tick(1_000)), Ok(()));
        assert_eq!(bucket.take(1, Tick(0)), Err(100));
        assert_eq!(bucket.take(2, Tick(u64::MAX)), Ok(()));
        assert_eq!(bucket.take(1, Tick(u64::MAX)), Err(100));
    }
}
