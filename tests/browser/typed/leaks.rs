//! Nothing is kept of what is dropped.

use super::{Stage, connected, frame, poll, server, settle};
use crate::stage::{collect, held, kept_nothing};
use signal_wasm::{
    Carrier, NotSent, Options, Provided, Sending, Signaling, Transport, TransportEvents,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;
use wasm_bindgen_test::wasm_bindgen_test;

const ROUNDS: u32 = 10_000;

#[wasm_bindgen_test]
async fn channels_handlers_and_streams_leave_nothing_behind() {
    let stage = Stage::set().await;
    let (signaling, _channel) = connected::<u8>(&stage);
    let live = |rounds: u32| {
        for round in 0..rounds {
            let text = format!("round {round}");
            let channel = signaling.channel::<String>("other").unwrap();
            let stream = channel.messages();
            channel
                .on_message(move |message| assert!(message.is_ok(), "{text}"))
                .forget();
            channel.send(&"message".into()).unwrap();
            stage
                .last_socket()
                .deliver(r#"{"sender":17,"channel":"other","message":"m"}"#);
            stage.last_socket().take_frames();
            // Large, so that it shows.
            let large = "x".repeat(200);
            drop(signaling.on_state_change(move |_| panic!("{large}")));
            assert_eq!(poll(&mut Box::pin(channel.ready())), Poll::Pending);
            drop(stream);
        }
    };
    // So many messages a session keeps until a plain server can't close the connection over them.
    live(2_000);
    let before = held().await.unwrap();
    live(ROUNDS);
    kept_nothing(before, ROUNDS).await.unwrap();
    assert_eq!(signaling.stats().delivered, u64::from(ROUNDS) + 2_000);
}

#[wasm_bindgen_test]
async fn futures_that_are_dropped_leave_nothing_behind() {
    let _stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    let live = async |rounds: u32| {
        for round in 0..rounds {
            let mut published = Box::pin(channel.publish(&1));
            assert_eq!(poll(&mut published), Poll::Pending);
            assert_eq!(poll(&mut Box::pin(signaling.connected())), Poll::Pending);
            assert!(poll(&mut Box::pin(signaling.closed())).is_pending());
            drop(published);
            // The browser settles promises between tasks. Memory stays as large as it was at its peak.
            if round % 100 == 0 {
                settle().await;
            }
        }
    };
    live(2_000).await;
    let before = held().await.unwrap();
    live(ROUNDS).await;
    kept_nothing(before, ROUNDS).await.unwrap();
    assert_eq!(signaling.stats().queued, 0);
}

/// Also where a handler owns its signaling: `close` frees both.
#[wasm_bindgen_test]
async fn signalings_leave_nothing_behind() {
    let stage = Stage::set().await;
    let live = async |rounds: u32| {
        for _ in 0..rounds {
            let mut options = server();
            options.access_token = Some(Provided::value("token".into()));
            let signaling = Signaling::new(&options).unwrap();
            let channel = signaling.channel::<u8>("room").unwrap();
            let (owned, own) = (signaling.clone(), channel.clone());
            let answer = channel.clone();
            channel
                .on_message(move |_| answer.send(&1).unwrap())
                .forget();
            signaling
                .on_error(move |error| panic!("{error} {own:?} {owned:?}"))
                .forget();
            settle().await;
            stage.last_socket().accept();
            stage.last_socket().deliver(&frame("1"));
            assert_eq!(stage.last_socket().take_frames().len(), 1);
            signaling.close();
            stage.forget_sockets();
        }
    };
    live(200).await;
    let before = held().await.unwrap();
    live(1_000).await;
    kept_nothing(before, 1_000).await.unwrap();
}

/// A transport that remembers its events, as most do.
struct Loopback {
    events: RefCell<Option<TransportEvents>>,
    /// So that a leak shows.
    _large: Vec<u8>,
    /// Shared by all that there are.
    _one_more: Rc<()>,
}

impl Carrier for Loopback {
    fn open(&self, events: TransportEvents) {
        events.opened();
        self.events.replace(Some(events));
    }

    fn send(&self, text: String) -> Result<Sending, NotSent> {
        let events = self.events.borrow().clone().ok_or(NotSent::Lost)?;
        events.received(&text);
        Ok(Sending::Done)
    }
}

#[wasm_bindgen_test]
async fn transports_and_providers_leave_nothing_behind() {
    let _stage = Stage::set().await;
    let there = Rc::new(());
    let live = async |rounds: u32| {
        for round in 0..rounds {
            let token = "a-token-of-some-length".to_string();
            let signaling = Signaling::new(&Options {
                transport: Some(Transport::new(Loopback {
                    events: RefCell::default(),
                    _large: vec![0; 500],
                    _one_more: Rc::clone(&there),
                })),
                access_token: Some(Provided::from_fn(async move || {
                    Ok::<_, String>(token.clone())
                })),
                ..Options::default()
            })
            .unwrap();
            let channel = signaling.channel::<u8>("room").unwrap();
            settle().await;
            channel.send(&1).unwrap();
            assert_eq!(signaling.stats().own, 1);
            // What JavaScript has of them goes with its garbage.
            if round % 100 == 0 {
                collect().await.unwrap();
            }
        }
    };
    live(300).await;
    let before = held().await.unwrap();
    live(1_000).await;
    kept_nothing(before, 1_000).await.unwrap();
    // Until then they listen to the events of other tests.
    for _ in 0..100 {
        if Rc::strong_count(&there) == 1 {
            break;
        }
        collect().await.unwrap();
        settle().await;
    }
    assert_eq!(Rc::strong_count(&there), 1);
}
