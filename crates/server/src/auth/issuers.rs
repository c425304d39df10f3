//! Foreign issuers: a product's own backend signs for its users, by configuration.

use std::collections::BTreeMap;
use std::path::Path;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::name::{Name, name};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::clock::random;
use super::jwks::{JWKS_BYTES_MAX, KeySet, RemoteKeys};
use super::token::{self, Life, PinnedKey};
use crate::config::{self, IssuerKeys};
use crate::store::accounts::ForeignUser;

/// Shortest shared secret, in bytes: what HS256 needs (RFC 7518, section 3.2).
const SECRET_BYTES_MIN: usize = 32;
/// How long a foreign token may still live, in ms: so long revocations are remembered.
const FOREIGN_LIFE_MS_MAX: i64 = 24 * 3_600_000;
/// Numbered names that are tried before a random one.
const NAME_TRIES: usize = 20;

/// A broken issuer in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("auth.issuers, issuer `{issuer}`: {reason}")]
pub struct IssuerError {
    issuer: String,
    reason: String,
}

enum Keys {
    Secret(PinnedKey),
    Set(KeySet),
    Remote(Box<RemoteKeys>),
}

struct Issuer {
    audience: String,
    keys: Keys,
}

/// All foreign issuers of a node.
#[derive(Default)]
pub(crate) struct Issuers(BTreeMap<String, Issuer>);

/// A foreign token, verified.
pub(crate) struct ForeignToken {
    pub(crate) id: UserId,
    pub(crate) life: Life,
    issuer: String,
    subject: String,
    /// What they would like to be called.
    wanted: Option<String>,
}

impl ForeignToken {
    /// The account to make, should there be none: only then are names thought of, which costs
    /// more than all the rest.
    pub(crate) fn into_user(self) -> ForeignUser {
        ForeignUser {
            names: names(self.wanted.as_deref(), self.id),
            id: self.id,
            issuer: self.issuer,
            subject: self.subject,
        }
    }
}

impl Issuers {
    /// Reads the keys that lie in files. Those at an address are fetched with the first token.
    pub(crate) fn new(settings: &[config::Issuer]) -> Result<Self, IssuerError> {
        let mut all = BTreeMap::new();
        for one in settings {
            let failed = |reason| IssuerError {
                issuer: one.issuer.clone(),
                reason,
            };
            if one.issuer == token::ISSUER {
                return Err(failed("this name is our own".to_owned()));
            }
            let issuer = Issuer {
                audience: one.audience.clone(),
                keys: keys(one).map_err(failed)?,
            };
            if all.insert(one.issuer.clone(), issuer).is_some() {
                return Err(failed("it is configured twice".to_owned()));
            }
        }
        Ok(Self(all))
    }

    /// Verifies a token that names `issuer`.
    ///
    /// # Errors
    /// `bad_token`, `token_expired`, or `unavailable` if the issuer's keys cannot be fetched.
    pub(crate) async fn verify(
        &self,
        issuer: &str,
        token: &str,
        now_ms: i64,
    ) -> Result<ForeignToken, ErrorCode> {
        let known = self.0.get(issuer).ok_or(ErrorCode::BadToken)?;
        let id = token::claimed_key(token)?;
        let key = match &known.keys {
            Keys::Secret(key) => key.clone(),
            Keys::Set(set) => set.find(id.as_deref()).ok_or(ErrorCode::BadToken)?,
            Keys::Remote(remote) => remote.find(id.as_deref(), now_ms).await?,
        };
        let (claims, life) = token::verify(token, &key, issuer, &known.audience, now_ms)?;
        if life.expires_at_ms > now_ms + FOREIGN_LIFE_MS_MAX {
            tracing::warn!(
                issuer,
                "refused a foreign token that lives longer than 24 h"
            );
            return Err(ErrorCode::BadToken);
        }
        Ok(ForeignToken {
            id: UserId::foreign(issuer, &claims.sub),
            life,
            issuer: issuer.to_owned(),
            subject: claims.sub,
            wanted: claims.name.or(claims.preferred_username),
        })
    }
}

fn keys(one: &config::Issuer) -> Result<Keys, String> {
    let symmetric = |algorithm: &Algorithm| algorithm.family() == AlgorithmFamily::Hmac;
    if let IssuerKeys::SecretFile(path) = &one.keys {
        let [algorithm] = one.algorithms[..] else {
            return Err("a secret goes with exactly one algorithm".to_owned());
        };
        if !symmetric(&algorithm) {
            return Err("a secret goes with HS256, HS384 or HS512".to_owned());
        }
        let text = read(path)?;
        let secret = text.trim_ascii_end();
        if secret.len() < SECRET_BYTES_MIN {
            let path = path.display();
            return Err(format!(
                "{path}: a secret has at least {SECRET_BYTES_MIN} bytes"
            ));
        }
        return Ok(Keys::Secret(PinnedKey {
            algorithm,
            key: DecodingKey::from_secret(secret),
        }));
    }
    if one.algorithms.is_empty() || one.algorithms.iter().any(symmetric) {
        return Err("a key set goes with RS, PS, ES or EdDSA algorithms".to_owned());
    }
    match &one.keys {
        IssuerKeys::JwksUrl(url) => Ok(Keys::Remote(Box::new(RemoteKeys::new(
            url,
            &one.algorithms,
        )?))),
        IssuerKeys::JwksFile(path) | IssuerKeys::SecretFile(path) => {
            let complain = |reason| format!("{}: {reason}", path.display());
            let set = KeySet::read(&read(path)?, &one.algorithms).map_err(complain)?;
            if set.is_empty() {
                return Err(complain("no key in it fits the algorithms".to_owned()));
            }
            Ok(Keys::Set(set))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if text.len() > JWKS_BYTES_MAX {
        return Err(format!(
            "{}: more than {JWKS_BYTES_MAX} bytes",
            path.display()
        ));
    }
    Ok(text)
}

/// The names to try: what the token says, that with a number, and one that nobody can have taken
/// beforehand, since it is drawn now.
fn names(wanted: Option<&str>, id: UserId) -> Vec<Name> {
    let text = id.to_string();
    let own = format!("user {}", &text[2..8]);
    let base = wanted.and_then(|text| name(text).ok());
    let shown = base.as_ref().map_or(own.as_str(), Name::display);
    let numbered = (2..2 + NAME_TRIES).map(|number| format!("{shown} {number}"));
    let drawn = u64::from_be_bytes(random());
    let all = std::iter::once(shown.to_owned()).chain(numbered);
    // A number can make a name too long: that one is left out.
    all.chain([format!("user {drawn:016x}")])
        .filter_map(|text| name(&text).ok())
        .collect()
}

#[cfg(test)]
mod tests;
