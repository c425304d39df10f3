//! Steps of erasures: events of people who have gone, stored in the lower queue and delivered.
//!
//! Beside the loop of the commands, as markers are: nobody waits for a reply, and no message waits
//! for these. `core::feed` puts in order what both deliver.

use std::sync::Arc;

use chinwag_core::erasure::Step;
use chinwag_core::ids::RoomId;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::outside;
use crate::store::{Store, StoreError};

/// What writes the events of erasures.
#[derive(Clone)]
pub struct Departures {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tasks: TaskTracker,
}

impl Departures {
    /// Does a step of an erasure, and tells everybody of it.
    ///
    /// # Errors
    /// The store's. Whatever became of the step, it can be done again: it is done once.
    pub async fn erase(&self, step: Step) -> Result<(), StoreError> {
        let mut rooms: Vec<RoomId> = step.leave.clone();
        rooms.extend(step.take_back.iter().map(|(room, _seq)| *room));
        let handed = Instant::now();
        match self.store.erase(step, clock::wall()).await {
            Ok(committed) => {
                self.metrics.committed(&committed.events);
                let outside = outside::about(&committed.events);
                if !outside.is_empty() {
                    let telling = outside::tell(self.store.clone(), self.hub.clone(), outside);
                    self.tasks.spawn(telling);
                }
                self.hub.deliver(committed.events, Vec::new(), handed).await;
                Ok(())
            }
            Err(error) => {
                if let StoreError::Unknown(_) = error {
                    // It may have happened: whoever is in these rooms must see it.
                    rooms.dedup();
                    self.hub.check(&rooms).await;
                }
                Err(error)
            }
        }
    }
}
