//! The command line of the relay.

#![forbid(unsafe_code)]

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use signal_relay::config::{self, Config};
use signal_relay::files::Mount;
use signal_relay::origin::Origin;
use signal_relay::queue::Bounds;
use signal_relay::{Server, StartError};
use signal_relay::{history, session};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const ABOUT: &str = "Relays WebRTC signaling between pages, and serves the pages too";

const LONG_ABOUT: &str = "\
Relays WebRTC signaling between pages, and serves the pages too.

Each message of a page goes to all others that are connected under the same path: ws://HOST/ is one space, ws://HOST/my-room another \
(a query in the URL doesn't matter). Nothing goes back to its sender. A page with signal-wasm gets the channels that it has open, and what it \
missed when it comes back after a lost connection; a page with another client gets everything from when it connects.

Socket.IO clients (versions 1 to 4) connect to http://HOST/ or, for the space /my-room, to the namespace http://HOST/my-room; SignalR clients \
to http://HOST/hub and http://HOST/my-room/hub, those of the older ASP.NET SignalR to http://HOST/signalr and http://HOST/my-room/signalr. \
All that are in one space hear each other, each in its own protocol.";

const EXAMPLES: &str = "\
Examples:
  signal-relay
      Relays on ws://127.0.0.1:8888/ for pages that are served from this machine.
  signal-relay --mount /=www --mount /lib=dist
      Serves www/ under / and dist/ under /lib/ as well. The longest prefix wins.
  signal-relay --listen 0.0.0.0:8888 --origin https://example.org
      Relays for the whole network, and for the pages of example.org.

Once it accepts connections it prints one line, with the port that it has: signal-relay listening on http://127.0.0.1:8888/
SIGTERM and SIGINT (Ctrl+C) stop it: members get what waits for them and close code 1001. GET /healthz answers 200.

Close codes: 1001 shutting down, 1002 not the protocol, 1003 binary frame, 1007 not UTF-8, 1009 frame too long, 4008 too slow, \
4009 resumed by another connection, 4012 no answer to a ping, 4501 too many channels.
Exit codes: 0 stopped by a signal, 1 couldn't start or run, 2 the command line is wrong.";

#[derive(Debug, Parser)]
#[command(name = "signal-relay", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES)]
struct Arguments {
    /// Where to listen
    ///
    /// The default can be reached from this machine only. 0.0.0.0:PORT listens on all its IPv4 addresses, [::]:PORT on all IPv6 ones too.
    /// Port 0 takes any free port.
    #[arg(long, value_name = "IP:PORT", default_value_t = config::LISTEN, value_parser = address)]
    listen: SocketAddr,

    /// Serves the files of a folder under a path; may be given more than once
    ///
    /// A folder's index.html is its page. Names that begin with a dot aren't served, except .well-known; links out of the folder are followed.
    #[arg(long = "mount", value_name = "/PREFIX=DIR")]
    mounts: Vec<Mount>,

    /// Lets pages from another origin connect; may be given more than once
    ///
    /// Without it only pages from the relay's own address may, and on a loopback address those from any port of this machine. Programs that
    /// send no origin always may. On a loopback address, this also adds a name that the relay may be called by: a must behind a proxy
    /// that passes the Host header on. '*' allows every page of every site: then any site that a user visits can read and write here.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<Origin>,

    /// The longest frame
    ///
    /// A longer one closes its sender's connection with code 1009. Bounds what a single frame can make the relay and all its receivers hold.
    /// K and M at the end mean 1024 and 1024 times 1024.
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = bytes, allow_negative_numbers = true)]
    max_frame: usize,

    /// How many frames may wait for one connection
    ///
    /// A connection that reads so slowly that more would have to wait is closed with code 4008, and the others never notice.
    #[arg(long, value_name = "FRAMES", default_value_t = config::QUEUE_FRAMES, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    queue: usize,

    /// How many bytes may wait for one connection [default: 4M, or --max-frame if that is more]
    ///
    /// As --queue, and as that closes with code 4008. Bounds the memory that a page which doesn't read can cost.
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    queue_bytes: Option<usize>,

    /// How many WebSockets and other sessions there may be
    ///
    /// More are refused with HTTP 503. A Socket.IO client counts once for each namespace that it is in. Bounds memory and open files; the system's own limit on those (ulimit -n) must be higher.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CONNECTIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    connections: usize,

    /// How long a connection may be silent before it is pinged
    ///
    /// One that doesn't answer within --patience is closed with code 4012. Pages with signal-wasm and clients of Socket.IO and SignalR hear something
    /// of the relay as often; the first two are told the time, and so find out sooner too that a connection is lost. Behind a proxy that drops
    /// idle connections, give less than its time for that. In seconds, from 1s to 24h; 10s, 5m and 2h are understood too.
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = silence, allow_negative_numbers = true)]
    ping: Duration,

    /// How long a connection may take to answer a ping
    ///
    /// After --ping and this a client is found out whose network is gone, and others can take its place. Slow networks need some seconds; one that
    /// is closed too early connects again. Socket.IO clients wait for the relay as long. A time as for --ping.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = silence, allow_negative_numbers = true)]
    patience: Duration,

    /// How long a page may take to come back after a lost connection
    ///
    /// For so long the relay remembers which of its messages it has taken, and what channels it has open. A page that comes later is told that it
    /// may have missed something. In seconds; 500ms, 10s, 5m and 2h are understood too.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time, allow_negative_numbers = true)]
    session_age: Duration,

    /// How many pages that have lost their connection are remembered
    ///
    /// Beyond that the one is forgotten first that lost it first. 0: none.
    #[arg(long, value_name = "NUMBER", default_value_t = config::SESSIONS, value_parser = RangedU64ValueParser::<usize>::new(), allow_negative_numbers = true)]
    sessions: usize,

    /// How many channels a page may have open
    ///
    /// One that opens more is closed with code 4501, and so is one whose channels have names of more than 256 bytes on the average. Pages with other
    /// clients don't tell which they have open, and can use as many as they like.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CHANNELS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    channels: usize,

    /// How many messages of a channel are kept for those who come back
    ///
    /// A page that has missed more is told that something is missing, and gets the rest. 0: none is kept.
    #[arg(long, value_name = "NUMBER", default_value_t = config::HISTORY_MESSAGES, value_parser = RangedU64ValueParser::<usize>::new(), allow_negative_numbers = true)]
    history_messages: usize,

    /// How many bytes of a channel's messages are kept
    ///
    /// As --history-messages.
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = bytes, allow_negative_numbers = true)]
    history_bytes: usize,

    /// How long messages are kept
    ///
    /// A time as for --session-age.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = time, allow_negative_numbers = true)]
    history_age: Duration,

    /// How many bytes of all channels' messages are kept
    ///
    /// Beyond that the oldest go first, whatever their channel. Each message counts for 256 bytes more than its text has.
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes, allow_negative_numbers = true)]
    history_total: usize,

    /// How much to tell on stderr
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Info)]
    log: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    /// Nothing
    Off,
    /// What stops the relay
    Error,
    /// And what it refuses
    Warn,
    /// And its start, its end, and connections that couldn't keep up
    Info,
    /// And every connection
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text
        .rsplit(':')
        .next()
        .and_then(|port| port.parse::<u16>().ok())
        .unwrap_or(config::LISTEN.port());
    text.parse().map_err(|_| format!("that is no IP address and port; this machine only: 127.0.0.1:{port}, all its addresses: 0.0.0.0:{port}"))
}

fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1024),
        None => text
            .strip_suffix(['m', 'M'])
            .map_or((text, 1), |digits| (digits, 1024 * 1024)),
    };
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "give a number of bytes from 1 up, for example 65536, 64K or 1M".into())
}

fn time(text: &str) -> Result<Duration, String> {
    duration(text)
        // A year: what is longer can't be added to every clock.
        .filter(|time| (1..=31_536_000_000).contains(&time.as_millis()))
        .ok_or_else(|| "give a time of up to a year, for example 90, 500ms, 10s, 5m or 2h".into())
}

/// With less than a second, the pings to all connections would keep the relay busy, and those who answer as fast as their network can would
/// be closed. With more than some days, the timers of browsers run out at once.
fn silence(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|time| (1_000..=86_400_000).contains(&time.as_millis()))
        .ok_or_else(|| "give a time from 1s to 24h, for example 10, 1500ms, 10s, 5m or 2h".into())
}

fn duration(text: &str) -> Option<Duration> {
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(split).unwrap_or((text, ""));
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
}

impl From<Arguments> for Config {
    fn from(arguments: Arguments) -> Self {
        let Arguments {
            listen,
            mounts,
            origins,
            max_frame,
            queue,
            queue_bytes,
            connections,
            ping,
            patience,
            session_age,
            sessions,
            channels,
            history_messages,
            history_bytes,
            history_age,
            history_total,
            log: _,
        } = arguments;
        let queue = Bounds {
            frames: queue,
            bytes: queue_bytes.unwrap_or(config::QUEUE_BYTES.max(max_frame)),
        };
        Self {
            listen,
            mounts,
            origins,
            max_frame,
            queue,
            connections,
            ping,
            patience,
            sessions: session::Bounds {
                age: session_age,
                kept: sessions,
                channels,
            },
            history: history::Bounds {
                messages: history_messages,
                bytes: history_bytes,
                age: history_age,
                total: history_total,
            },
            ..Self::default()
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let log = Targets::new().with_target("signal_relay", arguments.log);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_target(false)
                .with_ansi(false),
        )
        .with(log)
        .init();

    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("can't start its threads: {error}")),
    };
    let result = runtime.block_on(run(arguments.into()));
    // A file that is just being read doesn't hold the end up.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => fail(code, &message),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    // If not even stderr is there, the exit code is all that can be said.
    let _ = writeln!(std::io::stderr(), "signal-relay: {message}");
    ExitCode::from(code)
}

async fn run(config: Config) -> Result<(), (u8, String)> {
    let stop = stop_signal().map_err(|error| (1, format!("can't listen for signals: {error}")))?;
    let server = Server::bind(config).await.map_err(|error| {
        let code = if matches!(
            error,
            StartError::SamePrefix(..) | StartError::Bounds { .. }
        ) {
            2
        } else {
            1
        };
        (code, error.to_string())
    })?;
    // Whoever started the relay may have closed stdout; that is no reason not to run.
    let mut stdout = std::io::stdout();
    let _ = writeln!(
        stdout,
        "signal-relay listening on http://{}/",
        server.address()
    )
    .and_then(|()| stdout.flush());
    server.serve(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves at the first SIGTERM or SIGINT. The handlers are in place when this returns.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name}: stopping");
    })
}

/// Resolves at the first Ctrl+C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("Ctrl+C: stopping");
    })
}
