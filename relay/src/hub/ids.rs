//! Ids and secrets. Whatever must be unique or must not be guessed comes from the system's random
//! numbers.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use signal_wire::UserId;

/// The id of a message: higher than those of all earlier messages in its space, and never used
/// twice within an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Identifies a publisher among those of all relays that share a store. A publisher is a
/// connection, or all connections that follow each other in the same session. It doesn't receive
/// its own messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublisherId {
    pub(super) relay: u64,
    pub(super) number: u64,
}

impl PublisherId {
    /// The publisher that the client with this secret in a space is, on any relay.
    #[must_use]
    pub fn of_client(space: &str, secret: &str) -> Self {
        let hash = digest(&SHA256, format!("{space}\n{secret}").as_bytes());
        let mut halves = hash.as_ref().chunks_exact(8).map(|half| {
            let half = half.first_chunk().copied();
            half.map(u64::from_be_bytes).unwrap_or_default()
        });
        Self {
            relay: halves.next().unwrap_or_default(),
            number: halves.next().unwrap_or_default(),
        }
    }
}

impl fmt::Display for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}", self.relay, self.number)
    }
}

impl FromStr for PublisherId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (relay, number) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self {
            relay: u64::from_str_radix(relay, 16)?,
            number: u64::from_str_radix(number, 16)?,
        })
    }
}

/// Identifies a connection within this relay. Unlike its [`PublisherId`] it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub(super) u64);

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system has no random numbers")
    }
}

impl std::error::Error for NoRandomness {}

/// 64 random bits.
///
/// # Errors
/// The system has no random numbers.
pub fn random_bits() -> Result<u64, NoRandomness> {
    getrandom::u64().map_err(|_| NoRandomness)
}

/// A sender for a connection whose client names none in its messages.
///
/// # Errors
/// The system has no random numbers.
pub fn random_user_id() -> Result<UserId, NoRandomness> {
    random_bits().map(UserId::from_bits)
}

/// What stands for a text of any length and kind, such as a secret, where the text itself mustn't
/// stand: 160 bits of its SHA-256, as hexadecimal digits.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().iter().take(20);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// A secret of 128 random bits as 32 hexadecimal digits, so that URLs need no escapes for it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<str>);

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(bytes)).into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(digits: &str) -> Self {
        Self(digits.into())
    }
}

impl std::borrow::Borrow<str> for Secret {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    /// Leaves the digits out: more people read logs than may know secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (Secret::random(), Secret::random());
        assert!(one.is_ok() && one != other);
        for secret in [one, other].into_iter().flatten() {
            let digits = secret.as_str();
            assert_eq!(digits.len(), 32);
            assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            assert_eq!(format!("{secret:?}"), "Secret");
        }
    }

    #[test]
    fn random_senders_differ() {
        assert_ne!(random_user_id(), random_user_id());
    }

    #[test]
    fn a_client_is_one_publisher() {
        let of = PublisherId::of_client;
        assert_eq!(of("/", "a"), of("/", "a"));
        assert!(of("/", "a") != of("/", "b") && of("/", "a") != of("/b", "a"));
        assert_ne!(of("/", "a").relay, of("/", "a").number);
    }

    #[test]
    fn a_fingerprint_is_short_and_plain() {
        for text in ["/", "/a.b", "/ *>", &"/x".repeat(5000)] {
            let fingerprint = fingerprint(text);
            assert_eq!(fingerprint.len(), 40);
            assert!(fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        assert_ne!(fingerprint("/a"), fingerprint("/b"));
    }
}
