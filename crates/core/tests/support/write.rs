//! Writing what is generated: the file is rewritten, and a test that found it stale fails.

use std::fs;
use std::path::PathBuf;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// What stands at `path` below the root; nothing if there is no such file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_default()
}

/// Writes `text` to `path` below the root, and fails if something else stood there.
#[expect(
    clippy::disallowed_methods,
    reason = "a test writes what the core itself never would"
)]
pub(crate) fn generate(path: &str, text: &str) {
    if read(path) != text {
        fs::write(file(path), text).expect("the file can be written");
        panic!("{path} was stale and has been rewritten: look at the difference and commit it");
    }
}
