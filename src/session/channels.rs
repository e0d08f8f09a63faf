//! The channels that are open, by name. Names come from the page; what the network names only ever looks up.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// Tells one opening of a channel from a later one of the same name.
pub type ChannelId = u32;

/// Sorted by name: a page has a handful of channels, seldom hundreds, and a binary search is a tenth of a hash table's code.
#[derive(Debug)]
pub(super) struct Channels<S> {
    sorted: Vec<Channel<S>>,
    last_id: ChannelId,
    longest_name: usize,
}

#[derive(Debug)]
pub(super) struct Channel<S> {
    pub name: Rc<str>,
    id: ChannelId,
    pub subscriber: S,
    /// The id of the last message that came on it, as our relay gives them.
    pub last: String,
    /// Our relay knows that it's open.
    pub is_joined: bool,
}

impl<S> Channels<S> {
    pub fn new() -> Channels<S> {
        Channels {
            sorted: Vec::new(),
            last_id: 0,
            longest_name: 0,
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.sorted
            .binary_search_by(|channel| (*channel.name).cmp(name))
    }

    /// Opens `name`; whoever had it open hears nothing from now on. If nobody had, `last` is the id of the last message before it.
    pub fn open(&mut self, name: &str, subscriber: S, last: &str) -> ChannelId {
        self.last_id = self.last_id.wrapping_add(1);
        // UTF-8 is never shorter than UTF-16.
        self.longest_name = self.longest_name.max(name.len());
        match self.position(name) {
            Ok(at) => {
                if let Some(earlier) = self.sorted.get_mut(at) {
                    earlier.id = self.last_id;
                    earlier.subscriber = subscriber;
                }
            }
            Err(at) => self.sorted.insert(
                at,
                Channel {
                    name: name.into(),
                    id: self.last_id,
                    subscriber,
                    last: last.into(),
                    is_joined: false,
                },
            ),
        }
        self.last_id
    }

    /// Closes that opening of `name`, and tells whether it did: one that was superseded or closed before stays as it is.
    pub fn close(&mut self, name: &str, id: ChannelId) -> bool {
        if let Ok(at) = self.position(name)
            && self.sorted.get(at).is_some_and(|channel| channel.id == id)
        {
            self.sorted.remove(at);
            return true;
        }
        false
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel<S>> {
        self.sorted.iter_mut()
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Channel<S>> {
        let at = self.position(name).ok()?;
        self.sorted.get_mut(at)
    }

    pub fn get(&self, name: &str) -> Option<&Channel<S>> {
        self.position(name).ok().and_then(|at| self.sorted.get(at))
    }

    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// At least the UTF-16 units of the longest name that was ever open.
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    pub fn clear(&mut self) {
        self.sorted = Vec::new();
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Names are opened, or an opening (be it long superseded) is closed.
        #[test]
        fn a_map_of_names(steps in prop::collection::vec(("[a-dé]{0,2}", any::<prop::sample::Index>(), any::<bool>()), 0..60)) {
            let mut channels = Channels::new();
            let mut model = BTreeMap::new();
            let mut openings = Vec::new();
            let mut longest = 0;
            for (at, (name, index, open)) in steps.into_iter().enumerate() {
                if open || openings.is_empty() {
                    let id = channels.open(&name, at, "");
                    prop_assert!(openings.iter().all(|(_, earlier)| *earlier != id));
                    longest = longest.max(name.len());
                    model.insert(name.clone(), (id, at));
                    openings.push((name, id));
                } else {
                    let (name, id) = index.get(&openings);
                    let closed = channels.close(name, *id);
                    prop_assert_eq!(closed, model.get(name).is_some_and(|(open, _)| open == id));
                    if closed {
                        model.remove(name);
                    }
                }
                prop_assert_eq!(channels.len(), model.len());
                prop_assert_eq!(channels.longest_name(), longest);
                for (name, _) in &openings {
                    let found = channels.get(name).map(|channel| (&*channel.name, channel.subscriber));
                    let expected = model.get(name).map(|(_, at)| (name.as_str(), *at));
                    prop_assert_eq!(found, expected);
                }
            }
            channels.clear();
            prop_assert_eq!(channels.len(), 0);
            prop_assert!(openings.iter().all(|(name, _)| channels.get(name).is_none()));
        }
    }
}
