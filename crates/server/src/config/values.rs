//! Types of settings that are numbers or a choice of words, each with its own limits.
//!
//! A value that exists is valid: the range is checked when it is read, never where it is used.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de};
use toml::Value;

use super::schema::Setting;

/// A whole number from `MIN` to `MAX`. The unit is part of the setting's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// A number written in the source.
    ///
    /// # Panics
    /// Outside of the range: a default that its own setting would refuse is a bug.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        assert!(
            MIN <= value && value <= MAX,
            "a default within its own range"
        );
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(de::Error::custom("out of range"))
        }
    }
}

impl<const MIN: u64, const MAX: u64> Setting for Whole<MIN, MAX> {
    fn expects() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn from_text(text: &str) -> Value {
        text.parse()
            .map_or_else(|_| Value::String(text.to_owned()), Value::Integer)
    }
}

/// How often per second, above 0, at most 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Rate(f64);

impl Rate {
    /// Times per second.
    #[must_use]
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self(f64::from(chinwag_core::limits::RATE_PER_SECOND))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        // Not-a-number fails both comparisons, so it is refused as well.
        if value > 0.0 && value <= 10_000.0 {
            Ok(Self(value))
        } else {
            Err(de::Error::custom("out of range"))
        }
    }
}

impl Setting for Rate {
    fn expects() -> String {
        "a number above 0, at most 10000".to_owned()
    }

    fn from_text(text: &str) -> Value {
        text.parse()
            .map_or_else(|_| Value::String(text.to_owned()), Value::Float)
    }
}

impl Setting for bool {
    fn expects() -> String {
        "true or false".to_owned()
    }

    fn from_text(text: &str) -> Value {
        text.parse()
            .map_or_else(|_| Value::String(text.to_owned()), Value::Boolean)
    }
}

impl Setting for PathBuf {
    fn expects() -> String {
        "a path in quotes".to_owned()
    }
}

/// A setting with a fixed choice of words.
macro_rules! choice {
    ($(#[doc = $about:literal])* pub enum $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $( $(#[doc = $doc])* #[serde(rename = $word)] $variant, )* }

        impl $name {
            /// The words, as they are written in the file.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word of this choice.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl Setting for $name {
            fn expects() -> String {
                let quoted: Vec<String> = Self::WORDS.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
        }
    };
}

choice! {
    /// Who may create an account.
    pub enum Registration {
        /// Anybody.
        Open = "open",
        /// Whoever has a link from an administrator.
        Invite = "invite",
        /// Nobody.
        Closed = "closed",
    }
}

choice! {
    /// The shape of a log line.
    pub enum LogFormat {
        /// For eyes.
        Human = "human",
        /// One JSON object per line, for machines.
        Json = "json",
    }
}

choice! {
    /// The least severe log line that is shown.
    pub enum LogLevel {
        /// What needs somebody's attention now.
        Error = "error",
        /// What may need it soon.
        Warn = "warn",
        /// What happened to the process as a whole.
        Info = "info",
        /// What happened to a connection.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

impl<T: Setting> Setting for Option<T> {
    fn expects() -> String {
        T::expects()
    }

    fn from_text(text: &str) -> Value {
        T::from_text(text)
    }

    fn refusal(detail: &str) -> String {
        T::refusal(detail)
    }
}
