//! Power-loss tests: acknowledged means durable, also when the page cache is gone.
//!
//! First the machinery proves itself on a small SQLite program (`support/power/probe.rs`): an honest program
//! loses nothing in any image, and each way of breaking the promise is seen.

#[path = "support/power/mod.rs"]
mod power;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use power::Faults;
use power::probe::{self, Manner, Run};
use power::record::Entry;
use power::replay::{Baseline, Image, Replay};
use power::tally::Tally;

const IMAGES: usize = 200;
const SEED: u64 = 0x00c4_1a46;

/// Not a test of its own: the recorded program when this binary is started again.
#[test]
fn probe_child() {
    probe::main_of_child().expect("the program runs to its end");
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

/// `IMAGES` power failures at places all over a run.
fn judge_images(run: &Run) -> Tally {
    let mut replay = Replay::new(&run.record, &Baseline::default());
    let mut sum = Tally::default();
    for (index, cut) in run.record.cuts(IMAGES, SEED).into_iter().enumerate() {
        replay.advance_to(cut).expect("every change was recorded");
        let (image, losses) = replay.after_power_loss(SEED + index as u64);
        sum.add(Tally {
            losses,
            ..judge(&image, cut, &run.acks)
        });
    }
    sum
}

/// Runs the program in one manner, checks that the record is complete, and judges the images.
fn tally_of(manner: Manner) -> Tally {
    let work = tempfile::tempdir().expect("a temporary directory");
    let run = probe::run(manner, work.path(), Faults::default()).expect("the run is recorded");
    assert!(run.status.success(), "{manner:?} ended with {}", run.status);
    assert_eq!(run.received.len() as u64, probe::ROWS);
    assert_eq!(
        run.received,
        run.acks.iter().map(|(_, row)| *row).collect::<Vec<_>>(),
        "all sends were recorded"
    );
    let mut replay = Replay::new(&run.record, &Baseline::default());
    replay
        .advance_to(run.record.entries.len())
        .expect("every change was recorded");
    let real = Image::of_directory(&run.directory).expect("the directory is readable");
    assert!(!real.files.is_empty(), "the program left a database");
    assert!(
        replay.live() == real,
        "the full replay differs from the directory: a call was missed"
    );
    let tally = judge_images(&run);
    say(&format!("power, {manner:?}: {tally}"));
    tally
}

#[test]
fn an_honest_program_loses_nothing() {
    let tally = tally_of(Manner::Honest);
    tally.assert_not_vacuous();
    assert_eq!(
        (tally.lost, tally.corrupt, tally.ghosts),
        (0, 0, 0),
        "{tally}"
    );
}

#[test]
fn commits_without_sync_are_caught() {
    let tally = tally_of(Manner::Normal);
    assert!(tally.lost > 0, "{tally}");
    // Checkpoints are still synced, so the database itself stays whole: SQLite's own claim.
    assert_eq!((tally.corrupt, tally.ghosts), (0, 0), "{tally}");
}

#[test]
fn checkpoints_without_sync_are_caught() {
    let tally = tally_of(Manner::Off);
    assert!(tally.lost > 0 && tally.corrupt > 0, "{tally}");
}

#[test]
fn an_ack_before_the_commit_is_caught() {
    let tally = tally_of(Manner::AckFirst);
    assert!(tally.lost > 0, "{tally}");
    assert_eq!((tally.corrupt, tally.ghosts), (0, 0), "{tally}");
}

/// The recorder must not make the messenger wait for the sync it should have waited for itself.
#[test]
fn an_ack_beside_the_commit_is_caught() {
    let tally = tally_of(Manner::AckBeside);
    assert!(tally.lost > 0, "{tally}");
}

/// Behind the first failed sync nothing may be acknowledged; the program that stops there passes.
#[test]
fn a_failing_sync_is_injected_and_recorded() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let faults = Faults {
        fail_sync_after: Some(60),
        ..Faults::default()
    };
    let run = probe::run(Manner::Honest, work.path(), faults).expect("the run is recorded");
    assert!(
        !run.status.success(),
        "the program ends with its first failed sync"
    );
    let failed_at = run.record.entries.iter().position(|entry| {
        matches!(
            entry,
            Entry::SyncEnd {
                succeeded: false,
                ..
            }
        )
    });
    let failed_at = failed_at.expect("the sync failed");
    assert!(!run.acks.is_empty() && run.acks.len() < probe::ROWS as usize);
    assert!(
        run.acks.iter().all(|(left_at, _)| *left_at <= failed_at),
        "an ack behind a failed sync"
    );
    let tally = judge_images(&run);
    assert_eq!(
        (tally.lost, tally.corrupt, tally.ghosts),
        (0, 0, 0),
        "{tally}"
    );
}

#[test]
fn a_full_disk_is_injected_and_recorded() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let faults = Faults {
        fail_write_after_bytes: Some(300_001),
        ..Faults::default()
    };
    let run = probe::run(Manner::Honest, work.path(), faults).expect("the run is recorded");
    assert!(
        !run.status.success(),
        "the program ends when the disk is full"
    );
    let written: usize = run
        .record
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Write { data, .. } => data.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(written, 300_001, "the last write is cut short");
    assert!(
        run.record
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::FaultInjected))
    );
    assert!(!run.acks.is_empty() && run.acks.len() < probe::ROWS as usize);
    let tally = judge_images(&run);
    assert_eq!(
        (tally.lost, tally.corrupt, tally.ghosts),
        (0, 0, 0),
        "{tally}"
    );
}
