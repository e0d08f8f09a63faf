//! Replays a transcript: does to our side what the server did, and looks whether our side does what
//! the client did.

use crate::expected::{credentials, envelope, received, same_address, same_argument};
use crate::setups::{Client, page};
use crate::support::host::HostText;
use crate::support::page::{Received, Setup, control};
use crate::transcripts::{Case, read};
use serde_json::Value as Json;
use signal_wasm::protocol::find;
use signal_wasm::session::{Action, CredentialsSource, Transmission};
use std::collections::BTreeSet;

const RECORD_END: char = '\u{1e}';

/// A transcript that is replayed.
pub struct Replay {
    pub setup: Setup,
    pub page: Client,
    method: String,
    /// Of the messages that our side sent.
    ids: BTreeSet<String>,
}

impl Replay {
    pub fn play(case: &Case) {
        let transcript = read(case.name);
        let protocol = find(transcript["protocol"].as_str().unwrap()).unwrap().name;
        let options = &transcript["options"];
        let url = match protocol {
            "socket.io" => "ws://server.test/",
            "signalr" => "ws://server.test/hub",
            _ => "ws://server.test/signalr",
        };
        let text = |name: &str| options[name].as_str().map(String::from);
        let frames = transcript["frames"].as_array().unwrap();
        let credentials = credentials(options, frames);
        let mut setup = Setup::new(protocol, url);
        setup.options.namespace = text("namespace");
        setup.options.hub = text("hub");
        setup.options.method = text("method");
        setup.options.skip_negotiation = options["skipNegotiation"] == true;
        setup.config.credentials = match credentials.len() {
            0 => CredentialsSource::None,
            1 => CredentialsSource::Fixed,
            _ => CredentialsSource::Renewable,
        };
        let mut page = page(&setup);
        page.credentials = credentials.into_iter().map(Some).collect();
        page.open("main", "main".into());
        if options["eio"] == 3 {
            // Found by the connection that breaks.
            assert!(page.connects().contains("EIO=4"));
            page.loses_socket(Some(1006));
            page.did(Action::Disconnect);
            page.tries_again();
        }
        let mut replay = Replay {
            setup,
            page,
            method: options["method"].as_str().unwrap_or("Send").into(),
            ids: BTreeSet::new(),
        };
        for (place, frame) in frames.iter().enumerate() {
            println!("  {frame}");
            replay.page.now += 1.0;
            let next = frames.get(place + 1);
            let next = next.and_then(|next| next["request"].as_str());
            if next.is_some_and(|next| next.contains("/abort")) {
                replay.page.close();
            }
            if frame["from"] == "client" {
                replay.client(case, frame);
            } else {
                replay.server(case, frame);
            }
        }
        for action in std::mem::take(&mut replay.page.done) {
            match &action {
                Action::Disconnect => assert!(!replay.page.state().is_open()),
                action => assert!(is_besides(case, action), "{action:?} besides"),
            }
        }
        replay.judge(frames, options);
        (case.outcome)(&replay);
    }

    /// What the server did, is done to our side.
    fn server(&mut self, case: &Case, frame: &Json) {
        let page = &mut self.page;
        if let Some(status) = frame["status"].as_u64() {
            page.is_answered(status as u16, frame["body"].as_str().unwrap());
        } else if let Some(text) = frame["text"].as_str() {
            page.receive(text);
        } else if frame["binary"].is_string() {
            page.receive_binary();
        } else if let Some(code) = frame["close"].as_u64() {
            while page
                .done
                .front()
                .is_some_and(|action| is_besides(case, action))
            {
                page.done.pop_front();
            }
            // Our side may have closed it already.
            if page.has_socket {
                page.loses_socket(Some(code as u16));
            }
            page.did(Action::Disconnect);
        } else {
            panic!("{frame}");
        }
    }

    /// What the client did, our side must have done.
    fn client(&mut self, case: &Case, frame: &Json) {
        if let Some(address) = frame["open"].as_str() {
            self.attempt();
            let ours = self.page.connects();
            same_address(&ours, address, "ws:", None, None);
        } else if let Some(request) = frame["request"].as_str() {
            self.attempt();
            let (method, address) = request.split_once(' ').unwrap();
            let ours = self.page.requested();
            assert_eq!(ours.method, method);
            let token = frame["token"].as_str();
            same_address(&ours.url, address, "http:", token, ours.token.as_deref());
        } else if !frame["close"].is_null() {
            self.client_closes();
        } else {
            let text = frame["text"].as_str().unwrap();
            match case.instead.iter().find(|(theirs, _)| *theirs == text) {
                Some((_, Some(ours))) => self.page.did(control(*ours)),
                Some((_, None)) => {}
                None => self.client_sends(text),
            }
        }
    }

    /// The client closed its connection: because the server said so, because the page wanted it, or
    /// because the line broke.
    fn client_closes(&mut self) {
        if self.page.has_socket {
            self.page.loses_socket(Some(1006));
        }
        self.page.did(Action::Disconnect);
    }

    fn attempt(&mut self) {
        if self.page.done.is_empty() && self.page.state().name() == "waiting" {
            self.page.tries_again();
        }
    }

    fn client_sends(&mut self, text: &str) {
        match self.setup.protocol {
            "socket.io" => self.client_sends_packet(text),
            "signalr" => {
                let record = text.strip_suffix(RECORD_END).unwrap();
                self.client_sends_record(&serde_json::from_str(record).unwrap());
            }
            _ => self.client_sends_call(&serde_json::from_str(text).unwrap()),
        }
    }

    fn client_sends_packet(&mut self, text: &str) {
        let json = text.find(['[', '{']).unwrap_or(text.len());
        let (packet, value) = text.split_at(json);
        match text.as_bytes() {
            [b'4', b'2', ..] => {
                let value: Json = serde_json::from_str(value).unwrap();
                let ours = self.sent(&value[1]["message"]);
                let ours = ours.strip_prefix(packet).unwrap();
                assert_eq!(serde_json::from_str::<Json>(ours).unwrap(), value);
            }
            // What it is acknowledged with is the page's affair, and ours has nothing to say.
            [b'4', b'3', ..] => self.page.did(control(format!("{packet}[]"))),
            [b'4', b'1', ..] => self.page.close(),
            b"2" => {
                self.until_something_is_done();
                self.page.did(control("2"));
            }
            _ => self.page.did(control(text)),
        }
    }

    /// Time passes until our side does something by itself.
    fn until_something_is_done(&mut self) {
        for _ in 0..10 {
            if self.page.done.is_empty() {
                self.page.wakes(0.0);
            }
        }
    }

    fn client_sends_record(&mut self, record: &Json) {
        if record["protocol"].is_string() {
            return assert_eq!(&self.sent_record(), record);
        }
        match record["type"].as_u64().unwrap() {
            1 => {
                let Some((argument, message)) =
                    envelope(&record["arguments"]).filter(|_| self.is_method(&record["target"]))
                else {
                    return;
                };
                let ours = parse_record(&self.sent(&message));
                assert_eq!(
                    (&ours["type"], &ours["target"]),
                    (&record["type"], &record["target"])
                );
                same_argument(&ours["arguments"], &argument);
                // We want to know of messages that the hub refuses.
                self.is_new(&ours["invocationId"]);
                assert!(ours["invocationId"].is_string());
            }
            3 => {
                let ours = self.sent_record();
                assert_eq!(
                    (&ours["type"], &ours["invocationId"]),
                    (&record["type"], &record["invocationId"])
                );
                // One of them, never both.
                assert!(ours.get("result").is_some() != ours.get("error").is_some());
            }
            // When to ping is each side's affair. That we do, `heartbeats.rs` tests.
            6 => {}
            7 => self.page.close(),
            _ => panic!("{record}"),
        }
    }

    fn client_sends_call(&mut self, call: &Json) {
        let Some((argument, message)) = envelope(&call["A"]).filter(|_| self.is_method(&call["M"]))
        else {
            return;
        };
        let ours: Json = serde_json::from_str(&self.sent(&message)).unwrap();
        let hub = |call: &Json| call["H"].as_str().unwrap().to_ascii_lowercase();
        assert_eq!(hub(&ours), hub(call));
        assert_eq!(ours["M"], call["M"]);
        same_argument(&ours["A"], &argument);
        assert!(ours["I"].is_u64() && call["I"].is_u64());
        self.is_new(&ours["I"]);
    }

    fn is_method(&self, method: &Json) -> bool {
        method.as_str() == Some(&*self.method)
    }

    /// Sends a message; its frame.
    fn sent(&mut self, message: &Json) -> String {
        self.page.send("main", message.to_string(), f64::INFINITY);
        self.page.sent_message()
    }

    fn sent_record(&mut self) -> Json {
        parse_record(&self.page.sent_control())
    }

    fn is_new(&mut self, id: &Json) {
        assert!(self.ids.insert(id.to_string()), "{id} twice");
    }

    /// Each envelope was received once, and for what it is.
    fn judge(&self, frames: &[Json], options: &Json) {
        let expected = received(frames, options, self.setup.protocol);
        assert_eq!(self.page.received, expected);
        let counted = |is: fn(&Received<String>) -> bool| {
            expected.iter().filter(|received| is(received)).count() as f64
        };
        let stats = self.page.stats();
        assert_eq!(stats.own, counted(|what| *what == Received::Own));
        assert_eq!(stats.foreign, counted(|what| *what == Received::Foreign));
        assert_eq!(stats.bad, counted(|what| *what == Received::Bad));
        assert_eq!(stats.control, counted(|what| *what == Received::Control));
        assert_eq!(
            stats.delivered,
            counted(|what| matches!(what, Received::Message(..)))
        );
        if stats.bad > 0.0 {
            assert_eq!(self.page.bad_frames(), ["a frame that isn't an object"]);
        }
    }
}

/// Whether our side may do that though the recorded client didn't.
fn is_besides(case: &Case, action: &Action<HostText>) -> bool {
    match action {
        Action::Transmit(Transmission {
            frame,
            message: None,
            ..
        }) => case.besides.contains(&frame.as_str()),
        _ => false,
    }
}

fn parse_record(record: &str) -> Json {
    serde_json::from_str(record.strip_suffix(RECORD_END).unwrap()).unwrap()
}
