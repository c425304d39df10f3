//! The sources and their order; what is refused, and with which words.

mod meaning;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jsonwebtoken::Algorithm;

use super::schema::FIELDS;
use super::*;

/// A place with a configuration file, and the sources that point to it.
struct Place {
    directory: tempfile::TempDir,
    sources: Sources,
}

impl Place {
    fn new(file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("chinwag.toml"), file).unwrap();
        let sources = Sources {
            directory: directory.path().to_owned(),
            ..Sources::default()
        };
        Self { directory, sources }
    }

    fn environment(mut self, name: &str, value: &str) -> Self {
        self.sources
            .environment
            .push((OsString::from(name), OsString::from(value)));
        self
    }

    fn flag(mut self, flag: &str, key: &str, text: &str) -> Self {
        self.sources.flags.push(Flag::new(flag, key, text));
        self
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.sources)
    }

    /// The complaint, with the file's path shortened to its name.
    fn complaint(&self) -> String {
        let place = format!("{}/", self.directory.path().display());
        self.load()
            .expect_err("must be refused")
            .to_string()
            .replace(&place, "")
    }
}

#[test]
fn without_sources_the_defaults_hold() {
    let directory = tempfile::tempdir().unwrap();
    let loaded = load(&Sources {
        directory: directory.path().to_owned(),
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.file, None);
    assert!(!loaded.is_chosen("listen"));
}

#[test]
fn the_later_source_wins_and_is_named() {
    let file = "drain_seconds = 7\nlisten = \"127.0.0.1:1111\"\n[limits]\nrate_burst = 30\n[log]\nlevel = \"warn\"\n";
    let place = Place::new(file)
        .environment("CHINWAG_LISTEN", "127.0.0.1:2222")
        .environment("CHINWAG_LIMITS_RATE_BURST", "40")
        .flag("--listen", "listen", "127.0.0.1:3333");
    let loaded = place.load().unwrap();
    assert_eq!(loaded.config.listen.to_string(), "127.0.0.1:3333");
    assert_eq!(
        loaded.origin("listen"),
        &Origin::Flag("--listen".to_owned())
    );
    assert_eq!(loaded.config.limits.rate_burst.get(), 40);
    assert_eq!(
        loaded.origin("limits.rate_burst"),
        &Origin::Environment("CHINWAG_LIMITS_RATE_BURST".to_owned())
    );
    assert_eq!(loaded.config.log.level, LogLevel::Warn);
    assert_eq!(
        loaded.origin("log.level"),
        &Origin::File(place.directory.path().join("chinwag.toml"), 6)
    );
    assert_eq!(loaded.config.drain_seconds.get(), 7);
    assert_eq!(loaded.origin("data"), &Origin::Default);
}

#[test]
fn the_named_file_wins_over_the_usual_one() {
    let place = Place::new("drain_seconds = 1");
    let path = |name: &str, text: &str| {
        let path = place.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (by_variable, by_flag) = (
        path("variable.toml", "drain_seconds = 2"),
        path("flag.toml", "drain_seconds = 3"),
    );
    let mut sources = place.sources.clone();
    sources
        .environment
        .push(("CHINWAG_CONFIG".into(), by_variable.into()));
    assert_eq!(load(&sources).unwrap().config.drain_seconds.get(), 2);
    sources.file = Some(by_flag);
    assert_eq!(load(&sources).unwrap().config.drain_seconds.get(), 3);
    sources.file = Some(PathBuf::from("/nowhere/chinwag.toml"));
    let complaint = load(&sources).unwrap_err().to_string();
    assert!(
        complaint.contains("/nowhere/chinwag.toml") && complaint.contains("--config FILE"),
        "{complaint}"
    );
}

#[test]
fn every_setting_can_come_from_the_environment() {
    let issuers = r#"[{ issuer = "a", audience = "b", jwks_url = "https://a/keys", algorithms = ["ES256"] }]"#;
    let texts = [
        ("data", "/srv"),
        ("listen", "localhost:9"),
        ("metrics", "localhost:10"),
        ("trusted_proxies", "10.0.0.0/8, ::1"),
        ("allowed_origins", "https://a.example"),
        ("drain_seconds", "9"),
        ("compression", "false"),
        ("tls.certificate", "c.pem"),
        ("tls.key", "k.pem"),
        ("auth.registration", "closed"),
        ("auth.access_token_minutes", "9"),
        ("auth.refresh_token_days", "9"),
        ("auth.issuers", issuers),
        ("limits.rate_per_second", "0.5"),
        ("limits.rate_burst", "9"),
        ("limits.address_rate_per_second", "9.5"),
        ("limits.address_rate_burst", "9"),
        ("limits.connections_per_user", "9"),
        ("limits.connections_per_address", "9"),
        ("limits.unauthenticated_connections", "9"),
        ("log.format", "human"),
        ("log.level", "error"),
    ];
    let mut place = Place::new("");
    for (key, text) in texts {
        place = place.environment(&environment_name(key), text);
    }
    let loaded = place.load().unwrap();
    for field in FIELDS.iter() {
        let name = environment_name(&field.key);
        assert_eq!(
            loaded.origin(&field.key),
            &Origin::Environment(name),
            "{}",
            field.key
        );
    }
    assert_eq!(loaded.config.trusted_proxies.len(), 2);
    assert_eq!(loaded.config.auth.issuers[0].algorithms, [Algorithm::ES256]);
    assert_eq!(loaded.config.limits.rate_per_second.per_second(), 0.5);
}

#[test]
fn no_two_settings_share_a_variable() {
    let mut names: Vec<&str> = FIELDS
        .iter()
        .map(|field| field.environment.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FIELDS.len());
}

#[test]
fn what_is_unknown_is_refused_with_its_line_and_the_nearest_name() {
    for (file, expected) in [
        (
            "\nlisten_on = 1",
            "chinwag.toml:2: unknown setting `listen_on`; `chinwag config default`",
        ),
        (
            "lisen = \"127.0.0.1:1\"",
            "chinwag.toml:1: unknown setting `lisen`; did you mean `listen`?",
        ),
        (
            "registration = \"open\"",
            "did you mean `auth.registration`?",
        ),
        (
            "[auth]\n\nregistratoin = \"open\"",
            "chinwag.toml:3: unknown setting `auth.registratoin`; did you mean `auth.registration`?",
        ),
        ("log.levle = \"info\"", "did you mean `log.level`?"),
        (
            "[datbase]\nurl = \"x\"",
            "chinwag.toml:1: unknown setting `datbase`",
        ),
        ("limits = 5", "chinwag.toml:1: `limits` is a section"),
        (
            "listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"",
            "chinwag.toml:2: this is not valid TOML",
        ),
        ("[auth\n", "chinwag.toml:1: this is not valid TOML"),
    ] {
        let complaint = Place::new(file).complaint();
        assert!(complaint.contains(expected), "{file:?}: {complaint}");
    }
}

#[test]
fn an_unknown_variable_is_refused_and_others_are_left_alone() {
    let complaint = Place::new("").environment("CHINWAG_LISEN", "x").complaint();
    assert_eq!(
        complaint,
        "environment CHINWAG_LISEN: no setting has this name; did you mean CHINWAG_LISTEN?"
    );
    let place = Place::new("")
        .environment("CHINWAG_DATA", "")
        .environment("CHINWAG_WEB_DIST", "x")
        .environment("CHINWAG_SERVICE_HOST", "10.0.0.1")
        .environment("CHINWAG_PORT", "tcp://10.0.0.1:80")
        .environment("CHINWAG_PORT_80_TCP_ADDR", "10.0.0.1")
        .environment("PATH", "/bin");
    assert_eq!(place.load().unwrap().config, Config::default());
    let complaint = Place::new("")
        .environment("CHINWAG_PORT", "8080")
        .complaint();
    assert!(complaint.contains("CHINWAG_PORT"), "{complaint}");
}

/// A build without the planted mistakes does not overlook that somebody asks for one.
#[test]
fn a_mistake_is_planted_only_where_it_is_built_in() {
    let place = Place::new("").environment("CHINWAG_MUTANT", "ack-before-commit");
    if cfg!(feature = "mutants") {
        assert_eq!(place.load().unwrap().config, Config::default());
    } else {
        let complaint = place.complaint();
        assert!(complaint.contains("CHINWAG_MUTANT"), "{complaint}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_what_was_expected() {
    for (file, expected) in [
        (
            "listen = \"8080\"",
            "chinwag.toml:1: `listen = \"8080\"`: expected an address and a port",
        ),
        (
            "listen = \"chat.example.org:80\"",
            "expected an address and a port",
        ),
        ("data = 5", "expected a path in quotes"),
        ("data = \"\"", "chinwag.toml:1: `data` is empty"),
        (
            "drain_seconds = 0",
            "`drain_seconds = 0`: expected a whole number from 1 to 300",
        ),
        ("compression = \"yes\"", "expected true or false"),
        (
            "drain_seconds = -1",
            "expected a whole number from 1 to 300",
        ),
        (
            "drain_seconds = \"5\"",
            "expected a whole number from 1 to 300",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "`/33` is not a prefix of 0 to 32 bits; expected a list of addresses or networks, such as",
        ),
        (
            "trusted_proxies = [\"10.1.2.3/8\"]",
            "the network would be `10.0.0.0/8`",
        ),
        (
            "trusted_proxies = [10]",
            "expected a list of addresses or networks, such as",
        ),
        (
            "allowed_origins = [\"https://a.example/\"]",
            "expected a list of origins",
        ),
        ("allowed_origins = [\"*\"]", "expected a list of origins"),
        (
            "[limits]\nrate_per_second = 0",
            "chinwag.toml:2: `limits.rate_per_second = 0`: expected a number above 0",
        ),
        (
            "[limits]\nrate_per_second = nan",
            "expected a number above 0",
        ),
        (
            "[auth]\nregistration = \"everybody\"",
            "expected one of \"open\", \"invite\", \"closed\"",
        ),
        (
            "[log]\nlevel = \"verbose\"",
            "expected one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        ),
        (
            "[tls]\ncertificate = \"c.pem\"",
            "chinwag.toml:2: `tls.certificate` needs `tls.key` beside it",
        ),
    ] {
        let complaint = Place::new(file).complaint();
        assert!(complaint.contains(expected), "{file:?}: {complaint}");
    }
    let complaint = Place::new("")
        .environment("CHINWAG_DRAIN_SECONDS", "soon")
        .complaint();
    assert_eq!(
        complaint,
        "environment CHINWAG_DRAIN_SECONDS: `drain_seconds = \"soon\"`: expected a whole number from 1 to 300"
    );
}

#[test]
fn a_wrong_value_is_refused_even_when_a_later_source_replaces_it() {
    let place = Place::new("drain_seconds = 0").flag("--set", "drain_seconds", "5");
    assert!(place.complaint().contains("chinwag.toml:1"));
    assert!(
        !place.load().unwrap_err().is_usage,
        "the command line was right"
    );
    let place = Place::new("").flag("--listen", "listen", "here");
    assert!(place.load().unwrap_err().is_usage);
}

#[test]
fn all_problems_are_told_at_once() {
    let error = Place::new("lisen = 1\ndrain_seconds = 0\n")
        .environment("CHINWAG_X", "1")
        .load()
        .unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
}

#[test]
fn what_is_no_configuration_file_is_refused_by_name() {
    let place = Place::new("");
    let check = |path: &Path, expected: &str| {
        let sources = Sources {
            file: Some(path.to_owned()),
            ..Sources::default()
        };
        let complaint = load(&sources).unwrap_err().to_string();
        assert!(
            complaint.contains(path.to_str().unwrap()) && complaint.contains(expected),
            "{complaint}"
        );
    };
    check(place.directory.path(), "it is a directory");
    let broken = place.directory.path().join("broken.toml");
    std::fs::write(&broken, b"# fine\ndata = \"\xff\"\n").unwrap();
    check(&broken, "line 2 is not UTF-8");
    let large = place.directory.path().join("large.toml");
    std::fs::File::create(&large)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    check(&large, "it is larger than");
}
