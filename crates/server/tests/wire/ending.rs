//! The server stops: told, flushed, closed with 1012.

use serde_json::json;

use crate::support::{Node, Person, bounded, get};

#[tokio::test]
async fn health_says_alive_and_ready_until_it_stops() {
    let mut node = Node::start().await;
    let _client = node.enter(&Person::new("Ann")).await;
    assert_eq!(
        get(node.address, "/livez").await,
        (200, "alive\n".to_owned())
    );
    assert_eq!(
        get(node.address, "/readyz").await,
        (200, "ready\n".to_owned())
    );
    let running = node.running.take().unwrap();
    let address = node.address;
    let asked = async {
        while get(address, "/readyz").await.0 == 200 {}
        get(address, "/livez").await
    };
    let ((), answer) = bounded("both", async { tokio::join!(running.stop(), asked) }).await;
    assert_eq!(answer.0, 200, "alive to the end");
}

#[tokio::test]
async fn stopping_tells_when_to_come_back_and_closes_with_1012() {
    let mut node = Node::start().await;
    let mut client = node.enter(&Person::new("Ann")).await;
    let mut silent = node.open().await;
    let room = client.create("group").await;
    let key = client.key();
    let running = node.running.take().unwrap();
    let begun = std::time::Instant::now();
    let talk = async {
        // During the first second everything goes on as before.
        let ack = client
            .ask("send", json!({"key": key, "room": room, "text": "x"}))
            .await;
        assert_eq!(ack["type"], "ack", "{ack}");
        client.closed().await
    };
    let ((), (code, frames), (silent, _)) = bounded("all", async {
        tokio::join!(running.stop(), talk, silent.closed())
    })
    .await;
    assert_eq!((code, silent), (1012, 1012));
    let hint = frames
        .iter()
        .find(|frame| frame["type"] == "reconnect")
        .unwrap();
    assert!(
        hint["after_ms"].as_u64().unwrap() > 0 && hint["spread_ms"].as_u64().unwrap() > 0,
        "{hint}"
    );
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
