//! One room that somebody looks at: who is online, what of that has been told, and to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Tell;
use super::walls::Walls;
use crate::ids::{RoomId, Tick, UserId};
use crate::lanes::Topic;
use crate::limits;
use crate::live::{ConnId, Live};
use crate::typing::{Typing, Typists};
use crate::wire::ServerFrame;

/// What a room is told by: who is where, and who is kept apart from whom.
pub(super) struct View<'a> {
    pub(super) live: &'a Live,
    pub(super) walls: &'a Walls,
}

impl View<'_> {
    /// Whom the user of a connection is told nothing of, if there is anybody.
    fn hidden_from(&self, conn: ConnId) -> Option<&BTreeSet<UserId>> {
        if self.walls.is_empty() {
            return None;
        }
        self.walls.hidden_from(self.live.user_of(conn)?)
    }
}

/// A room that somebody looks at.
#[derive(Debug)]
pub(super) struct Looked {
    /// As the last look at it found it: decides whether people are named.
    members: u32,
    /// Those who have been shown the room and are told what changes.
    watchers: BTreeSet<ConnId>,
    /// Those who are to be shown it.
    fresh: BTreeSet<ConnId>,
    online: BTreeSet<UserId>,
    /// Of those who are named: who is online now (true) or not, other than was told.
    changed: BTreeMap<UserId, bool>,
    /// How many were told to be online.
    counted: usize,
    /// The number of the last change that was told.
    change: u64,
    /// All watchers are to be shown the room again: it became large or small.
    anew: bool,
    told: Option<Tick>,
    pub(super) typing: Typing,
    typing_told: Option<Tick>,
    /// What those were told last who are kept apart from others: the next frame must not tell by
    /// its mere coming that something has changed.
    apart: BTreeMap<ConnId, ServerFrame>,
    /// When it stands among the timers.
    pub(super) timer: Option<Tick>,
}

/// What is shown to somebody who hides: nobody.
pub(super) fn nobody(room: RoomId) -> ServerFrame {
    presence(room, 0, Some(0), Some(Vec::new()))
}

fn presence(
    room: RoomId,
    count: usize,
    change: Option<u64>,
    online: Option<Vec<UserId>>,
) -> ServerFrame {
    ServerFrame::Presence {
        room,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        change,
        online,
        joined: Vec::new(),
        left: Vec::new(),
    }
}

fn typing(room: RoomId, typists: Typists) -> ServerFrame {
    let Typists { users, more } = typists;
    ServerFrame::Typing { room, users, more }
}

impl Looked {
    pub(super) fn new(members: u32, online: BTreeSet<UserId>) -> Self {
        Self {
            members,
            watchers: BTreeSet::new(),
            fresh: BTreeSet::new(),
            counted: online.len(),
            online,
            changed: BTreeMap::new(),
            change: 0,
            anew: false,
            told: None,
            typing: Typing::default(),
            typing_told: None,
            apart: BTreeMap::new(),
            timer: None,
        }
    }

    fn names(&self) -> bool {
        self.members <= limits::PRESENCE_NAMED_MEMBERS_MAX
    }

    fn names_max(&self) -> usize {
        if self.names() {
            limits::TYPISTS_MAX
        } else {
            limits::TYPISTS_NAMED_LARGE_MAX
        }
    }

    fn every_ms(&self) -> u64 {
        if self.names() {
            limits::EPHEMERAL_EVERY_MS
        } else {
            limits::EPHEMERAL_EVERY_LARGE_MS
        }
    }

    /// The room has so many members.
    pub(super) fn size(&mut self, members: u32) {
        let named = self.names();
        self.members = members;
        if named != self.names() {
            self.anew = true;
            self.changed.clear();
        }
    }

    pub(super) fn look(&mut self, conn: ConnId) {
        self.watchers.remove(&conn);
        self.apart.remove(&conn);
        self.fresh.insert(conn);
    }

    pub(super) fn turn_away(&mut self, conn: ConnId) {
        self.watchers.remove(&conn);
        self.fresh.remove(&conn);
        self.apart.remove(&conn);
    }

    pub(super) fn is_unseen(&self) -> bool {
        self.watchers.is_empty() && self.fresh.is_empty()
    }

    pub(super) fn online_after(&self, after: Option<UserId>) -> impl Iterator<Item = UserId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.online.range((from, Bound::Unbounded)).copied()
    }

    pub(super) fn enter(&mut self, user: UserId) {
        if self.online.insert(user) {
            self.turned(user, true);
        }
    }

    pub(super) fn leave(&mut self, user: UserId) {
        if self.online.remove(&user) {
            self.turned(user, false);
        }
    }

    fn turned(&mut self, user: UserId, online: bool) {
        if !self.names() {
            return;
        }
        // Back to what was told: nothing is to be told.
        if self.changed.remove(&user).is_none() {
            self.changed.insert(user, online);
        }
    }

    fn is_changed(&self) -> bool {
        let changed = if self.names() {
            !self.changed.is_empty()
        } else {
            self.counted != self.online.len()
        };
        changed || self.anew
    }

    /// When there is something to tell.
    pub(super) fn due(&self, now: Tick) -> Option<Tick> {
        let after =
            |told: Option<Tick>| told.map_or(now, |told| told.plus(self.every_ms()).max(now));
        let fresh = (!self.fresh.is_empty()).then_some(now);
        let presence = self.is_changed().then(|| after(self.told));
        let typing = self.typing.is_changed().then(|| after(self.typing_told));
        let stops = self.typing.expires();
        [fresh, presence, typing, stops].into_iter().flatten().min()
    }

    /// Tells what is due.
    pub(super) fn tell(&mut self, room: RoomId, view: &View<'_>, now: Tick, out: &mut impl Tell) {
        self.typing.expire(now);
        let is_due =
            |told: Option<Tick>| told.is_none_or(|told| now.since(told) >= self.every_ms());
        let (presence, typing) = (is_due(self.told), is_due(self.typing_told));
        if self.watchers.is_empty() {
            // Nobody knows anything yet.
            self.changed.clear();
            self.counted = self.online.len();
            self.anew = false;
        } else if presence && self.is_changed() {
            self.told = Some(now);
            let frame = self.take_change(room);
            let topic = (!self.names()).then_some(Topic::Online(room));
            let together = self.watchers.iter().copied();
            let mut together = together.filter(|conn| view.hidden_from(*conn).is_none());
            out.tell(&mut together, topic, &frame);
            let apart = self.watchers.iter().copied();
            let apart: Vec<ConnId> = apart
                .filter(|conn| view.hidden_from(*conn).is_some())
                .collect();
            apart
                .into_iter()
                .for_each(|conn| self.tell_apart(room, conn, view, out));
        }
        if !self.fresh.is_empty() {
            self.welcome(room, view, out);
        }
        if typing && self.typing.is_changed() {
            self.typing_told = Some(now);
            self.tell_typing(room, view, now, out);
        }
    }

    fn take_change(&mut self, room: RoomId) -> ServerFrame {
        let anew = std::mem::take(&mut self.anew);
        self.counted = self.online.len();
        if !self.names() {
            return presence(room, self.counted, None, None);
        }
        self.change += 1;
        let changed = std::mem::take(&mut self.changed);
        if anew {
            return self.snapshot(room);
        }
        let some = |online: bool| {
            let some = changed.iter().filter(|(_user, now)| **now == online);
            some.map(|(user, _now)| *user).collect()
        };
        ServerFrame::Presence {
            room,
            count: u32::try_from(self.counted).unwrap_or(u32::MAX),
            change: Some(self.change),
            online: None,
            joined: some(true),
            left: some(false),
        }
    }

    /// The room as it was told last: what changed since goes to everybody alike.
    fn snapshot(&self, room: RoomId) -> ServerFrame {
        if !self.names() {
            return presence(room, self.online.len(), None, None);
        }
        let mut told = self.online.clone();
        for (user, online) in &self.changed {
            if *online {
                told.remove(user);
            } else {
                told.insert(*user);
            }
        }
        let count = told.len();
        presence(
            room,
            count,
            Some(self.change),
            Some(told.into_iter().collect()),
        )
    }

    /// Shows the room to one who is told nothing of some: all of it, if it is other than they know.
    fn tell_apart(&mut self, room: RoomId, conn: ConnId, view: &View<'_>, out: &mut impl Tell) {
        let Some(hidden) = view.hidden_from(conn) else {
            return;
        };
        let shown: Vec<UserId> = self.online.difference(hidden).copied().collect();
        let frame = if self.names() {
            presence(room, shown.len(), Some(0), Some(shown))
        } else {
            presence(room, shown.len(), None, None)
        };
        if self.apart.get(&conn) == Some(&frame) {
            return;
        }
        let topic = (!self.names()).then_some(Topic::Online(room));
        out.tell(&mut std::iter::once(conn), topic, &frame);
        self.apart.insert(conn, frame);
    }

    /// Shows the room to those who have just begun to look.
    fn welcome(&mut self, room: RoomId, view: &View<'_>, out: &mut impl Tell) {
        let fresh = std::mem::take(&mut self.fresh);
        let topic = (!self.names()).then_some(Topic::Online(room));
        let frame = self.snapshot(room);
        let together = fresh.iter().copied();
        let mut together = together.filter(|conn| view.hidden_from(*conn).is_none());
        out.tell(&mut together, topic, &frame);
        for conn in &fresh {
            self.tell_apart(room, *conn, view, out);
            let hidden = view.hidden_from(*conn);
            let user = view.live.user_of(*conn);
            let typists =
                user.and_then(|user| self.typing.shown_to(user, hidden, self.names_max()));
            if let Some(typists) = typists {
                let topic = Some(Topic::Typing(room));
                out.tell(&mut std::iter::once(*conn), topic, &typing(room, typists));
            }
        }
        self.watchers.extend(fresh);
    }

    fn tell_typing(&mut self, room: RoomId, view: &View<'_>, now: Tick, out: &mut impl Tell) {
        let telling = self.typing.tell(now, self.names_max());
        let topic = Some(Topic::Typing(room));
        let mut apart = BTreeSet::new();
        let kept_apart = self.watchers.iter().copied();
        let kept_apart = kept_apart.filter(|conn| view.hidden_from(*conn).is_some());
        let mut users = telling.apart();
        users.extend(kept_apart.filter_map(|conn| view.live.user_of(conn)));
        for user in users {
            let looking = view.live.connections(user).iter().copied();
            let looking: Vec<ConnId> = looking
                .filter(|conn| self.watchers.contains(conn))
                .collect();
            let typists = telling.to(user, view.walls.hidden_from(user));
            if let Some(typists) = typists.filter(|_| !looking.is_empty()) {
                out.tell(&mut looking.iter().copied(), topic, &typing(room, typists));
            }
            apart.extend(looking);
        }
        if let Some(typists) = telling.to_others() {
            let others = self.watchers.iter().filter(|conn| !apart.contains(conn));
            out.tell(&mut others.copied(), topic, &typing(room, typists));
        }
    }
}
