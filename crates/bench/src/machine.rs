//! The machine that a figure belongs to, and what processes take of it. Linux tells through /proc.
//!
//! What cannot be found out is left out of a report; it never fails a run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

/// `f_type` of a file system in memory (statfs(2)).
const TMPFS: i64 = 0x0102_1994;

/// Where and when a figure was taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// The day, in UTC, as 2026-01-31.
    pub(crate) date: String,
    /// The commit of the working directory.
    pub(crate) commit: Option<String>,
    /// What the processor calls itself.
    pub(crate) processor: Option<String>,
    /// Processors that this process may use.
    pub(crate) processors: usize,
    /// Processes that wanted a processor, averaged over the minute before the run.
    pub(crate) load_before: Option<f64>,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Self {
        Self {
            date: today(),
            commit: commit(),
            processor: processor(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            load_before: load(),
        }
    }
}

/// Processes that wanted a processor, averaged over the last minute.
fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    // A figure that is being published changes its own document: that is no other code.
    let other_code = changed.lines().any(|line| !line.ends_with(".md"));
    Some(if other_code {
        format!("{commit} and uncommitted changes")
    } else {
        commit
    })
}

fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    date(since.map_or(0, |since| since.as_secs() / 86_400))
}

/// The date that lies so many days after 1970-01-01, counted forward: a report is made once.
fn date(mut days: u64) -> String {
    let mut year = 1970;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

/// Whether a directory lies in memory, where a sync costs nothing and proves nothing.
pub(crate) fn is_in_memory(directory: &Path) -> bool {
    rustix::fs::statfs(directory).is_ok_and(|found| found.f_type == TMPFS)
}

/// Raises the limit of open files as far as the system lets us, and says how far that is.
pub(crate) fn raise_file_limit() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: maximum,
        maximum,
    };
    // Refused: what is there may be enough, and is looked at next.
    let _refused = setrlimit(Resource::Nofile, wanted);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Processor seconds that a process has taken so far; `self` is this one.
pub(crate) fn cpu_seconds(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(ticks(&stat)? as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// `utime` and `stime` of a line of proc_pid_stat(5). The name before them may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 80 0 0 20 0";
        assert_eq!(ticks(stat), Some(780));
        assert_eq!(ticks("12 (a) S 1"), None);
    }
}
