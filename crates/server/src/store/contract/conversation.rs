//! What is kept of answers, mentions, reactions, pins, roles and rooms.

use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Mention;
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::limits;
use chinwag_core::read;
use chinwag_core::room::{MemberState, Role, RoomKind};

use super::{Subject, by, contract, edit, react, redact, send, user};

contract!(
    mentions_are_counted_until_they_are_read_or_redacted,
    an_answer_keeps_what_it_answers_until_it_is_redacted,
    what_a_room_is_and_who_may_do_what_is_kept,
    a_message_has_so_many_kinds_of_reaction_and_no_more,
    a_message_is_changed_so_often_and_no_more,
);

/// A public room of user 1, with 2 and 3 in it: seqs 1 to 3.
async fn room_of_three(subject: &Subject) -> RoomId {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    subject.done(by(3, 3, Command::join(room))).await;
    room
}

fn calling(room: RoomId, mentions: Vec<Mention>) -> Command {
    Command::Send {
        room,
        body: "you there".into(),
        reply_to: None,
        mentions,
        if_last: None,
    }
}

async fn mentions_are_counted_until_they_are_read_or_redacted(mut subject: Subject) {
    let room = room_of_three(&subject).await;
    let both = vec![Mention::User(user(2)), Mention::Room];
    subject.done(by(1, 10, calling(room, both))).await;
    let one = vec![Mention::User(user(3)), Mention::User(user(1))];
    subject.done(by(1, 11, calling(room, one))).await;
    subject.done(send(1, 12, room, "nobody")).await;
    let nobody = by(2, 13, calling(room, vec![Mention::User(user(200))]));
    assert_eq!(subject.refused(nobody).await, ErrorCode::NotFound);
    let elsewhere = vec![Mention::User(user(4))];
    subject.done(by(2, 13, calling(room, elsewhere))).await;
    for _ in 0..2 {
        // Once for 2, though by name and as part of the room; never by oneself.
        for (number, unread, mentions) in [(1, 1, 0), (2, 3, 1), (3, 4, 2)] {
            assert_eq!(counted(&subject, room, number).await, (unread, mentions));
        }
        subject.reopen();
    }
    subject.mark(3, room, 4, 4).await;
    assert_eq!(counted(&subject, room, 3).await, (3, 1));
    subject.done(by(1, 14, redact(room, 5))).await;
    subject.reopen();
    assert_eq!(counted(&subject, room, 3).await, (2, 0));
    assert_eq!(counted(&subject, room, 2).await, (2, 1));
}

async fn counted(subject: &Subject, room: RoomId, number: u8) -> (u64, u64) {
    let row = subject.read(move |view| read::row(view, user(number), room));
    let me = row.await.expect("a member").me;
    (me.unread, me.mentions)
}

async fn an_answer_keeps_what_it_answers_until_it_is_redacted(mut subject: Subject) {
    let room = room_of_three(&subject).await;
    subject.done(send(1, 10, room, "how are you?")).await;
    let mentions = vec![Mention::Room, Mention::User(user(1))];
    let answer = Command::Send {
        room,
        body: "well".into(),
        reply_to: Some(Seq(4)),
        // Twice the same is once.
        mentions: vec![
            Mention::User(user(1)),
            Mention::Room,
            Mention::User(user(1)),
        ],
        if_last: None,
    };
    let whole_room = by(2, 11, answer.clone());
    assert_eq!(subject.refused(whole_room).await, ErrorCode::Forbidden);
    let answer = by(1, 11, answer);
    let first = subject.done(answer.clone()).await;
    subject.reopen();
    assert_eq!(subject.done_again(answer.clone()).await, first);
    let event = async |subject: &Subject| {
        let event = subject.read(move |view| view.event(room, first.seq)).await;
        let event = event.expect("it is stored");
        (event.reply_to, event.mentions)
    };
    assert_eq!(event(&subject).await, (Some(Seq(4)), mentions));
    subject.done(by(1, 12, redact(room, first.seq.0))).await;
    subject.reopen();
    assert_eq!(event(&subject).await, (None, Vec::new()));
    // Its key is kept for ever, and so is what it was used for.
    assert_eq!(subject.done_again(answer).await, first);
}

async fn what_a_room_is_and_who_may_do_what_is_kept(mut subject: Subject) {
    let room = room_of_three(&subject).await;
    subject.done(send(2, 10, room, "pin me")).await;
    subject.done(send(2, 11, room, "me too")).await;
    let role = |user, role| Command::SetRole { room, user, role };
    let commands = [
        role(user(2), Role::Owner),
        Command::Mute {
            room,
            user: user(3),
            on: true,
        },
        Command::Ban {
            room,
            user: user(3),
            on: true,
        },
        Command::Configure {
            room,
            name: Some("Kitchen".into()),
            topic: Some("what is for lunch".into()),
            avatar: None,
        },
        Command::Pin {
            room,
            target: Seq(5),
            on: true,
        },
        Command::Pin {
            room,
            target: Seq(4),
            on: true,
        },
        redact(room, 5),
    ];
    for (number, command) in (20..).zip(commands) {
        subject.done(by(1, number, command)).await;
    }
    subject.reopen();
    let stored = subject.read(move |view| view.room(room)).await;
    let stored = stored.expect("a room");
    assert_eq!((stored.members, stored.owners), (2, 2));
    assert_eq!(stored.name.as_deref(), Some("Kitchen"));
    assert_eq!(stored.topic.as_deref(), Some("what is for lunch"));
    // What was redacted is pinned no longer.
    assert_eq!(stored.pins, [Seq(4)]);
    let third = subject.read(move |view| view.member(room, user(3))).await;
    let third = third.expect("rows are never deleted");
    assert_eq!((third.state, third.muted), (MemberState::Banned, true));
    let row = subject
        .read(move |view| read::row(view, user(1), room))
        .await;
    let row = row.expect("a member");
    assert_eq!((row.topic, row.pins), (stored.topic, vec![Seq(4)]));
}

async fn a_message_has_so_many_kinds_of_reaction_and_no_more(mut subject: Subject) {
    let room = room_of_three(&subject).await;
    subject.done(send(1, 10, room, "say something")).await;
    let emoji = |number: u64| {
        let first = u32::from('\u{1f600}');
        let one = char::from_u32(first + number as u32).expect("an emoji");
        one.to_string()
    };
    let most = limits::REACTION_KINDS_MAX as u64;
    for number in 0..most {
        let reaction = react(room, 4, &emoji(number), true);
        subject.done(by(2, 100 + number, reaction)).await;
    }
    subject.reopen();
    let one_more = react(room, 4, &emoji(most), true);
    let refused = subject.refused(by(3, 200, one_more)).await;
    assert_eq!(refused, ErrorCode::TooMany);
    // Those that are there may be joined in, and taken off, which makes no room.
    subject
        .done(by(3, 201, react(room, 4, &emoji(0), true)))
        .await;
    subject
        .done(by(2, 202, react(room, 4, &emoji(1), false)))
        .await;
    let one_more = react(room, 4, &emoji(most), true);
    let refused = subject.refused(by(3, 203, one_more)).await;
    assert_eq!(refused, ErrorCode::TooMany);
}

async fn a_message_is_changed_so_often_and_no_more(mut subject: Subject) {
    let room = room_of_three(&subject).await;
    subject.done(send(1, 10, room, "say something")).await;
    subject.done(send(1, 11, room, "and this")).await;
    let edits = (1..=limits::ALTERATIONS_MAX).map(|number| by(1, 100 + number, edit(room, 4, "x")));
    subject.append(edits.collect()).await;
    let reactions = (1..=limits::REACTIONS_MAX)
        .map(|number| by(2, 1_000 + number, react(room, 4, "x", number % 2 == 0)));
    let reactions: Vec<_> = reactions.collect();
    for some in reactions.chunks(500) {
        subject.append(some.to_vec()).await;
    }
    subject.reopen();
    let all = subject
        .read(move |view| view.alterations(room, Seq(4)))
        .await;
    let expected = [
        ("edit", limits::ALTERATIONS_MAX),
        ("x", limits::REACTIONS_MAX),
    ];
    assert!(
        all.iter()
            .map(|(what, times)| (&**what, *times))
            .eq(expected)
    );
    let more = [edit(room, 4, "y"), react(room, 4, "x", true)];
    for (number, command) in (10_000..).zip(more) {
        assert_eq!(
            subject.refused(by(1, number, command)).await,
            ErrorCode::TooMany
        );
    }
    // Another message has its own, and a redaction is no change that could be too many.
    subject.done(by(1, 10_010, edit(room, 5, "y"))).await;
    subject.done(by(1, 10_011, redact(room, 4))).await;
    let none = subject
        .read(move |view| view.alterations(room, Seq(4)))
        .await;
    assert!(none.is_empty(), "{none:?}");
}
