//! A node in this process and people who talk to it: raw frames over loopback, read as JSON.
//!
//! Nothing here shares code with the gateway or the codec that it judges. Every wait ends after
//! [`BOUND`]. People are a foreign issuer's, so that nobody waits for a password hash.

#[path = "wire/client.rs"]
mod client;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use chinwag_core::ids::UserId;
use chinwag_server::config::{Config, Issuer, IssuerKeys, Whole};
use chinwag_server::node::{self, Running};
use chinwag_server::store::sqlite::SqliteStore;
use jsonwebtoken::Algorithm;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) use client::{
    BINARY, Client, PING, Seen, TEXT, masked, merge, refused, room_of, upgrade_request,
};

/// Longer than anything here takes; reaching it is a failure.
pub(crate) const BOUND: Duration = Duration::from_secs(30);
/// The issuer of our people.
pub(crate) const ISSUER: &str = "https://app.example.org";
const AUDIENCE: &str = "chinwag";
const SECRET: &[u8] = b"a secret of the product's backend, long enough";

/// `future`, or a panic that says what did not happen.
pub(crate) async fn bounded<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(BOUND, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {BOUND:?}"),
    }
}

/// A node with its own data directory.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) running: Option<Running>,
    /// Removed when the test ends, however it ends.
    pub(crate) place: tempfile::TempDir,
}

impl Node {
    /// With the product's defaults, but for the rate: tests are not people.
    pub(crate) async fn start() -> Self {
        Self::with(|_config| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        Self::on(place, change).await
    }

    /// The same on what is in `place` already, below `data`.
    pub(crate) async fn on(place: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(place.path());
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let store = SqliteStore::open(&config.data).expect("a new store");
        let running = node::start(&config, listener, store)
            .await
            .expect("a node starts");
        Self {
            address: running.address,
            running: Some(running),
            place,
        }
    }

    /// Drains, and waits for the end.
    pub(crate) async fn stop(mut self) {
        let running = self.running.take().expect("it runs until now");
        bounded("the node stops", running.stop()).await;
    }

    /// Drains, waits for the end, and keeps what is stored.
    pub(crate) async fn halt(mut self) -> tempfile::TempDir {
        let running = self.running.take().expect("it runs until now");
        bounded("the node stops", running.stop()).await;
        self.place
    }

    /// Waits until so many connections and users are left.
    pub(crate) async fn settle(&self, connections: usize, users: usize) {
        let running = self.running.as_ref().expect("it runs");
        let settled = async {
            while running.counts() != (connections, users) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        bounded("connections settle", settled).await;
    }

    /// A socket that has been upgraded and has said nothing.
    pub(crate) async fn open(&self) -> Client {
        Client::open(self.address, None).await
    }

    /// Says `hello` with nothing, and reads up to `caught_up`.
    pub(crate) async fn enter(&self, person: &Person) -> Client {
        self.enter_with(person, json!({})).await.0
    }

    /// Says `hello` with a cursor; returns what came between `welcome` and `caught_up`, with it.
    pub(crate) async fn enter_with(&self, person: &Person, cursor: Value) -> (Client, Vec<Value>) {
        let mut client = self.open().await;
        client.hello(&person.token, cursor).await;
        client.expect("welcome").await;
        let synced = client.until("caught_up").await;
        (client, synced)
    }

    /// Asks over HTTP: status and JSON body.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.request("POST", path, token, body).await
    }

    /// The same, with any method.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> (u16, Value) {
        let bearer = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{bearer}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let (status, answer) = http(self.address, &request).await;
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    /// A local account: what `register` answered.
    pub(crate) async fn register(&self, name: &str) -> Value {
        let body = json!({"name": name, "password": "correct horse"});
        let (status, account) = self.post("/api/register", None, &body).await;
        assert_eq!(status, 201, "{account}");
        account
    }
}

/// The configuration of a test node in `place`.
pub(crate) fn config(place: &Path) -> Config {
    let secret = place.join("issuer.secret");
    std::fs::write(&secret, SECRET).expect("a secret file");
    let mut config = Config {
        data: place.join("data"),
        ..Config::default()
    };
    config.auth.issuers = vec![Issuer {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: IssuerKeys::SecretFile(secret),
        algorithms: vec![Algorithm::HS256],
    }];
    config.limits.rate_per_second = serde_json::from_value(json!(10_000.0)).expect("a rate");
    config.limits.rate_burst = Whole::new(10_000);
    config
}

/// Status and body of one request on a connection of its own.
pub(crate) async fn http(address: SocketAddr, request: &str) -> (u16, String) {
    let (head, body) = http_parts(address, request).await;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status line"), body)
}

/// Head and body of the answer to one request on a connection of its own.
pub(crate) async fn http_parts(address: SocketAddr, request: &str) -> (String, String) {
    let answer = async {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        stream.write_all(request.as_bytes()).await.expect("asked");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("an answer in text");
        answer
    };
    let answer = bounded("an HTTP answer", answer).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

/// `GET path`: status and body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    http(address, &request).await
}

/// Somebody whom our issuer vouches for.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Person {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            id: UserId::foreign(ISSUER, name),
            name: name.to_owned(),
            token: token(name, 3_600),
        }
    }
}

/// A token of `subject` that ends so many seconds from now.
pub(crate) fn token(subject: &str, seconds: i64) -> String {
    token_of(ISSUER, subject, seconds, SECRET)
}

/// A token of any issuer, signed with any secret.
pub(crate) fn token_of(issuer: &str, subject: &str, seconds: i64, secret: &[u8]) -> String {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(since.expect("a clock after 1970").as_secs()).expect("a small number");
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": subject, "name": subject,
        "iat": now.min(now + seconds) - 1, "exp": now + seconds});
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&Header::default(), &claims, &key).expect("claims are data")
}
