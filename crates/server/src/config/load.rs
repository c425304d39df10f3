//! Merges the sources: defaults, then the file, then the environment, then flags; the later wins.
//!
//! Every value is checked where it was written, also one that a later source replaces, so that a
//! message can name its file and line. All problems are found in one go. Nothing here reads the
//! process's own environment or arguments: they come in as [`Sources`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value, de::DeTable, de::DeValue};

use super::Config;
use super::schema::{FIELDS, Field, field};
use super::sources::{ConfigError, Flag, Loaded, Origin, Sources};
use super::suggest::nearest;

/// A configuration file is small; anything larger is a mistake (a log, a database), and is not
/// read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The file that is read when nobody names one.
const FILE_USUAL: &str = "chinwag.toml";
/// How much of a wrong value is repeated in a message, in characters.
const SHOWN_CHARACTERS_MAX: usize = 60;
/// Variables that begin like a setting, but are read elsewhere: by this module, by the build, and
/// by the tools that develop and test the page.
const ENVIRONMENT_OTHERS: &[&str] = &[
    "CHINWAG_CONFIG",
    "CHINWAG_WEB",
    "CHINWAG_WEB_DIST",
    "CHINWAG_BIN",
    "CHINWAG_CHROMIUM",
    "CHINWAG_SERVER",
    #[cfg(feature = "mutants")]
    "CHINWAG_MUTANT",
];

/// What has been merged so far.
#[derive(Default)]
struct Merge {
    values: Table,
    origins: BTreeMap<String, Origin>,
    problems: Vec<String>,
    is_usage: bool,
}

/// Merges the sources.
///
/// # Errors
/// A file that cannot be read or is not TOML, an unknown key or variable, a value that its setting refuses, and
/// settings that contradict each other.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut merge = Merge::default();
    let file = merge.choose_file(sources);
    if let Some(path) = &file {
        merge.add_file(path);
    }
    merge.add_environment(&sources.environment);
    for Flag { flag, key, text } in &sources.flags {
        merge.add_text(key, text, Origin::Flag(flag.clone()));
    }
    merge.finish(file)
}

impl Merge {
    /// The file to read: the one of the flag, else of the environment, else the usual one if it is
    /// there.
    fn choose_file(&mut self, sources: &Sources) -> Option<PathBuf> {
        if let Some(path) = &sources.file {
            return Some(path.clone());
        }
        let variable = sources
            .environment
            .iter()
            .find(|(name, value)| name == "CHINWAG_CONFIG" && !value.is_empty());
        if let Some((_, path)) = variable {
            return Some(PathBuf::from(path));
        }
        // Shown as it would be typed; a usual file that exists but cannot be read is an error, not
        // an absence.
        let usual = sources.directory.join(FILE_USUAL);
        usual.symlink_metadata().is_ok().then_some(usual)
    }

    fn add_file(&mut self, path: &Path) {
        let text = match read_file(path) {
            Ok(text) => text,
            Err(reason) => {
                self.problems.push(format!(
                    "cannot read the configuration file {}: {reason}. Check the path and its permissions, or name another with --config FILE",
                    path.display()
                ));
                return;
            }
        };
        let parsed =
            DeTable::parse(&text).and_then(|spans| Ok((spans, toml::from_str::<Table>(&text)?)));
        match parsed {
            Ok((spans, values)) => self.add_section(path, &text, "", spans.get_ref(), values),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_at(&text, span.start));
                let reason = error
                    .message()
                    .lines()
                    .next()
                    .unwrap_or("not TOML")
                    .to_owned();
                self.problems.push(format!(
                    "{}:{line}: this is not valid TOML: {reason}",
                    path.display()
                ));
            }
        }
    }

    /// Adds a section of the file; `spans` and `values` are the same table, once with positions.
    fn add_section(
        &mut self,
        path: &Path,
        text: &str,
        prefix: &str,
        spans: &DeTable<'_>,
        mut values: Table,
    ) {
        for (name, span) in spans {
            let Some(value) = values.remove(name.get_ref().as_ref()) else {
                continue;
            };
            let line = line_at(text, name.span().start);
            let key = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let origin = Origin::File(path.to_owned(), line);
            let is_group = Config::GROUPS.iter().any(|group| group.name == key);
            match (field(&key), value, span.get_ref()) {
                (Some(field), value, _) => self.add_value(field, value, origin),
                (None, Value::Table(inner), DeValue::Table(spans)) if is_group => {
                    self.add_section(path, text, &key, spans, inner);
                }
                (None, _, _) if is_group => {
                    self.problems.push(format!(
                        "{origin}: `{key}` is a section: write [{key}], and its settings below it"
                    ));
                }
                (None, _, _) => self
                    .problems
                    .push(format!("{origin}: unknown setting `{key}`{}", hint(&key))),
            }
        }
    }

    fn add_environment(&mut self, environment: &[(OsString, OsString)]) {
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with("CHINWAG_")) else {
                continue;
            };
            // An empty variable is what a compose file makes of one that is not set.
            if ENVIRONMENT_OTHERS.contains(&name) || value.is_empty() {
                continue;
            }
            let Some(text) = value.to_str() else {
                self.problems
                    .push(format!("environment {name}: the value is not UTF-8"));
                continue;
            };
            if let Some(field) = FIELDS.iter().find(|field| field.environment == name) {
                self.add_value(
                    field,
                    (field.from_text)(text),
                    Origin::Environment(name.to_owned()),
                );
            } else if !is_injected_by_kubernetes(name, text) {
                let near = nearest(name, FIELDS.iter().map(|field| field.environment.as_str()));
                let near = near.map_or_else(
                    || "; `chinwag config default` lists all settings".to_owned(),
                    |near| format!("; did you mean {near}?"),
                );
                self.problems.push(format!(
                    "environment {name}: no setting has this name{near}"
                ));
            }
        }
    }

    fn add_text(&mut self, key: &str, text: &str, origin: Origin) {
        if let Some(field) = field(key) {
            self.add_value(field, (field.from_text)(text), origin);
        } else {
            self.is_usage = true;
            self.problems
                .push(format!("{origin}: unknown setting `{key}`{}", hint(key)));
        }
    }

    fn add_value(&mut self, field: &Field, value: Value, origin: Origin) {
        if let Err(reason) = (field.check)(&value) {
            self.is_usage |= matches!(origin, Origin::Flag(_));
            self.problems
                .push(format!("{origin}: {}: {reason}", shown(&field.key, &value)));
            return;
        }
        let (group, name) = field
            .key
            .split_once('.')
            .map_or((None, field.key.as_str()), |(group, name)| {
                (Some(group), name)
            });
        let target = match group {
            None => Some(&mut self.values),
            Some(group) => self
                .values
                .entry(group)
                .or_insert_with(|| Value::Table(Table::new()))
                .as_table_mut(),
        };
        target
            .expect("a group is only ever inserted as a table")
            .insert(name.to_owned(), value);
        self.origins.insert(field.key.clone(), origin);
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
        let config = match Config::deserialize(std::mem::take(&mut self.values)) {
            Ok(config) => config,
            Err(error) => {
                self.problems.push(error.message().to_owned());
                Config::default()
            }
        };
        let loaded = Loaded {
            config,
            file,
            origins: self.origins,
        };
        contradictions(&loaded, &mut self.problems);
        if self.problems.is_empty() {
            Ok(loaded)
        } else {
            Err(ConfigError {
                problems: self.problems,
                is_usage: self.is_usage,
            })
        }
    }
}

/// Settings that are each right, and wrong together.
fn contradictions(loaded: &Loaded, problems: &mut Vec<String>) {
    let tls = &loaded.config.tls;
    let paths = [
        ("data", Some(&loaded.config.data)),
        ("tls.certificate", tls.certificate.as_ref()),
        ("tls.key", tls.key.as_ref()),
    ];
    for (key, path) in paths {
        if path.is_some_and(|path| path.as_os_str().is_empty()) {
            problems.push(format!(
                "{}: `{key}` is empty: name a path",
                loaded.origin(key)
            ));
        }
    }
    let lone = match (&tls.certificate, &tls.key) {
        (Some(_), None) => Some(("tls.certificate", "tls.key")),
        (None, Some(_)) => Some(("tls.key", "tls.certificate")),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if let Some((there, missing)) = lone {
        problems.push(format!(
            "{}: `{there}` needs `{missing}` beside it: set both, or none",
            loaded.origin(there)
        ));
    }
    let mut seen = Vec::new();
    for issuer in &loaded.config.auth.issuers {
        if seen.contains(&&issuer.issuer) {
            problems.push(format!(
                "{}: the issuer {} is named twice: join its entries",
                loaded.origin("auth.issuers"),
                issuer.issuer
            ));
        }
        seen.push(&issuer.issuer);
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a directory".to_owned());
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        format!("line {line} is not UTF-8")
    })
}

/// The line of a byte offset, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|&byte| byte == b'\n')
        .count()
}

fn hint(key: &str) -> String {
    let near = nearest(key, FIELDS.iter().map(|field| field.key.as_str()));
    near.map_or_else(
        || "; `chinwag config default` lists all settings".to_owned(),
        |near| format!("; did you mean `{near}`?"),
    )
}

/// A wrong value, as much of it as helps. Issuers are not repeated: somebody may have put the
/// secret there.
fn shown(key: &str, value: &Value) -> String {
    if key == "auth.issuers" {
        return format!("`{key}`");
    }
    let text = value.to_string();
    if text.chars().count() > SHOWN_CHARACTERS_MAX {
        let cut: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
        return format!("`{key} = {cut}…`");
    }
    format!("`{key} = {text}`")
}

/// Kubernetes gives every container variables about each service of the namespace. A service with
/// the obvious name must not keep the server of the same name from starting.
fn is_injected_by_kubernetes(name: &str, value: &str) -> bool {
    let rest = &name["CHINWAG_".len()..];
    let about_port = rest == "PORT"
        || rest
            .strip_prefix("PORT_")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    rest == "SERVICE_HOST"
        || rest == "SERVICE_PORT"
        || rest.starts_with("SERVICE_PORT_")
        || (about_port && (rest != "PORT" || value.contains("://")))
}
