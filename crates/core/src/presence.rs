//! Who is still online without a connection: the time between a connection and the next.
//!
//! A user is online while one of their connections is live, and for [`limits::PRESENCE_GRACE_MS`]
//! after the last one is gone, so that a change of networks tells nobody anything. Those with a
//! connection are known to `live`; here are the others, with the rooms they were in. `watch` tells
//! whoever looks. Presence never decides delivery (design, decision 8). Lives as long as its shard.
//!
//! A shard holds the lease of its own connections: its users are online because it lives. Other
//! nodes' users will come under a lease of their node (contract 8), as users of this list do, and
//! go with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{RoomId, Tick, UserId};
use crate::limits;
use crate::mutant::{self, Mutant};

#[derive(Debug)]
struct Leaving {
    /// When their last connection went.
    since: Tick,
    until: Tick,
    rooms: BTreeSet<RoomId>,
}

/// Users whose connections are gone and who are still online.
#[derive(Debug, Default)]
pub struct Presence {
    leaving: BTreeMap<UserId, Leaving>,
    by_room: BTreeMap<RoomId, BTreeSet<UserId>>,
    deadlines: BTreeSet<(Tick, UserId)>,
    seen: Vec<(UserId, Tick)>,
}

/// Somebody is offline now.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone {
    /// Who.
    pub user: UserId,
    /// The rooms they were in.
    pub rooms: BTreeSet<RoomId>,
}

impl Presence {
    /// The last live connection of `user`, who is in `rooms`, is gone. Returns who is offline by
    /// this: more than [`limits::PRESENCE_LEAVING_MAX`] are not kept.
    pub fn lost(&mut self, user: UserId, rooms: BTreeSet<RoomId>, now: Tick) -> Option<Gone> {
        self.take(user);
        for room in &rooms {
            self.by_room.entry(*room).or_default().insert(user);
        }
        let until = now.plus(limits::PRESENCE_GRACE_MS);
        self.deadlines.insert((until, user));
        let since = now;
        self.leaving.insert(
            user,
            Leaving {
                since,
                until,
                rooms,
            },
        );
        if self.leaving.len() <= limits::PRESENCE_LEAVING_MAX {
            return None;
        }
        let (_until, first) = *self.deadlines.first()?;
        self.go(first)
    }

    /// A connection that never became live is gone: the time of one who is leaving begins anew.
    pub fn lost_again(&mut self, user: UserId, now: Tick) {
        if let Some(leaving) = self.leaving.get_mut(&user) {
            leaving.since = now;
            self.extend(user, now);
        }
    }

    fn extend(&mut self, user: UserId, now: Tick) {
        if let Some(leaving) = self.leaving.get_mut(&user) {
            self.deadlines.remove(&(leaving.until, user));
            leaving.until = now.plus(limits::PRESENCE_GRACE_MS);
            self.deadlines.insert((leaving.until, user));
        }
    }

    /// A connection of `user` is live. The rooms they were in, if they were leaving.
    pub fn returned(&mut self, user: UserId) -> Option<BTreeSet<RoomId>> {
        if mutant::active(Mutant::GraceGoesOn) {
            return None;
        }
        self.take(user).map(|leaving| leaving.rooms)
    }

    fn take(&mut self, user: UserId) -> Option<Leaving> {
        let leaving = self.leaving.remove(&user)?;
        self.deadlines.remove(&(leaving.until, user));
        for room in &leaving.rooms {
            self.forget(user, *room);
        }
        Some(leaving)
    }

    fn forget(&mut self, user: UserId, room: RoomId) {
        if let Some(users) = self.by_room.get_mut(&room) {
            users.remove(&user);
            if users.is_empty() {
                self.by_room.remove(&room);
            }
        }
    }

    /// Somebody who may be leaving was let into a room.
    pub fn entered(&mut self, user: UserId, room: RoomId) {
        if let Some(leaving) = self.leaving.get_mut(&user) {
            leaving.rooms.insert(room);
            self.by_room.entry(room).or_default().insert(user);
        }
    }

    /// Somebody who may be leaving is no longer in a room.
    pub fn went(&mut self, user: UserId, room: RoomId) {
        if let Some(leaving) = self.leaving.get_mut(&user) {
            leaving.rooms.remove(&room);
            self.forget(user, room);
        }
    }

    /// Whether `user` has no connection and is still online.
    #[must_use]
    pub fn is_leaving(&self, user: UserId) -> bool {
        self.leaving.contains_key(&user)
    }

    /// The rooms of somebody who is leaving.
    pub fn rooms_of(&self, user: UserId) -> impl Iterator<Item = RoomId> {
        let leaving = self.leaving.get(&user).into_iter();
        leaving.flat_map(|leaving| &leaving.rooms).copied()
    }

    /// Those of a room who are leaving, by id.
    pub fn leaving_in(&self, room: RoomId) -> impl Iterator<Item = UserId> {
        self.by_room.get(&room).into_iter().flatten().copied()
    }

    /// Lets those go whose time is over; somebody who is `connecting` has some more.
    pub fn expire(&mut self, now: Tick, connecting: impl Fn(UserId) -> bool) -> Vec<Gone> {
        let mut gone = Vec::new();
        while let Some((until, user)) = self.deadlines.first().copied() {
            if until > now {
                break;
            }
            if connecting(user) && !mutant::active(Mutant::GraceGoesOn) {
                self.extend(user, now);
            } else {
                gone.extend(self.go(user));
            }
        }
        gone
    }

    fn go(&mut self, user: UserId) -> Option<Gone> {
        let Leaving { since, rooms, .. } = self.take(user)?;
        // Beyond, the store keeps an older time: nothing decides by it.
        if self.seen.len() < limits::SEEN_WAITING_MAX {
            self.seen.push((user, since));
        }
        Some(Gone { user, rooms })
    }

    /// Everybody is offline: the shard ends.
    pub fn end(&mut self) {
        let all: Vec<UserId> = self.leaving.keys().copied().collect();
        for user in all {
            self.go(user);
        }
    }

    /// When [`Presence::expire`] has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Tick> {
        self.deadlines.first().map(|(until, _user)| *until)
    }

    /// Who has gone offline since this was asked last, with the time of their last connection's
    /// end.
    pub fn take_seen(&mut self) -> Vec<(UserId, Tick)> {
        std::mem::take(&mut self.seen)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRACE: u64 = limits::PRESENCE_GRACE_MS;

    fn user(number: u8) -> UserId {
        UserId([number; 16])
    }

    fn room(number: u8) -> RoomId {
        RoomId([number; 16])
    }

    fn rooms(numbers: &[u8]) -> BTreeSet<RoomId> {
        numbers.iter().copied().map(room).collect()
    }

    fn offline(presence: &mut Presence, now: u64) -> Vec<u8> {
        let gone = presence.expire(Tick(now), |_user| false);
        gone.iter().map(|gone| gone.user.0[0]).collect()
    }

    #[test]
    fn one_who_returns_in_time_was_never_away() {
        let mut presence = Presence::default();
        presence.lost(user(1), rooms(&[1, 2]), Tick(0));
        presence.lost(user(2), rooms(&[2]), Tick(10));
        assert_eq!(presence.leaving_in(room(2)).count(), 2);
        assert_eq!(presence.returned(user(1)), Some(rooms(&[1, 2])));
        assert_eq!(presence.returned(user(1)), None);
        assert_eq!(presence.leaving_in(room(1)).count(), 0);
        assert_eq!(presence.due(), Some(Tick(GRACE + 10)));
        assert!(offline(&mut presence, GRACE + 9).is_empty());
        assert_eq!(offline(&mut presence, GRACE + 10), [2]);
        assert_eq!(presence.take_seen(), [(user(2), Tick(10))]);
        assert_eq!(presence.due(), None);
    }

    #[test]
    fn one_who_is_connecting_has_some_more_time() {
        let mut presence = Presence::default();
        presence.lost(user(1), rooms(&[1]), Tick(0));
        let gone = presence.expire(Tick(GRACE), |_user| true);
        assert_eq!(gone, []);
        presence.lost_again(user(1), Tick(GRACE + 5));
        assert!(offline(&mut presence, 2 * GRACE + 4).is_empty());
        assert_eq!(offline(&mut presence, 2 * GRACE + 5), [1]);
    }

    #[test]
    fn rooms_come_and_go_meanwhile() {
        let mut presence = Presence::default();
        presence.lost(user(1), rooms(&[1]), Tick(0));
        presence.entered(user(1), room(2));
        presence.went(user(1), room(1));
        presence.entered(user(9), room(2));
        assert_eq!(presence.leaving_in(room(1)).count(), 0);
        assert_eq!(presence.leaving_in(room(2)).count(), 1);
        assert_eq!(presence.returned(user(1)), Some(rooms(&[2])));
    }

    #[test]
    fn they_are_bounded_and_the_first_goes_first() {
        let mut presence = Presence::default();
        let number = |number: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(number as u64).to_be_bytes());
            UserId(id)
        };
        for at in 0..limits::PRESENCE_LEAVING_MAX {
            let gone = presence.lost(number(at), BTreeSet::new(), Tick(at as u64));
            assert_eq!(gone, None);
        }
        let gone = presence.lost(number(1 << 40), BTreeSet::new(), Tick(1 << 40));
        assert_eq!(gone.map(|gone| gone.user), Some(number(0)));
    }

    proptest! {
        /// Online exactly who has a connection or lost it less than the grace ago, whatever the
        /// order, and the index by room says the same.
        #[test]
        fn online_is_as_a_recount_says(
            steps in prop::collection::vec((0u8..4, any::<bool>(), 0u64..20_000), 1..80),
        ) {
            let (mut presence, mut now) = (Presence::default(), Tick(0));
            let mut connected: BTreeSet<UserId> = BTreeSet::new();
            let mut lost: BTreeMap<UserId, Tick> = BTreeMap::new();
            for (who, here, later) in steps {
                now = now.plus(later);
                presence.expire(now, |_user| false);
                let who = user(who);
                if here && connected.insert(who) {
                    presence.returned(who);
                } else if !here && connected.remove(&who) {
                    presence.lost(who, rooms(&[who.0[0]]), now);
                    lost.insert(who, now);
                }
                for number in 0..4 {
                    let who = user(number);
                    let fresh = lost.get(&who).is_some_and(|at| now.since(*at) < GRACE);
                    let leaving = !connected.contains(&who) && fresh;
                    prop_assert_eq!(presence.is_leaving(who), leaving);
                    prop_assert_eq!(presence.leaving_in(room(number)).count(), usize::from(leaving));
                }
            }
        }
    }
}
