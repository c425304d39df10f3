//! Membership: who may do what, told in order, and nothing after the going.

use chinwag_core::ids::{RoomId, UserId};
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused, room_of};

async fn pair(node: &Node) -> (Person, Client, Person, Client) {
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (one, other) = (node.enter(&ann).await, node.enter(&bob).await);
    (ann, one, bob, other)
}

#[tokio::test]
async fn rooms_that_one_was_never_in_answer_like_none() {
    let node = Node::start().await;
    let (_ann, mut one, bob, mut other) = pair(&node).await;
    let foreign = one.create("group").await;
    let none = RoomId([7; 16]);
    let mut answers = Vec::new();
    for room in [foreign, none] {
        let mut all: Vec<Value> = Vec::new();
        all.push(
            other
                .write("send", json!({"room": room, "text": "x"}))
                .await,
        );
        all.push(other.write("join", json!({"room": room})).await);
        all.push(other.write("leave", json!({"room": room})).await);
        all.push(
            other
                .write("add", json!({"room": room, "user": bob.id}))
                .await,
        );
        all.push(
            other
                .write("remove", json!({"room": room, "user": bob.id}))
                .await,
        );
        all.push(other.ask("mark", json!({"room": room, "read": 1})).await);
        all.push(other.ask("after", json!({"room": room, "seq": 0})).await);
        all.push(other.ask("history", json!({"room": room})).await);
        all.push(other.ask("room", json!({"room": room})).await);
        all.push(other.ask("members", json!({"room": room})).await);
        for answer in &mut all {
            refused(answer, "not_found");
            answer["req"] = Value::Null;
        }
        let pong = other.ask("ping", json!({"rooms": [room]})).await;
        assert_eq!(pong["heads"], json!([]), "{pong}");
        answers.push(all);
    }
    assert_eq!(answers[0], answers[1], "a foreign room shows in nothing");
    node.stop().await;
}

#[tokio::test]
async fn direct_rooms_are_found_not_doubled() {
    let node = Node::start().await;
    let (ann, mut one, bob, mut other) = pair(&node).await;
    refused(
        &one.write("direct", json!({"user": ann.id})).await,
        "self_direct",
    );
    refused(
        &one.write("direct", json!({"user": UserId([9; 16])})).await,
        "not_found",
    );
    // From both sides at once.
    let (mine, theirs) = tokio::join!(
        one.write("direct", json!({"user": bob.id})),
        other.write("direct", json!({"user": ann.id}))
    );
    let room = room_of(&mine);
    assert_eq!(
        (mine["type"].as_str(), theirs["type"].as_str()),
        (Some("ack"), Some("ack"))
    );
    assert_eq!(
        (&mine["room"], &mine["seq"]),
        (&theirs["room"], &theirs["seq"])
    );
    for client in [&mut one, &mut other] {
        let row = client.ask("room", json!({"room": room})).await;
        assert_eq!(row["row"]["head"], 1, "{row}");
        assert_eq!(row["row"]["members"], 2, "{row}");
        refused(
            &client.write("leave", json!({"room": room})).await,
            "forbidden",
        );
    }
    let carol = Person::new("Carol");
    let _carol = node.enter(&carol).await;
    refused(
        &one.write("add", json!({"room": room, "user": carol.id}))
            .await,
        "forbidden",
    );
    refused(
        &one.write("remove", json!({"room": room, "user": bob.id}))
            .await,
        "forbidden",
    );
    node.stop().await;
}

#[tokio::test]
async fn joining_and_leaving_twice_is_refused() {
    let node = Node::start().await;
    let (ann, mut one, bob, mut other) = pair(&node).await;
    let public = one.create("public").await;
    refused(
        &one.write("join", json!({"room": public})).await,
        "already_member",
    );
    assert_eq!(other.write("join", json!({"room": public})).await["seq"], 2);
    refused(
        &other.write("join", json!({"room": public})).await,
        "already_member",
    );
    refused(
        &one.write("add", json!({"room": public, "user": bob.id}))
            .await,
        "already_member",
    );
    refused(
        &other
            .write("remove", json!({"room": public, "user": ann.id}))
            .await,
        "forbidden",
    );
    assert_eq!(
        other.write("leave", json!({"room": public})).await["seq"],
        3
    );
    refused(
        &other.write("leave", json!({"room": public})).await,
        "not_member",
    );
    refused(
        &other
            .write("send", json!({"room": public, "text": "x"}))
            .await,
        "not_member",
    );
    refused(
        &one.write("remove", json!({"room": public, "user": bob.id}))
            .await,
        "not_member",
    );
    refused(
        &other.ask("members", json!({"room": public})).await,
        "not_member",
    );
    // A group is not come back to by oneself.
    let group = one.create("group").await;
    one.write("add", json!({"room": group, "user": bob.id}))
        .await;
    other.write("leave", json!({"room": group})).await;
    refused(
        &other.write("join", json!({"room": group})).await,
        "forbidden",
    );
    node.stop().await;
}

/// The seqs of `room` among frames.
fn seqs(frames: &[Value], room: RoomId) -> Vec<u64> {
    let events = frames
        .iter()
        .filter(|frame| frame["type"] == "event" && frame["room"] == json!(room));
    events.map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_removed_get_their_removal_and_nothing_after_it() {
    let node = Node::start().await;
    let (_ann, mut one, bob, mut other) = pair(&node).await;
    let mut laptop = node.enter(&bob).await;
    let room = one.create("group").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    one.send(room, "3: both").await;
    assert_eq!(
        one.write("remove", json!({"room": room, "user": bob.id}))
            .await["seq"],
        4
    );
    one.send(room, "5: not for Bob").await;
    one.so_far().await;
    for client in [&mut other, &mut laptop] {
        assert_eq!(seqs(&client.so_far().await, room), [2, 3, 4]);
    }
    refused(
        &other
            .write("send", json!({"room": room, "text": "x"}))
            .await,
        "not_member",
    );
    let row = other.ask("room", json!({"room": room})).await["row"].clone();
    assert_eq!(
        (&row["head"], &row["me"]["state"]),
        (&json!(4), &json!("removed")),
        "{row}"
    );
    let pong = other.ask("ping", json!({"rooms": [room]})).await;
    assert_eq!(pong["heads"], json!([]));
    // Back in: from that event on, and what lay between is accounted for.
    assert_eq!(
        one.write("add", json!({"room": room, "user": bob.id}))
            .await["seq"],
        6
    );
    one.send(room, "7: both").await;
    one.so_far().await;
    for client in [&mut other, &mut laptop] {
        assert_eq!(seqs(&client.so_far().await, room), [6, 7]);
    }
    let stretch = other.ask("after", json!({"room": room, "seq": 0})).await;
    let skipped: Vec<&Value> = stretch["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["type"] == "skip")
        .collect();
    let expected = [
        json!({"type": "skip", "room": room, "from": 1, "to": 1, "why": "before_join"}),
        json!({"type": "skip", "room": room, "from": 5, "to": 5, "why": "not_member"}),
    ];
    assert_eq!(skipped, expected.iter().collect::<Vec<_>>(), "{stretch}");
    node.stop().await;
}

#[tokio::test]
async fn a_replay_is_answered_even_after_a_removal() {
    let node = Node::start().await;
    let (_ann, mut one, bob, mut other) = pair(&node).await;
    let room = one.create("group").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    let key = other.key();
    let send = json!({"key": key, "room": room, "text": "sent in time"});
    let first = other.ask("send", send.clone()).await;
    one.write("remove", json!({"room": room, "user": bob.id}))
        .await;
    assert_eq!(other.ask("send", send).await["seq"], first["seq"]);
    refused(
        &other
            .ask("send", json!({"key": key, "room": room, "text": "other"}))
            .await,
        "conflict",
    );
    node.stop().await;
}
