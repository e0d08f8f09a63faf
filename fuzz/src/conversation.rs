//! A conversation with a server that says anything, in each protocol. A session receives its
//! frames, by their heads where these tell enough; a second conversation parses all of them, and
//! both must come to the same.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::Value as Json;
use signal_wasm::protocol::{
    Credentials, Millis, Outgoing, Output, PROTOCOLS, Phase, ProtocolOptions,
};
use signal_wasm::session::{Action, CredentialsSource, Input, State, Transmission};
use signal_wire::UserId;

use crate::full_parse::FullParse;
use crate::host::HostText;
use crate::json::{is_json, repeats_a_member};
use crate::page::{Page, Setup};

const OWN: u64 = 12345;

/// The channels that the page has open.
const OPEN: [&str; 3] = ["main", "é😀", ""];

/// The message that it sends.
const MESSAGE: &str = "{\"a\":\"}]\"}";

/// No server of sense has its clients wait longer.
const LONGEST_TIMEOUT: Millis = 1e9;

#[derive(Debug, Arbitrary)]
struct Script<'a> {
    protocol: u8,
    namespace: Option<&'a str>,
    names: Option<&'a str>,
    skip_negotiation: bool,
    ops: Vec<Op<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Op<'a> {
    /// The next attempt.
    Connect,
    SocketOpens,
    /// What a server of that protocol says to let the page in, one thing after the other.
    LetIn,
    Closes,
    TimesOut,
    Answered(u16, &'a str),
    Frame(&'a str),
    /// A call with this envelope's text in it, as servers write it.
    Call(&'a str),
    /// A call with an envelope of these parts, and this behind it.
    Envelope(u16, &'a str, Option<&'a str>, &'a str, &'a str),
    Send(u8),
    /// What the page says of itself from the next attempt on.
    Credentials(&'a str),
    Unanswered(&'a str),
    /// Several envelopes in one frame: the sender and the channel of each, and how they are put
    /// together.
    Packed(Vec<(u16, u8)>, u8),
}

/// What the server does.
enum Said {
    Frame(String),
    Answer(u16, String),
}

/// The session of a page, and the conversation that parses every frame.
struct Pair {
    setup: Setup,
    page: Page<String>,
    whole: FullParse,
    let_in: usize,
    /// The channels of the messages that the page has sent.
    sent: Vec<&'static str>,
    /// The page has made a request that isn't answered.
    has_request: bool,
    /// The server may have sent the page to another address.
    is_redirected: bool,
}

/// All that happens, and then one attempt more, whose address tells what was noted of the frames.
pub fn run(data: &[u8]) {
    let Ok(input) = Script::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut pair = Pair::new(&input);
    let last = [Op::Closes, Op::Connect];
    for op in input.ops.iter().chain(&last) {
        if !pair.apply(op) {
            return;
        }
    }
}

impl Pair {
    fn new(input: &Script<'_>) -> Pair {
        let name = |name: Option<&str>| name.map(String::from);
        let mut setup = Setup::new(
            PROTOCOLS[usize::from(input.protocol) % PROTOCOLS.len()].name,
            "ws://h/x",
        );
        setup.options = ProtocolOptions {
            namespace: Some(input.namespace.unwrap_or("/").into()),
            event: name(input.names),
            target: name(input.names),
            hub: name(input.names),
            skip_negotiation: input.skip_negotiation,
            ..setup.options
        };
        setup.config.credentials = CredentialsSource::Renewable;
        let open = OPEN.map(String::from);
        let mut pair = Pair {
            page: Page::new(setup.session(OWN, 5)),
            whole: FullParse::new(&setup, OWN, &open),
            setup,
            let_in: 0,
            sent: Vec::new(),
            has_request: false,
            is_redirected: false,
        };
        pair.page.session.inspect(true);
        pair.page.credentials.push_back(None);
        for name in open {
            pair.page.open(&name, name.clone());
        }
        pair.whole.connect(pair.page.now);
        pair.compare(&Op::Connect);
        pair
    }

    /// Does it to both; whether they go on.
    fn apply(&mut self, op: &Op<'_>) -> bool {
        if let Some(said) = self.said(op) {
            return self.is_served(&said, op);
        }
        let state = self.page.state();
        match op {
            Op::Connect => {
                if let State::Waiting { .. } = state {
                    while let State::Waiting { .. } = self.page.state() {
                        self.page.wakes(0.0);
                    }
                    if self.page.state() == State::Closed {
                        return false;
                    }
                    self.let_in = 0;
                    let credentials = self.page.credentials[0].clone();
                    let protocol = self.whole.protocol();
                    protocol.set_credentials(credentials.as_ref());
                    self.whole.connect(self.page.now);
                }
            }
            Op::SocketOpens if self.page.has_socket && state == State::Connecting => {
                self.page.handle(Input::SocketOpen);
                self.whole
                    .tell(|protocol, out| protocol.on_socket_open(out));
            }
            Op::Closes if state.has_connection() => {
                self.page.loses_socket(Some(1006));
                self.page.done.clear();
                self.has_request = false;
                self.whole.protocol().on_close(self.page.now);
            }
            Op::TimesOut if state.has_connection() => {
                let timeout = self.whole.protocol().server_timeout();
                if let Some(timeout) = timeout.filter(|at| (0.0..LONGEST_TIMEOUT).contains(at)) {
                    self.page.now += timeout;
                    self.page.handle(Input::Timeout);
                    self.whole.tell(|protocol, out| protocol.on_timeout(out));
                }
            }
            Op::Unanswered(reason) if self.takes_answer() => {
                let reason = format!("no: {reason}");
                self.page.handle(Input::HttpFailed(reason.clone()));
                self.whole
                    .tell(|protocol, out| protocol.on_http_failure(&reason, out));
            }
            Op::Send(place) => self.send(OPEN[usize::from(*place) % OPEN.len()]),
            Op::Credentials(text) => self.page.credentials[0] = Some(self.credentials(text)),
            _ => {}
        }
        self.compare(op)
    }

    /// What the server does, if it does something.
    fn said(&self, op: &Op<'_>) -> Option<Said> {
        let call = |envelope: &str, behind: &str| {
            let call = call(self.setup.protocol, &self.setup.options, envelope, behind);
            Some(Said::Frame(call))
        };
        match *op {
            Op::LetIn => self.welcome(),
            Op::Frame(text) => Some(Said::Frame(text.into())),
            Op::Answered(status, body) => Some(Said::Answer(status, body.into())),
            Op::Call(text) => call(text, ""),
            Op::Envelope(sender, channel, id, message, behind) => {
                // Half of them are for a channel that is open.
                let channel = OPEN
                    .get(usize::from(sender) % 6)
                    .copied()
                    .unwrap_or(channel);
                let id = id.map_or(String::new(), |id| format!(",\"id\":{}", Json::from(id)));
                let channel = Json::from(channel);
                let envelope = format!(
                    "{{\"sender\":{sender},\"channel\":{channel}{id},\"message\":{message}}}"
                );
                call(&envelope, behind)
            }
            Op::Packed(ref envelopes, way) => {
                let envelopes = envelopes.iter().map(|(sender, channel)| {
                    let channel = OPEN.get(usize::from(*channel)).copied().unwrap_or("x");
                    let channel = Json::from(channel);
                    format!("{{\"sender\":{sender},\"channel\":{channel},\"message\":{way}}}")
                });
                let envelopes: Vec<_> = envelopes.collect();
                Some(Said::Frame(match way % 4 {
                    0 => envelopes.join("\n"),
                    1 => envelopes.join("\r\n\n"),
                    2 => format!("[{}]", envelopes.join(",")),
                    _ => Json::from(envelopes.concat()).to_string(),
                }))
            }
            _ => None,
        }
    }

    /// The server's way of letting a page in.
    fn welcome(&self) -> Option<Said> {
        let frame = |text: &str| Some(Said::Frame(text.into()));
        let answer = |text: &str| Some(Said::Answer(200, text.into()));
        match (self.setup.protocol, self.let_in + 1) {
            ("auto" | "relay", 1) => {
                frame(r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#)
            }
            ("auto" | "relay", 2) => frame(r#"{"ack":0,"session":"s"}"#),
            ("socket.io", 1) => frame(
                r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            ),
            ("socket.io", 2) => {
                let part = namespace_part(&self.setup.options);
                let id = self.page.credentials[0].is_none();
                let id = if id { "{\"sid\":\"b\"}" } else { "" };
                frame(&format!("40{part}{id}"))
            }
            ("signalr", 1) => answer(r#"{"connectionToken":"t é&"}"#),
            ("signalr", 2) => frame("{}\u{1e}"),
            ("signalr-classic", 1) => {
                answer(r#"{"ConnectionToken":"t+/","KeepAliveTimeout":20,"DisconnectTimeout":30}"#)
            }
            ("signalr-classic", 2) => frame(r#"{"C":"d-0","S":1,"M":[]}"#),
            ("signalr-classic", 3) => answer("{}"),
            ("sse", _) => answer(""),
            _ => None,
        }
    }

    fn is_served(&mut self, said: &Said, op: &Op<'_>) -> bool {
        self.let_in += usize::from(matches!(op, Op::LetIn));
        match said {
            Said::Answer(status, body) => {
                if self.takes_answer() {
                    self.is_redirected |= body.contains("rl\"");
                    self.page.is_answered(*status, body);
                    self.whole.is_answered(*status, body);
                }
            }
            Said::Frame(frame) => {
                if self.page.has_socket {
                    self.page.receive(frame);
                    if !is_sound(self.setup.protocol, frame) {
                        return false;
                    }
                    self.whole.receive(frame);
                }
            }
        }
        self.compare(op)
    }

    fn takes_answer(&mut self) -> bool {
        std::mem::take(&mut self.has_request) && self.page.state().has_connection()
    }

    fn credentials(&self, text: &str) -> Credentials {
        match self.setup.protocol {
            "socket.io" => Credentials::Auth {
                json: text.into(),
                query: "a=b".into(),
            },
            _ => Credentials::Token(text.into()),
        }
    }

    /// Sends a message; its frame must be what the other conversation would write.
    fn send(&mut self, channel: &'static str) {
        let is_ready = self.whole.protocol().phase() == Phase::Ready;
        if is_ready && self.page.state().is_open() {
            self.sent.push(channel);
            self.page.send(channel, MESSAGE, Millis::INFINITY);
        }
    }

    /// Looks at the messages that were sent, for the first time or again.
    fn take_messages(&mut self) {
        for action in std::mem::take(&mut self.page.done) {
            let Action::Transmit(Transmission {
                frame,
                message: Some(number),
                post_url,
            }) = action
            else {
                self.page.done.push_back(action);
                continue;
            };
            // The session numbers them from 1.
            let channel = self.sent[number as usize - 1];
            let expected = self.whole.protocol().encode(&Outgoing {
                sender: UserId::from_bits(OWN),
                channel,
                number,
                payload: &MESSAGE.into(),
            });
            assert_eq!(frame, expected);
            self.whole.protocol().on_sending(number);
            assert_eq!(post_url, self.whole.protocol().post_url(number));
            if let Some(url) = post_url {
                assert!(url.starts_with("http://h/x?"), "{url}");
                assert!(
                    !std::mem::replace(&mut self.has_request, true),
                    "two requests"
                );
            }
            sent(self.setup.protocol, channel, frame.as_str());
        }
    }

    /// Both came to the same; whether they go on.
    fn compare(&mut self, op: &Op<'_>) -> bool {
        assert_eq!(self.page.received, self.whole.received, "{op:?}");
        self.page.received.clear();
        self.whole.received.clear();
        self.page.events.clear();
        let outputs = std::mem::take(&mut self.whole.outputs);
        let is_closing = |output: &Output<HostText>| {
            matches!(output, Output::Close(..) | Output::ConnectLater(..))
        };
        if outputs.iter().any(is_closing) {
            assert!(!self.page.state().has_connection(), "{op:?}");
            self.whole.protocol().on_close(self.page.now);
            self.page.done.clear();
            self.has_request = false;
            return self.page.state() != State::Closed;
        }
        self.take_messages();
        let keepalive = self.whole.protocol().keepalive();
        let keepalive = keepalive.map(|keepalive| keepalive.frame);
        let is_own = |action: &Action<HostText>| match action {
            // What a session sends besides what its protocol asks for.
            Action::Transmit(transmission) => {
                let frame = transmission.frame.as_str();
                Some(frame) == keepalive || frame.starts_with("{\"open\":")
            }
            action => *action == Action::Disconnect,
        };
        self.page.done.retain(|action| !is_own(action));
        let expected: Vec<_> = outputs.iter().filter_map(as_action).collect();
        assert_eq!(self.page.done, expected, "{op:?}");
        self.page.done.clear();
        if self.whole.protocol().phase() == Phase::Ready {
            assert!(self.page.state().is_open(), "{op:?}");
        }
        for action in &expected {
            self.has_request |= matches!(action, Action::Http(_));
            done(self.setup.protocol, action, self.is_redirected);
        }
        self.page.state() != State::Closed
    }
}

/// What a session does about what its protocol asks for.
fn as_action(output: &Output<HostText>) -> Option<Action<HostText>> {
    match output {
        Output::Http(request) => Some(Action::Http(request.clone())),
        Output::OpenSocket(url) => Some(Action::OpenSocket(url.clone())),
        Output::OpenEventSource(url) => Some(Action::OpenEventSource(url.clone())),
        Output::Send(frame) => Some(Action::Transmit(Transmission {
            frame: frame.as_str().into(),
            message: None,
            post_url: None,
        })),
        _ => None,
    }
}

/// What names the namespace in a packet.
fn namespace_part(options: &ProtocolOptions) -> String {
    match options.namespace.as_deref() {
        None | Some("/") => String::new(),
        Some(name) if name.starts_with('/') => format!("{name},"),
        Some(name) => format!("/{name},"),
    }
}

/// A frame with a call that brings an envelope's text.
fn call(protocol: &str, options: &ProtocolOptions, envelope: &str, behind: &str) -> String {
    let quoted = Json::from(envelope);
    let name = |given: &Option<String>, default: &str| {
        Json::from(given.clone().unwrap_or_else(|| default.into()))
    };
    let target = name(&options.target, "onMessageReceived");
    match protocol {
        "socket.io" => {
            let part = namespace_part(options);
            let event = name(&options.event, "message");
            format!("42{part}[{event},{envelope}]{behind}")
        }
        "signalr" => {
            format!("{{\"type\":1,\"target\":{target},\"arguments\":[{quoted}]}}\u{1e}{behind}")
        }
        "signalr-classic" => {
            let (cursor, hub) = (Json::from(behind), name(&options.hub, "webRtcHub3"));
            format!("{{\"C\":{cursor},\"M\":[{{\"H\":{hub},\"M\":{target},\"A\":[{quoted}]}}]}}")
        }
        _ => format!("{envelope}{behind}"),
    }
}

/// Whether a frame is what it looks like. One whose head tells enough to drop it needn't be JSON,
/// and of a member that is named twice its head has the first; that is meant to be so.
fn is_sound(protocol: &str, frame: &str) -> bool {
    match protocol {
        "socket.io" => {
            let json = frame.find(['[', '{', '"']).map(|start| &frame[start..]);
            json.is_none_or(is_sound_json)
        }
        // Pieces of records are never read by their heads.
        "signalr" => match frame.strip_suffix('\u{1e}') {
            Some(records) => records
                .split('\u{1e}')
                .all(|record| record.starts_with('{') && is_sound_json(record)),
            None => true,
        },
        // No server says an empty cursor, which a head doesn't note.
        "signalr-classic" => is_sound_json(frame) && !frame.starts_with("{\"C\":\"\""),
        // One envelope on each line.
        _ => {
            let mut lines = frame.lines().filter(|line| !line.trim().is_empty());
            is_sound_json(frame) || lines.all(is_sound_json)
        }
    }
}

/// Whether it is JSON in which no object names a member twice, nor one in a string.
fn is_sound_json(text: &str) -> bool {
    use serde_json::value::RawValue;
    if serde_json::from_str::<Json>(text).is_err() || repeats_a_member(text) {
        return false;
    }
    if let Ok(string) = serde_json::from_str::<String>(text) {
        return !string.starts_with('{') || is_sound_json(&string);
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return items.iter().all(|item| is_sound_json(item.get()));
    }
    let members = crate::json::members(text);
    members.is_none_or(|members| members.values().all(|value| is_sound_json(value)))
}

/// A message of ours in its frame is JSON, and has all its parts in it.
fn sent(protocol: &str, channel: &str, frame: &str) {
    let json = match protocol {
        "socket.io" => &frame[frame.find('[').unwrap_or(0)..],
        "signalr" => frame.strip_suffix('\u{1e}').expect("a record has an end"),
        _ => frame,
    };
    // A namespace may have anything in it here.
    let Ok(json) = serde_json::from_str::<Json>(json) else {
        return assert_eq!(protocol, "socket.io", "{frame}");
    };
    let parse = |text: &Json| {
        let text = text.as_str().expect("an envelope is a text");
        serde_json::from_str(text).expect("the envelope is JSON")
    };
    let envelope: Json = match protocol {
        "socket.io" => json[1].clone(),
        "signalr" => parse(&json["arguments"][0]),
        "signalr-classic" => parse(&json["A"][0]),
        _ => json,
    };
    if protocol == "socket.io" && envelope.is_null() {
        return;
    }
    let message: Json = serde_json::from_str(MESSAGE).expect("the message is JSON");
    assert_eq!(envelope["sender"], OWN, "{frame}");
    assert_eq!(envelope["channel"], channel, "{frame}");
    assert_eq!(envelope["message"], message, "{frame}");
}

/// What a conversation asks for is something that can be done.
fn done(protocol: &str, action: &Action<HostText>, is_redirected: bool) {
    let address = |url: &str, scheme: &str| {
        assert!(url.starts_with(scheme), "{url}");
        // A server that redirects says a whole address; all else that it says is encoded.
        if !is_redirected {
            assert!(url.starts_with(&format!("{scheme}://h/")), "{url}");
            assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
        }
    };
    match action {
        Action::Http(request) => address(&request.url, "http"),
        Action::OpenSocket(url) => address(url, "ws"),
        Action::OpenEventSource(url) => address(url, "http"),
        Action::Transmit(transmission) => {
            let frame = transmission.frame.as_str();
            match protocol {
                "signalr" => {
                    let record = frame.strip_suffix('\u{1e}').expect("a record has an end");
                    assert!(!record.contains('\u{1e}') && is_json(record), "{frame}");
                }
                "auto" | "relay" => assert!(is_json(frame), "{frame}"),
                _ => assert!(
                    frame.starts_with(|first: char| first.is_ascii_digit()),
                    "{frame}"
                ),
            }
        }
        action => panic!("{action:?}"),
    }
}
