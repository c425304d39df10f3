//! The disk below the data directory: can it be written, is there room, and does a sync do what it
//! says?
//!
//! Every acknowledged message waits for a sync, so its time is the time of a message.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Finding;
use crate::startup;

/// How often the sync is timed.
const SYNCS: usize = 50;
/// What is written before each, in bytes: a page of the database.
const WRITE_BYTES: usize = 4096;
/// Longest that the timing goes on; a very slow disk has said enough by then.
const TIMING_MAX: Duration = Duration::from_secs(10);
/// Faster than any device that stores: the sync ends in memory, or in a cache that may or may not
/// survive.
const LYING: Duration = Duration::from_micros(20);
/// Slower than this, people feel it in every message.
const SLOW: Duration = Duration::from_millis(50);
/// Free bytes below which the next days are uncertain.
const FREE_WARN: u64 = 1024 * 1024 * 1024;
/// Free bytes below which a database cannot even tidy itself.
const FREE_FAIL: u64 = 64 * 1024 * 1024;

/// The nearest directory that exists: the data directory may yet have to be created.
fn existing(data: &Path) -> PathBuf {
    let whole = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    whole
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// Whether the directory can be written, or created.
pub(super) fn directory(data: &Path) -> Finding {
    let wanted = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let place = existing(data);
    let is_there = place == wanted;
    if !place.is_dir() {
        let remedy = "choose another with --data DIR, or move the file away";
        return Finding::fail(
            "data directory",
            format!("{} is a file, not a directory", place.display()),
            remedy,
        );
    }
    match startup::probe(&place) {
        Ok(()) if is_there => {
            Finding::ok("data directory", format!("{} is writable", place.display()))
        }
        Ok(()) => Finding::ok(
            "data directory",
            format!("{} will be created", wanted.display()),
        ),
        Err(error) => {
            let message = startup::data_error("write into", &place, &error).to_string();
            let (found, remedy) = message.split_once(". ").unwrap_or((message.as_str(), ""));
            Finding::fail("data directory", found, remedy)
        }
    }
}

/// How much room is left.
pub(super) fn free_space(data: &Path) -> Finding {
    match rustix::fs::statvfs(existing(data)) {
        Ok(found) => judge_space(found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => Finding::warn(
            "free space",
            format!("cannot be read: {error}"),
            "look yourself, with `df -h`",
        ),
    }
}

fn judge_space(bytes: u64) -> Finding {
    let found = format!("{:.1} GiB", bytes as f64 / (1024.0 * 1024.0 * 1024.0));
    if bytes < FREE_FAIL {
        Finding::fail(
            "free space",
            found,
            "free some space, or choose another disk with --data DIR",
        )
    } else if bytes < FREE_WARN {
        Finding::warn(
            "free space",
            found,
            "a busy chat fills this soon: free some space",
        )
    } else {
        Finding::ok("free space", found)
    }
}

/// How long a sync takes.
pub(super) fn sync_speed(data: &Path) -> Finding {
    match time_syncs(&existing(data)) {
        Ok(times) => judge_times(times),
        Err(error) => Finding::fail(
            "disk sync",
            format!("failed: {error}"),
            "this disk cannot keep a promise: choose another with --data DIR",
        ),
    }
}

/// Times the syncs of a file that is removed afterwards.
fn time_syncs(place: &Path) -> io::Result<Vec<Duration>> {
    let path = place.join(format!(".chinwag-doctor-{}", std::process::id()));
    let mut file = File::create(&path)?;
    // The file keeps working without its name, and leaves nothing behind however this ends.
    std::fs::remove_file(&path)?;
    let began = Instant::now();
    let mut times = Vec::with_capacity(SYNCS);
    while times.len() < SYNCS && began.elapsed() < TIMING_MAX {
        // Other bytes each time, in the same place: as the database does, and nothing to optimise
        // away.
        file.rewind()?;
        file.write_all(&[times.len() as u8; WRITE_BYTES])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn judge_times(mut times: Vec<Duration>) -> Finding {
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    let (middle, worst) = (at(50), at(99));
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let found = format!(
        "p50 {:.2} ms, p99 {:.2} ms ({} × 4 KiB)",
        millis(middle),
        millis(worst),
        times.len()
    );
    if middle < LYING {
        let remedy = "faster than a disk can be: a memory disk, or a layer that only pretends to sync. A power cut would lose acknowledged messages";
        Finding::warn("disk sync", found, remedy)
    } else if middle > SLOW {
        Finding::warn(
            "disk sync",
            found,
            "every message waits for this: a local SSD is ten to a hundred times faster",
        )
    } else {
        Finding::ok("disk sync", found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_sync_is_judged_by_its_usual_time() {
        for (micros, expected) in [
            (5, Verdict::Warn),
            (200, Verdict::Ok),
            (8_000, Verdict::Ok),
            (90_000, Verdict::Warn),
        ] {
            let found = judge_times(vec![Duration::from_micros(micros); SYNCS]);
            assert_eq!(found.verdict, expected, "{found:?}");
        }
    }

    #[test]
    fn one_slow_sync_is_shown_and_does_not_condemn_the_disk() {
        let mut times = vec![Duration::from_micros(500); SYNCS - 1];
        times.push(Duration::from_millis(300));
        let found = judge_times(times);
        assert_eq!(found.verdict, Verdict::Ok);
        assert!(found.found.contains("p99 300.00 ms"), "{found:?}");
    }

    #[test]
    fn room_is_judged_before_it_is_gone() {
        for (bytes, expected) in [
            (1 << 20, Verdict::Fail),
            (500 << 20, Verdict::Warn),
            (50 << 30, Verdict::Ok),
        ] {
            assert_eq!(judge_space(bytes).verdict, expected, "{bytes}");
        }
    }
}
