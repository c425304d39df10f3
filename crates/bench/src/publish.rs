//! Puts a report into its document, between two marks, so that a figure is published by the
//! command that measures it.

use std::path::Path;

use anyhow::Context as _;

/// Replaces what stands between the marks of `scenario`.
///
/// # Errors
/// The document cannot be read or written, or has no such marks.
pub(crate) fn publish(document: &Path, scenario: &str, report: &str) -> anyhow::Result<()> {
    let name = document.display();
    let text =
        std::fs::read_to_string(document).with_context(|| format!("{name} cannot be read"))?;
    let text =
        replaced(&text, scenario, report).with_context(|| format!("{name} has no marks for it"))?;
    std::fs::write(document, text).with_context(|| format!("{name} cannot be written"))
}

fn replaced(text: &str, scenario: &str, report: &str) -> Option<String> {
    let begin = format!("<!-- {scenario}: begin -->\n");
    let end = format!("<!-- {scenario}: end -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (_old, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{report}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n";
        let expected = "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n";
        assert_eq!(replaced(text, "x", "new\n").as_deref(), Some(expected));
        assert_eq!(replaced(expected, "x", "new\n").as_deref(), Some(expected));
        assert_eq!(replaced(text, "y", "new\n"), None);
    }
}
