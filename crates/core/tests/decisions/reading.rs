//! Snapshots, plans and pages over the reference store.

use chinwag_core::batch::Command;
use chinwag_core::ids::{Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::marker::Mark;
use chinwag_core::read::{self, After};
use chinwag_core::sync::{Plan, Step};
use chinwag_core::view::View;
use chinwag_core::wire::{Cursor, Last, ServerFrame};

use crate::{ANN, BOB, by, commit, group, key, ledger, one};

/// Ann's group with Bob in it, and so many messages of hers: 3, 4, …
fn setting(messages: u64) -> (Ledger, RoomId) {
    let mut ledger = ledger();
    let room = group(&mut ledger, 200);
    one(&mut ledger, by(ANN, 201, Command::Add { room, user: BOB }));
    for number in 0..messages {
        let mut send = by(ANN, 0, Command::say(room, number.to_string()));
        send.key = Key([&number.to_be_bytes()[..], &[1; 8]]
            .concat()
            .try_into()
            .expect("16 bytes"));
        one(&mut ledger, send);
    }
    (ledger, room)
}

/// Runs a whole plan, reading stretches of `page`: what the client is sent, in words.
fn told(ledger: &Ledger, user: UserId, cursor: &Cursor, page: usize) -> Vec<String> {
    let Ok(snapshot) = read::snapshot(ledger, user, cursor);
    let mut plan = Plan::new(snapshot);
    let mut out = Vec::new();
    while let Some(step) = plan.next_step() {
        match step {
            Step::Frame(frame) => out.push(match *frame {
                ServerFrame::Summary {
                    rooms,
                    new,
                    all,
                    reset,
                    more,
                    settings: _,
                    blocks: _,
                    profile: _,
                } => {
                    let heads: Vec<_> = rooms
                        .iter()
                        .map(|row| format!("{}{:?}", row.head, row.me.state))
                        .collect();
                    format!(
                        "summary [{}] new {new} all {all} {reset:?} more {more}",
                        heads.join(" ")
                    )
                }
                ServerFrame::Reset(reset) => format!(
                    "reset {:?} {} lines to {}",
                    reset.why,
                    reset.page.len(),
                    reset.row.head
                ),
                ServerFrame::Events {
                    from,
                    to,
                    head,
                    items,
                    ..
                } => format!("events {from}-{to} of {head} in {}", items.len()),
                other => panic!("not in a plan: {other:?}"),
            }),
            Step::Stretch(room, range) => {
                let Ok(stretch) = read::stretch(ledger, user, room, range, page);
                plan.stretched(room, range, stretch.expect("the room is there"));
            }
            Step::Flush(position) => out.push(format!("flush {position}")),
        }
    }
    out
}

#[track_caller]
fn check(ledger: &Ledger, user: UserId, cursor: Cursor, expected: &[&str]) {
    assert_eq!(told(ledger, user, &cursor, 200), expected, "{cursor:?}");
}

fn last(ledger: &Ledger, room: RoomId, seq: u64) -> Last {
    let Ok(event) = ledger.event(room, Seq(seq));
    Last {
        room,
        seq: Seq(seq),
        key: event.expect("it is there").key,
    }
}

#[test]
fn a_summary_counts_what_is_unread_whatever_the_client_has() {
    let (mut ledger, room) = setting(3);
    let marks = [Mark {
        user: BOB,
        room,
        delivered: Seq(5),
        read: Seq(4),
    }];
    ledger.mark(&marks, Millis(0));
    for had in [0, 3, 5] {
        let cursor = Cursor {
            open: vec![(room, Seq(had))],
            ..Cursor::default()
        };
        let first = told(&ledger, BOB, &cursor, 200).remove(0);
        let expected = "summary [5Joined] new 1 all true None more false";
        assert_eq!(first, expected, "with everything up to {had}");
    }
    // Nobody's own messages are unread.
    let first = told(&ledger, ANN, &Cursor::default(), 200).remove(0);
    assert_eq!(first, "summary [5Joined] new 0 all true None more false");
}

#[test]
fn a_snapshot_holds_what_changed_since() {
    let (ledger, room) = setting(3);
    let all = "summary [5Joined] new 3 all true None more false";
    check(&ledger, BOB, Cursor::default(), &[all, "flush p5"]);
    let at = |position| Cursor {
        position: Some(Position(position)),
        ..Cursor::default()
    };
    check(
        &ledger,
        BOB,
        at(4),
        &[
            "summary [5Joined] new 3 all false None more false",
            "flush p5",
        ],
    );
    check(
        &ledger,
        BOB,
        at(5),
        &["summary [] new 0 all false None more false", "flush p5"],
    );
    let open = |seq| Cursor {
        open: vec![(room, Seq(seq))],
        ..at(4)
    };
    let changed = "summary [5Joined] new 3 all false None more false";
    check(
        &ledger,
        BOB,
        open(4),
        &[changed, "events 5-5 of 5 in 1", "flush p5"],
    );
    check(&ledger, BOB, open(5), &[changed, "flush p5"]);
    check(
        &ledger,
        BOB,
        open(0),
        &[changed, "events 1-5 of 5 in 5", "flush p5"],
    );
    check(
        &ledger,
        BOB,
        open(6),
        &[changed, "reset History 4 lines to 5", "flush p5"],
    );
    // Long streams come in stretches that follow each other.
    assert_eq!(
        told(&ledger, ANN, &open(0), 2)[1..],
        [
            "events 1-2 of 5 in 2",
            "events 3-4 of 5 in 2",
            "events 5-5 of 5 in 1",
            "flush p5"
        ]
    );
}

#[test]
fn another_history_resets() {
    let (ledger, room) = setting(3);
    let good = Cursor {
        epoch: Some(Epoch([1; 16])),
        position: Some(Position(5)),
        last: Some(last(&ledger, room, 5)),
        open: vec![(room, Seq(5))],
    };
    check(
        &ledger,
        BOB,
        good.clone(),
        &["summary [] new 0 all false None more false", "flush p5"],
    );
    let reset = |why: &str| {
        [
            format!("summary [5Joined] new 3 all true Some({why}) more false"),
            format!("reset {why} 4 lines to 5"),
            "flush p5".to_owned(),
        ]
    };
    let cases = [
        (
            Cursor {
                epoch: Some(Epoch([2; 16])),
                ..good.clone()
            },
            "Epoch",
        ),
        (
            Cursor {
                position: Some(Position(6)),
                ..good.clone()
            },
            "History",
        ),
        (
            Cursor {
                last: Some(Last {
                    key: key(9),
                    ..last(&ledger, room, 5)
                }),
                ..good.clone()
            },
            "History",
        ),
        (
            Cursor {
                last: Some(Last {
                    seq: Seq(6),
                    ..last(&ledger, room, 5)
                }),
                ..good.clone()
            },
            "History",
        ),
        (
            Cursor {
                last: Some(Last {
                    room: RoomId([9; 16]),
                    ..last(&ledger, room, 5)
                }),
                ..good
            },
            "History",
        ),
    ];
    for (cursor, why) in cases {
        assert_eq!(told(&ledger, BOB, &cursor, 200), reset(why), "{cursor:?}");
    }
}

#[test]
fn a_thousand_missed_events_are_too_far() {
    let (ledger, room) = setting(limits::STREAM_EVENTS_MAX);
    let open = |seq| Cursor {
        open: vec![(room, Seq(seq))],
        position: Some(Position(1_002)),
        ..Cursor::default()
    };
    let none = "summary [] new 0 all false None more false";
    check(
        &ledger,
        ANN,
        open(2),
        &[none, "reset TooFar 50 lines to 1002", "flush p1002"],
    );
    assert_eq!(
        told(&ledger, ANN, &open(3), 1_000)[1],
        "events 4-1002 of 1002 in 999"
    );
    let Ok(Ok(after)) = read::after(&ledger, ANN, room, Seq(2), None, 200) else {
        panic!("a member asks")
    };
    assert!(matches!(after, After::Reset(_)), "{after:?}");
}

#[test]
fn who_is_gone_sees_up_to_their_going_and_strangers_nothing() {
    let (mut ledger, room) = setting(2);
    one(&mut ledger, by(ANN, 1, Command::Remove { room, user: BOB }));
    one(&mut ledger, by(ANN, 2, Command::say(room, "later")));
    let cursor = Cursor {
        position: Some(Position(4)),
        open: vec![(room, Seq(4))],
        ..Cursor::default()
    };
    check(
        &ledger,
        BOB,
        cursor.clone(),
        &[
            "summary [5Removed] new 0 all false None more false",
            "events 5-5 of 5 in 1",
            "flush p6",
        ],
    );
    check(
        &ledger,
        UserId([9; 16]),
        cursor,
        &["summary [] new 0 all false None more false", "flush p6"],
    );
    let Ok(heads) = ledger.heads(BOB);
    assert!(heads.is_empty(), "nothing to subscribe to: {heads:?}");
    let Ok(Ok(page)) = read::history(&ledger, BOB, room, None, 50) else {
        panic!("a former member asks")
    };
    assert_eq!(page.as_of, Seq(5));
    assert_eq!(
        page.messages.last().map(|line| line.event.seq),
        Some(Seq(5))
    );
}

#[test]
fn unread_follows_from_marker_and_log() {
    let (mut ledger, room) = setting(4);
    let unread = |ledger: &Ledger, user| {
        let Ok(row) = read::row(ledger, user, room);
        row.expect("a member asks").me.unread
    };
    assert_eq!((unread(&ledger, BOB), unread(&ledger, ANN)), (4, 0));
    for (read, left) in [(3, 3), (1, 3), (99, 0)] {
        let marks = [Mark {
            user: BOB,
            room,
            delivered: Seq(0),
            read: Seq(read),
        }];
        ledger.mark(&marks, Millis(0));
        assert_eq!(unread(&ledger, BOB), left, "read {read}");
    }
    commit(&mut ledger, &[by(BOB, 7, Command::say(room, "mine"))]);
    assert_eq!((unread(&ledger, BOB), unread(&ledger, ANN)), (0, 1));
}

#[test]
fn pages_are_bounded_by_bytes_and_lose_no_line() {
    let (mut ledger, room) = setting(0);
    for number in 0..40 {
        let text = "x".repeat(limits::TEXT_BYTES_MAX);
        one(&mut ledger, by(ANN, number, Command::say(room, text)));
    }
    let (mut before, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let Ok(Ok(page)) = read::history(&ledger, ANN, room, before, limits::PAGE_MAX) else {
            panic!("a member asks")
        };
        assert!(
            page.messages.len() <= 6,
            "six long lines and a bit make a page"
        );
        seen.splice(0..0, page.messages.iter().map(|line| line.event.seq.0));
        pages += 1;
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=42).collect::<Vec<_>>());
    assert!(pages >= 7);
}
