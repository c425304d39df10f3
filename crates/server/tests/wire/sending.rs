//! Keys, replays, conflicts, order, rates, and who gets what when.

use chinwag_server::config::Whole;
use serde_json::json;

use crate::support::{Client, Node, Person, refused};

#[tokio::test]
async fn the_ack_precedes_the_event_and_every_device_gets_the_same_bytes() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut phone = node.enter(&ann).await;
    let mut laptop = node.enter(&ann).await;
    let mut other = node.enter(&bob).await;
    let room = phone.create("group").await;
    let added = phone
        .write("add", json!({"room": room, "user": bob.id}))
        .await;
    assert_eq!(added["seq"], 2, "{added}");
    phone.so_far().await;

    let key = phone.key();
    phone
        .tell(
            "send",
            json!({"key": key, "room": room, "text": "Hello \u{1F600}"}),
        )
        .await;
    let ack = phone.next().await;
    assert_eq!(
        (&ack["type"], &ack["seq"], &ack["msg_no"]),
        (&json!("ack"), &json!(3), &json!(1))
    );
    let event = phone.expect("event").await;
    assert_eq!(event["key"], json!(key));
    assert_eq!(event["body"], json!({"text": "Hello \u{1F600}"}));
    assert_eq!(event["from"][0], json!(ann.id));
    assert_eq!(event["ts"], ack["ts"]);
    for client in [&mut laptop, &mut other] {
        assert_eq!(client.event(room, 3).await, event);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_key_is_used_once_and_answers_for_ever() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut client = node.enter(&ann).await;
    let _bob = node.enter(&bob).await;
    let room = client.create("group").await;
    let key = client.key();
    let send = json!({"key": key, "room": room, "text": "once"});
    let first = client.ask("send", send.clone()).await;
    let again = client.ask("send", send.clone()).await;
    for field in ["room", "seq", "msg_no", "ts"] {
        assert_eq!(first[field], again[field], "{field}");
    }
    let other = client
        .ask("send", json!({"key": key, "room": room, "text": "twice"}))
        .await;
    refused(&other, "conflict");
    let other = client
        .ask("add", json!({"key": key, "room": room, "user": bob.id}))
        .await;
    refused(&other, "conflict");
    // Another connection, after a reconnect, and even two at once: the same answer.
    let mut second = node.enter(&ann).await;
    let (one, two) = (
        second.tell("send", send.clone()).await,
        second.tell("send", send).await,
    );
    for req in [one, two] {
        assert_eq!(second.reply(req).await["seq"], first["seq"]);
    }
    let next = client.send(room, "next").await;
    assert_eq!(next, 3, "nothing was stored twice");
    let events: Vec<_> = client
        .so_far()
        .await
        .into_iter()
        .filter(|frame| frame["type"] == "event")
        .collect();
    assert_eq!(events.len(), 3, "{events:?}");
    node.stop().await;
}

#[tokio::test]
async fn a_repeated_create_finds_the_same_room() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let key = client.key();
    let create = json!({"key": key, "kind": "group", "name": "Kitchen"});
    let (first, again) = (
        client.ask("create", create.clone()).await,
        client.ask("create", create).await,
    );
    assert_eq!(
        (&first["room"], &first["seq"]),
        (&again["room"], &again["seq"])
    );
    let other = client
        .ask(
            "create",
            json!({"key": key, "kind": "group", "name": "Cellar"}),
        )
        .await;
    refused(&other, "conflict");
    node.stop().await;
}

#[tokio::test]
async fn a_req_is_free_again_after_its_reply() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    for round in 0..2 {
        client
            .say(&json!({"type": "room", "req": 77, "room": room}))
            .await;
        let frame = client.reply(77).await;
        assert_eq!(frame["type"], "room", "round {round}: {frame}");
    }
    // In one write, so that the second is read while the first waits for the disk.
    let (one, two) = (client.key(), client.key());
    let send =
        |key| json!({"type": "send", "req": 78, "key": key, "room": room, "text": "x"}).to_string();
    let mut bytes = crate::support::masked(0x81, send(one).as_bytes());
    bytes.extend(crate::support::masked(0x81, send(two).as_bytes()));
    client.raw(&bytes).await;
    let replies = [client.reply(78).await, client.reply(78).await];
    let kinds: Vec<_> = replies
        .iter()
        .map(|reply| reply["type"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"ack") && kinds.contains(&"error"),
        "{replies:?}"
    );
    refused(
        replies
            .iter()
            .find(|reply| reply["type"] == "error")
            .unwrap(),
        "req_reused",
    );
    node.stop().await;
}

#[tokio::test]
async fn many_commands_at_once_each_get_their_reply_in_order() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    let mut reqs = Vec::new();
    for number in 0..300 {
        let key = client.key();
        let send = json!({"key": key, "room": room, "text": format!("{number}")});
        reqs.push(client.tell("send", send).await);
    }
    for (number, req) in reqs.into_iter().enumerate() {
        assert_eq!(client.reply(req).await["seq"], number as u64 + 2);
    }
    node.stop().await;
}

async fn slow_node() -> Node {
    Node::with(|config| {
        config.limits.rate_burst = Whole::new(3);
        config.limits.rate_per_second = serde_json::from_value(json!(2.0)).unwrap();
    })
    .await
}

#[tokio::test]
async fn too_many_at_once_are_refused_for_now_and_keep_their_order() {
    let node = slow_node().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    let room = client.create("group").await;
    let other = client.create("group").await;
    client.send(room, "the last of three").await;
    let (first, second) = (client.key(), client.key());
    let send = |key, text: &str| json!({"key": key, "room": room, "text": text});
    let refusal = client.ask("send", send(first, "first")).await;
    refused(&refusal, "rate_limited");
    let wait_ms = refusal["retry_after_ms"].as_u64().unwrap();
    assert!((1..=500).contains(&wait_ms), "{refusal}");
    refused(
        &client.ask("send", send(second, "second")).await,
        "retry_in_order",
    );
    // The gate is the room's: another one is only rate limited.
    let elsewhere = client
        .write("send", json!({"room": other, "text": "x"}))
        .await;
    refused(&elsewhere, "rate_limited");
    // The bucket is the user's, not the connection's; the gate is the connection's.
    let mut laptop = node.enter(&ann).await;
    refused(
        &laptop
            .write("send", json!({"room": room, "text": "y"}))
            .await,
        "rate_limited",
    );
    // The refused key opens the gate, when its time has come.
    let opened = repeat(&mut client, &send(first, "first")).await;
    assert_eq!(opened["seq"], 3, "{opened}");
    let opened = repeat(&mut client, &send(second, "second")).await;
    assert_eq!(opened["seq"], 4, "{opened}");
    node.stop().await;
}

/// Sends again until it is not refused for now.
async fn repeat(client: &mut Client, send: &serde_json::Value) -> serde_json::Value {
    loop {
        let reply = client.ask("send", send.clone()).await;
        let Some(wait_ms) = reply["retry_after_ms"].as_u64() else {
            return reply;
        };
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
    }
}
