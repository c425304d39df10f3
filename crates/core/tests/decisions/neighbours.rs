//! Events that are neighbours in a room's log and reach their receivers as one piece.

use crate::delivering::check;

#[test]
fn neighbours_are_delivered_together_to_those_who_may_have_all_of_them() {
    check(
        "enter-1 enter-4 send? send? add? send? send? remove? send? late",
        "1:caught_up 4:caught_up 1:2 1:3 1:4 4:4 1:5 1:6 4:5 4:6 1:7 4:7 1:8",
    );
    // A snapshot has shown the first of them, or all.
    check(
        "enter-1 register-2 send? snapshot-2 shown-2 flush-2 send? send? late send",
        "1:caught_up 2:caught_up 1:2 1:3 1:4 2:3 2:4 1:5 2:5",
    );
    check(
        "enter-1 register-2 send? send? snapshot-2 shown-2 flush-2 late send",
        "1:caught_up 2:caught_up 1:2 1:3 1:4 2:4",
    );
    check(
        "enter-1 enter-2 full-1 send? send? late send",
        "1:caught_up 2:caught_up 1:behind 2:2 2:3 2:4",
    );
    // Much at once comes in several pieces.
    let sends = "send? ".repeat(150);
    let all: Vec<String> = (2..=151).map(|seq| format!("1:{seq}")).collect();
    check(
        &format!("enter-1 {sends} late"),
        &format!("1:caught_up {}", all.join(" ")),
    );
}
