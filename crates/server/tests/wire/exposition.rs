//! The page of metrics: complete, without a name in it, and where it belongs.

use std::collections::BTreeSet;

use chinwag_server::metrics::table::{ALL, Kind};
use serde_json::Value;

use crate::metrics::{measured, scrape};
use crate::support::{Person, get, http, http_parts};

#[tokio::test]
async fn the_page_has_every_metric_that_is_documented_and_no_other() {
    let (node, metrics) = measured(|_config| {}).await;
    let (_status, page) = get(metrics, "/metrics").await;
    let declared: Vec<String> = ALL
        .iter()
        .map(|metric| format!("# TYPE {} {}", metric.name, metric.kind.text()))
        .collect();
    let told: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    let told: BTreeSet<&str> = told.into_iter().collect();
    let declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
    assert_eq!(told, declared);
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let document = std::fs::read_to_string(document).unwrap();
    let mut seen = BTreeSet::new();
    for name in scrape(metrics).await.into_keys() {
        let base = name.split('{').next().unwrap();
        let metric = ALL.iter().find(|metric| {
            let part = base.strip_prefix(metric.name);
            part.is_some_and(|part| match metric.kind {
                Kind::Histogram => ["_bucket", "_sum", "_count"].contains(&part),
                Kind::Counter | Kind::Gauge => part.is_empty(),
            })
        });
        let metric = metric.unwrap_or_else(|| panic!("{name} is not declared"));
        assert!(
            document.contains(&format!("| `{}` |", metric.name)),
            "{name}"
        );
        seen.insert(metric.name);
    }
    assert_eq!(seen.len(), ALL.len());
    node.stop().await;
}

/// A page is read by whoever reaches it, and may go to other companies' services.
#[tokio::test]
async fn nobody_and_nothing_is_named() {
    let (node, metrics) = measured(|_config| {}).await;
    let account = node.register("Zaphod").await;
    let ann = Person::new("Annabel");
    let mut client = node.enter(&ann).await;
    let room = client.create("public").await;
    client.send(room, "nobody else shall read this").await;
    let said = client.so_far().await;
    let (_status, page) = get(metrics, "/metrics").await;
    let mut secrets = vec![
        ann.id.to_string(),
        ann.name.clone(),
        ann.token.clone(),
        room.to_string(),
        "Kitchen".to_owned(),
        "Zaphod".to_owned(),
        "nobody else".to_owned(),
        "127.0.0.1".to_owned(),
        node.place.path().display().to_string(),
        account["user"]["id"].as_str().unwrap().to_owned(),
        account["access_token"].as_str().unwrap().to_owned(),
    ];
    let keys = said.iter().filter_map(|frame| frame["key"].as_str());
    secrets.extend(keys.map(str::to_owned));
    assert!(secrets.len() > 11, "keys of events: {said:?}");
    for secret in secrets {
        assert!(!page.contains(&secret), "{secret}");
    }
    node.stop().await;
}

#[tokio::test]
async fn the_listener_has_one_path_and_the_main_one_has_not_it() {
    let (node, metrics) = measured(|_config| {}).await;
    let (status, body) = get(node.address, "/metrics").await;
    assert_eq!(status, 404);
    assert!(!body.contains("chinwag_"), "{body}");
    for (method, path, expected, code) in [
        ("GET", "/", 404, "not_found"),
        ("GET", "/api/server", 404, "not_found"),
        ("GET", "/metrics/more", 404, "not_found"),
        ("POST", "/metrics", 405, "unknown_command"),
        ("DELETE", "/metrics", 405, "unknown_command"),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {metrics}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        let (status, body) = http(metrics, &request).await;
        assert_eq!(status, expected, "{method} {path}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["code"], code, "{method} {path}");
    }
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {metrics}\r\nConnection: close\r\n\r\n");
    let (head, _page) = http_parts(metrics, &request).await;
    assert!(
        head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{head}"
    );
    node.stop().await;
}
