//! How often somebody may try a password: a token bucket per address and one per account.
//!
//! Kept in memory per node, bounded in number. A full map forgets the bucket that was touched
//! longest ago; whoever commands more addresses than that meets the bucket of the account.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Buckets of one kind that are kept.
const BUCKETS_MAX: usize = 16_384;

/// How many attempts, and how soon new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRate {
    /// At once, after a pause.
    pub burst: u32,
    /// Until one more is allowed, in ms.
    pub refill_ms: u32,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Attempts left, in thousandths.
    level: u64,
    touched_ms: i64,
}

/// Buckets by key.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    rate: AttemptRate,
    /// No other lock is taken while this is held.
    buckets: Mutex<HashMap<K, Bucket>>,
}

const ONE: u64 = 1_000;

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(crate) fn new(rate: AttemptRate) -> Self {
        Self {
            rate,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one attempt, or says after how many ms there is one.
    pub(crate) fn take(&self, key: &K, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(key) && buckets.len() >= BUCKETS_MAX {
            self.make_room(&mut buckets, now_ms);
        }
        let full = Bucket {
            level: u64::from(self.rate.burst) * ONE,
            touched_ms: now_ms,
        };
        let bucket = buckets.entry(key.clone()).or_insert(full);
        bucket.level = self.level(bucket, now_ms);
        bucket.touched_ms = now_ms;
        if bucket.level < ONE {
            let missing = ONE - bucket.level;
            return Err((missing * u64::from(self.rate.refill_ms))
                .div_ceil(ONE)
                .max(1));
        }
        bucket.level -= ONE;
        Ok(())
    }

    /// Gives an attempt back: it was right, and right ones are not counted.
    pub(crate) fn give_back(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.level = (bucket.level + ONE).min(u64::from(self.rate.burst) * ONE);
        }
    }

    /// A clock that went back refills nothing.
    fn level(&self, bucket: &Bucket, now_ms: i64) -> u64 {
        let passed = u64::try_from(now_ms.saturating_sub(bucket.touched_ms)).unwrap_or(0);
        let refilled = passed.saturating_mul(ONE) / u64::from(self.rate.refill_ms.max(1));
        bucket
            .level
            .saturating_add(refilled)
            .min(u64::from(self.rate.burst) * ONE)
    }

    fn make_room(&self, buckets: &mut HashMap<K, Bucket>, now_ms: i64) {
        let full = u64::from(self.rate.burst) * ONE;
        buckets.retain(|_, bucket| self.level(bucket, now_ms) < full);
        if buckets.len() >= BUCKETS_MAX {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.touched_ms);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                buckets.remove(&key);
            }
        }
    }
}

/// The part of an address that one person holds: all of IPv4, the /64 of IPv6.
pub(crate) fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: AttemptRate = AttemptRate {
        burst: 3,
        refill_ms: 1_000,
    };

    #[test]
    fn a_burst_then_one_per_refill() {
        let buckets = Buckets::new(RATE);
        for (now_ms, expected) in [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(1_000)),
            (400, Err(600)),
            (1_000, Ok(())),
            (1_000, Err(1_000)),
            // The clock went back by a day: nothing is won, and nothing is lost for ever.
            (-86_400_000, Err(1_000)),
            (-86_399_000, Ok(())),
        ] {
            assert_eq!(buckets.take(&"ann", now_ms), expected, "{now_ms}");
        }
        assert_eq!(buckets.take(&"bob", 0), Ok(()), "keys are apart");
    }

    #[test]
    fn a_right_attempt_is_not_counted() {
        let buckets = Buckets::new(RATE);
        for _ in 0..10 {
            assert_eq!(buckets.take(&1, 0), Ok(()));
            buckets.give_back(&1);
        }
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let buckets = Buckets::new(RATE);
        for key in 0..BUCKETS_MAX + 10 {
            assert_eq!(buckets.take(&key, 0), Ok(()));
        }
        let kept = buckets.buckets.lock().expect("no panic").len();
        assert_eq!(kept, BUCKETS_MAX);
    }

    #[test]
    fn an_ipv6_network_is_one_holder() {
        let parse = |text: &str| holder(text.parse().expect("an address"));
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
        assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
    }
}
