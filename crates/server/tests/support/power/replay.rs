//! Replays a record up to a cut and builds the directories that a power failure there could have left.
//!
//! Not here: what may happen inside one file (`disk.rs`). A `Replay` only moves forward; take cuts ascending.
//!
//! The model of names. A name made, changed or removed is certain once a sync of its directory, begun
//! afterwards, has succeeded. Until then each such step is kept or lost on its own: a sync of the file itself
//! does not save its name. That is what POSIX promises, and less than ext4 gives (there a file's first sync
//! saves its name, and steps keep their order); SQLite claims to survive it, since it syncs the directory of
//! each journal and log it creates. A rename is one step: never both names lost, never half of it. A
//! directory's own name is a name like others, and what lies in a lost directory is lost.
//!
//! A cut counts the entries that have happened. The last of them, if it is a write, stands for a cut "inside"
//! it too: a write is never certain at its own place, so any part of it may be missing.

use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::disk::{Change, DiskFile, Losses};
use super::image::{Baseline, Image};
use super::record::{CallNumber, Entry, Inode, Record};

/// A file or directory in the replay; unlike an inode it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileId(usize);

/// Names that are bound, by path.
type Names = BTreeMap<String, FileId>;

#[derive(Clone, Debug)]
enum NameChange {
    Bind {
        path: String,
        file: FileId,
    },
    Remove {
        path: String,
    },
    Rename {
        from: String,
        to: String,
        file: FileId,
    },
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Bind { path, file } => {
                names.insert(path.clone(), *file);
            }
            Self::Remove { path } => {
                names.remove(path);
            }
            Self::Rename { from, to, file } => {
                // The old name goes only if it still means this file.
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
        }
    }

    /// The directory whose sync makes the change certain.
    fn directory(&self) -> &str {
        let (Self::Bind { path, .. } | Self::Remove { path } | Self::Rename { to: path, .. }) =
            self;
        path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }
}

/// A sync that has begun: what it will vouch for if it succeeds.
#[derive(Clone, Debug)]
enum Promise {
    File { file: FileId, mark: usize },
    Directory { path: String, changes_before: usize },
}

/// A step of the record that cannot follow from the steps before it: something was done that the recorder
/// does not see.
#[derive(Debug, thiserror::Error)]
#[error(
    "entry {at}: {path:?} is changed, but its creation was not recorded: a call that the recorder does not see"
)]
pub(crate) struct UnknownFile {
    at: usize,
    path: String,
}

/// A record being replayed.
pub(crate) struct Replay<'record> {
    record: &'record Record,
    at: usize,
    /// By id; a directory stands here with no content.
    files: Vec<DiskFile>,
    directories: BTreeSet<FileId>,
    /// Which file a number means at this place of the record.
    inodes: BTreeMap<Inode, FileId>,
    durable_names: Names,
    pending_names: Vec<(usize, NameChange)>,
    name_changes: usize,
    promises: BTreeMap<CallNumber, Promise>,
}

impl<'record> Replay<'record> {
    /// Begins with what was in the directory before the recorded process was started; all of it is certain.
    pub(crate) fn new(record: &'record Record, before: &Baseline) -> Self {
        let mut replay = Self {
            record,
            at: 0,
            files: Vec::new(),
            directories: BTreeSet::new(),
            inodes: BTreeMap::new(),
            durable_names: Names::new(),
            pending_names: Vec::new(),
            name_changes: 0,
            promises: BTreeMap::new(),
        };
        for found in &before.found {
            let file = replay.add_file(DiskFile::with_content(found.content.clone()));
            if found.directory {
                replay.directories.insert(file);
            }
            replay.inodes.insert(found.inode, file);
            replay.durable_names.insert(found.path.clone(), file);
        }
        replay
    }

    /// Moves on until `cut` entries have happened; `cut` is not smaller than the last one.
    pub(crate) fn advance_to(&mut self, cut: usize) -> Result<(), UnknownFile> {
        assert!(
            self.at <= cut,
            "a replay only moves forward: at {}, asked for {cut}",
            self.at
        );
        let record = self.record;
        while self.at < cut {
            self.step(&record.entries[self.at])?;
            self.at += 1;
        }
        Ok(())
    }

    fn step(&mut self, entry: &Entry) -> Result<(), UnknownFile> {
        match entry {
            Entry::Create {
                path,
                inode,
                directory,
            } => {
                let file = self.add_file(DiskFile::default());
                if *directory {
                    self.directories.insert(file);
                }
                self.inodes.insert(*inode, file);
                self.change_name(NameChange::Bind {
                    path: path.clone(),
                    file,
                });
            }
            Entry::Write {
                path,
                inode,
                offset,
                data,
            } => {
                let offset = usize::try_from(*offset).expect("the content is held in memory");
                let file = self.file(path, *inode)?;
                self.files[file.0].change(Change::Write {
                    offset,
                    data: data.clone(),
                });
            }
            Entry::Resize { path, inode, bytes } => {
                let bytes = usize::try_from(*bytes).expect("the content is held in memory");
                let file = self.file(path, *inode)?;
                self.files[file.0].change(Change::Resize { bytes });
            }
            Entry::Rename { from, to, inode } => {
                let file = self.file(from, *inode)?;
                self.change_name(NameChange::Rename {
                    from: from.clone(),
                    to: to.clone(),
                    file,
                });
            }
            Entry::Remove { path } => self.change_name(NameChange::Remove { path: path.clone() }),
            Entry::SyncBegin {
                path,
                call,
                directory: true,
                ..
            } => {
                let promise = Promise::Directory {
                    path: path.clone(),
                    changes_before: self.name_changes,
                };
                self.promises.insert(*call, promise);
            }
            Entry::SyncBegin {
                path,
                inode,
                call,
                directory: false,
            } => {
                let file = self.file(path, *inode)?;
                let mark = self.files[file.0].mark();
                self.promises.insert(*call, Promise::File { file, mark });
            }
            Entry::SyncEnd { call, succeeded } => match self.promises.remove(call) {
                Some(promise) if *succeeded => self.keep(promise),
                // A failed sync promises nothing, and what it should have covered stays pending for ever.
                Some(_) | None => {}
            },
            Entry::Begin
            | Entry::SendBegin { .. }
            | Entry::SendEnd { .. }
            | Entry::FaultInjected => {}
        }
        Ok(())
    }

    fn add_file(&mut self, file: DiskFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() - 1)
    }

    fn file(&self, path: &str, inode: Inode) -> Result<FileId, UnknownFile> {
        let unknown = || UnknownFile {
            at: self.at,
            path: path.to_owned(),
        };
        self.inodes.get(&inode).copied().ok_or_else(unknown)
    }

    fn change_name(&mut self, change: NameChange) {
        self.pending_names.push((self.name_changes, change));
        self.name_changes += 1;
    }

    fn keep(&mut self, promise: Promise) {
        match promise {
            Promise::File { file, mark } => self.files[file.0].settle(mark),
            Promise::Directory {
                path,
                changes_before,
            } => {
                let covered = |(number, change): &(usize, NameChange)| {
                    *number < changes_before && change.directory() == path
                };
                for (_, change) in self.pending_names.iter().filter(|entry| covered(entry)) {
                    change.apply(&mut self.durable_names);
                }
                self.pending_names.retain(|entry| !covered(entry));
            }
        }
    }

    /// The directory as the running system sees it here: what a killed process leaves.
    pub(crate) fn live(&self) -> Image {
        let mut names = self.durable_names.clone();
        for (_, change) in &self.pending_names {
            change.apply(&mut names);
        }
        self.image(&names, |file| file.live())
    }

    /// One of the directories that a power failure here may leave; the same for the same seed.
    pub(crate) fn after_power_loss(&self, seed: u64) -> (Image, Losses) {
        let mut dice = Dice::new(seed);
        let mut losses = Losses::default();
        let mut names = self.durable_names.clone();
        let percent = [0, 50, 100][dice.below(3)];
        for (_, change) in &self.pending_names {
            if dice.chance(percent) {
                change.apply(&mut names);
            } else {
                losses.names += 1;
            }
        }
        let image = self.image(&names, |file| {
            let (content, lost) = file.after_power_loss(&mut dice);
            losses.add(lost);
            content
        });
        (image, losses)
    }

    /// The files that `names` lead to, each with the content that `content` gives it.
    fn image(&self, names: &Names, mut content: impl FnMut(&DiskFile) -> Vec<u8>) -> Image {
        let is_directory = |path: &str| {
            names
                .get(path)
                .is_some_and(|file| self.directories.contains(file))
        };
        let reachable = |path: &str| {
            path.match_indices('/')
                .all(|(end, _)| is_directory(&path[..end]))
        };
        let files = names
            .iter()
            .filter(|(path, _)| !is_directory(path) && reachable(path))
            .map(|(path, file)| (path.clone(), content(&self.files[file.0])))
            .collect();
        Image { files }
    }
}
