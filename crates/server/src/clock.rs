//! The two clocks of a node: a steady one for timers, a wall clock for labels.
//!
//! The only place of the message's walk that reads them; everything behind it gets the time as
//! an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use chinwag_core::ids::{Millis, Tick};
use tokio::time::{Duration, Instant};

/// A steady clock that began with the node.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begun: Instant,
}

impl Clock {
    /// Begins at [`Tick`] 0.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Milliseconds since the beginning.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick_at(Instant::now())
    }

    /// The same at an instant that has been looked at already.
    #[must_use]
    pub fn tick_at(&self, now: Instant) -> Tick {
        let since = now.saturating_duration_since(self.begun);
        Tick(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The instant of a tick, for sleeping; one too far away is an hour from now.
    #[must_use]
    pub fn instant(&self, tick: Tick) -> Instant {
        let hour = Instant::now() + Duration::from_secs(3_600);
        self.begun
            .checked_add(Duration::from_millis(tick.0))
            .map_or(hour, |at| at.min(hour))
    }
}

/// The wall clock: a label, never an order.
#[must_use]
pub fn wall() -> Millis {
    // A clock before 1970 labels with 0; order does not depend on it.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
