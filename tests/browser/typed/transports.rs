//! Transports that are written in Rust.

use super::{Stage, frame, notes, settle, take};
use signal_wasm::{
    Carrier, ErrorKind, NotSent, Options, Sending, Signaling, State, Transport, TransportEvents,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// A transport as a test needs it: what it was given, and what it answers.
#[derive(Clone, Default)]
struct Wire(Rc<Ends>);

#[derive(Default)]
struct Ends {
    events: RefCell<Option<TransportEvents>>,
    sent: RefCell<Vec<String>>,
    answers: RefCell<Vec<Result<Sending, NotSent>>>,
    closes: Cell<u32>,
}

impl Wire {
    fn events(&self) -> TransportEvents {
        self.0.events.borrow().clone().unwrap()
    }

    fn signaling(&self) -> Signaling {
        Signaling::new(&Options {
            transport: Some(Transport::new(self.clone())),
            ..Options::default()
        })
        .unwrap()
    }
}

impl Carrier for Wire {
    fn open(&self, events: TransportEvents) {
        self.0.events.replace(Some(events));
    }

    fn send(&self, text: String) -> Result<Sending, NotSent> {
        self.0.sent.borrow_mut().push(text);
        self.0
            .answers
            .borrow_mut()
            .pop()
            .unwrap_or(Ok(Sending::Done))
    }

    fn close(&self) {
        self.0.closes.set(self.0.closes.get() + 1);
    }
}

#[wasm_bindgen_test]
async fn it_carries_messages_both_ways_and_is_opened_again() {
    let stage = Stage::set().await;
    let wire = Wire::default();
    let signaling = wire.signaling();
    let channel = signaling.channel::<u8>("room").unwrap();
    let (heard, hear) = notes();
    let _messages = channel.on_message(hear);
    channel.send(&1).unwrap();
    assert_eq!(signaling.state(), State::Connecting);
    let first = wire.events();
    first.opened();
    assert_eq!(signaling.state(), State::Open);
    first.received(&frame("2"));
    assert_eq!(take(&heard), [Ok(2)]);
    first.closed("the cable was cut");
    assert!(matches!(signaling.state(), State::Waiting { .. }));
    stage.pass(500.0);
    wire.events().opened();
    assert_eq!(signaling.state(), State::Open);
    assert_eq!(take(&wire.0.sent).len(), 1);
    first.received(&frame("3"));
    assert_eq!(take(&heard), []);
    let closes = wire.0.closes.get();
    signaling.close();
    assert_eq!(wire.0.closes.get(), closes + 1);
}

#[wasm_bindgen_test]
async fn what_it_does_not_take() {
    let _stage = Stage::set().await;
    let wire = Wire::default();
    let signaling = wire.signaling();
    let (errors, note) = notes();
    let _errors = signaling.on_error(move |error| note((error.kind(), error.to_string())));
    let channel = signaling.channel::<u8>("room").unwrap();
    wire.events().opened();
    let refused = || NotSent::Refused("too early".into());
    wire.0.answers.borrow_mut().push(Err(refused()));
    channel.send(&1).unwrap();
    let later = Box::pin(async move { Err(refused()) });
    wire.0
        .answers
        .borrow_mut()
        .push(Ok(Sending::Pending(later)));
    channel.send(&2).unwrap();
    settle().await;
    for (kind, text) in take(&errors) {
        assert_eq!(kind, ErrorKind::MessageRefused);
        assert!(text.contains("'too early'"), "{text}");
    }
    assert_eq!(signaling.state(), State::Open);
    wire.0.answers.borrow_mut().push(Err(NotSent::Lost));
    channel.send(&3).unwrap();
    assert!(matches!(signaling.state(), State::Waiting { .. }));
    assert_eq!(signaling.stats().queued, 1);
}
