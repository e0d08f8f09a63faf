//! The inputs and outputs of a session.

use std::rc::Rc;

use crate::protocol::{
    CloseReason, Credentials, Frame, HttpRequest, HttpResponse, Millis, ServerEvent, Text,
};

/// Identifies one opening of a channel among several of the same name.
pub type ChannelId = u32;

/// Identifies a connection, or an attempt at one.
pub type ConnectionId = u32;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// No channel was opened yet, or the page has disconnected.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Connected: messages go out at once.
    Open {
        /// Since when.
        since: Millis,
    },
    /// The connection was lost; the next attempt is scheduled.
    Waiting {
        /// When; `None`: when the page or the network is back.
        until: Option<Millis>,
    },
    /// Closed for good.
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

/// An event that the session handles, apart from calls of the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<T: Text> {
    /// The page's answer to [`Action::AskUrl`]: absolute, `ws:` or `wss:`.
    Url(String),
    /// The page's answer to [`Action::AskCredentials`].
    Credentials(Option<Credentials>),
    /// The answer to an HTTP request.
    HttpResponse(HttpResponse<T>),
    /// An HTTP request failed, for this reason.
    HttpFailed(String),
    /// The answer to the POST request of the message with this number, or the reason of its
    /// failure.
    Posted(u64, Result<HttpResponse<T>, String>),
    /// The socket is open.
    SocketOpen,
    /// A frame was received.
    Frame(Frame<T>),
    /// An event was received on an event stream.
    ServerEvent(ServerEvent<T>),
    /// The socket was closed, or couldn't be opened.
    SocketClosed(Disconnect),
    /// The result of [`Action::Transmit`].
    Transmitted(Transmission<T>, Result<(), TransmitError>),
    /// The page's transport is sending the frame of [`Action::Transmit`]: its `send` has returned a
    /// promise. [`Input::Sent`] follows.
    Sending,
    /// That promise has settled.
    Sent(Transmission<T>, Result<(), TransmitError>),
    /// The time of [`Session::poll_timeout`](super::Session::poll_timeout) has come.
    Timeout,
    /// The network is back, or it is another one.
    Online,
    /// The network is gone.
    Offline,
    /// The page is about to be unloaded, or to go into the back/forward cache. What it sends from
    /// now on can't wait.
    PageHiding,
    /// The page goes into the back/forward cache.
    PageHidden,
    /// The page is restored from the back/forward cache.
    PageShown,
}

/// How a connection ended, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Whether another attempt makes sense.
    pub why: CloseReason,
    /// The WebSocket close code, if there was one.
    pub code: Option<u16>,
    /// The reason, as text.
    pub reason: String,
}

impl Disconnect {
    /// A connection was lost for this reason.
    pub fn transient(code: Option<u16>, reason: String) -> Disconnect {
        Disconnect {
            why: CloseReason::Transient,
            code,
            reason,
        }
    }
}

/// A frame to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Transmission<T> {
    /// The frame.
    pub frame: T,
    /// The number of the message in it; `None`: a frame of the protocol itself.
    pub message: Option<u64>,
    /// Send it as the body of a POST request to this address; `None`: on the socket.
    pub post_url: Option<String>,
}

/// Why the socket didn't take a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransmitError {
    /// It isn't open any more.
    NotOpen,
    /// Its `send` threw an exception, or its promise was rejected.
    Threw,
    /// The page's transport says that the server refused the message, for this reason.
    Refused(String),
}

/// What the driver must do. An action never calls the page's handlers. It may call the page's
/// transport, and its functions for the address and the credentials.
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
    /// Open a second WebSocket to this address, beside the current one. Its events come from
    /// [`Session::standby`](super::Session::standby).
    OpenStandby(String),
    /// Close the current socket, and use the second one, which is open, from now on.
    UseStandby,
    /// Close the second WebSocket, and report nothing more of it.
    CloseStandby,
    /// Open an event stream at this address: [`Input::SocketOpen`] or [`Input::SocketClosed`].
    OpenEventSource(String),
    /// Send a frame: [`Input::Transmitted`] or [`Input::Sending`] follows at once. The answer to a
    /// POST request comes later, as with [`Action::Http`].
    Transmit(Transmission<T>),
    /// Close the socket, and a second one, and report nothing more of them.
    Disconnect,
}

/// An event for the page. `S` identifies the receiver of a channel's messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<T: Text, S> {
    /// This opening of a channel is ready.
    Ready(S),
    /// A message for this opening of a channel.
    Message(S, T::Value),
    /// The state changed.
    State {
        /// The new state.
        state: State,
        /// The reason, as text.
        reason: String,
        /// The WebSocket close code, if one was the cause.
        code: Option<u16>,
        /// When the next attempt comes, if it is scheduled.
        retry_in: Option<Millis>,
    },
    /// The first frame that was not an envelope, and what it was. Later ones are only counted.
    BadFrame(&'static str),
    /// The server refused a message.
    Refused {
        /// The message's number, if the server says which it was.
        number: Option<u64>,
        /// The reason, as text.
        why: String,
    },
    /// Messages on this channel may have been missed.
    Gap(String),
    /// A message was dropped.
    Dropped {
        /// Its number.
        number: u64,
        /// Its channel.
        channel: Rc<str>,
        /// Why.
        why: DropReason,
    },
    /// The connection is closed for good because of an error.
    Failed {
        /// The server refused the credentials.
        unauthorized: bool,
        /// The reason, as text.
        reason: String,
        /// How many messages were lost in the outbox.
        unsent: usize,
    },
}

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Its `ttl` passed before the server accepted it.
    Expired,
    /// It was sent while the page was being hidden, and the server hadn't accepted it then.
    Hidden,
    /// The connection failed twice with it in flight.
    GivenUp,
    /// The outbox was full.
    Overflow,
    /// The server accepts only smaller frames.
    TooLarge {
        /// The longest that it accepts, in bytes.
        limit: usize,
    },
    /// The server closed the connection over it.
    Blamed,
    /// The server closed the connection over a message, and may not have had this one.
    Uncertain,
}

/// Why a message can't be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The frame with the message is longer than `max_message`, or than the server accepts.
    TooLarge {
        /// Its length in bytes of UTF-8.
        bytes: usize,
        /// The longest that may be sent.
        limit: usize,
    },
    /// The outbox has no room for it, and the option `outbox.overflow` is `'throw'`.
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

/// The error of opening a channel on a closed session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;
