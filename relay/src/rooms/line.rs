//! One end of a link, and the way to the other one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::Instant;

use super::link::{Broken, End, Message, Names};
use super::registry::lock;
use super::segment::{HEADER, Kind, Segment};
use crate::hub::store::Peers;

/// One end of a link, and the way to the other one.
pub(super) struct Line {
    peers: Arc<dyn Peers>,
    names: Names,
    /// The relay at the other end.
    other: u64,
    end: Mutex<End>,
}

impl Line {
    pub(super) fn new(
        peers: Arc<dyn Peers>,
        relay: u64,
        is_keepers: bool,
        other: u64,
        link: u64,
    ) -> Self {
        let names = Names {
            is_keepers,
            relay,
            link,
        };
        Self {
            peers,
            names,
            other,
            end: Mutex::new(End::new(names, Instant::now())),
        }
    }

    fn send_all(&self, segments: Vec<Segment>) {
        for segment in segments {
            self.peers.send(self.other, segment.encode());
        }
    }

    /// Sends a message. Those of one end arrive in this order.
    pub(super) fn send(&self, message: &Bytes) -> Result<(), Broken> {
        let longest = self.peers.longest().saturating_sub(HEADER);
        let mut end = lock(&self.end);
        let segments = end.send(message, longest, Instant::now())?;
        self.send_all(segments);
        Ok(())
    }

    /// Takes what the other end sends. Returns a message that is complete.
    pub(super) fn take(&self, segment: &Segment) -> Result<Option<Message>, Broken> {
        let mut end = lock(&self.end);
        let (message, segments) = end.take(segment, Instant::now())?;
        self.send_all(segments);
        Ok(message)
    }

    /// Whether much waits for the other end.
    pub(super) fn is_crowded(&self) -> bool {
        lock(&self.end).is_crowded()
    }

    /// How long nothing was heard.
    pub(super) fn silence(&self) -> Duration {
        lock(&self.end).silence(Instant::now())
    }

    /// A message, and all before it, was taken.
    pub(super) fn done(&self, number: u64) {
        lock(&self.end).done(number);
    }

    /// To be called several times a second.
    pub(super) fn tick(&self) -> Result<(), Broken> {
        let mut end = lock(&self.end);
        let segments = end.tick(Instant::now())?;
        self.send_all(segments);
        Ok(())
    }

    /// Tells the other end that the link has ended.
    pub(super) fn end(&self) {
        lock(&self.end).clear();
        let Names {
            is_keepers,
            relay,
            link,
        } = self.names;
        Self::refuse_to(&*self.peers, relay, is_keepers, self.other, link);
    }

    /// Tells another relay that there is no such link.
    pub(super) fn refuse(
        peers: &dyn Peers,
        relay: u64,
        is_keepers: bool,
        (other, link): (u64, u64),
    ) {
        Self::refuse_to(peers, relay, is_keepers, other, link);
    }

    fn refuse_to(peers: &dyn Peers, relay: u64, is_keepers: bool, other: u64, link: u64) {
        let ended = Segment {
            kind: Kind::Ended,
            is_keepers,
            relay,
            link,
            number: 0,
            taken: 0,
            payload: Bytes::new(),
        };
        peers.send(other, ended.encode());
    }
}
