//! The open channels, by name. Names come only from the page: a name that comes from the network is
//! looked up, never added.
//!
//! Messages without a channel are those of the channel [`UNNAMED`], as in the shim. An opening of
//! the default channel opens that one, too, so that a page hears those of pages whose library names
//! no channel.

use std::rc::Rc;

use signal_wire::envelope::UNNAMED;

use super::state::ChannelId;

/// Open channels, sorted by name: a page has a handful of them, seldom hundreds.
#[derive(Debug)]
pub struct Channels<S> {
    sorted: Vec<Channel<S>>,
    last_id: ChannelId,
    longest_name: usize,
    default_channel: Option<Rc<str>>,
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
    /// It is [`UNNAMED`], and was opened with the default channel.
    pub is_unnamed: bool,
}

impl<S> Channels<S> {
    /// No open channel.
    pub fn new(default_channel: Option<&str>) -> Channels<S> {
        Channels {
            sorted: Vec::new(),
            last_id: 0,
            longest_name: 0,
            default_channel: default_channel.map(Into::into),
            last_seen_id: None,
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.sorted
            .binary_search_by(|channel| (*channel.name).cmp(name))
    }

    /// Opens `name`; an earlier opening of it gets no more messages.
    pub fn open(&mut self, name: &str, subscriber: S) -> ChannelId
    where
        S: Clone,
    {
        self.last_id = self.last_id.wrapping_add(1);
        if self.default_channel.as_deref() == Some(name) && name != UNNAMED {
            self.put(UNNAMED, subscriber.clone(), true);
        }
        self.put(name, subscriber, false);
        self.last_id
    }

    fn put(&mut self, name: &str, subscriber: S, is_unnamed: bool) {
        // UTF-8 is never shorter than UTF-16.
        self.longest_name = self.longest_name.max(name.len());
        match self.position(name) {
            Ok(place) => {
                if let Some(earlier) = self.sorted.get_mut(place) {
                    earlier.id = self.last_id;
                    earlier.subscriber = subscriber;
                    earlier.is_ready = false;
                    earlier.is_unnamed = is_unnamed;
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
                    is_unnamed,
                },
            ),
        }
    }

    /// The channels of that opening of `name`, except those that were superseded or closed.
    pub fn names_of(&self, name: &str, id: ChannelId) -> Vec<Rc<str>> {
        let unnamed = Some(UNNAMED).filter(|unnamed| *unnamed != name);
        let channels = unnamed.into_iter().chain([name]);
        let channels = channels.filter_map(|name| self.get(name));
        let opened = channels.filter(|channel| channel.id == id);
        opened.map(|channel| Rc::clone(&channel.name)).collect()
    }

    /// Closes that opening of `name`, and returns the channels that are closed. Those that were
    /// superseded or closed before stay as they are.
    pub fn close(&mut self, name: &str, id: ChannelId) -> Vec<Rc<str>> {
        let names = self.names_of(name, id);
        for name in &names {
            if let Ok(place) = self.position(name) {
                self.sorted.remove(place);
            }
        }
        names
    }

    /// The name under which the page knows a channel.
    pub fn shown_name<'a>(&'a self, name: &'a str) -> &'a str {
        let is_own = || self.get(name).is_some_and(|channel| !channel.is_unnamed);
        match &self.default_channel {
            Some(default) if name == UNNAMED && !is_own() => default,
            _ => name,
        }
    }

    /// The page learns that this opening is ready.
    pub fn set_ready(&mut self, id: ChannelId) {
        for channel in self.sorted.iter_mut().filter(|channel| channel.id == id) {
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

    /// How many there are, as the page counts them.
    pub fn len(&self) -> usize {
        let counted = |channel: &&Channel<S>| !channel.is_unnamed;
        self.sorted.iter().filter(counted).count()
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
            let mut channels = Channels::new(None);
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
                    let closed = !channels.close(name, *id).is_empty();
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

    #[test]
    fn the_default_channel_is_open_under_two_names() {
        let mut channels = Channels::new(Some("main"));
        let other = channels.open("other", 0);
        assert!(channels.get(UNNAMED).is_none());
        let first = channels.open("main", 1);
        assert_eq!(channels.len(), 2);
        assert_eq!(
            channels.get(UNNAMED).map(|channel| channel.subscriber),
            Some(1)
        );
        assert_eq!(channels.shown_name(UNNAMED), "main");
        assert_eq!(channels.shown_name("other"), "other");
        assert_eq!(channels.names_of("other", other), ["other".into()]);
        // A later opening of either name takes it over.
        let second = channels.open("main", 2);
        assert!(channels.close("main", first).is_empty());
        let unnamed = channels.open(UNNAMED, 3);
        assert_eq!(channels.len(), 3);
        assert_eq!(channels.shown_name(UNNAMED), UNNAMED);
        assert_eq!(channels.close("main", second), ["main".into()]);
        assert_eq!(
            channels.get(UNNAMED).map(|channel| channel.subscriber),
            Some(3)
        );
        assert_eq!(channels.close(UNNAMED, unnamed), [UNNAMED.into()]);
        let third = channels.open("main", 4);
        assert_eq!(
            channels.close("main", third),
            [UNNAMED.into(), "main".into()]
        );
        assert_eq!(channels.len(), 1);
        // The default channel may be that one itself.
        let mut channels = Channels::new(Some(UNNAMED));
        let id = channels.open(UNNAMED, 1);
        assert_eq!(channels.len(), 1);
        assert_eq!(channels.close(UNNAMED, id), [UNNAMED.into()]);
    }
}
