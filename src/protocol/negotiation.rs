//! What the two SignalRs share: negotiating over HTTP before there is a socket.

use super::{CloseReason, HttpResponse, Output, Outputs, ServerUrl, Text};

/// More redirections in a row than this are treated as a loop.
const MAX_REDIRECTIONS: u32 = 10;

/// The error of a redirection that can't be followed.
pub const BAD_REDIRECTION: &str =
    "the server redirects in a circle, or to no HTTP address; the option url is wrong";

/// The error of a hub without WebSockets.
pub const NO_WEBSOCKETS: &str = "the hub offers no WebSockets, and signal-wasm uses no other transport of SignalR; turn them on in the server and in each proxy before it";

/// Where a hub is: the address that the page named, or the target of its redirections.
#[derive(Debug)]
pub struct HubPlace {
    named: ServerUrl,
    current: ServerUrl,
    /// The token that came with a redirection.
    granted_token: Option<String>,
    redirections: u32,
}

impl HubPlace {
    /// The hub at the address that the page named, which begins with `ws:` or `wss:`.
    pub fn new(url: &str) -> HubPlace {
        let named = ServerUrl::new(url);
        HubPlace {
            current: named.clone(),
            named,
            granted_token: None,
            redirections: 0,
        }
    }

    /// Follows a redirection, for which a server granted that token. Returns false if it can't be
    /// followed.
    pub fn redirect(&mut self, url: &str, granted_token: Option<String>) -> bool {
        self.redirections += 1;
        let target = ServerUrl::redirected(url);
        let Some(target) = target.filter(|_| self.redirections <= MAX_REDIRECTIONS) else {
            return false;
        };
        self.current = target;
        self.granted_token = granted_token;
        true
    }

    /// The token that came with a redirection.
    pub fn granted_token(&self) -> Option<&str> {
        self.granted_token.as_deref()
    }

    /// The current address.
    pub fn server(&self) -> &ServerUrl {
        &self.current
    }

    /// Whether the current address has the origin that the page named. What the page wants only its
    /// own server to have isn't sent to others.
    pub fn has_named_origin(&self) -> bool {
        self.current.has_origin_of(&self.named)
    }

    /// The token to send there: the one that came with a redirection, or the page's, `own`.
    pub fn token<'t>(&'t self, own: Option<&'t str>) -> Option<&'t str> {
        let own = own.filter(|_| self.has_named_origin());
        let token = self.granted_token.as_deref().or(own);
        token.filter(|token| !token.is_empty())
    }
}

/// Handles a response that isn't a hub's. `has_token`: a token was sent.
///
/// Without a token, 403 may come from a firewall, or from a server that is being replaced.
pub fn on_http_error<T: Text>(has_token: bool, response: &HttpResponse<T>, out: &mut Outputs<T>) {
    let status = response.status;
    match status {
        401 => out.close(CloseReason::Unauthorized, "with HTTP status 401"),
        403 if has_token => out.close(CloseReason::Unauthorized, "with HTTP status 403"),
        408 | 425 | 429 => out.push(Output::ConnectLater(
            response.pause(),
            format!("the server takes no connection now: HTTP status {status}"),
        )),
        500.. => out.push(Output::ConnectLater(
            response.pause(),
            format!("the server failed with HTTP status {status}"),
        )),
        _ => out.close(
            CloseReason::ProtocolMismatch,
            format!(
                "the server answered with {response}; the option url must be that of a SignalR hub"
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
