//! What's tested, with a real server and real clients:
//! * frames go to all others in the space and to nobody else, in order, byte for byte
//! * each bound: frame length, send queue, connections, silence, the length of a space's name
//! * each close code but those of malformed frames (see hostile.rs)
//! * stopping: what waits is still written, then 1001
//! * the seam of the hub: two relays that share a store, and a store that fails

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::SinkExt;
use signal_relay::history::Replay;
use signal_relay::hub::{Census, Hub, Members};
use signal_relay::queue::Bounds;
use signal_relay::store::{
    Content, Delivery, Doing, Id, Opened, Opening, Publication, Store, StoreError,
};
use signal_relay::{Config, Server, StartError};
use support::{Client, LIMIT, Relay, config};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::{Error, Message};

#[tokio::test]
async fn a_frame_goes_to_all_others_and_not_back() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b, mut c) = (
        relay.join("/").await,
        relay.join("/").await,
        relay.join("/").await,
    );
    a.send("from a").await;
    assert_eq!(b.text().await, "from a");
    assert_eq!(c.text().await, "from a");
    b.send("from b").await;
    // Had a's own frame come back, it would be here before b's.
    assert_eq!(a.text().await, "from b");
    assert_eq!(c.text().await, "from b");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_one_sender_keep_their_order() {
    let relay = Relay::start(config()).await;
    let mut senders = [relay.join("/").await, relay.join("/").await];
    let mut receivers = [
        relay.join("/").await,
        relay.join("/").await,
        relay.join("/").await,
    ];
    for number in 0..400 {
        for (name, sender) in senders.iter_mut().enumerate() {
            sender
                .0
                .feed(Message::text(format!("{name} {number}")))
                .await
                .unwrap();
        }
    }
    for sender in &mut senders {
        sender.0.flush().await.unwrap();
    }
    for receiver in &mut receivers {
        let mut next = [0, 0];
        while next != [400, 400] {
            let text = receiver.text().await;
            let (name, number) = text.split_once(' ').unwrap();
            let name: usize = name.parse().unwrap();
            assert_eq!(number, next[name].to_string());
            next[name] += 1;
        }
    }
}

#[tokio::test]
async fn an_outbox_sent_at_once_fits_the_default_queue() {
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    for number in 0..1000 {
        sender
            .0
            .feed(Message::text(number.to_string()))
            .await
            .unwrap();
    }
    sender.0.flush().await.unwrap();
    for number in 0..1000 {
        assert_eq!(receiver.text().await, number.to_string());
    }
}

#[tokio::test]
async fn the_path_names_the_space() {
    let relay = Relay::start(config()).await;
    let mut room = relay.join("/room").await;
    let mut same = relay.join("/room?token=1&other").await;
    let mut others = Vec::new();
    for path in ["/", "/room/", "/Room", "/room/a", "/r%6Fom", "/roo"] {
        others.push(relay.join(path).await);
    }
    let Census {
        spaces, members, ..
    } = relay.observer.census();
    assert_eq!((spaces, members), (7, 8));
    room.send("for the room").await;
    assert_eq!(same.text().await, "for the room");
    // Each of the others is alone: what it hears first is what a newcomer says afterwards.
    for (other, path) in others
        .iter_mut()
        .zip(["/?query", "/room/", "/Room", "/room/a", "/r%6Fom", "/roo"])
    {
        relay.join(path).await.send("for you").await;
        assert_eq!(other.text().await, "for you");
    }
}

#[tokio::test]
async fn a_text_that_is_no_envelope_arrives_as_it_was_sent() {
    let long = "ö".repeat(config().max_frame / 2);
    let texts = [
        "",
        " ",
        "no JSON at all",
        "{\"sender\":7,\"message\":{}}",
        "{ \"message\" : 1e400, \"message\":2,\t\"sender\":\"\\u0041\", \"channel\":null }\r\n",
        "{\"signal\":1}",
        "{\"open\":true}",
        "{\"close\":[\"a\"]}",
        "{\"ping\":1}",
        "{\"ack\":1}",
        "{\"channel\":\"a\",\"message\":{]}",
        "[[[[[[",
        "\u{0}\u{1f}\u{7f}\u{feff}\u{2028}\u{10ffff}",
        &long,
    ];
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    for text in texts {
        sender.send(text).await;
        assert!(
            receiver.text().await == text,
            "{:?}…",
            text.chars().take(40).collect::<String>()
        );
    }
    // In fragments it is the same frame.
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    for (part, kind, last) in [
        ("{\"a\":", Data::Text, false),
        ("", Data::Continue, false),
        ("1}", Data::Continue, true),
    ] {
        sender
            .0
            .send(Message::Frame(Frame::message(
                part.to_owned(),
                OpCode::Data(kind),
                last,
            )))
            .await
            .unwrap();
    }
    assert_eq!(receiver.text().await, "{\"a\":1}");
}

#[tokio::test]
async fn a_frame_over_the_limit_ends_its_senders_connection_only() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    sender.send(&"x".repeat(1000)).await;
    assert_eq!(receiver.text().await.len(), 1000);
    // So long that most of it is still on its way when the relay has seen enough. It reads on nevertheless: were the connection reset,
    // the sender would fail here, and on some systems never see the close code.
    sender.send(&"x".repeat(16 * 1024 * 1024)).await;
    assert_eq!(
        sender.closed().await,
        (1009, "frame over 1000 bytes".into())
    );
    let mut another = relay.join("/").await;
    another.send("still here").await;
    assert_eq!(receiver.text().await, "still here");
}

#[tokio::test]
async fn a_long_message_in_short_fragments_is_over_the_limit_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut sender = relay.join("/").await;
    for kind in [Data::Text, Data::Continue, Data::Continue] {
        sender
            .0
            .send(Message::Frame(Frame::message(
                "x".repeat(400),
                OpCode::Data(kind),
                false,
            )))
            .await
            .unwrap();
    }
    assert_eq!(sender.closed().await.0, 1009);
}

#[tokio::test]
async fn a_binary_frame_is_refused() {
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    sender
        .0
        .send(Message::binary(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(sender.closed().await, (1003, "text frames only".into()));
    let mut another = relay.join("/").await;
    another.send("text").await;
    assert_eq!(receiver.text().await, "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_does_not_read_is_closed_and_nobody_waits_for_it() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 64,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let mut slow = Client::open_narrow(relay.address, "/").await;
    slow.greeted().await;
    relay.until(|census| census.members == 3).await;
    let mut sent = 0;
    while relay.observer.census().members == 3 {
        sender.send(&format!("{sent:0>60000}")).await;
        assert_eq!(reader.text().await, format!("{sent:0>60000}"));
        sent += 1;
    }
    // What the slow one finds when it reads at last: the beginning without a gap, and why there is no more.
    let mut next = 0;
    let code = loop {
        match slow.next().await {
            Some(Ok(Message::Text(text))) => {
                assert_eq!(
                    text.as_str().trim_start_matches('0').parse().unwrap_or(0),
                    next
                );
                next += 1;
            }
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4008);
    assert!(next < sent, "{next} of {sent} came");
    sender.send("after it").await;
    assert_eq!(reader.text().await, "after it");
}

#[tokio::test]
async fn many_short_frames_fill_a_queue_too() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let mut slow = Client::open_narrow(relay.address, "/").await;
    slow.greeted().await;
    relay.until(|census| census.members == 3).await;
    while relay.observer.census().members == 3 {
        sender.send(&"x".repeat(2000)).await;
        reader.text().await;
    }
    assert_eq!(slow.closed().await, (4008, "too slow".into()));
}

#[tokio::test]
async fn a_silent_connection_is_pinged_and_then_closed() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: Duration::from_millis(100),
        ..config()
    })
    .await;
    let mut silent = support::raw(relay.address, "/").await;
    assert!(read_text(&mut silent).await.starts_with("{\"signal\":1,"));
    let mut frames = [0; 25];
    tokio::time::timeout(LIMIT, silent.read_exact(&mut frames))
        .await
        .expect("nothing came")
        .unwrap();
    // A ping, and 21 bytes of close frame: code and reason.
    assert_eq!(frames, *b"\x89\x00\x88\x15\x0f\xacno answer to a ping");
    relay.until(|census| census.members == 0).await;
}

/// A short text frame, read without answering anything.
async fn read_text(stream: &mut tokio::net::TcpStream) -> String {
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    let length = stream.read_u8().await.unwrap();
    assert!(length < 126);
    let mut text = vec![0; usize::from(length)];
    stream.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_connection_that_answers_pings_stays() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: LIMIT,
        ..config()
    })
    .await;
    let mut idle = relay.join("/").await;
    for _ in 0..5 {
        assert!(matches!(idle.next().await, Some(Ok(Message::Ping(_)))));
    }
    assert_eq!(relay.observer.census().members, 1);
}

#[tokio::test]
async fn a_ping_of_a_client_is_answered() {
    let relay = Relay::start(config()).await;
    let mut client = relay.join("/").await;
    client
        .0
        .send(Message::Ping(b"are you there".to_vec().into()))
        .await
        .unwrap();
    assert_eq!(
        client.next().await.unwrap().unwrap(),
        Message::Pong(b"are you there".to_vec().into())
    );
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_until_one_is_free() {
    let relay = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let (first, _second) = (relay.join("/").await, relay.join("/").await);
    match Client::open(relay.address, "/").await {
        Err(Error::Http(answer)) => assert_eq!(
            (
                answer.status().as_u16(),
                answer.headers()["retry-after"].to_str().unwrap()
            ),
            (503, "10")
        ),
        other => panic!("{:?}", other.map(|_| "let in")),
    }
    assert_eq!(support::get(relay.address, "/healthz").await.status, 200);
    drop(first);
    relay.until(|_| relay.observer.connections() == 1).await;
    relay.join("/").await;
}

#[tokio::test]
async fn the_name_of_a_space_is_bounded() {
    let relay = Relay::start(config()).await;
    relay.join(&format!("/{}", "a".repeat(1023))).await;
    match Client::open(relay.address, &format!("/{}", "a".repeat(1024))).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 414),
        other => panic!("{:?}", other.map(|_| "let in")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_leave_nothing_behind() {
    let relay = Relay::start(config()).await;
    let mut witness = relay.join("/witness").await;
    for round in 0..10 {
        let mut clients = Vec::new();
        for number in 0..100 {
            clients.push(relay.join(&format!("/room-{}", number % 7)).await);
        }
        let Census {
            spaces,
            members,
            joined,
            ..
        } = relay.observer.census();
        assert_eq!((spaces, members, joined), (8, 101, round * 101 + 101));
        for client in &mut clients {
            client.send("hello").await;
        }
        for (number, mut client) in clients.into_iter().enumerate() {
            // Some say goodbye, some vanish, some vanish with a frame half-written or unread.
            match number % 3 {
                0 => client.0.close(None).await.unwrap(),
                1 => drop(client),
                _ => client
                    .0
                    .feed(Message::text("x".repeat(100_000)))
                    .await
                    .unwrap(),
            }
        }
        relay
            .until(|census| (census.spaces, census.members) == (1, 1))
            .await;
        relay.join("/witness").await.send(&round.to_string()).await;
        assert_eq!(witness.text().await, round.to_string());
        relay.until(|census| census.members == 1).await;
    }
    drop(witness);
    relay.until_empty().await;
}

#[tokio::test]
async fn stopping_writes_what_waits_and_says_so() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 1000,
            bytes: 64 * 1024 * 1024,
        },
        ..config()
    })
    .await;
    let address = relay.address;
    let mut sender = relay.join("/").await;
    let mut idle = relay.join("/idle").await;
    let mut receiver = Client::open_narrow(address, "/").await;
    receiver.greeted().await;
    // More than the system's buffers hold, so that a good part still waits in the relay.
    for number in 0..600 {
        sender.send(&format!("{number:0>30000}")).await;
    }
    // Everything has gone through the hub when another member has the last frame.
    let mut last = relay.join("/").await;
    sender.send("the last").await;
    while last.text().await != "the last" {}

    let served = relay.stop();
    for number in 0..600 {
        let text = receiver.text().await;
        assert_eq!(text.trim_start_matches('0').parse().unwrap_or(0), number);
    }
    assert_eq!(receiver.text().await, "the last");
    for client in [&mut receiver, &mut sender, &mut idle, &mut last] {
        assert_eq!(
            client.closed().await,
            (1001, "the relay is shutting down".into())
        );
        // Reads to the end, as every client does.
        while client.next().await.is_some() {}
    }
    tokio::time::timeout(LIMIT, served)
        .await
        .expect("it goes on")
        .unwrap();
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "it still accepts"
    );
}

#[tokio::test]
async fn stopping_waits_only_so_long_for_those_that_do_not_answer() {
    let relay = Relay::start(Config {
        farewell: Duration::from_millis(50),
        ..config()
    })
    .await;
    let _mute = relay.join("/").await;
    let _half_a_request = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    tokio::time::timeout(LIMIT, relay.stop())
        .await
        .expect("it goes on")
        .unwrap();
}

#[tokio::test]
async fn a_queue_that_no_frame_fits_is_a_mistake() {
    let config = Config {
        max_frame: 1001,
        queue: Bounds {
            frames: 10,
            bytes: 1000,
        },
        ..config()
    };
    assert_eq!(
        Server::bind(config).await.unwrap_err(),
        StartError::Bounds {
            max_frame: 1001,
            queue_bytes: 1000
        }
    );
}

/// A store as several relays would share it: what one publishes it hands to the members of all, from elsewhere and a little later.
#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Vec<tokio::sync::mpsc::UnboundedSender<Publication>>>,
}

impl Shared {
    fn hub(self: &Arc<Self>) -> Hub {
        let members = Arc::new(Members::new(config().queue));
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        self.log.lock().unwrap().push(sender);
        let local = Arc::clone(&members);
        tokio::spawn(async move {
            let mut last = 0;
            while let Some(Publication {
                space,
                from,
                content,
            }) = receiver.recv().await
            {
                last += 1;
                let (channel, frame) = match &content {
                    Content::Envelope(draft) => {
                        (Some(&**draft.channel()), draft.numbered(Id(last)))
                    }
                    Content::Text(frame) => (None, frame.clone()),
                };
                local.deliver(&Delivery {
                    space: &space,
                    from,
                    channel,
                    frame,
                });
            }
        });
        Hub::new(&config(), members, Arc::<Self>::clone(self))
    }
}

impl Store for Shared {
    fn epoch(&self) -> &str {
        "shared"
    }

    fn open(&self, opening: Opening) -> Doing<'_> {
        Box::pin(async move {
            let replays = opening.wanted.iter().map(|_| Replay::default()).collect();
            (opening.begin)(Opened {
                position: Id(0),
                replays,
            });
            Ok(())
        })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}

    fn publish(&self, publication: Publication) -> Doing<'_> {
        Box::pin(async move {
            for relay in self.log.lock().unwrap().iter() {
                let _ = relay.send(publication.clone());
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn two_relays_that_share_a_store_are_one() {
    let store = Arc::new(Shared::default());
    let (left, right) = (
        Relay::start_with(config(), store.hub()).await,
        Relay::start_with(config(), store.hub()).await,
    );
    let (mut a, mut b) = (left.join("/room").await, left.join("/room").await);
    let (mut c, mut elsewhere) = (right.join("/room").await, right.join("/").await);
    for (sender, text) in [(0, "from a"), (1, "from c")] {
        let [from, to] = if sender == 0 {
            [&mut a, &mut c]
        } else {
            [&mut c, &mut a]
        };
        from.send(text).await;
        // Nothing comes back to the sender, not by way of the other relay either: else it would be here before the other's frame.
        assert_eq!(to.text().await, text);
        assert_eq!(b.text().await, text);
    }
    right.join("/").await.send("for elsewhere").await;
    assert_eq!(elsewhere.text().await, "for elsewhere");
}

/// A store that is out of order.
#[derive(Debug)]
struct Broken;

impl Store for Broken {
    fn epoch(&self) -> &str {
        "broken"
    }

    fn publish(&self, _: Publication) -> Doing<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn open(&self, _: Opening) -> Doing<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}
}

#[tokio::test]
async fn a_frame_that_the_store_does_not_take_is_not_lost_in_silence() {
    let hub = Hub::new(
        &config(),
        Arc::new(Members::new(config().queue)),
        Arc::new(Broken),
    );
    let relay = Relay::start_with(config(), hub).await;
    let mut client = relay.join("/").await;
    client.send("hello").await;
    assert_eq!(client.closed().await, (1013, "try again later".into()));
}
