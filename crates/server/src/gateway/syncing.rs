//! Connecting after `hello`, and `sync` after `behind`: section 3 of the contract, run.
//!
//! The connection is registered already, so everything released from now on is kept for it. One
//! snapshot is read and shown; then the shard flushes what was kept and says `caught_up`.

use std::sync::Arc;

use chinwag_core::ids::UserId;
use chinwag_core::limits;
use chinwag_core::read;
use chinwag_core::session::Input;
use chinwag_core::sync::{Plan, Step};
use chinwag_core::wire::Cursor;
use tokio::sync::oneshot;

use crate::gateway::driver::Services;
use crate::gateway::outbox::Connection;
use crate::hub::Item;
use crate::store::{self, StoreError};

/// One run of section 3 of the contract on a connection: what belongs to an earlier one, or to
/// one that was given up, is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncId(u64);

impl SyncId {
    /// The one after this.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Whether it is the one of `hello`.
    fn is_first(self) -> bool {
        self == Self::default().next()
    }
}

/// Runs one sync to `caught_up`, to `behind`, or to the end of the connection.
pub(crate) async fn sync(
    connection: Arc<Connection>,
    id: SyncId,
    user: UserId,
    cursor: Cursor,
    services: Arc<Services>,
) {
    if let Err(error) = run(&connection, id, user, cursor, &services).await
        && connection.is_current(id)
    {
        tracing::warn!(%error, "a sync could not be read");
        connection.input(Input::SyncFailed, services.clock.tick());
    }
}

async fn run(
    connection: &Connection,
    id: SyncId,
    user: UserId,
    cursor: Cursor,
    services: &Services,
) -> Result<(), StoreError> {
    let (store, hub) = (&*services.store, &services.hub);
    let fresh = cursor.position.is_none();
    let snapshot = store::read(store, move |view| read::snapshot(view, user, &cursor)).await?;
    services.metrics.synced(&snapshot, fresh, !id.is_first());
    let (answer, answered) = oneshot::channel();
    hub.send(
        connection.id,
        Item::Shown(
            connection.id,
            id,
            snapshot.heads.clone(),
            snapshot.settings,
            snapshot.blocks.clone(),
            answer,
        ),
    )
    .await;
    // No answer: this sync is over, or the shard has ended with the node.
    if !answered.await.unwrap_or(false) {
        return Ok(());
    }
    let mut plan = Plan::new(snapshot);
    let mut read_on = false;
    while let Some(step) = plan.next_step() {
        match step {
            Step::Frame(frame) => {
                if !connection.stream(id, &frame).await {
                    return Ok(());
                }
            }
            Step::Stretch(room, range) => {
                // One short read is waited for; whoever has missed more sees it come.
                if std::mem::replace(&mut read_on, true) {
                    connection.leave();
                }
                let part = store::read(store, move |view| {
                    read::stretch(view, user, room, range, limits::PAGE_MAX)
                });
                if let Some(stretch) = part.await? {
                    plan.stretched(room, range, stretch);
                }
            }
            Step::Flush(position) => {
                let flush = Item::Flush(connection.id, id, position);
                hub.send(connection.id, flush).await;
            }
        }
        if !connection.is_current(id) {
            return Ok(());
        }
    }
    Ok(())
}
