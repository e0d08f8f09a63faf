//! Accepting connections, and answering their requests.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower::ServiceExt;

use crate::address::ClientAddress;
use crate::limits::{HttpConnection, HttpConnections, WriteDeadline};
use crate::metrics::Counted;
use crate::proxies::Proxies;
use crate::relay::Relay;
use crate::tls::Tls;

/// How long the head of a request may take, and how long a connection may wait for its next
/// request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest head of a request, in bytes; so much of an answer is buffered, too.
const HTTP_BUFFER: usize = 64 * 1024;
/// How long the relay waits for a connection to close, when the system has no more files.
const FILES_WAIT: Duration = Duration::from_millis(20);

/// What every accepted connection needs.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    pub(crate) relay: Arc<Relay>,
    pub(crate) service: Router,
    pub(crate) http: HttpConnections,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Acceptor {
    /// Accepts connections, again and again.
    pub(crate) async fn accept(&self, listener: &TcpListener) {
        loop {
            let error = match listener.accept().await {
                Ok((stream, peer)) => {
                    self.start(stream, peer.ip());
                    continue;
                }
                Err(error) => error,
            };
            let gone = matches!(
                error.kind(),
                io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
            );
            if gone {
                continue;
            }
            tracing::warn!(
                "can't accept a connection: {error}; if too many files are open, raise the limit (ulimit -n)"
            );
            self.http.make_room();
            sleep(FILES_WAIT).await;
        }
    }

    /// Serves a new connection in a task of its own.
    fn start(&self, stream: TcpStream, peer: IpAddr) {
        // A proxy's connection is that of many clients.
        let direct = !self.proxies.trusts(peer);
        let address = direct.then(|| ClientAddress::new(peer));
        if address.is_some_and(|address| !self.relay.places.share(address).connect()) {
            return;
        }
        let http = self.http.add(address);
        let acceptor = self.clone();
        self.relay.tasks.spawn(async move {
            acceptor.begin(stream, peer, &http).await;
            http.release();
        });
    }

    /// Serves a new connection, after its handshake if there is TLS.
    async fn begin(&self, stream: TcpStream, peer: IpAddr, http: &HttpConnection) {
        // Without this, small frames could wait for the acknowledgement of those before them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let stream = Counted::new(stream, Arc::clone(&self.relay.metrics));
        let stream = WriteDeadline::new(stream, self.relay.limits().write_timeout);
        let Some(tls) = &self.tls else {
            return self.serve(stream, peer, http).await;
        };
        match tls.accept(stream).await {
            Ok(stream) => self.serve(stream, peer, http).await,
            Err(error) => tracing::debug!(%error, "no TLS handshake"),
        }
    }

    /// Answers the requests of one connection, until it ends or has become a WebSocket.
    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: IpAddr,
        http: &HttpConnection,
    ) {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HTTP_BUFFER)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(|mut request| {
                    http.note_request();
                    let client = ClientAddress::new(self.proxies.client(peer, request.headers()));
                    request.extensions_mut().insert(http.clone());
                    request.extensions_mut().insert(client);
                    let (share, service) = (self.relay.places.share(client), self.service.clone());
                    async move {
                        share.request().await;
                        service.oneshot(request).await
                    }
                }),
            )
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = async {
            tokio::select! {
                ended = &mut connection => ended,
                () = self.relay.lifecycle.stopping() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        let ended = tokio::select! {
            ended = ended => ended,
            () = http.aborted() => return,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP connection failed");
        }
    }
}
