//! The listener for metrics, and the answers about the relay's health, which both listeners give.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::exposition::text;
use crate::relay::Relay;

/// The format of the answer: Prometheus' text, version 0.0.4.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Connections at one time. Further ones wait to be accepted.
const CONNECTIONS: usize = 32;
/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take in all.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Answers requests for metrics until this is dropped.
pub(crate) async fn listen(listener: TcpListener, relay: Arc<Relay>) {
    let service = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get(async |State(relay): State<Arc<Relay>>| ready(&relay)),
        )
        .with_state(relay);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let service = service.clone();
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .keep_alive(false)
                .serve_connection(
                    TokioIo::new(stream),
                    service_fn(move |request| service.clone().oneshot(request)),
                );
            if let Ok(Err(error)) = timeout(TIMEOUT, connection).await {
                tracing::debug!(%error, "a request for metrics failed");
            }
            drop(slot);
        });
    }
}

async fn metrics(State(relay): State<Arc<Relay>>) -> Response {
    match text(&relay) {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Whether the relay takes new clients.
pub(crate) fn ready(relay: &Relay) -> Response {
    if relay.lifecycle.is_draining() {
        let sentence = "The relay is shutting down.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
    }
    if !relay.hub.is_ready() {
        let sentence = "NATS doesn't answer.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
    }
    "ready\n".into_response()
}
