//! The trait [`Protocol`], and the types of its inputs and outputs.

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};

use signal_wire::{Head, Open};

use super::credentials::Credentials;
use super::framing::{Framing, Outgoing};
use super::records::MOST_IN_FRAME;
use super::text::{Text, Value};

/// A duration in milliseconds, or a time on a monotonic clock.
pub type Millis = f64;

/// The longest `Retry-After` that is obeyed.
pub const LONGEST_PAUSE: Millis = 60_000.0;

/// One protocol: a conversation with one server, over many connections.
///
/// Methods that take `out` handle events, and add to it what they want done.
pub trait Protocol<T: Text> {
    /// A new attempt to connect.
    fn connect(&mut self, now: Millis, out: &mut Outputs<T>);

    /// The name of the protocol that is spoken, where the option `protocol` has this name. `None`: it
    /// isn't known yet.
    fn spoken(&self, name: &'static str) -> Option<&'static str> {
        Some(name)
    }

    /// Whether the server has said that it is our relay.
    fn is_relay(&self) -> bool {
        false
    }

    /// The answer to an HTTP request.
    fn on_http_response(&mut self, _response: &HttpResponse<T>, _out: &mut Outputs<T>) {}

    /// An HTTP request failed, for this reason.
    fn on_http_failure(&mut self, reason: &str, out: &mut Outputs<T>) {
        out.close(CloseReason::Transient, reason);
    }

    /// The answer to the POST request of the message with this number, or the reason of its
    /// failure. It may come after the connection has ended.
    fn on_posted(
        &mut self,
        _number: u64,
        _answer: &Result<HttpResponse<T>, String>,
        _out: &mut Outputs<T>,
    ) {
    }

    /// The socket, or the event stream, is open.
    fn on_socket_open(&mut self, out: &mut Outputs<T>);

    /// An event of an event stream. If its type is `message`, its data is then handled as a frame.
    fn on_server_event(&mut self, _event: &ServerEvent<T>, _out: &mut Outputs<T>) {}

    /// A frame, or a record of one, that needs a full parse. `head` is a copy of its first
    /// characters.
    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>);

    /// Nothing was received for [`server_timeout`](Self::server_timeout).
    fn on_timeout(&mut self, out: &mut Outputs<T>) {
        let reason = match self.phase() {
            Phase::Ready => "the server fell silent",
            _ => "the server didn't answer as the option protocol requires",
        };
        out.close(CloseReason::Transient, reason);
    }

    /// The connection was closed or lost.
    fn on_close(&mut self, now: Millis);

    /// The session ends for good. Only HTTP requests are made here, after the socket is closed.
    fn goodbye(&mut self, _out: &mut Outputs<T>) {}

    /// The phase of the conversation.
    fn phase(&self) -> Phase;

    /// The server's address, for people to read.
    fn url(&self) -> &str;

    /// The address of a second WebSocket, which may be opened while the first is silent, to take its
    /// place. `None`: the first is closed before. Only a server that keeps nothing for a connection
    /// allows it, as a plain server does. The others show each connection to applications as another
    /// client (Socket.IO, SignalR), or deliver later what was missed (our relay, classic SignalR,
    /// event streams).
    fn standby_url(&self) -> Option<&str> {
        None
    }

    /// Uses another server address from the next attempt on.
    fn set_url(&mut self, url: &str);

    /// Uses these credentials from the next attempt on.
    fn set_credentials(&mut self, _credentials: Option<&Credentials>) {}

    /// The frame that renews the credentials on the open connection; `None`: only the next attempt
    /// has them.
    fn renew(&mut self, _credentials: Option<&Credentials>) -> Option<String> {
        None
    }

    /// How long each step of connecting may take: the option `connectTimeout`.
    fn connect_timeout(&self) -> Millis;

    /// How long the server may be silent in this phase; `None`: no limit.
    fn server_timeout(&self) -> Option<Millis> {
        (self.phase() != Phase::Ready).then(|| self.connect_timeout())
    }

    /// The keep-alive frame that is sent regularly once messages may be sent.
    fn keepalive(&self) -> Option<Keepalive<'_>> {
        None
    }

    /// The form of canonical frames, which can be classified by their head.
    fn framing(&self) -> &Framing;

    /// The length of a frame's head in UTF-16 code units: long enough that a name which is cut off
    /// at its end is longer than `longest_name`, so no open channel has it.
    fn head_length(&self, longest_name: usize) -> usize {
        self.framing().head_length(longest_name, false)
    }

    /// Reads the head of a frame. `whole`: the head is the whole frame. Frames of the handshake
    /// need a full parse. `&mut`, because a head may hold a cursor; `on_message` may follow for the
    /// same frame.
    fn read_head<'h>(&mut self, head: &'h str, whole: bool) -> Head<'h> {
        if self.phase() != Phase::Ready {
            return Head::NeedsFullParse;
        }
        self.framing().read_head(head, 0, whole)
    }

    /// The frame of an outgoing message.
    fn encode(&self, message: &Outgoing<'_, T>) -> T;

    /// The message of that number is about to be sent.
    fn on_sending(&mut self, _number: u64) {}

    /// The longest frame that the server accepts, in bytes of UTF-8; `None`: it hasn't said so.
    fn max_frame(&self) -> Option<usize> {
        None
    }

    /// Where to POST the frame of a message; `None`: send it on the socket.
    /// [`on_posted`](Self::on_posted) receives the answer.
    fn post_url(&self, _number: u64) -> Option<String> {
        None
    }

    /// Whether messages travel on the socket. If not, they can be sent without it, as Chromium ends
    /// event streams before it tells the page that it is being hidden.
    fn needs_socket(&self) -> bool {
        true
    }

    /// Whether the next message must wait for an answer of the server. A page that is being hidden
    /// can't wait, and sends it nevertheless.
    fn is_busy(&self) -> bool {
        false
    }

    /// Whether the server acknowledges messages, so that those without an acknowledgement are sent
    /// again on the next connection. If not, a message counts as accepted about a round trip after
    /// the socket has taken it.
    fn acknowledges(&self) -> bool {
        false
    }

    /// Whether a server that doesn't acknowledge messages confirms each, by
    /// [`Output::Confirmed`].
    fn confirms(&self) -> bool {
        false
    }

    /// Whether the server delivers only subscribed channels, and new subscriptions can be sent now.
    fn can_subscribe(&self) -> bool {
        false
    }

    /// Whether the ids of messages are the server's, so that it can replay what comes after them.
    fn takes_ids(&self) -> bool {
        false
    }

    /// The frame that subscribes to channels.
    fn subscribe(&self, _channels: &Open<'_>) -> Option<String> {
        None
    }

    /// The frame that unsubscribes from a channel.
    fn unsubscribe(&self, _channel: &str) -> Option<String> {
        None
    }

    /// Whether the protocol has binary frames, none of which carries an envelope. If not, a binary
    /// frame is read as the UTF-8 text in it.
    fn has_binary_frames(&self) -> bool {
        false
    }
}

/// The phase of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// There is no open socket.
    #[default]
    Disconnected,
    /// The socket is open, and the server hasn't sent anything.
    SocketOpen,
    /// The server has introduced itself.
    ServerHello,
    /// The last step of the handshake is under way.
    Joining,
    /// Messages may be sent.
    Ready,
}

/// A keep-alive frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keepalive<'a> {
    /// The time between two of them.
    pub interval: Millis,
    /// The frame.
    pub frame: &'a str,
    /// The server answers it at once, so it measures the round trip and proves that the connection
    /// works.
    pub is_answered: bool,
}

/// Why a connection ended, and so whether to reconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Another attempt may succeed.
    Transient,
    /// The server speaks another protocol. Reconnecting is pointless, unless an attempt succeeded
    /// before.
    ProtocolMismatch,
    /// The server refused the credentials.
    Unauthorized,
    /// The server doesn't accept this client again.
    Fatal,
}

/// What a protocol wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output<T: Text> {
    /// Make an HTTP request; its answer goes to [`Protocol::on_http_response`].
    Http(HttpRequest),
    /// Open a WebSocket to this address.
    OpenSocket(String),
    /// Open an event stream (server-sent events) at this address.
    OpenEventSource(String),
    /// Send this frame of the protocol itself.
    Send(String),
    /// Messages may be sent from now on.
    Ready,
    /// Send [`Protocol::subscribe`] for the open channels.
    Subscribe {
        /// The session to resume; `None`: a new session.
        resume: Option<String>,
    },
    /// The server has accepted the messages up to this number.
    Acknowledged(u64),
    /// The server has handled the message of this number, and those before it.
    Confirmed(u64),
    /// The server closes the connection over a message.
    BlamesMessage,
    /// The server refused a message.
    Refused {
        /// The message's number, if the server says which it was.
        number: Option<u64>,
        /// The reason, as text.
        why: String,
    },
    /// The server didn't accept what is in flight, but may do so later.
    Retry(Retry),
    /// Messages on this channel may have been missed.
    Gap(String),
    /// Messages on any channel may have been missed.
    GapOnAll,
    /// The server answered a keep-alive frame.
    Pong,
    /// The page's token expires after this time, and can be renewed on the open connection.
    TokenExpires(Millis),
    /// An envelope was received.
    Envelope(T::Value),
    /// The frame is bad, for this reason.
    Bad(&'static str),
    /// Close the connection, for this reason.
    Close(CloseReason, String),
    /// Close the connection, for this reason. Another attempt may succeed after this time; `None`:
    /// the server gave none.
    ConnectLater(Option<Millis>, String),
}

/// When to send again what the server didn't accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How many times in a row it failed before.
    pub failures: u32,
    /// The least time to wait, as the server wants it.
    pub after: Option<Millis>,
    /// The message may be the cause. If the server fails on it twice, it is given up.
    pub blames_message: bool,
    /// The reason, as text.
    pub reason: String,
}

/// The longest event id that is kept, in bytes. It becomes part of an address.
pub const LONGEST_EVENT_ID: usize = 256;

/// An event of an event stream (HTML, "Server-sent events").
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent<T> {
    /// Its type; `message` if the server gives none.
    pub kind: String,
    /// The last event id that the server gave; empty if none, or if it is too long.
    pub id: String,
    /// Its data.
    pub data: T,
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The address.
    pub url: String,
    /// The bearer token to send.
    pub token: Option<String>,
    /// A hub redirected to another origin than the one that the page named. It doesn't get the
    /// page's headers.
    pub is_foreign: bool,
    /// A server of another origin may be asked for permission first (a CORS preflight), because the
    /// protocol's official client asks too.
    pub allows_preflight: bool,
}

/// The status of a redirected POST request. It isn't followed, because most redirections turn it
/// into a GET request without the message.
pub const REDIRECTED: u16 = 0;

/// An HTTP response.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpResponse<T> {
    /// The HTTP status, or [`REDIRECTED`].
    pub status: u16,
    /// The header `Retry-After` in milliseconds, if it is one and the page may read it.
    pub retry_after: Option<Millis>,
    /// The body.
    pub body: T,
}

/// How much of a response an error shows, in UTF-16 code units.
const SHOWN: usize = 100;

impl<T: Text> HttpResponse<T> {
    /// The beginning of the body, for an error; `None` if there is no body.
    pub fn excerpt(&self) -> Option<String> {
        let head = self.body.head(SHOWN);
        let head = head.trim();
        (!head.is_empty()).then(|| head.into())
    }

    /// How long the server wants no further request, as far as that is obeyed.
    pub fn pause(&self) -> Option<Millis> {
        self.retry_after.map(|after| after.min(LONGEST_PAUSE))
    }
}

/// The status, and the beginning of the body, if there is one.
impl<T: Text> Display for HttpResponse<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}", self.status)?;
        match self.excerpt() {
            Some(excerpt) => write!(f, " and '{excerpt}'"),
            None => Ok(()),
        }
    }
}

/// What a protocol wants done, in order.
#[derive(Debug)]
pub struct Outputs<T: Text>(VecDeque<Output<T>>);

impl<T: Text> Default for Outputs<T> {
    fn default() -> Outputs<T> {
        Outputs(VecDeque::new())
    }
}

impl<T: Text> Outputs<T> {
    /// Adds one.
    pub fn push(&mut self, output: Output<T>) {
        self.0.push_back(output);
    }

    /// Takes the first.
    pub fn pop(&mut self) -> Option<Output<T>> {
        self.0.pop_front()
    }

    /// Whether they contain an envelope or a bad frame.
    pub fn has_message(&self) -> bool {
        let is_message =
            |output: &Output<T>| matches!(output, Output::Envelope(_) | Output::Bad(_));
        self.0.iter().any(is_message)
    }

    /// Sends a frame of the protocol itself.
    pub fn send(&mut self, frame: impl Into<String>) {
        self.push(Output::Send(frame.into()));
    }

    /// Closes the connection.
    pub fn close(&mut self, why: CloseReason, reason: impl Into<String>) {
        self.push(Output::Close(why, reason.into()));
    }

    /// Reports an envelope, which the value may contain as JSON text.
    pub fn envelope(&mut self, value: &T::Value) {
        self.push(Output::Envelope(without_quotes::<T>(value)));
    }

    /// Reports what a frame contains: an envelope, or an array of envelopes. Each may be given as its
    /// JSON text.
    pub fn envelopes(&mut self, value: &T::Value) {
        let value = without_quotes::<T>(value);
        if value.is_object() || value.item(0).is_undefined() {
            return self.push(Output::Envelope(value));
        }
        if !value.item(MOST_IN_FRAME).is_undefined() {
            return self.push(Output::Bad("an array of more than 10000 items"));
        }
        let items = (0..MOST_IN_FRAME).map(|place| value.item(place));
        for item in items.take_while(|item| !item.is_undefined()) {
            self.push(Output::Envelope(without_quotes::<T>(&item)));
        }
    }
}

/// What a string is the JSON text of; any other value itself.
fn without_quotes<T: Text>(value: &T::Value) -> T::Value {
    let parsed = value.as_text().and_then(|text| text.parse());
    parsed.unwrap_or_else(|| value.clone())
}

/// Describes a frame that isn't JSON, with the option that would fit.
pub fn not_json(head: &str) -> &'static str {
    if head.starts_with("0{") {
        "a frame of Engine.IO (the option protocol must be 'socket.io')"
    } else if head.ends_with('\u{1e}') {
        "a frame of SignalR (the option protocol must be 'signalr')"
    } else {
        "a frame that isn't JSON"
    }
}
