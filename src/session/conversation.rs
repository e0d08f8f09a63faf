//! The conversation with the server: reports events to the protocol, and applies its outputs.

use signal_wire::private::is_private;

use super::config::CredentialsSource;
use super::machine::{Queued, Session};
use super::outbox::Suspect;
use super::receive::Received;
use super::renewal;
use super::resume;
use super::state::{Action, Disconnect, Event, State, Transmission};
use super::stats::FrameKind;
use crate::protocol::{Frame, HttpResponse, Millis, Output, Outputs, Protocol, Retry, Text};

impl<T: Text, S: Clone> Session<T, S> {
    /// Reports an event of the connection to the protocol, and applies its outputs.
    pub(super) fn converse(
        &mut self,
        now: Millis,
        step: impl FnOnce(&mut dyn Protocol<T>, &mut Outputs<T>),
    ) {
        if self.state.has_connection() {
            self.received(now);
            let mut out = Outputs::<T>::default();
            step(self.protocol.get_mut(), &mut out);
            self.apply(now, out, None);
        }
    }

    /// Handles the answer to a request, or its failure.
    pub(super) fn on_answer(&mut self, now: Millis, answer: &Result<HttpResponse<T>, String>) {
        self.converse(now, |protocol, out| match answer {
            Ok(response) => protocol.on_http_response(response, out),
            Err(reason) => protocol.on_http_failure(reason, out),
        });
    }

    /// Handles the answer to a message. It says nothing about the event stream.
    pub(super) fn on_posted(
        &mut self,
        now: Millis,
        number: u64,
        answer: &Result<HttpResponse<T>, String>,
    ) {
        let mut out = Outputs::<T>::default();
        let protocol = self.protocol.get_mut();
        protocol.on_posted(number, answer, &mut out);
        self.apply(now, out, None);
    }

    /// Handles the answer to a message that comes after its connection. A message that the server has
    /// accepted or refused isn't sent again. Any other is, on the current connection.
    pub(super) fn on_late_answer(&mut self, number: u64, answer: &Result<HttpResponse<T>, String>) {
        if self.state == State::Closed {
            return;
        }
        let mut out = Outputs::<T>::default();
        let protocol = self.protocol.get_mut();
        protocol.on_posted(number, answer, &mut out);
        while let Some(output) = out.pop() {
            match output {
                Output::Acknowledged(number) => self.acknowledge(number),
                Output::Refused { number, why } => self.emit(Event::Refused { number, why }),
                _ => {}
            }
        }
    }

    /// The server has accepted a message. On a socket that is so for those before it, too; requests
    /// of a page that is being hidden overtake each other.
    fn acknowledge(&mut self, number: u64) {
        if self.protocol().needs_socket() {
            self.outbox.acknowledge(number);
        } else {
            self.outbox.take(number);
        }
    }

    /// Applies the protocol's outputs. `record` is the frame, or the record of one, that caused
    /// them.
    pub(super) fn apply(&mut self, now: Millis, mut out: Outputs<T>, record: Option<&T>) {
        let frame = |record: &T| Frame::Text(record.clone());
        if let Some(record) = record
            && !out.has_message()
        {
            self.count(FrameKind::Control, || frame(record));
        }
        while let Some(output) = out.pop() {
            match output {
                Output::Http(request) => self.actions.push_back(Action::Http(request)),
                Output::OpenSocket(url) => {
                    self.receiver.clear();
                    self.is_opening = self.standby.is_none();
                    self.actions.push_back(match self.standby.take() {
                        Some(_) => Action::UseStandby,
                        None => Action::OpenSocket(url),
                    });
                }
                Output::OpenEventSource(url) => {
                    self.actions.push_back(Action::OpenEventSource(url));
                }
                Output::Send(frame) => self.send_own(Some(frame)),
                Output::Ready => self.on_ready(now),
                Output::Subscribe { resume } => self.subscribe(resume),
                Output::Acknowledged(number) => self.acknowledge(number),
                Output::Confirmed(number) => self.outbox.unconfirmed().confirm(number),
                Output::BlamesMessage => self.blame_unconfirmed(true),
                Output::Refused { number, why } => self.emit(Event::Refused { number, why }),
                Output::Retry(retry) => return self.retry(now, retry),
                Output::Gap(channel) if self.channels.get(&channel).is_some() => self.gap(channel),
                Output::Gap(_) => {}
                Output::GapOnAll => {
                    let named = self.channels.iter().filter(|channel| !channel.is_unnamed);
                    let names = named.map(|channel| (*channel.name).into());
                    for name in names.collect::<Vec<String>>() {
                        self.gap(name);
                    }
                }
                Output::TokenExpires(lifetime) => {
                    if self.config.credentials == CredentialsSource::Renewable {
                        self.renewal_due = Some(renewal::due(now, lifetime));
                    }
                }
                Output::Pong => self.stats.round_trip = self.keepalive.round_trip(now),
                Output::Envelope(envelope) => {
                    let takes_ids = self.protocol().takes_ids();
                    let received =
                        self.receiver
                            .read_envelope(&envelope, takes_ids, &mut self.channels);
                    if let Some(record) = record {
                        self.count_received(received, || frame(record));
                    }
                }
                Output::Bad(what) => {
                    if let Some(record) = record {
                        self.count_received(Received::Bad(what), || frame(record));
                    }
                }
                Output::Close(why, reason) => {
                    let code = None;
                    return self.on_disconnect(now, Disconnect { why, code, reason });
                }
                Output::ConnectLater(after, reason) => {
                    self.not_before = after.map(|after| now + after);
                    return self.on_disconnect(now, Disconnect::transient(None, reason));
                }
            }
        }
        self.keepalive.restart(now);
        self.keep_alive(now);
    }

    /// The handshake is complete: messages may be sent.
    pub(super) fn on_ready(&mut self, now: Millis) {
        self.expire(now, true);
        let protocol: &dyn Protocol<T> = self.protocol.get();
        self.keepalive.ready(now, protocol.keepalive());
        // The state is open already if a server that seemed to be a plain one turns out to be our
        // relay.
        if !self.state.is_open() {
            self.stats.connects += 1.0;
            self.enter(State::Open { since: now }, "connected".into(), None, None);
            self.release_ready(now);
            for (channel, message) in self.early_messages.take() {
                self.events.push_back(Queued::Message(channel, message));
            }
        }
    }

    /// The server didn't accept what is in flight: it is sent again after a backoff.
    fn retry(&mut self, now: Millis, retry: Retry) {
        if retry.blames_message {
            self.blame(Suspect::Oldest);
        }
        self.outbox.requeue_in_flight();
        self.expire(now, true);
        match self.reconnect.delay(retry.failures) {
            Some(delay) => self.paused_until = Some(now + delay.max(retry.after.unwrap_or(0.0))),
            None => self.on_disconnect(now, Disconnect::transient(None, retry.reason)),
        }
    }

    pub(super) fn subscribe(&mut self, resume: Option<String>) {
        let resumption = resume::resume(&mut self.channels, resume);
        let protocol: &dyn Protocol<T> = self.protocol.get();
        for request in &resumption.requests {
            if let Some(frame) = protocol.subscribe(request) {
                self.actions.push_back(own_frame(frame));
            }
        }
        for channel in resumption.gaps {
            self.gap(channel);
        }
    }

    pub(super) fn send_own(&mut self, frame: Option<String>) {
        if let Some(frame) = frame {
            self.actions.push_back(own_frame(frame));
        }
    }

    pub(super) fn gap(&mut self, channel: String) {
        if is_private(&channel) {
            return;
        }
        self.stats.gaps += 1.0;
        let channel = self.channels.shown_name(&channel).into();
        self.emit(Event::Gap(channel));
    }
}

/// The action that sends a frame of the protocol itself.
fn own_frame<T: Text>(frame: String) -> Action<T> {
    Action::Transmit(Transmission {
        frame: T::new(&frame),
        message: None,
        post_url: None,
    })
}
