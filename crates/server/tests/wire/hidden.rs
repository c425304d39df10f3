//! Messages deleted for oneself alone: all of one's devices agree, and nobody else is told.

use serde_json::{Value, json};

use crate::support::{Node, Person, refused};

#[tokio::test]
async fn what_one_hides_is_hidden_on_all_of_ones_devices() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut other = node.enter(&bob).await;
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let room = other.create("public").await;
    phone.write("join", json!({"room": room})).await;
    for text in ["one", "two", "three"] {
        other.send(room, text).await;
    }
    phone.event(room, 5).await;
    laptop.event(room, 5).await;
    let row = phone.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["hidden"], Value::Null, "{row}");
    let away = json!({"position": phone.ask("ping", json!({})).await["position"]});
    let steps = [
        (4, true, json!([4]), 1),
        (3, true, json!([3, 4]), 2),
        (3, true, json!([3, 4]), 2),
        (4, false, json!([3]), 3),
    ];
    for (target, on, seqs, version) in steps {
        let wish = json!({"room": room, "target": target, "on": on});
        assert_eq!(phone.ask("hide", wish).await["type"], "ok");
        let told = json!({"type": "hidden", "room": room, "seqs": seqs, "version": version});
        for client in [&mut phone, &mut laptop] {
            assert_eq!(client.until("hidden").await.pop(), Some(told.clone()));
        }
        let mut listed = laptop.ask("hidden", json!({"room": room})).await;
        listed["req"].take();
        let mut expected = told;
        expected["req"] = Value::Null;
        assert_eq!(listed, expected);
    }
    // A device that was away has it in the row, before any event; a new one by the page alone.
    let hidden = json!({"seqs": [3], "version": 3});
    let (mut tablet, synced) = node.enter_with(&ann, away).await;
    assert_eq!(synced[0]["rooms"][0]["me"]["hidden"], hidden, "{synced:?}");
    assert_eq!(synced[0]["rooms"][0]["me"]["unread"], 3, "{synced:?}");
    for (client, expected) in [(&mut tablet, json!(true)), (&mut other, Value::Null)] {
        let page = client.ask("history", json!({"room": room})).await;
        let lines = page["messages"].as_array().unwrap();
        let line = lines.iter().find(|line| line["seq"] == 3).unwrap();
        assert_eq!(line["hidden"], expected, "{line}");
    }
    let seen = other.so_far().await;
    assert!(
        seen.iter().all(|frame| frame["type"] != "hidden"),
        "{seen:?}"
    );
    // It stays through going and coming, and a redacted one does no harm.
    phone.write("leave", json!({"room": room})).await;
    phone.write("join", json!({"room": room})).await;
    other
        .write("redact", json!({"room": room, "target": 3}))
        .await;
    let row = phone.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["hidden"], hidden, "{row}");
    node.stop().await;
}

#[tokio::test]
async fn hiding_is_refused_where_there_is_nothing_to_hide() {
    let node = Node::start().await;
    let mut ann = node.enter(&Person::new("Ann")).await;
    let mut eve = node.enter(&Person::new("Eve")).await;
    let room = ann.create("group").await;
    ann.send(room, "a secret").await;
    let nowhere = json!("r_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    for on in [true, false] {
        for room in [json!(room), nowhere.clone()] {
            let wish = json!({"room": room, "target": 2, "on": on});
            refused(&eve.ask("hide", wish).await, "not_found");
        }
    }
    for room in [json!(room), nowhere] {
        refused(&eve.ask("hidden", json!({"room": room})).await, "not_found");
    }
    for (target, code) in [(1, "no_message"), (3, "not_found"), (0, "not_found")] {
        let wish = json!({"room": room, "target": target, "on": true});
        refused(&ann.ask("hide", wish).await, code);
    }
    for bad in [
        json!({"room": room, "on": true}),
        json!({"target": 2, "on": true}),
        json!({"room": room, "target": 2, "on": 1}),
    ] {
        refused(&ann.ask("hide", bad).await, "bad_field");
    }
    node.stop().await;
}
