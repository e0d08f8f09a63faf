//! A page on a relay that the test plays.

use crate::support::host::HostText;
use crate::support::page::{Page, Setup, loss};
use signal_wasm::protocol::{Frame, Millis};
use signal_wasm::session::{
    Action, Config, DropReason, Event, FrameKind, Input, Session, State, TransmitError,
};

pub const FOREVER: Millis = Millis::INFINITY;

pub const HELLO: &str = r#"{"signal":1,"version":2,"session":"s1","epoch":"e1","ping":25000}"#;
pub const HELLO_AGAIN: &str =
    r#"{"signal":1,"version":2,"session":"s2","epoch":"e1","ping":25000}"#;
pub const HELLO_OF_ANOTHER: &str =
    r#"{"signal":1,"version":2,"session":"s3","epoch":"e2","ping":25000}"#;

pub const PING: &str = r#"{"ping":1}"#;
pub const PONG: &str = r#"{"pong":1}"#;

/// A page with the channel `a`, or about to open it.
pub struct Client {
    page: Page<usize>,
}

impl Client {
    pub fn new(protocol: &'static str, config: Config) -> Client {
        let setup = Setup {
            config,
            ..Setup::new(protocol, "ws://h/x")
        };
        Client {
            page: Page::new(setup.session(7, 1)),
        }
    }

    /// One that has opened the channel, on a socket that is open.
    pub fn connecting(protocol: &'static str) -> Client {
        let mut client = Client::new(protocol, Config::default());
        client.opens(0.0, "a", 0);
        client.handles(0.0, Input::SocketOpen);
        client
    }

    /// One that has subscribed.
    pub fn subscribed() -> Client {
        let mut client = Client::connecting("auto");
        client.receives(0.0, HELLO);
        client.receives(0.0, &answer("s1", 0));
        client.receives(0.0, PONG);
        client.done();
        client
    }

    /// Its session.
    pub fn session(&self) -> &Session<HostText, usize> {
        &self.page.session
    }

    /// The page calls the session.
    pub fn calls<R>(
        &mut self,
        now: Millis,
        call: impl FnOnce(&mut Session<HostText, usize>) -> R,
    ) -> R {
        self.page.now = now;
        let result = call(&mut self.page.session);
        self.page.settle();
        result
    }

    pub fn handles(&mut self, now: Millis, input: Input<HostText>) {
        self.calls(now, |session| session.handle(now, input));
    }

    pub fn times_out(&mut self, now: Millis) {
        self.handles(now, Input::Timeout);
    }

    pub fn opens(&mut self, now: Millis, name: &str, subscriber: usize) {
        self.calls(now, |session| session.open(now, name, subscriber))
            .unwrap();
    }

    pub fn sends(&mut self, now: Millis, channel: &str, payload: &str, ttl: Millis) {
        self.page.now = now;
        self.page.send(channel, payload, ttl);
    }

    /// A frame comes in; the messages that it delivers.
    pub fn receives(&mut self, now: Millis, frame: &str) -> Vec<String> {
        self.handles(now, Input::Frame(Frame::Text(frame.into())));
        let message = |event: &mut Event<_, _>| matches!(event, Event::Message(..));
        let messages = self.page.events.extract_if(.., message);
        messages
            .map(|event| match event {
                Event::Message(_, message) => message.0.unwrap().to_string(),
                event => panic!("{event:?}"),
            })
            .collect()
    }

    pub fn loses(&mut self, now: Millis, code: u16) {
        self.handles(now, Input::SocketClosed(loss(Some(code))));
    }

    /// What the socket does with messages from now on.
    pub fn socket(&mut self, takes_messages: Result<(), TransmitError>) {
        self.page.takes_messages = takes_messages;
    }

    /// Reconnects as soon as it wants to; when that is.
    pub fn reconnects(&mut self) -> Millis {
        let now = self.tries_again();
        assert_eq!(self.state(), State::Connecting);
        self.handles(now, Input::SocketOpen);
        self.done();
        now
    }

    /// Waits for its next attempt, and tells when that is.
    pub fn tries_again(&mut self) -> Millis {
        let mut now = 0.0;
        while let State::Waiting { .. } = self.state() {
            now = self.timeout();
            self.times_out(now);
        }
        now
    }

    pub fn timeout(&self) -> Millis {
        self.page.session.poll_timeout().expect("no timer is set")
    }

    pub fn state(&self) -> State {
        self.page.state()
    }

    /// What it did since this was asked last: the frames that it sent, the addresses of its
    /// sockets, and what else.
    pub fn done(&mut self) -> Vec<String> {
        let text = |action: Action<HostText>| match action {
            Action::Transmit(transmission) => transmission.frame.as_str().into(),
            Action::OpenSocket(url) => url,
            Action::Disconnect => "disconnect".into(),
            Action::AskUrl => "ask".into(),
            action => panic!("{action:?}"),
        };
        self.page.done.drain(..).map(text).collect()
    }

    /// Its events since this was called last, but for states, readiness and messages.
    pub fn told(&mut self) -> Vec<Event<HostText, usize>> {
        let mut events = std::mem::take(&mut self.page.events);
        events.retain(|event| {
            !matches!(
                event,
                Event::Ready(_) | Event::State { .. } | Event::Message(..)
            )
        });
        events
    }

    /// What an inspector was shown since the last call.
    pub fn shown(&mut self) -> Vec<(FrameKind, Frame<HostText>)> {
        std::mem::take(&mut self.page.frames)
    }
}

/// The relay's answer to the first request of a connection.
pub fn answer(secret: &str, accepted: u64) -> String {
    format!(r#"{{"ack":{accepted},"session":"{secret}"}}"#)
}

/// A message of its own, as the relay gets it.
pub fn message(channel: &str, number: u64, payload: &str) -> String {
    format!(r#"{{"sender":7,"channel":"{channel}","ref":{number},"message":{payload}}}"#)
}

/// A message of its own, as another server gets it.
pub fn plain(channel: &str, payload: &str) -> String {
    format!(r#"{{"sender":7,"channel":"{channel}","message":{payload}}}"#)
}

/// A message of another page's, with an id that is its payload too.
pub fn foreign(channel: &str, id: &str) -> String {
    format!(r#"{{"sender":8,"channel":"{channel}","id":"{id}","message":{id}}}"#)
}

pub fn dropped(number: u64, why: DropReason) -> Event<HostText, usize> {
    Event::Dropped {
        number,
        channel: "a".into(),
        why,
    }
}

pub fn gap(channel: &str) -> Event<HostText, usize> {
    Event::Gap(channel.into())
}
