//! POST: publishes one envelope.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use signal_wire::Envelope;

use super::clients::{Client, Desk};
use crate::address::ClientAddress;
use crate::auth::access::{Access, Forbidden};
use crate::connection::{BodyError, read_body};
use crate::hub::store::{Content, Publication, StoreError};
use crate::protocols::referee::is_private;
use crate::relay::Relay;

/// How long a request's body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Who publishes, and where.
pub(super) struct Publisher<'a> {
    pub(super) space: &'a str,
    pub(super) access: Access,
    pub(super) client: Arc<Client>,
    /// Of the stream that it reads.
    pub(super) desk: Option<Arc<Desk>>,
    /// The number that the client gives the message.
    pub(super) reference: Option<u64>,
}

/// Publishes the envelope in a request's body.
pub(super) async fn publish(
    relay: &Arc<Relay>,
    publisher: Publisher<'_>,
    request: Request,
) -> Result<Response, Box<Response>> {
    let Publisher {
        space,
        access,
        client,
        desk,
        reference,
    } = publisher;
    client.allowance.check()?;
    let (head, body) = request.into_parts();
    let address = ClientAddress::of(&head.extensions);
    check_type(&head.headers)?;
    let longest = relay.limits().max_frame;
    let body = read_body(relay, address, body, longest, BODY_TIMEOUT).await;
    let body = body.map_err(|error| match error {
        BodyError::TooSlow => {
            let seconds = BODY_TIMEOUT.as_secs();
            let sentence = format!("The request's body didn't come within {seconds} s.\n");
            refuse(StatusCode::REQUEST_TIMEOUT, sentence)
        }
        BodyError::TooLong | BodyError::BrokenOff => {
            let sentence = format!("A message has at most {longest} bytes.\n");
            refuse(StatusCode::PAYLOAD_TOO_LARGE, sentence)
        }
        BodyError::OverMemory => {
            let sentence = "The relay's memory is used up.\n".to_owned();
            refuse(StatusCode::SERVICE_UNAVAILABLE, sentence)
        }
    })?;
    client.allowance.charge(body.len());
    let text = std::str::from_utf8(&body).ok();
    let envelope = text.and_then(Envelope::read);
    let envelope = envelope.filter(|envelope| !envelope.is_anonymous());
    let envelope = envelope.ok_or_else(|| {
        let sentence = "The body must be one envelope: a JSON object with the members channel and message, where \
                        channel is a string or a number, or one with only sender and message.\n";
        refuse(StatusCode::BAD_REQUEST, sentence.to_owned())
    })?;
    if is_private(&envelope.channel) {
        let (channel, message) = (envelope.channel.as_ref(), envelope.message());
        take_private(&client, desk.as_deref(), reference, channel, message).await;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let message = access.message(envelope, None, true).map_err(forbid)?;
    let publication = Publication {
        space: Arc::from(space),
        from: client.publisher,
        account: relay.hub.account(space, address),
        content: Content::Envelope(message),
        // Another relay may have taken it.
        reference,
    };
    // A task of its own: the request ends when its client disconnects, and then the `ref` of a
    // message that was published wouldn't be noted.
    let shared = Arc::clone(relay);
    let published = relay
        .tasks
        .spawn(async move { publish_once(&shared, &client, reference, publication).await });
    match published.await {
        Ok(Ok(())) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(Err(StoreError::Foreign)) => Err(forbid(Forbidden::Sender)),
        Ok(Err(error)) => Err(try_later(&error)),
        Err(error) => Err(try_later(&error)),
    }
}

/// Takes a message on a private channel. The rooms know a client by its stream: without one nothing
/// is done, and the page asks again when it has one.
async fn take_private(
    client: &Client,
    desk: Option<&Desk>,
    reference: Option<u64>,
    channel: &str,
    message: Option<&str>,
) {
    let mut accepted = client.accepted.lock().await;
    if reference.is_none_or(|reference| reference > *accepted)
        && let Some(desk) = desk
    {
        let Desk {
            membership,
            access,
            referee,
        } = desk;
        referee.heard();
        referee.take(channel, message, membership, access).await;
    }
    *accepted = reference.unwrap_or_default().max(*accepted);
}

async fn publish_once(
    relay: &Relay,
    client: &Client,
    reference: Option<u64>,
    publication: Publication,
) -> Result<(), StoreError> {
    // A POST that is sent again may come while the first one is still being published.
    let mut accepted = client.accepted.lock().await;
    if reference.is_none_or(|reference| reference > *accepted) {
        relay.hub.publish(publication).await?;
    }
    *accepted = reference.unwrap_or_default().max(*accepted);
    Ok(())
}

fn forbid(why: Forbidden) -> Box<Response> {
    refuse(StatusCode::FORBIDDEN, format!("{}\n", why.as_str()))
}

fn try_later(error: &dyn std::error::Error) -> Box<Response> {
    let headers = [(RETRY_AFTER, "5")];
    let sentence = format!("Try again later: {error}.\n");
    Box::new((StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response())
}

fn check_type(headers: &HeaderMap) -> Result<(), Box<Response>> {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if ["application/json", "text/plain"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Ok(());
    }
    Err(refuse(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body's type must be application/json or text/plain.\n".to_owned(),
    ))
}

fn refuse(status: StatusCode, sentence: String) -> Box<Response> {
    Box::new((status, sentence).into_response())
}
