//! The sources and their order; what is refused, and with which words.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

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
        let sources = Sources { directory: directory.path().to_owned(), ..Sources::default() };
        Self { directory, sources }
    }

    fn environment(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((OsString::from(name), OsString::from(value)));
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
        self.load().expect_err("must be refused").to_string().replace(&place, "")
    }
}

#[test]
fn without_sources_the_defaults_hold() {
    let directory = tempfile::tempdir().unwrap();
    let loaded = load(&Sources { directory: directory.path().to_owned(), ..Sources::default() }).unwrap();
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
    assert_eq!(loaded.origin("listen"), &Origin::Flag("--listen".to_owned()));
    assert_eq!(loaded.config.limits.rate_burst.get(), 40);
    assert_eq!(loaded.origin("limits.rate_burst"), &Origin::Environment("CHINWAG_LIMITS_RATE_BURST".to_owned()));
    assert_eq!(loaded.config.log.level, LogLevel::Warn);
    assert_eq!(loaded.origin("log.level"), &Origin::File(place.directory.path().join("chinwag.toml"), 6));
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
    let (by_variable, by_flag) = (path("variable.toml", "drain_seconds = 2"), path("flag.toml", "drain_seconds = 3"));
    let mut sources = place.sources.clone();
    sources.environment.push(("CHINWAG_CONFIG".into(), by_variable.into()));
    assert_eq!(load(&sources).unwrap().config.drain_seconds.get(), 2);
    sources.file = Some(by_flag);
    assert_eq!(load(&sources).unwrap().config.drain_seconds.get(), 3);
    sources.file = Some(PathBuf::from("/nowhere/chinwag.toml"));
    let complaint = load(&sources).unwrap_err().to_string();
    assert!(complaint.contains("/nowhere/chinwag.toml") && complaint.contains("--config FILE"), "{complaint}");
}

#[test]
fn every_setting_can_come_from_the_environment() {
    let issuers = r#"[{ issuer = "a", audience = "b", jwks_url = "https://a/keys", algorithms = ["ES256"] }]"#;
    let texts = [
        ("data", "/srv"),
        ("listen", "localhost:9"),
        ("trusted_proxies", "10.0.0.0/8, ::1"),
        ("allowed_origins", "https://a.example"),
        ("drain_seconds", "9"),
        ("tls.certificate", "c.pem"),
        ("tls.key", "k.pem"),
        ("auth.registration", "closed"),
        ("auth.access_token_minutes", "9"),
        ("auth.refresh_token_days", "9"),
        ("auth.issuers", issuers),
        ("limits.rate_per_second", "0.5"),
        ("limits.rate_burst", "9"),
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
        assert_eq!(loaded.origin(&field.key), &Origin::Environment(name), "{}", field.key);
    }
    assert_eq!(loaded.config.trusted_proxies.len(), 2);
    assert_eq!(loaded.config.auth.issuers[0].algorithms, [Algorithm::Es256]);
    assert_eq!(loaded.config.limits.rate_per_second.per_second(), 0.5);
}

#[test]
fn no_two_settings_share_a_variable() {
    let mut names: Vec<&str> = FIELDS.iter().map(|field| field.environment.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FIELDS.len());
}

#[test]
fn what_is_unknown_is_refused_with_its_line_and_the_nearest_name() {
    for (file, expected) in [
        ("\nlisten_on = 1", "chinwag.toml:2: unknown setting `listen_on`; `chinwag config default`"),
        ("lisen = \"127.0.0.1:1\"", "chinwag.toml:1: unknown setting `lisen`; did you mean `listen`?"),
        ("registration = \"open\"", "did you mean `auth.registration`?"),
        ("[auth]\n\nregistratoin = \"open\"", "chinwag.toml:3: unknown setting `auth.registratoin`; did you mean `auth.registration`?"),
        ("log.levle = \"info\"", "did you mean `log.level`?"),
        ("[datbase]\nurl = \"x\"", "chinwag.toml:1: unknown setting `datbase`"),
        ("limits = 5", "chinwag.toml:1: `limits` is a section"),
        ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"", "chinwag.toml:2: this is not valid TOML"),
        ("[auth\n", "chinwag.toml:1: this is not valid TOML"),
    ] {
        let complaint = Place::new(file).complaint();
        assert!(complaint.contains(expected), "{file:?}: {complaint}");
    }
}

#[test]
fn an_unknown_variable_is_refused_and_others_are_left_alone() {
    let complaint = Place::new("").environment("CHINWAG_LISEN", "x").complaint();
    assert_eq!(complaint, "environment CHINWAG_LISEN: no setting has this name; did you mean CHINWAG_LISTEN?");
    let place = Place::new("")
        .environment("CHINWAG_DATA", "")
        .environment("CHINWAG_WEB_DIST", "x")
        .environment("CHINWAG_SERVICE_HOST", "10.0.0.1")
        .environment("CHINWAG_PORT", "tcp://10.0.0.1:80")
        .environment("CHINWAG_PORT_80_TCP_ADDR", "10.0.0.1")
        .environment("PATH", "/bin");
    assert_eq!(place.load().unwrap().config, Config::default());
    let complaint = Place::new("").environment("CHINWAG_PORT", "8080").complaint();
    assert!(complaint.contains("CHINWAG_PORT"), "{complaint}");
}

#[test]
fn a_wrong_value_is_refused_with_what_was_expected() {
    for (file, expected) in [
        ("listen = \"8080\"", "chinwag.toml:1: `listen = \"8080\"`: expected an address and a port"),
        ("listen = \"chat.example.org:80\"", "expected an address and a port"),
        ("data = 5", "expected a path in quotes"),
        ("drain_seconds = 0", "`drain_seconds = 0`: expected a whole number from 1 to 300"),
        ("drain_seconds = -1", "expected a whole number from 1 to 300"),
        ("drain_seconds = \"5\"", "expected a whole number from 1 to 300"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "expected a list of addresses or ranges"),
        ("allowed_origins = [\"https://a.example/\"]", "expected a list of origins"),
        ("allowed_origins = [\"*\"]", "expected a list of origins"),
        ("[limits]\nrate_per_second = 0", "chinwag.toml:2: `limits.rate_per_second = 0`: expected a number above 0"),
        ("[limits]\nrate_per_second = nan", "expected a number above 0"),
        ("[auth]\nregistration = \"everybody\"", "expected one of \"open\", \"invite\", \"closed\""),
        ("[log]\nlevel = \"verbose\"", "expected one of \"error\", \"warn\", \"info\", \"debug\", \"trace\""),
        ("[tls]\ncertificate = \"c.pem\"", "chinwag.toml:2: `tls.certificate` needs `tls.key` beside it"),
    ] {
        let complaint = Place::new(file).complaint();
        assert!(complaint.contains(expected), "{file:?}: {complaint}");
    }
    let complaint = Place::new("").environment("CHINWAG_DRAIN_SECONDS", "soon").complaint();
    assert_eq!(complaint, "environment CHINWAG_DRAIN_SECONDS: `drain_seconds = \"soon\"`: expected a whole number from 1 to 300");
}

#[test]
fn a_wrong_value_is_refused_even_when_a_later_source_replaces_it() {
    let place = Place::new("drain_seconds = 0").flag("--set", "drain_seconds", "5");
    assert!(place.complaint().contains("chinwag.toml:1"));
    assert!(!place.load().unwrap_err().is_usage, "the command line was right");
    let place = Place::new("").flag("--listen", "listen", "here");
    assert!(place.load().unwrap_err().is_usage);
}

#[test]
fn all_problems_are_told_at_once() {
    let error = Place::new("lisen = 1\ndrain_seconds = 0\n").environment("CHINWAG_X", "1").load().unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
}

#[test]
fn an_issuer_has_one_key_of_the_right_kind_and_no_secret_in_sight() {
    let issuer = |keys: &str| format!("[[auth.issuers]]\nissuer = \"a\"\naudience = \"b\"\n{keys}");
    let good = issuer("secret_file = \"s\"\nalgorithms = [\"HS256\"]");
    let loaded = Place::new(&good).load().unwrap();
    assert_eq!(loaded.config.auth.issuers[0].keys, IssuerKeys::SecretFile(PathBuf::from("s")));
    for (keys, expected) in [
        ("algorithms = [\"HS256\"]", "exactly one of"),
        ("secret_file = \"s\"\njwks_file = \"j\"\nalgorithms = [\"HS256\"]", "exactly one of"),
        ("secret_file = \"s\"\nalgorithms = []", "at least one algorithm"),
        ("secret_file = \"s\"\nalgorithms = [\"RS256\"]", "HS algorithms go with secret_file"),
        ("jwks_file = \"j\"\nalgorithms = [\"ES256\", \"HS256\"]", "HS algorithms go with secret_file"),
        ("jwks_url = \"http://a.example/keys\"\nalgorithms = [\"ES256\"]", "must begin with https://"),
        ("jwks_url = \"https://me:hunter2@a.example/\"\nalgorithms = [\"ES256\"]", "user name or password"),
        ("jwks_url = \"https://a.example/?key=hunter2\"\nalgorithms = [\"ES256\"]", "must not have a query"),
        ("secret = \"hunter2\"\nalgorithms = [\"HS256\"]", "unknown field `secret`"),
        ("secret_file = \"s\"\nalgorithms = [\"none\"]", "unknown variant `none`"),
    ] {
        let complaint = Place::new(&issuer(keys)).complaint();
        assert!(complaint.contains("auth.issuers") && complaint.contains(expected), "{keys}: {complaint}");
        assert!(!complaint.contains("hunter2"), "a secret is never repeated: {complaint}");
    }
    let twice = format!("{good}\n{good}");
    assert!(Place::new(&twice).complaint().contains("named twice"));
}

#[test]
fn what_is_no_configuration_file_is_refused_by_name() {
    let place = Place::new("");
    let check = |path: &Path, expected: &str| {
        let sources = Sources { file: Some(path.to_owned()), ..Sources::default() };
        let complaint = load(&sources).unwrap_err().to_string();
        assert!(complaint.contains(path.to_str().unwrap()) && complaint.contains(expected), "{complaint}");
    };
    check(place.directory.path(), "it is a directory");
    let broken = place.directory.path().join("broken.toml");
    std::fs::write(&broken, b"# fine\ndata = \"\xff\"\n").unwrap();
    check(&broken, "line 2 is not UTF-8");
    let large = place.directory.path().join("large.toml");
    std::fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    check(&large, "it is larger than");
}

#[test]
fn registration_is_open_only_where_nobody_else_can_reach_it() {
    for (listen, chosen, expected) in [
        ("127.0.0.1:8080", None, Registration::Open),
        ("[::1]:8080", None, Registration::Open),
        ("0.0.0.0:8080", None, Registration::Invite),
        ("[::]:8080", None, Registration::Invite),
        ("0.0.0.0:8080", Some(Registration::Open), Registration::Open),
        ("127.0.0.1:8080", Some(Registration::Closed), Registration::Closed),
    ] {
        let auth = Auth { registration: chosen, ..Auth::default() };
        let config = Config { listen: listen.parse().unwrap(), auth, ..Config::default() };
        assert_eq!(config.registration(), expected, "{listen} {chosen:?}");
    }
}

#[test]
fn a_range_holds_its_addresses() {
    for (range, address, expected) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("127.0.0.1", "::ffff:127.0.0.1", true),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fe80::1", false),
        ("::/0", "127.0.0.1", false),
    ] {
        let range: AddressRange = range.parse().unwrap();
        assert_eq!(range.contains(address.parse().unwrap()), expected, "{range} {address}");
    }
}

#[test]
fn an_origin_is_written_as_browsers_send_it() {
    for good in ["https://a.example", "http://localhost:5173", "https://a.example:8443", "http://[::1]:8000"] {
        assert!(good.parse::<WebOrigin>().is_ok(), "{good}");
    }
    for bad in ["", "a.example", "https://", "https://A.example", "https://a.example/", "https://a.example:443", "http://a:99999", "ftp://a", "https://a b"] {
        assert!(bad.parse::<WebOrigin>().is_err(), "{bad}");
    }
}

/// The example at the root of the repository is made from this module. When this fails, it has just been
/// rewritten: look at the difference and commit it.
#[test]
fn the_example_file_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chinwag.example.toml");
    let (found, made) = (std::fs::read_to_string(&path).unwrap_or_default(), example());
    if found != made {
        std::fs::write(&path, &made).unwrap();
        panic!("{} was stale and has been rewritten", path.display());
    }
}

#[test]
fn the_example_is_right_as_it_is_and_with_every_setting_in_force() {
    assert_eq!(Place::new(&example()).load().unwrap().config, Config::default());
    let uncommented: String = example()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty()).unwrap_or(line).to_owned() + "\n")
        .collect();
    let loaded = Place::new(&uncommented).load().unwrap();
    for field in FIELDS.iter() {
        assert!(loaded.is_chosen(&field.key), "{} stands in the example", field.key);
    }
    assert_eq!(loaded.config.limits, Limits::default(), "the example shows the defaults");
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let text = effective(&Place::new("listen = \"0.0.0.0:80\"").environment("CHINWAG_LOG_LEVEL", "debug").load().unwrap());
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start} in {text}"));
    assert!(line("listen = \"0.0.0.0:80\"").ends_with("chinwag.toml:1"));
    assert!(line("level = \"debug\"").ends_with("# environment CHINWAG_LOG_LEVEL"));
    assert!(line("data = \"data\"").ends_with("# default"));
    assert!(line("#registration = \"invite\"").ends_with("# default"), "what absence means is said");
    assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
}
