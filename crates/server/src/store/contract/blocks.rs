//! Who has blocked whom: kept per user, bounded, and asked by everything that goes between two.

use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Mention;
use chinwag_core::ids::{Position, RoomId, Seq, UserId};
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::read;
use chinwag_core::room::{Range, RoomKind};
use chinwag_core::wire::Blocks;

use super::{Subject, by, contract, edit, react, redact, send, user};

contract!(
    a_list_is_ones_own_and_rises,
    nothing_is_said_between_two_of_whom_one_has_blocked_the_other,
    who_is_first_of_a_direct_room_and_a_block,
    what_the_blocked_write_does_not_count,
);

async fn block(subject: &Subject, who: u8, other: u8, on: bool) -> Result<Blocks, ErrorCode> {
    let change = OwnChange::Block {
        user: user(other),
        on,
    };
    let owned = subject.store().own(user(who), change).await;
    owned
        .expect("the store takes writes")
        .map(|owned| match owned {
            Owned::Blocks(blocks) => blocks,
            other => panic!("{other:?}"),
        })
}

async fn list(subject: &Subject, who: u8) -> (Blocks, Position) {
    subject.read(move |view| view.blocks(user(who))).await
}

fn blocks(version: u64, users: &[u8]) -> Blocks {
    let users = users.iter().copied().map(user).collect();
    Blocks { users, version }
}

async fn a_list_is_ones_own_and_rises(mut subject: Subject) {
    assert_eq!(list(&subject, 1).await, (blocks(0, &[]), Position(0)));
    let steps = [
        (3, false, 0, &[][..]),
        (3, true, 1, &[3]),
        (3, true, 1, &[3]),
        (2, true, 2, &[2, 3]),
        (9, true, 3, &[2, 3, 9]),
        (3, false, 4, &[2, 9]),
    ];
    for (other, on, version, users) in steps {
        let before = subject.position().await;
        let expected = blocks(version, users);
        assert_eq!(block(&subject, 1, other, on).await, Ok(expected.clone()));
        let (found, changed) = list(&subject, 1).await;
        assert_eq!(found, expected);
        assert!(changed <= subject.position().await && (changed > before || version < 2 || on));
    }
    assert_eq!(list(&subject, 2).await.0, blocks(0, &[]), "nobody else's");
    assert_eq!(block(&subject, 1, 1, true).await, Err(ErrorCode::Forbidden));
    assert_eq!(block(&subject, 1, 99, true).await, Err(ErrorCode::NotFound));
    assert_eq!(block(&subject, 1, 99, false).await, Ok(blocks(4, &[2, 9])));
    subject.reopen();
    assert_eq!(list(&subject, 1).await.0, blocks(4, &[2, 9]));
    for (one, other, walled) in [(1, 2, true), (2, 1, true), (1, 3, false), (2, 9, false)] {
        let between = subject.read(move |view| view.is_wall_between(user(one), user(other)));
        assert_eq!(between.await, walled, "{one} {other}");
    }
}

async fn nothing_is_said_between_two_of_whom_one_has_blocked_the_other(subject: Subject) {
    let direct = by(1, 1, Command::Direct { user: user(2) });
    let room = subject.done(direct).await.room;
    let shared = subject.room(1, 2, RoomKind::Public).await;
    subject.done(by(2, 3, Command::join(shared))).await;
    subject.done(send(1, 4, room, "before")).await;
    subject.done(send(2, 5, room, "before, too")).await;
    block(&subject, 1, 2, true).await.expect("blocked");
    // Alike in both directions, whatever is said; a replay has its first answer all the same.
    for (number, who, own) in [(10, 1, 2), (20, 2, 3)] {
        for (at, command) in [
            Command::say(room, "not any more"),
            edit(room, own, "not any more"),
            react(room, 2, "👍", true),
            Command::Pin {
                room,
                target: Seq(2),
                on: true,
            },
        ]
        .into_iter()
        .enumerate()
        {
            let refused = subject.refused(by(who, number + at as u64, command.clone()));
            assert_eq!(refused.await, ErrorCode::Forbidden, "{who} {command:?}");
        }
    }
    subject.done_again(send(2, 5, room, "before, too")).await;
    // One's own words may be taken back, the room is still found, and others are no concern of it.
    subject.done(by(2, 30, redact(room, 3))).await;
    let found = subject.done_again(by(2, 31, Command::Direct { user: user(1) }));
    assert_eq!(found.await.room, room);
    subject.done(send(2, 32, shared, "in a group")).await;
    let other = by(2, 33, Command::Direct { user: user(3) });
    let other = subject.done(other).await.room;
    subject.done(send(2, 34, other, "to somebody else")).await;
    block(&subject, 1, 2, false).await.expect("no longer");
    subject.done(send(2, 35, room, "again")).await;
    subject.done(send(1, 36, room, "again")).await;
}

async fn who_is_first_of_a_direct_room_and_a_block(subject: Subject) {
    block(&subject, 1, 2, true).await.expect("blocked");
    for (from, to) in [(1, 2), (2, 1)] {
        let direct = by(from, u64::from(from), Command::Direct { user: user(to) });
        assert_eq!(subject.refused(direct).await, ErrorCode::Forbidden);
    }
    // Both at once, as one of them blocks the other: whatever the order, there is one room or none,
    // and nothing can be said.
    let both = vec![
        by(3, 3, Command::Direct { user: user(4) }),
        by(4, 4, Command::Direct { user: user(3) }),
    ];
    let (opened, blocked) = futures_util::join!(subject.append(both), block(&subject, 4, 3, true));
    blocked.expect("blocked");
    let room = RoomId::direct(user(3), user(4));
    let made = opened.events.len();
    let is_there = subject.read(move |view| view.room(room)).await.is_some();
    assert_eq!((made <= 1, is_there), (true, made == 1), "{opened:?}");
    for from in [3, 4] {
        let refused = subject.refused(send(from, 10, room, "hello")).await;
        let expected = if is_there {
            ErrorCode::Forbidden
        } else {
            ErrorCode::NotFound
        };
        assert_eq!(refused, expected);
    }
}

async fn what_the_blocked_write_does_not_count(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    for number in [2, 3] {
        let user = user(number);
        let add = by(1, u64::from(number), Command::Add { room, user });
        subject.done(add).await;
    }
    let call = |from: u8, key_number, mentions: &[Mention]| {
        let command = Command::Send {
            room,
            body: "look".into(),
            reply_to: None,
            mentions: mentions.to_vec(),
            if_last: None,
        };
        by(from, key_number, command)
    };
    let me = Mention::User(user(1));
    for number in 10..160 {
        // Beyond what is kept in memory, too.
        let from = if number % 3 == 0 { 2 } else { 3 };
        let item = match number % 5 {
            0 => call(from, number, &[me]),
            1 => call(from, number, &[Mention::Room, me]),
            _ => send(from, number, room, "plain"),
        };
        subject.done(item).await;
    }
    subject.done(by(2, 200, redact(room, 6))).await;
    for (step, blocked) in [(1, &[][..]), (2, &[2]), (3, &[2, 3]), (4, &[3]), (5, &[])] {
        for other in [2, 3] {
            let on = blocked.contains(&other);
            block(&subject, 1, other, on).await.expect("changed");
        }
        if step == 3 {
            subject.reopen();
        }
        let blocked: Vec<UserId> = blocked.iter().copied().map(user).collect();
        for read in [0, 60, 150] {
            let (counted, recounted) = counts(&subject, room, read, &blocked).await;
            assert_eq!(counted, recounted, "{blocked:?} {read}");
        }
    }
    // Who has blocked somebody hears with the next summary that the count has changed.
    let since = subject.position().await;
    block(&subject, 1, 2, true).await.expect("blocked");
    let changed = |who| subject.read(move |view| view.changed(user(who), Some(since)));
    assert_eq!(changed(1).await, [room]);
    assert_eq!(changed(2).await, []);
}

/// What is unread for the first user after `read`, and how much of it mentions them: as the store
/// counts, and as a naive recount does.
async fn counts(
    subject: &Subject,
    room: RoomId,
    read: u64,
    blocked: &[UserId],
) -> ((u64, u64), (u64, u64)) {
    let counted = subject.read(move |view| {
        let row = view.room(room)?.expect("the room");
        let mut member = view.member(room, user(1))?.expect("a member");
        member.read = Seq(read);
        let all = Range {
            from: Seq(1),
            to: row.head,
        };
        let events = view.events(room, all, usize::MAX)?;
        Ok((read::unread(view, &row, &member)?, events))
    });
    let (counted, events) = counted.await;
    let countable = events.iter().filter(|event| {
        let by = event.from.0;
        let is_message = event.body.is_message() && !event.is_emptied();
        event.seq.0 > read.max(1) && is_message && by != user(1) && !blocked.contains(&by)
    });
    let countable: Vec<_> = countable.collect();
    let calls = countable.iter().filter(|event| !event.mentions.is_empty());
    let recounted = (countable.len() as u64, calls.count() as u64);
    ((counted.unread, counted.mentions), recounted)
}
