//! The other forms over the wire: the binary one beside JSON, and several frames in one message.

use chinwag_core::codec::binary;
use chinwag_core::ids::Key;
use chinwag_core::wire::{ClientFrame, Cursor};
use serde_json::{Value, json};

use crate::support::{BINARY, Client, Node, Person, Seen, upgrade_request};

/// A socket that speaks the binary form; what it reads is shown as JSON.
async fn open_binary(node: &Node) -> Client {
    let request = upgrade_request(node.address, "").replace("chinwag.v1.json", "chinwag.v1.bin");
    Client::open_with(node.address, None, request.as_bytes()).await
}

async fn say(client: &mut Client, frame: &ClientFrame) {
    let bytes = binary::encode_client(frame);
    client.frame(BINARY, &bytes).await;
}

fn hello(person: &Person) -> ClientFrame {
    ClientFrame::Hello {
        v: 1,
        token: person.token.clone(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: false,
    }
}

#[tokio::test]
async fn both_forms_meet_in_one_room() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut json_client = node.enter(&ann).await;
    let room = json_client.create("group").await;
    let mut client = open_binary(&node).await;
    say(&mut client, &hello(&ann)).await;
    client.expect("welcome").await;
    let synced = client.until("caught_up").await;
    assert_eq!(synced[0]["rooms"][0]["room"], json!(room));

    let send = ClientFrame::Send {
        req: 7,
        key: Key([9; 16]),
        room,
        body: "Grüße \u{1f41f}".into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: None,
    };
    say(&mut client, &send).await;
    let ack = client.expect("ack").await;
    assert_eq!((&ack["req"], &ack["seq"]), (&json!(7), &json!(2)));
    let event = client.event(room, 2).await;
    assert_eq!(event["body"]["text"], "Grüße \u{1f41f}");
    assert_eq!(json_client.event(room, 2).await, event, "the same in JSON");

    json_client.send(room, "and back").await;
    assert_eq!(client.event(room, 3).await["body"]["text"], "and back");
    let room_of_nobody = ClientFrame::Room {
        req: 8,
        room: chinwag_core::ids::RoomId([7; 16]),
    };
    say(&mut client, &room_of_nobody).await;
    assert_eq!(client.expect("error").await["code"], "not_found");
    client.frame(BINARY, &[0x82, 17]).await;
    assert_eq!(client.expect("error").await["code"], "bad_frame");
    client.text("{\"type\":\"ping\",\"req\":9}").await;
    assert_eq!(client.closed().await.0, 1003);
    node.stop().await;
}

#[tokio::test]
async fn a_client_of_low_bandwidth_gets_the_same_frames() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut other = node.enter(&ann).await;
    let room = other.create("group").await;
    let mut client = node.open().await;
    client
        .hello(&ann.token, json!({"low_bandwidth": true}))
        .await;
    for text in ["one", "two", "three"] {
        other.send(room, text).await;
    }
    let mut frames: Vec<Value> = Vec::new();
    while !frames.iter().any(|frame| frame["seq"] == 4) {
        match client.seen().await {
            Seen::Frame(Value::Array(list)) => frames.extend(list),
            Seen::Frame(frame) => frames.push(frame),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(frames[0]["type"], "welcome");
    let events: Vec<&Value> = frames
        .iter()
        .filter(|frame| frame["type"] == "event")
        .collect();
    assert!(
        events.is_sorted_by_key(|event| event["seq"].as_u64()),
        "{events:?}"
    );
    assert!(frames.iter().any(|frame| frame["type"] == "caught_up"));
    node.stop().await;
}
