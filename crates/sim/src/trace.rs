//! What happened in a world, as a hash of everything and the last lines in words.
//!
//! Two runs of one seed must have the same hash; a violation shows the tail.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

/// Lines that a violation shows.
const TAIL_LINES: usize = 40;

/// A world's running hash and its last lines.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: Sha256,
    line: String,
    tail: VecDeque<String>,
    /// Keep every line, for `--trace`.
    whole: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; `whole` keeps every line.
    #[must_use]
    pub(crate) fn new(whole: bool) -> Self {
        Self {
            hash: Sha256::new(),
            line: String::new(),
            tail: VecDeque::new(),
            whole: whole.then(Vec::new),
        }
    }

    /// Takes in a line.
    pub(crate) fn note(&mut self, now: u64, what: fmt::Arguments<'_>) {
        self.line.clear();
        write!(self.line, "{now:>7} {what}").expect("a String takes everything");
        self.hash.update(self.line.as_bytes());
        self.hash.update([b'\n']);
        let mut slot = if self.tail.len() >= TAIL_LINES {
            self.tail.pop_front().expect("it is not empty")
        } else {
            String::new()
        };
        slot.clone_from(&self.line);
        self.tail.push_back(slot);
        if let Some(whole) = &mut self.whole {
            whole.push(self.line.clone());
        }
    }

    /// The last lines, the oldest first.
    #[must_use]
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// The hash of everything so far, and every line if they were kept.
    #[must_use]
    pub(crate) fn finish(self) -> (String, Vec<String>) {
        let digest = self.hash.finalize();
        let mut text = String::new();
        for byte in digest {
            write!(text, "{byte:02x}").expect("a String takes everything");
        }
        (text, self.whole.unwrap_or_default())
    }
}
