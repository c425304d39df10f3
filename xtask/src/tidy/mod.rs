//! Style, structure and layers, checked as data: what review would otherwise have to remember.
//!
//! Reads the files git knows or would add, reports every finding with its path and line, and
//! changes nothing. Types and lints are the compilers' work and not repeated here.

mod layers;
mod lengths;
mod links;
mod manifests;
mod source;
mod text;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::command::{command, output};
use crate::project::Project;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 speaks of the whole file.
    line: usize,
    complaint: String,
}

impl Finding {
    fn new(path: &str, line: usize, complaint: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            complaint: complaint.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.complaint)
    }
}

/// A file of the tree, read once for all checks.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    path: String,
    bytes: u64,
    /// None for what is not UTF-8, such as an image.
    text: Option<String>,
}

impl File {
    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Checks the checkout.
pub(crate) fn run(project: &Project) -> Result<()> {
    let files = read(project.root())?;
    let findings = check(&files);
    if findings.is_empty() {
        println!("tidy: {} files, nothing to report", files.len());
        return Ok(());
    }
    findings.iter().for_each(|finding| println!("{finding}"));
    bail!("tidy: {} findings in {} files", findings.len(), files.len())
}

/// Every file that git tracks or would add, in the order of its path.
fn read(root: &Path) -> Result<Vec<File>> {
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let list = output(&mut command(root, "git", &list))?;
    let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let full = root.join(path);
        // Deleted in the working tree, not yet in the index; or a link, which has no text of its own.
        if !full
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_file())
        {
            continue;
        }
        let contents = std::fs::read(&full).with_context(|| format!("reading {path}"))?;
        let bytes = contents.len() as u64;
        files.push(File {
            path: path.to_owned(),
            bytes,
            text: String::from_utf8(contents).ok(),
        });
    }
    Ok(files)
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = text::check(files);
    findings.extend(layers::check(files));
    findings.extend(lengths::check(files));
    findings.extend(manifests::check(files));
    findings.extend(links::check(files));
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod planted;
