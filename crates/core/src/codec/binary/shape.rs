//! How values stand in a binary frame: ids as 16 bytes, words as small numbers, what JSON has as an object
//! as an array of its fields in the order of a table. An absent field is null, or is left out at the end;
//! an empty list and false are absent. More items than the table has are passed over.

use std::str::FromStr;

use super::cbor::{Item, Reader, Writer};
use crate::code::ErrorCode;
use crate::codec::strict::NUMBER_LIMIT;
use crate::event::OpaqueBytes;
use crate::ids::{
    AvatarId, DeviceId, Epoch, InviteId, InviteToken, Key, Millis, Position, RoomId, Seq,
    SessionId, UserId,
};

/// Something that a frame can hold.
pub(super) trait Put {
    fn put(&self, to: &mut Writer);

    /// Whether it need not be said.
    fn is_absent(&self) -> bool {
        false
    }
}

/// The same, read.
pub(super) trait Take: Sized {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong>;

    /// What stands for it when it was not said, if anything may.
    fn absent() -> Option<Self> {
        None
    }
}

/// Something is not what the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The innermost field that is known to hold it.
    pub(super) field: Option<&'static str>,
    pub(super) is_missing: bool,
}

impl Wrong {
    pub(super) const HERE: Self = Self {
        field: None,
        is_missing: false,
    };

    fn within(self, field: &'static str) -> Self {
        Self {
            field: self.field.or(Some(field)),
            ..self
        }
    }
}

/// Writes an array of fields, up to the last one that has to be said.
pub(super) fn put_fields(to: &mut Writer, fields: &[&dyn Put]) {
    let last = fields.iter().rposition(|field| !field.is_absent());
    let said = &fields[..last.map_or(0, |last| last + 1)];
    to.array(said.len());
    for field in said {
        if field.is_absent() {
            to.null();
        } else {
            field.put(to);
        }
    }
}

/// An array whose items are taken one by one.
#[derive(Debug)]
pub(super) struct Fields<'from, 'bytes> {
    from: &'from mut Reader<'bytes>,
    left: u64,
}

impl<'from, 'bytes> Fields<'from, 'bytes> {
    pub(super) fn open(from: &'from mut Reader<'bytes>) -> Result<Self, Wrong> {
        match from.item() {
            Ok(Item::Array(left)) => Ok(Self { from, left }),
            Ok(_) | Err(_) => Err(Wrong::HERE),
        }
    }

    /// The next field.
    pub(super) fn field<T: Take>(&mut self, name: &'static str) -> Result<T, Wrong> {
        let is_said = self.left > 0 && {
            self.left -= 1;
            !self.from.null()
        };
        if is_said {
            return T::take(self.from).map_err(|wrong| wrong.within(name));
        }
        T::absent().ok_or(Wrong {
            field: Some(name),
            is_missing: true,
        })
    }

    /// What the field after the next one holds, if it is that.
    pub(super) fn peek_second<T: Take>(&self) -> Option<T> {
        let mut ahead = *self.from;
        let is_there = self.left > 1 && ahead.skip().is_ok();
        is_there.then(|| T::take(&mut ahead).ok()).flatten()
    }

    /// Passes over what the table does not know.
    pub(super) fn close(self) -> Result<(), Wrong> {
        for _ in 0..self.left {
            self.from.skip().map_err(|_malformed| Wrong::HERE)?;
        }
        Ok(())
    }
}

/// A struct as an array of its fields.
macro_rules! record {
    ($($name:ident { $($field:ident),* };)*) => {$(
        impl Put for $name {
            fn put(&self, to: &mut Writer) {
                put_fields(to, &[$(&self.$field),*]);
            }
        }

        impl Take for $name {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                let mut fields = Fields::open(from)?;
                let record = Self { $($field: fields.field(stringify!($field))?),* };
                fields.close()?;
                Ok(record)
            }
        }
    )*};
}
pub(super) use record;

/// Words as their place in a list, which only ever grows at its end.
macro_rules! words {
    ($($name:ident { $($word:ident),* };)*) => {$(
        impl Put for $name {
            fn put(&self, to: &mut Writer) {
                const ALL: &[$name] = &[$($name::$word),*];
                let place = ALL.iter().position(|word| word == self);
                to.number(place.expect("every word has its place") as u64);
            }
        }

        impl Take for $name {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                const ALL: &[$name] = &[$($name::$word),*];
                let place = usize::try_from(u64::take(from)?).unwrap_or(usize::MAX);
                ALL.get(place).copied().ok_or(Wrong::HERE)
            }
        }
    )*};
}
pub(super) use words;

impl Put for u64 {
    fn put(&self, to: &mut Writer) {
        to.number(*self);
    }
}

impl Take for u64 {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        match from.item() {
            Ok(Item::Number(number)) if number < NUMBER_LIMIT => Ok(number),
            Ok(_) | Err(_) => Err(Wrong::HERE),
        }
    }
}

macro_rules! small_numbers {
    ($($name:ty),*) => {$(
        impl Put for $name {
            fn put(&self, to: &mut Writer) {
                to.number(u64::from(*self));
            }
        }

        impl Take for $name {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                u64::take(from)?.try_into().map_err(|_large| Wrong::HERE)
            }
        }
    )*};
}
small_numbers!(u8, u16, u32);

impl Put for bool {
    fn put(&self, to: &mut Writer) {
        to.bool(*self);
    }

    fn is_absent(&self) -> bool {
        !*self
    }
}

impl Take for bool {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        match from.item() {
            Ok(Item::Bool(value)) => Ok(value),
            Ok(_) | Err(_) => Err(Wrong::HERE),
        }
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl Put for String {
    fn put(&self, to: &mut Writer) {
        to.text(self);
    }
}

impl Take for String {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        match from.item() {
            Ok(Item::Text(text)) => Ok(text.to_owned()),
            Ok(_) | Err(_) => Err(Wrong::HERE),
        }
    }
}

impl Put for OpaqueBytes {
    fn put(&self, to: &mut Writer) {
        to.bytes(&self.0);
    }
}

impl Take for OpaqueBytes {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        match from.item() {
            Ok(Item::Bytes(bytes)) => Ok(Self(bytes.to_vec())),
            Ok(_) | Err(_) => Err(Wrong::HERE),
        }
    }
}

impl Put for Seq {
    fn put(&self, to: &mut Writer) {
        to.number(self.0);
    }
}

impl Take for Seq {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        u64::take(from).map(Self)
    }
}

impl Put for Millis {
    fn put(&self, to: &mut Writer) {
        to.signed(self.0);
    }
}

impl Take for Millis {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let number = match from.item() {
            Ok(Item::Number(number)) => i64::try_from(number).ok(),
            Ok(Item::Negative(number)) => i64::try_from(number).ok().map(|number| !number),
            Ok(_) | Err(_) => None,
        };
        number.map(Self).ok_or(Wrong::HERE)
    }
}

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl Put for $name {
            fn put(&self, to: &mut Writer) {
                to.bytes(&self.0);
            }
        }

        impl Take for $name {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                match from.item() {
                    Ok(Item::Bytes(bytes)) => Self::from_slice(bytes).ok_or(Wrong::HERE),
                    Ok(_) | Err(_) => Err(Wrong::HERE),
                }
            }
        }
    )*};
}
ids!(
    RoomId,
    UserId,
    DeviceId,
    SessionId,
    Key,
    Epoch,
    InviteId,
    InviteToken,
    AvatarId
);

/// Opaque to clients, and so the same text as in JSON.
impl Put for Position {
    fn put(&self, to: &mut Writer) {
        to.text(&self.to_string());
    }
}

impl Take for Position {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        Self::from_str(&String::take(from)?).map_err(|_bad| Wrong::HERE)
    }
}

/// For programs that look at the text, as in JSON.
impl Put for ErrorCode {
    fn put(&self, to: &mut Writer) {
        to.text(self.text());
    }
}

impl Take for ErrorCode {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let text = String::take(from)?;
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.text() == text).ok_or(Wrong::HERE)
    }
}

impl<T: Put> Put for Option<T> {
    fn put(&self, to: &mut Writer) {
        match self {
            Some(value) => value.put(to),
            None => to.null(),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Take> Take for Option<T> {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        T::take(from).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Put> Put for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.array(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Take> Take for Vec<T> {
    fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
        let fields = Fields::open(from)?;
        (0..fields.left).map(|_| T::take(fields.from)).collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Lists of so many items, each of its own kind.
macro_rules! tuples {
    ($count:literal: $($kind:ident $at:tt),*) => {
        impl<$($kind: Put),*> Put for ($($kind),*) {
            fn put(&self, to: &mut Writer) {
                to.array($count);
                $(self.$at.put(to);)*
            }
        }

        impl<$($kind: Take),*> Take for ($($kind),*) {
            fn take(from: &mut Reader<'_>) -> Result<Self, Wrong> {
                let fields = Fields::open(from)?;
                if fields.left != $count {
                    return Err(Wrong::HERE);
                }
                Ok(($($kind::take(fields.from)?),*))
            }
        }
    };
}
tuples!(2: A 0, B 1);
tuples!(3: A 0, B 1, C 2);
