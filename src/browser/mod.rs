//! The only place that names JavaScript; compiled for wasm32 only.
//!
//! * `exports`: the functions and the class that pages call. `channel`: a channel as the page sees it, its config and its handle.
//!   `options`: what `configure` and `new Signaling` take. `typed`: the same for Rust front ends.
//! * `driver`: carries inputs to the session, performs its actions, tells the page its events. `socket`, `timer`: what it drives.
//! * `callback`: calling the page, so that nothing the page throws reaches us. `error`: our errors as JavaScript sees them. `js`: the few
//!   bindings that js-sys and web-sys have not, or not without copying strings.

mod callback;
#[cfg(feature = "exports")]
mod channel;
mod driver;
mod error;
#[cfg(feature = "exports")]
mod exports;
mod js;
mod options;
mod socket;
mod timer;
#[cfg(feature = "typed")]
pub mod typed;
