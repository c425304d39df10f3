//! Who a client is by address: CIDR networks, and the client behind trusted proxies.
//!
//! It does no input or output and keeps nothing; the accept loop asks it per connection and request.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use axum::http::HeaderMap;

/// IPv6 providers hand out networks of this many bits: one customer, one key.
const IPV6_CUSTOMER_BITS: u32 = 64;

/// The address of the client as limits and logs see it: the TCP peer, or what a trusted proxy
/// reported. It is in the extensions of every request that came through the accept loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// What the per-address cap counts by: an IPv4 address, or the /64 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AddressKey(u128);

impl AddressKey {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // The mapped form keeps the two families apart in one ordered key.
            IpAddr::V4(address) => Self(u128::from(address.to_ipv6_mapped())),
            IpAddr::V6(address) => {
                let host_bits = u128::BITS - IPV6_CUSTOMER_BITS;
                Self(u128::from(address) >> host_bits << host_bits)
            }
        }
    }
}

/// A CIDR network such as `10.0.0.0/8`; a bare address is the network of that one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u32,
}

/// Why a text is not a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash.
    #[error("`{0}` is not an IPv4 or IPv6 address")]
    Address(String),
    /// The part after the slash.
    #[error("`/{prefix}` is not a prefix of 0 to {bits_max} bits")]
    Prefix {
        /// As it was given.
        prefix: String,
        /// 32 or 128.
        bits_max: u32,
    },
    /// Most often a typing error, so it is not silently cut.
    #[error("`{given}` has bits beyond its prefix; the network would be `{meant}`")]
    HostBits {
        /// As it was given.
        given: String,
        /// With those bits cleared.
        meant: Network,
    },
}

impl Network {
    /// Whether `address` lies in this network. An IPv4 address in its IPv6-mapped form counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        cleared(address.to_canonical(), self.prefix_bits) == Some(self.base)
    }
}

/// `address` with all but its first `prefix_bits` cleared; `None` if it has fewer bits.
fn cleared(address: IpAddr, prefix_bits: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => {
            let host_bits = u32::BITS.checked_sub(prefix_bits)?;
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let host_bits = u128::BITS.checked_sub(prefix_bits)?;
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
    })
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_: std::net::AddrParseError| NetworkError::Address(address.to_owned()))?;
        let bits_max = if address.is_ipv4() {
            u32::BITS
        } else {
            u128::BITS
        };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(prefix) => prefix
                .parse::<u32>()
                .ok()
                // Why it does not parse is of no use: the error names the range.
                .filter(|bits| {
                    *bits <= bits_max && prefix.bytes().all(|byte| byte.is_ascii_digit())
                })
                .ok_or_else(|| NetworkError::Prefix {
                    prefix: prefix.to_owned(),
                    bits_max,
                })?,
        };
        let base = cleared(address, prefix_bits).expect("the prefix was checked against the width");
        let network = Self { base, prefix_bits };
        if base != address {
            return Err(NetworkError::HostBits {
                given: text.to_owned(),
                meant: network,
            });
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix_bits)
    }
}

/// Whether one of `networks` contains `address`.
pub(crate) fn is_trusted(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The client behind `peer`: if the peer is trusted, the right-most address in `X-Forwarded-For`
/// that is not itself trusted. What stands left of it was written by strangers. An entry that is
/// no address ends the walk at the hop that wrote it.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut client = peer.to_canonical();
    let fields: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    for field in fields.into_iter().rev() {
        // A field with bytes outside ASCII has no address in it, and ends the walk like any garbage.
        for entry in field.to_str().unwrap_or("?").rsplit(',') {
            if !is_trusted(client, trusted) {
                return client;
            }
            match forwarded_entry(entry.trim()) {
                Some(address) => client = address,
                None => return client,
            }
        }
    }
    client
}

/// Whether a trusted proxy says that the client's side is HTTPS. A proxy sets `X-Forwarded-Proto`
/// itself; of several values only an unmixed `https` counts.
pub(crate) fn is_forwarded_https(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> bool {
    let mut values = headers.get_all("x-forwarded-proto").iter().peekable();
    is_trusted(peer, trusted)
        && values.peek().is_some()
        && values.all(|value| value.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// Proxies write `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1` or `[2001:db8::1]:567`.
fn forwarded_entry(entry: &str) -> Option<IpAddr> {
    let address = entry
        .parse::<IpAddr>()
        .or_else(|_| {
            entry
                .parse::<std::net::SocketAddr>()
                .map(|socket| socket.ip())
        })
        .or_else(|error| {
            entry
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .ok_or(error)?
                .parse::<IpAddr>()
        });
    // Which of the three forms failed first says nothing to anybody.
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn https_is_believed_of_trusted_proxies_alone() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        for (peer, values, expected) in [
            ("10.0.0.1", &["https"][..], true),
            ("10.0.0.1", &["HTTPS"], true),
            ("10.0.0.1", &["http"], false),
            ("10.0.0.1", &[], false),
            ("10.0.0.1", &["https", "http"], false),
            ("10.0.0.1", &["https,http"], false),
            ("192.0.2.1", &["https"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-proto", value.parse().expect("a value"));
            }
            let found = is_forwarded_https(address(peer), &headers, &trusted);
            assert_eq!(found, expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn networks_contain_what_their_prefix_says() {
        let check = |network: &str, inside: &[&str], outside: &[&str]| {
            let network: Network = network.parse().expect("a network");
            for text in inside {
                assert!(network.contains(address(text)), "{text} in {network}");
            }
            for text in outside {
                assert!(!network.contains(address(text)), "{text} not in {network}");
            }
        };
        check(
            "10.0.0.0/8",
            &["10.0.0.0", "10.255.1.2", "::ffff:10.1.1.1"],
            &["11.0.0.0", "9.9.9.9", "::a00:1"],
        );
        check("0.0.0.0/0", &["1.2.3.4", "255.255.255.255"], &["::1"]);
        check("::/0", &["::1", "2001:db8::1"], &["1.2.3.4"]);
        check(
            "192.168.1.7",
            &["192.168.1.7"],
            &["192.168.1.6", "192.168.1.8"],
        );
        check(
            "2001:db8::/33",
            &["2001:db8::1", "2001:db8:7fff::"],
            &["2001:db8:8000::", "2001:db9::"],
        );
        check("::1", &["::1"], &["::2", "127.0.0.1"]);
    }

    #[test]
    fn what_is_no_network_is_refused_with_a_reason() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Network>().expect_err(text);
            assert_eq!(error.to_string(), expected);
        };
        check("localhost", "`localhost` is not an IPv4 or IPv6 address");
        check("10.0.0.0/33", "`/33` is not a prefix of 0 to 32 bits");
        check("10.0.0.0/+8", "`/+8` is not a prefix of 0 to 32 bits");
        check("::/", "`/` is not a prefix of 0 to 128 bits");
        check(
            "10.1.2.3/8",
            "`10.1.2.3/8` has bits beyond its prefix; the network would be `10.0.0.0/8`",
        );
    }

    #[test]
    fn the_client_is_the_right_most_address_that_nobody_trusts() {
        let trusted: Vec<Network> = ["10.0.0.0/8", "fd00::/8"]
            .map(|text| text.parse().expect("a network"))
            .to_vec();
        let check = |peer: &str, fields: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for field in fields {
                let value = axum::http::HeaderValue::from_bytes(field.as_bytes()).expect("a field");
                headers.append("x-forwarded-for", value);
            }
            let found = client_address(address(peer), &headers, &trusted);
            assert_eq!(found, address(expected), "{peer} {fields:?}");
        };
        check("203.0.113.1", &["198.51.100.7"], "203.0.113.1"); // A stranger may claim anything.
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7");
        check(
            "10.0.0.1",
            &["1.1.1.1, 198.51.100.7, 10.0.0.2"],
            "198.51.100.7",
        );
        check(
            "10.0.0.1",
            &["1.1.1.1", "198.51.100.7", "10.0.0.2"],
            "198.51.100.7",
        );
        check("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7");
        check("fd00::1", &["[2001:db8::5]:99"], "2001:db8::5");
        check("fd00::1", &["[2001:db8::5]"], "2001:db8::5");
        check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        check("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &["1.1.1.1, \u{e9}"], "10.0.0.1");
    }

    #[test]
    fn the_cap_counts_ipv4_by_address_and_ipv6_by_64_bits() {
        let same =
            |one: &str, other: &str| AddressKey::of(address(one)) == AddressKey::of(address(other));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("1.2.3.4", "::ffff:1.2.3.4"));
        assert!(!same("1.2.3.4", "1.2.3.5"));
    }
}
