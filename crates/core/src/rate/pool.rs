//! Things that are kept for those who are here, and for a while for those who have gone: who comes
//! back finds their own as they left it.
//!
//! Bounded: those who have gone are forgotten once their things are as good as new ones, and
//! sooner where there are too many of them, first whose things need the least. It reads no clock.
//! Lifetime: that of a node.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Tick;

#[derive(Debug)]
struct Held<V> {
    value: V,
    /// How many are here by this key.
    here: usize,
    /// When to look whether it can be forgotten; only where nobody is here.
    look: Option<Tick>,
}

/// Values by key.
#[derive(Debug)]
pub struct Pool<K, V> {
    held: BTreeMap<K, Held<V>>,
    /// Those that nobody is here by, in the order in which they may be forgotten.
    gone: BTreeSet<(Tick, K)>,
    rest_ms: fn(&V, Tick) -> u64,
    gone_max: usize,
}

impl<K: Ord + Copy, V: Clone> Pool<K, V> {
    /// Keeps what nobody uses for as long as it is worse than a new one, which `rest_ms` tells, and
    /// at most `gone_max` of it.
    #[must_use]
    pub fn new(rest_ms: fn(&V, Tick) -> u64, gone_max: usize) -> Self {
        Self {
            held: BTreeMap::new(),
            gone: BTreeSet::new(),
            rest_ms,
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
        self.held.len() - self.gone.len()
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
            look: None,
        });
        held.here += 1;
        if let Some(look) = held.look.take() {
            self.gone.remove(&(look, key));
        }
        held.value.clone()
    }

    /// One less is here.
    pub fn leave(&mut self, key: K, now: Tick) {
        let Some(held) = self.held.get_mut(&key) else {
            return;
        };
        held.here = held.here.saturating_sub(1);
        if held.here == 0 && held.look.is_none() {
            let look = now.plus((self.rest_ms)(&held.value, now));
            held.look = Some(look);
            self.gone.insert((look, key));
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Tick) {
        while let Some((look, key)) = self.gone.first().copied() {
            let too_many = self.gone.len() > self.gone_max;
            if look > now && !too_many {
                return;
            }
            self.gone.pop_first();
            let Some(held) = self.held.get_mut(&key) else {
                continue;
            };
            // It may have been changed since: who was slowed down meanwhile is kept for longer.
            let rest = (self.rest_ms)(&held.value, now);
            if rest == 0 || too_many {
                self.held.remove(&key);
            } else {
                held.look = Some(now.plus(rest));
                self.gone.insert((now.plus(rest), key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that are as good as new at a point in time.
    fn rest(value: &Tick, now: Tick) -> u64 {
        value.since(now)
    }

    #[test]
    fn who_comes_back_soon_finds_what_they_left() {
        let mut pool = Pool::new(rest, 10);
        assert_eq!(pool.enter('a', Tick(0), || Tick(120)), Tick(120));
        assert_eq!(pool.enter('a', Tick(0), || Tick(2)), Tick(120));
        assert_eq!((pool.here('a'), pool.keys_here()), (2, 1));
        pool.leave('a', Tick(10));
        pool.leave('a', Tick(20));
        pool.leave('a', Tick(20));
        assert_eq!((pool.here('a'), pool.keys_here()), (0, 0));
        assert_eq!(pool.enter('a', Tick(119), || Tick(3)), Tick(120));
        assert_eq!(pool.keys_here(), 1);
        pool.enter('b', Tick(150), || Tick(160));
        assert_eq!(pool.get('a'), Some(&Tick(120)), "somebody is here");
        pool.leave('b', Tick(150));
        pool.leave('a', Tick(151));
        assert_eq!((pool.get('a'), pool.keys_here()), (None, 0), "good as new");
        pool.enter('c', Tick(160), || Tick(0));
        assert_eq!(pool.get('b'), None);
    }

    #[test]
    fn what_was_made_worse_meanwhile_is_kept_for_longer() {
        use std::cell::Cell;
        use std::rc::Rc;
        let mut pool = Pool::new(|value: &Rc<Cell<Tick>>, now| rest(&value.get(), now), 10);
        let value = pool.enter('a', Tick(0), || Rc::new(Cell::new(Tick(100))));
        pool.leave('a', Tick(0));
        value.set(Tick(300));
        pool.enter('b', Tick(200), Rc::default);
        assert_eq!(pool.enter('a', Tick(299), Rc::default).get(), Tick(300));
        pool.leave('a', Tick(299));
        assert_eq!(pool.enter('a', Tick(300), Rc::default).get(), Tick(0));
    }

    #[test]
    fn those_who_have_gone_are_bounded() {
        let mut pool = Pool::new(rest, 3);
        pool.enter(0, Tick(0), || Tick(0));
        for key in 1..50 {
            pool.enter(key, Tick(0), || Tick(key));
            pool.leave(key, Tick(0));
        }
        let kept: Vec<u64> = pool.held.keys().copied().collect();
        assert_eq!(kept, [0, 47, 48, 49], "who needs most, and who is here");
        for _ in 0..50 {
            pool.enter(49, Tick(1), Tick::default);
            pool.leave(49, Tick(1));
        }
        assert_eq!((pool.held.len(), pool.gone.len()), (4, 3), "{pool:?}");
        pool.leave(77, Tick(2));
    }
}
