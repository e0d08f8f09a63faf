//! A server of the crate socketioxide: every message goes to all others. Prints its port. Its
//! argument is the port that it takes.

use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use axum::serve::ListenerExt;
use serde_json::Value;
use socketioxide::extract::{Data, SocketRef};
use socketioxide::handler::ConnectHandler;
use socketioxide::{SocketIo, TransportType};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or_default().parse();
    let (layer, io) = SocketIo::builder()
        .transports([TransportType::Websocket])
        // More than any receiver lags behind: beyond it, packets are dropped.
        .max_buffer_size(100_000)
        .build_layer();
    // As middleware, which has run before a client learns that it is connected: its first message
    // could come before the handler of the connection.
    io.ns("/", connected.with(listen));
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
    println!("{}", listener.local_addr()?.port());
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().layer(layer)).await?;
    Ok(())
}

async fn connected() {}

async fn listen(socket: SocketRef) -> Result<(), Infallible> {
    socket.on(
        "message",
        async |socket: SocketRef, Data(message): Data<Value>| {
            // Of a receiver that is gone.
            let _ = socket.broadcast().emit("message", &message).await;
        },
    );
    Ok(())
}
