//! Where NATS is, and what the relays that share it keep there.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use async_nats::ServerAddr;

/// The addresses of the NATS servers of one cluster: `nats://HOST:PORT,HOST:PORT`, or `tls://` for
/// TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    text: String,
    pub(super) addresses: Vec<ServerAddr>,
}

impl FromStr for Servers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("it needs a scheme, as in nats://127.0.0.1:4222")?;
        if !matches!(scheme, "nats" | "tls") {
            return Err("its scheme must be nats or tls".into());
        }
        if rest.contains('@') {
            return Err("it must not contain a password, which others could read in the process list: use --store-credentials".into());
        }
        let addresses = rest.split(',').map(|address| {
            let address = address.trim().trim_end_matches('/');
            let url = format!("{scheme}://{address}");
            let parsed = url.parse::<ServerAddr>().ok();
            let named = parsed.filter(|parsed| !parsed.host().is_empty());
            named.ok_or_else(|| format!("{address:?} is no HOST:PORT"))
        });
        Ok(Self {
            text: text.to_owned(),
            addresses: addresses.collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name that relays which share their messages have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Name {
    fn default() -> Self {
        Self("signal-relay".into())
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(is_known) {
            return Err("it must have 1 to 64 letters, digits, - or _".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How relays share a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where NATS is.
    pub servers: Servers,
    /// What the streams are called: relays with the same name share them.
    pub name: Name,
    /// A file with what NATS asks for: a `.creds` file, `user:password`, or a token.
    pub credentials: Option<PathBuf>,
    /// How many NATS servers keep each message.
    pub replicas: usize,
    /// Whether NATS keeps messages in memory only, and not in files.
    pub in_memory: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn several_servers_of_one_cluster() {
        let servers: Servers = "nats://a.example:4222, b.example,[::1]:4223/"
            .parse()
            .unwrap();
        let hosts: Vec<_> = servers.addresses.iter().map(ServerAddr::host).collect();
        assert_eq!(hosts, ["a.example", "b.example", "::1"]);
        let ports: Vec<_> = servers.addresses.iter().map(ServerAddr::port).collect();
        assert_eq!(ports, [4222, 4222, 4223]);
        let secure: Servers = "tls://a.example".parse().unwrap();
        assert!(secure.addresses.iter().all(ServerAddr::tls_required));
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_password_is_not_repeated() {
        for wrong in [
            "",
            "127.0.0.1:4222",
            "http://a",
            "nats://",
            "nats://a,,b",
            "nats://a:x",
        ] {
            assert!(wrong.parse::<Servers>().is_err(), "{wrong}");
        }
        let why = "nats://me:secret@a".parse::<Servers>().unwrap_err();
        assert!(
            why.contains("--store-credentials") && !why.contains("secret"),
            "{why}"
        );
        for wrong in ["", "a.b", "a b", "a>", "*", &"x".repeat(65)] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}
