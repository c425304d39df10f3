//! Types of settings that are a text with a shape: addresses, networks, origins; and lists of them.
//!
//! A value that exists is valid. Names are not resolved: what the server listens on must not depend
//! on DNS.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::Value;

use super::schema::Setting;
use crate::network::Network;

/// The address that the server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(SocketAddr);

impl ListenAddress {
    /// The address for the system.
    #[must_use]
    pub const fn socket_address(self) -> SocketAddr {
        self.0
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl FromStr for ListenAddress {
    type Err = ();

    /// `ADDRESS:PORT`; the one name allowed is `localhost`, which is 127.0.0.1.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(port) = text.strip_prefix("localhost:") {
            return Ok(Self(SocketAddr::from((
                Ipv4Addr::LOCALHOST,
                port.parse::<u16>().map_err(drop)?,
            ))));
        }
        text.parse().map(Self).map_err(drop)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The origin of a web page (RFC 6454), exactly as a browser sends it: scheme, host, and a port if
/// it is not the scheme's own; no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// The text to compare with the `Origin` header, byte for byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebOrigin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, usual_port) = if text.starts_with("https://") {
            ("https", "443")
        } else {
            ("http", "80")
        };
        let host = text
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .ok_or(())?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        // A browser writes the host in lower case and leaves the usual port out: another spelling
        // never matches.
        let name_fits = !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-[]:".contains(&byte)
            });
        let port_fits = port.is_none_or(|port| port != usual_port && port.parse::<u16>().is_ok());
        if name_fits && port_fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Settings that are read from a text: the same text in the file, in the environment and in a flag.
macro_rules! written_as_text {
    ($($kind:ident: $one:literal, $many:literal;)*) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(|()| de::Error::custom("not the right shape"))
            }
        }

        impl Setting for $kind {
            fn expects() -> String {
                $one.to_owned()
            }
        }

        impl Setting for Vec<$kind> {
            fn expects() -> String {
                $many.to_owned()
            }

            fn from_text(text: &str) -> Value {
                list_from_text(text)
            }
        }
    )*};
}

written_as_text! {
    ListenAddress: "an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"", "a list of addresses with ports";
    WebOrigin: "an origin", "a list of origins in lower case without a path, such as [\"https://app.example.org\"]";
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Setting for Vec<Network> {
    fn expects() -> String {
        "a list of addresses or networks, such as [\"127.0.0.1\", \"10.0.0.0/8\"]".to_owned()
    }

    fn from_text(text: &str) -> Value {
        list_from_text(text)
    }

    // A network knows best what is wrong with it, and often what was meant.
    fn refusal(detail: &str) -> String {
        format!("{detail}; expected {}", Self::expects())
    }
}

/// A list in one text: TOML when it begins with a bracket, else separated by commas.
pub(super) fn list_from_text(text: &str) -> Value {
    if text.trim_start().starts_with('[') {
        return value_from_toml(text);
    }
    Value::Array(
        text.split(',')
            .map(|part| Value::String(part.trim().to_owned()))
            .collect(),
    )
}

/// The value that a text of TOML stands for; a text that is none stays a text, for the check to
/// refuse.
pub(super) fn value_from_toml(text: &str) -> Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}"));
    parsed
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
