//! A client of server-sent events, on hyper's HTTP client.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};

use super::{LIMIT, Relay, within};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
    pub retry: String,
    pub comments: usize,
}

/// A stream of events.
pub struct Reader {
    pub response: Response<Incoming>,
    /// What the stream began with.
    pub first: Event,
    text: String,
}

async fn exchange(
    relay: &Relay,
    stream: TcpStream,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Response<Incoming> {
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", relay.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        sender.send_request(request).await.unwrap()
    };
    tokio::time::timeout(LIMIT, exchange)
        .await
        .expect("no answer")
}

impl Reader {
    pub async fn open(relay: &Relay, path: &str) -> Self {
        Self::open_with(relay, path, &[]).await
    }

    pub async fn open_with(relay: &Relay, path: &str, headers: &[(&str, &str)]) -> Self {
        let stream = TcpStream::connect(relay.address).await.unwrap();
        Self::over(relay, stream, path, headers).await
    }

    /// A reader with room for few bytes, so that it is slow as soon as it doesn't read.
    pub async fn open_narrow(relay: &Relay, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(relay.address).await.unwrap();
        Self::over(relay, stream, path, &[]).await
    }

    async fn over(relay: &Relay, stream: TcpStream, path: &str, headers: &[(&str, &str)]) -> Self {
        let response = exchange(relay, stream, Method::GET, path, headers, Vec::new()).await;
        let mut reader = Self {
            response,
            first: Event::default(),
            text: String::new(),
        };
        if reader.response.status() == 200 {
            reader.first = reader.any().await.expect("no first event");
            let Event { name, retry, .. } = &reader.first;
            assert!(!retry.is_empty() && ["hello", "gap"].contains(&name.as_str()));
            if name == "gap" {
                let hello = reader.any().await.expect("no hello");
                assert_eq!((&*hello.name, &*hello.data), ("hello", "relay"));
            }
        }
        reader
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The next event, also one that is only a comment; `None` at the end of the stream.
    pub async fn any(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parse(event);
                self.text = rest.to_owned();
                return Some(event);
            }
            let frame = tokio::time::timeout(LIMIT, self.response.body_mut().frame());
            let frame = frame.await.expect("nothing came")?.ok()?;
            let bytes = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event that isn't only a comment.
    pub async fn event(&mut self) -> Event {
        let event = async {
            loop {
                let event = self.any().await.expect("the stream has ended");
                if event.comments == 0 {
                    return event;
                }
            }
        };
        within("an event", event).await
    }

    /// The data of the next message.
    pub async fn message(&mut self) -> String {
        let event = self.event().await;
        assert_eq!(event.name, "", "{event:?}");
        event.data
    }
}

fn parse(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.split('\n') {
        match line.split_once(':') {
            Some(("", _)) => event.comments += 1,
            Some(("event", name)) => event.name = name.trim_start().to_owned(),
            Some(("id", id)) => event.id = id.trim_start().to_owned(),
            Some(("data", data)) => event.data = data.strip_prefix(' ').unwrap().to_owned(),
            Some(("retry", retry)) => event.retry = retry.trim_start().to_owned(),
            _ => panic!("{line:?}"),
        }
    }
    event
}

/// An answer to a POST.
#[derive(Debug)]
pub struct Posted {
    pub status: u16,
    pub body: String,
    pub retry_after: String,
}

pub async fn post(relay: &Relay, path: &str, body: &str) -> Posted {
    post_with(relay, path, &[("content-type", "application/json")], body).await
}

pub async fn post_with(relay: &Relay, path: &str, headers: &[(&str, &str)], body: &str) -> Posted {
    let stream = TcpStream::connect(relay.address).await.unwrap();
    let body = body.as_bytes().to_vec();
    let response = exchange(relay, stream, Method::POST, path, headers, body).await;
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map_or("", |value| value.to_str().unwrap());
    Posted {
        status: response.status().as_u16(),
        retry_after: retry_after.to_owned(),
        body: {
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            String::from_utf8(bytes.to_vec()).unwrap()
        },
    }
}
