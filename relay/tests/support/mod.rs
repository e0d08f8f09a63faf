//! What the relay's tests share: a relay in this process, clients, and a plain HTTP request.
//!
//! Every wait has the same generous limit, which only a failing test meets.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod kept;
pub mod nats;
pub mod present;
pub mod program;
pub mod resuming;
pub mod signalr_classic;
pub mod signalr_core;
pub mod socket_io;
pub mod sse;
pub mod tokens;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use signal_relay::address::ClientAddress;
use signal_relay::hub::{Hub, Stats};
use signal_relay::reload::Reloader;
use signal_relay::server::StatsHandle;
use signal_relay::{Config, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

pub const LIMIT: Duration = Duration::from_secs(60);

/// The result of `wait`, which must come in time. `what` is what the test waits for. Loops need it
/// that read over frames: each frame comes in time, and a relay that pings sends them for ever.
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, wait).await {
        Ok(result) => result,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// The address of one of several clients.
pub fn address(number: u8) -> ClientAddress {
    ClientAddress::new(std::net::Ipv4Addr::new(192, 0, 2, number).into())
}

/// The result of `hearing` while somebody in the space sends texts without a pause that not
/// everybody receives.
pub async fn amid_chatter(relay: &Relay, hearing: impl Future<Output = String>) -> String {
    let mut page = relay.join("/").await;
    let chatter = async {
        loop {
            page.send("no envelope").await;
            page.heard_through_pings().await;
        }
    };
    let heard = async {
        tokio::select! {
            text = chatter => text,
            text = hearing => text,
        }
    };
    within("it, amid chatter", heard).await
}

/// Settings for tests: any free port, and time enough to see a close code on a busy machine.
pub fn config() -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        close_timeout: LIMIT,
        ..Config::default()
    }
}

/// A relay that runs in this process.
pub struct Relay {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub reloader: Reloader,
    pub stats: StatsHandle,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Relay {
    pub async fn start(config: Config) -> Self {
        Self::run(Server::bind(config).await.unwrap())
    }

    pub async fn start_with(config: Config, hub: Hub) -> Self {
        Self::run(Server::bind_with(config, hub).await.unwrap())
    }

    fn run(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (address, stats) = (server.address(), server.stats());
        let (metrics, reloader) = (server.metrics_address(), server.reloader());
        let served = tokio::spawn(async move {
            let stop = async move {
                let _ = stopped.await;
            };
            server.serve(stop).await.unwrap();
        });
        Self {
            address,
            metrics,
            reloader,
            stats,
            stop,
            served,
        }
    }

    /// Opens a client that is a member of the space when this returns.
    pub async fn join(&self, space: &str) -> Client {
        let mut client = Client::open(self.address, space).await.unwrap();
        client.greeted().await;
        client
    }

    /// Waits until the stats are as wanted.
    pub async fn until(&self, wanted: impl Fn(Stats) -> bool) {
        let waiting = async {
            while !wanted(self.stats.get()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(LIMIT, waiting).await.is_err() {
            panic!("the stats stay {:?}", self.stats.get());
        }
    }

    /// Waits until no connection is left.
    pub async fn until_empty(&self) {
        self.until(|stats| {
            (stats.spaces, stats.members) == (0, 0) && self.stats.connections() == 0
        })
        .await;
    }

    /// What `/metrics` answers.
    pub async fn metrics(&self) -> String {
        let answer = get(self.metrics.expect("no metrics"), "/metrics").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Tells the relay to stop.
    pub fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.served
    }
}

/// A native WebSocket client.
pub struct Client(pub WebSocketStream<TcpStream>);

impl Client {
    pub async fn open(address: SocketAddr, path: &str) -> Result<Self, Error> {
        Self::open_with(address, path, &[]).await
    }

    pub async fn open_with(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        Self::over(
            TcpStream::connect(address).await.unwrap(),
            address,
            path,
            headers,
        )
        .await
    }

    /// A client with room for few bytes, so that it counts as slow as soon as it doesn't read.
    pub async fn open_narrow(address: SocketAddr, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self::over(socket.connect(address).await.unwrap(), address, path, &[])
            .await
            .unwrap()
    }

    /// A client on 127.0.0.`last`, which is another address to the relay.
    pub async fn open_from(last: u8, address: SocketAddr, path: &str) -> Result<Self, Error> {
        Self::over(connect_from(last, address).await, address, path, &[]).await
    }

    async fn over(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let opening = tokio_tungstenite::client_async(request, stream);
        tokio::time::timeout(LIMIT, opening)
            .await
            .expect("no answer to the handshake")
            .map(|(socket, _)| Self(socket))
    }

    /// Waits until the relay has made it a member, which sends the hello. Returns the hello.
    pub async fn greeted(&mut self) -> String {
        let hello = self.text().await;
        assert!(hello.starts_with("{\"signal\":1,"), "{hello}");
        hello
    }

    /// Waits until the relay has handled everything sent so far. Nothing else may come meanwhile.
    pub async fn heard(&mut self) {
        self.0.send(Message::Ping(Vec::new().into())).await.unwrap();
        assert!(matches!(self.next().await, Some(Ok(Message::Pong(_)))));
    }

    /// The same on a connection that is pinged all the time; no text is to come.
    pub async fn heard_through_pings(&mut self) {
        self.0
            .send(Message::Ping(b"heard".to_vec().into()))
            .await
            .unwrap();
        let pong = async {
            loop {
                match self.next().await {
                    Some(Ok(Message::Pong(payload))) if *payload == *b"heard" => return,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        within("the answer to a ping", pong).await;
    }

    pub async fn send(&mut self, text: &str) {
        let sent = within("room to send", self.0.send(Message::text(text))).await;
        sent.unwrap();
    }

    /// The next message of whatever kind; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        within("a message", self.0.next()).await
    }

    /// Reads to the end, as every client does, until there is nothing more or an error.
    pub async fn ended(&mut self) {
        within("the end", async {
            while let Some(Ok(_)) = self.next().await {}
        })
        .await;
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        let text = async {
            loop {
                match self.next().await {
                    Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?} and not a text frame"),
                }
            }
        };
        within("a text frame", text).await
    }

    /// Reads until this text comes, and over those before it.
    pub async fn until_text(&mut self, wanted: impl Fn(&str) -> bool) {
        within("a certain text", async {
            while !wanted(&self.text().await) {}
        })
        .await;
    }

    /// The next text frame, which has to be an envelope, without the id that the relay gave it.
    pub async fn envelope(&mut self) -> String {
        without_id(&self.text().await).0
    }

    /// The code and the reason that the connection is closed with; what comes before is read over.
    pub async fn closed(&mut self) -> (u16, String) {
        let closed = async {
            loop {
                match self.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return (frame.code.into(), frame.reason.as_str().to_owned());
                    }
                    Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?} and no close frame"),
                }
            }
        };
        within("the close frame", closed).await
    }
}

/// An envelope as it was before the relay gave it an id, and the id.
pub fn without_id(text: &str) -> (String, u64) {
    let start = text
        .find(",\"id\":\"")
        .unwrap_or_else(|| panic!("no id in {text}"));
    let rest = &text[start + 7..];
    let digits = &rest[..rest.find('"').unwrap()];
    let rest = &rest[digits.len() + 1..];
    assert!(rest.starts_with([',', '}']), "{text}");
    (text[..start].to_owned() + rest, digits.parse().unwrap())
}

/// A connection from 127.0.0.`last`.
pub async fn connect_from(last: u8, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// A connection on which the handshake is done and nothing else: what goes over it is up to the
/// test.
pub async fn raw(address: SocketAddr, path: &str) -> TcpStream {
    raw_over(TcpStream::connect(address).await.unwrap(), address, path).await
}

/// The same over a given connection.
pub async fn raw_over(mut stream: TcpStream, address: SocketAddr, path: &str) -> TcpStream {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(
            tokio::time::timeout(LIMIT, stream.read_u8())
                .await
                .expect("no answer to the handshake")
                .unwrap(),
        );
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// Asks for a WebSocket with these headers, and gives the head of the answer.
pub async fn upgrade(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let next = tokio::time::timeout(LIMIT, stream.read_u8());
        head.push(next.await.expect("no answer to the handshake").unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Sends a short text frame over a [`raw`] connection.
pub async fn raw_send(stream: &mut TcpStream, text: &str) {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126);
    // The mask may be any; this one leaves the text as it is.
    let mut frame = vec![0x81, 0x80 | length.unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    let written = within("room to send", stream.write_all(&frame)).await;
    written.unwrap();
}

/// The next short frame of a [`raw`] connection, its kind and what is in it. Nothing answers it.
pub async fn raw_next(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let reading = async {
        let kind = stream.read_u8().await.unwrap();
        let length = match stream.read_u8().await.unwrap() {
            126 => stream.read_u16().await.unwrap(),
            length => length.into(),
        };
        let mut payload = vec![0; usize::from(length)];
        stream.read_exact(&mut payload).await.unwrap();
        (kind, payload)
    };
    within("a frame", reading).await
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Sends a request just as it is written here, and reads the answer to its end.
pub async fn request(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> Answer {
    request_with(address, line, headers, b"").await
}

/// The same with a body.
pub async fn request_with(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-length: {}\r\n", body.len());
    }
    text += "\r\n";
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        // A relay that doesn't want the body may have answered before it was written.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(LIMIT, exchange)
        .await
        .expect("no answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, bytes) = answer.split_at(end.map_or(answer.len(), |end| end + 4));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: String::from_utf8_lossy(bytes).into_owned(),
        bytes: bytes.to_vec(),
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, &format!("GET {path}"), &[]).await
}

/// The HTTP status with which a WebSocket was refused.
pub fn status(refused: Result<Client, Error>) -> u16 {
    match refused.map(|_| "connected") {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}
