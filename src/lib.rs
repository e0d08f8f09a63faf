//! WebRTC signaling for the browser.

pub mod protocol;
pub mod session;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod browser;
#[cfg(all(target_arch = "wasm32", feature = "typed-api"))]
mod typed;

#[cfg(all(target_arch = "wasm32", feature = "typed-api"))]
pub use typed::{Channel, Error, Options, Outbox, Reconnect, Signaling, State, Stats};
