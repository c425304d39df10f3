//! The machine that a figure belongs to, and what processes take of it. Linux tells through /proc.
//!
//! What cannot be found out is left out of a report; it never fails a run.

use std::fmt::Write as _;
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

impl Machine {
    /// Adds what a reader of a figure needs to know, as lines of a Markdown list.
    pub(crate) fn write(&self, to: &mut String) -> std::fmt::Result {
        let unknown = || "unknown".to_owned();
        let commit = self.commit.clone().unwrap_or_else(unknown);
        let processor = self.processor.clone().unwrap_or_else(unknown);
        let load = self
            .load_before
            .map_or_else(unknown, |load| format!("{load:.1}"));
        writeln!(to, "- Date: {}; commit: {commit}", self.date)?;
        writeln!(
            to,
            "- Machine: {} processors, {processor}; load average before the run: {load}",
            self.processors,
        )
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

/// Files that all processes together may have open (`fs.file-max`).
pub(crate) fn files_of_the_system() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/fs/file-max").ok()?;
    text.trim().parse().ok()
}

/// Processor seconds, split as the kernel splits them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Cpu {
    /// In the program itself.
    pub(crate) user: f64,
    /// In the kernel on its behalf.
    pub(crate) system: f64,
}

impl Cpu {
    /// Both.
    pub(crate) fn total(self) -> f64 {
        self.user + self.system
    }
}

/// Processor seconds of both sides, so that one sees which of them was the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// Of the server; absent if it runs elsewhere.
    pub(crate) server: Option<Cpu>,
    /// Of the load generator.
    pub(crate) bench: Option<Cpu>,
}

impl Usage {
    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let between = |now: Option<Cpu>, then: Option<Cpu>| {
            let (now, then) = (now?, then?);
            Some(Cpu {
                user: now.user - then.user,
                system: now.system - then.system,
            })
        };
        Self {
            server: between(self.server, earlier.server),
            bench: between(self.bench, earlier.bench),
        }
    }
}

/// Whose processor time and memory is looked at: the server's, and our own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// The server's process; none if it runs elsewhere.
    pub(crate) server: Option<u32>,
}

impl Watched {
    /// Processor seconds taken so far.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            server: self.server.and_then(|id| cpu(&id.to_string())),
            bench: cpu("self"),
        }
    }

    /// Bytes of memory that the server holds (`VmRSS` of proc_pid_status(5)).
    pub(crate) fn server_memory(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.server?)).ok()?;
        kilobytes(&text, "VmRSS:").map(|kilobytes| kilobytes * 1024)
    }
}

/// Bytes of memory that the kernel holds in its own objects (`Slab` of proc_meminfo(5)): those of
/// sockets are among them.
pub(crate) fn kernel_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    kilobytes(&text, "Slab:").map(|kilobytes| kilobytes * 1024)
}

/// The number in the line of `name`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu(process: &str) -> Option<Cpu> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (user, system) = ticks(&stat)?;
    let second = rustix::param::clock_ticks_per_second() as f64;
    Some(Cpu {
        user: user as f64 / second,
        system: system as f64 / second,
    })
}

/// `utime` and `stime` of a line of proc_pid_stat(5). The name before them may hold anything.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user = times.next()?.parse().ok()?;
    let system = times.next()?.parse().ok()?;
    Some((user, system))
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
        assert_eq!(ticks(stat), Some((700, 80)));
        assert_eq!(ticks("12 (a) S 1"), None);
    }

    #[test]
    fn memory_is_found_by_its_name() {
        let text = "VmPeak:\t  900 kB\nVmRSS:\t   512 kB\n";
        assert_eq!(kilobytes(text, "VmRSS:"), Some(512));
        assert_eq!(kilobytes(text, "Slab:"), None);
    }

    #[test]
    fn usage_is_what_was_added() {
        let cpu = |user, system| Some(Cpu { user, system });
        let before = Usage {
            server: None,
            bench: cpu(1.0, 2.0),
        };
        let after = Usage {
            server: cpu(9.0, 9.0),
            bench: cpu(1.5, 4.0),
        };
        let added = after.since(before);
        assert_eq!((added.server, added.bench), (None, cpu(0.5, 2.0)));
    }
}
