//! One's own state: what of a room one wants to be notified of, quiet hours, and whom one has
//! blocked. It reaches all of one's connections, now and after a time offline, and nobody else.

use serde_json::{Value, json};

use super::typing::{ephemeral, watch};
use crate::support::{Node, Person, refused, room_of};

#[tokio::test]
async fn what_notifies_reaches_all_of_one_s_connections_and_nobody_else() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let mut other = node.enter(&bob).await;
    let room = phone.create("public").await;
    other.write("join", json!({"room": room})).await;
    phone.event(room, 2).await;
    laptop.event(room, 2).await;
    let caught_up = json!({"position": phone.ask("ping", json!({})).await["position"]});
    let row = phone.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["notify"], Value::Null, "{row}");
    let until = 1_900_000_000_000u64;
    let steps = [
        (
            json!({"level": "mentions"}),
            json!({"level": "mentions", "version": 1}),
        ),
        (
            json!({"quiet_until": until}),
            json!({"level": "mentions", "quiet_until": until, "version": 2}),
        ),
        (
            json!({"level": "none", "quiet_until": 0}),
            json!({"level": "none", "version": 3}),
        ),
    ];
    for (mut wish, notify) in steps {
        wish["room"] = json!(room);
        let ok = phone.ask("notify", wish).await;
        assert_eq!(ok["type"], "ok", "{ok}");
        let told = json!({"type": "notify", "room": room, "notify": notify});
        for client in [&mut phone, &mut laptop] {
            assert_eq!(client.until("notify").await.pop(), Some(told.clone()));
        }
        let row = laptop.ask("room", json!({"room": room})).await;
        assert_eq!(row["row"]["me"]["notify"], notify);
    }
    // A device that was away hears of it by its position alone.
    let (_tablet, synced) = node.enter_with(&ann, caught_up).await;
    let rows = synced[0]["rooms"].as_array().unwrap();
    let notify = json!({"level": "none", "version": 3});
    assert_eq!(rows[0]["me"]["notify"], notify, "{synced:?}");
    let seen = other.so_far().await;
    assert!(
        seen.iter().all(|frame| frame["type"] != "notify"),
        "{seen:?}"
    );
    let row = other.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["notify"], Value::Null);
    // What may not be known answers like what is not there.
    let foreign = node.enter(&Person::new("Eve")).await.create("group").await;
    let nowhere = "r_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for room in [json!(foreign), json!(nowhere)] {
        refused(
            &phone.ask("notify", json!({"room": room})).await,
            "not_found",
        );
    }
    for bad in [
        json!({"level": "loud"}),
        json!({"quiet_until": -1}),
        json!({"quiet_until": "tomorrow"}),
    ] {
        let mut wish = bad;
        wish["room"] = json!(room);
        refused(&phone.ask("notify", wish).await, "bad_field");
    }
    other.write("leave", json!({"room": room})).await;
    refused(
        &other.ask("notify", json!({"room": room})).await,
        "not_member",
    );
    node.stop().await;
}

#[tokio::test]
async fn quiet_hours_are_settings_and_bounded() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let daily = json!({"from": 1_320, "to": 420});
    let wish = json!({"dnd_until": 1_900_000_000_000u64, "dnd_daily": daily});
    assert_eq!(phone.ask("settings", wish).await["type"], "ok");
    let expected = json!({"type": "settings", "hide_last_seen": false, "hide_online": false, "hide_receipts": false,
        "version": 1, "dnd_until": 1_900_000_000_000u64, "dnd_daily": daily});
    assert_eq!(laptop.until("settings").await.pop(), Some(expected));
    let off = json!({"dnd_until": 0, "dnd_daily": {"from": 0, "to": 0}});
    phone.ask("settings", off).await;
    let (_tablet, synced) = node.enter_with(&ann, json!({})).await;
    let expected = json!({"hide_last_seen": false, "hide_online": false, "hide_receipts": false, "version": 2});
    assert_eq!(synced[0]["settings"], expected);
    for bad in [
        json!({"dnd_daily": {"from": 0, "to": 1_440}}),
        json!({"dnd_daily": {"from": 99_999, "to": 0}}),
        json!({"dnd_daily": {"from": 1}}),
        json!({"dnd_daily": [0, 1]}),
        json!({"dnd_until": -5}),
    ] {
        let refusal = phone.ask("settings", bad.clone()).await;
        refused(&refusal, "bad_field");
    }
    node.stop().await;
}

#[tokio::test]
async fn who_is_blocked_cannot_write_directly_and_is_told_nothing_else() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let mut other = node.enter(&bob).await;
    let direct = phone.write("direct", json!({"user": bob.id})).await;
    let room = room_of(&direct);
    let shared = other.create("public").await;
    phone.write("join", json!({"room": shared})).await;
    other.send(room, "hello").await;
    other.send(shared, "hello, all").await;
    for (room, last) in [(room, 2), (shared, 3)] {
        phone.event(room, last).await;
    }
    let caught_up = json!({"position": phone.ask("ping", json!({})).await["position"]});
    let unread = |row: &Value| row["row"]["me"]["unread"].clone();
    for room in [room, shared] {
        let row = phone.ask("room", json!({"room": room})).await;
        assert_eq!(unread(&row), 1, "{row}");
    }
    let ok = laptop
        .ask("block", json!({"user": bob.id, "on": true}))
        .await;
    assert_eq!(ok["type"], "ok", "{ok}");
    let told = json!({"type": "blocks", "users": [bob.id], "version": 1});
    for client in [&mut phone, &mut laptop] {
        assert_eq!(client.until("blocks").await.pop(), Some(told.clone()));
    }
    // Nothing of it is unread, and it is told so to a device that was away.
    for room in [room, shared] {
        let row = phone.ask("room", json!({"room": room})).await;
        assert_eq!(unread(&row), 0, "{row}");
    }
    let (_tablet, synced) = node.enter_with(&ann, caught_up).await;
    let blocks = json!({"users": [bob.id], "version": 1});
    assert_eq!(synced[0]["blocks"], blocks, "{synced:?}");
    assert_eq!(
        synced[0]["rooms"].as_array().unwrap().len(),
        2,
        "{synced:?}"
    );
    let now = json!({"position": synced.last().unwrap()["position"]});
    let (_tablet, synced) = node.enter_with(&ann, now).await;
    assert_eq!(synced[0]["blocks"], Value::Null, "told once");
    // Both are refused alike, with one code; typing too. Groups go on.
    for client in [&mut phone, &mut other] {
        for (kind, fields) in [
            ("send", json!({"room": room, "text": "no"})),
            (
                "react",
                json!({"room": room, "target": 2, "emoji": "👍", "on": true}),
            ),
            ("pin", json!({"room": room, "target": 2, "on": true})),
        ] {
            refused(&client.write(kind, fields).await, "forbidden");
        }
        let typing = json!({"room": room, "on": true});
        refused(&client.ask("typing", typing).await, "forbidden");
    }
    let edit = json!({"room": room, "target": 2, "text": "no"});
    refused(&other.write("edit", edit).await, "forbidden");
    other.send(shared, "still here").await;
    phone.event(shared, 4).await;
    // Neither is shown to be online, in no frame or list.
    for (client, own) in [(&mut phone, &ann), (&mut other, &bob)] {
        let seen = watch(client, json!([shared])).await;
        assert_eq!(seen[0]["online"], json!([own.id]), "{seen:?}");
        let fields = json!({"room": shared, "online": true});
        let who = client.ask("who", fields).await;
        let alone = json!([{"user": own.id, "online": true}]);
        assert_eq!(who["people"], alone, "{who}");
        let who = client.ask("who", json!({"room": shared})).await;
        let people = who["people"].as_array().unwrap().iter();
        let online = people.filter(|person| person["online"] == true);
        assert_eq!(online.count(), 1, "{who}");
    }
    other
        .ask("typing", json!({"room": shared, "on": true}))
        .await;
    assert_eq!(ephemeral(&mut phone).await, Vec::<Value>::new());
    // And back: all of it as before.
    phone
        .ask("block", json!({"user": bob.id, "on": false}))
        .await;
    other.send(room, "hello again").await;
    let row = phone.ask("room", json!({"room": shared})).await;
    assert_eq!(unread(&row), 2, "{row}");
    node.stop().await;
}

#[tokio::test]
async fn blocking_is_refused_where_there_is_nobody_to_block() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let block = |user: Value| json!({"user": user, "on": true});
    refused(&one.ask("block", block(json!(ann.id))).await, "forbidden");
    let nobody = json!("u_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    refused(&one.ask("block", block(nobody)).await, "not_found");
    refused(&one.ask("block", block(json!("bob"))).await, "bad_field");
    one.ask("block", block(json!(bob.id))).await;
    for (client, other) in [(&mut one, &bob), (&mut two, &ann)] {
        let refusal = client.write("direct", json!({"user": other.id})).await;
        refused(&refusal, "forbidden");
    }
    node.stop().await;
}
