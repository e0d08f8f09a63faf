//! The protocols: how envelopes travel in frames. Each has a file of its own, behind the trait
//! [`Protocol`]. All are pure: no clock, no I/O, no JavaScript.
//!
//! A protocol is a state machine for the conversation with one server. The session reports events
//! (an attempt begins, an HTTP response, the socket is open, a message), and the protocol adds
//! [`Outputs`]. It outlives its connections, because some protocols resume an earlier one.
//!
//! `table.rs` lists them all. To add a protocol, write its file, add its `mod` line here and its
//! row there, and name its cargo feature in `Cargo.toml` and `npm/Cargo.toml`. Its options, if it
//! has new ones, are in `options.rs` and `browser/options.rs`.
//!
//! A frame is first read by its **head**, its first few hundred characters
//! ([`Protocol::read_head`]). In canonical frames the head holds the sender and the channel, and
//! most frames that a page receives are not for it. All other frames are parsed as a whole
//! ([`Protocol::on_message`]).

mod credentials;
mod diagnosis;
mod framing;
mod interface;
#[cfg(any(feature = "signalr", feature = "signalr-classic"))]
mod negotiation;
mod options;
mod plain;
mod records;
mod retry_after;
mod secrets;
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
#[cfg(feature = "sse")]
mod sse;

pub use credentials::Credentials;
pub use diagnosis::{Answer, Finding, Trouble};
pub use framing::{Framing, Outgoing};
pub use interface::{
    CloseReason, HttpRequest, HttpResponse, Keepalive, LONGEST_EVENT_ID, LONGEST_PAUSE, Millis,
    Output, Outputs, Phase, Protocol, REDIRECTED, Retry, ServerEvent, not_json,
};
pub use options::{Heartbeat, InvalidOption, ProtocolOptions, are_subprotocols};
pub use plain::HEARTBEAT;
pub use records::{Cut, MOST_IN_FRAME, RECORD_END, Records};
pub use retry_after::retry_after;
pub use secrets::{SHORTEST_SECRET, without_secret, without_secrets};
pub use table::{AnyProtocol, DEFAULT, Entry, Make, PLAIN, PROTOCOLS, find};
pub use text::{Frame, NOT_TEXT, TOO_LONG, Text, Value};
pub use url::{ServerUrl, decode, write_encoded};
