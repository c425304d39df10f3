//! One transaction: items see the effect of earlier ones, and keys come first (contract 1, 2).

use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::room::RoomKind;
use chinwag_core::view::View;

use crate::{ANN, BOB, CAROL, by, commit, group, ledger, one};

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(ack) => format!("done {}", ack.seq),
        Outcome::Replayed(ack) => format!("replayed {}", ack.seq),
        Outcome::Refused(code) => code.text().to_owned(),
        Outcome::NotLast(last) => format!("not_last {last}"),
    }
}

/// Ann's group with Bob in it; the next event is 3.
fn setting() -> (Ledger, RoomId) {
    let mut ledger = ledger();
    let room = group(&mut ledger, 100);
    one(&mut ledger, by(ANN, 101, Command::Add { room, user: BOB }));
    (ledger, room)
}

/// Items as one batch over [`setting`], and what becomes of each.
#[track_caller]
fn check(items: impl Fn(RoomId) -> Vec<Submission>, expected: &[&str]) {
    let (mut ledger, room) = setting();
    let items = items(room);
    let committed = commit(&mut ledger, &items);
    let outcomes: Vec<String> = committed.outcomes.iter().map(show).collect();
    assert_eq!(outcomes, expected);
    // What is told is what is stored, densely, and a repetition of it all changes nothing.
    let seqs: Vec<u64> = committed
        .events
        .iter()
        .filter(|event| event.room == room)
        .map(|event| event.seq.0)
        .collect();
    assert_eq!(seqs, (3..3 + seqs.len() as u64).collect::<Vec<_>>());
    let again = commit(&mut ledger, &items);
    assert!(again.events.is_empty() || outcomes.iter().any(|outcome| !outcome.starts_with("done")));
    for (first, again) in committed.outcomes.iter().zip(&again.outcomes) {
        if let Outcome::Done(ack) = first {
            assert_eq!(*again, Outcome::Replayed(*ack));
        }
    }
}

fn send(room: RoomId, from: UserId, number: u8) -> Submission {
    let text = format!("{number}");
    by(from, number, Command::say(room, text))
}

#[test]
fn items_see_the_effect_of_earlier_ones() {
    let remove = |room| by(ANN, 1, Command::Remove { room, user: BOB });
    check(
        |room| vec![remove(room), send(room, BOB, 2)],
        &["done 3", "not_member"],
    );
    check(
        |room| vec![send(room, BOB, 2), remove(room)],
        &["done 3", "done 4"],
    );
    check(
        |room| vec![remove(room), remove(room)],
        &["done 3", "replayed 3"],
    );
    let add = |number, room| by(ANN, number, Command::Add { room, user: CAROL });
    check(
        |room| vec![send(room, CAROL, 2), add(1, room), send(room, CAROL, 3)],
        &["not_found", "done 3", "done 4"],
    );
    check(
        |room| vec![add(1, room), add(2, room)],
        &["done 3", "already_member"],
    );
    let leave = |number, room| by(BOB, number, Command::Leave { room });
    check(
        |room| vec![leave(1, room), leave(2, room), send(room, ANN, 3)],
        &["done 3", "not_member", "done 4"],
    );
}

#[test]
fn a_key_is_looked_up_before_anything_else() {
    let other = |room| by(BOB, 2, Command::say(room, "other"));
    let remove = |room| by(ANN, 1, Command::Remove { room, user: BOB });
    check(
        |room| vec![send(room, BOB, 2), send(room, BOB, 2), other(room)],
        &["done 3", "replayed 3", "conflict"],
    );
    check(
        |room| {
            vec![
                send(room, BOB, 2),
                remove(room),
                send(room, BOB, 2),
                other(room),
            ]
        },
        &["done 3", "done 4", "replayed 3", "conflict"],
    );
    // Another sender's key is another key.
    check(
        |room| vec![send(room, BOB, 2), send(room, ANN, 2)],
        &["done 3", "done 4"],
    );
    // And a refusal uses none up.
    let (mut ledger, room) = setting();
    assert_eq!(
        show(&commit(&mut ledger, &[send(room, CAROL, 9)]).outcomes[0]),
        "not_found"
    );
    one(&mut ledger, by(ANN, 1, Command::Add { room, user: CAROL }));
    assert_eq!(
        show(&commit(&mut ledger, &[send(room, CAROL, 9)]).outcomes[0]),
        "done 4"
    );
}

#[test]
fn sixty_four_equal_sends_are_one() {
    let expected: Vec<&str> = std::iter::once("done 3")
        .chain(std::iter::repeat_n("replayed 3", 63))
        .collect();
    check(|room| vec![send(room, ANN, 1); 64], &expected);
}

#[test]
fn rooms_are_named_by_who_makes_them_and_how() {
    let mut ledger = ledger();
    let create = |from, number| by(from, number, Command::open(RoomKind::Public, "Kitchen"));
    let direct = |from, number, user| by(from, number, Command::Direct { user });
    let items = [
        create(ANN, 1),
        create(ANN, 1),
        create(BOB, 1),
        direct(ANN, 2, BOB),
        direct(BOB, 2, ANN),
        direct(BOB, 3, ANN),
        direct(ANN, 4, ANN),
        direct(ANN, 5, UserId([9; 16])),
    ];
    let outcomes = commit(&mut ledger, &items).outcomes;
    let shown: Vec<String> = outcomes.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "done 1",
            "replayed 1",
            "done 1",
            "done 1",
            "replayed 1",
            "replayed 1",
            "self_direct",
            "not_found"
        ]
    );
    let room = |at: usize| match outcomes[at] {
        Outcome::Done(ack) | Outcome::Replayed(ack) => ack.room,
        other => panic!("{other:?}"),
    };
    assert_eq!(room(0), room(1));
    assert_ne!(room(0), room(2));
    assert_eq!((room(3), room(3)), (room(4), room(5)));
    assert_eq!(room(3), RoomId::direct(BOB, ANN));
}

/// A wall clock may stand anywhere, or jump by a day: numbers, keys and unread don't care.
#[test]
fn labels_decide_nothing() {
    let (mut ledger, room) = setting();
    let day = 24 * 3_600_000;
    for (number, now) in [(1, i64::MAX), (2, 0), (3, i64::MIN), (4, day), (5, 0)] {
        let outcomes = ledger
            .append(
                &[send(room, ANN, number), send(room, ANN, number)],
                Millis(now),
            )
            .outcomes;
        let seq = 2 + u64::from(number);
        assert_eq!(
            outcomes.iter().map(show).collect::<Vec<_>>(),
            [format!("done {seq}"), format!("replayed {seq}")]
        );
    }
    let Ok(found) = ledger.room(room);
    let found = found.expect("it is there");
    assert_eq!((found.head, found.msg_no), (Seq(7), 5));
}
