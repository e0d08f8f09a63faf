//! Listening, accepting, and stopping.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::accept::Acceptor;
use crate::auth::Auth;
use crate::auth::keys::KeyError;
use crate::config::Config;
use crate::files::{Files, Mount};
use crate::http::{self, Site};
use crate::hub::ids::NoRandomness;
use crate::hub::{Hub, Stats};
use crate::limits::HttpConnections;
use crate::metrics;
use crate::origin::Policy;
use crate::protocols::{plain, signalr, socket_io, sse};
use crate::proxies::Proxies;
use crate::relay::Relay;
use crate::reload::Reloader;
use crate::tls::{Tls, TlsError};

/// How often a relay that drains looks whether anybody is left.
const DRAIN_CHECK: Duration = Duration::from_millis(50);
/// How often the relay evicts what has expired.
const EVICTION: Duration = Duration::from_secs(1);

/// A relay that has its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Acceptor,
    metrics: Option<(TcpListener, SocketAddr)>,
    policy: Arc<RwLock<Policy>>,
    auth: Option<Arc<Auth>>,
    loopback: bool,
}

/// Why a relay can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    AddressTaken(SocketAddr),
    /// The certificate can't be used.
    Tls(TlsError),
    /// The address of the metrics isn't available.
    Metrics(Box<StartError>),
    /// The address can't be listened on for another reason.
    Listen(SocketAddr, io::ErrorKind, String),
    /// The folder of a mount doesn't exist, or isn't a folder.
    Folder(Mount, PathBuf, String),
    /// Two mounts have the same prefix.
    SamePrefix(Mount, Mount),
    /// A frame of the greatest length doesn't fit into a send queue.
    QueueTooSmall {
        /// The longest frame, in bytes.
        max_frame: usize,
        /// The bound of the send queue, in bytes.
        queue_bytes: usize,
    },
    /// The settings need more memory than they are given.
    MemoryTooSmall {
        /// The bytes that they are given.
        memory: usize,
        /// The bytes that they need at least.
        least: usize,
    },
    /// The system has no random numbers.
    NoRandomness,
    /// The keys for tokens can't be used.
    Keys(PathBuf, KeyError),
    /// Other machines can reach the address, and nothing says who may use the relay.
    Unprotected(SocketAddr),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressTaken(address) => {
                let free = SocketAddr::new(address.ip(), 0);
                write!(
                    f,
                    "{address} is taken by another program, perhaps another signal-relay: stop the other or choose --listen {free} for any free port"
                )
            }
            Self::Tls(error) => error.fmt(f),
            Self::Metrics(error) => {
                let error = error.to_string().replace("--listen", "--metrics");
                write!(f, "no metrics: {error}")
            }
            Self::Listen(address, io::ErrorKind::AddrNotAvailable, _) => {
                write!(
                    f,
                    "can't listen on {address}: this machine has no address {}; --listen 0.0.0.0:{} takes all it has",
                    address.ip(),
                    address.port()
                )
            }
            Self::Listen(address, io::ErrorKind::PermissionDenied, _) => {
                write!(
                    f,
                    "can't listen on {address}: you may not use port {}; choose one from 1024 up",
                    address.port()
                )
            }
            Self::Listen(address, _, why) => write!(f, "can't listen on {address}: {why}"),
            Self::Folder(mount, folder, why) => {
                write!(f, "can't serve --mount {mount}: {} {why}", folder.display())
            }
            Self::SamePrefix(one, other) => write!(
                f,
                "--mount {one} and --mount {other} are for the same path: leave one of them out"
            ),
            Self::QueueTooSmall {
                max_frame,
                queue_bytes,
            } => write!(
                f,
                "a send queue of {queue_bytes} bytes never has room for a frame of {max_frame}: \
                 raise --queue-bytes to at least {max_frame} or lower --max-frame"
            ),
            Self::MemoryTooSmall { memory, least } => write!(
                f,
                "{memory} bytes of memory are too few for --connections, --history-total, \
                 --queue-bytes and three times --max-frame: raise --memory to at least {least}, or \
                 lower one of those"
            ),
            Self::NoRandomness => NoRandomness.fmt(f),
            Self::Keys(file, error) => write!(f, "can't check tokens: {} {error}", file.display()),
            Self::Unprotected(address) => write!(
                f,
                "--listen {address} can be reached from other machines, and everybody there could read and write here: \
                 give --auth to ask for tokens or --open to relay for everybody, or listen on 127.0.0.1:{}",
                address.port()
            ),
        }
    }
}

impl std::error::Error for StartError {}

impl From<(PathBuf, KeyError)> for StartError {
    fn from((file, error): (PathBuf, KeyError)) -> Self {
        Self::Keys(file, error)
    }
}

impl Server {
    /// Checks the settings and takes the port. From then on clients can connect; they are served
    /// once [`Server::serve`] runs.
    ///
    /// # Errors
    /// The address isn't available, or the settings are impossible.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let hub = Hub::in_memory(config.hub_limits());
        let hub = hub.map_err(|NoRandomness| StartError::NoRandomness)?;
        Self::bind_with(config, hub).await
    }

    /// The same with a given hub, which may share its store with other relays.
    ///
    /// # Errors
    /// The address isn't available, or the settings are impossible.
    pub async fn bind_with(config: Config, hub: Hub) -> Result<Self, StartError> {
        check(&config)?;
        let tls = config.tls.clone().map(Tls::new).transpose();
        let tls = tls.map_err(StartError::Tls)?.map(Arc::new);
        let auth = config.auth.as_ref().map(Auth::new).transpose();
        let auth = auth.map_err(StartError::from)?.map(Arc::new);
        let (listener, address) = listen(config.listen).await?;
        let metrics = match config.metrics {
            Some(wanted) => {
                let listening = listen(wanted).await;
                Some(listening.map_err(|error| StartError::Metrics(Box::new(error)))?)
            }
            None => None,
        };
        let relay = Arc::new(Relay::new(hub, config.clone()));
        let loopback = address.ip().to_canonical().is_loopback();
        let policy = Policy::new(loopback, config.origins.clone(), config.hosts.clone());
        let policy = Arc::new(RwLock::new(policy));
        let service = http::service(Site {
            relay: Arc::clone(&relay),
            policy: Arc::clone(&policy),
            auth: auth.clone(),
            files: Files::new(&config.mounts),
            routes: vec![
                socket_io::routes(Arc::clone(&relay)),
                signalr::routes(Arc::clone(&relay), config.signalr),
                sse::routes(Arc::clone(&relay), config.sse_limits())
                    .map_err(|NoRandomness| StartError::NoRandomness)?,
                plain::routes(Arc::clone(&relay)),
            ],
            fallbacks: vec![signalr::script_routes()],
        });
        Ok(Self {
            listener,
            address,
            acceptor: Acceptor {
                relay,
                service,
                http: HttpConnections::new(config.http_connections),
                proxies: Arc::new(Proxies::new(config.trusted_proxies)),
                tls,
            },
            metrics,
            policy,
            auth,
            loopback,
        })
    }

    /// The address and the port that the relay listens on; never port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.acceptor.tls.is_some()
    }

    /// The address and the port of the metrics, if they are served.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// A handle that changes the settings while the relay runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader {
            relay: Arc::clone(&self.acceptor.relay),
            policy: Arc::clone(&self.policy),
            tls: self.acceptor.tls.clone(),
            auth: self.auth.clone(),
            loopback: self.loopback,
        }
    }

    /// A handle that reads the relay's stats while it runs.
    #[must_use]
    pub fn stats(&self) -> StatsHandle {
        StatsHandle(Arc::clone(&self.acceptor.relay))
    }

    /// Serves until `stop` resolves. Then it accepts no more connections and sends each, at a moment
    /// of its own in the time of [`Config::drain`], what waits for it and a close code. It returns
    /// when all have closed, at the latest one second after the close timeout that follows.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self {
            listener,
            acceptor,
            metrics,
            ..
        } = self;
        let relay = &acceptor.relay;
        // Dropped with this, and so stopped.
        let mut others = JoinSet::new();
        if let Some((listener, _)) = metrics {
            others.spawn(metrics::listen(listener, Arc::clone(relay)));
        }
        if let Some(tls) = acceptor.tls.clone() {
            others.spawn(async move { tls.watch().await });
        }
        let evicted = Arc::clone(relay);
        others.spawn(async move { evict_expired(&evicted).await });
        tokio::select! {
            () = acceptor.accept(&listener) => {}
            () = pin!(stop) => {}
        }
        drop(listener);
        drain(relay).await;
        relay.lifecycle.stop();
        relay.tasks.close();
        if timeout(
            relay.limits().close_timeout + Duration::from_secs(1),
            relay.tasks.wait(),
        )
        .await
        .is_err()
        {
            tracing::warn!(
                "stopped with {} connections that didn't close in time",
                relay.tasks.len()
            );
        }
    }
}

/// Takes an address and a port.
async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressTaken(wanted),
        kind => StartError::Listen(wanted, kind, error.to_string()),
    };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Sends the clients away, one after the other. Ends as soon as all have left.
async fn drain(relay: &Relay) {
    let time = relay.config().drain;
    relay.lifecycle.drain(time);
    let left = async {
        while relay.places.taken() > 0 {
            sleep(DRAIN_CHECK).await;
        }
    };
    // Without the time, it has come to its end already.
    let _ = timeout(time, left).await;
}

/// Checks settings, as far as that is possible without taking the port.
///
/// # Errors
/// They are impossible.
pub fn check(config: &Config) -> Result<(), StartError> {
    let (max_frame, queue_bytes) = (config.max_frame, config.queue.bytes);
    if queue_bytes < max_frame {
        return Err(StartError::QueueTooSmall {
            max_frame,
            queue_bytes,
        });
    }
    let (memory, least) = (config.memory, config.least_memory());
    if memory < least {
        return Err(StartError::MemoryTooSmall { memory, least });
    }
    if !config.open && config.auth.is_none() && !config.listen.ip().to_canonical().is_loopback() {
        return Err(StartError::Unprotected(config.listen));
    }
    let mut seen: Vec<&Mount> = Vec::new();
    for mount in &config.mounts {
        if let Some(other) = seen.iter().find(|other| other.prefix() == mount.prefix()) {
            return Err(StartError::SamePrefix((*other).clone(), mount.clone()));
        }
        seen.push(mount);
        let why = match std::fs::metadata(mount.folder()) {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(_) => "is a file, and a mount serves a folder".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "doesn't exist".to_owned(),
            Err(error) => format!("can't be read: {error}"),
        };
        let folder =
            std::path::absolute(mount.folder()).unwrap_or_else(|_| mount.folder().to_owned());
        return Err(StartError::Folder(mount.clone(), folder, why));
    }
    Ok(())
}

/// Evicts expired messages and sessions, again and again.
async fn evict_expired(relay: &Relay) {
    loop {
        sleep(EVICTION).await;
        relay.hub.evict_expired();
        relay.places.evict_unused();
    }
}

/// Reads the stats of a running relay from outside.
#[derive(Clone, Debug)]
pub struct StatsHandle(Arc<Relay>);

impl StatsHandle {
    /// How many spaces, members and so on there are.
    #[must_use]
    pub fn get(&self) -> Stats {
        self.0.hub.stats()
    }

    /// What `/metrics` answers.
    ///
    /// # Errors
    /// Never, as long as there is memory.
    pub fn metrics(&self) -> Result<String, fmt::Error> {
        metrics::text(&self.0)
    }

    /// How many WebSockets and other sessions there are, including those that are just opening or
    /// closing.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.places.taken()
    }
}
