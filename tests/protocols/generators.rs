//! What random frames and settings are made of.

use crate::setups::{Client, opened};
use crate::support::page::Setup;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;
use signal_wasm::protocol::ProtocolOptions;

/// The protocols that carry envelopes in frames of their own.
pub const OTHERS: [&str; 3] = ["socket.io", "signalr", "signalr-classic"];

pub fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z]{1,12}",
        1 => select(vec!["\"", "a\"b", "<event>", "<\"hub>", "<%C>", "%22", "é日本😀", "a&b=c#d?", "\\u0022", "a\nb", "],\"x\":[", "#", "'", "{}"]).prop_map(String::from),
        1 => any::<String>().prop_filter("a setting is not empty", |text| !text.is_empty()),
    ]
}

/// A comma ends a namespace.
fn namespaces() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::from("/")),
        2 => Just("/my-room".into()),
        1 => r#"/[a-z0-9é<>%'?&= /\[\]{}"]{1,8}"#,
        1 => "[a-z]{1,8}",
    ]
}

/// The names that a page may choose.
#[derive(Debug, Clone)]
pub struct Settings {
    pub namespace: String,
    pub event: String,
    pub target: String,
    pub method: String,
    pub hub: String,
    /// None of them is given: they are what the protocols have anyway.
    are_default: bool,
}

pub fn settings() -> impl Strategy<Value = Settings> {
    let own = (namespaces(), words(), words(), words(), words()).prop_map(
        |(namespace, event, target, method, hub)| Settings {
            namespace,
            event,
            target,
            method,
            hub,
            are_default: false,
        },
    );
    prop_oneof![1 => Just(Settings::default()), 2 => own]
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            namespace: "/".into(),
            event: "message".into(),
            target: "onMessageReceived".into(),
            method: "Send".into(),
            hub: "webRtcHub3".into(),
            are_default: true,
        }
    }
}

impl Settings {
    pub fn setup(&self, protocol: &'static str) -> Setup {
        let mut setup = Setup::new(protocol, "ws://h/");
        if !self.are_default {
            let given = |text: &String| Some(text.clone());
            setup.options = ProtocolOptions {
                namespace: given(&self.namespace),
                event: given(&self.event),
                target: given(&self.target),
                method: given(&self.method),
                hub: given(&self.hub),
                ..setup.options
            };
        }
        setup
    }

    /// What names the namespace in a packet.
    pub fn namespace_part(&self) -> String {
        match &*self.namespace {
            "/" => String::new(),
            name if name.starts_with('/') => format!("{name},"),
            name => format!("/{name},"),
        }
    }
}

/// What a server says to let a page in, one thing after the other.
pub enum Welcome {
    Answer(&'static str),
    Socket,
    Frame(String),
}

pub fn welcome(protocol: &str, settings: &Settings) -> Vec<Welcome> {
    let frame = |text: &str| Welcome::Frame(text.into());
    match protocol {
        "socket.io" => vec![
            Welcome::Socket,
            frame(r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#),
            frame(&format!("40{}{{\"sid\":\"b\"}}", settings.namespace_part())),
        ],
        "signalr" => vec![
            Welcome::Answer(r#"{"connectionToken":"t"}"#),
            Welcome::Socket,
            frame("{}\u{1e}"),
        ],
        _ => vec![
            Welcome::Answer(
                r#"{"ConnectionToken":"t","KeepAliveTimeout":20,"DisconnectTimeout":30}"#,
            ),
            Welcome::Socket,
            frame(r#"{"C":"d-0","S":1,"M":[]}"#),
            Welcome::Answer("{}"),
        ],
    }
}

/// A page with the channel `main` and these open, whose connection is open.
pub fn up(setup: &Setup, settings: &Settings, channels: &[String]) -> Client {
    let mut page = opened(setup);
    for name in channels {
        page.open(name, name.clone());
    }
    connect(page, setup, settings)
}

/// A page that has a channel open, and then a connection; what came before isn't looked at.
pub fn connect(mut page: Client, setup: &Setup, settings: &Settings) -> Client {
    for said in welcome(setup.protocol, settings) {
        match said {
            Welcome::Answer(body) => page.is_answered(200, body),
            Welcome::Socket => page.socket_opens(),
            Welcome::Frame(text) => page.receive(&text),
        }
    }
    assert!(page.state().is_open(), "{:?}", page.states());
    page.done.clear();
    page.received.clear();
    page.by_head = 0;
    page
}

pub fn names() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::from("main")), 2 => "[a-d]", 1 => "[a-zé😀]{0,90}", 1 => any::<String>()]
}

pub fn messages() -> impl Strategy<Value = Json> {
    let leaves = prop_oneof![
        Just(Json::Null),
        any::<i32>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        Just("\"]}]}\u{1e}{".into()),
        Just(",{\"H\":".into()),
    ];
    leaves.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[a-c]|sender|channel|message|H|M|type", inner), 0..3)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// As a serializer may write it that escapes whatever can be.
fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    });
    format!("\"{}\"", units.collect::<String>())
}

fn string(text: &str) -> String {
    Json::from(text).to_string()
}

/// An envelope's text, or what a stranger might send for one.
fn envelopes() -> impl Strategy<Value = String> {
    let senders = prop_oneof![
        2 => Just(String::from("12345")),
        1 => Just("\"12345\"".into()),
        4 => any::<u32>().prop_map(|number| number.to_string()),
        1 => "[a-z]{1,100}".prop_map(|name| string(&name)),
        1 => Just("\"\\u0031\"".into()),
    ];
    let channels = (names(), prop::bool::weighted(0.1))
        .prop_map(|(name, odd)| if odd { escaped(&name) } else { string(&name) });
    let members = (
        senders,
        channels,
        messages(),
        prop::option::weighted(0.2, messages()),
    )
        .prop_map(|(sender, channel, message, more)| {
            let mut members = vec![
                format!("\"sender\":{sender}"),
                format!("\"channel\":{channel}"),
                format!("\"message\":{message}"),
            ];
            members.extend(more.map(|more| format!("\"more\":{more}")));
            members
        })
        .boxed();
    let join = |members: Vec<String>| format!("{{{}}}", members.join(","));
    prop_oneof![
        8 => members.clone().prop_map(join),
        1 => members.clone().prop_shuffle().prop_map(join),
        1 => members.prop_map(|members| format!("{{ {} }}", members.join(", "))),
        1 => messages().prop_map(|message| message.to_string()),
    ]
}

/// What is put into a frame, as many a server might.
#[derive(Debug, Clone)]
pub struct Call {
    pub envelope: String,
    /// The text of the envelope is written with escapes that needn't be.
    odd: bool,
    /// Of another event, target or hub.
    other: bool,
    more: Vec<Json>,
    /// The server wants an answer.
    id: Option<u16>,
}

pub fn calls() -> impl Strategy<Value = Call> {
    (
        envelopes(),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
        prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(messages(), 1..3)],
        prop::option::weighted(0.15, any::<u16>()),
    )
        .prop_map(|(envelope, odd, other, more, id)| Call {
            envelope,
            odd,
            other,
            more,
            id,
        })
}

impl Call {
    /// One as most servers make it, or with escapes that needn't be.
    pub fn new(envelope: String, odd: bool) -> Call {
        Call {
            envelope,
            odd,
            other: false,
            more: Vec::new(),
            id: None,
        }
    }

    fn arguments(&self, is_string: bool) -> String {
        let first = match (is_string, self.odd) {
            (false, _) => self.envelope.clone(),
            (true, false) => string(&self.envelope),
            (true, true) => escaped(&self.envelope),
        };
        let more: String = self.more.iter().map(|value| format!(",{value}")).collect();
        first + &more
    }

    fn name(&self, name: &str) -> String {
        string(&if self.other {
            format!("{name}x")
        } else {
            name.into()
        })
    }

    fn packet(&self, settings: &Settings) -> String {
        let id = self.id.map_or(String::new(), |id| id.to_string());
        format!(
            "42{}{id}[{},{}]",
            settings.namespace_part(),
            self.name(&settings.event),
            self.arguments(false)
        )
    }

    fn record(&self, settings: &Settings) -> String {
        let id = self
            .id
            .map_or(String::new(), |id| format!(",\"invocationId\":\"{id}\""));
        format!(
            "{{\"type\":1,\"target\":{},\"arguments\":[{}]{id}}}\u{1e}",
            self.name(&settings.target),
            self.arguments(true)
        )
    }

    fn call(&self, settings: &Settings) -> String {
        format!(
            "{{\"H\":{},\"M\":{},\"A\":[{}]}}",
            string(&settings.hub),
            self.name(&settings.target),
            self.arguments(true)
        )
    }
}

/// A frame with these calls in it.
pub fn frame(
    protocol: &str,
    settings: &Settings,
    calls: &[Call],
    cursor: &str,
    more: &str,
) -> String {
    match protocol {
        "socket.io" => calls[0].packet(settings),
        "signalr" => calls.iter().map(|call| call.record(settings)).collect(),
        _ => {
            let calls: Vec<_> = calls.iter().map(|call| call.call(settings)).collect();
            format!("{{\"C\":{cursor},\"M\":[{}]{more}}}", calls.join(","))
        }
    }
}

pub fn cursors() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "d-[A-F0-9]{1,6}(\\|[A-Z],[0-9]{1,3}){0,4}".prop_map(|cursor| string(&cursor)),
        1 => "d-[A-F0-9|,]{50,200}".prop_map(|cursor| string(&cursor)),
        1 => words().prop_map(|cursor| string(&cursor)),
        1 => words().prop_map(|cursor| escaped(&cursor)),
    ]
}
