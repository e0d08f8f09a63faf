//! Presence: which pages are on a channel, for pages that ask the relay to watch them.
//!
//! Each page has an id that it chooses and that no other page on the channel has, and a secret by which
//! it continues after its connection was lost. The others on its channel hear when it comes, and when
//! it has been without a connection for [`AWAY`]. A page whose silence the relay wouldn't notice hears of the others, but isn't shown to
//! them.
//!
//! Pages hear what happens on one channel in the order in which it happens. Nothing here waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::json::quoted;
use tokio::time::Instant;

use crate::hub::budget::Charge;
use crate::hub::frame::Frame;
use crate::hub::queue::Sender;
use crate::rooms::state::AWAY;

/// How many pages are on a channel at most. The library's rooms have no more than 257.
pub(crate) const MOST_PAGES: usize = 1024;
/// What a page costs besides its texts, in bytes.
const PAGE: usize = 512;

/// A page that would be on a channel.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) space: Arc<str>,
    pub(crate) channel: Arc<str>,
    /// What the others know it by.
    pub(crate) id: Arc<str>,
    /// Its secret.
    pub(crate) secret: Arc<str>,
    /// Whether the relay notices when it vanishes.
    pub(crate) is_shown: bool,
    /// Where it hears of the others.
    pub(crate) sender: Sender,
    /// The frame for its secret and a message.
    pub(crate) encode: fn(&str, &str) -> Frame,
    pub(crate) charge: Charge,
}

/// The pages on all channels.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    channels: Mutex<HashMap<Name, Channel>>,
    next_seat: AtomicU64,
}

/// A space and a channel in it.
type Name = (Arc<str>, Arc<str>);

/// The pages on one channel, by their secrets.
#[derive(Debug, Default)]
struct Channel(HashMap<Arc<str>, Page>);

#[derive(Debug)]
struct Page {
    id: Arc<str>,
    is_shown: bool,
    sender: Sender,
    encode: fn(&str, &str) -> Frame,
    /// Which connection it has, or had last.
    seat: u64,
    /// It has no connection, and is gone at this time.
    away: Option<Instant>,
    _charge: Charge,
}

impl Page {
    fn hear(&self, secret: &str, message: &str) {
        self.sender.push((self.encode)(secret, message));
    }
}

/// A page's hold on its place, by its connection. When it is dropped, the page has lost its
/// connection.
#[derive(Debug)]
pub(crate) struct Seat {
    presence: Arc<Presence>,
    name: Name,
    secret: Arc<str>,
    number: u64,
}

/// Why a page can't be on a channel.
#[derive(Debug)]
pub(crate) enum Refused {
    /// There are [`MOST_PAGES`] pages.
    Full,
    /// Another page has the id. A stranger could else make a page seem to be there that is gone.
    Taken,
}

impl Presence {
    fn channels(&self) -> MutexGuard<'_, HashMap<Name, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page comes, or comes back. It is sent what `greeting` makes of the ids of the others.
    pub(crate) fn enter(
        self: &Arc<Self>,
        entrant: Entrant,
        greeting: impl FnOnce(&[Arc<str>]) -> String,
    ) -> Result<Seat, Refused> {
        let Entrant {
            space,
            channel,
            id,
            secret,
            is_shown,
            sender,
            encode,
            mut charge,
        } = entrant;
        charge.set(PAGE + id.len() + channel.len() + secret.len());
        let name = (space, channel);
        let number = self.next_seat.fetch_add(1, Ordering::Relaxed);
        let mut channels = self.channels();
        let pages = channels.entry(name.clone()).or_default();
        pages.check(&id, &secret)?;
        // With another id it is another page.
        if pages.0.get(&secret).is_some_and(|page| page.id != id) {
            pages.remove(&secret);
        }
        let page = Page {
            id,
            is_shown,
            sender,
            encode,
            seat: number,
            away: None,
            _charge: charge,
        };
        page.hear(&secret, &greeting(&pages.others(&page.id)));
        pages.insert(Arc::clone(&secret), page);
        drop(channels);
        Ok(Seat {
            presence: Arc::clone(self),
            name,
            secret,
            number,
        })
    }

    /// Removes the pages that didn't come back in time. To be called regularly.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        self.channels().retain(|_, channel| {
            channel.expire(now);
            !channel.0.is_empty()
        });
    }

    /// How many pages there are.
    pub(crate) fn count(&self) -> usize {
        self.channels()
            .values()
            .map(|channel| channel.0.len())
            .sum()
    }
}

impl Channel {
    /// Whether the page with this secret may have this id.
    fn check(&self, id: &str, secret: &str) -> Result<(), Refused> {
        let others = || self.0.iter().filter(|(of, _)| ***of != *secret);
        if others().any(|(_, page)| *page.id == *id) {
            return Err(Refused::Taken);
        }
        if others().count() >= MOST_PAGES {
            return Err(Refused::Full);
        }
        Ok(())
    }

    /// The ids of the pages that are shown, without this one.
    fn others(&self, id: &str) -> Vec<Arc<str>> {
        let shown = self.0.values().filter(|page| page.is_shown);
        let mut ids: Vec<_> = shown
            .filter(|page| *page.id != *id)
            .map(|page| Arc::clone(&page.id))
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The page of a seat, unless another connection has it since.
    fn page_of(&mut self, seat: &Seat) -> Option<&mut Page> {
        let page = self.0.get_mut(&seat.secret);
        page.filter(|page| page.seat == seat.number)
    }

    fn insert(&mut self, secret: Arc<str>, page: Page) {
        let id = Arc::clone(&page.id);
        let is_shown = page.is_shown;
        let earlier = self.0.insert(secret, page);
        let was_shown = earlier.is_some_and(|page| page.is_shown);
        if is_shown != was_shown {
            self.tell(&id, if is_shown { "came" } else { "gone" });
        }
    }

    fn remove(&mut self, secret: &str) {
        let page = self.0.remove(secret);
        if let Some(page) = page.filter(|page| page.is_shown) {
            self.tell(&page.id, "gone");
        }
    }

    fn expire(&mut self, now: Instant) {
        let is_gone = |page: &Page| page.away.is_some_and(|until| until <= now);
        let gone: Vec<_> = self.0.extract_if(|_, page| is_gone(page)).collect();
        for (_, page) in gone.iter().filter(|(_, page)| page.is_shown) {
            self.tell(&page.id, "gone");
        }
    }

    /// Tells all others what has happened to this page.
    fn tell(&self, id: &str, event: &str) {
        let message = format!("{{\"{event}\":{}}}", quoted(id));
        for (secret, page) in &self.0 {
            if *page.id != *id && page.away.is_none() {
                page.hear(secret, &message);
            }
        }
    }
}

impl Seat {
    /// The page leaves for good.
    pub(crate) fn leave(self) {
        if let Some(channel) = self.presence.channels().get_mut(&self.name)
            && channel.page_of(&self).is_some()
        {
            channel.remove(&self.secret);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut channels = self.presence.channels();
        if let Some(channel) = channels.get_mut(&self.name)
            && let Some(page) = channel.page_of(self)
        {
            page.away = Some(Instant::now() + AWAY);
        }
    }
}
