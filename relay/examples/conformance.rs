//! A relay for the official test suites of Engine.IO and Socket.IO (the folders `test-suite` of
//! socketio/engine.io-protocol and socketio/socket.io-protocol), which want these settings on port
//! 3000:
//!
//! ```sh
//! cargo run -p signal-relay --example conformance
//! sed -i 's|/engine.io/|/socket.io/|' test-suite.js && npm ci && npm test
//! ```
//!
//! The cases that want foreign events echoed fail: the relay carries envelopes, and never back to
//! their sender.

use std::error::Error;
use std::time::Duration;

use signal_relay::{Config, Server};

/// What an event adds to the longest frame, in bytes.
const EVENT: usize = 1024 + 64;

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config {
        listen: ([127, 0, 0, 1], 3000).into(),
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        max_frame: 1_000_000 - EVENT,
        ..Config::default()
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let server = Server::bind(config).await?;
        println!("http://{}/", server.address());
        server.serve(std::future::pending()).await?;
        Ok(())
    })
}
