//! Who is told what of a room that is looked at, with simulated time.

mod apart;
mod place;

use proptest::prelude::*;

use self::place::{GRACE, Place, ROOM, names, user};
use super::*;

#[test]
fn online_at_once_and_offline_after_the_grace() {
    let mut place = Place::new(3);
    place.enter(11);
    place.watch(11);
    place.check(0, &["11:#0=[1]"]);
    place.enter(21);
    place.check(0, &["11:#1+[2]-[]=2"]);
    place.enter(22);
    place.leave(21);
    place.check(10, &[]);
    place.leave(22);
    place.check(10 + GRACE - 1, &[]);
    place.enter(23);
    place.check(10 + GRACE, &[]);
    place.leave(23);
    let gone = 10 + 2 * GRACE;
    place.check(gone - 1, &[]);
    place.check(gone, &["11:#2+[]-[2]=1"]);
    assert_eq!(place.watching.take_seen(), [(user(2), Tick(10 + GRACE))]);
}

#[test]
fn many_comings_are_told_together() {
    let mut place = Place::new(5);
    place.enter(11);
    place.watch(11);
    place.enter(21);
    place.check(0, &["11:#0=[1 2]"]);
    place.enter(31);
    place.check(1, &["11:#1+[3]-[]=3"]);
    place.enter(41);
    place.enter(51);
    place.watch(51);
    // Shown as it was told last, so that the next change is right for everybody.
    place.check(1, &["51:#1=[1 2 3]"]);
    place.check(49, &[]);
    place.check(50, &["11:#2+[4 5]-[]=5", "51:#2+[4 5]-[]=5"]);
}

#[test]
fn a_large_room_is_a_count_once_a_second() {
    let mut place = Place::new(257);
    place.enter(11);
    place.watch(11);
    place.check(0, &["11:1"]);
    place.enter(21);
    place.check(0, &["11:2"]);
    place.enter(31);
    place.enter(41);
    place.check(999, &[]);
    place.check(1_000, &["11:4"]);
    for typist in 2..=5 {
        place.typing(typist, true);
    }
    place.enter(51);
    place.typing(5, true);
    place.watch(21);
    place.check(1_000, &["21:5", "21:types[3 4 5]", "11:types[2 3 4]+1"]);
    // It shrinks, and names are told; then it grows again.
    place.members = 256;
    place.watch(21);
    let all = "#1=[1 2 3 4 5]";
    let expected = [
        "21:#0=[1 2 3 4 5]".to_owned(),
        "21:types[3 4 5]".to_owned(),
        format!("11:{all}"),
        format!("21:{all}"),
    ];
    assert_eq!(place.until(2_050), expected);
    place.members = 257;
    place.watch(21);
    place.check(3_000, &["11:5", "21:5", "21:types[3 4 5]"]);
}

#[test]
fn typing_is_told_to_those_who_look_and_never_to_oneself() {
    let mut place = Place::new(3);
    for conn in [11, 12, 21, 31] {
        place.enter(conn);
    }
    for conn in [11, 12, 21] {
        place.watch(conn);
    }
    place.until(0);
    place.typing(1, true);
    place.check(0, &["21:types[1]"]);
    place.typing(2, true);
    place.check(100, &["11:types[2]", "12:types[2]", "21:types[1]"]);
    place.message(1);
    place.check(200, &["11:types[2]", "12:types[2]", "21:types[]"]);
    // Nobody repeats it: it ends by itself, six seconds after it began.
    place.check(5_999, &[]);
    place.check(6_100, &["11:types[]", "12:types[]"]);
    place.typing(1, true);
    place.check(6_200, &["21:types[1]"]);
    place.typing(1, false);
    place.check(6_300, &["21:types[]"]);
}

#[test]
fn typing_ends_with_the_connection_and_with_the_membership() {
    let mut place = Place::new(3);
    for conn in [11, 21, 31] {
        place.enter(conn);
        place.watch(conn);
    }
    place.until(0);
    place.typing(2, true);
    place.typing(3, true);
    place.until(100);
    place.leave(21);
    place.check(200, &["31:types[]", "11:types[3]"]);
    place.member(3, false);
    place.check(300, &["11:#1+[]-[3]=2", "11:types[]"]);
    place.typing(3, true);
    place.enter(41);
    place.typing(4, true);
    place.check(400, &["11:#2+[4]-[]=3", "11:types[4]"]);
    place.member(3, true);
    // Who still wants to look does so as soon as they are let in again.
    place.check(500, &["11:#3+[3]-[]=4", "31:#3=[1 2 3 4]", "31:types[4]"]);
}

#[test]
fn who_hides_is_not_seen_and_does_not_see() {
    let mut place = Place::new(3);
    for conn in [11, 21, 31] {
        place.enter(conn);
        place.watch(conn);
    }
    place.until(0);
    place.typing(2, true);
    place.until(10);
    place.hide(2, true, 1);
    place.check(
        60,
        &[
            "21:#0=[]",
            "11:#1+[]-[2]=2",
            "31:#1+[]-[2]=2",
            "11:types[]",
            "31:types[]",
        ],
    );
    place.typing(2, true);
    place.typing(1, true);
    place.check(200, &["31:types[1]"]);
    assert_eq!(
        place.watching.online(user(2), ROOM, None, &place.live).0,
        []
    );
    let (people, more) = place.watching.online(user(1), ROOM, None, &place.live);
    let people: Vec<UserId> = people.iter().map(|person| person.user).collect();
    assert_eq!((names(&people).as_str(), more), ("1 3", false));
    // An older word changes nothing; somebody who hides comes and goes unseen.
    place.hide(2, false, 1);
    place.leave(21);
    place.enter(22);
    place.watch(22);
    place.check(300, &["22:#0=[]"]);
    place.hide(2, false, 2);
    place.check(
        400,
        &[
            "11:#2+[2]-[]=3",
            "31:#2+[2]-[]=3",
            "22:#2=[1 2 3]",
            "22:types[1]",
        ],
    );
}

#[test]
fn who_hides_from_the_first_moment_is_never_told() {
    let mut place = Place::new(3);
    place.enter(11);
    place.watch(11);
    place.until(0);
    place.register(21);
    place.hide(2, true, 4);
    place.catch_up(21);
    place.check(100, &[]);
    place.leave(21);
    place.check(100 + GRACE, &[]);
    assert_eq!(place.watching.take_seen().len(), 1);
    assert!(place.watching.hiding.is_empty());
}

#[test]
fn nothing_is_kept_of_what_nobody_looks_at() {
    let mut place = Place::new(3);
    place.enter(11);
    place.enter(21);
    place.typing(2, true);
    assert_eq!(place.watching.looked(), 0);
    place.watch(11);
    assert_eq!(place.watching.looked(), 1);
    place
        .watching
        .watch(ConnId(11), Vec::new(), &place.live, place.now);
    assert_eq!(place.watching.looked(), 0);
    assert_eq!(place.watching.due(), None);
    place.watch(11);
    place.leave(11);
    assert_eq!(place.watching.looked(), 0);
    place.until(GRACE);
    assert_eq!(place.watching.due(), None);
    assert!(place.watching.wishes.is_empty());
}

#[test]
fn a_wish_before_catching_up_and_one_of_a_stranger() {
    let mut place = Place::new(3);
    place.register(11);
    place.watch(11);
    place.enter(61);
    place.watch(61);
    place.check(10, &[]);
    place.catch_up(11);
    place.check(10, &["11:#0=[1]"]);
    place.member(6, true);
    place.check(10, &["11:#1+[6]-[]=2", "61:#1=[1 6]"]);
}

/// What a client knows that follows the rule: a change with another number than the next one, or
/// none at all, says that it knows nothing.
#[derive(Default)]
struct Follower {
    change: u64,
    online: BTreeSet<String>,
}

proptest! {
    /// Whatever happens: after the grace everybody who looks knows exactly who has a connection.
    #[test]
    fn everybody_who_looks_knows_who_is_online(
        steps in prop::collection::vec((0u8..7, 1u64..6, 0u64..40_000), 1..60),
    ) {
        let mut place = Place::new(5);
        let mut followers: BTreeMap<u64, Follower> = BTreeMap::new();
        let mut connected: BTreeSet<u64> = BTreeSet::new();
        let mut hidden: BTreeSet<u64> = BTreeSet::new();
        let mut version = 0;
        let mut at = 0;
        for (what, number, later) in steps.into_iter().chain([(9, 1, 2 * GRACE)]) {
            let conn = number * 10 + 1;
            match what {
                0 | 1 if connected.insert(conn) => {
                    place.enter(conn);
                    if hidden.contains(&number) {
                        place.hide(number, true, version);
                    }
                }
                2 if connected.remove(&conn) => {
                    place.leave(conn);
                    followers.remove(&conn);
                }
                3 if connected.contains(&conn) => place.watch(conn),
                4 => {
                    place.member(number, !place.inside.contains(&user(number)));
                    followers.remove(&conn);
                }
                5 if connected.contains(&conn) => {
                    version += 1;
                    let hides = hidden.insert(number) || !hidden.remove(&number);
                    place.hide(number, hides, version);
                }
                _ => {}
            }
            at += later;
            for words in place.until(at) {
                let (conn, words) = words.split_once(':').expect("conn:words");
                let Some(words) = words.strip_prefix('#') else { continue };
                let conn = conn.parse().expect("a number");
                let (change, rest) = words.split_at(words.find(['=', '+']).expect("a sign"));
                let change: u64 = change.parse().expect("a number");
                let list = |text: &str| -> BTreeSet<String> {
                    text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
                };
                let follower = followers.entry(conn).or_default();
                if let Some(all) = rest.strip_prefix("=[") {
                    follower.online = list(all.trim_end_matches(']'));
                } else {
                    prop_assert_eq!(change, follower.change + 1, "{}", words);
                    let (joined, rest) = rest[2..].split_once("]-[").expect("two lists");
                    let (left, count) = rest.split_once("]=").expect("a count");
                    follower.online.extend(list(joined));
                    let left = list(left);
                    follower.online.retain(|name| !left.contains(name));
                    prop_assert_eq!(count.parse::<usize>(), Ok(follower.online.len()));
                }
                follower.change = change;
            }
        }
        let inside = |number: &u64| place.inside.contains(&user(*number));
        let online: BTreeSet<String> = connected.iter().map(|conn| conn / 10)
            .filter(|number| inside(number) && !hidden.contains(number))
            .map(|number| number.to_string())
            .collect();
        for (conn, follower) in followers {
            let number = conn / 10;
            if !inside(&number) || !connected.contains(&conn) {
                continue;
            }
            if hidden.contains(&number) {
                prop_assert!(follower.online.is_empty());
            } else {
                prop_assert_eq!(&follower.online, &online);
            }
        }
    }
}
