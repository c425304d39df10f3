//! What a recorded server promised, and when: read from the bytes that it handed to its sockets.
//!
//! A promise is an answer 201 to a registration, an ack, or an event that anybody was given. Not here: what
//! the promises are worth after a power failure (`judge.rs`). Plain TCP without compression only.

use std::collections::BTreeMap;

use chinwag_core::event::Event;
use chinwag_core::ids::{Key, RoomId, Seq, UserId};
use chinwag_core::wire::{Item, Req, ServerFrame};

use super::record::{Record, SentStream};

/// Something that left the server; it counts for every cut at or behind `left_at`.
pub(crate) struct Promise<T> {
    pub(crate) left_at: usize,
    pub(crate) what: T,
}

/// An acknowledged command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acked {
    pub(crate) room: RoomId,
    pub(crate) seq: Seq,
    pub(crate) key: Key,
}

/// All promises of a record.
#[derive(Default)]
pub(crate) struct Promises {
    pub(crate) accounts: Vec<Promise<UserId>>,
    pub(crate) acks: Vec<Promise<Acked>>,
    pub(crate) events: Vec<Promise<Event>>,
}

impl Promises {
    /// Reads a record; `key_of` knows under which key each request was made.
    pub(crate) fn read(record: &Record, key_of: &BTreeMap<Req, Key>) -> Self {
        let mut promises = Self::default();
        for stream in record.streams() {
            promises.read_stream(&stream, key_of);
        }
        promises.forget_repetitions();
        promises
    }

    /// An event goes to many; it is promised from the first time on that it left. Two that differ are both kept.
    fn forget_repetitions(&mut self) {
        self.events
            .sort_by_key(|promise| (promise.what.room, promise.what.seq, promise.left_at));
        self.events
            .dedup_by(|later, first| later.what == first.what);
    }

    fn read_stream(&mut self, stream: &SentStream, key_of: &BTreeMap<Req, Key>) {
        let Some(head_end) = find(&stream.bytes, b"\r\n\r\n") else {
            return;
        };
        let (head, body) = stream.bytes.split_at(head_end + 4);
        if head.starts_with(b"HTTP/1.1 201") {
            let session: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            if let Some(user) = session["user"]["id"].as_str() {
                let what = user.parse().expect("a user has an id");
                self.accounts.push(Promise {
                    left_at: stream.left_at(stream.bytes.len()),
                    what,
                });
            }
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return;
        }
        let mut at = head.len();
        while let Some((is_text, payload, end)) = frame_at(&stream.bytes, at) {
            at = end;
            if is_text {
                let frame =
                    serde_json::from_slice(payload).expect("the server speaks its protocol");
                self.take(frame, stream.left_at(end), key_of);
            }
        }
    }

    fn take(&mut self, frame: ServerFrame, left_at: usize, key_of: &BTreeMap<Req, Key>) {
        match frame {
            ServerFrame::Ack { req, room, seq, .. } => {
                let key = *key_of
                    .get(&req)
                    .expect("every request of the test is known");
                let what = Acked { room, seq, key };
                self.acks.push(Promise { left_at, what });
            }
            ServerFrame::Event(what) => self.events.push(Promise { left_at, what }),
            ServerFrame::Events { items, .. } => {
                for item in items {
                    if let Item::Event(what) = item {
                        self.events.push(Promise { left_at, what });
                    }
                }
            }
            ServerFrame::Page { messages, .. } => {
                let events = messages.into_iter().map(|line| line.event);
                self.events
                    .extend(events.map(|what| Promise { left_at, what }));
            }
            ServerFrame::Reset(reset) => {
                let events = reset.page.into_iter().map(|line| line.event);
                self.events
                    .extend(events.map(|what| Promise { left_at, what }));
            }
            _ => {}
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// The frame at `at`: whether it is a text, its payload, and where the next begins; none if it is cut short.
/// A server masks nothing, and ours sends no message in pieces.
fn frame_at(bytes: &[u8], at: usize) -> Option<(bool, &[u8], usize)> {
    let (first, second) = (*bytes.get(at)?, *bytes.get(at + 1)?);
    assert_eq!(
        (first & 0x70, second & 0x80),
        (0, 0),
        "neither compressed nor masked"
    );
    let (bytes_long, length_bytes) = match second {
        126 => (
            u64::from(u16::from_be_bytes(
                bytes.get(at + 2..at + 4)?.try_into().ok()?,
            )),
            2,
        ),
        127 => (
            u64::from_be_bytes(bytes.get(at + 2..at + 10)?.try_into().ok()?),
            8,
        ),
        short => (u64::from(short), 0),
    };
    let start = at + 2 + length_bytes;
    let end = start + usize::try_from(bytes_long).ok()?;
    let is_text = first & 0x0f == 1;
    assert!(first & 0x80 != 0, "a message in one piece");
    Some((is_text, bytes.get(start..end)?, end))
}
