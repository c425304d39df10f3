//! Markers on their way to the store: coalesced, one transaction for all that waits.
//!
//! Who marked is answered as soon as it is durable. Their other devices are told afterwards, by
//! one read for all of a batch; somebody with a single device costs no read at all. Those who wrote
//! are told by `receipts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::live::ConnId;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::read;
use chinwag_core::session::refuse;
use chinwag_core::wire::{RoomRow, ServerFrame};
use tokio::sync::mpsc;

use super::MarkJob;
use super::receipts::Receipts;
use crate::clock::{self, Clock};
use crate::gateway::connections::Connections;
use crate::hub::Hub;
use crate::store::{self, Store, StoreError};

/// Marks in one transaction.
const BATCH_MAX: usize = 4_096;
/// Rows in one read: other readers have their turn in between.
const ROWS_MAX: usize = 128;

/// The loop that writes markers.
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) connections: Arc<Connections>,
    pub(super) receipts: Receipts,
    pub(super) clock: Clock,
}

/// A marker that rose, and the connection that raised it.
struct Risen {
    user: UserId,
    room: RoomId,
    by: ConnId,
}

impl Writer {
    pub(super) async fn run(self, mut queued: mpsc::Receiver<MarkJob>) {
        let mut jobs = Vec::new();
        while queued.recv_many(&mut jobs, BATCH_MAX).await > 0 {
            let risen = self.write(&mut jobs).await;
            for some in risen.chunks(ROWS_MAX) {
                self.tell(some).await;
            }
        }
    }

    /// Stores a batch and answers everybody; returns what other devices are to be told.
    async fn write(&self, jobs: &mut Vec<MarkJob>) -> Vec<Risen> {
        let mut highest: BTreeMap<(UserId, RoomId), Mark> = BTreeMap::new();
        for job in &*jobs {
            let slot = highest
                .entry((job.mark.user, job.mark.room))
                .or_insert(job.mark);
            slot.read = slot.read.max(job.mark.read);
            slot.delivered = slot.delivered.max(job.mark.delivered);
        }
        let marks: Vec<Mark> = highest.into_values().collect();
        let stored = self.store.mark(marks.clone(), clock::wall()).await;
        let stored: Result<BTreeMap<(UserId, RoomId), Option<Marked>>, StoreError> =
            stored.map(|stored| {
                let slots = marks.iter().map(|mark| (mark.user, mark.room));
                slots.zip(stored).collect()
            });
        for ((user, room), marked) in stored.iter().flatten() {
            if let Some(marked) = marked {
                self.receipts.rose(*room, *user, *marked);
            }
        }
        let mut risen = Vec::new();
        for job in jobs.drain(..) {
            let (user, room) = (job.mark.user, job.mark.room);
            let result = match &stored {
                Ok(stored) => stored
                    .get(&(user, room))
                    .copied()
                    .flatten()
                    .ok_or(ErrorCode::NotFound),
                Err(StoreError::Full) => Err(ErrorCode::StorageFull),
                Err(_) => Err(ErrorCode::Unavailable),
            };
            let MarkJob {
                connection, req, ..
            } = job;
            let reply = match result {
                Ok(marked) => {
                    if marked.rose() && self.connections.has_several(user) {
                        let by = connection.id;
                        risen.push(Risen { user, room, by });
                    }
                    ServerFrame::Ok { req }
                }
                Err(code) => refuse(Some(req), code, code.meaning()),
            };
            connection.reply(req, &reply, self.clock.tick());
        }
        risen
    }

    /// Tells the other connections of those users how their rooms stand now.
    async fn tell(&self, risen: &[Risen]) {
        let wanted: Vec<_> = risen.iter().map(|one| (one.user, one.room)).collect();
        let rows = store::read(&*self.store, move |view| {
            let rows = wanted
                .iter()
                .map(|(user, room)| read::row(view, *user, *room));
            rows.collect::<Result<Vec<Option<RoomRow>>, StoreError>>()
        });
        let rows = match rows.await {
            Ok(rows) => rows,
            // They learn it with their next sync.
            Err(error) => return tracing::warn!(%error, "markers could not be told"),
        };
        for (one, row) in risen.iter().zip(rows) {
            let Some(row) = row else { continue };
            let frame = ServerFrame::Marker {
                room: one.room,
                delivered: row.me.delivered,
                read: row.me.read,
                unread: row.me.unread,
                mentions: row.me.mentions,
            };
            self.hub.tell_others(one.user, one.by, frame).await;
        }
    }
}
