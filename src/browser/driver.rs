//! The driver: a loop that carries inputs to the session, performs its actions and emits its
//! events. It decides nothing itself.
//!
//! The page is never called while the session is borrowed, so a handler may call back. Actions of
//! such a call are performed at once: a message reaches an open socket before `send` returns. Its
//! events are emitted after the handler; frames are shown at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{JsString, Promise};
use signal_wire::UserId;
use wasm_bindgen::prelude::*;

use super::address;
use super::diagnosis;
use super::error::Error;
use super::event_source::Stream;
use super::events::{Page, Subscriber};
use super::fetch::{self, HttpOptions, Reply, Request};
use super::js::{self, Clock};
use super::lifecycle::Lifecycle;
use super::options::{CredentialsProvider, Options};
use super::promises::{self, Settle, Until, Waiting};
use super::random;
use super::socket::Socket;
use super::timer::Timer;
use crate::protocol::{Frame, Millis, without_secrets};
use crate::session::{Action, ChannelId, ConnectionId, Disconnect, Input, Session, State, Stats};

/// The longest delay that `setTimeout` takes, in milliseconds; it fires at once for a longer one.
const LONGEST_DELAY: Millis = 2_147_483_647.0;

/// One signaling at work.
///
/// Its socket, timer and listeners hold references to it. So it lives until it is closed, even if
/// the page drops its own reference, like a native WebSocket.
pub struct Driver {
    pub(super) session: RefCell<Session<JsString, Rc<dyn Subscriber>>>,
    pub(super) clock: Clock,
    pub(super) given: RefCell<Given>,
    pub(super) subprotocols: Vec<String>,
    pub(super) http: HttpOptions,
    /// Whether the page chose the default channel.
    #[cfg(feature = "exports")]
    pub(super) names_default_channel: bool,
    page: Rc<Page>,
    pub(super) socket: RefCell<Option<Rc<Socket>>>,
    /// A second one, which may take its place.
    pub(super) standby: RefCell<Option<Rc<Socket>>>,
    pub(super) stream: RefCell<Option<Stream>>,
    request: RefCell<Option<Request>>,
    timer: RefCell<Option<Wake>>,
    lifecycle: RefCell<Option<Lifecycle>>,
    promises: Waiting,
    /// The promise of the next connection, while somebody waits for it, or of one that never comes.
    connected: RefCell<Option<Promise>>,
    is_performing: Cell<bool>,
    is_emitting: Cell<bool>,
    /// Why the browser refused to create a socket. If `open` caused it, `open` throws this.
    pub(super) socket_error: RefCell<Option<Error>>,
}

/// The page's objects and functions among the options. They may own the signaling, as a transport
/// does by its handlers, so they are dropped when it is closed.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) transport: Option<JsValue>,
    url_provider: Option<JsValue>,
    credentials: Option<CredentialsProvider>,
}

/// The next timeout of the session.
#[derive(Debug)]
struct Wake {
    at: Millis,
    _timer: Timer,
}

impl Driver {
    /// A signaling that hasn't connected yet.
    pub fn new(options: Options, page: Page) -> Result<Rc<Driver>, Error> {
        let userid = UserId::from_bits(random::number()?);
        let session = Session::new(options.config, options.protocol, userid, random::number()?);
        Ok(Rc::new(Driver {
            session: RefCell::new(session),
            clock: Clock::new(),
            given: RefCell::new(Given {
                transport: options.transport,
                url_provider: options.url_provider,
                credentials: options.credentials,
            }),
            subprotocols: options.subprotocols,
            http: options.http,
            #[cfg(feature = "exports")]
            names_default_channel: options.names_default_channel,
            page: Rc::new(page),
            socket: RefCell::default(),
            standby: RefCell::default(),
            stream: RefCell::default(),
            request: RefCell::default(),
            timer: RefCell::default(),
            lifecycle: RefCell::default(),
            promises: Waiting::default(),
            connected: RefCell::default(),
            is_performing: Cell::new(false),
            is_emitting: Cell::new(false),
            socket_error: RefCell::default(),
        }))
    }

    // What the page calls.

    /// The `sender` of this page's messages.
    pub fn userid(&self) -> u64 {
        self.session.borrow().userid().get()
    }

    /// The state of the connection.
    pub fn state(&self) -> State {
        self.session.borrow().state()
    }

    /// The time on the page's clock.
    #[cfg(feature = "typed-api")]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.session.borrow().stats()
    }

    /// Frames are shown from now on if anybody looks at them.
    pub(crate) fn inspect(&self) {
        let is_inspecting = self.page.is_inspecting();
        self.session.borrow_mut().inspect(is_inspecting);
    }

    /// Tells the page of an error.
    pub fn tell(&self, error: &JsValue) {
        self.page.emit_error(error);
    }

    /// Opens a channel; the first one connects. The error is `signaling-closed`, or
    /// `connection-failed` if the browser creates no WebSocket.
    pub fn open(
        self: &Rc<Self>,
        name: &str,
        subscriber: Rc<dyn Subscriber>,
    ) -> Result<ChannelId, Error> {
        let now = self.clock.now();
        let id = self.session.borrow_mut().open(now, name, subscriber)?;
        self.session.borrow_mut().open_begins();
        self.drain();
        self.session.borrow_mut().open_returns();
        match self.socket_error.take() {
            Some(error) => Err(error),
            None => Ok(id),
        }
    }

    /// Sends a message, given as its JSON text, and returns its number. It is dropped if it hasn't
    /// been sent within `ttl`. `settle` learns whether the server accepts it.
    pub fn send(
        self: &Rc<Self>,
        channel: &str,
        payload: JsString,
        ttl: Millis,
        settle: Option<Settle>,
    ) -> Result<u64, Error> {
        let now = self.clock.now();
        let sent = {
            let mut session = self.session.borrow_mut();
            let sent = session.send(now, channel, payload, ttl);
            sent.map_err(|error| {
                Error::of_send(error, session.shown_name(channel), session.config())
            })
        };
        if let (Ok(number), Some(settle)) = (&sent, settle) {
            self.promises.add(Until::Accepted(*number), settle);
        }
        self.drain();
        sent
    }

    /// The page wants a message no longer.
    pub fn withdraw(self: &Rc<Self>, number: u64) {
        self.session.borrow_mut().withdraw(number);
        self.drain();
    }

    /// Connects, before the first channel or after [`disconnect`](Self::disconnect). Returns
    /// [`connected`](Self::connected).
    pub fn connect(self: &Rc<Self>) -> Promise {
        let now = self.clock.now();
        // The promise says that it is closed.
        let _ = self.session.borrow_mut().connect(now);
        self.drain();
        drop(self.socket_error.take());
        self.connected()
    }

    /// Ends the connection until the page connects again.
    pub fn disconnect(self: &Rc<Self>) {
        let now = self.clock.now();
        self.session.borrow_mut().disconnect(now);
        self.drain();
    }

    /// Tries at once. The error is `signaling-closed`.
    pub fn reconnect(self: &Rc<Self>) -> Result<(), Error> {
        let now = self.clock.now();
        self.session.borrow_mut().reconnect(now)?;
        self.drain();
        drop(self.socket_error.take());
        Ok(())
    }

    /// A promise of the connection. It rejects when the signaling is closed, with the reason if the
    /// connection is lost for good. That is no unhandled rejection.
    pub fn connected(self: &Rc<Self>) -> Promise {
        let promise = self.connected.take().unwrap_or_else(|| {
            let promise = self.promises.promise(Until::Connected);
            promises::when(&promise, |_| ());
            promise
        });
        self.connected.replace(Some(promise.clone()));
        self.settle();
        promise
    }

    /// Sets the function that takes a channel back.
    #[cfg(feature = "exports")]
    pub fn set_take_back(&self, take_back: JsValue) {
        self.page.set_take_back(take_back);
    }

    /// Closes that opening of a channel for the page. If it is the one that receives, those receive
    /// again that it took the channel from.
    #[cfg(feature = "exports")]
    pub fn close_for_page(self: &Rc<Self>, name: &str, id: ChannelId) {
        let receives = self.session.borrow().receives(name, id);
        if receives {
            self.page.take_back(name);
        }
        self.close_channel(name, id);
    }

    /// Closes that opening of a channel.
    pub fn close_channel(self: &Rc<Self>, name: &str, id: ChannelId) {
        self.session.borrow_mut().close_channel(name, id);
        self.drain();
    }

    /// Closes everything, for good, once an open connection has taken what waits.
    pub fn close(self: &Rc<Self>) {
        self.session.borrow_mut().about_to_close();
        self.drain();
        self.session.borrow_mut().close();
        self.drain();
    }

    /// A promise that the server has accepted what was sent until now.
    pub fn flushed(self: &Rc<Self>) -> Promise {
        let mark = self.session.borrow().flush();
        let promise = self.promises.promise(Until::Flushed(mark));
        self.drain();
        promise
    }

    // Events.

    fn handle(self: &Rc<Self>, input: Input<JsString>) {
        let now = self.clock.now();
        self.session.borrow_mut().handle(now, input);
        self.drain();
    }

    /// Handles an event of a connection or attempt. Ignores it if that is stale.
    pub(super) fn handle_from(self: &Rc<Self>, connection: ConnectionId, input: Input<JsString>) {
        let now = self.clock.now();
        let is_current = self
            .session
            .borrow_mut()
            .handle_from(connection, now, input);
        if is_current {
            self.drain();
        }
    }

    pub(super) fn on_frame(self: &Rc<Self>, connection: ConnectionId, data: JsValue) {
        let frame = match data.dyn_into::<JsString>() {
            Ok(text) => Frame::Text(text),
            Err(data) => Frame::Binary(data),
        };
        self.handle_from(connection, Input::Frame(frame));
    }

    pub(super) fn on_close(
        self: &Rc<Self>,
        connection: ConnectionId,
        code: Option<u16>,
        reason: String,
    ) {
        let reason = match (self.state(), &*reason) {
            (State::Open { .. }, "") => "the connection was lost".into(),
            (_, "") => format!("no connection to {} could be made", self.url()),
            _ => format!("the server closed the connection: {reason}"),
        };
        let disconnect = Disconnect::transient(code, reason);
        self.handle_from(connection, Input::SocketClosed(disconnect));
    }

    pub(super) fn on_stream_close(self: &Rc<Self>, connection: ConnectionId, is_refused: bool) {
        if !is_refused || matches!(self.state(), State::Open { .. }) {
            return self.on_close(connection, None, String::new());
        }
        let url = self.url();
        let reason = format!(
            "{url} didn't answer with an event stream that this page may read{}",
            self.http.cors_hint(&url)
        );
        let disconnect = Disconnect::transient(None, reason);
        self.handle_from(connection, Input::SocketClosed(disconnect));
    }

    /// An attempt failed. `what` says which step.
    pub(super) fn on_failure(
        self: &Rc<Self>,
        connection: ConnectionId,
        what: &str,
        thrown: &JsValue,
    ) {
        let reason = format!("{what}: {}", js::text(thrown));
        let disconnect = Disconnect::transient(None, reason);
        self.handle_from(connection, Input::SocketClosed(disconnect));
    }

    // Outputs of the session.

    /// Drains the session's outputs after an input. If the input came from inside an action, such
    /// as from a transport that answers inside `send`, the caller of that action continues. (A
    /// transport that answers each message of a long outbox would overflow the stack otherwise.)
    fn drain(self: &Rc<Self>) {
        if self.is_performing.replace(true) {
            return;
        }
        loop {
            let action = self.session.borrow_mut().poll_action();
            match action {
                Some(action) => self.perform(action),
                None => break,
            }
        }
        self.is_performing.set(false);
        self.set_timer();
        self.emit_frames();
        self.emit_events();
        self.settle();
    }

    /// Settles the page's promises.
    fn settle(&self) {
        let (state, flushed, has_events) = {
            let session = self.session.borrow();
            (session.state(), session.flushed(), session.has_events())
        };
        // Something may have failed, in an event that the page doesn't know yet.
        if has_events || self.is_emitting.get() {
            return;
        }
        let is_closed = state == State::Closed;
        if state.is_open() {
            drop(self.connected.take());
        }
        self.promises.settle(is_closed, |until| match until {
            Until::Connected => state.is_open(),
            Until::Flushed(mark) => mark <= flushed,
            Until::Accepted(number) => number <= flushed,
        });
    }

    fn perform(self: &Rc<Self>, action: Action<JsString>) {
        match action {
            Action::AskUrl => self.ask_url(),
            Action::AskCredentials => self.ask_credentials(),
            Action::Http(request) => {
                let request = fetch::request(&request, &self.http, self.on_answer());
                drop(self.request.replace(Some(request)));
            }
            Action::OpenSocket(url) => self.open_socket(&url),
            Action::OpenStandby(url) => self.open_standby(&url),
            Action::UseStandby => drop(self.socket.replace(self.standby.take())),
            Action::CloseStandby => drop(self.standby.take()),
            Action::OpenEventSource(url) => self.open_stream(&url),
            Action::Transmit(transmission) => self.transmit(transmission),
            // `take` ends the borrow before the page's transport is closed, which may call back.
            Action::Disconnect => {
                drop(self.socket.take());
                drop(self.standby.take());
                drop(self.stream.take());
                drop(self.request.take());
            }
        }
    }

    fn ask_url(self: &Rc<Self>) {
        let connection = self.connection();
        let provider = self.given.borrow().url_provider.clone();
        let driver = Rc::clone(self);
        promises::when(
            &promises::provided(&provider.unwrap_or_default()),
            move |given| match given.and_then(|given| address::server_url(&given)) {
                Ok(url) => driver.handle_from(connection, Input::Url(url)),
                Err(thrown) => {
                    driver.on_failure(
                        connection,
                        "the option url returned no usable value",
                        &thrown,
                    );
                }
            },
        );
    }

    fn ask_credentials(self: &Rc<Self>) {
        let connection = self.connection();
        let provider = self.given.borrow().credentials.clone();
        let Some(provider) = provider else {
            return self.handle_from(connection, Input::Credentials(None));
        };
        let driver = Rc::clone(self);
        promises::when(
            &promises::provided(provider.value()),
            move |given| match given.and_then(|given| provider.read(&given)) {
                Ok(credentials) => {
                    driver.handle_from(connection, Input::Credentials(credentials));
                }
                Err(thrown) => {
                    let what = "the option auth or accessToken returned no usable value";
                    driver.on_failure(connection, what, &thrown);
                }
            },
        );
    }

    /// A callback for the answer to a request.
    fn on_answer(self: &Rc<Self>) -> impl FnOnce(Reply) + 'static {
        let connection = self.connection();
        let driver = Rc::clone(self);
        move |answer| {
            let input = match answer {
                Ok(response) => Input::HttpResponse(response),
                Err(reason) => Input::HttpFailed(reason),
            };
            driver.handle_from(connection, input);
        }
    }

    pub(super) fn listen(self: &Rc<Self>) {
        if self.lifecycle.borrow().is_none() {
            let driver = Rc::clone(self);
            let lifecycle = Lifecycle::listen(move |input| driver.handle(input));
            drop(self.lifecycle.replace(lifecycle));
        }
    }

    fn set_timer(self: &Rc<Self>) {
        let wanted = self.session.borrow().poll_timeout();
        if self.timer.borrow().as_ref().map(|timer| timer.at) == wanted {
            return;
        }
        let wake = wanted.and_then(|at| {
            let delay = (at - self.clock.now()).ceil().clamp(0.0, LONGEST_DELAY);
            let driver = Rc::clone(self);
            let timer = Timer::start(delay as u32, move || {
                // If it fired early, the next timeout is for the same time, and must be set again.
                drop(driver.timer.take());
                driver.handle(Input::Timeout);
            });
            timer.map(|timer| Wake { at, _timer: timer })
        });
        drop(self.timer.replace(wake));
    }

    fn emit_frames(&self) {
        loop {
            let frame = self.session.borrow_mut().poll_frame();
            match frame {
                Some((kind, frame)) => self.page.emit_frame(kind, frame),
                None => break,
            }
        }
    }

    fn emit_events(self: &Rc<Self>) {
        if self.is_emitting.replace(true) {
            return;
        }
        loop {
            let event = self.session.borrow_mut().poll_event();
            match event {
                Some(event) => {
                    if let Some((until, error)) = self.page.emit(event, || self.url()) {
                        if until == Until::Connected {
                            // The promise of all who ask for it later, too.
                            let _ = self.connected();
                        }
                        self.promises.reject(until, &error);
                    }
                }
                None => break,
            }
        }
        self.is_emitting.set(false);
        let trouble = self.session.borrow_mut().poll_trouble();
        diagnosis::warn(&self.page, trouble);
        if self.state() == State::Closed {
            drop(self.lifecycle.take());
            drop(self.given.take());
            self.page.release();
        }
    }

    pub(super) fn connection(&self) -> ConnectionId {
        self.session.borrow().connection()
    }

    /// The server's address, for people to read.
    pub(super) fn url(&self) -> String {
        without_secrets(self.session.borrow().url())
    }
}

/// What only pages in JavaScript need.
#[cfg(feature = "exports")]
impl Driver {
    /// Whether a channel is open.
    pub fn has_channels(&self) -> bool {
        self.session.borrow().has_channels()
    }

    /// The channel that is used where none is named.
    pub fn default_channel(&self) -> Option<String> {
        self.session.borrow().config().default_channel.clone()
    }

    /// The page's object for the signaling.
    pub fn page_object(&self) -> JsValue {
        self.page.object()
    }

    /// The page's inspector.
    pub fn onframe(&self) -> JsValue {
        self.page.onframe()
    }

    /// Sets the page's inspector.
    pub fn set_onframe(&self, onframe: JsValue) {
        self.page.set_onframe(onframe);
        self.inspect();
    }

    /// The page listens to events of this type from now on.
    pub fn listens(&self, kind: &str) {
        self.page.listens(kind);
        self.inspect();
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
