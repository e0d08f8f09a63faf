//! Our own relay, over a plain WebSocket. It acknowledges messages, and replays what a client
//! missed when it reconnects. The frames are those of [`signal_wire::frames`].
//!
//! 1. The relay sends a hello as its first frame.
//! 2. The client subscribes to its channels. It resumes its earlier session if the epoch shows that
//!    the relay still has it.
//! 3. The relay's first acknowledgement names the last message that it accepted. From then on it
//!    delivers the subscribed channels.
//!
//! Before that, the relay delivers all channels, as it does to pages of the plain protocol. These
//! messages are ignored. A session that is resumed gets them again later. In a new session they are
//! from before the page was connected, unless it counted as connected to a plain server already.
//!
//! A relay of version 1 also delivers control frames that other pages forge, until it has handled
//! the first request. So the first acknowledgement must show that the relay made it: see [`Proof`].

use signal_wire::frames::{PROVES_ANSWERS, encode_close, encode_ping, encode_pong, encode_token};
use signal_wire::{Open, ServerFrame, UserId};

use super::{
    CloseReason, Credentials, Framing, InvalidOption, Keepalive, Millis, Outgoing, Output, Outputs,
    Phase, Protocol, ProtocolOptions, Text, Value, not_json,
};

/// The option `protocol` that means this protocol.
pub const NAME: &str = "relay";

/// The tolerance for late pings of the relay.
const GRACE: Millis = 10_000.0;

/// The shortest ping interval.
const SHORTEST_PING: Millis = 1_000.0;

/// A conversation with our own relay.
#[derive(Debug)]
pub struct Relay {
    url: String,
    phase: Phase,
    framing: Framing,
    /// The session to resume.
    session: Option<Session>,
    /// How the relay's answer to the first request is recognised.
    proof: Proof,
    /// The number of the last message that was sent, on any connection.
    last_sent: u64,
    /// Messages are delivered before the first acknowledgement: the page was connected before the
    /// hello, and a new session replays nothing.
    delivers_early: bool,
    /// The ping interval of both sides.
    ping: Millis,
    /// The server has acknowledged something on some connection. So it is a relay, and not another
    /// page that imitates one through a plain server.
    is_proven: bool,
    /// The page's token, if this protocol sends it.
    token: Option<String>,
    connect_timeout: Millis,
}

#[derive(Debug)]
struct Session {
    secret: String,
    epoch: String,
}

/// How the client distinguishes the relay's answer to its first request from a forged one.
#[derive(Debug)]
enum Proof {
    /// It carries the session's secret.
    Secret,
    /// The relay is of version 1. After the first request it is sent a ping with a number that other
    /// pages can't guess. The last acknowledgement before its pong is the answer: by then the relay
    /// delivers nothing any more that a page could forge.
    Pong {
        /// The ping's number.
        number: u64,
        /// The last acknowledgement so far.
        accepted: Option<u64>,
    },
}

/// What is wrong with an acknowledgement that the relay can't have made.
const FORGED: &str = "a forged acknowledgement";

/// A number that only who knows the secret can tell: its FNV-1a hash, in the 53 bits that are exact
/// in JavaScript.
fn number_of(secret: &str) -> u64 {
    let hash = secret.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    UserId::from_bits(hash).get()
}

impl Relay {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<Relay, InvalidOption> {
        Ok(Relay {
            url: options.url.clone(),
            phase: Phase::Disconnected,
            framing: Framing::plain(),
            session: None,
            proof: Proof::Secret,
            last_sent: 0,
            delivers_early: false,
            ping: SHORTEST_PING,
            is_proven: false,
            token: None,
            connect_timeout: options.connect_timeout(),
        })
    }

    /// Whether the server has acknowledged something, on any connection.
    pub fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// The server may have been replaced.
    pub fn forget_proof(&mut self) {
        self.is_proven = false;
    }

    /// Handles a connection's first frame. Returns false if it isn't a relay's hello. `is_connected`:
    /// the page counts as connected, to a plain server.
    pub fn accept_hello<T: Text>(
        &mut self,
        text: &T,
        value: &T::Value,
        is_connected: bool,
        out: &mut Outputs<T>,
    ) -> bool {
        // Other first frames are recognised without a copy.
        if value.member("signal").as_number().is_none() {
            return false;
        }
        let text = text.head(text.length());
        let Some(ServerFrame::Hello {
            version,
            session,
            epoch,
            ping,
        }) = ServerFrame::decode(&text)
        else {
            return false;
        };
        let number = number_of(&session);
        let resumed = self.session.take().filter(|known| known.epoch == *epoch);
        let resume = resumed.as_ref().map(|session| session.secret.clone());
        self.delivers_early = is_connected && resume.is_none();
        self.session = Some(resumed.unwrap_or_else(|| Session {
            secret: session.into_owned(),
            epoch: epoch.into_owned(),
        }));
        self.ping = (ping as Millis).max(SHORTEST_PING);
        self.phase = Phase::Joining;
        out.push(Output::Subscribe { resume });
        self.proof = if version >= PROVES_ANSWERS {
            Proof::Secret
        } else {
            out.send(encode_ping(number));
            Proof::Pong {
                number,
                accepted: None,
            }
        };
        true
    }

    /// Handles a frame after the hello.
    pub fn accept_message<T: Text>(&mut self, text: &T, value: T::Value, out: &mut Outputs<T>) {
        // An envelope without a channel has no member but its sender, its id and its message.
        let is_envelope = |member| !value.member(member).is_undefined();
        if is_envelope("channel") || is_envelope("message") {
            if self.is_answered() || self.delivers_early {
                out.push(Output::Envelope(value));
            }
            return;
        }
        match ServerFrame::decode(&text.head(text.length())) {
            Some(ServerFrame::Ack { accepted, session }) => {
                self.accept_ack(accepted, session.as_deref(), out);
            }
            Some(ServerFrame::Gap(channel)) if self.is_answered() => {
                out.push(Output::Gap(channel.into_owned()));
            }
            Some(ServerFrame::Expires(time)) if self.is_answered() && self.token.is_some() => {
                out.push(Output::TokenExpires(time as Millis));
            }
            Some(ServerFrame::Refused {
                channel,
                why,
                reference: number,
            }) if self.is_answered() => {
                let why = format!("{why} Channel: {channel}");
                out.push(Output::Refused { number, why });
            }
            Some(ServerFrame::Ping(number)) => out.send(encode_pong(&number)),
            Some(ServerFrame::Pong(number)) => self.accept_pong(&number, out),
            Some(
                ServerFrame::Gap(_)
                | ServerFrame::Expires(_)
                | ServerFrame::Refused { .. }
                | ServerFrame::Hello { .. },
            )
            | None => {}
        }
    }

    fn accept_ack<T: Text>(&mut self, accepted: u64, secret: Option<&str>, out: &mut Outputs<T>) {
        let own = self.session.as_ref().map(|session| &*session.secret);
        if accepted > self.last_sent {
            return out.push(Output::Bad(FORGED));
        }
        match &mut self.proof {
            _ if self.phase == Phase::Ready => out.push(Output::Acknowledged(accepted)),
            Proof::Secret if secret == own => self.begin(accepted, out),
            Proof::Secret => out.push(Output::Bad(FORGED)),
            Proof::Pong { accepted: last, .. } => *last = Some(accepted),
        }
    }

    fn accept_pong<T: Text>(&mut self, number: &str, out: &mut Outputs<T>) {
        match self.proof {
            _ if self.phase == Phase::Ready => out.push(Output::Pong),
            Proof::Pong {
                number: own,
                accepted: Some(accepted),
            } if number.parse() == Ok(own) => self.begin(accepted, out),
            _ => {}
        }
    }

    /// The relay has answered the first request.
    fn begin<T: Text>(&mut self, accepted: u64, out: &mut Outputs<T>) {
        self.is_proven = true;
        self.phase = Phase::Ready;
        out.push(Output::Acknowledged(accepted));
        out.push(Output::Ready);
    }

    /// Whether the relay seems to have answered the first request, and so delivers what the page
    /// asked for.
    fn is_answered(&self) -> bool {
        let accepted = match self.proof {
            Proof::Secret => None,
            Proof::Pong { accepted, .. } => accepted,
        };
        self.phase == Phase::Ready || (self.phase == Phase::Joining && accepted.is_some())
    }
}

impl<T: Text> Protocol<T> for Relay {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        out.push(Output::OpenSocket(self.url.clone()));
    }

    fn is_relay(&self) -> bool {
        true
    }

    fn on_socket_open(&mut self, _out: &mut Outputs<T>) {
        self.phase = Phase::SocketOpen;
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        let Some(value) = text.parse() else {
            return out.push(Output::Bad(not_json(head)));
        };
        if self.phase > Phase::SocketOpen {
            self.accept_message(text, value, out);
        } else if self.phase == Phase::SocketOpen && !self.accept_hello(text, &value, false, out) {
            out.close(
                CloseReason::ProtocolMismatch,
                "the server is no signal-relay; the option protocol must be 'auto' or 'websocket'",
            );
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
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = Credentials::token_of(credentials);
    }

    fn renew(&mut self, credentials: Option<&Credentials>) -> Option<String> {
        Protocol::<T>::set_credentials(self, credentials);
        self.token.as_deref().map(encode_token)
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn server_timeout(&self) -> Option<Millis> {
        Some(match self.phase {
            Phase::Ready => self.ping + GRACE,
            _ => self.connect_timeout,
        })
    }

    fn keepalive(&self) -> Option<Keepalive<'_>> {
        Some(Keepalive {
            interval: self.ping,
            frame: "{\"ping\":1}",
            is_answered: true,
        })
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn head_length(&self, longest_name: usize) -> usize {
        self.framing.head_length(longest_name, true)
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        message.with_reference()
    }

    fn on_sending(&mut self, number: u64) {
        self.last_sent = number.max(self.last_sent);
    }

    fn acknowledges(&self) -> bool {
        true
    }

    fn can_subscribe(&self) -> bool {
        self.phase >= Phase::Joining
    }

    fn takes_ids(&self) -> bool {
        self.is_answered()
    }

    fn subscribe(&self, channels: &Open<'_>) -> Option<String> {
        // The first subscription of a connection shows the token.
        if self.phase == Phase::Joining && self.token.is_some() {
            let open = Open {
                token: self.token.as_deref().map(Into::into),
                ..channels.clone()
            };
            return Some(open.encode());
        }
        Some(channels.encode())
    }

    fn unsubscribe(&self, channel: &str) -> Option<String> {
        Some(encode_close([channel]))
    }
}
