//! People asked into a room by name: told at once, on all devices, and of nothing but the room.

use chinwag_core::ids::RoomId;
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};

/// Waits for one's row of `room`, told by itself; nothing else of that room may come before it.
async fn row(client: &mut Client, room: RoomId) -> Value {
    loop {
        let frame = client.next().await;
        if frame["type"] == "row" && frame["row"]["room"] == json!(room) {
            return frame["row"].clone();
        }
        assert_ne!(frame["room"], json!(room), "{frame}");
    }
}

#[tokio::test]
async fn whoever_is_asked_in_is_told_on_all_devices_and_answers() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut one = node.enter(&ann).await;
    let (mut phone, synced) = node.enter_with(&bob, json!({})).await;
    let position = synced.last().unwrap()["position"].clone();
    let epoch = json!({"epoch": node_epoch(&node, &bob).await, "position": position});
    let mut laptop = node.enter(&bob).await;
    let room = one.create("group").await;
    one.send(room, "2: not for Bob").await;
    let asked = json!({"room": room, "user": bob.id});
    assert_eq!(one.write("invite_user", asked.clone()).await["seq"], 3);
    refused(
        &one.write("invite_user", asked.clone()).await,
        "already_invited",
    );
    for client in [&mut phone, &mut laptop] {
        let row = row(client, room).await;
        assert_eq!(row["me"]["state"], "invited", "{row}");
        assert_eq!(row["name"], "Kitchen", "{row}");
        let told = (&row["head"], &row["members"], &row["msg_no"]);
        assert_eq!(told, (&json!(0), &json!(1), &json!(0)), "{row}");
    }
    // After a time offline, and to a device without anything.
    for cursor in [epoch, json!({})] {
        let (mut tablet, synced) = node.enter_with(&bob, cursor).await;
        assert_eq!(synced[0]["type"], "summary");
        let rows = synced[0]["rooms"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["me"]["state"], "invited", "{rows:?}");
        for (kind, fields) in [
            ("members", json!({"room": room})),
            ("who", json!({"room": room})),
            ("typing", json!({"room": room, "on": true})),
        ] {
            refused(&tablet.ask(kind, fields).await, "not_member");
        }
        let page = tablet.ask("history", json!({"room": room})).await;
        assert_eq!(page["messages"], json!([]), "{page}");
        let pong = tablet.ask("ping", json!({"rooms": [room]})).await;
        assert_eq!(pong["heads"], json!([]), "{pong}");
        let marked = tablet.ask("mark", json!({"room": room, "read": 3})).await;
        assert_eq!(marked["type"], "ok", "{marked}");
    }
    one.send(room, "4: not for Bob either").await;
    one.so_far().await;
    let heard = phone.so_far().await;
    assert!(
        heard.iter().all(|frame| frame["room"] != json!(room)),
        "{heard:?}"
    );
    // Declined on one device, and so on the other.
    assert_eq!(laptop.write("leave", json!({"room": room})).await["seq"], 5);
    assert_eq!(row(&mut phone, room).await["me"]["state"], "left");
    refused(
        &phone.write("join", json!({"room": room})).await,
        "forbidden",
    );
    // Asked again, accepted: from here on it is a room like any other.
    assert_eq!(one.write("invite_user", asked).await["seq"], 6);
    assert_eq!(row(&mut phone, room).await["me"]["state"], "invited");
    assert_eq!(phone.write("join", json!({"room": room})).await["seq"], 7);
    one.send(room, "8: for both").await;
    phone.event(room, 7).await;
    phone.event(room, 8).await;
    laptop.event(room, 8).await;
    let row = laptop.ask("room", json!({"room": room})).await["row"].clone();
    let me = (
        &row["me"]["state"],
        &row["me"]["since"],
        &row["me"]["unread"],
    );
    assert_eq!(me, (&json!("joined"), &json!(7), &json!(1)), "{row}");
    node.stop().await;
}

async fn node_epoch(node: &Node, person: &Person) -> Value {
    let mut client = node.open().await;
    client.hello(&person.token, json!({})).await;
    client.expect("welcome").await["epoch"].clone()
}

#[tokio::test]
async fn a_withdrawn_invitation_is_told_and_good_for_nothing() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    let who = json!({"room": room, "user": bob.id});
    one.write("invite_user", who.clone()).await;
    assert_eq!(row(&mut other, room).await["me"]["state"], "invited");
    one.write("remove", who.clone()).await;
    assert_eq!(row(&mut other, room).await["me"]["state"], "removed");
    refused(
        &other.write("join", json!({"room": room})).await,
        "forbidden",
    );
    one.write("add", who).await;
    assert_eq!(
        other.ask("room", json!({"room": room})).await["row"]["head"],
        4
    );
    node.stop().await;
}

#[tokio::test]
async fn the_texts_of_a_message_over_the_wire() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    let target = one.send(room, "first").await;
    let fields = json!({"room": room, "target": target, "text": "second"});
    one.write("edit", fields).await;
    let asked = json!({"room": room, "target": target});
    let found = one.ask("edits", asked.clone()).await;
    let texts: Vec<(&Value, &Value)> = found["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["seq"], &row["text"]))
        .collect();
    let expected = [(json!(2), json!("first")), (json!(3), json!("second"))];
    assert!(texts.into_iter().eq(expected.iter().map(|(a, b)| (a, b))));
    assert_eq!(found["more"], false, "{found}");
    let rest = json!({"room": room, "target": target, "after": 2});
    assert_eq!(one.ask("edits", rest).await["edits"][0]["seq"], 3);
    refused(&other.ask("edits", asked.clone()).await, "not_found");
    one.write("redact", asked.clone()).await;
    refused(&one.ask("edits", asked).await, "gone");
    node.stop().await;
}
