//! What goes to the connections of one user: their own state, and receipts to those who wrote.
//!
//! All of it in the receipts' lane: behind messages, and dropped with them where one is behind.

use std::sync::Arc;

use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::lanes::Lane;
use chinwag_core::live::ConnId;
use chinwag_core::own::Owned;
use chinwag_core::receipt::Told;
use chinwag_core::wire::ServerFrame;

use super::{Hub, Item, Task};
use crate::gateway::dialect::{Dialect, ForSeveral};

impl Hub {
    /// Tells all connections of `user`.
    pub async fn to_all(&self, user: UserId, frame: ServerFrame) {
        // No connection has this number: they are counted from the first.
        self.tell_others(user, ConnId(u64::MAX), frame).await;
    }

    /// Tells all connections of `user` what their own state is now.
    pub async fn owned(&self, user: UserId, owned: Owned) {
        for shard in &*self.shards {
            let _ended = shard.send(Item::Owned(user, owned.clone())).await;
        }
    }

    /// Tells the other connections of `user` of something of their own, as new markers.
    pub async fn tell_others(&self, user: UserId, except: ConnId, frame: ServerFrame) {
        for shard in &*self.shards {
            let item = Item::Others(user, except, Box::new(frame.clone()));
            let _ended = shard.send(item).await;
        }
    }

    /// Tells those who wrote in `room` how far others have come.
    pub async fn receipts(&self, room: RoomId, told: Vec<Told>) {
        let told: Arc<[Told]> = told.into();
        for shard in &*self.shards {
            let _ended = shard.send(Item::Receipts(room, told.clone())).await;
        }
    }
}

impl Task {
    /// Tells those who wrote in `room` and are still in.
    pub(super) fn tell_authors(&mut self, room: RoomId, told: &[Told]) {
        for (author, frame) in told {
            if self.shard.live().is_in(*author, room) {
                self.tell_user(*author, None, frame);
            }
        }
    }

    /// Tells the connections of `user` something, but this one.
    pub(super) fn tell_user(&mut self, user: UserId, except: Option<ConnId>, frame: &ServerFrame) {
        let mut frame = ForSeveral::new(frame);
        let conns: Vec<ConnId> = self.shard.live().listening(user).collect();
        for conn in conns.into_iter().filter(|conn| Some(*conn) != except) {
            let encode = |dialect: &Dialect| frame.encode(dialect);
            if !self.outlet.push(conn, Lane::Receipt, encode) {
                self.shard.fell_behind(conn);
            }
        }
    }
}
