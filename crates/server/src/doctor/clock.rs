//! The clock: messages are ordered without it, but labelled by it, and tokens expire by it.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Finding;

/// 2026-01-01: before this program was written, no clock can rightly be.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);
/// 2100-01-01.
const LATEST: Duration = Duration::from_secs(4_102_444_800);
/// How long both clocks are watched, in milliseconds.
const WATCH_MS: u64 = 200;
/// How far they may drift apart in that time. Half of it would be a clock that is being set.
const DRIFT_MAX: Duration = Duration::from_millis(50);
/// How far a file may lie in the future: file systems round, and machines share disks.
const FUTURE_MAX: Duration = Duration::from_secs(60);
/// Entries of the data directory that are looked at.
const ENTRIES_MAX: usize = 10_000;

const REMEDY: &str = "set it, and keep it set: `timedatectl set-ntp true`, or another NTP service";

/// Whether the time of day can be right: by the calendar, and by what was written here before.
pub(super) fn wall_clock(data: &Path) -> Finding {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    judge_time(now, newest_file(data))
}

/// The time of the newest file in the directory, since 1970. No directory, no files, no time.
fn newest_file(data: &Path) -> Option<Duration> {
    let entries = std::fs::read_dir(data).ok()?;
    entries
        .take(ENTRIES_MAX)
        .filter_map(|entry| {
            entry
                .ok()?
                .metadata()
                .ok()?
                .modified()
                .ok()?
                .duration_since(UNIX_EPOCH)
                .ok()
        })
        .max()
}

fn judge_time(now: Duration, newest: Option<Duration>) -> Finding {
    let shown = date(now);
    if now < EARLIEST || now > LATEST {
        return Finding::fail("clock", format!("says {shown}, which cannot be"), REMEDY);
    }
    match newest
        .and_then(|newest| newest.checked_sub(now))
        .filter(|ahead| *ahead > FUTURE_MAX)
    {
        Some(ahead) => {
            let found = format!(
                "says {shown}, but the data directory has a file from {} s later",
                ahead.as_secs()
            );
            Finding::warn("clock", found, REMEDY)
        }
        None => Finding::ok("clock", format!("says {shown}")),
    }
}

/// The day in the proleptic Gregorian calendar, UTC.
fn date(since_1970: Duration) -> String {
    let mut days = since_1970.as_secs() / 86_400;
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    // Bounded: a clock that is far off has been judged already, and only needs to look far off.
    while year < 9999 && days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while month < 11 && days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, days + 1)
}

/// Whether the time of day runs as fast as time does.
pub(super) fn steadiness() -> Finding {
    let (steady, wall) = (Instant::now(), SystemTime::now());
    std::thread::sleep(Duration::from_millis(WATCH_MS));
    let passed = steady.elapsed();
    // A clock that went backwards did not pass any time.
    judge_drift(passed, wall.elapsed().unwrap_or_default())
}

fn judge_drift(steady: Duration, wall: Duration) -> Finding {
    let drift = steady.abs_diff(wall);
    if drift > DRIFT_MAX {
        Finding::warn(
            "clock speed",
            format!("jumped by {} ms while it was watched", drift.as_millis()),
            REMEDY,
        )
    } else {
        Finding::ok("clock speed", "steady")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (4_102_444_800, "2100-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_clock_is_judged_by_the_calendar_and_by_the_files() {
        let now = EARLIEST + Duration::from_secs(1_000);
        let later = |seconds| Some(now + Duration::from_secs(seconds));
        for (now, newest, expected) in [
            (now, None, Verdict::Ok),
            (now, Some(EARLIEST), Verdict::Ok),
            (now, later(30), Verdict::Ok),
            (now, later(86_400), Verdict::Warn),
            (Duration::ZERO, None, Verdict::Fail),
            (LATEST + Duration::from_secs(1), None, Verdict::Fail),
        ] {
            assert_eq!(
                judge_time(now, newest).verdict,
                expected,
                "{now:?} {newest:?}"
            );
        }
    }

    #[test]
    fn the_newest_file_is_found() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(newest_file(place.path()), None);
        let path = place.path().join("old");
        let moment = UNIX_EPOCH + Duration::from_secs(5_000_000_000);
        std::fs::File::create(&path)
            .unwrap()
            .set_modified(moment)
            .unwrap();
        std::fs::write(place.path().join("new"), "").unwrap();
        assert_eq!(
            newest_file(place.path()),
            Some(Duration::from_secs(5_000_000_000))
        );
        assert_eq!(newest_file(Path::new("/nowhere")), None);
    }

    #[test]
    fn a_jump_is_seen_and_a_hiccup_is_not() {
        let watched = Duration::from_millis(WATCH_MS);
        assert_eq!(
            judge_drift(watched, watched + Duration::from_millis(3)).verdict,
            Verdict::Ok
        );
        assert_eq!(
            judge_drift(watched, Duration::from_secs(3_600)).verdict,
            Verdict::Warn
        );
        assert_eq!(judge_drift(watched, Duration::ZERO).verdict, Verdict::Warn);
    }
}
