//! The order of what a connecting client is sent: summary, resets, streams, then live.
//!
//! A [`Plan`] comes out of one snapshot and is pulled step by step, as the outbox drains, so
//! that a slow client never has more than a stretch waiting.

use std::collections::VecDeque;

use crate::ids::{Position, RoomId};
use crate::limits;
use crate::read::{Open, Snapshot, Stretch};
use crate::room::Range;
use crate::wire::{Blocks, Profile, ResetWhy, RoomRow, ServerFrame, Settings};

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Queue this frame in the vouching lane.
    Frame(Box<ServerFrame>),
    /// Read the beginning of this range and hand it to [`Plan::stretched`].
    Stretch(RoomId, Range),
    /// Flush what was held and say `caught_up` with this position.
    Flush(Position),
}

/// What is left of connecting after the snapshot.
#[derive(Debug)]
pub struct Plan {
    steps: VecDeque<Step>,
}

impl Plan {
    /// The plan for what a snapshot found. Leaves `heads` to the shard.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let Snapshot {
            position,
            rows,
            all,
            reset,
            open,
            settings,
            blocks,
            blocks_changed,
            profile,
            ..
        } = snapshot;
        let mut steps = VecDeque::new();
        let own = (
            (!settings.is_new()).then_some(settings),
            blocks_changed.then_some(blocks),
            profile,
        );
        summaries(&mut steps, rows, all, reset, own);
        for room in open {
            steps.push_back(match room {
                Open::Reset(reset) => Step::Frame(Box::new(ServerFrame::Reset(*reset))),
                Open::Stream(room, range) => Step::Stretch(room, range),
            });
        }
        steps.push_back(Step::Flush(position));
        Self { steps }
    }

    /// The next step; after [`Step::Flush`] there is none.
    pub fn next_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Takes in what was read for a [`Step::Stretch`]: its frame is next, then its rest.
    pub fn stretched(&mut self, room: RoomId, wanted: Range, stretch: Stretch) {
        if stretch.items.is_empty() {
            return;
        }
        if let Some(rest) = Range::new(stretch.to.next(), wanted.to) {
            self.steps.push_front(Step::Stretch(room, rest));
        }
        self.steps
            .push_front(Step::Frame(Box::new(events(None, room, stretch))));
    }
}

/// A stretch as a frame.
#[must_use]
pub fn events(req: Option<u64>, room: RoomId, stretch: Stretch) -> ServerFrame {
    let Stretch {
        from,
        to,
        head,
        items,
    } = stretch;
    ServerFrame::Events {
        req,
        room,
        from,
        to,
        head,
        items,
    }
}

fn summaries(
    steps: &mut VecDeque<Step>,
    rows: Vec<RoomRow>,
    all: bool,
    reset: Option<ResetWhy>,
    own: (Option<Settings>, Option<Blocks>, Option<Profile>),
) {
    let (mut settings, mut blocks, mut profile) = own;
    let new = rows.iter().map(|row| row.me.unread).sum();
    let mut rows = rows.into_iter().peekable();
    loop {
        let part: Vec<RoomRow> = rows.by_ref().take(limits::SUMMARY_ROWS_MAX).collect();
        let more = rows.peek().is_some();
        let frame = ServerFrame::Summary {
            rooms: part,
            new,
            all,
            reset,
            more,
            settings: settings.take(),
            blocks: blocks.take(),
            profile: profile.take(),
        };
        steps.push_back(Step::Frame(Box::new(frame)));
        if !more {
            return;
        }
    }
}
