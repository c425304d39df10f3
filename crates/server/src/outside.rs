//! Telling people of rooms that they are not in: asked in, no longer asked in, or sent away for good
//! afterwards.
//!
//! They are shown nothing of the event that says so; so all their connections get their row as it is
//! now. Delivery to members is not here, and waits for none of this. Lifetime: one commit.

use std::sync::Arc;

use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::read;
use chinwag_core::room::MemberState;
use chinwag_core::wire::ServerFrame;

use crate::hub::Hub;
use crate::store::{self, Store, StoreError};

/// Somebody whom an event is about that may not be theirs to see.
pub(crate) type Outside = (UserId, RoomId, Seq);

/// Those of `events` that may be about somebody outside.
pub(crate) fn about(events: &[Event]) -> Vec<Outside> {
    let about = events.iter().filter_map(|event| match &event.body {
        Body::Member(body) if body.state != MemberState::Joined => {
            Some((body.user, event.room, event.seq))
        }
        _other => None,
    });
    about.collect()
}

/// Tells those who are indeed outside.
pub(crate) async fn tell(store: Arc<dyn Store>, hub: Hub, about: Vec<Outside>) {
    let rows = store::read(&*store, move |view| {
        let rows = about.into_iter().map(|(user, room, seq)| {
            let row = read::row(view, user, room)?;
            // Who was in is shown the event itself.
            Ok(row.filter(|row| row.head < seq).map(|row| (user, row)))
        });
        rows.collect::<Result<Vec<_>, StoreError>>()
    });
    match rows.await {
        Ok(rows) => {
            for (user, row) in rows.into_iter().flatten() {
                hub.to_all(user, ServerFrame::Row { row }).await;
            }
        }
        // They learn it with their next sync.
        Err(error) => tracing::warn!(%error, "people outside of rooms could not be told"),
    }
}
