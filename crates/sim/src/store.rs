//! The store that three nodes share: one ledger, behind everything that a database can do.
//!
//! A transaction happens at one moment between request and answer, or not at all; the answer may
//! be late, unknown, or come before the moment. A read sees one moment. The ledger itself is the
//! core's; only time and failure are modelled here.

mod ask;
mod beside;

use std::collections::BTreeMap;
use std::convert::Infallible;

use chinwag_core::answer;
use chinwag_core::batch::Submission;
use chinwag_core::event::Event;
use chinwag_core::ids::{Epoch, Position, Seq};
use chinwag_core::ledger::{Committed, Ledger};
use chinwag_core::limits;
use chinwag_core::marker::{Mark, Marked};
use chinwag_core::read;
use chinwag_core::recent::Recalling;
use chinwag_core::room::Range;
use chinwag_core::view::{Changes, View};

use crate::base::{Base, Happening, NodeRef, NodeWork};
use crate::fault::Fault;
use crate::recent::Memories;

pub(crate) use ask::{Ask, Found, ReadAnswer};

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// It did not happen.
    Closed,
    /// Nobody knows whether it happened.
    Unknown,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct AppendAnswer {
    /// The outcome.
    pub(crate) result: Result<Committed, StoreError>,
}

/// What became of markers.
#[derive(Debug)]
pub(crate) struct MarkAnswer {
    /// One for each, in order.
    pub(crate) result: Result<Vec<Option<Marked>>, StoreError>,
}

#[derive(Debug)]
enum Write {
    Batch(Vec<Submission>),
    Marks(Vec<Mark>),
}

#[derive(Debug)]
struct Transaction {
    node: NodeRef,
    write: Write,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Plain,
    Abort,
    Late,
    UnknownDone,
    UnknownNot,
    /// The node has been told "unknown" before the moment.
    UnknownLater,
}

/// An event as it was committed, with the position of its transaction: the oracle's truth about
/// when something could be known.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The position.
    pub(crate) position: Position,
    /// The event.
    pub(crate) event: Event,
}

/// The shared store.
#[derive(Debug)]
pub(crate) struct Store {
    /// The core's reference store.
    pub(crate) ledger: Ledger,
    /// Everything committed, in order.
    pub(crate) journal: Vec<Entry>,
    /// What each node has of it in memory, in its present life.
    recent: Memories,
    writes: BTreeMap<u64, Transaction>,
    reads: BTreeMap<u64, (NodeRef, Ask)>,
    next: u64,
    down_until: u64,
    armed: Option<Fault>,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self {
            ledger: Ledger::new(epoch),
            journal: Vec::new(),
            recent: Memories::default(),
            writes: BTreeMap::new(),
            reads: BTreeMap::new(),
            next: 0,
            down_until: 0,
            armed: None,
        }
    }

    /// Commits at once: what was there before the world began.
    pub(crate) fn found(&mut self, items: &[Submission], base: &Base) -> Committed {
        let committed = self.ledger.append(items, base.wall());
        self.keep(&committed);
        committed
    }

    fn keep(&mut self, committed: &Committed) {
        let position = committed.position;
        let entries = committed.events.iter().cloned();
        self.journal
            .extend(entries.map(|event| Entry { position, event }));
    }

    /// The next batch meets this fault.
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.armed = Some(fault);
    }

    /// Nothing is answered until then.
    pub(crate) fn go_down(&mut self, until: u64) {
        self.down_until = until;
    }

    /// No more faults.
    pub(crate) fn heal(&mut self) {
        self.armed = None;
        self.down_until = 0;
    }

    fn is_down(&self, base: &Base) -> bool {
        base.now < self.down_until
    }

    /// A node's batch.
    pub(crate) fn append(&mut self, node: NodeRef, items: Vec<Submission>, base: &mut Base) {
        let armed = self.armed.take();
        if let Some(fault) = armed {
            base.suffer(fault);
        }
        let fate = match armed {
            Some(Fault::Abort) => Fate::Abort,
            Some(Fault::LateAnswer) => Fate::Late,
            Some(Fault::UnknownDone) => Fate::UnknownDone,
            Some(Fault::UnknownNot) => Fate::UnknownNot,
            Some(Fault::UnknownLater) => Fate::UnknownLater,
            _ => Fate::Plain,
        };
        if matches!(
            fate,
            Fate::UnknownDone | Fate::UnknownNot | Fate::UnknownLater
        ) {
            base.counts.unknown += items.len() as u64;
        }
        base.trace.note(
            base.now,
            format_args!("append n{} {} items {fate:?}", node.node, items.len()),
        );
        let mut delay = base.rng.between(1, 15);
        if fate == Fate::UnknownLater {
            let told = base.rng.between(1, 30);
            let answer = AppendAnswer {
                result: Err(StoreError::Unknown),
            };
            let work = NodeWork::Appended(Box::new(answer));
            base.later(told, Happening::Node(node, work));
            delay = told + base.rng.between(1, 4_000);
        }
        self.transact(node, Write::Batch(items), fate, delay, base);
    }

    /// A node's markers.
    pub(crate) fn mark(&mut self, node: NodeRef, marks: Vec<Mark>, base: &mut Base) {
        let delay = base.rng.between(1, 15);
        self.transact(node, Write::Marks(marks), Fate::Plain, delay, base);
    }

    fn transact(&mut self, node: NodeRef, write: Write, fate: Fate, delay: u64, base: &mut Base) {
        self.next += 1;
        self.writes
            .insert(self.next, Transaction { node, write, fate });
        base.later(delay, Happening::Commit(self.next));
    }

    /// A transaction's moment.
    pub(crate) fn commit(&mut self, id: u64, base: &mut Base) {
        let Some(Transaction { node, write, fate }) = self.writes.remove(&id) else {
            return;
        };
        let down = self.is_down(base);
        let answer = match write {
            Write::Marks(marks) => {
                let result = if down {
                    Err(StoreError::Closed)
                } else {
                    Ok(self.ledger.mark(&marks, base.wall()))
                };
                NodeWork::Marked(Box::new(MarkAnswer { result }))
            }
            Write::Batch(items) => {
                let nothing = down || matches!(fate, Fate::Abort | Fate::UnknownNot);
                let mut result = Err(StoreError::Closed);
                if !nothing {
                    self.ledger.set_node(node.node as u64);
                    let committed = self.ledger.append(&items, base.wall());
                    self.keep(&committed);
                    note(&committed, node, base);
                    result = Ok(committed);
                }
                match fate {
                    Fate::UnknownLater => return,
                    Fate::UnknownDone | Fate::UnknownNot => result = Err(StoreError::Unknown),
                    Fate::Plain | Fate::Abort | Fate::Late => {}
                }
                NodeWork::Appended(Box::new(AppendAnswer { result }))
            }
        };
        let delay = match (fate, down) {
            (Fate::Late, _) => base.rng.between(300, 4_000),
            (_, true) => base.rng.between(50, 400),
            (_, false) => base.rng.between(1, 10),
        };
        base.later(delay, Happening::Node(node, answer));
    }

    /// A node's read: it sees the moment that comes after a while.
    pub(crate) fn read(&mut self, node: NodeRef, ask: Ask, base: &mut Base) {
        self.next += 1;
        self.reads.insert(self.next, (node, ask));
        let delay = base.rng.between(0, 6);
        base.later(delay, Happening::Read(self.next));
    }

    /// A read's moment.
    pub(crate) fn look(&mut self, id: u64, base: &mut Base) {
        let Some((node, ask)) = self.reads.remove(&id) else {
            return;
        };
        let hits = self.recent.of(node).borrow().figures().hits;
        let found = self.find(ask, node, base);
        base.counts.recalled += self.recent.of(node).borrow().figures().hits - hits;
        let answer = ReadAnswer { found };
        let slow = base.rng.chance(50);
        let delay = base.rng.between(0, if slow { 300 } else { 12 });
        let work = NodeWork::Read(Box::new(answer));
        base.later(delay, Happening::Node(node, work));
    }

    /// A node has heard what became of its batch: it keeps the events in memory.
    pub(crate) fn remember(&mut self, node: NodeRef, events: &[Event]) {
        let mut tails = self.recent.of(node).borrow_mut();
        events.iter().for_each(|event| tails.commit(event));
    }

    fn find(&mut self, ask: Ask, node: NodeRef, base: &mut Base) -> Found {
        let up = !self.is_down(base);
        self.ledger.set_node(node.node as u64);
        if let Ask::Set(..) | Ask::Own(..) | Ask::Deed(..) = ask {
            return self.write_beside(ask, up, base);
        }
        let view = &Recalling::new(&self.ledger, self.recent.of(node));
        match ask {
            Ask::Snapshot(conn, sync, user, cursor) => {
                let found = up.then(|| sure(read::snapshot(view, user, &cursor)));
                Found::Snapshot(conn, sync, found)
            }
            Ask::Stretch(conn, sync, user, room, range) => {
                let found =
                    up.then(|| sure(read::stretch(view, user, room, range, limits::PAGE_MAX)));
                Found::Stretch(conn, sync, room, range, found)
            }
            Ask::Query(conn, user, req, query) => {
                let frame = if up {
                    sure(answer::reply(view, user, req, query, base.wall()))
                } else {
                    answer::unavailable(req)
                };
                Found::Query(conn, req, Box::new(frame))
            }
            Ask::Fetch(room, after) => {
                let range = Range {
                    from: after.next(),
                    to: Seq(i64::MAX as u64),
                };
                let events = sure(view.events(room, range, limits::PAGE_MAX));
                let more = up && events.len() == limits::PAGE_MAX;
                Found::Fetch(room, up.then_some(events), more)
            }
            Ask::Look(since) => Found::Look(if up {
                sure(view.changes(since))
            } else {
                Changes {
                    position: since,
                    ..Changes::default()
                }
            }),
            Ask::Row(conn, user, room) => {
                let row = if up {
                    sure(read::row(view, user, room))
                } else {
                    None
                };
                Found::Row(conn, user, row)
            }
            Ask::Asides(asks) => beside::grant(view, asks, up),
            Ask::Receipts(due, connected) => beside::share(view, &due, &connected, up),
            Ask::Set(..) | Ask::Own(..) | Ask::Deed(..) => unreachable!("it was done above"),
            Ask::Key(conn, user, room, key) => {
                let stored = up && sure(view.replay(key, user, room)).is_some();
                Found::Key(conn, room, key, stored)
            }
        }
    }
}

/// The ledger is in memory and cannot fail.
fn sure<T>(result: Result<T, Infallible>) -> T {
    let Ok(value) = result;
    value
}

fn note(committed: &Committed, node: NodeRef, base: &mut Base) {
    for event in &committed.events {
        base.trace.note(
            base.now,
            format_args!(
                "commit n{} {} #{} {} by {} at {}",
                node.node,
                event.room,
                event.seq,
                event.body.kind(),
                event.key,
                committed.position
            ),
        );
    }
}
