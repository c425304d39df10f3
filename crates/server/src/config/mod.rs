//! The configuration: one struct, written down once.
//!
//! Every setting stands in this file with its type, its default and the words that explain it; the
//! example file, `config default`, the names of the environment variables and the checks are made
//! from the same lines. [`load`] merges the sources; nothing here opens a database, a socket or a
//! certificate. A [`Config`] is made once at the start and never changes while the process lives.

mod example;
mod issuer;
mod load;
mod parts;
mod schema;
mod sources;
mod suggest;
mod values;

use std::path::PathBuf;

use chinwag_core::limits;
use schema::settings;

use crate::network::Network;

pub use example::{effective, example};
pub use issuer::{Issuer, IssuerKeys};
pub use load::load;
pub use parts::{ListenAddress, WebOrigin};
pub use schema::{Field, Group, Setting, environment_name};
pub use sources::{ConfigError, Flag, Loaded, Origin, Sources};
pub use values::{LogFormat, LogLevel, Rate, Registration, Whole};

settings! {
    /// Everything that an operator can decide.
    pub struct Config {
        /// The data directory: database, keys and files. It is created when missing, and belongs to
        /// one process at a time. Relative paths, here and everywhere, start at the working
        /// directory.
        data: PathBuf = PathBuf::from("data");

        /// The address and port that people connect to. Unless chosen, the next free port is taken
        /// when this one is in use. "0.0.0.0:8080" listens on every IPv4 interface, "[::]:8080" on
        /// all of both kinds.
        listen: ListenAddress = ListenAddress::default();

        /// The address and port where metrics are read, as `http://ADDRESS:PORT/metrics`; none when
        /// absent. Whoever reaches it may read them, without a password: keep it on loopback, or on
        /// a network of your own. They count people and messages, and name none.
        metrics: Option<ListenAddress> = None, like r#""127.0.0.1:9464""#;

        /// The proxies in front of Chinwag, as addresses or networks. Only a connection from one of
        /// them may name the true address of its client in `X-Forwarded-For`; limits per address
        /// count that one.
        trusted_proxies: Vec<Network> = Vec::new(), like r#"["127.0.0.1", "10.0.0.0/8"]"#;

        /// Other web sites whose pages may use this server with the cookies of its users, as exact
        /// origins. The server's own page needs no entry.
        allowed_origins: Vec<WebOrigin> = Vec::new(), like r#"["https://app.example.org"]"#;

        /// Seconds that a stopping server gives to commands under way before it closes the
        /// remaining connections.
        drain_seconds: Whole<1, 300> = Whole::new(5);

        /// Whether frames may be compressed (permessage-deflate) for clients that can read that,
        /// which all browsers can. It costs processor time once per message, not per receiver.
        compression: bool = true;
    }
    groups {
        /// HTTPS without a proxy. Both files or none; PEM, the certificate with its chain.
        tls: Tls;
        /// Who may enter, and for how long.
        auth: Auth;
        /// How much one person, one address and everybody together may ask for.
        limits: Limits;
        /// What the server tells its operator, on standard error.
        log: Log;
    }
}

settings! {
    /// HTTPS by certificate files.
    pub struct Tls {
        /// The certificate and its chain, in PEM.
        certificate: Option<PathBuf> = None, like r#""/etc/chinwag/fullchain.pem""#;

        /// The private key of the certificate, in PEM.
        key: Option<PathBuf> = None, like r#""/etc/chinwag/privkey.pem""#;
    }
}

settings! {
    /// Accounts, sessions and foreign issuers of tokens.
    pub struct Auth {
        /// Who may create an account: "open" (anybody), "invite" (whoever has a link from an
        /// administrator) or "closed" (nobody). When absent: "open" while only this machine can
        /// connect (a loopback address, and no trusted proxies), else "invite".
        registration: Option<Registration> = None, like r#""invite""#;

        /// Life of an access token, in minutes. A stolen one works at most so long.
        access_token_minutes: Whole<1, 1440> = Whole::new(10);

        /// Days without a visit after which a device has to sign in again.
        refresh_token_days: Whole<1, 3650> = Whole::new(30);

        /// Other issuers of tokens, such as your product's own backend: the `iss` and `aud` that
        /// its tokens carry, the algorithms it may use, and one of `secret_file`, `jwks_file` or
        /// `jwks_url`. A secret never stands in this file itself. In the environment: the same
        /// text, as one line of TOML.
        issuers: Vec<Issuer> = Vec::new(), like
            r#"[{ issuer = "https://app.example.org", audience = "chinwag", secret_file = "/etc/chinwag/issuer.secret", algorithms = ["HS256"] }]"#;
    }
}

settings! {
    /// Overrides of the public limits that depend on the place where a server runs.
    pub struct Limits {
        /// Messages of one user per second, steadily. May be a fraction, such as 0.5.
        rate_per_second: Rate = Rate::default();

        /// Messages of one user at once, after silence.
        rate_burst: Whole<1, 10_000> = Whole::new(limits::RATE_BURST as u64);

        /// Messages per second of all who share an address (an IPv4 address, or the /64 of an IPv6
        /// address, as `trusted_proxies` says), however many accounts they have. Loopback is an
        /// address like others. When absent: 20 times `rate_per_second`, enough for an office of
        /// some hundreds of people behind one router.
        address_rate_per_second: Option<Rate> = None, like "200.0";

        /// Messages of all who share an address at once, after silence. When absent: 50 times
        /// `rate_burst`.
        address_rate_burst: Option<Whole<1, 1_000_000>> = None, like "1000";

        /// Live connections of one user on this server.
        connections_per_user: Whole<1, 10_000> = Whole::new(limits::CONNECTIONS_PER_USER_MAX as u64);

        /// Connections from one address, signed in or not. Many people can share one behind a
        /// company's router.
        connections_per_address: Whole<1, 1_000_000> = Whole::new(1_000);

        /// Connections that have not signed in yet, from all addresses together. The oldest gives
        /// way.
        unauthenticated_connections: Whole<1, 1_000_000> = Whole::new(1_000);
    }
}

settings! {
    /// The log.
    pub struct Log {
        /// "human" or "json". When absent: "human" on a terminal, else "json".
        format: Option<LogFormat> = None, like r#""json""#;

        /// The least severe line that is shown: "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;
    }
}

impl Config {
    /// Who may create an account, with the default that depends on the address: what is reachable
    /// from elsewhere, be it through a proxy, is not open to everybody unless somebody wrote so.
    #[must_use]
    pub fn registration(&self) -> Registration {
        match self.auth.registration {
            Some(chosen) => chosen,
            None if self.is_reachable_from_elsewhere() => Registration::Invite,
            None => Registration::Open,
        }
    }

    /// What is allowed, and probably not meant: one line each, with the way out.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let is_direct = !self.listen.is_loopback() && self.trusted_proxies.is_empty();
        let is_plain = is_direct && self.tls.certificate.is_none();
        let is_open =
            self.is_reachable_from_elsewhere() && self.registration() == Registration::Open;
        let plain = is_plain.then_some(
            "others can connect without HTTPS, and passwords can be read on the way: set tls.certificate \
             and tls.key, or put a proxy in front and name it in trusted_proxies",
        );
        let open = is_open.then_some(
            "anybody who finds this server can create an account: auth.registration = \"invite\" \
             asks for a link",
        );
        plain.into_iter().chain(open).collect()
    }

    fn is_reachable_from_elsewhere(&self) -> bool {
        !self.listen.is_loopback() || !self.trusted_proxies.is_empty()
    }
}

#[cfg(test)]
mod tests;
