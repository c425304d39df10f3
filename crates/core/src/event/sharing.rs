//! Events on their way to sockets: encoded once for each form, neighbours together.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Event;
use crate::limits;

/// A form in which clients take frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON as it is.
    Json,
    /// JSON, compressed where that pays.
    JsonDeflated,
    /// The binary form as it is.
    Binary,
    /// The binary form, compressed where that pays.
    BinaryDeflated,
}

impl Form {
    /// How many there are.
    pub const COUNT: usize = 4;
}

/// An event on its way to sockets: encoded at most once in each form, the bytes shared by all
/// receivers that take it (design, decision 11).
#[derive(Debug)]
pub struct Shared {
    /// The event.
    pub event: Event,
    frames: [OnceLock<Bytes>; Form::COUNT],
}

impl Shared {
    /// An event that nobody has encoded yet.
    #[must_use]
    pub fn new(event: Event) -> Arc<Self> {
        Arc::new(Self {
            event,
            frames: [const { OnceLock::new() }; Form::COUNT],
        })
    }

    /// Bytes that it keeps alive, roughly: its text and its fixed parts.
    #[must_use]
    pub fn weight(&self) -> usize {
        256 + self.event.elsewhere()
    }

    /// The whole frame in this form, made by `encode` when the first receiver asked.
    pub fn frame(&self, form: Form, encode: impl FnOnce(&Event) -> Bytes) -> &Bytes {
        self.frames[form as usize].get_or_init(|| encode(&self.event))
    }
}

/// Neighbours in the log of one room that have the same receivers: with several, none of them
/// changes who is in. Receivers get them as one piece of bytes, put together at most once in each
/// form.
#[derive(Debug)]
pub struct Run {
    events: Vec<Arc<Shared>>,
    frames: [OnceLock<Bytes>; Form::COUNT],
}

impl Run {
    /// An event by itself.
    #[must_use]
    pub fn one(event: Arc<Shared>) -> Self {
        Self::of(vec![event])
    }

    /// The first of `events`, and those behind it that go the same way.
    #[must_use]
    pub fn next(events: &mut VecDeque<Arc<Shared>>) -> Option<Self> {
        let first = events.pop_front()?;
        let room = first.event.room;
        let mut weight = first.weight();
        let mut run = vec![first];
        while let Some(next) = events.front() {
            weight += next.weight();
            let same = next.event.room == room && !next.event.changes_members();
            if !same || run[0].event.changes_members() || weight > limits::RUN_BYTES_MAX {
                break;
            }
            run.extend(events.pop_front());
        }
        Some(Self::of(run))
    }

    fn of(events: Vec<Arc<Shared>>) -> Self {
        Self {
            events,
            frames: [const { OnceLock::new() }; Form::COUNT],
        }
    }

    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Arc<Shared>] {
        &self.events
    }

    /// Their frames in this form, one after the other; `frame` gives each.
    pub fn frames<'run>(
        &'run self,
        form: Form,
        frame: impl Fn(&'run Shared) -> &'run Bytes,
    ) -> &'run Bytes {
        self.frames[form as usize].get_or_init(|| match self.events.as_slice() {
            [single] => frame(single).clone(),
            several => {
                let frames = several
                    .iter()
                    .flat_map(|event| frame(event).iter().copied());
                frames.collect()
            }
        })
    }
}
