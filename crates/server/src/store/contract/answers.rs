//! What connecting, catching up, paging back and counting answer.

use chinwag_core::batch::Command;
use chinwag_core::event::{Body, Content};
use chinwag_core::ids::{Epoch, Key, Position, RoomId, Seq};
use chinwag_core::read::{self, After, Open, Snapshot};
use chinwag_core::room::{Range, RoomKind, SkipWhy};
use chinwag_core::wire::{Cursor, Item, Last, ResetWhy};

use super::{Subject, by, contract, edit, react, redact, send, user};

contract!(
    a_snapshot_holds_what_changed_and_nothing_else,
    another_history_is_found_out,
    open_rooms_are_streamed_or_reset,
    what_follows_a_cursor_is_dense_and_cut_by_the_limit,
    a_cursor_of_another_history_resets_the_room,
    seqs_that_one_may_not_see_are_accounted_for,
    history_is_folded_and_paged,
    a_redacted_text_is_gone,
);

async fn snapshot(subject: &Subject, number: u8, cursor: Cursor) -> Snapshot {
    subject
        .read(move |view| read::snapshot(view, user(number), &cursor))
        .await
}

fn since(position: Position) -> Cursor {
    Cursor {
        position: Some(position),
        ..Cursor::default()
    }
}

/// `count` messages by 1, under keys from `first` on.
pub(super) async fn messages(subject: &Subject, room: RoomId, first: u64, count: u64) {
    let all: Vec<u64> = (first..first + count).collect();
    for keys in all.chunks(500) {
        let items = keys.iter().map(|number| send(1, *number, room, "text"));
        subject.append(items.collect()).await;
    }
}

async fn a_snapshot_holds_what_changed_and_nothing_else(subject: Subject) {
    let first = subject.room(1, 1, RoomKind::Group).await;
    let second = subject.room(1, 2, RoomKind::Group).await;
    let all = snapshot(&subject, 1, Cursor::default()).await;
    let mut rooms = vec![first, second];
    rooms.sort();
    let ids = |snapshot: &Snapshot| snapshot.rows.iter().map(|row| row.room).collect::<Vec<_>>();
    assert_eq!((ids(&all), all.all, all.reset), (rooms.clone(), true, None));
    let heads: Vec<_> = rooms.iter().map(|room| (*room, Seq(1))).collect();
    assert_eq!(all.heads, heads);
    let nothing = snapshot(&subject, 1, since(all.position)).await;
    assert_eq!((ids(&nothing), nothing.all), (vec![], false));
    assert_eq!(nothing.heads, heads);
    subject.done(send(1, 3, second, "new")).await;
    let changed = snapshot(&subject, 1, since(all.position)).await;
    assert_eq!(ids(&changed), [second]);
    assert_eq!((changed.rows[0].head, changed.rows[0].msg_no), (Seq(2), 1));
    // One's own marker is a change for the other devices.
    subject.mark(1, first, 1, 1).await;
    let marked = snapshot(&subject, 1, since(changed.position)).await;
    assert_eq!(ids(&marked), [first]);
    assert_eq!(
        ids(&snapshot(&subject, 1, since(marked.position)).await),
        []
    );
    assert_eq!(ids(&snapshot(&subject, 2, Cursor::default()).await), []);
}

async fn another_history_is_found_out(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let now = snapshot(&subject, 1, Cursor::default()).await;
    let good = Cursor {
        epoch: Some(now.epoch),
        position: Some(now.position),
        last: Some(Last {
            room,
            seq: Seq(1),
            key: super::key(1),
        }),
        open: Vec::new(),
    };
    assert_eq!(snapshot(&subject, 1, good.clone()).await.reset, None);
    let last = |seq, key| {
        Some(Last {
            room,
            seq: Seq(seq),
            key: super::key(key),
        })
    };
    let bad = [
        (
            Some(Epoch([99; 16])),
            good.position,
            good.last,
            ResetWhy::Epoch,
        ),
        (
            good.epoch,
            Some(Position(u64::MAX)),
            good.last,
            ResetWhy::History,
        ),
        (
            good.epoch,
            Some(Position(now.position.0 + 1)),
            good.last,
            ResetWhy::History,
        ),
        (good.epoch, good.position, last(1, 2), ResetWhy::History),
        (good.epoch, good.position, last(2, 1), ResetWhy::History),
    ];
    for (epoch, position, last, why) in bad {
        let cursor = Cursor {
            epoch,
            position,
            last,
            open: vec![(room, Seq(1))],
        };
        let words = format!("{cursor:?}");
        let snapshot = snapshot(&subject, 1, cursor).await;
        assert_eq!((snapshot.reset, snapshot.all), (Some(why), true), "{words}");
        assert_eq!(snapshot.rows.len(), 1);
        let Open::Reset(reset) = &snapshot.open[0] else {
            panic!("{words}");
        };
        assert_eq!((reset.why, reset.page.len()), (why, 1));
    }
}

async fn open_rooms_are_streamed_or_reset(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 1_000).await;
    let open = |seq| Cursor {
        open: vec![(room, Seq(seq)), (RoomId([99; 16]), Seq(3))],
        ..Cursor::default()
    };
    let stream = |from| {
        Open::Stream(
            room,
            Range {
                from: Seq(from),
                to: Seq(1_001),
            },
        )
    };
    assert_eq!(snapshot(&subject, 1, open(2)).await.open, [stream(3)]);
    assert_eq!(
        snapshot(&subject, 1, open(1_000)).await.open,
        [stream(1_001)]
    );
    assert_eq!(snapshot(&subject, 1, open(1_001)).await.open, []);
    for (seq, why) in [
        (1, ResetWhy::TooFar),
        (0, ResetWhy::TooFar),
        (1_002, ResetWhy::History),
    ] {
        let snapshot = snapshot(&subject, 1, open(seq)).await;
        let Open::Reset(reset) = &snapshot.open[0] else {
            panic!("streamed from {seq}");
        };
        assert_eq!((reset.why, reset.page.len()), (why, 50), "from {seq}");
        assert_eq!(reset.page[49].event.seq, Seq(1_001));
    }
    let range = Range {
        from: Seq(900),
        to: Seq(1_001),
    };
    let stretch = subject
        .read(move |view| read::stretch(view, user(1), room, range, 60))
        .await;
    let stretch = stretch.expect("a member");
    assert_eq!(
        (stretch.from, stretch.to, stretch.items.len()),
        (Seq(900), Seq(959), 60)
    );
}

async fn after(subject: &Subject, number: u8, room: RoomId, seq: u64, key: Option<Key>) -> After {
    let after = subject.read(move |view| read::after(view, user(number), room, Seq(seq), key, 5));
    after.await.expect("a member")
}

async fn what_follows_a_cursor_is_dense_and_cut_by_the_limit(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 11).await;
    let mut at = 0;
    let mut seen = Vec::new();
    while at < 12 {
        let After::Events(stretch) = after(&subject, 1, room, at, None).await else {
            panic!("reset at {at}");
        };
        assert!(stretch.items.len() <= 5);
        for item in &stretch.items {
            let Item::Event(event) = item else {
                panic!("skipped: {item:?}");
            };
            seen.push(event.seq.0);
        }
        at = stretch.to.0;
    }
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
    let After::Events(end) = after(&subject, 1, room, 12, Some(super::key(12))).await else {
        panic!("reset at the end");
    };
    assert_eq!((end.from, end.to, end.items.len()), (Seq(13), Seq(12), 0));
}

async fn a_cursor_of_another_history_resets_the_room(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 3).await;
    let wrong = [
        (3, Some(super::key(99))),
        (5, None),
        (9, Some(super::key(3))),
    ];
    for (seq, key) in wrong {
        let After::Reset(reset) = after(&subject, 1, room, seq, key).await else {
            panic!("no reset at {seq}");
        };
        assert_eq!((reset.why, reset.row.head), (ResetWhy::History, Seq(4)));
        assert_eq!(reset.page.len(), 4);
    }
}

async fn seqs_that_one_may_not_see_are_accounted_for(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 1).await;
    subject
        .done(by(
            1,
            10,
            Command::Add {
                room,
                user: user(2),
            },
        ))
        .await;
    subject.done(by(2, 11, Command::Leave { room })).await;
    messages(&subject, room, 20, 2).await;
    subject
        .done(by(
            1,
            12,
            Command::Add {
                room,
                user: user(2),
            },
        ))
        .await;
    let After::Events(stretch) = after(&subject, 2, room, 0, None).await else {
        panic!("reset");
    };
    let told: Vec<_> = stretch
        .items
        .iter()
        .map(|item| match item {
            Item::Event(event) => (event.seq.0, event.seq.0, None),
            Item::Skip(skip) => (skip.from.0, skip.to.0, Some(skip.why)),
        })
        .collect();
    let expected = [
        (1, 2, Some(SkipWhy::BeforeJoin)),
        (3, 3, None),
        (4, 4, None),
        (5, 6, Some(SkipWhy::NotMember)),
        (7, 7, None),
    ];
    assert_eq!(told, expected);
    subject.done(by(2, 13, Command::Leave { room })).await;
    messages(&subject, room, 30, 3).await;
    let row = subject
        .read(move |view| read::row(view, user(2), room))
        .await;
    let row = row.expect("a row for ever");
    assert_eq!((row.head, row.msg_no, row.me.unread), (Seq(8), 3, 0));
}

async fn history_is_folded_and_paged(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 6).await;
    let text = |text: &str| Content::from(text);
    let edit = subject.done(by(1, 50, edit(room, 3, "edited"))).await.seq;
    let redact = subject.done(by(1, 51, redact(room, 4))).await.seq;
    for (number, emoji, on) in [(52, "👍", true), (53, "☕", true), (54, "☕", false)] {
        let reaction = react(room, 5, emoji, on);
        subject.done(by(1, number, reaction)).await;
    }
    subject.reopen();
    let page = |before: Option<u64>| {
        let before = before.map(Seq);
        subject.read(move |view| read::history(view, user(1), room, before, 3))
    };
    let last = page(None).await.expect("a member");
    let seqs: Vec<_> = last
        .messages
        .iter()
        .map(|folded| folded.event.seq.0)
        .collect();
    assert_eq!(
        (seqs, last.before, last.as_of),
        (vec![5, 6, 7], Some(Seq(5)), Seq(12))
    );
    assert_eq!(last.messages[0].reactions, [("👍".to_owned(), user(1))]);
    let older = page(Some(5)).await.expect("a member");
    let told: Vec<_> = older
        .messages
        .iter()
        .map(|folded| {
            (
                folded.event.seq.0,
                &folded.event.body,
                folded.edited,
                folded.redacted,
            )
        })
        .collect();
    let expected = [
        (2, &Body::Message(text("text")), None, None),
        (3, &Body::Message(text("edited")), Some(edit), None),
        (4, &Body::Message(text("")), None, Some(redact)),
    ];
    assert_eq!(told, expected);
    let oldest = page(Some(2)).await.expect("a member");
    assert_eq!((oldest.messages.len(), oldest.before), (1, None));
    check_redacted(&subject, room, Seq(12), &[Seq(4)]).await;
    check_redacted(&subject, room, Seq(8), &[]).await;
}

/// Which messages are redacted by what stands up to `to`.
async fn check_redacted(subject: &Subject, room: RoomId, to: Seq, expected: &[Seq]) {
    let range = Range { from: Seq(1), to };
    let found = subject.read(move |view| view.redacted(room, range)).await;
    assert_eq!(found, expected, "up to {to:?}");
}

/// Also from the raw log, and from edits that went before; nothing else of the rows is.
async fn a_redacted_text_is_gone(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    messages(&subject, room, 2, 3).await;
    let text = |text: &str| Content::from(text);
    subject.done(by(1, 50, edit(room, 3, "edited"))).await;
    subject.done(by(1, 51, edit(room, 4, "another's"))).await;
    let all = Range {
        from: Seq(1),
        to: Seq(9),
    };
    let before = subject.read(move |view| view.events(room, all, 9)).await;
    subject.done(by(1, 52, redact(room, 3))).await;
    for _ in 0..2 {
        let after = subject.read(move |view| view.events(room, all, 9)).await;
        assert_eq!(after.len(), before.len() + 1);
        for (mut was, is) in before.clone().into_iter().zip(after) {
            match was.seq {
                Seq(3) => was.body = Body::Message(text("")),
                Seq(5) => was.body = Body::Edit(text("")),
                _ => {}
            }
            assert_eq!(is, was);
        }
        subject.reopen();
    }
}
