//! The channels that are open, by name. Names come from the page; what the network names only ever looks up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// Tells one opening of a channel from a later one of the same name.
pub type ChannelId = u32;

#[derive(Debug)]
pub(super) struct Channels<S> {
    by_name: HashMap<Rc<str>, Entry<S>, BuildHasherDefault<Fnv>>,
    last_id: ChannelId,
    longest_name: usize,
}

#[derive(Debug)]
struct Entry<S> {
    id: ChannelId,
    subscriber: S,
}

impl<S> Channels<S> {
    pub fn new() -> Channels<S> {
        Channels { by_name: HashMap::default(), last_id: 0, longest_name: 0 }
    }

    /// Opens `name`; whoever had it open hears nothing from now on.
    pub fn open(&mut self, name: &str, subscriber: S) -> ChannelId {
        self.last_id = self.last_id.wrapping_add(1);
        self.longest_name = self.longest_name.max(name.encode_utf16().count());
        self.by_name.insert(name.into(), Entry { id: self.last_id, subscriber });
        self.last_id
    }

    /// Closes that opening of `name`. One that was superseded or closed before stays as it is.
    pub fn close(&mut self, name: &str, id: ChannelId) -> bool {
        let current = self.by_name.get(name).is_some_and(|entry| entry.id == id);
        if current {
            self.by_name.remove(name);
            self.by_name.shrink_to(self.by_name.len() * 2);
        }
        current
    }

    pub fn subscriber(&self, name: &str) -> Option<&S> {
        self.by_name.get(name).map(|entry| &entry.subscriber)
    }

    /// The shared spelling of an open channel's name.
    pub fn name(&self, name: &str) -> Option<Rc<str>> {
        self.by_name.get_key_value(name).map(|(name, _)| Rc::clone(name))
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// UTF-16 units of the longest name that was ever open.
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    pub fn clear(&mut self) {
        self.by_name = HashMap::default();
    }
}

/// FNV-1a. Safe without a secret, since only the page's own names are ever inserted, and a tenth of the standard hasher's code.
#[derive(Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
