//! What a text must be before anything else looks at it. Its bytes are never changed.

use unicode_segmentation::UnicodeSegmentation;

use crate::code::ErrorCode;
use crate::limits;

/// Whether `text` may be a message.
///
/// # Errors
/// [`ErrorCode::TooLong`] beyond 16 KiB, [`ErrorCode::BadField`] with a NUL in it (half of the
/// world's tools cut there), [`ErrorCode::Blank`] if there is nothing but white space.
pub fn message(text: &str) -> Result<(), ErrorCode> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(ErrorCode::TooLong);
    }
    if text.contains('\0') {
        return Err(ErrorCode::BadField);
    }
    if text.chars().all(char::is_whitespace) {
        return Err(ErrorCode::Blank);
    }
    Ok(())
}

/// Whether `name` may be a room's name: one line of at most 64 graphemes, no white space around.
///
/// # Errors
/// [`ErrorCode::TooLong`], [`ErrorCode::Blank`], or [`ErrorCode::BadField`] for control
/// characters and white space at an end.
pub fn room_name(name: &str) -> Result<(), ErrorCode> {
    let most = (limits::NAME_BYTES_MAX, limits::NAME_GRAPHEMES_MAX);
    one_line(name, most)
}

/// Whether `topic` may be a room's topic: one line of at most 250 graphemes, no white space around.
///
/// # Errors
/// As for [`room_name`].
pub fn topic(topic: &str) -> Result<(), ErrorCode> {
    let most = (limits::TOPIC_BYTES_MAX, limits::TOPIC_GRAPHEMES_MAX);
    one_line(topic, most)
}

fn one_line(text: &str, (bytes, graphemes): (usize, usize)) -> Result<(), ErrorCode> {
    if text.len() > bytes || text.graphemes(true).count() > graphemes {
        return Err(ErrorCode::TooLong);
    }
    if text.chars().all(char::is_whitespace) {
        return Err(ErrorCode::Blank);
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(ErrorCode::BadField);
    }
    Ok(())
}

/// Whether `emoji` may be a reaction: one user-perceived character that can be seen. Which ones
/// are emoji changes with each version of Unicode, and is not asked.
///
/// # Errors
/// [`ErrorCode::TooLong`] beyond 64 bytes, [`ErrorCode::Blank`] without anything to see,
/// [`ErrorCode::BadField`] for more than one character and for control characters.
pub fn reaction(emoji: &str) -> Result<(), ErrorCode> {
    if emoji.len() > limits::REACTION_BYTES_MAX {
        return Err(ErrorCode::TooLong);
    }
    if emoji.chars().all(char::is_whitespace) {
        return Err(ErrorCode::Blank);
    }
    if emoji.graphemes(true).count() != 1 || emoji.chars().any(char::is_control) {
        return Err(ErrorCode::BadField);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        assert_eq!(message("hello"), Ok(()));
        assert_eq!(
            message("\u{200b}"),
            Ok(()),
            "a zero-width space is not white space"
        );
        assert_eq!(message(""), Err(ErrorCode::Blank));
        assert_eq!(message(" \n\u{3000}"), Err(ErrorCode::Blank));
        assert_eq!(message("a\0b"), Err(ErrorCode::BadField));
        assert_eq!(message(&"x".repeat(limits::TEXT_BYTES_MAX)), Ok(()));
        assert_eq!(
            message(&"x".repeat(limits::TEXT_BYTES_MAX + 1)),
            Err(ErrorCode::TooLong)
        );
    }

    #[test]
    fn room_names() {
        assert_eq!(room_name("Tea & talk 茶"), Ok(()));
        assert_eq!(
            room_name(&"👩‍👩‍👧".repeat(20)),
            Ok(()),
            "graphemes count, not bytes"
        );
        assert_eq!(room_name(&"x".repeat(65)), Err(ErrorCode::TooLong));
        assert_eq!(room_name("a\nb"), Err(ErrorCode::BadField));
        assert_eq!(room_name(" a"), Err(ErrorCode::BadField));
        assert_eq!(room_name("  "), Err(ErrorCode::Blank));
    }

    #[test]
    fn topics_and_reactions() {
        assert_eq!(topic(&"t".repeat(250)), Ok(()));
        assert_eq!(topic(&"t".repeat(251)), Err(ErrorCode::TooLong));
        for one in ["👍", "👩‍👩‍👧", "é", "🇩🇪", "k"] {
            assert_eq!(reaction(one), Ok(()), "{one}");
        }
        assert_eq!(reaction("👍👍"), Err(ErrorCode::BadField));
        assert_eq!(reaction("\u{7}"), Err(ErrorCode::BadField));
        assert_eq!(reaction(""), Err(ErrorCode::Blank));
        assert_eq!(reaction(&"👩‍".repeat(30)), Err(ErrorCode::TooLong));
    }
}
