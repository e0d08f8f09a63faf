//! A conversation of which every frame is parsed as a whole, and every envelope read the way the
//! shim does it: what the session must come to, however it reads them.

use super::host::{HostText, HostValue};
use super::page::{Received, Setup};
use signal_wasm::protocol::{
    AnyProtocol, HttpResponse, Millis, Output, Outputs, Protocol, Records, Text, Value,
};

/// The conversation.
#[derive(Debug)]
pub struct FullParse {
    protocol: AnyProtocol,
    records: Records<HostText>,
    userid: u64,
    open: Vec<String>,
    /// What came in.
    pub received: Vec<Received<String>>,
    /// What else the protocol asked for.
    pub outputs: Vec<Output<HostText>>,
}

impl FullParse {
    /// Of the page with this `sender`, which has these channels open.
    pub fn new(setup: &Setup, userid: u64, open: &[String]) -> FullParse {
        FullParse {
            protocol: setup.conversation(),
            records: Records::default(),
            userid,
            open: open.into(),
            received: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The protocol.
    pub fn protocol(&mut self) -> &mut dyn Protocol<HostText> {
        self.protocol.get_mut()
    }

    /// Reports something to the protocol.
    pub fn tell(&mut self, what: impl FnOnce(&mut dyn Protocol<HostText>, &mut Outputs<HostText>)) {
        let mut out = Outputs::default();
        what(self.protocol.get_mut(), &mut out);
        self.take(out, false);
    }

    /// An attempt to connect begins.
    pub fn connect(&mut self, now: Millis) {
        self.records.clear();
        self.tell(|protocol, out| protocol.connect(now, out));
    }

    /// A request is answered.
    pub fn is_answered(&mut self, status: u16, body: &str) {
        let body = body.into();
        let response = HttpResponse {
            status,
            retry_after: None,
            body,
        };
        self.tell(|protocol, out| protocol.on_http_response(&response, out));
    }

    /// A text frame comes in.
    pub fn receive(&mut self, frame: &str) {
        let frame = HostText::new(frame);
        let protocol: &dyn Protocol<HostText> = self.protocol.get();
        let cut = protocol.framing().cut;
        for record in self.records.take(&frame, cut) {
            // One of them may have ended the connection.
            if self.is_closing() {
                return;
            }
            let protocol = self.protocol.get_mut();
            let longest_name = self.open.iter().map(String::len).max().unwrap_or(0);
            let head = record.head(protocol.head_length(longest_name));
            let mut out = Outputs::default();
            protocol.on_message(&head, &record, &mut out);
            self.take(out, true);
        }
    }

    /// Whether it asked for the end of the connection.
    pub fn is_closing(&self) -> bool {
        let closes =
            |output: &Output<_>| matches!(output, Output::Close(..) | Output::ConnectLater(..));
        self.outputs.iter().any(closes)
    }

    fn take(&mut self, mut out: Outputs<HostText>, is_message: bool) {
        if is_message && !out.has_message() {
            self.received.push(Received::Control);
        }
        while let Some(output) = out.pop() {
            match output {
                Output::Envelope(envelope) => {
                    let envelope = read_envelope(&envelope, self.userid, &self.open);
                    self.received.push(envelope);
                }
                Output::Bad(_) => self.received.push(Received::Bad),
                output => self.outputs.push(output),
            }
        }
    }
}

/// The shim's reading: `if (data.sender == own) return;
/// channels[data.channel].onmessage(data.message)`.
pub fn read_envelope(envelope: &HostValue, own: u64, open: &[String]) -> Received<String> {
    if !envelope.is_object() {
        return Received::Bad;
    }
    if envelope.member("sender").to_number() == Some(own as f64) {
        return Received::Own;
    }
    let channel = envelope.member("channel").to_text();
    if open.contains(&channel) {
        Received::Message(channel, envelope.member("message"))
    } else {
        Received::Foreign
    }
}
