//! Questions that change nothing: `after`, `history`, rows, people, names, the directory.

use chinwag_core::ids::{Key, UserId};
use serde_json::{Value, json};

use crate::support::{Node, Person, refused};

fn texts(page: &Value) -> Vec<&str> {
    let lines = page["messages"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["body"]["text"].as_str().unwrap_or(""))
        .collect()
}

#[tokio::test]
async fn history_pages_back_to_the_first_event() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    for number in 2..=120 {
        client.send(room, &number.to_string()).await;
    }
    let page = client.ask("history", json!({"room": room})).await;
    assert_eq!((&page["as_of"], &page["before"]), (&json!(120), &json!(71)));
    assert_eq!(
        (texts(&page).len(), texts(&page)[0], texts(&page)[49]),
        (50, "71", "120")
    );
    let page = client
        .ask("history", json!({"room": room, "before": 71, "limit": 60}))
        .await;
    assert_eq!(
        (texts(&page).len(), texts(&page)[0], &page["before"]),
        (60, "11", &json!(11))
    );
    let page = client
        .ask("history", json!({"room": room, "before": 11}))
        .await;
    assert_eq!(
        (texts(&page).len(), page.get("before")),
        (10, None),
        "{page}"
    );
    let page = client
        .ask("history", json!({"room": room, "before": 1}))
        .await;
    assert_eq!(page["messages"], json!([]));
    let page = client
        .ask("history", json!({"room": room, "limit": 100_000}))
        .await;
    assert_eq!(texts(&page).len(), 120, "at most 200");
    let page = client
        .ask(
            "history",
            json!({"room": room, "at_least": 120, "limit": 1}),
        )
        .await;
    assert_eq!(texts(&page), ["120"]);
    refused(
        &client
            .ask("history", json!({"room": room, "at_least": 121}))
            .await,
        "unavailable",
    );
    node.stop().await;
}

/// Pages used to be bounded by lines alone: two hundred long ones made a reply larger than the
/// socket's queue takes, and the connection was cut without a word.
#[tokio::test]
async fn pages_of_long_messages_are_cut_by_bytes() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    let room = client.create("group").await;
    // Each byte takes six as JSON.
    let text = "\u{1}".repeat(10 * 1024);
    for _ in 0..120 {
        client.send(room, &text).await;
    }
    let (mut before, mut lines) = (json!(1_000), 0);
    loop {
        let page = client
            .ask(
                "history",
                json!({"room": room, "before": before, "limit": 200}),
            )
            .await;
        assert_eq!(page["type"], "page", "{page}");
        assert!(page.to_string().len() < 1024 * 1024);
        lines += texts(&page).len();
        let Some(next) = page.get("before") else {
            break;
        };
        before = next.clone();
    }
    assert_eq!(lines, 121);
    // A reset and a stream of the same room arrive as well.
    let (_client, synced) = node.enter_with(&ann, json!({"open": [[room, 999]]})).await;
    assert_eq!(synced[1]["type"], "reset");
    let (_client, synced) = node.enter_with(&ann, json!({"open": [[room, 0]]})).await;
    let items: usize = synced
        .iter()
        .filter_map(|frame| frame["items"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(items, 121);
    node.stop().await;
}

#[tokio::test]
async fn after_answers_from_the_cursor_or_resets() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    client.send(room, "two").await;
    client.send(room, "three").await;
    let events = client.so_far().await;
    let key = events.iter().find(|frame| frame["seq"] == 2).unwrap()["key"].clone();
    let stretch = client
        .ask("after", json!({"room": room, "seq": 2, "key": key}))
        .await;
    assert_eq!(
        (&stretch["from"], &stretch["to"], &stretch["head"]),
        (&json!(3), &json!(3), &json!(3))
    );
    assert_eq!(stretch["items"][0]["body"]["text"], "three");
    let stretch = client
        .ask("after", json!({"room": room, "seq": 0, "limit": 1}))
        .await;
    assert_eq!((&stretch["to"], &stretch["head"]), (&json!(1), &json!(3)));
    let nothing = client.ask("after", json!({"room": room, "seq": 3})).await;
    assert_eq!(
        (&nothing["from"], &nothing["to"], &nothing["items"]),
        (&json!(4), &json!(3), &json!([]))
    );
    for wrong in [
        json!({"room": room, "seq": 2, "key": Key([9; 16])}),
        json!({"room": room, "seq": 4}),
    ] {
        let reset = client.ask("after", wrong).await;
        assert_eq!(
            (&reset["type"], &reset["why"]),
            (&json!("reset"), &json!("history")),
            "{reset}"
        );
        assert_eq!(reset["row"]["head"], 3);
    }
    node.stop().await;
}

#[tokio::test]
async fn people_names_and_the_directory() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let public = one.create("public").await;
    one.create("group").await;
    let directory = other.ask("directory", json!({})).await;
    assert_eq!(
        directory["rooms"],
        json!([{"room": public, "name": "Kitchen", "members": 1}])
    );
    other.write("join", json!({"room": public})).await;
    let members = other.ask("members", json!({"room": public})).await;
    let mut expected = [(ann.id, "owner"), (bob.id, "member")];
    expected.sort();
    assert_eq!(members["members"], json!(expected), "{members}");
    let profiles = other
        .ask(
            "profiles",
            json!({"users": [ann.id, UserId([3; 16])], "name": "BOB"}),
        )
        .await;
    let names: Vec<_> = profiles["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ann", "Bob"]);
    // A public room shows its past to whoever comes in.
    let page = other.ask("history", json!({"room": public})).await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 2, "{page}");
    node.stop().await;
}

#[tokio::test]
async fn pong_tells_heads_and_a_newer_position() {
    let node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let room = client.create("group").await;
    client.send(room, "two").await;
    let pong = client.ask("ping", json!({"rooms": [room]})).await;
    assert_eq!(pong["heads"], json!([[room, 2]]));
    assert!(pong["now"].as_i64().unwrap() > 1_600_000_000_000);
    // Every five seconds the node looks at the store; then it vouches for more.
    let newer = async {
        loop {
            let pong = client.ask("ping", json!({})).await;
            if let Some(position) = pong["position"].as_str() {
                return position.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let position = crate::support::bounded("a newer position", newer).await;
    let again = client.ask("ping", json!({})).await;
    assert_eq!(again.get("position"), None, "told once: {again}");
    let (_client, synced) = node
        .enter_with(&Person::new("Ann"), json!({"position": position}))
        .await;
    assert_eq!(synced[0]["rooms"], json!([]), "it vouches for all of it");
    node.stop().await;
}
