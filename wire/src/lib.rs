//! The formats that the library `signal-wasm` and the server `signal-relay` share. Pure: text in,
//! values out, and the other way round.
//!
//! * [`envelope`]: `{"sender":…,"channel":…,"message":…}`, which every protocol carries.
//! * [`control`]: which frames are the relay's own, and never a message of a page.
//! * [`frames`]: these frames of our relay's protocol.
//! * [`close`]: the WebSocket close codes that the relay sends.
//! * [`private`]: channels between one page and the relay.
//! * [`json`]: the part of JSON that these need.
//!
//! Nothing here panics on any text, or allocates more than a small multiple of the text's length.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod close;
pub mod control;
pub mod envelope;
pub mod frames;
pub mod json;
pub mod private;

pub use envelope::{Embedding, Envelope, Head, Sender, UserId};
pub use frames::{ClientFrame, Open, ServerFrame, Subscription};
