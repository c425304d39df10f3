//! Power loss in a test: what could be left on the disk if the power failed at this very moment?
//!
//! A process is started under a small library (`recorder.c`) that writes down its file changes, syncs and
//! socket writes in one order (`record.rs`). The record is cut anywhere and turned into a directory that the
//! disk might hold then (`replay.rs`, `disk.rs`), and the test compares that directory with what had already
//! been promised over the sockets. A kill shows nothing of this: the page cache survives it.
//!
//! Not here: what a promise is, and how a directory is opened and judged; that is the test's. Linux only, and
//! only for programs linked to the C library dynamically; it needs a C compiler (`cc`) when the test runs.

pub(crate) mod dice;
pub(crate) mod disk;
pub(crate) mod image;
pub(crate) mod judge;
#[cfg(test)]
mod model_tests;
pub(crate) mod probe;
pub(crate) mod probe_program;
pub(crate) mod promises;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod served;
#[cfg(test)]
mod server_tests;
pub(crate) mod tally;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/support/power/recorder.c"
);

/// Failures that the recorder plants into the recorded process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// This sync below the directory (counted from 1) and every later one fails with EIO.
    pub(crate) fail_sync_after: Option<u64>,
    /// After so many bytes written below the directory every write fails with ENOSPC.
    pub(crate) fail_write_after_bytes: Option<u64>,
    /// Every sync below the directory takes so much longer (microseconds): a slow disk.
    pub(crate) sync_delay_us: Option<u64>,
}

/// Makes `command` record what it does below `directory` (which exists) into the file `record` (which lies
/// elsewhere). The compiler runs once per test process.
pub(crate) fn record_into(command: &mut Command, directory: &Path, record: &Path, faults: Faults) {
    command
        .env("LD_PRELOAD", library())
        .env("POWER_RECORD_DIR", directory)
        .env("POWER_RECORD_FILE", record);
    let settings = [
        ("POWER_FAIL_SYNC_AFTER", faults.fail_sync_after),
        (
            "POWER_FAIL_WRITE_AFTER_BYTES",
            faults.fail_write_after_bytes,
        ),
        ("POWER_SYNC_DELAY_US", faults.sync_delay_us),
    ];
    command.envs(
        settings
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?.to_string()))),
    );
}

/// The compiled recorder. Test processes may build it side by side: each builds its own and renames it.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let built = directory.join(format!("recorder-{}.so", std::process::id()));
        let output = Command::new("cc")
            .args([
                "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-pthread", "-o",
            ])
            .args([built.as_path(), Path::new(SOURCE)])
            .output()
            .expect("a C compiler called cc is installed");
        assert!(
            output.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let library = directory.join("power-loss-recorder.so");
        std::fs::rename(&built, &library).expect("both lie in one directory");
        library
    })
}
