//! One open WebSocket: reading text frames, and closing so that the close code arrives.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::close::CloseReason;
use super::fragments::Fragments;
use super::meter::{Meter, Metered};
use crate::address::ClientAddress;
use crate::limits::Allowance;

/// Each connection has a read buffer of this size from the start, in bytes. A longer frame is read in
/// parts of this size.
pub(super) const READ_BUFFER: usize = 1024;

/// How long the close frame may take where memory has to be free again.
const CLOSE_FRAME_TIMEOUT: Duration = Duration::from_millis(100);

type Socket = WebSocketStream<Metered<TokioIo<Upgraded>>>;
pub(super) type Sink = SplitSink<Socket, Message>;
pub(super) type Stream = SplitStream<Socket>;

/// One open WebSocket.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) sink: Sink,
    pub(super) stream: Stream,
    /// Where its client is.
    pub(crate) address: ClientAddress,
    /// What is left of a message that was being written.
    pub(super) unwritten: Fragments,
    pub(super) meter: Arc<Meter>,
    pub(super) max_frame: usize,
    /// What its client may send.
    pub(crate) allowance: Arc<Allowance>,
    pub(super) close_timeout: Duration,
}

impl Connection {
    pub(super) fn new(
        socket: Socket,
        address: ClientAddress,
        meter: Arc<Meter>,
        max_frame: usize,
        allowance: Arc<Allowance>,
        close_timeout: Duration,
    ) -> Self {
        let (sink, stream) = socket.split();
        Self {
            sink,
            stream,
            address,
            unwritten: Fragments::default(),
            meter,
            max_frame,
            allowance,
            close_timeout,
        }
    }

    /// What is known of its stream.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The next text frame. Pings, pongs and the like are skipped; a binary frame is an error.
    pub(crate) async fn read_text(&mut self) -> Result<Utf8Bytes, CloseReason> {
        loop {
            self.meter.pause(pin!(self.allowance.ready())).await?;
            let message = tokio::select! {
                message = next_message(&mut self.stream, self.max_frame) => message,
                reason = self.meter.exceeded() => Err(reason),
            }?;
            self.allowance.charge(message.len());
            match message {
                Message::Text(text) => return Ok(text),
                Message::Binary(_) => return Err(CloseReason::BinaryFrame),
                // Reads no further while the client doesn't read its pongs.
                Message::Ping(_) => {
                    let flushed = self.sink.flush().await;
                    flushed.map_err(|error| CloseReason::from_write_error(&error))?;
                }
                _ => {}
            }
        }
    }

    /// Sends one text frame.
    pub(crate) async fn send_text(&mut self, text: String) -> Result<(), CloseReason> {
        let sent = self.sink.send(Message::text(text)).await;
        sent.map_err(|error| CloseReason::from_write_error(&error))
    }

    /// Sends the `rest` and the close frame, and waits a limited time for the answer.
    pub(crate) async fn close(
        self,
        rest: impl IntoIterator<Item = Utf8Bytes, IntoIter: Send> + Send,
        reason: &CloseReason,
    ) {
        let Self {
            sink,
            stream,
            unwritten,
            close_timeout,
            ..
        } = self;
        let close = reason.frame();
        // On the heap, so that tasks don't reserve room for their end as long as they live.
        let finished = Box::pin(async {
            if *reason == CloseReason::OverMemory {
                finish_without_buffers(sink, stream, close).await
            } else {
                finish(sink, stream, unwritten, rest.into_iter(), close).await
            }
        });
        if timeout(close_timeout, finished).await.is_err() {
            tracing::debug!("closed without the other side's answer");
        }
    }
}

/// The next message of whatever kind. The library answers pings and closes on the next read.
pub(super) async fn next_message(
    stream: &mut Stream,
    max_frame: usize,
) -> Result<Message, CloseReason> {
    match stream.next().await {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(CloseReason::from_error(error, max_frame)),
        None => Err(CloseReason::Gone),
    }
}

/// Closes so that the buffers are free at once, or soon if the other side doesn't read.
async fn finish_without_buffers(
    mut sink: Sink,
    stream: Stream,
    close: Option<CloseFrame>,
) -> Result<(), Error> {
    let sent = timeout(CLOSE_FRAME_TIMEOUT, sink.send(Message::Close(close))).await;
    let Ok(socket) = sink.reunite(stream) else {
        return Ok(());
    };
    let mut io = socket.into_inner();
    if sent.is_ok() {
        io.shutdown().await?;
        let mut unread = [0; 1024];
        while io.read(&mut unread).await? > 0 {}
    }
    Ok(())
}

/// If no close frame answers ours, reads on until the other side closes all the same: when a socket
/// with unread input is closed, the system resets the connection, and the close code is lost.
async fn finish(
    mut sink: Sink,
    mut stream: Stream,
    mut unwritten: Fragments,
    rest: impl Iterator<Item = Utf8Bytes> + Send,
    close: Option<CloseFrame>,
) -> Result<(), Error> {
    for text in rest {
        // Only a close frame may come in the middle of a message.
        for frame in unwritten.by_ref() {
            sink.feed(frame).await?;
        }
        sink.feed(Message::Text(text)).await?;
    }
    let mut answered = false;
    if let Some(frame) = close {
        sink.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(message)) = stream.next().await {
            answered |= message.is_close();
        }
    } else {
        sink.flush().await?;
        answered = true;
    }
    let Ok(mut socket) = sink.reunite(stream) else {
        return Ok(());
    };
    let io = socket.get_mut();
    io.shutdown().await?;
    let mut unread = [0; 1024];
    while !answered && io.read(&mut unread).await? > 0 {}
    Ok(())
}
