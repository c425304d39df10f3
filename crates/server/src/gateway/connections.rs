//! All sockets of a node: numbered, counted by user, and findable by session (mission A2, A3).
//!
//! A user's rate bucket lives here, shared by all their connections, as long as they have one.
//! Lock order: this registry's lock before a connection's; neither across an await.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chinwag_core::ids::{Tick, UserId};
use chinwag_core::live::ConnId;
use chinwag_core::rate::Bucket;
use chinwag_core::session::{Input, Terms};

use crate::auth::{Identity, Notice, Revocations, Revoked};
use crate::gateway::dialect::Dialect;
use crate::gateway::outbox::{Connection, SignedIn};
use crate::metrics::Metrics;

/// The sockets of a node.
#[derive(Debug)]
pub struct Connections {
    terms: Terms,
    per_user_max: usize,
    metrics: Arc<Metrics>,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: BTreeMap<ConnId, Arc<Connection>>,
    users: BTreeMap<UserId, User>,
}

#[derive(Debug)]
struct User {
    connections: usize,
    bucket: Arc<Mutex<Bucket>>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(terms: Terms, per_user_max: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            terms,
            per_user_max,
            metrics,
            next: AtomicU64::new(0),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nobody panics while holding the connections")
    }

    /// A new connection.
    #[must_use]
    pub fn open(&self, dialect: Dialect, now: Tick) -> Arc<Connection> {
        let id = ConnId(self.next.fetch_add(1, Ordering::Relaxed));
        let (terms, metrics) = (self.terms.clone(), self.metrics.clone());
        let connection = Connection::new(id, dialect, terms, metrics, now);
        self.state().all.insert(id, connection.clone());
        connection
    }

    /// Lets a connection in as one of its user's. `false`: they have as many as one may have, or
    /// it is gone already, while its token was looked at.
    #[must_use]
    pub fn admit(&self, connection: &Connection, identity: &Identity, now: Tick) -> bool {
        let mut state = self.state();
        if !state.all.contains_key(&connection.id) {
            return false;
        }
        let rate = self.terms.rate;
        let user = state.users.entry(identity.user.id).or_insert_with(|| User {
            connections: 0,
            bucket: Arc::new(Mutex::new(Bucket::new(rate, now))),
        });
        if user.connections >= self.per_user_max {
            return false;
        }
        user.connections += 1;
        connection.sign_in(SignedIn {
            user: identity.user.id,
            session: identity.session,
            issued_at_ms: identity.issued_at_ms,
            bucket: user.bucket.clone(),
        });
        true
    }

    /// Forgets a connection, and its user with the last one.
    pub fn closed(&self, connection: &Connection) {
        let mut state = self.state();
        state.all.remove(&connection.id);
        // Under the lock: whoever is being let in meanwhile is counted before or not at all.
        let Some(who) = connection.signed_in() else {
            return;
        };
        let last = match state.users.get_mut(&who.user) {
            Some(user) => {
                user.connections -= 1;
                user.connections == 0
            }
            None => false,
        };
        if last {
            state.users.remove(&who.user);
        }
    }

    /// Ends the connections that a revocation names.
    pub fn revoke(&self, notice: Notice, revocations: &Revocations, now: Tick) {
        for connection in self.every() {
            let Some(who) = connection.signed_in() else {
                continue;
            };
            let named = match notice {
                Notice::Revoked(Revoked::Session(session)) => who.session == Some(session),
                Notice::Revoked(Revoked::User { user, .. }) => who.user == user,
                Notice::Recheck => true,
            };
            if named && revocations.is_revoked(who.session, who.user, who.issued_at_ms) {
                connection.input(Input::Revoked, now);
            }
        }
    }

    /// Tells everybody that the node stops.
    pub fn drain(&self, after_ms: u64, spread_ms: u64, now: Tick) {
        for connection in self.every() {
            connection.input(
                Input::Draining {
                    after_ms,
                    spread_ms,
                },
                now,
            );
        }
    }

    /// Closes everybody with "service restart".
    pub fn restart(&self, now: Tick) {
        for connection in self.every() {
            connection.input(Input::Restart, now);
        }
    }

    /// Whether `user` has a connection here.
    #[must_use]
    pub fn has(&self, user: UserId) -> bool {
        self.state().users.contains_key(&user)
    }

    /// Whether `user` has more than one connection here.
    #[must_use]
    pub fn has_several(&self, user: UserId) -> bool {
        let state = self.state();
        state
            .users
            .get(&user)
            .is_some_and(|user| user.connections > 1)
    }

    /// Whether everything that was decided has been written.
    #[must_use]
    pub fn are_drained(&self) -> bool {
        self.every()
            .iter()
            .all(|connection| connection.is_drained())
    }

    /// How many connections and users there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.all.len(), state.users.len())
    }

    /// All of them at this moment.
    #[must_use]
    pub fn every(&self) -> Vec<Arc<Connection>> {
        self.state().all.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use chinwag_core::ids::Epoch;
    use chinwag_core::rate::Rate;
    use chinwag_core::wire::Profile;

    use super::*;

    fn identity() -> Identity {
        Identity {
            user: Profile {
                id: UserId([1; 16]),
                name: "Ann".into(),
                version: 1,
                display_name: None,
                avatar: None,
            },
            session: None,
            administrator: false,
            expires_at_ms: 1_000_000,
            issued_at_ms: 0,
        }
    }

    fn connections(per_user_max: usize) -> Arc<Connections> {
        let terms = Terms {
            epoch: Epoch([1; 16]),
            rate: Rate::default(),
        };
        Connections::new(terms, per_user_max, Arc::default())
    }

    #[test]
    fn a_user_is_counted_while_connected() {
        let all = connections(2);
        let open: Vec<_> = (0..3)
            .map(|_| all.open(Dialect::default(), Tick(0)))
            .collect();
        let admitted = open.iter().map(|one| all.admit(one, &identity(), Tick(0)));
        assert_eq!(admitted.collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(all.counts(), (3, 1));
        open.iter().for_each(|one| all.closed(one));
        assert_eq!(all.counts(), (0, 0));
    }

    /// A client that hung up while its token was verified was counted by the verification that
    /// ended later, for ever: after 32 of them its user was locked out.
    #[test]
    fn who_has_gone_is_not_let_in() {
        let all = connections(2);
        let gone = all.open(Dialect::default(), Tick(0));
        all.closed(&gone);
        assert!(!all.admit(&gone, &identity(), Tick(0)));
        assert_eq!(all.counts(), (0, 0));
    }
}
