//! What the two SignalRs share: negotiating over HTTP before there is a socket.

use super::{CloseReason, HttpResponse, Outputs, Text};

/// More redirections in a row than this are treated as a loop.
pub const MAX_REDIRECTIONS: u32 = 100;

/// The error of a redirection that can't be followed.
pub const BAD_REDIRECTION: &str =
    "the server redirects in a circle, or to no HTTP address; the option url is wrong";

/// Handles a response that isn't a hub's.
pub fn on_http_error<T: Text>(response: &HttpResponse<T>, out: &mut Outputs<T>) {
    let status = response.status;
    match status {
        401 | 403 => out.close(
            CloseReason::Unauthorized,
            format!("with HTTP status {status}"),
        ),
        500.. => out.close(
            CloseReason::Transient,
            format!("the server failed with HTTP status {status}"),
        ),
        _ => out.close(
            CloseReason::ProtocolMismatch,
            format!(
                "the server answered with HTTP status {status} and '{}'; the option url must be that of a SignalR hub",
                response.excerpt()
            ),
        ),
    }
}

/// The error of a request without a response.
pub fn unreachable_hub(reason: &str) -> String {
    format!(
        "the server can't be reached, or doesn't let this page read its answers; the option url must be a SignalR hub's: {reason}"
    )
}
