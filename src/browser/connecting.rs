//! How the driver opens sockets and event streams, and what these report to it.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::driver::Driver;
use super::error::signaling_error;
use super::event_source::{Stream, StreamReports};
use super::js;
use super::socket::{NativeSocket, Reports, Socket, Transport};
use crate::protocol::{CloseReason, without_secrets};
use crate::session::{ConnectionId, Disconnect, Input};

impl Driver {
    pub(super) fn open_socket(self: &Rc<Self>, url: &str) {
        self.listen();
        let connection = self.connection();
        let reports = self.reports(connection);
        let transport = self.given.borrow().transport.clone();
        let socket = match transport {
            Some(transport) => Transport::attach(&transport, reports).map(Socket::Transport),
            None => NativeSocket::open(url, &self.subprotocols, reports).map(Socket::Native),
        };
        match socket {
            Ok(socket) => self.use_socket(connection, Rc::new(socket)),
            Err(thrown) => self.fail_socket(connection, "WebSocket", url, &thrown),
        }
    }

    /// Opens a second WebSocket, beside the current one.
    pub(super) fn open_standby(self: &Rc<Self>, url: &str) {
        let Some(connection) = self.session.borrow().standby() else {
            return;
        };
        match NativeSocket::open(url, &self.subprotocols, self.reports(connection)) {
            Ok(socket) => {
                drop(self.standby.replace(Some(Rc::new(Socket::Native(socket)))));
            }
            Err(thrown) => self.on_failure(connection, "a second WebSocket", &thrown),
        }
    }

    pub(super) fn open_stream(self: &Rc<Self>, url: &str) {
        self.listen();
        let connection = self.connection();
        let (opened, received, closed) = (Rc::clone(self), Rc::clone(self), Rc::clone(self));
        let reports = StreamReports {
            open: Box::new(move || opened.handle_from(connection, Input::SocketOpen)),
            event: Box::new(move |event| {
                received.handle_from(connection, Input::ServerEvent(event));
            }),
            close: Box::new(move |is_refused| closed.on_stream_close(connection, is_refused)),
        };
        match Stream::open(url, self.http.includes_cookies(), reports) {
            Ok(stream) => drop(self.stream.replace(Some(stream))),
            Err(thrown) => self.fail_socket(connection, "EventSource", url, &thrown),
        }
    }

    fn use_socket(self: &Rc<Self>, connection: ConnectionId, socket: Rc<Socket>) {
        drop(self.socket.replace(Some(Rc::clone(&socket))));
        let Socket::Transport(transport) = &*socket else {
            return;
        };
        if transport.has_open() {
            let driver = Rc::clone(self);
            transport.open(move |thrown| {
                driver.on_failure(connection, "the transport didn't open", &thrown);
            });
        } else {
            self.handle_from(connection, Input::SocketOpen);
        }
    }

    /// The browser refuses the address, so a further attempt is pointless.
    fn fail_socket(
        self: &Rc<Self>,
        connection: ConnectionId,
        kind: &str,
        url: &str,
        thrown: &JsValue,
    ) {
        let why = js::text(thrown);
        let reason = without_secrets(&format!("the browser made no {kind} for {url}: {why}"));
        let error = signaling_error("connection-failed", &reason);
        drop(self.socket_error.replace(Some(error)));
        let disconnect = Disconnect {
            why: CloseReason::Fatal,
            code: None,
            reason,
        };
        self.handle_from(connection, Input::SocketClosed(disconnect));
    }

    fn reports(self: &Rc<Self>, connection: ConnectionId) -> Reports {
        let (opened, received, closed) = (Rc::clone(self), Rc::clone(self), Rc::clone(self));
        Reports {
            open: Box::new(move || opened.handle_from(connection, Input::SocketOpen)),
            message: Box::new(move |data| received.on_frame(connection, data)),
            close: Box::new(move |code, reason| closed.on_close(connection, code, reason)),
        }
    }
}
