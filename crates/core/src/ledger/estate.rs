//! One person's rows in the reference store: what an export reads, and what an erasure takes.

use std::cmp::Reverse;
use std::convert::Infallible;

use super::{Committed, Ledger};
use crate::erasure::{self, Erasure, Stage, Step};
use crate::estate::Estate;
use crate::event::Event;
use crate::ids::{Millis, RoomId, Seq, UserId};
use crate::invite::Invitation;
use crate::marker::Trails;
use crate::room::Range;
use crate::wire::{Notify, Profile};

impl Estate for Ledger {
    type Error = Infallible;

    fn ever_in(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomId>, Infallible> {
        let rooms = self.rooms_of.get(&user).into_iter().flatten().copied();
        let rooms = rooms.filter(|room| after.is_none_or(|after| *room > after));
        Ok(rooms.take(limit).collect())
    }

    fn by(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Event>, Infallible> {
        let written = self.in_range(room, range);
        let written = written.filter(|event| event.from.0 == user);
        Ok(written.take(limit).cloned().collect())
    }

    fn heir(&self, room: RoomId, user: UserId) -> Result<Option<UserId>, Infallible> {
        let log = self.logs.get(&room).into_iter();
        let rows = log.flat_map(|log| log.members.values());
        let others = rows.filter(|(member, _changed)| member.is_in() && member.user != user);
        let heir = others.min_by_key(|(member, _changed)| {
            let profile = self.people.get(&member.user);
            let is_closed = profile.is_none_or(Profile::is_deleted);
            (is_closed, Reverse(member.role), member.since(), member.user)
        });
        Ok(heir.map(|(member, _changed)| member.user))
    }

    fn erasures(&self, limit: usize) -> Result<Vec<Erasure>, Infallible> {
        let open = self.erasures.iter();
        let open = open.filter(|erasure| erasure.place.stage != Stage::Done);
        Ok(open.take(limit).cloned().collect())
    }

    fn invitations_by(&self, user: UserId) -> Result<Vec<Invitation>, Infallible> {
        let all = self.invites.values();
        Ok(all.filter(|kept| kept.by == user).copied().collect())
    }

    fn trails(&self, room: RoomId, user: UserId) -> Result<Trails, Infallible> {
        Ok(self.trails.get(&(room, user)).cloned().unwrap_or_default())
    }

    fn last_seen(&self, user: UserId) -> Result<Option<Millis>, Infallible> {
        Ok(self.seen.get(&user).copied())
    }
}

impl Ledger {
    /// Closes the account of somebody and keeps the job that goes through their rooms.
    pub fn begin_erasure(&mut self, erasure: Erasure) {
        let user = erasure.user;
        if let Some(profile) = self.people.get_mut(&user) {
            profile.name = String::new();
            profile.version += 1;
        }
        self.forget_own(user);
        self.erasures.push(erasure);
        self.position.0 += 1;
    }

    /// Does a step of an erasure; nothing if the job is further, or there is none.
    pub fn erase(&mut self, step: &Step, now: Millis) -> Committed {
        let mut jobs = self.erasures.iter();
        let job = jobs.position(|erasure| erasure.job == step.job);
        let stepped = job.and_then(|at| {
            let Ok(stepped) = erasure::decide(&*self, &self.erasures[at], step, now);
            Some((at, stepped?))
        });
        let Some((at, stepped)) = stepped else {
            return Committed {
                position: self.position,
                ..Committed::default()
            };
        };
        let user = stepped.after.user;
        let is_over = stepped.after.place.stage == Stage::Done;
        self.erasures[at] = stepped.after;
        let mut committed = self.store(stepped.decided);
        if committed.events.is_empty() {
            self.position.0 += 1;
            committed.position = self.position;
        }
        for room in &step.leave {
            self.forget_in_room(*room, user);
        }
        if is_over {
            // Once more: a write of theirs may have been under way when the account was closed.
            self.forget_own(user);
        }
        committed
    }

    /// Whether somebody's account was closed: then nothing is kept of them any more.
    pub(super) fn is_deleted(&self, user: UserId) -> bool {
        self.people.get(&user).is_some_and(Profile::is_deleted)
    }

    /// Forgets what is somebody's alone.
    fn forget_own(&mut self, user: UserId) {
        self.settings.remove(&user);
        self.seen.remove(&user);
        self.blocks.remove(&user);
        self.invites.retain(|_hash, kept| kept.by != user);
        self.rates.remove(&user);
        self.unshow(user);
    }

    /// Forgets what is somebody's alone in a room.
    fn forget_in_room(&mut self, room: RoomId, user: UserId) {
        self.trails.remove(&(room, user));
        self.hidden.remove(&(room, user));
        let log = self.logs.get_mut(&room);
        if let Some((member, _changed)) = log.and_then(|log| log.members.get_mut(&user)) {
            member.notify = Notify::default();
            member.hidden = 0;
            (member.delivered, member.read) = (Seq::ZERO, Seq::ZERO);
        }
    }
}
