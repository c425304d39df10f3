//! Keys at an address: when they are fetched, and from whom not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use tokio::task::JoinSet;

use super::*;

/// An issuer's server on this machine: its answer can be changed, and requests are counted.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
    answer: Arc<std::sync::Mutex<(StatusCode, String)>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(std::sync::Mutex::new((StatusCode::OK, String::new())));
        let (count, said) = (Arc::clone(&requests), Arc::clone(&answer));
        let keys = move || {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::ready(said.lock().expect("no panic").clone())
        };
        let elsewhere = || std::future::ready(Redirect::temporary("/keys"));
        let router = Router::new()
            .route("/keys", get(keys))
            .route("/moved", get(elsewhere));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self {
            address,
            requests,
            answer,
            _tasks: tasks,
        }
    }

    fn say(&self, status: StatusCode, text: impl ToString) {
        *self.answer.lock().expect("no panic") = (status, text.to_string());
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn issuers(&self, path: &str) -> Issuers {
        let url = IssuerKeys::JwksUrl(format!("{}{path}", self.address));
        Issuers::new(&[settings(url, &[Algorithm::EdDSA])]).expect("good")
    }
}

#[tokio::test]
async fn keys_at_an_address_are_cached_and_asked_for_once_a_minute() {
    let server = Server::start().await;
    let issuers = server.issuers("/keys");
    let key = |id: u8| public(&ed_key(id), Algorithm::EdDSA, Some(&id.to_string()));
    let token = |id: u8| {
        sign(
            &ed_key(id),
            Algorithm::EdDSA,
            Some(&id.to_string()),
            json!({"exp": NOW / 1000 + 20_000}),
        )
    };
    let verify = |id: u8, now_ms: i64| {
        let (token, issuers) = (token(id), &issuers);
        async move { issuers.verify(ISS, &token, now_ms).await.map(drop) }
    };
    server.say(StatusCode::INTERNAL_SERVER_ERROR, "");
    assert_eq!(verify(1, NOW).await, Err(ErrorCode::Unavailable));
    assert_eq!(verify(1, NOW + 59_999).await, Err(ErrorCode::Unavailable));
    assert_eq!(server.requests(), 1, "an issuer in trouble is left alone");
    server.say(StatusCode::OK, json!({"keys": [key(1)]}));
    assert_eq!(verify(1, NOW + 60_000).await, Ok(()));
    assert_eq!(verify(1, NOW + 60_000).await, Ok(()));
    assert_eq!(server.requests(), 2, "cached");
    // Unknown keys do not make requests: anybody can invent them.
    assert_eq!(verify(2, NOW + 60_001).await, Err(ErrorCode::BadToken));
    assert_eq!(server.requests(), 2);
    server.say(StatusCode::OK, json!({"keys": [key(1), key(2)]}));
    let all = futures_util::future::join_all((0..8).map(|_| verify(2, NOW + 120_000))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(server.requests(), 3, "one request for all of them");
    // A withdrawn key ends within the hour; trouble at the issuer does not sign everybody out.
    server.say(StatusCode::OK, json!({"keys": [key(2)]}));
    assert_eq!(
        verify(1, NOW + 120_000 + 3_600_000).await,
        Err(ErrorCode::BadToken)
    );
    server.say(StatusCode::BAD_GATEWAY, "");
    assert_eq!(verify(2, NOW + 120_000 + 2 * 3_600_000).await, Ok(()));
}

#[tokio::test]
async fn answers_that_are_no_key_sets() {
    let server = Server::start().await;
    let token = sign(&ed_key(1), Algorithm::EdDSA, None, json!({}));
    let good = json!({"keys": [public(&ed_key(1), Algorithm::EdDSA, None)]}).to_string();
    for (path, text, expected) in [
        ("/keys", good.clone(), None),
        ("/moved", good.clone(), Some(ErrorCode::Unavailable)),
        ("/nothing", good.clone(), Some(ErrorCode::Unavailable)),
        ("/keys", "<html>".to_owned(), Some(ErrorCode::Unavailable)),
        (
            "/keys",
            format!("{good}{}", " ".repeat(JWKS_BYTES_MAX)),
            Some(ErrorCode::Unavailable),
        ),
        (
            "/keys",
            r#"{"keys":[]}"#.to_owned(),
            Some(ErrorCode::BadToken),
        ),
    ] {
        server.say(StatusCode::OK, text.clone());
        let result = user(&server.issuers(path), &token).await;
        assert_eq!(result.err(), expected, "{path} {text:.40}");
    }
}
