//! What the two SignalRs share: negotiating over HTTP before there is a socket.

use super::{CloseReason, HttpResponse, Outputs, Text};

/// This many redirections in a row are a circle.
pub const MAX_REDIRECTIONS: u32 = 100;

/// The server redirects where it can't be followed.
pub const BAD_REDIRECTION: &str =
    "the server redirects in a circle, or to no HTTP address; the option url is wrong";

/// What an answer means that isn't one of a hub's.
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

/// What it means that a hub gives no answer.
pub fn unreachable_hub(reason: &str) -> String {
    format!(
        "the server can't be reached, or doesn't let this page read its answers; the option url must be a SignalR hub's: {reason}"
    )
}
