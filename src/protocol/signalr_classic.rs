//! ASP.NET SignalR 2, the `$.connection` one: hubs over WebSocket. Each text frame is one JSON
//! object.
//!
//! 1. `GET <base>/negotiate` → `ConnectionToken`, `KeepAliveTimeout` and `DisconnectTimeout` in
//!    seconds.
//! 2. WebSocket `<base>/connect` → a frame with `"S":1`; our relay's has `"relay":true` too.
//! 3. `GET <base>/start` → `{"Response":"started"}`.
//! 4. To the server `{"H":hub,"M":method,"A":[…],"I":number}`, answered with `{"I":number}`, and an
//!    `E` if that went wrong. To the client
//!    `{"C":cursor,"M":[{"H":hub,"M":method,"A":[…]}…],"G":groups}`, and `{}` as keep-alive.
//! 5. After a loss, and within `DisconnectTimeout`: WebSocket `<base>/reconnect` with the last
//!    cursor, from which the server goes on.
//! 6. `POST <base>/abort` when the page closes the connection.

use std::mem;

use signal_wire::json::quoted;
use signal_wire::{Embedding, Head};

use super::negotiation::{
    BAD_REDIRECTION, HubPlace, NO_WEBSOCKETS, on_http_error, unreachable_hub,
};
use super::url::Address;
use super::{
    CloseReason, Credentials, Cut, Framing, HttpRequest, HttpResponse, InvalidOption, Millis,
    Outgoing, Output, Outputs, Phase, Protocol, ProtocolOptions, Text, Value, not_json,
};

/// How much longer than the last cursor the next one may be, together with the text before it, in a
/// frame that is read by its head.
const CURSOR_ROOM: usize = 64;

/// With so many answers of status 500 in a row, the server doesn't have the hub.
const MAX_FAILURES: u32 = 4;

/// The beginning of a frame with messages.
const CURSOR: &str = "{\"C\":\"";

/// ASP.NET SignalR 2, without its client.
#[derive(Debug)]
pub struct SignalRClassic {
    url: String,
    place: HubPlace,
    query: String,
    /// The names in the server's spelling, once it is known.
    hub: String,
    target: String,
    method: String,
    /// The page's token.
    token: Option<String>,
    attempt: Attempt,
    /// A socket was asked for to resume, and hasn't opened.
    is_resuming: bool,
    /// How many answers in a row had the status 500.
    failures: u32,
    phase: Phase,
    framing: Framing,
    /// The token of the current connection, or of one that can be resumed.
    connection: Option<String>,
    /// The cursor of the last message.
    cursor: Option<String>,
    /// The server's token of the joined groups.
    groups: Option<String>,
    server_timeout: Option<Millis>,
    /// How long after a loss the connection can be resumed.
    resume_window: Millis,
    resume_until: Option<Millis>,
    connect_timeout: Millis,
    is_relay: bool,
}

/// The kind of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// A new connection.
    New,
    /// The earlier connection is resumed.
    Resume,
    /// Resuming failed once. A refused socket looks the same as a network failure, so the server
    /// must answer an HTTP request before the last try.
    AskBeforeResuming,
    /// The server has answered, and the earlier connection is resumed for the last time.
    LastResume,
}

impl SignalRClassic {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<SignalRClassic, InvalidOption> {
        let mut classic = SignalRClassic {
            place: HubPlace::new(&options.url),
            url: options.url.clone(),
            query: options.query.clone(),
            hub: options.hub.as_deref().unwrap_or("webRtcHub3").into(),
            target: options
                .target
                .as_deref()
                .unwrap_or("onMessageReceived")
                .into(),
            method: options.method.as_deref().unwrap_or("Send").into(),
            token: None,
            attempt: Attempt::New,
            is_resuming: false,
            failures: 0,
            phase: Phase::Disconnected,
            framing: Framing {
                prefix: String::new(),
                suffix: "]}]}",
                embedding: Embedding::JsonString,
                second_record: Some(",{\"H\":"),
                cut: Cut::Whole,
            },
            connection: None,
            cursor: None,
            groups: None,
            server_timeout: None,
            resume_window: 0.0,
            resume_until: None,
            connect_timeout: options.connect_timeout(),
            is_relay: false,
        };
        classic.set_prefix();
        Ok(classic)
    }

    /// Sets the text that follows the cursor in a canonical frame.
    fn set_prefix(&mut self) {
        self.framing.prefix = format!(
            "\",\"M\":[{{\"H\":{},\"M\":{},\"A\":[\"",
            quoted(&self.hub),
            quoted(&self.target)
        );
    }

    fn hubs(&self) -> String {
        format!("[{{\"name\":{}}}]", quoted(&self.hub))
    }

    fn token(&self) -> Option<&str> {
        self.place.token(self.token.as_deref())
    }

    fn with_token(&self, address: Address) -> Address {
        address.with_optional("access_token", self.token())
    }

    /// Adds the members that identify the connection.
    fn with_connection(&self, address: Address) -> Address {
        let address = address
            .raw("clientProtocol=2.1&transport=webSockets")
            .with("connectionData", &self.hubs())
            .with_optional("connectionToken", self.connection.as_deref());
        self.with_token(address)
    }

    fn get<T: Text>(&self, address: Address, out: &mut Outputs<T>) {
        out.push(Output::Http(HttpRequest {
            method: "GET",
            url: address.into_string(),
            token: None,
            is_foreign: !self.place.has_named_origin(),
            allows_preflight: false,
        }));
    }

    fn negotiate<T: Text>(&self, out: &mut Outputs<T>) {
        let address = self
            .place
            .server()
            .http("/negotiate", &self.query)
            .raw("clientProtocol=2.1")
            .with("connectionData", &self.hubs());
        self.get(self.with_token(address), out);
    }

    fn resume<T: Text>(&mut self, out: &mut Outputs<T>) {
        self.is_resuming = true;
        let address = self.place.server().web_socket("/reconnect", &self.query);
        let address = self
            .with_connection(address)
            .with("messageId", self.cursor.as_deref().unwrap_or_default())
            .with("groupsToken", self.groups.as_deref().unwrap_or_default());
        out.push(Output::OpenSocket(address.into_string()));
    }

    fn on_negotiated<T: Text>(&mut self, answer: &T::Value, out: &mut Outputs<T>) {
        let text = |name| {
            answer
                .member(name)
                .as_string()
                .filter(|text| !text.is_empty())
        };
        let seconds = |name| answer.member(name).as_number().unwrap_or_default() * 1_000.0;
        if let Some(url) = text("RedirectUrl") {
            self.redirect(&url, text("AccessToken"), out);
        } else if self.attempt == Attempt::AskBeforeResuming {
            self.attempt = Attempt::LastResume;
            self.resume(out);
        } else if is_false(&answer.member("TryWebSockets")) {
            out.close(CloseReason::ProtocolMismatch, NO_WEBSOCKETS);
        } else if let Some(token) = text("ConnectionToken") {
            self.server_timeout =
                Some(seconds("KeepAliveTimeout")).filter(|timeout| *timeout > 0.0);
            self.resume_window = seconds("DisconnectTimeout");
            self.connection = Some(token);
            let address = self.place.server().web_socket("/connect", &self.query);
            let address = self.with_connection(address);
            out.push(Output::OpenSocket(address.into_string()));
        } else if text("connectionId").is_some() {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server is one of ASP.NET Core; the option protocol must be 'signalr'",
            );
        } else {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server gave no ConnectionToken; the option url must be like '/signalr'",
            );
        }
    }

    fn redirect<T: Text>(&mut self, url: &str, token: Option<String>, out: &mut Outputs<T>) {
        if self.place.redirect(url, token) {
            self.negotiate(out);
        } else {
            out.close(CloseReason::ProtocolMismatch, BAD_REDIRECTION);
        }
    }

    /// The server answers so for a hub that it doesn't have, and also when it fails for a moment.
    /// Many servers hide which it was.
    fn on_failed_hub<T: Text>(&mut self, response: &HttpResponse<T>, out: &mut Outputs<T>) {
        self.failures += 1;
        let reason = format!(
            "the server failed on the hub '{}' with {response}; the option hub must be one that it has",
            self.hub
        );
        let is_unknown = response.body.contains_from("could not be resolved", 0);
        if self.failures < MAX_FAILURES && !is_unknown {
            out.push(Output::ConnectLater(response.pause(), reason));
        } else {
            out.close(CloseReason::ProtocolMismatch, reason);
        }
    }

    fn on_calls<T: Text>(&mut self, calls: &T::Value, out: &mut Outputs<T>) {
        for place in 0.. {
            let call = calls.item(place);
            if call.is_undefined() {
                break;
            }
            let named = |member, name: &str| {
                let said = call.member(member).as_string();
                said.filter(|said| said.eq_ignore_ascii_case(name))
            };
            if let Some(hub) = named("H", &self.hub)
                && let Some(target) = named("M", &self.target)
            {
                // The server may write the names with other capitals.
                if hub != self.hub || target != self.target {
                    self.hub = hub;
                    self.target = target;
                    self.set_prefix();
                }
                out.envelope(&call.member("A").item(0));
            }
        }
    }
}

/// Whether a member is there, and isn't `true`.
fn is_false<V: Value>(member: &V) -> bool {
    !member.is_undefined() && !member.is_true()
}

impl<T: Text> Protocol<T> for SignalRClassic {
    fn connect(&mut self, now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        let can_resume =
            self.cursor.is_some() && self.resume_until.is_some_and(|until| now < until);
        if !can_resume {
            Protocol::<T>::set_url(self, &self.url.clone());
            self.attempt = Attempt::New;
            self.cursor = None;
            self.groups = None;
        }
        match self.attempt {
            Attempt::Resume | Attempt::LastResume => self.resume(out),
            Attempt::New | Attempt::AskBeforeResuming => self.negotiate(out),
        }
    }

    fn is_relay(&self) -> bool {
        self.is_relay
    }

    fn on_http_response(&mut self, response: &HttpResponse<T>, out: &mut Outputs<T>) {
        match response.body.parse().filter(|_| response.status == 200) {
            Some(_) if self.phase == Phase::Joining => {
                self.failures = 0;
                self.phase = Phase::Ready;
                out.push(Output::Ready);
            }
            Some(answer) => self.on_negotiated(&answer, out),
            None if response.status == 500 => self.on_failed_hub(response, out),
            None => on_http_error(self.token().is_some(), response, out),
        }
    }

    fn on_http_failure(&mut self, reason: &str, out: &mut Outputs<T>) {
        out.close(CloseReason::Transient, unreachable_hub(reason));
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        if self.attempt == Attempt::New {
            self.phase = Phase::SocketOpen;
        } else {
            // A resumed connection is ready when it is open.
            self.is_resuming = false;
            self.phase = Phase::Ready;
            out.push(Output::Ready);
        }
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        let Some(frame) = text.parse() else {
            return out.push(Output::Bad(not_json(head)));
        };
        for (member, known) in [("C", &mut self.cursor), ("G", &mut self.groups)] {
            if let Some(said) = frame.member(member).as_string() {
                *known = Some(said);
            }
        }
        self.on_calls(&frame.member("M"), out);
        let number = frame.member("I").to_number();
        let number = number.filter(|number| *number >= 0.0);
        let number = number.map(|number| number as u64);
        if let Some(number) = number {
            out.push(Output::Confirmed(number));
        }
        let error = frame.member("E").as_string();
        if let Some(why) = error.filter(|error| !error.is_empty()) {
            // An error without a message number concerns the connection.
            if frame.member("I").is_undefined() {
                return out.close(
                    CloseReason::Fatal,
                    format!("the server closed the connection: '{why}'"),
                );
            }
            out.push(Output::Refused { number, why });
        }
        if self.phase == Phase::SocketOpen && frame.member("S").as_number() == Some(1.0) {
            self.phase = Phase::Joining;
            self.is_relay = frame.member("relay").is_true();
            let address = self.place.server().http("/start", &self.query);
            self.get(self.with_connection(address), out);
        }
    }

    fn on_close(&mut self, now: Millis) {
        let resuming_failed = mem::take(&mut self.is_resuming);
        match self.attempt {
            _ if self.phase == Phase::Ready => {
                self.resume_until = Some(now + self.resume_window);
                self.attempt = Attempt::Resume;
            }
            Attempt::Resume if resuming_failed => self.attempt = Attempt::AskBeforeResuming,
            Attempt::LastResume if resuming_failed => self.resume_until = None,
            _ => {}
        }
        self.phase = Phase::Disconnected;
    }

    fn goodbye(&mut self, out: &mut Outputs<T>) {
        if self.phase > Phase::SocketOpen {
            let address = self.place.server().http("/abort", &self.query);
            out.push(Output::Http(HttpRequest {
                method: "POST",
                url: self.with_connection(address).into_string(),
                token: self.token().map(Into::into),
                is_foreign: !self.place.has_named_origin(),
                allows_preflight: false,
            }));
            // Nothing is left there to resume.
            self.phase = Phase::Disconnected;
            self.resume_until = None;
        }
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn set_url(&mut self, url: &str) {
        self.url = url.into();
        self.place = HubPlace::new(url);
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = Credentials::token_of(credentials);
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn server_timeout(&self) -> Option<Millis> {
        match self.phase {
            Phase::Ready => self.server_timeout,
            _ => Some(self.connect_timeout),
        }
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn head_length(&self, longest_name: usize) -> usize {
        let last_cursor = self.cursor.as_ref().map_or(0, String::len);
        self.framing.head_length(longest_name, false) + CURSOR_ROOM + last_cursor
    }

    /// A canonical frame begins with a cursor, which is kept for resuming.
    fn read_head<'h>(&mut self, head: &'h str, whole: bool) -> Head<'h> {
        if self.phase != Phase::Ready {
            return Head::NeedsFullParse;
        }
        let cursor = head
            .strip_prefix(CURSOR)
            .and_then(|rest| Some(rest.split_once('"')?.0));
        let Some(cursor) = cursor else {
            return Head::NeedsFullParse;
        };
        let start = CURSOR.len() + cursor.len();
        let last_cursor = self.cursor.as_ref().map_or(0, String::len);
        // A longer cursor would leave too little room for the channel's name. A cursor with escapes
        // needs a full parse.
        if start > CURSOR_ROOM + last_cursor || cursor.contains('\\') {
            return Head::NeedsFullParse;
        }
        let read = self.framing.read_head(head, start, whole);
        if read != Head::NeedsFullParse && !cursor.is_empty() {
            self.cursor = Some(cursor.into());
        }
        read
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        let before = format!(
            "{{\"I\":{},\"H\":{},\"M\":{},\"A\":[",
            message.number,
            quoted(&self.hub),
            quoted(&self.method)
        );
        message.quoted_between(&before, "]}")
    }

    fn confirms(&self) -> bool {
        true
    }
}
