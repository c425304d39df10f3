//! The connections of a shard, found by number or, for deliveries, at their place.
//!
//! A room lists the places of its connections, so that a delivery costs no look-up. A place is
//! given to another connection only after every room has forgotten it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ConnId;
use crate::event::Shared;
use crate::ids::{Position, RoomId, Seq, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Released events from this place of the ring on are still to be shown.
    Syncing {
        from: u64,
    },
    Live,
    Behind,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) user: UserId,
    pub(super) mode: Mode,
    /// Up to where a snapshot has shown a room; needed while the feed has not passed it.
    pub(super) shown: BTreeMap<RoomId, Seq>,
    /// Rooms that the snapshot of another connection of the same user let them into while this
    /// one was syncing.
    pub(super) missed: BTreeSet<RoomId>,
    /// The newest position said on this connection.
    pub(super) position: Position,
}

impl Conn {
    /// Those of `events`, which are neighbours in `room`, that no snapshot has shown.
    pub(super) fn news<'run>(
        &mut self,
        room: RoomId,
        events: &'run [Arc<Shared>],
    ) -> &'run [Arc<Shared>] {
        let Some(head) = self.shown.get(&room).copied() else {
            return events;
        };
        if events.last().is_some_and(|last| last.event.seq >= head) {
            self.shown.remove(&room);
        }
        let known = events.partition_point(|event| event.event.seq <= head);
        &events[known..]
    }
}

/// Where a connection stands in [`Conns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

#[derive(Debug, Default)]
pub(super) struct Conns {
    places: BTreeMap<ConnId, Place>,
    conns: Vec<Option<Conn>>,
    free: Vec<Place>,
}

impl Conns {
    pub(super) fn insert(&mut self, conn: Conn) -> Place {
        let place = self.free.pop().unwrap_or_else(|| {
            self.conns.push(None);
            Place(self.conns.len() - 1)
        });
        self.places.insert(conn.id, place);
        self.conns[place.0] = Some(conn);
        place
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<(Place, Conn)> {
        let place = self.places.remove(&conn)?;
        self.free.push(place);
        Some((place, self.conns[place.0].take()?))
    }

    /// The place of a connection that is here.
    pub(super) fn place(&self, conn: ConnId) -> Place {
        self.places[&conn]
    }

    /// The connection at a place that some room lists.
    pub(super) fn at(&mut self, place: Place) -> &mut Conn {
        let conn = self.conns[place.0].as_mut();
        conn.expect("rooms list the places of those who are here")
    }

    /// The user of the connection at a place that some room lists.
    pub(super) fn user_at(&self, place: Place) -> UserId {
        let conn = self.conns[place.0].as_ref();
        conn.expect("rooms list the places of those who are here")
            .user
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Conn> {
        self.conns[self.places.get(&conn)?.0].as_ref()
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Conn> {
        self.conns[self.places.get(&conn)?.0].as_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}
