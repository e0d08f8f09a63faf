//! From an HTTP request to a WebSocket.
//!
//! By hand, and not with axum's `ws`, because that hides the stream below the WebSocket, which must
//! be read to its end so that a close code arrives (see [`Connection::close`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::meter::{Meter, Metered};
use super::socket::{Connection, READ_BUFFER};
use crate::address::ClientAddress;
use crate::hub::budget::CONNECTION;
use crate::hub::ids::NoRandomness;
use crate::limits::{Allowance, LONGEST_SPACE};
use crate::relay::Relay;

/// The version of the WebSocket protocol (RFC 6455, 4.4).
const VERSION: &str = "13";

/// Output is collected up to this size before it is written.
pub(super) const WRITE_BUFFER: usize = 32 * 1024;

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(UPGRADE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

/// The answer to a request that needs random numbers, when the system has none.
pub(crate) fn no_randomness(error: NoRandomness) -> Box<Response> {
    tracing::error!("refused: {error}");
    let sentence = "The relay has no random numbers now.\n";
    Box::new((StatusCode::SERVICE_UNAVAILABLE, sentence).into_response())
}

/// A request that can become a WebSocket.
pub(crate) struct Upgrade {
    response: Response,
    upgrade: hyper::upgrade::OnUpgrade,
    address: ClientAddress,
}

impl Upgrade {
    /// Checks the request. An error is the answer to one that can't become a WebSocket.
    pub(crate) fn new(request: Request) -> Result<Self, Box<Response>> {
        let (mut head, _) = request.into_parts();
        let refuse = |status, sentence: String| Err(Box::new((status, sentence).into_response()));
        if head.uri.path().len() > LONGEST_SPACE {
            return refuse(
                StatusCode::URI_TOO_LONG,
                format!("A space's name has at most {LONGEST_SPACE} bytes.\n"),
            );
        }
        let address = ClientAddress::of(&head.extensions);
        let Some(upgrade) = head.extensions.remove::<hyper::upgrade::OnUpgrade>() else {
            return refuse(
                StatusCode::UPGRADE_REQUIRED,
                "This connection can't become a WebSocket.\n".to_owned(),
            );
        };
        // Which of two keys the answer is for, this side and a proxy may see differently.
        for name in [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION] {
            if head.headers.get_all(&name).iter().nth(1).is_some() {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    format!("The request has more than one {name} header.\n"),
                );
            }
        }
        if (head.headers.get(SEC_WEBSOCKET_VERSION)).is_some_and(|version| version != VERSION) {
            let headers = [(SEC_WEBSOCKET_VERSION, VERSION)];
            let sentence = format!("The version of WebSockets here is {VERSION}.\n");
            let refusal = (StatusCode::UPGRADE_REQUIRED, headers, sentence);
            return Err(Box::new(refusal.into_response()));
        }
        match create_response(&Request::from_parts(head, ())) {
            Ok(response) => Ok(Self {
                response: response.map(|()| Body::empty()),
                upgrade,
                address,
            }),
            Err(error) => refuse(
                StatusCode::BAD_REQUEST,
                format!("That is no WebSocket handshake: {error}.\n"),
            ),
        }
    }

    /// The address of the client.
    pub(crate) fn address(&self) -> ClientAddress {
        self.address
    }

    /// Answers the request and calls `run` with the WebSocket, or with `None` if the client is gone
    /// before the WebSocket is open. Frames may have up to `max_frame` bytes, and the client may
    /// send what its `allowance` says.
    pub(crate) fn start<F>(
        self,
        relay: &Relay,
        max_frame: usize,
        allowance: Arc<Allowance>,
        run: impl FnOnce(Option<Box<Connection>>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self {
            response,
            address,
            upgrade,
        } = self;
        let limits = relay.limits();
        let meter = Meter::new(relay.hub.buffer(address, CONNECTION), &limits);
        let (meter, close_timeout) = (Arc::new(meter), limits.close_timeout);
        let tasks = relay.tasks.clone();
        relay.tasks.spawn(async move {
            let connection = match upgrade.await {
                Ok(upgraded) => {
                    let config = WebSocketConfig::default()
                        .read_buffer_size(READ_BUFFER)
                        .write_buffer_size(WRITE_BUFFER)
                        .max_frame_size(Some(max_frame))
                        .max_message_size(Some(max_frame));
                    let io = Metered::new(TokioIo::new(upgraded), Arc::clone(&meter));
                    let socket =
                        WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
                    Some(Box::new(Connection::new(
                        socket,
                        address,
                        meter,
                        max_frame,
                        allowance,
                        close_timeout,
                    )))
                }
                Err(error) => {
                    tracing::debug!(%error, "gone before the WebSocket was open");
                    None
                }
            };
            // A task of its own has no room for what was needed until here.
            tasks.spawn(run(connection));
        });
        response
    }
}
