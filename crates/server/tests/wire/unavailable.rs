//! Refusals for now: a store that does not answer, an issuer that does not, a server that stops,
//! and questions that come twice at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chinwag_server::config::IssuerKeys;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::{BOUND, Client, ISSUER, Node, Person, TEXT, bounded, masked, refused};

/// Another program that holds the node's database for writing, until this is dropped.
fn hold(node: &Node) -> rusqlite::Connection {
    let file = node.place.path().join("data/chinwag.db");
    let holder = rusqlite::Connection::open(file).unwrap();
    holder.busy_timeout(BOUND).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    holder
}

#[tokio::test]
async fn a_store_that_cannot_write_refuses_for_now_and_goes_on() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    let room = client.create("group").await;
    let holder = hold(&node);
    // Somebody whom nobody has seen before would have to be written down.
    let mut late = node.open().await;
    late.hello(&Person::new("Bob").token, json!({})).await;
    // What needs no writing is done meanwhile.
    let page = client.ask("history", json!({"room": room})).await;
    assert_eq!(page["type"], "page", "{page}");
    node.enter(&ann).await;
    let (code, frames) = late.closed().await;
    assert_eq!(code, 4104);
    refused(&frames[0], "unavailable");
    let send = json!({"key": client.key(), "room": room, "text": "held up"});
    refused(&client.ask("send", send.clone()).await, "unavailable");
    // What comes behind it waits for its turn.
    refused(
        &client
            .write("send", json!({"room": room, "text": "behind"}))
            .await,
        "retry_in_order",
    );
    drop(holder);
    let ack = client.ask("send", send).await;
    assert_eq!((&ack["type"], &ack["seq"]), (&json!("ack"), &json!(2)));
    node.enter(&Person::new("Bob")).await;
    node.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_takes_nothing_new_and_finishes_what_it_has() {
    let mut node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let (room, other) = (client.create("group").await, client.create("group").await);
    let holder = hold(&node);
    let key = client.key();
    let waiting = json!({"key": key, "room": room, "text": "in time"});
    let in_time = client.tell("send", waiting.clone()).await;
    let running = node.running.take().unwrap();
    let talk = async {
        client.until("reconnect").await;
        let late = json!({"room": other, "text": "too late"});
        refused(&client.write("send", late.clone()).await, "going_away");
        refused(&client.write("send", late).await, "retry_in_order");
        // The same command again is no new one: it has been accepted.
        let again = client.tell("send", waiting).await;
        drop(holder);
        let ack = client.reply(in_time).await;
        assert_eq!((&ack["type"], &ack["seq"]), (&json!("ack"), &json!(2)));
        assert_eq!(client.reply(again).await["seq"], 2);
        client.closed().await
    };
    let ((), (code, _frames)) = bounded("both", async { tokio::join!(running.stop(), talk) }).await;
    assert_eq!(code, 1012);
}

/// A token of a foreign issuer whose keys lie at an address; nobody has verified it.
fn unverified(subject: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "RS256", "kid": "1"}));
    let claims = part(json!({"iss": ISSUER, "aud": "chinwag", "sub": subject, "exp": 4e9}));
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 256]))
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_means_later_and_not_never() {
    // Bound and not listening: nobody else can answer there.
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/keys", nobody.local_addr().unwrap());
    let node = Node::with(|config| {
        config.auth.issuers[0].keys = IssuerKeys::JwksUrl(url);
        config.auth.issuers[0].algorithms = vec![Algorithm::RS256];
    })
    .await;
    let mut client = node.open().await;
    client.hello(&unverified("Ann"), json!({})).await;
    let (code, frames) = client.closed().await;
    assert_eq!(code, 4104);
    refused(&frames[0], "unavailable");
    node.settle(0, 0).await;
    node.stop().await;
}

/// Two frames in one write, so that the second is read while the first is under way.
async fn twice(client: &mut Client, kind: &str, fields: &Value) -> [Value; 2] {
    let mut bytes = Vec::new();
    for req in [901, 902] {
        let mut frame = json!({"type": kind, "req": req});
        crate::support::merge(&mut frame, fields.clone());
        bytes.extend(masked(0x80 | TEXT, frame.to_string().as_bytes()));
    }
    client.raw(&bytes).await;
    [client.reply(901).await, client.reply(902).await]
}

#[tokio::test]
async fn a_second_renewal_and_a_second_sync_at_once_wait() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.enter(&ann).await;
    let fields = [("auth", json!({"token": ann.token})), ("sync", json!({}))];
    for (kind, fields) in fields {
        let [first, second] = twice(&mut client, kind, &fields).await;
        assert_eq!(first["type"], "ok", "{kind}: {first}");
        refused(&second, "busy");
    }
    client.until("caught_up").await;
    assert_eq!(client.ask("ping", json!({})).await["type"], "pong");
    node.stop().await;
}
