//! Foreign issuers: whose tokens are taken, and whose keys.

use std::path::PathBuf;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::{BigUint, RsaPrivateKey};
use serde_json::{Value, json};

use super::*;
use crate::auth::token::tests::forge;

mod remote;

const NOW: i64 = 1_700_000_000_000;
const ISS: &str = "https://app.example.org";
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

fn ed_key(seed: u8) -> EncodingKey {
    // PKCS #8 of an Ed25519 key (RFC 8410): a fixed head and 32 bytes.
    let mut der = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

fn ec_key() -> EncodingKey {
    // PKCS #8 of a P-256 key (RFC 5915): a fixed head and 32 bytes.
    let mut der = vec![
        0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
    ];
    der.extend([
        6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20,
    ]);
    der.extend([7; 32]);
    EncodingKey::from_ec_der(&der)
}

fn rsa_key() -> EncodingKey {
    // Of two Mersenne primes: no secret, and the same in every run.
    let mersenne = |bits: usize| (BigUint::from(1_u8) << bits) - 1_u8;
    let key = RsaPrivateKey::from_p_q(mersenne(1279), mersenne(607), BigUint::from(65_537_u32));
    let der = key.expect("a key").to_pkcs1_der().expect("DER");
    EncodingKey::from_rsa_der(der.as_bytes())
}

fn public(key: &EncodingKey, algorithm: Algorithm, id: Option<&str>) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).expect("a public part");
    jwk.common.key_id = id.map(str::to_owned);
    serde_json::to_value(jwk).expect("JSON")
}

/// Claims that are good, with `change` laid over them.
fn claims(change: Value) -> Value {
    let mut claims = json!({"iss": ISS, "aud": "chinwag", "sub": "42", "exp": NOW / 1000 + 600});
    for (name, value) in change.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn sign(key: &EncodingKey, algorithm: Algorithm, id: Option<&str>, change: Value) -> String {
    let header = Header {
        kid: id.map(str::to_owned),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, &claims(change), key).expect("signed")
}

fn settings(keys: IssuerKeys, algorithms: &[Algorithm]) -> config::Issuer {
    let (issuer, audience) = (ISS.to_owned(), "chinwag".to_owned());
    config::Issuer {
        issuer,
        audience,
        keys,
        algorithms: algorithms.to_vec(),
    }
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }
}

async fn user(issuers: &Issuers, token: &str) -> Result<ForeignUser, ErrorCode> {
    let issuer = token::claimed_issuer(token).unwrap_or_default();
    issuers
        .verify(&issuer, token, NOW)
        .await
        .map(ForeignToken::into_user)
}

#[tokio::test]
async fn a_shared_secret() {
    let files = Files::new();
    let mut text = SECRET.to_vec();
    text.push(b'\n');
    let keys = IssuerKeys::SecretFile(files.write("secret", text));
    let issuers = Issuers::new(&[settings(keys, &[Algorithm::HS256])]).expect("good");
    let key = EncodingKey::from_secret(SECRET);
    let good = sign(&key, Algorithm::HS256, None, json!({"name": "Ann"}));
    let ann = user(&issuers, &good).await.expect("good");
    assert_eq!(
        (ann.id, ann.subject.as_str()),
        (UserId::foreign(ISS, "42"), "42")
    );
    assert_eq!(ann.names[0].display(), "Ann");
    for (change, expected) in [
        (json!({"aud": "another"}), ErrorCode::BadToken),
        (
            json!({"iss": "https://app.example.org/"}),
            ErrorCode::BadToken,
        ),
        (json!({"iss": token::ISSUER}), ErrorCode::BadToken),
        (json!({"exp": NOW / 1000 - 600}), ErrorCode::TokenExpired),
        (json!({"exp": NOW / 1000 + 25 * 3600}), ErrorCode::BadToken),
        (json!({"exp": null}), ErrorCode::BadToken),
        (json!({"sub": ""}), ErrorCode::BadToken),
        (json!({"sub": 42}), ErrorCode::BadToken),
    ] {
        let token = sign(&key, Algorithm::HS256, None, change.clone());
        assert_eq!(
            user(&issuers, &token).await.err(),
            Some(expected),
            "{change}"
        );
    }
    let other = sign(&key, Algorithm::HS512, None, json!({}));
    assert_eq!(
        user(&issuers, &other).await.err(),
        Some(ErrorCode::BadToken),
        "one algorithm"
    );
}

#[tokio::test]
async fn a_key_set_pins_each_key_to_its_algorithm() {
    let files = Files::new();
    let (ed, ec, rsa) = (ed_key(1), ec_key(), rsa_key());
    let mut bare_rsa = public(&rsa, Algorithm::RS256, Some("bare"));
    bare_rsa.as_object_mut().expect("an object").remove("alg");
    let mut for_encryption = public(&ed, Algorithm::EdDSA, Some("enc"));
    for_encryption["use"] = json!("enc");
    let set = json!({"keys": [
        public(&ed, Algorithm::EdDSA, Some("ed")),
        public(&ec, Algorithm::ES256, Some("ec")),
        public(&rsa, Algorithm::RS256, Some("rsa")),
        public(&rsa, Algorithm::RS512, Some("not allowed")),
        bare_rsa,
        for_encryption,
        {"kty": "oct", "kid": "oct", "k": "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyBvciBtb3Jl", "alg": "HS256"},
        {"kty": "strange"}, 7,
    ]});
    let path = files.write("jwks.json", set.to_string());
    let allowed = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    let issuers = Issuers::new(&[settings(IssuerKeys::JwksFile(path), &allowed)]).expect("good");
    let modulus = set["keys"][2]["n"]
        .as_str()
        .expect("a modulus")
        .as_bytes()
        .to_vec();
    let confused = EncodingKey::from_secret(&modulus);
    let shared = EncodingKey::from_secret(SECRET);
    for (key, algorithm, id, good) in [
        (&ed, Algorithm::EdDSA, Some("ed"), true),
        (&ec, Algorithm::ES256, Some("ec"), true),
        (&rsa, Algorithm::RS256, Some("rsa"), true),
        (&rsa, Algorithm::RS256, Some("bare"), true),
        (&rsa, Algorithm::PS256, Some("rsa"), false),
        (&rsa, Algorithm::PS256, Some("bare"), false),
        (&rsa, Algorithm::RS512, Some("not allowed"), false),
        (&ed_key(2), Algorithm::EdDSA, Some("ed"), false),
        (&ed, Algorithm::EdDSA, Some("ec"), false),
        (&ed, Algorithm::EdDSA, Some("enc"), false),
        (&ed, Algorithm::EdDSA, Some("unknown"), false),
        (&ed, Algorithm::EdDSA, Some("../jwks.json"), false),
        (&ed, Algorithm::EdDSA, None, false),
        // The public key as a shared secret, and a symmetric key that stands in the set.
        (&confused, Algorithm::HS256, Some("rsa"), false),
        (&shared, Algorithm::HS256, Some("oct"), false),
    ] {
        let token = sign(key, algorithm, id, json!({}));
        assert_eq!(
            user(&issuers, &token).await.is_ok(),
            good,
            "{algorithm:?} {id:?}"
        );
    }
    let unsigned = forge(
        r#"{"alg":"none","kid":"ed"}"#,
        &claims(json!({})).to_string(),
        b"",
        Algorithm::HS256,
    );
    assert_eq!(
        user(&issuers, &unsigned).await.err(),
        Some(ErrorCode::BadToken)
    );
}

#[tokio::test]
async fn a_set_of_one_key_needs_no_id() {
    let files = Files::new();
    let set = json!({"keys": [public(&ed_key(1), Algorithm::EdDSA, None)]});
    let keys = IssuerKeys::JwksFile(files.write("jwks.json", set.to_string()));
    let issuers = Issuers::new(&[settings(keys, &[Algorithm::EdDSA])]).expect("good");
    let token = sign(&ed_key(1), Algorithm::EdDSA, None, json!({}));
    assert!(user(&issuers, &token).await.is_ok());
    let named = sign(&ed_key(1), Algorithm::EdDSA, Some("x"), json!({}));
    assert_eq!(
        user(&issuers, &named).await.err(),
        Some(ErrorCode::BadToken)
    );
}

#[test]
fn broken_configurations_say_what_is_wrong() {
    let files = Files::new();
    let secret = files.write("secret", SECRET);
    let short = files.write("short", "too short\n");
    let jwks = files.write(
        "jwks",
        json!({"keys": [public(&ec_key(), Algorithm::ES256, None)]}).to_string(),
    );
    let absent = files.0.path().join("absent");
    let file = |path: &PathBuf| IssuerKeys::JwksFile(path.clone());
    let shared = |path: &PathBuf| IssuerKeys::SecretFile(path.clone());
    let url = |text: &str| IssuerKeys::JwksUrl(text.to_owned());
    for (keys, algorithms, expected) in [
        (
            shared(&secret),
            vec![Algorithm::HS256, Algorithm::HS384],
            "exactly one algorithm",
        ),
        (shared(&secret), vec![Algorithm::RS256], "goes with HS256"),
        (shared(&short), vec![Algorithm::HS256], "at least 32 bytes"),
        (shared(&absent), vec![Algorithm::HS256], "absent"),
        (file(&jwks), vec![Algorithm::HS256], "a key set goes with"),
        (file(&jwks), vec![], "a key set goes with"),
        (file(&jwks), vec![Algorithm::RS256], "no key in it fits"),
        (
            file(&secret),
            vec![Algorithm::RS256],
            "not a JSON Web Key Set",
        ),
        (
            url("http://app.example.org/keys"),
            vec![Algorithm::RS256],
            "https only",
        ),
        (
            url("file:///etc/passwd"),
            vec![Algorithm::RS256],
            "https only",
        ),
        (
            url("http://localhost.evil.example/k"),
            vec![Algorithm::RS256],
            "https only",
        ),
        (url("no address"), vec![Algorithm::RS256], "no address"),
    ] {
        let error = Issuers::new(&[settings(keys, &algorithms)])
            .err()
            .expect(expected)
            .to_string();
        assert!(
            error.contains(expected) && error.contains(ISS),
            "{expected}: {error}"
        );
    }
    let good = settings(shared(&secret), &[Algorithm::HS256]);
    let twice = Issuers::new(&[good.clone(), good.clone()])
        .err()
        .expect("twice")
        .to_string();
    assert!(twice.contains("configured twice"), "{twice}");
    let ours = config::Issuer {
        issuer: token::ISSUER.to_owned(),
        ..good
    };
    assert!(
        Issuers::new(&[ours]).is_err(),
        "nobody else signs in our name"
    );
}

#[test]
fn names_of_foreign_users() {
    let id = UserId::foreign(ISS, "42");
    for (wanted, first, second) in [
        (Some("Ann"), "Ann", "Ann 2"),
        (Some(" "), "user", "user"),
        (Some("a\0"), "user", "user"),
        (None, "user", "user"),
    ] {
        let names = names(wanted, id);
        let shown: Vec<&str> = names.iter().map(Name::display).collect();
        assert!(
            shown[0].starts_with(first) && shown[1].starts_with(second),
            "{shown:?}"
        );
        assert_eq!(shown.len(), NAME_TRIES + 2);
    }
    // No room for a number: the drawn one remains.
    let long = names(Some(&"x".repeat(64)), id);
    assert_eq!(long.len(), 2);
    assert!(long[1].display().starts_with("user "));
}
