//! The driver: carries inputs to the session, performs its actions, tells the page its events.
//!
//! The page is only ever called with no borrow held, so that it may call back. What it calls for is done at once (a `send` reaches an open
//! socket before it returns); what it is to be told waits until the present telling is over.

use super::callback::{self, Subscriber};
use super::error::{Error, count, failed, fill};
use super::functions::{Call, Functions};
use super::js::{self, Text};
use super::options::Options;
use super::socket::Socket;
use super::timer::Timer;
use crate::protocol::UserId;
use crate::session::{
    Action, ChannelId, Event, FrameKind, Loss, Message, Payload, Received, Session, State, Stats,
};
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};
use js_sys::Object;
use wasm_bindgen::prelude::*;

/// A message's JSON text, in JavaScript's hands.
impl Payload for Text {
    fn length(&self) -> usize {
        Text::length(self) as usize
    }

    fn bytes(&self) -> usize {
        self.copy(0, u32::MAX).len()
    }
}

/// What a received frame was; its message, if it is for a subscriber.
type Read = (FrameKind, Option<(Rc<dyn Subscriber>, JsValue)>);

/// So many frames may look canonical and not be JSON before their like is parsed without loss: see [`js::parse_likely_json`].
const MISREAD: u32 = 64;

/// One signaling at work.
pub struct Driver {
    session: RefCell<Session<Text, Rc<dyn Subscriber>>>,
    url: String,
    /// The channel that is used where none is named.
    pub default_channel: Option<String>,
    /// The page's object: its `onstatechange` and `onerror` are called, its `state` is kept up to date. Once closed and told so, it is let go
    /// of: the page's object has our functions, which keep this driver, which would keep the page's object.
    page: RefCell<JsValue>,
    /// What the page and the socket call. They refer to this driver and keep it alive until it is closed, whether or not the page keeps a
    /// reference, as a native WebSocket lives.
    functions: RefCell<Option<Functions>>,
    socket: RefCell<Option<Rc<Socket>>>,
    timer: RefCell<Option<Timer>>,
    telling: Cell<bool>,
    onframe: RefCell<JsValue>,
    inspected: Cell<bool>,
    /// How many frames looked canonical and weren't.
    misread: Cell<u32>,
    /// Why the browser refused to make a socket, until the call that caused it has thrown it.
    refusal: RefCell<Option<String>>,
}

impl Driver {
    /// A signaling that hasn't connected yet.
    pub fn new(options: Options, page: JsValue) -> Result<Rc<Driver>, Error> {
        let [userid, seed] = random()?;
        Ok(Rc::new(Driver {
            session: RefCell::new(Session::new(
                options.config,
                UserId::from_bits(userid),
                seed,
            )),
            url: options.url,
            default_channel: options.channel,
            page: RefCell::new(page),
            functions: RefCell::default(),
            socket: RefCell::default(),
            timer: RefCell::default(),
            telling: Cell::new(false),
            onframe: RefCell::default(),
            inspected: Cell::new(false),
            misread: Cell::new(0),
            refusal: RefCell::default(),
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

    /// Takes the functions that refer to it.
    pub fn keep(&self, functions: Functions) {
        self.functions.replace(Some(functions));
    }

    /// A function of its own; `null` once it is closed.
    pub fn function(&self, call: Call, id: ChannelId, bound: &JsValue) -> JsValue {
        self.functions
            .borrow()
            .as_ref()
            .map_or(JsValue::NULL, |functions| {
                functions.get(call, id, bound).into()
            })
    }

    /// Opens a channel.
    pub fn open(
        self: &Rc<Self>,
        name: &str,
        subscriber: Rc<dyn Subscriber>,
    ) -> Result<ChannelId, Error> {
        let id = self
            .session
            .borrow_mut()
            .open(js::now(), name, subscriber)?;
        self.settle();
        match self.refusal.take() {
            Some(reason) => Err(failed("connection-failed", "#", &[&reason])),
            None => Ok(id),
        }
    }

    /// Closes that opening of a channel.
    pub fn close_channel(self: &Rc<Self>, name: &str, id: ChannelId) {
        self.session.borrow_mut().close_channel(name, id);
        self.settle();
    }

    /// Sends a message, given as its JSON text.
    pub fn send(self: &Rc<Self>, channel: &str, payload: Text) -> Result<(), Error> {
        let taken = {
            let mut session = self.session.borrow_mut();
            session
                .send(channel, payload)
                .map_err(|error| Error::of_send(error, channel, session.config()))
        };
        self.settle();
        taken
    }

    /// Closes everything for good.
    pub fn close(self: &Rc<Self>) {
        self.session.borrow_mut().close();
        self.settle();
    }

    /// The socket is open.
    pub fn opened(self: &Rc<Self>) {
        self.session.borrow_mut().opened(js::now());
        self.settle();
    }

    /// The socket is closed, or couldn't be opened.
    pub fn lost(self: &Rc<Self>, code: u16, reason: &str) {
        let reason = match (self.state(), reason) {
            (State::Open, "") => "the connection was lost".into(),
            (_, "") => fill("no connection to # could be made", &[&self.url]),
            _ => fill("the server closed the connection: #", &[reason]),
        };
        self.session.borrow_mut().lost(
            js::now(),
            Loss {
                code: Some(code),
                reason,
                last: false,
            },
        );
        self.settle();
    }

    /// A frame came in: a string, or an `ArrayBuffer`.
    pub fn frame(self: &Rc<Self>, data: JsValue) {
        let frame = data.unchecked_ref::<Text>();
        let length = frame.length();
        // A buffer has no length; asked for one, it says nothing, which arrives as 0.
        let (kind, message) = if length > 0 || data.is_string() {
            self.read(frame, length)
        } else {
            self.bad("a binary frame")
        };
        if kind != FrameKind::Bad {
            self.session.borrow_mut().count(kind);
        }
        self.tell_frame(kind, &data);
        if let Some((subscriber, message)) = message {
            subscriber.deliver(message);
        }
        if kind == FrameKind::Bad {
            self.settle();
        }
    }

    /// After every input: act, arm the timer, tell.
    fn settle(self: &Rc<Self>) {
        loop {
            let action = self.session.borrow_mut().next_action();
            match action {
                Some(Action::Connect) => self.connect(),
                Some(Action::Disconnect) => drop(self.socket.take()),
                Some(Action::Transmit(message)) => self.transmit(message),
                None => break,
            }
        }
        self.arm_timer();
        if !self.telling.replace(true) {
            loop {
                let event = self.session.borrow_mut().next_event();
                let Some(event) = event else { break };
                self.tell(event);
            }
            self.telling.set(false);
            if self.state() == State::Closed {
                drop(self.functions.take());
                self.set_onframe(JsValue::UNDEFINED);
                drop(self.page.replace(Object::new().into()));
            }
        }
    }

    fn connect(self: &Rc<Self>) {
        let function = |call| self.function(call, 0, &JsValue::UNDEFINED);
        let handlers = [
            function(Call::Opened),
            Functions::onmessage(self),
            function(Call::Lost),
        ];
        match Socket::connect(&self.url, &handlers) {
            Ok(socket) => drop(self.socket.replace(Some(Rc::new(socket)))),
            Err(thrown) => {
                let reason = fill(
                    "the browser made no WebSocket for #: #",
                    &[&self.url, &js::text(&thrown)],
                );
                self.refusal.replace(Some(reason.clone()));
                self.session.borrow_mut().lost(
                    js::now(),
                    Loss {
                        code: None,
                        reason,
                        last: true,
                    },
                );
            }
        }
    }

    fn transmit(&self, message: Message<Text>) {
        let (head, tail) = {
            let session = self.session.borrow();
            let protocol = session.config().protocol;
            (
                JsValue::from(protocol.encode_head(session.userid(), &message.channel)),
                protocol.tail(),
            )
        };
        let frame = head.unchecked_ref::<Text>().concat(&message.payload, tail);
        // A page's own WebSocket may call back from inside `send`.
        let socket = self.socket.borrow().clone();
        let taken = socket.is_some_and(|socket| socket.send(&frame).is_ok());
        if taken {
            self.session.borrow_mut().count(FrameKind::Sent);
            self.tell_frame(FrameKind::Sent, &frame);
        } else {
            self.session.borrow_mut().not_taken(js::now(), message);
        }
    }

    fn arm_timer(self: &Rc<Self>) {
        let wake_at = self.session.borrow().wake_at();
        if self.timer.borrow().as_ref().map(|timer| timer.at) == wake_at {
            return;
        }
        let timer = wake_at.map(|at| {
            Timer::new(
                js::now(),
                at,
                &self.function(Call::Woken, 0, &JsValue::UNDEFINED),
            )
        });
        drop(self.timer.replace(timer));
    }

    /// The timer fired.
    pub fn woken(self: &Rc<Self>) {
        // A timer that has fired is none: the next one may be for the same time, if the browser fired this one early.
        drop(self.timer.take());
        self.session.borrow_mut().woken(js::now());
        self.settle();
    }

    fn tell(&self, event: Event<Rc<dyn Subscriber>>) {
        match event {
            Event::Ready(subscriber) => subscriber.ready(),
            Event::State { state, reason, code, retry_in } => self.tell_state(state, &reason, code, retry_in),
            Event::BadFrame(what) => self.tell_error(failed(
                "bad-frame",
                "received # from #; it was dropped, and further ones will be, counted in stats().bad",
                &[what, &self.url],
            )),
            Event::Failed { reason, unsent } => self.tell_error(failed(
                "connection-failed",
                "the connection to # is lost for good, with # unsent messages: #",
                &[&self.url, &count(unsent), &reason],
            )),
        }
    }

    fn tell_state(&self, state: State, reason: &str, code: Option<u16>, retry_in: Option<f64>) {
        let state = JsValue::from(state.name());
        // The page's object is a plain one, or it is the page's own doing that it takes no members.
        let page = self.page();
        js::put(&page, "state", &state);
        let detail = Object::new();
        js::put(&detail, "reason", &reason.into());
        for (member, value) in [("code", code.map(f64::from)), ("retryIn", retry_in)] {
            if let Some(value) = value {
                js::put(&detail, member, &value.into());
            }
        }
        callback::call_member(&page, "onstatechange", &[&state, &detail]);
    }

    fn tell_error(&self, error: Error) {
        callback::call_member(&self.page(), "onerror", &[&error.into()]);
    }

    fn tell_frame(&self, kind: FrameKind, frame: &JsValue) {
        if self.inspected.get() {
            let onframe = Ok(self.onframe());
            let arguments = [&kind.name().into(), frame];
            callback::call_value(onframe, &self.page(), "onframe", &arguments);
        }
    }

    /// The page's object.
    pub fn page(&self) -> JsValue {
        self.page.borrow().clone()
    }

    /// The page's `onframe`.
    pub fn onframe(&self) -> JsValue {
        self.onframe.borrow().clone()
    }

    /// Sets the page's `onframe`. The driver has it, because each frame would have to look for it on the page's object.
    pub fn set_onframe(&self, onframe: JsValue) {
        self.inspected.set(!onframe.is_falsy());
        drop(self.onframe.replace(onframe));
    }

    /// Reads a text frame as far as it must be read; the message, if it is for a subscriber.
    fn read(&self, frame: &Text, length: u32) -> Read {
        let (received, tail) = {
            let session = self.session.borrow();
            if length as usize > session.max_frame() {
                drop(session);
                return self.bad("a frame longer than maxMessage allows");
            }
            // The rest of the frame never enters wasm.
            let head_length = session.head_length() as u32;
            (
                session.receive(&frame.copy(0, head_length), length <= head_length),
                session.config().protocol.tail(),
            )
        };
        match received {
            Received::Own => (FrameKind::Own, None),
            Received::Foreign => (FrameKind::Foreign, None),
            Received::Deliver(subscriber, start) if ends_with(frame, length, tail) => {
                let end = length - tail.len() as u32;
                let payload = frame.slice(start as u32, end);
                let parsed = if self.misread.get() < MISREAD {
                    js::parse_likely_json(&payload)
                } else {
                    js::parse_json(&payload)
                };
                match parsed {
                    Ok(message) => (FrameKind::Delivered, Some((subscriber, message))),
                    Err(_) => {
                        self.misread.set(self.misread.get().saturating_add(1));
                        self.read_whole(frame)
                    }
                }
            }
            Received::Deliver(..) | Received::Unclear => self.read_whole(frame),
        }
    }

    fn bad(&self, what: &'static str) -> Read {
        self.session.borrow_mut().count_bad(what);
        (FrameKind::Bad, None)
    }

    /// Reads a frame that isn't canonical the way the shim does.
    fn read_whole(&self, frame: &Text) -> Read {
        let Ok(envelope) = js::parse_json(frame.unchecked_ref()) else {
            return self.bad("a frame that isn't JSON");
        };
        if !envelope.is_object() || js_sys::Array::is_array(&envelope) {
            return self.bad("a frame that isn't an object");
        }
        let member = |name: &str| js::member(&envelope, name);
        // What the shim's `==` says of any JSON value; for some objects it throws, and those are others' frames.
        let own = js::number(&member("sender")).is_ok_and(|sender| sender == self.userid());
        // The shim looks up `channels[data.channel]`, so that 5 is the channel '5'.
        let channel = js::text(&member("channel"));
        match self.session.borrow().receive_whole(own, &channel) {
            Received::Deliver(subscriber, _) => {
                (FrameKind::Delivered, Some((subscriber, member("message"))))
            }
            Received::Own => (FrameKind::Own, None),
            _ => (FrameKind::Foreign, None),
        }
    }
}

/// Whether `frame`, of that length, ends with `tail`, which is ASCII; compared in place.
fn ends_with(frame: &Text, length: u32, tail: &str) -> bool {
    (1..=length)
        .zip(tail.bytes().rev())
        .all(|(back, byte)| frame.char_code_at(length - back) == u32::from(byte))
}

/// Two random numbers: for the user id, and for the jitter.
fn random() -> Result<[u64; 2], Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        let template = "the browser gave no random numbers for the user id: crypto.getRandomValues is missing or failed";
        failed("no-randomness", template, &[])
    })?;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (userid, seed) = bytes.split_at(8);
    Ok([number(userid), number(seed)])
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
