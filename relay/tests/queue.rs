//! What's tested: the two bounds of a send queue, to the frame and to the byte, what an overflow
//! does, that waiting ends, and that who publishes without a pause gives way to those who are to
//! write it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use signal_relay::Config;
use signal_relay::address::ClientAddress;
use signal_relay::hub::audience::Audience;
use signal_relay::hub::budget::Budget;
use signal_relay::hub::frame::Frame;
use signal_relay::hub::queue::{self, Level, Limits, Receiver, Sender};
use signal_relay::hub::store::Content;
use signal_relay::hub::{self, Hub};
use tokio::time::timeout;

/// A wait that only a failing test makes full use of.
async fn soon(what: impl Future<Output = ()>) {
    timeout(Duration::from_secs(60), what)
        .await
        .expect("it never comes");
}

fn address() -> ClientAddress {
    ClientAddress::new(std::net::Ipv4Addr::LOCALHOST.into())
}

fn queue(limits: Limits) -> (Sender, Receiver) {
    let budget = Budget::new(usize::MAX);
    queue::queue(limits, budget.account(None, address()))
}

fn drain(queue: &mut Receiver) -> Vec<String> {
    std::iter::from_fn(|| queue.pop())
        .map(|frame| frame.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn the_frame_after_the_last_that_fits_overflows() {
    let (sender, mut receiver) = queue(Limits {
        frames: 4,
        bytes: 1000,
    });
    let levels: Vec<_> = (0..4)
        .map(|number| sender.push(Frame::from(number.to_string().as_str())))
        .collect();
    assert_eq!(levels, [Level::Low, Level::Low, Level::High, Level::High]);
    // Room for one is made, and taken again.
    assert_eq!(receiver.pop(), Some(Frame::from("0")));
    assert_eq!(sender.push(Frame::from("4")), Level::High);
    assert_eq!(sender.push(Frame::from("")), Level::Overflowed);
    soon(receiver.overflowed()).await;
    // Everything is freed, and the queue takes nothing any more.
    assert_eq!(drain(&mut receiver), [""; 0]);
    assert_eq!(sender.push(Frame::from("5")), Level::Overflowed);
    assert_eq!(drain(&mut receiver), [""; 0]);
}

#[tokio::test]
async fn the_byte_after_the_last_that_fits_overflows() {
    let (sender, mut receiver) = queue(Limits {
        frames: 1000,
        bytes: 10,
    });
    assert_eq!(sender.push(Frame::from("öö!")), Level::Low);
    assert_eq!(sender.push(Frame::from("12345")), Level::High);
    assert_eq!(sender.push(Frame::from("")), Level::High);
    assert_eq!(drain(&mut receiver), ["öö!", "12345", ""]);
    assert_eq!(sender.push(Frame::from("1234567890")), Level::High);
    assert_eq!(sender.push(Frame::from("1")), Level::Overflowed);
    soon(receiver.overflowed()).await;
}

#[tokio::test]
async fn waiting_ends_with_a_frame() {
    let (sender, mut receiver) = queue(Limits {
        frames: 10,
        bytes: 10,
    });
    // Before, after, and while it is waited for.
    sender.push(Frame::from("before"));
    soon(receiver.ready()).await;
    assert_eq!(drain(&mut receiver), ["before"]);
    let ((), _) = tokio::join!(soon(receiver.ready()), async {
        sender.push(Frame::from("while"))
    });
    assert_eq!(drain(&mut receiver), ["while"]);
    assert!(
        timeout(Duration::from_millis(1), receiver.ready())
            .await
            .is_err(),
        "it is empty"
    );
}

/// On one thread, so that a publisher that didn't give way would be alone until it is through.
#[tokio::test]
async fn a_publisher_gives_way_before_a_queue_is_full() {
    let hub = Hub::in_memory(hub::Limits {
        queue: Limits {
            frames: 16,
            bytes: 10_000,
        },
        ..Config::default().hub_limits()
    })
    .unwrap();
    let (publisher, _unread) = hub.join("/", address(), Audience::everything());
    let (_member, mut receiver) = hub.join("/", address(), Audience::everything());
    let receiving = tokio::spawn(async move {
        let mut received = Vec::new();
        while received.len() < 1000 {
            receiver.ready().await;
            received.extend(drain(&mut receiver));
        }
        received
    });
    for number in 0..1000 {
        publisher
            .publish(Content::Text(Frame::from(number.to_string().as_str())))
            .await
            .unwrap();
    }
    let received = timeout(Duration::from_secs(60), receiving)
        .await
        .expect("its queue has overflowed")
        .unwrap();
    let sent: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
    assert_eq!(received, sent);
}
