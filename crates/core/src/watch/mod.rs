//! Rooms that somebody looks at: who is online in them, who types, and whom that is told to.
//!
//! A connection says which rooms it looks at; of these alone a set of who is online is kept, and
//! nothing of rooms that nobody looks at. Changes are told together, at most once in a while for
//! each room. A wish to look at a room in which one is not comes true when one is let in.
//! Membership is what `live` says, in the order of the log (contract 1). Nothing here is stored or
//! decides delivery. Driven by `shard`; lives as long as it.

mod room;
#[cfg(test)]
mod tests;
mod walls;
mod who;

use std::collections::{BTreeMap, BTreeSet};

use self::room::{Looked, View};
use self::walls::Walls;
use crate::event::{Event, Turn};
use crate::ids::{RoomId, Tick, UserId};
use crate::lanes::Topic;
use crate::live::{ConnId, Live};
use crate::presence::{Gone, Presence};
use crate::wire::{Blocks, ServerFrame, Settings};

/// Where ephemeral frames go: the outboxes of one shard.
pub trait Tell {
    /// Queues a frame for several connections, in the place of an older one of the same topic. It
    /// may vanish.
    fn tell(
        &mut self,
        to: &mut dyn Iterator<Item = ConnId>,
        topic: Option<Topic>,
        frame: &ServerFrame,
    );
}

/// Whether somebody hides that they are online, as their settings said at this version.
#[derive(Debug, Clone, Copy)]
struct Hiding {
    version: u64,
    hides: bool,
}

/// What is looked at in one shard, and who is online there.
#[derive(Debug, Default)]
pub struct Watching {
    presence: Presence,
    rooms: BTreeMap<RoomId, Looked>,
    /// What each connection wants to look at, with how many members its room has.
    wishes: BTreeMap<ConnId, Vec<(RoomId, u32)>>,
    /// Those who have changed their settings.
    hiding: BTreeMap<UserId, Hiding>,
    /// Between those of whom one has blocked the other.
    walls: Walls,
    /// Wishes of those who hide, to be answered.
    blind: Vec<(ConnId, RoomId)>,
    timers: BTreeSet<(Tick, RoomId)>,
}

impl Watching {
    /// From now on `conn` looks at these rooms, of which each has so many members. All of them are
    /// shown anew.
    pub fn watch(&mut self, conn: ConnId, rooms: Vec<(RoomId, u32)>, live: &Live, now: Tick) {
        self.part(conn);
        if rooms.is_empty() {
            return;
        }
        self.wishes.insert(conn, rooms);
        self.fulfil(conn, live, now);
    }

    /// `conn` looks at nothing any more.
    pub fn part(&mut self, conn: ConnId) {
        for (room, _members) in self.wishes.remove(&conn).unwrap_or_default() {
            self.turn_away(conn, room);
        }
    }

    fn turn_away(&mut self, conn: ConnId, room: RoomId) {
        let Some(looked) = self.rooms.get_mut(&room) else {
            return;
        };
        looked.turn_away(conn);
        if looked.is_unseen() {
            let timer = looked.timer;
            self.rooms.remove(&room);
            timer.map(|timer| self.timers.remove(&(timer, room)));
        }
    }

    /// Shows `conn` all it wants to look at, as far as it may.
    fn fulfil(&mut self, conn: ConnId, live: &Live, now: Tick) {
        let wishes = self.wishes.get(&conn).cloned().unwrap_or_default();
        for (room, members) in wishes {
            self.show(conn, room, members, live, now);
        }
    }

    fn show(&mut self, conn: ConnId, room: RoomId, members: u32, live: &Live, now: Tick) {
        let Some(user) = live.user_of(conn) else {
            return;
        };
        if !live.is_live(conn) || !live.is_in(user, room) {
            return;
        }
        if self.hides(user) {
            self.blind.push((conn, room));
            return;
        }
        if !self.rooms.contains_key(&room) {
            let online = self.online_in(room, live);
            self.rooms.insert(room, Looked::new(members, online));
        }
        if let Some(looked) = self.rooms.get_mut(&room) {
            looked.size(members);
            looked.look(conn);
        }
        self.plan(room, now);
    }

    /// Who is online in a room, and does not hide it.
    fn online_in(&self, room: RoomId, live: &Live) -> BTreeSet<UserId> {
        let here = live.users_in(room).filter(|user| live.is_online(*user));
        let all = here.chain(self.presence.leaving_in(room));
        all.filter(|user| !self.hides(*user)).collect()
    }

    /// Whether `user` hides that they are online, and so sees of nobody that they are.
    fn hides(&self, user: UserId) -> bool {
        self.hiding.get(&user).is_some_and(|hiding| hiding.hides)
    }

    /// Whether others are told that `user` is online.
    fn shows_online(&self, user: UserId, live: &Live) -> bool {
        let online = live.is_online(user) || self.presence.is_leaving(user);
        online && !self.hides(user)
    }

    /// Those of `rooms` that somebody looks at.
    fn looked_at(&self, rooms: &BTreeSet<RoomId>) -> Vec<RoomId> {
        if self.rooms.len() < rooms.len() {
            let looked = self.rooms.keys();
            looked
                .filter(|room| rooms.contains(room))
                .copied()
                .collect()
        } else {
            let rooms = rooms.iter();
            rooms
                .filter(|room| self.rooms.contains_key(room))
                .copied()
                .collect()
        }
    }

    /// Changes something in a room, if it is looked at.
    fn touch(&mut self, room: RoomId, now: Tick, change: impl FnOnce(&mut Looked)) {
        if let Some(looked) = self.rooms.get_mut(&room) {
            change(looked);
            self.plan(room, now);
        }
    }

    fn plan(&mut self, room: RoomId, now: Tick) {
        let Some(looked) = self.rooms.get_mut(&room) else {
            return;
        };
        let due = looked.due(now);
        if due == looked.timer {
            return;
        }
        if let Some(timer) = std::mem::replace(&mut looked.timer, due) {
            self.timers.remove(&(timer, room));
        }
        self.timers.extend(due.map(|due| (due, room)));
    }

    /// A connection has become live.
    pub fn came(&mut self, conn: ConnId, live: &Live, now: Tick) {
        let Some(user) = live.user_of(conn) else {
            return;
        };
        let before = self.presence.returned(user).unwrap_or_default();
        if !self.hides(user)
            && let Some(rooms) = live.rooms_of(user)
        {
            for room in self.looked_at(rooms) {
                self.touch(room, now, |looked| looked.enter(user));
            }
            for room in before.difference(rooms) {
                self.touch(*room, now, |looked| looked.leave(user));
            }
        }
        self.fulfil(conn, live, now);
    }

    /// A connection is going: to be said before `live` forgets it.
    pub fn lose(&mut self, conn: ConnId, live: &Live, now: Tick) {
        self.part(conn);
        let Some(user) = live.user_of(conn) else {
            return;
        };
        if live.connections(user).len() > 1 {
            return;
        }
        match live.rooms_of(user) {
            Some(rooms) if live.is_online(user) => {
                for room in self.looked_at(rooms) {
                    self.touch(room, now, |looked| looked.typing.off(user));
                }
                let gone = self.presence.lost(user, rooms.clone(), now);
                gone.into_iter()
                    .for_each(|gone| self.gone(&gone, live, now));
            }
            _ => {
                self.presence.lost_again(user, now);
                if !self.presence.is_leaving(user) {
                    self.forget(user, live);
                }
            }
        }
    }

    fn gone(&mut self, gone: &Gone, live: &Live, now: Tick) {
        for room in self.looked_at(&gone.rooms) {
            self.touch(room, now, |looked| looked.leave(gone.user));
        }
        if !live.has_user(gone.user) {
            self.forget(gone.user, live);
        }
    }

    fn forget(&mut self, user: UserId, live: &Live) {
        self.hiding.remove(&user);
        let presence = &self.presence;
        let is_here = |other| other != user && (live.has_user(other) || presence.is_leaving(other));
        self.walls.forget(user, is_here);
    }

    /// Somebody types, or has stopped. That they may is known; where nobody looks, or to those from
    /// whom they hide, nothing is told.
    pub fn typing(&mut self, user: UserId, room: RoomId, on: bool, live: &Live, now: Tick) {
        let on = on && live.is_in(user, room) && !self.hides(user);
        self.touch(room, now, |looked| {
            if on {
                looked.typing.on(user, now);
            } else {
                looked.typing.off(user);
            }
        });
    }

    /// An event has been delivered here, in the order of its log.
    pub fn delivered(&mut self, event: &Event, live: &Live, now: Tick) {
        let room = event.room;
        if event.body.is_message() {
            let author = event.from.0;
            self.touch(room, now, |looked| looked.typing.off(author));
        }
        event.turns(|turn| match turn {
            Turn::In(user) => {
                self.presence.entered(user, room);
                if self.shows_online(user, live) {
                    self.touch(room, now, |looked| looked.enter(user));
                }
                for conn in live.connections(user) {
                    let wishes = self.wishes.get(conn).into_iter().flatten();
                    let wish = wishes.copied().find(|(wish, _members)| *wish == room);
                    if let Some((room, members)) = wish {
                        self.show(*conn, room, members, live, now);
                    }
                }
            }
            Turn::Out(user) => {
                self.presence.went(user, room);
                self.touch(room, now, |looked| {
                    looked.leave(user);
                    looked.typing.off(user);
                });
                for conn in live.connections(user) {
                    self.turn_away(*conn, room);
                }
            }
        });
    }

    /// An event of a room in which nobody has a connection here: those who are leaving may be.
    pub fn overheard(&mut self, event: &Event) {
        event.turns(|turn| match turn {
            Turn::In(user) => self.presence.entered(user, event.room),
            Turn::Out(user) => self.presence.went(user, event.room),
        });
    }

    /// What somebody shows of themselves: as stored, or as just changed. Older than what is known:
    /// nothing happens.
    pub fn settle(&mut self, user: UserId, settings: Settings, live: &Live, now: Tick) {
        let known = self.hiding.get(&user);
        if known.map_or(0, |known| known.version) >= settings.version || !live.has_user(user) {
            return;
        }
        let hidden = self.hides(user);
        let (version, hides) = (settings.version, settings.hide_online);
        self.hiding.insert(user, Hiding { version, hides });
        if hides == hidden {
            return;
        }
        let mut rooms = live.rooms_of(user).cloned().unwrap_or_default();
        rooms.extend(self.presence.rooms_of(user));
        let shown = self.shows_online(user, live);
        for room in self.looked_at(&rooms) {
            self.touch(room, now, |looked| {
                if shown {
                    looked.enter(user);
                } else {
                    looked.leave(user);
                    looked.typing.off(user);
                }
            });
        }
        // Who hides does not see, and sees again when they show themselves.
        for conn in live.connections(user) {
            if hides {
                for room in &rooms {
                    self.turn_away(*conn, *room);
                }
            }
            self.fulfil(*conn, live, now);
        }
    }

    /// Whom somebody has blocked: neither is told of the other from now on. Older than what is
    /// known: nothing happens.
    pub fn part_from(&mut self, user: UserId, blocks: &Blocks, live: &Live, now: Tick) {
        if !live.has_user(user) {
            return;
        }
        let turned = self.walls.settle(user, blocks);
        let both = turned.iter().chain((!turned.is_empty()).then_some(&user));
        for user in both {
            for conn in live.connections(*user) {
                self.fulfil(*conn, live, now);
            }
        }
    }

    /// Tells all that is due.
    pub fn tell(&mut self, live: &Live, now: Tick, out: &mut impl Tell) {
        let gone = self.presence.expire(now, |user| live.has_user(user));
        gone.iter().for_each(|gone| self.gone(gone, live, now));
        for (conn, room) in std::mem::take(&mut self.blind) {
            out.tell(&mut std::iter::once(conn), None, &room::nobody(room));
        }
        while let Some((due, room)) = self.timers.first().copied() {
            if due > now {
                return;
            }
            self.timers.pop_first();
            let walls = &self.walls;
            if let Some(looked) = self.rooms.get_mut(&room) {
                looked.timer = None;
                looked.tell(room, &View { live, walls }, now, out);
            }
            self.plan(room, now);
        }
    }

    /// When [`Watching::tell`] has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Tick> {
        let timer = self.timers.first().map(|(due, _room)| *due);
        let blind = (!self.blind.is_empty()).then_some(Tick(0));
        [timer, self.presence.due(), blind]
            .into_iter()
            .flatten()
            .min()
    }

    /// Who has gone offline, and when their last connection ended.
    pub fn take_seen(&mut self) -> Vec<(UserId, Tick)> {
        self.presence.take_seen()
    }

    /// Everybody is offline: the shard ends.
    pub fn end(&mut self) {
        self.presence.end();
    }

    /// How many rooms are looked at.
    #[must_use]
    pub fn looked(&self) -> usize {
        self.rooms.len()
    }
}
