//! How long files and functions may be, with a list of reasoned exceptions.
//!
//! The numbers are a smell, not a law: an exception is a reason somebody wrote down in
//! tidy-exceptions.toml, and one that is no longer needed is a finding itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::layers::is_test_file;
use super::source::{Language, Source};
use super::{File, Finding};
use crate::project::GENERATED;

/// Lines of a source file. A module's own tests, below it in the same file, are not counted.
const FILE_LINES_MAX: usize = 400;

/// Lines of a style sheet, which has no functions to move out.
const STYLE_LINES_MAX: usize = 1_000;

/// Lines of a Rust function from its signature to its closing brace. Tests are not measured.
const FUNCTION_LINES_MAX: usize = 70;

/// The list of exceptions.
const EXCEPTIONS: &str = "xtask/tidy-exceptions.toml";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Exceptions {
    file: Vec<Exception>,
    function: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    path: String,
    /// The function's name; empty for a whole file.
    #[serde(default)]
    name: String,
    /// How long this one may be.
    lines: usize,
    reason: String,
}

/// A file, or a function in it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    path: String,
    name: String,
}

/// What was measured there, and what everybody else must keep to.
struct Length {
    lines: usize,
    lines_max: usize,
    first_line: usize,
}

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let exceptions = match exceptions(files) {
        Ok(exceptions) => exceptions,
        Err(why) => return vec![Finding::new(EXCEPTIONS, 0, why)],
    };
    let mut lengths = BTreeMap::new();
    for file in files {
        if !GENERATED.contains(&file.path.as_str()) {
            measure(file, &mut lengths);
        }
    }
    let mut findings = Vec::new();
    let granted: Vec<&Exception> = exceptions.file.iter().chain(&exceptions.function).collect();
    for (place, length) in &lengths {
        let exception = granted
            .iter()
            .find(|e| e.path == place.path && e.name == place.name);
        let lines_max = exception.map_or(length.lines_max, |exception| exception.lines);
        if length.lines > lines_max {
            let what = if place.name.is_empty() {
                "file"
            } else {
                place.name.as_str()
            };
            let complaint = format!(
                "`{what}` has {} lines, {lines_max} are allowed: split it, or give a reason in \
                 {EXCEPTIONS}",
                length.lines
            );
            findings.push(Finding::new(&place.path, length.first_line, complaint));
        }
    }
    findings.extend(
        granted
            .iter()
            .flat_map(|exception| judge(exception, &lengths)),
    );
    findings
}

/// An exception must have a reason, speak of something that exists, and be needed.
fn judge(exception: &Exception, lengths: &BTreeMap<Place, Length>) -> Option<Finding> {
    let place = Place {
        path: exception.path.clone(),
        name: exception.name.clone(),
    };
    let label = format!("the exception for {} {}", place.path, place.name);
    let label = label.trim_end();
    let complaint = if exception.reason.trim().is_empty() {
        format!("{label} has no reason")
    } else {
        match lengths.get(&place) {
            None => format!("{label} speaks of nothing that exists: remove it"),
            Some(length) if length.lines <= length.lines_max => {
                format!(
                    "{label} is no longer needed ({} lines): remove it",
                    length.lines
                )
            }
            Some(_) => return None,
        }
    };
    Some(Finding::new(EXCEPTIONS, 0, complaint))
}

fn exceptions(files: &[File]) -> Result<Exceptions, String> {
    let Some(file) = files.iter().find(|file| file.path == EXCEPTIONS) else {
        return Ok(Exceptions::default());
    };
    let text = file.text.as_deref().unwrap_or_default();
    toml::from_str(text).map_err(|error| error.to_string())
}

fn measure(file: &File, lengths: &mut BTreeMap<Place, Length>) {
    let Some(text) = &file.text else { return };
    let lines_max = match file.extension() {
        "rs" | "ts" | "tsx" | "js" | "mjs" => FILE_LINES_MAX,
        "css" => STYLE_LINES_MAX,
        _ => return,
    };
    let source = (file.extension() == "rs").then(|| Source::new(text, Language::Rust));
    let lines = source
        .as_ref()
        .map_or_else(|| text.lines().count(), Source::lines_outside_tests);
    let place = |name: String| Place {
        path: file.path.clone(),
        name,
    };
    lengths.insert(
        place(String::new()),
        Length {
            lines,
            lines_max,
            first_line: 1,
        },
    );
    let Some(source) = source.filter(|_| !is_test_file(&file.path)) else {
        return;
    };
    for function in source.functions() {
        let lines = function.last_line - function.first_line + 1;
        let first_line = function.first_line;
        let length = Length {
            lines,
            lines_max: FUNCTION_LINES_MAX,
            first_line,
        };
        // Two functions of one name in one file share an entry: the longer one decides.
        let entry = lengths.entry(place(function.name));
        let known = entry.or_insert(Length {
            lines: 0,
            lines_max: FUNCTION_LINES_MAX,
            first_line,
        });
        if length.lines > known.lines {
            *known = length;
        }
    }
}
