//! Listening, accepting, and stopping.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::accept::Acceptor;
use crate::auth::Auth;
use crate::check::{StartError, check};
use crate::config::Config;
use crate::files::Files;
use crate::http::{self, Site};
use crate::hub::jetstream::JetStream;
use crate::hub::spaces::Spaces;
use crate::hub::{Hub, Stats};
use crate::limits::HttpConnections;
use crate::monitoring;
use crate::origin::Policy;
use crate::presence::SAY;
use crate::protocols::{plain, signalr, socket_io, sse};
use crate::proxies::Proxies;
use crate::relay::Relay;
use crate::reload::Reloader;
use crate::tls::Tls;

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
    reloader: Reloader,
}

impl Server {
    /// Checks the settings and takes the port. From then on clients can connect; they are served
    /// once [`Server::serve`] runs.
    ///
    /// # Errors
    /// The address isn't available, or the settings are impossible.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        check(&config)?;
        let hub = match &config.store {
            None => Hub::in_memory(config.hub_limits())?,
            Some(settings) => {
                let spaces = Arc::new(Spaces::new(config.queue)?);
                let store = JetStream::connect(settings, Arc::clone(&spaces), config.store_terms());
                let failed = |error| StartError::Store(settings.servers.clone(), error);
                Hub::new(
                    config.hub_limits(),
                    spaces,
                    Arc::new(store.await.map_err(failed)?),
                )
            }
        };
        Self::bind_with(config, hub).await
    }

    /// The same with a given hub, which may share its store with other relays.
    ///
    /// # Errors
    /// The address isn't available, or the settings are impossible.
    pub async fn bind_with(config: Config, hub: Hub) -> Result<Self, StartError> {
        check(&config)?;
        let config = config.within(hub.longest_message());
        let tls = config.tls.clone().map(Tls::new).transpose();
        let tls = tls.map_err(StartError::Tls)?.map(Arc::new);
        let kept = config.history.age;
        let auth = config.auth.as_ref().map(|auth| Auth::new(auth, kept));
        let auth = auth.transpose();
        let auth = auth.map_err(StartError::from)?.map(Arc::new);
        if let Some(auth) = &auth {
            hub.check_senders(Arc::clone(auth) as _);
        }
        let (listener, address) = listen(config.listen).await?;
        let metrics = match config.metrics {
            Some(wanted) => {
                let listening = listen(wanted).await;
                Some(listening.map_err(|error| StartError::Metrics(Box::new(error)))?)
            }
            None => None,
        };
        let relay = Arc::new(Relay::new(hub, config.connection_limits()));
        let loopback = address.ip().to_canonical().is_loopback();
        let policy = Policy::new(loopback, config.origins.clone(), config.hosts.clone());
        let policy = Arc::new(RwLock::new(policy));
        let service = http::service(Site {
            relay: Arc::clone(&relay),
            policy: Arc::clone(&policy),
            auth: auth.clone(),
            files: Files::new(
                &config.mounts,
                config.base_path.clone(),
                config.compressed_files,
            ),
            routes: vec![
                socket_io::routes(Arc::clone(&relay)),
                signalr::routes(Arc::clone(&relay), config.signalr, config.base_path.clone()),
                sse::routes(Arc::clone(&relay))?,
                plain::routes(Arc::clone(&relay)),
            ],
            fallbacks: vec![signalr::script_routes(config.base_path.clone())],
            base_path: config.base_path.clone(),
        });
        let http_connections = HttpConnections::new(config.http_connections);
        Ok(Self {
            listener,
            address,
            metrics,
            acceptor: Acceptor {
                relay: Arc::clone(&relay),
                service,
                http: http_connections.clone(),
                proxies: Arc::new(Proxies::new(config.trusted_proxies.clone())),
                tls: tls.clone(),
            },
            reloader: Reloader {
                config: Arc::new(RwLock::new(config)),
                relay,
                http: http_connections,
                policy,
                tls,
                auth,
                loopback,
            },
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
        self.reloader.clone()
    }

    /// A handle that reads the relay's stats while it runs.
    #[must_use]
    pub fn stats(&self) -> StatsHandle {
        StatsHandle(Arc::clone(&self.acceptor.relay))
    }

    /// Serves until `stop` resolves. Then it accepts no more connections and sends each, at a moment
    /// of its own in the time of [`Config::drain`], what waits for it and a close code. It returns
    /// when all have closed, at the latest one second after the close timeout that follows.
    ///
    /// # Errors
    /// The store has lost what it kept. Then it stops likewise.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), StoreLost> {
        let Self {
            listener,
            acceptor,
            metrics,
            reloader,
            ..
        } = self;
        let relay = &acceptor.relay;
        // Dropped with this, and so stopped.
        let mut others = JoinSet::new();
        if let Some((listener, _)) = metrics {
            others.spawn(monitoring::listen(listener, Arc::clone(relay)));
        }
        if let Some(tls) = acceptor.tls.clone() {
            others.spawn(async move { tls.watch().await });
        }
        let evicted = Arc::clone(relay);
        others.spawn(async move { evict_expired(&evicted).await });
        let renewed = Arc::clone(relay);
        others.spawn(async move { renew_sessions(&renewed).await });
        let present = Arc::clone(relay);
        others.spawn(async move { say_who_is_here(&present).await });
        let rooms = Arc::clone(&relay.rooms);
        others.spawn(async move { rooms.run().await });
        let served = tokio::select! {
            () = acceptor.accept(&listener) => Ok(()),
            () = pin!(stop) => Ok(()),
            () = relay.hub.lost() => Err(StoreLost),
        };
        drop(listener);
        let time = reloader.config().drain;
        relay.rooms.stop();
        relay.lifecycle.drain(time);
        relay.rooms.resign().await;
        drain(relay, time).await;
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
        served
    }
}

/// The store has lost what it kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLost;

impl fmt::Display for StoreLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NATS has lost what it kept: start the relay again, so that pages learn of it")
    }
}

impl std::error::Error for StoreLost {}

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
async fn drain(relay: &Relay, time: Duration) {
    relay.lifecycle.drain(time);
    let left = async {
        while relay.places.taken() > 0 {
            sleep(DRAIN_CHECK).await;
        }
    };
    // Without the time, it has come to its end already.
    let _ = timeout(time, left).await;
}

/// Evicts expired messages and sessions, again and again.
async fn evict_expired(relay: &Relay) {
    loop {
        sleep(EVICTION).await;
        relay.hub.evict_expired();
        relay.rooms.expire();
        relay.presence.expire(relay.lifecycle.is_draining());
        relay.places.evict_unused();
    }
}

/// Tells other relays which pages are here, again and again.
async fn say_who_is_here(relay: &Relay) {
    loop {
        sleep(SAY).await;
        relay.presence.say_all().await;
    }
}

/// Renews what other relays can know of the sessions here, again and again.
async fn renew_sessions(relay: &Relay) {
    loop {
        sleep(EVICTION).await;
        relay.hub.sessions().renew().await;
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
        monitoring::text(&self.0)
    }

    /// How many WebSockets and other sessions there are, including those that are just opening or
    /// closing.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.places.taken()
    }
}
