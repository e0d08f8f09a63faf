//! What the library `signal-wasm` and the server `signal-relay` both speak. Pure: text in, values out, and the other way round.
//!
//! * [`envelope`]: `{"sender":…,"channel":…,"message":…}`, which every protocol carries.
//! * [`frames`]: what our relay and its clients say to each other besides envelopes.
//! * [`close`]: the WebSocket close codes that the relay sends.
//! * [`json`]: as much JSON as these need.
//!
//! Nothing here panics, whatever text it is given, and nothing allocates more than a small multiple of the text's length.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod close;
pub mod envelope;
pub mod frames;
pub mod json;

pub use envelope::{Embedding, Envelope, Head, Sender, UserId};
pub use frames::{ClientFrame, Open, ServerFrame, Subscription};
