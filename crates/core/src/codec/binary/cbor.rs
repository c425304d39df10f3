//! The part of CBOR (RFC 8949) that this protocol uses: whole numbers, byte strings, texts, arrays,
//! booleans and null, all of definite length.
//!
//! Maps, tags, fractions and streams of unknown length are no part of it: what parsers disagree
//! about is not there to be read. A crate would read all of CBOR, most of which had to be refused
//! again; the best one, `minicbor`, has a licence (BlueOak-1.0.0) that deny.toml does not allow. A
//! writer or reader lives for one frame.

use crate::limits;

/// Major types (RFC 8949, section 3.1).
mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const SIMPLE: u8 = 7;
}

/// Simple values (section 3.3).
const FALSE: u8 = 20;
const TRUE: u8 = 21;
const NULL: u8 = 22;

/// A frame being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    /// A head in its shortest form (section 3, and 4.2.1).
    fn head(&mut self, major: u8, number: u64) {
        let first = major << 5;
        let [.., e, f, g, h] = number.to_be_bytes();
        match number {
            0..=23 => self.bytes.push(first | h),
            24..=0xff => self.bytes.extend([first | 24, h]),
            0x100..=0xffff => self.bytes.extend([first | 25, g, h]),
            0x1_0000..=0xffff_ffff => self.bytes.extend([first | 26, e, f, g, h]),
            _ => {
                self.bytes.push(first | 27);
                self.bytes.extend(number.to_be_bytes());
            }
        }
    }

    pub(super) fn number(&mut self, number: u64) {
        self.head(major::UNSIGNED, number);
    }

    pub(super) fn signed(&mut self, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.number(number),
            // -1 - n is n with all bits turned, so that every i64 has its form.
            Err(_negative) => self.head(major::NEGATIVE, (!number).unsigned_abs()),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.head(major::BYTES, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.head(major::TEXT, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn array(&mut self, items: usize) {
        self.head(major::ARRAY, items as u64);
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.bytes
            .push(major::SIMPLE << 5 | if value { TRUE } else { FALSE });
    }

    pub(super) fn null(&mut self) {
        self.bytes.push(major::SIMPLE << 5 | NULL);
    }
}

/// One item; of an array, only its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'bytes> {
    Number(u64),
    /// -1 minus this.
    Negative(u64),
    Bytes(&'bytes [u8]),
    Text(&'bytes str),
    /// Of so many items, which follow.
    Array(u64),
    Bool(bool),
    Null,
}

/// Why bytes are no frame.
pub(super) type Malformed = &'static str;

/// Bytes being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'bytes> {
    rest: &'bytes [u8],
}

impl<'bytes> Reader<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, length: u64) -> Result<&'bytes [u8], Malformed> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("it ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next item.
    pub(super) fn item(&mut self) -> Result<Item<'bytes>, Malformed> {
        let first = self.take(1)?[0];
        let (major, short) = (first >> 5, first & 31);
        if major == major::SIMPLE {
            return match short {
                FALSE => Ok(Item::Bool(false)),
                TRUE => Ok(Item::Bool(true)),
                NULL => Ok(Item::Null),
                _ => Err("fractions and other simple values are not used here"),
            };
        }
        let number = match short {
            0..=23 => u64::from(short),
            24..=27 => {
                let bytes = self.take(1 << (short - 24))?;
                bytes
                    .iter()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
            _ => return Err("every length is given beforehand"),
        };
        match major {
            major::UNSIGNED => Ok(Item::Number(number)),
            major::NEGATIVE => Ok(Item::Negative(number)),
            major::BYTES => Ok(Item::Bytes(self.take(number)?)),
            major::TEXT => {
                let text = std::str::from_utf8(self.take(number)?);
                text.map(Item::Text).map_err(|_bad| "a text is not UTF-8")
            }
            major::ARRAY => Ok(Item::Array(number)),
            _ => Err("maps and tags are not used here"),
        }
    }

    /// Whether the next item is null; takes it if so.
    pub(super) fn null(&mut self) -> bool {
        let mut ahead = *self;
        let is_null = ahead.item() == Ok(Item::Null);
        if is_null {
            *self = ahead;
        }
        is_null
    }

    /// Passes over one item, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        self.skip_within(limits::JSON_DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: usize) -> Result<(), Malformed> {
        let Item::Array(items) = self.item()? else {
            return Ok(());
        };
        let depth = depth.checked_sub(1).ok_or("nested too deep")?;
        // Each takes a byte at least: an announced length costs nothing by itself.
        for _ in 0..items {
            self.skip_within(depth)?;
        }
        Ok(())
    }
}

/// Whether `bytes` are one array and nothing more, good to the last byte.
pub(super) fn check(bytes: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    if !matches!(reader.item()?, Item::Array(_)) {
        return Err("a frame is an array");
    }
    let mut reader = Reader::new(bytes);
    reader.skip()?;
    if reader.rest.is_empty() {
        Ok(())
    } else {
        Err("something follows the frame")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_rfc_are_written_and_read() {
        let check = |write: &dyn Fn(&mut Writer), bytes: &[u8], item: Item<'_>| {
            let mut writer = Writer::default();
            write(&mut writer);
            assert_eq!(writer.bytes, bytes, "{item:?}");
            assert_eq!(Reader::new(bytes).item(), Ok(item), "{bytes:x?}");
        };
        for (number, bytes) in [
            (0, &[0x00][..]),
            (23, &[0x17]),
            (24, &[0x18, 0x18]),
            (100, &[0x18, 0x64]),
            (1_000, &[0x19, 0x03, 0xe8]),
            (1_000_000, &[0x1a, 0x00, 0x0f, 0x42, 0x40]),
            (
                1_000_000_000_000,
                &[0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00],
            ),
            (
                u64::MAX,
                &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
        ] {
            check(&|to| to.number(number), bytes, Item::Number(number));
        }
        check(&|to| to.signed(-1), &[0x20], Item::Negative(0));
        check(&|to| to.signed(-100), &[0x38, 0x63], Item::Negative(99));
        check(
            &|to| to.signed(-1_000),
            &[0x39, 0x03, 0xe7],
            Item::Negative(999),
        );
        check(&|to| to.signed(1), &[0x01], Item::Number(1));
        let least = [0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        check(
            &|to| to.signed(i64::MIN),
            &least,
            Item::Negative(i64::MAX as u64),
        );
        check(&|to| to.bool(false), &[0xf4], Item::Bool(false));
        check(&|to| to.bool(true), &[0xf5], Item::Bool(true));
        check(&Writer::null, &[0xf6], Item::Null);
        check(&|to| to.bytes(&[1, 2]), &[0x42, 1, 2], Item::Bytes(&[1, 2]));
        check(&|to| to.text(""), &[0x60], Item::Text(""));
        check(&|to| to.text("IETF"), b"\x64IETF", Item::Text("IETF"));
        check(&|to| to.array(25), &[0x98, 0x19], Item::Array(25));
    }

    #[test]
    fn what_is_not_part_of_it_is_refused() {
        let refused = |bytes: &[u8]| {
            assert!(check(bytes).is_err(), "{bytes:x?}");
        };
        refused(&[]);
        refused(&[0x00]);
        refused(&[0x81]);
        refused(&[0x81, 0x18]);
        refused(&[0x81, 0x43, 1, 2]);
        refused(&[0x81, 0x61, 0xff]);
        refused(&[0x81, 0xa0]);
        refused(&[0x81, 0xc0, 0x00]);
        refused(&[0x81, 0xf9, 0x3c, 0x00]);
        refused(&[0x81, 0xf7]);
        refused(&[0x81, 0x1c]);
        refused(&[0x9f, 0xff]);
        refused(&[0x81, 0x5f, 0xff]);
        refused(&[0x80, 0x00]);
        refused(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        refused(&[0x81, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let nested = |depth: usize| [vec![0x81; depth - 1], vec![0x80]].concat();
        assert_eq!(check(&nested(16)), Ok(()));
        refused(&nested(17));
        refused(&nested(60_000));
    }
}
