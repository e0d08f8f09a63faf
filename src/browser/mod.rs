//! The only place that names JavaScript; compiled for wasm32 only.
//!
//! * `exports`: the functions that pages import. `signaling`: a signaling as the page sees it.
//!   `channel`: one channel, its config and its handle. `message`: a message as JSON. `options`:
//!   what `configure` and `new Signaling` take, with `address` and `members`.
//! * `driver`: carries inputs to the session and performs its actions, with `connecting`, `transmit`,
//!   `event_source`, `fetch`, `promises`, `timer` and `lifecycle`. `events`: calls the page's
//!   handlers. `diagnosis`: warns where there are none.
//! * `error`: our errors as JavaScript sees them. `text`: JavaScript's strings as the session uses
//!   them. `js`: what web-sys and js-sys lack.

mod address;
#[cfg(feature = "exports")]
mod channel;
mod connecting;
mod diagnosis;
pub(crate) mod driver;
pub(crate) mod error;
mod event_source;
pub(crate) mod events;
#[cfg(feature = "exports")]
pub mod exports;
mod fetch;
pub(crate) mod js;
mod lifecycle;
mod members;
pub(crate) mod message;
pub(crate) mod options;
pub(crate) mod promises;
mod random;
#[cfg(feature = "exports")]
mod signaling;
mod socket;
mod text;
mod timer;
mod transmit;
