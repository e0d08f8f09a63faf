//! Many clients of one server in one process: one publishes, all others receive. `npm run bench`
//! runs it beside servers of other kinds; it prints one JSON object.
//!
//! | module | |
//! | --- | --- |
//! | `protocol` | what a client of each protocol says and hears |
//! | `client` | a connection: WebSockets, and streams of events |
//! | `server` | what the server's process costs, from /proc |
//! | `histogram` | how long deliveries take |
//! | `run` | the measurements |

mod client;
mod histogram;
mod protocol;
mod run;
mod server;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::protocol::Protocol;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// As many messages as arrive: deliveries a second, and the server's processor time for each.
    Full,
    /// So many messages a second as `--rate` says: how long each delivery takes.
    Paced,
    /// Nothing is sent: the server's memory for each connection.
    Idle,
}

/// Measures one server.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Settings {
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// The server's process.
    #[arg(long)]
    pub(crate) pid: u32,
    #[arg(long)]
    pub(crate) protocol: Protocol,
    #[arg(long)]
    pub(crate) measure: Measure,
    /// How many clients receive.
    #[arg(long, default_value_t = 100)]
    pub(crate) receivers: usize,
    /// How many bytes a message has, besides its envelope.
    #[arg(long, default_value_t = 1500)]
    pub(crate) size: usize,
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// Messages a second, for `paced`.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
}

impl Settings {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Why a measurement failed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run::run(&Settings::parse()).await {
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("load-generator: {failure}");
            ExitCode::FAILURE
        }
    }
}
