//! What is written beside the logs, on its way to the store: invitations.
//!
//! One loop for all connections keeps the order of each; it waits for the disk, and nothing else
//! waits for it. The tokens of invitations are drawn here, said once, and kept nowhere. Lifetime:
//! that of the node.

use std::sync::Arc;

use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::ids::InviteToken;
use chinwag_core::invite::InviteHash;
use chinwag_core::session::refuse;
use chinwag_core::wire::{Req, ServerFrame};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::auth::clock::random;
use crate::clock::{self, Clock};
use crate::gateway::outbox::Connection;
use crate::store::{Store, StoreError};

/// Deeds that wait. Beyond: `unavailable`.
const QUEUE_MAX: usize = 1_024;

struct Job {
    connection: Arc<Connection>,
    req: Req,
    deed: Deed,
}

/// The way in.
#[derive(Clone)]
pub struct Deeds {
    jobs: mpsc::Sender<Job>,
    clock: Clock,
}

impl Deeds {
    /// Starts the loop on `tasks`; it ends when the last handle is dropped.
    #[must_use]
    pub fn start(store: &Arc<dyn Store>, clock: Clock, tasks: &TaskTracker) -> Self {
        let (jobs, queued) = mpsc::channel(QUEUE_MAX);
        let doing = Doing {
            store: store.clone(),
            clock,
        };
        tasks.spawn(doing.run(queued));
        Self { jobs, clock }
    }

    /// Queues a deed; a full queue refuses it, retryably.
    pub fn perform(&self, connection: &Arc<Connection>, req: Req, deed: Deed) {
        let job = Job {
            connection: connection.clone(),
            req,
            deed,
        };
        if let Err(full) = self.jobs.try_send(job) {
            let connection = full.into_inner().connection;
            let reply = refused(req, ErrorCode::Unavailable);
            connection.reply(req, &reply, self.clock.tick());
        }
    }
}

fn refused(req: Req, code: ErrorCode) -> ServerFrame {
    refuse(Some(req), code, code.meaning())
}

struct Doing {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Doing {
    async fn run(self, mut queued: mpsc::Receiver<Job>) {
        while let Some(job) = queued.recv().await {
            let Job {
                connection,
                req,
                deed,
            } = job;
            // Commands come after `welcome` only; who has gone since wants nothing.
            let Some(who) = connection.signed_in() else {
                continue;
            };
            let token = InviteToken(random());
            let drawn = InviteHash::of(token);
            let done = self.store.perform(who.user, deed, drawn, clock::wall());
            let reply = match done.await {
                Ok(Ok(change)) => done_reply(req, &change, token),
                Ok(Err(code)) => refused(req, code),
                Err(StoreError::Full) => refused(req, ErrorCode::StorageFull),
                Err(error) => {
                    tracing::warn!(%error, "what is beside the log is not stored");
                    refused(req, ErrorCode::Unavailable)
                }
            };
            connection.reply(req, &reply, self.clock.tick());
        }
    }
}

fn done_reply(req: Req, change: &Change, token: InviteToken) -> ServerFrame {
    match change {
        Change::Invited(invitation) => ServerFrame::Invite {
            req,
            room: invitation.room,
            token,
            invite: invitation.row(),
        },
        Change::Revoked(_) | Change::Rated(..) => ServerFrame::Ok { req },
    }
}
