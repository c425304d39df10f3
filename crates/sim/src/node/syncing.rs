//! Connecting after `hello`, and `sync` after `behind`, run as the server's shell runs them.

use std::sync::Arc;

use chinwag_core::ids::RoomId;
use chinwag_core::lanes::Lane;
use chinwag_core::live::ConnId;
use chinwag_core::read::{Snapshot, Stretch};
use chinwag_core::room::Range;
use chinwag_core::session::Input;
use chinwag_core::sync::{Plan, Step};

use super::connection::Sync;
use super::hub::Item;
use super::{Node, Site};
use crate::base::Base;
use crate::link::Down;
use crate::store::Ask;

impl Node {
    /// The snapshot has been read: the shard is shown its heads.
    pub(super) fn snapshot(
        &mut self,
        id: ConnId,
        sync: u64,
        snapshot: Option<Snapshot>,
        base: &mut Base,
    ) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        if conn.syncs.remove(&sync).is_none() {
            return;
        }
        let Some(snapshot) = snapshot else {
            return self.input(id, Input::SyncFailed, base);
        };
        let (heads, settings) = (snapshot.heads.clone(), snapshot.settings);
        let blocks = snapshot.blocks.clone();
        conn.syncs.insert(sync, Sync::Showing(Box::new(snapshot)));
        self.item(Item::Shown(id, sync, heads, settings, blocks), base);
    }

    /// The shard has said whether the sync goes on.
    pub(super) fn shown(&mut self, id: ConnId, sync: u64, on: bool) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        match conn.syncs.remove(&sync) {
            Some(Sync::Showing(snapshot)) if on && !conn.gone => {
                let plan = Plan::new(*snapshot);
                conn.syncs.insert(sync, Sync::Streaming(plan, None));
            }
            _ => {}
        }
    }

    /// A stretch has been read.
    pub(super) fn stretch(
        &mut self,
        id: ConnId,
        sync: u64,
        (room, range): (RoomId, Range),
        stretch: Option<Option<Stretch>>,
        base: &mut Base,
    ) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        let Some(Sync::Stretching(mut plan)) = conn.syncs.remove(&sync) else {
            return;
        };
        match stretch {
            Some(stretch) => {
                if let Some(stretch) = stretch {
                    plan.stretched(room, range, stretch);
                }
                conn.syncs.insert(sync, Sync::Streaming(plan, None));
            }
            None => self.input(id, Input::SyncFailed, base),
        }
    }

    /// Lets the syncs of a connection go on as far as its outbox has room.
    pub(super) fn resume_syncs(&mut self, id: ConnId, site: &mut Site<'_>) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        let ids: Vec<u64> = conn.syncs.keys().copied().collect();
        for sync in ids {
            self.resume_sync(id, sync, site);
        }
    }

    fn resume_sync(&mut self, id: ConnId, sync: u64, site: &mut Site<'_>) {
        loop {
            let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
                return;
            };
            if !matches!(conn.syncs.get(&sync), Some(Sync::Streaming(..))) {
                return;
            }
            let Some(Sync::Streaming(mut plan, waiting)) = conn.syncs.remove(&sync) else {
                return;
            };
            if conn.session.is_closed() {
                return;
            }
            if let Some(frame) = waiting {
                let down = Down::Frame(frame.clone());
                let bytes = down.weight();
                let queued =
                    conn.outbox.stream_ready() && conn.outbox.push(Lane::vouching(), down, bytes);
                let waiting = (!queued).then_some(frame);
                conn.syncs.insert(sync, Sync::Streaming(plan, waiting));
                if !queued {
                    return;
                }
                self.write(id, site);
                continue;
            }
            match plan.next_step() {
                None => return,
                Some(Step::Frame(frame)) => {
                    let frame = Some(Arc::from(frame));
                    conn.syncs.insert(sync, Sync::Streaming(plan, frame));
                }
                Some(Step::Stretch(room, range)) => {
                    let Some(user) = conn.user else { return };
                    conn.syncs.insert(sync, Sync::Stretching(plan));
                    let ask = Ask::Stretch(id.0, sync, user, room, range);
                    site.store.read(self.name(), ask, site.base);
                }
                Some(Step::Flush(position)) => {
                    conn.syncs.insert(sync, Sync::Streaming(plan, None));
                    self.item(Item::Flush(id, position), site.base);
                }
            }
        }
    }
}
