//! Sweeps away what people have uploaded as pictures and not used within the hour.
//!
//! At the start and every ten minutes, a bounded number in each transaction, until nothing old is
//! left. Lifetime: that of the node.

use std::sync::Arc;
use std::time::Duration;

use chinwag_core::limits;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::store::avatars::AvatarStore;

const EVERY: Duration = Duration::from_secs(10 * 60);

/// Starts the sweeping on `tasks`; it ends with `stop`.
pub fn start(store: &Arc<dyn AvatarStore>, tasks: &TaskTracker, stop: &CancellationToken) {
    let (store, stop) = (store.clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = sweep(&*store) => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    });
}

async fn sweep(store: &dyn AvatarStore) {
    loop {
        match store
            .sweep_avatars(clock::wall(), limits::AVATAR_SWEEP_MAX)
            .await
        {
            Ok(swept) if swept < limits::AVATAR_SWEEP_MAX => return,
            Ok(_more) => {}
            Err(error) => {
                tracing::warn!(%error, "unused pictures are not swept away now");
                return;
            }
        }
    }
}
