//! The hub of a node: one queue before its shard, and the reads that the shard wants.

use std::sync::Arc;

use chinwag_core::aside::Granted;
use chinwag_core::event::{Event, Shared};
use chinwag_core::ids::{Position, RoomId, Seq, Tick, UserId};
use chinwag_core::lanes::Lane;
use chinwag_core::live::ConnId;
use chinwag_core::own::Owned;
use chinwag_core::receipt::Told;
use chinwag_core::session::Input;
use chinwag_core::shard::Origin;
use chinwag_core::view::Changes;
use chinwag_core::wire::{Blocks, Req, ServerFrame, Settings};

use super::{Node, Site};
use crate::base::{Base, NodeWork};
use crate::link::Down;
use crate::store::{Ask, Found};

/// Something for the shard.
pub(super) enum Item {
    Committed(Vec<Arc<Shared>>),
    Bus(Vec<Arc<Shared>>),
    Check(Vec<RoomId>),
    Register(ConnId, UserId),
    Shown(ConnId, u64, Vec<(RoomId, Seq)>, Settings, Blocks),
    Flush(ConnId, Position),
    Unregister(ConnId),
    Pong(ConnId, Req, Vec<RoomId>),
    Others(UserId, ConnId, Arc<ServerFrame>),
    Receipts(RoomId, Vec<Told>),
    Fetched(RoomId, Option<Vec<Event>>, bool),
    Changed(Changes),
    Granted(ConnId, Req, Granted),
    Settled(UserId, Settings),
    Owned(UserId, Owned),
}

impl Node {
    /// Queues an item; the shard takes a moment to come to it.
    pub(super) fn item(&mut self, item: Item, base: &mut Base) {
        self.items.push_back(item);
        if !self.shard_planned {
            self.shard_planned = true;
            let slow = base.rng.chance(100);
            let delay = if slow { base.rng.between(1, 10) } else { 0 };
            self.later(base, delay, NodeWork::Shard);
        }
    }

    /// Runs everything that waits.
    pub(super) fn run_shard(&mut self, site: &mut Site<'_>) {
        self.shard_planned = false;
        while let Some(item) = self.items.pop_front() {
            self.shard_item(item, site);
            self.fetch(site);
        }
        self.tell(site);
    }

    fn shard_item(&mut self, item: Item, site: &mut Site<'_>) {
        let now = site.base.tick();
        let mut outlet = Self::outboxes(&mut self.conns, site.base);
        let (shard, wants) = (&mut self.shard, &mut self.wants);
        match item {
            Item::Committed(events) => {
                shard.deliver(&events, Origin::Local, now, &mut outlet, wants);
            }
            Item::Bus(events) => shard.deliver(&events, Origin::Bus, now, &mut outlet, wants),
            Item::Check(rooms) => shard.check(&rooms, now, &mut outlet, wants),
            Item::Register(conn, user) => shard.register(conn, user),
            Item::Shown(conn, sync, heads, settings, blocks) => {
                // A sync that was given up meanwhile shows nothing.
                let under_way = outlet.conns.get(&conn);
                if !under_way.is_some_and(|conn| conn.syncs.contains_key(&sync)) {
                    return;
                }
                if let Some(user) = shard.live().user_of(conn) {
                    shard.learn(user, settings, now);
                    shard.learn_blocks(user, &blocks, now);
                }
                if let Some(conn) = outlet.conns.get_mut(&conn) {
                    conn.out
                        .retain(|room| heads.iter().all(|(head, _seq)| head != room));
                }
                let on = shard.shown(conn, &heads, now, &mut outlet, wants);
                self.shown(conn, sync, on);
            }
            Item::Flush(conn, position) => {
                let live = shard.flush(conn, position, now, &mut outlet);
                site.base.trace.note(
                    site.base.now,
                    format_args!("n{} flushes {conn:?} at {position}: {live}", self.index),
                );
            }
            Item::Unregister(conn) => {
                let note = format_args!("n{} forgets {conn:?}", self.index);
                site.base.trace.note(site.base.now, note);
                shard.unregister(conn, now);
                self.conns.remove(&conn);
            }
            Item::Pong(conn, req, rooms) => {
                let (position, heads) = shard.pong(conn, &rooms);
                let pong = ServerFrame::Pong {
                    req,
                    now: site.base.wall(),
                    position,
                    heads,
                };
                let pong = Down::Frame(Arc::new(pong));
                let open = self.conns.get_mut(&conn).filter(|conn| !conn.gone);
                if open.is_some_and(|open| !open.push(Lane::vouching(), pong, now)) {
                    shard.fell_behind(conn);
                }
            }
            Item::Receipts(room, told) => self.tell_receipts(room, told, site),
            Item::Others(user, except, frame) => self.tell_user(user, Some(except), &frame, now),
            Item::Owned(user, owned) => {
                if let Owned::Blocks(blocks) = &owned {
                    shard.learn_blocks(user, blocks, now);
                }
                self.tell_user(user, None, &Arc::new(owned.frame()), now);
            }
            Item::Granted(conn, req, granted) => self.grant(conn, req, granted, site),
            Item::Settled(user, settings) => shard.learn(user, settings, now),
            Item::Fetched(room, events, more) => {
                let found = events.as_ref().map(Vec::len);
                site.base.trace.note(
                    site.base.now,
                    format_args!("n{} fetched {room}: {found:?}", self.index),
                );
                shard.fetched(room, events, more, now, &mut outlet, wants);
            }
            Item::Changed(changes) => {
                self.looking = false;
                site.base.trace.note(
                    site.base.now,
                    format_args!("n{} looks: {changes:?}", self.index),
                );
                shard.changes(&changes, now, &mut outlet, wants);
            }
        }
    }

    /// Tells the connections of a user something, but this one.
    pub(super) fn tell_user(
        &mut self,
        user: UserId,
        except: Option<ConnId>,
        frame: &Arc<ServerFrame>,
        now: Tick,
    ) {
        let ids: Vec<ConnId> = self.shard.live().listening(user).collect();
        for id in ids.into_iter().filter(|id| Some(*id) != except) {
            let frame = Down::Frame(frame.clone());
            let open = self.conns.get_mut(&id).filter(|conn| !conn.gone);
            if open.is_some_and(|open| !open.push(Lane::Receipt, frame, now)) {
                self.shard.fell_behind(id);
            }
        }
    }

    fn fetch(&mut self, site: &mut Site<'_>) {
        for (room, after) in std::mem::take(&mut self.wants.fetch) {
            site.base.counts.fetches += 1;
            let ask = Ask::Fetch(room, after);
            site.store.read(self.name(), ask, site.base);
        }
    }

    /// Puts the feed's next time on the agenda.
    pub(super) fn plan_due(&mut self, base: &mut Base) {
        let due = [self.shard.due(), self.shard.tell_due()];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        if self.due_planned.is_none_or(|planned| due.0 < planned) {
            self.due_planned = Some(due.0.max(base.now + 1));
            let delay = due.0.saturating_sub(base.now).max(1);
            self.later(base, delay, NodeWork::Due);
        }
    }

    pub(super) fn shard_due(&mut self, site: &mut Site<'_>) {
        self.due_planned = None;
        let now = site.base.tick();
        let mut outlet = Self::outboxes(&mut self.conns, site.base);
        self.shard.tick(now, &mut outlet, &mut self.wants);
        self.tell(site);
        self.fetch(site);
    }

    /// Looks for changes that nobody told of.
    pub(super) fn look(&mut self, site: &mut Site<'_>) {
        if !std::mem::replace(&mut self.looking, true) {
            let ask = Ask::Look(self.shard.vouched());
            site.store.read(self.name(), ask, site.base);
        }
    }

    /// What a read found.
    pub(super) fn found(&mut self, found: Found, site: &mut Site<'_>) {
        match found {
            Found::Snapshot(conn, sync, snapshot) => {
                self.snapshot(ConnId(conn), sync, snapshot, site.base);
            }
            Found::Stretch(conn, sync, room, range, stretch) => {
                self.stretch(ConnId(conn), sync, (room, range), stretch, site.base);
            }
            Found::Query(conn, req, frame) => {
                let id = ConnId(conn);
                if let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) {
                    conn.reply(*frame);
                }
                self.input(id, Input::Replied(req), site.base);
            }
            Found::Fetch(room, events, more) => {
                self.item(Item::Fetched(room, events, more), site.base);
            }
            Found::Look(changes) => self.item(Item::Changed(changes), site.base),
            Found::Row(conn, user, row) => {
                if let Some(row) = row {
                    let frame = ServerFrame::Marker {
                        room: row.room,
                        delivered: row.me.delivered,
                        read: row.me.read,
                        unread: row.me.unread,
                        mentions: row.me.mentions,
                    };
                    let item = Item::Others(user, ConnId(conn), Arc::new(frame));
                    self.item(item, site.base);
                }
            }
            Found::Asides(found) => self.granted(found, site),
            Found::Receipts(found) => {
                for (room, told) in found {
                    self.item(Item::Receipts(room, told), site.base);
                }
            }
            Found::Set(conn, user, req, settings) => {
                self.settled(conn, user, req, settings, site);
            }
            Found::Own(conn, user, req, owned) => {
                self.owned(conn, user, req, owned, site);
            }
            Found::Deed(conn, req, drawn, done) => self.done(ConnId(conn), req, drawn, done, site),
            Found::Key(conn, room, key, stored) => {
                let input = Input::LookedUp { room, key, stored };
                self.input(ConnId(conn), input, site.base);
            }
        }
    }
}
