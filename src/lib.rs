//! WebRTC signaling for the browser: the `openSignalingChannel` and `openSocket` shims as one
//! WebAssembly library.
//!
//! Two flows. In both, `browser` calls `session`, `session` calls `protocol`, and `protocol` uses
//! the crate `signal_wire`; nothing calls back up.
//!
//! ```text
//! receive
//!   browser/socket.rs         a frame arrives; it stays a JavaScript string
//!   browser/driver.rs         Session::handle_from(Input::Frame)
//!   session/connection.rs     Session::handle: dispatches inputs
//!   session/incoming.rs       on_frame: decodes it with the two below, then counts it
//!   session/receive.rs          read_by_head: own, foreign, or for an open channel, whose
//!                               payload is parsed; all other frames need a full parse
//!   protocol/<name>.rs          read_head, on_message
//!   browser/driver.rs         Session::poll_event gives Event::Message
//!   browser/channel.rs        calls the page's onmessage
//!
//! send
//!   browser/channel.rs        handle.send(message): JSON.stringify
//!   browser/driver.rs         Driver::send
//!   session/page.rs             Session::send: into the outbox
//!   browser/driver.rs         drain: Session::poll_action gives Action::Transmit, encoded by
//!   protocol/<name>.rs          encode
//!   browser/socket.rs         WebSocket.send, or browser/fetch.rs if the protocol POSTs
//!   browser/driver.rs         Session::handle(Input::Transmitted)
//!   session/outbox.rs         keeps the message until the server acknowledges it; if the protocol
//!                             has no acknowledgements, session/unconfirmed.rs keeps it for a while
//! ```
//!
//! Where to find what:
//!
//! * A frame is decoded in `session/receive.rs`, with the protocol's `read_head` and `on_message`.
//! * A reconnect is scheduled in `session/connection.rs`: `on_disconnect` calls
//!   `schedule_reconnect`, with a delay from `session/reconnect.rs`. The driver sets the timer.
//!   `session/takeover.rs` makes a second connection beside a silent one.
//! * A protocol is one file in `protocol/`, with its handshake: that of Socket.IO is in
//!   `protocol/socket_io.rs`. What a protocol asks for (its `Output`s) is done in
//!   `session/conversation.rs`. `protocol/mod.rs` says how to add one.
//! * What JavaScript imports is in `browser/exports.rs`. What an option means is in
//!   `browser/options.rs`, its documentation in `browser/types.d.ts`.
//!
//! [`protocol`] and [`session`] are pure: no clock, no I/O, no JavaScript. Host tests and fuzz
//! targets run them as they are. `browser` is compiled for wasm32 only, and is the only place that
//! names JavaScript.
//!
//! JavaScript pages use the npm package. Rust front ends use the typed API in `typed/`
//! (`Signaling`, `Channel`): `default-features = false, features = ["typed"]`, which is `typed-api`
//! with all protocols.

pub mod protocol;
pub mod session;

#[cfg(all(
    target_arch = "wasm32",
    any(feature = "exports", feature = "typed-api")
))]
#[doc(hidden)]
pub mod browser;
#[cfg(all(target_arch = "wasm32", feature = "typed-api"))]
mod typed;

#[cfg(all(target_arch = "wasm32", feature = "typed-api"))]
pub use typed::*;

/// The examples of the documents compile.
#[cfg(all(doctest, target_arch = "wasm32", feature = "typed"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/rust.md")]
mod documents {}
