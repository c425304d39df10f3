//! What `watch` asks of the live connections: who is here, and where.

use std::collections::BTreeSet;

use super::{ConnId, Live};
use crate::ids::{RoomId, UserId};

impl Live {
    /// Whether `user` has a connection here and one of theirs has been live.
    #[must_use]
    pub fn is_online(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|user| user.online)
    }

    /// The rooms that a user who is here is known to be in.
    #[must_use]
    pub fn rooms_of(&self, user: UserId) -> Option<&BTreeSet<RoomId>> {
        self.users.get(&user).map(|user| &user.rooms)
    }

    /// The users of the connections in a room; one with several comes several times.
    pub fn users_in(&self, room: RoomId) -> impl Iterator<Item = UserId> {
        let places = self.rooms.get(&room).into_iter().flatten();
        places.map(|place| self.conns.user_at(*place))
    }

    /// Connections that fell behind in deliveries since this was asked last.
    pub fn take_fallen(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.fallen)
    }
}
