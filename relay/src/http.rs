//! What every request goes through, whatever its protocol: the checks of host, origin and token,
//! CORS, then the protocol whose request it is, or a file.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ORIGIN, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use tower::ServiceExt;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::auth::Auth;
use crate::auth::admission::Admission;
use crate::base_path::{BasePath, Inside};
use crate::connection::is_upgrade;
use crate::files::Files;
use crate::metrics::Refused;
use crate::monitoring;
use crate::origin::{Policy, Refusal};
use crate::protocols::Route;
use crate::relay::Relay;

/// Browsers keep the answer to a preflight for so long; two hours are the most that Chromium keeps
/// it.
const PREFLIGHT_AGE: Duration = Duration::from_secs(2 * 3600);

/// Everything that answers requests.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) relay: Arc<Relay>,
    pub(crate) policy: Arc<RwLock<Policy>>,
    /// Checks tokens, if the relay asks for them.
    pub(crate) auth: Option<Arc<Auth>>,
    pub(crate) base_path: BasePath,
    pub(crate) files: Files,
    /// The protocols, in the order in which they are asked whether a request is theirs.
    pub(crate) routes: Vec<Route>,
    /// Asked for requests without a file.
    pub(crate) fallbacks: Vec<Route>,
}

impl Site {
    fn policy(&self) -> RwLockReadGuard<'_, Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service that answers every request to a relay.
pub(crate) fn service(mut site: Site) -> Router {
    for route in &mut site.routes {
        route.service = route.service.clone().layer(cors());
    }
    let site = Arc::new(site);
    Router::new()
        .fallback(answer)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

/// Whether a page may use the relay was checked before; browsers are only told so. Cookies mean
/// nothing here, but clients of Socket.IO and SignalR ask for permission to send them.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_credentials(true)
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods([Method::GET, Method::POST])
        .expose_headers([RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
        .vary([ORIGIN])
}

/// What holds for every request and every answer.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let known = site.policy().check_host(request.headers());
    let mut response = match known {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(&refusal, "host"),
    };
    if let Some(reason) = Refused::reason(&response) {
        site.relay.metrics.refused(reason);
    }
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    match site.base_path.inside(&head.uri) {
        Inside::Same => {}
        Inside::Uri(inside) => head.uri = inside,
        Inside::Folder(location) if is_reading(&head) => {
            return Redirect::temporary(&location).into_response();
        }
        Inside::Folder(_) => head.uri = Uri::from_static("/"),
    }
    if let Some(route) = site.routes.iter().find(|route| (route.matches)(&head)) {
        let allowed = site.policy().check_origin(&head.headers);
        return match allowed {
            Ok(()) => {
                let admission = Admission::examine(site.auth.as_ref(), &head).await;
                head.extensions.insert(admission);
                call(route, Request::from_parts(head, body)).await
            }
            Err(refusal) => refuse(&refusal, "origin"),
        };
    }
    // What HAProxy's checks ask, by HTTP/1.0 and without a Host.
    if head.method == Method::OPTIONS && matches!(head.uri.path(), "/" | "*") {
        return monitoring::ready(&site.relay);
    }
    let path = head.uri.path().to_owned();
    let reading = is_reading(&head);
    let fallback = site.fallbacks.iter().find(|route| (route.matches)(&head));
    let fallback = fallback.map(|route| (route, head.clone()));
    let response = site.files.serve(Request::from_parts(head, body)).await;
    if response.status() != StatusCode::NOT_FOUND || !reading {
        return response;
    }
    match (path.as_str(), fallback) {
        ("/healthz", _) => "ok\n".into_response(),
        ("/readyz", _) => monitoring::ready(&site.relay),
        ("/", _) if !site.files.covers("/") => ABOUT.into_response(),
        (_, Some((route, head))) => call(route, Request::from_parts(head, Body::empty())).await,
        _ => response,
    }
}

/// Whether a request is for something to read, and not for a WebSocket.
fn is_reading(request: &Parts) -> bool {
    matches!(request.method, Method::GET | Method::HEAD) && !is_upgrade(&request.headers)
}

async fn call(route: &Route, request: Request) -> Response {
    let Ok(response) = route.service.clone().oneshot(request).await;
    response
}

fn refuse(refusal: &Refusal, reason: &'static str) -> Response {
    tracing::warn!("refused: {:?}", refusal.to_string());
    let refused = (StatusCode::FORBIDDEN, format!("{refusal}\n")).into_response();
    Refused::mark(refused, reason)
}

const ABOUT: &str = concat!(
    "This is signal-relay ",
    env!("CARGO_PKG_VERSION"),
    ".\n\n\
     It relays WebRTC signaling: each message goes to all others that are connected under the same path.\n\
     Connect with new WebSocket('ws://…/my-room'), with io('http://…/my-room') of Socket.IO, to the SignalR hub\n\
     http://…/my-room/hub, or with new EventSource('http://…/my-room/sse').\n\
     To see pages here, start it with --mount /=FOLDER.\n"
);
