//! JSON without the parts that parsers disagree about: no repeated key, no deep nesting, no
//! number beyond 2⁵³ or with a fraction, no lone surrogate (serde_json refuses those itself).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Refusal;
use crate::code::ErrorCode;
use crate::limits;

/// 2⁵³: the first whole number that a JavaScript number may stand for by mistake.
pub(super) const NUMBER_LIMIT: u64 = 1 << 53;

/// A value of the JSON that this protocol uses.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A whole number of 0 to 2⁵³ - 1.
    Number(u64),
    /// Another number: of use to no field.
    OtherNumber,
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// Reads one object and nothing after it.
pub(super) fn object(text: &str) -> Result<BTreeMap<String, Json>, Refusal> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value))
        .map_err(|error| Refusal::new(ErrorCode::BadFrame, format!("not good JSON: {error}")))?;
    match value {
        Json::Object(object) => Ok(object),
        _ => Err(Refusal::new(
            ErrorCode::BadFrame,
            "a frame is a JSON object",
        )),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH_MAX {
            return Err(E::custom(format_args!(
                "nested deeper than {}",
                limits::JSON_DEPTH_MAX
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(if value < NUMBER_LIMIT {
            Json::Number(value)
        } else {
            Json::OtherNumber
        })
    }

    fn visit_i64<E: de::Error>(self, _negative: i64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_f64<E: de::Error>(self, _fraction: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = from.next_element_seed(deeper)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let deeper = self.deeper()?;
        let mut object = BTreeMap::new();
        while let Some(key) = from.next_key::<String>()? {
            let value = from.next_value_seed(deeper)?;
            if object.contains_key(&key) {
                let shown: String = key.chars().take(32).collect();
                return Err(de::Error::custom(format_args!(
                    "`{shown}` stands there twice"
                )));
            }
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}
