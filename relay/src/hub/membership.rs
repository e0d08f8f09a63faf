//! A connection's membership of one space: publishing, subscribing, leaving.

use std::collections::HashSet;
use std::sync::Arc;

use signal_wire::ServerFrame;

use super::budget::Account;
use super::frame::Frame;
use super::history::Since;
use super::ids::{ConnectionId, MessageId, PublisherId};
use super::queue::{Ack, Receiver, Sender};
use super::relief::Relief;
use super::spaces::{Joined, Space, Spaces};
use super::store::{
    Content, OpenChannel, OpenRequest, Opened, Publication, Read, ReadRequest, Store, StoreError,
};

/// A connection's membership of a space, which it leaves when this is dropped.
#[derive(Debug)]
pub struct Membership {
    spaces: Arc<Spaces>,
    store: Arc<dyn Store>,
    relief: Arc<Relief>,
    /// How many bytes of a replay may wait for the connection.
    replay_limit: usize,
    /// Who pays for what it publishes.
    account: Arc<Account>,
    member: Member,
}

/// Where a reader of a whole space begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Whether messages may be missing before everything that it receives.
    pub gap: bool,
    /// How far it has seen the space, if nothing is replayed and the store says it: it may come
    /// back before it has received a message.
    pub position: Option<MessageId>,
}

#[derive(Clone, Debug)]
struct Member {
    space: Arc<Space>,
    connection: ConnectionId,
    publisher: PublisherId,
    sender: Sender,
}

impl Membership {
    pub(super) fn new(
        spaces: Arc<Spaces>,
        relief: Arc<Relief>,
        replay_limit: usize,
        account: Arc<Account>,
        publisher: PublisherId,
        joined: Joined,
    ) -> (Self, Receiver) {
        let membership = Self {
            spaces,
            store: Arc::clone(relief.store()),
            relief,
            replay_limit,
            account,
            member: Member {
                space: joined.space,
                connection: joined.connection,
                publisher,
                sender: joined.sender,
            },
        };
        (membership, joined.receiver)
    }

    /// Counts a message of so many bytes that isn't published: it is for certain others.
    pub fn count(&self, bytes: usize) {
        self.spaces.meter.published.add(bytes);
    }

    /// Publishes to the others in the space.
    ///
    /// # Errors
    /// The store didn't accept it.
    pub async fn publish(&self, content: Content) -> Result<(), StoreError> {
        self.publish_as(self.member.publisher, content, None).await
    }

    /// The same under the publisher id of a session, which may have a number for it.
    pub(super) async fn publish_as(
        &self,
        from: PublisherId,
        content: Content,
        reference: Option<u64>,
    ) -> Result<(), StoreError> {
        self.spaces.meter.published.add(content.text_len());
        let publication = Publication {
            space: Arc::clone(self.space()),
            from,
            account: Arc::clone(&self.account),
            content,
            reference,
        };
        self.relief.publish(publication).await
    }

    /// Who pays for what it has.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Has memory freed, if too much is used.
    pub fn relieve(&self) {
        self.relief.relieve();
    }

    /// Its publisher id outside of a session.
    #[must_use]
    pub fn publisher(&self) -> PublisherId {
        self.member.publisher
    }

    /// The name of its space.
    #[must_use]
    pub fn space(&self) -> &Arc<str> {
        self.member.space.name()
    }

    /// The sending end of its queue, for frames to this connection alone.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.member.sender
    }

    /// Whether it has subscribed to this channel.
    pub(super) fn has_open(&self, channel: &str) -> bool {
        self.member.space.has_open(self.member.connection, channel)
    }

    /// Subscribes to channels as `reader`: the connection is sent an acknowledgement, then the
    /// replay, then what is published. Returns the store's answer.
    pub(super) async fn open(
        &self,
        reader: PublisherId,
        channels: Vec<OpenChannel>,
        ack: Ack,
    ) -> Result<Opened, StoreError> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let (member, limit) = (self.member.clone(), self.replay_limit);
        let requested = channels.clone();
        let on_open = move |mut opened: Opened| {
            member.subscribe(reader, &requested, &mut opened, ack, limit);
            // Nobody waits for the answer if the connection is gone.
            let _ = answer.try_send(opened);
        };
        self.store
            .open(OpenRequest {
                space: Arc::clone(self.space()),
                reader,
                channels,
                on_open: Box::new(on_open),
            })
            .await?;
        answered
            .try_recv()
            .map_err(|_| StoreError::Unavailable("it opened nothing".into()))
    }

    /// Receives the whole space from now on, after what is kept of it.
    pub(super) async fn read_everything(&self, since: Since) -> Result<Start, StoreError> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let (member, limit) = (self.member.clone(), self.replay_limit);
        let on_read = move |Read { position, replay }: Read| {
            let Member {
                space,
                connection,
                publisher,
                sender,
            } = member;
            let start = Start {
                gap: replay.gap,
                position: position.filter(|_| replay.frames.is_empty()),
            };
            let frames = replay.frames.into_iter();
            let frames = frames.filter(|frame| sender.receives(frame.channel()));
            sender.push_replayed(frames, limit);
            space.receive_everything(connection, publisher, sender);
            // Nobody waits for the answer if the connection is gone.
            let _ = answer.try_send(start);
        };
        self.store
            .read(ReadRequest {
                space: Arc::clone(self.space()),
                reader: self.member.publisher,
                since,
                on_read: Box::new(on_read),
            })
            .await?;
        answered
            .try_recv()
            .map_err(|_| StoreError::Unavailable("it read nothing".into()))
    }

    /// Receives these channels from now on, besides those that it has opened before, and nothing
    /// else. Nothing is replayed.
    pub fn listen(&self, channels: &[Arc<str>]) {
        let Member {
            space,
            connection,
            publisher,
            sender,
        } = &self.member;
        space.subscribe(*connection, *publisher, sender, channels, |_, _| {});
    }

    /// Whether a connection in its space has a channel open.
    #[must_use]
    pub fn is_open(&self, channel: &str) -> bool {
        self.member.space.is_open(channel)
    }

    /// Unsubscribes from channels.
    pub(super) fn close(&self, channels: &[Arc<str>]) {
        self.member
            .space
            .unsubscribe(self.member.connection, channels);
    }
}

impl Member {
    /// Subscribes to these channels. A connection that had subscribed to nothing received everything
    /// until now. Of what still waits for it, messages on these channels stay, unless they are
    /// replayed, and so do the relay's own answers. The position is then one before the first of them:
    /// they are replayed if the connection is lost.
    fn subscribe(
        &self,
        reader: PublisherId,
        requested: &[OpenChannel],
        opened: &mut Opened,
        ack: Ack,
        limit: usize,
    ) {
        let names: Vec<_> = requested
            .iter()
            .map(|open| Arc::clone(&open.channel))
            .collect();
        let Opened { position, replays } = opened;
        let gaps = names
            .iter()
            .zip(&*replays)
            .filter(|(_, replay)| replay.gap)
            .map(|(channel, _)| Frame::from(ServerFrame::Gap((&**channel).into()).encode()));
        let mut frames: Vec<_> = replays
            .iter()
            .flat_map(|replay| replay.frames.iter().cloned())
            .filter(|frame| self.sender.receives(frame.channel()))
            .collect();
        let new = requested
            .iter()
            .filter(|open| !matches!(open.since, Since::After(_)));
        let new: HashSet<&str> = new.map(|open| &*open.channel).collect();
        let write = |queue: &Sender, received_everything| {
            if received_everything {
                let waiting = queue.take_waiting().into_iter();
                let kept = waiting.filter(|frame| match frame.channel() {
                    Some(channel) => new.contains(channel),
                    None => frame.is_direct(),
                });
                let kept: Vec<_> = kept.collect();
                if let Some(first) = kept.iter().find_map(Frame::id) {
                    *position = (*position).min(MessageId(first.0.saturating_sub(1)));
                }
                frames.extend(kept);
            }
            // A client that opens a further channel names the last message that came, on any channel.
            frames.sort_by_key(Frame::id);
            queue.replay(ack, gaps.chain(frames), limit);
        };
        self.space
            .subscribe(self.connection, reader, &self.sender, &names, write);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.spaces
            .leave(&self.member.space, self.member.connection);
    }
}
