//! What tails answer is what the snapshot says: over random logs, with commits, loads, holes and
//! evictions in every order, and with snapshots older and newer than the tails.

mod world;

use proptest::prelude::*;

use self::world::{Question, Step, World, step};
use super::{Tail, Tails};
use crate::event::{Author, Body, Content, Event, RedactBody};
use crate::ids::{Key, Millis, RoomId, Seq, UserId};

fn user(number: u8) -> UserId {
    UserId([number; 16])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_answer_is_the_snapshots(
        steps in prop::collection::vec(step(), 30..90),
        scarce in any::<bool>(),
        during_loads in 0..30usize,
    ) {
        // Room for one tail and a part of another, or for all.
        let mut world = World::new(if scarce { 30_000 } else { 1 << 20 }, during_loads);
        for step in &steps {
            world.step(step);
        }
    }
}

fn question(seq: u64, limit: usize) -> Question {
    Question {
        user: 1,
        room: 0,
        seq,
        span: 10,
        limit,
    }
}

#[test]
fn a_room_that_is_read_again_is_read_from_memory() {
    let mut world = World::new(1 << 20, 0);
    world.step(&Step::Send(0, 2, 10));
    world.step(&Step::Enter(0, 2));
    for _ in 0..30 {
        world.step(&Step::Send(0, 2, 10));
    }
    // Nobody told the tails: the first look-up loads, and it is the last that does.
    world.shared.untold.borrow_mut().clear();
    world.ask(world.moments.len() - 1, &question(290, 5));
    let once = world.shared.tails.borrow().figures();
    assert_eq!((once.loads, once.rooms), (1, 1));
    assert!(once.hits > 0, "{once:?}");
    world.ask(world.moments.len() - 1, &question(291, 5));
    let twice = world.shared.tails.borrow().figures();
    assert_eq!((twice.loads, twice.misses), (once.loads, once.misses));
}

#[test]
fn what_was_longest_unused_goes_first() {
    let mut tails = Tails::new(3 * (super::ROOM_BYTES + 4 * size_of::<Event>() + 100));
    let message = |room: u8| Event {
        room: RoomId([room; 16]),
        seq: Seq(1),
        msg_no: 1,
        v: 1,
        from: Author(user(1), 1),
        key: Key([room; 16]),
        ts: Millis(0),
        target: None,
        reply_to: None,
        mentions: Vec::new(),
        body: Body::Message("text".into()),
    };
    for room in 1..=3 {
        tails.commit(&message(room));
    }
    assert!(tails.tail(RoomId([1; 16])).is_some(), "used again");
    tails.commit(&message(4));
    let kept = (1..=4).filter(|room| tails.rooms.contains_key(&RoomId([*room; 16])));
    assert_eq!(kept.collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(tails.figures().evictions, 1);
}

#[test]
fn what_an_older_snapshot_brings_is_emptied_by_a_redaction_that_it_did_not_know() {
    let event = |seq: u64, target: Option<Seq>, body: Body| Event {
        room: RoomId([1; 16]),
        seq: Seq(seq),
        msg_no: seq,
        v: 1,
        from: Author(user(1), 1),
        key: Key([1; 16]),
        ts: Millis(0),
        target,
        reply_to: None,
        mentions: Vec::new(),
        body,
    };
    let text = |text: &str| Content::from(text);
    let redaction = event(3, Some(Seq(1)), Body::Redact(RedactBody {}));
    let mut tail = Tail::of([redaction]).expect("an event");
    tail.merge([
        event(1, None, Body::Message(text("gone"))),
        event(2, None, Body::Message(text("stays"))),
    ]);
    let first = tail.event(Seq(1)).map(|event| event.body);
    let second = tail.event(Seq(2)).map(|event| event.body);
    assert_eq!(first, Some(Body::Message(text(""))));
    assert_eq!(second, Some(Body::Message(text("stays"))));
}
