//! The typed API for Rust front ends: messages are any `Serialize` and `Deserialize` type.
//!
//! ```ignore
//! #[derive(Serialize, Deserialize)]
//! struct Chat { text: String }
//!
//! let url = Some("wss://example.org/".into());
//! let signaling = Signaling::new(&Options { url, ..Options::default() })?;
//! let channel = signaling.open("room", |message: Result<Chat, Error>| { /* … */ })?;
//! channel.send(&Chat { text: "hello".into() })?;
//! ```

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Object;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::browser::channel;
use crate::browser::driver::Driver;
pub use crate::browser::error::Error;
use crate::browser::error::type_error;
use crate::browser::events::Subscriber;
use crate::browser::js;
use crate::browser::promises;
use crate::browser::signaling;
pub use crate::session::Stats;
use crate::session::{self, ChannelId};

/// The options of a signaling. `None` is the default. The package's `types.d.ts` documents them in
/// full.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// The server: `ws:`, `wss:`, `http:`, `https:` or relative to the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The protocol, one of the names in [`PROTOCOLS`](crate::protocol::PROTOCOLS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Socket.IO: the path of its endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Socket.IO: the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Socket.IO: the event that carries envelopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Socket.IO: credentials for the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<BTreeMap<String, String>>,
    /// Socket.IO and SignalR: members for the query of each address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<BTreeMap<String, String>>,
    /// SignalR: the client's method that the hub calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The subprotocols that the WebSocket offers, of which the server must choose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocols: Option<Vec<String>>,
    /// SignalR: the hub's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// SignalR: the bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// When HTTP requests have cookies: `include`, `same-origin` or `omit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Headers for each HTTP request to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// SignalR: open the WebSocket without negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_negotiation: Option<bool>,
    /// Classic SignalR: the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// The longest frame with a message that is sent, in bytes of UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message: Option<f64>,
    /// Bounds of the outbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox: Option<Outbox>,
    /// How to reconnect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<Reconnect>,
    /// How long each step of connecting may take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<f64>,
    /// ASP.NET Core SignalR: how long the hub may be silent, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_timeout: Option<f64>,
    /// ASP.NET Core SignalR: the time between two pings, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<f64>,
    /// Plain servers: a frame that is sent regularly, to which the server must answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
}

/// A frame that is sent regularly to a plain server, which must answer it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Heartbeat {
    /// The time between two of them, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<f64>,
    /// How long the server may be silent after one, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// The frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Bounds of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbox {
    /// The most messages that may wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<f64>,
    /// The most bytes of JSON text that may wait, two for each UTF-16 code unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
    /// What happens to a message for which there is no room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Overflow>,
}

/// What happens to a message for which the outbox has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// `send` fails with `outbox-full`.
    Throw,
    /// The default: the oldest message that isn't in flight is dropped, and `on_error` is called
    /// with `outbox-full`.
    DropOldest,
}

/// How to reconnect: full-jitter exponential backoff.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reconnect {
    /// The longest wait before the first attempt, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
    /// The longest wait before any attempt, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<f64>,
    /// How many attempts in a row; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<f64>,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No channel was opened yet.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Messages go out at once.
    Open,
    /// The connection was lost, and there will be another attempt.
    Waiting,
    /// Closed for good.
    Closed,
}

impl From<session::State> for State {
    fn from(state: session::State) -> State {
        match state {
            session::State::Idle => State::Idle,
            session::State::Connecting => State::Connecting,
            session::State::Open { .. } => State::Open,
            session::State::Waiting { .. } => State::Waiting,
            session::State::Closed => State::Closed,
        }
    }
}

/// One logical connection to a server. It connects when its first channel is opened and lives until
/// [`close`](Self::close); clones are the same one.
#[derive(Debug, Clone)]
pub struct Signaling {
    driver: Rc<Driver>,
    page: JsValue,
}

impl Signaling {
    /// # Errors
    ///
    /// `bad-option` or `bad-url`, naming the member and the value.
    pub fn new(options: &Options) -> Result<Signaling, Error> {
        let options = options
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| {
                type_error(
                    "bad-option",
                    format!("the options can't be passed on: {error}"),
                )
            })?;
        let page = JsValue::from(Object::new());
        let opener = signaling::construct(&page, &options).map_err(Error::from_js)?;
        Ok(Signaling {
            driver: Rc::clone(opener.driver()),
            page,
        })
    }

    /// Opens a channel. `on_message` receives each message of other pages, or the error of one that
    /// isn't an `M`. An earlier opening of the same name receives no more messages.
    ///
    /// # Errors
    ///
    /// `signaling-closed`, or `connection-failed` where the browser makes no WebSocket.
    pub fn open<M: DeserializeOwned + 'static>(
        &self,
        channel: &str,
        on_message: impl Fn(Result<M, Error>) + 'static,
    ) -> Result<Channel, Error> {
        let subscriber = Typed(Some(move |message: JsValue| {
            on_message(serde_wasm_bindgen::from_value(message).map_err(|error| {
                type_error(
                    "bad-message",
                    format!("the message is of another type: {error}"),
                )
            }));
        }));
        let id = self.driver.open(channel, Rc::new(subscriber))?;
        Ok(Channel {
            driver: Rc::clone(&self.driver),
            name: channel.into(),
            id,
        })
    }

    /// Sets a handler for changes of state. It receives the state's name and the reason.
    pub fn on_state_change(&self, handler: impl Fn(String, String) + 'static) {
        let handler =
            Closure::<dyn Fn(String, JsValue)>::new(move |state: String, detail: JsValue| {
                handler(state, js::text(&js::member(&detail, "reason")));
            });
        js::put(&self.page, "onstatechange", handler.into_js_value());
    }

    /// Sets a handler that receives the name of a channel on which messages may have been missed.
    pub fn on_gap(&self, handler: impl Fn(String) + 'static) {
        let handler = Closure::<dyn Fn(String)>::new(handler);
        js::put(&self.page, "ongap", handler.into_js_value());
    }

    /// Sets a handler for errors that no call can return.
    pub fn on_error(&self, handler: impl Fn(Error) + 'static) {
        let handler = Closure::<dyn Fn(JsValue)>::new(move |error| handler(Error::from_js(error)));
        js::put(&self.page, "onerror", handler.into_js_value());
    }

    /// The `sender` of this page's messages.
    pub fn userid(&self) -> u64 {
        self.driver.userid()
    }

    /// The state of the connection.
    pub fn state(&self) -> State {
        self.driver.state().into()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.driver.stats()
    }

    /// Closes the connection and every channel for good.
    pub fn close(&self) {
        self.driver.close();
    }
}

/// An open channel; closed when dropped.
#[derive(Debug)]
#[must_use = "a channel is closed when it is dropped"]
pub struct Channel {
    driver: Rc<Driver>,
    name: String,
    id: ChannelId,
}

impl Channel {
    /// Sends a message to every other page that has the channel open. What is sent before the
    /// connection is open waits in the outbox.
    ///
    /// # Errors
    ///
    /// `bad-message`, `message-too-large`, `channel-closed` or `signaling-closed`; `outbox-full`
    /// with [`Overflow::Throw`].
    pub fn send<M: Serialize + ?Sized>(&self, message: &M) -> Result<(), Error> {
        self.send_with(message, f64::INFINITY)
    }

    /// Like [`send`](Self::send), but if the message still waits in the outbox when `ttl` has
    /// passed, it is dropped, and `on_error` is called.
    ///
    /// # Errors
    ///
    /// As with `send`.
    pub fn send_within<M: Serialize + ?Sized>(
        &self,
        message: &M,
        ttl: Duration,
    ) -> Result<(), Error> {
        self.send_with(message, ttl.as_secs_f64() * 1_000.0)
    }

    fn send_with<M: Serialize + ?Sized>(&self, message: &M, ttl: f64) -> Result<(), Error> {
        let message = message
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| {
                type_error(
                    "bad-message",
                    format!("send: JSON can't hold the message: {error}"),
                )
            })?;
        channel::send(&self.driver, &self.name, &message, ttl, None).map(drop)
    }

    /// The channel's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.driver.close_channel(&self.name, self.id);
    }
}

/// The handler of a channel.
struct Typed<F: 'static>(Option<F>);

impl<F: Fn(JsValue) + 'static> Subscriber for Typed<F> {
    fn deliver(&self, message: JsValue) {
        if let Some(handler) = &self.0 {
            handler(message);
        }
    }

    fn ready(&self) {}
}

impl<F: 'static> Drop for Typed<F> {
    /// The handler may own channels, and dropping those needs the session, which drops this.
    fn drop(&mut self) {
        let handler = self.0.take();
        promises::later(move || drop(handler));
    }
}
