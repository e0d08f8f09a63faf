//! Which requests are for server-sent events, and what each is answered with.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::clients::{Client, Clients};
use super::position::Positions;
use super::publish::Publisher;
use super::{publish, stream};
use crate::address::ClientAddress;
use crate::auth::admission::Admission;
use crate::connection::is_upgrade;
use crate::hub::ids::{NoRandomness, PublisherId};
use crate::limits::LONGEST_SPACE;
use crate::protocols::query::member;
use crate::protocols::route::Route;
use crate::relay::Relay;

/// The longest secret by which a client names itself, in bytes.
const LONGEST_SECRET: usize = 64;

#[derive(Debug)]
struct Sse {
    relay: Arc<Relay>,
    clients: Arc<Clients>,
    positions: Arc<Positions>,
}

/// `<space>/sse`, but for WebSockets: one of the plain protocol may have that path too.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn routes(relay: Arc<Relay>) -> Result<Route, NoRandomness> {
    let positions = Positions::new(relay.hub.epoch(), relay.hub.secret().as_deref())?;
    let state = Arc::new(Sse {
        clients: Arc::new(Clients::new(Arc::clone(&relay))),
        relay,
        positions: Arc::new(positions),
    });
    Ok(Route {
        matches,
        service: Router::new().fallback(answer).with_state(state),
    })
}

fn matches(request: &Parts) -> bool {
    let known = matches!(request.method, Method::GET | Method::POST | Method::OPTIONS);
    known && space(&request.uri).is_some() && !is_upgrade(&request.headers)
}

/// The space of an address.
fn space(uri: &Uri) -> Option<&str> {
    match uri.path().strip_suffix("/sse")? {
        "" => Some("/"),
        space => Some(space),
    }
}

async fn answer(State(sse): State<Arc<Sse>>, request: Request) -> Response {
    dispatch(&sse, request)
        .await
        .unwrap_or_else(|refusal| *refusal)
}

async fn dispatch(sse: &Sse, request: Request) -> Result<Response, Box<Response>> {
    let uri = request.uri().clone();
    let space = space(&uri).unwrap_or("/");
    if space.len() > LONGEST_SPACE {
        return Err(refuse(
            StatusCode::URI_TOO_LONG,
            format!("A space's name has at most {LONGEST_SPACE} bytes.\n"),
        ));
    }
    let secret = secret(&uri)?;
    let access = match Admission::of(request.extensions()).enter(space) {
        Ok(access) => access,
        // A page can't read the status of a stream that is refused. One that names itself knows
        // this event.
        Err(refusal) if *request.method() == Method::GET && secret.is_some() => {
            return Ok(stream::refused(&refusal));
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let address = ClientAddress::of(request.extensions());
    let account = sse.relay.hub.account(space, address);
    let allowance = || sse.relay.places.allowance(address);
    let publisher = secret.as_ref().map_or_else(
        || sse.relay.hub.new_publisher(),
        |secret| PublisherId::of_client(space, secret),
    );
    let (now, new) = (Instant::now(), || Client::new(publisher, allowance()));
    if *request.method() == Method::GET {
        let client = secret.map(|secret| sse.clients.read(space, &secret, &account, now, new));
        stream::open(&sse.relay, &sse.positions, space, access, client, request).await
    } else {
        let reference = reference(&uri, secret.is_some())?;
        let desk = secret
            .as_ref()
            .and_then(|secret| sse.clients.desk(space, secret));
        let client = secret.map(|secret| sse.clients.find(space, &secret, &account, now, new));
        let publisher = Publisher {
            space,
            access,
            client: client.unwrap_or_else(|| Arc::new(new())),
            desk,
            reference,
        };
        publish::publish(&sse.relay, publisher, request).await
    }
}

/// The secret by which the query names the client.
fn secret(uri: &Uri) -> Result<Option<Cow<'_, str>>, Box<Response>> {
    match member(uri, "client") {
        Some(secret) if secret.is_empty() || secret.len() > LONGEST_SECRET => Err(refuse(
            StatusCode::BAD_REQUEST,
            format!("The query's client must be a random secret of 1 to {LONGEST_SECRET} bytes.\n"),
        )),
        secret => Ok(secret),
    }
}

/// The number that the query gives a message.
fn reference(uri: &Uri, has_client: bool) -> Result<Option<u64>, Box<Response>> {
    match member(uri, "ref").map(|reference| reference.parse()) {
        None => Ok(None),
        Some(Ok(reference)) if has_client => Ok(Some(reference)),
        Some(_) => Err(refuse(
            StatusCode::BAD_REQUEST,
            "The query's ref must be a whole number, beside a client.\n".to_owned(),
        )),
    }
}

fn refuse(status: StatusCode, sentence: String) -> Box<Response> {
    Box::new((status, sentence).into_response())
}
