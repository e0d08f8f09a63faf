//! The options of a signaling.

use std::time::Duration;

use wasm_bindgen::JsValue;

use super::members::Members;
use super::protocol::Protocol;
use super::provided::Provided;
use super::transport::Transport;
pub use crate::session::{OpenWhen, Overflow};

/// The options of a signaling. All have defaults, so that those which matter are enough:
///
/// ```no_run
/// use signal_wasm::{Options, Protocol, SocketIo};
///
/// let options = Options {
///     url: Some("wss://example.org/".into()),
///     protocol: Protocol::SocketIo(SocketIo {
///         event: Some("chat".into()),
///         ..SocketIo::default()
///     }),
///     ..Options::default()
/// };
/// ```
///
/// The struct isn't `non_exhaustive`, because Rust forbids this way of writing it then. End it by
/// `..Options::default()`: new options come with minor versions.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server: `ws:`, `wss:`, `http:`, `https:` or relative to the page. Default: the page's
    /// origin, path `/`.
    pub url: Option<Provided<String>>,
    /// How messages travel.
    pub protocol: Protocol,
    /// Carries texts in place of the browser's WebSocket. `url` isn't used then, and the protocol
    /// can't be [`Protocol::Sse`].
    pub transport: Option<Transport>,
    /// The subprotocols that each WebSocket offers, of which the server must choose one. Not used
    /// with a `transport` or [`Protocol::Sse`].
    pub subprotocols: Vec<String>,
    /// The token that shows the server who the page's user is.
    pub access_token: Option<Provided<String>>,
    /// The channel on which messages without a channel are received.
    pub channel: DefaultChannel,
    /// How long after its opening a channel is ready ([`Channel::ready`](crate::Channel::ready)).
    /// Default: 1 s with [`OpenWhen::Timer`], 0 with [`OpenWhen::Connected`].
    pub open_delay: Option<Duration>,
    /// What a channel's readiness waits for. With [`OpenWhen::Connected`] no message comes before
    /// it.
    pub open_when: OpenWhen,
    /// The longest frame with a message that is sent, in bytes of UTF-8. Default: 1,000,000.
    pub max_message: Option<u32>,
    /// Bounds of the outbox.
    pub outbox: Outbox,
    /// How to reconnect.
    pub reconnect: Reconnect,
    /// How long each step of connecting may take. Default: 10 s.
    pub connect_timeout: Option<Duration>,
}

/// The channel on which messages without a channel are received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DefaultChannel {
    /// `main-channel`, as with the shim.
    #[default]
    Main,
    /// This one.
    Named(String),
    /// None: such messages are dropped.
    None,
}

/// Bounds of the outbox, which holds the messages that the server hasn't accepted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outbox {
    /// The most messages that may wait, at least one. Default: 1000.
    pub messages: Option<u32>,
    /// The most bytes of JSON text that may wait, two for each UTF-16 code unit. Default: 8 MiB.
    pub bytes: Option<u32>,
    /// What happens to a message for which there is no room.
    pub overflow: Overflow,
}

/// How to reconnect: exponential backoff with full jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconnect {
    /// The longest wait before the first attempt, at least a millisecond. Default: 500 ms.
    pub base: Option<Duration>,
    /// The longest wait before any attempt, at least a millisecond. Default: 20 s.
    pub cap: Option<Duration>,
    /// How many attempts in a row before the signaling is closed; 0: never. Default: no limit.
    pub attempts: Option<u32>,
}

impl Reconnect {
    /// Never: a connection that is lost closes the signaling.
    pub const NEVER: Reconnect = Reconnect {
        base: None,
        cap: None,
        attempts: Some(0),
    };
}

/// As JavaScript's `new Signaling` takes them, for pages that have the npm package too.
impl From<&Options> for JsValue {
    fn from(options: &Options) -> JsValue {
        let members = Members::new();
        members.put("url", &options.url.as_ref().map(JsValue::from));
        options.protocol.put(&members);
        members.put("transport", &options.transport.as_ref().map(JsValue::from));
        if !options.subprotocols.is_empty() {
            members.put("subprotocols", &Some(options.subprotocols.clone()));
        }
        members.put(
            "accessToken",
            &options.access_token.as_ref().map(JsValue::from),
        );
        match &options.channel {
            DefaultChannel::Main => {}
            DefaultChannel::Named(name) => members.put("channel", &Some(name.clone())),
            DefaultChannel::None => members.put("channel", &Some(JsValue::NULL)),
        }
        members.put("openDelay", &options.open_delay);
        members.put(
            "openWhen",
            &Some(match options.open_when {
                OpenWhen::Timer => "timer",
                OpenWhen::Connected => "connected",
            }),
        );
        members.put("maxMessage", &options.max_message);
        let outbox = Members::new();
        outbox.put("messages", &options.outbox.messages);
        outbox.put("bytes", &options.outbox.bytes);
        outbox.put(
            "overflow",
            &Some(match options.outbox.overflow {
                Overflow::Throw => "throw",
                Overflow::DropOldest => "drop-oldest",
            }),
        );
        members.put_members("outbox", outbox);
        let reconnect = Members::new();
        reconnect.put("base", &options.reconnect.base);
        reconnect.put("cap", &options.reconnect.cap);
        reconnect.put("attempts", &options.reconnect.attempts);
        members.put_members("reconnect", reconnect);
        members.put("connectTimeout", &options.connect_timeout);
        members.into_object().into()
    }
}
