//! Power-loss tests: acknowledged means durable, also when the page cache is gone.
//!
//! Here the machinery proves itself on a small SQLite program (`support/power/probe.rs`): an honest program
//! loses nothing in any image, and each way of breaking the promise is seen. The server's own promise is in
//! `support/power/server_tests.rs`. `CHINWAG_POWER_IMAGES` sets the number of images of each test. The lines
//! printed count acknowledgements summed over the images.

#[path = "support/client.rs"]
mod client;
#[path = "support/history.rs"]
mod history;
#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/power/mod.rs"]
mod power;
#[path = "support/scene.rs"]
mod scene;
#[path = "support/server.rs"]
mod server;
#[path = "support/socket.rs"]
mod socket;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use power::Faults;
use power::dice;
use power::image::Image;
use power::probe::{self, Manner, Run, Stand};
use power::record::Entry;
use power::replay::Replay;
use power::tally::Tally;
use tempfile::TempDir;

const IMAGES_DEFAULT: usize = 200;
const SEED: u64 = 0x00c4_1a46;

/// Not a test of its own: the recorded program when this binary is started again.
#[test]
fn probe_child() {
    power::probe_program::main().expect("the program runs to its end");
}

/// Says a line past the test harness, which hides the output of tests that pass.
fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("standard output is open");
}

/// The rows of an image's database, or why it is broken. A database that does not exist yet has no rows.
fn rows_in(directory: &Path) -> Result<BTreeMap<u64, Vec<u8>>, String> {
    let path = directory.join("probe.db");
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let read = || -> rusqlite::Result<_> {
        let database = rusqlite::Connection::open(&path)?;
        let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Err(verdict));
        }
        if !database.table_exists(None, "entries")? {
            return Ok(Ok(BTreeMap::new()));
        }
        let mut statement = database.prepare("SELECT number, body FROM entries")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
        })?;
        rows.collect::<rusqlite::Result<_>>().map(Ok)
    };
    read().unwrap_or_else(|error| Err(error.to_string()))
}

/// Compares one image with what had been acknowledged before its cut.
fn judge(image: &Image, cut: usize, acks: &[(usize, u64)]) -> Tally {
    let place = tempfile::tempdir().expect("a temporary directory");
    image.write_to(place.path()).expect("an image is written");
    let acked: Vec<u64> = acks
        .iter()
        .filter(|(left_at, _)| *left_at <= cut)
        .map(|(_, row)| *row)
        .collect();
    let mut tally = Tally {
        images: 1,
        acked: acked.len() as u64,
        ..Tally::default()
    };
    match rows_in(place.path()) {
        Ok(rows) => {
            tally.lost = acked.iter().filter(|row| !rows.contains_key(row)).count() as u64;
            tally.ghosts = rows
                .iter()
                .filter(|(row, stored)| **stored != probe::body(**row))
                .count() as u64;
        }
        Err(_) => tally.corrupt = 1,
    }
    tally
}

/// Power failures at places all over the record.
fn judge_images(stand: &Stand, run: &Run) -> Tally {
    let wanted = std::env::var("CHINWAG_POWER_IMAGES");
    let images = wanted.map_or(IMAGES_DEFAULT, |images| images.parse().expect("a number"));
    let mut replay = Replay::new(&run.record, &stand.before);
    let mut sum = Tally::default();
    for (index, cut) in run.record.cuts(images, SEED).into_iter().enumerate() {
        replay.advance_to(cut).expect("every change was recorded");
        let seed = SEED + index as u64;
        let (image, losses) = replay.after_power_loss(seed);
        let mut tally = Tally {
            losses,
            ..judge(&image, cut, &run.acks)
        };
        tally.first_broken = tally.is_broken().then_some((cut, seed));
        sum.add(tally);
    }
    sum
}

/// The full replay must equal the directory, byte for byte: then no change was missed.
fn record_is_complete(stand: &Stand, run: &Run) -> bool {
    let mut replay = Replay::new(&run.record, &stand.before);
    let real = Image::of_directory(&stand.directory).expect("the directory is readable");
    assert!(!real.files.is_empty(), "the program left a database");
    replay.advance_to(run.record.entries.len()).is_ok() && replay.live() == real
}

/// Runs the program in one manner, checks that the record is complete, and judges the images.
fn tally_of(manner: Manner, work: &TempDir) -> Tally {
    let stand = Stand::new(work.path()).expect("a directory to run in");
    // A disk this slow gives a program time to acknowledge too early, wherever the test runs.
    let faults = Faults {
        sync_delay_us: Some(2_000),
        ..Faults::default()
    };
    let run = stand.run(manner, faults).expect("the run is recorded");
    assert!(run.status.success(), "{manner:?} ended with {}", run.status);
    assert_eq!(run.received.len() as u64, probe::ROWS);
    let recorded: Vec<u64> = run.acks.iter().map(|(_, row)| *row).collect();
    assert_eq!(run.received, recorded, "all sends were recorded");
    assert!(record_is_complete(&stand, &run), "a call was missed");
    let tally = judge_images(&stand, &run);
    say(&format!("power, {manner:?}: {tally}"));
    tally
}

/// A failure keeps the record and the directory: with cut and seed they show the same image again.
fn assert_nothing_lost(tally: &Tally, work: TempDir) {
    if tally.is_broken() {
        panic!("{tally}; kept in {}", work.keep().display());
    }
    tally.assert_not_vacuous();
}

#[test]
fn an_honest_program_loses_nothing() {
    let work = tempfile::tempdir().expect("a temporary directory");
    assert_nothing_lost(&tally_of(Manner::Honest, &work), work);
}

#[test]
fn commits_without_sync_are_caught() {
    let tally = tally_of(
        Manner::Normal,
        &tempfile::tempdir().expect("a temporary directory"),
    );
    assert!(tally.lost > 0, "{tally}");
    // Checkpoints are still synced, so the database itself stays whole: SQLite's own claim.
    assert_eq!((tally.corrupt, tally.ghosts), (0, 0), "{tally}");
}

#[test]
fn checkpoints_without_sync_are_caught() {
    let tally = tally_of(
        Manner::Off,
        &tempfile::tempdir().expect("a temporary directory"),
    );
    assert!(tally.lost > 0 && tally.corrupt > 0, "{tally}");
}

#[test]
fn an_ack_before_the_commit_is_caught() {
    let tally = tally_of(
        Manner::AckFirst,
        &tempfile::tempdir().expect("a temporary directory"),
    );
    assert!(tally.lost > 0, "{tally}");
    assert_eq!((tally.corrupt, tally.ghosts), (0, 0), "{tally}");
}

/// The recorder must not make the messenger wait for the sync it should have waited for itself.
#[test]
fn an_ack_beside_the_commit_is_caught() {
    let tally = tally_of(
        Manner::AckBeside,
        &tempfile::tempdir().expect("a temporary directory"),
    );
    assert!(tally.lost > 0, "{tally}");
    assert_eq!((tally.corrupt, tally.ghosts), (0, 0), "{tally}");
}

/// What the recorder cannot see must not pass for a complete record.
#[test]
fn a_change_past_the_recorder_is_noticed() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let stand = Stand::new(work.path()).expect("a directory to run in");
    let run = stand
        .run(Manner::PastTheRecorder, Faults::default())
        .expect("the run is recorded");
    assert!(run.status.success() && stand.directory.join("unseen").exists());
    assert!(!record_is_complete(&stand, &run));
}

/// Behind the first failed sync nothing may be acknowledged. The program stops there, is started again on what
/// is left, and what was acknowledged before stays, although no restart makes an unsynced page safe.
#[test]
fn a_failing_sync_is_injected_and_a_restart_is_recorded() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let stand = Stand::new(work.path()).expect("a directory to run in");
    let faults = Faults {
        fail_sync_after: Some(60),
        ..Faults::default()
    };
    let run = stand
        .run(Manner::Honest, faults)
        .expect("the run is recorded");
    assert!(
        !run.status.success(),
        "the program ends with its first failed sync"
    );
    let failed = |entry: &Entry| {
        matches!(
            entry,
            Entry::SyncEnd {
                succeeded: false,
                ..
            }
        )
    };
    let failed_at = run
        .record
        .entries
        .iter()
        .position(failed)
        .expect("the sync failed");
    assert!(!run.acks.is_empty() && run.received.len() < probe::ROWS as usize);
    assert!(
        run.acks.iter().all(|(left_at, _)| *left_at <= failed_at),
        "an ack behind a failed sync"
    );

    let again = stand
        .run(Manner::Honest, Faults::default())
        .expect("the run is recorded");
    assert!(
        again.status.success(),
        "the second run ended with {}",
        again.status
    );
    assert!(again.acks.len() > run.acks.len());
    assert!(record_is_complete(&stand, &again), "a call was missed");
    assert_nothing_lost(&judge_images(&stand, &again), work);
}

/// The disk is full in the middle of a write; a new record then begins on what is left.
#[test]
fn a_full_disk_is_injected_and_a_new_record_begins_there() {
    const BYTES: usize = 300_001;
    let work = tempfile::tempdir().expect("a temporary directory");
    let stand = Stand::new(work.path()).expect("a directory to run in");
    let faults = Faults {
        fail_write_after_bytes: Some(BYTES as u64),
        ..Faults::default()
    };
    let run = stand
        .run(Manner::Honest, faults)
        .expect("the run is recorded");
    assert!(
        !run.status.success(),
        "the program ends when the disk is full"
    );
    let bytes_in = |entry: &Entry| {
        if let Entry::Write { data, .. } = entry {
            data.len()
        } else {
            0
        }
    };
    assert_eq!(
        run.record.entries.iter().map(bytes_in).sum::<usize>(),
        BYTES,
        "the last write is cut short"
    );
    assert!(
        run.record
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::FaultInjected))
    );
    assert!(!run.acks.is_empty() && run.received.len() < probe::ROWS as usize);
    let tally = judge_images(&stand, &run);
    assert!(!tally.is_broken(), "{tally}");
    tally.assert_not_vacuous();

    let stand = Stand::new(work.path()).expect("a directory to run in");
    let run = stand
        .run(Manner::Honest, Faults::default())
        .expect("the run is recorded");
    assert!(run.status.success() && record_is_complete(&stand, &run));
    assert_nothing_lost(&judge_images(&stand, &run), work);
}
