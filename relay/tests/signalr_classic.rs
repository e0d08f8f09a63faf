//! ASP.NET SignalR 2, by the requests and frames that its clients and real servers exchange.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "signalr_classic/hub.rs"]
mod hub;
#[path = "signalr_classic/negotiation.rs"]
mod negotiation;
#[path = "signalr_classic/resuming.rs"]
mod resuming;
