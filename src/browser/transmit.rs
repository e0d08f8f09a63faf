//! How the driver sends frames: on the socket, through the page's own transport, or by a POST
//! request.

use std::rc::Rc;

use js_sys::{JsString, Promise};

use super::driver::Driver;
use super::fetch;
use super::promises;
use super::socket::not_taken;
use crate::session::{ConnectionId, Input, Transmission, TransmitError};

impl Driver {
    /// Sends a frame.
    pub(super) fn transmit(self: &Rc<Self>, transmission: Transmission<JsString>) {
        let outcome = match (&transmission.post_url, transmission.message) {
            (Some(url), Some(number)) => {
                let (connection, driver) = (self.connection(), Rc::clone(self));
                fetch::post(url, &transmission.frame, &self.http, move |answer| {
                    driver.handle_from(connection, Input::Posted(number, answer));
                });
                Ok(())
            }
            _ => {
                let connection = self.connection();
                match self.send_frame(&transmission.frame) {
                    Ok(Some(promise)) => {
                        return self.await_send(connection, transmission, &promise);
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        };
        // Also if the connection was closed meanwhile: the frame of a `send` that returned is sent.
        let input = Input::Transmitted(transmission, outcome);
        let now = self.clock.now();
        self.session.borrow_mut().handle(now, input);
    }

    fn send_frame(&self, frame: &JsString) -> Result<Option<Promise>, TransmitError> {
        // The page's own transport may call back inside `send`, and close the connection.
        let socket = self.socket.borrow().clone();
        socket.map_or(Err(TransmitError::NotOpen), |socket| socket.send(frame))
    }

    /// The page's own transport takes a frame when this promise resolves.
    fn await_send(
        self: &Rc<Self>,
        connection: ConnectionId,
        transmission: Transmission<JsString>,
        promise: &Promise,
    ) {
        let now = self.clock.now();
        self.session
            .borrow_mut()
            .handle_from(connection, now, Input::Sending);
        let driver = Rc::clone(self);
        promises::when(promise, move |outcome| {
            let outcome = outcome.map(drop).map_err(|thrown| not_taken(&thrown));
            driver.handle_from(connection, Input::Sent(transmission, outcome));
        });
    }
}
