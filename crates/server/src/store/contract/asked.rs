//! People who are asked into a room by name, and the texts that a message has had.

use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Content;
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::read::{self, Texts};
use chinwag_core::room::{HistoryFrom, MemberState, RoomKind};
use chinwag_core::wire::RoomRow;

use super::{Subject, by, contract, edit, redact, send, user};

contract!(
    whoever_is_asked_in_sees_the_room_and_nothing_of_its_log,
    an_invitation_by_name_is_accepted_declined_and_withdrawn,
    the_texts_of_a_message_are_told_to_whoever_sees_it,
);

fn ask(room: RoomId, number: u8) -> Command {
    let user = user(number);
    Command::InviteUser { room, user }
}

async fn row(subject: &Subject, number: u8, room: RoomId) -> RoomRow {
    let row = subject.read(move |view| read::row(view, user(number), room));
    row.await.expect("somebody who knows the room")
}

async fn whoever_is_asked_in_sees_the_room_and_nothing_of_its_log(mut subject: Subject) {
    for (key, history) in [(1, HistoryFrom::Joining), (2, HistoryFrom::Beginning)] {
        let create = Command::Create {
            kind: RoomKind::Group,
            name: "Kitchen".into(),
            history: Some(history),
        };
        let room = subject.done(by(1, key, create)).await.room;
        subject.done(send(1, 10, room, "not yours")).await;
        let on = true;
        let target = Seq(2);
        subject
            .done(by(1, 11, Command::Pin { room, target, on }))
            .await;
        let before = subject.position().await;
        subject.done(by(1, 12, ask(room, 2))).await;
        subject.reopen();
        let seen = row(&subject, 2, room).await;
        assert_eq!(seen.name.as_deref(), Some("Kitchen"));
        assert_eq!((seen.members, seen.me.state), (1, MemberState::Invited));
        let told = (seen.head, seen.msg_no, seen.pins.len(), seen.me.unread);
        assert_eq!(told, (Seq::ZERO, 0, 0, 0));
        assert_eq!(seen.me.since, Seq::ZERO);
        // All devices hear of it, whatever they have.
        for since in [None, Some(before)] {
            let changed = subject.read(move |view| view.changed(user(2), since)).await;
            assert!(changed.contains(&room), "{since:?}: {changed:?}");
        }
        // It is no room that they are in.
        assert_eq!(subject.read(|view| view.heads(user(2))).await, []);
        assert_eq!(subject.read(|view| view.rooms_in(user(2))).await, 0);
        let members = subject
            .read(move |view| view.members(room, MemberState::Joined, None, 9))
            .await;
        assert_eq!(members.len(), 1);
        let page = subject.read(move |view| read::history(view, user(2), room, None, 50));
        let page = page.await.expect("an empty page");
        assert!(
            page.messages.is_empty() && page.as_of == Seq::ZERO,
            "{page:?}"
        );
        let marked = subject.mark(2, room, 3, 3).await;
        assert!(marked.is_none_or(|marked| !marked.rose()), "{marked:?}");
        let refused = subject.refused(send(2, 13, room, "hello")).await;
        assert_eq!(refused, ErrorCode::NotMember);
    }
    assert_eq!(subject.read(|view| view.invited_to(user(2))).await, 2);
}

async fn an_invitation_by_name_is_accepted_declined_and_withdrawn(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let remove = |number| {
        let user = user(number);
        Command::Remove { room, user }
    };
    let state = async |subject: &Subject, number| row(subject, number, room).await.me.state;
    subject.done(by(1, 2, ask(room, 2))).await;
    let twice = subject.refused(by(1, 3, ask(room, 2))).await;
    assert_eq!(twice, ErrorCode::AlreadyInvited);
    subject.done(by(2, 4, Command::join(room))).await;
    subject.reopen();
    assert_eq!(state(&subject, 2).await, MemberState::Joined);
    let member = subject.read(move |view| view.member(room, user(2))).await;
    assert_eq!(member.expect("a row").stays.len(), 1);
    let inside = subject.refused(by(1, 5, ask(room, 2))).await;
    assert_eq!(inside, ErrorCode::AlreadyMember);
    // Declined, asked again, withdrawn: the door is shut as before.
    subject.done(by(1, 6, ask(room, 3))).await;
    subject.done(by(3, 7, Command::Leave { room })).await;
    subject.reopen();
    assert_eq!(state(&subject, 3).await, MemberState::Left);
    subject.done(by(1, 8, ask(room, 3))).await;
    subject.done(by(1, 9, remove(3))).await;
    subject.reopen();
    assert_eq!(state(&subject, 3).await, MemberState::Removed);
    let shut = subject.refused(by(3, 10, Command::join(room))).await;
    assert_eq!(shut, ErrorCode::Forbidden);
    let gone = subject.refused(by(1, 11, remove(3))).await;
    assert_eq!(gone, ErrorCode::NotMember);
    // Somebody who was in before keeps sight of what they saw, and of nothing else.
    subject.done(by(1, 12, remove(2))).await;
    let went = row(&subject, 2, room).await.head;
    subject.done(send(1, 13, room, "not yours")).await;
    subject.done(by(1, 14, ask(room, 2))).await;
    subject.reopen();
    assert_eq!(row(&subject, 2, room).await.head, went);
    subject.done(by(2, 15, Command::join(room))).await;
    subject.reopen();
    let member = subject.read(move |view| view.member(room, user(2))).await;
    assert_eq!(member.expect("a row").stays.len(), 2);
    let stored = subject.read(move |view| view.room(room)).await;
    assert_eq!(stored.expect("a room").members, 2);
    for number in [2, 3] {
        let asked = subject
            .read(move |view| view.invited_to(user(number)))
            .await;
        assert_eq!(asked, 0);
    }
    let nobody = subject.refused(by(1, 16, ask(room, 200))).await;
    assert_eq!(nobody, ErrorCode::NotFound);
}

async fn texts(subject: &Subject, number: u8, room: RoomId, target: u64) -> Texts {
    let found = subject.read(move |view| read::edits(view, user(number), room, Seq(target), None));
    found.await
}

fn words(texts: Texts) -> Vec<(u64, String)> {
    let (rows, more) = texts.expect("they are told");
    assert!(!more);
    let text = |body: Content| body.text().expect("a text").to_owned();
    rows.into_iter()
        .map(|row| (row.seq.0, text(row.body)))
        .collect()
}

async fn the_texts_of_a_message_are_told_to_whoever_sees_it(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let user_2 = user(2);
    subject.done(send(1, 2, room, "one")).await;
    subject
        .done(by(1, 3, Command::Add { room, user: user_2 }))
        .await;
    subject.done(send(1, 4, room, "first")).await;
    subject.done(by(1, 5, edit(room, 4, "second"))).await;
    subject
        .done(by(1, 6, Command::Remove { room, user: user_2 }))
        .await;
    subject.done(by(1, 7, edit(room, 4, "third"))).await;
    subject.reopen();
    let all = [(4, "first"), (5, "second"), (7, "third")].map(|(seq, text)| (seq, text.into()));
    assert_eq!(words(texts(&subject, 1, room, 4).await), all);
    // Up to their going.
    assert_eq!(words(texts(&subject, 2, room, 4).await), all[..2]);
    for (number, room, target, expected) in [
        (2, room, 2, ErrorCode::NotFound),
        (3, room, 4, ErrorCode::NotFound),
        (1, RoomId([77; 16]), 4, ErrorCode::NotFound),
        (1, room, 99, ErrorCode::NotFound),
        (1, room, 0, ErrorCode::NotFound),
        (1, room, 5, ErrorCode::NoMessage),
        (1, room, 1, ErrorCode::NoMessage),
    ] {
        let found = texts(&subject, number, room, target).await;
        assert_eq!(found, Err(expected), "{number} {target}");
    }
    subject.done(by(1, 8, redact(room, 4))).await;
    subject.reopen();
    for number in [1, 2] {
        let found = texts(&subject, number, room, 4).await;
        assert_eq!(found, Err(ErrorCode::Gone));
    }
    // Long ones come in pages.
    let long = "x".repeat(16 * 1024);
    subject.done(send(1, 20, room, &long)).await;
    let target = 9;
    for number in 0..9 {
        let edit = by(1, 21 + number, edit(room, target, &long));
        subject.done(edit).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = subject.read(move |view| read::edits(view, user(1), room, Seq(target), after));
        let (rows, more) = page.await.expect("they are told");
        after = rows.last().map(|row| row.seq);
        seen.extend(rows.iter().map(|row| row.seq.0));
        if !more {
            break;
        }
        assert!(rows.len() < 10, "a page has an end");
    }
    assert!(seen.into_iter().eq(9..=18));
}
