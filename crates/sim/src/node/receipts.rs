//! Receipts of a node: paced by the core's pacer, looked up in one read, told by the shard. The
//! others' users hear of them by asking; nodes do not tell each other yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::receipt::Told;
use chinwag_core::room::Range;
use chinwag_core::wire::ServerFrame;

use super::{Node, Site};
use crate::base::{Base, NodeWork};
use crate::store::Ask;

impl Node {
    /// Puts the next receipts on the agenda.
    pub(super) fn plan_receipts(&mut self, base: &mut Base) {
        let Some(due) = self.pacer.due() else { return };
        if self.receipts_planned.is_none_or(|planned| due.0 < planned) {
            let delay = due.0.saturating_sub(base.now).max(1);
            self.receipts_planned = Some(base.now + delay);
            self.later(base, delay, NodeWork::Receipts);
        }
    }

    /// Looks up who is to be told of what is due.
    pub(super) fn receipts_due(&mut self, site: &mut Site<'_>) {
        self.receipts_planned = None;
        let due = self.pacer.take(site.base.tick());
        if !due.is_empty() {
            let conns = self.conns.values().filter(|conn| !conn.gone);
            let connected: BTreeSet<UserId> = conns.filter_map(|conn| conn.user).collect();
            let ask = Ask::Receipts(due, connected);
            site.store.read(self.name(), ask, site.base);
        }
    }

    /// Tells those who wrote and are still in.
    pub(super) fn tell_receipts(&mut self, room: RoomId, told: Vec<Told>, site: &mut Site<'_>) {
        let now = site.base.tick();
        for (author, frame) in told {
            if !self.shard.live().is_in(author, room) {
                continue;
            }
            judge(room, author, &frame, site);
            let frame = Arc::new(frame);
            self.tell_user(author, None, &frame, now);
        }
    }
}

/// Whoever is told has written something that the markers have passed.
fn judge(room: RoomId, author: UserId, frame: &ServerFrame, site: &mut Site<'_>) {
    let ServerFrame::Receipt { members, .. } = frame else {
        unreachable!("{frame:?} is not a receipt");
    };
    let passed = members.iter().map(|(_user, delivered, _read)| *delivered);
    let passed = passed.max().unwrap_or_default();
    let range = Range {
        from: Seq(1),
        to: passed,
    };
    let log = site.store.ledger.range(room, range, usize::MAX);
    let mut wrote = log.iter().filter(|event| event.body.is_message());
    if !wrote.any(|event| event.from.0 == author) {
        let what = format!("{author} wrote nothing in {room} up to {passed} and is told of it");
        site.base.wrong.push(what);
    }
}
