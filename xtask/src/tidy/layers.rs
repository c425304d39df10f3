//! The layer rules, as data: which words may stand under which paths.
//!
//! A rule is written as an absence, with the reason that a person who breaks it needs to read.
//! Extend the table in the change that adds a layer; do not add exceptions for convenience.

use super::source::{Language, Source, mentions};
use super::{File, Finding};
use crate::project::GENERATED;

/// One forbidden set of words.
struct Rule {
    language: Language,
    /// Matched as whole words in code (for [`Rule::in_text`]: anywhere in the file).
    words: &'static [&'static str],
    /// Path prefixes where the rule holds.
    under: &'static [&'static str],
    /// Path prefixes, within those, where the words are allowed.
    except: &'static [&'static str],
    /// Whether the rule holds in code compiled for tests, too.
    in_tests: bool,
    /// Whether comments and strings are searched as well.
    in_text: bool,
    reason: &'static str,
}

const CORE: &[&str] = &["crates/core/src/"];
const SERVER: &[&str] = &["crates/server/src/"];
const ALL_RUST: &[&str] = &["crates/", "xtask/", "fuzz/"];
const SCRIPTS: &[&str] = &["sdk/src/", "web/src/"];

const RUST: Rule = Rule {
    language: Language::Rust,
    words: &[],
    under: ALL_RUST,
    except: &[],
    in_tests: false,
    in_text: false,
    reason: "",
};

const SCRIPT: Rule = Rule {
    language: Language::TypeScript,
    under: SCRIPTS,
    ..RUST
};

const RULES: &[Rule] = &[
    Rule {
        words: &["tokio", "async", ".await", "futures_util"],
        under: CORE,
        in_tests: true,
        reason: "nothing in core awaits: it takes (input, now) and returns effects",
        ..RUST
    },
    Rule {
        words: &[
            "std::time::Instant",
            "std::time::SystemTime",
            "Instant::now",
            "SystemTime::now",
        ],
        under: CORE,
        in_tests: true,
        reason: "nothing in core reads a clock: `now` is an argument",
        ..RUST
    },
    Rule {
        words: &["rand::", "getrandom", "thread_rng", "RandomState"],
        under: CORE,
        in_tests: true,
        reason: "nothing in core draws randomness: a seed or an id is an argument",
        ..RUST
    },
    Rule {
        words: &["HashMap", "HashSet"],
        under: CORE,
        in_tests: true,
        reason: "iteration order must be equal in every run: use BTreeMap or BTreeSet",
        ..RUST
    },
    Rule {
        words: &["println!", "eprintln!", "print!", "eprint!", "dbg!"],
        under: CORE,
        reason: "core says what it has to say in values",
        ..RUST
    },
    Rule {
        words: &[
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "std::env",
        ],
        under: CORE,
        // Compiled for tests alone: it writes the generated files.
        except: &["crates/core/src/generated.rs"],
        reason: "core opens and starts nothing",
        ..RUST
    },
    Rule {
        words: &["serde_json"],
        under: CORE,
        except: &[
            // A command's hash is taken over its wire form.
            "crates/core/src/batch/mod.rs",
            "crates/core/src/codec",
            "crates/core/src/wire",
            "crates/core/src/body",
            "crates/core/src/vectors",
        ],
        reason: "wire formats stop at the codec: rules never see JSON",
        ..RUST
    },
    Rule {
        words: &["serde_json"],
        under: SERVER,
        except: &[
            "crates/server/src/gateway/http",
            "crates/server/src/gateway/poll",
            "crates/server/src/gateway/socketio",
            "crates/server/src/admin",
            "crates/server/src/auth",
            "crates/server/src/store",
            "crates/server/src/cli",
            "crates/server/src/doctor",
        ],
        reason: "only the edges know JSON; inside, frames are typed",
        ..RUST
    },
    Rule {
        words: &["rusqlite", "tokio_postgres", "deadpool_postgres"],
        under: &["crates/"],
        except: &[
            "crates/server/src/store",
            // Names the linked library's version, and knows no SQL.
            "crates/server/src/doctor/machine.rs",
            "crates/server/tests/",
        ],
        reason: "only store/ knows SQL",
        ..RUST
    },
    Rule {
        words: &["redis"],
        under: &["crates/"],
        except: &["crates/server/src/bus", "crates/server/tests/"],
        reason: "only bus/ knows Redis",
        ..RUST
    },
    Rule {
        words: &[
            "store.append(",
            "store.mark(",
            "Store::append",
            "Store::mark",
        ],
        under: SERVER,
        except: &["crates/server/src/commit", "crates/server/src/store"],
        reason: "only commit writes room events",
        ..RUST
    },
    Rule {
        words: &[
            "tokio::spawn",
            "tokio::task::spawn",
            "task::spawn",
            "spawn_local",
            "JoinSet",
        ],
        under: SERVER,
        except: &[
            "crates/server/src/node",
            "crates/server/src/gateway/accept.rs",
        ],
        reason: "only node spawns, on its tracker: the drain waits for every task",
        ..RUST
    },
    Rule {
        words: &["unbounded_channel", "UnboundedSender", "UnboundedReceiver"],
        in_tests: true,
        reason: "every queue has a named limit",
        ..RUST
    },
    Rule {
        words: &["#[allow(", "#![allow("],
        in_tests: true,
        reason: "use #[expect(…, reason = \"…\")], which fails when it is no longer needed",
        ..RUST
    },
    Rule {
        words: &[
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "dangerouslySetInnerHTML",
        ],
        reason: "content is data and never markup: build nodes",
        ..SCRIPT
    },
    Rule {
        words: &["eval(", "new Function(", "document.write"],
        reason: "the content security policy forbids it, and so do we",
        ..SCRIPT
    },
    Rule {
        words: &[": any", "as any", "<any>", "any[]", "<any,", ", any>"],
        reason: "`unknown` and a check say what is known; `any` only hides it",
        ..SCRIPT
    },
    Rule {
        words: &["@ts-ignore", "@ts-nocheck"],
        in_text: true,
        reason: "use @ts-expect-error with a reason, which fails when it is no longer needed",
        ..SCRIPT
    },
    Rule {
        words: &[
            "from 'preact",
            "from \"preact",
            "from 'react",
            "from \"react",
            "from 'node:",
        ],
        under: &["sdk/src/"],
        in_text: true,
        reason: "the SDK's core is usable without a browser, a framework or Node",
        ..SCRIPT
    },
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some(language) = Language::of(file.extension()) else {
            continue;
        };
        let Some(text) = &file.text else { continue };
        let rules: Vec<&Rule> = RULES
            .iter()
            .filter(|rule| rule.language == language && rule.holds_for(file))
            .collect();
        if rules.is_empty() || GENERATED.contains(&file.path.as_str()) {
            continue;
        }
        let all_tests = is_test_file(&file.path);
        let source = Source::new(text, language);
        for ((number, code, in_tests), line) in source.lines().zip(text.lines()) {
            let broken = rules
                .iter()
                .filter(|rule| rule.in_tests || !(in_tests || all_tests))
                .filter_map(|rule| {
                    let searched = if rule.in_text { line } else { &code };
                    let word = rule.words.iter().find(|word| mentions(searched, word))?;
                    Some((word, rule.reason))
                });
            findings.extend(broken.map(|(word, reason)| {
                Finding::new(
                    &file.path,
                    number,
                    format!("`{word}` may not stand here: {reason}"),
                )
            }));
        }
    }
    findings
}

impl Rule {
    fn holds_for(&self, file: &File) -> bool {
        let within =
            |prefixes: &[&str]| prefixes.iter().any(|prefix| file.path.starts_with(prefix));
        within(self.under) && !within(self.except)
    }
}

/// Files that hold nothing but tests.
pub(super) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/test/")
        || path.starts_with("e2e/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/planted.rs")
        || path.contains(".test.")
        || path.contains("/benches/")
}
