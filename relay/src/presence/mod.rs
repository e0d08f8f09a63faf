//! Presence: which pages are on a channel, for pages that ask the relay to watch them.
//!
//! Each page has an id that it chooses and that no other page on the channel has, and a secret by which
//! it continues after its connection was lost. The others on its channel hear when it comes, and when
//! it has been without a connection for [`AWAY`]. A page whose silence the relay wouldn't notice hears of the others, but isn't shown to
//! them.
//!
//! Pages hear what happens on one channel in the order in which it happens. Nothing here waits.
//!
//! Relays that share a store tell each other of their pages, see [`elsewhere`].

mod elsewhere;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use signal_wire::json::quoted;
use tokio::time::{Instant, sleep};

use self::elsewhere::{Elsewhere, Named, SILENT, Said};

pub(crate) use self::elsewhere::SAY;
use crate::hub::Hub;
use crate::hub::budget::Charge;
use crate::hub::frame::Frame;
use crate::hub::ids::fingerprint;
use crate::hub::queue::Sender;
use crate::hub::store::{Notice, Notices};
use crate::rooms::state::AWAY;

/// How many pages are on a channel at most. The library's rooms have no more than 257.
pub(crate) const MOST_PAGES: usize = 1024;
/// Why a page is refused whose id another one has.
pub(crate) const TAKEN: &str = "Another page on this channel has this id.";
/// What a page costs besides its texts, in bytes.
const PAGE: usize = 512;
/// How often other relays are answered which pages are on a channel.
const ANSWER: Duration = Duration::from_secs(1);
/// After this time a relay looks again whether what it says can be sent.
const AGAIN: Duration = Duration::from_millis(10);

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
pub(crate) struct Presence {
    channels: Mutex<HashMap<Name, Channel>>,
    next_seat: AtomicU64,
    /// This relay among those that share its store.
    relay: u64,
    name: String,
    /// The way to the relays that share the store, if it is shared.
    others: Option<Arc<dyn Notices>>,
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").finish_non_exhaustive()
    }
}

/// A space and a channel in it.
type Name = (Arc<str>, Arc<str>);

/// The pages on one channel.
#[derive(Debug, Default)]
struct Channel {
    /// Those on this relay, by their secrets.
    pages: HashMap<Arc<str>, Page>,
    elsewhere: Elsewhere,
    /// When another relay was last answered which pages there are.
    answered: Option<Instant>,
    /// One has asked since.
    is_asked: bool,
}

#[derive(Debug)]
struct Page {
    id: Arc<str>,
    is_shown: bool,
    /// Since when it is there, in milliseconds since 1970.
    since: u64,
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
    /// No pages yet.
    pub(crate) fn new(hub: &Hub) -> Arc<Self> {
        let presence = Arc::new(Self {
            channels: Mutex::default(),
            next_seat: AtomicU64::new(0),
            relay: hub.number(),
            name: hub.relay(),
            others: hub.notices(),
        });
        if let Some(others) = &presence.others {
            let presence = Arc::downgrade(&presence);
            others.listen(Box::new(move |notice| {
                if let Some(presence) = presence.upgrade() {
                    presence.hear(notice);
                }
            }));
        }
        presence
    }

    /// What the relay calls itself until it is started again.
    pub(crate) fn relay(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Name, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something to the other relays. To be called with the channels locked, so that they hear
    /// things in the order in which they happen.
    fn say(&self, space: &Arc<str>, said: impl FnOnce() -> Said) {
        if let Some(others) = &self.others
            && let Ok(text) = serde_json::to_string(&said())
        {
            others.post(space, text);
        }
    }

    /// A page comes, or comes back. It is sent what `greeting` makes of the ids of the others, and of
    /// whether these are all: at first a relay doesn't know what is on others.
    pub(crate) fn enter(
        self: &Arc<Self>,
        entrant: Entrant,
        greeting: impl FnOnce(&[Arc<str>], bool) -> String,
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
        let are_all = self.others.is_none() || !pages.pages.is_empty();
        if !are_all {
            self.say(&name.0, || Said::Asks(name.1.to_string()));
        }
        // With another id it is another page.
        if pages.pages.get(&secret).is_some_and(|page| page.id != id) {
            self.remove(&name, pages, &secret, Said::Gone);
        }
        let since = pages.pages.get(&secret).map_or_else(now, |page| page.since);
        let page = Page {
            id: Arc::clone(&id),
            is_shown,
            since,
            sender,
            encode,
            seat: number,
            away: None,
            _charge: charge,
        };
        page.hear(&secret, &greeting(&pages.others(&id), are_all));
        let mut earlier = None;
        pages.change(&id, |pages| {
            earlier = pages.pages.insert(Arc::clone(&secret), page);
        });
        if is_shown {
            self.say(&name.0, || {
                Said::Came(name.1.to_string(), named(&id, &secret, since))
            });
        } else if earlier.is_some_and(|page| page.is_shown) {
            self.say(&name.0, || {
                Said::Gone(name.1.to_string(), named(&id, &secret, since))
            });
        }
        drop(channels);
        Ok(Seat {
            presence: Arc::clone(self),
            name,
            secret,
            number,
        })
    }

    /// A page is gone, of which the other relays hear this.
    fn remove(
        &self,
        name: &Name,
        channel: &mut Channel,
        secret: &str,
        said: fn(String, Named) -> Said,
    ) {
        let Some(id) = channel.pages.get(secret).map(|page| Arc::clone(&page.id)) else {
            return;
        };
        let mut page = None;
        channel.change(&id, |channel| page = channel.pages.remove(secret));
        if let Some(Page { since, .. }) = page.filter(|page| page.is_shown) {
            self.say(&name.0, || {
                said(name.1.to_string(), named(&id, secret, since))
            });
        }
    }

    /// Removes the pages that didn't come back in time, and answers other relays. To be called
    /// regularly. Pages that a draining relay sends away come back to another one, in more time.
    pub(crate) fn expire(&self, is_draining: bool) {
        let now = Instant::now();
        let patience = if is_draining { SILENT } else { Duration::ZERO };
        let is_connected = self
            .others
            .as_ref()
            .is_none_or(|others| others.is_connected());
        self.channels().retain(|name, channel| {
            for secret in channel.due(now, patience) {
                self.remove(name, channel, &secret, Said::Gone);
            }
            // What others say isn't heard without a connection to them, nor at once when it is back.
            if is_connected {
                channel.expire_elsewhere(now);
            } else {
                channel.elsewhere.renew(now);
            }
            if channel.is_asked {
                self.answer(name, channel, now);
            }
            !channel.pages.is_empty()
        });
    }

    /// Tells the other relays which pages there are. To be called every [`SAY`].
    pub(crate) async fn say_all(&self) {
        let Some(others) = &self.others else {
            return;
        };
        let names: Vec<Name> = self.channels().keys().cloned().collect();
        for name in names {
            while !others.has_room() {
                sleep(AGAIN).await;
            }
            if let Some(channel) = self.channels().get(&name) {
                self.say_here(&name, channel);
            }
        }
    }

    /// Another relay has asked which pages there are.
    fn answer(&self, name: &Name, channel: &mut Channel, now: Instant) {
        channel.is_asked = channel.answered.is_some_and(|at| now < at + ANSWER);
        if !channel.is_asked {
            channel.answered = Some(now);
            self.say_here(name, channel);
        }
    }

    fn say_here(&self, (space, name): &Name, channel: &Channel) {
        let shown = channel.pages.iter().filter(|(_, page)| page.is_shown);
        let shown: Vec<_> = shown
            .map(|(secret, page)| named(&page.id, secret, page.since))
            .collect();
        if !shown.is_empty() {
            self.say(space, || Said::Here(name.to_string(), shown));
        }
    }

    /// Another relay has said something.
    fn hear(&self, notice: Notice<'_>) {
        match notice {
            Notice::Begun { space } => {
                let now = Instant::now();
                let mut channels = self.channels();
                let here = channels.iter_mut().filter(|((of, _), _)| of == space);
                for (name, channel) in here {
                    channel.elsewhere.renew(now);
                    self.say(space, || Said::Asks(name.1.to_string()));
                    self.say_here(name, channel);
                }
            }
            Notice::Heard { space, from, text } => {
                if let Ok(said) = serde_json::from_str(text) {
                    self.take(space, from, said);
                }
            }
        }
    }

    fn take(&self, space: &Arc<str>, from: u64, said: Said) {
        let name = (Arc::clone(space), Arc::from(said.channel()));
        let mut channels = self.channels();
        let Some(channel) = channels.get_mut(&name) else {
            return;
        };
        match said {
            Said::Asks(_) => self.answer(&name, channel, Instant::now()),
            Said::Came(_, page) => self.has_come(&name, channel, from, &page),
            Said::Gone(_, Named(id, ..)) => {
                channel.change(&id, |channel| channel.elsewhere.remove(from, &id));
            }
            Said::Left(_, page) => {
                let Named(id, key, _) = &page;
                channel.change(id, |channel| channel.elsewhere.forget(&page));
                // It was here before.
                if let Some(secret) = channel.away_with(key) {
                    self.remove(&name, channel, &secret, Said::Gone);
                }
            }
            Said::Here(_, pages) => {
                for id in channel.elsewhere.of(from) {
                    if !pages.iter().any(|page| page.0 == *id) {
                        channel.change(&id, |channel| channel.elsewhere.remove(from, &id));
                    }
                }
                for page in &pages {
                    self.has_come(&name, channel, from, page);
                }
            }
        }
    }

    /// Another relay has this page.
    fn has_come(&self, name: &Name, channel: &mut Channel, relay: u64, page: &Named) {
        let Named(id, key, since) = page;
        if let Some((secret, ours)) = channel.another(id, key) {
            // Of two pages with one id, the one is refused that came later: its relay didn't know of the
            // other yet.
            if (ours.since, self.relay) < (*since, relay) {
                let ours = named(id, &secret, ours.since);
                return self.say(&name.0, || Said::Came(name.1.to_string(), ours));
            }
            ours.hear(&secret, &format!("{{\"refused\":{}}}", quoted(TAKEN)));
            self.remove(name, channel, &secret, Said::Gone);
        }
        channel.change(id, |channel| {
            channel.elsewhere.add(relay, page, Instant::now())
        });
    }

    /// How many pages there are on this relay.
    pub(crate) fn count(&self) -> usize {
        let channels = self.channels();
        channels.values().map(|channel| channel.pages.len()).sum()
    }
}

/// A page as other relays know it.
fn named(id: &str, secret: &str, since: u64) -> Named {
    Named(id.into(), fingerprint(secret), since)
}

/// In milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or_default()
}

impl Channel {
    /// Whether the page with this secret may have this id.
    fn check(&self, id: &str, secret: &str) -> Result<(), Refused> {
        let others = || self.pages.iter().filter(|(of, _)| ***of != *secret);
        let is_elsewhere = || self.elsewhere.has_another(id, &fingerprint(secret));
        if others().any(|(_, page)| *page.id == *id) || is_elsewhere() {
            return Err(Refused::Taken);
        }
        if others().count() + self.elsewhere.len() >= MOST_PAGES {
            return Err(Refused::Full);
        }
        Ok(())
    }

    /// The ids of the pages that are shown, without this one.
    fn others(&self, id: &str) -> Vec<Arc<str>> {
        let shown = self.pages.values().filter(|page| page.is_shown);
        let shown = shown.map(|page| &page.id).chain(self.elsewhere.ids());
        let others = shown.filter(|other| ***other != *id);
        let mut ids: Vec<_> = others.cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether a page with this id is shown, on any relay.
    fn shows(&self, id: &str) -> bool {
        let here = self.pages.values();
        self.elsewhere.has(id)
            || here
                .into_iter()
                .any(|page| page.is_shown && *page.id == *id)
    }

    /// Changes something about the page with this id. The others hear of it if that has come by it,
    /// or is gone.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Self)) {
        let was_shown = self.shows(id);
        change(self);
        let is_shown = self.shows(id);
        if is_shown != was_shown {
            self.tell(id, if is_shown { "came" } else { "gone" });
        }
    }

    /// The page of a seat, unless another connection has it since.
    fn page_of(&mut self, seat: &Seat) -> Option<&mut Page> {
        let page = self.pages.get_mut(&seat.secret);
        page.filter(|page| page.seat == seat.number)
    }

    /// The secrets of the pages that didn't come back in time.
    fn due(&self, now: Instant, patience: Duration) -> Vec<Arc<str>> {
        let is_due = |page: &Page| page.away.is_some_and(|until| until + patience <= now);
        let due = self.pages.iter().filter(|(_, page)| is_due(page));
        due.map(|(secret, _)| Arc::clone(secret)).collect()
    }

    fn expire_elsewhere(&mut self, now: Instant) {
        for id in self.elsewhere.expire(now) {
            if !self.shows(&id) {
                self.tell(&id, "gone");
            }
        }
    }

    /// A page with this id, and its secret, if it isn't the one of which only the key is known.
    fn another(&self, id: &str, key: &str) -> Option<(Arc<str>, &Page)> {
        let mut here = self.pages.iter();
        let (secret, page) = here.find(|(_, page)| *page.id == *id)?;
        (fingerprint(secret) != key).then(|| (Arc::clone(secret), page))
    }

    /// The secret of a page without a connection, of which only the key is known.
    fn away_with(&self, key: &str) -> Option<Arc<str>> {
        let mut away = self.pages.iter().filter(|(_, page)| page.away.is_some());
        let (secret, _) = away.find(|(secret, _)| fingerprint(secret) == key)?;
        Some(Arc::clone(secret))
    }

    /// Tells all others what has happened to this page.
    fn tell(&self, id: &str, event: &str) {
        let message = format!("{{\"{event}\":{}}}", quoted(id));
        for (secret, page) in &self.pages {
            if *page.id != *id && page.away.is_none() {
                page.hear(secret, &message);
            }
        }
    }
}

impl Seat {
    /// The page leaves for good.
    pub(crate) fn leave(self) {
        let mut channels = self.presence.channels();
        if let Some(channel) = channels.get_mut(&self.name)
            && let Some(page) = channel.page_of(&self)
        {
            let left = named(&page.id, &self.secret, page.since);
            channel.elsewhere.forget(&left);
            self.presence
                .remove(&self.name, channel, &self.secret, Said::Left);
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
