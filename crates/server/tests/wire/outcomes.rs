//! Outcomes that are easily guessed wrong, over the wire: what may not be seen does not leak, what
//! is gone stays gone, and nobody marks what is not theirs.

use serde_json::{Value, json};

use crate::support::{Node, Person, refused};

/// Whoever joined later answers an earlier message: no more than that there is none.
#[tokio::test]
async fn an_answer_to_what_one_may_not_see_is_one_to_nothing() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    let hidden = one.send(room, "before Bob").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    let mut answers = Vec::new();
    for target in [hidden, 99] {
        let fields = json!({"room": room, "text": "x", "reply_to": target});
        let mut answer = other.write("send", fields).await;
        refused(&answer, "not_found");
        answer["req"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    // Ann may answer it; what Bob gets of that names it, and holds nothing of it.
    let fields = json!({"room": room, "text": "as I said", "reply_to": hidden});
    let seq = one.write("send", fields).await["seq"].as_u64().unwrap();
    let event = other.event(room, seq).await;
    assert_eq!(event["reply_to"], hidden, "{event}");
    assert!(!event.to_string().contains("before Bob"), "{event}");
    let page = other.ask("history", json!({"room": room})).await;
    assert!(!page.to_string().contains("before Bob"), "{page}");
    node.stop().await;
}

#[tokio::test]
async fn a_reader_calls_on_nobody_and_a_redaction_is_not_redacted() {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let room = one.create("group").await;
    one.write("add", json!({"room": room, "user": bob.id}))
        .await;
    let target = other.send(room, "mine").await;
    let all = json!({"room": room, "text": "all of you", "mentions": ["room"]});
    let reader = json!({"room": room, "user": bob.id, "role": "reader"});
    assert_eq!(other.write("send", all.clone()).await["type"], "ack");
    one.write("role", reader).await;
    refused(&other.write("send", all).await, "forbidden");
    let redacted = other
        .write("redact", json!({"room": room, "target": target}))
        .await;
    let redaction = redacted["seq"].as_u64().unwrap();
    let again = json!({"room": room, "target": redaction});
    refused(&one.write("redact", again).await, "no_message");
    let again = json!({"room": room, "target": target});
    refused(&one.write("redact", again).await, "gone");
    node.stop().await;
}

/// Somebody who has gone marks up to their going; somebody who was never in marks nothing.
#[tokio::test]
async fn markers_end_where_one_s_sight_ends() {
    let node = Node::start().await;
    let people = ["Ann", "Bob", "Carol"].map(Person::new);
    let [ann, bob, carol] = &people;
    let mut one = node.enter(ann).await;
    let (mut other, mut third) = (node.enter(bob).await, node.enter(carol).await);
    let room = one.create("group").await;
    let who = json!({"room": room, "user": bob.id});
    one.write("add", who.clone()).await;
    one.write("remove", who).await;
    one.send(room, "4: nobody else's").await;
    let mark = json!({"room": room, "read": 99});
    assert_eq!(other.ask("mark", mark.clone()).await["type"], "ok");
    let row = other.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["read"], 3, "{row}");
    refused(&third.ask("mark", mark.clone()).await, "not_found");
    assert_eq!(one.ask("mark", mark).await["type"], "ok");
    let row = one.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["me"]["read"], 4, "{row}");
    node.stop().await;
}
