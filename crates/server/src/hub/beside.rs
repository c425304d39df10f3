//! When users went offline, on its way to the store: together, and never two writes at once.
//!
//! Lost if the process is killed: the store then keeps an older time. Lifetime: the shard's.

use chinwag_core::aside::to_the_minute;
use chinwag_core::ids::{Millis, Tick, UserId};
use chinwag_core::limits;

use super::{Item, Task};
use crate::clock;

/// In one transaction: the writer has its turn with messages in between.
const BATCH_MAX: usize = 256;

/// What waits to be stored.
#[derive(Debug, Default)]
pub(super) struct Seen {
    waiting: Vec<(UserId, Millis)>,
    /// A write is under way.
    pub(super) storing: bool,
}

impl Task {
    /// Stores some of what waits, unless a write is under way.
    pub(super) fn keep_seen(&mut self) {
        let gone = self.shard.take_seen();
        if !gone.is_empty() {
            self.await_seen(gone);
        }
        if self.seen.waiting.is_empty() || std::mem::replace(&mut self.seen.storing, true) {
            return;
        }
        let count = self.seen.waiting.len().min(BATCH_MAX);
        let some: Vec<(UserId, Millis)> = self.seen.waiting.drain(..count).collect();
        let (store, queue) = (self.store.clone(), self.queue.clone());
        self.tasks.spawn(async move {
            if let Err(error) = store.saw(some).await {
                tracing::warn!(%error, "when some went offline is not stored");
            }
            if let Some(queue) = queue.upgrade() {
                // The shard has ended: it stores the rest by itself.
                let _ended = queue.send(Item::Kept).await;
            }
        });
    }

    fn await_seen(&mut self, gone: Vec<(UserId, Tick)>) {
        let (now, wall) = (self.clock.tick(), clock::wall());
        let at = |since: Tick| {
            let ago = i64::try_from(now.since(since)).unwrap_or(i64::MAX);
            to_the_minute(Millis(wall.0.saturating_sub(ago)))
        };
        // Beyond, the store keeps an older time: nothing decides by it.
        let room = limits::SEEN_WAITING_MAX.saturating_sub(self.seen.waiting.len());
        let gone = gone.into_iter().take(room);
        self.seen
            .waiting
            .extend(gone.map(|(user, since)| (user, at(since))));
    }

    /// The shard ends: so does the time of those who have just gone.
    pub(super) fn end(mut self) {
        let gone = self.shard.end();
        self.await_seen(gone);
        let (store, waiting) = (self.store, self.seen.waiting);
        self.tasks.spawn(async move {
            for some in waiting.chunks(BATCH_MAX) {
                if let Err(error) = store.saw(some.to_vec()).await {
                    return tracing::warn!(%error, "when some went offline is not stored");
                }
            }
        });
    }
}
