//! Tokens that end, are renewed or revoked, and how many connections one may have.

use chinwag_server::config::Whole;
use serde_json::{Value, json};

use crate::support::{Client, Node, Person, bounded, refused, token};

/// Enters with a local account's access token.
async fn enter(node: &Node, token: &str) -> Client {
    let mut client = node.open().await;
    client.hello(token, json!({})).await;
    client.until("caught_up").await;
    client
}

#[tokio::test]
async fn a_token_is_renewed_on_the_live_socket() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut client = node.open().await;
    client.hello(&token("Ann", 50), json!({})).await;
    let mut synced = client.until("caught_up").await;
    synced.extend(client.so_far().await);
    let notice = synced
        .iter()
        .find(|frame| frame["type"] == "token_expiring")
        .unwrap();
    assert!(
        (40_000..=50_000).contains(&notice["in_ms"].as_u64().unwrap()),
        "{notice}"
    );
    refused(
        &client.ask("auth", json!({"token": "nonsense"})).await,
        "bad_token",
    );
    refused(
        &client
            .ask("auth", json!({"token": token("Ann", -3_600)}))
            .await,
        "token_expired",
    );
    refused(
        &client
            .ask("auth", json!({"token": token("Bob", 3_600)}))
            .await,
        "bad_token",
    );
    assert_eq!(
        client.ask("auth", json!({"token": ann.token})).await["type"],
        "ok"
    );
    // Another short one is noticed again, and its end ends the connection.
    assert_eq!(
        client.ask("auth", json!({"token": token("Ann", 2)})).await["type"],
        "ok"
    );
    client.until("token_expiring").await;
    assert_eq!(client.closed().await.0, 4201);
    node.settle(0, 0).await;
    node.stop().await;
}

#[tokio::test]
async fn logout_ends_the_sockets_of_that_session_at_once() {
    let node = Node::start().await;
    let account = node.register("ann").await;
    let access = account["access_token"].as_str().unwrap();
    let (status, other) = node
        .post(
            "/api/login",
            None,
            &json!({"name": "ann", "password": "correct horse"}),
        )
        .await;
    assert_eq!(status, 200);
    let mut one = enter(&node, access).await;
    let mut two = enter(&node, access).await;
    let mut elsewhere = enter(&node, other["access_token"].as_str().unwrap()).await;
    let begun = std::time::Instant::now();
    assert_eq!(
        node.post("/api/logout", Some(access), &json!({})).await.0,
        200
    );
    assert_eq!(one.closed().await.0, 4203);
    assert_eq!(two.closed().await.0, 4203);
    assert!(begun.elapsed().as_secs_f64() < 1.0, "{:?}", begun.elapsed());
    // The token is of no more use, and the other session goes on.
    let mut late = node.open().await;
    late.hello(access, json!({})).await;
    assert_eq!(late.closed().await.0, 4202);
    assert_eq!(elsewhere.ask("ping", json!({})).await["type"], "pong");
    node.stop().await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_at_once() {
    let node = Node::start().await;
    let account = node.register("ann").await;
    let access = account["access_token"].as_str().unwrap();
    let (_status, other) = node
        .post(
            "/api/login",
            None,
            &json!({"name": "ann", "password": "correct horse"}),
        )
        .await;
    let mut elsewhere = enter(&node, other["access_token"].as_str().unwrap()).await;
    let change = json!({"old": "correct horse", "new": "battery staple"});
    assert_eq!(
        node.post("/api/password", Some(access), &change).await.0,
        200
    );
    let begun = std::time::Instant::now();
    assert_eq!(elsewhere.closed().await.0, 4203);
    assert!(begun.elapsed().as_secs_f64() < 1.0);
    node.stop().await;
}

/// A refused renewal used to bind the socket to the session of the refused token: its own
/// session's logout no longer ended it.
#[tokio::test]
async fn another_user_s_token_does_not_take_over_the_connection() {
    let node = Node::start().await;
    let account = node.register("ann").await;
    let access = account["access_token"].as_str().unwrap();
    let mut client = enter(&node, access).await;
    refused(
        &client
            .ask("auth", json!({"token": Person::new("Bob").token}))
            .await,
        "bad_token",
    );
    assert_eq!(
        node.post("/api/logout", Some(access), &json!({})).await.0,
        200
    );
    assert_eq!(client.closed().await.0, 4203);
    node.stop().await;
}

#[tokio::test]
async fn one_connection_more_than_one_may_have_is_refused() {
    let node = Node::with(|config| config.limits.connections_per_user = Whole::new(3)).await;
    let ann = Person::new("Ann");
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(node.enter(&ann).await);
    }
    let mut late = node.open().await;
    late.hello(&ann.token, json!({})).await;
    assert_eq!(late.closed().await.0, 4105);
    node.enter(&Person::new("Bob")).await;
    // A place that becomes free is a place.
    drop(clients.pop());
    drop(late);
    node.settle(2, 1).await;
    node.enter(&ann).await;
    drop(clients);
    node.settle(0, 0).await;
    node.stop().await;
}

#[tokio::test]
async fn the_product_s_own_limit_is_32() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(node.enter(&ann).await);
    }
    let mut late = node.open().await;
    late.hello(&ann.token, json!({})).await;
    assert_eq!(late.closed().await.0, 4105);
    node.stop().await;
}

/// Clients that hang up while their token is being verified used to stay counted for ever.
#[tokio::test]
async fn hanging_up_during_hello_leaves_nothing() {
    let node = Node::start().await;
    let ann = Person::new("Ann");
    for _ in 0..100 {
        let mut client = node.open().await;
        client.hello(&ann.token, json!({})).await;
    }
    node.settle(0, 0).await;
    let client = bounded("enter", node.enter(&ann)).await;
    node.settle(1, 1).await;
    drop(client);
    node.stop().await;
}

/// Signs in once more, on a device of this name.
async fn sign_in(node: &Node, device: &str) -> Value {
    let body =
        json!({"name": "ann", "password": "correct horse", "cookie": false, "device": device});
    let (status, answer) = node.post("/api/login", None, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn one_s_sessions_are_listed_and_ended() {
    let node = Node::start().await;
    let nothing = json!({});
    node.register("ann").await;
    let [phone, laptop, tablet] = [
        sign_in(&node, "phone").await,
        sign_in(&node, "laptop").await,
        sign_in(&node, "tablet").await,
    ];
    let access = |session: &Value| session["access_token"].as_str().unwrap().to_owned();
    let (own, other, third) = (access(&phone), access(&laptop), access(&tablet));
    let list = async |token: &str| {
        let path = "/api/v1/sessions";
        let (status, answer) = node.request("GET", path, Some(token), &json!({})).await;
        assert_eq!(status, 200, "{answer}");
        answer["sessions"].as_array().unwrap().clone()
    };
    let found = list(&own).await;
    assert_eq!(found.len(), 4, "with the one of registering: {found:?}");
    let current = found.iter().filter(|one| one["current"] == true);
    let current: Vec<&Value> = current.map(|one| &one["device"]).collect();
    assert_eq!(current, ["phone"]);
    for one in &found {
        let [created, used, ends] =
            ["created", "last_used", "expires"].map(|field| one[field].as_i64().unwrap());
        assert!(0 < created && created <= used && used < ends, "{one}");
    }
    let id_of = |device: &str| {
        let one = found.iter().find(|one| one["device"] == device).unwrap();
        one["id"].as_str().unwrap().to_owned()
    };
    // One: its socket closes, its tokens are void, and nobody else notices.
    let (mut here, mut there) = (enter(&node, &own).await, enter(&node, &other).await);
    let path = format!("/api/v1/sessions/{}", id_of("laptop"));
    let (status, answer) = node.request("DELETE", &path, Some(&own), &nothing).await;
    assert_eq!((status, answer), (200, json!({})));
    assert_eq!(there.closed().await.0, 4203);
    let refresh = json!({"refresh_token": laptop["refresh_token"]});
    let (status, answer) = node.post("/api/refresh", None, &refresh).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("bad_token"))
    );
    let (status, _) = node
        .request("GET", "/api/v1/sessions", Some(&other), &nothing)
        .await;
    assert_eq!(status, 401);
    assert_eq!(here.ask("ping", json!({})).await["type"], "pong");
    assert_eq!(list(&third).await.len(), 3);
    // Ended, another's, unknown and malformed ones answer alike.
    let bob = node.register("bob").await;
    let theirs = access(&bob);
    let (_, answer) = node
        .request("GET", "/api/v1/sessions", Some(&theirs), &nothing)
        .await;
    let foreign = answer["sessions"][0]["id"].as_str().unwrap().to_owned();
    let unknown = "s_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
    for id in [id_of("laptop"), foreign, unknown, "nonsense".to_owned()] {
        let path = format!("/api/v1/sessions/{id}");
        let (status, answer) = node.request("DELETE", &path, Some(&own), &nothing).await;
        assert_eq!(status, 404, "{id}: {answer}");
        assert_eq!(answer["error"]["code"], "not_found");
    }
    let mut bob = enter(&node, &theirs).await;
    // All others.
    let mut elsewhere = enter(&node, &third).await;
    let path = "/api/v1/sessions";
    let (status, answer) = node.request("DELETE", path, Some(&own), &nothing).await;
    assert_eq!((status, answer), (200, json!({"ended": 2})));
    assert_eq!(elsewhere.closed().await.0, 4203);
    assert_eq!(list(&own).await.len(), 1);
    for client in [&mut here, &mut bob] {
        assert_eq!(client.ask("ping", json!({})).await["type"], "pong");
    }
    // And the present one, as a logout.
    let path = format!("/api/v1/sessions/{}", id_of("phone"));
    let (status, _) = node.request("DELETE", &path, Some(&own), &nothing).await;
    assert_eq!((status, here.closed().await.0), (200, 4203));
    for (token, expected) in [(None, 401), (Some(own.as_str()), 401)] {
        let (status, _) = node
            .request("GET", "/api/v1/sessions", token, &nothing)
            .await;
        assert_eq!(status, expected);
    }
    node.stop().await;
}

#[tokio::test]
async fn what_one_calls_a_device_is_bounded_and_foreign_issuers_have_no_sessions() {
    let node = Node::start().await;
    node.register("ann").await;
    for (device, code) in [
        (json!("x".repeat(121)), "too_long"),
        (json!("two\nlines"), "bad_field"),
        (json!(7), "bad_field"),
    ] {
        let body = json!({"name": "ann", "password": "correct horse", "device": device});
        let (status, answer) = node.post("/api/login", None, &body).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)));
        assert_eq!(answer["error"]["field"], "device");
    }
    let guest = Person::new("Guest");
    let path = "/api/v1/sessions";
    let (status, answer) = node
        .request("GET", path, Some(&guest.token), &json!({}))
        .await;
    assert_eq!((status, answer), (200, json!({"sessions": []})));
    let (status, answer) = node
        .request("DELETE", path, Some(&guest.token), &json!({}))
        .await;
    assert_eq!((status, answer), (200, json!({"ended": 0})));
    node.stop().await;
}
