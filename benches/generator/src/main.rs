//! Many clients of one server in one process: one publishes, all others receive. `npm run bench`
//! runs it beside servers of other kinds; it prints one JSON object.
//!
//! | module | |
//! | --- | --- |
//! | `protocol` | what a client of each protocol says and hears |
//! | `client` | a connection: WebSockets, and streams of events |
//! | `server` | what the server's process costs, from /proc |
//! | `histogram` | how long deliveries take |
//! | `run`, `restart`, `rooms` | the measurements |

mod client;
mod histogram;
mod protocol;
mod restart;
mod rooms;
mod run;
mod server;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::client::Target;
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
    /// All connections are lost, and all sessions resumed, each on the next server: its processor
    /// time for each.
    Resume,
    /// The server is killed and started again: how long until all clients are connected again, and
    /// the new server's processor time until then. Prints `connected` when the server is to be
    /// killed, and reads the process of the new one.
    Restart,
    /// Pages of RTCMultiConnection 3 in rooms ask whether these are there: the servers' processor time
    /// for each answer, and how long it takes. Only `socket-io`.
    Rooms,
}

/// Measures one server, or several that are one to their clients.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Settings {
    /// Where clients connect, in turns.
    #[arg(long = "address", required = true, value_delimiter = ',')]
    pub(crate) addresses: Vec<SocketAddr>,
    /// The server's process, or the processes of all servers.
    #[arg(long = "pid", required = true, value_delimiter = ',')]
    pub(crate) pids: Vec<u32>,
    /// The processes of the store that they share.
    #[arg(long = "store-pid", value_delimiter = ',')]
    pub(crate) store_pids: Vec<u32>,
    #[arg(long)]
    pub(crate) protocol: Protocol,
    #[arg(long)]
    pub(crate) measure: Measure,
    /// How many clients receive; for `rooms` the pages, two to a room.
    #[arg(long, default_value_t = 100)]
    pub(crate) receivers: usize,
    /// Into how many spaces the clients are divided; each has a publisher. Only WebSockets of `plain`
    /// and `relay` can be in several.
    #[arg(long, default_value = "1")]
    pub(crate) spaces: NonZeroUsize,
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
    /// The target of the client with this number. The spaces take turns, and of each space's
    /// clients the servers, as behind a proxy.
    pub(crate) fn receiver(&self, number: usize) -> Result<Target, Failure> {
        self.target(number / self.spaces.get(), number % self.spaces.get())
    }

    /// The target of whoever publishes in a space. The servers take turns.
    pub(crate) fn publisher(&self, space: usize) -> Result<Target, Failure> {
        self.target(space, space)
    }

    fn target(&self, turn: usize, space: usize) -> Result<Target, Failure> {
        let address = self.addresses.get(turn % self.addresses.len());
        Ok(Target {
            address: *address.ok_or("there is no address")?,
            protocol: self.protocol,
            space,
            session: None,
            query: String::new(),
        })
    }

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
