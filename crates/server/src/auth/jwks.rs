//! Key sets of foreign issuers (RFC 7517), from a file or an address.
//!
//! An address is asked directly: proxies named in the environment are not used, and a redirect is
//! not followed. Whose HTTPS is believed is the system's list of root certificates.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{StatusCode, Uri, uri::Scheme};
use bytes::Bytes;
use chinwag_core::code::ErrorCode;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::token::PinnedKey;

/// Keys of one set that are looked at.
const KEYS_MAX: usize = 64;
/// Bytes of a key set.
pub(crate) const JWKS_BYTES_MAX: usize = 256 * 1024;
/// For an answer from an issuer's address.
const FETCH: Duration = Duration::from_secs(5);
/// An issuer is asked at most once in this time, whatever tokens say.
const FETCH_PAUSE_MS: i64 = 60_000;
/// A set older than this is fetched again, so that a withdrawn key ends.
const FRESH_MS: i64 = 3_600_000;
/// A set that could not be fetched again for so long is not used any more.
const STALE_MS: i64 = 24 * 3_600_000;

/// Public keys by their id.
#[derive(Default)]
pub(crate) struct KeySet {
    by_id: BTreeMap<String, PinnedKey>,
    without_id: Vec<PinnedKey>,
}

impl KeySet {
    /// Reads a key set. Keys that are not for signing, symmetric, or of no allowed algorithm are
    /// left out: a set may hold keys for others.
    pub(crate) fn read(text: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Written {
            keys: Vec<serde_json::Value>,
        }
        let written: Written = serde_json::from_slice(text)
            .map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
        let mut set = Self::default();
        for value in written.keys.into_iter().take(KEYS_MAX) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else {
                continue;
            };
            let Some(key) = pin(&jwk, allowed) else {
                continue;
            };
            match jwk.common.key_id {
                Some(id) => drop(set.by_id.insert(id, key)),
                None => set.without_id.push(key),
            }
        }
        Ok(set)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.without_id.is_empty()
    }

    /// The key of that id; a token without an id needs a set of one key.
    pub(crate) fn find(&self, id: Option<&str>) -> Option<PinnedKey> {
        match id {
            Some(id) => self.by_id.get(id).cloned(),
            None => {
                let mut all = self.by_id.values().chain(&self.without_id);
                all.next().filter(|_| all.next().is_none()).cloned()
            }
        }
    }
}

/// A key with its one algorithm: what the key says, or what its type leaves of the allowed ones.
fn pin(jwk: &Jwk, allowed: &[Algorithm]) -> Option<PinnedKey> {
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return None;
    }
    let fits = |algorithm: &Algorithm| match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => algorithm.family() == AlgorithmFamily::Rsa,
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => *algorithm == Algorithm::ES256,
            EllipticCurve::P384 => *algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            key.curve == EllipticCurve::Ed25519 && *algorithm == Algorithm::EdDSA
        }
        // A symmetric key in a public set is a mistake or an attack (RFC 8725, section 2.1).
        _ => false,
    };
    let said = |algorithm: &Algorithm| {
        jwk.common
            .key_algorithm
            .is_none_or(|said| said == KeyAlgorithm::from(*algorithm))
    };
    let algorithm = allowed.iter().copied().find(|one| fits(one) && said(one))?;
    Some(PinnedKey {
        algorithm,
        key: DecodingKey::from_jwk(jwk).ok()?,
    })
}

struct Fetched {
    set: Arc<KeySet>,
    at_ms: Option<i64>,
}

/// A key set at an address, fetched when it is needed.
pub(crate) struct RemoteKeys {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    allowed: Vec<Algorithm>,
    /// Never held across an await. Taken alone, or inside `tried_ms`.
    fetched: RwLock<Fetched>,
    /// Held by whoever fetches, so that many unknown keys make one request.
    tried_ms: Mutex<Option<i64>>,
}

impl RemoteKeys {
    /// Keys at `url`: HTTPS, or HTTP on this machine.
    pub(crate) fn new(url: &str, allowed: &[Algorithm]) -> Result<Self, String> {
        // An address that HTTP does not know, such as a file's, fails to parse already.
        let unusable = |_error| format!("`{url}`: keys are fetched by https only");
        let url: Uri = url.parse().map_err(unusable)?;
        let host = url.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_local = bare == "localhost"
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let is_plain = url.scheme() == Some(&Scheme::HTTP) && is_local;
        if url.scheme() != Some(&Scheme::HTTPS) && !is_plain {
            return Err(format!("`{url}`: keys are fetched by https only"));
        }
        let client = Client::builder(TokioExecutor::new())
            // Asked once an hour: no connection is kept for that.
            .pool_max_idle_per_host(0)
            .build(connector(is_plain)?);
        let fetched = RwLock::new(Fetched {
            set: Arc::default(),
            at_ms: None,
        });
        Ok(Self {
            url,
            client,
            allowed: allowed.to_vec(),
            fetched,
            tried_ms: Mutex::new(None),
        })
    }

    /// The key of that id, fetched if it is not known or its set is old.
    pub(crate) async fn find(&self, id: Option<&str>, now_ms: i64) -> Result<PinnedKey, ErrorCode> {
        if let Some(key) = self.known(id, FRESH_MS, now_ms) {
            return Ok(key);
        }
        let answered = self.refresh(now_ms).await;
        match self.known(id, STALE_MS, now_ms) {
            Some(key) => Ok(key),
            // Without its answer we cannot say that the token is bad.
            None if !answered => Err(ErrorCode::Unavailable),
            None => Err(ErrorCode::BadToken),
        }
    }

    fn known(&self, id: Option<&str>, age_ms: i64, now_ms: i64) -> Option<PinnedKey> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let is_young = fetched
            .at_ms
            .is_some_and(|at_ms| (0..age_ms).contains(&(now_ms - at_ms)));
        is_young.then(|| fetched.set.find(id)).flatten()
    }

    /// Asks the issuer unless it was asked a moment ago. Says whether there is an answer.
    async fn refresh(&self, now_ms: i64) -> bool {
        let mut tried_ms = self.tried_ms.lock().await;
        if !tried_ms.is_some_and(|at_ms| (0..FETCH_PAUSE_MS).contains(&(now_ms - at_ms))) {
            *tried_ms = Some(now_ms);
            match self.fetch().await {
                Ok(set) => {
                    let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
                    *fetched = Fetched {
                        set: Arc::new(set),
                        at_ms: Some(now_ms),
                    };
                }
                Err(error) => {
                    tracing::warn!(url = %self.url, %error, "cannot fetch an issuer's keys")
                }
            }
        }
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        fetched.at_ms.is_some()
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let reading = async {
            let response = self.client.get(self.url.clone()).await;
            let response = response.map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
            if response.status() != StatusCode::OK {
                return Err(format!("the answer is {}", response.status()));
            }
            let body = Limited::new(response.into_body(), JWKS_BYTES_MAX).collect();
            let body = body
                .await
                .map_err(|error| format!("reading at most {JWKS_BYTES_MAX} bytes: {error}"))?;
            KeySet::read(&body.to_bytes(), &self.allowed)
        };
        timeout(FETCH, reading)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {FETCH:?}")))
    }
}

/// How a connection is made. Plain HTTP needs no root certificates, which a small container may
/// not have.
fn connector(is_plain: bool) -> Result<HttpsConnector<HttpConnector>, String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("HTTPS needs the system's root certificates (package ca-certificates): {error}")
    };
    let builder = HttpsConnectorBuilder::new();
    if is_plain {
        let none = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        return Ok(builder
            .with_tls_config(none)
            .https_or_http()
            .enable_http1()
            .build());
    }
    let builder = builder
        .with_provider_and_native_roots(default_provider())
        .map_err(|error| failed(&error))?;
    Ok(builder.https_only().enable_http1().build())
}
