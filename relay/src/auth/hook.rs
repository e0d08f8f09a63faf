//! An operator's own HTTP endpoint that decides about tokens.
//!
//! The relay POSTs `{"token":"…"}` to it. With status 200 and the claims of a token as JSON, the
//! token is taken; with any other status it is refused. No answer in time means that nobody is let
//! in. A decision is remembered for a short time.
//!
//! The endpoint is on this machine, where plain HTTP shows the token to nobody else.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::uri::{Scheme, Uri};
use axum::http::{Method, Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use signal_wire::json::quoted;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::claims::Grant;
use super::refusal::Refusal;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a decision is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How many decisions are remembered.
const MOST: usize = 10_000;
/// How many requests are made at one time.
const AT_ONE_TIME: usize = 64;
/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The address of an endpoint on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUrl {
    uri: Uri,
    address: SocketAddr,
}

/// Why an address isn't one of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUrlError;

impl fmt::Display for HookUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the hook is an HTTP endpoint on this machine, such as http://127.0.0.1:9000/allow; \
             for another machine, let a proxy on this one pass it on by HTTPS",
        )
    }
}

impl std::error::Error for HookUrlError {}

impl FromStr for HookUrl {
    type Err = HookUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| HookUrlError)?;
        let host = uri.host().ok_or(HookUrlError)?;
        let ip = match host.trim_matches(['[', ']']) {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip.parse().map_err(|_| HookUrlError)?,
        };
        let has_user = uri
            .authority()
            .is_some_and(|place| place.as_str().contains('@'));
        if uri.scheme() != Some(&Scheme::HTTP) || !ip.is_loopback() || has_user {
            return Err(HookUrlError);
        }
        let address = SocketAddr::new(ip, uri.port_u16().unwrap_or(80));
        Ok(Self { uri, address })
    }
}

/// Asks an endpoint, and remembers what it decided.
#[derive(Debug)]
pub(super) struct Hook {
    url: HookUrl,
    /// Limits how many requests are made at one time.
    turns: Semaphore,
    /// Tokens are known by their hashes alone.
    hashes: [RandomState; 2],
    decisions: Mutex<HashMap<[u64; 2], Decision>>,
}

#[derive(Clone, Debug)]
struct Decision {
    made: Instant,
    result: Result<Arc<Grant>, Refusal>,
}

const UNANSWERED: &str = "the token can't be checked right now: try again later";

impl Hook {
    pub(super) fn new(url: HookUrl) -> Self {
        Self {
            url,
            turns: Semaphore::new(AT_ONE_TIME),
            hashes: Default::default(),
            decisions: Mutex::default(),
        }
    }

    fn decisions(&self) -> MutexGuard<'_, HashMap<[u64; 2], Decision>> {
        self.decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all decisions.
    pub(super) fn forget(&self) {
        self.decisions().clear();
    }

    /// What a token grants.
    pub(super) async fn grant(&self, token: &str) -> Result<Arc<Grant>, Refusal> {
        let key = self.hashes.each_ref().map(|hash| hash.hash_one(token));
        let known = self.decisions().get(&key).cloned();
        if let Some(Decision { made, result }) = known
            && made.elapsed() < REMEMBERED
        {
            return result.and_then(still_good);
        }
        let asked = timeout(TIMEOUT, self.ask(token)).await;
        let result = asked
            .unwrap_or(Err("it didn't answer in time"))
            .map_err(|why| {
                tracing::warn!("the hook for tokens gave no decision: {why}");
                Refusal::unavailable(UNANSWERED)
            })?;
        let result = result.and_then(|json| Grant::read(&json, SystemTime::now()).map(Arc::new));
        let mut decisions = self.decisions();
        if decisions.len() >= MOST {
            decisions.retain(|_, decision| decision.made.elapsed() < REMEMBERED);
        }
        // Without room, the endpoint is asked more often.
        if decisions.len() < MOST {
            let (made, result) = (Instant::now(), result.clone());
            decisions.insert(key, Decision { made, result });
        }
        drop(decisions);
        result
    }

    /// The endpoint's claims, or its refusal. An error says why there is neither.
    async fn ask(&self, token: &str) -> Result<Result<Vec<u8>, Refusal>, &'static str> {
        let _turn = self.turns.acquire().await.map_err(|_| "it is closed")?;
        let stream = TcpStream::connect(self.url.address).await;
        let io = TokioIo::new(stream.map_err(|_| "it can't be reached")?);
        let (mut sender, connection) = http1::handshake(io).await.map_err(|_| NO_HTTP)?;
        let body = format!("{{\"token\":{}}}", quoted(token));
        let place = self.url.uri.authority().map_or("", |place| place.as_str());
        let path = self
            .url
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, place)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Body::from(body))
            .map_err(|_| NO_HTTP)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|_| NO_HTTP)?;
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), LONGEST_ANSWER).await;
            let body = body.map_err(|_| "its answer is too long")?;
            Ok::<_, &'static str>((status, body))
        };
        // The connection is driven as long as the exchange lasts, and dropped with it.
        let (status, body) = tokio::select! {
            exchanged = exchange => exchanged?,
            _ = async { let _ = connection.await; std::future::pending::<()>().await } => return Err(NO_HTTP),
        };
        match status {
            StatusCode::OK => Ok(Ok(body.to_vec())),
            status if status.is_server_error() => Err("it failed, with a status from 500 up"),
            _ => Ok(Err(Refusal::invalid("the operator's hook refused it"))),
        }
    }
}

const NO_HTTP: &str = "it doesn't speak HTTP";

fn still_good(grant: Arc<Grant>) -> Result<Arc<Grant>, Refusal> {
    if grant.expires > SystemTime::now() {
        Ok(grant)
    } else {
        Err(Refusal::EXPIRED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_on_this_machine() {
        for text in [
            "http://127.0.0.1:9000/allow",
            "http://localhost/",
            "http://[::1]:9000",
            "http://127.0.0.2:1/a?b=c",
        ] {
            assert!(text.parse::<HookUrl>().is_ok(), "{text}");
        }
        for text in [
            "",
            "/allow",
            "127.0.0.1:9000",
            "https://127.0.0.1/",
            "ftp://127.0.0.1/",
            "http://example.org/",
            "http://192.0.2.1/",
            "http://0.0.0.0:9000/",
            "http://localhost.example.org/",
            "http://user@127.0.0.1/",
        ] {
            assert_eq!(text.parse::<HookUrl>(), Err(HookUrlError), "{text}");
        }
    }
}
