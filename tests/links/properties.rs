//! What holds for any record, frame, setting and text.
//!
//! What's tested:
//! * records: however a stream of them is cut into frames, they are the same
//! * no text panics, whatever the conversation stands at; what our side says stays what it is meant to be
//! * the head path and the whole-record path agree on every frame, and leave the conversation the same
//! * what one page sends another one reads, after what a server does to it
//! * templates: no text breaks out of its place

use crate::page::{Deed, Page, Verdict, config, slice, units, with, wrapped};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config as Proptest;
use serde_json::{Value as Json, json};
use signal_wasm::protocol::{Effect, Head, Link, Protocol, Records, Texts, UserId};
use signal_wasm::session::{Config, Session, State};

use crate::value::{Js, Line};

/// Nothing is written to disk: a failure prints its smallest input, which then becomes a test of its own.
fn cases(cases: u32) -> Proptest {
    Proptest {
        cases,
        failure_persistence: None,
        ..Proptest::default()
    }
}

const OTHERS: [Protocol; 3] = [
    Protocol::SocketIo,
    Protocol::SignalR,
    Protocol::SignalRClassic,
];

// What frames and settings are made of.

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z]{1,12}",
        1 => select(vec!["\"", "a\"b", "<event>", "<\"hub>", "<%C>", "%22", "é日本😀", "a&b=c#d?", "\\u0022", "a\nb", "],\"x\":[", "#", "'"]).prop_map(String::from),
        1 => any::<String>().prop_filter("a setting is not empty", |text| !text.is_empty()),
    ]
}

/// Where brackets and commas stand for themselves, a namespace has none.
fn namespaces() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::from("/")), 2 => Just("/my-room".into()), 1 => "/[a-z0-9é<>%'?&= /]{1,8}"]
}

type Settings = Vec<(&'static str, String)>;

fn settings() -> impl Strategy<Value = Settings> {
    let own = (namespaces(), words(), words(), words(), words()).prop_map(
        |(namespace, event, target, method, hub)| {
            vec![
                ("namespace", namespace),
                ("event", event),
                ("target", target),
                ("method", method),
                ("hub", hub),
            ]
        },
    );
    prop_oneof![1 => Just(Vec::new()), 2 => own]
}

fn configured(protocol: Protocol, settings: &Settings) -> Config {
    let texts: Vec<_> = settings
        .iter()
        .map(|(name, text)| (*name, &**text))
        .collect();
    with(config(protocol, "ws://h/x"), &texts)
}

fn setting(settings: &Settings, name: &str) -> String {
    let given = settings.iter().find(|(known, _)| *known == name);
    given.map_or_else(
        || Texts::default().get(name).into(),
        |(_, text)| text.clone(),
    )
}

/// What names the namespace in a packet.
fn of(settings: &Settings) -> String {
    match &*setting(settings, "namespace") {
        "/" => String::new(),
        name => format!("{name},"),
    }
}

/// A page with these channels open whose connection is up.
fn up(protocol: Protocol, settings: &Settings, channels: &[String]) -> Page {
    let mut page = Page::opened(configured(protocol, settings));
    for name in channels {
        page.open(name);
    }
    match protocol {
        Protocol::SocketIo => {
            page.connects();
            page.frame(
                r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            );
            page.frame(&format!("40{}{{\"sid\":\"b\"}}", of(settings)));
        }
        Protocol::SignalR => {
            page.deed();
            page.answered(200, r#"{"connectionToken":"t"}"#);
            page.connects();
            page.frame("{}\u{1e}");
        }
        _ => {
            page.deed();
            page.answered(
                200,
                r#"{"ConnectionToken":"t","KeepAliveTimeout":20,"DisconnectTimeout":30}"#,
            );
            page.connects();
            page.frame(r#"{"C":"d-0","S":1,"M":[]}"#);
            page.answered(200, "{}");
        }
    }
    assert_eq!(page.state(), State::Open, "{:?}", page.states);
    page.deeds.clear();
    page.verdicts.clear();
    page
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::from("main")), 2 => "[a-d]", 1 => "[a-zé😀]{0,90}", 1 => any::<String>()]
}

fn messages() -> impl Strategy<Value = Json> {
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

/// As a serializer may write it that escapes whatever may be.
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
struct Call {
    envelope: String,
    /// Which escapes the text of the envelope is written with.
    odd: bool,
    /// Of another event, target or hub.
    other: bool,
    more: Vec<Json>,
    /// That the server wants answered.
    id: Option<u16>,
}

fn calls() -> impl Strategy<Value = Call> {
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
    fn arguments(&self, text: bool) -> String {
        let first = match (text, self.odd) {
            (false, _) => self.envelope.clone(),
            (true, false) => string(&self.envelope),
            (true, true) => escaped(&self.envelope),
        };
        let more: String = self.more.iter().map(|value| format!(",{value}")).collect();
        first + &more
    }

    fn name(&self, settings: &Settings, name: &str) -> String {
        let name = setting(settings, name);
        string(&if self.other { name + "x" } else { name })
    }

    fn packet(&self, settings: &Settings) -> String {
        let id = self.id.map_or(String::new(), |id| id.to_string());
        format!(
            "42{}{id}[{},{}]",
            of(settings),
            self.name(settings, "event"),
            self.arguments(false)
        )
    }

    fn record(&self, settings: &Settings) -> String {
        let id = self
            .id
            .map_or(String::new(), |id| format!(",\"invocationId\":\"{id}\""));
        format!(
            "{{\"type\":1,\"target\":{},\"arguments\":[{}]{id}}}\u{1e}",
            self.name(settings, "target"),
            self.arguments(true)
        )
    }

    fn call(&self, settings: &Settings) -> String {
        let hub = string(&setting(settings, "hub"));
        format!(
            "{{\"H\":{hub},\"M\":{},\"A\":[{}]}}",
            self.name(settings, "target"),
            self.arguments(true)
        )
    }
}

/// A frame with these calls in it.
fn frame(
    protocol: Protocol,
    settings: &Settings,
    calls: &[Call],
    cursor: &str,
    more: &str,
) -> String {
    match protocol {
        Protocol::SocketIo => calls[0].packet(settings),
        Protocol::SignalR => calls.iter().map(|call| call.record(settings)).collect(),
        _ => {
            let calls: Vec<_> = calls.iter().map(|call| call.call(settings)).collect();
            format!("{{\"C\":{cursor},\"M\":[{}]{more}}}", calls.join(","))
        }
    }
}

fn cursors() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "d-[A-F0-9]{1,6}(\\|[A-Z],[0-9]{1,3}){0,4}".prop_map(|cursor| string(&cursor)),
        1 => "d-[A-F0-9|,]{50,200}".prop_map(|cursor| string(&cursor)),
        1 => words().prop_map(|cursor| string(&cursor)),
        1 => words().prop_map(|cursor| escaped(&cursor)),
    ]
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_stream_may_be_cut_anywhere(
        records in prop::collection::vec("[^\u{1e}]{1,12}", 0..6),
        rest in "[^\u{1e}]{0,5}",
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let stream: String = records.iter().map(|record| format!("{record}\u{1e}")).collect::<String>() + &rest;
        let places: Vec<_> = (0..=stream.len()).filter(|at| stream.is_char_boundary(*at)).collect();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| *cut.get(&places)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut taken = Vec::new();
        let mut stream_of = Records::default();
        for pair in cuts.windows(2) {
            taken.extend(stream_of.take(&Line(stream[pair[0]..pair[1]].into())));
        }
        let taken: Vec<_> = taken.into_iter().map(|line| line.0).collect();
        prop_assert_eq!(taken, records);
        prop_assert_eq!(stream_of.begun().map_or("", |line| &*line.0), &*rest);
        stream_of.clear();
        prop_assert!(stream_of.begun().is_none());
    }

    #[test]
    fn no_text_breaks_out_of_its_place_in_a_template(first in any::<String>(), second in words()) {
        let mut texts = Texts::default();
        texts.set("event", first.clone());
        texts.set("hub", second.clone());
        let filled = texts.fill("{\"a\":<\"event>,\"b\":[<\"hub>,<\"event>]}");
        let value: Json = serde_json::from_str(&filled).unwrap();
        prop_assert_eq!(value, json!({ "a": first, "b": [second, first] }));
        let query = texts.fill("a=<%event>&b=<%hub>");
        let parts: Vec<_> = query.split('&').collect();
        prop_assert_eq!(parts.len(), 2);
        for (part, text) in parts.iter().zip([&first, &second]) {
            let value = part[2..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte));
            prop_assert!(value && part[2..].len() >= text.len());
        }
        // What stands for a name may have names in it, and they are no names.
        prop_assert_eq!(texts.fill("<event><hub>"), first + &second);
    }

    #[test]
    fn both_paths_agree_on_every_frame(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        open in prop::collection::vec(names(), 0..3),
        frames in prop::collection::vec((prop::collection::vec(calls(), 1..4), cursors(), select(vec!["", "", ",\"G\":\"g\"", ",\"more\":[{\"A\":[\"\"]}]"])), 1..4),
    ) {
        let mut quick = up(protocol, &settings, &open);
        let mut whole = up(protocol, &settings, &open);
        for (calls, cursor, more) in &frames {
            let text = frame(protocol, &settings, calls, cursor, more);
            quick.frame(&text);
            whole.read_whole(&text);
            prop_assert_eq!(&quick.verdicts, &whole.verdicts, "{}", text);
            prop_assert_eq!(&quick.deeds, &whole.deeds);
        }
        // What was noted of it shows in the address with which a connection is resumed.
        for page in [&mut quick, &mut whole] {
            page.lost(Some(1006));
            page.again();
        }
        prop_assert_eq!(&quick.deeds, &whole.deeds);
    }

    #[test]
    fn canonical_frames_are_judged_by_their_heads(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        sender in any::<u32>(),
        name in "[a-zé😀]{0,100}",
        open in prop::collection::vec("[a-zé😀]{0,30}", 0..3),
        message in messages(),
    ) {
        let mut page = up(protocol, &settings, &open);
        let envelope = format!("{{\"sender\":{sender},\"channel\":\"{name}\",\"message\":{message}}}");
        let call = Call { envelope, odd: false, other: false, more: Vec::new(), id: None };
        let text = frame(protocol, &settings, &[call], "\"d-1\"", "");
        page.frame(&text);
        // What has a record's beginning in its message may be two.
        prop_assume!(!text[1..].trim_end_matches('\u{1e}').contains(page.session.link().second()) || protocol == Protocol::SocketIo);
        prop_assert_eq!(page.by_head, 1);
        let expected = match () {
            () if sender == 12345 => Verdict::Own,
            () if name == "main" || open.contains(&name) => Verdict::Delivered(name, Some(message)),
            () => Verdict::Foreign,
        };
        prop_assert_eq!(page.verdicts, [expected]);
    }

    #[test]
    fn what_one_page_sends_another_reads(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        channel in names(),
        messages in prop::collection::vec(messages(), 1..4),
        odd: bool,
        upper: bool,
    ) {
        let mut receiver = up(protocol, &settings, std::slice::from_ref(&channel));
        let mut sender = Session::<String, String>::new(configured(protocol, &settings), UserId::from_bits(777), 1);
        let mut own = up(protocol, &settings, std::slice::from_ref(&channel));
        for message in &messages {
            let sent = wrapped(&mut sender, &channel, 1, &message.to_string());
            receiver.frame(&served(protocol, &settings, &sent, odd, upper));
            own.send(&channel, message);
            let Deed::Message(sent) = own.deed() else { panic!("not sent") };
            own.frame(&served(protocol, &settings, &sent, odd, upper));
        }
        let delivered: Vec<_> = messages.iter().map(|message| Verdict::Delivered(channel.clone(), Some(message.clone()))).collect();
        prop_assert_eq!(receiver.verdicts, delivered);
        prop_assert_eq!(own.verdicts, vec![Verdict::Own; messages.len()]);
    }

    /// Else a message that one page may send another would drop.
    #[test]
    fn the_frame_of_the_longest_message_is_not_too_long(
        protocol in select(&OTHERS[..]),
        channel in "[a-z\"\\\\é😀]{0,60}",
        max_message in 3..3_000usize,
        odd: bool,
    ) {
        let config = Config { max_message, ..configured(protocol, &Vec::new()) };
        let mut sender = Session::<String, String>::new(config, UserId::MAX, 1);
        sender.open(0.0, &channel, String::new()).unwrap();
        // Nothing grows more than quotes do.
        let message = Json::from("\"".repeat((max_message - 2) / 2));
        let sent = wrapped(&mut sender, &channel, 1, &message.to_string());
        let frame = served(protocol, &Vec::new(), &sent, odd, false);
        prop_assert!(units(&frame).len() <= sender.max_frame());
        // Nor is that no limit at all.
        prop_assert!(sender.max_frame() <= 6 * (max_message + units(&channel).len() * 3) + 1024);
    }

    #[test]
    fn no_text_panics(
        protocol in select(Protocol::ALL),
        settings in settings(),
        skip: bool,
        happenings in prop::collection::vec(happenings(), 0..14),
    ) {
        let given = configured(protocol, &settings);
        let mut link = Link::new(protocol, "wss://h/x?y=z", given.texts, skip);
        let mut now = 0.0;
        for happening in happenings {
            now += 4_000.0;
            match happening {
                Happening::Begin => link.begin(now),
                Happening::Opened => link.opened(),
                Happening::Lost => link.lost(now),
                Happening::Silent => link.silent(),
                Happening::Farewell => link.farewell(),
                Happening::Credential(text) => link.set_credential(text.clone(), text),
                Happening::Wrap(name) => drop(link.wrap(UserId::MAX, &name, 7)),
                Happening::Answered(status, text) => {
                    let value = serde_json::from_str(&text).ok().map(|value| Js(Some(value)));
                    link.answered(status, value, &text);
                }
                Happening::Frame(text) => {
                    for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                        for whole in [false, true] {
                            if let Head::Envelope { payload, .. } = link.decode_head(&text[..cut], whole) {
                                prop_assert!(payload <= units(&text[..cut]).len());
                            }
                        }
                        link.what_is_no_json(&text[..cut]);
                    }
                    let head = slice(&text, 0, link.head_length(9));
                    let start = link.json_start(&head);
                    prop_assert!(start.is_none_or(|start| start <= units(&head).len()));
                    let json = start.and_then(|start| serde_json::from_str(&slice(&text, start, usize::MAX)).ok());
                    let mut envelopes = Vec::new();
                    link.record(&head, Js(json), &mut envelopes);
                }
            }
            prop_assert!(link.patience() > 0.0 || link.patience().is_nan());
            for (effect, text) in std::mem::take(&mut link.effects) {
                match effect {
                    Effect::Get | Effect::Post => prop_assert!(text.starts_with("http"), "{}", text),
                    Effect::Socket => prop_assert!(text.starts_with("ws"), "{}", text),
                    Effect::Say => prop_assert!(!text.is_empty()),
                    Effect::Down(_) => prop_assert!(!text.is_empty() && !text.contains("<namespace>") || settings.iter().any(|(_, text)| text.contains('<'))),
                    _ => {}
                }
            }
        }
    }
}

/// What a server makes of a frame of ours for the other pages.
fn served(protocol: Protocol, settings: &Settings, sent: &str, odd: bool, upper: bool) -> String {
    let call = |envelope: &Json| Call {
        envelope: envelope.as_str().unwrap().into(),
        odd,
        other: false,
        more: Vec::new(),
        id: None,
    };
    match protocol {
        // It parses the event and writes it anew, or hands it on.
        Protocol::SocketIo if odd => {
            let packet = format!("42{}", of(settings));
            let event: Json = serde_json::from_str(sent.strip_prefix(&*packet).unwrap()).unwrap();
            assert_eq!(event.as_array().unwrap().len(), 2);
            format!("{packet}{event}")
        }
        Protocol::SocketIo => sent.into(),
        Protocol::SignalR => {
            let record: Json = serde_json::from_str(sent.strip_suffix('\u{1e}').unwrap()).unwrap();
            assert_eq!(record["target"], setting(settings, "method"));
            call(&record["arguments"][0]).record(settings)
        }
        _ => {
            let sent: Json = serde_json::from_str(sent).unwrap();
            assert_eq!(sent["M"], setting(settings, "method"));
            assert!(
                sent["H"]
                    .as_str()
                    .unwrap()
                    .eq_ignore_ascii_case(&setting(settings, "hub"))
            );
            let mut settings = settings.clone();
            let hub = setting(&settings, "hub");
            settings.insert(
                0,
                ("hub", if upper { hub.to_ascii_uppercase() } else { hub }),
            );
            frame(protocol, &settings, &[call(&sent["A"][0])], "\"d-1\"", "")
        }
    }
}

#[derive(Debug, Clone)]
enum Happening {
    Begin,
    Opened,
    Lost,
    Silent,
    Farewell,
    Credential(String),
    Wrap(String),
    Answered(u16, String),
    Frame(String),
}

fn happenings() -> impl Strategy<Value = Happening> {
    let answers = prop_oneof![
        select(vec![
            r#"{"connectionToken":"t"}"#,
            r#"{"ConnectionToken":"t","KeepAliveTimeout":-1,"DisconnectTimeout":"x"}"#,
            r#"{"url":"/x"}"#,
            r#"{"url":"https://e/x?y","accessToken":"&"}"#,
            r#"{"RedirectUrl":"é"}"#,
            r#"{"error":"<x>"}"#,
            "{}",
            "[]",
            "null",
            "<html>",
        ])
        .prop_map(String::from),
        any::<String>(),
    ];
    let starts = select(vec![
        "",
        "0{",
        "40",
        "40/my-room,",
        "42",
        "42/my-room,",
        "42[\"message\",",
        "42[\"message\",{\"sender\":1,\"channel\":\"",
        "44",
        "451-[",
        "{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"",
        "{\"type\":3,",
        "{\"type\":7",
        "{\"C\":\"",
        "{\"C\":\"d\",\"M\":[{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[\"{\\\"sender\\\":1,\\\"channel\\\":\\\"",
    ]);
    let texts = prop_oneof![any::<String>(), r#"[{}\[\]",:\\ a0é😀\x1e/]{0,30}"#];
    let whole = select(vec![
        "0{\"pingInterval\":1,\"pingTimeout\":1}",
        "0{\"pingInterval\":1,\"pingTimeout\":1,\"maxPayload\":1}",
        "0{}",
        "40",
        "40{\"sid\":1}",
        "42[]",
        "42{}",
        "420[\"message\"]",
        "44\"x\"",
        "44{\"message\":1}",
        "41",
        "2",
        "3",
        "1",
        "{}",
        "{\"error\":\"e\"}",
        "{\"type\":1e99}",
        "{\"type\":-1}",
        "{\"type\":1}",
        "{\"type\":1,\"target\":\"onMessageReceived\",\"invocationId\":\"\\\"\"}",
        "{\"S\":1}",
        "{\"M\":{\"0\":{},\"1\":null}}",
        "{\"M\":[null,1,\"H\",[]]}",
        "{\"E\":\"e\",\"I\":\"1\"}",
        "[]",
        "7",
        "\"x\"",
        "null",
    ]);
    prop_oneof![
        2 => Just(Happening::Begin),
        2 => Just(Happening::Opened),
        1 => Just(Happening::Lost),
        1 => Just(Happening::Silent),
        1 => Just(Happening::Farewell),
        1 => words().prop_map(Happening::Credential),
        1 => any::<String>().prop_map(Happening::Wrap),
        3 => (select(vec![200, 200, 200, 401, 404, 500, 503, 0]), answers).prop_map(|(status, text)| Happening::Answered(status, text)),
        5 => (starts, texts).prop_map(|(start, text)| Happening::Frame(format!("{start}{text}"))),
        4 => whole.prop_map(|text| Happening::Frame(text.into())),
    ]
}
