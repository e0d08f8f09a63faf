//! One connection's conversation with its server, whichever the protocol: what is said before envelopes may go, between them and around them.
//!
//! A [`Link`] is told what happened (an attempt begins, a request was answered, the socket is open, a record came in), and leaves in
//! [`effects`](Link::effects) what is to be done about it. It outlives its connections, since some protocols resume an earlier one. What each
//! protocol says stands in a file of its own; this one has what they share, and tells them apart.

use super::envelope::{Head, UserId};
use super::text::{Texts, cut, fill};
use super::websocket::{self, Quotes};
use super::{Millis, Protocol, json, relay, signalr, signalr_classic, socket_io};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// A value that JSON text stands for; in a browser, a JavaScript value.
pub trait Value: Sized {
    /// The member of that name, or that place: of what has none, a value that [is none](Self::is_none).
    fn member(&self, name: &str) -> Self;
    /// Whether there is no such value.
    fn is_none(&self) -> bool;
    /// The text, if it is one.
    fn text(&self) -> Option<String>;
    /// The number, if it is one; for what is none, not a number.
    fn number(&self) -> f64;
    /// Whether it is `true`.
    fn is_true(&self) -> bool;
}

/// What may come of a connection's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Another attempt may go better.
    Retry,
    /// The server isn't what the options say, which no further attempt changes; unless one of them went well before.
    Misfit,
    /// The server refused what the page said of itself.
    Denied,
    /// The server said so.
    Final,
}

/// What a conversation wants done, with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A request to this address, and its answer: [`Link::answered`].
    Get,
    /// Likewise, with an empty body and the [token](Link::token).
    Post,
    /// A socket to this address: [`Link::opened`].
    Socket,
    /// This frame sent.
    Say,
    /// Envelopes may go.
    Up,
    /// The page told that the server refused a message, and why in its words.
    Refused,
    /// Our relay told which channels are open, by [`relay::open`]: taking over this session, or else as one who was never there.
    Open,
    /// The messages up to the number [`taken`](Link::taken) let go of.
    Taken,
    /// The page told that it may have missed messages on this channel.
    Gap,
    /// The answer to a [`ping`](Link::ping) noted.
    Pong,
    /// The connection given up, for this reason.
    Down(Ending),
}

/// Redirections before we take them for a circle.
const REDIRECTIONS: u32 = 100;

/// By how much a cursor with what stands before it may be longer than the last cursor, in a frame that is read by its head.
const CURSOR_ROOM: usize = 64;

/// A step of the conversation takes no longer.
const PATIENCE: Millis = 10_000.0;

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// There is no socket.
    Apart,
    /// The socket is open, nothing has been heard.
    Opened,
    /// The server has greeted.
    Greeted,
    /// The last request or answer before envelopes may go is on its way.
    Asked,
    /// Envelopes may go.
    Up,
}

/// What `auto` has found out about a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Ordinary,
    Relay,
}

/// What stands around envelopes, as templates.
pub(super) struct Around {
    /// What a canonical frame begins with; in the classic protocol, behind the cursor. Where the envelope is text, its opening quote is the end.
    pub prefix: &'static str,
    /// What a frame of ours begins with, if the envelope is to be text.
    pub before: &'static str,
    /// What a frame of ours ends with.
    pub tail: &'static str,
    /// What a canonical frame ends with, behind the payload.
    pub received_tail: &'static str,
    /// What is said every [`Link::ping_every`].
    pub ping: &'static str,
    /// What a frame with a second record has somewhere; empty: there is no such frame.
    pub second: &'static str,
}

const PLAIN: Around = Around {
    prefix: "",
    before: "",
    tail: websocket::TAIL,
    received_tail: websocket::TAIL,
    ping: "",
    second: "",
};

/// One connection's conversation with its server.
#[derive(Debug)]
pub struct Link {
    protocol: Protocol,
    url: String,
    pub(super) step: Step,
    pub(super) texts: Texts,
    /// What a canonical frame begins with.
    pub(super) prefix: String,
    /// What is to be done.
    pub effects: Vec<(Effect, String)>,
    /// How often [`ping`](Self::ping) is to be sent while envelopes may go, whatever else is; 0: never.
    pub ping_every: Millis,
    /// So long the server may be silent then.
    pub(super) silence: Millis,
    /// SignalR: the socket is opened without negotiation.
    skip_negotiation: bool,
    /// How many redirections the server may yet ask for.
    redirections: u32,
    /// Classic SignalR: resuming failed. A socket that isn't let in looks like a network that is down, so the server must have answered a request
    /// before it is tried again, for the last time.
    pub(super) doubted: bool,
    /// Whether a server that isn't known to be an ordinary one, or our relay, is one; `auto` finds it out.
    known: Option<Known>,
    /// The server greeted as our relay.
    is_relay: bool,
    /// Nothing was received yet.
    is_fresh: bool,
    /// Our relay's memory, and the secret by which our session is found in it.
    epoch: String,
    session: String,
    /// Our relay has taken the messages up to this number; below 0: it was never heard to take any.
    pub taken: f64,
    /// Classic SignalR: until when the connection may be resumed, and how long after a loss that is.
    resume_until: Millis,
    pub(super) resume_for: Millis,
}

impl Link {
    /// A link that has had no connection, to the server at `url`: `ws:` or `wss:`. `texts` are the page's: path, namespace, event, target,
    /// method, hub, and the query that each address has besides its own.
    pub fn new(protocol: Protocol, url: &str, texts: Texts, skip_negotiation: bool) -> Link {
        let mut link = Link {
            protocol,
            url: url.into(),
            step: Step::Apart,
            texts,
            prefix: String::new(),
            effects: Vec::new(),
            ping_every: 0.0,
            silence: Millis::INFINITY,
            skip_negotiation,
            redirections: 0,
            doubted: false,
            known: None,
            is_relay: false,
            is_fresh: false,
            epoch: String::new(),
            session: String::new(),
            taken: -1.0,
            resume_until: 0.0,
            resume_for: 0.0,
        };
        link.reset_base();
        socket_io::set_namespace(&mut link);
        link.prefix = link.texts.fill(link.around().prefix);
        link
    }

    /// The protocol, as far as it's known: `Relay` once the server has greeted. One that the build left out is the plain one.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        match self.protocol {
            _ if self.is_relay() => Protocol::Relay,
            Protocol::SocketIo if cfg!(feature = "socket-io") => Protocol::SocketIo,
            Protocol::SignalR if cfg!(feature = "signalr") => Protocol::SignalR,
            Protocol::SignalRClassic if cfg!(feature = "signalr-classic") => {
                Protocol::SignalRClassic
            }
            _ => Protocol::WebSocket,
        }
    }

    #[inline]
    fn around(&self) -> &'static Around {
        match self.protocol() {
            Protocol::Relay => &relay::AROUND,
            Protocol::SocketIo => &socket_io::AROUND,
            Protocol::SignalR => &signalr::AROUND,
            Protocol::SignalRClassic => &signalr_classic::AROUND,
            _ => &PLAIN,
        }
    }

    /// The server, as the page gave it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes it another one, from the next attempt on.
    pub fn set_url(&mut self, url: String) {
        if cut(&url, b'?').0 != cut(&self.url, b'?').0 {
            self.known = None;
            self.taken = -1.0;
        }
        self.url = url;
        self.reset_base();
    }

    /// The option `path`.
    pub fn path(&self) -> &str {
        self.texts.get("path")
    }

    /// Whether envelopes may go.
    #[inline]
    pub fn is_up(&self) -> bool {
        self.step == Step::Up
    }

    /// Whether the server is our relay.
    #[inline]
    pub fn is_relay(&self) -> bool {
        cfg!(feature = "relay") && self.is_relay
    }

    /// Whether our relay was told which channels are open, and is to be told of others.
    pub fn is_joined(&self) -> bool {
        self.is_relay() && self.step >= Step::Asked
    }

    /// Whether the server's first frame is to tell if it is our relay.
    fn looks(&self) -> bool {
        match self.protocol {
            Protocol::Relay => cfg!(feature = "relay"),
            Protocol::Auto => cfg!(feature = "relay") && self.known != Some(Known::Ordinary),
            _ => false,
        }
    }

    /// Our relay has greeted.
    pub(super) fn begin_relay(&mut self, session: String, epoch: String) {
        self.is_relay = true;
        self.known = Some(Known::Relay);
        self.step = Step::Asked;
        let mut resumed = String::new();
        if epoch == self.epoch {
            resumed.push_str(&self.session);
        } else {
            self.epoch = epoch;
            self.session = session;
        }
        self.effects.push((Effect::Open, resumed));
    }

    /// The server isn't our relay.
    fn begin_plain(&mut self) {
        self.known = Some(Known::Ordinary);
        self.then(Effect::Up, "");
    }

    /// Makes the page's address of the server and its token those that are used, as before any redirection.
    pub(super) fn reset_base(&mut self) {
        self.redirections = REDIRECTIONS;
        self.set_token(self.credential().into());
        self.set_base(&self.url.clone());
    }

    /// Makes `url` the server's address, and adds the page's query to its own.
    fn set_base(&mut self, url: &str) {
        let (path, query) = match self.protocol() {
            Protocol::WebSocket | Protocol::Relay => (url, ""),
            _ => cut(url, b'?'),
        };
        let mut both = String::from("?");
        for query in [query, self.texts.get("query")] {
            both.push_str(query);
            both.push_str(if query.is_empty() { "" } else { "&" });
        }
        self.texts.set("queries", both);
        // `ws` and `wss` are to HTTP what follows their first two letters is behind `http`.
        let mut base: String = path.get(2..).unwrap_or_default().into();
        if self.is_text() && base.ends_with('/') {
            base.pop();
        }
        self.texts.set("base", base);
    }

    /// What the page says of itself: Socket.IO's `auth` as JSON text, with the same as a query, or SignalR's token.
    pub fn set_credential(&mut self, text: String, query: String) {
        // Where a server sent us, the token is the one that it gave.
        if self.redirections == REDIRECTIONS {
            self.set_token(text.clone());
        }
        self.texts.set("auth", text);
        self.texts.set("authQuery", query);
    }

    fn set_token(&mut self, token: String) {
        let template = match &*token {
            "" => "",
            _ => "&access_token=<%accessToken>",
        };
        self.texts.set("accessToken", token);
        let access = self.texts.fill(template);
        self.texts.set("access", access);
    }

    /// That, as JSON text or token.
    pub fn credential(&self) -> &str {
        self.texts.get("auth")
    }

    /// The token for [`Effect::Post`]; empty: none.
    pub fn token(&self) -> &str {
        self.texts.get("accessToken")
    }

    /// Wants `effect`, with `template` filled.
    pub(super) fn then(&mut self, effect: Effect, template: &str) {
        if effect == Effect::Up {
            self.step = Step::Up;
        }
        self.effects.push((effect, self.texts.fill(template)));
    }

    pub(super) fn down(&mut self, ending: Ending, template: &str) {
        self.then(Effect::Down(ending), template);
    }

    /// Makes the server's address the one that it said as `url`, and the token the one that it said as `token`, if it did.
    pub(super) fn redirect(&mut self, url: &str, token: &str) {
        let (Some(url), Some(left)) = (
            self.texts.get(url).strip_prefix("http"),
            self.redirections.checked_sub(1),
        ) else {
            return self.misfit(
                "the server redirects in a circle, or to no HTTP address; the option url is wrong",
            );
        };
        self.redirections = left;
        let url = fill("ws#", &[url]);
        self.set_base(&url);
        let token = String::from(self.texts.get(token));
        self.set_token(token);
    }

    /// The server isn't what the options say; `template` tells what it is known by, and the way out.
    pub(super) fn misfit(&mut self, template: &str) {
        self.down(Ending::Misfit, template);
    }

    // What happened.

    /// An attempt to connect begins.
    pub fn begin(&mut self, now: Millis) {
        self.step = Step::Apart;
        self.is_fresh = true;
        if mem::take(&mut self.is_relay) {
            self.ping_every = 0.0;
            self.silence = Millis::INFINITY;
        }
        match self.protocol() {
            Protocol::SocketIo => socket_io::begin(self),
            Protocol::SignalR => signalr::begin(self, self.skip_negotiation),
            Protocol::SignalRClassic => signalr_classic::begin(self, now < self.resume_until),
            _ => self.then(Effect::Socket, "ws<base>"),
        }
    }

    /// A request was answered, with this status, and this value if it was one; `text` is what the answer begins with.
    pub fn answered<V: Value>(&mut self, status: u16, value: Option<V>, text: &str) {
        self.texts.set("message", text.into());
        let mut number = String::new();
        json::write_number(&mut number, status.into());
        self.texts.set("number", number);
        match (status, value) {
            (200, Some(value)) => {
                self.texts.note(&value);
                if self.protocol() == Protocol::SignalRClassic {
                    signalr_classic::answered(self, &value);
                } else {
                    signalr::answered(self);
                }
            }
            (500, _) if self.protocol() == Protocol::SignalRClassic => self.misfit(
                "the server failed on the hub '<hub>' with HTTP status 500 and '<message>'; the option hub must be one that it has",
            ),
            (401 | 403, _) => self.down(Ending::Denied, "with HTTP status <number>"),
            (500.., _) => self.down(Ending::Retry, "the server failed with HTTP status <number>"),
            _ => self.misfit(
                "the server answered with HTTP status <number> and '<message>'; the option url must be that of a SignalR hub",
            ),
        }
    }

    /// The socket is open.
    pub fn opened(&mut self) {
        let resumes = self.step == Step::Asked;
        self.step = Step::Opened;
        match self.protocol() {
            Protocol::SignalR => self.then(Effect::Say, signalr::HANDSHAKE),
            Protocol::SocketIo => {}
            Protocol::SignalRClassic if !resumes => {}
            Protocol::WebSocket if self.looks() => {}
            _ => self.then(Effect::Up, ""),
        }
    }

    /// The connection is gone.
    pub fn lost(&mut self, now: Millis) {
        match self.protocol() {
            Protocol::SocketIo if self.step == Step::Opened => socket_io::other_version(self),
            Protocol::SignalRClassic if self.step == Step::Up => {
                self.resume_until = now + self.resume_for;
                self.doubted = false;
            }
            Protocol::SignalRClassic if self.step == Step::Asked => {
                self.doubted = !self.doubted;
                if !self.doubted {
                    self.resume_until = 0.0;
                }
            }
            _ => {}
        }
        self.step = Step::Apart;
        self.effects = Vec::new();
    }

    /// How long the server may be silent.
    pub fn patience(&self) -> Millis {
        match (self.protocol(), self.step) {
            (_, Step::Up) => self.silence,
            (Protocol::WebSocket, Step::Opened) if self.finds_out() && self.taken < 0.0 => {
                relay::GREETING
            }
            // A transport of the page's takes the time that it takes.
            (_, Step::Apart) if self.url.is_empty() => Millis::INFINITY,
            (Protocol::SocketIo, Step::Greeted) => socket_io::UNASKED,
            _ => PATIENCE,
        }
    }

    /// The server was silent for so long.
    pub fn silent(&mut self) {
        match self.step {
            Step::Greeted if self.protocol() == Protocol::SocketIo => socket_io::connect(self),
            Step::Up => self.down(Ending::Retry, "the server fell silent"),
            Step::Opened if self.finds_out() => self.begin_plain(),
            _ => {
                // It may be another server now; and one that greets and then says nothing may be no relay, but another page's doing.
                if self.protocol == Protocol::Auto && self.step > Step::Apart {
                    self.known = (self.is_relay && self.taken < 0.0).then_some(Known::Ordinary);
                }
                self.down(
                    Ending::Retry,
                    "the server didn't answer as the option protocol has it",
                );
            }
        }
    }

    /// Whether it's yet to be found out if the server is our relay.
    fn finds_out(&self) -> bool {
        self.protocol == Protocol::Auto && self.known.is_none()
    }

    /// The frame that is to be sent every [`ping_every`](Self::ping_every).
    pub fn ping(&self) -> &'static str {
        self.around().ping
    }

    /// The page closes the connection.
    pub fn farewell(&mut self) {
        if self.protocol() == Protocol::SignalRClassic && self.step > Step::Opened {
            self.then(Effect::Post, signalr_classic::ABORT);
        }
    }

    /// Takes a record, as its head and the value that its JSON text stands for, and adds to `envelopes` what it carries of them: objects, or
    /// their texts.
    pub fn record<V: Value>(&mut self, head: &str, value: V, envelopes: &mut Vec<V>) {
        let is_first = mem::take(&mut self.is_fresh);
        match self.protocol() {
            Protocol::Relay => return relay::record(self, value, envelopes),
            Protocol::WebSocket => {
                let may_greet =
                    is_first && matches!(self.protocol, Protocol::Auto | Protocol::Relay);
                if may_greet && cfg!(feature = "relay") && relay::greeted(self, &value) {
                    return;
                }
                // A transport may be heard before it takes anything.
                if self.step == Step::Opened {
                    if self.protocol == Protocol::Relay {
                        return self.misfit("the server is no signal-relay; the option protocol must be 'auto' or 'websocket'");
                    }
                    self.begin_plain();
                }
                envelopes.push(value);
                return;
            }
            _ => {}
        }
        self.texts.note(&value);
        match self.protocol() {
            Protocol::SocketIo => socket_io::record(self, head, &value, envelopes),
            Protocol::SignalR => signalr::record(self, head, &value, envelopes),
            _ => signalr_classic::record(self, &value, envelopes),
        }
    }

    // Frames.

    /// What a record that isn't JSON is, by its head, and the way out.
    pub fn what_is_no_json(&self, head: &str) -> &'static str {
        if head.starts_with("0{") {
            "a frame of Engine.IO (the option protocol must be 'socket.io')"
        } else if head.ends_with('\u{1e}') {
            "a frame of SignalR (the option protocol must be 'signalr')"
        } else {
            "a frame that isn't JSON"
        }
    }

    /// Where a record's JSON text begins, in characters of its head; `None`: it has none.
    pub fn json_start(&self, head: &str) -> Option<usize> {
        if self.protocol() != Protocol::SocketIo {
            return Some(0);
        }
        let packet = socket_io::packet(head);
        (packet.len() < head.len()).then(|| websocket::utf16_length(packet))
    }

    /// How many characters (UTF-16 units) of a frame [`decode_head`](Self::decode_head) and [`record`](Self::record) need, so that a channel
    /// name which runs past them is longer than `longest_name`.
    #[inline]
    pub fn head_length(&self, longest_name: usize) -> usize {
        let cursor = if self.protocol() == Protocol::SignalRClassic {
            CURSOR_ROOM + self.texts.get("C").len()
        } else {
            0
        };
        let cursor = if self.is_relay {
            relay::ID_ROOM
        } else {
            cursor
        };
        self.prefix.len() + self.quotes().head_without_name() + longest_name + cursor
    }

    #[inline]
    fn quotes(&self) -> Quotes {
        match self.protocol() {
            Protocol::SignalR | Protocol::SignalRClassic => Quotes::Escaped,
            _ => Quotes::Plain,
        }
    }

    /// Whether records carry envelopes as texts, in JSON strings.
    #[inline]
    pub fn is_text(&self) -> bool {
        self.quotes() == Quotes::Escaped
    }

    /// Whether records may be less than a frame, or more.
    #[inline]
    pub fn is_stream(&self) -> bool {
        self.protocol() == Protocol::SignalR
    }

    /// What a frame that holds a second record has somewhere; empty: there is no such frame.
    pub fn second(&self) -> &'static str {
        self.around().second
    }

    /// How many characters a message of `length` may have in a frame.
    pub fn room_for(&self, length: usize) -> usize {
        // Each may be written as `\u0022`.
        let most = if self.is_text() { 6 } else { 1 };
        length.saturating_mul(most)
    }

    /// Reads the head of a text frame; `whole` says that the head is all there is of it. A canonical one holds one envelope. The payload is
    /// the message's JSON text, up to the [`received_tail`](Self::received_tail); where the envelope [is text](Self::is_text), it is the JSON string with the envelope.
    #[inline]
    pub fn decode_head<'a>(&mut self, head: &'a str, whole: bool) -> Head<'a> {
        if self.step != Step::Up {
            return Head::Unclear;
        }
        if matches!(self.protocol(), Protocol::WebSocket | Protocol::Relay) {
            let read = websocket::decode_head(head, whole);
            // What is unclear comes to `record`.
            self.is_fresh &= read == Head::Unclear;
            return read;
        }
        let mut start = 0;
        let mut cursor = "";
        if self.protocol() == Protocol::SignalRClassic {
            const CURSOR: &str = "{\"C\":\"";
            cursor = cut(head.strip_prefix(CURSOR).unwrap_or_default(), b'"').0;
            start = CURSOR.len() + cursor.len();
            // One that takes more than its room leaves too little for the name, and one with escapes must be read.
            if start > CURSOR_ROOM + self.texts.get("C").len() || cursor.contains('\\') {
                return Head::Unclear;
            }
        }
        if !head
            .get(start..)
            .is_some_and(|rest| rest.starts_with(&*self.prefix))
        {
            return Head::Unclear;
        }
        start += self.prefix.len();
        let mut read = websocket::decode_at(head, start, self.quotes(), whole);
        if read != Head::Unclear && !cursor.is_empty() {
            self.texts.set("C", cursor.into());
        }
        if self.is_text()
            && let Head::Envelope { payload, .. } = &mut read
        {
            *payload = websocket::utf16_length(head.get(..start - 1).unwrap_or_default());
        }
        read
    }

    /// What stands before the message of that `number` of `sender` on `channel` in its envelope, and, if the envelope is to be text, what stands before that.
    pub fn wrap(&mut self, sender: UserId, channel: &str, number: u64) -> (String, String) {
        let mut text = String::new();
        json::write_number(&mut text, number);
        self.texts.set("number", text);
        let number = if self.is_relay() { number } else { 0 };
        let mut head = websocket::encode_head(sender, channel, number);
        if !self.is_text() {
            head = fill("##", &[&self.prefix, &head]);
        }
        (head, self.texts.fill(self.around().before))
    }

    /// What stands after a message of ours in its frame; if the envelope is text, what stands after that.
    pub fn tail(&self) -> &'static str {
        self.around().tail
    }

    /// What stands after the payload in a canonical frame.
    #[inline]
    pub fn received_tail(&self) -> &'static str {
        self.around().received_tail
    }
}
