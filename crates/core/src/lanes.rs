//! The outbox of one connection: four lanes, bounded by bytes (mission E7, contract 7).
//!
//! Control and replies go first, then messages with everything that vouches for them, then
//! receipts, then ephemeral things, of which the newest win. A full outbox drops its messages
//! and receipts at once and says `behind`: memory never grows, and nothing is lost silently.

use std::collections::VecDeque;

use crate::ids::RoomId;
use crate::limits;
use crate::mutant::{self, Mutant};

/// Where a frame waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Acks, replies, errors, `behind`, hints.
    Control,
    /// Events, and everything that speaks of what was said before it.
    Message,
    /// Markers.
    Receipt,
    /// Typing, presence: may vanish.
    Ephemeral,
}

impl Lane {
    /// Where positions, summaries and memberships travel: behind what they vouch for.
    #[must_use]
    pub fn vouching() -> Self {
        if mutant::active(Mutant::PositionInControlLane) {
            Self::Control
        } else {
            Self::Message
        }
    }
}

/// What an ephemeral frame says all of: a newer one takes the place of one that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Who types in a room.
    Typing(RoomId),
    /// How many are online in a room.
    Online(RoomId),
}

/// Frames for which an empty lane keeps room: most deliveries need no allocation.
const FRAMES_KEPT: usize = 4;

/// Frames of one kind that wait, with their bytes.
#[derive(Debug)]
struct Queue<F> {
    frames: VecDeque<(F, usize)>,
    bytes: usize,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<F> Queue<F> {
    fn push(&mut self, frame: F, bytes: usize) {
        self.frames.push_back((frame, bytes));
        self.bytes += bytes;
    }

    /// The next frame. Of the list behind the last one, room for `kept` frames stays: a burst's
    /// worth of list is not kept for an idle socket.
    fn pop(&mut self, kept: usize) -> Option<(F, usize)> {
        let (frame, bytes) = self.frames.pop_front()?;
        self.bytes -= bytes;
        if self.frames.is_empty() && self.frames.capacity() > kept {
            self.frames = VecDeque::new();
        }
        Some((frame, bytes))
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }
}

/// Ephemeral frames that wait at most; beyond, the oldest goes.
const EPHEMERAL_FRAMES_MAX: usize = 64;

/// A frame that may vanish, and what it says all of.
#[derive(Debug)]
struct Passing<F> {
    frame: F,
    topic: Option<Topic>,
}

/// What waits for one socket.
#[derive(Debug)]
pub struct Outbox<F> {
    control: Queue<F>,
    message: Queue<F>,
    receipt: Queue<F>,
    ephemeral: Queue<Passing<F>>,
    bytes_max: usize,
}

impl<F> Default for Outbox<F> {
    fn default() -> Self {
        Self::new(limits::OUTBOX_BYTES_MAX)
    }
}

impl<F> Outbox<F> {
    /// An empty outbox that holds `bytes_max` of messages and receipts.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            control: Queue::default(),
            message: Queue::default(),
            receipt: Queue::default(),
            ephemeral: Queue::default(),
            bytes_max,
        }
    }

    /// Queues a frame. `false`: there was no room, and the caller must call
    /// [`Outbox::fall_behind`]. Control frames always find room (what causes them is bounded);
    /// so does the first message of an empty outbox.
    #[must_use]
    pub fn push(&mut self, lane: Lane, frame: F, bytes: usize) -> bool {
        match lane {
            Lane::Control => self.control.push(frame, bytes),
            Lane::Message | Lane::Receipt => {
                let waiting = self.message.bytes + self.receipt.bytes;
                if waiting > 0 && waiting + bytes > self.bytes_max {
                    return mutant::active(Mutant::SilentDrop);
                }
                let queue = if lane == Lane::Message {
                    &mut self.message
                } else {
                    &mut self.receipt
                };
                queue.push(frame, bytes);
            }
            Lane::Ephemeral => self.push_ephemeral(None, frame, bytes),
        }
        true
    }

    /// Queues a frame that may vanish: an older one of the same topic goes, or the oldest of all if
    /// too many wait.
    pub fn push_ephemeral(&mut self, topic: Option<Topic>, frame: F, bytes: usize) {
        let Queue { frames, bytes: sum } = &mut self.ephemeral;
        let same = frames
            .iter()
            .position(|(waiting, _bytes)| topic.is_some() && waiting.topic == topic);
        let goes = same.or((frames.len() >= EPHEMERAL_FRAMES_MAX).then_some(0));
        if let Some((_gone, bytes)) = goes.and_then(|at| frames.remove(at)) {
            *sum -= bytes;
        }
        self.ephemeral.push(Passing { frame, topic }, bytes);
    }

    /// Drops messages, receipts and ephemeral frames, and says so: `behind` is the frame.
    pub fn fall_behind(&mut self, behind: F, bytes: usize) {
        self.message.clear();
        self.receipt.clear();
        self.ephemeral.clear();
        self.control.push(behind, bytes);
    }

    /// Gives back the room that empty lanes keep: for a client who may be silent from now on.
    pub fn settle(&mut self) {
        for queue in [&mut self.message, &mut self.receipt] {
            if queue.frames.is_empty() {
                queue.frames = VecDeque::new();
            }
        }
    }

    /// The next frame, lanes in order.
    pub fn pop(&mut self) -> Option<(F, usize)> {
        // Messages come often; each connection has a reply once, with its `hello`.
        self.control
            .pop(0)
            .or_else(|| self.message.pop(FRAMES_KEPT))
            .or_else(|| self.receipt.pop(0))
            .or_else(|| {
                let (passing, bytes) = self.ephemeral.pop(0)?;
                Some((passing.frame, bytes))
            })
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// Bytes that wait in all lanes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.control.bytes + self.message.bytes + self.receipt.bytes + self.ephemeral.bytes
    }

    /// Whether a reader that makes replies should pause until some have gone out.
    #[must_use]
    pub fn replies_full(&self) -> bool {
        self.control.bytes >= self.bytes_max
    }

    /// Whether a stream that feeds the message lane may add to it.
    #[must_use]
    pub fn stream_ready(&self) -> bool {
        self.message.bytes + self.receipt.bytes < self.bytes_max / 4
    }

    /// Whether a stream may add a frame of `bytes`, and it finds room.
    #[must_use]
    pub fn stream_takes(&self, bytes: usize) -> bool {
        let waiting = self.message.bytes + self.receipt.bytes;
        waiting == 0 || (self.stream_ready() && waiting + bytes <= self.bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox<&'static str>) -> String {
        let mut out = Vec::new();
        while let Some((frame, _bytes)) = outbox.pop() {
            out.push(frame);
        }
        out.join(" ")
    }

    #[test]
    fn lanes_leave_in_order() {
        let mut outbox = Outbox::new(100);
        assert!(outbox.push(Lane::Ephemeral, "typing", 1));
        assert!(outbox.push(Lane::Receipt, "read", 1));
        assert!(outbox.push(Lane::Message, "m1", 1));
        assert!(outbox.push(Lane::vouching(), "caught_up", 1));
        assert!(outbox.push(Lane::Control, "ack", 1));
        assert_eq!(drain(&mut outbox), "ack m1 caught_up read typing");
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_full_outbox_says_so_and_keeps_replies_only() {
        let mut outbox = Outbox::new(100);
        assert!(outbox.push(Lane::Control, "ack", 10));
        assert!(outbox.push(Lane::Message, "m1", 60));
        assert!(outbox.push(Lane::Receipt, "r1", 40));
        assert!(!outbox.push(Lane::Message, "m2", 1));
        outbox.fall_behind("behind", 5);
        assert_eq!(outbox.bytes(), 15);
        assert_eq!(drain(&mut outbox), "ack behind");
    }

    /// A stream was told to go on whenever little waited, even if its frame found no room: it
    /// asked again at once, and again, without ever letting the socket write.
    #[test]
    fn a_stream_waits_until_its_frame_finds_room() {
        let mut outbox = Outbox::new(100);
        assert!(outbox.stream_takes(1_000));
        assert!(outbox.push(Lane::Message, "m1", 20));
        for bytes in [1, 80, 81, 1_000] {
            let ready = outbox.stream_takes(bytes);
            assert_eq!(ready, bytes <= 80, "{bytes}");
            assert!(!ready || outbox.push(Lane::Receipt, "r", 0));
        }
        assert!(outbox.push(Lane::Message, "m2", 5));
        assert!(!outbox.stream_takes(1), "a quarter is enough");
    }

    #[test]
    fn what_is_newer_takes_the_place_of_what_waits() {
        let (one, two) = (RoomId([1; 16]), RoomId([2; 16]));
        let mut outbox = Outbox::new(100);
        outbox.push_ephemeral(Some(Topic::Typing(one)), "ann", 3);
        outbox.push_ephemeral(Some(Topic::Online(one)), "7", 1);
        outbox.push_ephemeral(None, "joined", 6);
        outbox.push_ephemeral(Some(Topic::Typing(two)), "bob", 3);
        outbox.push_ephemeral(None, "left", 4);
        outbox.push_ephemeral(Some(Topic::Typing(one)), "nobody", 6);
        assert_eq!(outbox.bytes(), 20);
        assert_eq!(drain(&mut outbox), "7 joined bob left nobody");
        assert!(outbox.is_empty());
    }

    #[test]
    fn one_large_frame_always_passes_and_old_ephemerals_go() {
        let mut outbox = Outbox::new(100);
        assert!(outbox.push(Lane::Message, "large", 1_000));
        assert!(!outbox.push(Lane::Message, "next", 1));
        for _ in 0..200 {
            assert!(outbox.push(Lane::Ephemeral, "e", 1));
        }
        assert_eq!(outbox.bytes(), 1_000 + EPHEMERAL_FRAMES_MAX);
    }
}
