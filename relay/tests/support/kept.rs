//! One HTTP connection for several requests, as browsers and proxies keep them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::LIMIT;

pub struct Kept {
    stream: TcpStream,
    address: SocketAddr,
}

impl Kept {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { stream, address }
    }

    /// Sends a request and reads its answer: the status and the body.
    pub async fn ask(&mut self, line: &str, body: &str) -> (u16, String) {
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let exchange = async {
            self.stream.write_all(request.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.unwrap();
            (status, String::from_utf8(body).unwrap())
        };
        tokio::time::timeout(LIMIT, exchange)
            .await
            .expect("no answer")
    }

    /// Waits until the relay has closed it.
    pub async fn ended(&mut self) {
        self.stream.read_u8().await.unwrap_err();
    }
}
