//! Proxies in front of the relay: which of them are trusted to say whose request they pass on.
//!
//! Each proxy appends the address that it got the request from. The last address was written by the
//! nearest proxy, so it is read first. If it is itself a trusted proxy's, the one before it counts,
//! and so on: the client is the right-most address that isn't trusted. What is further left may be
//! the client's own invention.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The header that most proxies write.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses of one or several proxies: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy(IpNet);

/// Why a text isn't the address of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyError;

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an IP address or a network, for example 127.0.0.1, 10.0.0.0/8 or ::1")
    }
}

impl std::error::Error for ProxyError {}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse()).map_err(|_| ProxyError)?;
        Ok(Self(network))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// The trusted proxies of a relay.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Proxy>);

impl Proxies {
    /// Trusts these.
    #[must_use]
    pub fn new(trusted: Vec<Proxy>) -> Self {
        Self(trusted)
    }

    /// Whether an address is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|proxy| proxy.0.contains(&address))
    }

    /// The address of the client that sent a request with these headers, which came from `peer`.
    ///
    /// `X-Forwarded-For` counts, or `Forwarded` in a request without it. Where the chain ends, or a
    /// part of it isn't an address, the last proxy before it is taken for the client.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let hops = if headers.contains_key(X_FORWARDED_FOR) {
            list(headers, &X_FORWARDED_FOR).map(address).collect()
        } else {
            let hops = list(headers, &FORWARDED);
            hops.map(forwarded_for).collect::<Vec<_>>()
        };
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Some(hop) = hop else { break };
            client = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        client
    }
}

/// The members of a header that is a list, in all lines with that name.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.to_str().unwrap_or_default().split(','))
}

/// The address that a member of `Forwarded` names: `for=192.0.2.1;proto=http`.
fn forwarded_for(member: &str) -> Option<IpAddr> {
    let (_, node) = member
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    let quoted = node.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    address(quoted.unwrap_or(node))
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let address = address.or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = trusted.iter().map(|proxy| proxy.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let proxies = Proxies::new(trusted.collect());
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_whose_request_it_is() {
        let x = "x-forwarded-for";
        for (trusted, peer, lines, expected) in [
            // Nobody is trusted, or somebody else.
            (&[][..], "10.0.0.1", &[(x, "1.2.3.4")][..], "10.0.0.1"),
            (&["10.0.0.2"], "10.0.0.1", &[(x, "1.2.3.4")], "10.0.0.1"),
            // The right-most address that isn't trusted.
            (&["10.0.0.1"], "10.0.0.1", &[(x, "1.2.3.4")], "1.2.3.4"),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[(x, "9.9.9.9, 1.2.3.4")],
                "1.2.3.4",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &[(x, "9.9.9.9,1.2.3.4 , 10.7.0.1")],
                "1.2.3.4",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &[(x, "9.9.9.9"), (x, "1.2.3.4")],
                "1.2.3.4",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &[(x, "10.0.0.3, 10.0.0.2")],
                "10.0.0.3",
            ),
            (&["::1"], "::1", &[(x, "2001:db8::1")], "2001:db8::1"),
            (
                &["127.0.0.0/8"],
                "::ffff:127.0.0.1",
                &[(x, "1.2.3.4:5678")],
                "1.2.3.4",
            ),
            (&["::1"], "::1", &[(x, "[2001:db8::1]:443")], "2001:db8::1"),
            // What isn't an address ends the chain.
            (&["10.0.0.1"], "10.0.0.1", &[], "10.0.0.1"),
            (&["10.0.0.1"], "10.0.0.1", &[(x, "")], "10.0.0.1"),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[(x, "1.2.3.4, unknown")],
                "10.0.0.1",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &[(x, "1.2.3.4, ?, 10.0.0.2")],
                "10.0.0.2",
            ),
            // The header of RFC 7239.
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[("forwarded", "for=1.2.3.4")],
                "1.2.3.4",
            ),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[(
                    "forwarded",
                    "for=9.9.9.9, proto=https;For=\"[2001:db8::1]:4711\";by=_x",
                )],
                "2001:db8::1",
            ),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[("forwarded", "for=_hidden")],
                "10.0.0.1",
            ),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[("forwarded", "by=1.2.3.4")],
                "10.0.0.1",
            ),
            (
                &["10.0.0.1"],
                "10.0.0.1",
                &[("forwarded", "for=9.9.9.9"), (x, "1.2.3.4")],
                "1.2.3.4",
            ),
        ] {
            assert_eq!(client(trusted, peer, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        for (text, canonical) in [
            ("127.0.0.1", "127.0.0.1"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::1", "::1"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(text.parse::<Proxy>().unwrap().to_string(), canonical);
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80", "10.*"] {
            assert_eq!(text.parse::<Proxy>(), Err(ProxyError), "{text}");
        }
    }
}
