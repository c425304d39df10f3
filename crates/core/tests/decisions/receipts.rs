//! Who is told how far others have come, over the reference store.

use std::collections::BTreeMap;

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::marker::Mark;
use chinwag_core::own::OwnChange;
use chinwag_core::receipt::{self, Due, Moved};
use chinwag_core::wire::{ServerFrame, Standing};

use crate::{ANN, BOB, CAROL, by, commit, group, ledger, one};

/// Ann's group with Bob (seq 2) and Carol (3): Ann writes 4 and 6, Bob 5.
fn setting() -> (Ledger, RoomId) {
    let mut ledger = ledger();
    let room = group(&mut ledger, 200);
    for (number, user) in [(201, BOB), (202, CAROL)] {
        one(&mut ledger, by(ANN, number, Command::Add { room, user }));
    }
    for (number, user) in [(203, ANN), (204, BOB), (205, ANN)] {
        one(&mut ledger, by(user, number, Command::say(room, "words")));
    }
    (ledger, room)
}

fn mark(ledger: &mut Ledger, user: UserId, room: RoomId, to: (u64, u64), at: i64) -> Due {
    let mark = Mark {
        user,
        room,
        delivered: Seq(to.0),
        read: Seq(to.1),
    };
    let marked = ledger.mark(&[mark], Millis(at))[0].expect("a member");
    let moved = Moved {
        delivered: (marked.was_delivered, marked.delivered),
        read: (marked.was_read, marked.read),
    };
    Due {
        room,
        moved: BTreeMap::from([(user, moved)]),
    }
}

/// Somebody, how far they have received, and read.
type Plain = (UserId, u64, u64);

fn told(ledger: &Ledger, due: &Due) -> Vec<(UserId, Vec<Plain>)> {
    let Ok(told) = receipt::share(ledger, due, |_user| true);
    let told = told.into_iter().map(|(user, frame)| match frame {
        ServerFrame::Receipt { room, members } if room == due.room => {
            let plain = |(user, delivered, read): (UserId, Seq, Seq)| (user, delivered.0, read.0);
            (user, members.into_iter().map(plain).collect())
        }
        other => panic!("not a receipt: {other:?}"),
    });
    told.collect()
}

fn hide(ledger: &mut Ledger, user: UserId, hides: bool) {
    let change = SettingsChange {
        hide_receipts: Some(hides),
        ..SettingsChange::default()
    };
    ledger.set(user, change);
}

#[test]
fn those_who_wrote_what_was_received_are_told() {
    let (mut ledger, room) = setting();
    let due = mark(&mut ledger, CAROL, room, (4, 0), 0);
    assert_eq!(told(&ledger, &due), [(ANN, vec![(CAROL, 4, 0)])]);
    // Delivered passes Bob's and Ann's, read only Ann's first.
    let due = mark(&mut ledger, CAROL, room, (6, 4), 0);
    let mut both = [(ANN, vec![(CAROL, 6, 4)]), (BOB, vec![(CAROL, 6, 4)])];
    both.sort_unstable();
    assert_eq!(told(&ledger, &due), both);
    // Nobody is told of themselves.
    let due = mark(&mut ledger, BOB, room, (5, 5), 0);
    assert_eq!(told(&ledger, &due), [(ANN, vec![(BOB, 5, 5)])]);
    // Nothing rose: nothing is told.
    let due = mark(&mut ledger, CAROL, room, (5, 1), 0);
    assert_eq!(told(&ledger, &due), []);
}

#[test]
fn who_is_not_connected_or_no_longer_in_is_not_told() {
    let (mut ledger, room) = setting();
    let due = mark(&mut ledger, CAROL, room, (6, 6), 0);
    let Ok(nobody) = receipt::share(&ledger, &due, |user| user != ANN && user != BOB);
    assert_eq!(nobody, []);
    commit(
        &mut ledger,
        &[by(ANN, 206, Command::Remove { room, user: BOB })],
    );
    assert_eq!(told(&ledger, &due), [(ANN, vec![(CAROL, 6, 6)])]);
    // Nor is anything told of somebody who has gone since.
    commit(&mut ledger, &[by(CAROL, 207, Command::Leave { room })]);
    assert_eq!(told(&ledger, &due), []);
}

#[test]
fn who_hides_tells_nobody_and_is_told_nothing() {
    let (mut ledger, room) = setting();
    let due = mark(&mut ledger, CAROL, room, (6, 6), 0);
    hide(&mut ledger, BOB, true);
    assert_eq!(told(&ledger, &due), [(ANN, vec![(CAROL, 6, 6)])]);
    hide(&mut ledger, CAROL, true);
    assert_eq!(told(&ledger, &due), []);
    // Stored all the while: whoever shows it again is told of, and told.
    hide(&mut ledger, CAROL, false);
    hide(&mut ledger, BOB, false);
    assert_eq!(told(&ledger, &due).len(), 2);
}

#[test]
fn nothing_is_told_between_two_who_are_kept_apart() {
    let (mut ledger, room) = setting();
    let due = mark(&mut ledger, CAROL, room, (6, 6), 0);
    let block = OwnChange::Block {
        user: CAROL,
        on: true,
    };
    ledger.own(ANN, &block).expect("there is a Carol");
    assert_eq!(told(&ledger, &due), [(BOB, vec![(CAROL, 6, 6)])]);
    for (user, other) in [(ANN, BOB), (CAROL, BOB)] {
        let seen = asked(&ledger, user, room, None).expect("a member asks");
        let seen: Vec<UserId> = seen.iter().map(|stand| stand.user).collect();
        assert_eq!(seen, [other]);
    }
}

fn asked(
    ledger: &Ledger,
    user: UserId,
    room: RoomId,
    seq: Option<u64>,
) -> Result<Vec<Standing>, ErrorCode> {
    let Ok(reply) = receipt::reply(ledger, user, 1, room, seq.map(Seq));
    reply.map(|frame| match frame {
        ServerFrame::Receipts { members, .. } => members,
        other => panic!("not receipts: {other:?}"),
    })
}

#[test]
fn how_everybody_stands_and_since_when() {
    let (mut ledger, room) = setting();
    mark(&mut ledger, BOB, room, (6, 4), 10_000);
    mark(&mut ledger, BOB, room, (6, 6), 20_000);
    mark(&mut ledger, CAROL, room, (5, 0), 30_000);
    let stand =
        |user, (delivered, read), (delivered_at, read_at): (Option<i64>, Option<i64>)| Standing {
            user,
            delivered: Seq(delivered),
            read: Seq(read),
            delivered_at: delivered_at.map(Millis),
            read_at: read_at.map(Millis),
        };
    let both = |bob, carol| {
        let mut both = vec![stand(BOB, (6, 6), bob), stand(CAROL, (5, 0), carol)];
        both.sort_unstable_by_key(|stand| stand.user);
        Ok(both)
    };
    let never = (None, None);
    assert_eq!(asked(&ledger, ANN, room, None), both(never, never));
    let first = both((Some(10_000), Some(10_000)), (Some(30_000), None));
    assert_eq!(asked(&ledger, ANN, room, Some(4)), first);
    let last = both((Some(10_000), Some(20_000)), never);
    assert_eq!(asked(&ledger, ANN, room, Some(6)), last);
    hide(&mut ledger, BOB, true);
    let left = asked(&ledger, ANN, room, None).expect("a member asks");
    assert_eq!(left.len(), 1);
    assert_eq!(asked(&ledger, BOB, room, None), Ok(Vec::new()));
}

#[test]
fn who_may_not_ask_is_refused() {
    let (mut ledger, room) = setting();
    let stranger = UserId([77; 16]);
    assert_eq!(
        asked(&ledger, stranger, room, None),
        Err(ErrorCode::NotFound)
    );
    let nowhere = RoomId([77; 16]);
    assert_eq!(asked(&ledger, ANN, nowhere, None), Err(ErrorCode::NotFound));
    // No message, none yet, and one from before Carol came.
    commit(
        &mut ledger,
        &[by(ANN, 206, Command::Remove { room, user: CAROL })],
    );
    assert_eq!(asked(&ledger, CAROL, room, None), Err(ErrorCode::NotMember));
    one(
        &mut ledger,
        by(ANN, 207, Command::Add { room, user: CAROL }),
    );
    for (user, seq) in [(ANN, 1), (ANN, 99), (CAROL, 7)] {
        let found = asked(&ledger, user, room, Some(seq));
        assert_eq!(found, Err(ErrorCode::NoMessage), "{seq}");
    }
}

#[test]
fn large_rooms_have_none() {
    let (mut ledger, room) = setting();
    for number in 0..limits::RECEIPT_MEMBERS_MAX as u64 {
        let mut id = [200; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let user = UserId(id);
        ledger.put_profile(chinwag_core::wire::Profile {
            id: user,
            name: format!("guest {number}"),
            version: 1,
            display_name: None,
            avatar: None,
        });
        let mut add = by(ANN, 0, Command::Add { room, user });
        add.key.0[..8].copy_from_slice(&number.to_be_bytes());
        one(&mut ledger, add);
    }
    let mark = Mark {
        user: CAROL,
        room,
        delivered: Seq(6),
        read: Seq(6),
    };
    let marked = ledger.mark(&[mark], Millis(0))[0].expect("a member");
    assert!(marked.rose() && !marked.told);
    assert_eq!(asked(&ledger, ANN, room, None), Err(ErrorCode::TooMany));
}
