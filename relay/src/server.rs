//! Listening, accepting, and stopping.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::address::ClientAddress;
use crate::auth::Auth;
use crate::auth::keys::KeyError;
use crate::config::Config;
use crate::files::{Files, Mount};
use crate::http::{self, Site};
use crate::hub::ids::NoRandomness;
use crate::hub::{Hub, Stats};
use crate::limits::{HttpSlot, HttpSlots};
use crate::origin::Policy;
use crate::protocols::{plain, signalr, socket_io, sse};
use crate::relay::Relay;

/// How long the head of a request may take, and how long a connection may wait for its next
/// request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the relay evicts what has expired.
const EVICTION: Duration = Duration::from_secs(1);

/// A relay that has its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Router,
    relay: Arc<Relay>,
    auth: Option<Arc<Auth>>,
}

/// Why a relay can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    AddressTaken(SocketAddr),
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
        let auth = match &config.auth {
            None => None,
            Some(settings) => Some(Arc::new(
                Auth::new(settings).map_err(|(file, error)| StartError::Keys(file, error))?,
            )),
        };
        let wanted = config.listen;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::AddressTaken(wanted),
            kind => StartError::Listen(wanted, kind, error.to_string()),
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let relay = Arc::new(Relay::new(hub, config.connection_limits()));
        let loopback = address.ip().to_canonical().is_loopback();
        let service = http::service(Site {
            policy: Policy::new(loopback, config.origins.clone()),
            auth: auth.clone(),
            files: Files::new(&config.mounts),
            routes: vec![
                socket_io::routes(Arc::clone(&relay)),
                signalr::routes(Arc::clone(&relay), config.signalr),
                sse::routes(Arc::clone(&relay), config.sse_limits()),
                plain::routes(Arc::clone(&relay)),
            ],
            fallbacks: vec![signalr::script_routes()],
        });
        Ok(Self {
            listener,
            address,
            service,
            relay,
            auth,
        })
    }

    /// The address and the port that the relay listens on; never port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What checks tokens, if the relay asks for them: its keys can be read again while it runs.
    #[must_use]
    pub fn auth(&self) -> Option<&Arc<Auth>> {
        self.auth.as_ref()
    }

    /// A handle that reads the relay's stats while it runs.
    #[must_use]
    pub fn stats(&self) -> StatsHandle {
        StatsHandle(Arc::clone(&self.relay))
    }

    /// Serves until `stop` resolves. Then it accepts no more connections and sends each what waits
    /// for it and a close code. It returns when all have closed, at the latest one second after the
    /// settings' close timeout.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self {
            listener,
            service,
            relay,
            ..
        } = self;
        tokio::select! {
            () = accept(listener, &relay, service) => {}
            () = evict_expired(&relay) => {}
            () = pin!(stop) => {}
        }
        relay.stopping.cancel();
        relay.tasks.close();
        if timeout(
            relay.limits.close_timeout + Duration::from_secs(1),
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

fn check(config: &Config) -> Result<(), StartError> {
    let (max_frame, queue_bytes) = (config.max_frame, config.queue.bytes);
    if queue_bytes < max_frame {
        return Err(StartError::QueueTooSmall {
            max_frame,
            queue_bytes,
        });
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
    }
}

async fn accept(listener: TcpListener, relay: &Arc<Relay>, service: Router) {
    let slots = HttpSlots::new();
    while let Some(slot) = slots.take().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let address = ClientAddress::new(peer.ip());
                let (relay, service) = (Arc::clone(relay), service.clone());
                let tasks = relay.tasks.clone();
                tasks.spawn(async move {
                    serve_connection(stream, address, &relay, service, slot.clone()).await;
                    slot.release();
                });
            }
            // The client was gone again.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::warn!(
                    "can't accept a connection: {error}; if too many files are open, raise the limit (ulimit -n)"
                );
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Answers the requests of one connection, until it ends or has become a WebSocket.
async fn serve_connection(
    stream: TcpStream,
    address: ClientAddress,
    relay: &Relay,
    service: Router,
    slot: HttpSlot,
) {
    // Without this, small frames could wait for the acknowledgement of those before them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let carried = slot.clone();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |mut request| {
                request.extensions_mut().insert(carried.clone());
                request.extensions_mut().insert(address);
                service.clone().oneshot(request)
            }),
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = async {
        tokio::select! {
            ended = &mut connection => ended,
            () = relay.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    let ended = tokio::select! {
        ended = ended => ended,
        () = slot.aborted() => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection failed");
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

    /// How many WebSockets and other sessions there are, including those that are just opening or
    /// closing.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.slots.taken()
    }
}
