//! Following a space: receiving what is published in it, by whichever relay.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_nats::header::{HeaderName, NATS_LAST_SEQUENCE, NATS_SEQUENCE};
use async_nats::jetstream::stream::State;
use async_nats::{HeaderMap, Message};
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::message::decode;
use super::once::Taken;
use super::{PATIENCE, Shared, unavailable};
use crate::hub::history;
use crate::hub::ids::MessageId;
use crate::hub::queue::Level;
use crate::hub::store::{Content, Delivery, Notice, StoreError};

/// How often a relay looks whether it has missed the last message of a space: what NATS' servers
/// lose between them isn't noticed otherwise before the next message.
const CHECK: Duration = Duration::from_secs(15);
/// How many spaces a relay looks at each second, at most.
const CHECKS: u32 = 100;
/// How long it may take to begin to follow a space. If it takes longer, its members come back:
/// what was published meanwhile isn't for who came after it.
pub(super) const PROMPT: Duration = Duration::from_secs(1);
/// How long a relay waits before it tries again to follow a space.
const AGAIN: Duration = Duration::from_millis(500);

/// A space that this relay follows.
#[derive(Debug)]
pub(super) struct Following {
    /// The last message of the space that came here, or was dropped before it could.
    last: AtomicU64,
    /// When the stream ended with this id, no message of the space was missing here.
    complete: AtomicU64,
    /// Messages up to this id were published before this relay followed the space. Its members
    /// came later: they receive them only if they ask for them.
    before: OnceLock<MessageId>,
    taken: Mutex<Taken>,
    /// As [`Shared::slow`], when that was looked at.
    slow: AtomicU64,
    /// Whether what was published before has been read.
    is_ready: watch::Sender<bool>,
    since: Instant,
    ended: CancellationToken,
    /// How often in a row it was seen without members.
    pub(super) idle: AtomicU64,
}

impl Following {
    /// `window`: for how long a message may be published again.
    fn new(window: Duration, slow: u64) -> Self {
        Self {
            slow: AtomicU64::new(slow),
            last: AtomicU64::new(0),
            complete: AtomicU64::new(0),
            before: OnceLock::new(),
            taken: Mutex::new(Taken::new(window)),
            is_ready: watch::Sender::new(false),
            since: Instant::now(),
            ended: CancellationToken::new(),
            idle: AtomicU64::new(0),
        }
    }

    fn begin(&self, last: MessageId) {
        // Only the first call counts.
        let _ = self.before.set(last);
    }

    pub(super) fn last(&self) -> MessageId {
        MessageId(self.last.load(Ordering::Acquire))
    }

    /// To be called only while nothing is delivered in the space.
    fn advance(&self, id: MessageId) {
        self.last.fetch_max(id.0, Ordering::AcqRel);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }
}

/// The last message that the stream has dropped.
fn dropped(state: &State) -> MessageId {
    MessageId(match state.messages {
        0 => state.last_sequence,
        _ => state.first_sequence.saturating_sub(1),
    })
}

/// Why a relay reads a space from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Messages may have been published that nothing that comes later tells of.
    Interrupted,
    /// There are messages that haven't come here.
    Behind,
}

/// A message of the stream.
pub(super) struct Entry<'a> {
    pub(super) id: MessageId,
    pub(super) headers: &'a HeaderMap,
    pub(super) payload: &'a [u8],
    /// Since when NATS has it.
    pub(super) since: Instant,
}

impl Shared {
    /// Follows each space that gets a member.
    pub(super) async fn follow_begun(self: Arc<Self>, mut begun: UnboundedReceiver<Arc<str>>) {
        while let Some(space) = begun.recv().await {
            self.follow(&space);
        }
    }

    fn follow(self: &Arc<Self>, space: &Arc<str>) -> Arc<Following> {
        let mut followed = self.followed();
        if let Some(following) = followed.get(space) {
            return Arc::clone(following);
        }
        // A client comes back in its session's time, and then publishes again.
        let window = self.kept() + PATIENCE;
        let slow = self.slow.load(Ordering::Relaxed);
        let following = Arc::new(Following::new(window, slow));
        followed.insert(Arc::clone(space), Arc::clone(&following));
        drop(followed);
        self.run(Arc::clone(self).keep_following(Arc::clone(space), Arc::clone(&following)));
        following
    }

    /// Follows a space, and waits until what was published in it before has been read.
    pub(super) async fn ready(
        self: &Arc<Self>,
        space: &Arc<str>,
    ) -> Result<Arc<Following>, StoreError> {
        let following = self.follow(space);
        let mut is_ready = following.is_ready.subscribe();
        let ready = timeout(PATIENCE, is_ready.wait_for(|is_ready| *is_ready));
        let ready = ready
            .await
            .map_err(|_| unavailable("NATS doesn't answer"))?;
        ready.map_err(unavailable)?;
        Ok(following)
    }

    async fn keep_following(self: Arc<Self>, space: Arc<str>, following: Arc<Following>) {
        loop {
            tokio::select! {
                () = following.ended.cancelled() => return,
                result = self.receive(&space, &following) => {
                    if let Err(error) = result {
                        tracing::debug!(%space, "can't follow a space: {error}");
                    }
                }
            }
            sleep(AGAIN).await;
        }
    }

    /// Receives what is published in a space, until something fails.
    async fn receive(&self, space: &Arc<str>, following: &Following) -> Result<(), StoreError> {
        let mut connections = self.connections.clone();
        let subscribed = self.client.subscribe(self.heard(space)).await;
        let mut messages = subscribed.map_err(unavailable)?;
        self.catch_up(space, following, Cause::Interrupted).await?;
        if !following.is_ready.send_replace(true) && following.since.elapsed() > PROMPT {
            self.spaces.give_up(space);
        }
        self.hear(Notice::Begun { space });
        let mut check = Instant::now() + self.until_check();
        loop {
            tokio::select! {
                biased;
                // What was published while there was no connection isn't received later.
                changed = connections.changed() => {
                    changed.map_err(unavailable)?;
                    self.catch_up(space, following, Cause::Interrupted).await?;
                    self.hear(Notice::Begun { space });
                }
                message = messages.next() => {
                    let message = message.ok_or_else(|| unavailable("NATS ended a subscription"))?;
                    self.take_heard(space, following, message).await?;
                }
                () = sleep_until(check) => {
                    check = Instant::now() + self.until_check();
                    if following.complete.load(Ordering::Relaxed) < self.tip.load(Ordering::Relaxed) {
                        self.catch_up(space, following, Cause::Behind).await?;
                    }
                }
            }
        }
    }

    fn until_check(&self) -> Duration {
        let spaces = u32::try_from(self.followed().len()).unwrap_or(u32::MAX);
        CHECK.max(Duration::from_secs(1) * (spaces / CHECKS))
    }

    async fn take_heard(
        &self,
        space: &Arc<str>,
        following: &Following,
        message: Message,
    ) -> Result<(), StoreError> {
        let headers = message.headers.unwrap_or_default();
        let number = |name: HeaderName| headers.get(name)?.as_str().parse::<u64>().ok();
        let (Some(id), Some(before)) = (number(NATS_SEQUENCE), number(NATS_LAST_SEQUENCE)) else {
            // Not of the stream.
            self.take_notice(space, &headers, &message.payload);
            return Ok(());
        };
        let last = following.last().0;
        let slow = self.slow.load(Ordering::Relaxed);
        let cause = if before > last {
            Some(Cause::Behind)
        } else if before == 0 && following.slow.swap(slow, Ordering::Relaxed) != slow {
            // Those before it are dropped already, and some may have been lost on the way.
            Some(Cause::Interrupted)
        } else {
            None
        };
        if let Some(cause) = cause {
            self.catch_up(space, following, cause).await?;
            if before > following.last().0 {
                return Err(unavailable(
                    "NATS doesn't have a message yet that it has announced",
                ));
            }
        }
        let entry = Entry {
            id: MessageId(id),
            headers: &headers,
            payload: &message.payload,
            since: Instant::now(),
        };
        if self.take(space, following, &entry) > Level::Low {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Reads from the stream what is kept of a space and hasn't come here yet. Several may do so at
    /// one time: each message is taken once.
    pub(super) async fn catch_up(
        &self,
        space: &Arc<str>,
        following: &Following,
        cause: Cause,
    ) -> Result<(), StoreError> {
        let _reader = self.readers.acquire().await.map_err(unavailable)?;
        let complete = following.complete.load(Ordering::Relaxed);
        let begin = following.last().0.max(complete);
        let state = self.stream.get_info().await.map_err(unavailable)?.state;
        following.begin(MessageId(state.last_sequence));
        if !*following.is_ready.borrow() {
            self.miss(space, following, dropped(&state));
        }
        let has_read = self.read(space, following).await?;
        let was_interrupted = cause == Cause::Interrupted;
        if was_interrupted || has_read {
            // What was dropped while this read is missing too.
            let now = self.stream.get_info().await.map_err(unavailable)?.state;
            if dropped(&now).0 > begin && (was_interrupted || dropped(&now) != dropped(&state)) {
                self.miss(space, following, dropped(&now));
            }
        }
        following
            .complete
            .fetch_max(state.last_sequence, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that messages up to this one may never have come here. The connections in the space are
    /// closed: they come back, and learn that they may have missed some.
    fn miss(&self, space: &Arc<str>, following: &Following, dropped: MessageId) {
        let Some(mut history) = self.archive.lock(space) else {
            return;
        };
        history.miss(space, dropped);
        following.advance(dropped);
        if *following.is_ready.borrow() {
            tracing::warn!(%space, "messages were dropped before they came here");
            self.spaces.give_up(space);
        }
    }

    /// Keeps and delivers a message, unless it has come before.
    pub(super) fn take(&self, space: &Arc<str>, following: &Following, entry: &Entry<'_>) -> Level {
        let (Some(mut history), Some(budget)) = (self.archive.lock(space), self.budget.get())
        else {
            return Level::Low;
        };
        if entry.id <= following.last() {
            return Level::Low;
        }
        following.advance(entry.id);
        let Some(received) = decode(entry.headers, entry.payload) else {
            tracing::debug!(%space, "a message in NATS isn't a relay's");
            return Level::Low;
        };
        let taken = following.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if !taken.take(received.turn, entry.since) {
            tracing::debug!(%space, id = entry.id.0, "a message was published twice");
            return Level::Low;
        }
        drop(taken);
        let check = self.sender_check.get();
        if let (Content::Envelope(message), Some(check)) = (&received.content, check)
            && !check.admits(space, message, entry.since)
        {
            tracing::warn!(%space, "a message isn't delivered: its sender is another user's");
            return Level::Low;
        }
        let account = budget.account(Some(space), received.address);
        let (channel, frame) = match &received.content {
            Content::Text(frame) => {
                frame.pay(&account);
                (None, frame.clone())
            }
            Content::Envelope(message) => {
                let frame = message.with_id(entry.id);
                let kept = history::Message {
                    id: entry.id,
                    from: received.from,
                    account,
                    frame: frame.clone(),
                };
                history.keep(space, message.channel(), kept, entry.since);
                (Some(&**message.channel()), frame)
            }
        };
        let is_new = following
            .before
            .get()
            .is_none_or(|before| entry.id > *before);
        let level = if is_new {
            self.spaces.deliver(&Delivery {
                space,
                from: received.from,
                channel,
                frame,
            })
        } else {
            Level::Low
        };
        drop(history);
        self.archive.make_room();
        level
    }

    /// No longer follows spaces without members of which nothing is kept here either.
    pub(super) fn unfollow_idle(&self) {
        self.followed().retain(|space, following| {
            let Some(history) = self.archive.lock(space) else {
                return true;
            };
            if self.spaces.has(space) || history.has(space) {
                following.idle.store(0, Ordering::Relaxed);
                return true;
            }
            // The first time it may just have begun.
            let is_idle = following.idle.fetch_add(1, Ordering::Relaxed) > 1;
            if is_idle {
                following.end();
            }
            !is_idle
        });
    }
}
