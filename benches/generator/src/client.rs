//! A connection to the server.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::Failure;
use crate::protocol::{Control, Protocol};

/// One client. It answers what keeps its connection alive.
#[derive(Debug)]
pub(crate) enum Client {
    Socket(Protocol, Box<WebSocketStream<TcpStream>>),
    /// A stream of events.
    Events(BufReader<TcpStream>),
    /// A connection for POST requests. They don't wait for each other's answers, as the frames of a
    /// WebSocket don't.
    Requests(OwnedWriteHalf, SocketAddr),
}

/// Where a client connects, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) protocol: Protocol,
    pub(crate) space: usize,
    /// The secret of the session that it resumes.
    pub(crate) session: Option<String>,
    /// What its address says besides.
    pub(crate) query: String,
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Client {
    /// A client that receives.
    pub(crate) async fn receiver(target: &Target) -> Result<Self, Failure> {
        if target.protocol != Protocol::Sse {
            return Ok(Self::socket(target).await?.0);
        }
        let address = target.address;
        let mut stream = BufReader::new(connect(address).await?);
        let path = target.protocol.path(target.space);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        head(&mut stream).await?;
        let mut client = Self::Events(stream);
        // The first event says that it is connected.
        while client.line().await?.is_empty() {}
        Ok(client)
    }

    /// A client that publishes.
    pub(crate) async fn publisher(target: &Target) -> Result<Self, Failure> {
        if target.protocol == Protocol::Sse {
            let (answers, requests) = connect(target.address).await?.into_split();
            tokio::spawn(async move {
                let mut answers = BufReader::new(answers);
                let failure = loop {
                    if let Err(failure) = answer(&mut answers).await {
                        break failure;
                    }
                };
                eprintln!("load-generator: {failure}");
            });
            return Ok(Self::Requests(requests, target.address));
        }
        Ok(Self::socket(target).await?.0)
    }

    /// A WebSocket, and the frame that lets it in, if its protocol has one.
    pub(crate) async fn socket(target: &Target) -> Result<(Self, Option<Utf8Bytes>), Failure> {
        let Target {
            address, protocol, ..
        } = *target;
        let url = format!(
            "ws://{address}{}{}",
            protocol.path(target.space),
            target.query
        );
        let (mut socket, _) = client_async(url, connect(address).await?).await?;
        if let Some(greeting) = protocol.greeting(target.session.as_deref()) {
            socket.send(Message::text(greeting)).await?;
        }
        let ready = if protocol.is_ready_at_once() {
            None
        } else {
            Some(ready(protocol, &mut socket).await?)
        };
        Ok((Self::Socket(protocol, Box::new(socket)), ready))
    }

    /// The next frame, or line of a stream, that isn't only there to keep the connection alive.
    pub(crate) async fn frame(&mut self) -> Result<Utf8Bytes, Failure> {
        match self {
            Self::Socket(protocol, socket) => loop {
                let frame = next(socket).await?;
                match protocol.control(&frame) {
                    Control::Answer(answer) => socket.send(Message::text(answer)).await?,
                    Control::Ready | Control::Nothing => return Ok(frame),
                }
            },
            Self::Events(_) => Ok(self.line().await?.into()),
            Self::Requests(..) => Err("requests receive no frames".into()),
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let Self::Events(stream) = self else {
            return Err("no stream of lines".into());
        };
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the server has ended the stream".into());
        }
        Ok(line)
    }

    /// Publishes.
    pub(crate) async fn publish(&mut self, message: String) -> Result<(), Failure> {
        match self {
            Self::Socket(_, socket) => Ok(socket.send(Message::text(message)).await?),
            Self::Events(_) => Err("a stream of events doesn't publish".into()),
            Self::Requests(stream, address) => {
                let length = message.len();
                let request = format!(
                    "POST /sse HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                     content-length: {length}\r\n\r\n{message}"
                );
                Ok(stream.write_all(request.as_bytes()).await?)
            }
        }
    }
}

/// Reads the answer to a request.
async fn answer(stream: &mut BufReader<OwnedReadHalf>) -> Result<(), Failure> {
    let length = head(stream).await?;
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(())
}

/// Reads the head of a response that must be good, and returns the length of its body.
async fn head(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Result<usize, Failure> {
    let mut length = 0;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if !line.starts_with("HTTP/1.1 20") {
        return Err(format!("the server answers {line:?}").into());
    }
    loop {
        line.clear();
        if stream.read_line(&mut line).await? <= 2 {
            return Ok(length);
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
}

/// The frame that lets a client in.
async fn ready(
    protocol: Protocol,
    socket: &mut WebSocketStream<TcpStream>,
) -> Result<Utf8Bytes, Failure> {
    loop {
        let frame = next(socket).await?;
        match protocol.control(&frame) {
            Control::Answer(answer) => socket.send(Message::text(answer)).await?,
            Control::Ready => return Ok(frame),
            Control::Nothing => {}
        }
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Utf8Bytes, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => {}
            Some(Ok(message)) => return Err(format!("the server sends {message:?}").into()),
            Some(Err(error)) => return Err(error.into()),
            None => return Err("the server has ended the connection".into()),
        }
    }
}
