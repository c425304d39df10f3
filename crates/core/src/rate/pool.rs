//! Things that are kept for those who are here, and for a while for those who have gone: who comes
//! back finds their own as they left it.
//!
//! Bounded: those who have gone are forgotten after a time, and sooner where there are too many of
//! them, the longest gone first. It reads no clock. Lifetime: that of a node.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::Tick;

#[derive(Debug)]
struct Held<V> {
    value: V,
    /// How many are here by this key.
    here: usize,
    /// Since when nobody is.
    gone: Option<Tick>,
}

/// Values by key.
#[derive(Debug)]
pub struct Pool<K, V> {
    held: BTreeMap<K, Held<V>>,
    /// Those who have gone, in that order; who has come back since is passed over.
    gone: VecDeque<(K, Tick)>,
    keep_ms: u64,
    gone_max: usize,
}

impl<K: Ord + Copy, V: Clone> Pool<K, V> {
    /// Keeps what nobody uses for `keep_ms`, and at most `gone_max` of it.
    #[must_use]
    pub fn new(keep_ms: u64, gone_max: usize) -> Self {
        Self {
            held: BTreeMap::new(),
            gone: VecDeque::new(),
            keep_ms,
            gone_max,
        }
    }

    /// How many are here by this key.
    #[must_use]
    pub fn here(&self, key: K) -> usize {
        self.held.get(&key).map_or(0, |held| held.here)
    }

    /// How many keys somebody is here by.
    #[must_use]
    pub fn keys_here(&self) -> usize {
        self.held.values().filter(|held| held.here > 0).count()
    }

    /// What is kept by this key, if anything is.
    #[must_use]
    pub fn get(&self, key: K) -> Option<&V> {
        self.held.get(&key).map(|held| &held.value)
    }

    /// One more is here; what is kept for them, or `new`.
    pub fn enter(&mut self, key: K, now: Tick, new: impl FnOnce() -> V) -> V {
        self.forget(now);
        let held = self.held.entry(key).or_insert_with(|| Held {
            value: new(),
            here: 0,
            gone: None,
        });
        held.here += 1;
        held.gone = None;
        held.value.clone()
    }

    /// One less is here.
    pub fn leave(&mut self, key: K, now: Tick) {
        let Some(held) = self.held.get_mut(&key) else {
            return;
        };
        held.here = held.here.saturating_sub(1);
        if held.here == 0 && held.gone.is_none() {
            held.gone = Some(now);
            self.gone.push_back((key, now));
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Tick) {
        while let Some((key, since)) = self.gone.front().copied() {
            let is_old = now.since(since) >= self.keep_ms;
            if !is_old && self.gone.len() <= self.gone_max {
                return;
            }
            self.gone.pop_front();
            let still = |held: &Held<V>| held.here == 0 && held.gone == Some(since);
            if self.held.get(&key).is_some_and(still) {
                self.held.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_soon_finds_what_they_left() {
        let mut pool = Pool::new(100, 10);
        assert_eq!(pool.enter('a', Tick(0), || 1), 1);
        assert_eq!(pool.enter('a', Tick(0), || 2), 1);
        assert_eq!((pool.here('a'), pool.keys_here()), (2, 1));
        pool.leave('a', Tick(10));
        pool.leave('a', Tick(20));
        assert_eq!((pool.here('a'), pool.keys_here()), (0, 0));
        assert_eq!(pool.enter('a', Tick(119), || 3), 1);
        pool.leave('a', Tick(130));
        // The first going was long ago, and was taken back.
        pool.enter('b', Tick(150), || 4);
        assert_eq!(pool.get('a'), Some(&1));
        assert_eq!(pool.enter('a', Tick(230), || 5), 5);
    }

    #[test]
    fn those_who_have_gone_are_bounded() {
        let mut pool = Pool::new(1_000, 3);
        pool.enter(0, Tick(0), || ());
        for key in 1..50 {
            pool.enter(key, Tick(0), || ());
            pool.leave(key, Tick(0));
        }
        let kept: Vec<i32> = pool.held.keys().copied().collect();
        assert_eq!(kept, [0, 47, 48, 49], "the last three, and who is here");
        for _ in 0..50 {
            pool.enter(49, Tick(1), || ());
            pool.leave(49, Tick(1));
        }
        assert!(pool.held.len() <= 4 && pool.gone.len() <= 3, "{pool:?}");
        pool.leave(77, Tick(2));
    }
}
