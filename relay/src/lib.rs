//! The relay of signal-wasm: a server that relays what a page sends to the other pages in the same
//! *space*.
//!
//! The binary `signal-relay` is this library with a command line. Tests, and programs that embed a
//! relay, start it themselves:
//!
//! ```
//! use signal_relay::{Config, Server};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
//! let server = Server::bind(config).await?;
//! println!("ws://{}/my-room", server.address());
//! server.serve(async { /* resolves when the relay is to stop */ }).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of a frame from one page to the others:
//!
//! ```text
//! connection (reads) ─ protocol (decodes) ─ session (a turn) ─ store ─ spaces
//!                                                                       │
//!        connection (writes) ─ protocol (encodes) ─ queue, one per connection
//! ```
//!
//! Each module uses only those above it:
//!
//! | module | |
//! | --- | --- |
//! | [`signal_wire`] | what client and relay both speak: envelopes, frames, close codes |
//! | [`address`], [`proxies`], [`base_path`] | whose share something is paid from; whose request a proxy passes on, and under which path |
//! | [`hub`] | the memory budget, ids, frames, queues, history, the store, spaces, sessions |
//! | [`auth`] | tokens: who may do what |
//! | [`limits`], [`metrics`] | what connections may cost; what is counted of them |
//! | [`rooms`] | the rooms of RTCMultiConnection 3: users, owners, passwords, broadcasts |
//! | `presence` | which pages are on a channel, for pages that ask |
//! | `lifecycle`, `relay` | running, draining, stopping; what all connections share |
//! | `connection` | WebSockets: upgrade, the one read/write loop, heartbeat, close reasons |
//! | [`protocols`] | plain WebSockets, server-sent events, Socket.IO, SignalR: none knows another |
//! | [`host`], [`origin`], [`files`] | who may connect, and by which name; the folders that are served |
//! | `monitoring` | figures for Prometheus, and whether the relay takes new clients |
//! | `http`, [`tls`] | what every request goes through; the certificate |
//! | [`config`], [`check`] | the settings, and whether a relay can start with them |
//! | `accept`, [`reload`] | accepting connections and answering their requests; changing settings |
//! | [`server`] | listening and stopping |
//!
//! The program adds the command line, which is also the definition of the configuration file's keys
//! and of the environment's variables, signals, and the log.

#![forbid(unsafe_code)]

mod accept;
pub mod address;
pub mod auth;
pub mod base_path;
mod changeable;
pub mod check;
pub mod config;
mod connection;
pub mod files;
#[doc(hidden)]
pub mod gate;
pub mod host;
mod http;
pub mod hub;
mod lifecycle;
pub mod limits;
pub mod metrics;
mod monitoring;
pub mod origin;
mod presence;
pub mod protocols;
pub mod proxies;
mod relay;
pub mod reload;
pub mod rooms;
pub mod server;
pub mod tls;

pub use check::StartError;
pub use config::Config;
pub use server::Server;
