//! Rooms of the same size whose members come and go, while one in each stays and sends.
//!
//! By the cursors of those who stayed one sees whether the others have everything.

use std::ops::Range;

use crate::chinwag::Chinwag;
use crate::swarm::Swarm;

/// Who is where. The first user of each room stays; the others are the clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    rooms: usize,
    /// Of each room, without the one who stays.
    clients: usize,
}

impl Crowd {
    /// At least so many clients in rooms of `clients_of_room`, all rooms full.
    pub(crate) fn of(clients: usize, clients_of_room: usize) -> Self {
        Self {
            rooms: clients.div_ceil(clients_of_room),
            clients: clients_of_room,
        }
    }

    /// Everybody, those who stay included.
    pub(crate) fn users(self) -> usize {
        self.rooms * (self.clients + 1)
    }

    /// How many come and go.
    pub(crate) fn count(self) -> usize {
        self.rooms * self.clients
    }

    /// The users of each room.
    pub(crate) fn groups(self) -> Vec<Range<usize>> {
        let size = self.clients + 1;
        (0..self.rooms)
            .map(|room| room * size..(room + 1) * size)
            .collect()
    }

    /// User and room of those who stay.
    pub(crate) fn keepers(self) -> Vec<(usize, usize)> {
        (0..self.rooms)
            .map(|room| (room * (self.clients + 1), room))
            .collect()
    }

    /// Whether this user stays.
    pub(crate) fn stays(self, user: usize) -> bool {
        user.is_multiple_of(self.clients + 1)
    }

    /// Those who come and go, one of each room after the other.
    pub(crate) fn clients(self) -> impl Iterator<Item = usize> + Clone {
        (1..=self.clients)
            .flat_map(move |client| (0..self.rooms).map(move |room| (room, client)))
            .map(move |(room, client)| room * (self.clients + 1) + client)
    }

    /// Whether this client has everything that the one who stayed in their room has.
    pub(crate) fn has_all(self, swarm: &Swarm<Chinwag>, client: usize) -> bool {
        let room = client / (self.clients + 1);
        let dialect = swarm.dialect();
        let Some(&id) = dialect.rooms().get(room) else {
            return false;
        };
        let cursor = |user| dialect.seat(user).map(|seat| seat.cursor(id));
        cursor(client) >= cursor(room * (self.clients + 1))
    }
}

/// What seats have counted, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seats {
    /// Events that were missed.
    pub(crate) gaps: u64,
    /// Rooms that were sent anew.
    pub(crate) resets: u64,
    /// Events that came while resuming.
    pub(crate) caught_up: u64,
}

impl Seats {
    /// Of all users, so far.
    pub(crate) fn of(swarm: &Swarm<Chinwag>) -> Self {
        let seats = (0..swarm.users()).filter_map(|user| swarm.dialect().seat(user));
        seats.fold(Self::default(), |sum, seat| Self {
            gaps: sum.gaps + seat.gaps,
            resets: sum.resets + seat.resets,
            caught_up: sum.caught_up + seat.caught_up,
        })
    }

    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            gaps: self.gaps - earlier.gaps,
            resets: self.resets - earlier.resets,
            caught_up: self.caught_up - earlier.caught_up,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_room_stays() {
        let crowd = Crowd::of(5, 3);
        assert_eq!((crowd.users(), crowd.count()), (8, 6));
        assert_eq!(crowd.groups(), [0..4, 4..8]);
        assert_eq!(crowd.keepers(), [(0, 0), (4, 1)]);
        assert_eq!(crowd.clients().collect::<Vec<_>>(), [1, 5, 2, 6, 3, 7]);
    }
}
