//! With `openWhen: 'connected'` a page learns that its channel is ready before it gets the channel's
//! first message.

use crate::setups::{
    CLASSIC, Client, EIO4, INIT, NEGOTIATED, OWN, classic, negotiates, posts, requests, signalr,
    socket_io,
};
use crate::support::host::HostText;
use crate::support::page::{Page, Setup};
use signal_wasm::protocol::Frame;
use signal_wasm::session::{Event, Input, OpenWhen};

/// What a page meets until its connection is open, with a message as early as a server can send it.
type Meets = fn(&mut Client);

fn envelope(channel: &str) -> String {
    format!(r#"{{"sender":8,"channel":"{channel}","message":1}}"#)
}

/// The same in a JSON string.
fn quoted(channel: &str) -> String {
    serde_json::Value::from(envelope(channel)).to_string()
}

fn classic_calls(channel: &str) -> String {
    let text = quoted(channel);
    format!(r#"{{"C":"d-2","M":[{{"H":"WebRtcHub3","M":"onMessageReceived","A":[{text}]}}]}}"#)
}

fn starts_classic(page: &mut Client) {
    requests(page, "http://h/signalr/negotiate?");
    page.is_answered(200, CLASSIC);
    page.connects();
}

/// A page that has opened the channel `main`. It isn't inspected, because a frame may be counted
/// before its message is delivered.
fn opened(mut setup: Setup) -> Client {
    setup.config.open_when = OpenWhen::Connected;
    let mut page = Page::new(setup.session(OWN, 5));
    page.open("main", "main".into());
    page
}

/// The channels that are ready, and those of the messages, in order.
fn told(page: &Client) -> Vec<(&'static str, &str)> {
    let events = page.events.iter();
    let told = events.filter_map(|event| match event {
        Event::Ready(channel) => Some(("ready", &**channel)),
        Event::Message(channel, _) => Some(("message", &**channel)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_message_with_the_handshake_comes_after_readiness() {
    let mut transport = Setup::new("websocket", "");
    transport.config.own_transport = true;
    let cases: [(&str, Setup, Meets); 9] = [
        ("plain", Setup::new("websocket", "ws://h/"), |page| {
            page.connects();
            page.receive(&envelope("main"));
        }),
        (
            "a transport that delivers before it is open",
            transport,
            |page| {
                page.receive(&envelope("main"));
                page.connects();
            },
        ),
        ("auto", Setup::new("auto", "ws://h/"), |page| {
            page.connects();
            page.receive(&envelope("main"));
        }),
        (
            "auto, after the time for a hello",
            Setup::new("auto", "ws://h/"),
            |page| {
                page.connects();
                page.passes(250.0);
                page.receive(&envelope("main"));
            },
        ),
        ("socket.io, amid the handshake", socket_io(), |page| {
            page.connects();
            page.receive(EIO4);
            page.receive(&format!("42[\"message\",{}]", envelope("main")));
            page.receive(r#"40{"sid":"b"}"#);
        }),
        ("signalr, in one frame", signalr(), |page| {
            posts(page);
            page.is_answered(200, NEGOTIATED);
            page.connects();
            let call = quoted("main");
            page.receive(&format!(
                "{{}}\u{1e}{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[{call}]}}\u{1e}"
            ));
        }),
        ("signalr, in the next frame", signalr(), |page| {
            negotiates(page);
            let call = quoted("main");
            page.receive(&format!(
                "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[{call}]}}\u{1e}"
            ));
        }),
        ("classic, before the answer to start", classic(), |page| {
            starts_classic(page);
            page.receive(INIT);
            requests(page, "http://h/signalr/start?");
            page.receive(&classic_calls("main"));
            page.is_answered(200, r#"{"Response":"started"}"#);
        }),
        ("classic, with the first frame", classic(), |page| {
            starts_classic(page);
            page.receive(&classic_calls("main").replace("\"M\":[{", "\"S\":1,\"M\":[{"));
            requests(page, "http://h/signalr/start?");
            page.is_answered(200, r#"{"Response":"started"}"#);
        }),
    ];
    for (what, setup, meets) in cases {
        let mut page = opened(setup);
        meets(&mut page);
        assert!(page.state().is_open(), "{what}: {:?}", page.states());
        assert_eq!(
            told(&page),
            [("ready", "main"), ("message", "main")],
            "{what}"
        );
    }
}

#[test]
fn a_message_before_the_time_to_open_makes_a_channel_ready() {
    for delay in [None, Some(0.0), Some(500.0)] {
        let mut setup = Setup::new("websocket", "ws://h/");
        setup.config.open_delay = delay;
        let mut page = opened(setup);
        page.connects();
        page.passes(500.0);
        page.events.clear();
        page.open("later", "later".into());
        page.receive(&envelope("later"));
        page.receive(&envelope("later"));
        page.passes(1_000.0);
        let expected = [
            ("ready", "later"),
            ("message", "later"),
            ("message", "later"),
        ];
        assert_eq!(told(&page), expected, "{delay:?}");
    }
}

#[test]
fn a_message_that_waits_with_the_readiness_of_its_channel_comes_after_it() {
    let mut page = opened(Setup::new("websocket", "ws://h/"));
    page.connects();
    page.events.clear();
    // Inside a handler the page opens a channel; its message and its timer come before the handler
    // returns.
    page.session
        .open(page.now, "later", "later".into())
        .unwrap();
    let frame = Frame::Text(HostText::from(envelope("later")));
    page.session.handle(page.now, Input::Frame(frame));
    page.handle(Input::Timeout);
    assert_eq!(told(&page), [("ready", "later"), ("message", "later")]);
}

#[test]
fn nothing_is_ready_inside_the_call_that_opens_it() {
    let mut setup = Setup::new("websocket", "");
    setup.config.own_transport = true;
    setup.config.open_when = OpenWhen::Connected;
    let mut page: Client = Page::new(setup.session(OWN, 5));
    page.session.open(page.now, "main", "main".into()).unwrap();
    page.session.open_begins();
    page.settle();
    page.connects();
    page.receive(&envelope("main"));
    assert_eq!(told(&page), []);
    page.session.open_returns();
    page.passes(0.0);
    assert_eq!(told(&page), [("ready", "main"), ("message", "main")]);
}

#[test]
fn messages_without_limit_before_the_connection_is_open_are_gaps() {
    let mut setup = Setup::new("websocket", "");
    setup.config.own_transport = true;
    let mut page = opened(setup);
    let long = envelope("main").replace(":1}", &format!(":\"{}\"}}", "x".repeat(900_000)));
    for _ in 0..6 {
        page.receive(&long);
    }
    page.connects();
    let gaps = |event: &&Event<_, _>| matches!(event, Event::Gap(_));
    assert_eq!(page.events.iter().filter(gaps).count(), 2);
    let messages = told(&page)
        .iter()
        .filter(|(what, _)| *what == "message")
        .count();
    assert_eq!(messages, 4);
}

/// As with the shim, whose timer has nothing to do with the connection.
#[test]
fn with_the_timer_messages_come_at_once() {
    let mut page: Client = Page::new(Setup::new("websocket", "ws://h/").session(OWN, 5));
    page.open("main", "main".into());
    page.connects();
    page.receive(&envelope("main"));
    page.passes(1_000.0);
    assert_eq!(told(&page), [("message", "main"), ("ready", "main")]);
}
