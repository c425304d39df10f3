//! The interface as a client meets it, by status, headers and JSON.

use std::net::Ipv4Addr;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use chinwag_core::ids::Epoch;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::auth::Settings;
use crate::auth::attempts::AttemptRate;
use crate::auth::password::{BUSY_RETRY_MS, HASHES_AT_ONCE, HASHES_WAITING_MAX};
use crate::config::Registration;
use crate::store::memory::MemoryStore;
use crate::store::memory::accounts::MemoryAccounts;

mod journeys;

const NOW: i64 = 1_700_000_000_000;
const ANN: &str = r#"{"name":"Ann","password":"correct horse"}"#;

struct Site {
    router: Router,
    accounts: Arc<Accounts>,
    peer: Peer,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl Got {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    fn cookie(&self) -> Option<&str> {
        self.headers
            .get(SET_COOKIE)
            .map(|value| value.to_str().expect("ASCII"))
    }

    /// The token in the cookie, as a browser sends it back.
    fn sent_back(&self) -> String {
        let cookie = self.cookie().expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

impl Site {
    async fn new(registration: Registration) -> Self {
        Self::with(Settings {
            registration,
            allowed_origins: vec!["https://partner.example".to_owned()],
            ..Settings::default()
        })
        .await
    }

    async fn with(settings: Settings) -> Self {
        let store = Arc::new(MemoryAccounts::default());
        let accounts = Accounts::start(settings, store, Arc::new(|| NOW)).await;
        let accounts = Arc::new(accounts.expect("accounts start"));
        let avatars = Arc::new(MemoryStore::new(Epoch([1; 16])));
        let router = router(Arc::clone(&accounts), avatars);
        let peer = Peer {
            address: Ipv4Addr::LOCALHOST.into(),
            secure: false,
        };
        Self {
            router,
            accounts,
            peer,
        }
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let mut request = request;
        request.extensions_mut().insert(self.peer);
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Got {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            text,
        }
    }

    async fn post(&self, path: &str, body: impl Into<Body>, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::post(path).header("host", "chat.example");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request"))
            .await
    }
}

#[tokio::test]
async fn registering_and_signing_in() {
    let site = Site::new(Registration::Open).await;
    let made = site.post("/api/register", ANN, &[]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["user"]["name"], "Ann");
    assert_eq!(made.body["user"]["version"], 1);
    assert!(
        made.body["user"]["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("u_"))
    );
    assert_eq!(made.body["expires_in_ms"], 600_000);
    assert!(made.body["access_token"].is_string());
    assert!(made.body.get("refresh_token").is_none());
    let cookie = made.cookie().expect("a cookie");
    assert!(cookie.starts_with("chinwag_refresh="));
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/api; Max-Age=2592000"),
        "{cookie}"
    );
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(made.headers["content-type"], "application/json");

    let body = r#"{"name":"ann","password":"correct horse","cookie":false,"later":[1]}"#;
    let signed_in = site.post("/api/login", body, &[]).await;
    assert_eq!(
        (signed_in.status, signed_in.cookie()),
        (200, None),
        "{}",
        signed_in.text
    );
    assert!(signed_in.body["refresh_token"].is_string());

    let secure = Peer {
        secure: true,
        ..site.peer
    };
    let site = Site {
        peer: secure,
        ..site
    };
    let signed_in = site.post("/api/login", ANN, &[]).await;
    assert!(signed_in.cookie().expect("a cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn failures_have_a_status_and_a_code() {
    let site = Site::new(Registration::Open).await;
    site.post("/api/register", ANN, &[]).await;
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(BODY_BYTES_MAX));
    for (path, body, status, code, field) in [
        ("/api/register", ANN, 409, "name_taken", "name"),
        (
            "/api/register",
            r#"{"name":" ","password":"correct horse"}"#,
            400,
            "blank",
            "name",
        ),
        (
            "/api/register",
            r#"{"name":"Bob","password":"short"}"#,
            400,
            "weak_password",
            "password",
        ),
        (
            "/api/register",
            r#"{"password":"correct horse"}"#,
            400,
            "bad_field",
            "name",
        ),
        (
            "/api/register",
            r#"{"name":7,"password":"correct horse"}"#,
            400,
            "bad_field",
            "name",
        ),
        (
            "/api/login",
            r#"{"name":"Ann"}"#,
            400,
            "bad_field",
            "password",
        ),
        (
            "/api/login",
            r#"{"name":"Ann","password":"x","cookie":"no"}"#,
            400,
            "bad_field",
            "cookie",
        ),
        (
            "/api/login",
            r#"{"name":"Ann","password":"wrong horse"}"#,
            401,
            "bad_credentials",
            "",
        ),
        (
            "/api/login",
            r#"{"name":"Bob","password":"wrong horse"}"#,
            401,
            "bad_credentials",
            "",
        ),
        (
            "/api/login",
            r#"{"name":"Ann","password":"x","name":"Bob"}"#,
            400,
            "bad_frame",
            "",
        ),
        (
            "/api/login",
            r#"{"name":"\ud800","password":"x"}"#,
            400,
            "bad_frame",
            "",
        ),
        ("/api/login", r#"["Ann"]"#, 400, "bad_frame", ""),
        ("/api/login", "{", 400, "bad_frame", ""),
        ("/api/login", "", 400, "bad_frame", ""),
        ("/api/login", &large, 413, "too_long", ""),
        (
            "/api/refresh",
            r#"{"refresh_token":"guess"}"#,
            401,
            "bad_token",
            "",
        ),
        ("/api/logout", "{}", 401, "bad_token", ""),
        (
            "/api/password",
            r#"{"old":"a","new":"b"}"#,
            401,
            "bad_token",
            "",
        ),
        ("/api/invites", "{}", 401, "bad_token", ""),
        (
            "/api/setup",
            r#"{"token":"guess","name":"Eve","password":"correct horse"}"#,
            401,
            "bad_token",
            "token",
        ),
        ("/api/nothing", "{}", 404, "not_found", ""),
        ("/api/login/more", "{}", 404, "not_found", ""),
        ("/api/server", "{}", 405, "unknown_command", ""),
    ] {
        let got = site.post(path, body.to_owned(), &[]).await;
        assert_eq!(
            (got.status, got.code()),
            (status, code),
            "{path} {body:.60}: {}",
            got.text
        );
        let error = &got.body["error"];
        assert_eq!(
            error["field"].as_str().unwrap_or(""),
            field,
            "{path} {body:.60}"
        );
        assert_eq!(error["retryable"], false);
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        assert_eq!(got.headers["cache-control"], "no-store");
        assert_eq!(got.cookie(), None, "{path}");
    }
    let unknown = site
        .post(
            "/api/login",
            r#"{"name":"Bob","password":"wrong horse"}"#,
            &[],
        )
        .await;
    let wrong = site
        .post(
            "/api/login",
            r#"{"name":"Ann","password":"wrong horse"}"#,
            &[],
        )
        .await;
    assert_eq!(unknown.text, wrong.text, "byte for byte");
    let get = site
        .send(
            Request::get("/api/login")
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!((get.status, get.code()), (405, "unknown_command"));
    assert_eq!(get.headers[ALLOW], "POST");
}

#[tokio::test]
async fn who_guesses_is_told_when_to_come_back() {
    let site = Site::with(Settings {
        attempts_per_account: AttemptRate {
            burst: 1,
            refill_ms: 1_500,
        },
        ..Settings::default()
    })
    .await;
    let closed = site.post("/api/register", ANN, &[]).await;
    assert_eq!((closed.status, closed.code()), (403, "registration_closed"));
    assert_eq!(site.post("/api/login", ANN, &[]).await.status, 401);
    let limited = site.post("/api/login", ANN, &[]).await;
    assert_eq!((limited.status, limited.code()), (429, "rate_limited"));
    assert_eq!(limited.body["error"]["retry_after_ms"], 1_500);
    assert_eq!(limited.body["error"]["retryable"], true);
    assert_eq!(limited.headers[RETRY_AFTER], "2");
}

/// More sign-ins at once than may hash and wait: those beyond are sent away at once, not queued.
#[tokio::test]
async fn too_many_sign_ins_at_once_are_told_to_come_back() {
    let patient = AttemptRate {
        burst: 1_000,
        refill_ms: 1,
    };
    let site = Site::with(Settings {
        attempts_per_account: patient,
        attempts_per_address: patient,
        ..Settings::default()
    })
    .await;
    let many = HASHES_AT_ONCE + HASHES_WAITING_MAX + 5;
    let asked = (0..many).map(|_| site.post("/api/login", ANN, &[]));
    let answers = futures_util::future::join_all(asked).await;
    let busy: Vec<&Got> = answers.iter().filter(|got| got.status == 503).collect();
    assert_eq!(busy.len(), 5);
    for got in busy {
        assert_eq!(got.code(), "busy");
        assert_eq!(got.body["error"]["retry_after_ms"], BUSY_RETRY_MS);
        assert_eq!(got.body["error"]["retryable"], true);
    }
    let others = answers.iter().filter(|got| got.code() == "bad_credentials");
    assert_eq!(others.count(), many - 5);
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let site = Site::new(Registration::Open).await;
    site.post("/api/register", ANN, &[]).await;
    for (headers, status) in [
        (vec![], 200),
        (vec![("origin", "http://chat.example")], 200),
        (vec![("origin", "https://chat.example")], 200),
        (vec![("origin", "https://partner.example")], 200),
        (vec![("origin", "https://partner.example.evil.com")], 403),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (
            vec![
                ("origin", "http://chat.example"),
                ("origin", "http://evil.example"),
            ],
            403,
        ),
        (vec![("content-type", "text/plain")], 415),
        (
            vec![("content-type", "application/x-www-form-urlencoded")],
            415,
        ),
        (vec![("content-type", "application/json-patch")], 415),
    ] {
        let got = site.post("/api/login", ANN, &headers).await;
        assert_eq!(got.status, status, "{headers:?}: {}", got.text);
        assert!(status == 200 || got.cookie().is_none());
    }
}
