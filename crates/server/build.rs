//! Builds the page and hands it to the server.
//!
//! - Feature `web` off: no page; npm is never called.
//! - `CHINWAG_WEB_DIST=DIR`: that directory is the page, as it is; npm is never called.
//! - Release, or `CHINWAG_WEB=build`: npm builds it, when its sources changed, and it is copied into `OUT_DIR`.
//! - Otherwise (debug): the server reads `web/dist` while it runs.
//!
//! In the source tree only `node_modules` and `web/dist` are written, both ignored by git. Builds
//! that share the tree wait for each other.

#![expect(
    clippy::print_stderr,
    reason = "a build script talks to cargo, and to the person, by printing"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the page is made of, from the root of the repository. Never `node_modules`: it changes by
/// being used.
const SOURCES: &[&str] = &[
    "package.json",
    "package-lock.json",
    "tsconfig.base.json",
    "web/package.json",
    "web/index.html",
    "web/src",
    "web/build",
    "web/public",
    "web/vite.config.ts",
    "web/tsconfig.json",
    "sdk/package.json",
    "sdk/src",
    "sdk/tsconfig.json",
];

const REMEDIES: &str = "A release build carries the page, and npm builds it. One of:
    - install Node.js 20 or later with npm, and build again
    - CHINWAG_WEB_DIST=DIR cargo build --release       takes a page that was built elsewhere
    - cargo build --release --no-default-features      builds a server without a page";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(page_embedded)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CHINWAG_WEB_DIST");
    println!("cargo::rerun-if-env-changed=CHINWAG_WEB");
    if let Err(reason) = prepare_page() {
        // A panic would bury the reason under a stack trace.
        eprintln!("\nThe page could not be built: {reason}\n\n{REMEDIES}\n");
        std::process::exit(1);
    }
}

fn prepare_page() -> Result<(), String> {
    if std::env::var_os("CARGO_FEATURE_WEB").is_none() {
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root
        .canonicalize()
        .map_err(|error| format!("{}: {error}", root.display()))?;
    if let Some(page) = std::env::var_os("CHINWAG_WEB_DIST").filter(|page| !page.is_empty()) {
        // Cargo runs this in the crate; the person typed the path at the root.
        let page = root.join(page);
        println!("cargo::rerun-if-changed={}", page.display());
        return embed(&page);
    }
    let wish = std::env::var("CHINWAG_WEB").unwrap_or_default();
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    match wish.as_str() {
        "build" => {}
        "" if is_release => {}
        "" => {
            // Not called CHINWAG_…: `cargo run` hands this on, and the server refuses settings that
            // it does not know.
            println!(
                "cargo::rustc-env=BUILT_PAGE_DIRECTORY={}",
                root.join("web/dist").display()
            );
            return Ok(());
        }
        other => {
            return Err(format!(
                "CHINWAG_WEB is \"{other}\"; it knows only \"build\""
            ));
        }
    }
    for source in SOURCES
        .iter()
        .map(|source| root.join(source))
        .filter(|source| source.exists())
    {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    if !root.join("web/package.json").exists() {
        return Err(format!(
            "{} has no web/package.json: the checkout is not whole",
            root.display()
        ));
    }
    let page = root.join("web/dist");
    let _alone = lock(&root)?;
    build(&root)?;
    embed(&page)
}

/// Holds every other build of this tree off until it is dropped. The lock is on the directory
/// itself, so that there is no file to leave behind, and nothing that `npm ci` could delete.
fn lock(root: &Path) -> Result<fs::File, String> {
    let web = root.join("web");
    let held = fs::File::open(&web).and_then(|directory| directory.lock().map(|()| directory));
    held.map_err(|error| format!("cannot lock {}: {error}", web.display()))
}

/// Installs what the lock file names, if that is not what is installed, and builds `web/dist`.
fn build(root: &Path) -> Result<(), String> {
    let wanted = root.join("package-lock.json");
    let installed = root.join("node_modules/.chinwag-lock");
    let wanted_text =
        fs::read(&wanted).map_err(|error| format!("cannot read {}: {error}", wanted.display()))?;
    if fs::read(&installed).ok().as_ref() != Some(&wanted_text) {
        npm(root, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
        fs::write(&installed, &wanted_text)
            .map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
    }
    npm(root, &["run", "build", "--workspace", "web"])
}

fn npm(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let typed = format!("npm {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "npm was not found".to_owned(),
            _ => format!("npm cannot be started: {error}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "`{typed}` failed ({}):\n\n{}",
        output.status,
        String::from_utf8_lossy(&said).trim_end()
    ))
}

/// Copies the page into `OUT_DIR`, and writes the table that the server includes.
fn embed(page: &Path) -> Result<(), String> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo named no OUT_DIR")?);
    let copy = out.join("page");
    let io = |error: std::io::Error| format!("{}: {error}", page.display());
    if copy.exists() {
        fs::remove_dir_all(&copy).map_err(io)?;
    }
    let mut files = BTreeMap::new();
    collect(page, "", &mut files).map_err(io)?;
    if !files.contains_key("index.html") {
        return Err(format!("{} has no index.html", page.display()));
    }
    let mut table = "pub(super) static FILES: &[(&str, &[u8])] = &[\n".to_owned();
    for (name, from) in &files {
        let to = copy.join(name);
        fs::create_dir_all(to.parent().unwrap_or(&copy)).map_err(io)?;
        fs::copy(from, &to).map_err(io)?;
        writeln!(table, "    ({name:?}, include_bytes!({to:?})),")
            .map_err(|error| error.to_string())?;
    }
    table.push_str("];\n");
    fs::write(out.join("page_files.rs"), table).map_err(io)?;
    println!("cargo::rustc-cfg=page_embedded");
    Ok(())
}

/// The files below a directory by their path, always with `/`. Hidden ones are not part of a page.
fn collect(
    directory: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| std::io::Error::other(format!("{name:?} is not UTF-8")))?;
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}
