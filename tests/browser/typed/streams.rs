//! Streams of messages and of states.

use super::{Stage, connected, frame, notes, server, settle, spawn, take};
use futures_core::Stream;
use signal_wasm::{Error, ErrorKind, Signaling, State};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wasm_bindgen_test::wasm_bindgen_test;

/// Polls once.
fn poll_next<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

/// All items until the end.
async fn collect<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    let mut items = Vec::new();
    while let Some(item) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        items.push(item);
    }
    items
}

#[wasm_bindgen_test]
async fn messages_come_in_order_and_wake_the_task() {
    let stage = Stage::set().await;
    let (_signaling, channel) = connected::<u8>(&stage);
    let socket = stage.last_socket();
    socket.deliver(&frame("0"));
    let collected = spawn(collect(channel.messages()));
    settle().await;
    socket.deliver(&frame("1"));
    socket.deliver(&frame("\"two\""));
    settle().await;
    socket.deliver(&frame("3"));
    settle().await;
    assert!(take(&collected).is_empty());
    channel.close();
    settle().await;
    let items = take(&collected).remove(0);
    let kinds: Vec<_> = (items.into_iter())
        .map(|item| item.map_err(|error| error.kind()))
        .collect();
    assert_eq!(kinds, [Ok(1), Err(ErrorKind::BadMessage), Ok(3)]);
}

#[wasm_bindgen_test]
async fn a_stream_ends_with_what_it_comes_from() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage);
    let other = signaling.channel::<u8>("other").unwrap();
    let third = signaling.channel::<u8>("third").unwrap();
    let mut first = channel.messages();
    let dropped = spawn(collect(channel.messages()));
    let closed = spawn(collect(other.messages()));
    let with_signaling = spawn(collect(third.messages()));
    stage.last_socket().deliver(&frame("1"));
    drop(channel);
    other.close();
    settle().await;
    assert_eq!(take(&dropped), [[Ok(1)]]);
    assert_eq!(take(&closed), [[]]);
    assert!(take(&with_signaling).is_empty());
    // What is in the buffer comes before the end.
    assert_eq!(poll_next(&mut first), Poll::Ready(Some(Ok(1))));
    assert_eq!(poll_next(&mut first), Poll::Ready(None));
    signaling.close();
    settle().await;
    assert_eq!(take(&with_signaling), [[]]);
    assert_eq!(poll_next(&mut third.messages()), Poll::Ready(None));
}

#[wasm_bindgen_test]
async fn a_stream_that_is_behind_says_where_messages_are_missing() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u32>(&stage);
    let (errors, note) = notes();
    let _errors = signaling.on_error(move |error: &Error| note(error.kind()));
    let mut behind = channel.messages();
    let socket = stage.last_socket();
    for number in 0..1_000 {
        socket.deliver(&frame(&number.to_string()));
    }
    assert_eq!(take(&errors), []);
    for number in 1_000..1_003 {
        socket.deliver(&frame(&number.to_string()));
    }
    assert_eq!(take(&errors), [ErrorKind::BufferFull]);
    let Poll::Ready(Some(Err(error))) = poll_next(&mut behind) else {
        panic!("it doesn't say that messages are missing");
    };
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert!(error.to_string().contains("'room'"), "{error}");
    assert!(error.to_string().contains("(3 so far)"), "{error}");
    channel.close();
    let left = collect(behind).await;
    assert_eq!(left, (3..1_003).map(Ok).collect::<Vec<_>>());
}

#[wasm_bindgen_test]
async fn a_stream_that_is_dropped_hears_nothing_more() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u32>(&stage);
    let (errors, note) = notes();
    let _errors = signaling.on_error(move |error: &Error| note(error.kind()));
    let task = Box::pin(collect(channel.messages()));
    drop(task);
    drop(channel.messages());
    for number in 0..1_001 {
        stage.last_socket().deliver(&frame(&number.to_string()));
    }
    assert_eq!(take(&errors), []);
}

#[wasm_bindgen_test]
async fn states_begin_with_the_present_one_and_end_with_closed() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let all = spawn(collect(signaling.states()));
    settle().await;
    let _channel = signaling.channel::<u8>("room").unwrap();
    settle().await;
    stage.last_socket().accept();
    // Before the task runs: it sees the latest.
    signaling.disconnect();
    drop(signaling.connect());
    settle().await;
    signaling.close();
    settle().await;
    let states: Vec<_> = take(&all)
        .remove(0)
        .iter()
        .map(|change| change.state)
        .collect();
    assert_eq!(
        states,
        [
            State::Idle,
            State::Connecting,
            State::Connecting,
            State::Closed
        ]
    );
    assert_eq!(collect(signaling.states()).await.len(), 1);
}
