//! Puts a report into its document, between two marks, so that a figure is published by the
//! command that measures it.

use std::path::Path;

use anyhow::Context as _;

/// Whether there is a place for `scenario`: better known before a long measurement than after.
///
/// # Errors
/// The document cannot be read, or has no marks for it.
pub(crate) fn check(document: &Path, scenario: &str) -> anyhow::Result<()> {
    let text = read(document)?;
    replaced(&text, scenario, "").with_context(|| no_marks(document, scenario))?;
    Ok(())
}

/// Replaces what stands between the marks of `scenario`.
///
/// # Errors
/// The document cannot be read or written, or has no such marks.
pub(crate) fn publish(document: &Path, scenario: &str, report: &str) -> anyhow::Result<()> {
    let text = read(document)?;
    let text = replaced(&text, scenario, report).with_context(|| no_marks(document, scenario))?;
    std::fs::write(document, text)
        .with_context(|| format!("{} cannot be written", document.display()))
}

fn read(document: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(document)
        .with_context(|| format!("{} cannot be read", document.display()))
}

fn no_marks(document: &Path, scenario: &str) -> String {
    format!(
        "{} has no lines `<!-- {scenario}: begin -->` and `<!-- {scenario}: end -->`",
        document.display()
    )
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
