//! The npm workspaces: type check, unit tests and builds, each failing with words when a workspace
//! lacks what the chores rely on.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::{command, run};
use crate::project::{NPM_WORKSPACES, Project};

/// Workspaces whose unit tests run under Vitest; the journeys have a runner of their own.
const TESTED: &[&str] = &["sdk", "web"];

/// Held in every workspace, whatever its own tsconfig.json says; tsconfig.base.json has them, too.
const STRICT: &[&str] = &[
    "--strict",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
];

/// Type-checks every workspace. The SDK is built first, because the others import what it emits.
pub(crate) fn types(project: &Project) -> Result<()> {
    run(&mut script(project, "sdk", "build")?)?;
    for workspace in NPM_WORKSPACES {
        let config = format!("{workspace}/tsconfig.json");
        if !project.path(&config).is_file() {
            bail!("{config} is missing: every workspace is type-checked");
        }
        let check = ["tsc", "--noEmit", "--project", workspace];
        run(npx(project, &check).args(STRICT))?;
    }
    Ok(())
}

/// Runs the unit tests.
pub(crate) fn unit_tests(project: &Project) -> Result<()> {
    for workspace in TESTED {
        run(&mut npx(project, &["vitest", "run", "--root", workspace]))?;
    }
    Ok(())
}

/// Builds the SDK for measuring and the page for the server.
pub(crate) fn build(project: &Project) -> Result<()> {
    for workspace in ["sdk", "web"] {
        run(&mut script(project, workspace, "build")?)?;
    }
    Ok(())
}

/// `npm run SCRIPT --workspace WORKSPACE`, or a clear error when the workspace has no such script.
pub(crate) fn script(project: &Project, workspace: &str, script: &str) -> Result<Command> {
    let manifest = format!("{workspace}/package.json");
    let text = std::fs::read_to_string(project.path(&manifest))
        .with_context(|| format!("{manifest} cannot be read"))?;
    let manifest_json: Value =
        serde_json::from_str(&text).with_context(|| format!("{manifest} is not JSON"))?;
    if !manifest_json["scripts"][script].is_string() {
        bail!("{manifest} has no script `{script}`, which the tests call");
    }
    Ok(command(
        project.root(),
        "npm",
        &["run", "--silent", script, "--workspace", workspace],
    ))
}

/// A program of the installed packages; never one fetched in passing.
fn npx(project: &Project, arguments: &[&str]) -> Command {
    let mut npx = command(project.root(), "npx", &["--no-install"]);
    npx.args(arguments);
    npx
}
