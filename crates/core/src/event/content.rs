//! What a message says: a text, or bytes that only its readers understand (contract 9).
//!
//! Nothing on the server looks into the latter: it is counted, answered, pinned, redacted and told
//! as any message is. The bytes are base64url in JSON and in stores, themselves in the binary form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The body of `message` and `edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Content {
    /// A text; an empty one where a redaction has taken out what was said.
    Text(TextBody),
    /// What the server does not understand.
    Opaque(OpaqueBody),
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TextBody {
    /// The text, byte for byte as it was sent.
    pub text: String,
}

/// What the server does not understand, such as a message encrypted from end to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// So that `text` can be asked for without telling the two apart first.
#[cfg_attr(
    test,
    derive(ts_rs::TS),
    ts(type = "{ enc: string, bytes: OpaqueBytes, text?: undefined }")
)]
pub struct OpaqueBody {
    /// What made the bytes, so that a reader knows what to make of them: `a-z`, `0-9`, `.`, `_`, `-`.
    pub enc: String,
    /// The bytes as they were sent: base64url without padding in JSON.
    pub bytes: OpaqueBytes,
}

/// Bytes that stand as base64url without padding in JSON (RFC 4648, section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
pub struct OpaqueBytes(pub Vec<u8>);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl OpaqueBytes {
    /// The bytes that `text` stands for; none if it is not their only form.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
        for four in text.as_bytes().chunks(4) {
            let mut sum: u32 = 0;
            for digit in four {
                sum = sum << 6 | value(*digit)?;
            }
            let (count, spare) = match four.len() {
                4 => (3, 0),
                3 => (2, 2),
                2 => (1, 4),
                _ => return None,
            };
            // Bits that no byte takes must be zero: there is one text for some bytes.
            if sum & ((1 << spare) - 1) != 0 {
                return None;
            }
            let [_, all @ ..] = (sum >> spare).to_be_bytes();
            bytes.extend_from_slice(&all[3 - count..]);
        }
        Some(Self(bytes))
    }

    /// The text that stands for them.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len().div_ceil(3) * 4);
        for three in self.0.chunks(3) {
            let bits = three.len() * 8;
            let sum = three
                .iter()
                .fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
            let digits = bits.div_ceil(6);
            let sum = sum << (digits * 6 - bits);
            for at in (0..digits).rev() {
                let digit = ALPHABET[(sum >> (at * 6) & 63) as usize];
                text.push(char::from(digit));
            }
        }
        text
    }
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    }))
}

impl Serialize for OpaqueBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for OpaqueBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom("not base64url"))
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(TextBody { text })
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Content {
    /// What a redaction leaves.
    #[must_use]
    pub fn emptied() -> Self {
        String::new().into()
    }

    /// Whether a redaction has taken out what it said: nothing is written without a text or bytes.
    #[must_use]
    pub fn is_emptied(&self) -> bool {
        matches!(self, Self::Text(body) if body.text.is_empty())
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(body) => Some(&body.text),
            Self::Opaque(_) => None,
        }
    }

    /// Bytes of what it says, for bounds.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(body) => body.text.len(),
            Self::Opaque(body) => body.bytes.0.len(),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it holds outside of its own place.
    #[must_use]
    pub fn elsewhere(&self) -> usize {
        match self {
            Self::Text(body) => body.text.capacity(),
            Self::Opaque(body) => body.enc.capacity() + body.bytes.0.capacity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10, in the alphabet of section 5 and without padding.
    #[test]
    fn bytes_have_one_text() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(OpaqueBytes(bytes.to_vec()).to_text(), text);
            assert_eq!(
                OpaqueBytes::from_text(text),
                Some(OpaqueBytes(bytes.to_vec()))
            );
        }
        for bad in [
            "Z", "Zm9vY", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm 9v", "Zmé",
        ] {
            assert_eq!(OpaqueBytes::from_text(bad), None, "{bad}");
        }
    }
}
