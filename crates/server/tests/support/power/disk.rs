//! One file on a disk that loses power: what is certain, what is pending, and what may be left of it.
//!
//! Not here: names and directories (`replay.rs`). A `DiskFile` lives from its creation (or the start of the
//! record) to the end of the replay, also when its name is gone: a lost unlink brings it back.
//!
//! The model. The disk writes sectors of 512 bytes, each whole or not at all; a sector never touched by a
//! write keeps its content (SQLite's "powersafe overwrite", its default assumption). Between a write and the
//! end of the next sync that began after it, each sector touched may hold its content as of any moment in
//! between, independently of every other sector, earlier or later. The size is written back on its own: a file
//! may have grown without its content (then the sectors hold zeros, or noise, since SQLite does not assume
//! zeros), and content behind a lost size is lost with it. A shrinking may be lost likewise.

use bytes::Bytes;

use super::dice::Dice;

const SECTOR_BYTES: usize = 512;

/// One change that no sync covers yet.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write { offset: usize, data: Bytes },
    Resize { bytes: usize },
}

impl Change {
    /// Applies the change as the running system sees it.
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                let end = offset + data.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(data);
            }
            Self::Resize { bytes } => content.resize(*bytes, 0),
        }
    }
}

/// What became of the changes that were pending when the power failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) kept: u64,
    pub(crate) dropped: u64,
    pub(crate) torn: u64,
    /// Creations, renames and removals that the disk never learnt of.
    pub(crate) names: u64,
}

impl Losses {
    pub(crate) fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.dropped += other.dropped;
        self.torn += other.torn;
        self.names += other.names;
    }
}

/// How the disk treated the pending changes of one file. Independent sectors alone would hardly ever leave a
/// whole transaction standing behind a lost one, so the disk has moods.
#[derive(Clone, Copy)]
enum Mood {
    KeepsNothing,
    KeepsAll,
    /// Written back in order, torn where the power failed.
    StopsAt(usize),
    /// Each change whole or not at all, in any order.
    Scatters {
        percent: usize,
    },
    /// Each change whole, not at all, or some of its sectors.
    Tears {
        percent: usize,
    },
    /// The newest changes reached the disk, the older did not.
    StartsAt(usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    Dropped,
    Torn { percent: usize },
}

impl Mood {
    fn draw(dice: &mut Dice, pending: usize) -> Self {
        match dice.below(8) {
            0 => Self::KeepsNothing,
            1 => Self::KeepsAll,
            2 | 3 => Self::StopsAt(dice.below(pending + 1)),
            4 => Self::Scatters {
                percent: 10 + dice.below(81),
            },
            5 | 6 => Self::Tears {
                percent: 10 + dice.below(81),
            },
            _ => Self::StartsAt(dice.below(pending + 1)),
        }
    }

    fn fate(self, index: usize, dice: &mut Dice) -> Fate {
        let whole = |kept: bool| if kept { Fate::Kept } else { Fate::Dropped };
        match self {
            Self::KeepsNothing => Fate::Dropped,
            Self::KeepsAll => Fate::Kept,
            Self::StopsAt(last) if index == last => Fate::Torn {
                percent: dice.below(101),
            },
            Self::StopsAt(last) => whole(index < last),
            Self::Scatters { percent } => whole(dice.chance(percent)),
            Self::Tears { percent } if dice.chance(50) => whole(dice.chance(percent)),
            Self::Tears { percent } => Fate::Torn { percent },
            Self::StartsAt(first) => whole(index >= first),
        }
    }
}

/// A file's certain content and the changes made since.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskFile {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// How many changes were ever made durable: syncs remember absolute places.
    settled: usize,
}

impl DiskFile {
    pub(crate) fn with_content(durable: Vec<u8>) -> Self {
        Self {
            durable,
            ..Self::default()
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.pending.push(change);
    }

    /// The place up to which a sync that begins now will vouch.
    pub(crate) fn mark(&self) -> usize {
        self.settled + self.pending.len()
    }

    /// A sync that began at `mark` has succeeded.
    pub(crate) fn settle(&mut self, mark: usize) {
        let count = mark.saturating_sub(self.settled);
        for change in self.pending.drain(..count) {
            change.apply(&mut self.durable);
        }
        self.settled += count;
    }

    /// The content as the running system sees it.
    pub(crate) fn live(&self) -> Vec<u8> {
        let mut content = self.durable.clone();
        for change in &self.pending {
            change.apply(&mut content);
        }
        content
    }

    /// One of the contents that a power cut now may leave.
    pub(crate) fn after_power_loss(&self, dice: &mut Dice) -> (Vec<u8>, Losses) {
        let mut losses = Losses::default();
        if self.pending.is_empty() {
            return (self.durable.clone(), losses);
        }
        let mood = Mood::draw(dice, self.pending.len());
        let noise = dice.chance(50);
        let mut live = self.durable.clone();
        let mut disk = Platter {
            content: self.durable.clone(),
            bytes: self.durable.len(),
        };
        for (index, change) in self.pending.iter().enumerate() {
            change.apply(&mut live);
            let fate = mood.fate(index, dice);
            match fate {
                Fate::Kept => losses.kept += 1,
                Fate::Dropped => losses.dropped += 1,
                Fate::Torn { .. } => losses.torn += 1,
            }
            disk.write_back(&live, change, fate, noise, dice);
        }
        disk.content.resize(disk.bytes, 0);
        (disk.content, losses)
    }
}

/// The disk's own idea of one file. `content` may be longer than `bytes`: sectors behind a lost size.
struct Platter {
    content: Vec<u8>,
    bytes: usize,
}

impl Platter {
    /// Carries out `change` as far as `fate` lets it, with sectors as they stand in `live` just after it.
    fn write_back(
        &mut self,
        live: &[u8],
        change: &Change,
        fate: Fate,
        noise: bool,
        dice: &mut Dice,
    ) {
        let happens = |dice: &mut Dice| match fate {
            Fate::Kept => true,
            Fate::Dropped => false,
            Fate::Torn { percent } => dice.chance(percent),
        };
        let size_reaches = happens(dice);
        match change {
            Change::Resize { bytes } => {
                if size_reaches {
                    self.content.truncate(*bytes);
                    self.grow(*bytes, false, dice);
                    self.bytes = *bytes;
                }
            }
            Change::Write { offset, data } => {
                // An unwritten sector of a grown file holds whatever the disk held there before.
                self.grow(offset + data.len(), noise, dice);
                let first = offset / SECTOR_BYTES;
                let behind = (offset + data.len()).div_ceil(SECTOR_BYTES);
                for sector in first..behind {
                    let start = sector * SECTOR_BYTES;
                    let end = (start + SECTOR_BYTES).min(live.len());
                    if happens(dice) {
                        if self.content.len() < end {
                            self.content.resize(end, 0);
                        }
                        self.content[start..end].copy_from_slice(&live[start..end]);
                    }
                }
                if size_reaches {
                    self.bytes = live.len();
                }
            }
        }
    }

    fn grow(&mut self, bytes: usize, noise: bool, dice: &mut Dice) {
        while self.content.len() < bytes {
            let word = if noise {
                dice.next().to_le_bytes()
            } else {
                [0; 8]
            };
            let take = word.len().min(bytes - self.content.len());
            self.content.extend_from_slice(&word[..take]);
        }
    }
}
