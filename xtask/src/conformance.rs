//! `cargo xtask conformance`: Autobahn's WebSocket suite against the echo route.
//!
//! Not part of the test command, because the suite runs under Python 2.7 only, which a fresh
//! machine does not have; the server's own raw-frame tests cover the same ground there. The result
//! is compared with a committed baseline, so that a case which gets worse is seen.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{command, kill_tree, output, run as execute, run_within};
use crate::project::Project;
use crate::tools::{Absent, on_path};

/// The suite, as named and numbered on PyPI.
const SUITE: &str = "autobahntestsuite==25.10.1";

/// Framing, pings, reserved bits, opcodes, fragmentation, UTF-8, closing, large messages, and
/// compression. Of 13, the cases that want a window below 32 KiB of the server end as
/// "UNIMPLEMENTED": it declines such offers, so that one compressed frame fits everybody.
const CASES: &[&str] = &[
    "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.*", "13.*",
];

/// The committed result: case to behaviour.
const BASELINE: &str = "crates/server/tests/autobahn.json";

/// The name under which the suite reports on us.
const AGENT: &str = "chinwag";

/// How long the server may take until it has printed its address.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long the suite may take. The cases of compression, of a thousand messages each, are most of
/// it, and most of that is Python.
const SUITE_LIMIT: Duration = Duration::from_secs(90 * 60);

/// Behaviours from best to worst; what is not named here is worse than all of them.
const BEHAVIOURS: &[&str] = &["OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED"];

/// What the command line of `cargo xtask conformance` may say.
#[derive(Args)]
pub(crate) struct Options {
    /// Write the result as the new baseline instead of comparing with it
    #[arg(long)]
    bless: bool,
}

type Report = BTreeMap<String, String>;

/// Runs the suite and judges its report.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let python = python()?;
    let suite = project.target_dir().join("autobahn");
    install(&python, &suite)?;
    let build = [
        "build",
        "--package",
        "chinwag-server",
        "--features",
        "conformance",
    ];
    execute(&mut command(project.root(), "cargo", &build))?;

    let mut server = Server::start(project)?;
    let report = server
        .address()
        .and_then(|address| fuzz(&python, &suite, &address));
    server.stop()?;
    let report = report?;

    summarise(&report);
    let baseline = project.path(BASELINE);
    if options.bless {
        let text = serde_json::to_string_pretty(&report).context("writing the baseline")?;
        std::fs::write(&baseline, text + "\n").context(BASELINE)?;
        println!("wrote {BASELINE}");
        return complain(&failures(&report));
    }
    let text = std::fs::read_to_string(&baseline)
        .with_context(|| format!("{BASELINE} (--bless writes it)"))?;
    let expected: Report = serde_json::from_str(&text).context(BASELINE)?;
    let mut complaints = failures(&report);
    complaints.extend(worsened(&expected, &report));
    complain(&complaints)
}

/// Python 2.7 itself: a version manager's shim is refused, since it may lead anywhere.
fn python() -> Result<PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(home) = std::env::var_os("HOME") {
        let versions = PathBuf::from(home).join(".pyenv/versions");
        let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
        let named_2_7 = entries.filter(|e| e.file_name().to_string_lossy().starts_with("2.7"));
        candidates.extend(named_2_7.map(|entry| entry.path().join("bin/python2.7")));
    }
    candidates.extend(on_path("python2.7"));
    let works = |python: &PathBuf| {
        let check = "import sys; sys.exit(sys.version_info[:2] != (2, 7))";
        output(Command::new(python).args(["-c", check])).is_ok()
    };
    let found = candidates.into_iter().find(works);
    found.ok_or_else(|| {
        let why = "Autobahn's suite needs Python 2.7, and there is no python2.7 on the PATH or in \
                   ~/.pyenv/versions; the server's own raw-frame tests (cargo xtask test) cover \
                   the same ground without it";
        Absent(why.to_owned()).into()
    })
}

/// Installs the suite beside the build once; it takes about a minute.
fn install(python: &Path, suite: &Path) -> Result<()> {
    let stamp = suite.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == SUITE) {
        return Ok(());
    }
    let quiet = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
    ];
    execute(Command::new(python).args(quiet).arg(suite).arg(SUITE))
        .context("installing Autobahn's suite")?;
    // Installed by --target, the namespace package lacks the file that makes Python 2 see it.
    std::fs::write(suite.join("zope/__init__.py"), "").context("completing zope")?;
    std::fs::write(&stamp, SUITE).context("noting what is installed")
}

/// Plays all cases and reads the suite's index.
fn fuzz(python: &Path, suite: &Path, address: &str) -> Result<Report> {
    let directory = suite.join("run");
    std::fs::create_dir_all(&directory).context("the suite's directory")?;
    let results = directory.join("reports");
    if results.exists() {
        std::fs::remove_dir_all(&results).context("removing the last reports")?;
    }
    let url = format!("ws://{address}/echo");
    let specification = serde_json::json!({
        "outdir": results,
        "servers": [{ "agent": AGENT, "url": url }],
        "cases": CASES,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let specification_path = directory.join("specification.json");
    std::fs::write(&specification_path, specification.to_string()).context("the specification")?;
    let start = "from autobahntestsuite.wstest import run; run()";
    run_within(
        Command::new(python)
            .args(["-c", start, "--mode", "fuzzingclient", "--spec"])
            .arg(&specification_path)
            .current_dir(&directory)
            .env("PYTHONPATH", suite),
        SUITE_LIMIT,
    )?;
    let index = std::fs::read_to_string(results.join("index.json")).context("the suite's index")?;
    let index: Value = serde_json::from_str(&index).context("the suite's index")?;
    read_index(&index)
}

/// Case to behaviour; a case that went well but closed badly counts as what its closing was.
fn read_index(index: &Value) -> Result<Report> {
    let cases = index[AGENT]
        .as_object()
        .context("the suite's index names our agent")?;
    let mut report = Report::new();
    for (case, result) in cases {
        let field = |name: &str| {
            result[name]
                .as_str()
                .with_context(|| format!("case {case} has no {name}"))
        };
        let (behaviour, closing) = (field("behavior")?, field("behaviorClose")?);
        let worse = if rank(closing) > rank(behaviour) {
            closing
        } else {
            behaviour
        };
        report.insert(case.clone(), worse.to_owned());
    }
    if report.is_empty() {
        bail!("the suite ran no case at all");
    }
    Ok(report)
}

fn rank(behaviour: &str) -> usize {
    BEHAVIOURS
        .iter()
        .position(|known| *known == behaviour)
        .unwrap_or(BEHAVIOURS.len())
}

fn failures(report: &Report) -> Vec<String> {
    let failed = report
        .iter()
        .filter(|(_, behaviour)| rank(behaviour) == BEHAVIOURS.len());
    failed
        .map(|(case, behaviour)| format!("case {case}: {behaviour}"))
        .collect()
}

/// Cases that got worse than the baseline says, or did not run.
fn worsened(expected: &Report, report: &Report) -> Vec<String> {
    expected
        .iter()
        .filter_map(|(case, before)| match report.get(case) {
            None => Some(format!(
                "case {case}: {before} in the baseline, and did not run"
            )),
            Some(now) if rank(now) > rank(before) => {
                Some(format!("case {case}: {before} -> {now}"))
            }
            Some(_) => None,
        })
        .collect()
}

fn summarise(report: &Report) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for behaviour in report.values() {
        *counts.entry(behaviour).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("conformance: {} cases: {}", report.len(), counts.join(", "));
}

fn complain(complaints: &[String]) -> Result<()> {
    if complaints.is_empty() {
        println!("conformance: 0 failed");
        return Ok(());
    }
    complaints
        .iter()
        .for_each(|complaint| println!("{complaint}"));
    bail!("{} of the cases failed or got worse", complaints.len())
}

/// A running server with its data in a directory that is removed at the end.
struct Server {
    process: Child,
    data: TempDir,
}

impl Server {
    fn start(project: &Project) -> Result<Self> {
        let data = tempfile::tempdir().context("a directory for the server's data")?;
        let process = Command::new(project.program("chinwag"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the server")?;
        Ok(Self { process, data })
    }

    /// The `host:port` that the server prints; its later output is read and dropped, so that it
    /// never waits for a reader.
    fn address(&mut self) -> Result<String> {
        let stdout = self
            .process
            .stdout
            .take()
            .context("the server was started with a pipe")?;
        let (found, wait_for) = sync_channel(1);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    // Only the first is waited for; a full or closed channel is no loss.
                    let _not_the_first = found.try_send(address);
                }
            }
        });
        wait_for.recv_timeout(START_LIMIT).with_context(|| {
            format!(
                "the server printed no http://… address within {} s",
                START_LIMIT.as_secs()
            )
        })
    }

    fn stop(mut self) -> Result<()> {
        kill_tree(&mut self.process)?;
        self.data.close().context("removing the server's data")
    }
}

/// `127.0.0.1:PORT` out of a line that holds it as a link.
fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty()).then(|| format!("127.0.0.1:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cases: &[(&str, &str)]) -> Report {
        cases
            .iter()
            .map(|(case, behaviour)| ((*case).to_owned(), (*behaviour).to_owned()))
            .collect()
    }

    #[test]
    fn the_index_is_read_with_the_worse_of_behaviour_and_closing() {
        let index = serde_json::json!({ "chinwag": {
            "1.1": { "behavior": "OK", "behaviorClose": "OK" },
            "1.2": { "behavior": "OK", "behaviorClose": "FAILED" },
            "1.3": { "behavior": "NON-STRICT", "behaviorClose": "OK" },
        }});
        let expected = report(&[("1.1", "OK"), ("1.2", "FAILED"), ("1.3", "NON-STRICT")]);
        assert_eq!(read_index(&index).unwrap(), expected);
    }

    #[test]
    fn an_index_without_cases_is_an_error_and_no_success() {
        assert!(read_index(&serde_json::json!({ "chinwag": {} })).is_err());
        assert!(read_index(&serde_json::json!({})).is_err());
    }

    #[test]
    fn unknown_behaviours_are_failures() {
        let report = report(&[
            ("1", "OK"),
            ("2", "FAILED"),
            ("3", "WRONG CODE"),
            ("4", "NON-STRICT"),
        ]);
        assert_eq!(failures(&report), ["case 2: FAILED", "case 3: WRONG CODE"]);
    }

    #[test]
    fn what_got_worse_or_vanished_is_named() {
        let before = report(&[("1", "OK"), ("2", "OK"), ("3", "NON-STRICT"), ("4", "OK")]);
        let now = report(&[("1", "OK"), ("2", "NON-STRICT"), ("3", "OK")]);
        assert_eq!(
            worsened(&before, &now),
            [
                "case 2: OK -> NON-STRICT",
                "case 4: OK in the baseline, and did not run"
            ]
        );
    }

    #[test]
    fn the_address_is_found_in_what_the_server_prints() {
        let line = "Chinwag is ready: http://127.0.0.1:40123/ (data in ./data)";
        assert_eq!(address_in(line).unwrap(), "127.0.0.1:40123");
        assert_eq!(address_in("listening"), None);
    }
}
