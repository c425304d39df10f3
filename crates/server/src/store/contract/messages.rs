//! Conditions, bodies that the server does not understand, and what people hide from themselves.

use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::code::ErrorCode;
use chinwag_core::event::{Body, Content, OpaqueBody, OpaqueBytes};
use chinwag_core::ids::{Millis, RoomId, Seq};
use chinwag_core::limits;
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::read;
use chinwag_core::room::{Listed, MemberState, Range, Role, RoomKind};
use chinwag_core::wire::Hidden;

use super::{Subject, by, contract, edit, react, redact, send, user};

contract!(
    the_last_message_is_found_whatever_came_after_it,
    of_two_who_follow_the_same_message_one_does,
    what_is_not_understood_is_kept_byte_for_byte_and_emptied,
    what_is_hidden_is_kept_for_one_alone,
    who_is_banned_or_muted_is_listed,
);

fn after(from: u8, key: u64, room: RoomId, last: u64) -> Submission {
    let command = Command::Send {
        room,
        body: "next".into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: Some(Seq(last)),
    };
    by(from, key, command)
}

async fn last(subject: &Subject, room: RoomId) -> Option<u64> {
    let last = subject.read(move |view| view.last_message(room)).await;
    last.map(|seq| seq.0)
}

async fn the_last_message_is_found_whatever_came_after_it(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    assert_eq!(last(&subject, RoomId([99; 16])).await, None);
    assert_eq!(last(&subject, room).await, None);
    subject.done(by(2, 2, Command::join(room))).await;
    assert_eq!(last(&subject, room).await, None);
    let mut expected = 0;
    for key in 3..60 {
        let ack = if key % 17 == 4 {
            let ack = subject.done(send(1, key, room, "a message")).await;
            expected = ack.seq.0;
            ack
        } else if expected > 0 {
            subject
                .done(by(1, key, react(room, expected, "x", key % 2 == 0)))
                .await
        } else {
            continue;
        };
        assert_eq!(
            last(&subject, room).await,
            Some(expected),
            "at {}",
            ack.seq.0
        );
    }
    subject.done(by(1, 70, redact(room, expected))).await;
    subject.reopen();
    assert_eq!(
        last(&subject, room).await,
        Some(expected),
        "it is one still"
    );
}

async fn of_two_who_follow_the_same_message_one_does(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    let both = vec![after(1, 10, room, 0), after(2, 10, room, 0)];
    let outcomes = subject.append(both.clone()).await.outcomes;
    let Outcome::Done(first) = outcomes[0] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(outcomes[1], Outcome::NotLast(Seq(3)));
    subject.reopen();
    let again = subject.append(both).await.outcomes;
    let expected = [Outcome::Replayed(first), Outcome::NotLast(Seq(3))];
    assert_eq!(again, expected);
    // In transactions of their own.
    let one = subject
        .store()
        .append(vec![after(1, 11, room, 3)], Millis(1_000));
    let other = subject
        .store()
        .append(vec![after(2, 11, room, 3)], Millis(1_000));
    let (one, other) = tokio::join!(one, other);
    let mut outcomes = [one, other].map(|done| done.expect("stored").outcomes[0]);
    outcomes.sort_by_key(|outcome| matches!(outcome, Outcome::NotLast(_)));
    let [Outcome::Done(ack), Outcome::NotLast(seq)] = outcomes else {
        panic!("{outcomes:?}");
    };
    assert_eq!((ack.seq, seq), (Seq(4), Seq(4)));
}

fn opaque(bytes: &[u8]) -> Content {
    Content::Opaque(OpaqueBody {
        enc: "mls-1".into(),
        bytes: OpaqueBytes(bytes.to_vec()),
    })
}

async fn what_is_not_understood_is_kept_byte_for_byte_and_emptied(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let bytes: Vec<u8> = (0..limits::OPAQUE_BYTES_MAX).map(|at| at as u8).collect();
    let say = by(
        1,
        2,
        Command::Send {
            room,
            body: opaque(&bytes),
            reply_to: None,
            mentions: Vec::new(),
            if_last: None,
        },
    );
    let ack = subject.done(say.clone()).await;
    let change = Command::Edit {
        room,
        target: ack.seq,
        body: opaque(&[0, 255]),
    };
    subject.done(by(1, 3, change)).await;
    subject.done(by(1, 4, edit(room, 2, "in the open"))).await;
    subject.reopen();
    assert_eq!(subject.done_again(say).await, ack);
    let all = Range {
        from: Seq(2),
        to: Seq(4),
    };
    let bodies = async |subject: &Subject| {
        let events = subject.read(move |view| view.events(room, all, 9)).await;
        let bodies = events.into_iter().map(|event| event.body);
        bodies.collect::<Vec<_>>()
    };
    let expected = [
        Body::Message(opaque(&bytes)),
        Body::Edit(opaque(&[0, 255])),
        Body::Edit("in the open".into()),
    ];
    assert_eq!(bodies(&subject).await, expected);
    subject.done(by(1, 5, redact(room, 2))).await;
    for _ in 0..2 {
        for body in bodies(&subject).await {
            let (Body::Message(said) | Body::Edit(said)) = &body else {
                panic!("{body:?}");
            };
            assert!(said.is_emptied(), "{body:?}");
        }
        subject.reopen();
    }
}

async fn hide(
    subject: &Subject,
    who: u8,
    room: RoomId,
    target: u64,
    on: bool,
) -> Result<(Vec<u64>, u64), ErrorCode> {
    let target = Seq(target);
    let change = OwnChange::Hide { room, target, on };
    let owned = subject.store().own(user(who), change).await;
    match owned.expect("the store takes writes")? {
        Owned::Hidden { seqs, version, .. } => {
            Ok((seqs.into_iter().map(|seq| seq.0).collect(), version))
        }
        other => panic!("{other:?}"),
    }
}

async fn what_is_hidden_is_kept_for_one_alone(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let second = user(2);
    subject
        .done(by(1, 2, Command::Add { room, user: second }))
        .await;
    for key in 3..6 {
        subject.done(send(1, key, room, "a message")).await;
    }
    let since = subject.position().await;
    assert_eq!(hide(&subject, 2, room, 4, true).await, Ok((vec![4], 1)));
    let changed = |who| subject.read(move |view| view.changed(user(who), Some(since)));
    assert_eq!(changed(2).await, [room]);
    assert_eq!(changed(1).await, [], "nobody else's concern");
    assert_eq!(hide(&subject, 2, room, 3, true).await, Ok((vec![3, 4], 2)));
    assert_eq!(hide(&subject, 2, room, 3, true).await, Ok((vec![3, 4], 2)));
    assert_eq!(hide(&subject, 2, room, 4, false).await, Ok((vec![3], 3)));
    assert_eq!(hide(&subject, 2, room, 5, false).await, Ok((vec![3], 3)));
    let row = subject.read(move |view| read::row(view, user(2), room));
    let me = row.await.expect("a member").me;
    let expected = Hidden {
        seqs: vec![Seq(3)],
        version: 3,
        more: false,
    };
    assert_eq!((me.hidden, me.unread), (Some(expected.clone()), 3));
    for (who, target, code) in [
        (2, 2, ErrorCode::NoMessage),
        (2, 1, ErrorCode::NotFound),
        (2, 6, ErrorCode::NotFound),
        (3, 3, ErrorCode::NotFound),
        (200, 3, ErrorCode::NotFound),
    ] {
        assert_eq!(hide(&subject, who, room, target, true).await, Err(code));
    }
    // It outlives a going and coming, what others do with the message, and a restart.
    subject.done(by(2, 10, Command::Leave { room })).await;
    subject.mark(2, room, 6, 6).await;
    subject
        .done(by(1, 11, Command::Add { room, user: second }))
        .await;
    subject.done(by(1, 12, redact(room, 3))).await;
    subject.reopen();
    let row = subject.read(move |view| read::row(view, user(2), room));
    assert_eq!(row.await.expect("a member").me.hidden, Some(expected));
    for (who, hidden) in [(1, 0), (2, 1)] {
        let page = subject.read(move |view| read::history(view, user(who), room, None, 50));
        let lines = page.await.expect("a member").messages;
        let found = lines.iter().filter(|line| line.hidden);
        assert_eq!(found.count(), hidden);
    }
}

async fn who_is_banned_or_muted_is_listed(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    for number in 2..6 {
        let user = user(number);
        let add = by(1, 10 + u64::from(number), Command::Add { room, user });
        subject.done(add).await;
    }
    let on = true;
    let mute = |number| {
        let user = user(number);
        Command::Mute { room, user, on }
    };
    let ban = |number| {
        let user = user(number);
        Command::Ban { room, user, on }
    };
    let changes = [mute(3), mute(4), ban(4), ban(5)];
    for (key, command) in (20..).zip(changes) {
        subject.done(by(1, key, command)).await;
    }
    subject.reopen();
    let listed = |number: u8, muted| Listed {
        user: user(number),
        role: if number == 1 {
            Role::Owner
        } else {
            Role::Member
        },
        muted,
    };
    let list = |state, after: Option<u8>, limit| {
        let after = after.map(user);
        subject.read(move |view| view.members(room, state, after, limit))
    };
    let inside = list(MemberState::Joined, None, 9).await;
    assert_eq!(
        inside,
        [listed(1, false), listed(2, false), listed(3, true)]
    );
    let banned = list(MemberState::Banned, None, 1).await;
    assert_eq!(banned, [listed(4, true)]);
    let banned = list(MemberState::Banned, Some(4), 9).await;
    assert_eq!(banned, [listed(5, false)]);
}
