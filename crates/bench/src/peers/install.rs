//! Installs the peers that run on Node, with the versions of their lock file.
//!
//! Their sources are part of this program, so that one that was given to somebody else can do the
//! same; they go into a directory beside it, never into the repository, and stay for the next run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::terminal::progress;

/// What is written: each file with its place.
const FILES: &[(&str, &str)] = &[
    ("package.json", include_str!("../../peers/package.json")),
    (LOCK, include_str!("../../peers/package-lock.json")),
    (
        "socketio/server.mjs",
        include_str!("../../peers/socketio/server.mjs"),
    ),
    ("ws/server.mjs", include_str!("../../peers/ws/server.mjs")),
];
const LOCK: &str = "package-lock.json";
/// A copy of the lock file that was installed from.
const INSTALLED: &str = "installed-from.json";

/// The directory of the installed peers, and the version of Node that they run on.
pub(crate) struct Installed {
    pub(crate) directory: PathBuf,
    pub(crate) node: String,
}

/// Installs them, unless they are.
///
/// # Errors
/// No Node, or npm fails; what it said is part of the error.
pub(crate) fn install() -> anyhow::Result<Installed> {
    let node = Command::new("node")
        .arg("--version")
        .output()
        .context("Node is not installed: `node` cannot be started")?;
    let node = String::from_utf8_lossy(&node.stdout).trim().to_owned();
    let directory = std::env::current_exe()?.with_file_name("chinwag-bench-peers");
    for (name, content) in FILES {
        let path = directory.join(name);
        let parent = path.parent().context("a file lies in a directory")?;
        std::fs::create_dir_all(parent)?;
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let locked = std::fs::read(directory.join(LOCK))?;
    // Not there: not installed.
    let installed = std::fs::read(directory.join(INSTALLED)).unwrap_or_default();
    if installed != locked {
        progress("installing the peers that run on Node: npm ci");
        let output = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&directory)
            .output()
            .context("`npm` cannot be started")?;
        ensure!(
            output.status.success(),
            "npm ci failed in {}: {}",
            directory.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::write(directory.join(INSTALLED), locked)?;
    }
    Ok(Installed { directory, node })
}

/// The locked version of a package.
pub(crate) fn version(package: &str) -> Option<String> {
    let (_, lock) = FILES.iter().find(|(name, _)| *name == LOCK)?;
    let lock: serde_json::Value = serde_json::from_str(lock).ok()?;
    let version = &lock["packages"][format!("node_modules/{package}")]["version"];
    Some(version.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_lock_file() {
        for package in ["socket.io", "ws", "better-sqlite3", "jsonwebtoken"] {
            let version = version(package).unwrap();
            let parts = version.split('.').map(str::parse::<u32>);
            assert_eq!(
                parts.filter_map(Result::ok).count(),
                3,
                "{package} {version}"
            );
        }
        assert_eq!(version("no-such-package"), None);
    }
}
