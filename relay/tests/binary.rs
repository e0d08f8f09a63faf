//! The program as people start it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "binary/command_line.rs"]
mod command_line;
#[path = "binary/metrics.rs"]
mod metrics;
#[path = "binary/running.rs"]
mod running;
#[path = "binary/settings.rs"]
mod settings;
#[cfg(unix)]
#[path = "binary/signals.rs"]
mod signals;
