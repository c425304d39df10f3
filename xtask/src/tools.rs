//! What the tests need besides cargo: looked for, and installed where that is allowed.
//!
//! Installing means `npm ci` in this checkout, and Debian's `chromium` when running as root with
//! apt-get. Nothing else on the machine is changed, and what cannot be had is said aloud.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{command, output, run};
use crate::project::{NPM_WORKSPACES, Project, under_ci};

/// The oldest Node that the web toolchain runs on.
const NODE_MAJOR_MIN: u32 = 20;

/// A copy of the lock file that `node_modules` was installed from.
const NPM_STAMP: &str = "node_modules/.chinwag-lock";

/// A thing that a step cannot run without and that a machine may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Node and npm, with the workspaces' packages installed.
    Node,
    /// A Chromium that playwright-core can drive.
    Chromium,
}

/// The machine lacks something that is not ours to install: exit code 2.
#[derive(Debug)]
pub(crate) struct Absent(pub(crate) String);

impl std::fmt::Display for Absent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Absent {}

/// Finds or installs everything, and says which steps cannot run. Under CI that is a failure.
pub(crate) fn provide(project: &Project) -> Result<()> {
    basics(project)?;
    let mut absent = Vec::new();
    match node() {
        Ok(version) => {
            println!("node {version}");
            install_packages(project)?;
        }
        Err(why) => absent.push(format!("types, units, web, sizes, journeys: {why}")),
    }
    if chromium().is_none() {
        install_chromium(project);
    }
    match chromium() {
        Some(path) => println!("chromium {}", path.display()),
        None => absent.push(format!("journeys: {}", without_chromium())),
    }
    if absent.is_empty() {
        return Ok(());
    }
    println!("\n!!! These suites CANNOT RUN on this machine:");
    for line in &absent {
        println!("!!!   {line}");
    }
    if under_ci() {
        bail!("under CI nothing may be skipped: {}", absent.join("; "));
    }
    Ok(())
}

/// Whether a step's need is met now, installing nothing; the error is a reason to show.
pub(crate) fn look(project: &Project, need: Need) -> Result<(), String> {
    match need {
        Need::Node => {
            node()?;
            if packages_are_current(project) {
                Ok(())
            } else {
                Err("node_modules does not fit package-lock.json (cargo xtask tools)".to_owned())
            }
        }
        Need::Chromium => chromium().map(|_| ()).ok_or_else(without_chromium),
    }
}

/// The Chromium to drive: the one named by CHINWAG_CHROMIUM, or else the first on the PATH.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHINWAG_CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(on_path)
}

/// The first executable of this name on the PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

fn without_chromium() -> String {
    "no chromium (on Debian: apt-get install chromium; elsewhere set CHINWAG_CHROMIUM)".to_owned()
}

/// What every step relies on; a machine without it cannot run the tests at all.
fn basics(project: &Project) -> Result<()> {
    for component in ["fmt", "clippy"] {
        output(&mut command(
            project.root(),
            "cargo",
            &[component, "--version"],
        ))
        .with_context(|| {
            format!("cargo {component} is missing (rustup component add rustfmt clippy)")
        })?;
    }
    for (program, reason) in [
        ("git", "lists the files that tidy reads"),
        ("gzip", "measures the size walls"),
        ("cc", "builds the embedded SQLite and the power-loss shim"),
    ] {
        if on_path(program).is_none() {
            return Err(Absent(format!("`{program}` is not on the PATH; it {reason}")).into());
        }
    }
    Ok(())
}

fn node() -> Result<String, String> {
    if on_path("npm").is_none() {
        return Err("npm is not on the PATH".to_owned());
    }
    let version = output(Command::new("node").arg("--version"))
        .map_err(|error| format!("no usable Node: {error}"))?;
    let version = version.trim().trim_start_matches('v').to_owned();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_MAJOR_MIN) {
        Ok(version)
    } else {
        Err(format!("Node {version} is older than {NODE_MAJOR_MIN}"))
    }
}

/// Compares contents, not times: a checkout gives every file the time of the checkout.
fn packages_are_current(project: &Project) -> bool {
    let lock = std::fs::read(project.path("package-lock.json"));
    let stamp = std::fs::read(project.path(NPM_STAMP));
    matches!((lock, stamp), (Ok(lock), Ok(stamp)) if lock == stamp)
}

fn install_packages(project: &Project) -> Result<()> {
    let missing = NPM_WORKSPACES
        .iter()
        .find(|workspace| !project.path(workspace).join("package.json").is_file());
    if let Some(workspace) = missing {
        bail!("the npm workspace `{workspace}` has no package.json");
    }
    if packages_are_current(project) {
        println!("node_modules fits package-lock.json");
        return Ok(());
    }
    if !project.path("package-lock.json").is_file() {
        bail!("package-lock.json is missing: run `npm install` once and commit it");
    }
    run(&mut command(
        project.root(),
        "npm",
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    ))?;
    std::fs::copy(project.path("package-lock.json"), project.path(NPM_STAMP))
        .with_context(|| format!("writing {NPM_STAMP}"))?;
    Ok(())
}

/// Tries; what counts is whether a chromium is found afterwards.
fn install_chromium(project: &Project) {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0");
    if !root || on_path("apt-get").is_none() {
        println!("chromium is missing, and installing it needs root and apt-get");
        return;
    }
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    for arguments in [["update", "--quiet=2"].as_slice(), install.as_slice()] {
        let mut apt = command(project.root(), "apt-get", arguments);
        if let Err(error) = run(apt.env("DEBIAN_FRONTEND", "noninteractive")) {
            println!("{error:#}");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_or_not_at_all() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no-program-has-this-name"), None);
    }
}
