//! Budgets, deadlines, proxies and the end: what the accept loop does to a connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{
    BOUND, FIN, Seen, Server, Setup, TEXT, bounded, close_frame, frame, seen_text, upgrade_request,
};
use crate::gateway::accept::ConnectionDeadlines;
use crate::gateway::budget::{ConnectionLimits, Permit};
use crate::gateway::network::ClientAddress;

/// Short enough to wait for.
const SOON: Duration = Duration::from_millis(100);

fn hurried() -> Setup {
    let deadlines = ConnectionDeadlines {
        head: SOON,
        unauthenticated: SOON * 2,
        finish: SOON,
    };
    Setup {
        deadlines,
        ..Setup::default()
    }
}

#[tokio::test]
async fn silence_and_half_a_head_end_at_the_deadline() {
    let server = Server::start(hurried());
    let whole = upgrade_request("");
    for sent in [
        "",
        "G",
        "GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: 1",
        &whole[..whole.len() - 1],
    ] {
        let mut client = server.connect().await;
        client.send(sent.as_bytes()).await;
        client.expect_closed().await;
    }
    server.settle(0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_trickles_does_not_move_the_deadline() {
    let server = Server::start(hurried());
    let mut client = server.connect().await;
    client.send(b"GET /echo HTTP/1.1\r\n").await;
    let trickle = async {
        use tokio::io::AsyncWriteExt as _;
        while client.stream.write_all(b"X-More: x\r\n").await.is_ok() {
            tokio::time::sleep(SOON / 10).await;
        }
    };
    bounded("the trickle is cut off", trickle).await;
    server.settle(0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_connection_is_kept_for_further_requests_and_closed_when_idle() {
    let mut setup = hurried();
    // Only the idle time may end this one.
    setup.deadlines.unauthenticated = BOUND * 2;
    setup.router = Router::new().route("/hello", get(async || "hello"));
    let server = Server::start(setup);
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.expect(b"hello").await;
    }
    client.expect_closed().await;
    server.stop().await;
}

#[tokio::test]
async fn heads_have_a_size() {
    let server = Server::start(Setup::default());
    for lines in [
        format!("X-Large: {}\r\n", "x".repeat(20_000)),
        "X: y\r\n".repeat(200),
    ] {
        let mut client = server.connect().await;
        client.send(upgrade_request(&lines).as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    }
    server.stop().await;
}

/// Strangers may not stay by asking for something slow; people who are known may.
#[tokio::test]
async fn a_request_of_a_stranger_ends_at_the_deadline_and_that_of_a_known_person_does_not() {
    let go_on = Arc::new(Notify::new());
    let released = Arc::clone(&go_on);
    let router = Router::new()
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/known",
            get(async move |Extension(permit): Extension<Permit>| {
                permit.authenticated();
                released.notified().await;
                "still here"
            }),
        );
    let server = Server::start(Setup {
        router,
        ..hurried()
    });
    let mut known = server.connect().await;
    known.send(b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut stranger = server.connect().await;
    stranger
        .send(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    stranger.expect_closed().await;
    go_on.notify_one();
    assert!(known.head().await.starts_with("HTTP/1.1 200 "));
    known.expect(b"still here").await;
    server.stop().await;
}

/// A long answer to somebody who is known has its own end.
#[tokio::test]
async fn whoever_is_known_until_a_time_is_cut_off_after_it_and_not_before() {
    let go_on = Arc::new(Notify::new());
    let released = Arc::clone(&go_on);
    let in_an_hour = || Instant::now() + Duration::from_secs(3_600);
    let router = Router::new()
        .route(
            "/long",
            get(async move |Extension(permit): Extension<Permit>| {
                permit.authenticated_until(in_an_hour());
                released.notified().await;
                "still here"
            }),
        )
        .route(
            "/short",
            get(async |Extension(permit): Extension<Permit>| {
                permit.authenticated_until(Instant::now());
                std::future::pending::<()>().await;
            }),
        );
    let server = Server::start(Setup {
        router,
        ..hurried()
    });
    let mut long = server.connect().await;
    long.send(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut short = server.connect().await;
    short.send(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n").await;
    short.expect_closed().await;
    go_on.notify_one();
    assert!(long.head().await.starts_with("HTTP/1.1 200 "));
    long.expect(b"still here").await;
    server.stop().await;
}

#[tokio::test]
async fn an_address_has_a_number_of_connections_until_a_socket_closes() {
    let connections = ConnectionLimits {
        per_address_max: 2,
        ..ConnectionLimits::default()
    };
    let server = Server::start(Setup {
        connections,
        ..Setup::default()
    });
    let mut first = server.open().await;
    let mut second = server.open().await;
    // Being known does not give the address's place back.
    second.send(&frame(FIN | TEXT, b"hi")).await;
    second.expect(&[0x81, 2, b'h', b'i']).await;
    server.connect().await.expect_closed().await;
    assert_eq!(server.budget.figures().refused_address, 1);
    first.send(&close_frame(1000)).await;
    assert_eq!(first.frames().await, [Seen::Close(Some(1000))]);
    drop(first);
    server.settle(1).await;
    drop(server.open().await);
    drop(second);
    server.stop().await;
}

#[tokio::test]
async fn strangers_have_a_budget_that_a_known_socket_gives_back() {
    let connections = ConnectionLimits {
        unauthenticated_max: 2,
        ..ConnectionLimits::default()
    };
    let server = Server::start(Setup {
        connections,
        ..Setup::default()
    });
    let mut first = server.open().await;
    let silent = server.connect().await;
    server.settle(2).await;
    server.connect().await.expect_closed().await;
    assert_eq!(server.budget.figures().refused_unauthenticated, 1);
    first.send(&frame(FIN | TEXT, b"it is me")).await;
    first.expect(&[0x81, 8]).await;
    first.expect(b"it is me").await;
    let third = server.open().await;
    assert_eq!(server.budget.figures().connections, 3);
    drop((first, silent, third));
    server.settle(0).await;
    server.stop().await;
}

#[tokio::test]
async fn all_connections_together_have_a_cap() {
    let connections = ConnectionLimits {
        connections_max: 1,
        ..ConnectionLimits::default()
    };
    let server = Server::start(Setup {
        connections,
        ..Setup::default()
    });
    let open = server.open().await;
    server.connect().await.expect_closed().await;
    assert_eq!(server.budget.figures().refused_total, 1);
    drop(open);
    server.settle(0).await;
    drop(server.open().await);
    server.stop().await;
}

fn whoami() -> Router {
    Router::new().route(
        "/whoami",
        get(async |Extension(client): Extension<ClientAddress>| client.0.to_string()),
    )
}

async fn ask_whoami(server: &Server, forwarded: &str) -> String {
    let mut client = server.connect().await;
    let lines = format!("Host: x\r\nX-Forwarded-For: {forwarded}\r\nConnection: close\r\n");
    client
        .send(format!("GET /whoami HTTP/1.1\r\n{lines}\r\n").as_bytes())
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    String::from_utf8(client.rest().await).expect("an address")
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_client_is() {
    let server = Server::start(Setup {
        router: whoami(),
        ..Setup::default()
    });
    assert_eq!(ask_whoami(&server, "203.0.113.9").await, "127.0.0.1");
    server.stop().await;
    let trusted_proxies = vec!["127.0.0.0/8"];
    let server = Server::start(Setup {
        router: whoami(),
        trusted_proxies,
        ..Setup::default()
    });
    assert_eq!(
        ask_whoami(&server, "10.9.9.9, 203.0.113.9, 127.0.0.5").await,
        "203.0.113.9"
    );
    server.stop().await;
}

#[tokio::test]
async fn behind_a_proxy_the_cap_counts_the_reported_address() {
    let connections = ConnectionLimits {
        per_address_max: 1,
        ..ConnectionLimits::default()
    };
    let trusted_proxies = vec!["127.0.0.1"];
    let server = Server::start(Setup {
        connections,
        trusted_proxies,
        ..Setup::default()
    });
    let mut open = Vec::new();
    for (forwarded, status) in [
        ("203.0.113.1", 101),
        ("203.0.113.2", 101),
        ("203.0.113.1", 429),
        ("2001:db8:0:1::1", 101),
        ("2001:db8:0:1::2", 429),
        ("2001:db8:0:2::1", 101),
    ] {
        let mut client = server.connect().await;
        client
            .send(upgrade_request(&format!("X-Forwarded-For: {forwarded}\r\n")).as_bytes())
            .await;
        let head = client.head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{forwarded}: {head}"
        );
        open.push(client);
    }
    // Under `/api`, with the code that a program reads.
    let mut client = server.connect().await;
    client
        .send(b"GET /api/server HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 429 "));
    client.expect(br#"{"error":{"code":"rate_limited","#).await;
    drop(open);
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_idle_connections_says_goodbye_to_sockets_and_accepts_no_more() {
    let router = Router::new().route("/hello", get(async || "hello"));
    let server = Server::start(Setup {
        router,
        ..Setup::default()
    });
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.head().await.starts_with("HTTP/1.1 200 "));
    idle.expect(b"hello").await;
    let mut socket = server.open().await;
    socket.send(&frame(FIN | TEXT, b"hi")).await;
    socket.expect(&[0x81, 2, b'h', b'i']).await;
    server.settle(3).await;

    server.lifetime.stop.cancel();
    silent.expect_closed().await;
    idle.expect_closed().await;
    assert_eq!(socket.frames().await, [Seen::Close(Some(1001))]);
    drop(socket);
    let address = server.address;
    server.stop().await;
    assert!(
        bounded("refused", tokio::net::TcpStream::connect(address))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_running_request_is_finished_when_the_server_stops() {
    let go_on = Arc::new(Notify::new());
    let (started, released) = (Arc::new(Notify::new()), Arc::clone(&go_on));
    let reached = Arc::clone(&started);
    let handler = get(async move || {
        reached.notify_one();
        released.notified().await;
        "done"
    });
    let server = Server::start(Setup {
        router: Router::new().route("/slow", handler),
        ..Setup::default()
    });
    let mut client = server.connect().await;
    client.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    bounded("the request runs", started.notified()).await;
    server.lifetime.stop.cancel();
    go_on.notify_one();
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(client.rest().await, b"done");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_in_one_handler_ends_its_connection_only() {
    let router = Router::new().route(
        "/panic",
        get(async || -> &'static str { panic!("a planted panic") }),
    );
    let server = Server::start(Setup {
        router,
        ..Setup::default()
    });
    let mut client = server.connect().await;
    client.send(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.expect_closed().await;
    let mut other = server.open().await;
    other
        .send(&[frame(FIN | TEXT, b"fine"), close_frame(1000)].concat())
        .await;
    assert_eq!(
        other.frames().await,
        [seen_text("fine"), Seen::Close(Some(1000))]
    );
    drop(other);
    server.settle(0).await;
    server.stop().await;
}
