//! Examines the machine before it carries somebody's conversations: each finding with what it means
//! and a remedy.
//!
//! It changes nothing but a few small files of its own in the data directory, which it removes, and
//! the directory itself where it is missing. It may run beside a live server.

mod clock;
mod disk;
mod machine;

use std::fmt::Write;

use serde::Serialize;

use crate::config::Config;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not as well, or not for long.
    Warn,
    /// The server would not start, or would not keep its promises.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty when there is nothing to do.
    pub remedy: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            remedy: String::new(),
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Warn,
            found: found.into(),
            remedy: remedy.into(),
        }
    }

    fn fail(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Fail,
            found: found.into(),
            remedy: remedy.into(),
        }
    }
}

/// Everything that was looked at, in the order of the checks.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of the program that looked.
    pub version: &'static str,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// Looks at everything. Takes about as long as a hundred fsyncs.
#[must_use]
pub fn examine(config: &Config) -> Report {
    let mut findings = vec![machine::file_limit(crate::startup::file_limit())];
    let directory = disk::directory(&config.data);
    let is_writable = directory.verdict != Verdict::Fail;
    findings.push(directory);
    if is_writable {
        findings.push(disk::free_space(&config.data));
        findings.push(disk::sync_speed(&config.data));
    }
    findings.push(machine::port("port", config.listen, "--listen"));
    let metrics = config.metrics.map(|metrics| {
        let option = "--set metrics=ADDRESS:PORT";
        machine::port("metrics port", metrics, option)
    });
    findings.extend(metrics);
    findings.push(clock::wall_clock(&config.data));
    findings.push(clock::steadiness());
    findings.push(machine::sqlite_built_in());
    Report {
        version: env!("CARGO_PKG_VERSION"),
        findings,
    }
}

impl Report {
    /// Whether anything failed; warnings are no failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.verdict == Verdict::Fail)
    }

    /// The report for eyes: a line per finding, its remedy below it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for Finding {
            check,
            verdict,
            found,
            remedy,
        } in &self.findings
        {
            let verdict = match verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            writeln!(text, "{verdict}  {check:<14} {found}").expect("a String takes every text");
            if !remedy.is_empty() {
                writeln!(text, "{:21}→ {remedy}", "").expect("a String takes every text");
            }
        }
        let count = |verdict| {
            self.findings
                .iter()
                .filter(|finding| finding.verdict == verdict)
                .count()
        };
        let (warnings, failures) = (count(Verdict::Warn), count(Verdict::Fail));
        writeln!(
            text,
            "\n{} checks, {warnings} warnings, {failures} failures",
            self.findings.len()
        )
        .expect("a String takes every text");
        text
    }

    /// The report for machines: one JSON object on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain texts can be written as JSON") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn config(data: PathBuf) -> Config {
        Config {
            data,
            listen: "127.0.0.1:0".parse().unwrap(),
            ..Config::default()
        }
    }

    fn verdict(report: &Report, check: &str) -> Option<Verdict> {
        report
            .findings
            .iter()
            .find(|finding| finding.check == check)
            .map(|finding| finding.verdict)
    }

    #[test]
    fn a_healthy_machine_fails_nothing_and_nothing_is_left_behind() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        let report = examine(&config(data.clone()));
        assert!(!report.has_failed(), "{}", report.to_text());
        assert_eq!(report.findings.len(), 8, "{}", report.to_text());
        assert!(
            !data.exists() || std::fs::read_dir(&data).unwrap().count() == 0,
            "the probes are removed"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_directory_that_cannot_be_written_fails_with_a_remedy() {
        // Not even the administrator can create a file here, so the test is as true for one.
        let report = examine(&config(PathBuf::from("/proc/self")));
        assert_eq!(verdict(&report, "data directory"), Some(Verdict::Fail));
        assert_eq!(
            verdict(&report, "disk sync"),
            None,
            "what cannot be measured is not reported"
        );
        assert!(report.has_failed());
        assert!(
            report.to_text().contains("--data DIR"),
            "{}",
            report.to_text()
        );
    }

    #[test]
    fn both_shapes_say_the_same() {
        let findings = vec![
            Finding::ok("clock", "fine"),
            Finding::warn("disk sync", "slow", "buy another"),
        ];
        let report = Report {
            version: "0",
            findings,
        };
        assert!(report.to_text().contains("warn  disk sync"));
        assert!(report.to_text().contains("→ buy another"));
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["findings"][1]["verdict"], "warn");
        assert_eq!(json["findings"][1]["remedy"], "buy another");
        assert!(!report.has_failed(), "a warning is no failure");
    }
}
