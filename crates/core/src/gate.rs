//! The order of one connection's sends to one room (contract 1).
//!
//! After a retryable refusal the later ones are refused with `retry_in_order` until the refused
//! key comes again. The session has a gate for what it refuses itself, the commit queue one for
//! what the store refuses: later sends may be on their way between the two.

use std::collections::BTreeMap;

use crate::ids::Key;

/// Keys that must come again before anything else passes, by scope.
#[derive(Debug)]
pub struct Gate<S> {
    refused: BTreeMap<S, Refused>,
}

#[derive(Debug)]
struct Refused {
    key: Key,
    /// It had passed this gate and was refused behind it.
    recalled: bool,
}

impl<S: Ord> Default for Gate<S> {
    fn default() -> Self {
        Self {
            refused: BTreeMap::new(),
        }
    }
}

impl<S: Ord + Clone> Gate<S> {
    /// Whether the command under `key` may pass; the refused key opens the gate.
    pub fn admit(&mut self, scope: &S, key: Key) -> bool {
        match self.refused.get(scope) {
            None => true,
            Some(refused) if refused.key == key => {
                self.refused.remove(scope);
                true
            }
            Some(_) => false,
        }
    }

    /// Closes the gate until `key` comes again; an earlier refusal stays the one to repeat.
    pub fn refuse(&mut self, scope: S, key: Key) {
        self.refused.entry(scope).or_insert(Refused {
            key,
            recalled: false,
        });
    }

    /// Closes the gate until `key` comes again, which had passed and was refused behind it: it was
    /// sent before everything that the gate itself has refused since, and so it comes first. Those
    /// behind the gate refuse in order; the first of them stays the one to repeat.
    pub fn recall(&mut self, scope: S, key: Key) {
        let refused = self.refused.entry(scope).or_insert(Refused {
            key,
            recalled: true,
        });
        if !refused.recalled {
            *refused = Refused {
                key,
                recalled: true,
            };
        }
    }

    /// Forgets the scopes for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&S) -> bool) {
        self.refused.retain(|scope, _key| keep(scope));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_key_opens_the_gate() {
        let (first, second) = (Key([1; 16]), Key([2; 16]));
        let mut gate = Gate::default();
        assert!(gate.admit(&"room", first));
        gate.refuse("room", first);
        assert!(!gate.admit(&"room", second));
        gate.refuse("room", second);
        assert!(
            !gate.admit(&"room", second),
            "the first refusal is the one to repeat"
        );
        assert!(gate.admit(&"other", second));
        assert!(gate.admit(&"room", first));
        assert!(gate.admit(&"room", second));
    }

    #[test]
    fn what_was_refused_behind_the_gate_comes_before_what_the_gate_refused() {
        // Key 1 and 2 pass, 3 is refused here; then 1 is refused behind, and 2 in its wake.
        let (first, second, third) = (Key([1; 16]), Key([2; 16]), Key([3; 16]));
        let mut gate = Gate::default();
        assert!(gate.admit(&"room", first) && gate.admit(&"room", second));
        gate.refuse("room", third);
        gate.recall("room", first);
        gate.recall("room", second);
        assert!(!gate.admit(&"room", third), "it would overtake the first");
        assert!(!gate.admit(&"room", second));
        assert!(gate.admit(&"room", first));
        assert!(gate.admit(&"room", second) && gate.admit(&"room", third));
    }
}
