//! The driver of a connection: reads frames, runs effects one by one, writes what waits.

use chinwag_core::code::ErrorCode;
use chinwag_core::codec;
use chinwag_core::ids::UserId;
use chinwag_core::live::ConnId;
use chinwag_core::rate::{Bucket, Rate};
use chinwag_core::session::{Effect, Identity, Input, refuse};

use super::commit::{Job, MarkJob, Work};
use super::connection::Sync;
use super::hub::Item;
use super::{Node, Site};
use crate::base::{Base, NodeWork};
use crate::link::{Down, End, Up};
use crate::store::Ask;

/// How long a token is good: longer than any world.
const TOKEN_MS: u64 = 3_600_000;
/// Marks that wait. Beyond: `unavailable`.
const MARKS_QUEUE_MAX: usize = 16_384;
/// Commands that wait: few, so that the queue runs over at times. Beyond: `unavailable`.
const WORK_QUEUE_MAX: usize = 24;

impl Node {
    /// Takes frames off the socket while the session wants them.
    pub(super) fn read_frames(&mut self, id: ConnId, base: &Base) {
        loop {
            let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
                return;
            };
            if !conn.wants_input() || conn.closing.is_some() {
                return;
            }
            let input = match conn.inbox.pop_front() {
                Some(Up::Frame(text)) => Input::Frame(codec::decode(&text)),
                Some(Up::Pong) => Input::Heard,
                None => return,
            };
            self.input(id, input, base);
        }
    }

    /// Puts the driver on the agenda if it has something to do. A busy node takes a while.
    pub(super) fn plan_drive(&mut self, id: ConnId, base: &mut Base) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        if conn.effects.is_empty() || conn.driving {
            return;
        }
        conn.driving = true;
        let pause = match base.rng.below(20) {
            0 => base.rng.between(3, 25),
            1..=6 => 1,
            _ => 0,
        };
        self.later(base, pause, NodeWork::Drive(id));
    }

    /// Runs one effect.
    pub(super) fn drive(&mut self, id: ConnId, site: &mut Site<'_>) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        conn.driving = false;
        let Some(effect) = conn.effects.pop_front() else {
            return;
        };
        match effect {
            Effect::Authenticate(token) => {
                conn.token = Some(token);
                let delay = site.base.rng.between(0, 3);
                self.later(site.base, delay, NodeWork::Verified(id));
            }
            Effect::Register(user) => self.item(Item::Register(id, user), site.base),
            Effect::Snapshot(cursor) => {
                let Some(user) = conn.user else { return };
                conn.syncs_begun += 1;
                let sync = conn.syncs_begun;
                conn.syncs.insert(sync, Sync::Reading);
                let ask = Ask::Snapshot(id.0, sync, user, cursor);
                site.store.read(self.name(), ask, site.base);
            }
            Effect::Submit(req, turn, submission) => {
                let job = Job {
                    conn: id,
                    req,
                    turn,
                    submission,
                };
                self.submit(job, site.base);
            }
            Effect::LookUp(room, key) => {
                let Some(user) = conn.user else { return };
                let ask = Ask::Key(id.0, user, room, key);
                site.store.read(self.name(), ask, site.base);
            }
            Effect::Mark(req, mark) => {
                if self.marks.len() < MARKS_QUEUE_MAX {
                    let conn = id;
                    self.marks.push_back(MarkJob { conn, req, mark });
                } else {
                    let code = ErrorCode::Unavailable;
                    conn.reply(refuse(Some(req), code, code.meaning()));
                    self.input(id, Input::Replied(req), site.base);
                }
            }
            Effect::Read(req, query) => {
                let Some(user) = conn.user else { return };
                let ask = Ask::Query(id.0, user, req, query);
                site.store.read(self.name(), ask, site.base);
            }
            beside @ (Effect::Aside(..)
            | Effect::Settings(..)
            | Effect::Own(..)
            | Effect::Deed(..)) => {
                self.beside(id, beside, site);
            }
            Effect::Pong(req, rooms) => self.item(Item::Pong(id, req, rooms), site.base),
            Effect::Send(..) => unreachable!("frames are queued by the step that made them"),
            Effect::Ping => {
                let queued = conn
                    .outbox
                    .push(chinwag_core::lanes::Lane::Control, Down::Ping, 2);
                assert!(queued, "control frames always find room");
            }
            Effect::Close(code) => conn.closing = Some(code),
        }
    }

    /// A token has been looked at.
    pub(super) fn verified(&mut self, id: ConnId, site: &mut Site<'_>) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        let token = conn.token.take().unwrap_or_default();
        let Some(profile) = site.people.get(&token) else {
            let input = Input::Authenticated(Err(ErrorCode::BadToken));
            return self.input(id, input, site.base);
        };
        let user: UserId = profile.id;
        conn.user = Some(user);
        self.note_return(id, user, site.base.now);
        let now = site.base.tick();
        self.buckets
            .entry(user)
            .or_insert_with(|| Bucket::new(Rate::default(), now));
        let identity = Identity {
            user: profile.clone(),
            session: None,
            expires_in_ms: TOKEN_MS,
            now: site.base.wall(),
        };
        self.input(id, Input::Authenticated(Ok(identity)), site.base);
    }

    /// Writes what waits while the socket takes it; then closes, if that was asked for.
    pub(super) fn write(&mut self, id: ConnId, site: &mut Site<'_>) {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.gone) else {
            return;
        };
        while site.links.writable(conn.link) {
            let Some((frame, _bytes)) = conn.outbox.pop() else {
                break;
            };
            site.links.down(conn.link, frame, site.base);
        }
        if let Some(code) = conn.closing {
            let link = conn.link;
            let silent = code == chinwag_core::code::CloseCode::Silent;
            if conn.outbox.is_empty() {
                site.links.close(link, code, site.base);
            } else if silent {
                // Nobody reads there: what waits cannot be written out.
                site.links.release(link, End::Server, site.base);
            } else {
                return;
            }
            self.by_link.remove(&link);
            self.end(id, site.base);
        }
    }

    /// Queues a command; a full queue refuses it, retryably.
    fn submit(&mut self, job: Job, base: &mut Base) {
        if self.work.len() < WORK_QUEUE_MAX {
            self.work.push_back(Work::Job(job));
        } else {
            base.counts.full += 1;
            self.gate
                .refuse((job.conn, job.submission.room()), job.turn);
            self.answer(&job, Err(ErrorCode::Unavailable), base);
        }
    }
}
