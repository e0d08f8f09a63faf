//! The channels that are open, by name. Names come from the page; what the network names is only looked up.

use std::rc::Rc;

use super::state::ChannelId;

/// Open channels, sorted by name: a page has a handful of them, seldom hundreds.
#[derive(Debug)]
pub struct Channels<S> {
    sorted: Vec<Channel<S>>,
    last_id: ChannelId,
    longest_name: usize,
    /// The id of the last message on any channel, as our relay gives them: what came before it isn't wanted on a channel that is opened now.
    last_seen_id: Option<String>,
}

/// One open channel.
#[derive(Debug)]
pub struct Channel<S> {
    /// Its name.
    pub name: Rc<str>,
    /// Tells this opening from a later one.
    pub id: ChannelId,
    /// Whom its messages are for.
    pub subscriber: S,
    /// The id of the last message that came on it, as our relay gives them.
    pub last_seen_id: Option<String>,
    /// Our relay was told that it is open.
    pub subscribed: bool,
}

impl<S> Channels<S> {
    /// None.
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
                }
            }
            Err(place) => self.sorted.insert(
                place,
                Channel {
                    name: name.into(),
                    id: self.last_id,
                    subscriber,
                    last_seen_id: self.last_seen_id.clone(),
                    subscribed: false,
                },
            ),
        }
        self.last_id
    }

    /// Closes that opening of `name`, and tells whether it did: one that was superseded or closed before stays as it is.
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

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Channel<S>> {
        self.sorted.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel<S>> {
        self.sorted.iter_mut()
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Channel<S>> {
        self.position(name)
            .ok()
            .and_then(|place| self.sorted.get(place))
    }

    /// The one of that name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Channel<S>> {
        let place = self.position(name).ok()?;
        self.sorted.get_mut(place)
    }

    /// The open channel on which a message came with this id, if it has one; the id is noted.
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

    /// The server's memory is lost, and with it the meaning of ids.
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

    /// At least the UTF-16 code units of the longest name that was ever open.
    #[inline]
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.sorted = Vec::new();
    }
}

/// Replaces a text, in the memory that it has.
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
