//! Rooms that begin to be followed by somebody else's snapshot: nobody may be overlooked, and
//! nothing be vouched for that somebody has not been told. Each was found by the simulator.

use crate::delivering::check;

/// Ann's snapshot begins to follow the room beyond the event that let Bob in. That event is never
/// released here: the next look at the store finds out, and Bob syncs again.
#[test]
fn a_joining_before_the_first_snapshot_of_the_room() {
    check(
        "enter-4 add? enter-1 lost look pong-4",
        "4:caught_up 1:caught_up 4:behind 4:pong - ",
    );
    check(
        "enter-4 add? enter-1 lost look enter-4 send",
        "4:caught_up 1:caught_up 4:behind 4:caught_up 1:3 4:3",
    );
}

/// While Bob syncs nobody can say whether he knows: the position waits for the next look.
#[test]
fn a_joining_while_syncing_is_looked_at_again() {
    check(
        "register-4 snapshot-4 add? enter-1 lost look shown-4 flush-4 look pong-1",
        "1:caught_up 4:caught_up 4:behind 1:pong - 2",
    );
}

/// The snapshot of Bob's second device lets him in: his first one has not been told.
#[test]
fn a_joining_that_only_another_device_was_shown() {
    check(
        "enter-4 add? enter-5 late send",
        "4:caught_up 4:behind 5:caught_up 5:3",
    );
    check(
        "register-4 snapshot-4 shown-4 add? enter-5 flush-4",
        "5:caught_up 4:behind",
    );
    // Its own snapshot shows it as well, or the event itself is kept for it.
    check(
        "register-4 add? enter-5 snapshot-4 shown-4 flush-4",
        "5:caught_up 4:caught_up",
    );
}

/// A later snapshot is shown before an earlier one: what lies between was never released.
#[test]
fn a_snapshot_older_than_where_the_feed_began() {
    check(
        "register-1 snapshot-1 send? enter-2 shown-1 flush-1 late send",
        "2:caught_up 1:behind 2:3",
    );
}

/// The last member's connection goes while somebody syncs; the room is to be let go of when that
/// sync ends. Until then a look has found that it lets somebody in.
#[test]
fn a_room_that_is_awaited_is_not_let_go_of() {
    check(
        "enter-4 enter-1 register-7 gone-1 add? lost look gone-7 read pong-4",
        "4:caught_up 1:caught_up 4:2 4:pong p2 2",
    );
}
