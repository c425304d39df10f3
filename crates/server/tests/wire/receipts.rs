//! Those who wrote are told how far the others have come, and whoever asks, since when.

use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};

/// The next `receipt` of a client.
async fn told(client: &mut Client) -> Value {
    client.until("receipt").await.pop().unwrap()
}

/// The receipts among what came so far.
async fn receipts(client: &mut Client) -> Vec<Value> {
    let seen = client.so_far().await.into_iter();
    seen.filter(|frame| frame["type"] == "receipt").collect()
}

#[tokio::test]
async fn delivered_and_read_reach_those_who_wrote_on_all_their_devices() {
    let node = Node::start().await;
    let (ann, bob, carol) = (Person::new("Ann"), Person::new("Bob"), Person::new("Carol"));
    let (mut one, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let (mut two, mut three) = (node.enter(&bob).await, node.enter(&carol).await);
    let room = one.create("public").await;
    two.write("join", json!({"room": room})).await;
    three.write("join", json!({"room": room})).await;
    one.send(room, "four").await;
    two.event(room, 4).await;
    two.ask("mark", json!({"room": room, "delivered": 4})).await;
    let expected = json!({"type": "receipt", "room": room, "members": [[bob.id, 4, 0]]});
    assert_eq!(told(&mut one).await, expected);
    assert_eq!(told(&mut laptop).await, expected);
    two.ask("mark", json!({"room": room, "read": 4})).await;
    let expected = json!({"type": "receipt", "room": room, "members": [[bob.id, 4, 4]]});
    assert_eq!(told(&mut one).await, expected);
    // Who did not write is told nothing, nor is who marked.
    assert_eq!(receipts(&mut two).await, Vec::<Value>::new());
    assert_eq!(receipts(&mut three).await, Vec::<Value>::new());
    // On request, to the second: others than oneself.
    let all = one.ask("receipts", json!({"room": room, "seq": 4})).await;
    let members = all["members"].as_array().unwrap();
    let of = |id: Value| members.iter().find(|one| one["user"] == id).cloned();
    let bobs = of(json!(bob.id)).unwrap();
    assert_eq!((&bobs["delivered"], &bobs["read"]), (&json!(4), &json!(4)));
    let when = |name: &str| bobs[name].as_i64().unwrap();
    let now = one.ask("ping", json!({})).await["now"].as_i64().unwrap();
    assert!(
        (now - 60_000..=now).contains(&when("delivered_at")),
        "{all}"
    );
    assert!(
        (when("delivered_at")..=now).contains(&when("read_at")),
        "{all}"
    );
    let carols = json!({"user": carol.id, "delivered": 0, "read": 0});
    assert_eq!(of(json!(carol.id)), Some(carols));
    assert_eq!(members.len(), 2, "{all}");
    // Without a message: no times.
    let all = three.ask("receipts", json!({"room": room})).await;
    let of_bob = json!({"user": bob.id, "delivered": 4, "read": 4});
    assert!(
        all["members"].as_array().unwrap().contains(&of_bob),
        "{all}"
    );
    node.stop().await;
}

#[tokio::test]
async fn who_hides_receipts_tells_nobody_and_is_told_nothing() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let mut phone = node.enter(&bob).await;
    let room = one.create("public").await;
    two.write("join", json!({"room": room})).await;
    let hide = two.ask("settings", json!({"hide_receipts": true})).await;
    assert_eq!(hide["type"], "ok", "{hide}");
    let settings = phone.until("settings").await.pop().unwrap();
    assert_eq!(settings["hide_receipts"], json!(true), "{settings}");
    one.send(room, "three").await;
    two.send(room, "four").await;
    two.ask("mark", json!({"room": room, "read": 4})).await;
    one.ask("mark", json!({"room": room, "read": 4})).await;
    for (client, expected) in [(&mut one, 0), (&mut two, 0)] {
        let all = client.ask("receipts", json!({"room": room})).await;
        assert_eq!(all["members"].as_array().unwrap().len(), expected, "{all}");
    }
    // Shown again: what was hidden is known, because it was stored.
    two.ask("settings", json!({"hide_receipts": false})).await;
    let all = one.ask("receipts", json!({"room": room})).await;
    let expected = json!([{"user": bob.id, "delivered": 4, "read": 4}]);
    assert_eq!(all["members"], expected, "{all}");
    one.send(room, "five").await;
    two.ask("mark", json!({"room": room, "read": 5})).await;
    // Had one been told of the fourth, it would have come before this.
    let expected = json!({"type": "receipt", "room": room, "members": [[bob.id, 5, 5]]});
    assert_eq!(told(&mut one).await, expected);
    node.stop().await;
}

#[tokio::test]
async fn who_may_not_see_a_message_learns_nothing_of_it() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    let nowhere = "r_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for room in [json!(room), json!(nowhere)] {
        let asked = json!({"room": room, "seq": 1});
        refused(&two.ask("receipts", asked).await, "not_found");
    }
    one.send(room, "two").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    let before = json!({"room": room, "seq": 2});
    refused(&two.ask("receipts", before).await, "no_message");
    refused(
        &one.ask("receipts", json!({"room": room, "seq": 1})).await,
        "no_message",
    );
    one.write("remove", json!({"room": room, "user": bob.id}))
        .await;
    refused(
        &two.ask("receipts", json!({"room": room})).await,
        "not_member",
    );
    node.stop().await;
}
