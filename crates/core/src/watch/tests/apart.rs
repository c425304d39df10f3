//! Between two of whom one has blocked the other nothing is told, in neither direction, and nobody
//! can tell by what else is told.

use super::place::{GRACE, Place};
use crate::ids::UserId;
use crate::wire::Blocks;

impl Place {
    fn block(&mut self, number: u64, users: &[u64], version: u64) {
        let users: Vec<UserId> = users.iter().copied().map(super::place::user).collect();
        let blocks = Blocks { users, version };
        let user = super::place::user(number);
        self.watching.part_from(user, &blocks, &self.live, self.now);
    }
}

#[test]
fn who_is_blocked_neither_sees_nor_is_seen() {
    let mut place = Place::new(3);
    for conn in [11, 21, 31] {
        place.enter(conn);
        place.watch(conn);
    }
    place.check(0, &["11:#0=[1 2 3]", "21:#0=[1 2 3]", "31:#0=[1 2 3]"]);
    // From this moment on, for both alike; the third sees no difference.
    place.block(1, &[2], 1);
    place.check(100, &["11:#0=[1 3]", "21:#0=[2 3]"]);
    place.block(1, &[2], 1);
    place.check(200, &[]);
    place.leave(21);
    place.check(200 + GRACE, &["31:#1+[]-[2]=2"]);
    place.enter(22);
    place.watch(22);
    place.check(300 + GRACE, &["22:#0=[2 3]", "31:#2+[2]-[]=3"]);
    // What others do is told to both, each without the other.
    place.enter(41);
    let expected = ["31:#3+[4]-[]=4", "11:#0=[1 3 4]", "22:#0=[2 3 4]"];
    place.check(400 + GRACE, &expected);
    place.block(1, &[], 2);
    place.check(500 + GRACE, &["11:#3=[1 2 3 4]", "22:#3=[1 2 3 4]"]);
    place.leave(41);
    let expected = ["11:#4+[]-[4]=3", "22:#4+[]-[4]=3", "31:#4+[]-[4]=3"];
    place.check(500 + 2 * GRACE, &expected);
}

#[test]
fn the_going_and_coming_of_one_who_blocks_is_told_to_others_only() {
    let mut place = Place::new(3);
    for conn in [11, 21, 31] {
        place.enter(conn);
    }
    place.block(1, &[2], 1);
    for conn in [21, 31] {
        place.watch(conn);
    }
    place.check(0, &["31:#0=[1 2 3]", "21:#0=[2 3]"]);
    place.leave(11);
    place.check(GRACE, &["31:#1+[]-[1]=2"]);
    place.register(12);
    place.block(1, &[2], 1);
    place.catch_up(12);
    place.check(GRACE + 100, &["31:#2+[1]-[]=3"]);
    place.watch(12);
    place.check(GRACE + 200, &["12:#0=[1 3]"]);
}

#[test]
fn typing_is_told_past_those_who_are_kept_apart() {
    let mut place = Place::new(3);
    for conn in [11, 21, 31] {
        place.enter(conn);
    }
    // Known from the snapshot, before anything is looked at.
    place.block(2, &[1], 4);
    for conn in [11, 21, 31] {
        place.watch(conn);
    }
    place.check(0, &["31:#0=[1 2 3]", "11:#0=[1 3]", "21:#0=[2 3]"]);
    place.typing(1, true);
    place.check(0, &["31:types[1]"]);
    place.typing(2, true);
    place.check(100, &["31:types[1 2]"]);
    place.typing(3, true);
    place.check(200, &["11:types[3]", "21:types[3]", "31:types[1 2]"]);
}

#[test]
fn a_large_room_is_counted_without_them() {
    let mut place = Place::new(257);
    for conn in [11, 21, 31] {
        place.enter(conn);
    }
    place.block(1, &[2], 1);
    place.watch(11);
    place.watch(31);
    place.check(0, &["31:3", "11:2"]);
    place.enter(41);
    place.check(1_000, &["31:4", "11:3"]);
    // The coming and going of the one who is blocked changes nothing for the other.
    place.leave(21);
    place.check(1_000 + GRACE, &["31:3"]);
    let who = |place: &Place, user| {
        let (people, _more) = place.watching.online(
            super::place::user(user),
            super::place::ROOM,
            None,
            &place.live,
        );
        let users: Vec<UserId> = people.iter().map(|person| person.user).collect();
        super::place::names(&users)
    };
    place.enter(22);
    assert_eq!(who(&place, 1), "1 3 4");
    assert_eq!(who(&place, 2), "2 3 4");
    assert_eq!(who(&place, 3), "1 2 3 4");
}
