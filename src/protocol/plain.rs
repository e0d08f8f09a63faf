//! The plain protocol of the seed's "any WebSocket server": each text frame is one envelope,
//! `{"sender":…,"channel":…,"message":…}`, and the server hands it to every other page. There is no
//! handshake, no heartbeat and no acknowledgement.

use super::{
    Framing, InvalidOption, Millis, Outgoing, Output, Outputs, Phase, Protocol, ProtocolOptions,
    Text, not_json,
};

/// The plain protocol.
#[derive(Debug)]
pub struct Plain {
    url: String,
    phase: Phase,
    framing: Framing,
}

impl Plain {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<Plain, InvalidOption> {
        Ok(Plain {
            url: options.url.clone(),
            phase: Phase::Disconnected,
            framing: Framing::plain(),
        })
    }
}

impl<T: Text> Protocol<T> for Plain {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        out.push(Output::OpenSocket(self.url.clone()));
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        self.phase = Phase::Ready;
        out.push(Output::Ready);
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        out.push(match text.parse() {
            Some(value) => Output::Envelope(value),
            None => Output::Bad(not_json(head)),
        });
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

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        message.between("", "")
    }
}
