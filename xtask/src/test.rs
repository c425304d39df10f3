//! `cargo xtask test`: the steps, in order, with one table at the end.
//!
//! Only says which steps there are and reports on them; what a step does is in its own file. All
//! steps that need a program of ours use the one built by [`build`], in the dev profile with the
//! features of the whole workspace, so that nothing is compiled twice.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::command::{command, output, run as execute};
use crate::project::{GENERATED, GENERATED_IN_PART, Project, under_ci};
use crate::tools::{self, Need};
use crate::{deny, sizes, tidy, workspaces};

/// Histories that the simulator plays in the test run.
const SIMULATOR_SEEDS: &str = "200";

/// What the command line of `cargo xtask test` may say.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only this step (may be given several times)
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps and end
    #[arg(long)]
    list: bool,
}

/// One line of the table.
struct Step {
    name: &'static str,
    purpose: &'static str,
    needs: &'static [Need],
    run: fn(&Project) -> Result<()>,
}

const STEPS: &[Step] = &[
    step(
        "tools",
        "find or install what the other steps need",
        &[],
        tools::provide,
    ),
    step("fmt", "Rust is formatted", &[], format),
    step(
        "clippy",
        "no lint fires, with and without test-only features",
        &[],
        clippy,
    ),
    step("tidy", "layers, lengths, text, links", &[], tidy::run),
    step(
        "deny",
        "licences, banned crates and sources of dependencies",
        &[],
        deny::run,
    ),
    step(
        "rust",
        "all Rust tests, crash and power loss included",
        &[],
        rust_tests,
    ),
    step("sim", "seeded histories against the oracle", &[], simulator),
    step(
        "types",
        "TypeScript type check of all workspaces",
        &[Need::Node],
        workspaces::types,
    ),
    step(
        "units",
        "Vitest in all workspaces",
        &[Need::Node],
        workspaces::unit_tests,
    ),
    step(
        "web",
        "build of SDK and page",
        &[Need::Node],
        workspaces::build,
    ),
    step(
        "sizes",
        "size walls of SDK and page",
        &[Need::Node],
        sizes::run,
    ),
    step(
        "stale",
        "generated files are what the code generates",
        &[],
        stale,
    ),
    step(
        "journeys",
        "two people in a browser",
        &[Need::Node, Need::Chromium],
        journeys,
    ),
];

const fn step(
    name: &'static str,
    purpose: &'static str,
    needs: &'static [Need],
    run: fn(&Project) -> Result<()>,
) -> Step {
    Step {
        name,
        purpose,
        needs,
        run,
    }
}

enum Outcome {
    Passed,
    /// The machine lacks something; never under CI.
    Skipped(String),
    Failed(anyhow::Error),
}

struct Line {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Runs the steps asked for, stops at the first failure, and prints the table in any case.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    if options.list {
        for step in STEPS {
            println!("{:<9} {}", step.name, step.purpose);
        }
        return Ok(());
    }
    let chosen = choose(&options.only)?;
    let mut lines = Vec::new();
    for step in chosen {
        println!("\n=== {}: {}", step.name, step.purpose);
        let started = Instant::now();
        let outcome = run_step(project, step);
        let took = started.elapsed();
        println!(
            "=== {}: {} in {:.1} s",
            step.name,
            word(&outcome),
            took.as_secs_f64()
        );
        let stop = matches!(outcome, Outcome::Failed(_));
        lines.push(Line {
            name: step.name,
            outcome,
            took,
        });
        if stop {
            break;
        }
    }
    print!("{}", table(&lines));
    conclude(lines, options.only.is_empty())
}

fn choose(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!(
            "there is no step `{unknown}`; the steps are {}",
            known.join(", ")
        );
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

fn run_step(project: &Project, step: &Step) -> Outcome {
    for need in step.needs {
        if let Err(why) = tools::look(project, *need) {
            return if under_ci() {
                Outcome::Failed(anyhow::anyhow!("{why}; under CI nothing may be skipped"))
            } else {
                Outcome::Skipped(why)
            };
        }
    }
    (step.run)(project).map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Skipped(_) => "SKIPPED",
        Outcome::Failed(_) => "FAILED",
    }
}

fn table(lines: &[Line]) -> String {
    let mut text = format!("\n{:<9} {:<8} {:>8}\n", "step", "result", "seconds");
    for line in lines {
        let seconds = line.took.as_secs_f64();
        text.push_str(&format!(
            "{:<9} {:<8} {seconds:>8.1}",
            line.name,
            word(&line.outcome)
        ));
        if let Outcome::Skipped(why) = &line.outcome {
            text.push_str(&format!("  {why}"));
        }
        text.push('\n');
    }
    let sum: Duration = lines.iter().map(|line| line.took).sum();
    text.push_str(&format!(
        "{:<9} {:<8} {:>8.1}\n",
        "all",
        "",
        sum.as_secs_f64()
    ));
    text
}

/// The last line says in words what the table means.
fn conclude(lines: Vec<Line>, complete: bool) -> Result<()> {
    let mut passed = 0_usize;
    let mut skipped = Vec::new();
    for line in lines {
        match line.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(_) => skipped.push(line.name),
            Outcome::Failed(error) => {
                return Err(error.context(format!("step `{}` failed", line.name)));
            }
        }
    }
    if !skipped.is_empty() {
        println!(
            "test: {passed} steps passed, NOT RUN: {}",
            skipped.join(", ")
        );
    } else if complete {
        println!("test: all {passed} steps passed");
    } else {
        println!("test: {passed} chosen steps passed");
    }
    Ok(())
}

fn cargo(project: &Project, arguments: &[&str]) -> Command {
    command(project.root(), "cargo", arguments)
}

/// `--locked` where a merge is decided; elsewhere a changed manifest may update the lock file.
fn locked() -> &'static [&'static str] {
    if under_ci() { &["--locked"] } else { &[] }
}

fn format(project: &Project) -> Result<()> {
    execute(&mut cargo(project, &["fmt", "--all", "--check"]))
}

fn clippy(project: &Project) -> Result<()> {
    // Code behind a feature is linted as well; the dependencies' metadata is shared.
    let targets = ["clippy", "--all-targets"];
    let product = [EVERYTHING, TEST_FEATURES].concat();
    for selection in [EVERYTHING, &product, CHORES] {
        let mut clippy = cargo(project, &targets);
        clippy.args(selection).args(locked());
        execute(clippy.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// All packages but this one, in one selection: one set of features, and nothing compiled twice.
const EVERYTHING: &[&str] = &["--workspace", "--exclude", "xtask"];

/// What the programs under test have compiled in, asleep: the planted mistakes that the crash and
/// power-loss tests wake, and the echo route of the conformance suite.
const TEST_FEATURES: &[&str] = &[
    "--features",
    "chinwag-server/conformance,chinwag-server/mutants",
];

/// This package by itself, as `cargo xtask` has just built it.
const CHORES: &[&str] = &["--package", "xtask"];

/// Builds every program and test once. Later steps find this up to date and start the programs
/// themselves: `cargo run -p` would select other features and compile the core again.
fn build(project: &Project) -> Result<()> {
    let mut build = cargo(project, &["build", "--all-targets"]);
    execute(build.args(EVERYTHING).args(TEST_FEATURES).args(locked()))
}

fn rust_tests(project: &Project) -> Result<()> {
    build(project)?;
    for selection in [&[EVERYTHING, TEST_FEATURES].concat(), CHORES] {
        execute(cargo(project, &["test"]).args(selection).args(locked()))?;
    }
    Ok(())
}

fn simulator(project: &Project) -> Result<()> {
    build(project)?;
    let program = project.program("chinwag-sim");
    let program = program
        .to_str()
        .context("the target directory has a name in UTF-8")?;
    execute(&mut command(
        project.root(),
        program,
        &["--seeds", SIMULATOR_SEEDS],
    ))
}

/// Fails when a test has just rewritten a generated file, or nobody has committed one.
fn stale(project: &Project) -> Result<()> {
    let absent = GENERATED.iter().find(|path| !project.path(path).is_file());
    if let Some(path) = absent {
        bail!("{path} is missing: run `cargo xtask test --only rust`, which writes it");
    }
    let files: Vec<&str> = GENERATED.iter().chain(GENERATED_IN_PART).copied().collect();
    let untracked =
        output(command(project.root(), "git", &["ls-files", "--others", "--"]).args(&files))?;
    if !untracked.trim().is_empty() {
        bail!(
            "generated, but not in git: {}",
            untracked.split_whitespace().collect::<Vec<_>>().join(", ")
        );
    }
    execute(
        command(
            project.root(),
            "git",
            &["--no-pager", "diff", "--exit-code", "--"],
        )
        .args(&files),
    )
    .context("a generated file has changed: look at the difference, then `git add` it")
}

fn journeys(project: &Project) -> Result<()> {
    build(project)?;
    let mut journeys = workspaces::script(project, "e2e", "test")?;
    if let Some(chromium) = tools::chromium() {
        journeys.env("CHINWAG_CHROMIUM", chromium);
    }
    execute(journeys.env("CHINWAG_BIN", project.program("chinwag")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, outcome: Outcome) -> Line {
        Line {
            name,
            outcome,
            took: Duration::from_millis(1500),
        }
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let error = choose(&["tydi".to_owned()]).err().unwrap().to_string();
        assert!(
            error.contains("`tydi`") && error.contains("tidy"),
            "{error}"
        );
    }

    #[test]
    fn chosen_steps_keep_the_order_of_the_table() {
        let chosen = choose(&["tidy".to_owned(), "fmt".to_owned()]).unwrap();
        assert_eq!(
            chosen.iter().map(|step| step.name).collect::<Vec<_>>(),
            ["fmt", "tidy"]
        );
    }

    #[test]
    fn a_skipped_step_shows_its_reason_in_the_table() {
        let lines = [
            line("fmt", Outcome::Passed),
            line("web", Outcome::Skipped("no npm".into())),
        ];
        assert_eq!(
            table(&lines),
            "\nstep      result    seconds\n\
             fmt       passed        1.5\n\
             web       SKIPPED       1.5  no npm\n\
             all                     3.0\n"
        );
    }

    #[test]
    fn a_failed_step_fails_the_run_and_is_named() {
        let lines = vec![line(
            "tidy",
            Outcome::Failed(anyhow::anyhow!("two findings")),
        )];
        let error = conclude(lines, true).unwrap_err();
        assert_eq!(format!("{error:#}"), "step `tidy` failed: two findings");
    }
}
