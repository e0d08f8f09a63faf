//! Socket.IO: packets of Engine.IO 4 and 3, one in each text frame, and in those of type 4 the
//! packets of Socket.IO (protocol 5 and 4).
//!
//! | packet | direction | meaning |
//! | --- | --- | --- |
//! | `0{…}` | to the client | open: `pingInterval`, `pingTimeout`, since Socket.IO 4.5 `maxPayload`, and our relay's `"relay":true` |
//! | `2`, `3` | both | heartbeat: the server pings in version 4, the client in version 3 |
//! | `40[/namespace,][{…}]` | both | connect to a namespace, with the credentials; version 3 connects to `/` unasked |
//! | `42[/namespace,][id]["event",…]` | both | an event; with an id, it wants `43[/namespace,]id[…]` |
//! | `44[/namespace,]…` | to the client | no connection to that namespace |
//! | `41[/namespace,]` | to the client | disconnected, and not to come back |
//! | `45…`, `46…` | to the client | events with binary parts, which follow as binary frames |
//!
//! A server of version 3 answers a request for version 4 in its own version, and sends `40`
//! unasked. If `maxPayload` is missing, the client waits for that `40`, because Socket.IO 3 to 4.4
//! don't send `maxPayload` either.

use signal_wire::Embedding;
use signal_wire::envelope::utf16_length;
use signal_wire::json::quoted;

use super::{
    CloseReason, Credentials, Cut, Framing, InvalidOption, Keepalive, Millis, Outgoing, Output,
    Outputs, Phase, Protocol, ProtocolOptions, ServerUrl, Text, Value, decode, not_json,
    write_encoded,
};

/// After an open packet without `maxPayload`, a server of Socket.IO 2 sends its `40` within this
/// time. A server of Socket.IO 3 or 4 waits for ours.
const UNASKED_CONNECT: Millis = 1_000.0;

/// The shortest interval of pings, whatever the server wants.
const SHORTEST_PING: Millis = 1_000.0;

const DEFAULT_PATH: &str = "/socket.io/";

/// Socket.IO, without its client.
#[derive(Debug)]
pub struct SocketIo {
    /// The address of the Engine.IO server, for people to read.
    url: String,
    server: ServerUrl,
    path: String,
    query: String,
    /// The namespace, which begins with a slash.
    namespace: String,
    /// Its prefix in a packet: empty for `/`, otherwise `/name,`.
    namespace_part: String,
    event: String,
    version: Version,
    /// The credentials as JSON text, and as a query.
    auth: Option<(String, String)>,
    /// A server of version 3 reads credentials only from the address.
    auth_in_query: bool,
    phase: Phase,
    framing: Framing,
    is_relay: bool,
    /// The interval of our pings, if we send them.
    ping_interval: Option<Millis>,
    server_timeout: Option<Millis>,
    /// The longest frame that the server accepts, in bytes.
    max_payload: Option<usize>,
    connect_timeout: Millis,
}

/// The version of Engine.IO's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Three,
    Four,
}

impl SocketIo {
    /// A new conversation.
    ///
    /// As with Socket.IO's own client, the path in the address names the namespace, unless the
    /// option `path` is relative.
    pub fn new(options: &ProtocolOptions) -> Result<SocketIo, InvalidOption> {
        let path = options.path.as_deref().unwrap_or(DEFAULT_PATH);
        let given = ServerUrl::new(&options.url);
        let namespace = match &options.namespace {
            // `io.of('room')` adds the slash, too.
            Some(namespace) if !namespace.starts_with('/') => format!("/{namespace}"),
            Some(namespace) => namespace.clone(),
            None if path.starts_with('/') => decode(given.path()),
            None => "/".into(),
        };
        let namespace_part = match &*namespace {
            "/" => String::new(),
            name => format!("{name},"),
        };
        let event = options.event.as_deref().unwrap_or("message");
        let server = endpoint(&given, path).ok_or_else(|| InvalidOption {
            name: "path",
            value: path.into(),
            wanted: "like '/socket.io/'",
        })?;
        Ok(SocketIo {
            url: server.web_socket("", "").into_string(),
            server,
            path: path.into(),
            query: options.query.clone(),
            framing: Framing {
                prefix: format!("42{namespace_part}[{},", quoted(event)),
                suffix: "}]",
                embedding: Embedding::Object,
                second_record: None,
                cut: Cut::Whole,
            },
            namespace,
            namespace_part,
            event: event.into(),
            version: Version::Four,
            auth: None,
            auth_in_query: false,
            phase: Phase::Disconnected,
            is_relay: false,
            ping_interval: None,
            server_timeout: None,
            max_payload: None,
            connect_timeout: options.connect_timeout(),
        })
    }

    /// A packet of Socket.IO for our namespace.
    fn packet(&self, kind: char, rest: &str) -> String {
        format!("4{kind}{}{rest}", self.namespace_part)
    }

    fn on_open_packet<T: Text>(&mut self, open: &T::Value, out: &mut Outputs<T>) {
        let number = |name| open.member(name).as_number();
        // Until the version is known.
        self.ping_interval = number("pingInterval")
            .filter(|interval| *interval > 0.0)
            .map(|interval| interval.max(SHORTEST_PING));
        self.server_timeout = self
            .ping_interval
            .and_then(|interval| Some(interval + number("pingTimeout")?));
        self.is_relay = open.member("relay").is_true();
        self.max_payload = number("maxPayload").map(|bytes| bytes as usize);
        self.phase = Phase::ServerHello;
        let is_new = !open.member("maxPayload").is_undefined();
        if is_new && self.version == Version::Four {
            self.join(out);
        }
    }

    /// Connects to the namespace of a server of version 4.
    fn join<T: Text>(&mut self, out: &mut Outputs<T>) {
        self.phase = Phase::Joining;
        let auth = self.auth.as_ref().map_or("", |(json, _)| json);
        out.send(self.packet('0', auth));
    }

    fn on_packet<T: Text>(&mut self, packet: &str, value: Option<T::Value>, out: &mut Outputs<T>) {
        let mut types = packet.chars();
        match types.next() {
            Some('2') => return out.send("3"),
            Some('1') => {
                return out.close(CloseReason::Transient, "the server closed the connection");
            }
            Some('4') => {}
            _ => return,
        }
        let kind = types.next();
        // The namespace, up to the comma, and then an id. Packets with binary parts have a number
        // before it, so they don't match our namespace.
        let id = match types.as_str().strip_prefix(&*self.namespace_part) {
            Some(id) if !id.starts_with('/') => id,
            // A server of version 3, which doesn't read credentials here. Until now it might have
            // been one of version 4.
            _ if self.phase == Phase::ServerHello && packet == "40" => {
                self.phase = Phase::Joining;
                return out.send(self.packet('0', ""));
            }
            _ => return,
        };
        match kind {
            Some('0') if self.phase < Phase::Ready => {
                // Version 4 gives the client an id, sends the pings, and disconnects clients that
                // ping.
                if value.is_some() {
                    self.ping_interval = None;
                }
                self.phase = Phase::Ready;
                out.push(Output::Ready);
            }
            Some('1') => out.close(CloseReason::Fatal, "the server disconnected this client"),
            Some('2') => self.on_event(id, value, out),
            Some('4') => self.on_refusal(value, out),
            _ => {}
        }
    }

    fn on_event<T: Text>(&mut self, id: &str, event: Option<T::Value>, out: &mut Outputs<T>) {
        if let Some(event) = event
            && event.item(0).as_string().as_ref() == Some(&self.event)
        {
            out.envelope(&event.item(1));
        }
        if !id.is_empty() {
            out.send(self.packet('3', &format!("{id}[]")));
        }
    }

    /// A server of version 3 gives the reason as a string, one of version 4 as an object with a
    /// `message`.
    fn on_refusal<T: Text>(&mut self, why: Option<T::Value>, out: &mut Outputs<T>) {
        let text = why.as_ref().and_then(Value::as_string);
        let has_auth = self
            .auth
            .as_ref()
            .is_some_and(|(_, query)| !query.is_empty());
        if text.is_some() && has_auth && !self.auth_in_query {
            self.auth_in_query = true;
            return out.close(CloseReason::Transient, "the server wants auth in the query");
        }
        let message = || why.as_ref()?.member("message").as_string();
        match text.or_else(message).unwrap_or_default() {
            message if message == "Invalid namespace" => out.close(
                CloseReason::ProtocolMismatch,
                format!(
                    "the server has no namespace '{}'; set the option namespace",
                    self.namespace
                ),
            ),
            message if message.is_empty() => {
                out.close(CloseReason::Unauthorized, "without a reason");
            }
            message => out.close(CloseReason::Unauthorized, format!("with '{message}'")),
        }
    }
}

impl<T: Text> Protocol<T> for SocketIo {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        self.auth_in_query |= self.version == Version::Three;
        let version = match self.version {
            Version::Three => "EIO=3",
            Version::Four => "EIO=4",
        };
        let auth = self.auth.as_ref().filter(|_| self.auth_in_query);
        let address = self
            .server
            .web_socket("", &self.query)
            .raw(version)
            .raw("transport=websocket")
            .raw(auth.map_or("", |(_, query)| query));
        out.push(Output::OpenSocket(address.into_string()));
    }

    fn is_relay(&self) -> bool {
        self.is_relay
    }

    fn on_socket_open(&mut self, _out: &mut Outputs<T>) {
        self.phase = Phase::SocketOpen;
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        let packet = before_json(head);
        let mut value = None;
        if packet.len() < head.len() {
            value = text.slice(utf16_length(packet), usize::MAX).parse();
            if value.is_none() {
                return out.push(Output::Bad(not_json(head)));
            }
        }
        if self.phase != Phase::SocketOpen {
            return self.on_packet(packet, value, out);
        }
        match value {
            Some(open) if packet == "0" => self.on_open_packet(&open, out),
            _ => out.close(
                CloseReason::ProtocolMismatch,
                "the server speaks no Engine.IO; the option protocol may have to be 'websocket'",
            ),
        }
    }

    /// The binary parts of an event.
    fn has_binary_frames(&self) -> bool {
        true
    }

    fn on_timeout(&mut self, out: &mut Outputs<T>) {
        match self.phase {
            Phase::ServerHello => self.join(out),
            Phase::Ready => out.close(CloseReason::Transient, "the server fell silent"),
            _ => out.close(
                CloseReason::Transient,
                "the server didn't answer as the option protocol requires",
            ),
        }
    }

    fn on_close(&mut self, _now: Millis) {
        // A server that knows only the other version may close the socket without a reason.
        if self.phase == Phase::SocketOpen {
            self.version = match self.version {
                Version::Three => Version::Four,
                Version::Four => Version::Three,
            };
        }
        self.phase = Phase::Disconnected;
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn set_url(&mut self, url: &str) {
        let given = ServerUrl::new(url);
        // The path was checked with the options.
        self.server = endpoint(&given, &self.path).unwrap_or(given);
        self.url = self.server.web_socket("", "").into_string();
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.auth = match credentials {
            Some(Credentials::Auth { json, query }) => Some((json.clone(), query.clone())),
            // As Socket.IO's own documentation names it.
            Some(Credentials::Token(token)) => {
                let mut query = String::from("token=");
                write_encoded(&mut query, token);
                Some((format!("{{\"token\":{}}}", quoted(token)), query))
            }
            None => None,
        };
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn server_timeout(&self) -> Option<Millis> {
        match self.phase {
            Phase::Ready => self.server_timeout,
            Phase::ServerHello => Some(UNASKED_CONNECT),
            _ => Some(self.connect_timeout),
        }
    }

    fn keepalive(&self) -> Option<Keepalive<'_>> {
        self.ping_interval.map(|interval| Keepalive {
            interval,
            frame: "2",
            is_answered: false,
        })
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        message.between(&self.framing.prefix, "]")
    }

    fn max_frame(&self) -> Option<usize> {
        self.max_payload
    }
}

/// The Engine.IO server at that path. As with Socket.IO's own client, the last slash may be left
/// out. `None` if the path leads to another server.
fn endpoint(given: &ServerUrl, path: &str) -> Option<ServerUrl> {
    given.with_path(path).map(ServerUrl::with_last_slash)
}

/// A packet's prefix before its JSON text. A namespace in it may hold any characters but a comma.
fn before_json(head: &str) -> &str {
    let has_namespace = head.get(2..).is_some_and(|rest| rest.starts_with('/'));
    let namespace = head.find(',').filter(|_| has_namespace).unwrap_or(0);
    let json = head
        .bytes()
        .skip(namespace)
        .position(|byte| matches!(byte, b'[' | b'{' | b'"'));
    let end = json.map_or(head.len(), |place| namespace + place);
    head.get(..end).unwrap_or_default()
}
