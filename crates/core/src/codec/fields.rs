//! The fields of a frame, taken one by one, each fault named.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Refusal;
use super::strict::Json;
use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::ids::{RoomId, Seq};

/// An object whose fields are taken out by name; what is left is ignored.
pub(super) struct Fields {
    object: BTreeMap<String, Json>,
}

/// The refusal of a field that is not there.
pub(super) fn missing(field: &'static str) -> Refusal {
    Refusal::field(ErrorCode::BadField, field, format!("`{field}` is missing"))
}

/// The refusal of a field that is of another type, or out of its range.
pub(super) fn wrong(field: &'static str, wanted: &str) -> Refusal {
    Refusal::field(
        ErrorCode::BadField,
        field,
        format!("`{field}` is not {wanted}"),
    )
}

/// The refusal of a word that is none of those known.
pub(super) fn not_a_word<T>(field: &'static str, words: &[(&str, T)]) -> Refusal {
    let known: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    wrong(field, &format!("one of {}", known.join(", ")))
}

/// Reads an element that is a text of its own kind.
pub(super) fn parse<T: FromStr>(value: Json) -> Option<T> {
    match value {
        Json::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reads `[room, seq]`.
pub(super) fn room_and_seq(value: Json) -> Option<(RoomId, Seq)> {
    let Json::List(pair) = value else { return None };
    let [room, Json::Number(seq)] = <[Json; 2]>::try_from(pair).ok()? else {
        return None;
    };
    Some((parse(room)?, Seq(seq)))
}

impl Fields {
    pub(super) fn new(object: BTreeMap<String, Json>) -> Self {
        Self { object }
    }

    /// `null` is the same as absent.
    fn take(&mut self, field: &'static str) -> Option<Json> {
        self.object
            .remove(field)
            .filter(|value| *value != Json::Null)
    }

    pub(super) fn text_maybe(&mut self, field: &'static str) -> Result<Option<String>, Refusal> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(field, "a text")),
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, Refusal> {
        self.text_maybe(field)?.ok_or_else(|| missing(field))
    }

    pub(super) fn number_maybe(&mut self, field: &'static str) -> Result<Option<u64>, Refusal> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Number(number)) => Ok(Some(number)),
            Some(_) => Err(wrong(field, "a whole number of 0 to 2^53 - 1")),
        }
    }

    pub(super) fn number(&mut self, field: &'static str) -> Result<u64, Refusal> {
        self.number_maybe(field)?.ok_or_else(|| missing(field))
    }

    /// Absent is the same as false.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, Refusal> {
        self.flag_maybe(field).map(Option::unwrap_or_default)
    }

    pub(super) fn flag_maybe(&mut self, field: &'static str) -> Result<Option<bool>, Refusal> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(wrong(field, "`true` or `false`")),
        }
    }

    pub(super) fn seq_maybe(&mut self, field: &'static str) -> Result<Option<Seq>, Refusal> {
        Ok(self.number_maybe(field)?.map(Seq))
    }

    pub(super) fn seq(&mut self, field: &'static str) -> Result<Seq, Refusal> {
        self.number(field).map(Seq)
    }

    pub(super) fn parsed_maybe<T: FromStr>(
        &mut self,
        field: &'static str,
    ) -> Result<Option<T>, Refusal> {
        match self.text_maybe(field)? {
            None => Ok(None),
            Some(text) => {
                let value = text.parse().map_err(|_bad| {
                    wrong(
                        field,
                        "one of this server's ids: a prefix and 26 characters",
                    )
                })?;
                Ok(Some(value))
            }
        }
    }

    pub(super) fn parsed<T: FromStr>(&mut self, field: &'static str) -> Result<T, Refusal> {
        self.parsed_maybe(field)?.ok_or_else(|| missing(field))
    }

    /// Whether the field is there and `null`, which it is no longer then.
    fn takes_null(&mut self, field: &'static str) -> bool {
        let is_null = self.object.get(field) == Some(&Json::Null);
        if is_null {
            self.object.remove(field);
        }
        is_null
    }

    /// A text that is taken away by `null`, or by nothing in it.
    pub(super) fn choice_maybe(&mut self, field: &'static str) -> Result<Option<String>, Refusal> {
        if self.takes_null(field) {
            return Ok(Some(String::new()));
        }
        self.text_maybe(field)
    }

    /// A picture that is taken away by `null`.
    pub(super) fn avatar_maybe(&mut self, field: &'static str) -> Result<Option<Avatar>, Refusal> {
        if self.takes_null(field) {
            return Ok(Some(Avatar(None)));
        }
        let named = self.parsed_maybe(field)?;
        Ok(named.map(|id| Avatar(Some(id))))
    }

    pub(super) fn word_maybe<T: Copy>(
        &mut self,
        field: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text_maybe(field)? else {
            return Ok(None);
        };
        let known = words.iter().find(|(word, _meaning)| *word == text);
        let (_word, meaning) = known.ok_or_else(|| not_a_word(field, words))?;
        Ok(Some(*meaning))
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        field: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, Refusal> {
        self.word_maybe(field, words)?.ok_or_else(|| missing(field))
    }

    pub(super) fn object_maybe(&mut self, field: &'static str) -> Result<Option<Self>, Refusal> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Object(object)) => Ok(Some(Self { object })),
            Some(_) => Err(wrong(field, "an object")),
        }
    }

    pub(super) fn list<T>(
        &mut self,
        field: &'static str,
        max: usize,
        read: impl Fn(Json) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        let list = match self.take(field) {
            None => return Ok(Vec::new()),
            Some(Json::List(list)) => list,
            Some(_) => return Err(wrong(field, "a list")),
        };
        if list.len() > max {
            return Err(wrong(field, &format!("a list of at most {max}")));
        }
        let read: Option<Vec<T>> = list.into_iter().map(read).collect();
        read.ok_or_else(|| wrong(field, "a list of what docs/protocol.md says"))
    }
}
