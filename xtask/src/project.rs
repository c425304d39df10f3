//! Where things lie in the repository. Knows paths and names, runs nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Files that a test writes whole. The stale check compares them; length and style rules skip them.
pub(crate) const GENERATED: &[&str] = &["sdk/src/wire.ts", "chinwag.example.toml"];

/// Documents in which a test rewrites a table between markers. The stale check compares them, too.
pub(crate) const GENERATED_IN_PART: &[&str] = &["docs/protocol.md", "docs/operating.md"];

/// The npm workspaces, in the order in which they depend on each other.
pub(crate) const NPM_WORKSPACES: &[&str] = &["sdk", "web", "e2e"];

/// A checkout of the repository.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout this program was started in by cargo, or else the one it was built from.
    pub(crate) fn find() -> Result<Self> {
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir
            .parent()
            .context("xtask lies inside the workspace")?;
        Ok(Self {
            root: root.to_path_buf(),
        })
    }

    /// The root of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path given relative to the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's target directory, wherever the environment put it.
    pub(crate) fn target_dir(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || self.root.join("target"),
            |directory| self.root.join(directory),
        )
    }

    /// A program of this workspace as built for the tests (profile dev).
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target_dir().join("debug").join(name)
    }
}

/// Whether this run decides about a merge: then nothing may be skipped.
pub(crate) fn under_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
