//! Who types is told to those who look at the room, never to oneself, and ends in every way.

use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};

/// Looks at these rooms, and says what of `presence` and `typing` came with it.
pub(crate) async fn watch(client: &mut Client, rooms: Value) -> Vec<Value> {
    let ok = client.ask("watch", json!({"rooms": rooms})).await;
    assert_eq!(ok["type"], "ok", "{ok}");
    ephemeral(client).await
}

/// All of `presence` and `typing` that has come by now: what is due at once is told in the round
/// in which the shard heard of it, before it answers the next frame.
pub(crate) async fn ephemeral(client: &mut Client) -> Vec<Value> {
    let all = client.so_far().await;
    let told = all
        .into_iter()
        .filter(|frame| frame["type"] == "presence" || frame["type"] == "typing");
    told.collect()
}

async fn types(client: &mut Client, room: impl serde::Serialize, on: bool) -> Value {
    let fields = json!({"room": room, "on": on});
    client.ask("typing", fields).await
}

#[tokio::test]
async fn typing_reaches_those_who_look_and_ends_with_the_message() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let (mut other, mut blind) = (node.enter(&bob).await, node.enter(&bob).await);
    let room = phone.create("public").await;
    other.write("join", json!({"room": room})).await;
    for client in [&mut phone, &mut laptop, &mut other] {
        client.event(room, 2).await;
        watch(client, json!([room])).await;
    }
    assert_eq!(types(&mut phone, room, true).await["type"], "ok");
    let typing = other.until("typing").await.pop().unwrap();
    let expected = json!({"type": "typing", "room": room, "users": [ann.id], "more": 0});
    assert_eq!(typing, expected);
    // A message ends it, without a word of its sender.
    phone.send(room, "three").await;
    let typing = other.until("typing").await.pop().unwrap();
    let nobody = json!({"type": "typing", "room": room, "users": [], "more": 0});
    assert_eq!(typing, nobody);
    // Said again and taken back; and with the last connection.
    types(&mut phone, room, true).await;
    assert_eq!(other.until("typing").await.pop(), Some(expected.clone()));
    types(&mut phone, room, false).await;
    assert_eq!(other.until("typing").await.pop(), Some(nobody.clone()));
    types(&mut laptop, room, true).await;
    assert_eq!(other.until("typing").await.pop(), Some(expected));
    for one in [&mut phone, &mut laptop, &mut blind] {
        let told = ephemeral(one).await;
        let typing = told.iter().filter(|frame| frame["type"] == "typing");
        assert_eq!(typing.count(), 0, "{told:?}");
    }
    drop((phone, laptop));
    assert_eq!(other.until("typing").await.pop(), Some(nobody));
    node.stop().await;
}

#[tokio::test]
async fn who_does_not_write_does_not_type() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let group = one.create("group").await;
    watch(&mut one, json!([group])).await;
    let nowhere = "r_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    // A foreign room answers like none.
    for on in [true, false] {
        refused(&types(&mut two, group, on).await, "not_found");
        refused(&types(&mut two, nowhere, on).await, "not_found");
    }
    one.write("add", json!({"room": group, "user": bob.id}))
        .await;
    two.event(group, 2).await;
    assert_eq!(types(&mut two, group, true).await["type"], "ok");
    one.until("typing").await;
    one.write("remove", json!({"room": group, "user": bob.id}))
        .await;
    // Who is sent away has stopped, and may not begin again.
    let typing = one.until("typing").await.pop().unwrap();
    assert_eq!(typing["users"], json!([]));
    two.event(group, 3).await;
    refused(&types(&mut two, group, true).await, "not_member");
    let told = ephemeral(&mut one).await;
    assert!(
        told.iter().all(|frame| frame["type"] != "typing"),
        "{told:?}"
    );
    node.stop().await;
}

#[tokio::test]
async fn typing_never_costs_a_message_its_turn() {
    let rate = |config: &mut chinwag_server::config::Config| {
        config.limits.rate_per_second = serde_json::from_value(json!(0.01)).unwrap();
        config.limits.rate_burst = chinwag_server::config::Whole::new(4);
    };
    let node = Node::with(rate).await;
    let mut one = node.enter(&Person::new("Ann")).await;
    let room = one.create("group").await;
    watch(&mut one, json!([room])).await;
    // Dropped, and answered all the same.
    for _ in 0..20 {
        assert_eq!(types(&mut one, room, true).await["type"], "ok");
    }
    refused(
        &one.ask("watch", json!({"rooms": [room]})).await,
        "rate_limited",
    );
    for text in ["two", "three"] {
        one.send(room, text).await;
    }
    let refusal = one
        .write("send", json!({"room": room, "text": "four"}))
        .await;
    refused(&refusal, "rate_limited");
    node.stop().await;
}
