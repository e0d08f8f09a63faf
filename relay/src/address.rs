//! The address of a client, as limits count it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::Extensions;

/// Whose share something is paid from: an IPv4 address, or the first 64 bits of an IPv6 address.
/// One subscriber is usually given a network of at least that size, and can take any address in it.
///
/// Each request carries the address of its client as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address that a client with this IP address is counted under. An IPv4 address that is
    /// written as an IPv6 address (`::ffff:192.0.2.1`) counts as the IPv4 address.
    #[must_use]
    pub fn new(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => {
                let network = ip.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        })
    }

    /// The IPv4 address, or the first one of the IPv6 network.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// The address that a request carries.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let address = extensions.get().copied();
        address.unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// Whether the client is on this machine. Of `::1`, only its network is known.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback() || self == Self::new(Ipv6Addr::LOCALHOST.into())
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_ipv6_network_is_one_client() {
        let address = |text: &str| ClientAddress::new(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_eq!(address("192.0.2.1").to_string(), "192.0.2.1");
    }
}
