//! Nothing lost: sessions, a network and a server in virtual time, and thousands of schedules of
//! faults.
//!
//! What's tested, with pages of every kind on a model of our relay:
//! * while the relay lives each message arrives once and in order; what a channel's history or a
//!   relay's death took is reported as a gap
//! * what was sent is published, or reported as dropped; marks of the outbox are reached only then;
//!   the outbox keeps its bounds
//! * never more than one socket; always a next timeout, unless nothing is to happen; after the
//!   faults stop everything arrives
//!
//! And on servers of the other protocols: order, bounds, one socket, timeouts, and that the page
//! reconnects.
//!
//! `LOSSLESS_CASES` sets how many schedules, `LOSSLESS_SEED` which; `LOSSLESS_LOG` prints what
//! happens. A failure prints its seed and its smallest schedule.
//!
//! * `lossless/client.rs`: a page, and what must happen to its messages
//! * `lossless/relay.rs`: the model of our relay; `lossless/broker.rs`: the other servers
//! * `lossless/world.rs`: what happens, and when; `network.rs`, `pages.rs`, `faults.rs`: the line,
//!   both its ends, and what goes wrong; `expectations.rs`: what ought to arrive
#![cfg(not(target_arch = "wasm32"))]
#![cfg(all(
    feature = "relay",
    feature = "socket-io",
    feature = "signalr",
    feature = "signalr-classic"
))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "lossless/broker.rs"]
mod broker;
#[path = "lossless/client.rs"]
mod client;
#[path = "lossless/expectations.rs"]
mod expectations;
#[path = "lossless/faults.rs"]
mod faults;
#[path = "lossless/network.rs"]
mod network;
#[path = "lossless/pages.rs"]
mod pages;
#[path = "lossless/relay.rs"]
mod relay;
mod support;
#[path = "lossless/world.rs"]
mod world;

use broker::Broker;
use faults::Op;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config as Proptest, RngSeed, TestRunner};
use relay::Relay;
use signal_wasm::session::{Bounds, Overflow};
use std::cell::RefCell;
use support::page::Setup;
use world::{Server, Tally, World};

/// A page, when what happens to it, and what that is.
type Schedule = Vec<(u8, u16, Op)>;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

fn runner(cases: u32) -> (TestRunner, u64) {
    let seed = number("LOSSLESS_SEED").unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos() as u64)
    });
    let runner = TestRunner::new(Proptest {
        cases: number("LOSSLESS_CASES").map_or(cases, |cases| cases as u32),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 20_000,
        ..Proptest::default()
    });
    (runner, seed)
}

fn times() -> impl Strategy<Value = u16> {
    prop_oneof![
        2 => Just(0),
        4 => 1..60u16,
        4 => 60..1_000u16,
        2 => 1_000..20_000u16,
        1 => 20_000..60_000u16,
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let later = || prop::option::weighted(0.6, 0..2_000u16);
    prop_oneof![
        20 => (0..4u8, 1..4u8, 0..4u8, prop::option::weighted(0.15, 1..5_000u16))
            .prop_map(|(channel, count, pad, ttl)| Op::Send { channel, count, pad, ttl }),
        2 => (0..4u8, 5..30u8).prop_map(|(channel, count)| Op::Send { channel, count, pad: 30, ttl: None }),
        5 => (0..4u8).prop_map(Op::Open),
        3 => (0..4u8).prop_map(Op::Close),
        2 => (0..4u8).prop_map(Op::Reopen),
        3 => Just(Op::Flush),
        6 => (later(), later()).prop_map(|(page, server)| Op::Cut { page, server }),
        3 => any::<(bool, bool)>().prop_map(|(up, down)| Op::Stall { up, down }),
        3 => Just(Op::GoOn),
        2 => select(vec![1000, 1001, 1006, 1011, 1012, 1013, 4008, 4012, 1002, 1009]).prop_map(Op::Shut),
        1 => (1..4u8, any::<bool>()).prop_map(|(attempts, hang)| Op::Refuse { attempts, hang }),
        1 => (1..120_000u32).prop_map(Op::Sleep),
        1 => (1..120_000u32).prop_map(Op::Throttle),
        2 => Just(Op::TimeOut),
        2 => Just(Op::Hide),
        2 => Just(Op::Show),
        1 => Just(Op::Online),
        1 => Just(Op::Offline),
        1 => Just(Op::LoseTwice),
        1 => Just(Op::OpenAgain),
        1 => Just(Op::Stale),
        1 => (0..40_000u16).prop_map(Op::Kill),
    ]
}

fn schedules() -> impl Strategy<Value = Schedule> {
    prop::collection::vec((any::<u8>(), times(), ops()), 0..70)
}

fn setup(protocol: &'static str, outbox: Bounds) -> Setup {
    // Of Socket.IO the path would be the namespace.
    let mut setup = Setup::new(protocol, "ws://h/");
    setup.config.outbox = outbox;
    setup
}

fn bounds() -> impl Strategy<Value = Bounds> {
    prop_oneof![
        3 => Just(Bounds { overflow: Overflow::Throw, ..Bounds::default() }),
        1 => (1..20usize, 100..2_000usize).prop_map(|(messages, bytes)| Bounds { messages, bytes, overflow: Overflow::Throw }),
    ]
}

fn play(mut world: World, pages: usize, schedule: &Schedule) -> Tally {
    for place in 0..pages {
        world.apply(place as u8, &Op::Open(0));
        if place % 2 == 0 {
            world.apply(place as u8, &Op::Open(1));
        }
    }
    for (place, time, op) in schedule {
        world.run(world.now + f64::from(*time));
        world.apply(*place, op);
    }
    world.finish();
    world.tally
}

/// Plays what `input` gives, about so many times, and adds up how often things happened, so that a
/// check which was never made is seen.
fn plays<S: Strategy>(cases: u32, input: &S, one: impl Fn(S::Value) -> Tally) -> Tally {
    let (mut runner, seed) = runner(cases);
    let tally = RefCell::default();
    let ran = runner.run(input, |drawn| {
        sum(&tally, one(drawn));
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("LOSSLESS_SEED={seed}\n{failure}");
    }
    let tally: Tally = tally.into_inner();
    eprintln!("LOSSLESS_SEED={seed} {tally:?}");
    tally
}

fn sum(all: &RefCell<Tally>, one: Tally) {
    let mut all = all.borrow_mut();
    all.delivered += one.delivered;
    all.gaps += one.gaps;
    all.dropped += one.dropped;
    all.again += one.again;
    all.deaths += one.deaths;
    all.faults += one.faults;
    all.flushed += one.flushed;
    all.connects += one.connects;
}

#[test]
fn through_our_relay_nothing_is_lost_or_repeated_silently() {
    let kinds = prop::collection::vec(
        prop_oneof![
            5 => Just("auto"),
            4 => Just("relay"),
            1 => Just("websocket"),
        ],
        2..4,
    );
    let history = prop_oneof![1 => 0..12usize, 2 => Just(10_000)];
    let pings = select(vec![2_000u64, 25_000]);
    let relays = (1..=2u64, history, pings);
    let input = (kinds, bounds(), relays, any::<u64>(), schedules());
    let play_one = |(kinds, outbox, (version, bound, ping), seed, schedule): (
        Vec<&'static str>,
        _,
        _,
        _,
        _,
    )| {
        let relay = Relay::new(version, bound, ping);
        let setups: Vec<_> = kinds.iter().map(|kind| setup(kind, outbox)).collect();
        let pages = setups.len();
        play(
            World::new(Server::Relay(relay), setups, seed),
            pages,
            &schedule,
        )
    };
    let Tally {
        delivered,
        gaps,
        dropped,
        again,
        deaths,
        faults,
        flushed,
        connects,
    } = plays(900, &input, play_one);
    for (what, count) in [
        ("delivered", delivered),
        ("gaps", gaps),
        ("dropped", dropped),
        ("sent again to another relay", again),
        ("deaths", deaths),
        ("faults", faults),
        ("flushed", flushed),
        ("connects", connects),
    ] {
        assert!(count > 0, "the schedules never came to this: {what}");
    }
}

#[test]
fn through_other_servers_order_and_bounds_are_kept_and_the_page_reconnects() {
    let protocols = select(vec![
        ("websocket", "websocket"),
        ("websocket", "auto"),
        ("socket.io", "socket.io"),
        ("signalr", "signalr"),
        ("signalr-classic", "signalr-classic"),
    ]);
    let input = (protocols, 1..4usize, bounds(), any::<u64>(), schedules());
    let tally = plays(
        500,
        &input,
        |((server, protocol), pages, outbox, seed, schedule)| {
            let setups = vec![setup(protocol, outbox); pages];
            let world = World::new(Server::Broker(Broker::new(server)), setups, seed);
            play(world, pages, &schedule)
        },
    );
    assert!(tally.delivered > 0 && tally.faults > 0 && tally.flushed > 0 && tally.connects > 0);
    assert_eq!(tally.gaps, 0, "no server reports a gap here");
}

/// Schedules that once failed.
#[test]
fn what_was_found_stays_mended() {
    let send = |count, pad| Op::Send {
        channel: 0,
        count,
        pad,
        ttl: None,
    };
    let cut = |page| Op::Cut { page, server: None };
    let stall = |up, down| Op::Stall { up, down };
    let both = vec!["auto", "auto"];
    let schedules: [(_, _, _, Schedule); 4] = [
        // The first frames of a connection that come when a newer one has resumed its session.
        (
            both.clone(),
            (0, 2_000),
            108399347057725563,
            vec![
                (7, 0, stall(true, false)),
                (0, 8505, Op::Close(2)),
                (11, 33, Op::Open(1)),
                (0, 1940, Op::Reopen(0)),
                (181, 511, Op::Hide),
                (0, 0, Op::Throttle(1)),
                (
                    162,
                    0,
                    Op::Send {
                        channel: 1,
                        count: 1,
                        pad: 0,
                        ttl: None,
                    },
                ),
            ],
        ),
        // A relay whose hello is late, once, is still a relay: what it hasn't acknowledged must
        // not go out as to another server.
        (
            both.clone(),
            (0, 25_000),
            83160987710793183,
            vec![
                (0, 0, cut(None)),
                (0, 33528, send(10, 30)),
                (0, 39, cut(Some(309))),
                (0, 745, stall(false, true)),
                (0, 10_000, send(1, 0)),
            ],
        ),
        // A channel that is closed and opened again on a connection that is gone, though neither
        // side knows: earlier messages aren't replayed.
        (
            both.clone(),
            (3, 2_000),
            0,
            vec![
                (1, 0, send(1, 0)),
                (0, 392, cut(None)),
                (0, 0, Op::Reopen(0)),
            ],
        ),
        // The unacknowledged messages of a hidden page.
        (
            both,
            (0, 2_000),
            0,
            vec![
                (0, 97, send(1, 0)),
                (0, 35, cut(None)),
                (0, 0, send(1, 0)),
                (0, 0, Op::Hide),
            ],
        ),
    ];
    let versions = [1, 2].into_iter();
    for (version, (kinds, (bound, ping), seed, schedule)) in
        versions.flat_map(|version| schedules.iter().map(move |schedule| (version, schedule)))
    {
        let setups: Vec<_> = kinds
            .iter()
            .map(|kind| setup(kind, Bounds::default()))
            .collect();
        let pages = setups.len();
        let relay = Relay::new(version, *bound, *ping);
        play(
            World::new(Server::Relay(relay), setups, *seed),
            pages,
            schedule,
        );
    }
}
