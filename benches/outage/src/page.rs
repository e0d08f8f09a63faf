//! A page: a session of signal-wasm, and what drives it in a browser.

use signal_relay::gate::Admitted;
use signal_wasm::protocol::{Millis, ProtocolOptions, find};
use signal_wasm::session::{Action, Config, Disconnect, Input, Session};
use signal_wire::UserId;

use crate::host::HostText;

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    session: Session<HostText, ()>,
    /// Counts the sockets that it asked for or gave up: what comes from another is stale.
    pub(crate) socket: u32,
    /// It has asked for a socket, and has it.
    has_socket: bool,
    /// When its timer is due.
    timer: Option<u64>,
    /// Its place on a relay.
    pub(crate) place: Option<Admitted>,
}

/// What a page wants of its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    /// A WebSocket.
    pub(crate) socket: bool,
    /// To be woken then.
    pub(crate) timer: Option<u64>,
    /// It gave up a socket that it had asked for.
    pub(crate) gave_up: bool,
}

impl Page {
    /// One that has asked for nothing. `None`: the protocol isn't in this build.
    pub(crate) fn new(number: u32) -> Option<Self> {
        let options = ProtocolOptions {
            url: "wss://relay.example/room".into(),
            ..ProtocolOptions::default()
        };
        let protocol = find("websocket")?.make?(&options).ok()?;
        // What differs between pages is what their numbers are spread to.
        let seed = (u64::from(number) + 1).wrapping_mul(0xd134_2543_de82_ef95);
        let userid = UserId::from_bits(seed);
        Some(Self {
            session: Session::new(Config::default(), protocol, userid, seed),
            socket: 0,
            has_socket: false,
            timer: None,
            place: None,
        })
    }

    /// It begins to connect.
    pub(crate) fn connect(&mut self, now: u64) -> Wants {
        let opened = self.session.open(now as Millis, "room", ());
        debug_assert!(opened.is_ok(), "nobody has closed the session");
        self.settle(now)
    }

    /// Its timer fires, if it is that one.
    pub(crate) fn wake(&mut self, now: u64) -> Wants {
        if self.timer != Some(now) {
            return Wants::default();
        }
        self.timer = None;
        self.session.handle(now as Millis, Input::Timeout);
        self.settle(now)
    }

    /// Its socket is open.
    pub(crate) fn opened(&mut self, now: u64) -> Wants {
        self.session.handle(now as Millis, Input::SocketOpen);
        self.settle(now)
    }

    /// Its socket is closed. A page learns no more of why: browsers don't show it the answer to the
    /// request for a WebSocket.
    pub(crate) fn closed(&mut self, now: u64) -> Wants {
        self.has_socket = false;
        let lost = Disconnect::transient(Some(1006), "the connection was lost".into());
        self.session
            .handle(now as Millis, Input::SocketClosed(lost));
        self.settle(now)
    }

    /// Performs what the session wants.
    fn settle(&mut self, now: u64) -> Wants {
        let mut wants = Wants::default();
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::OpenSocket(_) => {
                    self.has_socket = true;
                    self.socket += 1;
                    wants.socket = true;
                }
                Action::Disconnect if self.has_socket => {
                    self.has_socket = false;
                    self.socket += 1;
                    wants.gave_up = true;
                }
                _ => {}
            }
        }
        while self.session.poll_event().is_some() {}
        let due = self.session.poll_timeout().map(|due| {
            // Browsers' timers count milliseconds.
            (due.ceil() as u64).max(now + 1)
        });
        if due != self.timer {
            self.timer = due;
            wants.timer = due;
        }
        wants
    }
}
