//! Who may connect: which pages may use the relay, and by which names it may be called.
//!
//! A browser lets any page connect to any WebSocket server and sends the page's *origin*, so the
//! server must decide. Allowed are
//!
//! * clients without an origin: programs, which could claim any;
//! * the same origin: pages from the host and port that the request is for;
//! * if the relay listens on a loopback address, pages from any loopback host, so that a
//!   development server on another port works;
//! * what `--origin` adds.
//!
//! A relay on a loopback address also checks the *host* of every request. Otherwise a page of
//! some site could have the site's name point to 127.0.0.1 after it was loaded (DNS rebinding) and
//! would then be of the same origin. Allowed are loopback names, and the hosts of `--origin`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};

/// An origin as `--origin` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `*`: every page of every site.
    Any,
    /// `null`: pages without an origin of their own, such as sandboxed frames.
    Null,
    /// Pages from one place.
    Site(Site),
}

/// Where pages come from: `https://example.org`, `http://localhost:5173`, `file://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    scheme: String,
    host: Option<Host>,
}

/// A host and its port, if that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    port: Option<u16>,
}

/// Why a text isn't an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OriginError {}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "*" => return Ok(Self::Any),
            "null" => return Ok(Self::Null),
            _ => {}
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let hint = if Host::parse(text).is_some() {
                format!("did you mean https://{text}?")
            } else {
                EXAMPLES.into()
            };
            return Err(OriginError(format!(
                "an origin is SCHEME://HOST[:PORT]; {hint}"
            )));
        };
        if let Some(secure) = scheme.to_ascii_lowercase().strip_prefix("ws") {
            return Err(OriginError(format!(
                "that is the relay's address; an origin is the page's: did you mean http{secure}://{rest}?"
            )));
        }
        let place = rest.strip_suffix('/').unwrap_or(rest);
        if let Some((place, _)) = place.split_once(['/', '?', '#']) {
            return Err(OriginError(format!(
                "an origin has no path: did you mean {scheme}://{place}?"
            )));
        }
        if rest.contains('*') {
            return Err(OriginError("an origin has no wildcards: name each origin with an --origin of its own, or allow all with --origin '*'".into()));
        }
        if !rest.is_ascii() {
            return Err(OriginError(
                "browsers write such a host in ASCII (xn--…): give it as they do".into(),
            ));
        }
        Site::parse(scheme, place)
            .map(Self::Site)
            .ok_or_else(|| OriginError(format!("an origin is SCHEME://HOST[:PORT]; {EXAMPLES}")))
    }
}

const EXAMPLES: &str = "for example https://example.org or http://localhost:5173";

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Null => f.write_str("null"),
            Self::Site(site) => site.fmt(f),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Some(Host {
                name,
                port: Some(port),
            }) => write!(f, "{name}:{port}"),
            Some(Host { name, port: None }) => f.write_str(name),
            None => Ok(()),
        }
    }
}

impl Site {
    fn parse(scheme: &str, place: &str) -> Option<Self> {
        let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !well_formed {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let host = if place.is_empty() && !matches!(scheme.as_str(), "http" | "https") {
            None
        } else {
            Some(Host::parse(place)?)
        };
        Some(Self {
            host: host.map(|host| host.without_default_port(&scheme)),
            scheme,
        })
    }

    /// Whether a request for `host` is a request to this site. A request doesn't name its scheme,
    /// and behind a proxy that differs from ours.
    fn is_at(&self, host: &Host) -> bool {
        self.host.as_ref() == Some(&host.clone().without_default_port(&self.scheme))
    }

    fn is_loopback(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
            && self.host.as_ref().is_some_and(Host::is_loopback)
    }
}

impl Host {
    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`.
    fn parse(text: &str) -> Option<Self> {
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

    fn without_default_port(self, scheme: &str) -> Self {
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

    fn is_loopback(&self) -> bool {
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
}

/// Why a request is refused, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one relay allows.
#[derive(Clone, Debug)]
pub struct Policy {
    loopback: bool,
    allowed: Vec<Origin>,
}

impl Policy {
    /// The policy of a relay that was given these origins. `loopback`: it listens on a loopback
    /// address.
    #[must_use]
    pub fn new(loopback: bool, allowed: Vec<Origin>) -> Self {
        Self { loopback, allowed }
    }

    fn allows_any(&self) -> bool {
        self.allowed.contains(&Origin::Any)
    }

    fn sites(&self) -> impl Iterator<Item = &Site> {
        self.allowed.iter().filter_map(|origin| match origin {
            Origin::Site(site) => Some(site),
            Origin::Any | Origin::Null => None,
        })
    }

    /// Checks that a request with these headers calls the relay by one of its names.
    ///
    /// # Errors
    /// It doesn't. The refusal names the option that would allow it.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if !self.loopback || self.allows_any() {
            return Ok(());
        }
        // Every browser sends the header, so a request without it comes from a program.
        let Some(text) = single(headers, HOST)? else {
            return Ok(());
        };
        let host = Host::parse(text)
            .ok_or_else(|| Refusal("The request's Host header isn't a host.".into()))?;
        if host.is_loopback() || self.sites().any(|site| site.is_at(&host)) {
            return Ok(());
        }
        Err(Refusal(format!(
            "This relay listens on a loopback address and isn't known as {text}. \
             If it should be, start it with --origin http://{text} (or https://, as the pages' address has it)."
        )))
    }

    /// Checks that the page that these headers name may use the relay.
    ///
    /// # Errors
    /// It may not. The refusal names the option that would allow it.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.allows_any() {
            return Ok(());
        }
        let Some(text) = single(headers, ORIGIN)? else {
            return Ok(());
        };
        let Ok(origin) = text.parse::<Origin>() else {
            return Err(Refusal(
                "The request's Origin header isn't an origin.".into(),
            ));
        };
        if let Origin::Site(site) = &origin {
            let same = single(headers, HOST)?
                .and_then(Host::parse)
                .is_some_and(|host| site.is_at(&host));
            if same || (self.loopback && site.is_loopback()) {
                return Ok(());
            }
        }
        if origin != Origin::Any && self.allowed.contains(&origin) {
            return Ok(());
        }
        Err(Refusal(format!(
            "Pages from {text} may not use this relay. To allow them, start it with --origin {text}"
        )))
    }
}

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(&name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| Refusal(format!("The request's {name} header isn't ASCII."))),
        (Some(_), Some(_)) => Err(Refusal(format!(
            "The request has more than one {name} header."
        ))),
    }
}
