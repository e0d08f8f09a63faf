//! A session over a WebSocket, from the start or after polling.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::engine::{PROBE, Packet, Version};
use super::session::{Session, Transport, Visitor, longest_packet};
use super::sessions::Sessions;
use crate::connection::{self, CloseReason, Connection, Inbound, Outbound, Upgrade};
use crate::relay::Relay;

/// A polling client may try a WebSocket for this long before it changes to it.
const UPGRADE: Duration = Duration::from_secs(10);

/// Answers a request for a WebSocket with a new session.
pub(super) fn accept(
    sessions: &Arc<Sessions>,
    version: Version,
    request: Request,
) -> Result<Response, Box<Response>> {
    let visitor = Visitor::of(&request);
    let upgrade = Upgrade::new(request)?;
    let place = sessions.relay.admit(upgrade.address())?;
    let relay = Arc::clone(&sessions.relay);
    let sessions = Arc::clone(sessions);
    let longest = longest_packet(&relay.limits());
    Ok(upgrade.start(
        &relay,
        longest,
        place.allowance(),
        move |connection| async move {
            let Some(connection) = connection else { return };
            let begun = sessions.begin(version, Transport::WebSocket, visitor, place);
            if let Ok(session) = begun.await {
                run(&sessions.relay, &session, connection).await;
            }
        },
    ))
}

/// Answers a request for a WebSocket that a polling session would like to change to.
pub(super) fn upgrade(
    relay: &Arc<Relay>,
    session: Arc<Session>,
    request: Request,
) -> Result<Response, Box<Response>> {
    let upgrade = Upgrade::new(request)?;
    if !session.change_transport(Transport::Polling, Transport::Upgrading) {
        return refuse_second(relay, upgrade);
    }
    let shared = Arc::clone(relay);
    let longest = longest_packet(&session.limits);
    let allowance = Arc::clone(&session.allowance);
    Ok(
        upgrade.start(relay, longest, allowance, move |connection| async move {
            let Some(mut connection) = connection else {
                session.change_transport(Transport::Upgrading, Transport::Polling);
                return;
            };
            if client_upgrades(&session, &mut connection).await {
                session.change_transport(Transport::Upgrading, Transport::WebSocket);
                run(&shared, &session, connection).await;
            } else {
                session.change_transport(Transport::Upgrading, Transport::Polling);
                connection.close([], &CloseReason::Gone).await;
            }
        }),
    )
}

/// A session has one WebSocket. Clients expect that a second one opens and is closed.
fn refuse_second(relay: &Arc<Relay>, upgrade: Upgrade) -> Result<Response, Box<Response>> {
    let place = relay.admit(upgrade.address())?;
    let longest = longest_packet(&relay.limits());
    let allowance = place.allowance();
    let refused = CloseReason::NotProtocol {
        protocol: "Socket.IO",
        problem: "a second WebSocket for a session",
    };
    Ok(
        upgrade.start(relay, longest, allowance, move |connection| async move {
            if let Some(connection) = connection {
                connection.close([], &refused).await;
            }
            drop(place);
        }),
    )
}

/// Answers the client's probe. Returns whether the client changes to the WebSocket.
async fn client_upgrades(session: &Session, connection: &mut Connection) -> bool {
    let trial = async {
        loop {
            let Ok(text) = connection.read_text().await else {
                return false;
            };
            match Packet::parse(&text) {
                Ok(Packet::Ping(PROBE)) => {
                    if connection.send_text(format!("3{PROBE}")).await.is_err() {
                        return false;
                    }
                }
                Ok(Packet::Upgrade) => return true,
                Ok(Packet::Ping(_) | Packet::Pong | Packet::Noop) => {}
                Ok(Packet::Close | Packet::Message(_) | Packet::Binary) | Err(_) => return false,
            }
        }
    };
    tokio::select! {
        upgrades = timeout(UPGRADE, trial) => upgrades.unwrap_or(false),
        () = session.ended() => false,
    }
}

async fn run(relay: &Relay, session: &Session, mut connection: Box<Connection>) {
    let closing = Box::pin(async {
        session.ended().await;
        session.reason()
    });
    let mut input = Input { relay, session };
    let mut output = Output(session);
    let reason = connection::run(&mut connection, &mut input, &mut output, None, closing).await;
    session.end(match reason {
        // Clients know the limit of envelopes, which is a little less than that of packets.
        CloseReason::FrameTooLarge(_) => CloseReason::FrameTooLarge(session.limits.max_frame),
        reason => reason,
    });
    let rest: Vec<_> = std::iter::from_fn(|| output.next()).collect();
    connection.close(rest, &session.reason()).await;
}

/// What comes in.
struct Input<'a> {
    relay: &'a Relay,
    session: &'a Session,
}

impl Inbound for Input<'_> {
    async fn text(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        match self.session.version.unframe(text) {
            Ok(text) => self.session.receive(self.relay, Packet::parse(&text)).await,
            Err(malformed) => self.session.receive(self.relay, Err(malformed)).await,
        }
    }

    fn other(&mut self, message: &Message) -> Result<(), CloseReason> {
        self.session.heard();
        // That of a page which is closed. A client that connects again has another code.
        if matches!(message, Message::Close(Some(frame)) if frame.code == CloseCode::Away) {
            self.session.leave();
        }
        Ok(())
    }
}

/// What goes out. The heartbeat is Engine.IO's own.
struct Output<'a>(&'a Session);

impl Outbound for Output<'_> {
    async fn ready(&mut self) {
        self.0.ready().await;
    }

    fn next(&mut self) -> Option<Utf8Bytes> {
        let packet = self.0.next()?;
        Some(self.0.version.frame(packet))
    }
}
