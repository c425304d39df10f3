//! Commands beside the log on their way: what they need of the store is read here, the rest is the
//! shard's.
//!
//! One loop for all connections keeps the order of each, and asks for everything that waits in one
//! snapshot. Changed settings have a loop of their own, because they wait for the disk. Nothing of
//! this is in the way of messages. Lifetime: that of the node.

use std::sync::Arc;

use chinwag_core::aside::{self, Aside, SettingsChange};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::session::refuse;
use chinwag_core::wire::{Req, ServerFrame, Settings};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::gateway::connections::Connections;
use crate::gateway::outbox::Connection;
use crate::hub::{Hub, Item};
use crate::store::{self, Store, StoreError};

/// Commands that wait. Beyond: `typing` is dropped, the others are `unavailable`.
const ASKS_QUEUE_MAX: usize = 16_384;
/// Commands in one read: other readers have their turn in between.
const ASKS_MAX: usize = 128;
/// Changes of settings that wait. Beyond: `unavailable`.
const CHANGES_QUEUE_MAX: usize = 1_024;

struct Ask {
    connection: Arc<Connection>,
    req: Req,
    aside: Aside,
}

struct Change {
    connection: Arc<Connection>,
    req: Req,
    change: SettingsChange,
}

/// The way in.
#[derive(Clone)]
pub struct Presence {
    asks: mpsc::Sender<Ask>,
    changes: mpsc::Sender<Change>,
    clock: Clock,
}

impl Presence {
    /// Starts both loops on `tasks`; they end when the last handle is dropped.
    #[must_use]
    pub fn start(
        store: &Arc<dyn Store>,
        hub: &Hub,
        connections: &Arc<Connections>,
        clock: Clock,
        tasks: &TaskTracker,
    ) -> Self {
        let (asks, asked) = mpsc::channel(ASKS_QUEUE_MAX);
        let (changes, changed) = mpsc::channel(CHANGES_QUEUE_MAX);
        let loops = Loops {
            store: store.clone(),
            hub: hub.clone(),
            connections: connections.clone(),
            clock,
        };
        tasks.spawn(loops.clone().answer(asked));
        tasks.spawn(loops.change(changed));
        Self {
            asks,
            changes,
            clock,
        }
    }

    /// Queues a command; a full queue drops or refuses it.
    pub fn ask(&self, connection: &Arc<Connection>, req: Req, aside: Aside) {
        let ask = Ask {
            connection: connection.clone(),
            req,
            aside,
        };
        if let Err(full) = self.asks.try_send(ask) {
            let Ask {
                connection, aside, ..
            } = full.into_inner();
            let reply = match aside {
                Aside::Typing { .. } => ServerFrame::Ok { req },
                Aside::Watch { .. } | Aside::Who { .. } => unavailable(req),
            };
            connection.reply(req, &reply, self.clock.tick());
        }
    }

    /// Queues a change of settings; a full queue refuses it, retryably.
    pub fn change(&self, connection: &Arc<Connection>, req: Req, change: SettingsChange) {
        let change = Change {
            connection: connection.clone(),
            req,
            change,
        };
        if let Err(full) = self.changes.try_send(change) {
            let connection = full.into_inner().connection;
            connection.reply(req, &unavailable(req), self.clock.tick());
        }
    }
}

fn unavailable(req: Req) -> ServerFrame {
    let code = ErrorCode::Unavailable;
    refuse(Some(req), code, code.meaning())
}

#[derive(Clone)]
struct Loops {
    store: Arc<dyn Store>,
    hub: Hub,
    connections: Arc<Connections>,
    clock: Clock,
}

impl Loops {
    async fn answer(self, mut asked: mpsc::Receiver<Ask>) {
        let mut asks = Vec::new();
        while asked.recv_many(&mut asks, ASKS_MAX).await > 0 {
            let mut wanted = Vec::with_capacity(asks.len());
            let mut whose = Vec::with_capacity(asks.len());
            for ask in asks.drain(..) {
                // Commands come after `welcome` only; who has gone since wants nothing.
                if let Some(who) = ask.connection.signed_in() {
                    wanted.push((who.user, ask.aside));
                    whose.push((ask.connection, ask.req));
                }
            }
            let found = store::read(&*self.store, move |view| {
                let wanted = wanted.into_iter();
                let granted = wanted.map(|(user, aside)| aside::grant(view, user, aside));
                granted.collect::<Result<Vec<_>, StoreError>>()
            });
            match found.await {
                Ok(found) => {
                    for ((connection, req), granted) in whose.into_iter().zip(found) {
                        match granted {
                            Ok(granted) => {
                                let item = Item::Granted(connection.id, req, granted);
                                self.hub.send(connection.id, item).await;
                            }
                            Err(code) => {
                                let refusal = refuse(Some(req), code, code.meaning());
                                connection.reply(req, &refusal, self.clock.tick());
                            }
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "commands beside the log could not be answered");
                    for (connection, req) in whose {
                        connection.reply(req, &unavailable(req), self.clock.tick());
                    }
                }
            }
        }
    }

    async fn change(self, mut changed: mpsc::Receiver<Change>) {
        while let Some(change) = changed.recv().await {
            let Change {
                connection,
                req,
                change,
            } = change;
            let Some(who) = connection.signed_in() else {
                continue;
            };
            let reply = match self.store.set(who.user, change).await {
                Ok(settings) => {
                    self.told(who.user, &connection, settings).await;
                    ServerFrame::Ok { req }
                }
                Err(StoreError::Full) => {
                    let code = ErrorCode::StorageFull;
                    refuse(Some(req), code, code.meaning())
                }
                Err(error) => {
                    tracing::warn!(%error, "settings are not stored");
                    unavailable(req)
                }
            };
            connection.reply(req, &reply, self.clock.tick());
        }
    }

    /// Others see it within a tick; one's own other devices hear of it.
    async fn told(&self, user: UserId, by: &Connection, settings: Settings) {
        self.hub.settled(user, settings).await;
        if self.connections.has_several(user) {
            let frame = ServerFrame::Settings(settings);
            self.hub.tell_others(user, by.id, frame).await;
        }
    }
}
