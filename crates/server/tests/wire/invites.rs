//! Links that let people in: made, shown, used and revoked over the wire.

use chinwag_core::ids::{InviteId, InviteToken, RoomId};
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};

async fn three(node: &Node) -> (Client, Client, Client) {
    let people = ["Ann", "Bob", "Carol"].map(Person::new);
    let [ann, bob, carol] = &people;
    (
        node.enter(ann).await,
        node.enter(bob).await,
        node.enter(carol).await,
    )
}

/// A new invitation: its token and its id.
async fn invite(client: &mut Client, room: RoomId, fields: Value) -> (Value, Value) {
    let mut all = json!({"room": room});
    crate::support::merge(&mut all, fields);
    let made = client.ask("invite", all).await;
    assert_eq!(made["type"], "invite", "{made}");
    (made["token"].clone(), made["invite"]["id"].clone())
}

#[tokio::test]
async fn a_link_shows_the_room_and_lets_people_in() {
    let node = Node::start().await;
    let (mut one, mut other, mut third) = three(&node).await;
    let room = one.create("group").await;
    one.write("configure", json!({"room": room, "topic": "Lunch"}))
        .await;
    let made = one
        .ask(
            "invite",
            json!({"room": room, "uses": 2, "expires_in_ms": 60_000}),
        )
        .await;
    assert_eq!(made["room"], json!(room), "{made}");
    assert_eq!(made["invite"]["uses"], 2, "{made}");
    assert_eq!(made["invite"]["by"], json!(Person::new("Ann").id), "{made}");
    let token = &made["token"];
    // Who holds it sees where it leads, before and after coming in.
    let shown = json!({"type": "invitation", "req": 0, "room": room, "kind": "group",
        "name": "Kitchen", "topic": "Lunch", "members": 1});
    let mut seen = other.ask("invitation", json!({"token": token})).await;
    seen["req"] = json!(0);
    assert_eq!(seen, shown);
    let key = other.key();
    let join = json!({"key": key, "room": room, "invite": token});
    let ack = other.ask("join", join.clone()).await;
    assert_eq!((&ack["type"], &ack["seq"]), (&json!("ack"), &json!(3)));
    assert_eq!(other.ask("join", join).await["seq"], 3, "a replay");
    let listed = one.ask("invites", json!({"room": room})).await;
    assert_eq!(listed["invites"][0]["uses"], 1, "{listed}");
    assert_eq!(listed["invites"][0]["id"], made["invite"]["id"], "{listed}");
    assert!(!listed.to_string().contains(token.as_str().unwrap()));
    refused(
        &other.ask("invites", json!({"room": room})).await,
        "forbidden",
    );
    third
        .write("join", json!({"room": room, "invite": token}))
        .await;
    let row = third.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["state"], "joined", "{row}");
    assert_eq!(row["row"]["me"]["role"], "member", "{row}");
    node.stop().await;
}

/// Whatever is wrong with a link, and whether there is a room at all: one answer.
#[tokio::test]
async fn a_link_that_is_not_good_says_no_more() {
    let node = Node::start().await;
    let (mut one, mut other, mut third) = three(&node).await;
    let room = one.create("group").await;
    let elsewhere = one.create("group").await;
    let (used_up, _id) = invite(&mut one, room, json!({"uses": 1})).await;
    third
        .write("join", json!({"room": room, "invite": used_up}))
        .await;
    let (revoked, id) = invite(&mut one, room, json!({})).await;
    let revoke = json!({"room": room, "invite": id});
    assert_eq!(one.ask("revoke_invite", revoke.clone()).await["type"], "ok");
    refused(&one.ask("revoke_invite", revoke).await, "not_found");
    let (old, _id) = invite(&mut one, room, json!({"expires_in_ms": 1})).await;
    let (good, _id) = invite(&mut one, room, json!({})).await;
    let unknown = json!(InviteToken([9; 16]));
    // A millisecond is over by the time that another reply has come.
    one.so_far().await;
    let none = RoomId([7; 16]);
    let mut answers = Vec::new();
    for (room, token) in [
        (room, &used_up),
        (room, &revoked),
        (room, &old),
        (room, &unknown),
        (elsewhere, &good),
        (none, &good),
        (none, &unknown),
    ] {
        let mut answer = other
            .write("join", json!({"room": room, "invite": token}))
            .await;
        refused(&answer, "bad_invite");
        answer["req"] = Value::Null;
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]));
    for token in [&used_up, &revoked, &old, &unknown] {
        let shown = other.ask("invitation", json!({"token": token})).await;
        refused(&shown, "bad_invite");
    }
    node.stop().await;
}

#[tokio::test]
async fn of_two_who_come_at_once_by_a_link_for_one_one_gets_in() {
    let node = Node::start().await;
    let (mut one, mut other, mut third) = three(&node).await;
    let room = one.create("group").await;
    for _ in 0..8 {
        let (token, _id) = invite(&mut one, room, json!({"uses": 1})).await;
        let join = json!({"room": room, "invite": token});
        let (a, b) = tokio::join!(
            other.write("join", join.clone()),
            third.write("join", join.clone())
        );
        let mut answers = [&a, &b].map(|answer| {
            let code = answer["code"].as_str().unwrap_or("ack");
            code.to_owned()
        });
        answers.sort_unstable();
        assert_eq!(answers, ["ack", "bad_invite"], "{a} {b}");
        let guest = if a["type"] == "ack" {
            &mut other
        } else {
            &mut third
        };
        guest.write("leave", json!({"room": room})).await;
    }
    let row = one.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["members"], 1, "{row}");
    node.stop().await;
}

#[tokio::test]
async fn the_banned_do_not_come_back_by_a_link_and_the_removed_do() {
    let node = Node::start().await;
    let (mut one, mut other, _third) = three(&node).await;
    let bob = Person::new("Bob");
    let room = one.create("group").await;
    let (token, _id) = invite(&mut one, room, json!({})).await;
    let join = json!({"room": room, "invite": token});
    other.write("join", join.clone()).await;
    let who = json!({"room": room, "user": bob.id, "on": true});
    one.write("ban", who).await;
    refused(&other.write("join", join.clone()).await, "banned");
    refused(
        &other.ask("invitation", json!({"token": token})).await,
        "banned",
    );
    one.write("ban", json!({"room": room, "user": bob.id}))
        .await;
    assert_eq!(other.write("join", join).await["type"], "ack");
    node.stop().await;
}

#[tokio::test]
async fn what_an_invitation_may_not_be_is_refused() {
    let node = Node::start().await;
    let (mut one, mut other, _third) = three(&node).await;
    let room = one.create("group").await;
    let foreign = other.create("group").await;
    let year_ms: u64 = 365 * 24 * 60 * 60 * 1_000;
    for (field, value) in [
        ("uses", json!(0)),
        ("uses", json!(10_001)),
        ("uses", json!("1")),
        ("expires_in_ms", json!(0)),
        ("expires_in_ms", json!(year_ms + 1)),
    ] {
        let answer = one.ask("invite", json!({"room": room, field: value})).await;
        refused(&answer, "bad_field");
        assert_eq!(answer["field"], field, "{answer}");
    }
    let fields = json!({"room": room, "uses": 10_000, "expires_in_ms": year_ms});
    assert_eq!(one.ask("invite", fields).await["type"], "invite");
    for token in ["", "t_", "i_aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let answer = one.ask("invitation", json!({"token": token})).await;
        refused(&answer, "bad_field");
    }
    let id = InviteId([1; 16]);
    let nowhere = RoomId([9; 16]);
    let mut answers = Vec::new();
    for room in [foreign, nowhere] {
        answers.push(one.ask("invite", json!({"room": room})).await);
        answers.push(one.ask("invites", json!({"room": room})).await);
        let fields = json!({"room": room, "invite": id});
        answers.push(one.ask("revoke_invite", fields).await);
    }
    answers
        .iter()
        .for_each(|answer| refused(answer, "not_found"));
    for _ in 1..50 {
        invite(&mut one, room, json!({})).await;
    }
    let more = one.ask("invite", json!({"room": room})).await;
    refused(&more, "too_many");
    node.stop().await;
}

/// Looking for links costs what other looks cost, and never the turn of a message.
#[tokio::test]
async fn looking_for_links_is_limited() {
    let node = Node::with(|config| {
        config.limits.rate_per_second = serde_json::from_value(json!(0.001)).unwrap();
        config.limits.rate_burst = chinwag_server::config::Whole::new(10);
    })
    .await;
    let mut one = node.enter(&Person::new("Ann")).await;
    let token = json!({"token": InviteToken([9; 16])});
    for _ in 0..10 {
        refused(&one.ask("invitation", token.clone()).await, "bad_invite");
    }
    refused(&one.ask("invitation", token).await, "rate_limited");
    one.create("group").await;
    node.stop().await;
}

#[tokio::test]
async fn a_link_is_good_after_a_restart_and_its_token_is_stored_nowhere() {
    let node = Node::start().await;
    let mut one = node.enter(&Person::new("Ann")).await;
    let room = one.create("group").await;
    let (token, _id) = invite(&mut one, room, json!({})).await;
    drop(one);
    let place = node.halt().await;
    let text = token.as_str().unwrap();
    let bytes = text.parse::<InviteToken>().unwrap().0;
    for file in std::fs::read_dir(place.path().join("data")).unwrap() {
        let kept = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [text.as_bytes(), &bytes] {
            let found = kept.windows(secret.len()).any(|piece| piece == secret);
            assert!(!found, "the token is on the disk");
        }
    }
    let node = Node::on(place, |_config| {}).await;
    let mut other = node.enter(&Person::new("Bob")).await;
    let join = json!({"room": room, "invite": token});
    assert_eq!(other.write("join", join).await["type"], "ack");
    node.stop().await;
}
