//! An ordinary HTTP server that broadcasts: what one page POSTs, it sends to all other pages as
//! server-sent events (HTML, "Server-sent events"). It also works where WebSockets are blocked. Our
//! relay offers it at `<space>/sse`.
//!
//! `EventSource` reads the stream at the server's address. Each event of the type `message`
//! contains one envelope. An outgoing envelope is the body of a POST request to the same address.
//! One request is made at a time, so that the server receives them in order. A request that the
//! server didn't accept is repeated.
//!
//! The library adds query members, which a server may use or ignore:
//!
//! * `client`: a random secret of the page. With it the server can leave out the page's own
//!   messages.
//! * `ref`: on a POST, a rising number. With it the server can recognise a repeated request.
//! * `lastEventId`: on a stream after a lost one, the id of the last event received. With it the
//!   server can send what the page missed. (A new `EventSource` has no header `Last-Event-ID`.)
//!
//! While the page is being hidden, no request waits for the answer to another. Requests that overlap
//! may arrive in any order, so each names a `client` of its own: otherwise the server would take a
//! lower `ref` for a repeated request.
//!
//! A stream may begin with an event of the type `hello`. Its id serves as `lastEventId` until a
//! message is received; our relay's has the data `relay`. An event of the type `gap` says that messages may have been missed, one of
//! the type `refused` that the page's token is refused or has expired.

use super::{
    CloseReason, Credentials, Framing, HttpResponse, InvalidOption, LONGEST_EVENT_ID, Millis,
    Outgoing, Output, Outputs, Phase, Protocol, ProtocolOptions, REDIRECTED, Retry, ServerEvent,
    ServerUrl, Text, not_json,
};

/// How much of the reason of a refusal is shown, in UTF-16 code units.
const LONGEST_REASON: usize = 100;

/// The data of our relay's `hello`.
const RELAY: &str = "relay";

/// An event stream to receive, POST requests to send.
#[derive(Debug)]
pub struct Sse {
    /// The server's address, for people to read.
    url: String,
    server: ServerUrl,
    query: String,
    client: String,
    phase: Phase,
    framing: Framing,
    last_event_id: Option<String>,
    /// The page's token. It goes into the address: browsers can't set headers of event streams.
    token: Option<String>,
    /// The numbers of the messages in pending requests. A request may outlive its connection. There
    /// is more than one only if the page is being hidden.
    in_flight: Vec<u64>,
    /// How many requests in a row failed.
    failures: u32,
    /// The server has accepted a message.
    is_proven: bool,
    is_relay: bool,
    connect_timeout: Millis,
}

impl Sse {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<Sse, InvalidOption> {
        if options.own_transport {
            return Err(InvalidOption {
                name: "protocol",
                value: "sse".into(),
                wanted: "one that a transport can carry, such as 'websocket'; or leave out the option transport",
            });
        }
        let mut sse = Sse {
            url: String::new(),
            server: ServerUrl::new(&options.url),
            query: options.query.clone(),
            client: options.secret.clone(),
            phase: Phase::Disconnected,
            framing: Framing::plain(),
            last_event_id: None,
            token: None,
            in_flight: Vec::new(),
            failures: 0,
            is_proven: false,
            is_relay: false,
            connect_timeout: options.connect_timeout(),
        };
        sse.go_to(&options.url);
        Ok(sse)
    }

    fn go_to(&mut self, url: &str) {
        self.server = ServerUrl::new(url);
        self.url = self.server.http("", "").into_string();
    }

    /// The request is repeated later. `status` is the server's answer, if there was one.
    fn retry<T: Text>(
        &mut self,
        status: Option<u16>,
        after: Option<Millis>,
        reason: String,
        out: &mut Outputs<T>,
    ) {
        out.push(Output::Retry(Retry {
            failures: self.failures,
            after,
            // Other failures don't depend on the message.
            blames_message: status == Some(500),
            reason,
        }));
        self.failures += 1;
    }

    fn on_post_failure<T: Text>(&mut self, reason: &str, out: &mut Outputs<T>) {
        let reason =
            format!("a POST request got no answer, or one that this page may not read: {reason}");
        // One failure leaves the stream alone, because messages may be missed while it is replaced.
        // After more the network may be down, which an idle stream doesn't notice.
        if self.failures == 0 {
            self.retry(None, None, reason, out);
        } else {
            out.close(CloseReason::Transient, reason);
        }
    }

    /// The server takes no messages at this address.
    fn close_wrong_address<T: Text>(&self, what: &str, out: &mut Outputs<T>) {
        // During a deployment the address may be missing for a while.
        let why = if self.is_proven {
            CloseReason::Transient
        } else {
            CloseReason::Fatal
        };
        let reason = format!(
            "the server {what}; the option url must be where it takes messages and streams events"
        );
        out.close(why, reason);
    }
}

impl<T: Text> Protocol<T> for Sse {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        self.is_relay = false;
        let address = self
            .server
            .http("", &self.query)
            .with("client", &self.client)
            .with_optional("lastEventId", self.last_event_id.as_deref())
            .with_optional("access_token", self.token.as_deref());
        out.push(Output::OpenEventSource(address.into_string()));
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        self.phase = Phase::Ready;
        out.push(Output::Ready);
    }

    fn is_relay(&self) -> bool {
        self.is_relay
    }

    fn on_server_event(&mut self, event: &ServerEvent<T>, out: &mut Outputs<T>) {
        if !event.id.is_empty() && event.id.len() <= LONGEST_EVENT_ID {
            self.last_event_id = Some(event.id.clone());
        }
        match &*event.kind {
            "hello" => self.is_relay = event.data.head(RELAY.len() + 1) == RELAY,
            "gap" => out.push(Output::GapOnAll),
            "refused" => {
                let why = event.data.head(LONGEST_REASON);
                out.close(CloseReason::Unauthorized, format!("with '{why}'"));
            }
            _ => {}
        }
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        match text.parse() {
            Some(value) => out.envelopes(&value),
            None => out.push(Output::Bad(not_json(head))),
        }
    }

    fn on_posted(
        &mut self,
        number: u64,
        answer: &Result<HttpResponse<T>, String>,
        out: &mut Outputs<T>,
    ) {
        let Some(place) = self.in_flight.iter().position(|known| *known == number) else {
            return;
        };
        self.in_flight.remove(place);
        let response = match answer {
            Ok(response) => response,
            Err(reason) => return self.on_post_failure(reason, out),
        };
        let status = response.status;
        match status {
            200..=299 => {
                self.failures = 0;
                self.is_proven = true;
                out.push(Output::Acknowledged(number));
            }
            401 | 403 => out.close(
                CloseReason::Unauthorized,
                format!("with HTTP status {status}"),
            ),
            REDIRECTED => self.close_wrong_address("redirected a POST request", out),
            404 | 405 | 410 | 501 => {
                let what = format!("answered a POST request with HTTP status {status}");
                self.close_wrong_address(&what, out);
            }
            408 | 425 | 429 | 500.. => {
                let reason = format!("the server didn't accept a message: HTTP status {status}");
                self.retry(Some(status), response.pause(), reason, out);
            }
            _ => {
                self.failures = 0;
                let why = match response.excerpt() {
                    Some(excerpt) => format!("HTTP status {status}: {excerpt}"),
                    None => format!("HTTP status {status}"),
                };
                out.push(Output::Refused {
                    number: Some(number),
                    why,
                });
                out.push(Output::Acknowledged(number));
            }
        }
    }

    fn on_timeout(&mut self, out: &mut Outputs<T>) {
        out.close(
            CloseReason::Transient,
            "the server didn't answer with an event stream in time; it must begin the stream at once, with a line such as ':', for which Firefox waits",
        );
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
        let place = |url: &str| String::from(url.split('?').next().unwrap_or_default());
        let before = place(&self.url);
        self.go_to(url);
        if place(&self.url) != before {
            self.last_event_id = None;
            self.is_proven = false;
        }
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = Credentials::token_of(credentials);
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        message.between("", "")
    }

    fn on_sending(&mut self, number: u64) {
        self.in_flight.push(number);
    }

    fn post_url(&self, number: u64) -> Option<String> {
        let is_alone = self.in_flight.iter().all(|other| *other == number);
        let client = if is_alone {
            self.client.clone()
        } else {
            format!("{}.{number}", self.client)
        };
        let address = self
            .server
            .http("", &self.query)
            .with("client", &client)
            .with("ref", &number.to_string())
            .with_optional("access_token", self.token.as_deref());
        Some(address.into_string())
    }

    fn needs_socket(&self) -> bool {
        false
    }

    fn is_busy(&self) -> bool {
        !self.in_flight.is_empty()
    }

    fn acknowledges(&self) -> bool {
        true
    }
}
