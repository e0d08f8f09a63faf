//! Listening, accepting, and stopping.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::config::Config;
use crate::files::{Files, Mount};
use crate::http;
use crate::hub::Hub;
use crate::origin::Policy;
use crate::signalr;
use crate::socket_io;

/// Connections that are served at one time and are no WebSockets. More wait to be accepted; each of these ends by itself.
const HTTP_CONNECTIONS: usize = 1024;
/// How long the head of a request may take, and how long a connection may wait for its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the relay looks for what it has kept long enough.
const SWEEP: Duration = Duration::from_secs(1);

/// What all connections of one relay share.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) config: Config,
    pub(crate) hub: Hub,
    pub(crate) files: Files,
    pub(crate) policy: Policy,
    pub(crate) signalr: signalr::Clients,
    pub(crate) sessions: socket_io::Sessions,
    /// One for each WebSocket, or other session, that there may be.
    pub(crate) places: Arc<Semaphore>,
    /// Everything that has to end before the relay has.
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

/// A relay that has its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    relay: Arc<Relay>,
}

/// Why a relay can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    Taken(SocketAddr),
    /// The address can't be listened on for another reason.
    Listen(SocketAddr, io::ErrorKind, String),
    /// The folder of a mount isn't there, or is no folder.
    Folder(Mount, PathBuf, String),
    /// Two mounts have the same prefix.
    SamePrefix(Mount, Mount),
    /// A frame of the greatest length doesn't fit into a send queue.
    Bounds {
        /// The longest frame, in bytes.
        max_frame: usize,
        /// The bound of the send queue, in bytes.
        queue_bytes: usize,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(address) => {
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
            Self::Bounds {
                max_frame,
                queue_bytes,
            } => write!(
                f,
                "a send queue of {queue_bytes} bytes never has room for a frame of {max_frame}: \
                 raise --queue-bytes to at least {max_frame} or lower --max-frame"
            ),
        }
    }
}

impl std::error::Error for StartError {}

impl Server {
    /// Checks the settings and takes the port. From then on clients can connect; they are served once [`Server::serve`] runs.
    ///
    /// # Errors
    /// The address can't be had, or the settings can't be met.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let hub = Hub::in_memory(&config);
        Self::bind_with(config, hub).await
    }

    /// The same with a hub of the caller's, which may share its store with other relays.
    ///
    /// # Errors
    /// The address can't be had, or the settings can't be met.
    pub async fn bind_with(config: Config, hub: Hub) -> Result<Self, StartError> {
        check(&config)?;
        let wanted = config.listen;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::Taken(wanted),
            kind => StartError::Listen(wanted, kind, error.to_string()),
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let relay = Arc::new(Relay {
            hub,
            files: Files::new(&config.mounts),
            policy: Policy::new(
                address.ip().to_canonical().is_loopback(),
                config.origins.clone(),
            ),
            signalr: signalr::Clients::new(&config),
            sessions: socket_io::Sessions::default(),
            places: Arc::new(Semaphore::new(
                config.connections.min(Semaphore::MAX_PERMITS),
            )),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            config,
        });
        Ok(Self {
            listener,
            address,
            relay,
        })
    }

    /// The address and the port that the relay listens on; never port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something that can be asked, while the relay runs, how many are connected.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer(Arc::clone(&self.relay))
    }

    /// Serves until `stop` resolves. Then no connection is accepted any more, members get what waits for them and a close code,
    /// and a little after the farewell time of the settings this returns whether or not all of them have answered.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self {
            listener, relay, ..
        } = self;
        let service = http::router(Arc::clone(&relay));
        tokio::select! {
            () = accept(listener, &relay, service) => {}
            () = sweep(&relay) => {}
            () = pin!(stop) => {}
        }
        relay.stopping.cancel();
        relay.tasks.close();
        if timeout(
            relay.config.farewell + Duration::from_secs(1),
            relay.tasks.wait(),
        )
        .await
        .is_err()
        {
            tracing::warn!(
                "stopped with {} connections that didn't end in time",
                relay.tasks.len()
            );
        }
    }
}

fn check(config: &Config) -> Result<(), StartError> {
    let (max_frame, queue_bytes) = (config.max_frame, config.queue.bytes);
    if queue_bytes < max_frame {
        return Err(StartError::Bounds {
            max_frame,
            queue_bytes,
        });
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

/// Lets go, now and then, of what is kept for those who may come back.
async fn sweep(relay: &Relay) {
    loop {
        sleep(SWEEP).await;
        relay.hub.sweep();
    }
}

async fn accept(listener: TcpListener, relay: &Arc<Relay>, service: Router) {
    let places = Arc::new(Semaphore::new(HTTP_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (relay, service) = (Arc::clone(relay), service.clone());
                let tasks = relay.tasks.clone();
                let place = HttpPlace {
                    all: Arc::clone(&places),
                    own: Arc::new(Mutex::new(Some(place))),
                };
                tasks.spawn(async move {
                    serve_connection(stream, &relay, service, place.clone()).await;
                    place.leave();
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

/// The place of a connection among those that may be served at one time and are no WebSockets. Every request on it has it as an extension.
#[derive(Clone, Debug)]
pub(crate) struct HttpPlace {
    all: Arc<Semaphore>,
    own: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl HttpPlace {
    /// Leaves the place to others while a request waits for something that has a bound of its own, and takes one again before it's answered.
    pub(crate) async fn leave_during(&self, waiting: impl Future<Output = ()>) {
        self.leave();
        waiting.await;
        // The semaphore is never closed.
        if let Ok(place) = Arc::clone(&self.all).acquire_owned().await {
            *self.own() = Some(place);
        }
    }

    fn leave(&self) {
        self.own().take();
    }

    fn own(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers the requests of one connection, until it ends or has become a WebSocket.
async fn serve_connection(stream: TcpStream, relay: &Relay, service: Router, place: HttpPlace) {
    // Without this, small frames could wait for the acknowledgement of those before them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |mut request| {
                request.extensions_mut().insert(place.clone());
                service.clone().oneshot(request)
            }),
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = relay.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended badly");
    }
}

/// Looks at a running relay from outside.
#[derive(Clone, Debug)]
pub struct Observer(Arc<Relay>);

impl Observer {
    /// How many spaces and members there are.
    #[must_use]
    pub fn census(&self) -> crate::hub::Census {
        self.0.hub.census()
    }

    /// How many WebSockets and other sessions there are, those included that are just opening or closing.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0
            .config
            .connections
            .min(Semaphore::MAX_PERMITS)
            .saturating_sub(self.0.places.available_permits())
    }
}
