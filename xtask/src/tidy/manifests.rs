//! Walls between packages that a manifest could open: who may depend on whom.

use serde_json::Value;

use super::{File, Finding};

/// A package and what its manifest may not name, in any kind of dependency.
struct Wall {
    manifest: &'static str,
    forbidden: &'static [&'static str],
    reason: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        manifest: "crates/core/Cargo.toml",
        forbidden: &[
            "chinwag-server",
            "tokio",
            "tokio-util",
            "futures-util",
            "axum",
            "hyper",
            "rusqlite",
            "redis",
            "reqwest",
            "rand",
            "getrandom",
            "rustix",
            "socket2",
        ],
        reason: "core is pure: it can neither await nor open nor draw",
    },
    Wall {
        manifest: "crates/sim/Cargo.toml",
        forbidden: &["chinwag-server", "tokio", "rand", "getrandom"],
        reason: "the simulator drives the core itself; all it does follows from its seed",
    },
    Wall {
        manifest: "crates/bench/Cargo.toml",
        forbidden: &["chinwag-server"],
        reason: "the load generator sees what a stranger sees",
    },
];

/// Has no dependencies at all, so that a product can take it in without a second thought.
const SDK_MANIFEST: &str = "sdk/package.json";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some(text) = &file.text else { continue };
        if let Some(wall) = WALLS.iter().find(|wall| wall.manifest == file.path) {
            findings.extend(check_wall(wall, text));
        }
        if file.path == SDK_MANIFEST {
            findings.extend(check_sdk(text));
        }
    }
    findings
}

fn check_wall(wall: &Wall, text: &str) -> Vec<Finding> {
    let manifest: toml::Table = match toml::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::new(wall.manifest, 0, error.to_string())],
    };
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = kinds
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table());
    let broken = tables
        .flat_map(toml::Table::keys)
        .filter(|name| wall.forbidden.contains(&name.as_str()));
    broken
        .map(|name| {
            Finding::new(
                wall.manifest,
                0,
                format!("may not depend on {name}: {}", wall.reason),
            )
        })
        .collect()
}

fn check_sdk(text: &str) -> Option<Finding> {
    let manifest: Value = match serde_json::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return Some(Finding::new(SDK_MANIFEST, 0, error.to_string())),
    };
    let dependencies = manifest["dependencies"].as_object()?;
    let name = dependencies.keys().next()?;
    Some(Finding::new(
        SDK_MANIFEST,
        0,
        format!("the SDK has no dependencies, but names {name}"),
    ))
}
