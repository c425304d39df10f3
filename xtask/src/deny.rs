//! Licences, banned crates and sources of everything we link, checked from `cargo metadata`.
//!
//! cargo-deny is the better tool and runs as well when it is installed, but a fresh machine would
//! compile it for five minutes; so this reads the same deny.toml and enforces the part of it
//! without which a release would be wrong. Advisories need a database from the network: cargo-deny.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::command::{command, output, run as execute};
use crate::project::{Project, under_ci};
use crate::tools;

#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

/// More licences for one crate.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
    allow_git: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Absent for a crate of this workspace.
    source: Option<String>,
}

/// Checks every package that any of our targets links.
pub(crate) fn run(project: &Project) -> Result<()> {
    let text = std::fs::read_to_string(project.path("deny.toml")).context("deny.toml")?;
    let rules: Rules = toml::from_str(&text).context("deny.toml")?;
    let mut findings = BTreeSet::new();
    for target in &rules.graph.targets {
        let packages = packages(project, target)?;
        println!("{target}: {} packages", packages.len());
        findings.extend(packages.iter().flat_map(|package| rules.judge(package)));
    }
    if tools::on_path("cargo-deny").is_some() {
        let checks = ["deny", "check", "bans", "licenses", "sources"];
        execute(&mut command(project.root(), "cargo", &checks))?;
    } else {
        println!("cargo-deny is not installed: only our own check of deny.toml ran");
    }
    if findings.is_empty() {
        return Ok(());
    }
    findings.iter().for_each(|finding| println!("{finding}"));
    bail!("{} findings against deny.toml", findings.len())
}

fn packages(project: &Project, target: &str) -> Result<Vec<Package>> {
    let arguments = [
        "metadata",
        "--format-version=1",
        "--all-features",
        "--filter-platform",
        target,
    ];
    let mut cargo = command(project.root(), "cargo", &arguments);
    if under_ci() {
        cargo.arg("--locked");
    }
    let metadata: Metadata =
        serde_json::from_str(&output(&mut cargo)?).context("reading cargo metadata")?;
    Ok(metadata.packages)
}

impl Rules {
    fn judge(&self, package: &Package) -> Vec<String> {
        let mut findings = Vec::new();
        let label = format!("{} {}", package.name, package.version);
        if let Some(ban) = self.bans.deny.iter().find(|ban| ban.name == package.name) {
            findings.push(format!("{label} is banned: {}", ban.reason));
        }
        if let Some(source) = &package.source
            && !self.sources.allows(source)
        {
            findings.push(format!("{label} comes from {source}, which is not allowed"));
        }
        match &package.license {
            None => findings.push(format!("{label} names no licence")),
            Some(expression) => match satisfied(expression, &|name| self.allows(package, name)) {
                Ok(true) => {}
                Ok(false) => findings.push(format!("{label} is under {expression}: not allowed")),
                Err(why) => findings.push(format!("{label} is under {expression:?}: {why}")),
            },
        }
        findings
    }

    fn allows(&self, package: &Package, license: &str) -> bool {
        let own = self
            .licenses
            .exceptions
            .iter()
            .filter(|exception| exception.name == package.name);
        self.licenses.allow.contains(license)
            || own
                .into_iter()
                .any(|exception| exception.allow.contains(license))
    }
}

impl Sources {
    /// Sources read `registry+URL` or `git+URL?…#commit`.
    fn allows(&self, source: &str) -> bool {
        let registry = source.strip_prefix("registry+");
        let git = source
            .strip_prefix("git+")
            .and_then(|url| url.split(['?', '#']).next());
        registry.is_some_and(|url| self.allow_registry.iter().any(|allowed| allowed == url))
            || git.is_some_and(|url| self.allow_git.iter().any(|allowed| allowed == url))
    }
}

/// Whether an SPDX licence expression can be satisfied with allowed licences only.
///
/// `AND` binds closer than `OR`; `WITH` belongs to the licence's name; the old `/` means `OR`.
fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    words.reverse();
    let value = any_of(&mut words, allowed)?;
    if let Some(word) = words.pop() {
        bail!("`{word}` is not expected there");
    }
    Ok(value)
}

fn any_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let mut value = all_of(words, allowed)?;
    while words.pop_if(|word| *word == "OR").is_some() {
        value |= all_of(words, allowed)?;
    }
    Ok(value)
}

fn all_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let mut value = one(words, allowed)?;
    while words.pop_if(|word| *word == "AND").is_some() {
        value &= one(words, allowed)?;
    }
    Ok(value)
}

fn one(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let word = words.pop().context("the expression ends too early")?;
    if word == "(" {
        let value = any_of(words, allowed)?;
        words
            .pop_if(|word| *word == ")")
            .context("a `)` is missing")?;
        return Ok(value);
    }
    if ["AND", "OR", "WITH", ")"].contains(&word) {
        bail!("`{word}` is not expected there");
    }
    if words.pop_if(|word| *word == "WITH").is_some() {
        let exception = words.pop().context("nothing follows `WITH`")?;
        return Ok(allowed(&format!("{word} WITH {exception}")));
    }
    Ok(allowed(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only MIT, Zlib and one `WITH` form are allowed.
    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let allowed =
            |name: &str| ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].contains(&name);
        let found = match satisfied(expression, &allowed) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn licence_expressions() {
        check("MIT", "true");
        check("GPL-3.0", "false");
        check("GPL-3.0 OR MIT", "true");
        check("GPL-3.0/MIT", "true");
        check("GPL-3.0 AND MIT", "false");
        check("(GPL-3.0 OR MIT) AND Zlib", "true");
        check("GPL-3.0 OR MIT AND Zlib", "true");
        check("Zlib AND GPL-3.0 OR MIT AND ISC", "false");
        check("Apache-2.0 WITH LLVM-exception", "true");
        check("Apache-2.0 WITH Other-exception", "false");
        check("", "the expression ends too early");
        check("(MIT", "a `)` is missing");
        check("MIT MIT", "`MIT` is not expected there");
    }

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [graph]
            targets = []
            [licenses]
            allow = ["MIT"]
            exceptions = [{ crate = "one", allow = ["ISC"] }]
            [bans]
            deny = [{ crate = "bad", reason = "we have better" }]
            [sources]
            allow-registry = ["https://registry"]
            allow-git = []
            "#,
        )
        .unwrap()
    }

    #[track_caller]
    fn judged(name: &str, license: Option<&str>, source: Option<&str>, expected: &[&str]) {
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        assert_eq!(rules().judge(&package), expected);
    }

    #[test]
    fn packages_are_judged_by_name_licence_and_source() {
        let registry = Some("registry+https://registry");
        judged("good", Some("MIT"), registry, &[]);
        judged("one", Some("ISC"), registry, &[]);
        judged(
            "two",
            Some("ISC"),
            registry,
            &["two 1.0.0 is under ISC: not allowed"],
        );
        judged(
            "bad",
            Some("MIT"),
            registry,
            &["bad 1.0.0 is banned: we have better"],
        );
        judged("none", None, registry, &["none 1.0.0 names no licence"]);
        judged(
            "git",
            Some("MIT"),
            Some("git+https://host/git?branch=x#abc"),
            &["git 1.0.0 comes from git+https://host/git?branch=x#abc, which is not allowed"],
        );
    }

    #[test]
    fn the_projects_own_rules_can_be_read() {
        let text = include_str!("../../deny.toml");
        let rules: Rules = toml::from_str(text).unwrap();
        assert!(rules.licenses.allow.contains("MIT") && !rules.bans.deny.is_empty());
    }
}
