//! Channels: messages, openings, handlers.

use super::{Stage, connected, frame, notes, poll, server, take};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use signal_wasm::{Channel, ErrorKind, OpenWhen, Options, Signaling, State};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use wasm_bindgen_test::wasm_bindgen_test;

#[allow(dead_code, reason = "its main is not ours")]
#[path = "../../../examples/typed_chat.rs"]
mod typed_chat;

use typed_chat::{Chat, Message};

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
    let (signaling, channel) = connected::<Message>(&stage);
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
    let (_signaling, channel) = connected::<T>(&stage);
    let _messages = channel.on_message(hear);
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
    let (signaling, channel) = connected::<Candidate>(&stage);
    let _messages = channel.on_message(hear);
    let socket = stage.last_socket();
    for message in [
        "5",
        "null",
        "[]",
        r#"{"candidate":5}"#,
        r#"{"sdp_mid":"a"}"#,
        r#""text""#,
    ] {
        socket.deliver(&frame(message));
        let errors = take(&heard);
        let [Err(error)] = errors.as_slice() else {
            panic!("{message}: {errors:?}")
        };
        assert_eq!(error.kind(), ErrorKind::BadMessage, "{message}");
        assert!(error.to_string().contains("another type"), "{error}");
    }
    socket.deliver(&frame(r#"{"candidate":"c"}"#));
    let right = Candidate {
        candidate: "c".into(),
        sdp_mid: None,
        line: None,
    };
    assert_eq!(take(&heard), [Ok(right)]);
    assert_eq!(signaling.stats().delivered, 7);
}

/// Fails to be serialised.
#[derive(Debug, Deserialize)]
struct Unspeakable;

impl Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no words for it"))
    }
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<String>(&stage);
    let unspeakable = signaling.channel("unspeakable").unwrap();
    let error = unspeakable.send(&Unspeakable).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadMessage);
    assert!(error.to_string().contains("no words for it"), "{error}");
    let error = channel.send(&"x".repeat(1_000_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MessageTooLarge);
    channel.close();
    assert!(channel.is_closed());
    let error = channel.send(&"closed".into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChannelClosed);
    assert!(error.to_string().contains("'room'"), "{error}");
    signaling.close();
    for kind in [
        unspeakable.send(&Unspeakable).unwrap_err().kind(),
        channel.send(&"closed".into()).unwrap_err().kind(),
        signaling.channel::<u8>("room").unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::SignalingClosed);
    }
    assert_eq!(stage.last_socket().take_frames().len(), 0);
}

#[wasm_bindgen_test]
async fn a_channel_is_closed_when_its_last_clone_is_dropped() {
    let stage = Stage::set().await;
    let (heard, hear) = notes();
    let (signaling, channel) = connected::<u8>(&stage);
    channel.on_message(hear).forget();
    let socket = stage.last_socket();
    let clone = channel.clone();
    drop(channel);
    socket.deliver(&frame("1"));
    drop(clone);
    socket.deliver(&frame("2"));
    assert_eq!(take(&heard), [Ok(1)]);
    assert_eq!(
        (signaling.stats().channels, signaling.stats().foreign),
        (0, 1)
    );
    assert_eq!(signaling.state(), State::Open);
}

#[wasm_bindgen_test]
async fn each_opening_receives_all_messages_until_it_is_closed() {
    let stage = Stage::set().await;
    let (signaling, first) = connected::<u8>(&stage);
    let (at_first, hear) = notes();
    first.on_message(hear).forget();
    let second = signaling.channel::<u8>("room").unwrap();
    let (at_second, hear) = notes();
    second.on_message(hear).forget();
    let socket = stage.last_socket();
    socket.deliver(&frame("1"));
    first.close();
    socket.deliver(&frame("2"));
    second.send(&3).unwrap();
    drop(second);
    socket.deliver(&frame("4"));
    assert_eq!(take(&at_first), [Ok(1)]);
    assert_eq!(take(&at_second), [Ok(1), Ok(2)]);
    assert_eq!(socket.take_frames().len(), 1);
    assert_eq!(signaling.stats().channels, 0);
}

#[wasm_bindgen_test]
async fn a_handler_is_removed_when_its_subscription_is_dropped() {
    let stage = Stage::set().await;
    let (_signaling, channel) = connected::<u8>(&stage);
    let (heard, hear) = notes();
    let subscription = channel.on_message(hear);
    let (also, hear) = notes();
    let _other = channel.on_message(hear);
    let socket = stage.last_socket();
    socket.deliver(&frame("1"));
    drop(subscription);
    socket.deliver(&frame("2"));
    assert_eq!(take(&heard), [Ok(1)]);
    assert_eq!(take(&also), [Ok(1), Ok(2)]);
}

#[wasm_bindgen_test]
async fn a_handler_may_send_open_and_drop_its_own_channel() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let own = Rc::new(RefCell::new(None::<Channel<u8>>));
    let opened = Rc::new(OnceCell::new());
    let channel = signaling.channel("room").unwrap();
    let handler = {
        let (signaling, own, opened) = (signaling.clone(), Rc::clone(&own), Rc::clone(&opened));
        move |message: signal_wasm::Result<u8>| {
            let answer = message.unwrap() + 1;
            own.borrow().as_ref().unwrap().send(&answer).unwrap();
            opened
                .set(signaling.channel::<u8>("private").unwrap())
                .unwrap();
            drop(own.take());
        }
    };
    channel.on_message(handler).forget();
    own.replace(Some(channel));
    let socket = stage.last_socket();
    socket.accept();
    socket.deliver(&frame("1"));
    socket.deliver(&frame("1"));
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
    assert_eq!(signaling.stats().foreign, 1);
}

#[wasm_bindgen_test]
async fn a_handler_that_is_removed_amid_a_message_is_called_no_more() {
    let stage = Stage::set().await;
    let (_signaling, channel) = connected::<u8>(&stage);
    let last = Rc::new(RefCell::new(None));
    let remove = Rc::clone(&last);
    let _first = channel.on_message(move |_| drop(remove.take()));
    let (heard, hear) = notes();
    last.replace(Some(channel.on_message(hear)));
    stage.last_socket().deliver(&frame("1"));
    assert_eq!(take(&heard), []);
}

#[wasm_bindgen_test]
async fn a_channel_is_ready_when_the_options_say_so() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    let mut ready = Box::pin(channel.ready());
    stage.pass(999.0);
    assert_eq!(poll(&mut ready), Poll::Pending);
    stage.pass(1.0);
    assert_eq!(poll(&mut ready), Poll::Ready(Ok(())));
    assert_eq!(poll(&mut Box::pin(channel.ready())), Poll::Ready(Ok(())));

    let signaling = Signaling::new(&Options {
        open_when: OpenWhen::Connected,
        open_delay: Some(Duration::from_millis(5)),
        ..server()
    })
    .unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    let mut ready = Box::pin(channel.ready());
    stage.pass(1_000.0);
    assert_eq!(poll(&mut ready), Poll::Pending);
    stage.last_socket().accept();
    // The session tells it with its next timeout.
    stage.pass(1.0);
    assert_eq!(poll(&mut ready), Poll::Ready(Ok(())));

    let channel = signaling.channel::<u8>("other").unwrap();
    let mut ready = Box::pin(channel.ready());
    assert_eq!(poll(&mut ready), Poll::Pending);
    channel.close();
    let Poll::Ready(Err(error)) = poll(&mut ready) else {
        panic!("it waits for a channel that is closed");
    };
    assert_eq!(error.kind(), ErrorKind::ChannelClosed);
}
