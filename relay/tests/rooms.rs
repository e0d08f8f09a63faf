//! Pages of RTCMultiConnection 3 on a real relay, by hand: Socket.IO, and the adapter on a
//! private channel. And pages that want to know who is on a channel.

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
#[path = "rooms/presence.rs"]
mod presence;
#[path = "rooms/private.rs"]
mod private;
#[path = "rooms/protocols.rs"]
mod protocols;
#[path = "rooms/referee.rs"]
mod referee;
#[path = "rooms/returning.rs"]
mod returning;
