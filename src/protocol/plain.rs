//! The plain protocol of the seed's "any WebSocket server": each text frame is one envelope,
//! `{"sender":…,"channel":…,"message":…}`, and the server hands it to every other page. There is no
//! handshake and no acknowledgement.
//!
//! There is a heartbeat only if the page wants one. Its frame goes to the server, which must answer
//! it with any frame, or return it. Shims ignore the default one, because it names no channel.

use super::{
    Credentials, Framing, Heartbeat, InvalidOption, Keepalive, Millis, Outgoing, Output, Outputs,
    Phase, Protocol, ProtocolOptions, ServerUrl, Text, not_json,
};

/// The frame of a heartbeat by default.
pub const HEARTBEAT: &str = "{\"ping\":1}";

/// The plain protocol.
#[derive(Debug)]
pub struct Plain {
    url: String,
    phase: Phase,
    framing: Framing,
    connect_timeout: Millis,
    heartbeat: Option<Heartbeat>,
    /// The page's token. It goes into the address, because browsers can't set headers of WebSockets.
    token: Option<String>,
}

impl Plain {
    /// A new conversation.
    pub fn new(options: &ProtocolOptions) -> Result<Plain, InvalidOption> {
        Ok(Plain {
            url: options.url.clone(),
            phase: Phase::Disconnected,
            framing: Framing::plain(),
            connect_timeout: options.connect_timeout(),
            heartbeat: options.heartbeat.clone(),
            token: None,
        })
    }
}

impl<T: Text> Protocol<T> for Plain {
    fn connect(&mut self, _now: Millis, out: &mut Outputs<T>) {
        self.phase = Phase::Disconnected;
        let url = match &self.token {
            Some(token) => {
                let server = ServerUrl::new(&self.url);
                let address = server.web_socket("", "").with("access_token", token);
                address.into_string()
            }
            None => self.url.clone(),
        };
        out.push(Output::OpenSocket(url));
    }

    fn on_socket_open(&mut self, out: &mut Outputs<T>) {
        self.phase = Phase::Ready;
        out.push(Output::Ready);
    }

    fn on_message(&mut self, head: &str, text: &T, out: &mut Outputs<T>) {
        match text.parse() {
            Some(value) => out.envelopes(&value),
            // The answer to a heartbeat.
            None if self.heartbeat.is_some() => {}
            None => out.push(Output::Bad(not_json(head))),
        }
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

    fn standby_url(&self) -> Option<&str> {
        Some(&self.url)
    }

    fn set_url(&mut self, url: &str) {
        self.url = url.into();
    }

    fn set_credentials(&mut self, credentials: Option<&Credentials>) {
        self.token = Credentials::token_of(credentials);
    }

    fn connect_timeout(&self) -> Millis {
        self.connect_timeout
    }

    fn server_timeout(&self) -> Option<Millis> {
        match &self.heartbeat {
            _ if self.phase != Phase::Ready => Some(self.connect_timeout),
            Some(heartbeat) => Some(heartbeat.interval + heartbeat.timeout),
            None => None,
        }
    }

    fn keepalive(&self) -> Option<Keepalive<'_>> {
        let heartbeat = self.heartbeat.as_ref()?;
        Some(Keepalive {
            interval: heartbeat.interval,
            frame: heartbeat.message.as_deref().unwrap_or(HEARTBEAT),
            is_answered: true,
        })
    }

    fn framing(&self) -> &Framing {
        &self.framing
    }

    fn encode(&self, message: &Outgoing<'_, T>) -> T {
        message.between("", "")
    }
}
