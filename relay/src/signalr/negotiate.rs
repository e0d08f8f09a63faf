//! The requests around a connection: a client negotiates, and is told to connect by WebSocket and with which secret. Clients of SignalR 2 also
//! say when they start and when they leave, and ask whether the relay is still there.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Hub;
use super::method::excerpt;
use super::query::Query;
use super::tickets::Secret;
use crate::server::Relay;

/// Answers a negotiation of ASP.NET Core SignalR. In its version 0 one value is both the connection's name and its secret.
pub(super) fn core(relay: &Relay, space: &str, query: Query<'_>) -> Response {
    let version = match query.get("negotiateVersion") {
        None => 0,
        Some(version) => match version.parse::<u32>() {
            Ok(version) => version.min(1),
            Err(_) => {
                let version = excerpt(&version);
                return body(
                    &json!({ "error": format!("The query's negotiateVersion is to be a number and is '{version}'.") }),
                );
            }
        },
    };
    let (Some(secret), Some(name)) = (Secret::random(), Secret::random()) else {
        return no_random_numbers();
    };
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
    relay.signalr.issue(secret, Hub::Core, space);
    body(&answer)
}

/// Answers a negotiation of SignalR 2. `base` is where the client goes on from.
pub(super) fn classic(relay: &Relay, space: &str, base: &str, query: Query<'_>) -> Response {
    let (Some(secret), Some(name)) = (Secret::random(), Secret::random()) else {
        return no_random_numbers();
    };
    let times = relay.config.signalr;
    let answer = json!({
        "Url": base,
        "ConnectionToken": secret.as_str(),
        "ConnectionId": name.as_str(),
        "KeepAliveTimeout": times.keep_alive.as_secs_f64(),
        "DisconnectTimeout": times.resume.as_secs_f64(),
        // Only clients that poll ask for it.
        "ConnectionTimeout": 110.0,
        "TryWebSockets": true,
        "ProtocolVersion": protocol_version(query.get("clientProtocol").as_deref()),
        "TransportConnectTimeout": 5.0,
        "LongPollDelay": 0.0,
    });
    relay.signalr.issue(secret, Hub::Classic, space);
    wrapped(query, &answer)
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

/// Answers one of the other requests that SignalR 2 makes: what the client wants to hear is one word.
pub(super) fn word(query: Query<'_>, word: &str) -> Response {
    wrapped(query, &json!({ "Response": word }))
}

/// The answer to a client whose secret belongs to no connection.
pub(super) fn unknown() -> Response {
    (
        StatusCode::NOT_FOUND,
        "No connection with that connectionToken is here: it has ended, or its time is over. Negotiate again.\n",
    )
        .into_response()
}

/// An answer as JSON; for a client that loads it as a script (JSONP), as a call of the function that it names.
fn wrapped(query: Query<'_>, value: &Value) -> Response {
    let Some(callback) = query.get("callback") else {
        return body(value);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    if callback.is_empty() || callback.len() > 128 || !callback.chars().all(plain) {
        let sentence = "The query's callback is to be the name of a function.\n";
        return (StatusCode::BAD_REQUEST, sentence).into_response();
    }
    // JSON is JavaScript since these two may stand in a string; older engines end a line there.
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

fn no_random_numbers() -> Response {
    tracing::error!("the system gives no random numbers, so nobody can negotiate");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The relay has no random numbers now.\n",
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
