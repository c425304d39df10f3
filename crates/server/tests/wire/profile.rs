//! What others see of people, and pictures of rooms: now, after a time offline, and by version.

use serde_json::{Value, json};

use super::avatars::{png, shown, uploaded};
use crate::support::{Node, Person, refused};

/// Where somebody may go on after a time offline that begins now.
async fn leaving(node: &Node, who: &Person) -> Value {
    let (_client, synced) = node.enter_with(who, json!({})).await;
    json!({"position": synced.last().unwrap()["position"]})
}

#[tokio::test]
async fn a_profile_reaches_one_s_own_connections_and_others_by_its_version() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut phone, mut laptop) = (node.enter(&ann).await, node.enter(&ann).await);
    let mut other = node.enter(&bob).await;
    let room = phone.create("public").await;
    other.write("join", json!({"room": room})).await;
    phone.send(room, "before").await;
    assert_eq!(other.event(room, 3).await["from"], json!([ann.id, 1]));
    laptop.event(room, 3).await;
    let away = leaving(&node, &ann).await;
    let avatar = uploaded(&node, &ann, &png(4, &[])).await;
    let mut profile = json!({"id": ann.id, "name": "Ann", "version": 1});
    let steps = [
        (json!({"display_name": "  Ann  Lee 李 "}), 2),
        (json!({"avatar": avatar}), 3),
        (json!({"display_name": "Ann Lee 李"}), 3),
        (json!({"display_name": null, "avatar": null}), 4),
        (json!({"display_name": ""}), 4),
    ];
    for (wish, version) in steps {
        profile["version"] = json!(version);
        match version {
            2 => profile["display_name"] = json!("Ann Lee 李"),
            3 => profile["avatar"] = json!(avatar),
            _ => profile = json!({"id": ann.id, "name": "Ann", "version": version}),
        }
        let ok = phone.ask("profile", wish.clone()).await;
        assert_eq!(ok["type"], "ok", "{ok}");
        let told = json!({"type": "profile", "user": profile});
        for client in [&mut phone, &mut laptop] {
            assert_eq!(client.until("profile").await.pop(), Some(told.clone()));
        }
        // Whatever is written now says which version it is of, and that one is to be had.
        let seq = phone.send(room, "look").await;
        let event = other.event(room, seq).await;
        assert_eq!(event["from"], json!([ann.id, version]), "{wish}");
        let asked = other.ask("profiles", json!({"users": [ann.id]})).await;
        assert_eq!(asked["users"], json!([profile]));
        // Who connects again is told so, whatever was remembered of them.
        let mut tablet = node.open().await;
        tablet.hello(&ann.token, away.clone()).await;
        assert_eq!(tablet.expect("welcome").await["user"], profile);
        let synced = tablet.until("caught_up").await;
        assert_eq!(synced[0]["profile"], profile, "{wish}");
        let now = json!({"position": synced.last().unwrap()["position"]});
        let (_later, synced) = node.enter_with(&ann, now).await;
        assert_eq!(synced[0]["profile"], Value::Null, "told once");
        let status = shown(&node, &bob, &avatar).await;
        assert_eq!(status, if version == 4 { 404 } else { 200 }, "{wish}");
        let kept = other.ask("profiles", json!({"name": "ann"})).await;
        assert_eq!(kept["users"], json!([profile]), "by the name alone");
    }
    let seen = other.so_far().await;
    let theirs = seen.iter().any(|frame| frame["type"] == "profile");
    assert!(!theirs, "{seen:?}");
    node.stop().await;
}

#[tokio::test]
async fn what_nobody_may_be_called_is_refused_and_changes_nothing() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut one = node.enter(&ann).await;
    for (wish, code, field) in [
        (json!({"display_name": "\u{200d}"}), "blank", "display_name"),
        (json!({"display_name": "  "}), "blank", "display_name"),
        (
            json!({"display_name": "a".repeat(65)}),
            "too_long",
            "display_name",
        ),
        (
            json!({"display_name": "a\u{202e}b"}),
            "bad_field",
            "display_name",
        ),
        (json!({"display_name": "a\nb"}), "bad_field", "display_name"),
        (json!({"display_name": 7}), "bad_field", "display_name"),
        (json!({"avatar": "me.png"}), "bad_field", "avatar"),
        (json!({"avatar": ann.id}), "bad_field", "avatar"),
        (json!({"avatar": ""}), "bad_field", "avatar"),
    ] {
        let refusal = one.ask("profile", wish).await;
        refused(&refusal, code);
        assert_eq!(refusal["field"], field, "{refusal}");
    }
    let nothing = json!({"display_name": "Ann Lee", "avatar": "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    refused(&one.ask("profile", nothing).await, "not_found");
    let asked = one.ask("profiles", json!({"users": [ann.id]})).await;
    assert_eq!(asked["users"][0]["version"], 1, "{asked}");
    node.stop().await;
}

#[tokio::test]
async fn a_sign_in_says_what_others_see_of_one() {
    let node = Node::start().await;
    let account = node.register("ann").await;
    assert_eq!(account["user"]["display_name"], Value::Null);
    let mut client = node.open().await;
    client
        .hello(account["access_token"].as_str().unwrap(), json!({}))
        .await;
    client.until("caught_up").await;
    let ok = client
        .ask("profile", json!({"display_name": "Ann Lee"}))
        .await;
    assert_eq!(ok["type"], "ok", "{ok}");
    let body = json!({"name": "ann", "password": "correct horse"});
    let (status, again) = node.post("/api/login", None, &body).await;
    assert_eq!(status, 200);
    let shown = json!({"id": account["user"]["id"], "name": "ann", "version": 2,
        "display_name": "Ann Lee"});
    assert_eq!(again["user"], shown);
    node.stop().await;
}

#[tokio::test]
async fn a_room_has_a_picture_for_those_who_are_there_and_who_come_later() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut two) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("public").await;
    two.write("join", json!({"room": room})).await;
    two.event(room, 2).await;
    let away = leaving(&node, &bob).await;
    let avatar = uploaded(&node, &ann, &png(4, &[])).await;
    let nothing = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let hang = |wish: Value| json!({"room": room, "avatar": wish});
    let refusal = two.write("configure", hang(json!(avatar))).await;
    refused(&refusal, "forbidden");
    let refusal = one.write("configure", hang(json!(nothing))).await;
    refused(&refusal, "not_found");
    let refusal = one.write("configure", hang(json!("x"))).await;
    refused(&refusal, "bad_field");
    let before = two.ask("room", json!({"room": room})).await;
    assert_eq!(before["row"]["avatar"], Value::Null);
    let invited = one.ask("invite", json!({"room": room})).await;
    for (seq, wish) in [(3, json!(avatar)), (4, Value::Null)] {
        let ack = one.write("configure", hang(wish.clone())).await;
        assert_eq!(ack["seq"], seq, "{ack}");
        let event = two.event(room, seq).await;
        assert_eq!(event["kind"], "settings");
        assert_eq!(event["body"], json!({"avatar": wish}), "said, not left out");
        let row = two.ask("room", json!({"room": room})).await;
        assert_eq!(row["row"]["avatar"], wish);
        let listed = two.ask("directory", json!({})).await;
        assert_eq!(listed["rooms"][0]["avatar"], wish);
        let link = json!({"token": invited["token"]});
        let leads = two.ask("invitation", link).await;
        assert_eq!(leads["avatar"], wish, "{leads}");
        // Fetched fresh, it is what the events led to.
        let (_later, synced) = node.enter_with(&bob, away.clone()).await;
        assert_eq!(synced[0]["rooms"][0]["avatar"], wish, "{synced:?}");
        let (_fresh, synced) = node.enter_with(&bob, json!({})).await;
        assert_eq!(synced[0]["rooms"][0]["avatar"], wish, "{synced:?}");
        let status = shown(&node, &bob, &avatar).await;
        assert_eq!(status, if wish.is_null() { 404 } else { 200 });
    }
    let empty = one.write("configure", json!({"room": room})).await;
    refused(&empty, "bad_field");
    node.stop().await;
}
