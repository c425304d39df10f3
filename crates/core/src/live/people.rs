//! What others ask of the live connections: who is here, where, and who is to be told.

use std::collections::BTreeSet;

use super::conns::Mode;
use super::{ConnId, Live};
use crate::ids::{RoomId, UserId};

impl Live {
    /// The connections of a user that are told of what is no event: not those that are behind. A
    /// second `behind` before their `sync` would have its answer taken for that of the first.
    pub fn listening(&self, user: UserId) -> impl Iterator<Item = ConnId> {
        let conns = self.connections(user).iter().copied();
        conns.filter(|conn| {
            let mode = self.conns.get(*conn).map(|conn| conn.mode);
            mode.is_some_and(|mode| mode != Mode::Behind)
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_behind_is_told_nothing_until_they_sync_again() {
        let (mut live, user) = (Live::default(), UserId([1; 16]));
        let told = |live: &Live| live.listening(user).collect::<Vec<_>>();
        live.register(ConnId(1), user);
        live.register(ConnId(2), user);
        assert_eq!(told(&live), [ConnId(1), ConnId(2)]);
        live.give_up(ConnId(1));
        assert_eq!(told(&live), [ConnId(2)]);
        live.register(ConnId(1), user);
        assert_eq!(told(&live).len(), 2);
    }
}
