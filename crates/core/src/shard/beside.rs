//! What goes on in a shard beside the log: who is online and who types, where somebody looks.

use super::Shard;
use crate::aside::Granted;
use crate::ids::{Tick, UserId};
use crate::live::ConnId;
use crate::watch::Tell;
use crate::wire::{Blocks, Req, ServerFrame, Settings};

impl Shard {
    /// What a command beside the log comes to: its reply. What it changes for others is told by
    /// [`Shard::tell`].
    pub fn aside(&mut self, conn: ConnId, req: Req, granted: Granted, now: Tick) -> ServerFrame {
        let Some(user) = self.live.user_of(conn) else {
            return ServerFrame::Ok { req };
        };
        let (watching, live) = (&mut self.watching, &self.live);
        match granted {
            Granted::Typing { room, on } => watching.typing(user, room, on, live, now),
            Granted::Watch(rooms) => watching.watch(conn, rooms, live, now),
            Granted::Online { room, after } => {
                let (people, more) = watching.online(user, room, after, live);
                return ServerFrame::Who {
                    req,
                    room,
                    people,
                    more,
                };
            }
            Granted::People {
                room,
                mut people,
                more,
            } => {
                watching.mark_online(user, &mut people, live);
                return ServerFrame::Who {
                    req,
                    room,
                    people,
                    more,
                };
            }
        }
        ServerFrame::Ok { req }
    }

    /// What a user shows of themselves: as a snapshot showed it, to be said before
    /// [`Shard::shown`], or as it was just stored.
    pub fn learn(&mut self, user: UserId, settings: Settings, now: Tick) {
        self.watching.settle(user, settings, &self.live, now);
    }

    /// Whom a user has blocked: as a snapshot showed it, to be said before [`Shard::shown`], or as it
    /// was just stored.
    pub fn learn_blocks(&mut self, user: UserId, blocks: &Blocks, now: Tick) {
        self.watching.part_from(user, blocks, &self.live, now);
    }

    /// Tells who is online and who types, where it is due.
    pub fn tell(&mut self, now: Tick, out: &mut impl Tell) {
        self.watching.tell(&self.live, now, out);
    }

    /// The soonest time at which [`Shard::tell`] has something to do.
    #[must_use]
    pub fn tell_due(&self) -> Option<Tick> {
        self.watching.due()
    }

    /// Who has gone offline since this was asked last, and when their last connection ended.
    pub fn take_seen(&mut self) -> Vec<(UserId, Tick)> {
        self.watching.take_seen()
    }

    /// The shard ends, and with it the time of those who have no connection any more.
    pub fn end(&mut self) -> Vec<(UserId, Tick)> {
        self.watching.end();
        self.watching.take_seen()
    }
}
