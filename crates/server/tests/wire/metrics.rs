//! Metrics: a server is used in known ways, and each value moves exactly as it must.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use chinwag_server::config::{Config, Whole};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::behind::push;
use crate::support::{
    BOUND, Client, Node, PING, Person, Seen, bounded, get, masked, merge, refused, upgrade_request,
};

const CLOSE: u8 = 0x8;

/// A node whose metrics can be read.
pub(crate) async fn measured(change: impl FnOnce(&mut Config)) -> (Node, SocketAddr) {
    let node = Node::with(|config| {
        config.metrics = Some("127.0.0.1:0".parse().unwrap());
        change(config);
    });
    let node = node.await;
    let metrics = node.running.as_ref().unwrap().metrics_address;
    (node, metrics.unwrap())
}

/// The samples of a page, by name and labels as they stand there.
pub(crate) type Samples = BTreeMap<String, f64>;

pub(crate) async fn scrape(metrics: SocketAddr) -> Samples {
    let (status, page) = get(metrics, "/metrics").await;
    assert_eq!(status, 200, "{page}");
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

/// Waits until the page says all of `expected` beyond `before`: it counts a moment after clients
/// have their answers.
#[track_caller]
fn moved<'a>(
    metrics: SocketAddr,
    before: &'a Samples,
    expected: &'a [(&'a str, f64)],
) -> impl Future<Output = Samples> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let end = tokio::time::Instant::now() + BOUND;
        loop {
            let now = scrape(metrics).await;
            let differs = expected.iter().filter_map(|(name, by)| {
                let value = |samples: &Samples| samples.get(*name).copied();
                let moved = value(&now)? - value(before)?;
                (moved != *by).then_some((*name, moved, *by))
            });
            let differs: Vec<_> = differs.collect();
            for (name, _by) in expected {
                assert!(now.contains_key(*name), "{caller}: no {name}");
            }
            if differs.is_empty() {
                return now;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "{caller}: name, is, should be: {differs:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn leave(client: &mut Client, code: u16) {
    client.frame(CLOSE, &code.to_be_bytes()).await;
    assert_eq!(client.closed().await.0, code);
}

#[tokio::test]
async fn each_value_moves_exactly_as_it_must() {
    let (node, metrics) = measured(|_config| {}).await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let start = scrape(metrics).await;
    let mut sender = node.enter(&ann).await;
    let mut reader = node.enter(&bob).await;
    let entered = [
        ("chinwag_connections", 2.0),
        ("chinwag_users", 2.0),
        ("chinwag_tcp_connections", 2.0),
        ("chinwag_tcp_unauthenticated", 0.0),
        ("chinwag_connection_opens_total{result=\"signed_in\"}", 2.0),
        ("chinwag_resumes_total{result=\"fresh\"}", 2.0),
        ("chinwag_frames_received_total", 2.0),
        ("chinwag_deliveries_total", 0.0),
    ];
    let before = moved(metrics, &start, &entered).await;

    // Three commands: a room, Bob, a message; the message once more under its key.
    let room = sender.create("public").await;
    assert_eq!(reader.write("join", json!({"room": room})).await["seq"], 2);
    let send = json!({"room": room, "text": "the same", "key": sender.key()});
    for _ in 0..2 {
        let ack = sender.ask("send", send.clone()).await;
        assert_eq!(ack["seq"], 3, "{ack}");
    }
    let event = reader.event(room, 3).await;
    // All of it is in memory.
    let page = reader.ask("history", json!({"room": room})).await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 3, "{page}");
    let used = [
        ("chinwag_events_committed_total{kind=\"room\"}", 1.0),
        ("chinwag_events_committed_total{kind=\"member\"}", 1.0),
        ("chinwag_events_committed_total{kind=\"message\"}", 1.0),
        ("chinwag_replays_total", 1.0),
        ("chinwag_commit_seconds_count", 4.0),
        ("chinwag_commit_batch_items_count", 4.0),
        ("chinwag_commit_batch_items_sum", 4.0),
        ("chinwag_commit_batch_items_bucket{le=\"1\"}", 4.0),
        ("chinwag_ack_seconds_count", 4.0),
        // The room to Ann, Bob's coming and the message to both.
        ("chinwag_deliveries_total", 5.0),
        ("chinwag_delivery_seconds_count", 3.0),
        ("chinwag_frames_received_total", 5.0),
        ("chinwag_recent_lookups_total{result=\"hit\"}", 2.0),
        ("chinwag_recent_lookups_total{result=\"miss\"}", 0.0),
        ("chinwag_recent_rooms", 1.0),
        ("chinwag_errors_total{code=\"not_found\"}", 0.0),
        ("chinwag_outbox_bytes", 0.0),
    ];
    let before = moved(metrics, &before, &used).await;
    assert!(before["chinwag_ack_seconds_sum"] >= before["chinwag_commit_seconds_sum"]);
    assert!(before["chinwag_delivery_seconds_sum"] > 0.0);

    // Bob goes, and comes back with what he knows; then with what nobody knows.
    leave(&mut reader, 1000).await;
    let (_again, synced) = node.enter_with(&bob, json!({})).await;
    let position = synced.last().unwrap()["position"].clone();
    let known = json!({"position": position, "open": [[room, 3]],
        "last": {"room": room, "seq": 3, "key": event["key"]}});
    let mut other = known.clone();
    merge(
        &mut other,
        json!({"last": {"room": room, "seq": 3, "key": sender.key()}}),
    );
    let (mut third, _synced) = node.enter_with(&bob, known).await;
    let (mut fourth, _synced) = node.enter_with(&bob, other).await;
    let after = json!({"room": room, "seq": 3, "key": sender.key()});
    assert_eq!(fourth.ask("after", after).await["why"], "history");
    let sync = json!({"position": position});
    assert_eq!(third.ask("sync", sync).await["type"], "ok");
    third.until("caught_up").await;
    leave(&mut third, 4999).await;
    leave(&mut fourth, 1001).await;
    let resumed = [
        ("chinwag_resumes_total{result=\"fresh\"}", 1.0),
        ("chinwag_resumes_total{result=\"resumed\"}", 1.0),
        ("chinwag_resumes_total{result=\"reset\"}", 1.0),
        ("chinwag_resumes_total{result=\"again\"}", 1.0),
        ("chinwag_cursor_mismatch_total{scope=\"all\"}", 1.0),
        ("chinwag_cursor_mismatch_total{scope=\"room\"}", 1.0),
        (
            "chinwag_connection_closes_total{by=\"client\",code=\"1000\"}",
            1.0,
        ),
        (
            "chinwag_connection_closes_total{by=\"client\",code=\"other\"}",
            1.0,
        ),
        (
            "chinwag_connection_closes_total{by=\"client\",code=\"1001\"}",
            1.0,
        ),
        ("chinwag_connection_seconds_count", 3.0),
        ("chinwag_connections", 0.0),
        ("chinwag_users", 0.0),
    ];
    moved(metrics, &before, &resumed).await;
    node.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_counted_by_its_code() {
    let (node, metrics) = measured(|config| {
        config.limits.rate_burst = Whole::new(1);
        config.limits.rate_per_second = serde_json::from_value(json!(0.001)).unwrap();
    })
    .await;
    let before = scrape(metrics).await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    let late = client
        .write("send", json!({"room": room, "text": "a"}))
        .await;
    refused(&late, "rate_limited");
    client.text("{").await;
    refused(client.until("error").await.last().unwrap(), "bad_frame");
    let nowhere = json!({"room": "r_aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    refused(&client.ask("history", nowhere).await, "not_found");
    let guess = json!({"name": "Nobody", "password": "wrong horse"});
    assert_eq!(node.post("/api/login", None, &guess).await.0, 401);
    assert_eq!(node.post("/api/nothing", None, &guess).await.0, 404);

    let mut stranger = node.open().await;
    stranger.hello("no token", json!({})).await;
    assert_eq!(stranger.closed().await.0, 4202);
    let mut broken = node.open().await;
    broken.raw(&[0xff, 0xff]).await;
    assert_eq!(broken.closed().await.0, 1002);
    drop(node.open().await);
    let expected = [
        ("chinwag_errors_total{code=\"rate_limited\"}", 1.0),
        ("chinwag_rate_limited_total{scope=\"commands\"}", 1.0),
        ("chinwag_rate_limited_total{scope=\"accounts\"}", 0.0),
        ("chinwag_errors_total{code=\"bad_frame\"}", 1.0),
        ("chinwag_errors_total{code=\"not_found\"}", 2.0),
        ("chinwag_errors_total{code=\"bad_credentials\"}", 1.0),
        ("chinwag_errors_total{code=\"bad_token\"}", 1.0),
        ("chinwag_password_hashes_total", 1.0),
        ("chinwag_connection_opens_total{result=\"signed_in\"}", 1.0),
        ("chinwag_connection_opens_total{result=\"bad_token\"}", 1.0),
        ("chinwag_connection_opens_total{result=\"abandoned\"}", 2.0),
        (
            "chinwag_connection_closes_total{by=\"server\",code=\"4202\"}",
            1.0,
        ),
        (
            "chinwag_connection_closes_total{by=\"server\",code=\"1002\"}",
            1.0,
        ),
        (
            "chinwag_connection_closes_total{by=\"nobody\",code=\"1006\"}",
            1.0,
        ),
        ("chinwag_connections", 1.0),
    ];
    moved(metrics, &before, &expected).await;
    node.stop().await;
}

#[tokio::test]
async fn bytes_are_those_of_the_wire() {
    let (node, metrics) = measured(|_config| {}).await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let before = moved(metrics, &Samples::new(), &[]).await;
    client.frame(PING, b"five!").await;
    assert_eq!(client.seen().await, Seen::Pong(b"five!".to_vec()));
    let question = masked(0x89, b"five!").len();
    let expected = [
        (
            "chinwag_frames_bytes_total{direction=\"in\"}",
            question as f64,
        ),
        ("chinwag_frames_bytes_total{direction=\"out\"}", 7.0),
        ("chinwag_frames_received_total", 1.0),
        ("chinwag_writes_total", 1.0),
    ];
    moved(metrics, &before, &expected).await;
    node.stop().await;
}

#[tokio::test]
async fn compression_shows_both_sizes_once_for_all_receivers() {
    let (node, metrics) = measured(|_config| {}).await;
    let mut sender = node.enter(&Person::new("Ann")).await;
    let room = sender.create("public").await;
    let request = upgrade_request(
        node.address,
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; \
         server_no_context_takeover\r\n",
    );
    let mut readers = Vec::new();
    for (seq, name) in [(2, "Bob"), (3, "Cid")] {
        // They are not read: nothing here inflates.
        let mut reader = Client::open_with(node.address, None, request.as_bytes()).await;
        reader.hello(&Person::new(name).token, json!({})).await;
        reader.expect("welcome").await;
        let key = reader.key();
        reader.tell("join", json!({"room": room, "key": key})).await;
        sender.event(room, seq).await;
        readers.push(reader);
    }
    let before = scrape(metrics).await;
    let text = "again and ".repeat(200);
    sender.send(room, &text).await;
    let delivered = [("chinwag_deliveries_total", 3.0)];
    let after = moved(metrics, &before, &delivered).await;
    let bytes = |stage| {
        let name =
            format!("chinwag_compression_bytes_total{{direction=\"out\",stage=\"{stage}\"}}");
        after[&name] - before[&name]
    };
    let (raw, wire) = (bytes("raw"), bytes("wire"));
    assert!((2_000.0..2_500.0).contains(&raw), "{raw}");
    assert!(wire > 0.0 && wire < raw / 5.0, "{wire} of {raw}");
    node.stop().await;
}

#[tokio::test]
async fn who_falls_behind_and_who_finds_no_place_are_counted() {
    let (node, metrics) = measured(|config| {
        config.limits.connections_per_address = Whole::new(2);
    })
    .await;
    let mut sender = node.enter(&Person::new("Ann")).await;
    let room = sender.create("public").await;
    let mut reader = Client::open(node.address, Some(4_096)).await;
    reader.hello(&Person::new("Bob").token, json!({})).await;
    reader.until("caught_up").await;
    assert_eq!(reader.write("join", json!({"room": room})).await["seq"], 2);
    let before = scrape(metrics).await;
    push(&mut sender, room).await;
    let mut stranger = TcpStream::connect(node.address).await.unwrap();
    let end = bounded("refused", stranger.read_u8()).await;
    assert!(end.is_err(), "{end:?}");
    let expected = [
        ("chinwag_behind_total", 1.0),
        ("chinwag_tcp_refused_total{cap=\"address\"}", 1.0),
        ("chinwag_tcp_refused_total{cap=\"total\"}", 0.0),
    ];
    moved(metrics, &before, &expected).await;
    node.stop().await;
}
