//! Size walls: what a user downloads before the first message, `gzip -9` of each file, summed.
//!
//! No exceptions and no averages: every file that the first load fetches counts, the service worker
//! included. What is loaded later on demand is shown and has no wall.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::project::Project;

/// Wall of the SDK's core entry, in bytes after `gzip -9`.
const SDK_CORE_BYTES_MAX: u64 = 10_000;

/// Wall of the page's first load, in bytes after `gzip -9` of each file.
const FIRST_LOAD_BYTES_MAX: u64 = 50 * 1024;

/// Fetched by the page itself rather than named in its HTML.
const SERVICE_WORKER: &str = "sw.js";

/// Measures both walls; needs both workspaces built.
pub(crate) fn run(project: &Project) -> Result<()> {
    let sdk = project.path("sdk/dist");
    let page = project.path("web/dist");
    let walls = [
        wall(
            "SDK core",
            &sdk,
            &BTreeSet::from(["index.js".to_owned()]),
            SDK_CORE_BYTES_MAX,
        )?,
        wall(
            "first load",
            &page,
            &first_load(&page)?,
            FIRST_LOAD_BYTES_MAX,
        )?,
    ];
    let broken: Vec<String> = walls.into_iter().flatten().collect();
    if broken.is_empty() {
        Ok(())
    } else {
        bail!("{}", broken.join("; "))
    }
}

/// Prints each file and what is left; returns a complaint when nothing is.
fn wall(
    name: &str,
    directory: &Path,
    files: &BTreeSet<String>,
    bytes_max: u64,
) -> Result<Option<String>> {
    println!("{name} (wall {bytes_max} bytes):");
    let mut sum = 0;
    for file in files {
        let path = directory.join(file);
        let contents = std::fs::read(&path)
            .with_context(|| format!("{} cannot be read: is it built?", path.display()))?;
        let bytes = gzip_bytes(&contents)?;
        println!("  {bytes:>7}  {file}");
        sum += bytes;
    }
    match bytes_max.checked_sub(sum) {
        Some(left) => {
            println!("  {sum:>7}  in all, {left} left");
            Ok(None)
        }
        None => {
            println!("  {sum:>7}  in all, TOO MUCH");
            Ok(Some(format!(
                "{name} is {sum} bytes, {} over its wall",
                sum - bytes_max
            )))
        }
    }
}

/// The length of `gzip -9 --no-name` of these bytes.
fn gzip_bytes(contents: &[u8]) -> Result<u64> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "--no-name", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("gzip could not be started")?;
    let mut input = gzip.stdin.take().context("gzip was started with a pipe")?;
    let output = std::thread::scope(|scope| {
        // A second thread, because gzip stops reading while nobody reads what it writes.
        let writer = scope.spawn(move || input.write_all(contents));
        let output = gzip.wait_with_output().context("gzip")?;
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("the thread feeding gzip panicked"))??;
        anyhow::Ok(output)
    })?;
    if !output.status.success() {
        bail!("gzip failed ({})", output.status);
    }
    Ok(output.stdout.len() as u64)
}

/// Every file that a browser fetches before the page stands, relative to the built page.
fn first_load(page: &Path) -> Result<BTreeSet<String>> {
    let html_path = page.join("index.html");
    let html = std::fs::read_to_string(&html_path)
        .with_context(|| format!("{} cannot be read: is the page built?", html_path.display()))?;
    let manifest_path = page.join(".vite/manifest.json");
    let manifest = std::fs::read_to_string(&manifest_path).with_context(|| {
        format!(
            "{} cannot be read: the page is built with a manifest",
            manifest_path.display()
        )
    })?;
    let manifest: Value = serde_json::from_str(&manifest)
        .with_context(|| format!("{} is not JSON", manifest_path.display()))?;

    let mut files = BTreeSet::from(["index.html".to_owned()]);
    files.extend(named_in_html(&html));
    files.extend(named_in_manifest(&manifest)?);
    if page.join(SERVICE_WORKER).is_file() {
        files.insert(SERVICE_WORKER.to_owned());
    }
    Ok(files)
}

/// Local files in `src` and `href` attributes: scripts, styles, icons, the web app manifest.
fn named_in_html(html: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for attribute in ["src=\"", "href=\""] {
        for (start, _) in html.match_indices(attribute) {
            let value = &html[start + attribute.len()..];
            let value = value.split('"').next().unwrap_or_default();
            let value = value.split(['?', '#']).next().unwrap_or_default();
            let is_local = !value.is_empty() && !value.contains(':') && !value.starts_with("//");
            if is_local {
                files.insert(
                    value
                        .trim_start_matches("./")
                        .trim_start_matches('/')
                        .to_owned(),
                );
            }
        }
    }
    files
}

/// The entries of Vite's manifest with all they import statically; dynamic imports come later.
fn named_in_manifest(manifest: &Value) -> Result<BTreeSet<String>> {
    let chunks = manifest
        .as_object()
        .context("Vite's manifest is an object")?;
    let is_entry = |chunk: &Value| chunk["isEntry"] == Value::Bool(true);
    let mut waiting: Vec<&str> = chunks
        .iter()
        .filter(|(_, chunk)| is_entry(chunk))
        .map(|(key, _)| key.as_str())
        .collect();
    if waiting.is_empty() {
        bail!("Vite's manifest has no entry");
    }
    let mut seen = BTreeSet::new();
    let mut files = BTreeSet::new();
    while let Some(key) = waiting.pop() {
        if !seen.insert(key) {
            continue;
        }
        let chunk = chunks
            .get(key)
            .with_context(|| format!("Vite's manifest lacks {key}"))?;
        files.extend(chunk["file"].as_str().map(str::to_owned));
        for list in ["css", "assets"] {
            files.extend(strings(&chunk[list]).map(str::to_owned));
        }
        waiting.extend(strings(&chunk["imports"]));
    }
    Ok(files)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &BTreeSet<String>) -> Vec<&str> {
        files.iter().map(String::as_str).collect()
    }

    #[test]
    fn html_names_its_local_files_once_and_no_foreign_ones() {
        let html = r##"<link rel="icon" href="/icon.svg"><script src="./a.js?v=1"></script>
            <link rel="manifest" href="app.webmanifest"><a href="https://example.org/x">x</a>
            <a href="#top">top</a><script src="/a.js"></script>"##;
        assert_eq!(
            names(&named_in_html(html)),
            ["a.js", "app.webmanifest", "icon.svg"]
        );
    }

    #[test]
    fn static_imports_count_and_dynamic_ones_do_not() {
        let manifest = serde_json::json!({
            "index.html": {
                "file": "a.js", "isEntry": true, "css": ["a.css"],
                "imports": ["_shared.js"], "dynamicImports": ["voice.ts"],
            },
            "_shared.js": { "file": "shared.js", "imports": ["index.html"] },
            "voice.ts": { "file": "voice.js", "isDynamicEntry": true },
        });
        let files = named_in_manifest(&manifest).unwrap();
        assert_eq!(names(&files), ["a.css", "a.js", "shared.js"]);
    }

    #[test]
    fn a_file_over_its_wall_is_a_complaint_and_one_under_it_is_none() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.js"), "a".repeat(4096)).unwrap();
        let files = BTreeSet::from(["a.js".to_owned()]);
        assert_eq!(wall("test", directory.path(), &files, 1000).unwrap(), None);
        let complaint = wall("test", directory.path(), &files, 10).unwrap().unwrap();
        assert!(complaint.contains("over its wall"), "{complaint}");
    }

    #[test]
    fn a_missing_build_is_an_error_with_a_hint() {
        let directory = tempfile::tempdir().unwrap();
        let error = first_load(directory.path()).unwrap_err().to_string();
        assert!(error.contains("is the page built?"), "{error}");
    }
}
