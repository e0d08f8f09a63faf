//! What ought to arrive, and whether it does.

use crate::client::{Got, user};
use crate::relay::Conn;
use crate::world::{Due, Item, Server, World};
use signal_wasm::session::Input;
use std::collections::BTreeMap;

impl World {
    pub fn is_due(&mut self, conn: Conn, channel: String, from: u64) {
        let (Server::Relay(relay), place) = (&self.server, self.nets[conn].peer) else {
            return;
        };
        // What was sent on an earlier connection may come late.
        let peer = &self.peers[place];
        if peer.conn != Some(conn) || !peer.client.open.contains_key(&channel) {
            return;
        }
        let epoch = relay.epoch;
        let key = (place, channel);
        if let Some(due) = self.due.get_mut(&key) {
            // A gap was reported when it came to the new relay: it must get what comes from now on.
            if due.gap_epoch.take_if(|of| *of == epoch).is_some() {
                due.messages.retain(|(of, id)| *of == epoch && *id > from);
            }
            return;
        }
        let seen = self.peers[place].last.get(&key.1).copied();
        let messages = relay.channels.get(&key.1).into_iter().flatten();
        let messages = messages
            .filter(|published| published.id > from && published.sender != user(place))
            .map(|published| (epoch, published.id))
            .filter(|message| seen.is_none_or(|seen| seen < *message))
            .collect();
        self.due.insert(
            key,
            Due {
                messages,
                gap_epoch: None,
            },
        );
    }

    pub fn published(&mut self, sender: u64, number: usize, channel: &str) {
        let place = (sender - user(0)) as usize;
        let epoch = self.epoch();
        assert_eq!(self.peers[place].client.sent[number].channel, channel);
        let before = self.published[place].insert(number, epoch);
        assert!(
            before != Some(epoch) || self.peers[place].has_given_up,
            "page {place}'s message {number} was published twice"
        );
        if before.is_some() {
            self.tally.again += 1;
            assert!(
                !self.peers[place].is_plain,
                "sent again where nothing is acknowledged"
            );
        }
        // What was sent before the server was known to be a relay isn't acknowledged.
        if !self.peers[place].client.sent[number].is_plain || self.peers[place].is_plain {
            let last = self.last_published.insert(sender, number);
            assert!(
                last < Some(number),
                "page {place}'s message {number} was published after {last:?}"
            );
        }
        if let Server::Relay(relay) = &self.server {
            let id = relay.last_id();
            for ((other, name), due) in &mut self.due {
                if name == channel && *other != place {
                    due.messages.insert((epoch, id));
                }
            }
        }
    }

    pub fn look(&mut self, place: usize, got: Got) {
        let is_relay = matches!(self.server, Server::Relay(_));
        match got {
            Got::Message {
                sender,
                channel,
                number,
                id,
            } => {
                self.tally.delivered += 1;
                if !is_relay {
                    let last = self.peers[place].last_of.insert(sender, number);
                    assert!(
                        last < Some(number),
                        "page {place}: {sender}'s message {number} came after {last:?}"
                    );
                    return;
                }
                let conn = self.peers[place].conn.expect("without a connection");
                let this = (
                    self.nets[conn].epoch,
                    id.parse().expect("a message without an id"),
                );
                let last = self.peers[place].last.insert(channel.clone(), this);
                assert!(
                    last < Some(this),
                    "page {place} on {channel:?}: {this:?} came after {last:?}"
                );
                if let Some(due) = self.due.get_mut(&(place, channel)) {
                    due.messages.remove(&this);
                }
            }
            Got::Gap(channel) => {
                self.tally.gaps += 1;
                let conn = self.peers[place].conn.expect("without a connection");
                let epoch = self.nets[conn].epoch;
                let bound = self.gap_bounds.get(&(conn, channel.clone())).copied();
                let joined = self.peers[place].subscribed_epoch;
                assert!(
                    bound.is_some() || joined.is_some_and(|joined| joined != epoch),
                    "a gap where there is none: {channel:?}"
                );
                if let Some(due) = self.due.get_mut(&(place, channel)) {
                    if bound.is_none() {
                        due.gap_epoch = Some(epoch);
                    }
                    due.messages
                        .retain(|(of, id)| *of >= epoch && bound.is_none_or(|bound| *id > bound));
                }
            }
            Got::Dropped { channel, .. } => {
                self.tally.dropped += 1;
                *self.peers[place].dropped.entry(channel).or_default() += 1;
            }
        }
    }

    /// A mark of the outbox is reached only when all that was sent before it was published, or
    /// reported as dropped.
    pub fn look_at_marks(&mut self, place: usize) {
        let peer = &mut self.peers[place];
        for (at, mark) in peer.client.marks.iter().enumerate() {
            if !mark.is_reached || at < peer.marks_reached {
                continue;
            }
            peer.marks_reached = at + 1;
            self.tally.flushed += 1;
            let missing = (0..mark.sent)
                .filter(|number| !self.published[place].contains_key(number))
                .filter(|number| !peer.client.sent[*number].is_plain)
                .count();
            let dropped: usize = peer.dropped.values().sum();
            assert!(
                missing <= dropped,
                "flushed, and {missing} weren't published, {dropped} dropped"
            );
        }
        if let Some(conn) = peer.conn
            && peer.client.is_subscribed
        {
            peer.subscribed_epoch = Some(self.nets[conn].epoch);
        }
    }

    /// No more faults: every page reconnects, and what was sent arrives.
    pub fn finish(&mut self) {
        self.run(self.now + 1_000.0);
        if !self.is_up {
            self.run(self.now + 70_000.0);
        }
        for place in 0..self.peers.len() {
            let now = self.now;
            let peer = &mut self.peers[place];
            peer.refuse = 0;
            peer.asleep_until = peer.asleep_until.min(now);
            peer.throttled_until = now;
            if peer.client.is_hidden {
                peer.client.handle(now, Input::PageShown);
                self.pump(place);
            }
            self.go_on(place);
            // The plain protocol has no heartbeat: somebody must notice.
            let (peer, now) = (&self.peers[place], self.now);
            if let Some(conn) = peer.conn
                && self.nets[conn].is_cut
                && peer.client.has_no_heartbeat()
            {
                self.at(now, Item::PageNotices(conn, None));
            }
        }
        self.run(self.now + 200_000.0);
        for place in 0..self.peers.len() {
            self.is_well(place);
        }
        for ((place, channel), due) in &self.due {
            assert!(
                due.messages.is_empty(),
                "page {place} never got {:?} on {channel:?}, nor a gap",
                due.messages
            );
        }
    }

    pub fn is_well(&self, place: usize) {
        let peer = &self.peers[place];
        let page = &peer.client;
        assert!(
            page.session().state().is_open(),
            "page {place}: {:?}",
            page.states
        );
        assert!(!page.failed);
        assert_eq!(page.session().stats().queued, 0.0, "page {place}'s outbox");
        assert_eq!(
            page.session().stats().queued_bytes,
            0.0,
            "page {place}'s outbox"
        );
        assert!(
            page.marks.iter().all(|mark| mark.is_reached),
            "page {place} isn't flushed"
        );
        let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, sent) in page.sent.iter().enumerate() {
            if sent.is_plain {
                assert!(sent.was_in_flight);
            } else if !self.published[place].contains_key(&number) {
                *missing.entry(&sent.channel).or_default() += 1;
            }
        }
        for (channel, count) in missing {
            let dropped = peer.dropped.get(channel).copied().unwrap_or_default();
            assert!(
                count <= dropped,
                "page {place} on {channel:?}: {count} messages were lost, {dropped} reported"
            );
        }
    }
}
