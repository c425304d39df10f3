//! Directories as plain data: read from a real one, compared, and written out for a program to open.
//!
//! SQLite's `-shm` files are no part of it: they are volatile by nature and rebuilt on recovery. Not here: what
//! a power failure does to a directory (`replay.rs`).

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::record::Inode;

/// The contents of a directory: every file by its relative path. Directories count by their files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    /// What is in a real directory now, without SQLite's volatile `-shm` files.
    pub(crate) fn of_directory(directory: &Path) -> std::io::Result<Self> {
        let found = walk(directory, "")?
            .into_iter()
            .filter(|found| !found.directory);
        Ok(Self {
            files: found.map(|found| (found.path, found.content)).collect(),
        })
    }

    /// Writes the files into `directory`, which must be empty or absent.
    pub(crate) fn write_to(&self, directory: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        for (path, content) in &self.files {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().expect("a file lies in a directory"))?;
            std::fs::write(path, content)?;
        }
        Ok(())
    }
}

/// What was in a directory before it was recorded.
#[derive(Default)]
pub(crate) struct Baseline {
    pub(super) found: Vec<Found>,
}

pub(super) struct Found {
    pub(super) path: String,
    pub(super) content: Vec<u8>,
    pub(super) inode: Inode,
    pub(super) directory: bool,
}

impl Baseline {
    /// Reads everything below `directory`; call it before the process that is recorded starts.
    pub(crate) fn of_directory(directory: &Path) -> std::io::Result<Self> {
        Ok(Self {
            found: walk(directory, "")?,
        })
    }
}

/// Everything below `directory`, without SQLite's volatile `-shm` files.
fn walk(directory: &Path, prefix: &str) -> std::io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .expect("the server names its files in UTF-8");
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let inode = Inode(entry.metadata()?.ino());
        if entry.file_type()?.is_dir() {
            found.extend(walk(&entry.path(), &path)?);
            found.push(Found {
                path,
                content: Vec::new(),
                inode,
                directory: true,
            });
        } else if !path.ends_with("-shm") {
            found.push(Found {
                path,
                content: std::fs::read(entry.path())?,
                inode,
                directory: false,
            });
        }
    }
    Ok(found)
}
