//! The driver: carries inputs to the session, performs its actions, tells the page its events.
//!
//! The page is only ever called with no borrow held, so that it may call back. What it calls for is done at once (a `send` reaches an open
//! socket before it returns); what it is to be told waits until the present telling is over.

use super::callback::{self, Subscriber};
use super::error::{Error, count, failed, quoted, show};
use super::functions::{Call, Functions};
use super::js::{self, Text};
use super::lifecycle;
use super::options::{self, Options};
use super::socket::{NotTaken, Socket};
use super::timer::Timer;
use crate::protocol::{Effect, Ending, Protocol, Records, UserId, fill};
use crate::session::{
    Action, ChannelId, Event, FrameKind, Loss, Message, Payload, Received, Session, State, Stats,
};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use js_sys::Object;
use wasm_bindgen::prelude::*;

/// A message's JSON text, in JavaScript's hands.
impl Payload for Text {
    fn length(&self) -> usize {
        Text::length(self) as usize
    }
}

/// A message, and whom it is for.
type Delivery = (Rc<dyn Subscriber>, JsValue);

/// So many frames may look canonical and not be JSON before their like is parsed without loss: see [`js::parse_likely_json`].
const MISREAD: u32 = 64;

/// One signaling at work.
pub struct Driver {
    session: RefCell<Session<Text, Rc<dyn Subscriber>>>,
    /// What carries frames instead of a WebSocket, if not undefined.
    transport: JsValue,
    /// What the page has to say of itself, or the function that gives it.
    credential: JsValue,
    /// The function that gives the server's address, if not undefined.
    locate: JsValue,
    /// Of a record that isn't whole yet.
    records: RefCell<Records<Text>>,
    /// What a frame with a second record has in it.
    second: Option<Text>,
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
    /// What hears of the page's life, while it does.
    listener: RefCell<JsValue>,
    /// Who waits for the outbox: the mark, what resolves the promise, what rejects it.
    flushing: RefCell<Vec<(u64, JsValue, JsValue)>>,
    /// What resolves the page's promise `closed`.
    resolve_closed: RefCell<JsValue>,
    telling: Cell<bool>,
    onframe: RefCell<JsValue>,
    inspected: Cell<bool>,
    /// How many frames looked canonical and weren't.
    misread: Cell<u32>,
    /// The HTTP status of the last answer.
    status: Cell<u16>,
    /// Why the browser refused to make a socket, until the call that caused it has thrown it.
    refusal: RefCell<Option<String>>,
}

impl Driver {
    /// A signaling that hasn't connected yet.
    pub fn new(options: Options, page: JsValue) -> Result<Rc<Driver>, Error> {
        let [userid, seed] = random()?;
        let session = Session::new(options.config, UserId::from_bits(userid), seed);
        let second = session.link().second();
        Ok(Rc::new(Driver {
            second: (!second.is_empty()).then(|| JsValue::from(second).unchecked_into()),
            session: RefCell::new(session),
            transport: options.transport,
            credential: options.credential,
            locate: options.locate,
            records: RefCell::default(),
            default_channel: options.channel,
            page: RefCell::new(page),
            functions: RefCell::default(),
            socket: RefCell::default(),
            timer: RefCell::default(),
            listener: RefCell::default(),
            flushing: RefCell::default(),
            resolve_closed: RefCell::default(),
            telling: Cell::new(false),
            onframe: RefCell::default(),
            inspected: Cell::new(false),
            misread: Cell::new(0),
            status: Cell::new(0),
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
    pub fn send(self: &Rc<Self>, channel: &str, payload: Text, ttl: f64) -> Result<(), Error> {
        let taken = {
            let mut session = self.session.borrow_mut();
            session
                .send(js::now(), channel, payload, ttl)
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

    /// A promise of the outbox's being taken up to now.
    pub fn flushed(&self) -> Result<JsValue, JsValue> {
        if self.state() == State::Closed {
            return js::rejected(&Error::signaling_closed().into());
        }
        let mark = JsValue::from(self.session.borrow().flush() as f64);
        Ok(js::new_promise(&self.function(
            Call::AwaitFlushed,
            0,
            &mark,
        )))
    }

    /// What becomes of that promise.
    pub fn await_flushed(self: &Rc<Self>, mark: &JsValue, resolve: JsValue, reject: JsValue) {
        let mark = mark.as_f64().unwrap_or_default() as u64;
        self.flushing.borrow_mut().push((mark, resolve, reject));
        self.settle();
    }

    /// What becomes of the page's promise `closed`.
    pub fn await_closed(&self, resolve: JsValue) {
        drop(self.resolve_closed.replace(resolve));
    }

    fn tell_flushed(&self) {
        let closed = self.state() == State::Closed;
        loop {
            let mut flushing = self.flushing.borrow_mut();
            let session = self.session.borrow();
            let Some(place) = flushing
                .iter()
                .position(|(mark, ..)| closed || session.flushed(*mark))
            else {
                break;
            };
            let (mark, resolve, reject) = flushing.remove(place);
            let arguments: [JsValue; 1];
            let (function, arguments) = if session.flushed(mark) && !closed {
                (resolve, &[][..])
            } else {
                arguments = [Error::signaling_closed().into()];
                (reject, &[&arguments[0]][..])
            };
            drop((flushing, session));
            callback::call(function.unchecked_ref(), &JsValue::UNDEFINED, arguments);
        }
    }

    /// Something became of the page or the network.
    pub fn happened(self: &Rc<Self>, event: &JsValue) {
        lifecycle::happened(&mut self.session.borrow_mut(), js::now(), event);
        self.settle();
    }

    fn listen(&self) {
        if self.listener.borrow().is_undefined() {
            let listener = self.function(Call::Happened, 0, &JsValue::UNDEFINED);
            lifecycle::listen(&listener, true);
            drop(self.listener.replace(listener));
        }
    }

    /// Names the present connection.
    pub fn connection(&self) -> u32 {
        self.session.borrow().connection()
    }

    /// What is told about an earlier connection than the present one is nobody's.
    fn of_present(
        &self,
        connection: u32,
        input: impl FnOnce(&mut Session<Text, Rc<dyn Subscriber>>),
    ) -> bool {
        let mut session = self.session.borrow_mut();
        let present = session.connection() == connection;
        if present {
            input(&mut session);
        }
        present
    }

    /// The socket is open.
    pub fn opened(self: &Rc<Self>, connection: u32) {
        if self.of_present(connection, |session| session.opened(js::now())) {
            self.settle();
        }
    }

    /// The socket is closed, or couldn't be opened.
    pub fn lost(self: &Rc<Self>, connection: u32, event: &JsValue) {
        // A transport says why in words.
        let member = |name| {
            if event.is_object() {
                js::member(event, name)
            } else {
                JsValue::UNDEFINED
            }
        };
        let reason = event.as_string().or(member("reason").as_string());
        let reason = &*reason.unwrap_or_default();
        let code = member("code").as_f64().map(|code| code as u16);
        let reason = match (self.state(), reason) {
            (State::Open, "") => "the connection was lost".into(),
            (_, "") => fill("no connection to # could be made", &[&self.url()]),
            _ => fill("the server closed the connection: #", &[reason]),
        };
        self.down(connection, code, reason);
    }

    fn down(self: &Rc<Self>, connection: u32, code: Option<u16>, reason: String) {
        let loss = Loss {
            code,
            reason,
            ending: Ending::Retry,
        };
        if self.of_present(connection, |session| session.lost(js::now(), loss)) {
            self.settle();
        }
    }

    fn url(&self) -> String {
        self.session.borrow().link().url().into()
    }

    /// The page is asked for the server's address, if it gives that, and else for its credential.
    fn ask(self: &Rc<Self>) {
        if self.locate.is_undefined() {
            self.ask_credential();
        } else {
            self.ask_for(
                &self.locate,
                Call::Located,
                "the option url gave nothing of use",
            );
        }
    }

    fn ask_credential(self: &Rc<Self>) {
        const OR_ELSE: &str = "the option auth or accessToken gave nothing of use";
        self.ask_for(&self.credential, Call::Provided, OR_ELSE);
    }

    fn ask_for(self: &Rc<Self>, provider: &JsValue, done: Call, or_else: &str) {
        self.when(self.connection(), js::promise(provider), done, or_else);
    }

    /// The page gave the server's address.
    pub fn located(self: &Rc<Self>, connection: u32, value: &JsValue) -> Result<(), JsValue> {
        let path = String::from(self.session.borrow().link().path());
        let (url, _) = options::address(value, self.protocol(), &path)?;
        if self.of_present(connection, |session| session.located(js::now(), url)) {
            if !self.credential.is_undefined() {
                self.ask_credential();
            }
            self.settle();
        }
        Ok(())
    }

    /// The page gave what it has to say of itself: a token, or an object.
    pub fn provided(self: &Rc<Self>, connection: u32, value: &JsValue) -> Result<(), JsValue> {
        let (mut text, mut query) = (String::new(), String::new());
        if self.protocol() != Protocol::SocketIo && value.is_string() {
            text = js::text(value);
        } else if self.protocol() == Protocol::SocketIo && value.is_object() {
            query = options::query(value)?;
            text = js::text(&js::to_json(value)?.unwrap_or_default());
        } else if !value.is_undefined() && !value.is_null() {
            return Err(show(value).into());
        }
        if self.of_present(connection, |session| {
            session.provided(js::now(), text, query)
        }) {
            self.settle();
        }
        Ok(())
    }

    /// What was asked for didn't come; `what` tells it in words.
    pub fn failed(self: &Rc<Self>, connection: u32, what: &JsValue, thrown: &JsValue) {
        let reason = fill("#: #", &[&js::text(what), &js::text(thrown)]);
        self.down(connection, None, reason);
    }

    fn fetch(self: &Rc<Self>, post: bool, url: &str) {
        let init = Object::new();
        let method = if post { "POST" } else { "GET" };
        js::put(&init, "method", &method.into());
        // What is said in parting outlives the page.
        js::put(&init, "keepalive", &JsValue::TRUE);
        let token = fill("Bearer #", &[self.session.borrow().link().token()]);
        if post && token.len() > 7 {
            let headers = Object::new();
            js::put(&headers, "Authorization", &token.into());
            js::put(&init, "headers", &headers);
        }
        let undefined = &JsValue::UNDEFINED;
        let answered = self.function(Call::Answered, self.connection(), undefined);
        let read = js::fetch(url, &init)
            .and_then(|promise| js::invoke(&promise, "then", &answered, undefined));
        const UNREAD: &str = "the server can't be reached, or doesn't let this page read its answers; the option url must be a SignalR hub's";
        self.when(self.connection(), read, Call::Read, UNREAD);
    }

    /// Calls back with what `promise` comes to, or with why it doesn't, and that in words.
    fn when(
        self: &Rc<Self>,
        connection: u32,
        promise: Result<JsValue, JsValue>,
        done: Call,
        or_else: &str,
    ) {
        let or_else = &or_else.into();
        let function = |call| self.function(call, connection, or_else);
        let promise = promise.and_then(|promise| {
            let undefined = &JsValue::UNDEFINED;
            let done = js::invoke(&promise, "then", &function(done), undefined)?;
            js::invoke(&done, "then", undefined, &function(Call::Failed))
        });
        if let Err(thrown) = promise {
            self.failed(connection, or_else, &thrown);
        }
    }

    /// The answer to a request has begun; what it returns is to be read.
    pub fn answered(&self, connection: u32, response: &JsValue) -> Result<JsValue, JsValue> {
        let status = js::member(response, "status").as_f64().unwrap_or_default();
        if connection == self.connection() {
            self.status.set(status as u16);
        }
        js::invoke(response, "text", &JsValue::UNDEFINED, &JsValue::UNDEFINED)
    }

    /// It was read.
    pub fn read_answer(self: &Rc<Self>, connection: u32, text: &JsValue) {
        const SHOWN: u32 = 100;
        let value = js::parse_json(text.unchecked_ref()).ok();
        let text = text.unchecked_ref::<Text>().copy(0, SHOWN);
        let status = self.status.get();
        if self.of_present(connection, |session| {
            session.answered(js::now(), status, value, &text)
        }) {
            self.settle();
        }
    }

    /// A frame came in: a string, or an `ArrayBuffer`.
    pub fn frame(self: &Rc<Self>, data: JsValue) {
        let frame = data.unchecked_ref::<Text>();
        let length = frame.length();
        // A buffer has no length; asked for one, it says nothing, which arrives as 0.
        if length == 0 && !data.is_string() {
            self.no_text(&data);
        } else if !self.read(frame, length) {
            self.read_whole(frame);
        }
    }

    /// A frame came in that is no string.
    pub fn no_text(self: &Rc<Self>, data: &JsValue) {
        if self.protocol() == Protocol::SocketIo {
            // What an event has of binary parts: nothing of ours.
            self.count(FrameKind::Control, data, None);
        } else {
            self.bad("a binary frame", data);
        }
    }

    /// After every input: act, arm the timer, tell.
    fn settle(self: &Rc<Self>) {
        loop {
            let action = self.session.borrow_mut().next_action();
            match action {
                Some(Action::Ask) => self.ask(),
                Some(Action::Disconnect) => drop(self.socket.take()),
                Some(Action::Converse(effect, text)) => match effect {
                    Effect::Socket => self.connect(&text),
                    Effect::Say => {
                        let frame = JsValue::from(text);
                        self.hand_over(frame.unchecked_ref(), None);
                    }
                    _ => self.fetch(effect == Effect::Post, &text),
                },
                Some(Action::Transmit(message)) => self.transmit(&message),
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
                lifecycle::listen(&self.listener.take(), false);
                self.set_onframe(JsValue::UNDEFINED);
                drop(self.page.replace(Object::new().into()));
            }
        }
        self.tell_flushed();
    }

    fn connect(self: &Rc<Self>, url: &str) {
        self.listen();
        self.records.borrow_mut().clear();
        let connection = self.connection();
        let function = |call| self.function(call, connection, &JsValue::UNDEFINED);
        let transport = &self.transport;
        let native = transport.is_undefined();
        let connected = if native {
            let onmessage = Functions::onmessage(self);
            Socket::connect(
                url,
                &[function(Call::Opened), onmessage, function(Call::Lost)],
                &function(Call::Nothing),
            )
        } else {
            Socket::carry(
                transport,
                &[
                    function(Call::Opened),
                    function(Call::Frame),
                    function(Call::Lost),
                ],
            )
        };
        match connected {
            Ok(socket) => drop(self.socket.replace(Some(Rc::new(socket)))),
            Err(thrown) => {
                let reason = fill(
                    "the browser made no WebSocket for #: #",
                    &[url, &js::text(&thrown)],
                );
                self.refusal.replace(Some(reason.clone()));
                self.session.borrow_mut().lost(
                    js::now(),
                    Loss {
                        code: None,
                        reason,
                        ending: Ending::Final,
                    },
                );
                return;
            }
        }
        if !native {
            let undefined = &JsValue::UNDEFINED;
            if js::member(transport, "open").is_undefined() {
                self.opened(connection);
            } else {
                // It may take its time, as a promise.
                let opened = js::invoke(transport, "open", undefined, undefined)
                    .and_then(|opened| js::promise(&opened));
                let or_else = "the transport didn't open";
                self.when(connection, opened, Call::Nothing, or_else);
            }
        }
    }

    fn transmit(&self, message: &Message<Text>) {
        let ((head, before), tail) = {
            let mut session = self.session.borrow_mut();
            (
                session.wrap(&message.channel, message.number),
                session.link().tail(),
            )
        };
        let text = |text: String| JsValue::from(text).unchecked_into::<Text>();
        let is_text = !before.is_empty();
        let mut frame = text(head).concat(&message.payload, if is_text { "}" } else { tail });
        if is_text && let Ok(Some(string)) = js::to_json(&frame) {
            frame = text(before).concat(string.unchecked_ref(), tail);
        }
        self.hand_over(&frame, Some(message.number));
    }

    /// Hands a frame to the socket: a message's, by its number, or one of the protocol's own.
    fn hand_over(&self, frame: &Text, message: Option<u64>) {
        // A page's own WebSocket may call back from inside `send`.
        let socket = self.socket.borrow().clone();
        let taken = socket.map_or(Err(NotTaken::NotOpen), |socket| socket.send(frame));
        let mut session = self.session.borrow_mut();
        if let Err(why) = taken {
            let blamed = message.is_some() && why == NotTaken::Thrown;
            return session.not_taken(js::now(), blamed);
        }
        session.count_length(frame.length() as usize, true);
        match message {
            Some(number) => {
                session.taken(number);
                drop(session);
                self.count(FrameKind::Sent, frame, None);
            }
            None => {
                drop(session);
                self.tell_frame(FrameKind::Control, frame);
            }
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
                &[what, &self.url()],
            )),
            Event::Refused(why) => self.tell_error(failed(
                "message-refused",
                "the server refused a message: '#'; the options method, hub and event must be what it knows",
                &[&why],
            )),
            Event::Gap(channel) => {
                callback::call_member(&self.page(), "ongap", &[&channel.into()]);
            }
            Event::Dropped { channel, expired } => {
                let (code, template) = if expired {
                    ("message-expired", "a message on the channel # was dropped: its ttl passed before the server took it")
                } else {
                    ("message-given-up", "a message on the channel # was dropped: it brought the connection down twice")
                };
                self.tell_error(failed(code, template, &[&quoted(&channel)]));
            }
            Event::Failed { refused, reason, unsent } => self.tell_error(failed(
                if refused { "authentication-refused" } else { "connection-failed" },
                "the connection to # is lost for good, with # unsent messages: #",
                &[&self.url(), &count(unsent), &reason],
            )),
        }
    }

    fn tell_state(&self, state: State, reason: &str, code: Option<u16>, retry_in: Option<f64>) {
        let is_last = state == State::Closed;
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
        if is_last {
            let resolve = self.resolve_closed.take();
            callback::call(resolve.unchecked_ref(), &JsValue::UNDEFINED, &[&detail]);
        }
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

    fn protocol(&self) -> Protocol {
        self.session.borrow().link().protocol()
    }

    /// Counts a frame, shows it to an inspector, and delivers its message, if it has one for a subscriber.
    fn count(&self, kind: FrameKind, frame: &JsValue, message: Option<Delivery>) {
        self.session.borrow_mut().count(kind);
        self.tell_frame(kind, frame);
        if let Some((subscriber, message)) = message {
            subscriber.deliver(message);
        }
    }

    fn bad(self: &Rc<Self>, what: &'static str, frame: &JsValue) {
        self.session.borrow_mut().count_bad(what);
        self.tell_frame(FrameKind::Bad, frame);
        self.settle();
    }

    /// Reads a text frame by its head, if that tells enough.
    fn read(self: &Rc<Self>, frame: &Text, length: u32) -> bool {
        let (received, tail, is_text) = {
            let mut session = self.session.borrow_mut();
            if length as usize > session.max_frame() {
                drop(session);
                self.bad("a frame longer than maxMessage allows", frame);
                return true;
            }
            session.count_length(length as usize, false);
            if session.listens() {
                session.heard(js::now());
            }
            // A record that was begun in another frame has its head there; one that goes on in another frame ends there. And behind the
            // messages of a classic frame there may be what is to be noted.
            let tail = session.link().received_tail();
            if session.link().is_text()
                && (self.records.borrow().begun().is_some() || !ends_with(frame, length, tail))
            {
                return false;
            }
            // The rest of the frame never enters wasm.
            let head_length = session.head_length() as u32;
            (
                session.receive(&frame.copy(0, head_length), length <= head_length),
                tail,
                session.link().is_text(),
            )
        };
        let second = self.second.as_ref();
        if second.is_some_and(|second| frame.includes(second, 1)) {
            return false;
        }
        let (kind, message) = match received {
            Received::Unclear => return false,
            Received::Own => (FrameKind::Own, None),
            Received::Foreign => (FrameKind::Foreign, None),
            Received::Deliver(subscriber, start) => {
                if !ends_with(frame, length, tail) {
                    return false;
                }
                let end = length - tail.len() as u32;
                let payload = frame.slice(start as u32, end);
                let parsed = if self.misread.get() < MISREAD {
                    js::parse_likely_json(&payload)
                } else {
                    js::parse_json(&payload)
                };
                let message = if is_text {
                    parsed
                        .and_then(|envelope| js::parse_json(envelope.unchecked_ref()))
                        .map(|envelope| js::member(&envelope, "message"))
                } else {
                    parsed
                };
                let Ok(message) = message else {
                    self.misread.set(self.misread.get().saturating_add(1));
                    return false;
                };
                (FrameKind::Delivered, Some((subscriber, message)))
            }
        };
        self.count(kind, frame, message);
        true
    }

    /// Reads a frame that isn't canonical, or is the protocol's own.
    fn read_whole(self: &Rc<Self>, frame: &Text) {
        if !self.session.borrow().link().is_stream() {
            self.read_record(frame);
        } else {
            let connection = self.connection();
            let records = self.records.borrow_mut().take(frame);
            for record in records {
                // One of them may have ended the connection.
                if self.connection() == connection {
                    self.read_record(&record);
                }
            }
        }
        self.settle();
    }

    fn read_record(self: &Rc<Self>, record: &Text) {
        let mut envelopes = Vec::new();
        {
            let mut session = self.session.borrow_mut();
            let head = record.copy(0, session.head_length() as u32);
            let value = match session.link().json_start(&head) {
                Some(start) => js::parse_json(&record.slice(start as u32, u32::MAX)),
                None => Ok(JsValue::UNDEFINED),
            };
            let Ok(value) = value else {
                let what = session.link().what_is_no_json(&head);
                drop(session);
                return self.bad(what, record);
            };
            session.record(js::now(), &head, value, &mut envelopes);
        }
        if envelopes.is_empty() {
            self.count(FrameKind::Control, record, None);
        }
        for envelope in envelopes {
            self.read_envelope(&envelope, record);
        }
    }

    /// Reads an envelope the way the shim does.
    fn read_envelope(self: &Rc<Self>, envelope: &JsValue, record: &Text) {
        let mut envelope = envelope.clone();
        if envelope.is_string() && self.protocol() != Protocol::WebSocket {
            envelope = js::parse_json(envelope.unchecked_ref()).unwrap_or_default();
        }
        if !envelope.is_object() || js_sys::Array::is_array(&envelope) {
            return self.bad("a frame that isn't an object", record);
        }
        let member = |name: &str| js::member(&envelope, name);
        // What the shim's `==` says of any JSON value; for some objects it throws, and those are others' frames.
        let own = js::number(&member("sender")).is_ok_and(|sender| sender == self.userid());
        // The shim looks up `channels[data.channel]`, so that 5 is the channel '5'.
        let channel = js::text(&member("channel"));
        let id = member("id").as_string().unwrap_or_default();
        let received = self.session.borrow_mut().receive_whole(own, &channel, &id);
        let (kind, message) = match received {
            Received::Deliver(subscriber, _) => {
                (FrameKind::Delivered, Some((subscriber, member("message"))))
            }
            Received::Own => (FrameKind::Own, None),
            _ => (FrameKind::Foreign, None),
        };
        self.count(kind, record, message);
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
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
