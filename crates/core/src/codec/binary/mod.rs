//! The binary form of the frames, subprotocol `chinwag.v1.bin`: CBOR arrays (RFC 8949) whose first
//! item is the number of the frame and whose others are its fields in the order of a table.
//!
//! docs/protocol.md, section 16, is generated from these tables. Frames mean the same as in JSON,
//! and are refused for the same reasons with the same codes; only `codec` knows that there are two
//! forms. Numbers, orders and places of words never change: new ones come at the end.

mod cbor;
mod client;
mod event;
mod server;
mod shape;

use bytes::Bytes;

use self::cbor::{Reader, Writer};
use self::shape::{Fields, Wrong};
use super::{Refusal, fields};
use crate::code::ErrorCode;
use crate::event::Event;
use crate::wire::{ClientFrame, ServerFrame};

/// A server's frame as bytes.
#[must_use]
pub fn encode(frame: &ServerFrame) -> Bytes {
    let mut to = Writer::default();
    server::put(frame, &mut to);
    Bytes::from(to.bytes)
}

/// A live event as bytes: [`ServerFrame::Event`] without owning it.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    let mut to = Writer::default();
    event::put_live(event, &mut to);
    Bytes::from(to.bytes)
}

/// Frames that were encoded already, as one message for a client of low bandwidth: an array of
/// them. What it begins with, an array instead of a number, tells it from a frame.
#[must_use]
pub fn encode_list(frames: &[&[u8]]) -> Bytes {
    let mut to = Writer::default();
    to.array(frames.len());
    for frame in frames {
        to.bytes.extend_from_slice(frame);
    }
    Bytes::from(to.bytes)
}

/// A client's frame as bytes.
#[must_use]
pub fn encode_client(frame: &ClientFrame) -> Bytes {
    let mut to = Writer::default();
    client::put(frame, &mut to);
    Bytes::from(to.bytes)
}

/// Reads a client's frame.
///
/// # Errors
/// A [`Refusal`] that names what is wrong, with the codes and fields of the JSON form; it never
/// panics, whatever the bytes.
pub fn decode(bytes: &[u8]) -> Result<ClientFrame, Refusal> {
    cbor::check(bytes).map_err(|malformed| {
        let message = format!("not good CBOR: {malformed}");
        Refusal::new(ErrorCode::BadFrame, message)
    })?;
    client::take(&mut Reader::new(bytes))
}

/// Why bytes are no server's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadServerFrame {
    /// The field at fault, if one is known.
    pub field: Option<&'static str>,
}

/// Reads a server's frame, as a client does.
///
/// # Errors
/// Where it is not what the table says.
pub fn decode_server(bytes: &[u8]) -> Result<ServerFrame, BadServerFrame> {
    let bad = |wrong: Wrong| BadServerFrame { field: wrong.field };
    cbor::check(bytes).map_err(|_malformed| bad(Wrong::HERE))?;
    let mut reader = Reader::new(bytes);
    let mut fields = Fields::open(&mut reader).map_err(bad)?;
    let frame = server::take(&mut fields).map_err(bad)?;
    fields.close().map_err(bad)?;
    Ok(frame)
}

/// What a refusal says of a field that is not what the table says.
fn refuse(wrong: Wrong, otherwise: &'static str) -> Refusal {
    let field = wrong.field.unwrap_or(otherwise);
    if wrong.is_missing {
        return fields::missing(field);
    }
    fields::wrong(field, "what docs/protocol.md, section 16, says")
}

/// The frames that are nothing but their fields, written once for both directions.
macro_rules! frames {
    (
        $table:ident, $enum:ident, $numbered:ident, $unknown:expr;
        $($number:literal = $text:literal $variant:ident { $($field:ident),* };)*
    ) => {
        /// Number, name and fields of each frame that is nothing but its fields.
        #[cfg(test)]
        pub(super) const $table: &[(u64, &str, &[&str])] =
            &[$(($number, $text, &[$(stringify!($field)),*])),*];

        /// Writes such a frame; `false`: it is another one.
        fn put_plain(frame: &$enum, to: &mut Writer) -> bool {
            match frame {
                $($enum::$variant { $($field),* } => {
                    const NUMBER: u64 = $number;
                    put_fields(to, &[&NUMBER, $($field),*]);
                    true
                })*
                _ => false,
            }
        }

        /// Whether a frame of this number is such a one.
        fn is_plain(number: u64) -> bool {
            matches!(number, $($number)|*)
        }

        /// Reads such a frame.
        fn take_plain(number: u64, $numbered: &mut Fields<'_, '_>) -> Result<$enum, Wrong> {
            match number {
                $($number => Ok($enum::$variant {
                    $($field: $numbered.field(stringify!($field))?),*
                }),)*
                _ => $unknown,
            }
        }
    };
}
use frames;

/// Number, name and fields of every frame: of clients, then of the server. For the documents.
#[cfg(test)]
pub(crate) fn tables() -> [Vec<(u64, &'static str, String)>; 2] {
    let table = |by_hand: &[(u64, &'static str, &str)], plain: &[(u64, &'static str, &[&str])]| {
        let by_hand = by_hand.iter();
        let mut all: Vec<_> = by_hand
            .map(|(number, name, fields)| (*number, *name, (*fields).to_owned()))
            .collect();
        let plain = plain.iter();
        all.extend(plain.map(|(number, name, fields)| (*number, *name, fields.join(", "))));
        all.sort_unstable();
        all
    };
    [
        table(client::BY_HAND, client::PLAIN),
        table(server::BY_HAND, server::PLAIN),
    ]
}

#[cfg(test)]
mod tests;
