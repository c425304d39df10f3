//! What a device does beside the log: it looks at its rooms, knows who is online there, and types.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::limits;
use chinwag_core::wire::{ClientFrame, ServerFrame};

use super::{Asked, Device, Phase, Shore};

/// Who is online in a room, as the device was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Online {
    /// The number of the last change.
    change: u64,
    /// By name.
    pub(crate) users: BTreeSet<UserId>,
}

/// What a device knows beside the log, on one connection.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) online: BTreeMap<RoomId, Online>,
    /// It has to look again: it missed something, or its rooms are others.
    pub(super) stale: bool,
}

impl Device {
    /// Who is online where, as far as this device knows.
    pub(crate) fn online(&self) -> &BTreeMap<RoomId, Online> {
        &self.beside.online
    }

    /// Looks again if it has to.
    pub(super) fn look_again(&mut self, shore: &mut Shore<'_>) {
        if self.beside.stale {
            self.look_at_rooms(shore);
        }
    }

    /// Looks at all rooms that one is in, as a client does once it has caught up.
    pub(super) fn look_at_rooms(&mut self, shore: &mut Shore<'_>) {
        if self.phase != Phase::Live {
            return;
        }
        self.beside = Beside::default();
        let req = self.req(Asked::Watch);
        let rooms = self.memory.rooms.iter();
        let rooms = rooms.filter(|(_room, copy)| copy.joined);
        let rooms = rooms.map(|(room, _copy)| *room);
        let rooms = rooms.take(limits::WATCHED_ROOMS_MAX).collect();
        self.say(&ClientFrame::Watch { req, rooms }, shore);
    }

    /// Types, or stops.
    pub(crate) fn types(&mut self, room: RoomId, on: bool, shore: &mut Shore<'_>) {
        if self.phase == Phase::Live {
            let req = self.req(Asked::Other);
            self.say(&ClientFrame::Typing { req, room, on }, shore);
        }
    }

    /// Blocks somebody, or does so no longer.
    pub(crate) fn blocks(&mut self, user: UserId, on: bool, shore: &mut Shore<'_>) {
        if self.phase == Phase::Live {
            shore.base.counts.blocks += u64::from(on);
            let req = self.req(Asked::Other);
            self.say(&ClientFrame::Block { req, user, on }, shore);
        }
    }

    /// A frame that may vanish has come.
    pub(super) fn ephemeral(&mut self, frame: &ServerFrame, shore: &mut Shore<'_>) {
        match frame {
            ServerFrame::Typing { room, users, .. } => {
                shore.base.counts.typing += 1;
                if users.contains(&self.user) {
                    let what = format!("d{} is told of its own typing in {room}", self.index);
                    shore
                        .oracle
                        .violation("typing never reaches its sender", what);
                }
            }
            ServerFrame::Presence {
                room,
                change: Some(change),
                online,
                joined,
                left,
                ..
            } => {
                shore.base.counts.presence += 1;
                let known = self.beside.online.get_mut(room);
                match (online, known) {
                    (Some(users), _) => {
                        let (change, users) = (*change, users.iter().copied().collect());
                        let online = Online { change, users };
                        self.beside.online.insert(*room, online);
                    }
                    (None, Some(known)) if known.change + 1 == *change => {
                        known.change = *change;
                        known.users.extend(joined);
                        known.users.retain(|user| !left.contains(user));
                    }
                    (None, _) => self.beside.stale = true,
                }
            }
            other => shore.oracle.wrong(format!("{other:?} in a small room")),
        }
    }
}
