//! Detects our own relay, and speaks the plain protocol with any other server. A relay greets each
//! plain WebSocket with a hello as its first frame, which pages of the plain protocol ignore.
//! Nothing is added to the address but the page's token, if it has one.
//!
//! An unknown server is taken for a plain one as soon as the socket is open. A relay's hello comes
//! with the response that opens the socket, so messages wait a moment for it: with the relay's
//! protocol they are acknowledged. A hello that comes later still changes the protocol. The relay
//! has taken what was sent before, in order, when it acknowledges the subscription.
//!
//! A server that was a relay before must send a hello, before anything is sent to it.

use signal_wire::{Head, Open};
use std::mem;

use super::plain::Plain;
use super::relay::{NAME, Relay};
use super::table::PLAIN;
use super::{
    Credentials, Framing, InvalidOption, Keepalive, Millis, Outgoing, Outputs, Phase, Protocol,
    ProtocolOptions, Text,
};

/// How long messages wait for the hello of an unknown server, after the socket has opened.
const HELLO_TIMEOUT: Millis = 20.0;

/// A conversation with a relay or a plain server.
#[derive(Debug)]
pub struct Auto {
    plain: Plain,
    relay: Relay,
    server: Server,
    speaks: Speaks,
    /// No frame was received on this connection yet.
    is_first: bool,
    /// Messages wait for the hello of an unknown server.
    holds_messages: bool,
}

/// What is known about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Unknown,
    Plain,
    Relay,
}

/// Which protocol this connection is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// The plain protocol, or none as long as the server is unknown.
    Plain,
    Relay,
}

impl Auto {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<Auto, InvalidOption> {
        Ok(Auto {
            relay: Relay::new(options)?,
            plain: Plain::new(options)?,
            server: Server::Unknown,
            speaks: Speaks::Plain,
            is_first: true,
            holds_messages: false,
        })
    }

    fn get<T: Text>(&self) -> &dyn Protocol<T> {
        match self.speaks {
            Speaks::Plain => &self.plain,
            Speaks::Relay => &self.relay,
        }
    }

    fn get_mut<T: Text>(&mut self) -> &mut dyn Protocol<T> {
        match self.speaks {
            Speaks::Plain => &mut self.plain,
            Speaks::Relay => &mut self.relay,
        }
    }

    /// Whether the socket is open, and nothing happens before the hello.
    fn awaits_hello<T: Text>(&self) -> bool {
        Protocol::<T>::phase(&self.relay) == Phase::SocketOpen && self.speaks == Speaks::Plain
    }

    /// The server isn't a relay.
    fn begin_plain<T: Text>(&mut self, out: &mut Outputs<T>) {
        self.server = Server::Plain;
        Protocol::<T>::on_close(&mut self.relay, 0.0);
        self.plain.on_socket_open(out);
    }
}

impl<T: Text> Protocol<T> for Auto {
    fn connect(&mut self, now: Millis, out: &mut Outputs<T>) {
        Protocol::<T>::on_close(self, now);
        self.speaks = Speaks::Plain;
        self.is_first = true;
        self.plain.connect(now, out);
    }

    fn spoken(&self, _name: &'static str) -> Option<&'static str> {
        match self.speaks {
            Speaks::Relay => Some(NAME),
            Speaks::Plain => (!self.holds_messages).then_some(PLAIN),
        }
    }

    fn is_relay(&self) -> bool {
        self.speaks == Speaks::Relay
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        match self.server {
            Server::Plain => self.plain.on_socket_open(out),
            Server::Unknown if !self.relay.is_proven() => {
                self.holds_messages = true;
                self.plain.on_socket_open(out);
            }
            Server::Unknown | Server::Relay => self.relay.on_socket_open(out),
        }
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        let Some(value) = text.parse() else {
            return self.get_mut().on_message(head, text, out);
        };
        self.holds_messages = false;
        let is_first = mem::take(&mut self.is_first);
        if self.speaks == Speaks::Relay {
            return self.relay.accept_message(text, value, out);
        }
        let is_connected = Protocol::<T>::phase(&self.plain) == Phase::Ready;
        if is_first && self.relay.accept_hello(text, &value, is_connected, out) {
            self.server = Server::Relay;
            self.speaks = Speaks::Relay;
            return;
        }
        // The page's own transport may deliver before it is open.
        if self.awaits_hello::<T>() {
            self.begin_plain(out);
        }
        self.server = Server::Plain;
        out.envelopes(&value);
    }

    fn on_timeout(&mut self, out: &mut Outputs<T>) {
        if mem::take(&mut self.holds_messages) {
            return;
        }
        if self.awaits_hello::<T>() && self.server == Server::Unknown {
            return self.begin_plain(out);
        }
        let phase = Protocol::<T>::phase(self);
        if phase > Phase::Disconnected && phase < Phase::Ready {
            // Another server may have taken its place. A hello without an acknowledgement may come
            // from another page, through a plain server.
            let greeted = self.speaks == Speaks::Relay;
            self.server = if greeted && !self.relay.is_proven() {
                Server::Plain
            } else {
                Server::Unknown
            };
        }
        self.get_mut().on_timeout(out);
    }

    fn on_close(&mut self, now: Millis) {
        self.holds_messages = false;
        Protocol::<T>::on_close(&mut self.plain, now);
        Protocol::<T>::on_close(&mut self.relay, now);
    }

    fn phase(&self) -> Phase {
        if self.awaits_hello::<T>() {
            return Phase::SocketOpen;
        }
        self.get::<T>().phase()
    }

    fn url(&self) -> &str {
        Protocol::<T>::url(&self.plain)
    }

    fn standby_url(&self) -> Option<&str> {
        match self.speaks {
            Speaks::Plain => Protocol::<T>::standby_url(&self.plain),
            Speaks::Relay => None,
        }
    }

    fn set_url(&mut self, url: &str) {
        let place = |url: &str| String::from(url.split('?').next().unwrap_or_default());
        if place(url) != place(Protocol::<T>::url(&self.plain)) {
            self.server = Server::Unknown;
            self.relay.forget_proof();
        }
        Protocol::<T>::set_url(&mut self.plain, url);
        Protocol::<T>::set_url(&mut self.relay, url);
    }

    /// The token goes into the address. In a frame, a plain server would hand it to other pages.
    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        Protocol::<T>::set_credentials(&mut self.plain, credentials);
    }

    fn connect_timeout(&self) -> Millis {
        Protocol::<T>::connect_timeout(&self.relay)
    }

    fn server_timeout(&self) -> Option<Millis> {
        if self.holds_messages {
            Some(HELLO_TIMEOUT)
        } else if self.awaits_hello::<T>() {
            Some(Protocol::<T>::connect_timeout(&self.relay))
        } else {
            self.get::<T>().server_timeout()
        }
    }

    fn keepalive(&self) -> Option<Keepalive<'_>> {
        match self.speaks {
            Speaks::Plain if self.holds_messages => None,
            Speaks::Plain => Protocol::<T>::keepalive(&self.plain),
            Speaks::Relay => Protocol::<T>::keepalive(&self.relay),
        }
    }

    fn framing(&self) -> &Framing {
        match self.speaks {
            Speaks::Plain => Protocol::<T>::framing(&self.plain),
            Speaks::Relay => Protocol::<T>::framing(&self.relay),
        }
    }

    fn head_length(&self, longest_name: usize) -> usize {
        self.get::<T>().head_length(longest_name)
    }

    fn read_head<'h>(&mut self, head: &'h str, whole: bool) -> Head<'h> {
        let read = self.get_mut::<T>().read_head(head, whole);
        // A frame that needs a full parse still goes to `on_message`.
        if read != Head::NeedsFullParse && mem::take(&mut self.is_first) {
            self.server = Server::Plain;
            self.holds_messages = false;
        }
        read
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        self.get::<T>().encode(message)
    }

    fn on_sending(&mut self, number: u64) {
        self.get_mut::<T>().on_sending(number);
    }

    fn max_frame(&self) -> Option<usize> {
        self.get::<T>().max_frame()
    }

    fn confirms(&self) -> bool {
        self.get::<T>().confirms()
    }

    fn is_busy(&self) -> bool {
        // A relay takes what comes behind the subscription, but acknowledges that first.
        self.holds_messages || Protocol::<T>::phase(&self.relay) == Phase::Joining
    }

    fn acknowledges(&self) -> bool {
        self.get::<T>().acknowledges()
    }

    fn can_subscribe(&self) -> bool {
        self.get::<T>().can_subscribe()
    }

    fn takes_ids(&self) -> bool {
        self.get::<T>().takes_ids()
    }

    fn subscribe(&self, channels: &Open<'_>) -> Option<String> {
        self.get::<T>().subscribe(channels)
    }

    fn unsubscribe(&self, channel: &str) -> Option<String> {
        self.get::<T>().unsubscribe(channel)
    }
}
