//! The command line.

mod token;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use signal_relay::auth::hook::HookUrl;
use signal_relay::base_path::BasePath;
use signal_relay::config::{self, Config};
use signal_relay::files::Mount;
use signal_relay::host::HostPattern;
use signal_relay::hub::jetstream::settings::{Name, Servers};
use signal_relay::hub::{history, jetstream, queue, sessions};
use signal_relay::limits::{Rate, Rates};
use signal_relay::origin::Origin;
use signal_relay::proxies::Proxy;
use signal_relay::tls;

use self::token::TokenArguments;
use self::values::{
    AuthKind, address, bytes, bytes_or_none, metrics_address, ping_time, short_time, time,
};
pub(crate) use self::values::{Format, Level};

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

/// Where `signal-relay stats` looks for metrics when nothing else says where they are.
pub(crate) const METRICS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);

const EXAMPLES: &str = "\
Examples:
  signal-relay
      Relays on ws://127.0.0.1:8888/ for pages that are served from this machine.
  signal-relay --mount /=www --mount /lib=dist
      Also serves www/ under / and dist/ under /lib/. The longest prefix wins.
  signal-relay --listen 0.0.0.0:8888 --open --origin https://example.org
      Relays for the whole network, and for the pages of example.org.
  signal-relay --listen 0.0.0.0:8888 --auth jwt --auth-key secret.txt
      Relays for users with a token that the secret has signed.
  signal-relay token --space /my-room --user alice --key secret.txt
      Makes such a token.
  signal-relay --config signal-relay.toml --check
      Prints the settings that the file, the environment and the options amount to.

Each option may also be a key of the file that --config names, without the dashes before it, and a variable of the environment: \
max-frame = \"2M\" or SIGNAL_RELAY_MAX_FRAME=2M. In the file, an option that may be given more than once is a list; in the environment, \
commas separate its values. An option comes before the environment, the environment before the file, and that before the default.

When it accepts connections it prints one line with its real port: signal-relay listening on http://127.0.0.1:8888/
SIGTERM and SIGINT (Ctrl+C) stop it: within --drain, clients receive what waits for them, and close code 1001. A second one stops it \
at once. SIGHUP reads the settings and the keys for tokens again, SIGUSR1 logs the figures of \"signal-relay stats\". GET /healthz \
answers 200, GET /readyz 200 or, once it is stopping or its NATS doesn't answer, 503.

Close codes: 1001 shutting down, 1002 protocol error, 1003 binary frame, 1007 not UTF-8, 1009 frame too long, \
 1013 the store takes no messages, 4008 slow consumer, \
 4009 resumed on another connection, 4012 no answer to a ping, 4013 sent too much, 4014 over its share of memory, 4015 a message took too long, \
 4501 too many channels, 4503 token refused or expired.
Exit codes: 0 stopped by a signal, 1 couldn't start or run, 2 invalid command line.";

/// Options that are no settings: neither the configuration file nor the environment has them, but
/// for `SIGNAL_RELAY_CONFIG`.
pub(crate) const ONLY_OPTIONS: &[&str] = &["check", "config", "help", "version"];

#[derive(Debug, Parser)]
#[command(name = "signal-relay", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Reads settings from a file
    ///
    /// TOML, whose keys are the names of the options below. Paths in it are relative to the
    /// relay's working directory. The file is read again on SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Checks the settings and prints them, with where each is from
    ///
    /// Doesn't start a relay. What it prints can be used as a file for --config.
    #[arg(long)]
    pub(crate) check: bool,

    /// Where to listen
    ///
    /// The default can be reached from this machine only. 0.0.0.0:PORT listens on all IPv4
    /// addresses, [::]:PORT on all IPv6 addresses too; both need --auth or
    /// --open. Port 0 takes any free port.
    #[arg(long, value_name = "IP:PORT", default_value_t = config::LISTEN, value_parser = address)]
    listen: SocketAddr,

    /// The path under which a proxy makes the relay reachable
    ///
    /// With /signal, ws://HOST/signal/my-room is the space /my-room, and the folder of --mount
    /// /lib=DIR is found at /signal/lib/. The proxy may remove the prefix or leave it: it is removed
    /// from a path that begins with it, and a path without it means the same. So no space and no
    /// mount may have it as its own first part. Addresses that the relay hands out begin with it.
    #[arg(long, value_name = "/PREFIX", default_value = "/")]
    base_path: BasePath,

    /// Serves the files of a folder under a path; may be given more than once
    ///
    /// A folder's index.html is its page. Names that begin with a dot aren't served, except
    /// .well-known; links out of the folder are followed.
    #[arg(long = "mount", value_name = "/PREFIX=DIR")]
    mounts: Vec<Mount>,

    /// How many bytes of files are kept compressed
    ///
    /// A text, script or module without a compressed file beside it (.br or .gz) is compressed when
    /// a browser that takes it first asks for it, once for each version of the file. These bytes
    /// come on top of --memory; files that don't fit are sent uncompressed. 0: none is compressed,
    /// for example because a proxy does it.
    #[arg(long, value_name = "BYTES", default_value = "16M", value_parser = bytes_or_none, allow_negative_numbers = true)]
    compressed_files: u64,

    /// Lets pages from another origin connect; may be given more than once
    ///
    /// Without it, only pages from the relay's own address may connect, and on a loopback address
    /// pages from any port of this machine. Programs, which send no origin, always may.
    /// https://*.example.org allows all subdomains of example.org. It also adds a name by which the
    /// relay may be called, see --host. '*' allows every page of every site: then any site that a
    /// user visits can read and write here.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<Origin>,

    /// A name by which the relay may be called; may be given more than once
    ///
    /// Once a --host or --origin is given, and always on a loopback address, requests that call the
    /// relay by another name are refused, except for those of pages that an --origin names. Else a
    /// site could have its own name point to the relay, and its pages would count as the relay's
    /// own. Without a port every port is meant; *.example.org means all subdomains. The names of
    /// this machine are always known, and off a loopback address the relay's IP addresses.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<HostPattern>,

    /// The longest frame
    ///
    /// A longer one closes its sender's connection with code 1009. Bounds what a single frame can
    /// make the relay and all its receivers hold. K, M and G at the end mean 1024, 1024 times 1024,
    /// and so on.
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
    /// in. Bounds memory and open files. The relay raises the system's own limit on those (ulimit
    /// -n) as far as it may, and says at its start if that isn't enough.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CONNECTIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    pub(crate) connections: usize,

    /// How long a hello waits for the client's first frame: 1s for pages of websocket-over-nodejs
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = short_time, allow_negative_numbers = true)]
    hello_delay: Duration,

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
    /// Beyond that, those of the space or the address that has most are dropped, the session
    /// disconnected longest first. 0: none is kept.
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
    /// Beyond that, the oldest are dropped of the space or the address that has most. Each message
    /// counts 448 bytes more than its text, and each channel and each space counts too.
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes, allow_negative_numbers = true)]
    history_total: usize,

    /// Lets pages ask for what was published before they came
    ///
    /// What is kept of a channel is replayed to any page that subscribes to it and names a message's
    /// id, as signal-wasm's protocol allows. Without it, nothing is replayed from before a page's
    /// session began.
    #[arg(long)]
    late_history: bool,

    /// Shares messages and sessions with other relays, through NATS
    ///
    /// nats://HOST:PORT, or tls:// for TLS; several servers of one cluster are separated by commas.
    /// NATS needs JetStream. What is published on one relay reaches the pages on all, and a page
    /// that has lost its relay resumes on another. The limits of the history are those of NATS too.
    #[arg(long, value_name = "URL")]
    store: Option<Servers>,

    /// What the streams in NATS are called
    ///
    /// Relays with the same name share them. They are made if they aren't there.
    #[arg(long, value_name = "NAME", default_value = "signal-relay")]
    store_name: Name,

    /// A file with what NATS asks for
    ///
    /// A .creds file, user:password, or a token.
    #[arg(long, value_name = "FILE")]
    store_credentials: Option<PathBuf>,

    /// How many NATS servers keep each message
    ///
    /// 3 in a cluster of three: then one of them may fail.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=5), allow_negative_numbers = true)]
    store_replicas: usize,

    /// Has NATS keep messages in memory only
    ///
    /// They are lost when NATS is started again, and then pages learn that they may have missed
    /// messages. Without it, NATS keeps them in files.
    #[arg(long)]
    store_in_memory: bool,

    /// How many WebSockets and other sessions clients of one address may have
    ///
    /// More are refused with HTTP 503. An IPv6 address counts with all others in its /64. Many
    /// people may be behind one address, for example all in an office. Behind a proxy, name that
    /// with --trusted-proxy. Doesn't hold for loopback addresses: see --limit-loopback.
    #[arg(long, value_name = "NUMBER", default_value_t = config::CONNECTIONS_PER_ADDRESS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    connections_per_address: usize,

    /// How many messages a client may send per second
    ///
    /// After a pause it may send at once what fills half a send queue (see --queue and
    /// --queue-bytes). The relay reads no faster, so a client's further messages wait on its own
    /// machine. One that sends too much for a minute is disconnected with code 4013. A POST over
    /// the rate is answered with HTTP 429 and Retry-After. 0: any number. Doesn't hold for loopback
    /// addresses: see --limit-loopback.
    #[arg(long, value_name = "MESSAGES", default_value_t = config::RATES.connection.messages, allow_negative_numbers = true)]
    rate: u64,

    /// How many bytes a client may send per second
    ///
    /// As --rate. 0: any number.
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = bytes_or_none, allow_negative_numbers = true)]
    rate_bytes: u64,

    /// How many messages all clients of one address may send per second
    ///
    /// As --rate, but nobody is disconnected for it. As many HTTP requests per second are answered;
    /// a new connection counts as ten.
    #[arg(long, value_name = "MESSAGES", default_value_t = config::RATES.address.messages, allow_negative_numbers = true)]
    address_rate: u64,

    /// How many bytes all clients of one address may send per second
    ///
    /// As --address-rate. 0: any number.
    #[arg(long, value_name = "BYTES", default_value = "10M", value_parser = bytes_or_none, allow_negative_numbers = true)]
    address_rate_bytes: u64,

    /// Limits clients on this machine, too
    ///
    /// Without it, --connections-per-address and the rates don't hold for loopback addresses. Those
    /// are programs and pages under development, or a proxy that isn't named by --trusted-proxy.
    #[arg(long)]
    limit_loopback: bool,

    /// How many HTTP connections there may be that are neither a WebSocket nor another session
    ///
    /// Beyond that, a new connection takes the place of another, of the address that has the most.
    /// So nobody is shut out.
    #[arg(long, value_name = "NUMBER", default_value_t = config::HTTP_CONNECTIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..), allow_negative_numbers = true)]
    http_connections: usize,

    /// A proxy that says whose requests it passes on; may be given more than once
    ///
    /// An address, or a network such as 10.0.0.0/8. Of requests that come from there, the client is
    /// the last address in X-Forwarded-For (or, without that, in Forwarded) that isn't itself such
    /// a proxy's. So the proxy must write X-Forwarded-For. From everybody else these headers mean
    /// nothing. Without this option, all clients behind a proxy share what one address may have.
    #[arg(long = "trusted-proxy", value_name = "ADDRESS")]
    trusted_proxies: Vec<Proxy>,

    /// How long a relay that is stopping takes to send its clients away
    ///
    /// They are sent away one after the other, spread over this time, so that they don't all come
    /// back at the same moment. Meanwhile the relay accepts no more connections, and /readyz answers
    /// 503. Give 30s where thousands of clients are connected, or another relay takes over. From 0s
    /// to 1h.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = short_time, allow_negative_numbers = true)]
    drain: Duration,

    /// The certificate for HTTPS and secure WebSockets
    ///
    /// A file in PEM form, with the certificate and those that have signed it, as certbot's
    /// fullchain.pem. It is read again when it or the key has changed, and on SIGHUP; connections
    /// that are open stay. Without it the relay speaks HTTP without TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert
    ///
    /// A file in PEM form, as certbot's privkey.pem.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Where to serve metrics for Prometheus
    ///
    /// A listener of its own with /metrics, /healthz and /readyz, for addresses that strangers don't
    /// reach: it asks nobody who they are. Without this option there is none.
    #[arg(long, value_name = "IP:PORT", value_parser = metrics_address)]
    pub(crate) metrics: Option<SocketAddr>,

    /// How much memory the relay takes
    ///
    /// Three quarters of it are for history, replays, send queues, sessions with their channels,
    /// unfinished messages, and 24 kB for each connection. When they are used up, whoever uses most
    /// gives back, a space or an address: the oldest messages, then sessions without a connection,
    /// then the connections that hold most, with code 4008 or 4014. Sizes as for --max-frame.
    #[arg(long, value_name = "BYTES", default_value = "512M", value_parser = bytes, allow_negative_numbers = true)]
    memory: usize,

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
    /// 5 s, or with a status from 500 up, nobody is let in. A decision is remembered for 10 s.
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
    /// There the relay doesn't start without this option or --auth: whoever reaches it and names a
    /// path reads and writes there. --origin only keeps the pages of other sites out, not programs.
    #[arg(long, conflicts_with = "auth")]
    open: bool,

    /// How much to log on stderr
    ///
    /// Of lines of one kind, 20 are written in 10 seconds, and then how many more there were; debug
    /// lines are all written.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Info)]
    pub(crate) log: Level,

    /// In which form to log
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) log_format: Format,
}

/// What the program does besides relaying.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says how a running relay does, in words
    ///
    /// Reads its metrics: the relay must have been started with --metrics.
    Stats {
        /// Where its metrics are [default: the setting metrics, else 127.0.0.1:9464]
        #[arg(long, value_name = "IP:PORT", value_parser = metrics_address)]
        metrics_address: Option<SocketAddr>,
    },
    /// Makes a token for trying out, and prints it
    Token(TokenArguments),
}

impl Arguments {
    /// The value of a setting that depends on others unless it is given.
    pub(crate) fn computed(&self, name: &str) -> Option<String> {
        (name == "queue-bytes").then(|| self.queue_bytes().to_string())
    }

    fn queue_bytes(&self) -> usize {
        self.queue_bytes
            .unwrap_or(config::QUEUE_BYTES.max(self.max_frame))
    }
}

impl From<Arguments> for Config {
    fn from(arguments: Arguments) -> Self {
        let (max_frame, queue_bytes) = (arguments.max_frame, arguments.queue_bytes());
        Self {
            listen: arguments.listen,
            base_path: arguments.base_path,
            mounts: arguments.mounts,
            compressed_files: usize::try_from(arguments.compressed_files).unwrap_or(usize::MAX),
            origins: arguments.origins,
            hosts: arguments.hosts,
            max_frame,
            queue: queue::Limits {
                frames: arguments.queue,
                bytes: queue_bytes,
            },
            connections: arguments.connections,
            connections_per_address: arguments.connections_per_address,
            rates: Rates {
                connection: Rate {
                    messages: arguments.rate,
                    bytes: arguments.rate_bytes,
                },
                address: Rate {
                    messages: arguments.address_rate,
                    bytes: arguments.address_rate_bytes,
                },
                ..config::RATES
            },
            limit_loopback: arguments.limit_loopback,
            http_connections: arguments.http_connections,
            trusted_proxies: arguments.trusted_proxies,
            hello_delay: arguments.hello_delay,
            ping_interval: arguments.ping_interval,
            ping_timeout: arguments.ping_timeout,
            sessions: sessions::Limits {
                age: arguments.session_age,
                kept: arguments.sessions,
                channels: arguments.channels,
                late_history: arguments.late_history,
            },
            history: history::Limits {
                messages: arguments.history_messages,
                bytes: arguments.history_bytes,
                age: arguments.history_age,
                total: arguments.history_total,
            },
            store: arguments
                .store
                .map(|servers| jetstream::settings::Settings {
                    servers,
                    name: arguments.store_name,
                    credentials: arguments.store_credentials,
                    replicas: arguments.store_replicas,
                    in_memory: arguments.store_in_memory,
                }),
            drain: arguments.drain,
            tls: arguments
                .tls_cert
                .zip(arguments.tls_key)
                .map(|(certificate, key)| tls::Files { certificate, key }),
            metrics: arguments.metrics,
            memory: arguments.memory,
            auth: arguments
                .auth
                .and_then(|kind| kind.settings(arguments.auth_key, arguments.auth_url)),
            open: arguments.open,
            ..Self::default()
        }
    }
}
