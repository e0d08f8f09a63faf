//! Incoming frames: each is read and counted, and its message queued for its channel.

use std::rc::Rc;

use super::machine::{Queued, Session};
use super::receive::{self, Received};
use super::state::Event;
use super::stats::FrameKind;
use crate::protocol::{Frame, Millis, Outputs, ServerEvent, TOO_LONG, Text};

/// The most bytes that a UTF-16 code unit takes in UTF-8.
const LONGEST_CHARACTER: usize = 3;

impl<T: Text, S: Clone> Session<T, S> {
    pub(super) fn on_frame(&mut self, now: Millis, frame: Frame<T>) {
        match frame {
            Frame::Text(text) => self.on_text(now, text),
            Frame::Binary(_) if self.protocol().has_binary_frames() => {
                self.received(now);
                self.count(FrameKind::Control, || frame);
            }
            Frame::Binary(binary) => {
                let longest = self.max_frame().saturating_mul(LONGEST_CHARACTER);
                match T::decode(&binary, longest) {
                    Ok(text) => self.on_text(now, text),
                    Err(what) => {
                        self.received(now);
                        self.count_received(Received::Bad(what), || Frame::Binary(binary));
                    }
                }
            }
        }
    }

    /// The longest frame that is read, and the longest record in parts, in UTF-16 code units.
    fn max_frame(&self) -> usize {
        let longest_name = self.channels.longest_name();
        receive::max_frame(self.config.max_message, longest_name, self.protocol())
    }

    fn on_text(&mut self, now: Millis, text: T) {
        let length = text.length();
        if length > self.max_frame() {
            return self.count_received(Received::Bad(TOO_LONG), || Frame::Text(text));
        }
        self.stats.received_length += length as f64;
        self.received(now);
        match self.read_by_head(&text, length) {
            Some(received) => self.count_received(received, || Frame::Text(text)),
            None => self.on_unread_frame(now, &text),
        }
    }

    fn read_by_head(&mut self, text: &T, length: usize) -> Option<Received<T>> {
        let protocol = self.protocol.get_mut();
        self.receiver
            .read_by_head(text, length, protocol, &mut self.channels)
    }

    pub(super) fn on_server_event(&mut self, now: Millis, event: ServerEvent<T>) {
        self.converse(now, |protocol, out| protocol.on_server_event(&event, out));
        if event.kind == "message" && self.state.has_connection() {
            self.on_frame(now, Frame::Text(event.data));
        }
    }

    /// A frame that its head doesn't explain: several records, or one that needs a full parse.
    fn on_unread_frame(&mut self, now: Millis, frame: &T) {
        let connection = self.connection;
        let records = self.receiver.split(frame, self.protocol.get());
        let is_one = records.len() == 1;
        for record in records {
            // An earlier record may have closed the connection.
            if self.connection != connection {
                return;
            }
            let by_head = if is_one {
                None
            } else {
                self.read_by_head(&record, record.length())
            };
            match by_head {
                Some(received) => self.count_received(received, || Frame::Text(record)),
                None => self.on_record(now, &record),
            }
        }
        if self.receiver.skip_beyond(self.max_frame()) {
            self.count_received(Received::Bad(TOO_LONG), || Frame::Text(frame.clone()));
        }
    }

    /// A record that needs a full parse.
    fn on_record(&mut self, now: Millis, record: &T) {
        let head = record.head(self.protocol().head_length(self.channels.longest_name()));
        let mut out = Outputs::<T>::default();
        self.protocol.get_mut().on_message(&head, record, &mut out);
        self.apply(now, out, Some(record));
    }

    /// Whether a message came before readiness, which waits for the connection.
    fn is_early(&self, channel: &str) -> bool {
        !self.may_be_ready()
            && self
                .channels
                .get(channel)
                .is_some_and(|channel| !channel.is_ready)
    }

    /// Counts a received frame, and queues its message.
    pub(super) fn count_received(
        &mut self,
        received: Received<T>,
        frame: impl FnOnce() -> Frame<T>,
    ) {
        match received {
            Received::Own => self.count(FrameKind::Own, frame),
            Received::Foreign => self.count(FrameKind::Foreign, frame),
            Received::Message(channel, message) if self.is_early(&channel) => {
                let frame = frame();
                let length = match &frame {
                    Frame::Text(text) => text.length(),
                    Frame::Binary(_) => 0,
                };
                self.count(FrameKind::Delivered, || frame);
                let kept = self
                    .early_messages
                    .push(Rc::clone(&channel), message, length);
                if !kept {
                    self.gap((*channel).into());
                }
            }
            Received::Message(channel, message) => {
                self.count(FrameKind::Delivered, frame);
                self.events.push_back(Queued::Message(channel, message));
            }
            Received::Bad(what) => {
                let is_first = self.stats.bad == 0.0;
                self.count(FrameKind::Bad, frame);
                if is_first {
                    self.emit(Event::BadFrame(what));
                }
            }
        }
    }
}
