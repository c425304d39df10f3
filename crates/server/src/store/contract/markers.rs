//! Markers and what is counted from them.

use chinwag_core::batch::Command;
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::marker::Marked;
use chinwag_core::read;
use chinwag_core::room::RoomKind;

use super::answers::messages;
use super::{Subject, by, contract, redact, send, user};

contract!(unread_is_exact_to_999_and_markers_only_rise);

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
    let marked = |delivered, read, rose| {
        Some(Marked {
            delivered: Seq(delivered),
            read: Seq(read),
            rose,
        })
    };
    assert_eq!(subject.mark(2, room, 6, 5).await, marked(6, 5, true));
    assert_eq!(unread(2).await, 2);
    assert_eq!(subject.mark(2, room, 3, 2).await, marked(6, 5, false));
    assert_eq!(subject.mark(2, room, 0, 7).await, marked(7, 7, true));
    assert_eq!(
        subject.mark(2, room, u64::MAX, u64::MAX).await,
        marked(9, 9, true)
    );
    let position = subject.position().await;
    assert_eq!(subject.mark(2, room, 9, 9).await, marked(9, 9, false));
    assert_eq!(subject.position().await, position);
    assert_eq!(subject.mark(2, RoomId([99; 16]), 1, 1).await, None);
    messages(&subject, room, 100, 999).await;
    assert_eq!(unread(2).await, 999);
    messages(&subject, room, 2_000, 500).await;
    assert_eq!(unread(2).await, 1_000);
}
