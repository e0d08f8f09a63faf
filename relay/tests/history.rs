//! Against a model that forgets nothing, the history replays what its limits keep, and reports a
//! gap exactly when messages of others are missing. A channel that nobody had open may have a gap
//! too many, and never one too few; so may a whole space.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use signal_relay::Config;
use signal_relay::address::ClientAddress;
use signal_relay::hub::Hub;
use signal_relay::hub::budget::Budget;
use signal_relay::hub::frame::Frame;
use signal_relay::hub::history::{
    History, Limits, Message, OVERHEAD, OpenChannel, RECORD, SPACE, Since, Stats,
};
use signal_relay::hub::ids::MessageId;
use tokio::time::Instant;

const LIMITS: Limits = Limits {
    messages: 5,
    bytes: 100,
    age: Duration::from_millis(1000),
    // The store's, which looks at all histories.
    total: usize::MAX,
};
/// The first two are open all the time, the others never.
const CHANNELS: usize = 4;
const PUBLISHERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Publish {
        channel: usize,
        from: usize,
        length: usize,
    },
    Wait(u64),
    /// An address gives so many bytes back.
    Evict {
        from: usize,
        bytes: usize,
    },
    Open {
        channel: usize,
        reader: usize,
        back: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..CHANNELS, 0..PUBLISHERS, 0..60_usize)
            .prop_map(|(channel, from, length)| Step::Publish { channel, from, length }),
        1 => (0..700_u64).prop_map(Step::Wait),
        1 => (0..PUBLISHERS, 0..3 * OVERHEAD).prop_map(|(from, bytes)| Step::Evict { from, bytes }),
        4 => (0..CHANNELS, 0..PUBLISHERS, 0..12_u64)
            .prop_map(|(channel, reader, back)| Step::Open { channel, reader, back }),
    ]
}

struct Published {
    id: u64,
    channel: usize,
    from: usize,
    text: String,
    at: Instant,
    kept: bool,
}

fn address(number: u8) -> ClientAddress {
    ClientAddress::new(std::net::Ipv4Addr::new(192, 0, 2, number).into())
}

fn drop_first(log: &mut [Published], of: impl Fn(&Published) -> bool) {
    log.iter_mut()
        .find(|message| message.kept && of(message))
        .expect("something is over the bound")
        .kept = false;
}

fn opening(channel: &Arc<str>, since: Since, hold: bool) -> OpenChannel {
    OpenChannel {
        channel: Arc::clone(channel),
        since,
        seen: MessageId(0),
        hold,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_replayed_and_what_is_not_is_told(steps in vec(step(), 1..80)) {
        let hub = Hub::in_memory(Config::default().hub_limits()).unwrap();
        let publishers: Vec<_> = (0..PUBLISHERS).map(|_| hub.new_publisher()).collect();
        let space: Arc<str> = "/".into();
        let budget = Budget::new(usize::MAX);
        // The first two publishers share an address.
        let accounts: Vec<_> = [1, 1, 2].map(|number| budget.account(Some(&space), address(number))).into();
        let channels: Vec<Arc<str>> = (0..CHANNELS).map(|number| number.to_string().into()).collect();
        let mut history = History::new(LIMITS);
        let mut now = Instant::now();
        for channel in &channels[..2] {
            let replay = history.open(&space, &opening(channel, Since::Now, true), publishers[0], MessageId(0));
            prop_assert!(!replay.gap && replay.frames.is_empty());
        }
        let mut log: Vec<Published> = Vec::new();
        let mut last = 0;
        for step in steps {
            match step {
                Step::Publish { channel, from, length } => {
                    last += 1;
                    let text = format!("{last}{}", "x".repeat(length));
                    history.keep(&space, &channels[channel], Message {
                        id: MessageId(last),
                        from: publishers[from],
                        account: accounts[from].clone(),
                        frame: Frame::from(text.as_str()),
                    }, now);
                    log.push(Published { id: last, channel, from, text, at: now, kept: true });
                    loop {
                        let mine = log.iter().filter(|message| message.kept && message.channel == channel);
                        let (count, bytes) = mine.fold((0, 0), |(count, bytes), message| (count + 1, bytes + message.text.len()));
                        if count <= LIMITS.messages && bytes <= LIMITS.bytes {
                            break;
                        }
                        drop_first(&mut log, |message| message.channel == channel);
                    }
                }
                Step::Wait(milliseconds) => {
                    now += Duration::from_millis(milliseconds);
                    history.evict_expired(now);
                    for message in log.iter_mut().filter(|message| now - message.at >= LIMITS.age) {
                        message.kept = false;
                    }
                }
                Step::Evict { from, bytes } => {
                    let owner = accounts[from].owner();
                    let mine = |message: &&mut Published| message.kept && accounts[message.from].owner() == owner;
                    let mut freed = 0;
                    for message in log.iter_mut().filter(mine) {
                        if freed >= bytes {
                            break;
                        }
                        freed += message.text.len() + OVERHEAD;
                        message.kept = false;
                    }
                    prop_assert!(history.evict(owner, bytes) >= freed);
                }
                Step::Open { channel, reader, back } => {
                    let after = last.saturating_sub(back);
                    let since = Since::After(MessageId(after));
                    let replay = history.open(&space, &opening(&channels[channel], since, false), publishers[reader], MessageId(last));
                    let missed = || log.iter().filter(|message| message.channel == channel && message.id > after && message.from != reader);
                    let wanted: Vec<_> = missed().filter(|message| message.kept).map(|message| &*message.text).collect();
                    prop_assert_eq!(replay.frames.iter().map(Frame::as_str).collect::<Vec<_>>(), wanted);
                    let lost = missed().any(|message| !message.kept);
                    prop_assert!(replay.gap || !lost, "a gap that isn't told, after {}", after);
                    if channel < 2 {
                        prop_assert_eq!(replay.gap, lost, "after {}", after);
                    }
                    // The whole space, for a reader that can't say which channels it has open.
                    let replay = history.read(&space, Since::After(MessageId(after)), publishers[reader], MessageId(last));
                    let missed = || log.iter().filter(|message| message.id > after && message.from != reader);
                    let wanted: Vec<_> = missed().filter(|message| message.kept).map(|message| &*message.text).collect();
                    prop_assert_eq!(replay.frames.iter().map(Frame::as_str).collect::<Vec<_>>(), wanted);
                    prop_assert!(replay.gap || missed().all(|message| message.kept), "a gap that isn't reported");
                }
            }
            let kept = || log.iter().filter(|message| message.kept);
            let mut there: Vec<_> = kept().map(|message| message.channel).chain([0, 1]).collect();
            there.sort_unstable();
            there.dedup();
            let mut recorded: Vec<_> = kept().map(|message| message.channel).collect();
            recorded.sort_unstable();
            recorded.dedup();
            // The names of the channels and of the space have a byte each; the latter is there twice.
            let names = recorded.len() * (RECORD + 1) + if recorded.is_empty() { 0 } else { SPACE + 2 };
            let bytes = kept().map(|message| message.text.len() + OVERHEAD).sum::<usize>() + names;
            prop_assert_eq!(history.stats(), Stats {
                channels: there.len(),
                messages: kept().count(),
                bytes,
            });
            prop_assert_eq!(budget.used().total(), bytes);
            let uses = history.uses();
            prop_assert_eq!(uses.iter().map(|(_, bytes)| bytes).sum::<usize>(), bytes);
            for (owner, bytes) in uses {
                prop_assert_eq!(budget.account(owner.space.as_ref(), owner.address).used().total(), bytes);
            }
        }
        // When all is closed and old, nothing is left.
        for channel in &channels[..2] {
            history.close(&space, channel);
        }
        history.evict_expired(now + LIMITS.age);
        prop_assert_eq!(history.stats(), Stats::default());
        prop_assert_eq!(budget.used().total(), 0);
    }
}
