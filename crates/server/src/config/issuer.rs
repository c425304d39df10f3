//! Other issuers of tokens: who they are, and where the key lies that proves it.
//!
//! A secret is named by its file, never written here; that file and the key sets are read by
//! `auth`.

use std::path::PathBuf;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::parts::value_from_toml;
use super::schema::Setting;

/// Where the key of an issuer lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKeys {
    /// A file with the shared secret, for the HS algorithms.
    SecretFile(PathBuf),
    /// A file with a JSON Web Key Set (RFC 7517).
    JwksFile(PathBuf),
    /// The address of a JSON Web Key Set: HTTPS, or plain HTTP on this machine.
    JwksUrl(String),
}

/// One issuer. Exactly one kind of key; symmetric algorithms only with a secret, the others only
/// with a key set: a mix is the classic way to have a public key accepted as a secret (RFC 8725,
/// section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Issuer {
    /// The `iss` of its tokens, exactly.
    pub issuer: String,
    /// The `aud` that its tokens must carry.
    pub audience: String,
    /// Where its key lies.
    pub keys: IssuerKeys,
    /// The algorithms that are accepted (RFC 7518, RFC 8037); never empty.
    pub algorithms: Vec<Algorithm>,
}

/// The same, as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: String,
    audience: String,
    secret_file: Option<PathBuf>,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    algorithms: Vec<Algorithm>,
}

impl TryFrom<Written> for Issuer {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written {
            issuer,
            audience,
            secret_file,
            jwks_file,
            jwks_url,
            algorithms,
        } = written;
        if issuer.is_empty() || audience.is_empty() {
            return Err("issuer and audience must not be empty".to_owned());
        }
        let keys = match (secret_file, jwks_file, jwks_url) {
            (Some(file), None, None) => IssuerKeys::SecretFile(file),
            (None, Some(file), None) => IssuerKeys::JwksFile(file),
            (None, None, Some(url)) => IssuerKeys::JwksUrl(checked_url(url)?),
            _ => return Err("name exactly one of secret_file, jwks_file and jwks_url".to_owned()),
        };
        let wants_symmetric = matches!(keys, IssuerKeys::SecretFile(_));
        if algorithms.is_empty() {
            return Err("name at least one algorithm".to_owned());
        }
        if algorithms
            .iter()
            .any(|algorithm| (algorithm.family() == AlgorithmFamily::Hmac) != wants_symmetric)
        {
            return Err(
                "HS algorithms go with secret_file, all others with jwks_file or jwks_url"
                    .to_owned(),
            );
        }
        Ok(Self {
            issuer,
            audience,
            keys,
            algorithms,
        })
    }
}

impl From<Issuer> for Written {
    fn from(issuer: Issuer) -> Self {
        let Issuer {
            issuer,
            audience,
            keys,
            algorithms,
        } = issuer;
        let (secret_file, jwks_file, jwks_url) = match keys {
            IssuerKeys::SecretFile(file) => (Some(file), None, None),
            IssuerKeys::JwksFile(file) => (None, Some(file), None),
            IssuerKeys::JwksUrl(url) => (None, None, Some(url)),
        };
        Self {
            issuer,
            audience,
            secret_file,
            jwks_file,
            jwks_url,
            algorithms,
        }
    }
}

/// Refuses an address that would send keys in the clear, or that holds a secret itself: addresses
/// end up in logs.
fn checked_url(url: String) -> Result<String, String> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or("jwks_url must begin with https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Err("jwks_url must not hold a user name or password".to_owned());
    }
    if rest.contains(['?', '#']) {
        return Err(
            "jwks_url must not have a query: what is secret does not belong into an address"
                .to_owned(),
        );
    }
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| {
            if port.ends_with(']') { authority } else { host }
        });
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match scheme {
        _ if host.is_empty() => Err("jwks_url names no host".to_owned()),
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err("jwks_url must begin with https:// (http:// only to this machine)".to_owned()),
    }
}

impl Setting for Vec<Issuer> {
    fn expects() -> String {
        "a list of issuers".to_owned()
    }

    fn from_text(text: &str) -> Value {
        value_from_toml(text)
    }

    fn refusal(detail: &str) -> String {
        detail.lines().next().unwrap_or(detail).to_owned()
    }
}
