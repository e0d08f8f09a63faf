//! The relay's frames: what is written is read again, by both sides, and what the two have always
//! exchanged stays what it is.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config as Proptest;
use signal_wire::control::contains_control;
use signal_wire::frames::{encode_close, encode_ping, encode_pong, encode_token};
use signal_wire::{ClientFrame, Envelope, Open, ServerFrame, Subscription};

fn cases() -> Proptest {
    Proptest {
        cases: 500,
        failure_persistence: None,
        ..Proptest::default()
    }
}

fn subscription<'a>(channel: &'a str, after: Option<&'a str>) -> Subscription<'a> {
    Subscription {
        channel: channel.into(),
        after: after.map(Into::into),
    }
}

fn open<'a>(channels: Vec<Subscription<'a>>, session: Option<&'a str>) -> Open<'a> {
    Open {
        channels,
        session: session.map(Into::into),
        token: None,
    }
}

fn ack<'a>(accepted: u64, session: Option<&'a str>) -> ServerFrame<'a> {
    ServerFrame::Ack {
        accepted,
        session: session.map(Into::into),
    }
}

/// Word for word: older clients and relays must understand them.
#[test]
fn frames_word_for_word() {
    let hello = ServerFrame::Hello {
        version: 2,
        session: "s".into(),
        epoch: "e".into(),
        ping: 25_000,
    };
    assert_eq!(
        hello.encode(),
        r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#
    );
    assert_eq!(ack(9, None).encode(), r#"{"ack":9}"#);
    assert_eq!(ack(9, Some("s")).encode(), r#"{"ack":9,"session":"s"}"#);
    assert_eq!(ServerFrame::Gap("a\"".into()).encode(), r#"{"gap":"a\""}"#);
    assert_eq!(encode_ping(7), r#"{"ping":7}"#);
    assert_eq!(encode_pong("7.5"), r#"{"pong":7.5}"#);
    assert_eq!(Open::default().encode(), r#"{"open":[],"after":{}}"#);
    let all = open(
        vec![
            subscription("a", Some("17")),
            subscription("b", None),
            subscription("é\n", Some("x")),
        ],
        Some("s"),
    );
    assert_eq!(
        all.encode(),
        r#"{"open":["a","b","é\n"],"after":{"a":"17","é\n":"x"},"session":"s"}"#
    );
    assert_eq!(encode_close(["a", "b"]), r#"{"close":["a","b"]}"#);
    let with_token = Open {
        token: Some("a\"b".into()),
        ..Open::default()
    };
    assert_eq!(
        with_token.encode(),
        r#"{"open":[],"after":{},"token":"a\"b"}"#
    );
    assert_eq!(encode_token("a\"b"), r#"{"token":"a\"b"}"#);
    assert_eq!(
        ServerFrame::Expires(60_000).encode(),
        r#"{"expires":60000}"#
    );
    let refused = ServerFrame::Refused {
        channel: "a".into(),
        why: "no".into(),
        reference: None,
    };
    assert_eq!(refused.encode(), r#"{"refused":"a","why":"no"}"#);
}

#[test]
fn tokens_are_strings_of_limited_length() {
    let token = |token: &str| ClientFrame::Token(token.to_owned().into());
    assert_eq!(ClientFrame::decode(r#"{"token":"a"}"#), token("a"));
    let opened = Open {
        token: Some("a".into()),
        ..Open::default()
    };
    for text in [r#"{"open":[],"token":"a"}"#, r#"{"token":"a","open":[]}"#] {
        assert_eq!(ClientFrame::decode(text), ClientFrame::Open(opened.clone()));
        assert_eq!(
            ClientFrame::decode_first(text),
            ClientFrame::Open(opened.clone())
        );
    }
    let longest = "t".repeat(8192);
    let text = format!(r#"{{"token":"{longest}"}}"#);
    assert_eq!(ClientFrame::decode(&text), token(&longest));
    const WHY: ClientFrame<'_> = ClientFrame::Invalid("token is a string of up to 8192 bytes");
    for value in ["5", "null", "[]", &format!("\"{longest}t\"")] {
        assert_eq!(ClientFrame::decode(&format!(r#"{{"token":{value}}}"#)), WHY);
        let text = format!(r#"{{"open":[],"token":{value}}}"#);
        assert_eq!(ClientFrame::decode(&text), WHY);
    }
}

#[test]
fn client_frames() {
    let invalid = |text: &str| match ClientFrame::decode(text) {
        ClientFrame::Invalid(why) => why,
        frame => panic!("{frame:?}"),
    };
    let text = r#"{"sender":1,"channel":"a","ref":9,"message":2}"#;
    let envelope = || Envelope::read(text).unwrap();
    assert_eq!(
        ClientFrame::decode(text),
        ClientFrame::Publish(envelope(), Some(9))
    );
    assert_eq!(
        ClientFrame::decode_first(text),
        ClientFrame::Publish(envelope(), None)
    );
    assert_eq!(
        ClientFrame::decode(r#"{"ping":-1.5e3}"#),
        ClientFrame::Ping("-1.5e3")
    );
    assert_eq!(ClientFrame::decode(r#"{"pong":1}"#), ClientFrame::Pong);
    for text in ["", "[]", "5", "\"a\"", "{\"ping\":1}\n{\"ping\":1}"] {
        assert_eq!(ClientFrame::decode(text), ClientFrame::Text, "{text}");
    }
    for (text, why) in [
        (
            "{}",
            "an object without channel, open, close, token, ping or pong",
        ),
        (r#"{"channel":null}"#, "channel is a string or a number"),
        (r#"{"channel":"a","ref":"9"}"#, "ref is a whole number"),
        (r#"{"channel":"a","ref":1.5}"#, "ref is a whole number"),
        (r#"{"open":"a"}"#, "open is an array of strings"),
        (r#"{"open":[1]}"#, "open is an array of strings"),
        (
            r#"{"open":[],"after":{"a":1}}"#,
            "after is an object with a string for each channel",
        ),
        (
            r#"{"open":[],"after":[]}"#,
            "after is an object with a string for each channel",
        ),
        (
            r#"{"open":[],"session":1}"#,
            "session is a string of up to 64 bytes",
        ),
        (r#"{"close":"a"}"#, "close is an array of strings"),
        (r#"{"ping":"1"}"#, "ping is a number"),
        (
            r#"{"pong":"1"}"#,
            "an object without channel, open, close, token, ping or pong",
        ),
    ] {
        assert_eq!(invalid(text), why, "{text}");
    }
    let long = format!(r#"{{"open":[],"session":"{}"}}"#, "s".repeat(65));
    assert_eq!(invalid(&long), "session is a string of up to 64 bytes");
    let long = format!(r#"{{"ping":{}}}"#, "1".repeat(33));
    assert_eq!(invalid(&long), "ping is a number");
}

/// Before a client has subscribed, what it sends is for other pages, except for control frames.
#[test]
fn first_client_frames() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"channel":null}"#,
        r#"{"channel":null,"ack":1}"#,
        r#"{"Ack":1,"acknowledge":1,"":1}"#,
        r#"{"x":{"ack":1}}"#,
        r#"[{"ack":1}]"#,
        r#""{\"ack\":1}""#,
        r#"{"ack":1"#,
        r#"{"ack":1}}"#,
        "1\n2",
    ] {
        let frame = ClientFrame::decode_first(text);
        assert_eq!(frame, ClientFrame::Text, "{text}");
    }
    assert_eq!(
        ClientFrame::decode_first(r#"{"ping":1}"#),
        ClientFrame::Ping("1")
    );
    assert_eq!(
        ClientFrame::decode_first(r#"{"close":["a"]}"#),
        ClientFrame::Close(vec!["a".into()])
    );
    assert_eq!(
        ClientFrame::decode_first(r#"{"token":"t"}"#),
        ClientFrame::Token("t".into())
    );
    for text in [
        r#"{"open":"a"}"#,
        r#"{"open":[1]}"#,
        r#"{"signal":1,"session":"s","epoch":"e","ping":25000}"#,
        r#"{"signal":null}"#,
        r#"{"token":1}"#,
        r#"{"expires":60000}"#,
        r#"{"refused":"a","why":"no"}"#,
        r#"{"ack":1000000000}"#,
        r#"{"ack":"x"}"#,
        r#"{"gap":"a"}"#,
        r#"{"ping":"1"}"#,
        r#"{"pong":{}}"#,
        " \t\r\n{ \"ack\" : 1 }\n",
        r#"{"\u0061\u0063k":1}"#,
        r#"{"ack":1,"ack":2}"#,
        r#"{"sender":1,"message":2,"ack":3}"#,
        r#"{"chann\u0065l2":1,"gap":"a"}"#,
        "1\n{\"ack\":1}",
        "{\"sender\":1,\"channel\":\"a\",\"message\":2}\n\n {\"gap\":\"a\"} \n",
        "{\"ack\":1}\n{\"ack\":2}",
    ] {
        let frame = ClientFrame::decode_first(text);
        let is_for_others = matches!(frame, ClientFrame::Text | ClientFrame::Publish(..));
        assert!(!is_for_others, "{text}: {frame:?}");
    }
    assert_eq!(
        ClientFrame::decode_first(r#"{"open":["a"]}"#),
        ClientFrame::Open(open(vec![subscription("a", None)], None))
    );
    // That is a client that knows the protocol, and breaks it.
    assert!(matches!(
        ClientFrame::decode_first(r#"{"open":["a"],"after":1}"#),
        ClientFrame::Invalid(why) if why.starts_with("after")
    ));
}

#[test]
fn of_a_member_named_twice_the_last_counts() {
    assert_eq!(
        ClientFrame::decode(r#"{"open":["b"],"after":{"a":"1","a":"2"},"open":["a"]}"#),
        ClientFrame::Open(open(vec![subscription("a", Some("2"))], None))
    );
    assert_eq!(
        ServerFrame::decode(r#"{"ack":1,"ack":2}"#),
        Some(ack(2, None))
    );
}

#[test]
fn server_frames_that_are_none() {
    for text in [
        "",
        "{}",
        "[1]",
        r#"{"signal":2,"session":"s","epoch":"e"}"#,
        r#"{"signal":1,"session":"s"}"#,
        r#"{"signal":1,"session":1,"epoch":"e"}"#,
        r#"{"ack":"9"}"#,
        r#"{"ack":-1}"#,
        r#"{"gap":1}"#,
        r#"{"ping":"1"}"#,
        r#"{"channel":"a","ack":9}"#,
        r#"{"channel":null,"ack":9}"#,
    ] {
        assert_eq!(ServerFrame::decode(text), None, "{text}");
    }
    // A relay that names no version speaks the first.
    assert!(matches!(
        ServerFrame::decode(r#"{"signal":1,"session":"s","epoch":"e","ping":1}"#),
        Some(ServerFrame::Hello { version: 1, .. })
    ));
    // A relay that says no ping pings as often as its clients find right.
    assert!(matches!(
        ServerFrame::decode(r#"{"signal":1,"session":"s","epoch":"e","ping":null}"#),
        Some(ServerFrame::Hello { ping: 0, .. })
    ));
}

/// Whole numbers as both sides read them.
const NUMBERS: std::ops::Range<u64> = 0..10_000_000_000_000_000;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_a_client_writes_the_relay_reads(
        channels in prop::collection::btree_map(any::<String>(), prop::option::of(any::<String>()), 0..6),
        session in prop::option::of("[ -~é]{0,32}"),
        closed in prop::collection::vec(any::<String>(), 0..4),
        number in NUMBERS,
    ) {
        let channels: Vec<_> = channels.iter().map(|(name, after)| subscription(name, after.as_deref())).collect();
        let request = open(channels, session.as_deref());
        let text = request.encode();
        prop_assert_eq!(ClientFrame::decode(&text), ClientFrame::Open(request.clone()));
        prop_assert_eq!(ClientFrame::decode_first(&text), ClientFrame::Open(request));
        let text = encode_close(closed.iter().map(String::as_str));
        prop_assert_eq!(ClientFrame::decode(&text), ClientFrame::Close(closed.iter().map(|name| name.into()).collect()));
        let (ping, digits) = (encode_ping(number), number.to_string());
        prop_assert_eq!(ClientFrame::decode(&ping), ClientFrame::Ping(&digits));
        let pong = encode_pong(&digits);
        prop_assert_eq!(ClientFrame::decode(&pong), ClientFrame::Pong);
    }

    #[test]
    fn what_the_relay_writes_a_client_reads(session: String, epoch: String, version in NUMBERS, ping in NUMBERS, accepted in NUMBERS, channel: String) {
        for frame in [
            ServerFrame::Hello { version, session: (&*session).into(), epoch: epoch.into(), ping },
            ack(accepted, None),
            ack(accepted, Some(&session)),
            ServerFrame::Gap(channel.into()),
            ServerFrame::Ping(ping.to_string().into()),
            ServerFrame::Pong("-1.5e9".into()),
            ServerFrame::Expires(60_000),
            ServerFrame::Refused {
                channel: "a".into(),
                why: "no".into(),
                reference: Some(accepted),
            },
        ] {
            let text = frame.encode();
            prop_assert_eq!(ServerFrame::decode(&text), Some(frame.clone()));
            // So the relay never hands it on when a client has written it.
            prop_assert!(contains_control(&text));
        }
    }

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), r#"\{"(open|after|close|ping|pong|ack|gap|signal|channel|ref|token|expires|refused)":["\[\]{}a0-9,:-]{0,9}\}"#]) {
        let _ = (ClientFrame::decode(&text), ClientFrame::decode_first(&text), ServerFrame::decode(&text));
    }
}
