//! Markers and what is counted from them.

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Command;
use chinwag_core::ids::{Millis, RoomId, Seq};
use chinwag_core::marker::{Mark, Marked, Trails};
use chinwag_core::read;
use chinwag_core::room::RoomKind;

use super::answers::messages;
use super::{Subject, by, contract, redact, send, user};

contract!(
    unread_is_exact_to_999_and_markers_only_rise,
    how_everybody_stands_and_when_they_came_there,
);

async fn unread_is_exact_to_999_and_markers_only_rise(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    subject
        .done(by(
            1,
            10_000,
            Command::Add {
                room,
                user: user(2),
            },
        ))
        .await;
    let unread = async |number| {
        let row = subject
            .read(move |view| read::row(view, user(number), room))
            .await;
        row.expect("a member").me.unread
    };
    assert_eq!(unread(2).await, 0);
    messages(&subject, room, 2, 5).await;
    subject.done(send(2, 20_000, room, "mine")).await;
    // Seqs 3 to 7 are another's; 8 is one's own; 9 takes 4 away.
    assert_eq!((unread(2).await, unread(1).await), (5, 1));
    subject.done(by(1, 20_001, redact(room, 4))).await;
    assert_eq!(unread(2).await, 4);
    let marked = |was: (u64, u64), now: (u64, u64)| {
        Some(Marked {
            delivered: Seq(now.0),
            read: Seq(now.1),
            was_delivered: Seq(was.0),
            was_read: Seq(was.1),
            told: was != now,
        })
    };
    assert_eq!(subject.mark(2, room, 6, 5).await, marked((0, 0), (6, 5)));
    assert_eq!(unread(2).await, 2);
    assert_eq!(subject.mark(2, room, 3, 2).await, marked((6, 5), (6, 5)));
    assert_eq!(subject.mark(2, room, 0, 7).await, marked((6, 5), (7, 7)));
    assert_eq!(
        subject.mark(2, room, u64::MAX, u64::MAX).await,
        marked((7, 7), (9, 9))
    );
    let position = subject.position().await;
    assert_eq!(subject.mark(2, room, 9, 9).await, marked((9, 9), (9, 9)));
    assert_eq!(subject.position().await, position);
    assert_eq!(subject.mark(2, RoomId([99; 16]), 1, 1).await, None);
    messages(&subject, room, 100, 999).await;
    assert_eq!(unread(2).await, 999);
    messages(&subject, room, 2_000, 500).await;
    assert_eq!(unread(2).await, 1_000);
}

async fn how_everybody_stands_and_when_they_came_there(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    for number in [2, 3, 4] {
        let add = Command::Add {
            room,
            user: user(number),
        };
        subject.done(by(1, u64::from(number), add)).await;
    }
    messages(&subject, room, 10, 60).await;
    let store = subject.store();
    let hide = SettingsChange {
        hide_receipts: Some(true),
        ..SettingsChange::default()
    };
    store.set(user(3), hide).await.expect("stored");
    // More steps than are kept, one of them within a second of another, and a clock set back.
    let mut expected = Trails::default();
    for (number, at) in (5..50)
        .map(|seq| (seq, seq as i64 * 2_000))
        .chain([(50, 98_500), (51, 9)])
    {
        let mark = Mark {
            user: user(2),
            room,
            delivered: Seq(number + 1),
            read: Seq(number),
        };
        let marked = store.mark(vec![mark], Millis(at)).await;
        let marked = marked.expect("stored")[0].expect("a member");
        assert!(expected.step(&marked, Millis(at)), "{number}");
    }
    subject.mark(3, room, 7, 0).await;
    let leave = by(4, 4_000, Command::Leave { room });
    subject.done(leave).await;
    let standing = subject.read(move |view| view.standing(room)).await;
    let seen: Vec<_> = standing
        .iter()
        .map(|one| (one.user, one.delivered.0, one.read.0, one.hides))
        .collect();
    let expected_rows = [
        (user(1), 0, 0, false),
        (user(2), 52, 51, false),
        (user(3), 7, 0, true),
    ];
    assert_eq!(seen, expected_rows);
    assert_eq!(standing[0].trails, Trails::default());
    assert_eq!(standing[1].trails, expected);
    assert!(expected.read.forgotten() > Seq(5));
    assert_eq!(
        standing[2].trails.delivered.reached(Seq(7)),
        Some(Millis(1_000))
    );
    let nowhere = subject.read(|view| view.standing(RoomId([99; 16]))).await;
    assert_eq!(nowhere, []);
}
