//! What single settings mean, and the texts made from all of them.

use std::path::{Path, PathBuf};

use super::*;

#[test]
fn an_issuer_has_one_key_of_the_right_kind_and_no_secret_in_sight() {
    let issuer = |keys: &str| format!("[[auth.issuers]]\nissuer = \"a\"\naudience = \"b\"\n{keys}");
    let good = issuer("secret_file = \"s\"\nalgorithms = [\"HS256\"]");
    let loaded = Place::new(&good).load().unwrap();
    assert_eq!(
        loaded.config.auth.issuers[0].keys,
        IssuerKeys::SecretFile(PathBuf::from("s"))
    );
    for (keys, expected) in [
        ("algorithms = [\"HS256\"]", "exactly one of"),
        (
            "secret_file = \"s\"\njwks_file = \"j\"\nalgorithms = [\"HS256\"]",
            "exactly one of",
        ),
        (
            "secret_file = \"s\"\nalgorithms = []",
            "at least one algorithm",
        ),
        (
            "secret_file = \"s\"\nalgorithms = [\"RS256\"]",
            "HS algorithms go with secret_file",
        ),
        (
            "jwks_file = \"j\"\nalgorithms = [\"ES256\", \"HS256\"]",
            "HS algorithms go with secret_file",
        ),
        (
            "jwks_url = \"http://a.example/keys\"\nalgorithms = [\"ES256\"]",
            "must begin with https://",
        ),
        (
            "jwks_url = \"https://me:hunter2@a.example/\"\nalgorithms = [\"ES256\"]",
            "user name or password",
        ),
        (
            "jwks_url = \"https://a.example/?key=hunter2\"\nalgorithms = [\"ES256\"]",
            "must not have a query",
        ),
        (
            "secret = \"hunter2\"\nalgorithms = [\"HS256\"]",
            "unknown field `secret`",
        ),
        (
            "secret_file = \"s\"\nalgorithms = [\"none\"]",
            "unknown variant `none`",
        ),
    ] {
        let complaint = Place::new(&issuer(keys)).complaint();
        assert!(
            complaint.contains("auth.issuers") && complaint.contains(expected),
            "{keys}: {complaint}"
        );
        assert!(
            !complaint.contains("hunter2"),
            "a secret is never repeated: {complaint}"
        );
    }
    let twice = format!("{good}\n{good}");
    assert!(Place::new(&twice).complaint().contains("named twice"));
}

#[test]
fn registration_is_open_only_where_nobody_else_can_reach_it() {
    for (listen, chosen, expected) in [
        ("127.0.0.1:8080", None, Registration::Open),
        ("[::1]:8080", None, Registration::Open),
        ("0.0.0.0:8080", None, Registration::Invite),
        ("[::]:8080", None, Registration::Invite),
        ("0.0.0.0:8080", Some(Registration::Open), Registration::Open),
        (
            "127.0.0.1:8080",
            Some(Registration::Closed),
            Registration::Closed,
        ),
    ] {
        let auth = Auth {
            registration: chosen,
            ..Auth::default()
        };
        let config = Config {
            listen: listen.parse().unwrap(),
            auth,
            ..Config::default()
        };
        assert_eq!(config.registration(), expected, "{listen} {chosen:?}");
    }
}

#[test]
fn an_origin_is_written_as_browsers_send_it() {
    for good in [
        "https://a.example",
        "http://localhost:5173",
        "https://a.example:8443",
        "http://[::1]:8000",
    ] {
        assert!(good.parse::<WebOrigin>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "a.example",
        "https://",
        "https://A.example",
        "https://a.example/",
        "https://a.example:443",
        "http://a:99999",
        "ftp://a",
        "https://a b",
    ] {
        assert!(bad.parse::<WebOrigin>().is_err(), "{bad}");
    }
}

#[test]
fn a_proxy_is_a_way_in_from_elsewhere() {
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let config = Config {
        trusted_proxies,
        ..Config::default()
    };
    assert_eq!(config.registration(), Registration::Invite);
    assert!(config.warnings().is_empty());
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    for (file, expected) in [
        ("", 0),
        ("listen = \"0.0.0.0:80\"", 1),
        (
            "listen = \"0.0.0.0:80\"\ntrusted_proxies = [\"10.0.0.1\"]",
            0,
        ),
        (
            "listen = \"0.0.0.0:443\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"",
            0,
        ),
        (
            "listen = \"0.0.0.0:80\"\n[auth]\nregistration = \"open\"",
            2,
        ),
    ] {
        let warnings = Place::new(file).load().unwrap().config.warnings();
        assert_eq!(warnings.len(), expected, "{file}: {warnings:?}");
    }
}

/// The example at the root of the repository is made from this module. When this fails, it has just
/// been rewritten: look at the difference and commit it.
#[test]
fn the_example_file_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chinwag.example.toml");
    let (found, made) = (
        std::fs::read_to_string(&path).unwrap_or_default(),
        example(),
    );
    if found != made {
        std::fs::write(&path, &made).unwrap();
        panic!("{} was stale and has been rewritten", path.display());
    }
}

#[test]
fn the_example_is_right_as_it_is_and_with_every_setting_in_force() {
    assert_eq!(
        Place::new(&example()).load().unwrap().config,
        Config::default()
    );
    let uncommented: String = example()
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' ') && !rest.is_empty())
                .unwrap_or(line)
                .to_owned()
                + "\n"
        })
        .collect();
    let loaded = Place::new(&uncommented).load().unwrap();
    for field in FIELDS.iter() {
        assert!(
            loaded.is_chosen(&field.key),
            "{} stands in the example",
            field.key
        );
    }
    // What follows from other settings when it is absent has no default to show.
    let limits = Limits {
        address_rate_per_second: None,
        address_rate_burst: None,
        ..loaded.config.limits
    };
    assert_eq!(limits, Limits::default(), "the example shows the defaults");
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let text = effective(
        &Place::new("listen = \"0.0.0.0:80\"")
            .environment("CHINWAG_LOG_LEVEL", "debug")
            .load()
            .unwrap(),
    );
    let line = |start: &str| {
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{start} in {text}"))
    };
    assert!(line("listen = \"0.0.0.0:80\"").ends_with("chinwag.toml:1"));
    assert!(line("level = \"debug\"").ends_with("# environment CHINWAG_LOG_LEVEL"));
    assert!(line("data = \"data\"").ends_with("# default"));
    assert!(
        line("#registration = \"invite\"").ends_with("# default"),
        "what absence means is said"
    );
    assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
}
