//! All sockets of a node: numbered, counted by user, and findable by session (mission A2, A3).
//!
//! What a user may do in a while is kept here, shared by all their connections, and what all may who
//! share an address: for a while also when they have gone, so that nobody begins anew by coming
//! back. Lock order: this registry's lock, then a connection's, then an allowance's; none across an
//! await.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chinwag_core::ids::{SessionId, Tick, UserId};
use chinwag_core::limits;
use chinwag_core::live::ConnId;
use chinwag_core::rate::{Allowance, Pool, Rate};
use chinwag_core::session::{Input, Terms};

use crate::auth::{Identity, Notice, Revocations, Revoked};
use crate::gateway::dialect::Dialect;
use crate::gateway::network::AddressKey;
use crate::gateway::outbox::Connection;
use crate::metrics::Metrics;

/// The sockets of a node.
#[derive(Debug)]
pub struct Connections {
    terms: Terms,
    address_rate: Rate,
    per_user_max: usize,
    metrics: Arc<Metrics>,
    next: AtomicU64,
    state: Mutex<State>,
}

/// Where people come from, and what all of them together may do in a while.
#[derive(Debug)]
pub struct Origin {
    key: AddressKey,
    /// Shared by all who come from there.
    pub allowance: Mutex<Allowance>,
}

/// What is taken of from several connections.
pub type Shared = Arc<Mutex<Allowance>>;

#[derive(Debug)]
struct State {
    all: BTreeMap<ConnId, Arc<Connection>>,
    users: Pool<UserId, Shared>,
    addresses: Pool<AddressKey, Arc<Origin>>,
    /// Rates that administrators have set.
    rates: BTreeMap<UserId, Rate>,
}

/// Who is behind a connection.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// The session that a logout ends; foreign tokens have none.
    pub session: Option<SessionId>,
    /// When the token was made, in ms since 1970.
    pub issued_at_ms: i64,
    /// What the user may do in a while, over all their connections.
    pub own: Shared,
    /// Where they come from.
    pub origin: Arc<Origin>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(
        terms: Terms,
        address_rate: Rate,
        rates: BTreeMap<UserId, Rate>,
        per_user_max: usize,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let kept_max = limits::RATES_KEPT_MAX;
        let users = Pool::new(|own: &Shared, now| rest_ms(own, now), kept_max);
        let addresses = Pool::new(
            |origin: &Arc<Origin>, now| rest_ms(&origin.allowance, now),
            kept_max,
        );
        Arc::new(Self {
            terms,
            address_rate,
            per_user_max,
            metrics,
            next: AtomicU64::new(0),
            state: Mutex::new(State {
                all: BTreeMap::new(),
                users,
                addresses,
                rates,
            }),
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
    pub fn admit(
        &self,
        connection: &Connection,
        address: AddressKey,
        identity: &Identity,
        now: Tick,
    ) -> bool {
        let mut state = self.state();
        if !state.all.contains_key(&connection.id) {
            return false;
        }
        let user = identity.user.id;
        if state.users.here(user) >= self.per_user_max {
            return false;
        }
        let rate = state.rates.get(&user).copied().unwrap_or(self.terms.rate);
        let own = || Arc::new(Mutex::new(Allowance::new(rate, now)));
        let own = state.users.enter(user, now, own);
        let origin = || {
            Arc::new(Origin {
                key: address,
                allowance: Mutex::new(Allowance::new(self.address_rate, now)),
            })
        };
        let origin = state.addresses.enter(address, now, origin);
        connection.sign_in(SignedIn {
            user,
            session: identity.session,
            issued_at_ms: identity.issued_at_ms,
            own,
            origin,
        });
        true
    }

    /// Forgets a connection, and its user with the last one.
    pub fn closed(&self, connection: &Connection, now: Tick) {
        let mut state = self.state();
        state.all.remove(&connection.id);
        // Under the lock: whoever is being let in meanwhile is counted before or not at all.
        let Some(who) = connection.signed_in() else {
            return;
        };
        state.users.leave(who.user, now);
        state.addresses.leave(who.origin.key, now);
    }

    /// Gives somebody another rate, or the usual one again; it holds at once.
    pub fn set_rate(&self, user: UserId, rate: Option<Rate>, now: Tick) {
        let mut state = self.state();
        match rate {
            Some(rate) => state.rates.insert(user, rate),
            None => state.rates.remove(&user),
        };
        if let Some(own) = state.users.get(user) {
            let mut own = own.lock().expect("an allowance never panics");
            own.set(rate.unwrap_or(self.terms.rate), now);
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
        self.state().users.here(user) > 0
    }

    /// Whether `user` has more than one connection here.
    #[must_use]
    pub fn has_several(&self, user: UserId) -> bool {
        self.state().users.here(user) > 1
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
        (state.all.len(), state.users.keys_here())
    }

    /// All of them at this moment.
    #[must_use]
    pub fn every(&self) -> Vec<Arc<Connection>> {
        self.state().all.values().cloned().collect()
    }
}

/// How long until an allowance is as good as a new one.
fn rest_ms(allowance: &Mutex<Allowance>, now: Tick) -> u64 {
    let allowance = allowance.lock().expect("an allowance never panics");
    allowance.rest_ms(now)
}

#[cfg(test)]
mod tests {
    use chinwag_core::ids::Epoch;
    use chinwag_core::rate::{Price, Purse};
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

    fn address() -> AddressKey {
        AddressKey::of([127, 0, 0, 1].into())
    }

    fn connections(per_user_max: usize) -> Arc<Connections> {
        let terms = Terms {
            epoch: Epoch([1; 16]),
            rate: Rate::default(),
        };
        let address_rate = terms.rate.of_address();
        Connections::new(
            terms,
            address_rate,
            BTreeMap::new(),
            per_user_max,
            Arc::default(),
        )
    }

    #[test]
    fn a_user_is_counted_while_connected() {
        let all = connections(2);
        let open: Vec<_> = (0..3)
            .map(|_| all.open(Dialect::default(), Tick(0)))
            .collect();
        let admitted = open
            .iter()
            .map(|one| all.admit(one, address(), &identity(), Tick(0)));
        assert_eq!(admitted.collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(all.counts(), (3, 1));
        open.iter().for_each(|one| all.closed(one, Tick(0)));
        assert_eq!(all.counts(), (0, 0));
    }

    /// A client that hung up while its token was verified was counted by the verification that
    /// ended later, for ever: after 32 of them its user was locked out.
    #[test]
    fn who_has_gone_is_not_let_in() {
        let all = connections(2);
        let gone = all.open(Dialect::default(), Tick(0));
        all.closed(&gone, Tick(0));
        assert!(!all.admit(&gone, address(), &identity(), Tick(0)));
        assert_eq!(all.counts(), (0, 0));
    }

    /// Who came back began with a full bucket: by hanging up after each burst, anybody wrote as much
    /// as they wanted.
    #[test]
    fn coming_back_is_no_way_around_a_rate() {
        let all = connections(2);
        let pay = |now| {
            let one = all.open(Dialect::default(), now);
            assert!(all.admit(&one, address(), &identity(), now));
            let who = one.signed_in().expect("admitted");
            let mut own = who.own.lock().expect("not poisoned");
            let paid = Purse::new(&mut own, None).pay(Price::Messages(20), now);
            drop(own);
            all.closed(&one, now);
            paid
        };
        assert_eq!(pay(Tick(0)), Ok(()));
        assert_eq!(pay(Tick(500)), Err(1_500));
        // A rate that is set holds for who is here, for who comes, and until it is taken back.
        let rate = Rate {
            thousandths_per_second: 1_000_000,
            burst: 20,
        };
        all.set_rate(identity().user.id, Some(rate), Tick(500));
        assert_eq!(pay(Tick(520)), Ok(()));
        all.set_rate(identity().user.id, None, Tick(520));
        assert_eq!(pay(Tick(540)), Err(1_980));
    }

    /// All were kept for as long as the usual rate takes to fill a bucket: who had been slowed down
    /// found theirs full after that time.
    #[test]
    fn who_was_slowed_down_does_not_gain_by_staying_away() {
        let all = connections(2);
        let slow = Rate {
            thousandths_per_second: 10,
            burst: 2,
        };
        all.set_rate(identity().user.id, Some(slow), Tick(0));
        let pay = |now| {
            let one = all.open(Dialect::default(), now);
            assert!(all.admit(&one, address(), &identity(), now));
            let who = one.signed_in().expect("admitted");
            let mut own = who.own.lock().expect("not poisoned");
            let paid = Purse::new(&mut own, None).pay(Price::Messages(2), now);
            drop(own);
            all.closed(&one, now);
            paid
        };
        assert_eq!(pay(Tick(0)), Ok(()));
        assert_eq!(pay(Tick(100_000)), Err(100_000));
        assert_eq!(pay(Tick(200_000)), Ok(()));
    }
}
