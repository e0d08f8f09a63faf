//! Openings of channels. A signaling has one receiver for each channel, and several openings may
//! share it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsValue;

use super::error::{Error, ErrorKind, Result};
use super::listeners::Listeners;
use super::observer::Observed;
use super::signaling::Inner;
use super::state::State;
use crate::browser::events::Subscriber;
use crate::browser::promises;
use crate::session::ChannelId;

/// A channel that is open. It is closed when its last opening is.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) signaling: Rc<Inner>,
    name: Rc<str>,
    id: Cell<ChannelId>,
    openings: RefCell<Vec<Weak<Opening>>>,
    is_ready: Cell<bool>,
    readiness: Rc<Listeners<()>>,
}

impl Hub {
    /// The channel of this name, which is opened if it isn't.
    fn find(signaling: &Rc<Inner>, name: &str) -> Result<Rc<Hub>> {
        let hubs = &signaling.observed.hubs;
        let found = hubs.borrow().get(name).and_then(Weak::upgrade);
        if let Some(hub) = found {
            return Ok(hub);
        }
        let hub = Rc::new(Hub {
            signaling: Rc::clone(signaling),
            name: name.into(),
            id: Cell::new(ChannelId::default()),
            openings: RefCell::default(),
            is_ready: Cell::new(false),
            readiness: Listeners::new(),
        });
        let receiver = Rc::new(Receiver {
            hub: Rc::downgrade(&hub),
            is_opening: Cell::new(true),
        });
        let id = signaling
            .driver
            .open(name, Rc::clone(&receiver) as Rc<dyn Subscriber>)?;
        receiver.is_opening.set(false);
        hub.id.set(id);
        let (name, weak) = (Rc::clone(&hub.name), Rc::downgrade(&hub));
        hubs.borrow_mut().insert(name, weak);
        Ok(hub)
    }

    fn deliver(&self, message: &JsValue) {
        for opening in self.openings() {
            opening.messages.call(message);
        }
    }

    fn become_ready(&self) {
        self.is_ready.set(true);
        self.readiness.call(&());
    }

    /// The signaling was closed.
    pub(super) fn end(&self) {
        for opening in self.openings() {
            opening.close();
        }
    }

    fn openings(&self) -> Vec<Rc<Opening>> {
        let openings = self.openings.borrow();
        openings.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let mut hubs = self.signaling.observed.hubs.borrow_mut();
        // One that couldn't be opened isn't there, or another is.
        if hubs
            .get(&self.name)
            .is_some_and(|hub| hub.strong_count() == 0)
        {
            hubs.remove(&self.name);
        }
        drop(hubs);
        let (driver, name) = (&self.signaling.driver, &self.name);
        driver.close_channel(name, self.id.get());
    }
}

/// Receives the messages of a channel. The session drops it while it is borrowed, so it owns
/// nothing of the page's.
struct Receiver {
    hub: Weak<Hub>,
    /// A transport may bring messages before the page has the channel.
    is_opening: Cell<bool>,
}

impl Subscriber for Receiver {
    fn deliver(&self, message: JsValue) {
        let hub = Weak::clone(&self.hub);
        let deliver = move || {
            if let Some(hub) = hub.upgrade() {
                hub.deliver(&message);
            }
        };
        if self.is_opening.get() {
            promises::later(deliver);
        } else {
            deliver();
        }
    }

    fn ready(&self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.become_ready();
        }
    }
}

/// One opening of a channel: what a `Channel` and its clones stand on.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) name: Rc<str>,
    pub(super) messages: Rc<Listeners<JsValue>>,
    /// Called once.
    pub(super) ends: Rc<Listeners<()>>,
    observed: Rc<Observed>,
    /// `None` when it is closed.
    hub: RefCell<Option<Rc<Hub>>>,
}

impl Opening {
    pub(super) fn new(signaling: &Rc<Inner>, name: &str) -> Result<Rc<Opening>> {
        let hub = Hub::find(signaling, name)?;
        let opening = Rc::new(Opening {
            name: Rc::clone(&hub.name),
            messages: Listeners::new(),
            ends: Listeners::new(),
            observed: Rc::clone(&signaling.observed),
            hub: RefCell::new(Some(Rc::clone(&hub))),
        });
        let mut openings = hub.openings.borrow_mut();
        openings.retain(|opening| opening.strong_count() > 0);
        openings.push(Rc::downgrade(&opening));
        drop(openings);
        Ok(opening)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.hub.borrow().is_none()
    }

    /// Whether the channel is ready, and what tells that it is.
    pub(super) fn readiness(&self) -> Result<(bool, Rc<Listeners<()>>)> {
        let hub = self.hub()?;
        Ok((hub.is_ready.get(), Rc::clone(&hub.readiness)))
    }

    pub(super) fn hub(&self) -> Result<Rc<Hub>> {
        if let Some(hub) = self.hub.borrow().as_ref() {
            return Ok(Rc::clone(hub));
        }
        if self.observed.latest().1.state == State::Closed {
            return Err(Error::signaling_closed());
        }
        let name = &self.name;
        Err(Error::new(
            ErrorKind::ChannelClosed,
            format!("the channel '{name}' is closed; open it again"),
        ))
    }

    /// What the listeners own may have channels, so they are dropped outside of all borrows.
    pub(super) fn close(&self) {
        let hub = self.hub.take();
        if hub.is_some() {
            self.messages.clear();
            self.ends.call(&());
            self.ends.clear();
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.close();
    }
}
