//! Negotiation: a client asks how to connect, and is told that it is by WebSocket and with which secret.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Hub;
use super::core::excerpt;
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

fn no_random_numbers() -> Response {
    tracing::error!("the system gives no random numbers, so nobody can negotiate");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The relay has no random numbers now.\n",
    )
        .into_response()
}

fn body(value: &serde_json::Value) -> Response {
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-store"),
        ],
        value.to_string(),
    )
        .into_response()
}
