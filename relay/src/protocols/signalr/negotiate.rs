//! The requests around a connection: the answer to a negotiation says to connect by WebSocket, and
//! with which secret. Clients of SignalR 2 also send requests when they start and leave, and ping
//! the relay.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::method::excerpt;
use super::state::{Kind, SignalR};
use crate::address::ClientAddress;
use crate::connection::no_randomness;
use crate::hub::ids::Secret;
use crate::protocols::query::member;

/// Answers a negotiation of ASP.NET Core SignalR. In its version 0 one value is both the
/// connection's name and its secret.
pub(super) fn core(
    state: &SignalR,
    space: &str,
    address: ClientAddress,
    uri: &Uri,
) -> Result<Response, Box<Response>> {
    let version = match member(uri, "negotiateVersion") {
        None => 0,
        Some(version) => match version.parse::<u32>() {
            Ok(version) => version.min(1),
            Err(_) => {
                let version = excerpt(&version);
                let error =
                    format!("The query's negotiateVersion must be a number and is '{version}'.");
                return Ok(body(&json!({ "error": error })));
            }
        },
    };
    let (secret, name) = secret_and_name()?;
    let transports = json!([{ "transport": "WebSockets", "transferFormats": ["Text"] }]);
    let answer = if version == 0 {
        json!({ "connectionId": secret.as_str(), "availableTransports": transports })
    } else {
        json!({
            "negotiateVersion": version,
            "connectionId": name.as_str(),
            "connectionToken": secret.as_str(),
            "availableTransports": transports,
        })
    };
    state.issue(secret, Kind::Core, space, address);
    Ok(body(&answer))
}

fn secret_and_name() -> Result<(Secret, Secret), Box<Response>> {
    let both = Secret::random().and_then(|secret| Ok((secret, Secret::random()?)));
    both.map_err(no_randomness)
}

/// Answers a negotiation of SignalR 2. `base` is the address that the client continues with.
pub(super) fn classic(
    state: &SignalR,
    space: &str,
    address: ClientAddress,
    base: &str,
    uri: &Uri,
) -> Result<Response, Box<Response>> {
    let (secret, name) = secret_and_name()?;
    let timing = state.timing;
    let answer = json!({
        "Url": base,
        "ConnectionToken": secret.as_str(),
        "ConnectionId": name.as_str(),
        "KeepAliveTimeout": timing.keep_alive.as_secs_f64(),
        "DisconnectTimeout": timing.resume.as_secs_f64(),
        // Only clients that poll ask for it.
        "ConnectionTimeout": 110.0,
        "TryWebSockets": true,
        "ProtocolVersion": protocol_version(member(uri, "clientProtocol").as_deref()),
        "TransportConnectTimeout": 5.0,
        "LongPollDelay": 0.0,
    });
    state.issue(secret, Kind::Classic, space, address);
    Ok(wrapped(uri, &answer))
}

/// The client's version of the protocol, or the nearest that is spoken here.
fn protocol_version(client: Option<&str>) -> &str {
    const OLDEST: (u32, u32) = (1, 5);
    const NEWEST: (u32, u32) = (2, 1);
    let version = client.and_then(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    match (client, version) {
        (Some(text), Some(version)) if (OLDEST..=NEWEST).contains(&version) => text,
        (_, Some(version)) if version > NEWEST => "2.1",
        _ => "1.5",
    }
}

/// Answers one of the other requests that SignalR 2 makes: the client expects one word.
pub(super) fn word(uri: &Uri, word: &str) -> Response {
    wrapped(uri, &json!({ "Response": word }))
}

/// The answer to a client whose secret belongs to no connection.
pub(super) fn unknown() -> Response {
    (
        StatusCode::NOT_FOUND,
        "No connection with that connectionToken is here: it has ended or expired. Negotiate again.\n",
    )
        .into_response()
}

/// An answer as JSON; for a client that loads it as a script (JSONP), as a call of the function
/// that it names.
fn wrapped(uri: &Uri, value: &Value) -> Response {
    let Some(callback) = member(uri, "callback") else {
        return body(value);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    if callback.is_empty() || callback.len() > 128 || !callback.chars().all(plain) {
        let sentence = "The query's callback must be the name of a function.\n";
        return (StatusCode::BAD_REQUEST, sentence).into_response();
    }
    // Older engines end a line at these two characters, even in a string.
    let value = value
        .to_string()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    (
        [
            (CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
        ],
        format!("/**/{callback}({value});"),
    )
        .into_response()
}

fn body(value: &Value) -> Response {
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-store"),
        ],
        value.to_string(),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_is_the_clients_or_the_nearest() {
        for (client, answer) in [
            (Some("1.5"), "1.5"),
            (Some("2.0"), "2.0"),
            (Some("2.1"), "2.1"),
            (Some("1.4"), "1.5"),
            (Some("2.2"), "2.1"),
            (Some("10.0"), "2.1"),
            (Some("x"), "1.5"),
            (None, "1.5"),
        ] {
            assert_eq!(protocol_version(client), answer);
        }
    }
}
