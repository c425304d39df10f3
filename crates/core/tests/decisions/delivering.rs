//! Who is shown which event when: the races of connecting (contract 3), and being behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chinwag_core::batch::Command;
use chinwag_core::event::{Event, Shared};
use chinwag_core::ids::{Key, Position, RoomId, Seq, Tick, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::live::{ConnId, Outlet};
use chinwag_core::read::{self, Snapshot};
use chinwag_core::shard::{Origin, Shard, Wants};
use chinwag_core::view::View;
use chinwag_core::wire::Cursor;

use crate::{ANN, BOB, CAROL, by, commit, group, ledger};

#[derive(Default)]
struct Outboxes {
    said: Vec<String>,
    /// Connections whose outbox has no room for the next frame.
    full: BTreeSet<u64>,
}

impl Outboxes {
    fn push(&mut self, to: ConnId, frame: String) -> bool {
        let room = !self.full.remove(&to.0);
        self.said.push(if room {
            frame
        } else {
            format!("{}:behind", to.0)
        });
        room
    }
}

impl Outlet for Outboxes {
    fn event(&mut self, to: ConnId, event: &Arc<Shared>) -> bool {
        self.push(to, format!("{}:{}", to.0, event.event.seq))
    }

    fn caught_up(&mut self, to: ConnId, _position: Position) -> bool {
        self.push(to, format!("{}:caught_up", to.0))
    }

    fn behind(&mut self, to: ConnId) {
        self.said.push(format!("{}:behind", to.0));
    }
}

/// A node with Ann's group, whose first event is 1. Connections 1-3 are Ann's, 4-6 Bob's, 7-9
/// Carol's.
struct Node {
    ledger: Ledger,
    room: RoomId,
    shard: Shard,
    outboxes: Outboxes,
    wants: Wants,
    snapshots: BTreeMap<u64, Snapshot>,
    /// Committed, and on their way to the shard.
    late: Vec<Event>,
    number: u8,
    now: Tick,
}

fn user(conn: u64) -> UserId {
    [ANN, BOB, CAROL][(conn as usize - 1) / 3]
}

impl Node {
    fn new() -> Self {
        let mut ledger = ledger();
        let room = group(&mut ledger, 200);
        Self {
            shard: Shard::starting_at(Position(1)),
            ledger,
            room,
            outboxes: Outboxes::default(),
            wants: Wants::default(),
            snapshots: BTreeMap::new(),
            late: Vec::new(),
            number: 0,
            now: Tick(0),
        }
    }

    fn commit(&mut self, word: &str) -> Vec<Event> {
        self.number += 1;
        let room = self.room;
        let command = match word {
            "send" => Command::say(room, "x"),
            "add" => Command::Add { room, user: BOB },
            "remove" => Command::Remove { room, user: BOB },
            other => panic!("{other} is no command"),
        };
        commit(&mut self.ledger, &[by(ANN, self.number, command)]).events
    }

    fn deliver(&mut self, events: Vec<Event>) {
        let events: Vec<_> = events.into_iter().map(Shared::new).collect();
        self.shard.deliver(
            &events,
            Origin::Local,
            self.now,
            &mut self.outboxes,
            &mut self.wants,
        );
    }

    fn look(&mut self) {
        let Ok(changes) = self.ledger.changes(self.shard.vouched());
        self.shard
            .changes(&changes, self.now, &mut self.outboxes, &mut self.wants);
    }

    /// Answers the reads that the shard wants by now.
    fn read(&mut self) {
        self.now = self.now.plus(1_000);
        self.shard
            .tick(self.now, &mut self.outboxes, &mut self.wants);
        for (room, after) in std::mem::take(&mut self.wants.fetch) {
            let range = chinwag_core::room::Range {
                from: after.next(),
                to: Seq(1_000_000),
            };
            let events = self.ledger.range(room, range, 200);
            self.shard.fetched(
                room,
                Some(events),
                false,
                self.now,
                &mut self.outboxes,
                &mut self.wants,
            );
        }
    }

    fn of_conn(&mut self, word: &str, number: u64) {
        let conn = ConnId(number);
        let (shard, outboxes, now) = (&mut self.shard, &mut self.outboxes, self.now);
        match word {
            "register" => shard.register(conn, user(number)),
            "snapshot" => {
                let Ok(snapshot) = read::snapshot(&self.ledger, user(number), &Cursor::default());
                self.snapshots.insert(number, snapshot);
            }
            "shown" => {
                let heads = self.snapshots[&number].heads.clone();
                shard.shown(conn, &heads, now, outboxes, &mut self.wants);
            }
            "flush" => {
                shard.flush(conn, self.snapshots[&number].position, now, outboxes);
            }
            "enter" => {
                for step in ["register", "snapshot", "shown", "flush"] {
                    self.of_conn(step, number);
                }
            }
            "gone" => shard.unregister(conn, now),
            "full" => {
                outboxes.full.insert(number);
            }
            "fell" => shard.fell_behind(conn),
            "pong" => {
                let (position, heads) = shard.pong(conn, &[self.room]);
                let position = position.map_or("-".into(), |position| position.to_string());
                let heads: Vec<String> =
                    heads.iter().map(|(_room, head)| head.to_string()).collect();
                outboxes
                    .said
                    .push(format!("{number}:pong {position} {}", heads.join(",")));
            }
            other => panic!("{other} is no step"),
        }
    }

    fn step(&mut self, word: &str) {
        if let Some((word, conn)) = word.split_once('-') {
            return self.of_conn(word, conn.parse().expect("a connection"));
        }
        match word {
            "look" => self.look(),
            "read" => self.read(),
            "late" => {
                let late = std::mem::take(&mut self.late);
                self.deliver(late);
            }
            "backwards" => {
                let late = std::mem::take(&mut self.late);
                late.into_iter()
                    .rev()
                    .for_each(|event| self.deliver(vec![event]));
            }
            "lost" => self.late.clear(),
            "many" => {
                for number in 0..=limits::RING_EVENTS_MAX as u64 {
                    // Keys of a space of their own.
                    let mut key = [1; 16];
                    key[8..].copy_from_slice(&number.to_be_bytes());
                    let mut say = by(ANN, 0, Command::say(self.room, "x"));
                    say.key = Key(key);
                    let events = commit(&mut self.ledger, &[say]).events;
                    self.deliver(events);
                }
            }
            word => match word.strip_suffix('?') {
                // Committed, and not delivered yet.
                Some(word) => {
                    let events = self.commit(word);
                    self.late.extend(events);
                }
                None => {
                    let events = self.commit(word);
                    self.deliver(events);
                }
            },
        }
    }
}

/// Runs a script; expects everything that was said, in order.
#[track_caller]
pub(crate) fn check(script: &str, expected: &str) {
    let mut node = Node::new();
    script.split_whitespace().for_each(|word| node.step(word));
    assert_eq!(node.outboxes.said.join(" "), expected, "{script}");
}

#[test]
fn live_connections_get_every_event_once_in_order() {
    check("enter-1 send send", "1:caught_up 1:2 1:3");
    check("enter-1 enter-2 send", "1:caught_up 2:caught_up 1:2 2:2");
    check("enter-1 send? send? backwards", "1:caught_up 1:2 1:3");
    check("enter-1 send? send late", "1:caught_up 1:2 1:3");
    // One is lost on the way: the hole is read from the store.
    check("enter-1 send? lost send read", "1:caught_up 1:2 1:3");
    check("enter-1 send? lost look read send", "1:caught_up 1:2 1:3");
    check("enter-1 gone-1 send", "1:caught_up");
}

#[test]
fn nothing_falls_between_snapshot_and_live() {
    // Before and after each step of connecting, and delivered late.
    check(
        "register-1 send snapshot-1 shown-1 flush-1 send",
        "1:caught_up 1:3",
    );
    check(
        "register-1 snapshot-1 send shown-1 flush-1 send",
        "1:2 1:caught_up 1:3",
    );
    check(
        "register-1 snapshot-1 shown-1 send flush-1 send",
        "1:2 1:caught_up 1:3",
    );
    check(
        "register-1 snapshot-1 send? shown-1 flush-1 late send",
        "1:caught_up 1:2 1:3",
    );
    // The snapshot knows what the feed does not yet.
    check(
        "register-1 send? snapshot-1 shown-1 flush-1 late send",
        "1:caught_up 1:3",
    );
    check(
        "enter-1 register-2 send? snapshot-2 shown-2 flush-2 late send",
        "1:caught_up 2:caught_up 1:2 1:3 2:3",
    );
    check(
        "enter-1 send? register-2 snapshot-2 shown-2 flush-2 late",
        "1:caught_up 2:caught_up 1:2",
    );
    // And the feed what the snapshot does not.
    check(
        "enter-1 register-2 snapshot-2 send send shown-2 flush-2",
        "1:caught_up 1:2 1:3 2:2 2:3 2:caught_up",
    );
}

#[test]
fn membership_acts_in_the_order_of_the_log() {
    check("enter-4 send add send", "4:caught_up 4:3 4:4");
    check(
        "add enter-4 enter-1 send remove send",
        "4:caught_up 1:caught_up 4:3 1:3 4:4 1:4 1:5",
    );
    check("add enter-4 remove? send? backwards", "4:caught_up 4:3");
    // In the windows of connecting.
    check(
        "register-4 snapshot-4 add send shown-4 flush-4 send",
        "4:2 4:3 4:caught_up 4:4",
    );
    check(
        "register-4 snapshot-4 shown-4 add flush-4 send",
        "4:2 4:caught_up 4:3",
    );
    check(
        "add register-4 snapshot-4 remove send shown-4 flush-4 send",
        "4:3 4:caught_up",
    );
    check(
        "add register-4 snapshot-4 shown-4 send remove send flush-4 send",
        "4:3 4:4 4:caught_up",
    );
    check(
        "add register-4 snapshot-4 remove add send shown-4 flush-4 send",
        "4:3 4:4 4:5 4:caught_up 4:6",
    );
    check(
        "add remove? register-4 snapshot-4 shown-4 flush-4 late send",
        "4:caught_up",
    );
    // A joining that was lost is found by looking.
    check("enter-4 add? lost look read send", "4:caught_up 4:2 4:3");
}

#[test]
fn rooms_without_anybody_are_not_followed() {
    let mut node = Node::new();
    let tracked = |node: &mut Node, script: &str| {
        script.split_whitespace().for_each(|word| node.step(word));
        node.shard.tracked()
    };
    assert_eq!(tracked(&mut node, "send"), 0);
    assert_eq!(tracked(&mut node, "enter-1"), 1);
    assert_eq!(tracked(&mut node, "add enter-4 gone-1"), 1);
    assert_eq!(tracked(&mut node, "remove send"), 0);
    assert_eq!(tracked(&mut node, "gone-4"), 0);
    assert_eq!(node.shard.live().counts(), (0, 0));
}

#[test]
fn a_full_outbox_is_behind_until_it_syncs() {
    check(
        "enter-1 full-1 send send pong-1 enter-1 send",
        "1:caught_up 1:behind 1:pong - 3 1:caught_up 1:4",
    );
    check(
        "enter-1 enter-2 full-1 send",
        "1:caught_up 2:caught_up 1:behind 2:2",
    );
    // By something else than an event, and in the middle of a sync.
    check(
        "enter-1 fell-1 send look read pong-1",
        "1:caught_up 1:pong - 2",
    );
    check("register-1 snapshot-1 shown-1 fell-1 send flush-1 send", "");
    check(
        "register-1 snapshot-1 shown-1 send full-1 flush-1 send",
        "1:behind",
    );
    check(
        "register-1 snapshot-1 shown-1 full-1 flush-1 send",
        "1:behind",
    );
    // What happened between two syncs of a connection is in the second's snapshot.
    check(
        "enter-1 fell-1 send register-1 snapshot-1 send shown-1 flush-1",
        "1:caught_up 1:3 1:caught_up",
    );
}

/// What is released while somebody connects is kept, up to a bound: beyond it they sync again.
#[test]
fn too_much_while_connecting_is_behind() {
    for (script, expected) in [
        ("enter-2 register-1 snapshot-1 many shown-1", "1:behind"),
        (
            "enter-2 register-1 snapshot-1 shown-1 many flush-1",
            "1:behind",
        ),
        (
            "enter-2 register-1 snapshot-1 many shown-1 enter-1 send",
            "1:behind 1:caught_up 1:16387",
        ),
    ] {
        let mut node = Node::new();
        script.split_whitespace().for_each(|word| node.step(word));
        let said = node.outboxes.said.iter().map(String::as_str);
        let of_the_first: Vec<&str> = said.filter(|frame| frame.starts_with("1:")).collect();
        assert_eq!(of_the_first.join(" "), expected, "{script}");
    }
}

#[test]
fn positions_are_vouched_for_once_all_is_delivered() {
    check(
        "enter-1 send look pong-1 pong-1",
        "1:caught_up 1:2 1:pong p2 2 1:pong - 2",
    );
    // Not before the hole is filled.
    check(
        "enter-1 send? lost look pong-1 read pong-1",
        "1:caught_up 1:pong - 1 1:2 1:pong p2 2",
    );
    // Not to whoever is not live, and no heads of rooms that one is not in.
    check("register-1 send look pong-1", "1:pong - ");
    check("enter-4 send look pong-4", "4:caught_up 4:pong p2 ");
}
