//! Markers rise, are clamped, and reach one's own other connections.

use serde_json::json;

use crate::support::{Node, Person};

#[tokio::test]
async fn markers_rise_are_clamped_and_told_to_one_s_own() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut phone, mut laptop, mut other) = (
        node.enter(&ann).await,
        node.enter(&ann).await,
        node.enter(&bob).await,
    );
    let room = other.create("public").await;
    phone.write("join", json!({"room": room})).await;
    for text in ["three", "four", "five"] {
        other.send(room, text).await;
    }
    phone.event(room, 5).await;
    laptop.event(room, 5).await;
    let me = |row: &serde_json::Value| {
        let me = &row["row"]["me"];
        (
            me["delivered"].as_u64().unwrap(),
            me["read"].as_u64().unwrap(),
            me["unread"].as_u64().unwrap(),
        )
    };
    assert_eq!(
        me(&phone.ask("room", json!({"room": room})).await),
        (0, 0, 3)
    );
    // Each step: what is asked, then delivered, read and unread after it.
    let steps = [
        (json!({"room": room, "delivered": 4}), Some((4, 0, 3))),
        (json!({"room": room, "read": 3}), Some((4, 3, 2))),
        (json!({"room": room, "delivered": 1, "read": 1}), None),
        (json!({"room": room}), None),
        (json!({"room": room, "read": 999}), Some((5, 5, 0))),
        (json!({"room": room, "delivered": 999}), None),
    ];
    let mut last = (0, 0, 3);
    for (mark, told) in steps {
        let ok = phone.ask("mark", mark.clone()).await;
        assert_eq!(ok["type"], "ok", "{mark}: {ok}");
        // One that should not be there would come before the next that should.
        if let Some((delivered, read, unread)) = told {
            let marker = laptop.until("marker").await.pop().unwrap();
            let expected = json!({"type": "marker", "room": room, "delivered": delivered, "read": read, "unread": unread});
            assert_eq!(marker, expected, "{mark}");
            last = (delivered, read, unread);
        }
        assert_eq!(
            me(&phone.ask("room", json!({"room": room})).await),
            last,
            "{mark}"
        );
    }
    // Nobody else is told here, nor the one who marked.
    for client in [&mut phone, &mut other] {
        let seen = client.so_far().await;
        assert!(
            seen.iter().all(|frame| frame["type"] != "marker"),
            "{seen:?}"
        );
    }
    // They outlive the connection, and one's own messages are never unread.
    phone.send(room, "six").await;
    let (_again, synced) = node.enter_with(&ann, json!({})).await;
    let row = json!({"row": synced[0]["rooms"][0]});
    assert_eq!(me(&row), (5, 5, 0), "sending does not move them");
    node.stop().await;
}

#[tokio::test]
async fn unread_is_exact_to_999() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("public").await;
    other.write("join", json!({"room": room})).await;
    let mut reqs = Vec::new();
    for number in 0..1_005 {
        let key = one.key();
        reqs.push(
            one.tell(
                "send",
                json!({"key": key, "room": room, "text": format!("{number}")}),
            )
            .await,
        );
    }
    for req in reqs {
        one.reply(req).await;
    }
    // Messages stand at 3..=1007; 1000 means "999+".
    for (read, unread) in [(1, 1_000), (8, 999), (1_000, 7)] {
        other.ask("mark", json!({"room": room, "read": read})).await;
        let row = other.ask("room", json!({"room": room})).await;
        assert_eq!(row["row"]["me"]["unread"], unread, "{row}");
    }
    node.stop().await;
}
