//! No password and no token reaches the log. A process of its own: the log is the whole process's.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chinwag_core::ids::Epoch;
use chinwag_server::auth::{Accounts, Settings};
use chinwag_server::config::Registration;
use chinwag_server::gateway::http::{Peer, router};
use chinwag_server::store::memory::MemoryStore;
use chinwag_server::store::memory::accounts::MemoryAccounts;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn post(router: &Router, path: &str, body: &str, bearer: &str) -> Value {
    let request = Request::post(path)
        .header("host", "chat.example")
        .header("content-type", "application/json")
        .header("authorization", bearer)
        .body(Body::from(body.to_owned()));
    let mut request = request.expect("a request");
    request.extensions_mut().insert(Peer {
        address: Ipv4Addr::LOCALHOST.into(),
        secure: false,
    });
    let response = router.clone().oneshot(request).await.expect("infallible");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    serde_json::from_slice(&body.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn no_secret_reaches_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only test of this process");
    let settings = Settings {
        registration: Registration::Open,
        ..Settings::default()
    };
    let store = Arc::new(MemoryAccounts::default());
    let accounts = Accounts::start(settings, store, Arc::new(|| 1_700_000_000_000)).await;
    let accounts = Arc::new(accounts.expect("accounts start"));
    let avatars = Arc::new(MemoryStore::new(Epoch([1; 16])));
    let router = router(Arc::clone(&accounts), avatars);

    let body = r#"{"name":"Ann","password":"correct horse","cookie":false}"#;
    let made = post(&router, "/api/register", body, "").await;
    let text = |name: &str| made[name].as_str().expect("a token").to_owned();
    let (refresh, access) = (text("refresh_token"), text("access_token"));
    let bearer = format!("Bearer {access}");
    let setup = accounts
        .setup_token()
        .await
        .expect("an answer")
        .expect("offered");
    let given = json!({ "refresh_token": refresh }).to_string();
    let change = r#"{"old":"correct horse","new":"battery staple"}"#;
    let guess = r#"{"name":"Ann","password":"wrong horse"}"#;
    for (path, body) in [
        ("/api/refresh", given.as_str()),
        ("/api/password", change),
        ("/api/login", guess),
        ("/api/login", r#"{"name":"Ann","password":"wrong horse""#),
        ("/api/invites", "{}"),
        ("/api/logout", given.as_str()),
        ("/api/password", change),
    ] {
        post(&router, path, body, &bearer).await;
    }

    let written = log.0.lock().expect("no panic").clone();
    let written = String::from_utf8(written).expect("UTF-8");
    assert!(written.contains("an account was made"), "{written}");
    let secrets = [
        &refresh,
        &access,
        setup.expose(),
        "correct horse",
        "battery staple",
        "wrong horse",
    ];
    for secret in secrets {
        // Parts of it, too: a cut token is still most of a token. The head of a JWT is no secret.
        let part = &secret[secret.len().saturating_sub(12)..];
        assert!(!written.contains(part), "{part} in {written}");
    }
}
