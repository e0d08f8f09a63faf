//! Tokens: who may do what, in each protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "auth/command.rs"]
mod command;
#[path = "auth/hook.rs"]
mod hook;
#[path = "auth/keys.rs"]
mod keys;
#[path = "auth/old_pages.rs"]
mod old_pages;
#[path = "auth/operating.rs"]
mod operating;
#[path = "auth/plain.rs"]
mod plain;
#[path = "auth/renewing.rs"]
mod renewing;
#[path = "auth/requests.rs"]
mod requests;
#[path = "auth/signalr.rs"]
mod signalr;
#[path = "auth/socket_io.rs"]
mod socket_io;
#[path = "auth/vouching.rs"]
mod vouching;
