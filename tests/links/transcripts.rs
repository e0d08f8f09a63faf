//! The transcripts of real servers and clients in `tests/transcripts`, said again: to our side comes what the server said, and what our side
//! says must be what the official client said, wherever the protocol has no choice.
//!
//! What's tested:
//! * addresses: the path, and the query as a set; tokens, in a header or in the query
//! * handshakes, connections to namespaces, heartbeats, acknowledgements, completions, messages
//! * each envelope is counted once and for what it is, told by an oracle that reads frames as a whole
//! * how a conversation ends: with what state, error and words
//! * every transcript is used

use crate::page::{Deed, OWN, Page, Verdict, config, with};
use serde_json::Value as Json;
use signal_wasm::protocol::Protocol;
use signal_wasm::session::{Config, Credentials, State};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

fn read(name: &str) -> Json {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

const RECORD_END: char = '\u{1e}';

/// How a transcript is said again where our side does otherwise than the client that was recorded.
struct Case {
    name: &'static str,
    /// What the client said and ours doesn't; instead of it, this, if anything.
    instead: &'static [(&'static str, Option<&'static str>)],
    /// What ours says besides.
    besides: &'static [&'static str],
    /// What must have come of it, apart from what is the same for all.
    outcome: fn(&Replay),
}

const fn case(name: &'static str, outcome: fn(&Replay)) -> Case {
    Case {
        name,
        instead: &[],
        besides: &[],
        outcome,
    }
}

/// Connected at the end, with nothing refused and nothing bad.
fn works(replay: &Replay) {
    let page = &replay.page;
    assert_eq!(page.state(), State::Open, "{:?}", page.states);
    assert_eq!(page.failed, None);
    assert_eq!(page.refused, [""; 0]);
    assert_eq!(page.stats().connects, 1.0);
}

fn waits(replay: &Replay) {
    assert_eq!(
        replay.page.state(),
        State::Waiting,
        "{:?}",
        replay.page.states
    );
    assert_eq!(replay.page.failed, None);
}

fn closed_by_the_page(replay: &Replay) {
    assert_eq!(replay.page.state(), State::Closed);
    assert_eq!(replay.page.failed, None);
    assert_eq!(replay.page.reason(), "closed by the page");
}

/// For good, with these words.
fn failed(replay: &Replay, refused: bool, reason: &str) {
    assert_eq!(replay.page.state(), State::Closed);
    assert_eq!(replay.page.failed, Some((refused, reason.into())));
}

fn no_namespace(replay: &Replay) {
    failed(
        replay,
        false,
        "the server has no namespace '/nope'; set the option namespace",
    );
}

fn not_authorized(replay: &Replay) {
    failed(
        replay,
        true,
        "the server refused the connection with 'not authorized'",
    );
}

fn sent_away(replay: &Replay) {
    failed(replay, false, "the server disconnected this client");
}

const CASES: &[Case] = &[
    case("socketio-4-messages", works),
    case("socketio-2-messages", works),
    case("socketio-4-namespace", closed_by_the_page),
    case("socketio-2-namespace", closed_by_the_page),
    case("socketio-4-unknown-namespace", no_namespace),
    case("socketio-2-unknown-namespace", no_namespace),
    case("socketio-4-refused", not_authorized),
    case("socketio-2-refused", not_authorized),
    case("socketio-4-admitted", works),
    case("socketio-2-admitted", works),
    case("socketio-4-acknowledgement", works),
    case("socketio-2-acknowledgement", works),
    // Binary parts are nothing of ours: who wants such an event acknowledged waits in vain.
    Case {
        instead: &[("430[\"taken\"]", None)],
        ..case("socketio-4-binary", works)
    },
    Case {
        instead: &[("430[\"taken\"]", None)],
        ..case("socketio-2-binary", works)
    },
    case("socketio-4-sent-away", sent_away),
    case("socketio-2-sent-away", sent_away),
    case("socketio-4-heartbeat", works),
    case("socketio-2-heartbeat", works),
    // Our side does answer.
    Case {
        besides: &["3"],
        ..case("socketio-4-silent-client", waits)
    },
    Case {
        instead: &[("3", None)],
        ..case("socketio-2-silent-client", waits)
    },
    case("socketio-4-closing", waits),
    case("socketio-2-closing", waits),
    Case {
        // Our side asks for no recovery; what a server sends because of it is taken.
        instead: &[(
            "40{\"pid\":\"0vz5q_OG9Ztgc76MAAAL\",\"offset\":\"Q844a2z.0\"}",
            Some("40"),
        )],
        ..case("socketio-4-recovery", |replay| {
            assert_eq!(replay.page.state(), State::Open);
            assert_eq!(replay.page.stats().connects, 2.0);
        })
    },
    case("socketio-4-recovery-unasked", works),
    case("socketio-2-asked-for-4", works),
    case("socketio-2-asked-for-4-namespace", works),
    case("socketio-4-asked-for-3-allowed", works),
    case("socketio-4-asked-for-3", |replay| {
        waits(replay);
        // Version 4 is tried next.
        let mut page = Page::opened(replay.config.clone());
        page.connects();
        for version in ["EIO=3", "EIO=4", "EIO=3"] {
            page.lost(Some(1006));
            page.again();
            page.deeds.retain(|deed| *deed != Deed::Disconnect);
            assert!(page.connects().contains(version));
        }
    }),
    Case {
        // The message waits until the namespace is joined, which our side asks for.
        instead: &[(EVENT_FIRST, Some("40"))],
        ..case("socketio-4-event-first", waits)
    },
    case("signalr-messages", closed_by_the_page),
    case("signalr-packed", works),
    case("signalr-errors", |replay| {
        assert_eq!(replay.page.state(), State::Open);
        let expected = [
            "Unknown hub method 'Nope'",
            "An unexpected error occurred invoking 'Refuse' on the server. HubException: not on this hub",
            "Failed to invoke 'Send' due to an error on the server.",
        ];
        assert_eq!(replay.page.refused, expected);
    }),
    case("signalr-asked", works),
    case("signalr-skip-negotiation", works),
    case("signalr-redirect", works),
    case("signalr-unauthorised", |replay| {
        works(replay);
        assert_eq!(replay.page.asked, 2);
        let reason = "the server refused the connection with HTTP status 401";
        assert!(
            replay
                .page
                .states
                .contains(&(State::Waiting, reason.into()))
        );
    }),
    case("signalr-handshake-refused", |replay| {
        failed(
            replay,
            false,
            "the server said 'The protocol 'json' is not supported.'",
        );
    }),
    case("signalr-close-allow-reconnect", |replay| {
        failed(
            replay,
            false,
            "the server closed the connection: 'for good'",
        );
        let reason = "the server closed the connection: 'away'";
        assert!(
            replay
                .page
                .states
                .contains(&(State::Waiting, reason.into()))
        );
    }),
    case("signalr-pings", works),
    case("signalr-too-large", |replay| {
        failed(
            replay,
            false,
            "the server closed the connection: 'Connection closed with an error.'",
        );
    }),
    case("classic-messages", closed_by_the_page),
    case("classic-packed", works),
    case("classic-errors", |replay| {
        assert_eq!(replay.page.state(), State::Open);
        let expected = [
            "There was an error invoking Hub method 'webrtchub3.Nope'.",
            "'Nope' method could not be resolved. No method found with that name.",
            "not on this hub",
        ];
        assert_eq!(replay.page.refused, expected);
    }),
    case("classic-unknown-hub", |replay| {
        let (refused, reason) = replay.page.failed.clone().unwrap();
        assert!(!refused);
        assert!(
            reason.contains("the hub 'other'") && reason.contains("could not be resolved"),
            "{reason}"
        );
    }),
    case("classic-reconnect", |replay| {
        assert_eq!(replay.page.state(), State::Open);
        assert_eq!(replay.page.stats().connects, 2.0);
    }),
    case("classic-keep-alive", works),
    case("classic-global-error", |replay| {
        failed(replay, false, "the server closed the connection: 'the end'");
    }),
    case("classic-redirect", works),
];

const EVENT_FIRST: &str = "42[\"message\",{\"sender\":12345,\"channel\":\"main\",\"message\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"accents\":\"Grüße, 日本語, 🦀\"}}]";

#[test]
fn every_transcript_is_said_again() {
    let names = std::fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".json").map(String::from)
    });
    let names: BTreeSet<_> = names.collect();
    let used: BTreeSet<_> = CASES.iter().map(|case| String::from(case.name)).collect();
    assert!(names.len() > 40, "{names:?}");
    assert_eq!(names, used, "transcripts, and the cases that use them");
    let mut wrong = Vec::new();
    for case in CASES {
        println!("{}", case.name);
        if std::panic::catch_unwind(|| Replay::of(case)).is_err() {
            wrong.push(case.name);
        }
    }
    assert_eq!(wrong, [""; 0], "each told above");
}

/// A transcript that is said again.
struct Replay {
    config: Config,
    page: Page,
    method: String,
    /// Of the messages that our side sent.
    ids: BTreeSet<String>,
}

impl Replay {
    fn of(case: &Case) {
        let transcript = read(case.name);
        let protocol = Protocol::from_name(transcript["protocol"].as_str().unwrap()).unwrap();
        let options = &transcript["options"];
        let url = match protocol {
            Protocol::SocketIo => "ws://server.test/socket.io/",
            Protocol::SignalR => "ws://server.test/hub",
            _ => "ws://server.test/signalr",
        };
        let text = |name| options[name].as_str().map(|text| (name, text));
        let texts: Vec<_> = ["namespace", "hub", "method"]
            .into_iter()
            .filter_map(text)
            .collect();
        let mut config = with(config(protocol, url), &texts);
        config.skip_negotiation = options["skipNegotiation"] == true;
        let frames = transcript["frames"].as_array().unwrap();
        let credentials = credentials(options, frames);
        config.credentials = match credentials.len() {
            0 => Credentials::None,
            1 => Credentials::Fixed,
            _ => Credentials::Renewable,
        };
        let mut page = Page::new(config.clone());
        page.credentials = credentials.into();
        page.open("main");
        if options["eio"] == 3 {
            // Found by the connection that breaks.
            assert!(page.connects().contains("EIO=4"));
            page.lost(Some(1006));
            page.expect(Deed::Disconnect);
            page.again();
        }
        let method = options["method"].as_str().unwrap_or("Send").into();
        let mut replay = Replay {
            config,
            page,
            method,
            ids: BTreeSet::new(),
        };
        for (at, frame) in frames.iter().enumerate() {
            println!("  {frame}");
            replay.page.now += 1.0;
            let next = frames.get(at + 1).and_then(|next| next["request"].as_str());
            if next.is_some_and(|next| next.contains("/abort")) {
                replay.page.close();
            }
            if frame["from"] == "client" {
                replay.client(case, frame);
            } else {
                replay.server(case, frame);
            }
        }
        for deed in std::mem::take(&mut replay.page.deeds) {
            match &deed {
                Deed::Say(text) => {
                    assert!(case.besides.contains(&text.as_str()), "{deed:?} besides")
                }
                Deed::Disconnect => assert_ne!(replay.page.state(), State::Open),
                _ => panic!("{deed:?} besides"),
            }
        }
        replay.judge(frames, options, protocol);
        (case.outcome)(&replay);
    }

    /// What the server did, is done to our side.
    fn server(&mut self, case: &Case, frame: &Json) {
        let page = &mut self.page;
        if let Some(status) = frame["status"].as_u64() {
            page.answered(status as u16, frame["body"].as_str().unwrap());
        } else if let Some(text) = frame["text"].as_str() {
            page.frame(text);
        } else if frame["binary"].is_string() {
            page.binary();
        } else if let Some(code) = frame["close"].as_u64() {
            let besides =
                |deed: &Deed| matches!(deed, Deed::Say(text) if case.besides.contains(&&**text));
            while page.deeds.front().is_some_and(besides) {
                page.deeds.pop_front();
            }
            // Our side may have let go of it.
            if page.socket {
                page.lost(Some(code as u16));
            }
            page.expect(Deed::Disconnect);
        } else {
            panic!("{frame}");
        }
    }

    /// What the client did, our side must have done.
    fn client(&mut self, case: &Case, frame: &Json) {
        if let Some(address) = frame["open"].as_str() {
            self.attempt();
            let ours = self.page.connects();
            same_address(&ours, address, "ws:", None, "");
        } else if let Some(request) = frame["request"].as_str() {
            self.attempt();
            let (method, address) = request.split_once(' ').unwrap();
            let (ours, token) = match self.page.deed() {
                Deed::Get(url) if method == "GET" => (url, String::new()),
                Deed::Post(url, token) if method == "POST" => (url, token),
                deed => panic!("{deed:?} instead of {request}"),
            };
            same_address(&ours, address, "http:", frame["token"].as_str(), &token);
        } else if !frame["close"].is_null() {
            self.client_closes();
        } else {
            let text = frame["text"].as_str().unwrap();
            match case.instead.iter().find(|(theirs, _)| *theirs == text) {
                Some((_, Some(ours))) => self.page.expect(Page::say(ours)),
                Some((_, None)) => {}
                None => self.client_says(text),
            }
        }
    }

    /// The client closed its connection: because it was told to go, because the page wanted it, or because the line broke.
    fn client_closes(&mut self) {
        if self.page.socket {
            self.page.lost(Some(1006));
        }
        self.page.expect(Deed::Disconnect);
    }

    fn attempt(&mut self) {
        if self.page.deeds.is_empty() && self.page.state() == State::Waiting {
            self.page.again();
        }
    }

    fn client_says(&mut self, text: &str) {
        match self.config.protocol {
            Protocol::SocketIo => self.client_says_packet(text),
            Protocol::SignalR => {
                let record = text.strip_suffix(RECORD_END).unwrap();
                self.client_says_record(&serde_json::from_str(record).unwrap());
            }
            _ => self.client_says_call(&serde_json::from_str(text).unwrap()),
        }
    }

    fn client_says_packet(&mut self, text: &str) {
        let json = text.find(['[', '{']).unwrap_or(text.len());
        let (packet, value) = text.split_at(json);
        match text.as_bytes() {
            [b'4', b'2', ..] => {
                let value: Json = serde_json::from_str(value).unwrap();
                self.page.send("main", &value[1]["message"]);
                let Deed::Message(ours) = self.page.deed() else {
                    panic!("not sent")
                };
                let ours = ours.strip_prefix(packet).unwrap();
                assert_eq!(serde_json::from_str::<Json>(ours).unwrap(), value);
            }
            // What it is acknowledged with is the page's affair, and ours has nothing to say.
            [b'4', b'3', ..] => self.page.expect(Deed::Say(format!("{packet}[]"))),
            [b'4', b'1', ..] => self.page.close(),
            b"2" => {
                self.until_said();
                self.page.expect(Page::say("2"));
            }
            _ => self.page.expect(Page::say(text)),
        }
    }

    /// Time passes until our side says something by itself.
    fn until_said(&mut self) {
        for _ in 0..10 {
            if self.page.deeds.is_empty() {
                self.page.wake(0.0);
            }
        }
    }

    fn client_says_record(&mut self, record: &Json) {
        if record["protocol"].is_string() {
            let Deed::Say(ours) = self.page.deed() else {
                panic!("no handshake")
            };
            let ours = ours.strip_suffix(RECORD_END).unwrap();
            assert_eq!(&serde_json::from_str::<Json>(ours).unwrap(), record);
            return;
        }
        match record["type"].as_u64().unwrap() {
            1 => {
                let Some((argument, message)) =
                    envelope(&record["arguments"]).filter(|_| self.is_method(&record["target"]))
                else {
                    return;
                };
                let ours = self.sent(&message);
                let ours: Json =
                    serde_json::from_str(ours.strip_suffix(RECORD_END).unwrap()).unwrap();
                assert_eq!(
                    (&ours["type"], &ours["target"]),
                    (&record["type"], &record["target"])
                );
                same_argument(&ours["arguments"], &argument);
                // We want to hear of messages that the hub refuses.
                self.new_id(&ours["invocationId"]);
                assert!(ours["invocationId"].is_string());
            }
            3 => {
                let Deed::Say(ours) = self.page.deed() else {
                    panic!("no completion")
                };
                let ours: Json =
                    serde_json::from_str(ours.strip_suffix(RECORD_END).unwrap()).unwrap();
                assert_eq!(
                    (&ours["type"], &ours["invocationId"]),
                    (&record["type"], &record["invocationId"])
                );
                // One of them, never both.
                assert!(ours.get("result").is_some() != ours.get("error").is_some());
            }
            // When to ping is each side's affair. That we do, `time.rs` tells.
            6 => {}
            7 => self.page.close(),
            _ => panic!("{record}"),
        }
    }

    fn client_says_call(&mut self, call: &Json) {
        let Some((argument, message)) = envelope(&call["A"]).filter(|_| self.is_method(&call["M"]))
        else {
            return;
        };
        let ours = self.sent(&message);
        let ours: Json = serde_json::from_str(&ours).unwrap();
        assert!(
            ours["H"]
                .as_str()
                .unwrap()
                .eq_ignore_ascii_case(call["H"].as_str().unwrap())
        );
        assert_eq!(ours["M"], call["M"]);
        same_argument(&ours["A"], &argument);
        assert!(ours["I"].is_u64() && call["I"].is_u64());
        self.new_id(&ours["I"]);
    }

    fn is_method(&self, method: &Json) -> bool {
        method.as_str() == Some(&*self.method)
    }

    fn sent(&mut self, message: &Json) -> String {
        self.page.send("main", message);
        match self.page.deed() {
            Deed::Message(frame) => frame,
            deed => panic!("{deed:?}"),
        }
    }

    fn new_id(&mut self, id: &Json) {
        assert!(self.ids.insert(id.to_string()), "{id} twice");
    }

    /// Each envelope was taken once, and for what it is.
    fn judge(&self, frames: &[Json], options: &Json, protocol: Protocol) {
        let namespace = options["namespace"].as_str().unwrap_or("/");
        let mut expected = Vec::new();
        for frame in frames.iter().filter(|frame| frame["from"] == "server") {
            if frame["binary"].is_string() {
                expected.push(Verdict::Control);
            }
            let Some(text) = frame["text"].as_str() else {
                continue;
            };
            let records: Vec<_> = match protocol {
                Protocol::SignalR => text.split_terminator(RECORD_END).collect(),
                _ => vec![text],
            };
            for record in records {
                let envelopes = match protocol {
                    Protocol::SocketIo => packet_envelopes(record, namespace),
                    _ => call_envelopes(&serde_json::from_str(record).unwrap()),
                };
                if envelopes.is_empty() {
                    expected.push(Verdict::Control);
                }
                expected.extend(envelopes.into_iter().map(verdict));
            }
        }
        assert_eq!(self.page.verdicts, expected);
        let counted = |kind: fn(&Verdict) -> bool| {
            expected.iter().filter(|verdict| kind(verdict)).count() as f64
        };
        let stats = self.page.stats();
        assert_eq!(stats.own, counted(|verdict| *verdict == Verdict::Own));
        assert_eq!(
            stats.foreign,
            counted(|verdict| *verdict == Verdict::Foreign)
        );
        assert_eq!(
            stats.bad,
            counted(|verdict| matches!(verdict, Verdict::Bad(_)))
        );
        assert_eq!(
            stats.control,
            counted(|verdict| *verdict == Verdict::Control)
        );
        assert_eq!(
            stats.delivered,
            counted(|verdict| matches!(verdict, Verdict::Delivered(..)))
        );
        if stats.bad > 0.0 {
            assert_eq!(self.page.bad, ["a frame that isn't an object"]);
        }
    }
}

/// What the page gives when asked who it is: as the options say, or else what the client that was recorded gave one time after another.
fn credentials(options: &Json, frames: &[Json]) -> Vec<(String, String)> {
    if let Some(auth) = options["auth"].as_object() {
        let query: Vec<_> = auth
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        return vec![(options["auth"].to_string(), query.join("&"))];
    }
    if let Some(token) = options["accessToken"].as_str() {
        return vec![(token.into(), String::new())];
    }
    if frames[0]["token"].is_null() {
        return Vec::new();
    }
    let tokens = frames.iter().filter_map(|frame| frame["token"].as_str());
    tokens.map(|token| (token.into(), String::new())).collect()
}

/// The one argument of a call as text and the message in it; `None`: it holds no envelope.
fn envelope(arguments: &Json) -> Option<(Json, Json)> {
    let argument: Json = serde_json::from_str(arguments[0].as_str()?).ok()?;
    let message = argument["message"].clone();
    (argument["channel"] == "main").then_some((argument, message))
}

/// Whether our one argument is the text of the same envelope; the sender was another's affair.
fn same_argument(ours: &Json, theirs: &Json) {
    assert_eq!(ours.as_array().unwrap().len(), 1);
    let ours: Json = serde_json::from_str(ours[0].as_str().unwrap()).unwrap();
    assert_eq!(ours["sender"], OWN);
    for member in ["channel", "message"] {
        assert_eq!(ours[member], theirs[member]);
    }
}

/// Path and query of an address, decoded. What the official clients add against caches, and against servers that count, isn't demanded.
fn parts(address: &str) -> (String, BTreeMap<String, String>) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let pairs = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap();
            (name.to_string(), decoded(value))
        });
    let mut query = BTreeMap::new();
    for (name, value) in pairs.filter(|(name, _)| !["tid", "_"].contains(&&**name)) {
        assert_eq!(query.insert(name, value), None, "twice in {address}");
    }
    // Hubs have no capitals. A groups' token that was never given is an empty one.
    if let Some(hubs) = query.get_mut("connectionData") {
        *hubs = hubs.to_lowercase();
    }
    query.retain(|name, value| name != "groupsToken" || !value.is_empty());
    (path.into(), query)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// Whether our address, with its token in the query or in a header, is the client's.
fn same_address(
    ours: &str,
    theirs: &str,
    scheme: &str,
    their_token: Option<&str>,
    our_token: &str,
) {
    let rest = ours
        .strip_prefix(scheme)
        .expect(ours)
        .strip_prefix("//")
        .unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    let (ours_path, mut ours_query) = parts(&rest[host.len()..]);
    let (path, mut query) = parts(theirs);
    // The one that was redirected to another host.
    assert_eq!(
        host == "server.test",
        !path.starts_with("/elsewhere"),
        "{host}"
    );
    let their_token = query
        .remove("access_token")
        .or(their_token.map(String::from));
    let our_token = ours_query
        .remove("access_token")
        .or((!our_token.is_empty()).then(|| our_token.into()));
    assert_eq!(our_token, their_token, "{ours}");
    assert_eq!((ours_path, ours_query), (path, query));
}

// The oracle.

/// The envelope of an event, if it is one of ours.
fn packet_envelopes(packet: &str, namespace: &str) -> Vec<Option<Json>> {
    let Some(rest) = packet.strip_prefix("42") else {
        return Vec::new();
    };
    let (of, rest) = match rest.split_once(',') {
        Some((of, rest)) if of.starts_with('/') => (of, rest),
        _ => ("/", rest),
    };
    let rest = rest.trim_start_matches(|id: char| id.is_ascii_digit());
    let event: Vec<Json> = serde_json::from_str(rest).unwrap();
    if of == namespace && event[0] == "message" {
        vec![event.get(1).cloned()]
    } else {
        Vec::new()
    }
}

/// The envelopes of an invocation of SignalR, or of all calls in a frame of the classic one.
fn call_envelopes(record: &Json) -> Vec<Option<Json>> {
    let read = |target: &Json, arguments: &Json| {
        let ours = target == "onMessageReceived";
        ours.then(|| {
            arguments[0]
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
        })
    };
    if record["type"] == 1 {
        return read(&record["target"], &record["arguments"])
            .into_iter()
            .collect();
    }
    let calls = record["M"].as_array().cloned().unwrap_or_default();
    calls
        .iter()
        .filter_map(|call| read(&call["M"], &call["A"]))
        .collect()
}

fn verdict(envelope: Option<Json>) -> Verdict {
    let Some(Json::Object(envelope)) = envelope else {
        return Verdict::Bad("a frame that isn't an object");
    };
    if envelope.get("sender") == Some(&OWN.into()) {
        Verdict::Own
    } else if envelope["channel"] == "main" {
        Verdict::Delivered("main".into(), envelope.get("message").cloned())
    } else {
        Verdict::Foreign
    }
}
