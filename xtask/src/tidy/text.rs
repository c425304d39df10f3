//! What holds for every text file, whatever it says.

use super::{File, Finding};
use crate::project::GENERATED;

/// Bytes of any file in the repository: what is larger is generated, or belongs elsewhere.
const FILE_BYTES_MAX: u64 = 512 * 1024;

/// Written and checked by their own tools.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json", "fuzz/Cargo.lock"];

/// The text of a licence is kept as its authors published it.
const FOREIGN: &[&str] = &["LICENSE"];

/// Marks of unfinished work, in pieces so that this file does not carry them itself.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// What git writes around the two sides of a conflict.
const MERGE_MARKERS: &[&str] = &["<<<<<<< ", ">>>>>>> ", "||||||| "];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        if file.bytes > FILE_BYTES_MAX {
            let complaint = format!("{} bytes, {FILE_BYTES_MAX} are allowed", file.bytes);
            findings.push(Finding::new(&file.path, 0, complaint));
        }
        let path = file.path.as_str();
        if LOCK_FILES.contains(&path) || FOREIGN.contains(&path) || GENERATED.contains(&path) {
            continue;
        }
        if let Some(text) = &file.text {
            check_text(file, text, &mut findings);
        }
    }
    findings
}

fn check_text(file: &File, text: &str, findings: &mut Vec<Finding>) {
    let tabs_are_banned = ["rs", "ts", "tsx", "js", "mjs", "css"].contains(&file.extension());
    for (index, line) in text.split_terminator('\n').enumerate() {
        let mut report = |complaint: &str| {
            findings.push(Finding::new(&file.path, index + 1, complaint));
        };
        if line.ends_with('\r') {
            report("the line ends with a carriage return");
        } else if line.ends_with([' ', '\t']) {
            report("trailing whitespace");
        }
        if tabs_are_banned && line.contains('\t') {
            report("a tab: indent with spaces");
        }
        if MERGE_MARKERS.iter().any(|marker| line.starts_with(marker)) {
            report("a merge marker");
        }
        if UNFINISHED
            .iter()
            .any(|mark| super::source::mentions(line, mark))
        {
            report("a mark of unfinished work: do it, or open an issue");
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(&file.path, 0, "the last line has no line end"));
    }
    if file.extension() == "rs" && file.path.contains("/src/") && !has_header(text) {
        let complaint = "no module header: begin with `//!` and say purpose, non-purpose, lifetime";
        findings.push(Finding::new(&file.path, 1, complaint));
    }
}

fn has_header(text: &str) -> bool {
    text.starts_with("//!")
}
