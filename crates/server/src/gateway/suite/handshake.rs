//! The opening handshake, by raw requests.

use super::{FIN, KEY, Seen, Server, Setup, TEXT, close_frame, frame, seen_text, upgrade_request};
use crate::gateway::upgrade::UpgradeOptions;

fn with_origins() -> Setup {
    let allowed_origins = vec![
        "https://chat.example".to_owned(),
        "http://127.0.0.1:8080".to_owned(),
    ];
    Setup {
        upgrade: UpgradeOptions {
            allowed_origins,
            ..UpgradeOptions::default()
        },
        ..Setup::default()
    }
}

/// Sends `request` to a server that allows two origins and returns the head of the answer.
async fn ask(setup: Setup, request: &str) -> String {
    let server = Server::start(setup);
    let mut client = server.connect().await;
    client.send(request.as_bytes()).await;
    let head = client.head().await;
    drop(client);
    server.stop().await;
    head.to_ascii_lowercase()
}

async fn check(name: &str, request: &str, status: u16) {
    let head = ask(with_origins(), request).await;
    // The version in the answer is that of the request.
    assert_eq!(
        head.split(' ').nth(1),
        Some(status.to_string().as_str()),
        "{name}: {head}"
    );
}

#[tokio::test]
async fn the_answer_is_the_rfc_s_own_example() {
    let head = ask(
        Setup::default(),
        &upgrade_request("Sec-WebSocket-Protocol: other, chinwag.v1.json\r\n"),
    )
    .await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol: chinwag.v1.json",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(!head.contains("sec-websocket-extensions"));
}

#[tokio::test]
async fn where_compression_is_off_its_offer_is_not_taken_and_its_bit_is_an_error() {
    let server = Server::start(Setup::default());
    let mut client = server.connect().await;
    client
        .send(upgrade_request("Sec-WebSocket-Extensions: permessage-deflate\r\n").as_bytes())
        .await;
    assert!(
        !client
            .head()
            .await
            .to_ascii_lowercase()
            .contains("extensions")
    );
    client.send(&frame(FIN | 0x40 | TEXT, b"\0")).await;
    assert_eq!(client.frames().await, [Seen::Close(Some(1002))]);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn no_offered_subprotocol_is_fine_and_a_foreign_one_is_not() {
    let head = ask(Setup::default(), &upgrade_request("")).await;
    assert!(
        head.starts_with("http/1.1 101 ") && !head.contains("sec-websocket-protocol"),
        "{head}"
    );
    check(
        "foreign",
        &upgrade_request("Sec-WebSocket-Protocol: soap, chinwag.v9.json\r\n"),
        400,
    )
    .await;
}

#[tokio::test]
async fn keys_must_be_sixteen_bytes_of_base64() {
    let with = |key: &str| upgrade_request("").replace(KEY, key);
    for key in [
        "short",
        "",
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZTE=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "!!!!",
    ] {
        check(key, &with(key), 400).await;
    }
    check(
        "none",
        &upgrade_request("").replace(&format!("Sec-WebSocket-Key: {KEY}\r\n"), ""),
        400,
    )
    .await;
    check(
        "two",
        &upgrade_request(&format!("Sec-WebSocket-Key: {KEY}\r\n")),
        400,
    )
    .await;
}

#[tokio::test]
async fn only_version_13_is_spoken_and_the_answer_says_so() {
    for version in ["12", "14", "8", "13, 8", ""] {
        let request = upgrade_request("").replace("Version: 13", &format!("Version: {version}"));
        let head = ask(Setup::default(), &request).await;
        assert!(head.starts_with("http/1.1 426 "), "{version}: {head}");
        assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_by_its_own_status() {
    let request = upgrade_request("");
    check("POST", &request.replacen("GET", "POST", 1), 405).await;
    check(
        "HTTP/1.0",
        &request.replacen("HTTP/1.1", "HTTP/1.0", 1),
        400,
    )
    .await;
    check("no Host", &request.replace("Host: localhost\r\n", ""), 400).await;
    check("two Hosts", &upgrade_request("Host: other\r\n"), 400).await;
    check(
        "no Connection",
        &request.replace("Connection: keep-alive, Upgrade\r\n", ""),
        426,
    )
    .await;
    check(
        "no Upgrade",
        &request.replace("Upgrade: WebSocket\r\n", ""),
        426,
    )
    .await;
    check(
        "other Upgrade",
        &request.replace("WebSocket\r\n", "websockets\r\n"),
        426,
    )
    .await;
    check("a body", &upgrade_request("Content-Length: 4\r\n"), 400).await;
    check(
        "a chunked body",
        &upgrade_request("Transfer-Encoding: chunked\r\n"),
        400,
    )
    .await;
}

#[tokio::test]
async fn an_ambient_credential_needs_an_allowed_origin() {
    let with = |lines: &str| upgrade_request(lines);
    check(
        "token in the first frame",
        &with("Origin: https://evil.example\r\n"),
        101,
    )
    .await;
    check("no origin, no cookie", &with(""), 101).await;
    check(
        "ours",
        &with("Cookie: a=b\r\nOrigin: https://chat.example\r\n"),
        101,
    )
    .await;
    check(
        "ours, with port",
        &with("Cookie: a=b\r\nOrigin: http://127.0.0.1:8080\r\n"),
        101,
    )
    .await;
    for origin in [
        "https://evil.example",
        "https://chat.example.evil.com",
        "https://evilchat.example",
        "http://chat.example",
        "https://chat.example:444",
        "https://chat.example/",
        "null",
        "",
    ] {
        check(
            origin,
            &with(&format!("Cookie: a=b\r\nOrigin: {origin}\r\n")),
            403,
        )
        .await;
    }
    check("cookie without origin", &with("Cookie: a=b\r\n"), 403).await;
    let two = "Cookie: a=b\r\nOrigin: https://chat.example\r\nOrigin: https://evil.example\r\n";
    check("two origins", &with(two), 403).await;
}

/// On localhost a browser sends the cookies of every other program there: they must not lock out
/// the server's own page.
#[tokio::test]
async fn the_page_of_this_server_needs_no_allowance() {
    let ask_with = |host: &str, origin: &str| {
        upgrade_request(&format!("Cookie: other=app\r\nOrigin: {origin}\r\n"))
            .replace("Host: localhost\r\n", &format!("Host: {host}\r\n"))
    };
    for (host, origin, status) in [
        ("127.0.0.1:9000", "http://127.0.0.1:9000", 101),
        ("localhost:9000", "http://localhost:9000", 101),
        ("[::1]:9000", "http://[::1]:9000", 101),
        // TLS ends at a proxy, which may spell out the port that browsers leave out.
        ("talk.example", "https://talk.example", 101),
        ("talk.example", "http://talk.example", 101),
        ("talk.example:443", "https://talk.example", 101),
        ("Talk.Example", "https://talk.example", 101),
        ("127.0.0.1:9000", "http://127.0.0.1:9001", 403),
        ("127.0.0.1:9000", "http://127.0.0.1", 403),
        ("127.0.0.1:9000", "http://localhost:9000", 403),
        ("talk.example:443", "http://talk.example", 403),
        ("talk.example", "https://talk.example:444", 403),
        ("talk.example", "https://talk.example.evil.com", 403),
        ("talk.example", "https://talk.example/", 403),
        ("talk.example", "file://talk.example", 403),
        ("talk.example", "talk.example", 403),
        ("talk.example", "null", 403),
    ] {
        check(&format!("{host} {origin}"), &ask_with(host, origin), status).await;
    }
}

#[tokio::test]
async fn the_origin_check_can_be_asked_for_without_a_cookie() {
    for (origin, status) in [("https://chat.example", 101), ("https://evil.example", 403)] {
        let mut setup = with_origins();
        setup.upgrade.always_check_origin = true;
        let head = ask(setup, &upgrade_request(&format!("Origin: {origin}\r\n"))).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
    }
}

#[tokio::test]
async fn a_head_in_single_bytes_with_a_frame_behind_it_works() {
    let server = Server::start(Setup::default());
    let mut client = server.connect().await;
    for byte in upgrade_request("")
        .bytes()
        .chain(frame(FIN | TEXT, b"first"))
        .chain(close_frame(1000))
    {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(
        client.frames().await,
        [seen_text("first"), Seen::Close(Some(1000))]
    );
    drop(client);
    server.stop().await;
}

/// The route exists only for the conformance suite; a release build has no feature and no route.
#[tokio::test]
async fn the_echo_route_is_absent_without_its_feature() {
    use crate::gateway::accept::{AcceptOptions, ConnectionDeadlines, Lifetime, accept, listen};
    use crate::gateway::budget::{Budget, ConnectionLimits};

    let listener = listen(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let lifetime = Lifetime {
        stop: Default::default(),
        tasks: Default::default(),
    };
    let options = AcceptOptions {
        router: crate::gateway::with_feature_routes(axum::Router::new()),
        tls: None,
        deadlines: ConnectionDeadlines::default(),
        budget: Budget::new(ConnectionLimits::default()),
        trusted_proxies: Vec::new(),
        lifetime: lifetime.clone(),
    };
    let budget = options.budget.clone();
    lifetime.tasks.spawn(accept(listener, options));
    let server = Server {
        address,
        budget,
        lifetime,
    };
    let mut client = server.connect().await;
    client.send(upgrade_request("").as_bytes()).await;
    let expected = if cfg!(feature = "conformance") {
        "HTTP/1.1 101 "
    } else {
        "HTTP/1.1 404 "
    };
    let head = client.head().await;
    assert!(head.starts_with(expected), "{head}");
    drop(client);
    server.stop().await;
}
