//! Where settings come from, and what comes of them: the inputs and outputs of
//! [`load`](super::load()).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::Config;

/// One setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// What was typed, such as `--listen`.
    pub flag: String,
    /// The key that it sets.
    pub key: String,
    /// The text of the value.
    pub text: String,
}

impl Flag {
    /// An option of the command line that sets a key.
    #[must_use]
    pub fn new(flag: &str, key: &str, text: &str) -> Self {
        Self {
            flag: flag.to_owned(),
            key: key.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// Where settings may come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file of `--config`.
    pub file: Option<PathBuf>,
    /// The whole environment; what does not begin with `CHINWAG_` is ignored.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags, in the order of the command line.
    pub flags: Vec<Flag>,
    /// The directory in which `chinwag.toml` is looked for when no file was named.
    pub directory: PathBuf,
}

/// Who chose a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// A line of the file.
    File(PathBuf, usize),
    /// A variable.
    Environment(String),
    /// An option of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path, line) => write!(formatter, "{}:{line}", path.display()),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag(flag) => write!(formatter, "option {flag}"),
        }
    }
}

/// The configuration, and where each of its values comes from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Who chose the value of a key.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// Whether anybody chose the value of a key.
    #[must_use]
    pub fn is_chosen(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }
}

/// What is wrong with the sources: a line per problem, each saying where it stands and how to mend
/// it.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problems.join("\n"))]
pub struct ConfigError {
    /// The lines.
    pub problems: Vec<String>,
    /// Whether the command line itself is at fault.
    pub is_usage: bool,
}
