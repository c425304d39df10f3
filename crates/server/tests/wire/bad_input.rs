//! What is refused because of the frame alone, and what the connection survives.

use serde_json::json;

use crate::support::{
    BINARY, Client, ISSUER, Node, PING, Person, Seen, TEXT, masked, refused, token, token_of,
};

/// A first frame: the error that answers it, if any, and the close code.
async fn check_first(node: &Node, first: &str, error: Option<&str>, close: u16) {
    let mut client = node.open().await;
    client.text(first).await;
    let (code, frames) = client.closed().await;
    assert_eq!(code, close, "{first}");
    match error {
        Some(error) => {
            assert_eq!(frames.len(), 1, "{first}: {frames:?}");
            refused(&frames[0], error);
        }
        None => assert!(frames.is_empty(), "{first}: {frames:?}"),
    }
}

fn hello(token: &str) -> String {
    json!({"type": "hello", "v": 1, "token": token}).to_string()
}

#[tokio::test]
async fn a_first_frame_that_is_no_good_hello_ends_the_connection() {
    let node = Node::start().await;
    let check = |first: &str, error, close| {
        let first = first.to_owned();
        let node = &node;
        async move { check_first(node, &first, error, close).await }
    };
    check(r#"{"type":"ping","req":1}"#, Some("hello_first"), 4301).await;
    check("hello", Some("bad_frame"), 4301).await;
    check(r#"{"type":"hello","v":1}"#, Some("bad_field"), 4301).await;
    check(r#"{"type":"hello","token":"x"}"#, Some("bad_field"), 4301).await;
    check(r#"{"type":"hello","v":2,"token":"x"}"#, None, 4302).await;
    check(&hello("x"), Some("bad_token"), 4202).await;
    check(&hello(""), Some("bad_token"), 4202).await;
    check(&hello(&token("Ann", -3_600)), Some("token_expired"), 4201).await;
    let secret = b"another secret, just as long as the right one is";
    check(
        &hello(&token_of(ISSUER, "Ann", 60, secret)),
        Some("bad_token"),
        4202,
    )
    .await;
    let stranger = token_of("https://elsewhere.example", "Ann", 60, secret);
    check(&hello(&stranger), Some("bad_token"), 4202).await;
    // Longer than a foreign token may live.
    check(&hello(&token("Ann", 48 * 3_600)), Some("bad_token"), 4202).await;
    node.settle(0, 0).await;
    node.stop().await;
}

/// In one write with a good `hello`: the token is still being looked at.
#[tokio::test]
async fn a_command_between_hello_and_welcome_ends_the_connection() {
    let node = Node::start().await;
    let mut client = node.open().await;
    let mut bytes = masked(0x80 | TEXT, hello(&Person::new("Ann").token).as_bytes());
    bytes.extend(masked(0x80 | TEXT, br#"{"type":"ping","req":1}"#));
    client.raw(&bytes).await;
    let (code, frames) = client.closed().await;
    assert_eq!(code, 4301);
    refused(&frames[0], "hello_first");
    assert_eq!(frames[0]["req"], 1);
    node.settle(0, 0).await;
    node.stop().await;
}

#[tokio::test]
async fn hello_comes_once() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    client.hello(&ann.token, json!({})).await;
    refused(&client.next().await, "hello_twice");
    assert_eq!(client.ask("ping", json!({})).await["type"], "pong");
    node.stop().await;
}

#[tokio::test]
async fn refused_frames_name_what_is_wrong_and_the_connection_goes_on() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    let key = client.key();
    let long = "x".repeat(16 * 1024 + 1);
    let deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
    let send = |text: &str| {
        format!(r#"{{"type":"send","req":9,"key":"{key}","room":"{room}","text":{text}}}"#)
    };
    let users = vec!["u_aaaaaaaaaaaaaaaaaaaaaaaaaa"; 201];
    let rooms = vec!["r_aaaaaaaaaaaaaaaaaaaaaaaaaa"; 33];
    let cases: Vec<(String, &str, Option<&str>, Option<u64>)> = vec![
        ("not json".into(), "bad_frame", None, None),
        (String::new(), "bad_frame", None, None),
        ("[]".into(), "bad_frame", None, None),
        ("{} {}".into(), "bad_frame", None, None),
        (
            r#"{"type":"ping","req":9,"req":9}"#.into(),
            "bad_frame",
            None,
            None,
        ),
        (
            format!(r#"{{"type":"ping","req":9,"x":{deep}}}"#),
            "bad_frame",
            None,
            None,
        ),
        (send(r#""\ud800""#), "bad_frame", None, None),
        (r#"{"req":9}"#.into(), "bad_field", Some("type"), Some(9)),
        (r#"{"type":"ping"}"#.into(), "bad_field", Some("req"), None),
        (
            r#"{"type":"ping","req":-1}"#.into(),
            "bad_field",
            Some("req"),
            None,
        ),
        (
            r#"{"type":"ping","req":1.5}"#.into(),
            "bad_field",
            Some("req"),
            None,
        ),
        (
            r#"{"type":"ping","req":9007199254740992}"#.into(),
            "bad_field",
            Some("req"),
            None,
        ),
        (
            r#"{"type":"ping","req":"9"}"#.into(),
            "bad_field",
            Some("req"),
            None,
        ),
        (
            r#"{"type":"dance","req":9}"#.into(),
            "unknown_command",
            None,
            Some(9),
        ),
        (send(r#""""#), "blank", Some("text"), Some(9)),
        (send(r#"" \n\t\u3000""#), "blank", Some("text"), Some(9)),
        (send(r#""a\u0000b""#), "bad_field", Some("text"), Some(9)),
        (
            send(&format!("\"{long}\"")),
            "too_long",
            Some("text"),
            Some(9),
        ),
        (send("7"), "bad_field", Some("text"), Some(9)),
        (
            send(r#""x""#).replace(&key.to_string(), "k_short"),
            "bad_field",
            Some("key"),
            Some(9),
        ),
        (
            send(r#""x""#).replace(&key.to_string(), &format!("{key}a")),
            "bad_field",
            Some("key"),
            Some(9),
        ),
        (
            send(r#""x""#).replace(&room.to_string(), "r_short"),
            "bad_field",
            Some("room"),
            Some(9),
        ),
        (
            send(r#""x""#).replace("\"room\"", "\"moor\""),
            "bad_field",
            Some("room"),
            Some(9),
        ),
        (
            json!({"type":"profiles","req":9,"users":users}).to_string(),
            "bad_field",
            Some("users"),
            Some(9),
        ),
        (
            json!({"type":"ping","req":9,"rooms":rooms}).to_string(),
            "bad_field",
            Some("rooms"),
            Some(9),
        ),
        (
            json!({"type":"create","req":9,"key":key,"kind":"direct","name":"x"}).to_string(),
            "bad_field",
            Some("kind"),
            Some(9),
        ),
        (
            json!({"type":"create","req":9,"key":key,"kind":"group","name":" "}).to_string(),
            "blank",
            Some("name"),
            Some(9),
        ),
        (
            json!({"type":"create","req":9,"key":key,"kind":"group","name":"a\nb"}).to_string(),
            "bad_field",
            Some("name"),
            Some(9),
        ),
        (
            json!({"type":"create","req":9,"key":key,"kind":"group","name":"y".repeat(65)})
                .to_string(),
            "too_long",
            Some("name"),
            Some(9),
        ),
        (
            json!({"type":"sync","req":9,"position":"17"}).to_string(),
            "bad_field",
            Some("position"),
            Some(9),
        ),
    ];
    for (text, code, field, req) in cases {
        client.text(&text).await;
        let frame = client.until("error").await.pop().unwrap();
        refused(&frame, code);
        assert_eq!(frame["field"].as_str(), field, "{text}: {frame}");
        assert_eq!(frame["req"].as_u64(), req, "{text}: {frame}");
    }
    // Unknown fields are no fault, and nothing of all this was stored.
    assert_eq!(
        client.ask("ping", json!({"later": {"a": [1]}})).await["type"],
        "pong"
    );
    let row = client.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["head"], 1, "{row}");
    node.stop().await;
}

/// Bytes after `hello`, and the close code that answers them.
async fn check_bytes(node: &Node, bytes: &[u8], close: u16) {
    let mut client = node.enter(&Person::new("Ann")).await;
    client.raw(bytes).await;
    assert_eq!(client.closed().await.0, close);
}

#[tokio::test]
async fn bytes_that_are_no_text_close_with_a_code() {
    let node = Node::start().await;
    check_bytes(&node, &masked(0x80 | BINARY, b"{}"), 1003).await;
    check_bytes(&node, &masked(0x80 | TEXT, b"\"\xff\xfe\""), 1007).await;
    check_bytes(
        &node,
        &masked(0x80 | TEXT, &vec![b' '; 64 * 1024 + 1]),
        1009,
    )
    .await;
    // RSV1 without negotiation, a reserved opcode, and a frame without a mask.
    check_bytes(&node, &masked(0xc0 | TEXT, b"{}"), 1002).await;
    check_bytes(&node, &masked(0x83, b"{}"), 1002).await;
    check_bytes(&node, &[0x81, 2, b'{', b'}'], 1002).await;
    // As much as a frame may hold is read, and refused as the wrong JSON that it is.
    let mut client = node.enter(&Person::new("Ann")).await;
    client
        .raw(&masked(0x80 | TEXT, &vec![b' '; 64 * 1024]))
        .await;
    refused(&client.next().await, "bad_frame");
    drop(client);
    node.settle(0, 0).await;
    node.stop().await;
}

#[tokio::test]
async fn floods_of_small_frames_close_with_a_code() {
    let node = Node::start().await;
    let pings = masked(0x80 | PING, b"x").repeat(200);
    check_bytes(&node, &pings, 1008).await;
    let mut fragments = masked(TEXT, b" ");
    fragments.extend(masked(0x0, b" ").repeat(200));
    check_bytes(&node, &fragments, 1008).await;
    node.stop().await;
}

#[tokio::test]
async fn a_first_frame_glued_to_the_upgrade_is_read() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut glued = crate::support::upgrade_request(node.address, "").into_bytes();
    glued.extend(masked(0x80 | TEXT, hello(&ann.token).as_bytes()));
    let mut client = Client::open_with(node.address, None, &glued).await;
    client.expect("welcome").await;
    client.until("caught_up").await;
    client.frame(PING, b"are you there").await;
    assert_eq!(client.seen().await, Seen::Pong(b"are you there".to_vec()));
    node.stop().await;
}
