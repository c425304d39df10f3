//! What goes on in a node beside the log: one loop for the commands, as in the server, and what the
//! shard tells.

use std::sync::Arc;

use chinwag_core::aside::{Aside, Granted};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::lanes::Topic;
use chinwag_core::live::ConnId;
use chinwag_core::session::{Input, refuse};
use chinwag_core::watch::Tell;
use chinwag_core::wire::{Req, ServerFrame, Settings};

use super::connection::Outboxes;
use super::hub::Item;
use super::{Node, Site};
use crate::base::Base;
use crate::link::Down;
use crate::store::Ask;

/// A command that waits for what it needs of the store.
#[derive(Debug)]
pub(super) struct AsideJob {
    pub(super) conn: ConnId,
    pub(super) user: UserId,
    pub(super) req: Req,
    pub(super) aside: Aside,
}

impl Node {
    /// Asks the store for all that waits: one read at a time, so that each connection's order stays.
    pub(super) fn begin_asides(&mut self, site: &mut Site<'_>) {
        if self.asking || self.asides.is_empty() {
            return;
        }
        self.asking = true;
        let asks = self.asides.drain(..);
        let asks = asks.map(|job| (job.conn.0, job.user, job.req, job.aside));
        let ask = Ask::Asides(asks.collect());
        site.store.read(self.name(), ask, site.base);
    }

    /// What the store says to them.
    pub(super) fn granted(
        &mut self,
        found: Vec<(u64, Req, Result<Granted, ErrorCode>)>,
        site: &mut Site<'_>,
    ) {
        self.asking = false;
        for (conn, req, granted) in found {
            let conn = ConnId(conn);
            match granted {
                Ok(granted) => self.item(Item::Granted(conn, req, granted), site.base),
                Err(code) => {
                    self.say(
                        conn,
                        req,
                        refuse(Some(req), code, code.meaning()),
                        site.base,
                    );
                }
            }
        }
    }

    /// Settings are stored, or could not be.
    pub(super) fn settled(
        &mut self,
        conn: u64,
        user: UserId,
        req: Req,
        settings: Option<Settings>,
        site: &mut Site<'_>,
    ) {
        let conn = ConnId(conn);
        let reply = match settings {
            Some(settings) => {
                self.item(Item::Settled(user, settings), site.base);
                let frame = Arc::new(ServerFrame::Settings(settings));
                self.item(Item::Marker(user, conn, frame), site.base);
                ServerFrame::Ok { req }
            }
            None => {
                let code = ErrorCode::Unavailable;
                refuse(Some(req), code, code.meaning())
            }
        };
        self.say(conn, req, reply, site.base);
    }

    pub(super) fn say(&mut self, id: ConnId, req: Req, frame: ServerFrame, base: &Base) {
        if let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) {
            conn.reply(frame);
        }
        self.input(id, Input::Replied(req), base);
    }

    /// Tells who is online and who types, where it is due.
    pub(super) fn tell(&mut self, site: &mut Site<'_>) {
        let now = site.base.tick();
        let mut outlet = Self::outboxes(&mut self.conns, site.base);
        self.shard.tell(now, &mut outlet);
    }
}

impl Tell for Outboxes<'_> {
    fn tell(
        &mut self,
        to: &mut dyn Iterator<Item = ConnId>,
        topic: Option<Topic>,
        frame: &ServerFrame,
    ) {
        let frame = Arc::new(frame.clone());
        for id in to {
            if let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) {
                let frame = Down::Frame(frame.clone());
                let bytes = frame.weight();
                conn.outbox.push_ephemeral(topic, frame, bytes);
            }
        }
    }
}
