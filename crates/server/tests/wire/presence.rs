//! Who is online is told to those who look at the room, at once, and to nobody whom it is hidden
//! from. How it ends with time is the core's own test (`watch`), with simulated time.

use serde_json::{Value, json};

use super::typing::{ephemeral, watch};
use crate::support::{Client, Node, Person, refused};

/// The next `presence` of a client.
async fn told(client: &mut Client) -> Value {
    client.until("presence").await.pop().unwrap()
}

#[tokio::test]
async fn online_is_told_at_once_and_a_return_not_at_all() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut one = node.enter(&ann).await;
    let room = one.create("public").await;
    let mut two = node.enter(&bob).await;
    two.write("join", json!({"room": room})).await;
    one.event(room, 2).await;
    let mut online = vec![ann.id, bob.id];
    online.sort_unstable();
    let all = json!({"type": "presence", "room": room, "count": 2, "change": 0, "online": online});
    assert_eq!(watch(&mut one, json!([room])).await, [all]);
    // A foreign room, and none at all, are passed over alike.
    let foreign = node.enter(&Person::new("Eve")).await.create("group").await;
    let nowhere = "r_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let seen = watch(&mut one, json!([room, foreign, nowhere])).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    // Another connection, and the going of both: nothing for half a minute.
    let again = node.enter(&bob).await;
    drop((again, two));
    node.settle(1, 1).await;
    let back = node.enter(&bob).await;
    assert_eq!(ephemeral(&mut one).await, Vec::<Value>::new());
    // Somebody new.
    let carol = Person::new("Carol");
    let mut three = node.enter(&carol).await;
    three.write("join", json!({"room": room})).await;
    let change = told(&mut one).await;
    let expected = json!({"type": "presence", "room": room, "count": 3, "change": 1,
        "joined": [carol.id]});
    assert_eq!(change, expected);
    three.write("leave", json!({"room": room})).await;
    let change = told(&mut one).await;
    let expected = json!({"type": "presence", "room": room, "count": 2, "change": 2,
        "left": [carol.id]});
    assert_eq!(change, expected);
    // Looking at nothing ends it.
    assert_eq!(watch(&mut one, json!([])).await, Vec::<Value>::new());
    three.write("join", json!({"room": room})).await;
    one.event(room, 5).await;
    assert_eq!(ephemeral(&mut one).await, Vec::<Value>::new());
    let many = vec![nowhere; 33];
    refused(&one.ask("watch", json!({"rooms": many})).await, "bad_field");
    drop(back);
    node.stop().await;
}

#[tokio::test]
async fn who_hides_is_seen_nowhere_and_sees_nobody() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let mut laptop = node.enter(&bob).await;
    let room = one.create("public").await;
    two.write("join", json!({"room": room})).await;
    for client in [&mut one, &mut two] {
        client.event(room, 2).await;
        watch(client, json!([room])).await;
    }
    let ok = two.ask("settings", json!({"hide_online": true})).await;
    assert_eq!(ok["type"], "ok", "{ok}");
    let change = told(&mut one).await;
    assert_eq!(
        (&change["left"], &change["count"]),
        (&json!([bob.id]), &json!(1))
    );
    let nobody = json!({"type": "presence", "room": room, "count": 0, "change": 0, "online": []});
    assert_eq!(told(&mut two).await, nobody);
    // One's own other devices hear of it, now and when they come back.
    let settings = laptop.until("settings").await.pop().unwrap();
    let hiding =
        json!({"hide_last_seen": false, "hide_online": true, "hide_receipts": false, "version": 1});
    let mut expected = hiding.clone();
    expected["type"] = json!("settings");
    assert_eq!(settings, expected);
    let (mut tablet, synced) = node.enter_with(&bob, json!({})).await;
    assert_eq!(synced[0]["settings"], hiding, "{synced:?}");
    // No snapshot, list or typing leaks it.
    assert_eq!(watch(&mut tablet, json!([room])).await, [nobody]);
    two.ask("typing", json!({"room": room, "on": true})).await;
    one.ask("typing", json!({"room": room, "on": true})).await;
    let (_ann_sees, bob_sees) = (ephemeral(&mut one).await, ephemeral(&mut two).await);
    assert_eq!(bob_sees, Vec::<Value>::new());
    let seen = watch(&mut one, json!([room])).await;
    assert_eq!(seen[0]["online"], json!([ann.id]), "{seen:?}");
    assert_eq!(seen.len(), 1, "{seen:?}");
    let fields = json!({"room": room, "online": true});
    let who = one.ask("who", fields.clone()).await;
    assert_eq!(
        who["people"],
        json!([{"user": ann.id, "online": true}]),
        "{who}"
    );
    assert_eq!(two.ask("who", fields).await["people"], json!([]));
    let who = one.ask("who", json!({"room": room})).await;
    let mut everybody = [(ann.id, true), (bob.id, false)];
    everybody.sort_unstable();
    let everybody = everybody
        .iter()
        .map(|(user, online)| json!({"user": user, "online": online}));
    assert_eq!(who["people"], everybody.collect::<Value>(), "{who}");
    // And back.
    two.ask("settings", json!({"hide_online": false})).await;
    assert_eq!(told(&mut one).await["joined"], json!([bob.id]));
    assert_eq!(told(&mut two).await["count"], 2);
    node.stop().await;
}

#[tokio::test]
async fn who_is_for_members_and_tells_last_seen_to_those_who_show_it() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    let who = json!({"room": room});
    refused(&two.ask("who", who.clone()).await, "not_found");
    let nowhere = json!({"room": "r_aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    refused(&two.ask("who", nowhere).await, "not_found");
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    two.event(room, 2).await;
    let page = two.ask("who", who.clone()).await;
    assert_eq!(page["people"].as_array().unwrap().len(), 2, "{page}");
    assert_eq!(page["more"], false);
    // The end of the node is the end of everybody's time: then it is stored.
    drop((one, two));
    node.settle(0, 0).await;
    let place = node.halt().await;
    let node = Node::on(place, |_config| {}).await;
    let mut one = node.enter(&ann).await;
    let last_seen = |page: &Value, of: &Person| {
        let people = page["people"].as_array().unwrap().iter();
        let mut found = people.filter(|person| person["user"] == json!(of.id));
        found.next().unwrap()["last_seen"].clone()
    };
    let page = one.ask("who", who.clone()).await;
    let at = last_seen(&page, &bob).as_i64().unwrap();
    let now = one.ask("ping", json!({})).await["now"].as_i64().unwrap();
    assert_eq!(at % 60_000, 0, "to the minute");
    assert!((now - 180_000..=now).contains(&at), "{at} and {now}");
    // Who hides it neither shows nor sees it.
    let mut two = node.enter(&bob).await;
    two.ask("settings", json!({"hide_last_seen": true})).await;
    let page = one.ask("who", who.clone()).await;
    assert_eq!(last_seen(&page, &bob), Value::Null, "{page}");
    let page = two.ask("who", who.clone()).await;
    assert_eq!(last_seen(&page, &ann), Value::Null, "{page}");
    two.ask("settings", json!({"hide_last_seen": false})).await;
    let page = one.ask("who", who).await;
    assert_eq!(last_seen(&page, &bob), json!(at), "{page}");
    node.stop().await;
}
