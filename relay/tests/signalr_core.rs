//! ASP.NET Core SignalR, by the frames that its clients and real servers exchange.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "signalr_core/hub.rs"]
mod hub;
#[path = "signalr_core/limits.rs"]
mod limits;
#[path = "signalr_core/negotiation.rs"]
mod negotiation;
