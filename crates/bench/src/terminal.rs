//! What a person at the terminal sees: the result on standard output, progress on standard error.
//!
//! A reader that went away is no failure of a measurement, so nothing here fails.

use std::io::Write;

/// Prints a result.
pub(crate) fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody listens any more: there is nobody to tell, either.
    let _closed = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// Prints a line about what is going on.
pub(crate) fn progress(line: &str) {
    let mut output = std::io::stderr().lock();
    // As above.
    let _closed = writeln!(output, "{line}");
}
