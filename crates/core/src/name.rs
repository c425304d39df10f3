//! Names of people: what may be one, how it is shown, and when two count as the same.
//!
//! The shown form is NFC, trimmed, with each run of white space made one blank. The unique key
//! is folded: NFKC, full case folding, invisible characters taken out. So "Ann", " ANN " and the
//! full-width "Ａｎｎ" are one name, and by this form people are found. What a name looks like is
//! its skeleton (UTS 39, section 4), and that is unique as well: with "paypal" there can be no
//! "раураl" in Cyrillic letters, and with "Tom" no "Torn". Case is folded before, so that "Ian" and
//! "lan" are two names although one can be drawn like the other.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection;
use unicode_segmentation::UnicodeSegmentation;

use crate::code::ErrorCode;
use crate::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};

/// A name that may be given to a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    display: String,
    key: String,
    look: String,
}

impl Name {
    /// As it is shown.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// What must be unique: two names with the same key count as the same.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What must be unique as well: two names with the same look can be taken for each other.
    #[must_use]
    pub fn look(&self) -> &str {
        &self.look
    }
}

/// The name in `text`.
///
/// # Errors
/// `blank` if there is nothing to see, `too_long` beyond [`NAME_GRAPHEMES_MAX`] or
/// [`NAME_BYTES_MAX`], `bad_field` for control characters, text-direction controls,
/// noncharacters and characters that only pretend to be blank.
pub fn name(text: &str) -> Result<Name, ErrorCode> {
    // Before any work: normalising megabytes is work that a stranger could ask for.
    if text.len() > 4 * NAME_BYTES_MAX {
        return Err(ErrorCode::TooLong);
    }
    if text.trim().chars().any(refused) {
        return Err(ErrorCode::BadField);
    }
    let composed: String = text.nfc().collect();
    let display = collapsed(&composed);
    if display.len() > NAME_BYTES_MAX || display.graphemes(true).count() > NAME_GRAPHEMES_MAX {
        return Err(ErrorCode::TooLong);
    }
    let key = unique(&display);
    if key.is_empty() {
        return Err(ErrorCode::Blank);
    }
    let look = skeleton(&key);
    Ok(Name { display, key, look })
}

/// Trimmed, with each run of white space as one blank.
fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// What a folded name looks like: each character replaced by the one that stands for all that can
/// be taken for it (UTS 39, section 4). Folded once more, since "0" stands for "O".
fn skeleton(key: &str) -> String {
    let look: String = confusable_detection::skeleton(key).collect();
    unique(&look)
}

/// The form in which names are compared.
fn unique(display: &str) -> String {
    // Twice, because folding can bring forth characters that normalise further, and back.
    collapsed(&folded(&folded(display)))
}

/// NFKC and case folding. Upper case first and then lower case is full case folding for all
/// that people write: "ß" and "ss", final and other sigma, dotted and plain forms meet.
fn folded(text: &str) -> String {
    text.nfkc()
        .filter(|char| !invisible(*char))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .filter(|char| !invisible(*char))
        .collect()
}

/// Characters that no name holds: they break lines, turn the direction of the text around them,
/// or look like nothing while being something.
fn refused(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FEFF}'
            | '\u{115F}' | '\u{1160}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FFF0}'..='\u{FFFC}')
        || u32::from(char) & 0xFFFE == 0xFFFE
        || matches!(char, '\u{FDD0}'..='\u{FDEF}')
}

/// Characters that shape their neighbours (joiners of emoji and of Persian, variation selectors,
/// the tags of flags) but must not tell two names apart.
fn invisible(char: char) -> bool {
    matches!(char, '\u{200C}' | '\u{200D}' | '\u{034F}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shown_form_and_key() {
        for (text, display, key) in [
            ("Ann", "Ann", "ann"),
            ("  Ann \u{3000} Lee\u{2009}", "Ann Lee", "ann lee"),
            ("Ａｎｎ", "Ａｎｎ", "ann"),
            ("Stra\u{df}e", "Straße", "strasse"),
            ("ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("e\u{301}", "\u{e9}", "\u{e9}"),
            ("ﬁsh", "ﬁsh", "fish"),
            ("李雷", "李雷", "李雷"),
            ("👩\u{200D}🚀", "👩\u{200D}🚀", "👩🚀"),
            ("❤\u{FE0F}", "❤\u{FE0F}", "❤"),
            ("<b>", "<b>", "<b>"),
        ] {
            let name = name(text).expect(text);
            assert_eq!((name.display(), name.key()), (display, key), "{text:?}");
        }
    }

    #[test]
    fn refusals() {
        let long = "a".repeat(NAME_GRAPHEMES_MAX + 1);
        let heavy = format!("a{}", "\u{301}".repeat(NAME_BYTES_MAX));
        let huge = " ".repeat(4 * NAME_BYTES_MAX + 1);
        for (text, code) in [
            ("", ErrorCode::Blank),
            (" \u{2003}\u{3000}", ErrorCode::Blank),
            ("\u{200D}\u{FE0F}", ErrorCode::Blank),
            ("a\0b", ErrorCode::BadField),
            ("a\nb", ErrorCode::BadField),
            ("a\u{202E}b", ErrorCode::BadField),
            ("a\u{200B}b", ErrorCode::BadField),
            ("\u{3164}", ErrorCode::BadField),
            ("a\u{FFFE}", ErrorCode::BadField),
            (&long, ErrorCode::TooLong),
            (&heavy, ErrorCode::TooLong),
            (&huge, ErrorCode::TooLong),
        ] {
            assert_eq!(name(text), Err(code), "{text:?}");
        }
        assert!(name(&"a".repeat(NAME_GRAPHEMES_MAX)).is_ok());
    }

    #[test]
    fn names_that_look_alike() {
        let look = |text: &str| name(text).expect(text).look().to_owned();
        for (one, other) in [
            ("ann", "аnn"),
            ("PayPal", "раураl"),
            ("Tom", "torn"),
            ("user1", "UserL"),
            ("B0B", "bob"),
            ("Οδός", "Oδός"),
        ] {
            assert_eq!(look(one), look(other), "{one:?} {other:?}");
            let keys = [one, other].map(|text| name(text).expect(text).key().to_owned());
            assert_ne!(keys[0], keys[1], "they are found by different texts");
        }
        for (one, other) in [
            ("Ian", "Lan"),
            ("ann", "anna"),
            ("Bob 1", "Bob 2"),
            ("李", "雷"),
        ] {
            assert_ne!(look(one), look(other), "{one:?} {other:?}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_name_is_a_name_with_the_same_key(text in "\\PC{0,40}") {
            if let Ok(first) = name(&text) {
                let again = name(first.display()).expect("a name stays a name");
                prop_assert_eq!(&again, &first);
                let upper: String = first.display().chars().flat_map(char::to_uppercase).collect();
                if let Ok(upper) = name(&upper) {
                    prop_assert_eq!(upper.key(), first.key());
                    prop_assert_eq!(upper.look(), first.look());
                }
            }
        }
    }
}
