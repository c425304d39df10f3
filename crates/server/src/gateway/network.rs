//! Who a client is by address: the client behind trusted proxies, and what the caps count by.
//!
//! It does no input or output and keeps nothing; the accept loop asks it per connection and request.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::network::Network;

/// IPv6 providers hand out networks of this many bits: one customer, one key.
const IPV6_CUSTOMER_BITS: u32 = 64;

/// The address of the client as limits and logs see it: the TCP peer, or what a trusted proxy
/// reported. It is in the extensions of every request that came through the accept loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// What the per-address cap counts by: an IPv4 address, or the /64 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressKey(u128);

impl AddressKey {
    /// What `address` is counted by.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
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
