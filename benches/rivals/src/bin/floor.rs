//! The least that a server does which collects nothing: each message is made a WebSocket frame once,
//! and written to each other client by one call of the system. Prints its port. Its argument is the
//! port that it takes.

use std::error::Error;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

type Failure = Box<dyn Error + Send + Sync>;

/// The clients' streams to write to, each with the client's number.
type Clients = Arc<Mutex<Vec<(usize, TcpStream)>>>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let port = std::env::args().nth(1).unwrap_or_default().parse();
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
    println!("{}", listener.local_addr()?.port());
    let clients = Clients::default();
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        let clients = Arc::clone(&clients);
        tokio::spawn(async move {
            // Of a client that is gone.
            let _ = serve(number, stream, &clients).await;
            clients.lock().await.retain(|(other, _)| *other != number);
        });
    }
    Ok(())
}

async fn serve(number: usize, stream: TcpStream, clients: &Clients) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let writing = TcpStream::from_std(stream.try_clone()?)?;
    let mut socket = accept_async(TcpStream::from_std(stream)?).await?;
    clients.lock().await.push((number, writing));
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let mut frame = Vec::new();
        Frame::message(text, OpCode::Data(Data::Text), true).format(&mut frame)?;
        for (other, stream) in clients.lock().await.iter_mut() {
            if *other != number {
                stream.write_all(&frame).await?;
            }
        }
    }
    Ok(())
}
