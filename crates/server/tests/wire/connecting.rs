//! `hello` with every kind of cursor: right, stale, foreign, from the future.

use chinwag_core::ids::{Epoch, Key, RoomId};
use serde_json::{Value, json};

use crate::support::{Client, Node, Person};

/// A node, Ann on it, a room of hers with three messages, and an honest cursor.
async fn setting() -> (Node, Person, Client, RoomId, Value) {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.open().await;
    client.hello(&ann.token, json!({})).await;
    let welcome = client.expect("welcome").await;
    client.until("caught_up").await;
    let room = client.create("group").await;
    for text in ["one", "two", "three"] {
        client.send(room, text).await;
    }
    let events = client.so_far().await;
    let last = events
        .iter()
        .rfind(|frame| frame["type"] == "event")
        .unwrap();
    assert_eq!(last["seq"], 4);
    let (_second, synced) = node.enter_with(&ann, json!({})).await;
    let position = synced.last().unwrap()["position"].clone();
    let cursor = json!({"epoch": welcome["epoch"], "position": position,
        "last": {"room": room, "seq": 4, "key": last["key"]}, "open": [[room, 4]]});
    (node, ann, client, room, cursor)
}

fn with(cursor: &Value, field: &str, value: Value) -> Value {
    let mut cursor = cursor.clone();
    cursor[field] = value;
    cursor
}

#[tokio::test]
async fn a_new_client_gets_all_rows_and_is_caught_up() {
    let (node, ann, _client, room, _cursor) = setting().await;
    let mut client = node.open().await;
    client
        .hello(
            &ann.token,
            json!({"device": "d_aaaaaaaaaaaaaaaaaaaaaaaaaa"}),
        )
        .await;
    let welcome = client.expect("welcome").await;
    assert_eq!(
        (&welcome["v"], &welcome["user"]["id"]),
        (&json!(1), &json!(ann.id))
    );
    assert_eq!(welcome["user"]["name"], json!(ann.name));
    assert!(
        welcome.get("session").is_none(),
        "a foreign token has no session: {welcome}"
    );
    assert_eq!(welcome["limits"]["frame_bytes"], 65_536);
    let summary = client.expect("summary").await;
    assert_eq!(
        (&summary["all"], &summary["more"], &summary["new"]),
        (&json!(true), &json!(false), &json!(0))
    );
    assert_eq!(summary["rooms"][0]["room"], json!(room));
    assert_eq!(summary["rooms"][0]["head"], 4);
    client.expect("caught_up").await;
    node.stop().await;
}

#[tokio::test]
async fn who_missed_nothing_gets_next_to_nothing() {
    let (node, ann, _client, _room, cursor) = setting().await;
    let (_again, synced) = node.enter_with(&ann, cursor).await;
    assert_eq!(synced.len(), 2, "{synced:?}");
    assert_eq!(
        synced[0],
        json!({"type": "summary", "rooms": [], "new": 0, "all": false, "more": false})
    );
    let bytes: usize = synced.iter().map(|frame| frame.to_string().len()).sum();
    assert!(bytes < 300, "{bytes} bytes: {synced:?}");
    node.stop().await;
}

#[tokio::test]
async fn what_was_missed_comes_between_summary_and_caught_up() {
    let (node, ann, mut client, room, cursor) = setting().await;
    client.send(room, "four").await;
    client.send(room, "five").await;
    let (mut again, synced) = node.enter_with(&ann, cursor).await;
    let kinds: Vec<_> = synced
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["summary", "events", "caught_up"], "{synced:?}");
    assert_eq!(synced[0]["rooms"][0]["head"], 6);
    assert_eq!(
        (&synced[1]["from"], &synced[1]["to"], &synced[1]["head"]),
        (&json!(5), &json!(6), &json!(6))
    );
    assert_eq!(synced[1]["items"][1]["body"]["text"], "five");
    // Live from here on, without a hole.
    client.send(room, "six").await;
    again.event(room, 7).await;
    node.stop().await;
}

/// A cursor of another history: everything is sent anew, with the reason.
async fn check_reset(node: &Node, ann: &Person, room: RoomId, cursor: Value, why: &str) {
    let (_client, synced) = node.enter_with(ann, cursor.clone()).await;
    let kinds: Vec<_> = synced
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["summary", "reset", "caught_up"],
        "{cursor}: {synced:?}"
    );
    assert_eq!(
        (&synced[0]["reset"], &synced[0]["all"]),
        (&json!(why), &json!(true)),
        "{cursor}"
    );
    assert_eq!(synced[0]["rooms"][0]["room"], json!(room));
    assert_eq!(
        (&synced[1]["why"], &synced[1]["row"]["head"]),
        (&json!(why), &json!(4))
    );
    let texts: Vec<_> = synced[1]["page"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["body"]["text"])
        .collect();
    assert_eq!(texts[1..], ["one", "two", "three"], "{synced:?}");
}

#[tokio::test]
async fn a_cursor_of_another_history_resets_everything() {
    let (node, ann, _client, room, cursor) = setting().await;
    let check =
        |field, value, why| check_reset(&node, &ann, room, with(&cursor, field, value), why);
    check("epoch", json!(Epoch([7; 16])), "epoch").await;
    check("position", json!("p999999"), "history").await;
    let foreign = json!({"room": room, "seq": 4, "key": Key([7; 16])});
    check("last", foreign, "history").await;
    let ahead = json!({"room": room, "seq": 9, "key": Key([7; 16])});
    check("last", ahead, "history").await;
    let elsewhere = json!({"room": RoomId([7; 16]), "seq": 1, "key": Key([7; 16])});
    check("last", elsewhere, "history").await;
    node.stop().await;
}

#[tokio::test]
async fn a_room_s_cursor_ahead_of_its_head_resets_that_room_alone() {
    let (node, ann, _client, room, cursor) = setting().await;
    let (_client, synced) = node
        .enter_with(&ann, with(&cursor, "open", json!([[room, 5]])))
        .await;
    assert_eq!(synced[0].get("reset"), None, "{synced:?}");
    assert_eq!(
        (&synced[1]["type"], &synced[1]["why"]),
        (&json!("reset"), &json!("history"))
    );
    node.stop().await;
}

#[tokio::test]
async fn open_rooms_of_others_are_left_out() {
    let (node, _ann, _client, room, _cursor) = setting().await;
    let bob = Person::new("Bob");
    let open = json!({"open": [[room, 0], [RoomId([7; 16]), 3]]});
    let (_client, synced) = node.enter_with(&bob, open).await;
    let kinds: Vec<_> = synced
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["summary", "caught_up"], "{synced:?}");
    assert_eq!(synced[0]["rooms"], json!([]));
    node.stop().await;
}

#[tokio::test]
async fn from_a_thousand_missed_events_on_a_room_is_reset() {
    let (node, ann, mut client, room, cursor) = setting().await;
    let reqs = client.tell_numbers(room, 1_000).await;
    for req in reqs {
        client.reply(req).await;
    }
    let (_client, synced) = node.enter_with(&ann, cursor.clone()).await;
    assert_eq!(
        (&synced[1]["type"], &synced[1]["why"]),
        (&json!("reset"), &json!("too_far"))
    );
    assert_eq!(synced[1]["row"]["head"], 1_004);
    assert_eq!(synced[1]["page"].as_array().unwrap().len(), 50);
    // One less is streamed, in stretches without a hole.
    let (_client, synced) = node
        .enter_with(&ann, with(&cursor, "open", json!([[room, 5]])))
        .await;
    let mut next = 6;
    for stretch in synced.iter().filter(|frame| frame["type"] == "events") {
        assert_eq!(stretch["from"], next);
        next = stretch["to"].as_u64().unwrap() + 1;
    }
    assert_eq!(next, 1_005);
    // `after` draws the same line.
    let reset = client.ask("after", json!({"room": room, "seq": 4})).await;
    assert_eq!(
        (&reset["type"], &reset["why"]),
        (&json!("reset"), &json!("too_far"))
    );
    let events = client.ask("after", json!({"room": room, "seq": 5})).await;
    assert_eq!(
        (&events["type"], &events["to"]),
        (&json!("events"), &json!(205))
    );
    node.stop().await;
}

#[tokio::test]
async fn summaries_come_in_parts_of_a_hundred_rooms() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    for _ in 0..101 {
        client.create("group").await;
    }
    let (_client, synced) = node.enter_with(&ann, json!({})).await;
    let parts: Vec<_> = synced[..2]
        .iter()
        .map(|part| {
            (
                part["rooms"].as_array().unwrap().len(),
                part["more"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(parts, [(100, true), (1, false)]);
    node.stop().await;
}

#[tokio::test]
async fn a_live_connection_may_sync_again() {
    let (node, ann, mut client, room, cursor) = setting().await;
    let (mut again, _synced) = node.enter_with(&ann, cursor.clone()).await;
    client.send(room, "four").await;
    let mut sync = cursor;
    crate::support::merge(&mut sync, json!({}));
    let ok = again.ask("sync", sync).await;
    assert_eq!(ok["type"], "ok");
    let synced = again.until("caught_up").await;
    let stretch = synced
        .iter()
        .find(|frame| frame["type"] == "events")
        .unwrap();
    assert_eq!((&stretch["from"], &stretch["to"]), (&json!(5), &json!(5)));
    client.send(room, "five").await;
    again.event(room, 6).await;
    node.stop().await;
}
