//! Who is not told of whom: one of the two has blocked the other.
//!
//! Known of those who are here, since each brings their own list. Of one who has gone the part is
//! kept that concerns somebody who is here: their going must not be told either. Lifetime: that of
//! `watch`.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::UserId;
use crate::wire::Blocks;

/// Blocks between people who are here, in both directions.
#[derive(Debug, Default)]
pub(super) struct Walls {
    /// The lists of those who have one, as of this version; of those who have gone a part, as of
    /// version 0.
    lists: BTreeMap<UserId, (u64, BTreeSet<UserId>)>,
    /// From each of the two to the other.
    between: BTreeMap<UserId, BTreeSet<UserId>>,
}

impl Walls {
    /// Takes over somebody's list; those between whom and `user` something has changed. Older than
    /// what is known: nothing happens.
    pub(super) fn settle(&mut self, user: UserId, blocks: &Blocks) -> BTreeSet<UserId> {
        let (version, before) = self.lists.remove(&user).unwrap_or_default();
        if version >= blocks.version {
            if !before.is_empty() || version > 0 {
                self.lists.insert(user, (version, before));
            }
            return BTreeSet::new();
        }
        let after: BTreeSet<UserId> = blocks.users.iter().copied().collect();
        let changed: BTreeSet<UserId> = before.symmetric_difference(&after).copied().collect();
        self.lists.insert(user, (blocks.version, after));
        let mut turned = BTreeSet::new();
        for other in changed {
            // One wall remains while the other one's list has it.
            if self.set(user, other) {
                turned.insert(other);
            }
        }
        turned
    }

    /// Somebody has gone: forgets what concerns nobody who `is_here`.
    pub(super) fn forget(&mut self, user: UserId, is_here: impl Fn(UserId) -> bool) {
        let walled = self.between.get(&user).cloned().unwrap_or_default();
        for other in walled.into_iter().filter(|other| !is_here(*other)) {
            for (whose, whom) in [(user, other), (other, user)] {
                if let Some((_version, list)) = self.lists.get_mut(&whose) {
                    list.remove(&whom);
                    if list.is_empty() {
                        self.lists.remove(&whose);
                    }
                }
            }
            self.set(user, other);
        }
        // A part is no list: what they bring when they return is news, whatever its version.
        if let Some((version, _part)) = self.lists.get_mut(&user) {
            *version = 0;
        }
    }

    /// Brings `between` in line with the lists; whether that changed anything.
    fn set(&mut self, one: UserId, other: UserId) -> bool {
        let has = |one: UserId, other: UserId| {
            let list = self.lists.get(&one);
            list.is_some_and(|(_version, list)| list.contains(&other))
        };
        let wall = has(one, other) || has(other, one);
        if wall == self.is_between(one, other) {
            return false;
        }
        for (from, to) in [(one, other), (other, one)] {
            if wall {
                self.between.entry(from).or_default().insert(to);
            } else if let Some(others) = self.between.get_mut(&from) {
                others.remove(&to);
                if others.is_empty() {
                    self.between.remove(&from);
                }
            }
        }
        true
    }

    /// Whether there is nobody to be kept apart: the usual case.
    pub(super) fn is_empty(&self) -> bool {
        self.between.is_empty()
    }

    /// Whom `user` is told nothing of, if there is anybody.
    pub(super) fn hidden_from(&self, user: UserId) -> Option<&BTreeSet<UserId>> {
        self.between.get(&user)
    }

    /// Whether neither is told of the other.
    pub(super) fn is_between(&self, one: UserId, other: UserId) -> bool {
        self.hidden_from(one)
            .is_some_and(|all| all.contains(&other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: [u8; 0] = [];

    fn user(number: u8) -> UserId {
        UserId([number; 16])
    }

    fn blocks(version: u64, users: &[u8]) -> Blocks {
        let users = users.iter().copied().map(user).collect();
        Blocks { users, version }
    }

    fn turned(walls: &mut Walls, who: u8, version: u64, users: &[u8]) -> Vec<u8> {
        let turned = walls.settle(user(who), &blocks(version, users));
        turned.iter().map(|user| user.0[0]).collect()
    }

    #[test]
    fn a_wall_stands_until_both_have_taken_it_down() {
        let mut walls = Walls::default();
        assert_eq!(turned(&mut walls, 1, 0, &[]), NOBODY);
        assert_eq!(turned(&mut walls, 1, 1, &[2, 3]), [2, 3]);
        assert!(walls.is_between(user(1), user(2)) && walls.is_between(user(2), user(1)));
        assert!(!walls.is_between(user(2), user(3)));
        // The other one as well: nothing changes for anybody.
        assert_eq!(turned(&mut walls, 2, 1, &[1]), NOBODY);
        assert_eq!(turned(&mut walls, 1, 2, &[3]), NOBODY);
        assert!(walls.is_between(user(1), user(2)));
        // What is older than what is known is passed over.
        assert_eq!(turned(&mut walls, 1, 1, &[2, 3]), NOBODY);
        assert_eq!(turned(&mut walls, 2, 2, &[]), [1]);
        assert!(!walls.is_between(user(1), user(2)));
    }

    #[test]
    fn what_concerns_nobody_who_is_here_is_forgotten() {
        let mut walls = Walls::default();
        turned(&mut walls, 1, 3, &[2, 3, 4]);
        turned(&mut walls, 3, 1, &[1]);
        // The second and the third are here.
        let is_here = |other: UserId| [2, 3].map(user).contains(&other);
        walls.forget(user(1), is_here);
        assert_eq!(walls.lists[&user(1)], (0, [2, 3].map(user).into()));
        assert!(!walls.is_between(user(1), user(4)));
        assert!(walls.is_between(user(2), user(1)));
        // The third goes as well; of the second one the wall remains.
        walls.forget(user(3), |other| other == user(2));
        assert!(!walls.is_between(user(1), user(3)) && walls.is_between(user(1), user(2)));
        // The first returns with the list that they had.
        assert_eq!(turned(&mut walls, 1, 3, &[2, 3, 4]), [3, 4]);
        walls.forget(user(1), |other| other == user(2));
        walls.forget(user(2), |_other| false);
        assert!(walls.is_empty() && walls.lists.is_empty(), "{walls:?}");
    }
}
