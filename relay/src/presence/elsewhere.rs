//! Pages on the other relays that share a store, as those say.
//!
//! A relay says at once when a page comes or goes, and every [`SAY`] which pages there are. So what
//! is lost on the way is mended soon. A page is there as long as any relay says so: one that goes from
//! one relay to another is with both for a moment. What a relay has said holds until it says
//! something else, or has been silent for [`SILENT`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::MOST_PAGES;

/// How often a relay says which pages there are.
pub(crate) const SAY: Duration = Duration::from_secs(5);
/// How long what a relay has said holds. Its pages come back to other relays sooner.
pub(super) const SILENT: Duration = Duration::from_secs(20);

/// What a relay says to the others with pages in a space.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    /// It wants to know which pages are on this channel.
    Asks(String),
    /// A page has come.
    Came(String, Named),
    /// A page isn't with it any more.
    Gone(String, Named),
    /// A page is gone for good.
    Left(String, Named),
    /// These pages are on this channel, and no others.
    Here(String, Vec<Named>),
}

impl Said {
    /// The channel that it is about.
    pub(super) fn channel(&self) -> &str {
        match self {
            Self::Asks(channel)
            | Self::Came(channel, _)
            | Self::Gone(channel, _)
            | Self::Left(channel, _)
            | Self::Here(channel, _) => channel,
        }
    }
}

/// A page: its id, the fingerprint of its secret, and since when it is there, in milliseconds since
/// 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named(pub(super) String, pub(super) String, pub(super) u64);

/// The pages of one channel on other relays, by their ids.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(HashMap<Arc<str>, Vec<Claim>>);

/// A relay has said that a page is with it.
#[derive(Debug)]
struct Claim {
    relay: u64,
    key: String,
    until: Instant,
}

impl Elsewhere {
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Whether a page with another secret has this id.
    pub(super) fn has_another(&self, id: &str, key: &str) -> bool {
        let claims = self.0.get(id).into_iter().flatten();
        claims.into_iter().any(|claim| claim.key != key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// A relay has this page.
    pub(super) fn add(&mut self, relay: u64, page: &Named, now: Instant) {
        let Named(id, key, _) = page;
        if self.0.len() >= MOST_PAGES && !self.has(id) {
            return;
        }
        let claims = self.0.entry(id.as_str().into()).or_default();
        claims.retain(|claim| claim.relay != relay);
        claims.push(Claim {
            relay,
            key: key.clone(),
            until: now + SILENT,
        });
    }

    /// A relay doesn't have this page.
    pub(super) fn remove(&mut self, relay: u64, id: &str) {
        if let Some(claims) = self.0.get_mut(id) {
            claims.retain(|claim| claim.relay != relay);
            if claims.is_empty() {
                self.0.remove(id);
            }
        }
    }

    /// A page is gone for good, whatever any relay has said of it.
    pub(super) fn forget(&mut self, Named(id, key, _): &Named) {
        if let Some(claims) = self.0.get_mut(id.as_str()) {
            claims.retain(|claim| claim.key != *key);
            if claims.is_empty() {
                self.0.remove(id.as_str());
            }
        }
    }

    /// The pages that a relay has said it has.
    pub(super) fn of(&self, relay: u64) -> Vec<Arc<str>> {
        let has = |claims: &[Claim]| claims.iter().any(|claim| claim.relay == relay);
        let pages = self.0.iter().filter(|(_, claims)| has(claims));
        pages.map(|(id, _)| Arc::clone(id)).collect()
    }

    /// Drops what no longer holds. Returns the pages that are gone.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Arc<str>> {
        let mut gone = Vec::new();
        self.0.retain(|id, claims| {
            claims.retain(|claim| claim.until > now);
            if claims.is_empty() {
                gone.push(Arc::clone(id));
            }
            !claims.is_empty()
        });
        gone
    }

    /// What was said holds for longer: the other relays weren't heard.
    pub(super) fn renew(&mut self, now: Instant) {
        for claim in self.0.values_mut().flatten() {
            claim.until = now + SILENT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str) -> Named {
        Named(id.into(), format!("key of {id}"), 5)
    }

    #[test]
    fn a_page_is_there_as_long_as_any_relay_says_so() {
        let (mut pages, now) = (Elsewhere::default(), Instant::now());
        pages.add(1, &named("a"), now);
        pages.add(2, &named("a"), now);
        pages.add(2, &named("a"), now);
        pages.remove(1, "a");
        assert!(pages.has("a") && pages.of(1).is_empty());
        pages.remove(2, "a");
        assert!(!pages.has("a"));
    }

    #[test]
    fn what_was_said_holds_for_a_time() {
        let (mut pages, now) = (Elsewhere::default(), Instant::now());
        pages.add(1, &named("a"), now);
        pages.add(1, &named("b"), now + SAY);
        assert!(pages.expire(now + SILENT / 2).is_empty());
        assert_eq!(pages.expire(now + SILENT), ["a".into()]);
        pages.renew(now + SILENT);
        assert!(pages.expire(now + SILENT + SAY).is_empty());
        assert!(pages.has("b"));
    }

    #[test]
    fn an_id_belongs_to_one_secret() {
        let (mut pages, now) = (Elsewhere::default(), Instant::now());
        assert!(!pages.has_another("a", "key of a"));
        pages.add(1, &named("a"), now);
        assert!(!pages.has_another("a", "key of a"));
        assert!(pages.has_another("a", "another key"));
    }

    #[test]
    fn no_more_pages_than_a_channel_has() {
        let (mut pages, now) = (Elsewhere::default(), Instant::now());
        for number in 0..2 * MOST_PAGES {
            pages.add(1, &named(&number.to_string()), now);
        }
        assert_eq!(pages.len(), MOST_PAGES);
    }

    #[test]
    fn what_is_said_is_read() {
        for said in [
            Said::Asks("c".into()),
            Said::Came("c".into(), named("a")),
            Said::Gone("ä\n".into(), named("a")),
            Said::Left("c".into(), named("a")),
            Said::Here("c".into(), vec![named("a"), named("b")]),
        ] {
            let text = serde_json::to_string(&said).unwrap_or_default();
            assert_eq!(
                serde_json::from_str::<Said>(&text).ok(),
                Some(said),
                "{text}"
            );
        }
    }
}
