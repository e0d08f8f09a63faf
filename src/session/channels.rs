//! The open channels, by name. Names come only from the page: a name that comes from the network is
//! looked up, never added.

use std::rc::Rc;

use super::state::ChannelId;

/// Open channels, sorted by name: a page has a handful of them, seldom hundreds.
#[derive(Debug)]
pub struct Channels<S> {
    sorted: Vec<Channel<S>>,
    last_id: ChannelId,
    longest_name: usize,
    /// The relay's id of the last message on any channel. Older messages are not replayed to
    /// channels opened later.
    last_seen_id: Option<String>,
}

/// One open channel.
#[derive(Debug)]
pub struct Channel<S> {
    /// Its name.
    pub name: Rc<str>,
    /// Tells this opening from a later one.
    pub id: ChannelId,
    /// Receives its messages.
    pub subscriber: S,
    /// The page knows that this opening is ready.
    pub is_ready: bool,
    /// The relay's id of the last message on it.
    pub last_seen_id: Option<String>,
    /// The relay knows that it is open.
    pub subscribed: bool,
}

impl<S> Channels<S> {
    /// No open channel.
    pub fn new() -> Channels<S> {
        Channels {
            sorted: Vec::new(),
            last_id: 0,
            longest_name: 0,
            last_seen_id: None,
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.sorted
            .binary_search_by(|channel| (*channel.name).cmp(name))
    }

    /// Opens `name`; an earlier opening of it gets no more messages.
    pub fn open(&mut self, name: &str, subscriber: S) -> ChannelId {
        self.last_id = self.last_id.wrapping_add(1);
        // UTF-8 is never shorter than UTF-16.
        self.longest_name = self.longest_name.max(name.len());
        match self.position(name) {
            Ok(place) => {
                if let Some(earlier) = self.sorted.get_mut(place) {
                    earlier.id = self.last_id;
                    earlier.subscriber = subscriber;
                    earlier.is_ready = false;
                }
            }
            Err(place) => self.sorted.insert(
                place,
                Channel {
                    name: name.into(),
                    id: self.last_id,
                    subscriber,
                    is_ready: false,
                    last_seen_id: self.last_seen_id.clone(),
                    subscribed: false,
                },
            ),
        }
        self.last_id
    }

    /// Closes that opening of `name`. Returns false if it was superseded or closed before.
    pub fn close(&mut self, name: &str, id: ChannelId) -> bool {
        if let Ok(place) = self.position(name)
            && self
                .sorted
                .get(place)
                .is_some_and(|channel| channel.id == id)
        {
            self.sorted.remove(place);
            return true;
        }
        false
    }

    /// The page learns that this opening is ready.
    pub fn set_ready(&mut self, id: ChannelId) {
        if let Some(channel) = self.sorted.iter_mut().find(|channel| channel.id == id) {
            channel.is_ready = true;
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Channel<S>> {
        self.sorted.iter()
    }

    /// All of them, mutable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel<S>> {
        self.sorted.iter_mut()
    }

    /// The channel of that name.
    pub fn get(&self, name: &str) -> Option<&Channel<S>> {
        self.position(name)
            .ok()
            .and_then(|place| self.sorted.get(place))
    }

    /// The one of that name, mutable.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Channel<S>> {
        let place = self.position(name).ok()?;
        self.sorted.get_mut(place)
    }

    /// The open channel of a received message, whose id is kept for resuming.
    #[inline]
    pub fn receive(&mut self, name: &str, id: Option<&str>) -> Option<&Channel<S>> {
        let place = self.position(name).ok()?;
        let channel = self.sorted.get_mut(place)?;
        if let Some(id) = id {
            note(&mut channel.last_seen_id, id);
            note(&mut self.last_seen_id, id);
        }
        Some(channel)
    }

    /// Forgets all message ids: the server has lost its memory, so they mean nothing.
    pub fn forget_ids(&mut self) {
        self.last_seen_id = None;
        for channel in &mut self.sorted {
            channel.last_seen_id = None;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The length of the longest name that was ever open, in UTF-8 bytes, which are at least as
    /// many as UTF-16 code units.
    #[inline]
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.sorted = Vec::new();
    }
}

/// Replaces a text without a new allocation.
fn note(place: &mut Option<String>, text: &str) {
    match place {
        Some(known) => {
            known.clear();
            known.push_str(text);
        }
        None => *place = Some(text.into()),
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
                    let id = channels.open(&name, at);
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
