//! Identifiers: 16 random bytes inside, a prefix and 26 base32 characters on the wire.
//!
//! An id names a thing; it never grants access to it and is never used again (contract 9).
//! Small database numbers do not appear here: they never leave the store.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// RFC 4648 base32, lower case, without padding: safe in URLs, file names and speech.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of 16 bytes in base32: 128 bits in groups of five.
pub const BASE32_CHARS: usize = 26;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is its prefix and 26 characters of a-z2-7")
    }
}

impl std::error::Error for IdError {}

fn encode(bytes: &[u8; 16]) -> [u8; BASE32_CHARS] {
    let value = u128::from_be_bytes(*bytes);
    let mut out = [0; BASE32_CHARS];
    for (at, slot) in out.iter_mut().enumerate() {
        // Five bits at a time from the top; the last character carries three bits and two zeros.
        let shift = 123 - 5 * at as i32;
        let index = if shift >= 0 {
            value >> shift
        } else {
            value << -shift
        };
        *slot = ALPHABET[(index & 31) as usize];
    }
    out
}

fn decode(text: &[u8]) -> Result<[u8; 16], IdError> {
    if text.len() != BASE32_CHARS {
        return Err(IdError);
    }
    let mut value: u128 = 0;
    for (at, byte) in text.iter().enumerate() {
        let five = match byte {
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return Err(IdError),
        };
        if at + 1 < BASE32_CHARS {
            value = (value << 5) | u128::from(five);
        } else if five & 3 == 0 {
            // One text per id: the two spare bits are zero.
            value = (value << 3) | u128::from(five >> 2);
        } else {
            return Err(IdError);
        }
    }
    Ok(value.to_be_bytes())
}

/// An id that may be shown to everybody who looks at logs.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        id_without_debug!($(#[$doc])* $name, $prefix);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

macro_rules! id_without_debug {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id in those 16 bytes, or nothing if the slice has another length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Self::PREFIX)?;
                let text = encode(&self.0);
                f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix(Self::PREFIX).ok_or(IdError)?;
                decode(rest.as_bytes()).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "{} and 26 characters of a-z2-7", $name::PREFIX)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                from.deserialize_str(Text)
            }
        }
    };
}

id!(
    /// A room.
    RoomId, "r_"
);
id!(
    /// A user, bot, webhook or the system: one id space (contract 9).
    UserId, "u_"
);
id!(
    /// An install of a client.
    DeviceId, "d_"
);
id!(
    /// A picture of somebody or of a room: the beginning of a hash of it.
    AvatarId, "a_"
);
id!(
    /// A signed-in session: what a logout ends.
    SessionId, "s_"
);
id!(
    /// An idempotency key: chosen by the client, once per command, for ever (contract 2).
    Key, "k_"
);
id!(
    /// The life of one store. Another epoch means another history (contract 3).
    Epoch, "e_"
);

id!(
    /// An open invitation, for those who look after a room: it lets nobody in.
    InviteId, "i_"
);
id!(
    /// A durable job over many rooms, such as the erasure of an account.
    JobId, "j_"
);
id_without_debug!(
    /// What the link of an invitation holds, and what lets its bearer in: 128 random bits, drawn at
    /// the edge. Not an id: it is never stored, and shows in no log.
    InviteToken, "t_"
);

impl fmt::Debug for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t_(kept secret)")
    }
}

impl RoomId {
    /// The id of a room that `creator` makes under `key`: a repeated command finds the same room.
    #[must_use]
    pub fn created(creator: UserId, key: Key) -> Self {
        Self(digest(b"room", &[&creator.0, &key.0]))
    }

    /// The id of the direct room of two people, whoever opens it: found, not doubled.
    #[must_use]
    pub fn direct(one: UserId, other: UserId) -> Self {
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        Self(digest(b"direct", &[&low.0, &high.0]))
    }
}

impl UserId {
    /// The id of a user whom another issuer vouches for; never equal to a local account's,
    /// which is random (contract 8).
    #[must_use]
    pub fn foreign(issuer: &str, subject: &str) -> Self {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        let length = (issuer.len() as u64).to_be_bytes();
        Self(digest(
            b"foreign",
            &[&length, issuer.as_bytes(), subject.as_bytes()],
        ))
    }
}

fn digest(domain: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update([domain.len() as u8]);
    hash.update(domain);
    for part in parts {
        hash.update(part);
    }
    let full = hash.finalize();
    let mut out = [0; 16];
    out.copy_from_slice(&full[..16]);
    out
}

/// The place of an event in its room: dense, from 1 (design, decision 2). 0 is "before all".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "number"))]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The place before this one; before 1 and 0 there is 0.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since 1970 UTC: a label, never an order (contract 9).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "number"))]
#[serde(transparent)]
pub struct Millis(pub i64);

/// A point on a steady clock in ms, for timers; only differences mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(pub u64);

impl Tick {
    /// This point and `duration_ms` more.
    #[must_use]
    pub fn plus(self, duration_ms: u64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }

    /// Milliseconds from `earlier` to this; 0 if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How far a store had come, opaque to clients: it answers only "which of my rooms may have
/// changed?" (contract 3). Within one store it rises with each transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl FromStr for Position {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix('p').ok_or(IdError)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdError);
        }
        digits.parse().map(Self).map_err(|_overflow| IdError)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|_bad| de::Error::custom("a position as the server gave it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let id = RoomId(bytes);
            let text = id.to_string();
            assert_eq!(text.len(), 28);
            assert_eq!(text.parse::<RoomId>(), Ok(id));
        }
        assert_eq!(RoomId([0; 16]).to_string(), "r_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    }

    #[test]
    fn other_texts_are_refused() {
        let good = RoomId([7; 16]).to_string();
        let spare_bits = format!("{}b", &good[..27]);
        for bad in [
            "",
            "r_",
            "u_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            &good[..27],
            &spare_bits,
        ] {
            assert_eq!(bad.parse::<RoomId>(), Err(IdError), "{bad}");
        }
        assert!(good.to_uppercase().parse::<RoomId>().is_err());
    }

    #[test]
    fn a_direct_room_has_one_id_whoever_opens_it() {
        let (ann, bob) = (UserId([1; 16]), UserId([2; 16]));
        assert_eq!(RoomId::direct(ann, bob), RoomId::direct(bob, ann));
        assert_ne!(RoomId::direct(ann, bob), RoomId::direct(ann, ann));
    }

    #[test]
    fn foreign_ids_keep_issuer_and_subject_apart() {
        assert_ne!(UserId::foreign("ab", "c"), UserId::foreign("a", "bc"));
    }

    #[test]
    fn a_token_shows_in_no_log() {
        let token = InviteToken([7; 16]);
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token));
        assert!(!format!("{token:?}").contains(&text[2..]), "{token:?}");
    }

    #[test]
    fn positions_are_opaque_texts() {
        assert_eq!("p12".parse(), Ok(Position(12)));
        for bad in ["", "p", "12", "p-1", "p+1", "p99999999999999999999"] {
            assert_eq!(bad.parse::<Position>(), Err(IdError), "{bad}");
        }
    }
}
