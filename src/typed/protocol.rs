//! How messages travel, each protocol with its own options.

use std::collections::BTreeMap;
use std::time::Duration;

use wasm_bindgen::JsValue;

use super::members::{Member, Members};
use super::provided::{Auth, Provided};

/// How messages travel between the page and the server, with the options of that protocol. All
/// `None`s are the protocol's defaults.
#[derive(Debug, Clone)]
pub enum Protocol {
    /// [`Relay`](Self::Relay) if the server's first frame shows that it is our relay, else
    /// [`WebSocket`](Self::WebSocket). The default.
    Auto(Plain),
    /// Our relay only: messages are acknowledged, and a page that reconnects receives what it
    /// missed.
    Relay,
    /// Each text frame is one envelope, and the server sends it to every other page.
    WebSocket(Plain),
    /// A server of Socket.IO 1 to 4.
    SocketIo(SocketIo),
    /// A hub of ASP.NET Core SignalR.
    SignalR(SignalR),
    /// A hub of ASP.NET SignalR 2.
    SignalRClassic(SignalRClassic),
    /// An HTTP server that broadcasts: server-sent events receive, POST requests send.
    Sse(Sse),
}

impl Default for Protocol {
    fn default() -> Protocol {
        Protocol::Auto(Plain::default())
    }
}

impl Protocol {
    /// Which one it is.
    pub fn kind(&self) -> ProtocolKind {
        match self {
            Protocol::Auto(_) => ProtocolKind::Auto,
            Protocol::Relay => ProtocolKind::Relay,
            Protocol::WebSocket(_) => ProtocolKind::WebSocket,
            Protocol::SocketIo(_) => ProtocolKind::SocketIo,
            Protocol::SignalR(_) => ProtocolKind::SignalR,
            Protocol::SignalRClassic(_) => ProtocolKind::SignalRClassic,
            Protocol::Sse(_) => ProtocolKind::Sse,
        }
    }

    /// Writes its options.
    pub(super) fn put(&self, members: &Members) {
        members.put("protocol", &Some(self.kind().name()));
        match self {
            Protocol::Relay => {}
            Protocol::Auto(plain) | Protocol::WebSocket(plain) => plain.put(members),
            Protocol::SocketIo(options) => options.put(members),
            Protocol::SignalR(options) => options.put(members),
            Protocol::SignalRClassic(options) => options.put(members),
            Protocol::Sse(options) => options.put(members),
        }
    }
}

/// A protocol without its options. Each has the name that JavaScript's option `protocol` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolKind {
    /// See [`Protocol::Auto`].
    Auto,
    /// See [`Protocol::Relay`].
    Relay,
    /// See [`Protocol::WebSocket`].
    WebSocket,
    /// See [`Protocol::SocketIo`].
    SocketIo,
    /// See [`Protocol::SignalR`].
    SignalR,
    /// See [`Protocol::SignalRClassic`].
    SignalRClassic,
    /// See [`Protocol::Sse`].
    Sse,
}

impl ProtocolKind {
    /// All of them.
    pub const ALL: &[ProtocolKind] = &[
        ProtocolKind::Auto,
        ProtocolKind::Relay,
        ProtocolKind::WebSocket,
        ProtocolKind::SocketIo,
        ProtocolKind::SignalR,
        ProtocolKind::SignalRClassic,
        ProtocolKind::Sse,
    ];

    /// Its name, such as `socket.io`.
    pub fn name(self) -> &'static str {
        match self {
            ProtocolKind::Auto => "auto",
            ProtocolKind::Relay => "relay",
            ProtocolKind::WebSocket => "websocket",
            ProtocolKind::SocketIo => "socket.io",
            ProtocolKind::SignalR => "signalr",
            ProtocolKind::SignalRClassic => "signalr-classic",
            ProtocolKind::Sse => "sse",
        }
    }

    /// The one of this name.
    pub(super) fn of_name(name: &str) -> Option<ProtocolKind> {
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.name() == name)
    }
}

/// The options of plain WebSocket servers.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    /// A frame that is sent regularly, and that the server must answer.
    pub heartbeat: Option<Heartbeat>,
}

impl Plain {
    fn put(&self, members: &Members) {
        members.put("heartbeat", &self.heartbeat);
    }
}

/// A frame that is sent regularly to a plain server, which must answer it with any frame, or return
/// it. Without it a dead connection shows only when the browser reports it.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat {
    /// The time between two of them, at least a second. Default: 25 s.
    pub interval: Option<Duration>,
    /// How long the server may be silent after one. Default: 10 s.
    pub timeout: Option<Duration>,
    /// The frame. Default: `{"ping":1}`.
    pub message: Option<String>,
}

impl Member for Heartbeat {
    fn to_js(&self) -> JsValue {
        let members = Members::new();
        members.put("interval", &self.interval);
        members.put("timeout", &self.timeout);
        members.put("message", &self.message);
        members.into_object().into()
    }
}

/// The options of Socket.IO.
#[derive(Debug, Clone, Default)]
pub struct SocketIo {
    /// The path of the server's endpoint. Default: `/socket.io/`.
    pub path: Option<String>,
    /// The namespace. Default: the path in the address.
    pub namespace: Option<String>,
    /// The event that carries messages. Default: `message`.
    pub event: Option<String>,
    /// Credentials, sent when the namespace is joined.
    pub auth: Option<Provided<Auth>>,
    /// Members for the query of each address.
    pub query: BTreeMap<String, String>,
}

impl SocketIo {
    fn put(&self, members: &Members) {
        members.put("path", &self.path);
        members.put("namespace", &self.namespace);
        members.put("event", &self.event);
        members.put("auth", &self.auth.as_ref().map(JsValue::from));
        put_map(members, "query", &self.query);
    }
}

/// The options of ASP.NET Core SignalR.
#[derive(Debug, Clone, Default)]
pub struct SignalR {
    /// The client's method that the hub calls with each message. Default: `onMessageReceived`.
    pub target: Option<String>,
    /// The hub's method that sends a string to everyone. Default: `Send`.
    pub method: Option<String>,
    /// Members for the query of each address.
    pub query: BTreeMap<String, String>,
    /// Opens the WebSocket without negotiation. Default: false.
    pub skip_negotiation: bool,
    /// How long the hub may be silent; twice its `KeepAliveInterval`. Default: 30 s.
    pub server_timeout: Option<Duration>,
    /// The time between two pings of the page, at least a second; half of the hub's
    /// `ClientTimeoutInterval`. Default: 15 s.
    pub keep_alive: Option<Duration>,
    /// What each HTTP request has.
    pub requests: Requests,
}

impl SignalR {
    fn put(&self, members: &Members) {
        members.put("target", &self.target);
        members.put("method", &self.method);
        put_map(members, "query", &self.query);
        members.put("skipNegotiation", &Some(self.skip_negotiation));
        members.put("serverTimeout", &self.server_timeout);
        members.put("keepAlive", &self.keep_alive);
        self.requests.put(members);
    }
}

/// The options of ASP.NET SignalR 2.
#[derive(Debug, Clone, Default)]
pub struct SignalRClassic {
    /// The hub's name. Default: `webRtcHub3`.
    pub hub: Option<String>,
    /// The client's method that the hub calls with each message. Default: `onMessageReceived`.
    pub target: Option<String>,
    /// The hub's method that sends a string to everyone. Default: `Send`.
    pub method: Option<String>,
    /// Members for the query of each address.
    pub query: BTreeMap<String, String>,
    /// What each HTTP request has.
    pub requests: Requests,
}

impl SignalRClassic {
    fn put(&self, members: &Members) {
        members.put("hub", &self.hub);
        members.put("target", &self.target);
        members.put("method", &self.method);
        put_map(members, "query", &self.query);
        self.requests.put(members);
    }
}

/// The options of server-sent events.
#[derive(Debug, Clone, Default)]
pub struct Sse {
    /// Members for the query of each address.
    pub query: BTreeMap<String, String>,
    /// What each HTTP request has.
    pub requests: Requests,
}

impl Sse {
    fn put(&self, members: &Members) {
        put_map(members, "query", &self.query);
        self.requests.put(members);
    }
}

/// What HTTP requests have.
#[derive(Clone, Default)]
pub struct Requests {
    /// Whether they have cookies.
    pub credentials: Credentials,
    /// Headers for each request to the server; not for WebSockets and event streams, whose headers
    /// browsers don't let pages set.
    pub headers: BTreeMap<String, String>,
}

impl Requests {
    fn put(&self, members: &Members) {
        members.put("credentials", &Some(self.credentials.name()));
        put_map(members, "headers", &self.headers);
    }
}

/// Headers may hold secrets, so their values aren't shown.
impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Requests")
            .field("credentials", &self.credentials)
            .field("headers", &names)
            .finish()
    }
}

/// Whether HTTP requests have cookies, as in `fetch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Requests to all origins; the default.
    #[default]
    Include,
    /// Requests to the page's own origin.
    SameOrigin,
    /// No request.
    Omit,
}

impl Credentials {
    fn name(self) -> &'static str {
        match self {
            Credentials::Include => "include",
            Credentials::SameOrigin => "same-origin",
            Credentials::Omit => "omit",
        }
    }
}

fn put_map(members: &Members, name: &str, map: &BTreeMap<String, String>) {
    if !map.is_empty() {
        members.put(name, &Some(map.to_js()));
    }
}
