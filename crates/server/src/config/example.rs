//! The configuration as text: the example file with every explanation, and the settings in force.
//!
//! `chinwag.example.toml` at the root of the repository is [`example`], held so by a test.

use std::fmt::Write;

use toml::{Table, Value};

use super::Config;
use super::schema::{FIELDS, Field};
use super::sources::Loaded;

/// Columns of the example's text.
const WIDTH: usize = 96;

const PREAMBLE: &str = "\
# The configuration of Chinwag: every setting, with its default.
#
# Read from the file of --config or CHINWAG_CONFIG, else from ./chinwag.toml if it is there.
# Later sources win: defaults, this file, the environment, options of the command line.
# Above each setting stands its environment variable: section and key in capitals, joined by one
# underscore. There, a list is separated by commas, and an empty variable counts as not set.
# `chinwag config check` says what is in force, and why.
";

/// The example file: every setting commented out, with its default or, where that is nothing, a
/// sample.
#[must_use]
pub fn example() -> String {
    let mut text = PREAMBLE.to_owned();
    let mut section = "";
    for field in FIELDS.iter() {
        let (group, name) = field.key.split_once('.').unwrap_or(("", &field.key));
        if group != section {
            section = group;
            let about = Config::GROUPS
                .iter()
                .find(|known| known.name == group)
                .map_or(&[][..], |known| known.doc);
            text.push('\n');
            push_wrapped(&mut text, about);
            push_line(&mut text, &format!("[{group}]"));
        }
        text.push('\n');
        push_wrapped(&mut text, field.doc);
        push_line(&mut text, &format!("# {}", field.environment));
        push_line(&mut text, &format!("#{name} = {}", sample(field)));
    }
    text
}

/// The value to show: what stands in force, unless that says nothing about the shape.
fn sample(field: &Field) -> String {
    let default = || {
        field
            .default
            .as_ref()
            .map_or_else(|| "\"\"".to_owned(), Value::to_string)
    };
    field.like.map_or_else(default, str::to_owned)
}

/// The settings in force, one line each with its origin. The configuration names files that hold
/// secrets, and no secret itself, so there is nothing to hide; a test holds that an address cannot
/// carry one either.
#[must_use]
pub fn effective(loaded: &Loaded) -> String {
    let table = Table::try_from(&loaded.config).expect("every setting can be written as TOML");
    let mut text = String::new();
    let mut section = "";
    for field in FIELDS.iter() {
        let (group, name) = field.key.split_once('.').unwrap_or(("", &field.key));
        if group != section {
            section = group;
            push_line(&mut text, &format!("\n[{group}]"));
        }
        let from = if group.is_empty() {
            Some(&table)
        } else {
            table.get(group).and_then(Value::as_table)
        };
        let value = from.and_then(|from| from.get(name));
        let shown = match (value, field.key.as_str()) {
            (Some(value), _) => format!("{name} = {value}"),
            (None, "auth.registration") => {
                format!("#{name} = \"{}\"", loaded.config.registration().word())
            }
            (None, _) => format!("#{name} ="),
        };
        push_line(
            &mut text,
            &format!("{shown:<48} # {}", loaded.origin(&field.key)),
        );
    }
    text
}

/// Adds an explanation as comments, words wrapped anew: lines of source are longer than those of
/// the example.
fn push_wrapped(text: &mut String, doc: &[&str]) {
    let mut line = "#".to_owned();
    for word in doc.iter().flat_map(|line| line.split_whitespace()) {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, &line);
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    push_line(text, &line);
}

fn push_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every text");
}
