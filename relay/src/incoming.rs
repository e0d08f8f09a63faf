//! What comes in on a WebSocket, and the silence in between.

use futures_util::{Stream, StreamExt};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::close::Ending;
use crate::config::Config;

/// The next text frame. After a silence, `ping` has the socket's writer send a ping; one that isn't answered either is the end.
///
/// The silence is judged by when something was last read, and always after reading what is there: a relay that was itself stopped for a while
/// doesn't take its members for dead.
///
/// If this is dropped half-way, no frame is lost.
pub async fn text(
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    longest: usize,
    ping: &Notify,
    config: &Config,
) -> Result<Utf8Bytes, Ending> {
    let mut pinged = false;
    loop {
        let wait = if pinged { config.patience } else { config.ping };
        match timeout_at(Instant::now() + wait, stream.next()).await {
            Ok(message) => {
                if let Some(text) = read(message, longest)? {
                    return Ok(text);
                }
                pinged = false;
            }
            Err(_) if pinged => return Err(Ending::Silent),
            Err(_) => {
                ping.notify_one();
                pinged = true;
            }
        }
    }
}

/// The text, if it is a text frame; nothing for what else a WebSocket may have in between.
pub fn read(
    message: Option<Result<Message, Error>>,
    longest: usize,
) -> Result<Option<Utf8Bytes>, Ending> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Binary(_))) => Err(Ending::NotText),
        // Pings and a close are answered by the library, on the next read.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_))) => {
            Ok(None)
        }
        Some(Err(error)) => Err(Ending::from_error(error, longest)),
        None => Err(Ending::Gone),
    }
}
