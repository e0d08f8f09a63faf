//! How a reader names how far it has seen a space: the id of an event.
//!
//! An id is `<epoch>-<id>-<proof>`. The proof is made with a key that only this relay has, or those that
//! share its store, so a reader can name no id that it wasn't given, and nobody receives what was
//! published before.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use crate::hub::history::Since;
use crate::hub::ids::{MessageId, NoRandomness, Secret};

/// What makes and reads the ids of events.
pub(super) struct Positions {
    key: Key,
    /// What the ids of messages belong to.
    epoch: Arc<str>,
}

impl Positions {
    /// Ids of an epoch. `secret` is what the relays have that share a store.
    pub(super) fn new(epoch: Arc<str>, secret: Option<&str>) -> Result<Self, NoRandomness> {
        let own = Secret::random()?;
        let secret = secret.unwrap_or(own.as_str());
        Ok(Self {
            key: Key::new(HMAC_SHA256, secret.as_bytes()),
            epoch,
        })
    }

    /// The id of the event with this message.
    pub(super) fn name(&self, space: &str, id: MessageId) -> String {
        format!("{}-{id}-{:016x}", self.epoch, self.proof(space, id))
    }

    /// How far a reader has seen the space that names this id.
    pub(super) fn read(&self, space: &str, name: &str) -> Since {
        let id = name.split('-').nth(1).and_then(|id| id.parse().ok());
        // Whatever isn't the very text that was given isn't an id.
        id.filter(|id| self.name(space, *id) == name)
            .map_or(Since::Unknown, Since::After)
    }

    /// The first 64 bits of a MAC. That isn't many, but each guess is a request.
    fn proof(&self, space: &str, id: MessageId) -> u64 {
        let tag = sign(&self.key, format!("{id} {space}").as_bytes());
        let first = tag.as_ref().first_chunk().copied();
        first.map(u64::from_be_bytes).unwrap_or_default()
    }
}

impl fmt::Debug for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Positions")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn relays_with_one_secret_know_each_others_ids() {
        let positions = || Positions::new("0123".into(), Some("secret")).unwrap();
        let name = positions().name("/a", MessageId(7));
        assert_eq!(positions().read("/a", &name), Since::After(MessageId(7)));
        let others = Positions::new("0123".into(), Some("another")).unwrap();
        assert_eq!(others.read("/a", &name), Since::Unknown);
    }

    #[test]
    fn only_an_id_that_was_given_counts() {
        let positions = Positions::new("0123".into(), None).unwrap();
        let (first, second) = (MessageId(1), MessageId(2));
        let name = positions.name("/a", first);
        assert_eq!(positions.read("/a", &name), Since::After(first));
        let proof = name.rsplit('-').next().unwrap();
        for made_up in [
            positions.name("/b", first),
            Positions::new("0123".into(), None)
                .unwrap()
                .name("/a", first),
            format!("0123-{second}-{proof}"),
            format!("0123-0-{proof}"),
            format!("0123-01-{proof}"),
            format!("4567-1-{proof}"),
            "0123-1".to_owned(),
            "0123-1-".to_owned(),
            "--".to_owned(),
            String::new(),
            format!("{name}-"),
            name.to_uppercase() + "A",
        ] {
            assert_eq!(positions.read("/a", &made_up), Since::Unknown, "{made_up}");
        }
    }
}
