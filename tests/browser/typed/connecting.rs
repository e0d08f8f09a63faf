//! Connecting and its states; errors that no call returns; frames.

use super::{Stage, connected, frame, notes, poll, ready, server, settle, spawn, take};
use gloo_timers::future::TimeoutFuture;
use signal_wasm::{
    Channel, Error, ErrorKind, FrameData, FrameKind, Options, ProtocolKind, Reconnect, Signaling,
    State,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn states_and_errors_come_to_their_handlers() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let (states, note) = notes();
    let _states = signaling.on_state_change(move |change| note(change.clone()));
    let (errors, note) = notes();
    let _errors = signaling.on_error(move |error: &Error| note(error.kind()));
    assert_eq!(signaling.state(), State::Idle);
    let _channel = signaling.channel::<u8>("room").unwrap();
    stage.last_socket().accept();
    stage.last_socket().deliver("no envelope");
    stage.last_socket().end(1006);
    let State::Waiting {
        retry_in: Some(retry_in),
    } = signaling.state()
    else {
        panic!("{:?}", signaling.state());
    };
    assert!(retry_in <= Duration::from_millis(500), "{retry_in:?}");
    signaling.reconnect().unwrap();
    stage.last_socket().accept();
    stage.last_socket().end(4500);
    let seen = take(&states);
    let kinds: Vec<_> = seen.iter().map(|change| change.state).collect();
    assert_eq!(
        kinds,
        [
            State::Connecting,
            State::Open,
            State::Waiting {
                retry_in: Some(retry_in)
            },
            State::Connecting,
            State::Open,
            State::Closed
        ]
    );
    assert_eq!(seen[2].code, Some(1006));
    assert_eq!(seen[2].reason, "the connection was lost");
    assert_eq!(seen[5].code, Some(4500));
    assert_eq!(
        take(&errors),
        [ErrorKind::BadFrame, ErrorKind::ConnectionFailed]
    );
    let stats = signaling.stats();
    assert_eq!((stats.connects, stats.reconnects, stats.bad), (2, 1, 1));
    assert_eq!((stats.protocol, stats.round_trip), (None, None));
}

#[wasm_bindgen_test]
async fn a_handler_is_removed_when_its_subscription_is_dropped() {
    let stage = Stage::set().await;
    let (signaling, _channel) = connected::<u8>(&stage);
    let (states, note) = notes();
    let subscription = signaling.on_state_change(move |change| note(change.state));
    signaling.disconnect();
    drop(subscription);
    signaling.close();
    assert_eq!(take(&states), [State::Idle]);
}

#[wasm_bindgen_test]
async fn connect_disconnect_and_reconnect() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let mut connected = Box::pin(signaling.connected());
    assert_eq!(poll(&mut connected), Poll::Pending);
    assert_eq!(signaling.state(), State::Idle);
    let done = spawn(signaling.connect());
    assert_eq!(signaling.state(), State::Connecting);
    settle().await;
    assert_eq!(take(&done), []);
    stage.last_socket().accept();
    settle().await;
    assert_eq!(take(&done), [Ok(())]);
    assert_eq!(poll(&mut connected), Poll::Ready(Ok(())));
    assert_eq!(ready(signaling.connected()), Ok(()));

    let channel = signaling.channel::<u8>("room").unwrap();
    signaling.disconnect();
    assert_eq!(signaling.state(), State::Idle);
    channel.send(&1).unwrap();
    stage.pass(60_000.0);
    assert_eq!(signaling.state(), State::Idle);
    signaling.reconnect().unwrap();
    assert_eq!(signaling.state(), State::Connecting);
    stage.last_socket().accept();
    assert_eq!(stage.last_socket().take_frames().len(), 1);

    let mut closed = Box::pin(signaling.closed());
    assert_eq!(poll(&mut closed), Poll::Pending);
    signaling.close();
    let Poll::Ready(end) = poll(&mut closed) else {
        panic!("it isn't closed");
    };
    assert_eq!((end.state, end.code), (State::Closed, None));
    assert_eq!(end.reason, "closed by the page");
    for end in [
        signaling.reconnect(),
        ready(signaling.connect()),
        ready(signaling.connected()),
    ] {
        assert_eq!(end.unwrap_err().kind(), ErrorKind::SignalingClosed);
    }
    assert_eq!(ready(signaling.closed()).state, State::Closed);
}

#[wasm_bindgen_test]
async fn waiting_for_a_connection_ends_with_the_signaling() {
    let _stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let waiting = spawn(signaling.connect());
    let channel = signaling.channel::<u8>("room").unwrap();
    channel.send(&1).unwrap();
    let flushed = spawn(signaling.flushed());
    settle().await;
    signaling.close();
    settle().await;
    for ended in [take(&waiting), take(&flushed)].concat() {
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::SignalingClosed);
    }
}

#[wasm_bindgen_test]
async fn waiting_for_a_connection_that_fails_tells_why() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let waiting = spawn(signaling.connect());
    settle().await;
    stage.last_socket().end(4500);
    settle().await;
    for outcome in [take(&waiting).remove(0), ready(signaling.connected())] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionFailed);
        assert!(error.to_string().contains("lost for good"), "{error}");
    }
}

#[wasm_bindgen_test]
async fn a_future_that_is_polled_inside_a_handler_knows_the_present_state() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage);
    let (outcomes, note) = notes();
    let inside = signaling.clone();
    let _messages = channel.on_message(move |_| {
        inside.disconnect();
        note(poll(&mut Box::pin(inside.connected())));
    });
    stage.last_socket().deliver(&frame("1"));
    assert_eq!(take(&outcomes), [Poll::Pending]);
}

#[wasm_bindgen_test]
async fn it_is_closed_when_nothing_of_it_is_left() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage);
    let socket = stage.last_socket();
    drop(signaling);
    channel.send(&1).unwrap();
    assert_eq!(socket.take_frames().len(), 1);
    assert_eq!(socket.ready_state(), OPEN);
    drop(channel);
    assert_ne!(socket.ready_state(), OPEN);
}

const OPEN: u16 = 1;

#[wasm_bindgen_test]
async fn a_handler_may_close_and_drop_the_signaling() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let own = Rc::new(RefCell::new(None::<(Signaling, Channel<u8>)>));
    let inside = Rc::clone(&own);
    signaling
        .on_state_change(move |change| {
            if change.state == State::Open {
                drop(inside.take());
            }
        })
        .forget();
    let channel = signaling.channel("room").unwrap();
    own.replace(Some((signaling, channel)));
    let socket = stage.last_socket();
    socket.accept();
    assert!(own.borrow().is_none());
    assert_ne!(socket.ready_state(), OPEN);
}

#[wasm_bindgen_test]
async fn frames_are_shown_while_somebody_looks() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage);
    let socket = stage.last_socket();
    let (seen, note) = notes();
    let subscription = signaling.on_frame(move |frame| {
        let FrameData::Text(text) = &frame.data else {
            panic!("{frame:?}");
        };
        note((frame.kind, text.clone()));
    });
    channel.send(&1).unwrap();
    socket.deliver(&frame("2"));
    assert_eq!(signaling.stats().protocol, Some(ProtocolKind::WebSocket));
    drop(subscription);
    socket.deliver(&frame("3"));
    let sent = socket.take_frames().remove(0);
    assert_eq!(
        take(&seen),
        [(FrameKind::Sent, sent), (FrameKind::Delivered, frame("2"))]
    );
    let (seen, note) = notes();
    signaling.on_frame(move |frame| note(frame.kind)).forget();
    socket.deliver(&frame("4"));
    assert_eq!(take(&seen), [FrameKind::Delivered]);
}

#[wasm_bindgen_test]
async fn it_reconnects_in_real_time() {
    let stage = Stage::set_in_real_time().await;
    let soon = Some(Duration::from_millis(1));
    let signaling = Signaling::new(&Options {
        reconnect: Reconnect {
            base: soon,
            cap: soon,
            ..Reconnect::default()
        },
        ..server()
    })
    .unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    stage.last_socket().accept();
    stage.last_socket().end(1006);
    assert!(matches!(signaling.state(), State::Waiting { .. }));
    channel.send(&1).unwrap();
    // How long that takes is the browser's business; that it comes is ours.
    while matches!(signaling.state(), State::Waiting { .. }) {
        TimeoutFuture::new(1).await;
    }
    stage.last_socket().accept();
    assert_eq!(signaling.state(), State::Open);
    assert_eq!(stage.last_socket().take_frames().len(), 1);
    // A timer of the browser's would be left to tests that have another clock, and can't clear it.
    signaling.close();
}
