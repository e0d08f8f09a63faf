//! How envelopes travel: one protocol in each file, all behind the trait [`Protocol`]. Pure: no clock, no I/O, no JavaScript.
//!
//! A protocol is a state machine for the conversation with one server. The session tells it what happened (an attempt begins, a request was answered,
//! the socket is open, a message came in), and it leaves in [`Outputs`] what is to be done. It outlives its connections, because some
//! protocols resume an earlier one.
//!
//! [`table`] lists them all. To add a protocol, write its file and add its row.
//!
//! A frame is first read by its **head**, its first few hundred characters ([`Protocol::read_head`]): canonical frames tell there who sent
//! them and on which channel, and most frames that a page receives are not for it. Every other frame is parsed as a whole
//! ([`Protocol::on_message`]).

mod framing;
#[cfg(any(feature = "signalr", feature = "signalr-classic"))]
mod negotiation;
mod options;
mod plain;
mod records;
mod table;
pub mod text;
mod url;

#[cfg(feature = "relay")]
mod auto;
#[cfg(feature = "relay")]
mod relay;
#[cfg(feature = "signalr")]
mod signalr;
#[cfg(feature = "signalr-classic")]
mod signalr_classic;
#[cfg(feature = "socket-io")]
mod socket_io;

use signal_wire::{Head, Open};
use std::collections::VecDeque;

pub use framing::{Framing, Outgoing};
pub use options::{Credentials, InvalidOption, ProtocolOptions};
pub use records::{RECORD_END, Records};
pub use table::{AnyProtocol, DEFAULT, Entry, PLAIN, PROTOCOLS, find};
pub use text::{Frame, Text, Value};
pub use url::{ServerUrl, write_encoded};

/// Milliseconds, as JavaScript counts them; as a point in time, on a clock that never goes back.
pub type Millis = f64;

/// No step of a conversation takes longer than this, in milliseconds.
pub const STEP_TIMEOUT: Millis = 10_000.0;

/// One protocol: a conversation with one server, over many connections.
///
/// The first group of methods reports what happened, in the order of a connection's life; each may ask for things to be done through `out`.
pub trait Protocol<T: Text> {
    /// An attempt to connect begins.
    fn connect(&mut self, now: Millis, out: &mut Outputs<T>);

    /// A request was answered.
    fn on_http_response(&mut self, _response: &HttpResponse<T>, _out: &mut Outputs<T>) {}

    /// A request got no answer, for this reason.
    fn on_http_failure(&mut self, reason: &str, out: &mut Outputs<T>) {
        out.close(CloseReason::Transient, reason);
    }

    /// The socket is open.
    fn on_socket_open(&mut self, out: &mut Outputs<T>);

    /// A message came in that its head doesn't explain: a frame, or a record of one. `head` is a copy of its first characters.
    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>);

    /// The server was silent for as long as [`server_timeout`](Self::server_timeout) allows.
    fn on_timeout(&mut self, out: &mut Outputs<T>) {
        let reason = match self.phase() {
            Phase::Ready => "the server fell silent",
            _ => "the server didn't answer as the option protocol has it",
        };
        out.close(CloseReason::Transient, reason);
    }

    /// The connection is gone.
    fn on_close(&mut self, now: Millis);

    /// The page closes the connection for good. What is asked for here is done after the socket is closed.
    fn goodbye(&mut self, _out: &mut Outputs<T>) {}

    /// Where the conversation stands.
    fn phase(&self) -> Phase;

    /// The server's address, for people to read.
    fn url(&self) -> &str;

    /// The server is at another address from the next attempt on.
    fn set_url(&mut self, url: &str);

    /// What the page tells the server of itself from the next attempt on; asked for before each.
    fn set_credentials(&mut self, _credentials: Option<&Credentials>) {}

    /// How long the server may be silent now; `None`: for ever.
    fn server_timeout(&self) -> Option<Millis> {
        (self.phase() != Phase::Ready).then_some(STEP_TIMEOUT)
    }

    /// What is sent regularly while messages may be sent.
    fn keepalive(&self) -> Option<Keepalive> {
        None
    }

    /// What canonical frames look like.
    fn framing(&self) -> &Framing;

    /// How many UTF-16 code units of a frame are its head, so that a channel name which runs past them is longer than `longest_name`.
    fn head_length(&self, longest_name: usize) -> usize {
        self.framing().head_length(longest_name, false)
    }

    /// Reads the head of a frame; `whole` says that the head is all of the frame. Frames that come before messages may be sent need
    /// a full parse.
    fn read_head<'h>(&mut self, head: &'h str, whole: bool) -> Head<'h> {
        if self.phase() != Phase::Ready {
            return Head::NeedsFullParse;
        }
        self.framing().read_head(head, 0, whole)
    }

    /// The frame of a message of ours.
    fn encode(&mut self, message: &Outgoing<'_, T>) -> T;

    /// Whether the server acknowledges messages. If not, a message counts as accepted when the socket has it.
    fn acknowledges(&self) -> bool {
        false
    }

    /// Whether the server delivers only what it is asked for, and is to be told of each channel that opens or closes now.
    fn subscribes(&self) -> bool {
        false
    }

    /// The frame that tells such a server which channels are open.
    fn subscribe(&self, _channels: &Open<'_>) -> Option<String> {
        None
    }

    /// The frame that tells such a server that a channel was closed.
    fn unsubscribe(&self, _channel: &str) -> Option<String> {
        None
    }

    /// What becomes of a binary frame: bad, unless the protocol has such frames.
    fn on_binary(&mut self, out: &mut Outputs<T>) {
        out.push(Output::Bad("a binary frame"));
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// There is no open socket.
    #[default]
    Disconnected,
    /// The socket is open, and the server hasn't said anything.
    SocketOpen,
    /// The server has introduced itself.
    ServerHello,
    /// The last step of the handshake is under way.
    Joining,
    /// Messages may be sent.
    Ready,
}

/// What a protocol sends regularly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keepalive {
    /// How often.
    pub interval: Millis,
    /// The frame.
    pub frame: &'static str,
    /// The server answers it at once, so that it tells how long a round trip takes and whether the connection still works.
    pub is_answered: bool,
}

/// Why a connection ends, as far as it matters for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Another attempt may succeed.
    Transient,
    /// The server isn't what the options say. No further attempt changes that, unless one succeeded before.
    ProtocolMismatch,
    /// The server refused the credentials.
    Unauthorized,
    /// The server doesn't want this client back.
    Fatal,
}

/// What a protocol asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output<T: Text> {
    /// Make an HTTP request; its answer goes to [`Protocol::on_http_response`].
    Http(HttpRequest),
    /// Open a WebSocket to this address.
    OpenSocket(String),
    /// Send this frame of the protocol itself.
    Send(String),
    /// Messages may be sent from now on.
    Ready,
    /// Tell the server which channels are open, with [`Protocol::subscribe`].
    Subscribe {
        /// The session that is to be resumed; `None`: the server knows nothing of this client.
        resume: Option<String>,
    },
    /// The server has accepted the messages up to this number.
    Acknowledged(u64),
    /// The server refused a message, for this reason.
    Refused(String),
    /// Messages on this channel may have been missed.
    Gap(String),
    /// The server answered a [`Keepalive`].
    Pong,
    /// An envelope came in.
    Envelope(T::Value),
    /// What came in isn't the protocol, because of this.
    Bad(&'static str),
    /// Close the connection, for this reason in words.
    Close(CloseReason, String),
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
}

/// The answer to one.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpResponse<T> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: T,
}

/// How much of an unexpected answer an error shows, in UTF-16 code units.
const SHOWN: usize = 100;

impl<T: Text> HttpResponse<T> {
    /// What the body begins with, for an error.
    pub fn excerpt(&self) -> String {
        self.body.head(SHOWN)
    }
}

/// What a protocol wants done, in this order.
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

    /// Whether one of them is an envelope, or bad.
    pub fn tell_of_a_message(&self) -> bool {
        let is_message =
            |output: &Output<T>| matches!(output, Output::Envelope(_) | Output::Bad(_));
        self.0.iter().any(is_message)
    }

    /// Asks for a frame of the protocol itself.
    pub fn send(&mut self, frame: impl Into<String>) {
        self.push(Output::Send(frame.into()));
    }

    /// Asks for the end of the connection.
    pub fn close(&mut self, why: CloseReason, reason: impl Into<String>) {
        self.push(Output::Close(why, reason.into()));
    }

    /// Hands on an envelope, which may stand in the value as JSON text.
    pub fn envelope(&mut self, value: &T::Value) {
        let parsed = value.as_text().and_then(|text| text.parse());
        self.push(Output::Envelope(parsed.unwrap_or_else(|| value.clone())));
    }
}

/// What a text that isn't JSON is, by its head, and the way out.
fn not_json(head: &str) -> &'static str {
    if head.starts_with("0{") {
        "a frame of Engine.IO (the option protocol must be 'socket.io')"
    } else if head.ends_with('\u{1e}') {
        "a frame of SignalR (the option protocol must be 'signalr')"
    } else {
        "a frame that isn't JSON"
    }
}
