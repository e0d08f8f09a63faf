//! The one loop that reads and writes WebSockets, for every protocol.
//!
//! Reading and writing run side by side, so that a client that doesn't read is still heard, and the
//! other way round. What a frame means and what is written next is the protocol's: see [`Inbound`]
//! and [`Outbound`].

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::SinkExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use super::close::CloseReason;
use super::fragments::Fragments;
use super::heartbeat::Heartbeat;
use super::meter::Meter;
use super::pongs::Pongs;
use super::socket::{Connection, Sink, Stream, next_message};
use super::upgrade::WRITE_BUFFER;
use crate::limits::Allowance;

/// After so many frames the writer flushes and looks for pings and keep-alives.
const BATCH: usize = 64;

/// Where there is no keep-alive, its timer runs so long.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a protocol does with frames that come in.
pub(crate) trait Inbound: Send {
    /// Takes a text frame, or the first message in it. It is always finished, even if the
    /// connection closes meanwhile. An error closes the connection.
    fn text(&mut self, text: Utf8Bytes) -> impl Future<Output = Result<(), CloseReason>> + Send;

    /// Whether something is still to be taken that was read before: one of several messages in the
    /// last text frame, or a frame from before [`run`].
    fn has_more(&self) -> bool {
        false
    }

    /// Takes the next of that, as [`Inbound::text`].
    fn more(&mut self) -> impl Future<Output = Result<(), CloseReason>> + Send {
        std::future::ready(Ok(()))
    }

    /// The heartbeat from now on, if it isn't the one that the connection began with.
    fn heartbeat(&self) -> Option<&Heartbeat> {
        None
    }

    /// Takes any other frame.
    fn other(&mut self, message: &Message) -> Result<(), CloseReason> {
        if message.is_binary() {
            return Err(CloseReason::BinaryFrame);
        }
        Ok(())
    }
}

/// What a protocol writes.
pub(crate) trait Outbound: Send {
    /// Resolves when [`Outbound::next`] may have something. Nothing is lost if it is dropped.
    fn ready(&mut self) -> impl Future<Output = ()> + Send;

    /// The next text frame to write.
    fn next(&mut self) -> Option<Utf8Bytes>;

    /// How long the relay may write nothing before [`Outbound::keep_alive`] is asked.
    fn keep_alive_interval(&self) -> Option<Duration> {
        None
    }

    /// A text frame that shows the client that the relay is alive.
    fn keep_alive(&mut self) -> Option<Utf8Bytes> {
        None
    }
}

/// Reads and writes until the connection closes, or `closing` resolves. `heartbeat` is for
/// protocols without one of their own. `closing` is on the heap, because each function that hands it
/// on would reserve room for it in the connection's task.
pub(crate) async fn run(
    connection: &mut Connection,
    inbound: &mut impl Inbound,
    outbound: &mut impl Outbound,
    heartbeat: Option<&Heartbeat>,
    closing: Pin<Box<impl Future<Output = CloseReason> + Send>>,
) -> CloseReason {
    let Connection {
        sink,
        stream,
        unwritten,
        meter,
        max_frame,
        allowance,
        ..
    } = connection;
    let (ping, pongs, turn) = (Notify::new(), Pongs::default(), Turn::default());
    let mut writer = Writer {
        sink,
        unwritten,
        meter,
        ping: &ping,
        pongs: &pongs,
    };
    let mut reader = Reader {
        stream,
        max_frame: *max_frame,
        heartbeat,
        ping: &ping,
        pongs: &pongs,
        allowance,
        meter,
        turn: &turn,
    };
    let mut reading = pin!(reader.read(inbound));
    let reason = tokio::select! {
        biased;
        reason = writer.write(outbound) => reason,
        reason = closing => reason,
        reason = meter.exceeded() => reason,
        reason = &mut reading => return reason,
    };
    turn.last.store(true, Ordering::Relaxed);
    if turn.taken.load(Ordering::Relaxed) {
        reading.await;
    }
    reason
}

/// A frame that a protocol takes is taken to the end, whatever happens to the connection meanwhile.
#[derive(Debug, Default)]
struct Turn {
    /// Whether a frame is being taken.
    taken: AtomicBool,
    /// Whether it is the last.
    last: AtomicBool,
}

struct Reader<'a> {
    stream: &'a mut Stream,
    max_frame: usize,
    heartbeat: Option<&'a Heartbeat>,
    ping: &'a Notify,
    pongs: &'a Pongs,
    allowance: &'a Allowance,
    meter: &'a Meter,
    turn: &'a Turn,
}

impl Reader<'_> {
    async fn next(&mut self, heartbeat: Option<&Heartbeat>) -> Result<Message, CloseReason> {
        let message = match heartbeat {
            Some(heartbeat) => {
                heartbeat
                    .next_message(self.stream, self.max_frame, self.ping)
                    .await?
            }
            None => next_message(self.stream, self.max_frame).await?,
        };
        self.allowance.charge(message.len());
        self.pongs.count(&message);
        Ok(message)
    }

    async fn read(&mut self, inbound: &mut impl Inbound) -> CloseReason {
        loop {
            if let Err(exceeded) = self.meter.pause(pin!(self.allowance.ready())).await {
                return exceeded.into();
            }
            self.pongs.room().await;
            let next = if inbound.has_more() {
                self.allowance.charge(0);
                None
            } else {
                Some(self.next(inbound.heartbeat().or(self.heartbeat)).await)
            };
            self.turn.taken.store(true, Ordering::Relaxed);
            // On the heap: it needs much room, and a connection mostly waits for a frame.
            let taken = Box::pin(take(inbound, next)).await;
            self.turn.taken.store(false, Ordering::Relaxed);
            if let Err(reason) = taken {
                return reason;
            }
            if self.turn.last.load(Ordering::Relaxed) {
                return CloseReason::Gone;
            }
            // A client that sends without a pause gives way to the others on its thread now and
            // then.
            tokio::task::consume_budget().await;
        }
    }
}

/// Takes a frame, or without one what is still to be taken.
async fn take(
    inbound: &mut impl Inbound,
    next: Option<Result<Message, CloseReason>>,
) -> Result<(), CloseReason> {
    match next {
        None => inbound.more().await,
        Some(Ok(Message::Text(text))) => inbound.text(text).await,
        Some(Ok(message)) => inbound.other(&message),
        Some(Err(reason)) => Err(reason),
    }
}

struct Writer<'a> {
    sink: &'a mut Sink,
    /// What is left of the message that is being written.
    unwritten: &'a mut Fragments,
    meter: &'a Meter,
    ping: &'a Notify,
    pongs: &'a Pongs,
}

impl Writer<'_> {
    async fn write(&mut self, outbound: &mut impl Outbound) -> CloseReason {
        let interval = outbound.keep_alive_interval().unwrap_or(NEVER);
        let mut last_written = Instant::now();
        let mut keep_alive = pin!(sleep(interval));
        loop {
            let written = tokio::select! {
                biased;
                () = self.ping.notified() => {
                    self.sink.send(Message::Ping(Bytes::new())).await.map(|()| false)
                }
                () = self.pongs.due() => self.sink.flush().await.map(|()| false),
                // Before frames, of which there may always be some, and none for this client.
                () = &mut keep_alive => {
                    // The timer isn't reset with each frame, which would cost more than the frame.
                    let due = last_written + interval;
                    if Instant::now() < due {
                        keep_alive.as_mut().reset(due);
                        continue;
                    }
                    keep_alive.as_mut().reset(Instant::now() + interval);
                    match outbound.keep_alive() {
                        Some(text) => self.sink.send(Message::Text(text)).await.map(|()| true),
                        None => continue,
                    }
                }
                () = outbound.ready() => self.write_batch(outbound).await,
            };
            match written {
                Ok(true) => last_written = Instant::now(),
                Ok(false) => {}
                Err(error) => return CloseReason::from_write_error(&error),
            }
            // Each of these flushes.
            self.pongs.flushed();
        }
    }

    /// Writes what waits, whole messages only. Returns whether that was anything.
    async fn write_batch(&mut self, outbound: &mut impl Outbound) -> Result<bool, Error> {
        let (mut frames, mut bytes, mut most) = (0, 0, 0);
        while frames < BATCH || !self.unwritten.is_over() {
            // A frame leaves its queue only when it can be handed on at once: nothing is lost if
            // this is dropped.
            poll_fn(|context| self.sink.poll_ready_unpin(context)).await?;
            if self.unwritten.is_over() {
                let Some(text) = outbound.next() else { break };
                *self.unwritten = Fragments::new(text);
            }
            let Some(frame) = self.unwritten.next() else {
                break;
            };
            // As much is collected before it is written.
            bytes = WRITE_BUFFER.min(bytes) + frame.len();
            most = most.max(bytes);
            self.sink.start_send_unpin(frame)?;
            frames += 1;
        }
        self.meter.write(most);
        self.sink.flush().await?;
        Ok(frames > 0)
    }
}
