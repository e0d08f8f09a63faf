//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use signal_relay::auth;
use signal_relay::auth::claims::Claims;
use signal_relay::auth::hook::HookUrl;
use signal_relay::auth::issue::{IssueError, issue};
use signal_relay::config::{self, Config};
use signal_relay::files::Mount;
use signal_relay::hub::{history, queue, sessions};
use signal_relay::origin::Origin;
use tracing::level_filters::LevelFilter;

const ABOUT: &str = "Relays WebRTC signaling between pages, and serves the pages too";

const LONG_ABOUT: &str = "\
Relays WebRTC signaling between pages, and serves the pages too.

Each message of a page goes to all others that are connected under the same path: ws://HOST/ is one space, ws://HOST/my-room another \
(the query of the URL doesn't matter). Nothing goes back to its sender. A page with signal-wasm receives only the channels that it has \
open, and what it missed while its connection was lost; a page with another client receives everything from when it connects.

Socket.IO clients (versions 1 to 4) connect to http://HOST/ or, for the space /my-room, to the namespace http://HOST/my-room; SignalR \
clients to http://HOST/hub and http://HOST/my-room/hub, those of the older ASP.NET SignalR to http://HOST/signalr and \
http://HOST/my-room/signalr. Pages without WebSockets receive server-sent events from http://HOST/sse and http://HOST/my-room/sse, and \
POST their messages there. All clients in one space receive each other's messages, each in its own protocol.";

const EXAMPLES: &str = "\
Examples:
  signal-relay
      Relays on ws://127.0.0.1:8888/ for pages that are served from this machine.
  signal-relay --mount /=www --mount /lib=dist
      Also serves www/ under / and dist/ under /lib/. The longest prefix wins.
  signal-relay --listen 0.0.0.0:8888 --open --origin https://example.org
      Relays for the whole network, and for the pages of example.org.
  signal-relay --listen 0.0.0.0:8888 --auth jwt --auth-key secret.txt
      Relays for users with a token that the secret has signed; signal-relay token --space /my-room --user alice --key secret.txt makes one.

When it accepts connections it prints one line with its real port: signal-relay listening on http://127.0.0.1:8888/
SIGHUP reads the keys for tokens again. SIGTERM and SIGINT (Ctrl+C) stop it: clients receive what waits for them, and close code 1001. GET /healthz answers 200.

Close codes: 1001 shutting down, 1002 protocol error, 1003 binary frame, 1007 not UTF-8, 1009 frame too long, 4008 slow consumer, \
4009 resumed on another connection, 4012 no answer to a ping, 4501 too many channels, 4503 token refused or expired.
Exit codes: 0 stopped by a signal, 1 couldn't start or run, 2 invalid command line.";

#[derive(Debug, Parser)]
#[command(name = "signal-relay", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where to listen
    ///
    /// The default can be reached from this machine only. 0.0.0.0:PORT listens on all IPv4
    /// addresses, [::]:PORT on all IPv6 addresses too; both need --auth or
    /// --open. Port 0 takes any free port.
    #[arg(long, value_name = "IP:PORT", default_value_t = config::LISTEN, value_parser = address)]
    listen: SocketAddr,

    /// Serves the files of a folder under a path; may be given more than once
    ///
    /// A folder's index.html is its page. Names that begin with a dot aren't served, except
    /// .well-known; links out of the folder are followed.
    #[arg(long = "mount", value_name = "/PREFIX=DIR")]
    mounts: Vec<Mount>,

    /// Lets pages from another origin connect; may be given more than once
    ///
    /// Without it, only pages from the relay's own address may connect, and on a loopback address
    /// pages from any port of this machine. Programs, which send no origin, always may. On a
    /// loopback address, this also adds a name by which the relay may be called, which is needed
    /// behind a proxy that passes the Host header on. '*' allows every page of every site: then any
    /// site that a user visits can read and write here.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<Origin>,

    /// The longest frame
    ///
    /// A longer one closes its sender's connection with code 1009. Bounds what a single frame can
    /// make the relay and all its receivers hold. K and M at the end mean 1024 and 1024 times 1024.
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = bytes, allow_negative_numbers = true)]
    max_frame: usize,

    /// How many frames may wait for one connection
    ///
    /// A connection that reads so slowly that more would have to wait is closed with code 4008. The
    /// others are not affected.
    #[arg(long, value_name = "FRAMES", default_value_t = config::QUEUE_FRAMES, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    queue: usize,

    /// How many bytes may wait for one connection [default: 4M, or --max-frame if that is more]
    ///
    /// Like --queue, it closes the connection with code 4008. Bounds the memory that a page which
    /// doesn't read can cost.
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    queue_bytes: Option<usize>,

    /// How many WebSockets and other sessions there may be
    ///
    /// More are refused with HTTP 503. A Socket.IO client counts once for each namespace that it is
    /// in. Bounds memory and open files; the system's own limit on those (ulimit -n) must be
    /// higher.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CONNECTIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    connections: usize,

    /// How long a connection may be silent before it is pinged
    ///
    /// One that doesn't answer within --ping-timeout is closed with code 4012. The relay also sends
    /// something this often to pages with signal-wasm and to clients of Socket.IO, SignalR and
    /// server-sent events. Pages with signal-wasm and Socket.IO clients learn the interval, and so
    /// detect a lost connection as soon. Behind a proxy that drops idle connections, give less than
    /// the proxy's time. In seconds, from 1s to 24h; 10s, 5m and 2h are understood too.
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = ping_time, allow_negative_numbers = true)]
    ping_interval: Duration,

    /// How long a connection may take to answer a ping
    ///
    /// A client whose network is gone is disconnected after --ping-interval plus --ping-timeout.
    /// Slow networks need some seconds; a client that is closed too early connects again. Socket.IO
    /// clients wait as long for the relay. A time as for --ping-interval.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = ping_time, allow_negative_numbers = true)]
    ping_timeout: Duration,

    /// How long a page may take to come back after a lost connection
    ///
    /// For this time the relay keeps the page's session: which of its messages were accepted, and
    /// which channels it has open. A page that comes back later is sent a gap: it may have missed
    /// messages. In seconds; 500ms, 10s, 5m and 2h are understood too.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time, allow_negative_numbers = true)]
    session_age: Duration,

    /// How many sessions are kept for pages that have lost their connection
    ///
    /// Beyond that, the session disconnected longest is dropped first. 0: none is kept.
    #[arg(long, value_name = "NUMBER", default_value_t = config::SESSIONS, value_parser = RangedU64ValueParser::<usize>::new(), allow_negative_numbers = true)]
    sessions: usize,

    /// How many channels a page may have open
    ///
    /// One that opens more is closed with code 4501, and so is one whose channel names have more
    /// than 256 bytes on average. Pages with other clients can't tell which channels they have
    /// open, and use as many as they like.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CHANNELS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    channels: usize,

    /// How many messages of a channel are kept for replay
    ///
    /// A page that has missed more is sent a gap and the rest. 0: none is kept.
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
    /// Beyond that, the oldest are dropped first, whatever their channel. Each message counts 256
    /// bytes more than its text.
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes, allow_negative_numbers = true)]
    history_total: usize,

    /// Lets only users with a token in
    ///
    /// jwt: each client shows a JSON Web Token that one of the keys in --auth-key has signed. Its
    /// claims are sub (the user's id), exp, spaces (patterns of paths), and publish and subscribe
    /// (patterns of channels). Clients give it in the query (access_token), as a bearer token, in
    /// Socket.IO's auth, or as signal-wasm's option accessToken. Receivers learn who sent a message
    /// by its member user. signal-relay token makes one for trying out.
    ///
    /// hook: the tokens are the operator's own. The relay POSTs {"token":"…"} to --auth-url, which
    /// answers 200 and such claims as JSON, or another status to refuse. If it doesn't answer within
    /// 5 s, nobody is let in. A decision is remembered for 10 s.
    #[arg(
        long,
        value_name = "KIND",
        value_enum,
        requires_ifs([("jwt", "auth_key"), ("hook", "auth_url")])
    )]
    auth: Option<AuthKind>,

    /// The keys that have signed the tokens
    ///
    /// A secret of at least 32 bytes (HS256), a public key in PEM form (RS256, ES256 or EdDSA), or a
    /// JWKS. SIGHUP reads it again.
    #[arg(long, value_name = "FILE", requires = "auth")]
    auth_key: Option<PathBuf>,

    /// The HTTP endpoint on this machine that decides about tokens
    #[arg(
        long,
        value_name = "URL",
        requires = "auth",
        conflicts_with = "auth_key"
    )]
    auth_url: Option<HookUrl>,

    /// Relays for everybody on an address that other machines can reach
    ///
    /// There the relay doesn't start without this option or --auth: whoever reaches it and names a path reads and
    /// writes there. --origin only keeps the pages of other sites out, not programs.
    #[arg(long, conflicts_with = "auth")]
    open: bool,

    /// How much to log on stderr
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Info)]
    pub(crate) log: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AuthKind {
    /// JSON Web Tokens
    Jwt,
    /// Tokens of the operator's own
    Hook,
}

/// What the program does besides relaying.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a token for trying out, and prints it
    Token(TokenArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// A space that may be entered, a path such as /my-room, or a pattern; may be given more than
    /// once
    #[arg(long = "space", value_name = "PATTERN", required = true)]
    spaces: Vec<String>,

    /// The user's id
    #[arg(long, value_name = "ID")]
    user: String,

    /// How long the token is good; a time as for --session-age
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    expires: Duration,

    /// A channel that may be published on, or a pattern; may be given more than once [default: all]
    #[arg(long, value_name = "PATTERN")]
    publish: Vec<String>,

    /// A channel that may be received, or a pattern; may be given more than once [default: all]
    #[arg(long, value_name = "PATTERN")]
    subscribe: Vec<String>,

    /// The file with the secret or the private key (PEM) that signs it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl TokenArguments {
    /// Makes the token.
    pub(crate) fn issue(self) -> Result<String, IssueError> {
        let given = |patterns: Vec<String>| (!patterns.is_empty()).then_some(patterns);
        let claims = Claims {
            sub: self.user,
            spaces: self.spaces,
            publish: given(self.publish),
            subscribe: given(self.subscribe),
            ..Claims::default()
        };
        issue(claims, self.expires, &self.key)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    /// Nothing
    Off,
    /// Failures that stop the relay
    Error,
    /// And refused requests
    Warn,
    /// And start, stop, and connections that couldn't keep up
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
    text.parse().map_err(|_| format!("not an IP address and port; this machine only: 127.0.0.1:{port}, all its addresses: 0.0.0.0:{port}"))
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
        // A year: longer times can't be added to every clock.
        .filter(|time| (1..=31_536_000_000).contains(&time.as_millis()))
        .ok_or_else(|| "give a time of up to a year, for example 90, 500ms, 10s, 5m or 2h".into())
}

/// With less than a second, pings would keep the relay busy, and connections that answer as fast as
/// their network allows would be closed. With more than some days, browsers' timers fire at once.
fn ping_time(text: &str) -> Result<Duration, String> {
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
        let max_frame = arguments.max_frame;
        Self {
            listen: arguments.listen,
            mounts: arguments.mounts,
            origins: arguments.origins,
            max_frame,
            queue: queue::Limits {
                frames: arguments.queue,
                bytes: arguments
                    .queue_bytes
                    .unwrap_or(config::QUEUE_BYTES.max(max_frame)),
            },
            connections: arguments.connections,
            ping_interval: arguments.ping_interval,
            ping_timeout: arguments.ping_timeout,
            sessions: sessions::Limits {
                age: arguments.session_age,
                kept: arguments.sessions,
                channels: arguments.channels,
            },
            history: history::Limits {
                messages: arguments.history_messages,
                bytes: arguments.history_bytes,
                age: arguments.history_age,
                total: arguments.history_total,
            },
            auth: match arguments.auth {
                Some(AuthKind::Jwt) => arguments.auth_key.map(auth::Settings::Jwt),
                Some(AuthKind::Hook) => arguments.auth_url.map(auth::Settings::Hook),
                None => None,
            },
            open: arguments.open,
            ..Self::default()
        }
    }
}
