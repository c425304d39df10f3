//! What a setting is: a key, a type that knows its own limits, a default, and the words that
//! explain it.
//!
//! The macro exists so that a setting is written once. It makes the struct, its default and the
//! table of [`Field`]s; everything else in this module tree reads that table. It decides nothing
//! about sources.

use std::sync::LazyLock;

use serde::{Serialize, de::DeserializeOwned};
use toml::Value;

/// A type that may stand in the configuration.
pub trait Setting: Serialize + DeserializeOwned {
    /// What a right value looks like, to follow the word "expected".
    fn expects() -> String;

    /// The value that a text from the environment or a flag stands for. A text that fits nothing
    /// stays a text, and the check then says what was expected.
    fn from_text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// Says why a value is refused. `detail` is what the parser had to say; most types say it
    /// better themselves.
    fn refusal(_detail: &str) -> String {
        format!("expected {}", Self::expects())
    }
}

/// One setting, as the loader, the example and the help see it.
#[derive(Debug)]
pub struct Field {
    /// The full key, such as `auth.registration`.
    pub key: String,
    /// The environment variable, such as `CHINWAG_AUTH_REGISTRATION`.
    pub environment: String,
    /// The explanation, one entry per line of source.
    pub doc: &'static [&'static str],
    /// The value when nobody chose one; `None` when that is "absent".
    pub default: Option<Value>,
    /// A value to show where the default shows nothing.
    pub like: Option<&'static str>,
    /// Refuses a value with the reason, to follow "key = value: ".
    pub check: fn(&Value) -> Result<(), String>,
    /// Turns text from the environment or a flag into a value.
    pub from_text: fn(&str) -> Value,
}

/// A section of the file.
#[derive(Debug)]
pub struct Group {
    /// Its name, as in `[name]`.
    pub name: &'static str,
    /// The explanation, one entry per line of source.
    pub doc: &'static [&'static str],
}

/// Every setting, in the order of the example.
pub(super) static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| super::Config::fields(None));

/// The field of a full key.
pub(super) fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

/// The environment variable of a key: `auth.registration` → `CHINWAG_AUTH_REGISTRATION`. Section
/// and key are joined by one underscore; a test holds that no two keys meet in one name.
#[must_use]
pub fn environment_name(key: &str) -> String {
    format!("CHINWAG_{}", key.replace('.', "_").to_uppercase())
}

/// The check of one type, as a plain function for the table.
pub(super) fn check<T: Setting>(value: &Value) -> Result<(), String> {
    match T::deserialize(value.clone()) {
        Ok(_) => Ok(()),
        Err(error) => Err(T::refusal(error.message())),
    }
}

/// The value of a default in TOML; an absent one has none.
pub(super) fn default_value<T: Setting>(value: &T) -> Option<Value> {
    Value::try_from(value).ok()
}

/// The full key of a setting in a section, or outside of any.
pub(super) fn full_key(group: Option<&str>, key: &str) -> String {
    group.map_or_else(|| key.to_owned(), |group| format!("{group}.{key}"))
}

macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])* $key:ident: $kind:ty = $default:expr $(, like $like:literal)?; )*
        }
        $( groups { $( $(#[doc = $group_doc:literal])* $group:ident: $group_kind:ident; )* } )?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $key: $kind, )*
            $($( $(#[doc = $group_doc])* pub $group: $group_kind, )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )* $($( $group: $group_kind::default(), )*)? }
            }
        }

        impl $name {
            /// The settings of this struct and of its groups, in the order of the source.
            pub(in crate::config) fn fields(group: Option<&str>) -> Vec<$crate::config::schema::Field> {
                use $crate::config::schema as table;
                let fields = vec![$({
                    let key = table::full_key(group, stringify!($key));
                    table::Field {
                        environment: table::environment_name(&key),
                        key,
                        doc: &[$($doc),*],
                        default: table::default_value::<$kind>(&$default),
                        like: [$($like)?].first().copied(),
                        check: table::check::<$kind>,
                        from_text: <$kind as table::Setting>::from_text,
                    }
                }),*];
                let groups: Vec<Vec<table::Field>> = vec![$($( $group_kind::fields(Some(stringify!($group))) ),*)?];
                fields.into_iter().chain(groups.into_iter().flatten()).collect()
            }

            $(
                /// The sections of the file.
                pub(in crate::config) const GROUPS: &'static [$crate::config::schema::Group] = &[
                    $( $crate::config::schema::Group { name: stringify!($group), doc: &[$($group_doc),*] } ),*
                ];
            )?
        }
    };
}
pub(super) use settings;
