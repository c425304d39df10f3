//! What may be said about messages and people: one stated outcome for each mistake and each race,
//! alone and within a batch.

use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::room::Role;

use crate::{ANN, BOB, CAROL, by, group, ledger, one};

fn edit(room: RoomId, target: u64) -> Command {
    Command::Edit {
        room,
        target: Seq(target),
        body: "edited".into(),
    }
}

pub(crate) fn redact(room: RoomId, target: u64) -> Command {
    let target = Seq(target);
    Command::Redact { room, target }
}

fn react(room: RoomId, target: u64) -> Command {
    Command::React {
        room,
        target: Seq(target),
        emoji: "x".into(),
        on: true,
    }
}

fn pin(room: RoomId, target: u64) -> Command {
    let (target, on) = (Seq(target), true);
    Command::Pin { room, target, on }
}

fn answer(room: RoomId, target: u64) -> Command {
    Command::Send {
        room,
        body: "yes".into(),
        reply_to: Some(Seq(target)),
        mentions: Vec::new(),
        if_last: None,
    }
}

/// Ann's group: 2 lets Bob in, 3 is Ann's, 4 is Bob's, 5 lets Carol in.
pub(crate) fn setting() -> (Ledger, RoomId) {
    let mut ledger = ledger();
    let room = group(&mut ledger, 200);
    one(&mut ledger, by(ANN, 201, Command::Add { room, user: BOB }));
    one(&mut ledger, by(ANN, 202, Command::say(room, "ann\'s")));
    one(&mut ledger, by(BOB, 203, Command::say(room, "bob\'s")));
    one(
        &mut ledger,
        by(ANN, 204, Command::Add { room, user: CAROL }),
    );
    (ledger, room)
}

/// Each command in a batch of its own, and all in one batch, come to the same.
#[track_caller]
pub(crate) fn check(commands: impl Fn(RoomId) -> Vec<(UserId, Command)>, expected: &[&str]) {
    for together in [false, true] {
        let (mut ledger, room) = setting();
        let items = commands(room).into_iter().zip(1..);
        let items: Vec<Submission> = items
            .map(|((from, command), number)| by(from, number, command))
            .collect();
        let outcomes = if together {
            ledger.append(&items, Millis(0)).outcomes
        } else {
            let one = |item: &Submission| {
                ledger
                    .append(std::slice::from_ref(item), Millis(0))
                    .outcomes[0]
            };
            items.iter().map(one).collect()
        };
        let words = outcomes.iter().map(|outcome| match outcome {
            Outcome::Done(ack) => format!("{}", ack.seq.0),
            Outcome::Replayed(ack) => format!("again {}", ack.seq.0),
            Outcome::Refused(code) => code.text().to_owned(),
            Outcome::NotLast(last) => format!("not_last {}", last.0),
        });
        let words: Vec<String> = words.collect();
        assert_eq!(words, expected, "together: {together}");
    }
}

#[test]
fn a_message_is_changed_by_its_author_alone() {
    check(
        |room| {
            vec![
                (BOB, edit(room, 4)),
                (BOB, edit(room, 3)),
                (ANN, edit(room, 4)),
            ]
        },
        &["6", "forbidden", "forbidden"],
    );
}

#[test]
fn nothing_is_done_to_what_was_redacted_but_to_answer_it() {
    check(
        |room| {
            vec![
                (BOB, redact(room, 4)),
                (BOB, edit(room, 4)),
                (ANN, react(room, 4)),
                (ANN, pin(room, 4)),
                (ANN, redact(room, 4)),
                (ANN, answer(room, 4)),
            ]
        },
        &["6", "gone", "gone", "gone", "gone", "7"],
    );
}

#[test]
fn only_messages_are_changed() {
    check(
        |room| {
            vec![
                (BOB, edit(room, 4)),
                (BOB, redact(room, 6)),
                (ANN, redact(room, 4)),
                (ANN, redact(room, 7)),
                (ANN, react(room, 1)),
                (ANN, answer(room, 2)),
                (ANN, react(room, 99)),
            ]
        },
        &[
            "6",
            "no_message",
            "7",
            "no_message",
            "no_message",
            "no_message",
            "not_found",
        ],
    );
}

/// Carol sees the log from 5 on: what lies before it is not there for her.
#[test]
fn what_one_may_not_see_is_not_there() {
    check(
        |room| {
            vec![
                (CAROL, answer(room, 3)),
                (CAROL, react(room, 3)),
                (CAROL, redact(room, 3)),
                (CAROL, redact(room, 1)),
                (CAROL, react(room, 5)),
            ]
        },
        &[
            "not_found",
            "not_found",
            "not_found",
            "not_found",
            "no_message",
        ],
    );
}

#[test]
fn a_room_keeps_an_owner() {
    let role = |room, user, role| Command::SetRole { room, user, role };
    check(
        |room| {
            vec![
                (ANN, Command::Leave { room }),
                (ANN, role(room, ANN, Role::Member)),
                (ANN, role(room, BOB, Role::Owner)),
                (ANN, role(room, ANN, Role::Member)),
                (BOB, Command::Leave { room }),
                (BOB, role(room, ANN, Role::Owner)),
                (BOB, Command::Leave { room }),
            ]
        },
        &["last_owner", "last_owner", "6", "7", "last_owner", "8", "9"],
    );
    // The last one of all may go, and leaves nobody behind.
    check(
        |room| {
            vec![
                (BOB, Command::Leave { room }),
                (CAROL, Command::Leave { room }),
                (ANN, Command::Leave { room }),
            ]
        },
        &["6", "7", "8"],
    );
}

#[test]
fn a_banned_member_comes_back_when_they_may() {
    let ban = |room, on| Command::Ban {
        room,
        user: BOB,
        on,
    };
    check(
        |room| {
            vec![
                (BOB, Command::Leave { room }),
                (ANN, ban(room, true)),
                (ANN, ban(room, true)),
                (ANN, Command::Add { room, user: BOB }),
                (ANN, ban(room, false)),
                (ANN, ban(room, false)),
                (ANN, Command::Add { room, user: BOB }),
                (BOB, Command::say(room, "back")),
            ]
        },
        &["6", "7", "banned", "banned", "8", "not_member", "9", "10"],
    );
}

#[test]
fn going_and_coming_gives_no_voice_back() {
    let mute = |room, on| Command::Mute {
        room,
        user: BOB,
        on,
    };
    check(
        |room| {
            vec![
                (ANN, mute(room, true)),
                (BOB, Command::Leave { room }),
                (ANN, Command::Add { room, user: BOB }),
                (BOB, Command::say(room, "quiet")),
                (ANN, mute(room, false)),
                (BOB, Command::say(room, "loud")),
            ]
        },
        &["6", "7", "8", "muted", "9", "10"],
    );
}

#[test]
fn so_many_messages_are_pinned_and_no_more() {
    let (mut ledger, room) = setting();
    for number in 0..=limits::PINS_MAX as u8 {
        one(&mut ledger, by(ANN, number, Command::say(room, "pin me")));
        let item = by(BOB, 100 + number, pin(room, 6 + u64::from(number)));
        let outcome = ledger.append(&[item], Millis(0)).outcomes[0];
        // Members do not pin; the first of a group does.
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    let pins = (0..=limits::PINS_MAX as u64).map(|number| {
        let mut item = by(ANN, 0, pin(room, 6 + number));
        item.key = Key(u128::from(1_000 + number).to_be_bytes());
        ledger.append(&[item], Millis(0)).outcomes[0]
    });
    let refused = pins.filter(|outcome| matches!(outcome, Outcome::Refused(_)));
    assert_eq!(refused.count(), 1);
}
