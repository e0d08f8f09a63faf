//! Any text: from the page, as a setting or credentials, and from the server, as a token, a cursor
//! or a frame.
//!
//! What's tested:
//! * no text panics, wherever the conversation stands, and what our side asks for can be done
//! * no text breaks out of its place in an address or a frame

use crate::expected::decoded;
use crate::generators::{OTHERS, Settings, settings, up, words};
use crate::setups::{Client, page, requests};
use crate::support::cases;
use crate::support::host::{HostText, slice, units};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};
use signal_wasm::protocol::{
    AnyProtocol, Credentials, HttpResponse, Outgoing, Output, Outputs, PROTOCOLS, Protocol, Text,
};
use signal_wasm::session::CredentialsSource;
use signal_wire::{Head, UserId};

#[derive(Debug, Clone)]
enum Happening {
    Connect,
    SocketOpens,
    Closes,
    TimesOut,
    Goodbye,
    Token(String),
    Auth(String),
    Url(String),
    Encode(String),
    Answered(u16, String),
    Unanswered(String),
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
        "{\"sender\":1,\"channel\":\"",
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
        "{\"signal\":1,\"session\":\"s\",\"epoch\":\"e\",\"ping\":1}",
        "{\"signal\":1}",
        "{\"ack\":1}",
        "{\"gap\":\"a\"}",
        "{\"ping\":-1e5}",
        "[]",
        "7",
        "\"x\"",
        "null",
    ]);
    prop_oneof![
        2 => Just(Happening::Connect),
        2 => Just(Happening::SocketOpens),
        1 => Just(Happening::Closes),
        1 => Just(Happening::TimesOut),
        1 => Just(Happening::Goodbye),
        1 => words().prop_map(Happening::Token),
        1 => words().prop_map(Happening::Auth),
        1 => any::<String>().prop_map(Happening::Url),
        1 => any::<String>().prop_map(Happening::Encode),
        3 => (select(vec![200, 200, 200, 401, 404, 500, 503, 0]), answers).prop_map(|(status, text)| Happening::Answered(status, text)),
        1 => words().prop_map(Happening::Unanswered),
        5 => (starts, texts).prop_map(|(start, text)| Happening::Frame(format!("{start}{text}"))),
        4 => whole.prop_map(|text| Happening::Frame(text.into())),
    ]
}

/// Reports what happened.
fn happen(
    protocol: &mut dyn Protocol<HostText>,
    happening: &Happening,
    now: f64,
    out: &mut Outputs<HostText>,
) {
    match happening {
        Happening::Connect => protocol.connect(now, out),
        Happening::SocketOpens => protocol.on_socket_open(out),
        Happening::Closes => protocol.on_close(now),
        Happening::TimesOut => protocol.on_timeout(out),
        Happening::Goodbye => protocol.goodbye(out),
        Happening::Token(text) => {
            protocol.set_credentials(Some(&Credentials::Token(text.clone())));
        }
        Happening::Auth(text) => protocol.set_credentials(Some(&Credentials::Auth {
            json: text.clone(),
            query: text.clone(),
        })),
        Happening::Url(rest) => protocol.set_url(&format!("ws://{rest}")),
        Happening::Encode(channel) => {
            let frame = protocol.encode(&Outgoing {
                sender: UserId::MAX,
                channel,
                number: 7,
                payload: &"{}".into(),
            });
            assert!(frame.length() > channel.encode_utf16().count());
        }
        Happening::Answered(status, body) => {
            let response = HttpResponse {
                status: *status,
                retry_after: None,
                body: body.as_str().into(),
            };
            protocol.on_http_response(&response, out);
        }
        Happening::Unanswered(reason) => protocol.on_http_failure(reason, out),
        Happening::Frame(text) => {
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                for whole in [false, true] {
                    let head = &text[..cut];
                    if let Head::Envelope { payload, .. } = protocol.read_head(head, whole) {
                        assert!(payload <= units(head).len());
                    }
                }
            }
            let head = slice(text, 0, protocol.head_length(9));
            protocol.on_message(&head, &text.as_str().into(), out);
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn no_text_panics(
        protocol in any::<prop::sample::Index>(),
        settings in settings(),
        skip_negotiation: bool,
        happenings in prop::collection::vec(happenings(), 0..14),
    ) {
        let mut setup = settings.setup(protocol.get(PROTOCOLS).name);
        setup.options.url = "wss://h/x?y=z".into();
        setup.options.skip_negotiation = skip_negotiation;
        let mut conversation: AnyProtocol = setup.conversation();
        let protocol = conversation.get_mut::<HostText>();
        for (now, happening) in (1..).zip(&happenings) {
            let mut out = Outputs::default();
            happen(protocol, happening, f64::from(now) * 4_000.0, &mut out);
            prop_assert!(protocol.server_timeout().is_none_or(|timeout| !timeout.is_nan()));
            prop_assert!(protocol.head_length(9) >= protocol.framing().prefix.len());
            while let Some(output) = out.pop() {
                match output {
                    Output::Http(request) => {
                        prop_assert!(request.url.starts_with("http"), "{}", request.url);
                        prop_assert!(["GET", "POST"].contains(&request.method));
                    }
                    Output::OpenSocket(url) => prop_assert!(url.starts_with("ws"), "{}", url),
                    Output::Send(frame) => prop_assert!(!frame.is_empty()),
                    Output::Close(_, reason) => prop_assert!(!reason.is_empty()),
                    Output::Bad(what) => prop_assert!(!what.is_empty()),
                    _ => {}
                }
            }
        }
    }

    /// Whatever the page chose and the server gave: an address has the members that it ought to
    /// have, and each is what it was.
    #[test]
    fn no_text_breaks_out_of_an_address(
        settings in settings(),
        tokens in (words(), words()),
        connection in words(),
        cursor in words(),
        groups in words(),
    ) {
        let (first, second) = tokens;
        let hubs = json!([{ "name": settings.hub }]).to_string();
        let mut page = with_tokens("signalr", &settings, &[&first, &second]);
        prop_assert_eq!(page.requested().token, Some(first.clone()));
        page.is_answered(200, &json!({ "connectionToken": connection }).to_string());
        has_query(&page.connects(), &[("id", &connection), ("access_token", &first)]);

        let mut page = with_tokens("signalr-classic", &settings, &[&first, &second]);
        let version = ("clientProtocol", "2.1");
        let url = requests(&mut page, "http://h/negotiate?");
        has_query(&url, &[version, ("connectionData", &hubs), ("access_token", &first)]);
        page.is_answered(200, &json!({ "ConnectionToken": connection, "DisconnectTimeout": 30 }).to_string());
        let common = |token| [
            version,
            ("transport", "webSockets"),
            ("connectionData", &*hubs),
            ("connectionToken", &*connection),
            ("access_token", token),
        ];
        has_query(&page.connects(), &common(&first));
        page.receive(&json!({ "C": cursor, "G": groups, "S": 1 }).to_string());
        has_query(&requests(&mut page, "http://h/start?"), &common(&first));
        page.is_answered(200, "{}");
        page.loses_socket(Some(1006));
        page.done.clear();
        page.tries_again();
        let mut resumed = common(&second).to_vec();
        resumed.extend([("messageId", &*cursor), ("groupsToken", &*groups)]);
        has_query(&page.connects(), &resumed);
        page.done.clear();
        page.close();
        page.done.pop_front();
        has_query(&page.requested().url, &common(&second));
    }

    /// Whatever the page chose and the server gave: a frame is JSON with the members that it ought
    /// to have, and each is what it was.
    #[test]
    fn no_text_breaks_out_of_a_frame(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        channel: String,
        message: String,
        id in words(),
    ) {
        let setup = settings.setup(protocol);
        let mut page = up(&setup, &settings, std::slice::from_ref(&channel));
        page.send(&channel, json!(message).to_string(), f64::INFINITY);
        let sent = page.sent_message();
        let envelope = json!({ "sender": 12345, "channel": channel, "message": message });
        let parse = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        let is_text_of_envelope = |arguments: &Json| {
            assert_eq!(arguments.as_array().unwrap().len(), 1);
            assert_eq!(parse(arguments[0].as_str().unwrap()), envelope);
        };
        match protocol {
            "socket.io" => {
                let packet = format!("42{}", settings.namespace_part());
                let event = parse(sent.strip_prefix(&*packet).unwrap());
                prop_assert_eq!(event, json!([settings.event, envelope]));
            }
            "signalr" => {
                let record = parse(sent.strip_suffix('\u{1e}').unwrap());
                is_text_of_envelope(&record["arguments"]);
                let expected = json!({ "type": 1, "invocationId": "1", "target": settings.method, "arguments": record["arguments"] });
                prop_assert_eq!(&record, &expected);
                page.receive(&format!("{}\u{1e}", json!({ "type": 1, "target": settings.target, "arguments": [], "invocationId": id })));
                let completion = page.sent_control();
                let completion = parse(completion.strip_suffix('\u{1e}').unwrap());
                prop_assert_eq!(completion, json!({ "type": 3, "invocationId": id, "result": null }));
            }
            _ => {
                let call = parse(&sent);
                is_text_of_envelope(&call["A"]);
                let expected = json!({ "I": 1, "H": settings.hub, "M": settings.method, "A": call["A"] });
                prop_assert_eq!(call, expected);
            }
        }
    }
}

/// A page that gives these tokens, and has opened a channel.
fn with_tokens(protocol: &'static str, settings: &Settings, tokens: &[&str]) -> Client {
    let mut setup = settings.setup(protocol);
    setup.config.credentials = CredentialsSource::Renewable;
    let mut page = page(&setup);
    let token = |token: &&str| Some(Credentials::Token((*token).into()));
    page.credentials = tokens.iter().map(token).collect();
    page.open("main", "main".into());
    page
}

/// An address's query has these members, in this order.
fn has_query(url: &str, expected: &[(&str, &str)]) {
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    assert!(!url.contains('#'), "{url}");
    let (_, query) = url.split_once('?').unwrap();
    let members: Vec<_> = query
        .split('&')
        .map(|member| member.split_once('=').unwrap())
        .collect();
    let found: Vec<_> = members
        .iter()
        .map(|(name, value)| (*name, decoded(value)))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, value)| (*name, String::from(*value)))
        .collect();
    assert_eq!(found, expected, "{url}");
}
