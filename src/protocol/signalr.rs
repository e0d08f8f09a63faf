//! ASP.NET Core SignalR: the JSON hub protocol over WebSocket. Each record is JSON and ends with
//! the character U+001E.
//!
//! 1. `POST <hub>/negotiate?negotiateVersion=1` → `{"connectionToken"}`; or
//!    `{"url","accessToken"}`: negotiate there; or `{"error"}`.
//! 2. WebSocket `<hub>?id=<connectionToken>[&access_token=<token>]`; without negotiation there is
//!    no `id`.
//! 3. `{"protocol":"json","version":1}` → `{}`, or `{"error"}`.
//! 4. Records of these types:
//!
//! | type | direction | meaning |
//! | --- | --- | --- |
//! | 1 | both | invocation: `target`, `arguments`, and an `invocationId` where the other side is to answer with a completion |
//! | 3 | both | completion: `invocationId`, and a `result` or an `error`; it tells us of messages that the hub refuses |
//! | 6 | both | ping, sent every 15 s; after 30 s of silence the other side is gone |
//! | 7 | to the client | close: `error`, `allowReconnect` |

use signal_wire::Embedding;
use signal_wire::json::quoted;

use super::negotiation::{BAD_REDIRECTION, MAX_REDIRECTIONS, on_http_error, unreachable_hub};
use super::{
    CloseReason, Credentials, Framing, HttpRequest, HttpResponse, InvalidOption, Keepalive, Millis,
    Outgoing, Output, Outputs, Phase, Protocol, ProtocolOptions, STEP_TIMEOUT, ServerUrl, Text,
    Value, not_json,
};

const PING_INTERVAL: Millis = 15_000.0;
const SERVER_TIMEOUT: Millis = 30_000.0;

/// ASP.NET Core SignalR, without its client.
#[derive(Debug)]
pub struct SignalR {
    url: String,
    /// The hub's current address: `url`, or the target of a redirection.
    hub: ServerUrl,
    query: String,
    target: String,
    method: String,
    skip_negotiation: bool,
    /// The page's token.
    token: Option<String>,
    /// The token from a redirection.
    granted_token: Option<String>,
    redirections: u32,
    phase: Phase,
    framing: Framing,
}

impl SignalR {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<SignalR, InvalidOption> {
        let target = options.target.as_deref().unwrap_or("onMessageReceived");
        Ok(SignalR {
            hub: ServerUrl::new(&options.url).without_last_slash(),
            url: options.url.clone(),
            query: options.query.clone(),
            framing: Framing {
                prefix: format!(
                    "{{\"type\":1,\"target\":{},\"arguments\":[\"",
                    quoted(target)
                ),
                suffix: "]}\u{1e}",
                embedding: Embedding::JsonString,
                second_record: Some("\u{1e}{"),
                is_stream: true,
            },
            target: target.into(),
            method: options.method.as_deref().unwrap_or("Send").into(),
            skip_negotiation: options.skip_negotiation,
            token: None,
            granted_token: None,
            redirections: 0,
            phase: Phase::Disconnected,
        })
    }

    fn token(&self) -> Option<&str> {
        let token = self.granted_token.as_deref().or(self.token.as_deref());
        token.filter(|token| !token.is_empty())
    }

    fn negotiate<T: Text>(&self, out: &mut Outputs<T>) {
        let url = self
            .hub
            .http("/negotiate", &self.query)
            .raw("negotiateVersion=1")
            .into_string();
        out.push(Output::Http(HttpRequest {
            method: "POST",
            url,
            token: self.token().map(Into::into),
        }));
    }

    fn open_socket<T: Text>(&self, id: Option<&str>, out: &mut Outputs<T>) {
        let address = self
            .hub
            .web_socket("", &self.query)
            .with_optional("id", id)
            .with_optional("access_token", self.token());
        out.push(Output::OpenSocket(address.into_string()));
    }

    fn on_negotiated<T: Text>(&mut self, answer: &T::Value, out: &mut Outputs<T>) {
        let text = |name| {
            answer
                .member(name)
                .as_string()
                .filter(|text| !text.is_empty())
        };
        if let Some(error) = text("error") {
            out.close(CloseReason::Transient, format!("the server said '{error}'"));
        } else if let Some(url) = text("url") {
            self.redirect(&url, text("accessToken"), out);
        } else if let Some(id) = text("connectionToken").or_else(|| text("connectionId")) {
            self.open_socket(Some(&id), out);
        } else if text("ConnectionToken").is_some() {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server is one of ASP.NET SignalR 2; the option protocol must be 'signalr-classic'",
            );
        } else {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server gave no connectionToken; the option url must be that of a SignalR hub",
            );
        }
    }

    fn redirect<T: Text>(&mut self, url: &str, token: Option<String>, out: &mut Outputs<T>) {
        self.redirections += 1;
        match ServerUrl::redirected(url) {
            Some(hub) if self.redirections <= MAX_REDIRECTIONS => {
                self.hub = hub.without_last_slash();
                self.granted_token = token.or(self.granted_token.take());
                self.negotiate(out);
            }
            _ => out.close(CloseReason::ProtocolMismatch, BAD_REDIRECTION),
        }
    }

    fn on_handshake<T: Text>(&mut self, head: &str, answer: &T::Value, out: &mut Outputs<T>) {
        if let Some(error) = error(answer) {
            out.close(
                CloseReason::ProtocolMismatch,
                format!("the server said '{error}'"),
            );
        // ASP.NET Core 2.2 adds its minor version.
        } else if head.starts_with("{}") || !answer.member("minorVersion").is_undefined() {
            self.phase = Phase::Ready;
            out.push(Output::Ready);
        } else {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server speaks no SignalR; the option protocol may have to be another",
            );
        }
    }

    fn on_invocation<T: Text>(&self, invocation: &T::Value, out: &mut Outputs<T>) {
        let is_ours = invocation.member("target").as_string().as_ref() == Some(&self.target);
        if is_ours {
            out.envelope(&invocation.member("arguments").item(0));
        }
        let id = invocation.member("invocationId").as_string();
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            let result = if is_ours {
                "\"result\":null"
            } else {
                "\"error\":\"no such method\""
            };
            out.send(format!(
                "{{\"type\":3,\"invocationId\":{},{result}}}\u{1e}",
                quoted(&id)
            ));
        }
    }
}

/// The member `error`, if it isn't empty.
fn error<V: Value>(value: &V) -> Option<String> {
    value
        .member("error")
        .as_string()
        .filter(|error| !error.is_empty())
}

impl<T: Text> Protocol<T> for SignalR {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        Protocol::<T>::set_url(self, &self.url.clone());
        if self.skip_negotiation {
            self.open_socket(None, out);
        } else {
            self.negotiate(out);
        }
    }

    fn on_http_response(&mut self, response: &HttpResponse<T>, out: &mut Outputs<T>) {
        match response.body.parse().filter(|_| response.status == 200) {
            Some(answer) => self.on_negotiated(&answer, out),
            None => on_http_error(response, out),
        }
    }

    fn on_http_failure(&mut self, reason: &str, out: &mut Outputs<T>) {
        out.close(CloseReason::Transient, unreachable_hub(reason));
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        self.phase = Phase::SocketOpen;
        out.send("{\"protocol\":\"json\",\"version\":1}\u{1e}");
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        let Some(record) = text.parse() else {
            return out.push(Output::Bad(not_json(head)));
        };
        if self.phase != Phase::Ready {
            return self.on_handshake(head, &record, out);
        }
        match record.member("type").as_number() {
            Some(1.0) => self.on_invocation(&record, out),
            Some(3.0) => {
                let id = record.member("invocationId").as_string();
                if let Some(number) = id.and_then(|id| id.parse().ok()) {
                    out.push(Output::Confirmed(number));
                }
                if let Some(error) = error(&record) {
                    out.push(Output::Refused(error));
                }
            }
            Some(7.0) => {
                let why = if record.member("allowReconnect").is_true() {
                    CloseReason::Transient
                } else {
                    CloseReason::Fatal
                };
                let error = error(&record).unwrap_or_default();
                // A hub closes with an error when it can't read a message, as one over its
                // `MaximumReceiveMessageSize`.
                if !error.is_empty() {
                    out.push(Output::BlamesMessage);
                }
                out.close(why, format!("the server closed the connection: '{error}'"));
            }
            _ => {}
        }
    }

    fn on_close(&mut self, _now: Millis) {
        self.phase = Phase::Disconnected;
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn set_url(&mut self, url: &str) {
        self.url = url.into();
        self.hub = ServerUrl::new(url).without_last_slash();
        self.granted_token = None;
        self.redirections = 0;
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = credentials.and_then(Credentials::token).map(Into::into);
    }

    fn server_timeout(&self) -> Option<Millis> {
        Some(match self.phase {
            Phase::Ready => SERVER_TIMEOUT,
            _ => STEP_TIMEOUT,
        })
    }

    fn keepalive(&self) -> Option<Keepalive> {
        Some(Keepalive {
            interval: PING_INTERVAL,
            frame: "{\"type\":6}\u{1e}",
            is_answered: false,
        })
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        let before = format!(
            "{{\"type\":1,\"invocationId\":\"{}\",\"target\":{},\"arguments\":[",
            message.number,
            quoted(&self.method)
        );
        message.quoted_between(&before, "]}\u{1e}")
    }

    fn confirms(&self) -> bool {
        true
    }
}
