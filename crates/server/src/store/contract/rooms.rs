//! Rooms, members, lists of them, and what changed since.

use chinwag_core::batch::{Command, Outcome};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Millis, Seq, UserId};
use chinwag_core::room::{Listed, MemberState, Role, RoomKind, Stay};

use super::{PEOPLE, Subject, by, contract, create, profile, send, user};

contract!(
    both_may_open_the_direct_room_and_there_is_one,
    stays_tell_when_somebody_was_in,
    coming_and_going_in_one_batch_is_remembered,
    members_and_directory_are_paged_by_id,
    changes_since_name_rooms_and_those_who_are_in,
    names_are_found_by_their_unique_form,
);

async fn both_may_open_the_direct_room_and_there_is_one(subject: Subject) {
    let store = subject.store();
    let one = by(1, 1, Command::Direct { user: user(2) });
    let other = by(2, 1, Command::Direct { user: user(1) });
    let room = one.room();
    assert_eq!(room, other.room());
    let (one, other) = tokio::join!(
        store.append(vec![one], Millis(5)),
        store.append(vec![other], Millis(5)),
    );
    let outcomes = [one, other].map(|done| done.expect("stored").outcomes[0]);
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Done(_)));
    assert_eq!(new.count(), 1, "{outcomes:?}");
    let members = subject
        .read(move |view| view.members(room, MemberState::Joined, None, 10))
        .await;
    let listed = |number| Listed {
        user: user(number),
        role: Role::Member,
        muted: false,
    };
    assert_eq!(members, [listed(1), listed(2)]);
    assert_eq!(
        subject.refused(by(1, 2, Command::Leave { room })).await,
        ErrorCode::Forbidden
    );
    let alone = by(1, 3, Command::Direct { user: user(1) });
    assert_eq!(subject.refused(alone).await, ErrorCode::SelfDirect);
}

async fn stays_tell_when_somebody_was_in(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    assert_eq!(
        subject.refused(by(2, 3, Command::join(room))).await,
        ErrorCode::AlreadyMember
    );
    subject.done(by(2, 4, Command::Leave { room })).await;
    assert_eq!(
        subject.refused(by(2, 5, Command::Leave { room })).await,
        ErrorCode::NotMember
    );
    subject
        .done(by(
            1,
            6,
            Command::Add {
                room,
                user: user(2),
            },
        ))
        .await;
    subject
        .done(by(
            1,
            7,
            Command::Remove {
                room,
                user: user(2),
            },
        ))
        .await;
    subject.done(by(2, 8, Command::join(room))).await;
    subject.reopen();
    let member = subject.read(move |view| view.member(room, user(2))).await;
    let member = member.expect("a row");
    let stay = |from, to: Option<u64>| Stay {
        from: Seq(from),
        to: to.map(Seq),
    };
    assert_eq!(
        member.stays,
        [stay(2, Some(3)), stay(4, Some(5)), stay(6, None)]
    );
    assert_eq!(member.state, MemberState::Joined);
    subject
        .done(by(
            1,
            9,
            Command::Remove {
                room,
                user: user(2),
            },
        ))
        .await;
    let member = subject.read(move |view| view.member(room, user(2))).await;
    let member = member.expect("rows are never deleted");
    assert_eq!(member.stays[2], stay(6, Some(7)));
    assert_eq!(member.state, MemberState::Removed);
    assert_eq!(subject.read(|view| view.rooms_in(user(2))).await, 0);
    assert_eq!(
        subject.read(|view| view.heads(user(1))).await,
        [(room, Seq(7))]
    );
    let stored = subject.read(move |view| view.room(room)).await;
    assert_eq!(stored.map(|room| room.members), Some(1));
}

/// The ledger once forgot the rooms of people who had come and gone within one batch.
async fn coming_and_going_in_one_batch_is_remembered(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    let since = subject.position().await;
    let items = vec![
        by(2, 2, Command::join(room)),
        by(2, 3, Command::Leave { room }),
    ];
    subject.append(items).await;
    let changed = subject
        .read(move |view| view.changed(user(2), Some(since)))
        .await;
    assert_eq!(changed, [room]);
    assert_eq!(subject.read(|view| view.changed(user(2), None)).await, []);
    // What happens in the room later is not theirs to hear of.
    let since = subject.position().await;
    subject.done(send(1, 4, room, "later")).await;
    assert_eq!(
        subject
            .read(move |view| view.changed(user(2), Some(since)))
            .await,
        []
    );
    assert_eq!(
        subject
            .read(move |view| view.changed(user(1), Some(since)))
            .await,
        [room]
    );
}

async fn members_and_directory_are_paged_by_id(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    // In another order than their ids.
    for number in (2..=PEOPLE).rev() {
        subject.done(by(number, 2, Command::join(room))).await;
    }
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let after = seen.last().copied();
        let page = subject
            .read(move |view| view.members(room, MemberState::Joined, after, 2))
            .await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page.into_iter().map(|listed| listed.user));
    }
    assert_eq!(seen, (1..=PEOPLE).map(user).collect::<Vec<_>>());
    let mut rooms = vec![room];
    for number in 3..10 {
        rooms.push(subject.room(1, number, RoomKind::Public).await);
        subject.room(1, number + 100, RoomKind::Group).await;
    }
    rooms.sort();
    let mut listed = Vec::new();
    loop {
        let after = listed.last().copied();
        let page = subject.read(move |view| view.directory(after, 3)).await;
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|row| row.room));
    }
    assert_eq!(listed, rooms);
}

async fn changes_since_name_rooms_and_those_who_are_in(subject: Subject) {
    let quiet = subject.room(1, 1, RoomKind::Group).await;
    let since = subject.position().await;
    let none = subject.read(move |view| view.changes(since)).await;
    assert_eq!(
        (none.position, none.rooms, none.joined),
        (since, vec![], vec![])
    );
    let room = subject.room(1, 2, RoomKind::Public).await;
    subject.done(by(2, 3, Command::join(room))).await;
    subject.done(by(3, 4, Command::join(room))).await;
    subject.done(by(3, 5, Command::Leave { room })).await;
    let changes = subject.read(move |view| view.changes(since)).await;
    assert_eq!(changes.position, subject.position().await);
    assert_eq!(changes.rooms, [(room, Seq(4))]);
    assert_eq!(
        changes.joined,
        [(user(1), room, Seq(1)), (user(2), room, Seq(2))]
    );
    let since = changes.position;
    subject.mark(1, quiet, 1, 1).await;
    let changes = subject.read(move |view| view.changes(since)).await;
    assert_eq!(
        (changes.rooms, changes.joined),
        (vec![], vec![(user(1), quiet, Seq(1))])
    );
}

async fn names_are_found_by_their_unique_form(subject: Subject) {
    let mut ada = profile(1);
    ada.name = "Ada Élan".into();
    ada.version = 2;
    subject.put_profile(ada.clone()).await;
    assert_eq!(
        subject.read(|view| view.named("ADA ÉLAN")).await,
        Some(ada.clone())
    );
    assert_eq!(subject.read(|view| view.named("Person 1")).await, None);
    assert_eq!(subject.read(|view| view.profile(user(1))).await, Some(ada));
    assert_eq!(subject.read(|view| view.profile(user(200))).await, None);
    let done = subject.append(vec![create(1, 1, RoomKind::Group)]).await;
    assert_eq!(done.events[0].from.1, 2);
}
