//! A deadline for writing. Whoever doesn't read what it is sent loses its connection after a while,
//! whether that is a WebSocket, a stream of events or the answer to a request.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A reader for which more waits must take at least this many bytes within the deadline.
const LEAST: usize = 16 * 1024;

/// A stream whose other side must read.
///
/// The deadline runs while the other side takes nothing, until it has taken [`LEAST`] bytes or all
/// that waited. After it, writing fails with [`ErrorKind::TimedOut`].
#[derive(Debug)]
pub(crate) struct WriteDeadline<S> {
    stream: S,
    time: Duration,
    blocked: Option<Blocked>,
}

/// Writing had to wait.
#[derive(Debug)]
struct Blocked {
    deadline: Pin<Box<Sleep>>,
    /// Bytes that were taken since then.
    taken: usize,
}

impl<S> WriteDeadline<S> {
    /// Gives the other side so much time.
    pub(crate) fn new(stream: S, time: Duration) -> Self {
        Self {
            stream,
            time,
            blocked: None,
        }
    }

    fn note(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(blocked) = &mut self.blocked {
                    blocked.taken += bytes;
                    if blocked.taken >= LEAST {
                        self.blocked = None;
                    }
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let blocked = self.blocked.get_or_insert_with(|| Blocked {
                    deadline: Box::pin(sleep(self.time)),
                    taken: 0,
                });
                ready!(blocked.deadline.as_mut().poll(context));
                Poll::Ready(Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "the other side doesn't read",
                )))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.note(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.note(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Callers flush when they have written everything: nothing waits any more.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = ready!(Pin::new(&mut this.stream).poll_flush(context));
        this.blocked = None;
        Poll::Ready(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TIME: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_given_up() {
        let (ours, theirs) = duplex(1000);
        let mut ours = WriteDeadline::new(ours, TIME);
        assert!(ours.write_all(&[0; 1000]).await.is_ok());
        let error = ours.write_all(&[0; 1000]).await.map_err(|e| e.kind());
        assert_eq!(error, Err(ErrorKind::TimedOut));
        drop(theirs);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_a_trickle_is_given_up() {
        let (ours, mut theirs) = duplex(1000);
        let mut ours = WriteDeadline::new(ours, TIME);
        let writing = async { ours.write_all(&[0; 100_000]).await.map_err(|e| e.kind()) };
        let reading = async {
            while theirs.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let written = tokio::select! {
            written = writing => written,
            () = reading => Ok(()),
        };
        assert_eq!(written, Err(ErrorKind::TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_waited_for() {
        let (ours, mut theirs) = duplex(1000);
        let mut ours = WriteDeadline::new(ours, TIME);
        let writing = async {
            for _ in 0..10 {
                ours.write_all(&[0; 20_000]).await?;
                ours.flush().await?;
                // It has all; how long there is nothing to write doesn't matter.
                tokio::time::sleep(TIME * 2).await;
            }
            Ok::<_, io::Error>(())
        };
        let reading = async {
            let mut bytes = [0; 1000];
            while theirs.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            written = writing => assert!(written.is_ok(), "{written:?}"),
            () = reading => {}
        }
    }
}
