//! Accounts that are erased: what others see of it, what is left, and who may not.

use chinwag_core::ids::RoomId;
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, bounded, refused};

const PASSWORD: &str = "correct horse";

/// Asks for the end of an account.
async fn erase(node: &Node, token: &str, body: &Value) -> (u16, Value) {
    node.request("DELETE", "/api/v1/account", Some(token), body)
        .await
}

/// The same of a local account, as it should be.
async fn erase_well(node: &Node, token: &str, messages: &str) {
    let body = json!({"password": PASSWORD, "messages": messages});
    let (status, answer) = erase(node, token, &body).await;
    assert_eq!(status, 202, "{answer}");
    assert!(
        answer["job"].as_str().unwrap().starts_with("j_"),
        "{answer}"
    );
}

fn text_of<'a>(account: &'a Value, field: &str) -> &'a str {
    account[field].as_str().unwrap()
}

async fn enter(node: &Node, account: &Value) -> Client {
    let mut client = node.open().await;
    client
        .hello(text_of(account, "access_token"), json!({}))
        .await;
    client.until("caught_up").await;
    client
}

/// The next events of a room, in short, until the one that `last` names.
async fn events_until(client: &mut Client, room: RoomId, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let frame = client.next().await;
        if frame["type"] != "event" || frame["room"] != json!(room) {
            continue;
        }
        let body = &frame["body"];
        let what = match frame["kind"].as_str().unwrap() {
            "member" => body["state"].to_string(),
            "role" => body["role"].to_string(),
            "redact" => format!("redact {}", frame["target"]),
            "reaction" => format!("{} {} {}", body["emoji"], body["on"], frame["target"]),
            other => other.to_owned(),
        };
        let what = what.replace('"', "");
        let is_last = what == last;
        all.push(what);
        if is_last {
            return all;
        }
    }
}

async fn code(client: &mut Client, command: &str, fields: Value) -> String {
    let reply = client.write(command, fields).await;
    assert_eq!(reply["type"], "error", "{command}: {reply}");
    reply["code"].as_str().unwrap().to_owned()
}

/// Ann with an account of her own, Bob, Carol, and a group of Ann's that the two are in.
struct Scene {
    node: Node,
    account: Value,
    ann: Client,
    bob: Client,
    carol: Client,
    room: RoomId,
}

async fn scene() -> Scene {
    let node = Node::start().await;
    let account = node.register("Ann").await;
    let mut ann = enter(&node, &account).await;
    let people = [Person::new("Bob"), Person::new("Carol")];
    let bob = node.enter(&people[0]).await;
    let carol = node.enter(&people[1]).await;
    let room = ann.create("group").await;
    for person in &people {
        let fields = json!({"room": room, "user": person.id});
        assert_eq!(ann.write("add", fields).await["type"], "ack");
    }
    Scene {
        node,
        account,
        ann,
        bob,
        carol,
        room,
    }
}

#[tokio::test]
async fn with_their_messages_redacted() {
    let Scene {
        node,
        account,
        mut ann,
        mut bob,
        mut carol,
        room,
    } = scene().await;
    let id = account["user"]["id"].clone();
    let token = text_of(&account, "access_token");
    // 1 room, 2 and 3 the others; 4 to 7.
    let first = ann.send(room, "first words").await;
    let theirs = bob.send(room, "Bob's words").await;
    let edit = json!({"room": room, "target": first, "text": "better words"});
    assert_eq!(ann.write("edit", edit).await["type"], "ack");
    let react = json!({"room": room, "target": theirs, "emoji": "👍", "on": true});
    assert_eq!(ann.write("react", react).await["type"], "ack");
    let second = ann.send(room, "second words").await;
    let direct = bob.write("direct", json!({"user": id})).await;
    let direct: RoomId = crate::support::room_of(&direct);
    let said = bob.send(direct, "for you alone").await;
    ann.event(direct, said).await;
    let in_direct = ann.send(direct, "and back").await;
    bob.event(room, second).await;
    carol.event(room, second).await;

    erase_well(&node, token, "redact").await;
    assert_eq!(ann.closed().await.0, 4203);
    let last = format!("redact {second}");
    let expected = [
        "owner".to_owned(),
        "left".to_owned(),
        format!("redact {first}"),
        format!("👍 false {theirs}"),
        last.clone(),
    ];
    assert_eq!(events_until(&mut carol, room, &last).await, expected);
    let history = |room: RoomId| json!({"room": room, "limit": 50});
    let gone = async {
        loop {
            let page = bob.ask("history", history(direct)).await;
            let messages = page["messages"].as_array().unwrap().clone();
            let redacted = messages.iter().any(|message| message["redacted"].is_u64());
            if redacted && messages.last().unwrap()["kind"] == "member" {
                return messages;
            }
        }
    };
    let messages = bounded("the direct room is done", gone).await;
    let texts: Vec<_> = messages
        .iter()
        .filter(|message| message["kind"] == "message")
        .map(|message| message["body"]["text"].clone())
        .collect();
    assert_eq!(texts, [json!("for you alone"), json!("")]);
    assert!(messages.iter().any(|message| message["seq"] == in_direct));
    let page = carol.ask("history", history(room)).await.to_string();
    assert!(page.contains("Bob's words") && !page.contains("better words"));

    // Who it was is told to nobody.
    let profiles = bob.ask("profiles", json!({"users": [id]})).await;
    assert_eq!(
        profiles["users"],
        json!([{"id": id, "name": "", "version": 2}])
    );
    let named = bob.ask("profiles", json!({"name": "Ann"})).await;
    assert_eq!(named["users"], json!([]));
    let who = bob.ask("who", json!({"room": room})).await.to_string();
    assert!(!who.contains(id.as_str().unwrap()), "{who}");
    // Nobody says anything to them, asks them anywhere, or takes their name.
    for (command, fields, expected) in [
        ("send", json!({"room": direct, "text": "?"}), "forbidden"),
        ("add", json!({"room": room, "user": id}), "not_found"),
        (
            "invite_user",
            json!({"room": room, "user": id}),
            "not_found",
        ),
    ] {
        assert_eq!(code(&mut bob, command, fields).await, expected, "{command}");
    }
    let fresh = code(&mut carol, "direct", json!({"user": id})).await;
    assert_eq!(fresh, "not_found");
    let body = json!({"name": "ann", "password": PASSWORD});
    let (status, taken) = node.post("/api/register", None, &body).await;
    assert_eq!(
        (status, &taken["error"]["code"]),
        (409, &json!("name_taken"))
    );

    // Nothing of theirs lets them in.
    let (status, answer) = node.post("/api/login", None, &body).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("bad_credentials"))
    );
    for (method, path) in [
        ("GET", "/api/v1/sessions"),
        ("GET", "/api/v1/account/export"),
        ("DELETE", "/api/v1/account"),
    ] {
        let (status, answer) = node.request(method, path, Some(token), &json!({})).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (401, &json!("bad_token")),
            "{path}"
        );
    }
    let mut late = node.open().await;
    late.hello(token, json!({})).await;
    assert_eq!(late.closed().await.0, 4202);
    node.stop().await;
}

#[tokio::test]
async fn with_their_messages_kept() {
    let Scene {
        node,
        account,
        mut ann,
        mut bob,
        mut carol,
        room,
    } = scene().await;
    let said = ann.send(room, "words that stay").await;
    bob.event(room, said).await;
    let make = json!({"room": room, "user": Person::new("Carol").id, "role": "admin"});
    assert_eq!(ann.write("role", make).await["type"], "ack");
    carol.event(room, said + 1).await;
    bob.event(room, said + 1).await;
    erase_well(&node, text_of(&account, "access_token"), "keep").await;
    assert_eq!(ann.closed().await.0, 4203);
    for client in [&mut bob, &mut carol] {
        let seen = events_until(client, room, "left").await;
        assert_eq!(seen, ["owner", "left"]);
    }
    let page = bob.ask("history", json!({"room": room})).await.to_string();
    assert!(page.contains("words that stay"), "{page}");
    // Carol has been there no longer than Bob, and looks after the room.
    let configure = json!({"room": room, "topic": "what is left"});
    assert_eq!(carol.write("configure", configure).await["type"], "ack");
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let node = Node::start().await;
    let account = node.register("Ann").await;
    let token = text_of(&account, "access_token");
    let person = Person::new("Bob");
    let mut bob = node.enter(&person).await;
    for (token, body, status, code, field) in [
        (token, json!({}), 400, "bad_field", "messages"),
        (token, json!({"messages": 7}), 400, "bad_field", "messages"),
        (
            token,
            json!({"messages": "burn"}),
            400,
            "bad_field",
            "messages",
        ),
        (
            token,
            json!({"messages": "keep"}),
            400,
            "bad_field",
            "password",
        ),
        (
            token,
            json!({"messages": "keep", "password": 1}),
            400,
            "bad_field",
            "password",
        ),
        // Whoever has a password proves it by that.
        (
            token,
            json!({"messages": "keep", "confirm": account["user"]["id"]}),
            400,
            "bad_field",
            "password",
        ),
        (
            token,
            json!({"messages": "keep", "password": "wrong horse"}),
            401,
            "bad_credentials",
            "password",
        ),
        (
            &*person.token,
            json!({"messages": "keep"}),
            400,
            "bad_field",
            "confirm",
        ),
        (
            &*person.token,
            json!({"messages": "keep", "confirm": account["user"]["id"]}),
            400,
            "bad_field",
            "confirm",
        ),
        (
            "nonsense",
            json!({"messages": "keep"}),
            401,
            "bad_token",
            "",
        ),
    ] {
        let (answered, answer) = erase(&node, token, &body).await;
        let error = &answer["error"];
        assert_eq!(
            (answered, error["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        assert_eq!(error["field"].as_str().unwrap_or_default(), field, "{body}");
    }
    let path = "/api/v1/account";
    let (status, _answer) = node.post(path, Some(token), &json!({})).await;
    assert_eq!(status, 405);
    let request = format!(
        "DELETE {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{{\"a\":",
        node.address
    );
    let (status, answer) = crate::support::http(node.address, &request).await;
    assert!(
        status == 400 && answer.contains("bad_frame"),
        "{status} {answer}"
    );
    let mut ann = enter(&node, &account).await;
    assert_eq!(ann.ask("ping", json!({})).await["type"], "pong");
    assert_eq!(bob.ask("ping", json!({})).await["type"], "pong");
    // What is not known is passed over; whoever another issuer vouches for says who they are.
    let body = json!({"messages": "keep", "confirm": person.id, "because": "enough"});
    let (status, answer) = erase(&node, &person.token, &body).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(bob.closed().await.0, 4203);
    // Another token of that issuer does not bring them back.
    let mut late = node.open().await;
    late.hello(&Person::new("Bob").token, json!({})).await;
    assert_eq!(late.closed().await.0, 4202);
    node.stop().await;
}

#[tokio::test]
async fn a_wrong_password_counts_as_at_sign_in() {
    let node = Node::start().await;
    let account = node.register("Ann").await;
    let token = text_of(&account, "access_token");
    let body = json!({"messages": "keep", "password": "wrong horse"});
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(erase(&node, token, &body).await);
    }
    let limited = answers
        .iter()
        .find(|(status, _answer)| *status == 429)
        .expect("an end to guessing");
    assert_eq!(limited.1["error"]["code"], "rate_limited");
    assert!(limited.1["error"]["retry_after_ms"].is_u64());
    let login = json!({"name": "Ann", "password": PASSWORD});
    assert_eq!(node.post("/api/login", None, &login).await.0, 429);
    node.stop().await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let node = Node::start().await;
    let running = node.running.as_ref().unwrap();
    let link = running.administrator_link().await.unwrap().unwrap();
    let (_page, setup) = link.split_once("#setup=").unwrap();
    let body = json!({"token": setup, "name": "Boss", "password": PASSWORD});
    let (status, boss) = node.post("/api/setup", None, &body).await;
    assert_eq!(status, 201, "{boss}");
    let token = text_of(&boss, "access_token");
    let body = json!({"messages": "keep", "password": PASSWORD});
    let (status, answer) = erase(&node, token, &body).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("forbidden"))
    );
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("administrator"), "{words}");
    let mut client = enter(&node, &boss).await;
    let unknown = client
        .write("leave", json!({"room": RoomId([1; 16])}))
        .await;
    refused(&unknown, "not_found");
    node.stop().await;
}
