//! A store whose earlier moments can be read, and tails that follow it, late and with holes.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

use proptest::prelude::*;

use super::super::{Begin, Fared, Loaded, ROOM_BYTES, Recall, Recalling, Tail, Tails};
use super::user;
use crate::batch::{Command, Submission};
use crate::event::{Body, Event};
use crate::ids::{Epoch, Key, Millis, Position, RoomId, Seq};
use crate::ledger::Ledger;
use crate::limits;
use crate::read;
use crate::room::{Range, RoomKind};
use crate::view::View;
use crate::wire::{Cursor, Last, Profile};

const PEOPLE: u8 = 4;

/// Tails that hear of commits late, also in the middle of a load.
pub(super) struct Shared {
    pub(super) tails: RefCell<Tails>,
    pub(super) untold: RefCell<VecDeque<Event>>,
    during_loads: usize,
}

impl Shared {
    fn tell(&self, count: usize) {
        for _ in 0..count {
            if let Some(event) = self.untold.borrow_mut().pop_front() {
                self.tails.borrow_mut().commit(&event);
            }
        }
    }
}

impl Recall for Shared {
    fn look<T>(&self, room: RoomId, look: impl FnOnce(&Tail) -> Option<T>) -> Option<T> {
        self.tails.look(room, look)
    }

    fn load<E>(
        &self,
        room: RoomId,
        head: Seq,
        read: impl FnOnce(Range) -> Result<Vec<Event>, E>,
    ) -> Result<Loaded, E> {
        let meanwhile = |range| {
            let read = read(range);
            // Somebody else wants the same room now: one load is enough.
            assert_eq!(self.tails.borrow_mut().begin(room, head), Begin::Busy);
            self.tell(self.during_loads);
            read
        };
        self.tails.load(room, head, meanwhile)
    }

    fn note(&self, room: RoomId, fared: Fared) {
        self.tails.note(room, fared);
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Messages of one user in a row.
    Send(usize, u8, u8),
    Enter(usize, u8),
    Leave(usize, u8),
    /// An edit, a redaction or a reaction of something.
    About(usize, u8, u64, u8),
    /// The tails hear of so many commits.
    Tell(usize),
    /// They never hear of the next one: another node's.
    Miss,
    /// Somebody reads a snapshot of so many commits ago.
    Ask(usize, Question),
}

#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) user: u8,
    pub(super) room: usize,
    pub(super) seq: u64,
    pub(super) span: u64,
    pub(super) limit: usize,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let (room, person) = (0..2usize, 1..=PEOPLE);
    let question = (
        person.clone(),
        room.clone(),
        any::<u64>(),
        0..150u64,
        1..120usize,
    );
    let question = question.prop_map(|(user, room, seq, span, limit)| Question {
        user,
        room,
        seq,
        span,
        limit,
    });
    prop_oneof![
        8 => (room.clone(), person.clone(), 1..30u8).prop_map(|(r, p, n)| Step::Send(r, p, n)),
        1 => (room.clone(), person.clone()).prop_map(|(r, p)| Step::Enter(r, p)),
        1 => (room.clone(), person.clone()).prop_map(|(r, p)| Step::Leave(r, p)),
        6 => (room, person, any::<u64>(), 0..4u8).prop_map(|(r, p, t, k)| Step::About(r, p, t, k)),
        4 => (1..40usize).prop_map(Step::Tell),
        1 => Just(Step::Miss),
        12 => (0..6usize, question).prop_map(|(back, question)| Step::Ask(back, question)),
    ]
}

/// A store with two public rooms, its earlier moments, and tails that follow it.
pub(super) struct World {
    pub(super) moments: Vec<Ledger>,
    now: Ledger,
    rooms: Vec<RoomId>,
    pub(super) shared: Shared,
    keys: u128,
    /// Texts that were redacted, with how many moments there were before.
    gone: BTreeMap<String, usize>,
}

impl World {
    pub(super) fn new(bytes_max: usize, during_loads: usize) -> Self {
        let mut now = Ledger::new(Epoch([1; 16]));
        for number in 1..=PEOPLE {
            now.put_profile(Profile {
                id: user(number),
                name: format!("Person {number}"),
                version: 1,
                display_name: None,
                avatar: None,
            });
        }
        let shared = Shared {
            tails: RefCell::new(Tails::new(bytes_max)),
            untold: RefCell::default(),
            during_loads,
        };
        let mut world = Self {
            moments: Vec::new(),
            now,
            rooms: Vec::new(),
            shared,
            keys: 0,
            gone: BTreeMap::new(),
        };
        for _ in 0..2 {
            let kind = RoomKind::Public;
            let name = "Square".to_owned();
            let room = world.commit(1, |_key| Command::open(kind, name));
            world.rooms.extend(room);
        }
        world
    }

    fn key(&mut self) -> Key {
        self.keys += 1;
        Key(self.keys.to_be_bytes())
    }

    fn commit(&mut self, from: u8, command: impl FnOnce(u128) -> Command) -> Option<RoomId> {
        let key = self.key();
        let command = command(self.keys);
        let from = user(from);
        let item = Submission { from, key, command };
        let committed = self.now.append(&[item], Millis(0));
        let room = committed.events.first().map(|event| event.room);
        self.shared.untold.borrow_mut().extend(committed.events);
        self.moments.push(self.now.clone());
        room
    }

    /// Says something about a message; what may not be is refused, and changes nothing.
    fn about(&mut self, room: usize, from: u8, target: u64, kind: u8) {
        let room = self.rooms[room];
        let Ok(stored) = self.now.room(room);
        let stored = stored.expect("the room was made first");
        let target = Seq(target % stored.head.0 + 1);
        let all = Range {
            from: Seq(1),
            to: stored.head,
        };
        let before = self.moments.len();
        let committed = self.commit(from, |key| match kind {
            0 => Command::Redact { room, target },
            1 => Command::Edit {
                room,
                target,
                body: format!("t{key};").into(),
            },
            _ => Command::React {
                room,
                target,
                emoji: "x".into(),
                on: kind == 2,
            },
        });
        if kind > 0 || committed.is_none() {
            return;
        }
        for event in self.moments[before - 1].range(room, all, usize::MAX) {
            let said = match event.body {
                Body::Message(said) if event.seq == target => said,
                Body::Edit(said) if event.target == Some(target) => said,
                _ => continue,
            };
            if let Some(text) = said.text().filter(|text| !text.is_empty()) {
                self.gone.insert(text.to_owned(), before);
            }
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::Send(room, from, count) => {
                let room = self.rooms[*room];
                for _ in 0..*count {
                    self.commit(*from, |key| Command::say(room, format!("t{key};")));
                }
            }
            Step::Enter(room, who) => {
                let room = self.rooms[*room];
                self.commit(*who, |_key| Command::join(room));
            }
            Step::Leave(room, who) => {
                let room = self.rooms[*room];
                self.commit(*who, |_key| Command::Leave { room });
            }
            Step::About(room, from, target, kind) => self.about(*room, *from, *target, *kind),
            Step::Tell(count) => self.shared.tell(*count),
            Step::Miss => {
                self.shared.untold.borrow_mut().pop_front();
            }
            Step::Ask(back, question) => {
                let at = self.moments.len().saturating_sub(1 + back * back);
                self.ask(at, question);
            }
        }
        self.sound();
    }

    pub(super) fn ask(&self, at: usize, question: &Question) {
        let (moment, room) = (&self.moments[at], self.rooms[question.room]);
        let said = |words: String| {
            // A reader of an old moment may find emptied what was redacted since: see `Tail`.
            let later = self.gone.iter().filter(|(_text, since)| **since > at);
            later.fold(words, |words, (text, _since)| words.replace(text, ""))
        };
        let expected = answers(moment, room, question).into_iter().map(said);
        let found = answers(&Recalling::new(moment, &self.shared), room, question);
        for (found, expected) in found.into_iter().map(said).zip(expected) {
            assert_eq!(found, expected, "{question:?}");
        }
    }

    /// What holds of tails at every moment.
    fn sound(&self) {
        let tails = self.shared.tails.borrow();
        let mut bytes = 0;
        for (room, kept) in &tails.rooms {
            let events: Vec<&Event> = kept.tail.events().collect();
            assert!(!events.is_empty() && events.len() <= limits::RECENT_EVENTS_MAX);
            assert!(events.windows(2).all(|two| two[0].seq.next() == two[1].seq));
            for event in &events {
                let Ok(stored) = self.now.event(*room, event.seq);
                let stored = stored.expect("what is kept is stored");
                assert_eq!(
                    (stored.key, stored.target, stored.body.kind()),
                    (event.key, event.target, event.body.kind())
                );
            }
            for redaction in &events {
                let mut emptied: Vec<Event> = events.iter().map(|&event| event.clone()).collect();
                crate::fold::empty(&mut emptied, redaction);
                assert!(emptied.iter().eq(events.iter().copied()), "a text is left");
            }
            assert_eq!(tails.order.get(&kept.used), Some(room));
            bytes += (ROOM_BYTES + kept.tail.bytes()) as u64;
        }
        assert_eq!(tails.figures.bytes, bytes);
        assert!(bytes <= tails.bytes_max as u64);
        assert_eq!(tails.figures.rooms, tails.rooms.len() as u64);
        assert_eq!(tails.order.len(), tails.rooms.len());
        assert!(tails.loading.is_empty());
    }
}

/// All that can be asked about a room, in words.
fn answers<V: View<Error = Infallible>>(
    view: &V,
    room: RoomId,
    question: &Question,
) -> Vec<String> {
    let Question {
        user: number,
        seq,
        span,
        limit,
        ..
    } = *question;
    let Ok(stored) = view.room(room);
    let head = stored.map_or(0, |room| room.head.0);
    let seq = Seq(seq % (head + 3));
    let who = user(number);
    let some = Range {
        from: seq.max(Seq(1)),
        to: Seq(seq.0.max(1) + span),
    };
    let Ok(there) = view.event(room, seq);
    let key = there.as_ref().map(|event| event.key);
    let cursor = Cursor {
        epoch: None,
        position: Some(Position(0)),
        last: key.map(|key| Last { room, seq, key }),
        open: vec![(room, seq)],
    };
    vec![
        format!("{there:?}"),
        format!("{:?}", read::snapshot(view, who, &cursor)),
        format!("{:?}", read::after(view, who, room, seq, key, limit)),
        format!("{:?}", read::history(view, who, room, None, limit)),
        format!("{:?}", read::history(view, who, room, Some(seq), limit)),
        format!("{:?}", read::stretch(view, who, room, some, limit)),
        format!("{:?}", read::row(view, who, room)),
        format!("{:?}", view.events(room, some, limit)),
        format!("{:?}", view.lines(room, some, limit)),
        format!("{:?}", view.about(room, some)),
        format!("{:?}", view.redacted(room, some)),
        format!("{:?}", view.countable(room, who, some, limit as u64)),
    ]
}
