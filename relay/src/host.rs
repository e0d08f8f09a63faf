//! Hosts: what a request's `Host` header names, and the patterns of `--host` and `--origin`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host and its port, if that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
}

impl Host {
    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                let well_formed = !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
                if !well_formed {
                    return None;
                }
                (name.to_ascii_lowercase(), port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(port.parse().ok()?),
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Self { name, port })
    }

    pub(crate) fn without_default_port(self, scheme: &str) -> Self {
        let default = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Self {
            port: self.port.filter(|port| Some(*port) != default),
            ..self
        }
    }

    /// Whether it is this machine, wherever the name is looked up.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.name.strip_suffix('.').unwrap_or(&self.name);
        let address = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        name == "localhost"
            || name.ends_with(".localhost")
            || name
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
            || address
                .and_then(|address| address.parse::<Ipv6Addr>().ok())
                .is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether it is an address. No site can have its name point to the relay and be called so.
    pub(crate) fn is_address(&self) -> bool {
        self.name.starts_with('[') || self.name.parse::<Ipv4Addr>().is_ok()
    }

    /// Whether it is a subdomain of `parent`, at the same port.
    pub(crate) fn is_below(&self, parent: &Host) -> bool {
        let sub = self.name.strip_suffix(&*parent.name);
        self.port == parent.port && sub.is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
    }

    /// Whether all of its subdomains may be meant: those of `org` are anybody's.
    pub(crate) fn has_owner(&self) -> bool {
        !self.is_address() && (self.name.contains('.') || self.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A name by which the relay may be called, as `--host` gives it: `relay.example.org`, which means
/// any port, `relay.example.org:8443`, or `*.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    subdomains: bool,
    host: Host,
}

/// Why a text isn't a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError(&'static str);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for HostError {}

impl HostPattern {
    pub(crate) fn matches(&self, host: &Host) -> bool {
        let port = self.host.port.and(host.port);
        let host = Host {
            name: host.name.clone(),
            port,
        };
        if self.subdomains {
            host.is_below(&self.host)
        } else {
            host == self.host
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let name = text.strip_prefix("*.");
        let host = Host::parse(name.unwrap_or(text)).ok_or(HostError(
            "a host is NAME[:PORT], for example relay.example.org, *.example.org or 192.168.1.5:8888",
        ))?;
        if name.is_some() && !host.has_owner() {
            return Err(HostError(
                "too many hosts: name at least the last two parts, for example *.example.org",
            ));
        }
        Ok(Self {
            subdomains: name.is_some(),
            host,
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subdomains = if self.subdomains { "*." } else { "" };
        write!(f, "{subdomains}{}", self.host)
    }
}
