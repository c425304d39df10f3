//! CIDR networks (RFC 4632): who is meant when a configuration names addresses.
//!
//! It does no input or output, and knows no proxies: what an address may do is decided elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
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
        check("127.0.0.1", &["::ffff:127.0.0.1"], &["127.0.0.2"]);
        check("fd00::/8", &["fd12::1"], &["fe80::1"]);
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
}
