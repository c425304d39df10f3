//! What goes on in a node beside the log: one loop for the commands, as in the server, and what the
//! shard tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chinwag_core::aside::{Aside, Granted};
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::Change;
use chinwag_core::ids::{InviteToken, RoomId, UserId};
use chinwag_core::lanes::Topic;
use chinwag_core::limits;
use chinwag_core::live::ConnId;
use chinwag_core::own::Owned;
use chinwag_core::session::{Effect, Input, refuse};
use chinwag_core::watch::Tell;
use chinwag_core::wire::{Req, ServerFrame, Settings};

use super::connection::Conn;
use super::hub::Item;
use super::{Node, Site};
use crate::base::{Base, NodeRef};
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
    /// Runs an effect that has nothing to do with the log.
    pub(super) fn beside(&mut self, conn: ConnId, effect: Effect, site: &mut Site<'_>) {
        let Some(user) = self.conns.get(&conn).and_then(|conn| conn.user) else {
            return;
        };
        match effect {
            Effect::Aside(req, aside) => self.asides.push_back(AsideJob {
                conn,
                user,
                req,
                aside,
            }),
            Effect::Settings(req, change) => {
                let ask = Ask::Set(conn.0, user, req, change);
                site.store.read(self.name(), ask, site.base);
            }
            Effect::Own(req, change) => {
                let ask = Ask::Own(conn.0, user, req, change);
                site.store.read(self.name(), ask, site.base);
            }
            Effect::Deed(req, deed) => {
                let token = InviteToken(site.base.rng.bytes());
                let ask = Ask::Deed(conn.0, user, req, deed, token);
                site.store.read(self.name(), ask, site.base);
            }
            other => unreachable!("{other:?} is the driver's"),
        }
    }

    /// What the store allows is done by the shard.
    pub(super) fn grant(&mut self, id: ConnId, req: Req, granted: Granted, site: &mut Site<'_>) {
        let user = self.shard.live().user_of(id);
        if let (Granted::Typing { room, on: true }, Some(user)) = (&granted, user) {
            let at = (self.name(), *room, user);
            site.base.typed.insert(at, site.base.now);
        }
        let reply = self.shard.aside(id, req, granted, site.base.tick());
        self.say(id, req, reply, site.base);
    }

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
                self.item(Item::Others(user, conn, frame), site.base);
                ServerFrame::Ok { req }
            }
            None => {
                let code = ErrorCode::Unavailable;
                refuse(Some(req), code, code.meaning())
            }
        };
        self.say(conn, req, reply, site.base);
    }

    /// One's own state is stored, or could not be.
    pub(super) fn owned(
        &mut self,
        conn: u64,
        user: UserId,
        req: Req,
        owned: Result<Owned, ErrorCode>,
        site: &mut Site<'_>,
    ) {
        let reply = match owned {
            Ok(owned) => {
                self.item(Item::Owned(user, owned), site.base);
                ServerFrame::Ok { req }
            }
            Err(code) => refuse(Some(req), code, code.meaning()),
        };
        self.say(ConnId(conn), req, reply, site.base);
    }

    /// A deed is done, or refused.
    pub(super) fn done(
        &mut self,
        conn: ConnId,
        req: Req,
        token: InviteToken,
        done: Option<Result<Change, ErrorCode>>,
        site: &mut Site<'_>,
    ) {
        let reply = match done.unwrap_or(Err(ErrorCode::Unavailable)) {
            Ok(Change::Invited(invitation)) => ServerFrame::Invite {
                req,
                room: invitation.room,
                token,
                invite: invitation.row(),
            },
            Ok(Change::Revoked(_hash)) => ServerFrame::Ok { req },
            Err(code) => refuse(Some(req), code, code.meaning()),
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
        let mut telling = Telling {
            node: self.name(),
            conns: &mut self.conns,
            base: site.base,
        };
        self.shard.tell(now, &mut telling);
    }

    /// A connection has ended: whether its user goes with it, for [`Node::online`].
    pub(super) fn note_loss(&mut self, id: ConnId, now: u64) {
        let Some(conn) = self.conns.get(&id).filter(|conn| conn.keeps_online) else {
            return;
        };
        let Some(user) = conn.user else { return };
        let here = self.conns.values_mut();
        let here = here.filter(|conn| !conn.gone && conn.user == Some(user));
        let mut last = true;
        for other in here {
            other.keeps_online = true;
            last = false;
        }
        if last {
            self.lost.insert(user, now);
        }
    }

    /// A connection is its user's from now on. Whoever comes back while others are told that they
    /// are online stays so, as long as the connection tries to catch up.
    pub(super) fn note_return(&mut self, id: ConnId, user: UserId, now: u64) {
        let leaving = self.may_be_leaving(user, now);
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.keeps_online |= leaving;
        }
    }

    /// Whether `user` may have lost their last connection a short time ago.
    fn may_be_leaving(&self, user: UserId, now: u64) -> bool {
        let lost = self.lost.get(&user);
        lost.is_some_and(|lost| now - lost <= limits::PRESENCE_GRACE_MS + 1_000)
    }

    /// Who must be online here, and who may be, counted by connections alone. Somebody who has
    /// none, or who is behind, may be in rooms by now that this node has not heard of.
    pub(crate) fn online(&self, now: u64) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
        let (mut online, mut may) = (BTreeSet::new(), BTreeSet::new());
        for (id, conn) in self.conns.iter().filter(|(_id, conn)| !conn.gone) {
            if self.shard.live().is_live(*id) {
                online.extend(conn.user);
            } else if conn.keeps_online {
                may.extend(conn.user);
            }
        }
        let lost = self.lost.keys().copied();
        may.extend(lost.filter(|user| self.may_be_leaving(*user, now)));
        may.retain(|user| !online.contains(user));
        (online, may)
    }
}

/// The outboxes of a node, and who looks whether they may be told.
struct Telling<'a> {
    node: NodeRef,
    conns: &'a mut BTreeMap<ConnId, Conn>,
    base: &'a mut Base,
}

impl Telling<'_> {
    /// Nobody types who has not said so lately.
    fn judge_typing(&mut self, room: RoomId, users: &[UserId]) {
        for user in users {
            let said = self.base.typed.get(&(self.node, room, *user));
            let until = said.map(|said| said + limits::TYPING_MS);
            if until.is_none_or(|until| self.base.now > until) {
                let (now, node) = (self.base.now, self.node.node);
                let what = format!("n{node} tells at {now} that {user} types in {room}: {said:?}");
                self.base.wrong.push(what);
            }
        }
    }
}

impl Tell for Telling<'_> {
    fn tell(
        &mut self,
        to: &mut dyn Iterator<Item = ConnId>,
        topic: Option<Topic>,
        frame: &ServerFrame,
    ) {
        let room = match frame {
            ServerFrame::Typing { room, users, .. } => {
                self.judge_typing(*room, users);
                *room
            }
            ServerFrame::Presence { room, .. } => *room,
            other => unreachable!("{other:?} is not ephemeral"),
        };
        let frame = Arc::new(frame.clone());
        for id in to {
            let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
                continue;
            };
            if conn.out.contains(&room) {
                let what = format!(
                    "{:?} is told of {room} after it was told to be out",
                    conn.user
                );
                self.base.wrong.push(what);
            }
            let frame = Down::Frame(frame.clone());
            let bytes = frame.weight();
            conn.outbox.push_ephemeral(topic, frame, bytes);
        }
    }
}
