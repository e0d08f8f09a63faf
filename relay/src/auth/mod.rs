//! Who may do what: tokens, which users show to the relay.
//!
//! | module | |
//! | --- | --- |
//! | [`pattern`] | names with wildcards, of spaces and channels |
//! | [`claims`] | what a token says |
//! | [`keys`] | the keys that tokens are checked with |
//! | [`issue`] | making a token, for trying out |
//! | [`hook`] | an operator's own HTTP endpoint that decides instead |
//! | `bearer` | where a request carries its token |
//! | [`admission`] | what a request may do, before its protocol knows the space |
//! | [`access`] | what a connection may do in its space |
//! | `senders` | which user a `sender` belongs to |
//! | [`refusal`] | why a token is refused |
//!
//! `http` examines each request once, in front of every protocol, and gives it an
//! [`Admission`](admission::Admission). A protocol gets an [`Access`](access::Access) from it, with
//! which it joins a space and publishes.

pub mod access;
pub mod admission;
mod bearer;
pub mod claims;
pub mod hook;
pub mod issue;
pub mod keys;
pub mod pattern;
pub mod refusal;
mod senders;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use signal_wire::Envelope;
use tokio::time::Instant;

use self::claims::Grant;
use self::hook::{Hook, HookUrl};
use self::keys::{KeyError, Keys};
use self::refusal::Refusal;
use self::senders::Senders;
use crate::hub::frame::PendingMessage;
use crate::hub::store::SenderCheck;

/// How the relay decides who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// Tokens are JWTs that a key in this file has signed.
    Jwt(PathBuf),
    /// An HTTP endpoint on this machine decides about tokens of whatever kind.
    Hook(HookUrl),
}

/// Decides who may do what.
#[derive(Debug)]
pub struct Auth {
    check: Check,
    /// By those who used them here.
    senders: Senders,
    /// By the messages of all relays that share a store, which come to all in one order. Where these
    /// say whose a sender is, it is that user's.
    shared: Senders,
}

#[derive(Debug)]
enum Check {
    Keys(PathBuf, RwLock<Arc<Keys>>),
    Hook(Hook),
}

/// A token, which no log shows.
pub(crate) struct Token<'a>(&'a str);

impl<'a> Token<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Auth {
    /// Reads what is needed. `kept`: for how long relays that share a store know what was published.
    ///
    /// # Errors
    /// The file of keys can't be used.
    pub fn new(settings: &Settings, kept: Duration) -> Result<Self, (PathBuf, KeyError)> {
        let check = match settings {
            Settings::Jwt(file) => {
                let keys = Keys::load(file).map_err(|error| (file.clone(), error))?;
                Check::Keys(file.clone(), RwLock::new(Arc::new(keys)))
            }
            Settings::Hook(url) => Check::Hook(Hook::new(url.clone())),
        };
        Ok(Self {
            check,
            senders: Senders::new(senders::AGE),
            shared: Senders::new(senders::AGE.min(kept)),
        })
    }

    /// Whether a user may use the sender with this JSON text in a space. If so, it is theirs.
    fn claim(&self, space: &str, sender: &str, user: &str) -> bool {
        let now = Instant::now();
        let shared = self.shared.is_of(space, sender, user, now);
        if shared == Some(false) {
            return false;
        }
        let claimed = self.senders.claim(space, sender, user, now);
        shared.unwrap_or(claimed)
    }

    /// The same, but nothing changes.
    fn allows(&self, space: &str, sender: &str, user: &str) -> bool {
        let now = Instant::now();
        let shared = self.shared.is_of(space, sender, user, now);
        shared.unwrap_or_else(|| self.senders.allows(space, sender, user, now))
    }

    /// Reads the file of keys again, if there is one. They aren't used yet.
    pub(crate) fn read_keys(&self) -> Result<Option<Keys>, (PathBuf, KeyError)> {
        match &self.check {
            Check::Keys(file, _) => match Keys::load(file) {
                Ok(keys) => Ok(Some(keys)),
                Err(error) => Err((file.clone(), error)),
            },
            Check::Hook(_) => Ok(None),
        }
    }

    /// Uses these keys from now on, or forgets what the hook decided. Connections keep what they
    /// were granted until their tokens expire.
    pub(crate) fn renew(&self, read: Option<Keys>) {
        match (&self.check, read) {
            (Check::Keys(_, keys), Some(read)) => {
                *keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                tracing::info!("the keys for tokens were read again");
            }
            (Check::Keys(..), None) => {}
            (Check::Hook(hook), _) => hook.forget(),
        }
    }

    /// What a token grants.
    async fn grant(&self, token: &Token<'_>) -> Result<Arc<Grant>, Refusal> {
        match &self.check {
            Check::Keys(_, keys) => {
                let keys = Arc::clone(&keys.read().unwrap_or_else(PoisonError::into_inner));
                keys.check(token.0, SystemTime::now()).map(Arc::new)
            }
            // A request over HTTP. Every connection's task would reserve room for it.
            Check::Hook(hook) => Box::pin(hook.grant(token.0)).await,
        }
    }
}

/// Of users who use one sender on several relays at once, it belongs to the one whose message comes
/// first.
impl SenderCheck for Auth {
    fn allows(&self, space: &str, message: &PendingMessage) -> bool {
        whose(message).is_none_or(|(sender, user)| {
            let is_theirs = self.shared.is_of(space, sender, &user, Instant::now());
            is_theirs.unwrap_or(true)
        })
    }

    fn admits(&self, space: &str, message: &PendingMessage, since: Instant) -> bool {
        whose(message).is_none_or(|(sender, user)| self.shared.claim(space, sender, &user, since))
    }
}

/// The sender and the user of a message.
fn whose(message: &PendingMessage) -> Option<(&str, Cow<'_, str>)> {
    let envelope = Envelope::read_canonical(message.as_str())?;
    Some((envelope.sender()?, envelope.user()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_all_relays_know_is_renewed_on_its_own_too() {
        let hook = Settings::Hook("http://127.0.0.1/".parse().unwrap());
        let auth = Auth::new(&hook, Duration::from_secs(60)).unwrap();
        let message = r#"{"sender":5,"channel":"a","message":1,"user":"alice"}"#;
        let message = PendingMessage::accepted(message).unwrap();
        let mut used = Duration::ZERO;
        while used < senders::AGE {
            assert!(auth.claim("/", "5", "alice"));
            assert!(auth.admits("/", &message, Instant::now()));
            assert!(!auth.claim("/", "5", "mallory"));
            sleep(Duration::from_secs(30)).await;
            used += Duration::from_secs(30);
        }
        sleep(senders::AGE / 2).await;
        assert!(!auth.claim("/", "5", "mallory"));
        sleep(senders::AGE / 2).await;
        assert!(auth.claim("/", "5", "mallory"));
    }
}
