//! The life of the connection: connecting, losing it, reconnecting and timeouts.

use signal_wire::close;

use super::config::CredentialsSource;
use super::machine::{Queued, Session};
use super::outbox::Suspect;
use super::refusal::Verdict;
use super::state::{
    Action, ConnectionId, Disconnect, Event, Input, State, Transmission, TransmitError,
};
use super::stats::FrameKind;
use crate::protocol::{
    CloseReason, Credentials, Frame, Millis, Output, Outputs, Phase, Protocol, Text, Trouble,
};

impl<T: Text, S: Clone> Session<T, S> {
    /// Handles an event of that connection or attempt. Returns false, and does nothing, if the
    /// connection is stale. The answer to a message is never stale, because its request may outlive
    /// the connection.
    pub fn handle_from(&mut self, connection: ConnectionId, now: Millis, input: Input<T>) -> bool {
        match input {
            input if connection == self.connection => self.handle(now, input),
            input if Some(connection) == self.standby() => self.on_standby(now, input),
            Input::Posted(number, answer) => self.on_late_answer(number, &answer),
            // The transport has taken a message although its connection is lost.
            Input::Sent(transmission, Ok(())) if !self.protocol().acknowledges() => {
                let number = transmission.message.unwrap_or_default();
                return self.outbox.take(number).is_some();
            }
            _ => return false,
        }
        true
    }

    /// Handles an event.
    pub fn handle(&mut self, now: Millis, input: Input<T>) {
        // The input may let messages go that waited, and a hidden page's timers fire late.
        self.expire(now, false);
        match input {
            Input::Frame(frame) => self.on_frame(now, frame),
            Input::Transmitted(transmission, outcome) => {
                self.on_transmitted(now, transmission, outcome);
            }
            Input::Sending => self.pending_sends.push(now),
            Input::Sent(transmission, outcome) => self.on_sent(now, transmission, outcome),
            Input::Timeout => self.on_timeout(now),
            Input::Url(url) => self.on_url(now, &url),
            Input::Credentials(credentials) => self.on_credentials(now, credentials),
            Input::HttpResponse(response) => self.on_answer(now, &Ok(response)),
            Input::HttpFailed(reason) => self.on_answer(now, &Err(reason)),
            Input::Posted(number, answer) if self.state.has_connection() => {
                self.on_posted(now, number, &answer);
            }
            Input::Posted(number, answer) => self.on_late_answer(number, &answer),
            Input::SocketOpen if self.state == State::Connecting => {
                self.is_opening = false;
                self.converse(now, |protocol, out| protocol.on_socket_open(out));
            }
            Input::SocketOpen => {}
            Input::ServerEvent(event) => self.on_server_event(now, event),
            Input::SocketClosed(disconnect) => self.on_disconnect(now, disconnect),
            Input::Online => {
                if matches!(self.state, State::Waiting { until: Some(_) }) {
                    self.reconnect_soon(now, "the network is back");
                }
                self.doubt(now);
            }
            Input::Offline => self.doubt(now),
            Input::PageHiding => self.on_page_hiding(),
            Input::PageHidden => self.on_page_hidden(now),
            Input::PageShown => {
                self.hiding = None;
                if matches!(self.state, State::Waiting { .. }) {
                    self.reconnect_soon(now, "the page is back");
                }
            }
        }
    }

    fn on_url(&mut self, now: Millis, url: &str) {
        self.protocol.get_mut::<T>().set_url(url);
        match self.config.credentials {
            CredentialsSource::None => self.on_credentials(now, None),
            _ => self.actions.push_back(Action::AskCredentials),
        }
    }

    fn on_credentials(&mut self, now: Millis, credentials: Option<Credentials>) {
        if self.state.is_open() {
            return self.renew(credentials);
        }
        if self.state != State::Connecting {
            return;
        }
        let protocol = self.protocol.get_mut::<T>();
        protocol.set_credentials(credentials.as_ref());
        self.credentials = credentials;
        let mut out = Outputs::<T>::default();
        self.protocol.get_mut().connect(now, &mut out);
        self.apply(now, out, None);
    }

    /// The page has given other credentials for the open connection.
    fn renew(&mut self, credentials: Option<Credentials>) {
        let protocol = self.protocol.get_mut::<T>();
        let frame = protocol.renew(credentials.as_ref());
        self.credentials = credentials;
        self.send_own(frame);
    }

    pub(super) fn on_timeout(&mut self, now: Millis) {
        let pause_ends = self.paused_until.is_some_and(|until| now >= until);
        if pause_ends {
            self.paused_until = None;
        }
        // What is sent again after a pause wasn't accepted, so it can be dropped if it has expired.
        self.expire(now, pause_ends);
        self.outbox.unconfirmed().settle(now);
        if self.renewal_due.is_some_and(|due| now >= due) {
            self.renewal_due = None;
            self.actions.push_back(Action::AskCredentials);
        }
        match self.state {
            State::Waiting { until: Some(until) } if now >= until => {
                self.attempt(now, "trying again");
            }
            state
                if state.has_connection() && self.keepalive.due().is_some_and(|due| now >= due) =>
            {
                if self.keepalive.is_lost(now) {
                    self.on_lost(now);
                } else if self.keepalive.is_silent(now, self.server_timeout()) {
                    self.on_silence(now);
                }
                self.keep_alive(now);
            }
            _ => {}
        }
        if self.pending_sends.due().is_some_and(|due| now >= due) {
            let reason = "the promise of the transport's send didn't settle within 30 seconds";
            self.on_disconnect(now, Disconnect::transient(None, reason.into()));
        }
        self.release_ready(now);
    }

    /// The server timeout has passed.
    fn on_silence(&mut self, now: Millis) {
        if self.is_opening {
            return self.stop_opening(now);
        }
        let mut out = Outputs::<T>::default();
        self.protocol.get_mut().on_timeout(&mut out);
        self.apply(now, out, None);
    }

    /// The browser hasn't opened the socket. The attempt doesn't count: Firefox holds sockets back
    /// after failures, for up to a minute.
    fn stop_opening(&mut self, now: Millis) {
        let limit = self.server_timeout().unwrap_or_default();
        let reason = format!(
            "the browser didn't open the WebSocket within {} ms, the option connectTimeout; either the server can't be reached, or the browser holds the WebSocket back, as Firefox does after failures",
            limit as u64
        );
        match self.reconnect.repeat(limit) {
            Some(delay) => {
                self.leave(now);
                self.schedule_reconnect(now, self.wait(now, delay), reason, None);
            }
            None => self.fail(reason, None, false),
        }
    }

    pub(super) fn on_transmitted(
        &mut self,
        now: Millis,
        transmission: Transmission<T>,
        outcome: Result<(), TransmitError>,
    ) {
        if let Err(error) = outcome {
            return self.on_transmit_error(now, transmission.message, error);
        }
        if let Some(number) = transmission.message
            && !self.protocol().acknowledges()
            && let Some(message) = self.outbox.take(number)
        {
            let confirms = self.protocol().confirms();
            let unconfirmed = self.outbox.unconfirmed();
            unconfirmed.push(now, message, transmission.frame.length(), confirms);
        }
        self.count_sent(transmission);
    }

    /// The page's transport has finished sending a frame. If it has taken a message, that counts as
    /// accepted.
    fn on_sent(
        &mut self,
        now: Millis,
        transmission: Transmission<T>,
        outcome: Result<(), TransmitError>,
    ) {
        self.pending_sends.settle();
        if let Err(error) = outcome {
            return self.on_transmit_error(now, transmission.message, error);
        }
        if let Some(number) = transmission.message
            && !self.protocol().acknowledges()
        {
            self.outbox.take(number);
        }
        self.count_sent(transmission);
    }

    fn on_transmit_error(&mut self, now: Millis, message: Option<u64>, error: TransmitError) {
        match (error, message) {
            (TransmitError::Refused(why), Some(number)) => {
                if self.outbox.take(number).is_some() {
                    let number = Some(number);
                    self.emit(Event::Refused { number, why });
                }
                return;
            }
            (TransmitError::Threw, Some(number)) => self.blame(Suspect::Number(number)),
            _ => {}
        }
        let reason = "the connection went down".into();
        self.on_disconnect(now, Disconnect::transient(None, reason));
    }

    fn count_sent(&mut self, transmission: Transmission<T>) {
        let Transmission { frame, message, .. } = transmission;
        self.stats.sent_length += frame.length() as f64;
        match message {
            Some(_) => self.count(FrameKind::Sent, || Frame::Text(frame)),
            None => self.inspect_frame(FrameKind::Control, || Frame::Text(frame)),
        }
    }

    /// The connection was lost, or couldn't be made.
    pub(super) fn on_disconnect(&mut self, now: Millis, disconnect: Disconnect) {
        if !self.state.has_connection() {
            return;
        }
        self.protocol.get_mut::<T>().on_close(now);
        // With such a code, a server that acknowledges blames the first message that it hasn't
        // acknowledged.
        let Disconnect { why, code, reason } = disconnect;
        if self.protocol().acknowledges() {
            if code.is_some_and(close::blames_the_sender) {
                self.blame(Suspect::Oldest);
            }
        } else if let Some(close::TOO_LARGE | close::UNSUPPORTED_DATA | close::INVALID_TEXT) = code
        {
            self.blame_unconfirmed(code == Some(close::TOO_LARGE));
        }
        self.outbox.unconfirmed().clear();
        self.outbox.requeue_in_flight();
        // Another token may be accepted.
        let (why, reason) = match (code, why) {
            (Some(close::TOKEN_REFUSED), _) => (CloseReason::Unauthorized, reason),
            (_, CloseReason::Unauthorized) => {
                (why, format!("the server refused the connection {reason}"))
            }
            _ => (why, reason),
        };
        let (is_last, reason) = match why {
            CloseReason::Transient => (code.is_some_and(close::is_final), reason),
            CloseReason::ProtocolMismatch => (self.stats.connects == 0.0, reason),
            CloseReason::Fatal => (true, reason),
            CloseReason::Unauthorized => match self.on_refusal() {
                Verdict::Final => (true, reason),
                Verdict::RefusedAgain => {
                    (true, format!("{reason}, and the page gave the same again"))
                }
                Verdict::MayPass => (false, reason),
            },
        };
        if self.state.is_open() && why != CloseReason::Unauthorized {
            self.refusals.clear();
        }
        let was_open_for = match self.state {
            State::Open { since } => Some(now - since),
            _ => None,
        };
        match self.reconnect.after_loss(was_open_for) {
            Some(delay) if !is_last => {
                self.drop_socket();
                self.count_failure(&reason);
                self.schedule_reconnect(now, self.wait(now, delay), reason, code);
            }
            _ => self.fail(reason, code, why == CloseReason::Unauthorized),
        }
    }

    /// The server refused the credentials: whether another attempt makes sense. The page may give
    /// others, with a function `url` also in the address. And a server that accepted the page
    /// before may refuse it only for a moment.
    fn on_refusal(&mut self) -> Verdict {
        let is_reconnecting = self.stats.connects > 0.0 && !self.state.is_open();
        let is_renewable = self.config.credentials == CredentialsSource::Renewable;
        let may_change = is_reconnecting || is_renewable || self.config.asks_url;
        let protocol: &dyn Protocol<T> = self.protocol.get();
        self.refusals
            .add(protocol.url(), self.credentials.as_ref(), may_change)
    }

    /// An attempt failed. After the second, the page's author should know what the server is.
    fn count_failure(&mut self, reason: &str) {
        if self.stats.connects > 0.0 {
            return;
        }
        self.failures += 1;
        if self.failures == 2 {
            self.trouble = Some(Trouble {
                protocol: self.protocol.name(),
                url: self.url().into(),
                reason: self.without_secrets(reason),
                own_transport: self.config.own_transport,
            });
        }
    }

    /// Ends the connection; messages in flight wait for the next one.
    pub(super) fn leave(&mut self, now: Millis) {
        self.protocol.get_mut::<T>().on_close(now);
        self.outbox.unconfirmed().clear();
        self.outbox.requeue_in_flight();
        self.drop_socket();
    }

    /// The wait before the next attempt: `delay`, after the time for which the server wants to be left
    /// alone. Pages that it has refused at one moment don't come back at one.
    pub(super) fn wait(&self, now: Millis, delay: Millis) -> Millis {
        let alone = self.not_before.map_or(0.0, |time| time - now);
        alone.max(0.0) + delay
    }

    /// Sends a keep-alive frame if one is due, and schedules the next check.
    pub(super) fn keep_alive(&mut self, now: Millis) {
        let protocol: &dyn Protocol<T> = self.protocol.get();
        let frames = protocol
            .keepalive()
            .filter(|_| self.state.is_open() && protocol.phase() == Phase::Ready);
        let server_timeout = self.server_timeout();
        if self.keepalive.schedule(now, server_timeout, frames) {
            let frame = frames.map(|frames| frames.frame.into());
            self.send_own(frame);
        }
    }

    pub(super) fn server_timeout(&self) -> Option<Millis> {
        let opens_in_its_own_time =
            self.config.own_transport && self.phase() == Phase::Disconnected;
        self.protocol()
            .server_timeout()
            .filter(|_| !opens_in_its_own_time)
    }

    /// Begins an attempt to connect, or uses the second connection, which is open.
    pub(super) fn attempt(&mut self, now: Millis, reason: &str) {
        self.connection = match self.standby() {
            Some(standby) => standby,
            None => self.next_connection(),
        };
        self.not_before = None;
        self.is_opening = false;
        self.keepalive.stop();
        self.outbox.requeue_in_flight();
        self.enter(State::Connecting, reason.into(), None, None);
        if self.config.asks_url {
            self.actions.push_back(Action::AskUrl);
        } else if self.config.credentials != CredentialsSource::None {
            self.actions.push_back(Action::AskCredentials);
        } else {
            self.on_credentials(now, None);
        }
    }

    pub(super) fn next_connection(&mut self) -> ConnectionId {
        self.last_connection += 1;
        self.last_connection
    }

    /// Closes the socket, if there is one, and discards pending actions.
    pub(super) fn drop_socket(&mut self) {
        self.connection = self.next_connection();
        self.standby = None;
        self.is_opening = false;
        self.keepalive.stop();
        self.paused_until = None;
        self.renewal_due = None;
        self.pending_sends.clear();
        self.actions.clear();
        self.actions.push_back(Action::Disconnect);
    }

    pub(super) fn schedule_reconnect(
        &mut self,
        now: Millis,
        delay: Millis,
        reason: String,
        code: Option<u16>,
    ) {
        let until = Some(now + delay);
        self.enter(State::Waiting { until }, reason, code, Some(delay));
    }

    pub(super) fn fail(&mut self, reason: String, code: Option<u16>, unauthorized: bool) {
        self.emit(Event::Failed {
            unauthorized,
            reason: reason.clone(),
            unsent: self.outbox.messages(),
        });
        self.finish(reason, code);
    }

    pub(super) fn finish(&mut self, reason: String, code: Option<u16>) {
        self.part(Self::drop_socket);
        self.pending_opens.clear();
        self.early_messages.take();
        self.events
            .retain(|queued| !matches!(queued, Queued::Ready(..)));
        self.outbox.clear();
        self.enter(State::Closed, reason, code, None);
    }

    /// Says goodbye to the server, and ends the connection.
    pub(super) fn part(&mut self, end: impl FnOnce(&mut Self)) {
        let mut goodbye = Outputs::<T>::default();
        self.protocol.get_mut().goodbye(&mut goodbye);
        end(self);
        while let Some(output) = goodbye.pop() {
            if let Output::Http(request) = output {
                self.actions.push_back(Action::Http(request));
            }
        }
    }

    pub(super) fn enter(
        &mut self,
        state: State,
        reason: String,
        code: Option<u16>,
        retry_in: Option<Millis>,
    ) {
        self.state = state;
        self.emit(Event::State {
            state,
            reason,
            code,
            retry_in,
        });
    }
}
