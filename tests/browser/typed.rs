//! The typed Rust API: what a Rust front end calls, over the same stand-in socket.
//!
//! What's tested
//! * the example `typed_chat`: that very code, two of it, talking
//! * values of many types come through as they were, and the wire holds plain JSON that any page
//!   reads
//! * messages of another type, values that JSON can't hold, options that can't be: errors with
//!   codes
//! * a channel is closed when it is dropped, also inside its own handler; sending inside a handler;
//!   nothing leaks
//! * states and errors come to their handlers, in virtual time and in real time

use super::stage::{Stage, held, kept_nothing};
use gloo_timers::future::TimeoutFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use signal_wasm::{
    Channel, Error, Heartbeat, Options, Outbox, Overflow, Reconnect, Signaling, State,
};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

#[allow(dead_code, reason = "its main is not ours")]
#[path = "../../examples/typed_chat.rs"]
mod typed_chat;

use typed_chat::{Chat, Message};

fn server() -> Options {
    Options {
        url: Some("ws://server.test/".into()),
        protocol: Some("websocket".into()),
        ..Options::default()
    }
}

/// What was heard, and the handler that notes it.
fn notes<T: 'static>() -> (Rc<RefCell<Vec<T>>>, impl Fn(T) + 'static) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&heard);
    (heard, move |value| notes.borrow_mut().push(value))
}

fn take<T>(notes: &RefCell<Vec<T>>) -> Vec<T> {
    notes.borrow_mut().drain(..).collect()
}

/// A signaling with a channel open on an open socket.
fn connected<M: DeserializeOwned + 'static>(
    stage: &Stage,
    on_message: impl Fn(Result<M, Error>) + 'static,
) -> (Signaling, Channel) {
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.open("room", on_message).unwrap();
    stage.last_socket().accept();
    (signaling, channel)
}

#[wasm_bindgen_test]
async fn the_example_talks() {
    // So long a server may take to greet; this one has nothing to say.
    const GREETING: f64 = 250.0;
    let stage = Stage::set().await;
    let (ann_hears, hear) = notes();
    let ann = Chat::join("ws://server.test/", "Ann", hear).unwrap();
    let (ben_hears, hear) = notes();
    let ben = Chat::join("ws://server.test/", "Ben", hear).unwrap();
    // The server: each frame goes to the other one.
    let relay = || {
        let ends = [stage.socket(0), stage.socket(1)];
        let frames = [ends[0].take_frames(), ends[1].take_frames()];
        frames[0].iter().for_each(|frame| ends[1].deliver(frame));
        frames[1].iter().for_each(|frame| ends[0].deliver(frame));
    };
    let lines = |hears: &RefCell<Vec<_>>| -> Vec<String> {
        take(hears).into_iter().map(typed_chat::line).collect()
    };
    ann.say("early").unwrap();
    stage.socket(0).accept();
    stage.socket(1).accept();
    stage.pass(GREETING);
    relay();
    assert_eq!(lines(&ann_hears), ["Ben is there"]);
    assert_eq!(lines(&ben_hears), ["Ann is there", "Ann: early"]);
    ann.say("Hello.").unwrap();
    ben.say("Hello yourself.").unwrap();
    relay();
    assert_eq!(
        take(&ben_hears),
        [Ok(Message::Said {
            by: "Ann".into(),
            text: "Hello.".into()
        })]
    );
    stage
        .socket(1)
        .deliver(r#"{"sender":1,"channel":"typed-chat","message":{"type":"waved"}}"#);
    ann.leave().unwrap();
    relay();
    assert_eq!(lines(&ann_hears), ["Ben: Hello yourself."]);
    let heard = lines(&ben_hears);
    assert!(heard[0].starts_with("something else: "), "{heard:?}");
    assert_eq!(heard[1], "Ann is gone");
}

#[wasm_bindgen_test]
async fn the_wire_holds_plain_json() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<Message>(&stage, |_| ());
    let said = Message::Said {
        by: "Ann".into(),
        text: "\"Grüße\" 😀\n".into(),
    };
    channel.send(&said).unwrap();
    assert_eq!(
        stage.last_socket().take_frames(),
        [format!(
            r#"{{"sender":{},"channel":"room","message":{{"type":"said","by":"Ann","text":"\"Grüße\" 😀\n"}}}}"#,
            signaling.userid()
        )]
    );
    assert_eq!(channel.name(), "room");
}

async fn comes_through<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone + 'static>(
    value: T,
) {
    let stage = Stage::set().await;
    let (heard, hear) = notes();
    let (_signaling, channel) = connected::<T>(&stage, hear);
    channel.send(&value).unwrap();
    let socket = stage.last_socket();
    for frame in socket.take_frames() {
        // As another page would have sent it.
        let message = frame.split_once(",\"channel\"").unwrap().1;
        socket.deliver(&format!("{{\"sender\":17,\"channel\"{message}"));
    }
    assert_eq!(take(&heard), [Ok(value)]);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Candidate {
    candidate: String,
    sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex")]
    line: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Step {
    Start,
    Candidates(Vec<Candidate>),
    Numbers(i64, f64, u8),
    Named { map: BTreeMap<String, Vec<bool>> },
}

#[wasm_bindgen_test]
async fn values_come_through() {
    comes_through(true).await;
    comes_through(-7i32).await;
    comes_through(9_007_199_254_740_991u64).await;
    comes_through(-9_007_199_254_740_991i64).await;
    comes_through(0.1f64).await;
    comes_through(String::from("text")).await;
    comes_through('😀').await;
    comes_through(None::<u8>).await;
    comes_through(Some(5u8)).await;
    comes_through((1u8, "two".to_string(), vec![3.0f32])).await;
    comes_through(()).await;
    comes_through(Step::Start).await;
    comes_through(Step::Numbers(i64::from(i32::MIN), -0.5, 255)).await;
    comes_through(Step::Named {
        map: BTreeMap::from([("a".into(), vec![true, false]), ("".into(), vec![])]),
    })
    .await;
    comes_through(Step::Candidates(vec![Candidate {
        candidate: "candidate:1 1 UDP 2122252543 192.168.0.1 1 typ host".into(),
        sdp_mid: None,
        line: Some(0),
    }]))
    .await;
}

#[wasm_bindgen_test]
async fn a_message_of_another_type_is_an_error_and_no_end() {
    let stage = Stage::set().await;
    let (heard, hear) = notes();
    let (signaling, _channel) = connected::<Candidate>(&stage, hear);
    let socket = stage.last_socket();
    for message in [
        "5",
        "null",
        "[]",
        r#"{"candidate":5}"#,
        r#"{"sdp_mid":"a"}"#,
        r#""text""#,
    ] {
        socket.deliver(&format!(
            r#"{{"sender":17,"channel":"room","message":{message}}}"#
        ));
        let errors = take(&heard);
        let [Err(error)] = errors.as_slice() else {
            panic!("{message}: {errors:?}")
        };
        assert_eq!(error.code(), "bad-message", "{message}");
        assert!(error.to_string().contains("another type"), "{error}");
    }
    socket.deliver(r#"{"sender":17,"channel":"room","message":{"candidate":"c"}}"#);
    let right = Candidate {
        candidate: "c".into(),
        sdp_mid: None,
        line: None,
    };
    assert_eq!(take(&heard), [Ok(right)]);
    assert_eq!(signaling.stats().delivered, 7.0);
}

/// Fails to be serialised.
struct Unspeakable;

impl Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no words for it"))
    }
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage, |_| ());
    let error = channel.send(&Unspeakable).unwrap_err();
    assert_eq!(error.code(), "bad-message");
    assert!(error.to_string().contains("no words for it"), "{error}");
    let error = channel.send(&"x".repeat(1_000_000)).unwrap_err();
    assert_eq!(error.code(), "message-too-large");
    let other = signaling.open::<u8>("other", |_| ()).unwrap();
    signaling.close();
    assert_eq!(other.send(&1).unwrap_err().code(), "signaling-closed");
    let error = signaling.open::<u8>("room", |_| ()).unwrap_err();
    assert_eq!(error.code(), "signaling-closed");
    assert_eq!(stage.last_socket().take_frames().len(), 0);
}

#[wasm_bindgen_test]
async fn options_that_cannot_be() {
    let _stage = Stage::set().await;
    let wrong = [
        (
            Options {
                url: Some("ftp://server.test/".into()),
                ..server()
            },
            "bad-url",
            "'ftp://server.test/'",
        ),
        (
            Options {
                protocol: Some("pigeon".into()),
                ..server()
            },
            "bad-option",
            "'pigeon'",
        ),
        (
            Options {
                max_message: Some(0.5),
                ..server()
            },
            "bad-option",
            "maxMessage is 0.5",
        ),
        (
            Options {
                outbox: Some(Outbox {
                    bytes: Some(-1.0),
                    ..Outbox::default()
                }),
                ..server()
            },
            "bad-option",
            "outbox.bytes is -1",
        ),
        (
            Options {
                reconnect: Some(Reconnect {
                    cap: Some(0.0),
                    ..Reconnect::default()
                }),
                ..server()
            },
            "bad-option",
            "reconnect.cap is 0",
        ),
        (
            Options {
                heartbeat: Some(Heartbeat {
                    interval: Some(5.0),
                    ..Heartbeat::default()
                }),
                ..server()
            },
            "bad-option",
            "heartbeat.interval is 5",
        ),
        (
            Options {
                connect_timeout: Some(0.0),
                ..server()
            },
            "bad-option",
            "connectTimeout is 0",
        ),
    ];
    for (options, code, says) in wrong {
        let error = Signaling::new(&options).unwrap_err();
        assert_eq!(error.code(), code, "{options:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[wasm_bindgen_test]
async fn options_reach_the_session() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&Options {
        max_message: Some(100.0),
        outbox: Some(Outbox {
            messages: Some(1.0),
            overflow: Some(Overflow::Throw),
            ..Outbox::default()
        }),
        reconnect: Some(Reconnect {
            attempts: Some(0.0),
            ..Reconnect::default()
        }),
        ..server()
    })
    .unwrap();
    let channel = signaling.open::<u8>("room", |_| ()).unwrap();
    assert_eq!(
        channel.send(&"long".repeat(20)).unwrap_err().code(),
        "message-too-large"
    );
    channel.send(&1).unwrap();
    assert_eq!(channel.send(&2).unwrap_err().code(), "outbox-full");
    assert_eq!(signaling.stats().queued, 1.0);
    stage.last_socket().end(1006);
    assert_eq!(signaling.state(), State::Closed);
}

#[wasm_bindgen_test]
async fn states_and_errors_come_to_their_handlers() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let (states, note) = notes();
    signaling.on_state_change(move |state, reason| note((state, reason)));
    let (errors, note) = notes();
    signaling.on_error(note);
    assert_eq!(signaling.state(), State::Idle);
    let _channel = signaling.open::<u8>("room", |_| ()).unwrap();
    stage.last_socket().accept();
    stage.last_socket().deliver("no envelope");
    stage.last_socket().end(4500);
    let seen: Vec<_> = take(&states).into_iter().map(|(state, _)| state).collect();
    assert_eq!(seen, ["connecting", "open", "closed"]);
    let codes: Vec<_> = take(&errors).iter().map(Error::code).collect();
    assert_eq!(codes, ["bad-frame", "connection-failed"]);
    assert_eq!(signaling.stats().connects, 1.0);
}

#[wasm_bindgen_test]
async fn a_channel_is_closed_when_it_is_dropped() {
    let stage = Stage::set().await;
    let (heard, hear) = notes();
    let (signaling, channel) = connected::<u8>(&stage, hear);
    let socket = stage.last_socket();
    let frame = r#"{"sender":17,"channel":"room","message":1}"#;
    socket.deliver(frame);
    drop(channel);
    socket.deliver(frame);
    assert_eq!(take(&heard), [Ok(1)]);
    assert_eq!(
        (signaling.stats().channels, signaling.stats().foreign),
        (0.0, 1.0)
    );
    assert_eq!(signaling.state(), State::Open);
}

#[wasm_bindgen_test]
async fn a_superseded_channel_closes_nothing_when_it_is_dropped() {
    let stage = Stage::set().await;
    let (signaling, first) = connected::<u8>(&stage, |_| ());
    let (heard, hear) = notes();
    let _second = signaling.open::<u8>("room", hear).unwrap();
    drop(first);
    stage
        .last_socket()
        .deliver(r#"{"sender":17,"channel":"room","message":2}"#);
    assert_eq!(take(&heard), [Ok(2)]);
}

#[wasm_bindgen_test]
async fn a_handler_may_send_open_and_drop_its_own_channel() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let own = Rc::new(RefCell::new(None::<Channel>));
    let opened = Rc::new(OnceCell::new());
    let channel = {
        let (signaling, own, opened) = (signaling.clone(), Rc::clone(&own), Rc::clone(&opened));
        signaling
            .clone()
            .open::<u8>("room", move |message| {
                let answer = message.unwrap() + 1;
                own.borrow().as_ref().unwrap().send(&answer).unwrap();
                opened
                    .set(signaling.open::<u8>("private", |_| ()).unwrap())
                    .unwrap();
                drop(own.take());
            })
            .unwrap()
    };
    own.replace(Some(channel));
    let socket = stage.last_socket();
    socket.accept();
    let frame = r#"{"sender":17,"channel":"room","message":1}"#;
    socket.deliver(frame);
    socket.deliver(frame);
    opened.get().unwrap().send(&3).unwrap();
    let sent = socket.take_frames();
    assert_eq!(sent.len(), 2);
    assert!(
        sent[0].ends_with(r#""channel":"room","message":2}"#),
        "{sent:?}"
    );
    assert!(
        sent[1].ends_with(r#""channel":"private","message":3}"#),
        "{sent:?}"
    );
    assert_eq!(signaling.stats().foreign, 1.0);
}

#[wasm_bindgen_test]
async fn ten_thousand_typed_channels_leave_nothing_behind() {
    let stage = Stage::set().await;
    let (signaling, _channel) = connected::<u8>(&stage, |_| ());
    let live = |rounds: u32| {
        for round in 0..rounds {
            let text = format!("round {round}");
            let channel = signaling
                .open::<String>("other", move |message| assert!(message.is_ok(), "{text}"))
                .unwrap();
            channel.send(&"message").unwrap();
            stage
                .last_socket()
                .deliver(r#"{"sender":17,"channel":"other","message":"m"}"#);
            stage.last_socket().take_frames();
        }
    };
    live(500);
    let before = held().await.unwrap();
    live(10_000);
    kept_nothing(before, 10_000).await.unwrap();
    assert_eq!(signaling.stats().delivered, 10_500.0);
}

#[wasm_bindgen_test]
async fn it_reconnects_in_real_time() {
    let stage = Stage::set_in_real_time().await;
    let signaling = Signaling::new(&Options {
        reconnect: Some(Reconnect {
            base: Some(1.0),
            cap: Some(1.0),
            ..Reconnect::default()
        }),
        ..server()
    })
    .unwrap();
    let channel = signaling.open::<u8>("room", |_| ()).unwrap();
    stage.last_socket().accept();
    stage.last_socket().end(1006);
    assert_eq!(signaling.state(), State::Waiting);
    channel.send(&1).unwrap();
    // How long that takes is the browser's business; that it comes is ours.
    while signaling.state() == State::Waiting {
        TimeoutFuture::new(1).await;
    }
    stage.last_socket().accept();
    assert_eq!(signaling.state(), State::Open);
    assert_eq!(stage.last_socket().take_frames().len(), 1);
    // A timer of the browser's would be left to tests that have another clock, and can't clear it.
    signaling.close();
}

#[wasm_bindgen_test]
async fn errors_are_values() {
    let _stage = Stage::set().await;
    let bad = |url: &str| {
        Signaling::new(&Options {
            url: Some(url.into()),
            ..Options::default()
        })
        .unwrap_err()
    };
    assert_eq!(bad("ftp://one.test/"), bad("ftp://two.test/"));
    let closed = Cell::new(None);
    let signaling = Signaling::new(&server()).unwrap();
    signaling.close();
    closed.set(signaling.open::<u8>("room", |_| ()).err());
    assert_ne!(closed.take().unwrap(), bad("ftp://one.test/"));
    let error: Box<dyn std::error::Error> = Box::new(bad("ftp://one.test/"));
    assert!(error.to_string().contains("ftp://one.test/"));
}
