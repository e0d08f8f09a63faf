//! Who may connect: which pages may use the relay, and by which names it may be called.
//!
//! A browser lets any page connect to any WebSocket server and sends the page's *origin*, so the
//! server must decide. Allowed are
//!
//! * clients without an origin: programs, which could claim any. Browsers leave it out of some
//!   requests, too, but most of them say which of those are for another site (`Sec-Fetch-Site`);
//! * the same origin: pages from the host and port that the request is for;
//! * if the relay listens on a loopback address, pages from any loopback host, so that a
//!   development server on another port works;
//! * what `--origin` adds.
//!
//! The relay also checks the *host* of every request. Otherwise a page of some site could have the
//! site's name point to the relay after it was loaded (DNS rebinding) and would then be of the same
//! origin. Allowed are loopback names, and what `--host` and `--origin` name. A relay that isn't on
//! a loopback address may also be called by its address; it can't know its own names, so it only
//! checks if one of the two options is given. A page that `--origin` names may use any host, because
//! it isn't of another site.

use std::fmt;
use std::str::FromStr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::host::{Host, HostPattern};

/// How the site of the page that made a request is related to that of the request. Browsers send it
/// with requests that have no origin, too.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// An origin as `--origin` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `*`: every page of every site.
    Any,
    /// `null`: pages without an origin of their own, such as sandboxed frames.
    Null,
    /// Pages from one place.
    Site(Site),
    /// Pages from all subdomains of a place.
    Subdomains(Site),
}

/// Where pages come from: `https://example.org`, `http://localhost:5173`, `file://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    scheme: String,
    host: Option<Host>,
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
        let (parent, place) = match place.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, place),
        };
        if place.contains('*') {
            return Err(OriginError(
                "a wildcard stands for the beginning of a host, for example https://*.example.org"
                    .into(),
            ));
        }
        if !rest.is_ascii() {
            return Err(OriginError(
                "browsers write such a host in ASCII (xn--…): give it as they do".into(),
            ));
        }
        let site = Site::parse(scheme, place)
            .ok_or_else(|| OriginError(format!("an origin is SCHEME://HOST[:PORT]; {EXAMPLES}")))?;
        if !parent {
            return Ok(Self::Site(site));
        }
        if !site.host.as_ref().is_some_and(Host::has_owner) {
            return Err(OriginError(format!(
                "{scheme}://*.{place} would be too many sites: name at least the last two parts, for example {scheme}://*.example.org"
            )));
        }
        Ok(Self::Subdomains(site))
    }
}

const EXAMPLES: &str = "for example https://example.org or http://localhost:5173";

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Null => f.write_str("null"),
            Self::Site(site) => site.fmt(f),
            Self::Subdomains(Site { scheme, host }) => {
                write!(f, "{scheme}://*.")?;
                host.as_ref().map_or(Ok(()), |host| host.fmt(f))
            }
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        self.host.as_ref().map_or(Ok(()), |host| host.fmt(f))
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

    /// Whether it is one of the subdomains of `parent`.
    fn is_below(&self, parent: &Site) -> bool {
        let hosts = self.host.as_ref().zip(parent.host.as_ref());
        self.scheme == parent.scheme && hosts.is_some_and(|(host, parent)| host.is_below(parent))
    }

    fn is_loopback(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
            && self.host.as_ref().is_some_and(Host::is_loopback)
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
    hosts: Vec<HostPattern>,
}

impl Policy {
    /// The policy of a relay that was given these origins and hosts. `loopback`: it listens on a
    /// loopback address.
    #[must_use]
    pub fn new(loopback: bool, allowed: Vec<Origin>, hosts: Vec<HostPattern>) -> Self {
        Self {
            loopback,
            allowed,
            hosts,
        }
    }

    fn allows_any(&self) -> bool {
        self.allowed.contains(&Origin::Any)
    }

    /// Whether `--origin` names the origin of a request.
    fn names(&self, origin: &Origin) -> bool {
        self.allowed.iter().any(|allowed| match (allowed, origin) {
            (Origin::Null, Origin::Null) => true,
            (Origin::Site(allowed), Origin::Site(site)) => site == allowed,
            (Origin::Subdomains(parent), Origin::Site(site)) => site.is_below(parent),
            _ => false,
        })
    }

    /// Whether the relay knows this name as its own.
    fn is_known(&self, host: &Host) -> bool {
        let is_origins = |origin: &Origin| match origin {
            Origin::Site(site) => site.is_at(host),
            Origin::Subdomains(Site {
                scheme,
                host: Some(parent),
            }) => host.clone().without_default_port(scheme).is_below(parent),
            _ => false,
        };
        host.is_loopback()
            || (!self.loopback && host.is_address())
            || self.hosts.iter().any(|known| known.matches(host))
            || self.allowed.iter().any(is_origins)
    }

    /// Checks that a request with these headers calls the relay by one of its names.
    ///
    /// # Errors
    /// It doesn't. The refusal names the option that would allow it.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let any_host = if self.allows_any() {
            self.hosts.is_empty()
        } else {
            !self.loopback && self.allowed.is_empty() && self.hosts.is_empty()
        };
        if any_host {
            return Ok(());
        }
        // Every browser sends the header, so a request without it comes from a program.
        let Some(text) = single(headers, HOST)? else {
            return Ok(());
        };
        let host = Host::parse(text)
            .ok_or_else(|| Refusal("The request's Host header isn't a host.".into()))?;
        let origin = single(headers, ORIGIN)?.and_then(|origin| origin.parse().ok());
        if self.is_known(&host) || origin.is_some_and(|origin| self.names(&origin)) {
            return Ok(());
        }
        Err(Refusal(format!(
            "This relay isn't known as {text}. If it should be, start it with --host {host}"
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
            let is_foreign = |site: &HeaderValue| site.as_bytes() == b"cross-site";
            if headers.get_all(SEC_FETCH_SITE).iter().any(is_foreign) {
                return Err(Refusal(
                    "A page of another site may not use this relay without naming its origin."
                        .into(),
                ));
            }
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
        if self.names(&origin) {
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
