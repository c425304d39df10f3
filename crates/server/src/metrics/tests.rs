//! The table as text, and in the documents.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::table::{ALL, Kind, Values};
use super::text::Page;
use super::*;

fn operating() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md")
}

/// The table of docs/operating.md.
fn documented() -> String {
    let mut table = String::from("| metric | type | labels | what it says |\n|---|---|---|---|\n");
    for metric in ALL {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|(label, values)| match values {
                Values::OneOf(values) => format!("`{label}`: `{}`", values().join("`, `")),
                Values::Elsewhere(words) => format!("`{label}`: {words}"),
            })
            .collect();
        let (name, kind, help) = (metric.name, metric.kind.text(), metric.help());
        table += &format!("| `{name}` | {kind} | {} | {help} |\n", labels.join("; "));
    }
    table
}

/// Rewrites the table, and fails if it was another.
#[test]
fn the_table_of_the_documents_is_this_one() {
    const BEGIN: &str = "<!-- generated:metrics -->";
    let text = std::fs::read_to_string(operating()).expect("docs/operating.md is there");
    let from = text.find(BEGIN).expect("a marker") + BEGIN.len();
    let to = from + text[from..].find("<!-- end -->").expect("an end marker");
    let fresh = format!("{}\n{}{}", &text[..from], documented(), &text[to..]);
    if fresh != text {
        std::fs::write(operating(), fresh).expect("the file can be written");
        panic!(
            "docs/operating.md was stale and has been rewritten: look at the difference and commit it"
        );
    }
}

/// Examples of questions must not ask for what does not exist.
#[test]
fn the_documents_name_no_other_metric() {
    let text = std::fs::read_to_string(operating()).expect("docs/operating.md is there");
    let mut known: BTreeSet<String> = BTreeSet::new();
    for metric in ALL {
        known.insert(metric.name.to_owned());
        if metric.kind == Kind::Histogram {
            known.extend(["_bucket", "_sum", "_count"].map(|part| metric.name.to_owned() + part));
        }
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for word in words.filter(|word| word.starts_with("chinwag_")) {
        assert!(known.contains(word), "{word}");
    }
}

#[test]
fn a_client_cannot_make_a_label() {
    for (code, expected) in [
        (None, "1005"),
        (Some(1000), "1000"),
        (Some(1001), "1001"),
        (Some(1012), "other"),
        (Some(4321), "other"),
    ] {
        assert_eq!(Left::of(code).text(), expected);
    }
}

#[test]
fn names_follow_the_custom() {
    let mut names = BTreeSet::new();
    for metric in ALL {
        let name = metric.name;
        assert!(names.insert(name), "{name} stands there twice");
        let ours = name.starts_with("chinwag_") || name.starts_with("process_");
        assert!(ours, "{name}");
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{name}"
        );
        let help = metric.help();
        assert!(
            help.ends_with('.') && !help.contains(['\\', '\n', '|']),
            "{help}"
        );
    }
}

#[test]
fn a_page_has_the_form_that_prometheus_reads() {
    let mut page = Page::default();
    page.one(&table::USERS, 3);
    page.one_if_any(&table::MAX_FDS, None::<u64>);
    let resumes: Family<Resume> = Family::default();
    resumes.of(Resume::Reset).add(2);
    page.family(&table::RESUMES, &resumes);
    let histogram = Histogram::new(&[500, SECOND], SECOND);
    histogram.observe_values([1_500_000, 500]);
    page.histogram(&table::ACK_SECONDS, &histogram);
    let lines = page.into_text();
    let values: Vec<&str> = lines
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(
        values,
        [
            "chinwag_users 3",
            "chinwag_resumes_total{result=\"fresh\"} 0",
            "chinwag_resumes_total{result=\"resumed\"} 0",
            "chinwag_resumes_total{result=\"reset\"} 2",
            "chinwag_resumes_total{result=\"again\"} 0",
            "chinwag_ack_seconds_bucket{le=\"0.0005\"} 1",
            "chinwag_ack_seconds_bucket{le=\"1\"} 1",
            "chinwag_ack_seconds_bucket{le=\"+Inf\"} 2",
            "chinwag_ack_seconds_sum 1.5005",
            "chinwag_ack_seconds_count 2",
        ]
    );
    let head =
        "# HELP chinwag_users Users with a signed-in WebSocket.\n# TYPE chinwag_users gauge\n";
    assert!(lines.starts_with(head), "{lines}");
}
