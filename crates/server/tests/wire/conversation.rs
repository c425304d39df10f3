//! What is said about messages and people: events for everybody, folded for whoever comes later,
//! and a coded refusal for each mistake.

use chinwag_core::ids::{RoomId, UserId};
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};

/// Ann's public room with Bob in it: 2 lets him in, 3 is Ann's message, 4 is Bob's.
async fn setting(node: &Node) -> (Person, Client, Person, Client, RoomId) {
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("public").await;
    other.write("join", json!({"room": room})).await;
    one.send(room, "ann's").await;
    other.send(room, "bob's").await;
    (ann, one, bob, other, room)
}

async fn acked(client: &mut Client, kind: &str, fields: Value) -> u64 {
    let reply = client.write(kind, fields).await;
    assert_eq!(reply["type"], "ack", "{kind}: {reply}");
    reply["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn everybody_hears_what_is_said_about_messages_and_whoever_comes_later_sees_it_folded() {
    let node = Node::start().await;
    let (ann, mut one, bob, mut other, room) = setting(&node).await;
    let about = |target: u64, more: Value| {
        let mut fields = json!({"room": room, "target": target});
        crate::support::merge(&mut fields, more);
        fields
    };
    let answer =
        json!({"room": room, "text": "@Ann yes", "reply_to": 3, "mentions": [ann.id, ann.id]});
    assert_eq!(acked(&mut other, "send", answer).await, 5);
    acked(&mut one, "edit", about(3, json!({"text": "edited"}))).await;
    acked(
        &mut other,
        "react",
        about(3, json!({"emoji": "👍", "on": true})),
    )
    .await;
    acked(&mut one, "pin", about(3, json!({"on": true}))).await;
    acked(&mut other, "redact", about(4, json!({}))).await;
    let topic = json!({"room": room, "topic": "what is for lunch"});
    acked(&mut one, "configure", topic).await;
    let heard = [
        (5, "message", json!({"text": "@Ann yes"})),
        (6, "edit", json!({"text": "edited"})),
        (7, "reaction", json!({"emoji": "👍", "on": true})),
        (8, "pin", json!({"on": true})),
        (9, "redact", json!({})),
        (10, "settings", json!({"topic": "what is for lunch"})),
    ];
    for (seq, kind, body) in heard {
        for client in [&mut one, &mut other] {
            let event = client.event(room, seq).await;
            assert_eq!((&event["kind"], &event["body"]), (&json!(kind), &body));
            if seq == 5 {
                let about = (&event["reply_to"], &event["mentions"]);
                assert_eq!(about, (&json!(3), &json!([ann.id])));
            }
        }
    }
    let row = one.ask("room", json!({"room": room})).await["row"].clone();
    assert_eq!(row["topic"], "what is for lunch", "{row}");
    assert_eq!(row["pins"], json!([3]), "{row}");
    assert_eq!(
        (&row["me"]["unread"], &row["me"]["mentions"]),
        (&json!(1), &json!(1))
    );
    let page = one.ask("history", json!({"room": room})).await;
    let lines = page["messages"].as_array().unwrap();
    let line = |seq: u64| lines.iter().find(|line| line["seq"] == seq).unwrap();
    assert_eq!(line(3)["body"]["text"], "edited");
    assert_eq!(line(3)["edited"], 6);
    assert_eq!(line(3)["reactions"], json!([["👍", bob.id]]));
    assert_eq!(
        (&line(4)["body"]["text"], &line(4)["redacted"]),
        (&json!(""), &json!(9))
    );
    // The raw log has lost it as well.
    let log = one.ask("after", json!({"room": room, "seq": 3})).await;
    assert_eq!(log["items"][0]["body"]["text"], "", "{log}");
    node.stop().await;
}

#[tokio::test]
async fn each_mistake_about_a_message_has_its_code() {
    let node = Node::start().await;
    let (_ann, mut one, _bob, mut other, room) = setting(&node).await;
    let nobody = UserId([9; 16]);
    let many: Vec<UserId> = (0..51).map(|number| UserId([number; 16])).collect();
    let mistakes = [
        (
            "edit",
            json!({"target": 3, "text": "mine now"}),
            "forbidden",
        ),
        ("edit", json!({"target": 2, "text": "x"}), "no_message"),
        ("edit", json!({"target": 99, "text": "x"}), "not_found"),
        ("edit", json!({"target": 4, "text": " "}), "blank"),
        ("edit", json!({"text": "x"}), "bad_field"),
        ("redact", json!({"target": 3}), "forbidden"),
        ("redact", json!({"target": 1}), "no_message"),
        (
            "react",
            json!({"target": 3, "emoji": "ab", "on": true}),
            "bad_field",
        ),
        (
            "react",
            json!({"target": 3, "emoji": "x".repeat(65), "on": true}),
            "too_long",
        ),
        (
            "react",
            json!({"target": 3, "emoji": "", "on": true}),
            "blank",
        ),
        ("pin", json!({"target": 3, "on": true}), "forbidden"),
        ("pin", json!({"target": 3, "on": "yes"}), "bad_field"),
        ("configure", json!({"topic": "mine"}), "forbidden"),
        ("configure", json!({}), "bad_field"),
        ("configure", json!({"topic": "t".repeat(251)}), "too_long"),
        ("configure", json!({"name": " "}), "blank"),
        ("send", json!({"text": "x", "reply_to": 2}), "no_message"),
        ("send", json!({"text": "x", "reply_to": 99}), "not_found"),
        (
            "send",
            json!({"text": "x", "mentions": [nobody]}),
            "not_found",
        ),
        (
            "send",
            json!({"text": "x", "mentions": ["room"]}),
            "forbidden",
        ),
        (
            "send",
            json!({"text": "x", "mentions": ["all"]}),
            "bad_field",
        ),
        ("send", json!({"text": "x", "mentions": many}), "bad_field"),
    ];
    for (kind, mut fields, code) in mistakes {
        fields["room"] = json!(room);
        let words = format!("{kind} {fields}");
        let reply = other.write(kind, fields).await;
        assert_eq!(reply["code"], code, "{words}: {reply}");
    }
    acked(&mut one, "redact", json!({"room": room, "target": 4})).await;
    for (kind, more) in [
        ("edit", json!({"text": "again"})),
        ("redact", json!({})),
        ("react", json!({"emoji": "👍", "on": true})),
    ] {
        let mut fields = json!({"room": room, "target": 4});
        crate::support::merge(&mut fields, more);
        refused(&other.write(kind, fields).await, "gone");
    }
    node.stop().await;
}

#[tokio::test]
async fn roles_muting_and_banning_act_at_once_and_have_their_codes() {
    let node = Node::start().await;
    let (ann, mut one, bob, mut other, room) = setting(&node).await;
    let with = |user: UserId, more: Value| {
        let mut fields = json!({"room": room, "user": user});
        crate::support::merge(&mut fields, more);
        fields
    };
    refused(
        &one.write("leave", json!({"room": room})).await,
        "last_owner",
    );
    let demoted = with(ann.id, json!({"role": "member"}));
    refused(&one.write("role", demoted).await, "last_owner");
    let word = with(bob.id, json!({"role": "king"}));
    refused(&one.write("role", word).await, "bad_field");
    acked(&mut one, "mute", with(bob.id, json!({"on": true}))).await;
    let reply = other
        .write("send", json!({"room": room, "text": "x"}))
        .await;
    refused(&reply, "muted");
    let row = other.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["muted"], true, "{row}");
    acked(&mut one, "mute", with(bob.id, json!({}))).await;
    let event = other.event(room, 6).await;
    let body = json!({"user": bob.id, "role": "member", "muted": false});
    assert_eq!((&event["kind"], &event["body"]), (&json!("role"), &body));
    assert_eq!(other.send(room, "heard again").await, 7);
    acked(&mut one, "ban", with(bob.id, json!({"on": true}))).await;
    let event = other.event(room, 8).await;
    assert_eq!(event["body"]["state"], "banned", "{event}");
    assert_eq!(event["body"]["members"], 1, "{event}");
    refused(&other.write("join", json!({"room": room})).await, "banned");
    refused(&one.write("add", with(bob.id, json!({}))).await, "banned");
    // What follows is not for him; how he stands he is told by his row alone.
    one.send(room, "among us").await;
    acked(&mut one, "ban", with(bob.id, json!({}))).await;
    let mut heard = other.so_far().await;
    heard.retain(|frame| frame["type"] != "row");
    assert_eq!(heard, Vec::<Value>::new());
    acked(&mut other, "join", json!({"room": room})).await;
    node.stop().await;
}

#[tokio::test]
async fn so_many_reactions_of_different_kinds_and_no_more() {
    let node = Node::start().await;
    let (_ann, mut one, _bob, _other, room) = setting(&node).await;
    for number in 0..=50_u32 {
        let emoji = char::from_u32(0x1f600 + number).unwrap().to_string();
        let fields = json!({"room": room, "target": 4, "emoji": emoji, "on": true});
        let reply = one.write("react", fields).await;
        if number < 50 {
            assert_eq!(reply["type"], "ack", "{reply}");
        } else {
            refused(&reply, "too_many");
        }
    }
    node.stop().await;
}

/// A device of Ann's that reads hears on her other one how many mentions are left.
#[tokio::test]
async fn mentions_are_told_with_markers() {
    let node = Node::start().await;
    let (ann, mut one, _bob, mut other, room) = setting(&node).await;
    let mut laptop = node.enter(&ann).await;
    for _ in 0..2 {
        let call = json!({"room": room, "text": "@Ann", "mentions": [ann.id]});
        acked(&mut other, "send", call).await;
    }
    one.ask("mark", json!({"room": room, "read": 5})).await;
    let marker = laptop.until("marker").await.pop().unwrap();
    assert_eq!(
        (&marker["unread"], &marker["mentions"]),
        (&json!(1), &json!(1))
    );
    node.stop().await;
}
