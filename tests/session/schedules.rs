//! Random schedules of what a page, a network and a clock do.
//!
//! What's tested:
//! * every message accepted goes out exactly once and in order, or is reported lost; the outbox's
//!   bounds
//! * states: legal changes only, never more than one socket, a timeout exactly when one is needed
//! * readiness: once for each opening, when it is due, never within `open`, never after its closing
//! * messages that come in: for the latest opening of their channel, if that is open by then
//! * the backoff: its bounds, what resets it, which losses are final
//! * re-entrancy: a page that opens, sends and closes from within its handlers

use super::model::Tally;
use super::world::{NAMES, World};
use crate::support::cases;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Bounds, Config, OpenWhen, Overflow, ReconnectPolicy};
use std::cell::RefCell;

/// What happens.
#[derive(Debug, Clone)]
pub enum Op {
    Open(&'static str),
    CloseChannel(Index),
    Send(&'static str, usize),
    Close,
    Connected,
    /// Messages on these channels, before the page gets any of them.
    Receive(Vec<&'static str>),
    Lost(u16),
    Breaks,
    RefuseNextSocket,
    /// Time passes; the timer fires at its time, or late.
    Advance(Millis, bool),
    TimeOutEarly,
    TimeOutAgain,
    /// What the page does the next time that it is called.
    React(Box<Op>),
}

/// Mostly the same one, so that it is open more often than not.
fn names() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => Just(NAMES[0]), 1 => select(&NAMES[..])]
}

fn page_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => names().prop_map(Op::Open),
        4 => any::<Index>().prop_map(Op::CloseChannel),
        12 => (names(), 0..9usize).prop_map(|(name, size)| Op::Send(name, size)),
        1 => prop::bool::weighted(0.3).prop_map(|close| if close { Op::Close } else { Op::Open("a") }),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let codes = prop_oneof![
        25 => select(vec![1000u16, 1001, 1005, 1006, 1011, 1012, 3000, 3499, 4000, 4499]),
        1 => select(vec![3500u16, 3999, 4500, 4999]),
    ];
    let times = prop_oneof![
        2 => Just(0.0),
        3 => 0.0..30.0,
        4 => 200.0..1100.0,
        3 => 1000.0..6000.0,
        1 => 20_000.0..30_000.0,
    ];
    prop_oneof![
        24 => page_ops(),
        8 => Just(Op::Connected),
        3 => prop::collection::vec(names(), 1..4).prop_map(Op::Receive),
        5 => codes.prop_map(Op::Lost),
        2 => Just(Op::Breaks),
        10 => (times, any::<bool>()).prop_map(|(time, is_late)| Op::Advance(time, is_late)),
        2 => Just(Op::TimeOutEarly),
        1 => Just(Op::TimeOutAgain),
        4 => page_ops().prop_map(|op| Op::React(Box::new(op))),
        3 => Just(Op::React(Box::new(Op::Breaks))),
    ]
}

fn configs() -> impl Strategy<Value = Config> {
    (
        any::<bool>(),
        select(vec![None, Some(0.0), Some(250.0)]),
        50..130usize,
        (1..8usize, 20..300usize),
        (
            select(vec![1.0, 500.0]),
            select(vec![100.0, 20_000.0]),
            select(vec![0.0, 1.0, 3.0, f64::INFINITY, f64::INFINITY]),
        ),
    )
        .prop_map(
            |(is_connected, open_delay, max_message, (messages, bytes), (base, cap, attempts))| {
                Config {
                    open_delay,
                    open_when: if is_connected {
                        OpenWhen::Connected
                    } else {
                        OpenWhen::Timer
                    },
                    max_message,
                    outbox: Bounds {
                        messages,
                        bytes,
                        overflow: Overflow::Throw,
                    },
                    reconnect: ReconnectPolicy {
                        base,
                        cap,
                        attempts,
                    },
                    ..Config::default()
                }
            },
        )
}

/// A first channel, and then anything.
fn schedules() -> impl Strategy<Value = (Config, u64, Vec<Op>)> {
    let refused =
        prop::bool::weighted(0.15).prop_map(|refused| refused.then_some(Op::RefuseNextSocket));
    let ops = (refused, any::<Index>(), prop::collection::vec(ops(), 1..80)).prop_map(
        |(refused, at, mut ops)| {
            if let Some(op) = refused {
                ops.insert(at.index(ops.len()), op);
            }
            ops.insert(0, Op::Open(NAMES[0]));
            ops
        },
    );
    (configs(), any::<u64>(), ops)
}

#[test]
fn any_schedule_keeps_what_a_session_promises() {
    let total = RefCell::new(Vec::<Tally>::new());
    TestRunner::new(cases(2500))
        .run(&schedules(), |(config, seed, ops)| {
            let mut world = World::new(config, seed);
            for op in ops {
                world.perform(op);
                // A closed session stays closed; a few more inputs show it.
                if world.model.tally.inputs_when_closed > 5 {
                    break;
                }
            }
            world.finish_well();
            total.borrow_mut().push(world.model.tally);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let total = total.into_inner();
    for (what, of) in SEEN {
        let seen: u32 = total.iter().map(of).sum();
        println!("{what}: {seen}");
        assert!(seen >= 5, "{what}: seen {seen} times in all schedules");
    }
}

type Seen = (&'static str, fn(&Tally) -> u32);

const SEEN: [Seen; 25] = [
    ("ready", |tally| tally.ready),
    ("ready of superseded", |tally| tally.ready_of_superseded),
    ("closed before ready", |tally| tally.closed_before_ready),
    ("closed while due", |tally| tally.closed_while_due),
    ("sent in order", |tally| tally.sent_in_order),
    ("nested sends", |tally| tally.nested_sends),
    ("not taken", |tally| tally.not_taken),
    ("not taken, of several", |tally| tally.not_taken_of_several),
    ("delivered", |tally| tally.delivered),
    ("closed before delivery", |tally| {
        tally.closed_before_delivery
    }),
    ("full, messages", |tally| tally.full_messages),
    ("full, bytes", |tally| tally.full_bytes),
    ("too large", |tally| tally.too_large),
    ("channel closed", |tally| tally.channel_closed),
    ("reconnects", |tally| tally.reconnects),
    ("attempts reset", |tally| tally.attempts_reset),
    ("refused sockets", |tally| tally.refused_sockets),
    ("final codes", |tally| tally.final_codes),
    ("attempts used up", |tally| tally.attempts_used_up),
    ("closed with unsent", |tally| tally.closed_with_unsent),
    ("inputs when closed", |tally| tally.inputs_when_closed),
    ("early timeouts", |tally| tally.early_timeouts),
    ("late timeouts", |tally| tally.late_timeouts),
    ("early messages", |tally| tally.early_messages),
    ("ready by a message", |tally| tally.ready_by_message),
];
