//! The store that several relays share: a stream of NATS JetStream.
//!
//! A publication is appended to the stream, under a subject for its space, and is acknowledged when
//! NATS has it. Its id is its number in the stream. NATS hands each appended message to the relays
//! that *follow* its space, which are those with members in it (see `space`); they keep it for
//! replays, each within its own bounds, and deliver it. So a relay carries only what its own members
//! receive.
//!
//! A message that comes from NATS names the one before it in its space. A relay that has missed one
//! reads it from the stream, and so does a relay that begins to follow a space.
//!
//! The records of sessions are in a bucket beside the stream (see `sessions`), so that a client
//! can resume on another relay. What is published twice, because it wasn't known whether NATS has it,
//! is delivered once (see `once`).
//!
//! | module | |
//! | --- | --- |
//! | [`settings`] | where NATS is |
//! | `streams` | the streams, and what all relays have in common |
//! | `message` | a publication as NATS keeps it |
//! | `space` | following one space |
//! | `reading` | what of a space is read from the stream |
//! | `once` | what was published twice |
//! | `notices` | what relays say to each other |
//! | `peers` | what relays agree on, and what one says to another alone |
//! | `sessions` | the records of sessions |
//! | `watch` | whether NATS still has what it had, and how far clients have seen |

mod message;
mod notices;
mod once;
mod peers;
mod reading;
mod sessions;
pub mod settings;
mod space;
mod streams;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_nats::jetstream::stream;
use async_nats::jetstream::{self, kv};
use async_nats::{Client, ConnectOptions, Event, HeaderMap};
use axum::body::Bytes;
use tokio::sync::{Semaphore, watch as channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::notices::Outbox;
use self::once::{Counter, Lanes, Turn};
use self::peers::Letters;
use self::settings::Settings;
use self::space::{Cause, Following, PROMPT};
use self::streams::{Common, Streams};
use self::watch::Samples;
use super::archive::Archive;
use super::budget::Budget;
use super::history::{self, Since};
use super::ids::{MessageId, fingerprint};
use super::shares::Owner;
use super::spaces::Spaces;
use super::store::{
    BoxFuture, Content, Notices, OpenRequest, Opened, Peers, Publication, Read, ReadRequest,
    SenderCheck, SharedSessions, Store, StoreError,
};

/// How long it may take to reach NATS and to find or make the streams when a relay starts: the
/// servers of a cluster that starts too first have to elect a leader.
const START: Duration = Duration::from_secs(30);
/// How long NATS may take for one request.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a client waits for NATS before its connection is closed: long enough for the servers of
/// a cluster to elect another leader.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a relay waits before it sends a message again that NATS didn't take.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a relay waits for a message that a client has seen elsewhere, if that exists.
const LATE: Duration = Duration::from_secs(2);
/// How long a relay waits before it connects again, at most.
const RECONNECT: Duration = Duration::from_secs(1);
/// How many messages may wait in this program for one space. Further ones are read from the stream
/// later.
const WAITING: usize = 1024;
/// How many requests may wait in this program for the connection to NATS.
const COMMANDS: usize = 256;
/// How often NATS is asked for a sign of life. The connection is left when two are missing.
const PING: Duration = Duration::from_secs(5);
/// How many spaces are read from the stream at one time.
const READERS: usize = 64;
/// What the headers of a message take at most, in bytes.
const HEADERS: usize = 1024;
/// For how long NATS keeps what relays know of pages, at least: relays renew it every few seconds.
const SHORTEST_SESSIONS: Duration = Duration::from_secs(60);

/// What a relay and its store agree on.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What is kept of what was published.
    pub history: history::Limits,
    /// How long a session is kept after its connection is lost.
    pub session_age: Duration,
    /// How long a connection can be dead before the relay notices, at most.
    pub unnoticed: Duration,
}

/// The store that several relays share.
#[derive(Debug)]
pub struct JetStream {
    shared: Arc<Shared>,
    /// Ends what runs for the store.
    _ends: DropGuard,
}

struct Shared {
    spaces: Arc<Spaces>,
    archive: Archive,
    budget: OnceLock<Arc<Budget>>,
    sender_check: OnceLock<Arc<dyn SenderCheck>>,
    common: Common,
    name: String,
    client: Client,
    context: jetstream::Context,
    stream: stream::Stream<()>,
    bucket: kv::Store,
    terms: Terms,
    followed: Mutex<HashMap<Arc<str>, Arc<Following>>>,
    readers: Semaphore,
    /// How many messages came that there was no room for. They are read from the stream later.
    slow: Arc<AtomicU64>,
    /// On their way to NATS.
    lanes: Lanes,
    /// Counts the connections to NATS.
    connections: channel::Receiver<u64>,
    /// The highest id in the stream, as it was a moment ago.
    tip: AtomicU64,
    samples: Mutex<Samples>,
    outbox: Outbox,
    letters: Letters,
    /// When NATS last answered.
    answered: Mutex<Instant>,
    /// NATS has lost what it kept.
    lost: CancellationToken,
    ended: CancellationToken,
}

impl Terms {
    /// How long the store keeps a session that nobody writes again.
    fn kept(self) -> Duration {
        self.session_age.max(SHORTEST_SESSIONS)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.name)
            .field("epoch", &self.common.epoch)
            .finish_non_exhaustive()
    }
}

/// An error of NATS as one of the store.
fn unavailable(error: impl fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl JetStream {
    /// Connects to NATS, finds the streams or makes them, and delivers to these spaces from then
    /// on.
    ///
    /// # Errors
    /// NATS can't be reached, has no JetStream, or doesn't make the streams; the text says why.
    pub async fn connect(
        settings: &Settings,
        spaces: Arc<Spaces>,
        terms: Terms,
    ) -> Result<Self, StoreError> {
        let (connected, connections) = channel::channel(0);
        let slow = Arc::new(AtomicU64::new(0));
        let client = timeout(START, connect(settings, connected, Arc::clone(&slow)))
            .await
            .map_err(|_| unavailable("it didn't answer in time"))??;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(REQUEST);
        let deadline = Instant::now() + START;
        let Streams {
            said,
            bucket,
            common,
        } = loop {
            match Streams::find_or_make(&context, settings, terms).await {
                Ok(found) => break found,
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(error) => tracing::info!("NATS isn't ready: {error}"),
            }
            sleep(RECONNECT).await;
        };
        let (outbox, posted) = Outbox::new();
        let (letters, written) = Letters::new();
        let shared = Arc::new(Shared {
            archive: Archive::new(terms.history),
            budget: OnceLock::new(),
            sender_check: OnceLock::new(),
            common,
            name: settings.name.to_string(),
            client,
            context,
            stream: said,
            bucket,
            terms,
            followed: Mutex::default(),
            readers: Semaphore::new(READERS),
            slow,
            lanes: Lanes::default(),
            connections,
            tip: AtomicU64::new(0),
            samples: Mutex::default(),
            outbox,
            letters,
            answered: Mutex::new(Instant::now()),
            lost: CancellationToken::new(),
            ended: CancellationToken::new(),
            spaces,
        });
        let begun = shared.spaces.begun();
        shared.run(Arc::clone(&shared).follow_begun(begun));
        shared.run(Arc::clone(&shared).keep_watch());
        shared.run(Arc::clone(&shared).send_posted(posted));
        shared.run(Arc::clone(&shared).send_letters(written));
        shared.run(Arc::clone(&shared).receive_letters());
        Ok(Self {
            _ends: shared.ended.clone().drop_guard(),
            shared,
        })
    }
}

async fn connect(
    settings: &Settings,
    connected: channel::Sender<u64>,
    slow: Arc<AtomicU64>,
) -> Result<Client, StoreError> {
    let options = ConnectOptions::new()
        .name("signal-relay")
        .subscription_capacity(WAITING)
        .client_capacity(COMMANDS)
        .ping_interval(PING)
        .connection_timeout(REQUEST)
        .reconnect_delay_callback(|attempts| {
            RECONNECT.min(Duration::from_millis(50) * u32::try_from(attempts).unwrap_or(u32::MAX))
        })
        .event_callback(move |event| {
            match event {
                Event::Connected => {
                    tracing::info!("connected to NATS");
                    connected.send_modify(|connections| *connections += 1);
                }
                Event::SlowConsumer(_) => {
                    slow.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!("messages are read from NATS later");
                }
                event => tracing::warn!("NATS: {event}"),
            }
            std::future::ready(())
        });
    let options = match &settings.credentials {
        Some(file) => with_credentials(options, file).await?,
        None => options,
    };
    let servers = settings.servers.addresses.clone();
    options.connect(servers).await.map_err(unavailable)
}

/// Adds what NATS asks for: a `.creds` file, `user:password`, or a token.
async fn with_credentials(
    options: ConnectOptions,
    file: &std::path::Path,
) -> Result<ConnectOptions, StoreError> {
    let problem = |error: std::io::Error| unavailable(format!("{}: {error}", file.display()));
    let text = tokio::fs::read_to_string(file).await.map_err(problem)?;
    let line = text.trim();
    if line.contains("-----BEGIN") {
        return options.credentials(line).map_err(problem);
    }
    Ok(match line.split_once(':') {
        Some((user, password)) => options.user_and_password(user.into(), password.into()),
        None => options.token(line.into()),
    })
}

impl Shared {
    /// Runs something until the store is dropped.
    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// How long NATS keeps what relays know of pages and of each other.
    fn kept(&self) -> Duration {
        self.terms.kept()
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Following>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The subject under which relays publish in a space.
    fn said(&self, space: &str) -> String {
        format!("{}.said.{}", self.name, fingerprint(space))
    }

    /// The subject under which relays receive what was published in a space.
    fn heard(&self, space: &str) -> String {
        format!("{}.heard.{}", self.name, fingerprint(space))
    }

    async fn publish(self: &Arc<Self>, publication: &Publication) -> Result<(), StoreError> {
        // Whoever receives the message may answer at once: the answer must find its way back. And only
        // who follows a space knows whose its senders are.
        let check = self.sender_check.get();
        if check.is_some() || self.spaces.has(&publication.space) {
            self.ready(&publication.space).await?;
        }
        if let (Content::Envelope(message), Some(check)) = (&publication.content, check)
            && !check.allows(&publication.space, message)
        {
            return Err(StoreError::Foreign);
        }
        // It has its lane to itself until this ends.
        let on_lane;
        let turn = match publication.reference {
            Some(number) => {
                let counter = Counter::Publisher(publication.from);
                Turn { counter, number }
            }
            None => {
                on_lane = self.lanes.begin();
                let (relay, lane) = (self.spaces.relay(), on_lane.lane);
                let counter = Counter::Lane { relay, lane };
                let number = on_lane.number;
                Turn { counter, number }
            }
        };
        let (headers, text) = message::encode(publication, turn);
        let subject = self.said(&publication.space);
        let (text, mut problem) = (text.into(), None);
        let appending = self.append(&subject, &headers, &text, &mut problem);
        if timeout(PATIENCE, appending).await.is_err() {
            return Err(problem.unwrap_or_else(|| unavailable("NATS doesn't answer")));
        }
        Ok(())
    }

    /// Appends a message to the stream, and tries until that succeeds. What was sent before may be
    /// lost with its connection, or only its answer: relays take the message once.
    async fn append(
        &self,
        subject: &str,
        headers: &HeaderMap,
        text: &Bytes,
        problem: &mut Option<StoreError>,
    ) {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        loop {
            let attempt = async {
                let (subject, headers) = (subject.to_owned(), headers.clone());
                let sent = self
                    .context
                    .publish_with_headers(subject, headers, text.clone());
                sent.await?.await
            };
            tokio::select! {
                appended = attempt => match appended {
                    Ok(_) => return,
                    Err(error) => *problem = Some(unavailable(error)),
                },
                _ = connections.changed() => {}
            }
            sleep(AGAIN).await;
        }
    }

    /// Runs `act` with the history of a space and the position up to which it is known, while
    /// nothing is delivered there. All messages up to those that `wanted` names have been delivered,
    /// if there are such.
    async fn at_rest(
        self: &Arc<Self>,
        space: &Arc<str>,
        wanted: impl Iterator<Item = Since>,
        act: impl FnOnce(&mut history::History, MessageId),
    ) -> Result<(), StoreError> {
        let wanted = wanted.filter_map(|since| match since {
            Since::After(id) => Some(id),
            Since::Now | Since::Unknown => None,
        });
        let wanted = wanted.max().unwrap_or_default();
        let deadline = Instant::now() + LATE;
        let mut has_asked = false;
        loop {
            let following = self.ready(space).await?;
            // Another relay has delivered messages that are still on their way to this one, or to
            // the server that it asks. If such an id is made up, NATS is asked twice for it.
            if wanted > following.last() {
                let is_late = Instant::now() >= deadline;
                if is_late || !has_asked {
                    has_asked = true;
                    let catching_up = self.catch_up(space, &following, Cause::Behind);
                    timeout(REQUEST, catching_up).await.map_err(unavailable)??;
                }
                if wanted > following.last() && !is_late {
                    sleep(AGAIN).await;
                    continue;
                }
            }
            let Some(mut history) = self.archive.lock(space) else {
                return Ok(());
            };
            if !following.has_ended() {
                act(&mut history, following.last());
                return Ok(());
            }
        }
    }
}

impl Store for JetStream {
    fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.shared.common.epoch)
    }

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
        Box::pin(async move { self.shared.publish(&publication).await })
    }

    fn settle<'a>(
        &'a self,
        space: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let space = Arc::from(space);
            let _ = timeout(PROMPT, self.shared.ready(&space)).await;
        })
    }

    fn open(&self, request: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async move {
            let OpenRequest {
                space,
                reader,
                channels,
                on_open,
            } = request;
            let wanted = channels.iter().map(|open| open.since);
            let act = |history: &mut history::History, position| {
                let open = |open| history.open(&space, open, reader, position);
                let replays = channels.iter().map(open).collect();
                on_open(Opened { position, replays });
            };
            self.shared.at_rest(&space, wanted, act).await
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_> {
        Box::pin(async move {
            let ReadRequest {
                space,
                reader,
                since,
                on_read,
            } = request;
            let act = |history: &mut history::History, position| {
                let replay = history.read(&space, since, reader, position);
                on_read(Read {
                    position: Some(position),
                    replay,
                });
            };
            let wanted = std::iter::once(since);
            self.shared.at_rest(&space, wanted, act).await
        })
    }

    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>) {
        if let Some(mut history) = self.shared.archive.lock(space) {
            channels.for_each(|channel| history.close(space, &channel));
        }
    }

    fn sessions(&self) -> Option<&dyn SharedSessions> {
        Some(self)
    }

    fn secret(&self) -> Option<Arc<str>> {
        Some(Arc::clone(&self.shared.common.secret))
    }

    fn notices(&self) -> Option<Arc<dyn Notices>> {
        Some(Arc::<Shared>::clone(&self.shared))
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        Some(Arc::<Shared>::clone(&self.shared))
    }

    fn check_senders(&self, check: Arc<dyn SenderCheck>) {
        let _ = self.shared.sender_check.set(check);
    }

    fn use_budget(&self, budget: &Arc<Budget>) {
        // A store belongs to one hub.
        let _ = self.shared.budget.set(Arc::clone(budget));
    }

    fn is_ready(&self) -> bool {
        self.shared.is_ready()
    }

    fn longest_message(&self) -> Option<usize> {
        let most = self.shared.client.server_info().max_payload;
        Some(most.saturating_sub(HEADERS))
    }

    fn lost(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.shared.lost.cancelled())
    }

    fn set_limits(&self, limits: history::Limits) {
        self.shared.archive.set_limits(limits);
    }

    fn evict_expired(&self) {
        self.shared.archive.evict_expired();
    }

    fn evict(&self, owner: &Owner, bytes: usize) -> usize {
        self.shared.archive.evict(owner, bytes)
    }

    fn stats(&self) -> history::Stats {
        self.shared.archive.stats()
    }
}
