//! What a signaling tells: its state, its errors, its frames.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use js_sys::JsString;
use wasm_bindgen::JsValue;

use super::error::{Error, ErrorKind};
use super::frame::Frame;
use super::listeners::Listeners;
use super::opening::Hub;
use super::state::{State, StateChange, duration};
use crate::browser::events::Observer;
use crate::protocol;
use crate::session::{self, FrameKind};

/// What listens to a signaling, and what it said last.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) states: Rc<Listeners<StateChange>>,
    /// Tasks that wait for a change of state. A page that only waits doesn't show people what went
    /// wrong, so these don't count as attention.
    pub(super) waiting: Rc<Listeners<StateChange>>,
    pub(super) gaps: Rc<Listeners<str>>,
    pub(super) errors: Rc<Listeners<Error>>,
    pub(super) frames: Rc<Listeners<Frame>>,
    /// The open channels by their names.
    pub(super) hubs: RefCell<BTreeMap<Rc<str>, Weak<Hub>>>,
    changes: Cell<u64>,
    latest: RefCell<StateChange>,
    /// Why the connection was lost for good.
    failure: RefCell<Option<Error>>,
}

impl Observed {
    pub(super) fn new() -> Rc<Observed> {
        Rc::new(Observed {
            states: Listeners::new(),
            waiting: Listeners::new(),
            gaps: Listeners::new(),
            errors: Listeners::new(),
            frames: Listeners::new(),
            hubs: RefCell::default(),
            changes: Cell::new(0),
            latest: RefCell::new(StateChange {
                state: State::Idle,
                reason: "no channel was opened yet".into(),
                code: None,
            }),
            failure: RefCell::default(),
        })
    }

    /// Why there is no connection any more: it failed, or the page closed the signaling.
    pub(super) fn end(&self) -> Error {
        let failure = self.failure.borrow().clone();
        failure.unwrap_or_else(Error::signaling_closed)
    }

    /// How many changes of state there were, and the last one.
    pub(super) fn latest(&self) -> (u64, StateChange) {
        (self.changes.get(), self.latest.borrow().clone())
    }
}

impl Observer for Observed {
    fn state(&self, state: session::State, reason: &str, code: Option<u16>, retry_in: Option<f64>) {
        let state = match state {
            session::State::Waiting { .. } => State::Waiting {
                retry_in: retry_in.map(duration),
            },
            other => State::at(0.0, other),
        };
        let change = StateChange {
            state,
            reason: reason.into(),
            code,
        };
        self.changes.set(self.changes.get() + 1);
        self.latest.replace(change.clone());
        self.states.call(&change);
        self.waiting.call(&change);
    }

    fn gap(&self, channel: &str) {
        self.gaps.call(channel);
    }

    fn error(&self, error: &JsValue) {
        let error = Error::from(error.clone());
        if let ErrorKind::ConnectionFailed | ErrorKind::AuthenticationRefused = error.kind() {
            self.failure.replace(Some(error.clone()));
        }
        self.errors.call(&error);
    }

    fn frame(&self, kind: FrameKind, frame: &protocol::Frame<JsString>) {
        self.frames.call(&Frame::new(kind, frame));
    }

    fn is_inspecting(&self) -> bool {
        !self.frames.is_empty()
    }

    fn is_attentive(&self) -> bool {
        !(self.errors.is_empty() && self.states.is_empty())
    }

    /// Handlers may own the signaling, which would never be freed then.
    fn closed(&self) {
        let hubs = self.hubs.take();
        for hub in hubs.values().filter_map(Weak::upgrade) {
            hub.end();
        }
        self.states.clear();
        self.waiting.clear();
        self.gaps.clear();
        self.errors.clear();
        self.frames.clear();
    }
}
