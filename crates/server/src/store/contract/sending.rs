//! Numbers, keys and what a batch sees of itself.

use chinwag_core::batch::{Command, Outcome};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Millis, RoomId, Seq};
use chinwag_core::read;
use chinwag_core::room::{Range, RoomKind};

use super::{Subject, by, contract, create, key, send, user};
use crate::store::Store;

contract!(
    numbers_are_dense_and_events_stand_as_they_were_answered,
    a_replay_gets_the_first_answer_for_ever,
    another_command_under_a_used_key_is_a_conflict,
    a_batch_sees_its_own_effects,
    sixty_four_equal_sends_at_once_are_one,
    a_room_that_one_is_not_in_answers_like_none,
    nothing_is_stored_for_somebody_unknown,
    an_empty_append_answers_the_position,
);

async fn numbers_are_dense_and_events_stand_as_they_were_answered(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let items = (2..=40).map(|number| send(1, number, room, &format!("text {number}")));
    let done = subject.append(items.collect()).await;
    let seqs: Vec<u64> = done.events.iter().map(|event| event.seq.0).collect();
    assert_eq!(seqs, (2..=40).collect::<Vec<_>>());
    let numbers: Vec<u64> = done.events.iter().map(|event| event.msg_no).collect();
    assert_eq!(numbers, (1..=39).collect::<Vec<_>>());
    subject.reopen();
    let range = Range {
        from: Seq(2),
        to: Seq(u64::MAX),
    };
    let events = subject
        .read(move |view| view.events(room, range, 1_000))
        .await;
    assert_eq!(events, done.events);
    let stored = subject.read(move |view| view.room(room)).await;
    let stored = stored.expect("the room");
    assert_eq!((stored.head, stored.msg_no), (Seq(40), 39));
}

async fn a_replay_gets_the_first_answer_for_ever(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    let first = subject.done(send(2, 3, room, "once")).await;
    assert_eq!(
        subject.one(send(2, 3, room, "once")).await,
        Outcome::Replayed(first)
    );
    // A retry arrives after a restart, and after the sender has been sent away.
    subject.reopen();
    let remove = Command::Remove {
        room,
        user: user(2),
    };
    subject.done(by(1, 4, remove)).await;
    let position = subject.position().await;
    let again = subject.append(vec![send(2, 3, room, "once")]).await;
    assert_eq!(again.outcomes, [Outcome::Replayed(first)]);
    assert_eq!((again.events, again.position), (vec![], position));
    assert_eq!(
        subject.refused(send(2, 5, room, "new")).await,
        ErrorCode::NotMember
    );
}

async fn another_command_under_a_used_key_is_a_conflict(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let other = subject.room(1, 2, RoomKind::Group).await;
    subject.done(send(1, 3, room, "this")).await;
    assert_eq!(
        subject.refused(send(1, 3, room, "that")).await,
        ErrorCode::Conflict
    );
    // A key belongs to its sender and room.
    subject.done(send(1, 3, other, "that")).await;
    let add = Command::Add {
        room,
        user: user(2),
    };
    subject.done(by(1, 4, add)).await;
    subject.done(send(2, 3, room, "that")).await;
}

async fn a_batch_sees_its_own_effects(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let add = |key| {
        by(
            1,
            key,
            Command::Add {
                room,
                user: user(2),
            },
        )
    };
    let remove = |key| {
        by(
            1,
            key,
            Command::Remove {
                room,
                user: user(2),
            },
        )
    };
    let items = vec![
        send(2, 2, room, "too early"),
        add(3),
        send(2, 4, room, "in"),
        remove(5),
        send(2, 6, room, "too late"),
        send(2, 4, room, "in"),
        send(1, 7, room, "still here"),
    ];
    let done = subject.append(items).await;
    let [early, added, inside, removed, late, again, last] = done.outcomes[..] else {
        panic!("{done:?}");
    };
    assert_eq!(early, Outcome::Refused(ErrorCode::NotFound));
    assert_eq!(late, Outcome::Refused(ErrorCode::NotMember));
    let seq = |outcome| match outcome {
        Outcome::Done(ack) | Outcome::Replayed(ack) => ack.seq.0,
        other => panic!("refused: {other:?}"),
    };
    assert_eq!([added, inside, removed, last].map(seq), [2, 3, 4, 5]);
    let Outcome::Replayed(ack) = again else {
        panic!("{again:?}");
    };
    assert_eq!(Outcome::Done(ack), inside);
    assert_eq!(done.events.len(), 4);
}

async fn sixty_four_equal_sends_at_once_are_one(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let store: &dyn Store = subject.store();
    let calls = (0..64).map(|_| store.append(vec![send(1, 2, room, "once")], Millis(5)));
    let answers = futures_util::future::join_all(calls).await;
    let mut acks = Vec::new();
    let mut done = 0;
    for answer in answers {
        match answer.expect("stored").outcomes[0] {
            Outcome::Done(ack) => {
                done += 1;
                acks.push(ack);
            }
            Outcome::Replayed(ack) => acks.push(ack),
            other => panic!("refused: {other:?}"),
        }
    }
    assert_eq!((done, acks.len()), (1, 64));
    assert!(acks.iter().all(|ack| *ack == acks[0]));
    let head = subject.read(move |view| view.room(room)).await;
    assert_eq!(head.map(|room| room.head), Some(Seq(2)));
}

async fn a_room_that_one_is_not_in_answers_like_none(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    for room in [room, RoomId([99; 16])] {
        let commands = [
            Command::say(room, "?"),
            Command::join(room),
            Command::Leave { room },
            Command::Add {
                room,
                user: user(3),
            },
            Command::Remove {
                room,
                user: user(1),
            },
        ];
        for (number, command) in (10..).zip(commands) {
            assert_eq!(
                subject.refused(by(2, number, command)).await,
                ErrorCode::NotFound
            );
        }
        let after = subject.read(move |view| read::after(view, user(2), room, Seq(0), None, 50));
        assert_eq!(after.await, Err(ErrorCode::NotFound));
        let history = subject.read(move |view| read::history(view, user(2), room, None, 50));
        assert_eq!(history.await, Err(ErrorCode::NotFound));
        assert_eq!(subject.mark(2, room, 1, 1).await, None);
    }
}

async fn nothing_is_stored_for_somebody_unknown(subject: Subject) {
    let items = vec![
        create(200, 1, RoomKind::Public),
        by(200, 2, Command::Direct { user: user(1) }),
        by(1, 3, Command::Direct { user: user(201) }),
        create(1, 4, RoomKind::Group),
    ];
    let rooms = [items[0].room(), items[1].room(), items[2].room()];
    let done = subject.append(items).await;
    let refused = Outcome::Refused(ErrorCode::NotFound);
    assert_eq!(done.outcomes[..3], [refused; 3]);
    assert_eq!(done.events.len(), 1);
    assert_eq!(done.events[0].key, key(4));
    for room in rooms {
        assert_eq!(subject.read(move |view| view.room(room)).await, None);
    }
}

async fn an_empty_append_answers_the_position(subject: Subject) {
    subject.room(1, 1, RoomKind::Group).await;
    let position = subject.position().await;
    let done = subject.append(Vec::new()).await;
    assert_eq!(
        (done.outcomes.len(), done.events.len(), done.position),
        (0, 0, position)
    );
}
