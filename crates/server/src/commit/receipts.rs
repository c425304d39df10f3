//! Receipts on their way to those who wrote: paced, then one read for all that is due.
//!
//! What waits and who is told is `core::receipt`'s; here are the clock, the store and the hub. A
//! receipt may be lost on the way; nothing waits for one. Lifetime: that of the marks' loop.

use std::sync::Arc;

use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::marker::Marked;
use chinwag_core::receipt::{self, Due, Pacer};
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::gateway::connections::Connections;
use crate::hub::Hub;
use crate::store::{self, Store, StoreError};

/// Risen markers that wait to be paced. Beyond: those who wrote are not told of them.
const QUEUE_MAX: usize = 16_384;
/// Of them, taken in at once.
const BATCH_MAX: usize = 1_024;

/// Whose marker rose where, and how.
type Risen = (RoomId, UserId, Marked);

/// The way in.
pub(super) struct Receipts(mpsc::Sender<Risen>);

impl Receipts {
    /// Starts the loop on `tasks`; it ends when this is dropped.
    pub(super) fn start(
        store: Arc<dyn Store>,
        hub: Hub,
        connections: Arc<Connections>,
        clock: Clock,
        tasks: &TaskTracker,
    ) -> Self {
        let (queue, risen) = mpsc::channel(QUEUE_MAX);
        let teller = Teller {
            store,
            hub,
            connections,
            clock,
        };
        tasks.spawn(teller.run(risen));
        Self(queue)
    }

    /// A marker is stored, and has risen.
    pub(super) fn rose(&self, room: RoomId, user: UserId, marked: Marked) {
        if marked.told {
            // Full or ended: whoever opens the room asks how everybody stands.
            let _untold = self.0.try_send((room, user, marked));
        }
    }
}

struct Teller {
    store: Arc<dyn Store>,
    hub: Hub,
    connections: Arc<Connections>,
    clock: Clock,
}

impl Teller {
    async fn run(self, mut risen: mpsc::Receiver<Risen>) {
        let mut pacer = Pacer::default();
        let mut some = Vec::new();
        loop {
            let due = pacer.due().map(|due| self.clock.instant(due));
            let received = match due {
                Some(due) => tokio::select! {
                    biased;
                    count = risen.recv_many(&mut some, BATCH_MAX) => Some(count),
                    () = sleep_until(due) => None,
                },
                None => Some(risen.recv_many(&mut some, BATCH_MAX).await),
            };
            if received == Some(0) {
                return;
            }
            let now = self.clock.tick();
            for (room, user, marked) in some.drain(..) {
                pacer.rose(room, user, &marked, now);
            }
            let due = pacer.take(now);
            if !due.is_empty() {
                self.tell(due).await;
            }
        }
    }

    async fn tell(&self, due: Vec<Due>) {
        let connections = Arc::clone(&self.connections);
        let found = store::read(&*self.store, move |view| {
            let connected = |user| connections.has(user);
            let told = due.iter().map(|due| {
                let told = receipt::share(view, due, connected)?;
                Ok::<_, StoreError>((due.room, told))
            });
            told.collect::<Result<Vec<_>, StoreError>>()
        });
        match found.await {
            Ok(found) => {
                for (room, told) in found.into_iter().filter(|(_room, told)| !told.is_empty()) {
                    self.hub.receipts(room, told).await;
                }
            }
            Err(error) => tracing::warn!(%error, "receipts could not be told"),
        }
    }
}
