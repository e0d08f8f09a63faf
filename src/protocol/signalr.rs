//! ASP.NET Core SignalR: the JSON hub protocol over WebSocket. Each record is JSON and ends with
//! the character U+001E.
//!
//! 1. `POST <hub>/negotiate?negotiateVersion=1` → `{"connectionToken"}`; or
//!    `{"url","accessToken"}`: negotiate there; or `{"error"}`.
//! 2. WebSocket `<hub>?id=<connectionToken>[&access_token=<token>]`; without negotiation there is
//!    no `id`.
//! 3. `{"protocol":"json","version":1}` → `{}`, or `{"error"}`; our relay adds `"relay":true`.
//! 4. Records of these types:
//!
//! | type | direction | meaning |
//! | --- | --- | --- |
//! | 1 | both | invocation: `target`, `arguments`, and an `invocationId` where the other side is to answer with a completion |
//! | 3 | both | completion: `invocationId`, and a `result` or an `error`; it tells us of messages that the hub refuses |
//! | 6 | both | ping, sent every 15 s; after 30 s of silence the other side is gone (by default) |
//! | 7 | to the client | close: `error`, `allowReconnect` |

use signal_wire::Embedding;
use signal_wire::json::quoted;

use super::negotiation::{
    BAD_REDIRECTION, HubPlace, NO_WEBSOCKETS, on_http_error, unreachable_hub,
};
use super::{
    CloseReason, Credentials, Cut, Framing, HttpRequest, HttpResponse, InvalidOption, Keepalive,
    Millis, Outgoing, Output, Outputs, Phase, Protocol, ProtocolOptions, Text, Value, not_json,
};

const PING_INTERVAL: Millis = 15_000.0;
const SERVER_TIMEOUT: Millis = 30_000.0;

/// ASP.NET Core SignalR, without its client.
#[derive(Debug)]
pub struct SignalR {
    url: String,
    hub: HubPlace,
    query: String,
    /// The client method, in the hub's spelling once that is known.
    target: String,
    method: String,
    skip_negotiation: bool,
    /// The page's token.
    token: Option<String>,
    phase: Phase,
    framing: Framing,
    connect_timeout: Millis,
    server_timeout: Millis,
    keep_alive: Millis,
    is_relay: bool,
}

impl SignalR {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<SignalR, InvalidOption> {
        let mut signalr = SignalR {
            hub: HubPlace::new(&options.url),
            url: options.url.clone(),
            query: options.query.clone(),
            framing: Framing {
                prefix: String::new(),
                suffix: "]}\u{1e}",
                embedding: Embedding::JsonString,
                second_record: Some("\u{1e}{"),
                cut: Cut::Stream,
            },
            target: String::new(),
            method: options.method.as_deref().unwrap_or("Send").into(),
            skip_negotiation: options.skip_negotiation,
            token: None,
            phase: Phase::Disconnected,
            connect_timeout: options.connect_timeout(),
            server_timeout: options.server_timeout.unwrap_or(SERVER_TIMEOUT),
            keep_alive: options.keep_alive.unwrap_or(PING_INTERVAL),
            is_relay: false,
        };
        let target = options.target.as_deref().unwrap_or("onMessageReceived");
        signalr.set_target(target.into());
        Ok(signalr)
    }

    /// Sets the client method, and with it the beginning of a canonical frame.
    fn set_target(&mut self, target: String) {
        self.framing.prefix = format!(
            "{{\"type\":1,\"target\":{},\"arguments\":[\"",
            quoted(&target)
        );
        self.target = target;
    }

    fn token(&self) -> Option<&str> {
        self.hub.token(self.token.as_deref())
    }

    fn negotiate<T: Text>(&self, out: &mut Outputs<T>) {
        let url = self
            .hub
            .server()
            .http("/negotiate", &self.query)
            .raw("negotiateVersion=1")
            .into_string();
        out.push(Output::Http(HttpRequest {
            method: "POST",
            url,
            token: self.token().map(Into::into),
            is_foreign: !self.hub.has_named_origin(),
            allows_preflight: true,
        }));
    }

    fn open_socket<T: Text>(&self, id: Option<&str>, out: &mut Outputs<T>) {
        let address = self
            .hub
            .server()
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
        } else if !offers_web_sockets(&answer.member("availableTransports")) {
            out.close(CloseReason::ProtocolMismatch, NO_WEBSOCKETS);
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
        // As with SignalR's own client, a further redirection may rely on an earlier token.
        let token = token.or_else(|| self.hub.granted_token().map(Into::into));
        if self.hub.redirect(url, token) {
            self.negotiate(out);
        } else {
            out.close(CloseReason::ProtocolMismatch, BAD_REDIRECTION);
        }
    }

    fn on_handshake<T: Text>(&mut self, head: &str, answer: &T::Value, out: &mut Outputs<T>) {
        if let Some(error) = error(answer) {
            out.close(
                CloseReason::ProtocolMismatch,
                format!("the server said '{error}'"),
            );
        // ASP.NET Core 2.2 adds its minor version, and so does our relay.
        } else if head.starts_with("{}") || !answer.member("minorVersion").is_undefined() {
            self.is_relay = answer.member("relay").is_true();
            self.phase = Phase::Ready;
            out.push(Output::Ready);
        } else {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server speaks no SignalR; the option protocol may have to be another",
            );
        }
    }

    fn on_invocation<T: Text>(&mut self, invocation: &T::Value, out: &mut Outputs<T>) {
        let said = invocation.member("target").as_string();
        let target = said.filter(|said| said.eq_ignore_ascii_case(&self.target));
        let is_ours = target.is_some();
        if let Some(target) = target {
            // The hub may write the name with other capitals.
            if target != self.target {
                self.set_target(target);
            }
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

/// Whether WebSockets are among the transports of a negotiation. A server that names none at all
/// may have them.
fn offers_web_sockets<V: Value>(transports: &V) -> bool {
    let items = (0..).map(|place| transports.item(place));
    let mut items = items.take_while(|item| !item.is_undefined());
    transports.is_undefined()
        || items.any(|item| item.member("transport").as_string().as_deref() == Some("WebSockets"))
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

    fn is_relay(&self) -> bool {
        self.is_relay
    }

    fn on_http_response(&mut self, response: &HttpResponse<T>, out: &mut Outputs<T>) {
        match response.body.parse().filter(|_| response.status == 200) {
            Some(answer) => self.on_negotiated(&answer, out),
            None => on_http_error(self.token().is_some(), response, out),
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
                let number = id.and_then(|id| id.parse().ok());
                if let Some(number) = number {
                    out.push(Output::Confirmed(number));
                }
                if let Some(why) = error(&record) {
                    out.push(Output::Refused { number, why });
                }
            }
            Some(7.0) => {
                let why = if record.member("allowReconnect").is_true() {
                    CloseReason::Transient
                } else {
                    CloseReason::Fatal
                };
                let reason = match error(&record) {
                    // A hub closes with an error when it can't read a message, as one over its
                    // `MaximumReceiveMessageSize`.
                    Some(error) => {
                        out.push(Output::BlamesMessage);
                        format!("the server closed the connection: '{error}'")
                    }
                    None => "the server closed the connection".into(),
                };
                out.close(why, reason);
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
        self.hub = HubPlace::new(url);
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = Credentials::token_of(credentials);
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn server_timeout(&self) -> Option<Millis> {
        Some(match self.phase {
            Phase::Ready => self.server_timeout,
            _ => self.connect_timeout,
        })
    }

    fn keepalive(&self) -> Option<Keepalive<'_>> {
        Some(Keepalive {
            interval: self.keep_alive,
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
