//! Reads what `recorder.c` wrote: one ordered list of file changes, syncs and socket writes.
//!
//! Not here: what a disk makes of them (`replay.rs`), or what the bytes on a socket mean (the test).
//! A record lives as long as the test that made it; entries share its one buffer.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

const MAGIC: u32 = u32::from_le_bytes(*b"CWR1");
const HEAD_BYTES: usize = 40;

/// A file's number in the file system; it may be given to another file after the first is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Inode(pub(crate) u64);

/// One call of sync or send, so that its end finds its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallNumber(pub(crate) u64);

/// One TCP socket of the recorded process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Connection {
    /// Number of the socket itself: ports come back, this does not.
    pub(crate) socket: u64,
    pub(crate) local_port: u16,
    pub(crate) peer_port: u16,
}

/// One line of the record. Paths are relative to the recorded directory; "" is the directory itself.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A process was started under the recorder.
    Begin,
    Create {
        path: String,
        inode: Inode,
        directory: bool,
    },
    Write {
        path: String,
        inode: Inode,
        offset: u64,
        data: Bytes,
    },
    /// The size became `bytes`, smaller or larger than before.
    Resize {
        path: String,
        inode: Inode,
        bytes: u64,
    },
    SyncBegin {
        path: String,
        inode: Inode,
        call: CallNumber,
        directory: bool,
    },
    SyncEnd {
        call: CallNumber,
        succeeded: bool,
    },
    Rename {
        from: String,
        to: String,
        inode: Inode,
    },
    Remove {
        path: String,
    },
    SendBegin {
        call: CallNumber,
        connection: Connection,
        data: Bytes,
    },
    /// `taken` is what the kernel accepted; 0 after an error.
    SendEnd {
        call: CallNumber,
        taken: usize,
    },
    /// A write was refused because the imagined disk is full.
    FaultInjected,
}

impl Entry {
    fn changes_names(&self) -> bool {
        matches!(
            self,
            Self::Create { .. } | Self::Rename { .. } | Self::Remove { .. }
        )
    }
}

/// Why a record cannot be used. Each is a fault of the test's machinery, never of the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the record cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("the record is empty: the recorder was not loaded (is the program linked statically?)")]
    Empty,
    #[error("no entry begins at byte {0}")]
    Garbled(usize),
    #[error("{call} on {path:?} cannot be replayed: use plain file calls, or teach the recorder")]
    Unsupported { path: String, call: String },
}

/// All that was recorded, in order.
pub(crate) struct Record {
    pub(crate) entries: Vec<Entry>,
}

impl Record {
    /// Reads a whole record. A last entry cut short by a kill is left out.
    pub(crate) fn read(path: &Path) -> Result<Self, RecordError> {
        let bytes = Bytes::from(std::fs::read(path)?);
        let mut entries = Vec::new();
        let mut at = 0;
        while let Some((entry, end)) = entry_at(&bytes, at)? {
            entries.push(entry);
            at = end;
        }
        if entries.is_empty() {
            Err(RecordError::Empty)
        } else {
            Ok(Self { entries })
        }
    }

    /// What was handed to each TCP socket, joined to one stream per connection.
    pub(crate) fn streams(&self) -> Vec<SentStream> {
        let taken_by: BTreeMap<CallNumber, usize> = self
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::SendEnd { call, taken } => Some((*call, *taken)),
                _ => None,
            })
            .collect();
        let mut streams: BTreeMap<Connection, SentStream> = BTreeMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let Entry::SendBegin {
                call,
                connection,
                data,
            } = entry
            else {
                continue;
            };
            // Without an end the process died inside the call, and all of it may have left.
            let taken = taken_by.get(call).map_or(data.len(), |taken| *taken);
            let stream = streams.entry(*connection).or_insert_with(|| SentStream {
                bytes: Vec::new(),
                marks: Vec::new(),
            });
            stream
                .bytes
                .extend_from_slice(&data[..taken.min(data.len())]);
            stream.marks.push((stream.bytes.len(), at));
        }
        streams.into_values().collect()
    }

    /// `count` places to cut, ascending. A fifth stands right behind the beginning of a send, where most has
    /// been promised; a fifth inside a sync; a fifth behind a change of names, and one behind a change of
    /// sizes, both of which are rare; the rest anywhere.
    pub(crate) fn cuts(&self, count: usize, seed: u64) -> Vec<usize> {
        let mut dice = super::dice::Dice::new(seed);
        let behind = |wanted: fn(&Entry) -> bool| -> Vec<usize> {
            let places = self.entries.iter().enumerate();
            places
                .filter(|(_, entry)| wanted(entry))
                .map(|(at, _)| at + 1)
                .collect()
        };
        let anywhere: Vec<usize> = (0..=self.entries.len()).collect();
        let kinds = [
            behind(|entry| matches!(entry, Entry::SendBegin { .. })),
            behind(|entry| matches!(entry, Entry::SyncBegin { .. })),
            behind(Entry::changes_names),
            behind(|entry| matches!(entry, Entry::Resize { .. })),
            anywhere.clone(),
        ];
        let mut cuts: Vec<usize> = (0..count)
            .map(|index| {
                let kind = &kinds[index % kinds.len()];
                let places = if kind.is_empty() { &anywhere } else { kind };
                places[dice.below(places.len())]
            })
            .collect();
        cuts.sort_unstable();
        cuts
    }
}

/// The bytes that one connection was given, with the place in the record where each began to leave.
pub(crate) struct SentStream {
    pub(crate) bytes: Vec<u8>,
    /// (stream offset behind a send, index of its entry), both ascending.
    marks: Vec<(usize, usize)>,
}

impl SentStream {
    /// The first cut at which the peer may hold all of the stream's first `offset` bytes: the power failed
    /// after the send that carried the last of them had begun. `offset` is at most the stream's length.
    pub(crate) fn left_at(&self, offset: usize) -> usize {
        let mark = self.marks.partition_point(|(end, _)| *end < offset);
        self.marks[mark].1 + 1
    }
}

/// The entry at byte `at` and where the next begins; none at the end or if the rest is cut short.
fn entry_at(bytes: &Bytes, at: usize) -> Result<Option<(Entry, usize)>, RecordError> {
    let Some(head) = bytes.get(at..at + HEAD_BYTES) else {
        return Ok(None);
    };
    let small =
        |place: usize| u32::from_le_bytes(head[place..place + 4].try_into().expect("four bytes"));
    let large =
        |place: usize| u64::from_le_bytes(head[place..place + 8].try_into().expect("eight bytes"));
    if small(0) != MAGIC {
        return Err(RecordError::Garbled(at));
    }
    let path_end = at + HEAD_BYTES + small(8) as usize;
    let end = path_end + small(12) as usize;
    if bytes.len() < end {
        return Ok(None);
    }
    let path = String::from_utf8_lossy(&bytes[at + HEAD_BYTES..path_end]).into_owned();
    let data = bytes.slice(path_end..end);
    let text = || String::from_utf8_lossy(&data).into_owned();
    let (a, b, c) = (large(16), large(24), large(32));
    let inode = Inode(a);
    let entry = match small(4) {
        1 => Entry::Begin,
        2 => Entry::Create {
            path,
            inode,
            directory: b == 1,
        },
        3 => Entry::Write {
            path,
            inode,
            offset: b,
            data,
        },
        4 => Entry::Resize {
            path,
            inode,
            bytes: b,
        },
        5 => Entry::SyncBegin {
            path,
            inode,
            call: CallNumber(b),
            directory: c == 1,
        },
        6 => Entry::SyncEnd {
            call: CallNumber(b),
            succeeded: c == 0,
        },
        7 => Entry::Rename {
            to: text(),
            from: path,
            inode,
        },
        8 => Entry::Remove { path },
        9 => Entry::SendBegin {
            call: CallNumber(a),
            connection: Connection {
                socket: b,
                local_port: (c >> 16) as u16,
                peer_port: c as u16,
            },
            data,
        },
        10 => Entry::SendEnd {
            call: CallNumber(a),
            taken: usize::try_from(b.cast_signed()).unwrap_or(0),
        },
        11 => return Err(RecordError::Unsupported { path, call: text() }),
        12 => Entry::FaultInjected,
        _ => return Err(RecordError::Garbled(at)),
    };
    Ok(Some((entry, end)))
}
