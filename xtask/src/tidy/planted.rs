//! Plants each violation in a temporary checkout and sees it caught, so that no rule goes dead.

use std::path::Path;

use super::{check, read};
use crate::command::{command, output};

/// A header that lets a source file pass.
const HEADER: &str = "//! A module.\n";

/// What every checkout has, so that a test shows only what it plants.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "docs/protocol.md",
    "docs/storage.md",
    "docs/adr/README.md",
];

fn write(root: &Path, path: &str, contents: &str) {
    let full = root.join(path);
    std::fs::create_dir_all(full.parent().unwrap()).unwrap();
    std::fs::write(full, contents).unwrap();
}

/// The findings in a checkout that holds these files and the required documents.
fn findings(planted: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    output(&mut command(root, "git", &["init", "--quiet"])).unwrap();
    DOCUMENTS
        .iter()
        .for_each(|path| write(root, path, "# Document\n"));
    planted
        .iter()
        .for_each(|(path, contents)| write(root, path, contents));
    check(&read(root).unwrap())
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// `code` under `path` gives exactly one finding, at this line, with these words in it.
#[track_caller]
fn caught(path: &str, code: &str, line: usize, words: &str) {
    let findings = findings(&[(path, code)]);
    let start = format!("{path}:{line}: ");
    assert!(
        findings.len() == 1 && findings[0].starts_with(&start) && findings[0].contains(words),
        "{findings:#?}"
    );
}

#[track_caller]
fn clean(path: &str, code: &str) {
    assert_eq!(findings(&[(path, code)]), Vec::<String>::new());
}

/// A Rust file with this line of code in it is caught at that line.
#[track_caller]
fn rust(path: &str, code: &str, words: &str) {
    caught(
        path,
        &format!("{HEADER}fn planted() {{\n    {code}\n}}\n"),
        3,
        words,
    );
}

#[test]
fn a_clean_checkout_has_no_findings() {
    clean(
        "crates/core/src/feed.rs",
        "//! Order.\n\n/// Next.\npub fn next() {}\n",
    );
}

#[test]
fn core_neither_awaits_nor_reads_clocks_nor_draws_nor_iterates_at_random() {
    let path = "crates/core/src/feed.rs";
    rust(path, "tokio::yield_now();", "nothing in core awaits");
    rust(path, "next().await;", "nothing in core awaits");
    rust(path, "let x = async { 1 };", "nothing in core awaits");
    rust(
        path,
        "std::time::SystemTime::now();",
        "nothing in core reads a clock",
    );
    rust(path, "Instant::now();", "nothing in core reads a clock");
    rust(path, "rand::random();", "nothing in core draws");
    rust(path, "let x = HashMap::new();", "BTreeMap");
    rust(path, "println!();", "in values");
    rust(path, "std::fs::read(x);", "opens and starts nothing");
    rust(path, "serde_json::to_string(x);", "never see JSON");
}

#[test]
fn rules_of_core_reach_into_its_tests_where_a_seed_would_suffer() {
    let code = "//! Order.\n#[cfg(test)]\nmod tests {\n    use std::collections::HashSet;\n}\n";
    caught("crates/core/src/feed.rs", code, 4, "HashSet");
}

#[test]
fn each_layer_of_the_server_keeps_its_secrets() {
    rust(
        "crates/server/src/hub.rs",
        "rusqlite::open();",
        "only store/ knows SQL",
    );
    rust(
        "crates/server/src/hub.rs",
        "redis::open();",
        "only bus/ knows Redis",
    );
    rust(
        "crates/server/src/hub.rs",
        "self.store.append(x);",
        "only commit writes",
    );
    rust(
        "crates/server/src/hub.rs",
        "serde_json::to_vec(x);",
        "only the edges know JSON",
    );
    rust(
        "crates/server/src/hub.rs",
        "tokio::spawn(x);",
        "only node spawns",
    );
    rust(
        "crates/bench/src/client.rs",
        "mpsc::unbounded_channel();",
        "named limit",
    );
}

#[test]
fn the_owner_of_a_secret_may_use_it_and_so_may_tests() {
    clean(
        "crates/server/src/store/sqlite.rs",
        "//! SQL.\nuse rusqlite::Connection;\n",
    );
    clean(
        "crates/server/src/commit/writer.rs",
        "//! Writes.\nfn f() { self.store.append(b) }\n",
    );
    clean(
        "crates/server/src/node.rs",
        "//! Tasks.\nfn f() { tokio::spawn(x) }\n",
    );
    clean(
        "crates/server/src/hub.rs",
        "//! Hub.\n#[cfg(test)]\nmod tests {\n    use serde_json::json;\n}\n",
    );
}

#[test]
fn words_in_comments_and_strings_are_no_code() {
    let code = "//! No tokio, no HashMap.\n// Not .await either.\nconst A: &str = \"rusqlite\";\n";
    clean("crates/core/src/feed.rs", code);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    caught(
        "xtask/src/x.rs",
        "//! X.\n#[allow(dead_code)]\nfn x() {}\n",
        2,
        "#[expect(",
    );
}

#[test]
fn scripts_make_no_markup_and_hide_no_types() {
    caught(
        "web/src/line.ts",
        "node.innerHTML = text;\n",
        1,
        "never markup",
    );
    caught("web/src/line.tsx", "const x = y as any;\n", 1, "`unknown`");
    caught("sdk/src/line.ts", "// @ts-ignore\n", 1, "@ts-expect-error");
    caught(
        "sdk/src/line.ts",
        "import { h } from 'preact';\n",
        1,
        "without a browser",
    );
    clean("web/src/line.ts", "await Promise.any(tries);\n// as any\n");
}

#[test]
fn long_files_and_functions_need_a_reason() {
    let file = format!("{HEADER}{}", "// line\n".repeat(400));
    caught("crates/core/src/long.rs", &file, 1, "401 lines");

    let function = format!("{HEADER}fn long() {{\n{}}}\n", "    step();\n".repeat(69));
    caught(
        "crates/core/src/long.rs",
        &function,
        2,
        "`long` has 71 lines",
    );

    let style = "a {}\n".repeat(1_001);
    caught("web/src/page.css", &style, 1, "1001 lines");

    let in_tests = format!(
        "{HEADER}#[cfg(test)]\nmod tests {{\nfn long() {{\n{}}}\n}}\n",
        "    step();\n".repeat(500)
    );
    clean("crates/core/src/long.rs", &in_tests);
}

#[test]
fn an_exception_counts_while_it_is_needed_and_has_a_reason() {
    let long = format!("{HEADER}{}", "// line\n".repeat(400));
    let exception = |lines: usize, reason: &str| {
        format!(
            "[[file]]\npath = \"crates/core/src/a.rs\"\nlines = {lines}\nreason = \"{reason}\"\n"
        )
    };
    let with = |code: &str, exceptions: &str| {
        findings(&[
            ("crates/core/src/a.rs", code),
            ("xtask/tidy-exceptions.toml", exceptions),
        ])
    };
    assert_eq!(
        with(&long, &exception(420, "one table")),
        Vec::<String>::new()
    );
    assert!(with(&long, &exception(400, "one table"))[0].contains("400 are allowed"));
    assert!(with(&long, &exception(420, " "))[0].contains("no reason"));
    assert!(with(HEADER, &exception(420, "one table"))[0].contains("no longer needed"));
    let function = "[[function]]\npath = \"crates/core/src/a.rs\"\nname = \"gone\"\nlines = 80\n\
                    reason = \"was long\"\n";
    assert!(with(HEADER, function)[0].contains("nothing that exists"));
}

#[test]
fn text_is_kept_clean() {
    caught("docs/a.md", "word \n", 1, "trailing whitespace");
    caught("docs/a.md", "word\r\n", 1, "carriage return");
    caught("docs/a.md", "word", 0, "no line end");
    caught("web/src/a.ts", "\tx();\n", 1, "a tab");
    caught(
        "docs/a.md",
        &format!("{} ours\n", "<".repeat(7)),
        1,
        "merge marker",
    );
    for mark in [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]] {
        caught(
            "docs/a.md",
            &format!("{}: later\n", mark.concat()),
            1,
            "unfinished work",
        );
    }
    caught("docs/a.md", &"a line\n".repeat(80_000), 0, "bytes");
    caught("crates/core/src/a.rs", "fn a() {}\n", 1, "no module header");
}

#[test]
fn packages_keep_to_their_walls() {
    let on_server = "[dependencies]\nchinwag-server.workspace = true\n";
    caught("crates/sim/Cargo.toml", on_server, 0, "chinwag-server");
    caught(
        "crates/bench/Cargo.toml",
        on_server,
        0,
        "what a stranger sees",
    );
    let in_tests = "[dev-dependencies]\ntokio = \"1\"\n";
    caught("crates/core/Cargo.toml", in_tests, 0, "core is pure");
    caught(
        "sdk/package.json",
        "{ \"dependencies\": { \"left-pad\": \"1\" } }\n",
        0,
        "left-pad",
    );
}

#[test]
fn links_lead_somewhere() {
    caught("docs/a.md", "[x](b.md)\n", 1, "there is no docs/b.md");
    caught(
        "docs/a.md",
        "[x](../README.md#no-such)\n",
        1,
        "no heading #no-such",
    );
    caught(
        "docs/a.md",
        "[x](../../README.md)\n",
        1,
        "leaves the repository",
    );
    caught("docs/adr/0001-a.md", "# A\n", 0, "not listed");
    clean(
        "docs/a.md",
        "# Some words\n[a](../README.md#document) [b](#some-words) [c](adr) [d](https://e.org)\n\
         `[x](code.md)`\n```\n[x](fenced.md)\n```\n",
    );
}

#[test]
fn a_promised_document_must_exist() {
    let directory = tempfile::tempdir().unwrap();
    output(&mut command(directory.path(), "git", &["init", "--quiet"])).unwrap();
    let findings = check(&read(directory.path()).unwrap());
    assert_eq!(findings.len(), DOCUMENTS.len());
}
