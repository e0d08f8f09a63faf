//! The only place that names JavaScript; compiled for wasm32 only.
//!
//! * `exports`: the functions that pages import. `signaling`: a signaling as the page sees it, and `channel`: one channel, its config and its
//!   handle. `options`: what `configure` and `new Signaling` take. `typed`: the same for Rust front ends.
//! * `driver`: carries inputs to the session, performs its actions, tells the page its events. `socket`, `timer`: what it drives. `lifecycle`: what
//!   becomes of the page and the network.
//!   `functions`: what of ours JavaScript calls.
//! * `callback`: calling the page, so that nothing the page throws reaches us. `error`: our errors as JavaScript sees them. `js`: the few
//!   bindings that js-sys and web-sys have not, or not without copying strings.

mod callback;
mod channel;
mod driver;
mod error;
#[cfg(feature = "exports")]
pub mod exports;
mod functions;
mod js;
mod lifecycle;
mod options;
mod signaling;
mod socket;
mod timer;
#[cfg(feature = "typed")]
pub mod typed;
