//! Pictures over HTTP: uploaded, stripped, stored once, shown to whoever is signed in, and bounded.

use std::net::SocketAddr;

use chinwag_core::limits::{AVATAR_BYTES_MAX, AVATAR_UPLOADS_MAX};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Node, Person, bounded};

const SECRET: &[u8] = b"52.5200N 13.4050E";

/// A PNG so many pixels wide, with chunks before its data.
pub(crate) fn png(width: u32, before: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend_from_slice(&[0, 0, 0, 1, 8, 0, 0, 0, 0]);
    let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &header)];
    chunks.extend_from_slice(before);
    chunks.extend_from_slice(&[(b"IDAT", &[0x78, 0x9C, 0x63, 0x60]), (b"IEND", &[])]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in chunks {
        out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        let summed = [&kind[..], body].concat();
        out.extend_from_slice(&summed);
        out.extend_from_slice(&crc32fast::hash(&summed).to_be_bytes());
    }
    out
}

/// What came back.
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(one, _value)| one.eq_ignore_ascii_case(name));
        found.map(|(_name, value)| value)
    }

    /// It was refused with this status and code.
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.head);
        assert_eq!(self.json()["error"]["code"], code, "{}", self.head);
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}

async fn talk(address: SocketAddr, head: &str, body: &[u8]) -> Got {
    let answer = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever has refused need not read to the end.
        let _refused = stream.write_all(body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = bounded("an HTTP answer", answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.unwrap());
    let head = String::from_utf8(head.to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Got {
        status: status.unwrap(),
        head,
        body: body[4..].to_vec(),
    }
}

fn head(address: SocketAddr, what: &str, who: Option<&Person>, more: &str) -> String {
    let bearer = who.map_or_else(String::new, |who| {
        format!("Authorization: Bearer {}\r\n", who.token)
    });
    format!("{what} HTTP/1.1\r\nHost: {address}\r\n{bearer}{more}Connection: close\r\n\r\n")
}

async fn put(node: &Node, who: Option<&Person>, kind: &str, body: &[u8]) -> Got {
    let more = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
    let head = head(node.address, "PUT /api/v1/avatars", who, &more);
    talk(node.address, &head, body).await
}

async fn get(node: &Node, who: Option<&Person>, id: &str, more: &str) -> Got {
    let what = format!("GET /api/v1/avatars/{id}");
    talk(node.address, &head(node.address, &what, who, more), b"").await
}

/// The id of an uploaded PNG.
pub(crate) async fn uploaded(node: &Node, who: &Person, bytes: &[u8]) -> String {
    let got = put(node, Some(who), "image/png", bytes).await;
    assert_eq!(got.status, 201, "{}", got.head);
    got.json()["avatar"].as_str().unwrap().to_owned()
}

/// The status with which a picture is shown to somebody.
pub(crate) async fn shown(node: &Node, who: &Person, id: &str) -> u16 {
    get(node, Some(who), id, "").await.status
}

#[tokio::test]
async fn a_picture_is_stripped_stored_once_and_shown_to_whoever_is_signed_in() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (_one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let clean = png(4, &[]);
    let mut dirty = png(4, &[(b"tEXt", SECRET), (b"eXIf", SECRET)]);
    dirty.extend_from_slice(SECRET);
    let id = uploaded(&node, &ann, &dirty).await;
    assert!(id.starts_with("a_") && id.len() == 28, "{id}");
    assert_eq!(uploaded(&node, &bob, &clean).await, id, "the same picture");
    let got = get(&node, Some(&bob), &id, "").await;
    assert_eq!((got.status, &got.body), (200, &clean));
    let tag = format!("\"{id}\"");
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("etag", &tag),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    let asked_again = format!("If-None-Match: \"x\", W/{tag}\r\n");
    let got = get(&node, Some(&bob), &id, &asked_again).await;
    assert_eq!((got.status, got.body.len()), (304, 0));
    assert_eq!(got.header("etag"), Some(&*tag));
    // An id alone opens nothing, and what is not there is said like what is no id.
    get(&node, None, &id, "").await.refused(401, "bad_token");
    let nothing = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for other in [nothing, "x", &id.replace("a_", "u_")] {
        let got = get(&node, Some(&bob), other, "").await;
        got.refused(404, "not_found");
    }
    // Once used and let go of by the last who referred to it, it is gone.
    for (avatar, status) in [(json!(id), 200), (json!(null), 404)] {
        let ok = two.ask("profile", json!({ "avatar": avatar })).await;
        assert_eq!(ok["type"], "ok", "{ok}");
        let mut one = node.enter(&ann).await;
        let ok = one.ask("profile", json!({ "avatar": avatar })).await;
        assert_eq!(ok["type"], "ok", "{ok}");
        assert_eq!(shown(&node, &bob, &id).await, status, "{avatar}");
    }
    node.stop().await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused_by_its_reason() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let _one = node.enter(&ann).await;
    let good = png(4, &[]);
    let short = &good[..good.len() - 1];
    let gif = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>";
    let large = vec![7; AVATAR_BYTES_MAX + 1];
    put(&node, None, "image/png", &good)
        .await
        .refused(401, "bad_token");
    let cases: [(&str, &[u8], u16, &str); 11] = [
        ("image/gif", gif, 415, "bad_frame"),
        ("image/svg+xml", svg, 415, "bad_frame"),
        ("application/json", b"{}", 415, "bad_frame"),
        ("image/png", gif, 400, "bad_field"),
        ("image/png", svg, 400, "bad_field"),
        ("image/jpeg", &good, 400, "bad_field"),
        ("image/png", short, 400, "bad_field"),
        ("image/png", b"", 400, "bad_field"),
        ("image/webp", b"RIFF\xff\xff\xff\xffWEBP", 400, "bad_field"),
        ("image/png", &png(513, &[]), 400, "bad_field"),
        ("image/png", &large, 413, "too_long"),
    ];
    for (kind, body, status, code) in cases {
        put(&node, Some(&ann), kind, body)
            .await
            .refused(status, code);
    }
    let text = put(&node, Some(&ann), "image/png; charset=x", &good).await;
    assert_eq!(text.status, 201, "parameters say nothing");
    let exact = [(b"gAMA", &[0; 4][..])];
    let filled = png(4, &exact);
    let padding = vec![0; AVATAR_BYTES_MAX - filled.len()];
    let full = [&filled[..], &padding].concat();
    assert_eq!(put(&node, Some(&ann), "image/png", &full).await.status, 201);
    let post = head(node.address, "POST /api/v1/avatars", Some(&ann), "");
    let got = talk(node.address, &post, b"").await;
    got.refused(405, "unknown_command");
    assert_eq!(got.header("allow"), Some("PUT"));
    node.stop().await;
}

#[tokio::test]
async fn a_body_of_seventeen_megabytes_is_not_waited_for() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let _one = node.enter(&ann).await;
    let more = format!(
        "Content-Type: image/png\r\nContent-Length: {}\r\n",
        17 * 1024 * 1024
    );
    let announced = head(node.address, "PUT /api/v1/avatars", Some(&ann), &more);
    let got = talk(node.address, &announced, b"").await;
    got.refused(413, "too_long");
    // Nor is one whose length nobody has said.
    let more = "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n";
    let chunked = head(node.address, "PUT /api/v1/avatars", Some(&ann), more);
    let mut body = format!("{:x}\r\n", AVATAR_BYTES_MAX + 1).into_bytes();
    body.extend(vec![7; AVATAR_BYTES_MAX + 1]);
    let got = talk(node.address, &chunked, &body).await;
    got.refused(413, "too_long");
    node.stop().await;
}

#[tokio::test]
async fn uploads_are_bounded_in_number_and_rate() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut one = node.enter(&ann).await;
    let _two = node.enter(&bob).await;
    let numbers = 1..=AVATAR_UPLOADS_MAX as u32;
    let mut ids = Vec::new();
    for width in numbers {
        ids.push(uploaded(&node, &ann, &png(width, &[])).await);
    }
    let next = png(100, &[]);
    let got = put(&node, Some(&ann), "image/png", &next).await;
    got.refused(409, "too_many");
    // Used, it is no unused one any more.
    let ok = one.ask("profile", json!({"avatar": ids[0]})).await;
    assert_eq!(ok["type"], "ok", "{ok}");
    uploaded(&node, &ann, &next).await;
    let limited = async {
        loop {
            let got = put(&node, Some(&ann), "image/png", b"no picture").await;
            if got.status == 429 {
                return got;
            }
            got.refused(400, "bad_field");
        }
    };
    let got = bounded("too many uploads", limited).await;
    got.refused(429, "rate_limited");
    let wait_ms = got.json()["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_000).contains(&wait_ms), "{wait_ms}");
    uploaded(&node, &bob, &next).await;
    node.stop().await;
}
