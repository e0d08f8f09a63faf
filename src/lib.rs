//! WebRTC signaling for the browser: the `openSignalingChannel` and `openSocket` shims as one small WebAssembly library.
//!
//! Two flows, each one way. Arrows never turn back: `browser` knows `session`, `session` knows `protocol`, nobody knows the caller.
//!
//! ```text
//!            browser/socket ──► protocol ───────► session ──────────► browser/callback
//! receive    a frame, and of    sender, channel,  whose is it: own,    JSON.parse of the
//!            it only the head   where the         foreign, or which    payload, then the
//!            enters wasm        payload begins    subscriber's         page's onmessage
//!
//!            browser/exports ─► session ────────► protocol ──────────► browser/socket
//! send       handle.send(m):    the outbox, in    head, payload,       WebSocket.send, at
//!            JSON.stringify     order, bounded    tail                 once when it's open
//! ```
//!
//! * [`protocol`]: how envelopes travel in frames. Text in, values out.
//! * [`session`]: one state machine. Time and randomness are passed in; what is to be done and told comes out. It makes a lost connection again, and with our
//!   relay ([`protocol::relay`]) keeps each message until it is acknowledged and asks for those that were missed.
//! * `browser`: the only place that names JavaScript, compiled for wasm32 only. It carries inputs to the session, performs its actions,
//!   and calls the page with no borrow held, so that the page may call back.
//!
//! The first two run under plain `cargo test`, and servers can use them. JavaScript pages get the functions of `browser/exports.rs` through
//! the npm package; Rust front ends take the crate with `default-features = false, features = ["typed"]` and use `Signaling` and `Channel`.

#![cfg_attr(lean, no_std)]

extern crate alloc;

pub mod protocol;
pub mod session;

#[cfg(all(lean, target_arch = "wasm32"))]
mod lean;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod browser;

#[cfg(all(target_arch = "wasm32", feature = "typed"))]
pub use browser::typed::{Channel, Error, Options, Outbox, Reconnect, Signaling};
