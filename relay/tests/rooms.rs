//! Pages of RTCMultiConnection 3 on a real relay: Socket.IO by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "rooms/allowed.rs"]
mod allowed;
#[path = "rooms/events.rs"]
mod events;
#[path = "rooms/hostile.rs"]
mod hostile;
#[path = "rooms/page.rs"]
mod page;
#[path = "rooms/returning.rs"]
mod returning;
