//! The conversation with the server: what the protocol is told, and what it asks for.

use super::machine::Session;
use super::receive::Received;
use super::resume;
use super::state::{Action, Disconnect, Event, State, Transmission};
use super::stats::FrameKind;
use crate::protocol::{Frame, Millis, Output, Outputs, Protocol, Text};

impl<T: Text, S: Clone> Session<T, S> {
    /// Reports a step of the conversation to the protocol, if there is one under way.
    pub(super) fn converse(
        &mut self,
        now: Millis,
        step: impl FnOnce(&mut dyn Protocol<T>, &mut Outputs<T>),
    ) {
        if self.state == State::Connecting {
            let mut out = Outputs::<T>::default();
            step(self.protocol.get_mut(), &mut out);
            self.apply(now, out, None);
        }
    }

    /// Does what the protocol asks for; `record` is the message that it took, if it took one.
    pub(super) fn apply(&mut self, now: Millis, mut out: Outputs<T>, record: Option<&T>) {
        let frame = |record: &T| Frame::Text(record.clone());
        if let Some(record) = record
            && !out.tell_of_a_message()
        {
            self.count(FrameKind::Control, || frame(record));
        }
        while let Some(output) = out.pop() {
            match output {
                Output::Http(request) => self.actions.push_back(Action::Http(request)),
                Output::OpenSocket(url) => {
                    self.receiver.clear();
                    self.actions.push_back(Action::OpenSocket(url));
                }
                Output::Send(frame) => self.send_own(Some(frame)),
                Output::Ready => self.on_ready(now),
                Output::Subscribe { resume } => self.subscribe(resume),
                Output::Acknowledged(number) => self.outbox.acknowledge(number),
                Output::Refused(why) => self.tell(Event::Refused(why)),
                Output::Gap(channel) if self.channels.get(&channel).is_some() => self.gap(channel),
                Output::Gap(_) => {}
                Output::Pong => self.stats.round_trip = self.keepalive.round_trip(now),
                Output::Envelope(envelope) => {
                    let takes_ids = self.protocol().subscribes();
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
            }
        }
        self.keepalive.heard(now);
        self.keep_alive(now);
    }

    /// Messages may be sent.
    pub(super) fn on_ready(&mut self, now: Millis) {
        self.expire(now, true);
        self.keepalive.ready(now, self.protocol().keepalive());
        // A server that was taken for a plain one may turn out to be our relay on an open connection.
        if !self.state.is_open() {
            self.stats.connects += 1.0;
            self.refused = None;
            self.enter(State::Open { since: now }, "connected".into(), None, None);
            self.release_ready(now);
        }
    }

    pub(super) fn subscribe(&mut self, resume: Option<String>) {
        let resumption = resume::resume(&mut self.channels, resume);
        let protocol: &dyn Protocol<T> = self.protocol.get();
        for request in &resumption.requests {
            let frame = protocol.subscribe(request);
            self.actions.extend(frame.map(own_frame));
        }
        for channel in resumption.gaps {
            self.gap(channel);
        }
    }

    pub(super) fn send_own(&mut self, frame: Option<String>) {
        self.actions.extend(frame.map(own_frame));
    }

    pub(super) fn gap(&mut self, channel: String) {
        self.stats.gaps += 1.0;
        self.tell(Event::Gap(channel));
    }
}

/// The action that sends a frame of the protocol itself.
fn own_frame<T: Text>(frame: String) -> Action<T> {
    Action::Transmit(Transmission {
        frame: T::new(&frame),
        message: None,
    })
}
