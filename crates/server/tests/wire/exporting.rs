//! Taking away what is one's own.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Client, Node, Person, bounded, http_parts};

const PATH: &str = "/api/v1/account/export";

fn request(address: SocketAddr, token: &str) -> String {
    format!(
        "GET {PATH} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    )
}

/// The body of a chunked answer (RFC 9112, section 7.1), and whether it came to its end.
fn unchunked(mut body: &str) -> (String, bool) {
    let mut text = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return (text, true);
        }
        text += &rest[..length];
        body = &rest[length + 2..];
    }
    (text, false)
}

/// Head and lines of an export.
async fn export(node: &Node, token: &str) -> (String, Vec<Value>) {
    let (head, body) = http_parts(node.address, &request(node.address, token)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head} {body}");
    let (text, whole) = unchunked(&body);
    assert!(whole);
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (head, lines.collect())
}

async fn enter(node: &Node, token: &str) -> Client {
    let mut client = node.open().await;
    client.hello(token, json!({})).await;
    client.until("caught_up").await;
    client
}

#[tokio::test]
async fn what_is_one_s_own_and_nothing_of_others() {
    let node = Node::start().await;
    let account = node.register("Ann").await;
    let token = account["access_token"].as_str().unwrap();
    let mut ann = enter(&node, token).await;
    let person = Person::new("Bob");
    let mut bob = node.enter(&person).await;
    let room = ann.create("group").await;
    ann.write("add", json!({"room": room, "user": person.id}))
        .await;
    let kept = ann.send(room, "mine, and kept").await;
    let edit = json!({"room": room, "target": kept, "text": "mine, and better"});
    ann.write("edit", edit).await;
    let gone = ann.send(room, "mine, and gone").await;
    ann.write("redact", json!({"room": room, "target": gone}))
        .await;
    bob.send(room, "a secret of Bob").await;
    let react = json!({"room": room, "target": kept, "emoji": "👍", "on": true});
    ann.write("react", react).await;
    ann.ask("settings", json!({"hide_online": true})).await;
    ann.ask("block", json!({"user": person.id, "on": true}))
        .await;
    ann.ask("notify", json!({"room": room, "level": "mentions"}))
        .await;
    ann.ask("read", json!({"room": room, "seq": kept})).await;
    let left = ann.create("public").await;
    ann.write("leave", json!({"room": left})).await;

    let (head, lines) = export(&node, token).await;
    let head = head.to_ascii_lowercase();
    for header in [
        "content-type: application/x-ndjson",
        "content-disposition: attachment; filename=\"chinwag-export.ndjson\"",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    let first = &lines[0];
    assert_eq!(
        (&first["type"], &first["format"]),
        (&json!("export"), &json!(1))
    );
    assert_eq!(first["user"], account["user"]["id"]);
    assert!(first["at"].is_u64());
    let last = lines.last().unwrap();
    assert_eq!(last, &json!({"type": "end", "lines": lines.len()}));
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["type"] == kind).collect() };
    let profile = of("profile")[0];
    assert_eq!(
        (&profile["name"], &profile["version"]),
        (&json!("Ann"), &json!(1))
    );
    assert!(profile["created"].as_i64().unwrap() > 1_700_000_000_000);
    assert_eq!(of("settings")[0]["hide_online"], true);
    assert_eq!(of("block")[0]["user"], json!(person.id));
    assert_eq!(of("session").len(), 1);
    assert_eq!(of("session")[0]["current"], true);
    let rooms = of("room");
    assert_eq!(rooms.len(), 2);
    let kitchen = rooms
        .iter()
        .find(|line| line["room"] == json!(room))
        .unwrap();
    assert_eq!(
        (&kitchen["role"], &kitchen["state"]),
        (&json!("owner"), &json!("joined"))
    );
    assert_eq!(
        (&kitchen["notify"]["level"], &kitchen["name"]),
        (&json!("mentions"), &json!("Kitchen"))
    );
    assert!(rooms.iter().any(|line| line["state"] == "left"));
    let events = of("event");
    let of_kind = |kind: &str| -> Vec<&Value> {
        let all = events.iter().filter(|line| line["kind"] == kind);
        all.copied().collect()
    };
    let messages = of_kind("message");
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["body"]["text"], "mine, and kept");
    assert_eq!(
        (&messages[1]["redacted"], &messages[1]["body"]),
        (&json!(true), &json!({}))
    );
    assert_eq!(of_kind("edit")[0]["body"]["text"], "mine, and better");
    assert_eq!(of_kind("reaction")[0]["target"], kept);
    assert_eq!(of_kind("redact")[0]["target"], gone);
    let all: String = lines.iter().map(Value::to_string).collect();
    for secret in [
        "a secret of Bob",
        "mine, and gone",
        "password",
        "argon2",
        "eyJ",
        "refresh",
    ] {
        assert!(!all.contains(secret), "{secret}");
    }
    let mine = account["user"]["id"].as_str().unwrap();
    assert!(events.iter().all(|line| line["from"][0] == mine));
    node.stop().await;
}

/// Takes the head of an export and then nothing more.
async fn begin(address: SocketAddr, token: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream
        .write_all(request(address, token).as_bytes())
        .await
        .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

#[tokio::test]
async fn one_at_a_time_and_so_many_an_hour() {
    let node = Node::start().await;
    let person = Person::new("Ann");
    let mut ann = node.enter(&person).await;
    let room = ann.create("group").await;
    // More than what lies between a server and a client that takes nothing.
    let text = "x".repeat(16_000);
    for _ in 0..20 {
        let mut reqs = Vec::new();
        for _ in 0..50 {
            let key = ann.key();
            let fields = json!({"key": key, "room": room, "text": text});
            reqs.push(ann.tell("send", fields).await);
        }
        for req in reqs {
            assert_eq!(ann.reply(req).await["type"], "ack");
        }
        ann.passed.clear();
    }
    let slow = begin(node.address, &person.token).await;
    let (status, answer) = node
        .request("GET", PATH, Some(&person.token), &json!({}))
        .await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("busy")));
    // Another's is another's.
    let bob = Person::new("Bob");
    drop(node.enter(&bob).await);
    export(&node, &bob.token).await;
    drop(slow);
    let again = async {
        loop {
            let asked = request(node.address, &person.token);
            let (head, body) = http_parts(node.address, &asked).await;
            if head.starts_with("HTTP/1.1 200") {
                return unchunked(&body);
            }
            assert!(body.contains("busy"), "{head} {body}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let (text, whole) = bounded("the turn is given back", again).await;
    assert!(whole && text.lines().last().unwrap().contains("\"end\""));
    assert_eq!(
        text.lines().filter(|line| line.contains("xxxx")).count(),
        1_000
    );
    // Two of six are taken; the end of a turn may be noticed a little later than that of its answer.
    let limited = async {
        loop {
            let wanted = json!({});
            let asked = node.request("GET", PATH, Some(&person.token), &wanted);
            let (status, answer) = asked.await;
            if status == 429 {
                return answer;
            }
            assert!(
                status == 200 || answer["error"]["code"] == "busy",
                "{answer}"
            );
        }
    };
    let answer = bounded("an end to exports", limited).await;
    assert_eq!(answer["error"]["code"], "rate_limited");
    assert!(answer["error"]["retry_after_ms"].as_u64().unwrap() > 1_000);
    node.stop().await;
}

#[tokio::test]
async fn whoever_is_nobody_takes_nothing() {
    let node = Node::start().await;
    for token in [None, Some("nonsense")] {
        let (status, answer) = node.request("GET", PATH, token, &json!({})).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (401, &json!("bad_token"))
        );
    }
    node.stop().await;
}
