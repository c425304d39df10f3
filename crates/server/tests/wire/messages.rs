//! Messages that must follow another, messages that the server does not understand, and who is kept
//! from letting whom in.

use serde_json::{Value, json};

use crate::support::{Node, Person, refused};

#[tokio::test]
async fn of_two_who_follow_the_same_message_exactly_one_is_accepted() {
    let node = Node::start().await;
    let (mut ann, mut bob) = (
        node.enter(&Person::new("Ann")).await,
        node.enter(&Person::new("Bob")).await,
    );
    let room = ann.create("public").await;
    bob.write("join", json!({"room": room})).await;
    let mut last = 0;
    for round in 0..20 {
        let fields = json!({"room": room, "text": format!("step {round}"), "if_last": last});
        let mut asked = Vec::new();
        for client in [&mut ann, &mut bob] {
            let mut fields = fields.clone();
            fields["key"] = json!(client.key());
            asked.push((client.tell("send", fields.clone()).await, fields));
        }
        let replies = [ann.reply(asked[0].0).await, bob.reply(asked[1].0).await];
        let acks = replies.iter().filter(|reply| reply["type"] == "ack");
        let acks: Vec<&Value> = acks.collect();
        assert_eq!(acks.len(), 1, "{replies:?}");
        last = acks[0]["seq"].as_u64().unwrap();
        let late = replies.iter().find(|reply| reply["type"] != "ack").unwrap();
        refused(late, "not_last");
        assert_eq!(late["seq"], last, "{late}");
        // Each again under its key: the first ack, and the same refusal.
        for (at, client) in [&mut ann, &mut bob].into_iter().enumerate() {
            let again = client.ask("send", asked[at].1.clone()).await;
            let (mut first, mut again) = (replies[at].clone(), again);
            (first["req"], again["req"]) = (Value::Null, Value::Null);
            assert_eq!(again, first);
        }
        // What is no message changes nothing of it.
        let react = json!({"room": room, "target": last, "emoji": "x", "on": round % 2 == 0});
        bob.write("react", react).await;
    }
    let bad = json!({"room": room, "text": "x", "if_last": "first"});
    refused(&ann.write("send", bad).await, "bad_field");
    node.stop().await;
}

#[tokio::test]
async fn what_the_server_does_not_understand_is_a_message() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    let body = json!({"enc": "mls-1", "bytes": "-_8AAQ"});
    let mut send = body.clone();
    (send["room"], send["mentions"]) = (json!(room), json!([bob.id]));
    let ack = one.write("send", send).await;
    assert_eq!(
        (&ack["seq"], &ack["msg_no"]),
        (&json!(3), &json!(1)),
        "{ack}"
    );
    let event = two.event(room, 3).await;
    assert_eq!((&event["kind"], &event["body"]), (&json!("message"), &body));
    assert_eq!(event["mentions"], json!([bob.id]));
    let row = two.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["unread"], 1, "{row}");
    assert_eq!(row["row"]["me"]["mentions"], 1, "{row}");
    // The largest that fits, answered; one byte more does not.
    let most = chinwag_core::limits::OPAQUE_BYTES_MAX;
    let large = |bytes: usize| {
        let enc = "a".repeat(chinwag_core::limits::ENC_BYTES_MAX);
        let mentions = vec![json!(bob.id); chinwag_core::limits::MENTIONS_MAX];
        json!({"room": room, "enc": enc, "bytes": "AAAA".repeat(bytes / 3), "reply_to": 3,
            "mentions": mentions, "if_last": 3})
    };
    let ack = two.write("send", large(most)).await;
    assert_eq!(ack["type"], "ack", "{ack}");
    let body_4 = one.event(room, 4).await["body"].clone();
    assert_eq!(body_4["bytes"].as_str().unwrap().len(), most / 3 * 4);
    let refusal = two.write("send", large(most + 3)).await;
    refused(&refusal, "too_long");
    assert_eq!(refusal["field"], "bytes");
    // A text becomes one, and one becomes a text.
    one.send(room, "in the open").await;
    for (target, body) in [
        (5, json!({"enc": "mls-1", "bytes": "AAAA"})),
        (3, json!({"text": "in the open"})),
    ] {
        let mut edit = body.clone();
        (edit["room"], edit["target"]) = (json!(room), json!(target));
        assert_eq!(one.write("edit", edit).await["type"], "ack");
        let page = two.ask("history", json!({"room": room})).await;
        let lines = page["messages"].as_array().unwrap();
        let line = lines.iter().find(|line| line["seq"] == target).unwrap();
        assert_eq!(line["body"], body, "{line}");
    }
    let edits = two.ask("edits", json!({"room": room, "target": 3})).await;
    assert_eq!(edits["edits"][0]["bytes"], "-_8AAQ", "{edits}");
    assert_eq!(edits["edits"][1]["text"], "in the open", "{edits}");
    one.write("redact", json!({"room": room, "target": 3}))
        .await;
    let after = two.ask("after", json!({"room": room, "seq": 0})).await;
    assert!(!after.to_string().contains("-_8AAQ"), "{after}");
    node.stop().await;
}

#[tokio::test]
async fn a_message_is_a_text_or_opaque_and_well_formed() {
    let node = Node::start().await;
    let mut ann = node.enter(&Person::new("Ann")).await;
    let room = ann.create("group").await;
    for (body, code, field) in [
        (json!({}), "bad_field", "text"),
        (json!({"enc": "mls-1"}), "bad_field", "bytes"),
        (json!({"bytes": "AAAA"}), "bad_field", "enc"),
        (
            json!({"text": "x", "enc": "mls-1", "bytes": "AAAA"}),
            "bad_field",
            "text",
        ),
        (json!({"enc": "", "bytes": "AAAA"}), "bad_field", "enc"),
        (json!({"enc": "MLS", "bytes": "AAAA"}), "bad_field", "enc"),
        (
            json!({"enc": "a".repeat(33), "bytes": "AAAA"}),
            "bad_field",
            "enc",
        ),
        (json!({"enc": "mls-1", "bytes": ""}), "blank", "bytes"),
        (
            json!({"enc": "mls-1", "bytes": "AA=="}),
            "bad_field",
            "bytes",
        ),
        (json!({"enc": "mls-1", "bytes": "AB"}), "bad_field", "bytes"),
        (json!({"enc": "mls-1", "bytes": [1]}), "bad_field", "bytes"),
    ] {
        let mut send = body;
        send["room"] = json!(room);
        let refusal = ann.write("send", send).await;
        refused(&refusal, code);
        assert_eq!(refusal["field"], field, "{refusal}");
    }
    node.stop().await;
}

#[tokio::test]
async fn who_is_blocked_lets_nobody_in_and_is_told_no_more_than_before() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = two.create("group").await;
    one.ask("block", json!({"user": bob.id, "on": true})).await;
    let others = one.create("group").await;
    for (client, room, user) in [(&mut two, room, ann.id), (&mut one, others, bob.id)] {
        let direct = client.write("direct", json!({"user": user})).await;
        for kind in ["add", "invite_user"] {
            let mut refusal = client
                .write(kind, json!({"room": room, "user": user}))
                .await;
            refused(&refusal, "forbidden");
            refusal["req"] = direct["req"].clone();
            assert_eq!(refusal, direct, "answered as `direct` is");
        }
    }
    one.ask("block", json!({"user": bob.id})).await;
    let ack = two
        .write("add", json!({"room": room, "user": ann.id}))
        .await;
    assert_eq!(ack["type"], "ack", "{ack}");
    node.stop().await;
}

#[tokio::test]
async fn who_is_muted_is_listed_and_who_is_banned_for_those_who_look_after_the_room() {
    let node = Node::start().await;
    let people = ["Ann", "Bob", "Carol"].map(Person::new);
    let mut clients = Vec::new();
    for person in &people {
        clients.push(node.enter(person).await);
    }
    let room = clients[0].create("group").await;
    let (bob, carol) = (people[1].id, people[2].id);
    for user in [bob, carol] {
        let add = json!({"room": room, "user": user});
        clients[0].write("add", add).await;
    }
    let mute = json!({"room": room, "user": bob, "on": true});
    clients[0].write("mute", mute).await;
    let ask = json!({"room": room});
    let members = clients[2].ask("members", ask.clone()).await;
    assert_eq!(members["muted"], json!([bob]), "{members}");
    assert_eq!(members["members"].as_array().unwrap().len(), 3);
    let banned = json!({"room": room, "state": "banned"});
    let none = clients[0].ask("members", banned.clone()).await;
    assert_eq!(none["members"], json!([]), "{none}");
    let refusal = clients[2].ask("members", banned.clone()).await;
    refused(&refusal, "forbidden");
    let ban = json!({"room": room, "user": carol, "on": true});
    clients[0].write("ban", ban).await;
    let listed = clients[0].ask("members", banned.clone()).await;
    assert_eq!(listed["members"], json!([[carol, "member"]]), "{listed}");
    refused(&clients[1].ask("members", banned.clone()).await, "muted");
    refused(&clients[2].ask("members", banned).await, "not_member");
    for state in ["left", "Banned", ""] {
        let bad = json!({"room": room, "state": state});
        refused(&clients[0].ask("members", bad).await, "bad_field");
    }
    node.stop().await;
}
