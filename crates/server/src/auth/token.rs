//! Access tokens: JSON Web Tokens (RFC 7519), checked as RFC 8725 asks.
//!
//! A key is used with one algorithm, whatever the token says; `exp`, `iss`, `aud` and `sub` must
//! be there and of the right type; `kid` only picks among keys that we hold; keys or addresses
//! of keys inside the token (`jwk`, `jku`, `x5u`) are not looked at.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{SessionId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// The issuer of our own tokens. No foreign issuer may have this name.
pub const ISSUER: &str = "chinwag";
/// Whom our own tokens are for.
pub const AUDIENCE: &str = "server";
/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// By how much clocks may differ, in ms.
pub const LEEWAY_MS: i64 = 5_000;

/// A key with the only algorithm it is used with.
#[derive(Clone)]
pub(crate) struct PinnedKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The claims that we read; a duplicate or another type refuses the token.
#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: Audience,
    pub(crate) sub: String,
    exp: Number,
    nbf: Option<Number>,
    iat: Option<Number>,
    pub(crate) sid: Option<SessionId>,
    pub(crate) name: Option<String>,
    pub(crate) preferred_username: Option<String>,
}

/// The life of a token, in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// 0 if the token does not say: then every revocation of its user is newer.
    pub(crate) issued_at_ms: i64,
    pub(crate) expires_at_ms: i64,
}

/// The issuer that a token names, before anything is verified: good for choosing a key only.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(token);
    claimed.ok().map(|claims| claims.iss)
}

/// The `kid` that a token names, before anything is verified.
pub(crate) fn claimed_key(token: &str) -> Result<Option<String>, ErrorCode> {
    header(token).map(|header| header.kid)
}

fn header(token: &str) -> Result<Header, ErrorCode> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| ErrorCode::BadToken)?;
    // RFC 7515, section 4.1.11: what must be understood and is not, refuses. We know none.
    if header.crit.is_some() {
        Err(ErrorCode::BadToken)
    } else {
        Ok(header)
    }
}

/// Verifies signature and claims.
///
/// # Errors
/// `token_expired` if that is all that is wrong, else `bad_token`.
pub(crate) fn verify(
    token: &str,
    key: &PinnedKey,
    issuer: &str,
    audience: &str,
    now_ms: i64,
) -> Result<(Claims, Life), ErrorCode> {
    if token.len() > TOKEN_BYTES_MAX || header(token)?.alg != key.algorithm {
        return Err(ErrorCode::BadToken);
    }
    // The library checks the signature. The claims are ours to check: it reads the system's
    // clock, and takes a claim of a wrong type for an absent one.
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token, &key.key, &validation);
    let claims = decoded.map_err(|_| ErrorCode::BadToken)?.claims;
    let is_for_us = match &claims.aud {
        Audience::One(one) => one == audience,
        Audience::Many(many) => many.iter().any(|one| one == audience),
    };
    if claims.iss != issuer || !is_for_us || claims.sub.is_empty() {
        return Err(ErrorCode::BadToken);
    }
    let life = Life {
        issued_at_ms: claims.iat.as_ref().map_or(Ok(0), millis)?,
        expires_at_ms: millis(&claims.exp)?,
    };
    let not_before_ms = claims.nbf.as_ref().map_or(Ok(0), millis)?;
    if not_before_ms > now_ms + LEEWAY_MS || life.issued_at_ms > now_ms + LEEWAY_MS {
        return Err(ErrorCode::BadToken);
    }
    if life.expires_at_ms + LEEWAY_MS <= now_ms {
        return Err(ErrorCode::TokenExpired);
    }
    Ok((claims, life))
}

/// RFC 7519 NumericDate, in ms; fractions are allowed there.
fn millis(seconds: &Number) -> Result<i64, ErrorCode> {
    /// Year 9999: beyond it sums overflow.
    const SECONDS_MAX: f64 = 253_402_300_799.0;
    let seconds = seconds
        .as_f64()
        .filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be in range just above"
    )]
    seconds
        .map(|seconds| (seconds * 1_000.0) as i64)
        .ok_or(ErrorCode::BadToken)
}

/// Signs and verifies our own tokens.
pub(crate) struct AccessTokens {
    signing: EncodingKey,
    verifying: PinnedKey,
    life_ms: i64,
}

#[derive(Serialize)]
struct OwnClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

/// Our own token, verified.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verified {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) life: Life,
}

impl AccessTokens {
    pub(crate) fn new(secret: &[u8], life_ms: i64) -> Self {
        let key = DecodingKey::from_secret(secret);
        let verifying = PinnedKey {
            algorithm: Algorithm::HS256,
            key,
        };
        Self {
            signing: EncodingKey::from_secret(secret),
            verifying,
            life_ms,
        }
    }

    /// A token, and for how many ms it is good.
    pub(crate) fn issue(&self, user: UserId, session: SessionId, now_ms: i64) -> (String, u64) {
        let exp = (now_ms + self.life_ms) / 1_000;
        let claims = OwnClaims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: user,
            sid: session,
            iat: now_ms / 1_000,
            exp,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        let left_ms = u64::try_from(exp * 1_000 - now_ms).unwrap_or(0);
        (
            token.expect("these claims are JSON and HMAC takes any key"),
            left_ms,
        )
    }

    pub(crate) fn verify(&self, token: &str, now_ms: i64) -> Result<Verified, ErrorCode> {
        let (claims, life) = verify(token, &self.verifying, ISSUER, AUDIENCE, now_ms)?;
        let user = claims.sub.parse().map_err(|_| ErrorCode::BadToken)?;
        let session = claims.sid.ok_or(ErrorCode::BadToken)?;
        Ok(Verified {
            user,
            session,
            life,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    /// Claims that would be good, with `change` laid over them; null takes a claim away.
    fn claims(change: Value) -> Value {
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": UserId([1; 16]), "sid": SessionId([2; 16]),
            "iat": NOW / 1000, "exp": NOW / 1000 + 600,
        });
        for (name, value) in change.as_object().expect("an object") {
            let map = claims.as_object_mut().expect("an object");
            match value {
                Value::Null => drop(map.remove(name)),
                _ => drop(map.insert(name.clone(), value.clone())),
            }
        }
        claims
    }

    /// A token made by hand, so that its header and claims can be anything at all.
    pub(crate) fn forge(header: &str, claims: &str, secret: &[u8], algorithm: Algorithm) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(header), part(claims));
        let key = EncodingKey::from_secret(secret);
        let signed = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm);
        format!("{message}.{}", signed.expect("HMAC"))
    }

    fn check(header: &str, change: Value, now_ms: i64) -> Result<Verified, ErrorCode> {
        let token = forge(
            header,
            &claims(change).to_string(),
            SECRET,
            Algorithm::HS256,
        );
        AccessTokens::new(SECRET, 600_000).verify(&token, now_ms)
    }

    const GOOD: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn issued_tokens_are_good_until_they_end() {
        let tokens = AccessTokens::new(SECRET, 600_000);
        let (token, left_ms) = tokens.issue(UserId([1; 16]), SessionId([2; 16]), NOW + 1);
        assert_eq!(left_ms, 599_999);
        let verified = tokens.verify(&token, NOW + 1).expect("good");
        assert_eq!(
            (verified.user, verified.session),
            (UserId([1; 16]), SessionId([2; 16]))
        );
        assert_eq!(
            verified.life,
            Life {
                issued_at_ms: NOW,
                expires_at_ms: NOW + 600_000
            }
        );
        let end_ms = NOW + 600_000 + LEEWAY_MS;
        assert!(tokens.verify(&token, end_ms - 1).is_ok());
        assert_eq!(
            tokens.verify(&token, end_ms).err(),
            Some(ErrorCode::TokenExpired)
        );
        let other = AccessTokens::new(b"another secret another secret 32", 600_000);
        assert_eq!(other.verify(&token, NOW).err(), Some(ErrorCode::BadToken));
    }

    #[test]
    fn claims_that_are_missing_wrong_or_of_another_type() {
        for (change, good) in [
            (json!({}), true),
            (json!({"aud": ["x", AUDIENCE]}), true),
            (json!({"exp": NOW as f64 / 1000.0 + 0.5}), true),
            (json!({"iat": null}), true),
            (json!({"nbf": NOW / 1000 + 5}), true),
            (json!({"nbf": NOW / 1000 + 6}), false),
            (json!({"nbf": "0"}), false),
            (json!({"iat": NOW / 1000 + 60}), false),
            (json!({"exp": null}), false),
            (json!({"exp": (NOW / 1000 + 600).to_string()}), false),
            (json!({"exp": true}), false),
            (json!({"exp": -1}), false),
            (json!({"exp": 1e300}), false),
            (json!({"exp": [NOW]}), false),
            (json!({"iss": null}), false),
            (json!({"iss": "chinwag2"}), false),
            (json!({"iss": [ISSUER]}), false),
            (json!({"aud": null}), false),
            (json!({"aud": "Server"}), false),
            (json!({"aud": []}), false),
            (json!({"aud": 1}), false),
            (json!({"sub": null}), false),
            (json!({"sub": ""}), false),
            (json!({"sub": "u_short"}), false),
            (json!({"sid": null}), false),
            (json!({"sid": UserId([1; 16])}), false),
        ] {
            let result = check(GOOD, change.clone(), NOW);
            assert_eq!(result.is_ok(), good, "{change}");
            assert!(
                good || result.is_err_and(|code| code == ErrorCode::BadToken),
                "{change}"
            );
        }
    }

    #[test]
    fn headers_that_try_to_choose_the_key_or_the_algorithm() {
        let ours = URL_SAFE_NO_PAD.encode(SECRET);
        let jwk = format!(
            r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{ours}"}},"jku":"https://evil.example/k","x5u":"https://evil.example/x"}}"#
        );
        for (header, good) in [
            (GOOD, true),
            // Ignored: verified by our key, as any other.
            (jwk.as_str(), true),
            (r#"{"alg":"HS256","kid":"../../etc/passwd"}"#, true),
            (r#"{"alg":"none"}"#, false),
            (r#"{"alg":"None"}"#, false),
            (r#"{"alg":"hs256"}"#, false),
            (r#"{"alg":"HS384"}"#, false),
            (r#"{"alg":"RS256"}"#, false),
            (r#"{"alg":["HS256"]}"#, false),
            (r#"{"typ":"JWT"}"#, false),
            (r#"{"alg":"HS256","crit":["exp"]}"#, false),
            (r#"{"alg":"HS256","alg":"HS256"}"#, false),
            ("null", false),
        ] {
            assert_eq!(check(header, json!({}), NOW).is_ok(), good, "{header}");
        }
        // A key inside the token, with which the token is signed.
        let evil = b"evil evil evil evil evil evil ev";
        let header = format!(
            r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{}"}}}}"#,
            URL_SAFE_NO_PAD.encode(evil)
        );
        let token = forge(
            &header,
            &claims(json!({})).to_string(),
            evil,
            Algorithm::HS256,
        );
        assert!(AccessTokens::new(SECRET, 1).verify(&token, NOW).is_err());
    }

    #[test]
    fn texts_that_are_no_tokens() {
        let tokens = AccessTokens::new(SECRET, 600_000);
        let (good, _) = tokens.issue(UserId([1; 16]), SessionId([2; 16]), NOW);
        let unsigned = &good[..=good.rfind('.').expect("three parts")];
        let twice = claims(json!({}))
            .to_string()
            .replace("\"exp\"", "\"exp\":1,\"exp\"");
        let twice = forge(GOOD, &twice, SECRET, Algorithm::HS256);
        let long = "a".repeat(TOKEN_BYTES_MAX + 1);
        for text in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            unsigned,
            &format!("{good}."),
            &twice,
            &long,
        ] {
            assert_eq!(
                tokens.verify(text, NOW).err(),
                Some(ErrorCode::BadToken),
                "{text:.80}"
            );
            claimed_issuer(text);
        }
        let tampered = good.replacen('.', ".A", 1);
        assert_eq!(
            tokens.verify(&tampered, NOW).err(),
            Some(ErrorCode::BadToken)
        );
    }
}
