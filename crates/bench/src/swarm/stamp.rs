//! Texts that carry the time at which they should have been sent, so that whoever receives one
//! knows how long it took.
//!
//! The mark and its digits have a fixed width and stand at the end of the text, so that they are
//! found without parsing what is around them. One clock for all threads of this machine.

use rustix::time::{ClockId, clock_gettime};

/// Stands before the digits.
const MARK: &[u8] = b"@t=";
/// Digits of a time in nanoseconds: as many as 64 bits can need, and leading zeros.
const DIGITS: usize = 20;
/// Bytes at the end of a text that are the stamp: no text is shorter.
pub(crate) const STAMP_BYTES: usize = MARK.len() + DIGITS;
/// How many kinds of deliveries can be timed apart.
pub(crate) const CLASSES: usize = 4;

/// Nanoseconds of the clock that only goes forward (clock_gettime(2), `CLOCK_MONOTONIC`).
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Counted from the start of the machine, so neither part is ever below zero.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// A text of `bytes` bytes (at least [`STAMP_BYTES`]) that says `due_ns`.
pub(crate) fn stamped(due_ns: u64, bytes: usize) -> String {
    let filling = bytes.saturating_sub(STAMP_BYTES);
    format!("{:x<filling$}@t={due_ns:020}", "")
}

/// As [`stamped`], with a class below [`CLASSES`] for what is timed apart; without one it is 0.
pub(crate) fn stamped_as(class: usize, due_ns: u64, bytes: usize) -> String {
    let filling = bytes.saturating_sub(STAMP_BYTES + 1);
    format!("{:x<filling$}{class}@t={due_ns:020}", "")
}

/// The class of a text whose stamp ends `behind` bytes before the end of `payload`.
pub(crate) fn class_before(payload: &[u8], behind: usize) -> usize {
    let at = payload.len().checked_sub(behind + STAMP_BYTES + 1);
    match at.and_then(|at| payload.get(at)) {
        Some(digit @ b'0'..=b'9') if usize::from(digit - b'0') < CLASSES => {
            usize::from(digit - b'0')
        }
        _ => 0,
    }
}

/// The time in a stamp that ends `behind` bytes before the end of `payload`; nothing if there is
/// none at that place.
pub(crate) fn stamp_before(payload: &[u8], behind: usize) -> Option<u64> {
    let end = payload.len().checked_sub(behind)?;
    let stamp = payload.get(end.checked_sub(STAMP_BYTES)?..end)?;
    digits(stamp.strip_prefix(MARK)?)
}

/// Whether a stamp ends `behind` bytes before the end of `payload`, without reading it.
pub(crate) fn is_stamped_before(payload: &[u8], behind: usize) -> bool {
    let begin = payload.len().checked_sub(behind + STAMP_BYTES);
    begin.is_some_and(|begin| payload[begin..].starts_with(MARK))
}

/// The number that `bytes` begins with, and how many digits it has.
pub(crate) fn leading_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let count = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    Some((digits(&bytes[..count])?, count))
}

fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_at_its_place_and_nowhere_else() {
        for due_ns in [0, 1_234_567, u64::MAX] {
            let text = stamped(due_ns, 100);
            assert_eq!(text.len(), 100);
            let payload = format!(r#"{{"body":{{"text":"{text}"}}}}"#).into_bytes();
            assert_eq!(stamp_before(&payload, 3), Some(due_ns));
            assert!(is_stamped_before(&payload, 3));
            for behind in [0, 2, 4, 100, 1_000] {
                assert_eq!(stamp_before(&payload, behind), None, "{behind}");
                assert!(!is_stamped_before(&payload, behind), "{behind}");
            }
        }
    }

    #[test]
    fn a_text_is_never_shorter_than_its_stamp() {
        assert_eq!(stamped(7, 0), "@t=00000000000000000007");
        assert_eq!(stamped(7, 24), "x@t=00000000000000000007");
    }

    #[test]
    fn classes_stand_before_the_stamp() {
        for class in 0..CLASSES {
            let text = stamped_as(class, 7, 60) + "\"}}";
            assert_eq!(text.len(), 63);
            assert_eq!(class_before(text.as_bytes(), 3), class);
            assert_eq!(stamp_before(text.as_bytes(), 3), Some(7));
        }
        for without in [
            stamped(7, 60),
            stamped(7, 0),
            "9".to_owned() + &stamped(7, 0),
        ] {
            assert_eq!(class_before(without.as_bytes(), 0), 0, "{without}");
        }
    }

    #[test]
    fn what_only_looks_like_a_stamp_is_none() {
        for bad in ["@t=0000000000000000000x", "@t=99999999999999999999", "@t=1"] {
            assert_eq!(stamp_before(bad.as_bytes(), 0), None, "{bad}");
        }
    }

    #[test]
    fn numbers_end_where_their_digits_do() {
        for (text, expected) in [
            ("58,\"room\"", Some((58, 2))),
            ("0}", Some((0, 1))),
            ("x1", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(leading_number(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_clock_goes_forward() {
        let before = now_ns();
        assert!(now_ns() >= before && before > 0);
    }
}
