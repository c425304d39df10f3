//! How many connections there may be: in total, unauthenticated, and from one address.
//!
//! Counts only: it neither accepts nor closes anything. One budget lives as long as the node and
//! may be shared by several listeners; a [`Permit`] lives as long as its connection.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::network::AddressKey;

/// The caps of a [`Budget`], in connections. At a cap, a new connection is closed at once
/// (a request through a trusted proxy is answered with 429 instead).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// All connections. Keep it below the limit of open files, which the store needs too.
    pub connections_max: usize,
    /// Connections of which nobody has called [`Permit::authenticated`].
    pub unauthenticated_max: usize,
    /// Connections of one IPv4 address or one IPv6 /64.
    pub per_address_max: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections_max: 100_000,
            unauthenticated_max: 4_096,
            per_address_max: 256,
        }
    }
}

/// Counts of a [`Budget`] at one moment, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetFigures {
    /// Open now.
    pub connections: usize,
    /// Open now and not authenticated.
    pub unauthenticated: usize,
    /// Refused since the start because of `connections_max`.
    pub refused_total: u64,
    /// Refused since the start because of `unauthenticated_max`.
    pub refused_unauthenticated: u64,
    /// Refused since the start because of `per_address_max`.
    pub refused_address: u64,
}

/// Which cap a connection met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("too many connections in total")]
    Total,
    #[error("too many unauthenticated connections")]
    Unauthenticated,
    #[error("too many connections from one address")]
    Address,
}

/// The shared counters.
#[derive(Debug)]
pub struct Budget {
    limits: ConnectionLimits,
    /// Held for a few instructions, never across an await, and no other lock is taken under it.
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    figures: BudgetFigures,
    /// As many entries as connections at most; an entry at zero is removed.
    addresses: BTreeMap<AddressKey, usize>,
}

impl Budget {
    /// An empty budget.
    #[must_use]
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counts: Mutex::default(),
        })
    }

    /// The counts of this moment.
    #[must_use]
    pub fn figures(&self) -> BudgetFigures {
        self.counts().figures
    }

    /// Takes a place in the total and among the unauthenticated.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Arc<ConnectionSlot>, Refused> {
        let mut counts = self.counts();
        let figures = &mut counts.figures;
        if figures.connections >= self.limits.connections_max {
            figures.refused_total += 1;
            return Err(Refused::Total);
        }
        if figures.unauthenticated >= self.limits.unauthenticated_max {
            figures.refused_unauthenticated += 1;
            return Err(Refused::Unauthenticated);
        }
        figures.connections += 1;
        figures.unauthenticated += 1;
        Ok(Arc::new(ConnectionSlot {
            budget: Arc::clone(self),
            authenticated: AtomicBool::new(false),
            until: Mutex::default(),
        }))
    }

    /// Takes a place among those of one address.
    pub(crate) fn admit_address(
        self: &Arc<Self>,
        key: AddressKey,
    ) -> Result<Arc<AddressSlot>, Refused> {
        let mut counts = self.counts();
        let taken = counts.addresses.get(&key).copied().unwrap_or(0);
        if taken >= self.limits.per_address_max {
            counts.figures.refused_address += 1;
            return Err(Refused::Address);
        }
        counts.addresses.insert(key, taken + 1);
        Ok(Arc::new(AddressSlot {
            budget: Arc::clone(self),
            key,
        }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics halfway through a change, so a poisoned lock guards sound counts.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place in the total.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    budget: Arc<Budget>,
    authenticated: AtomicBool,
    /// For how long whoever has authenticated may keep it; none: as long as they like. No other
    /// lock is taken while this is held.
    until: Mutex<Option<Instant>>,
}

impl ConnectionSlot {
    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Acquire)
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let waiting = !*self.authenticated.get_mut();
        let mut counts = self.budget.counts();
        counts.figures.connections -= 1;
        counts.figures.unauthenticated -= usize::from(waiting);
    }
}

/// One connection's, or one proxied request's, place among those of its address.
#[derive(Debug)]
pub(crate) struct AddressSlot {
    budget: Arc<Budget>,
    key: AddressKey,
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut counts = self.budget.counts();
        if let Some(taken) = counts.addresses.get_mut(&self.key) {
            *taken -= 1;
            if *taken == 0 {
                counts.addresses.remove(&self.key);
            }
        }
    }
}

/// A connection's places in the budget, in the extensions of each of its requests. They are given
/// back when the last clone is dropped, so whoever takes a connection over keeps one.
#[derive(Debug, Clone)]
pub struct Permit {
    connection: Arc<ConnectionSlot>,
    /// `None` for a trusted proxy speaking for itself: it is one address and many people.
    _address: Option<Arc<AddressSlot>>,
}

impl Permit {
    pub(crate) fn new(connection: Arc<ConnectionSlot>, address: Option<Arc<AddressSlot>>) -> Self {
        Self {
            connection,
            _address: address,
        }
    }

    /// Gives back the place among the unauthenticated; the other places stay until the connection
    /// ends. Calling it again does nothing.
    pub fn authenticated(&self) {
        if !self.connection.authenticated.swap(true, Ordering::AcqRel) {
            self.connection.budget.counts().figures.unauthenticated -= 1;
        }
    }

    /// The same, for an answer that may take until then. Beyond, it is cut off as a stranger's is:
    /// whoever takes nothing any more does not keep a connection for ever.
    pub fn authenticated_until(&self, until: Instant) {
        let kept = &self.connection.until;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        self.authenticated();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<Budget> {
        Budget::new(ConnectionLimits {
            connections_max: 3,
            unauthenticated_max: 2,
            per_address_max: 2,
        })
    }

    #[test]
    fn authentication_frees_the_place_of_a_stranger_once() {
        let budget = budget();
        let first = Permit::new(budget.admit().expect("free"), None);
        let second = budget.admit().expect("free");
        assert_eq!(budget.admit().err(), Some(Refused::Unauthenticated));
        first.authenticated();
        first.clone().authenticated();
        let third = budget.admit().expect("one stranger less");
        assert_eq!(budget.admit().err(), Some(Refused::Total));
        drop((first, second, third));
        let figures = budget.figures();
        assert_eq!((figures.connections, figures.unauthenticated), (0, 0));
        assert_eq!(
            (figures.refused_unauthenticated, figures.refused_total),
            (1, 1)
        );
    }

    #[test]
    fn an_address_keeps_its_place_until_the_last_clone_is_gone() {
        let budget = budget();
        let key = AddressKey::of([127, 0, 0, 1].into());
        let other = AddressKey::of([127, 0, 0, 2].into());
        let permit = Permit::new(
            budget.admit().expect("free"),
            budget.admit_address(key).ok(),
        );
        let second = budget.admit_address(key).expect("free");
        assert_eq!(budget.admit_address(key).err(), Some(Refused::Address));
        assert!(budget.admit_address(other).is_ok());
        drop(second);
        let kept = permit.clone();
        drop(permit);
        let third = budget.admit_address(key).expect("the second is gone");
        assert!(budget.admit_address(key).is_err());
        drop((kept, third));
        assert!(budget.counts().addresses.is_empty());
        assert_eq!(budget.figures().refused_address, 2);
    }
}
