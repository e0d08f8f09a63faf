//! The seam of the hub: two relays that share a store, and a store that fails.

use std::sync::{Arc, Mutex};

use signal_relay::hub::Hub;
use signal_relay::hub::history::Replay;
use signal_relay::hub::ids::MessageId;
use signal_relay::hub::spaces::Spaces;
use signal_relay::hub::store::{
    BoxFuture, Content, Delivery, OpenRequest, Opened, Publication, Store, StoreError,
};

use super::support::{Relay, config};

/// A store as several relays would share it: what one publishes it hands to the members of all,
/// from elsewhere and a little later.
#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Vec<tokio::sync::mpsc::UnboundedSender<Publication>>>,
}

impl Shared {
    fn hub(self: &Arc<Self>) -> Hub {
        let spaces = Arc::new(Spaces::new(config().queue).unwrap());
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        self.log.lock().unwrap().push(sender);
        let local = Arc::clone(&spaces);
        tokio::spawn(async move {
            let mut last = 0;
            while let Some(Publication {
                space,
                from,
                content,
                ..
            }) = receiver.recv().await
            {
                last += 1;
                let (channel, frame) = match &content {
                    Content::Envelope(message) => {
                        (Some(&**message.channel()), message.with_id(MessageId(last)))
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
        Hub::new(config().hub_limits(), spaces, Arc::<Self>::clone(self))
    }
}

impl Store for Shared {
    fn epoch(&self) -> Arc<str> {
        "shared".into()
    }

    fn open(&self, request: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async move {
            let replays = request.channels.iter().map(|_| Replay::default()).collect();
            (request.on_open)(Opened {
                position: MessageId(0),
                replays,
            });
            Ok(())
        })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
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
        // Nothing comes back to the sender, not by way of the other relay either: else it would be
        // here before the other's frame.
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
    fn epoch(&self) -> Arc<str> {
        "broken".into()
    }

    fn publish(&self, _: Publication) -> BoxFuture<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn open(&self, _: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}
}

#[tokio::test]
async fn a_frame_that_the_store_refuses_closes_the_connection() {
    let hub = Hub::new(
        config().hub_limits(),
        Arc::new(Spaces::new(config().queue).unwrap()),
        Arc::new(Broken),
    );
    let relay = Relay::start_with(config(), hub).await;
    let mut client = relay.join("/").await;
    client.send("hello").await;
    assert_eq!(client.closed().await, (1013, "try again later".into()));
}
