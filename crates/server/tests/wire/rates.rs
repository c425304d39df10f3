//! How much one person, and all who share an address, may do in a while; and another rate by an
//! administrator.

use serde_json::{Value, json};

use crate::support::{Client, Node, Person, refused};
use chinwag_server::config::Whole;

/// Asks until it is refused for now; how often it was answered.
async fn until_refused(client: &mut Client, kind: &str, fields: &Value) -> (usize, Value) {
    let mut answered = 0;
    loop {
        let reply = client.ask(kind, fields.clone()).await;
        if reply["type"] == "error" {
            return (answered, reply);
        }
        answered += 1;
        assert!(answered < 10_000, "nothing ends it");
    }
}

#[tokio::test]
async fn questions_have_a_bound_that_no_client_meets_and_a_loop_does() {
    let node = Node::with(|config| {
        config.limits.rate_burst = Whole::new(20);
        config.limits.rate_per_second = serde_json::from_value(json!(0.001)).unwrap();
    })
    .await;
    let mut ann = node.enter(&Person::new("Ann")).await;
    let room = ann.create("group").await;
    // All rooms that somebody may be in, asked for at once, and screens of history beside them.
    for _ in 0..5_000 {
        let after = json!({"room": room, "seq": 1});
        let reply = ann.ask("after", after).await;
        assert_eq!(reply["type"], "events", "{reply}");
    }
    let (pages, refusal) = until_refused(&mut ann, "history", &json!({"room": room})).await;
    assert_eq!(pages, 500, "each at the price of two");
    refused(&refusal, "rate_limited");
    assert!(refusal["retry_after_ms"].as_u64() > Some(0), "{refusal}");
    for (kind, fields) in [
        ("room", json!({"room": room})),
        ("members", json!({"room": room})),
        ("receipts", json!({"room": room})),
        ("profiles", json!({"name": "Ann"})),
        ("directory", json!({})),
        ("mark", json!({"room": room, "read": 1})),
        ("sync", json!({})),
    ] {
        refused(&ann.ask(kind, fields).await, "rate_limited");
    }
    // Whatever somebody asked, it costs no message its turn.
    ann.send(room, "still heard").await;
    node.stop().await;
}

#[tokio::test]
async fn many_accounts_at_one_address_are_one_address() {
    let node = Node::with(|config| {
        config.limits.address_rate_burst = Some(Whole::new(12));
        let slowly = serde_json::from_value(json!(0.001)).unwrap();
        config.limits.address_rate_per_second = Some(slowly);
    })
    .await;
    let mut clients = Vec::new();
    for name in ["Ann", "Bob", "Carol", "Dave"] {
        clients.push(node.enter(&Person::new(name)).await);
    }
    let room = clients[0].create("public").await;
    for client in &mut clients[1..] {
        let joined = client.write("join", json!({"room": room})).await;
        assert_eq!(joined["type"], "ack", "{joined}");
    }
    for _ in 0..2 {
        for client in &mut clients {
            client.send(room, "hello").await;
        }
    }
    // Nobody of them has said much; together they have. The order is kept as with any refusal.
    for client in &mut clients {
        let key = client.key();
        let say = |key| json!({"key": key, "room": room, "text": "one more"});
        let refusal = client.ask("send", say(key)).await;
        refused(&refusal, "rate_limited");
        assert!(refusal["retry_after_ms"].as_u64() > Some(0), "{refusal}");
        let next = client.key();
        refused(&client.ask("send", say(next)).await, "retry_in_order");
    }
    // To come back, or as somebody else, is no way around it.
    let mut eve = node.enter(&Person::new("Eve")).await;
    refused(
        &eve.write("join", json!({"room": room})).await,
        "rate_limited",
    );
    node.stop().await;
}

#[tokio::test]
async fn an_administrator_lets_somebody_send_more_or_less() {
    let change = |config: &mut chinwag_server::config::Config| {
        config.limits.rate_burst = Whole::new(2);
        config.limits.rate_per_second = serde_json::from_value(json!(0.001)).unwrap();
        config.limits.address_rate_burst = Some(Whole::new(10_000));
    };
    let node = Node::with(change).await;
    let link = node.running.as_ref().unwrap().administrator_link().await;
    let link = link.unwrap().unwrap();
    let token = link.rsplit_once("#setup=").unwrap().1;
    let body = json!({"token": token, "name": "Ada", "password": "correct horse"});
    let (status, ada) = node.post("/api/setup", None, &body).await;
    assert_eq!(status, 201, "{ada}");
    let ada = ada["access_token"].as_str().unwrap().to_owned();
    let bob = Person::new("Bob");
    let mut client = node.enter(&bob).await;
    let room = client.create("group").await;
    client.send(room, "the second of two").await;
    let send = json!({"room": room, "text": "x"});
    refused(&client.write("send", send.clone()).await, "rate_limited");

    let path = format!("/api/v1/users/{}/rate", bob.id);
    let nobody = "/api/v1/users/u_aaaaaaaaaaaaaaaaaaaaaaaaaa/rate";
    let much = json!({"messages_per_second": 1000, "burst": 1000});
    for (path, token, body, expected) in [
        (path.as_str(), None, &much, (401, "bad_token")),
        (&path, Some(&*bob.token), &much, (403, "forbidden")),
        (nobody, Some(&*bob.token), &much, (403, "forbidden")),
        (nobody, Some(&*ada), &much, (404, "not_found")),
        (
            "/api/v1/users/bob/rate",
            Some(&*ada),
            &much,
            (404, "not_found"),
        ),
    ] {
        for method in ["PUT", "DELETE"] {
            let (status, answer) = node.request(method, path, token, body).await;
            let found = (status, answer["error"]["code"].as_str().unwrap());
            assert_eq!(found, expected, "{method} {path}: {answer}");
        }
    }
    for bad in [
        json!({"burst": 5}),
        json!({"messages_per_second": 5}),
        json!({"messages_per_second": 0, "burst": 5}),
        json!({"messages_per_second": -1, "burst": 5}),
        json!({"messages_per_second": 10_001, "burst": 5}),
        json!({"messages_per_second": "5", "burst": 5}),
        json!({"messages_per_second": 5, "burst": 0}),
        json!({"messages_per_second": 5, "burst": 1.5}),
        json!({"messages_per_second": 5, "burst": 10_001}),
    ] {
        let (status, answer) = node.request("PUT", &path, Some(&ada), &bad).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("bad_field")),
            "{bad}"
        );
    }
    // It holds at once on the connection that is there, and for its order.
    let (status, answer) = node.request("PUT", &path, Some(&ada), &much).await;
    let expected = json!({"user": bob.id, "messages_per_second": 1000.0, "burst": 1000});
    assert_eq!((status, answer), (200, expected));
    let mut again = node.enter(&bob).await;
    let mut sent = 0;
    for number in 0..100 {
        let reply = again
            .write("send", json!({"room": room, "text": number.to_string()}))
            .await;
        sent += usize::from(reply["type"] == "ack");
        if reply["type"] != "ack" {
            refused(&reply, "rate_limited");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            again = node.enter(&bob).await;
        }
    }
    assert!(sent > 50, "{sent}");
    // Also after a restart, and until it is taken back.
    let node = Node::on(node.halt().await, change).await;
    let mut client = node.open().await;
    client.hello(&bob.token, json!({})).await;
    let welcome = client.expect("welcome").await;
    assert_eq!(welcome["limits"]["rate_per_second"], 1000, "{welcome}");
    client.until("caught_up").await;
    for _ in 0..20 {
        client.send(room, "still allowed").await;
    }
    let (status, _answer) = node.request("DELETE", &path, Some(&ada), &json!({})).await;
    assert_eq!(status, 200);
    let (sent, refusal) = {
        let mut fields = send;
        fields["key"] = json!(client.key());
        let first = client.ask("send", fields.clone()).await;
        (usize::from(first["type"] == "ack"), first)
    };
    if sent == 1 {
        client.send(room, "the second of two").await;
        refused(
            &client
                .write("send", json!({"room": room, "text": "x"}))
                .await,
            "rate_limited",
        );
    } else {
        refused(&refusal, "rate_limited");
    }
    node.stop().await;
}
