//! Our own relay, over a plain WebSocket: messages are acknowledged, and a connection that comes back gets what it missed. The frames are those of
//! [`signal_wire::frames`].
//!
//! 1. The relay's first frame is its hello.
//! 2. The client subscribes to its channels, and resumes its earlier session if the relay still has it (the epoch tells).
//! 3. The relay's first acknowledgement says which messages it has, and that it delivers from now on.
//!
//! Until then a relay delivers as it does to pages that know nothing of all this. Those messages come again, so they are ignored.

use signal_wire::frames::{encode_close, encode_pong};
use signal_wire::{Open, ServerFrame};

use super::{
    CloseReason, Framing, InvalidOption, Keepalive, Millis, Outgoing, Output, Outputs, Phase,
    Protocol, ProtocolOptions, STEP_TIMEOUT, Text, Value, not_json,
};

/// A relay may be this much later with a sign of life than its hello says.
const GRACE: Millis = 10_000.0;

/// The shortest time between signs of life that makes sense.
const SHORTEST_PING: Millis = 1_000.0;

/// Our own relay, and nothing else.
#[derive(Debug)]
pub struct Relay {
    url: String,
    phase: Phase,
    framing: Framing,
    /// The session that can be resumed.
    session: Option<Session>,
    /// How often both sides say something.
    ping: Millis,
    /// The server has acknowledged something on some connection: it is a relay, and not a page that imitates one.
    is_proven: bool,
}

#[derive(Debug)]
struct Session {
    secret: String,
    epoch: String,
}

impl Relay {
    /// A conversation that hasn't begun.
    pub fn new(options: ProtocolOptions) -> Result<Relay, InvalidOption> {
        Ok(Relay {
            url: options.url,
            phase: Phase::Disconnected,
            framing: Framing::plain(),
            session: None,
            ping: SHORTEST_PING,
            is_proven: false,
        })
    }

    /// Whether the server has acknowledged something, on whichever connection.
    pub fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// The server may be another one now.
    pub fn doubt(&mut self) {
        self.is_proven = false;
    }

    /// Takes a connection's first message, if it is a relay's hello.
    pub fn accept_hello<T: Text>(
        &mut self,
        text: &T,
        value: &T::Value,
        out: &mut Outputs<T>,
    ) -> bool {
        // Most first messages are not, and needn't be copied to find that out.
        if value.member("signal").as_number().is_none() {
            return false;
        }
        let text = text.head(text.length());
        let Some(ServerFrame::Hello {
            session,
            epoch,
            ping,
        }) = ServerFrame::decode(&text)
        else {
            return false;
        };
        let resumed = self.session.take().filter(|known| known.epoch == *epoch);
        let resume = resumed.as_ref().map(|session| session.secret.clone());
        self.session = Some(resumed.unwrap_or_else(|| Session {
            secret: session.into_owned(),
            epoch: epoch.into_owned(),
        }));
        self.ping = (ping as Millis).max(SHORTEST_PING);
        self.phase = Phase::Joining;
        out.push(Output::Subscribe { resume });
        true
    }

    /// Takes a message behind the hello.
    pub fn accept_message<T: Text>(&mut self, text: &T, value: T::Value, out: &mut Outputs<T>) {
        if !value.member("channel").is_undefined() {
            if self.phase == Phase::Ready {
                out.push(Output::Envelope(value));
            }
            return;
        }
        match ServerFrame::decode(&text.head(text.length())) {
            Some(ServerFrame::Ack(accepted)) => {
                self.is_proven = true;
                out.push(Output::Acknowledged(accepted));
                if self.phase == Phase::Joining {
                    self.phase = Phase::Ready;
                    out.push(Output::Ready);
                }
            }
            Some(ServerFrame::Gap(channel)) => out.push(Output::Gap(channel.into_owned())),
            Some(ServerFrame::Ping(number)) => out.send(encode_pong(&number)),
            Some(ServerFrame::Pong(_)) => out.push(Output::Pong),
            Some(ServerFrame::Hello { .. }) | None => {}
        }
    }
}

impl<T: Text> Protocol<T> for Relay {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        out.push(Output::OpenSocket(self.url.clone()));
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
        } else if self.phase == Phase::SocketOpen && !self.accept_hello(text, &value, out) {
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

    fn server_timeout(&self) -> Option<Millis> {
        Some(match self.phase {
            Phase::Ready => self.ping + GRACE,
            _ => STEP_TIMEOUT,
        })
    }

    fn keepalive(&self) -> Option<Keepalive> {
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

    fn encode(&mut self, message: &Outgoing<'_, T>) -> T {
        message.with_reference()
    }

    fn acknowledges(&self) -> bool {
        true
    }

    fn subscribes(&self) -> bool {
        self.phase >= Phase::Joining
    }

    fn subscribe(&self, channels: &Open<'_>) -> Option<String> {
        Some(channels.encode())
    }

    fn unsubscribe(&self, channel: &str) -> Option<String> {
        Some(encode_close([channel]))
    }
}
