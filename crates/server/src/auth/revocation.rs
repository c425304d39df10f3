//! Revocations in memory: what a live connection must know within a second.
//!
//! Fed at once by what happens on this node, and by polling the store for the other nodes. Kept
//! for as long as a revoked token could live. The store stays the truth: whoever connects is
//! checked there as well, so an entry that is dropped for room lets nobody in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chinwag_core::ids::{SessionId, UserId};
use tokio::sync::broadcast;

use super::clock::Clock;
use crate::store::StoreError;
use crate::store::accounts::{
    AccountStore, REVOCATIONS_KEPT_MS, REVOCATIONS_PAGE, Revocation, Revoked,
};

/// Between polls, in ms.
pub const POLL_MS: u64 = 2_000;
/// Notices that wait for a receiver. Beyond: it is told to check again.
const NOTICES_MAX: usize = 256;
/// Entries of each kind. Beyond: the older half is forgotten.
const ENTRIES_MAX: usize = 65_536;

/// What a receiver learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// This was revoked just now.
    Revoked(Revoked),
    /// Some notices were missed: ask [`Revocations::is_revoked`] for every connection.
    Recheck,
}

/// Notices from the moment of subscribing. Subscribe first, then authenticate: then nothing
/// falls between.
#[derive(Debug)]
pub struct Notices(broadcast::Receiver<Revoked>);

impl Notices {
    /// The next notice; `None` when the node has ended. Safe to cancel.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(revoked) => Some(Notice::Revoked(revoked)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Notice::Recheck),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    /// When each was revoked, in ms.
    sessions: HashMap<SessionId, i64>,
    /// Tokens made before which time, in ms.
    users: HashMap<UserId, i64>,
    /// How far the store has been polled.
    polled: u64,
}

/// Who is signed out.
#[derive(Debug)]
pub struct Revocations {
    /// No other lock is taken, and nothing awaited, while this is held.
    known: Mutex<Known>,
    notices: broadcast::Sender<Revoked>,
    token_life_ms: i64,
}

impl Revocations {
    pub(crate) fn new(token_life_ms: i64) -> Self {
        let (notices, _) = broadcast::channel(NOTICES_MAX);
        Self {
            known: Mutex::default(),
            notices,
            token_life_ms,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token of `user`, issued at that time (ms) in that session, is void.
    #[must_use]
    pub fn is_revoked(&self, session: Option<SessionId>, user: UserId, issued_at_ms: i64) -> bool {
        let known = self.known();
        session.is_some_and(|id| known.sessions.contains_key(&id))
            || known
                .users
                .get(&user)
                .is_some_and(|before_ms| issued_at_ms < *before_ms)
    }

    /// Notices from now on.
    #[must_use]
    pub fn subscribe(&self) -> Notices {
        Notices(self.notices.subscribe())
    }

    /// Takes revocations in, and tells those that are news.
    pub(crate) fn record(&self, revocations: &[Revocation], now_ms: i64) {
        for revocation in revocations {
            if self.insert(revocation, now_ms) {
                // Nobody listening is no failure: whoever connects later is checked then.
                let _listeners = self.notices.send(revocation.what);
            }
        }
    }

    fn insert(&self, revocation: &Revocation, now_ms: i64) -> bool {
        let mut known = self.known();
        let at_ms = revocation.at_ms;
        match revocation.what {
            Revoked::Session(session) => {
                if at_ms < now_ms - self.token_life_ms {
                    return false;
                }
                make_room(&mut known.sessions, now_ms - self.token_life_ms);
                known.sessions.insert(session, at_ms).is_none()
            }
            Revoked::User { user, before_ms } => {
                make_room(&mut known.users, now_ms - REVOCATIONS_KEPT_MS);
                let stored = known.users.entry(user).or_insert(i64::MIN);
                let is_news = *stored < before_ms;
                *stored = before_ms.max(*stored);
                is_news
            }
        }
    }

    /// Reads what other nodes have revoked since the last poll.
    ///
    /// # Errors
    /// The store does not answer; the next poll goes on from the same place.
    pub(crate) async fn poll(
        &self,
        store: &dyn AccountStore,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        loop {
            let after = self.known().polled;
            let page = store.revocations_after(after).await?;
            self.record(&page, now_ms);
            let Some(last) = page.last() else {
                return Ok(());
            };
            self.known().polled = last.changed.max(after);
            if page.len() < REVOCATIONS_PAGE {
                return Ok(());
            }
        }
    }

    /// Polls for ever, every [`POLL_MS`]: one query per node.
    pub(crate) async fn poll_loop(&self, store: Arc<dyn AccountStore>, clock: Arc<dyn Clock>) {
        let mut every = tokio::time::interval(Duration::from_millis(POLL_MS));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut was_failing = false;
        loop {
            every.tick().await;
            let result = self.poll(&*store, clock.now_millis()).await;
            match &result {
                Err(error) if !was_failing => {
                    tracing::warn!(%error, "cannot poll revocations: sign-outs on other nodes are late");
                }
                Ok(()) if was_failing => tracing::info!("revocations are polled again"),
                Ok(()) | Err(_) => {}
            }
            was_failing = result.is_err();
        }
    }
}

/// Forgets what no token outlives; if that is not enough, the older half.
fn make_room<K: std::hash::Hash + Eq>(entries: &mut HashMap<K, i64>, older_than_ms: i64) {
    if entries.len() < ENTRIES_MAX {
        return;
    }
    entries.retain(|_, at_ms| *at_ms >= older_than_ms);
    if entries.len() >= ENTRIES_MAX {
        let mut times: Vec<i64> = entries.values().copied().collect();
        let (_, median, _) = times.select_nth_unstable(ENTRIES_MAX / 2);
        let median = *median;
        entries.retain(|_, at_ms| *at_ms > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::accounts::MemoryAccounts;

    const NOW: i64 = 1_700_000_000_000;
    const ANN: UserId = UserId([1; 16]);
    const PHONE: SessionId = SessionId([2; 16]);

    fn revocation(changed: u64, what: Revoked) -> Revocation {
        Revocation {
            changed,
            at_ms: NOW,
            what,
        }
    }

    #[test]
    fn a_session_or_all_tokens_before_a_time() {
        let known = Revocations::new(600_000);
        assert!(!known.is_revoked(Some(PHONE), ANN, NOW));
        known.record(&[revocation(1, Revoked::Session(PHONE))], NOW);
        assert!(
            known.is_revoked(Some(PHONE), ANN, NOW + 1),
            "whenever the token was made"
        );
        assert!(!known.is_revoked(Some(SessionId([3; 16])), ANN, NOW));
        assert!(!known.is_revoked(None, ANN, NOW));
        known.record(
            &[revocation(
                2,
                Revoked::User {
                    user: ANN,
                    before_ms: NOW,
                },
            )],
            NOW,
        );
        assert!(known.is_revoked(None, ANN, NOW - 1));
        assert!(!known.is_revoked(None, ANN, NOW), "signed in again");
        known.record(
            &[revocation(
                3,
                Revoked::User {
                    user: ANN,
                    before_ms: NOW - 9,
                },
            )],
            NOW,
        );
        assert!(
            known.is_revoked(None, ANN, NOW - 1),
            "an older one takes nothing back"
        );
    }

    #[tokio::test]
    async fn news_are_told_once_and_whoever_lags_is_told_to_check() {
        let known = Revocations::new(600_000);
        let mut notices = known.subscribe();
        let one = revocation(1, Revoked::Session(PHONE));
        known.record(&[one, one], NOW);
        known.record(&[one], NOW);
        let two = Revoked::User {
            user: ANN,
            before_ms: NOW,
        };
        known.record(&[revocation(2, two)], NOW);
        assert_eq!(notices.next().await, Some(Notice::Revoked(one.what)));
        assert_eq!(notices.next().await, Some(Notice::Revoked(two)));
        for step in 0..=NOTICES_MAX as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&step.to_be_bytes());
            known.record(
                &[revocation(3 + step, Revoked::Session(SessionId(id)))],
                NOW,
            );
        }
        assert_eq!(notices.next().await, Some(Notice::Recheck));
    }

    #[tokio::test]
    async fn another_node_learns_by_polling() {
        let store = MemoryAccounts::default();
        let here = Revocations::new(600_000);
        let mut notices = here.subscribe();
        here.poll(&store, NOW).await.expect("an answer");
        store.revoke_user(ANN, NOW).await.expect("an answer");
        assert!(!here.is_revoked(None, ANN, NOW - 1));
        here.poll(&store, NOW).await.expect("an answer");
        assert!(here.is_revoked(None, ANN, NOW - 1));
        let told = Notice::Revoked(Revoked::User {
            user: ANN,
            before_ms: NOW,
        });
        assert_eq!(notices.next().await, Some(told));
    }

    #[test]
    fn entries_are_bounded() {
        let known = Revocations::new(600_000);
        for step in 0..ENTRIES_MAX as u64 + 10 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&step.to_be_bytes());
            let what = Revoked::Session(SessionId(id));
            known.record(
                &[Revocation {
                    changed: step,
                    at_ms: NOW + step as i64,
                    what,
                }],
                NOW,
            );
        }
        assert!(known.known().sessions.len() <= ENTRIES_MAX);
        assert!(
            known.is_revoked(known_last(), ANN, NOW),
            "the newest are kept"
        );
        // What was revoked longer ago than a token lives needs no entry.
        let old = SessionId([9; 16]);
        let at_ms = NOW - 600_001;
        known.record(
            &[Revocation {
                changed: 0,
                at_ms,
                what: Revoked::Session(old),
            }],
            NOW,
        );
        assert!(!known.is_revoked(Some(old), ANN, at_ms));
    }

    fn known_last() -> Option<SessionId> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(ENTRIES_MAX as u64 + 9).to_be_bytes());
        Some(SessionId(id))
    }
}
