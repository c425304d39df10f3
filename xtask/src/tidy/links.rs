//! Documents: those that must exist, and the links between them.
//!
//! Only links inside the repository are followed; the network is not asked.

use std::collections::BTreeSet;

use super::{File, Finding};

/// What a reader, a contributor or an operator is promised to find.
const REQUIRED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "docs/protocol.md",
    "docs/storage.md",
    "docs/adr/README.md",
];

const ADR_DIRECTORY: &str = "docs/adr/";
const ADR_INDEX: &str = "docs/adr/README.md";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings: Vec<Finding> = REQUIRED
        .iter()
        .filter(|path| !paths.contains(**path))
        .map(|path| Finding::new(path, 0, "this document must exist"))
        .collect();
    for file in files.iter().filter(|file| file.extension() == "md") {
        let Some(text) = &file.text else { continue };
        for (line, target) in links(text) {
            if let Err(why) = follow(files, &file.path, &target) {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("link to {target}: {why}"),
                ));
            }
        }
    }
    findings.extend(unlisted_decisions(files));
    findings
}

/// Every decision record is reachable from the index of decisions.
fn unlisted_decisions(files: &[File]) -> Vec<Finding> {
    let index = text_of(files, ADR_INDEX).unwrap_or_default();
    let listed: Vec<String> = links(index).into_iter().map(|(_, target)| target).collect();
    files
        .iter()
        .filter_map(|file| Some((file, file.path.strip_prefix(ADR_DIRECTORY)?)))
        .filter(|(_, name)| *name != "README.md" && !listed.iter().any(|target| target == name))
        .map(|(file, _)| Finding::new(&file.path, 0, format!("not listed in {ADR_INDEX}")))
        .collect()
}

/// The targets of `[text](target)` outside code, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose = without_code(line);
        for (start, _) in prose.match_indices("](") {
            let target = prose[start + 2..]
                .split([')', ' '])
                .next()
                .unwrap_or_default();
            found.push((index + 1, target.to_owned()));
        }
    }
    found
}

/// The line without its `code spans`.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn follow(files: &[File], from: &str, target: &str) -> Result<(), String> {
    let is_foreign = ["https:", "http:", "mailto:"]
        .iter()
        .any(|start| target.starts_with(start));
    if is_foreign {
        return Ok(());
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        from.to_owned()
    } else {
        resolve(from, path)?
    };
    let is_directory = || {
        files
            .iter()
            .any(|file| file.path.starts_with(&format!("{path}/")))
    };
    let is_file = files.iter().any(|file| file.path == path);
    if !is_file && !is_directory() {
        return Err(format!("there is no {path}"));
    }
    if heading.is_empty() || !path.ends_with(".md") {
        return Ok(());
    }
    let text = text_of(files, &path).unwrap_or_default();
    let known = headings(text).any(|known| known == heading);
    if known {
        Ok(())
    } else {
        Err(format!("{path} has no heading #{heading}"))
    }
}

/// A relative path, seen from the directory of `from`, as a path from the root.
fn resolve(from: &str, relative: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop().ok_or("it leaves the repository")?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The anchors of a document's headings, made as the usual renderers make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

fn text_of<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path)?.text.as_deref()
}
