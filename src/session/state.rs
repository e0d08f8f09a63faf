//! What goes into a session and what comes out of it.

use std::rc::Rc;

use crate::protocol::{CloseReason, Credentials, Frame, HttpRequest, HttpResponse, Millis, Text};

/// Tells one opening of a channel from a later one of the same name.
pub type ChannelId = u32;

/// Tells one connection, and the attempt at it, from a later one.
pub type ConnectionId = u32;

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// No channel was opened yet.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Messages go out at once.
    Open {
        /// Since when.
        since: Millis,
    },
    /// The connection was lost, and there will be another attempt.
    Waiting {
        /// When; `None`: not before the page or the network is back.
        until: Option<Millis>,
    },
    /// For good.
    Closed,
}

impl State {
    /// The name as the page sees it.
    pub fn name(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Connecting => "connecting",
            State::Open { .. } => "open",
            State::Waiting { .. } => "waiting",
            State::Closed => "closed",
        }
    }

    /// Whether messages go out at once.
    pub fn is_open(self) -> bool {
        matches!(self, State::Open { .. })
    }

    /// Whether there is a connection, or an attempt at one.
    pub fn has_connection(self) -> bool {
        matches!(self, State::Connecting | State::Open { .. })
    }
}

/// What happens to a session, apart from what the page calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<T: Text> {
    /// The page gave the server's address: absolute, `ws:` or `wss:`.
    Url(String),
    /// The page gave its credentials, or said that it has none.
    Credentials(Option<Credentials>),
    /// A request was answered.
    HttpResponse(HttpResponse<T>),
    /// A request got no answer, for this reason.
    HttpFailed(String),
    /// The socket is open.
    SocketOpen,
    /// A frame came in.
    Frame(Frame<T>),
    /// The socket is closed, or couldn't be opened.
    SocketClosed(Disconnect),
    /// The socket was given what [`Action::Transmit`] has.
    Transmitted(Transmission<T>, Result<(), TransmitError>),
    /// The time of [`Session::poll_timeout`](super::Session::poll_timeout) has come.
    Timeout,
    /// The network is back.
    Online,
    /// The network is gone.
    Offline,
    /// The page goes into the back/forward cache.
    PageHidden,
    /// The page comes back from there.
    PageShown,
}

/// How a connection ended, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// What it means for the next attempt.
    pub why: CloseReason,
    /// The WebSocket close code, if there was one.
    pub code: Option<u16>,
    /// Why, in words.
    pub reason: String,
}

impl Disconnect {
    /// A connection that was lost for this reason.
    pub fn transient(code: Option<u16>, reason: String) -> Disconnect {
        Disconnect {
            why: CloseReason::Transient,
            code,
            reason,
        }
    }
}

/// A frame on its way to the socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Transmission<T> {
    /// The frame.
    pub frame: T,
    /// The number of the message in it; `None`: a frame of the protocol itself.
    pub message: Option<u64>,
}

/// Why the socket didn't take a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransmitError {
    /// It isn't open any more.
    NotOpen,
    /// It threw at this very frame.
    Threw,
}

/// What the driver is to do. Performing an action never calls the page, except for what the page itself provides: its transport, its
/// functions for the address and the credentials.
#[derive(Debug, Clone, PartialEq)]
pub enum Action<T> {
    /// Ask the page for the server's address: [`Input::Url`].
    AskUrl,
    /// Ask the page for its credentials: [`Input::Credentials`].
    AskCredentials,
    /// Make an HTTP request: [`Input::HttpResponse`] or [`Input::HttpFailed`].
    Http(HttpRequest),
    /// Open a WebSocket to this address: [`Input::SocketOpen`] or [`Input::SocketClosed`].
    OpenSocket(String),
    /// Give the socket a frame: [`Input::Transmitted`], at once.
    Transmit(Transmission<T>),
    /// Close the socket, and report nothing more of it.
    Disconnect,
}

/// What the page is told. `S` is whom a channel's messages are for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<T: Text, S> {
    /// This opening of a channel is ready.
    Ready(S),
    /// A message for this opening of a channel.
    Message(S, T::Value),
    /// The state changed.
    State {
        /// To this one.
        state: State,
        /// Why, in words.
        reason: String,
        /// The WebSocket close code, if one was the cause.
        code: Option<u16>,
        /// When the next attempt comes, if it is scheduled.
        retry_in: Option<Millis>,
    },
    /// The first frame that was no envelope, and what it was; all of them are counted.
    BadFrame(&'static str),
    /// The server refused a message, and why in its words.
    Refused(String),
    /// Messages on this channel may have been missed.
    Gap(String),
    /// A message was dropped.
    Dropped {
        /// Its channel.
        channel: Rc<str>,
        /// Why.
        why: DropReason,
    },
    /// The connection is lost for good, and these messages with it.
    Failed {
        /// The server refused the credentials.
        unauthorized: bool,
        /// Why, in words.
        reason: String,
        /// Messages in the outbox that were never sent.
        unsent: usize,
    },
}

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Its `ttl` passed before the server had it.
    Expired,
    /// It ended the connection twice.
    GivenUp,
}

/// Why a message can't be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// It is longer than `max_message`.
    TooLarge {
        /// Its length in UTF-16 code units.
        length: usize,
    },
    /// The outbox has no room for it.
    OutboxFull {
        /// How many messages wait there.
        messages: usize,
        /// How many bytes wait there.
        bytes: usize,
    },
    /// Its channel isn't open.
    ChannelClosed,
    /// The session is closed.
    SessionClosed,
}

/// The session is closed for good: no channel can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;
