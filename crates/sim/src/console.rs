//! What this program says; nothing else here prints.

/// Says a line.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
