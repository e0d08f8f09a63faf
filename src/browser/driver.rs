//! The driver: carries inputs to the session, performs its actions, tells the page its events.
//!
//! The page is only ever called with no borrow held, so that it may call back. What it calls for is done at once (a `send` reaches an open
//! socket before it returns); what it is to be told waits until the present telling is over.

use super::callback::{self, Subscriber};
use super::error::{Code, Error, count};
use super::js::{self, Text};
use super::options::{Handlers, Options};
use super::socket::{Listener, Socket};
use super::timer::Timer;
use crate::protocol::UserId;
use crate::session::{Action, ChannelId, Event, FrameKind, Loss, Message, Payload, Received, Session, State, Stats};
use js_sys::{JsString, Object, Reflect};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// A message's JSON text, in JavaScript's hands.
impl Payload for JsString {
    fn length(&self) -> usize {
        JsString::length(self) as usize
    }

    fn bytes(&self) -> usize {
        String::from(self).len()
    }
}

/// One signaling at work.
pub struct Driver {
    session: RefCell<Session<JsString, Rc<dyn Subscriber>>>,
    url: String,
    /// The channel that is used where none is named.
    pub default_channel: Option<String>,
    /// The page's `onstatechange`, `onerror` and `onframe`.
    pub handlers: Handlers,
    socket: RefCell<Option<Socket>>,
    timer: RefCell<Option<Timer>>,
    /// Frames that went out and that `onframe` has yet to be told of.
    sent: RefCell<VecDeque<JsString>>,
    telling: Cell<bool>,
    /// Why the browser refused to make a socket, until the call that caused it has thrown it.
    refusal: RefCell<Option<String>>,
    weak: Weak<Driver>,
    /// Itself, from the first channel to the end: like a native WebSocket, a connection lives whether or not the page keeps a reference.
    alive: RefCell<Option<Rc<Driver>>>,
}

impl Driver {
    /// A signaling that hasn't connected yet.
    pub fn new(options: Options) -> Result<Rc<Driver>, Error> {
        let random = || {
            getrandom::u64().map_err(|_| {
                Error::new(Code::NoRandomness, &["the browser gave no random numbers for the user id: crypto.getRandomValues is missing or failed"])
            })
        };
        let session = Session::new(options.config, UserId::from_bits(random()?), random()?);
        Ok(Rc::new_cyclic(|weak| Driver {
            session: RefCell::new(session),
            url: options.url,
            default_channel: options.channel,
            handlers: options.handlers,
            socket: RefCell::default(),
            timer: RefCell::default(),
            sent: RefCell::default(),
            telling: Cell::new(false),
            refusal: RefCell::default(),
            weak: Weak::clone(weak),
            alive: RefCell::default(),
        }))
    }

    /// The page's `sender`.
    pub fn userid(&self) -> f64 {
        self.session.borrow().userid().get() as f64
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.session.borrow().state()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.session.borrow().stats()
    }

    /// Opens a channel.
    pub fn open(&self, name: &str, subscriber: Rc<dyn Subscriber>) -> Result<ChannelId, Error> {
        let id = self.session.borrow_mut().open(js::now(), name, subscriber)?;
        self.settle();
        match self.refusal.take() {
            Some(reason) => Err(Error::new(Code::ConnectionFailed, &[&reason])),
            None => Ok(id),
        }
    }

    /// Closes that opening of a channel.
    pub fn close_channel(&self, name: &str, id: ChannelId) {
        self.session.borrow_mut().close_channel(name, id);
        self.settle();
    }

    /// Sends a message, given as its JSON text.
    pub fn send(&self, channel: &str, payload: JsString) -> Result<(), Error> {
        let taken = {
            let mut session = self.session.borrow_mut();
            session.send(channel, payload).map_err(|error| Error::of_send(error, channel, session.config()))
        };
        self.settle();
        taken
    }

    /// Closes everything for good.
    pub fn close(&self) {
        self.session.borrow_mut().close();
        self.settle();
    }

    /// After every input: act, arm the timer, tell.
    fn settle(&self) {
        while let Some(action) = self.next_action() {
            self.perform(action);
        }
        self.arm_timer();
        if !self.telling.replace(true) {
            while self.tell_next() {}
            self.telling.set(false);
        }
        if self.state() == State::Closed {
            // The last reference may be this one: it goes last.
            let _alive = self.alive.take();
        }
    }

    fn next_action(&self) -> Option<Action<JsString>> {
        self.session.borrow_mut().next_action()
    }

    fn perform(&self, action: Action<JsString>) {
        match action {
            Action::Connect => {
                self.alive.replace(self.weak.upgrade());
                match Socket::connect(&self.url, &self.weak) {
                    Ok(socket) => drop(self.socket.replace(Some(socket))),
                    Err(thrown) => self.refused(&thrown),
                }
            }
            Action::Disconnect => drop(self.socket.take()),
            Action::Transmit(message) => self.transmit(message),
        }
    }

    fn refused(&self, thrown: &JsValue) {
        let why = js::to_text(thrown).map(|text| String::from(&text)).unwrap_or_default();
        let reason = ["the browser made no WebSocket for ", &self.url, ": ", &why].concat();
        self.refusal.replace(Some(reason.clone()));
        self.session.borrow_mut().lost(js::now(), Loss { code: None, reason, last: true });
    }

    fn transmit(&self, message: Message<JsString>) {
        let (head, tail) = {
            let session = self.session.borrow();
            let protocol = session.config().protocol;
            (protocol.encode_head(session.userid(), &message.channel), protocol.tail())
        };
        let frame = JsString::from(head).unchecked_into::<Text>().concat(&message.payload, tail);
        let taken = self.socket.borrow().as_ref().is_some_and(|socket| socket.send(&frame).is_ok());
        let mut session = self.session.borrow_mut();
        if !taken {
            session.not_taken(js::now(), message);
            return;
        }
        session.count(FrameKind::Sent);
        if self.handlers.onframe.borrow().is_some() {
            self.sent.borrow_mut().push_back(frame);
        }
    }

    fn arm_timer(&self) {
        let wake_at = self.session.borrow().wake_at();
        if self.timer.borrow().as_ref().map(|timer| timer.at) == wake_at {
            return;
        }
        let timer = wake_at.map(|at| {
            let driver = Weak::clone(&self.weak);
            Timer::new(js::now(), at, move || {
                if let Some(driver) = driver.upgrade() {
                    driver.woken();
                }
            })
        });
        drop(self.timer.replace(timer));
    }

    fn woken(&self) {
        // A timer that has fired is none: the next one may be for the same time, if the browser fired this one early.
        drop(self.timer.take());
        self.session.borrow_mut().woken(js::now());
        self.settle();
    }

    /// Tells the page one thing; `false` if there is nothing.
    fn tell_next(&self) -> bool {
        let sent = self.sent.borrow_mut().pop_front();
        if let Some(frame) = sent {
            self.tell_frame(FrameKind::Sent, &frame);
            return true;
        }
        let event = self.session.borrow_mut().next_event();
        match event {
            Some(Event::Ready(subscriber)) => subscriber.ready(),
            Some(Event::State { state, reason, code, retry_in }) => self.tell_state(state, &reason, code, retry_in),
            Some(Event::BadFrame(what)) => self.tell_error(Error::new(
                Code::BadFrame,
                &["received ", what, " from ", &self.url, "; it was dropped, and further ones will be, counted in stats().bad"],
            )),
            Some(Event::Failed { reason, unsent }) => {
                let lost = if unsent > 0 { [", with ", &count(unsent), " unsent messages"].concat() } else { String::new() };
                self.tell_error(Error::new(Code::ConnectionFailed, &["the connection to ", &self.url, " is lost for good", &lost, ": ", &reason]));
            }
            None => return false,
        }
        true
    }

    fn tell_state(&self, state: State, reason: &str, code: Option<u16>, retry_in: Option<f64>) {
        let handler = self.handlers.onstatechange.borrow().clone();
        let Some(handler) = handler else { return };
        let detail = Object::new();
        let member = |name: &str, value: JsValue| drop(Reflect::set(&detail, &name.into(), &value));
        member("reason", reason.into());
        if let Some(code) = code {
            member("code", code.into());
        }
        if let Some(delay) = retry_in {
            member("retryIn", delay.into());
        }
        callback::call(&handler, &JsValue::UNDEFINED, &[state.name().into(), detail.into()]);
    }

    fn tell_error(&self, error: Error) {
        let handler = self.handlers.onerror.borrow().clone();
        if let Some(handler) = handler {
            callback::call(&handler, &JsValue::UNDEFINED, &[error.into()]);
        }
    }

    fn tell_frame(&self, kind: FrameKind, frame: &JsValue) {
        let handler = self.handlers.onframe.borrow().clone();
        if let Some(handler) = handler {
            callback::call(&handler, &JsValue::UNDEFINED, &[kind.name().into(), frame.clone()]);
        }
    }

    /// Reads a text frame as far as it must be read; the message, if it is for a subscriber.
    fn read(&self, frame: &JsString) -> (FrameKind, Option<(Rc<dyn Subscriber>, JsValue)>) {
        let length = frame.length();
        let received = {
            let session = self.session.borrow();
            if length as usize > session.max_frame() {
                return (FrameKind::Bad("a frame longer than maxMessage allows"), None);
            }
            let head_length = session.head_length() as u32;
            let whole = length <= head_length;
            // The rest of the frame never enters wasm.
            let head = if whole { String::from(frame) } else { String::from(frame.slice(0, head_length)) };
            session.receive(&head, whole)
        };
        match received {
            Received::Own => (FrameKind::Own, None),
            Received::Foreign => (FrameKind::Foreign, None),
            Received::Deliver(subscriber, start) if frame.char_code_at(length - 1) == f64::from(b'}') => {
                match js::parse_json(&frame.slice(start as u32, length - 1)) {
                    Ok(message) => (FrameKind::Delivered, Some((subscriber, message))),
                    Err(_) => self.read_whole(frame),
                }
            }
            Received::Deliver(..) | Received::Unclear => self.read_whole(frame),
        }
    }

    /// Reads a frame that isn't canonical the way the shim does.
    fn read_whole(&self, frame: &JsString) -> (FrameKind, Option<(Rc<dyn Subscriber>, JsValue)>) {
        let Ok(envelope) = js::parse_json(frame) else {
            return (FrameKind::Bad("a frame that isn't JSON"), None);
        };
        if !envelope.is_object() || js_sys::Array::is_array(&envelope) {
            return (FrameKind::Bad("a frame that isn't an object"), None);
        }
        let member = |name: &str| Reflect::get(&envelope, &name.into()).unwrap_or_default();
        let own = member("sender").loose_eq(&self.userid().into());
        let channel = member("channel");
        // The shim looks up `channels[data.channel]`, so that 5 is the channel '5'.
        let name = channel.as_string().or_else(|| channel.as_f64().and_then(|_| js::to_text(&channel).ok()).map(String::from));
        match self.session.borrow().receive_whole(own, name.as_deref()) {
            Received::Deliver(subscriber, _) => (FrameKind::Delivered, Some((subscriber, member("message")))),
            Received::Own => (FrameKind::Own, None),
            _ => (FrameKind::Foreign, None),
        }
    }
}

impl Listener for Driver {
    fn opened(&self) {
        self.session.borrow_mut().opened(js::now());
        self.settle();
    }

    fn frame(&self, data: JsValue) {
        let (kind, message) = match data.dyn_ref::<JsString>() {
            Some(frame) => self.read(frame),
            None => (FrameKind::Bad("a binary frame"), None),
        };
        self.session.borrow_mut().count(kind);
        if self.handlers.onframe.borrow().is_some() {
            self.tell_frame(kind, &data);
        }
        if let Some((subscriber, message)) = message {
            subscriber.deliver(message);
        }
        if matches!(kind, FrameKind::Bad(_)) {
            self.settle();
        }
    }

    fn closed(&self, code: u16, reason: String) {
        let opened = self.state() == State::Open;
        let reason = match (opened, reason.as_str()) {
            (true, "") => "the connection was lost".into(),
            (false, "") => ["no connection to ", &self.url, " could be made"].concat(),
            _ => ["the server closed the connection: ", &reason].concat(),
        };
        self.session.borrow_mut().lost(js::now(), Loss { code: Some(code), reason, last: false });
        self.settle();
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("url", &self.url).finish_non_exhaustive()
    }
}
