//! The recent events of rooms in front of a store: [`RecentFirst`] is that store, and faster.
//!
//! `core::recent` decides; here are the locks, and the waiting for whoever loads the same room.
//! Filled by the commits that pass through and by reads of recent events that it lacks. Holds
//! nothing that the store has not; a restart begins empty. Lifetime: that of the store.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Submission;
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::erasure::Step;
use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::invite::InviteHash;
use chinwag_core::ledger::Committed;
use chinwag_core::limits;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::recent::{Begin, Fared, Figures, Loaded, Recall, Recalling, Tail, Tails};
use chinwag_core::room::Range;
use chinwag_core::wire::Settings;

use super::{ReadJob, Store, StoreFuture};

/// Parts with a lock each, so that readers and the commit seldom meet.
const SHARDS: usize = 8;

/// A part of the rooms.
struct Shard {
    /// Held to look, copy or take in one room's events; never across a read of the store, an
    /// await or another lock.
    tails: Mutex<Tails>,
    /// A load has ended.
    loaded: Condvar,
}

/// The recent events of all rooms, shared by the readers and the commit.
pub struct Recent {
    shards: [Shard; SHARDS],
}

impl Recent {
    /// Nothing yet, and never more than `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_shard| Shard {
                tails: Mutex::new(Tails::new(bytes_max / SHARDS)),
                loaded: Condvar::new(),
            }),
        }
    }

    /// How it fared so far, and what it holds.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut sum = Figures::default();
        for shard in &self.shards {
            sum.add(&lock(shard).figures());
        }
        sum
    }

    fn shard(&self, room: RoomId) -> &Shard {
        // Ids are hashes: any of their bytes tells rooms apart.
        &self.shards[usize::from(room.0[0]) % SHARDS]
    }

    fn committed(&self, events: &[Event]) {
        for event in events {
            lock(self.shard(event.room)).commit(event);
        }
    }
}

fn lock(shard: &Shard) -> MutexGuard<'_, Tails> {
    shard.tails.lock().unwrap_or_else(|poisoned| {
        // A panic in the midst of a change is a bug; what was kept costs a read at most.
        tracing::error!("recent events are forgotten after a panic");
        let mut tails = poisoned.into_inner();
        tails.forget();
        shard.tails.clear_poison();
        tails
    })
}

/// Somebody loads a room. Whatever comes of the reading, those who wait are told.
struct Loading<'a> {
    shard: &'a Shard,
    room: RoomId,
    events: Vec<Event>,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let events = std::mem::take(&mut self.events);
        lock(self.shard).finish(self.room, events);
        self.shard.loaded.notify_all();
    }
}

impl Recall for Recent {
    fn look<T>(&self, room: RoomId, look: impl FnOnce(&Tail) -> Option<T>) -> Option<T> {
        lock(self.shard(room)).tail(room).and_then(look)
    }

    /// Blocks for at most [`limits::RECENT_WAIT_MS`] if another loads this room: readers are
    /// threads of their own.
    fn load<E>(
        &self,
        room: RoomId,
        head: Seq,
        read: impl FnOnce(Range) -> Result<Vec<Event>, E>,
    ) -> Result<Loaded, E> {
        let shard = self.shard(room);
        let mut tails = lock(shard);
        match tails.begin(room, head) {
            Begin::Complete => Ok(Loaded::Complete),
            Begin::Busy => {
                let patience = Duration::from_millis(limits::RECENT_WAIT_MS);
                let waited = shard
                    .loaded
                    .wait_timeout_while(tails, patience, |tails| tails.is_loading(room));
                // Loaded or not: the reader looks again, and reads for itself if it must.
                drop(waited);
                Ok(Loaded::Tried)
            }
            Begin::Read(range) => {
                drop(tails);
                let mut loading = Loading {
                    shard,
                    room,
                    events: Vec::new(),
                };
                loading.events = read(range)?;
                Ok(Loaded::Tried)
            }
        }
    }

    fn note(&self, room: RoomId, fared: Fared) {
        lock(self.shard(room)).note(fared);
    }
}

/// A store that looks into the recent events first.
pub struct RecentFirst<S: ?Sized> {
    recent: Arc<Recent>,
    store: Arc<S>,
}

impl<S: Store + ?Sized> RecentFirst<S> {
    /// Puts recent events of at most `bytes_max` in front of `store`. Whatever writes events into
    /// the store past this costs a read, and no more.
    #[must_use]
    pub fn new(store: Arc<S>, bytes_max: usize) -> Self {
        Self {
            recent: Arc::new(Recent::new(bytes_max)),
            store,
        }
    }

    /// The recent events, for their figures.
    #[must_use]
    pub fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }
}

impl<S: Store + ?Sized> Store for RecentFirst<S> {
    fn append(&self, items: Vec<Submission>, now: Millis) -> StoreFuture<'_, Committed> {
        Box::pin(async move {
            let committed = self.store.append(items, now).await?;
            // Before anybody is told of them: whoever hears of a redaction finds its target empty.
            self.recent.committed(&committed.events);
            Ok(committed)
        })
    }

    fn mark(&self, marks: Vec<Mark>, at: Millis) -> StoreFuture<'_, Vec<Option<Marked>>> {
        self.store.mark(marks, at)
    }

    fn set(&self, user: UserId, change: SettingsChange) -> StoreFuture<'_, Settings> {
        self.store.set(user, change)
    }

    fn own(&self, user: UserId, change: OwnChange) -> StoreFuture<'_, Result<Owned, ErrorCode>> {
        self.store.own(user, change)
    }

    fn saw(&self, seen: Vec<(UserId, Millis)>) -> StoreFuture<'_, ()> {
        self.store.saw(seen)
    }

    fn perform(
        &self,
        user: UserId,
        deed: Deed,
        drawn: InviteHash,
        now: Millis,
    ) -> StoreFuture<'_, Result<Change, ErrorCode>> {
        self.store.perform(user, deed, drawn, now)
    }

    fn erase(&self, step: Step, now: Millis) -> StoreFuture<'_, Committed> {
        Box::pin(async move {
            let committed = self.store.erase(step, now).await?;
            self.recent.committed(&committed.events);
            Ok(committed)
        })
    }

    fn run(&self, job: ReadJob) -> StoreFuture<'_, ()> {
        let recent = Arc::clone(&self.recent);
        self.store
            .run(Box::new(move |view| job(&Recalling::new(view, &*recent))))
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        self.store.ended()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use chinwag_core::event::{Author, Body};
    use chinwag_core::ids::Key;

    use super::*;

    const ROOM: RoomId = RoomId([1; 16]);

    fn event(seq: u64) -> Event {
        Event {
            room: ROOM,
            seq: Seq(seq),
            msg_no: seq,
            v: 1,
            from: Author(UserId([1; 16]), 1),
            key: Key([1; 16]),
            ts: Millis(0),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body: Body::Message("text".into()),
        }
    }

    fn stored(range: Range) -> Vec<Event> {
        (range.from.0..=range.to.0).map(event).collect()
    }

    fn kept(recent: &Recent) -> Option<(u64, u64)> {
        recent.look(ROOM, |tail| Some((tail.first().0, tail.last().0)))
    }

    #[test]
    fn one_reads_for_all_who_want_the_same() {
        let recent = Recent::new(1 << 20);
        let reads = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let read = |range| {
                        reads.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, ()>(stored(range))
                    };
                    assert!(recent.load(ROOM, Seq(3), read).is_ok());
                });
            }
        });
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert_eq!((kept(&recent), recent.figures().loads), (Some((1, 3)), 1));
    }

    #[test]
    fn a_commit_during_a_load_is_neither_lost_nor_undone() {
        let recent = Recent::new(1 << 20);
        let loaded = recent.load(ROOM, Seq(3), |range| {
            recent.committed(&[event(4)]);
            Ok::<_, ()>(stored(range))
        });
        assert_eq!((loaded, kept(&recent)), (Ok(Loaded::Tried), Some((1, 4))));
    }

    #[test]
    fn a_load_that_fails_keeps_nobody_from_the_next() {
        let recent = Recent::new(1 << 20);
        assert_eq!(
            recent.load(ROOM, Seq(3), |_range| Err("no disk")),
            Err("no disk")
        );
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            recent.load(ROOM, Seq(3), |_range| -> Result<Vec<Event>, ()> {
                panic!("a bug in a read")
            })
        }));
        assert!(panicked.is_err() && kept(&recent).is_none());
        let again = recent.load(ROOM, Seq(3), |range| Ok::<_, ()>(stored(range)));
        assert_eq!((again, kept(&recent)), (Ok(Loaded::Tried), Some((1, 3))));
    }
}
