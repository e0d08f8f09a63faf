//! The relay of signal-wasm: a server that hands what a page says to the other pages in the same *space*.
//!
//! The binary `signal-relay` is this library with a command line. Tests, and programs that want a relay inside, start it themselves:
//!
//! ```
//! use signal_relay::{Config, Server};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = Server::bind(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }).await?;
//! println!("ws://{}/my-room", server.address());
//! server.serve(async { /* resolves when the relay is to stop */ }).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of a frame, from one page to the others:
//!
//! ```text
//! websocket::read ─ session (a turn) ─ Store::publish ─ Members::deliver ─ queue (one per member) ─ websocket::write
//! ```
//!
//! * [`server`] listens, accepts and stops; [`http`](mod@http) decides what a request gets: a WebSocket, a file or a sentence.
//! * [`origin`] says who may come in, and `cors` tells browsers.
//! * [`socket_io`] and [`signalr`] are the other protocols, beside `websocket`, the plain one; `incoming` reads their sockets and watches over the silence.
//! * [`translate`] reads the envelope inside a frame, for connections that have a form of their own for it.
//! * [`hub`] knows spaces and members, [`store`] is what several relays can share, [`queue`] bounds what one member may keep waiting.
//! * [`control`] is what clients and the relay say to each other besides, [`session`] and [`history`] are what lets a client resume.
//! * [`close`] lists every close code that the relay sends.

#![forbid(unsafe_code)]

pub mod close;
pub mod config;
pub mod control;
mod cors;
pub mod files;
pub mod frame;
pub mod history;
pub mod http;
pub mod hub;
mod incoming;
pub mod origin;
pub mod queue;
pub mod server;
pub mod session;
pub mod signalr;
pub mod socket_io;
pub mod store;
pub mod translate;
mod websocket;

pub use config::Config;
pub use server::{Server, StartError};
