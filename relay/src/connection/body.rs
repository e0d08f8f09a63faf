//! Reading the body of a request.

use std::ops::Deref;
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::address::ClientAddress;
use crate::hub::buffers::Buffer;
use crate::relay::Relay;

/// Why a body wasn't read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is longer than it may be.
    TooLong,
    /// The client is gone.
    BrokenOff,
    /// It didn't come in time.
    TooSlow,
    /// The relay's memory is used up, and this client has most of it.
    OverMemory,
}

/// A body, which is paid for until it is dropped.
#[derive(Debug)]
pub(crate) struct ReadBody {
    bytes: Vec<u8>,
    _buffer: Buffer,
}

impl Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most `longest` bytes that comes within `time`.
pub(crate) async fn read_body(
    relay: &Relay,
    address: ClientAddress,
    body: Body,
    longest: usize,
    time: Duration,
) -> Result<ReadBody, BodyError> {
    let buffer = relay.hub.buffer(address, 0);
    let reading = async {
        let (mut parts, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(part) = parts.next().await {
            let data = part.map_err(|_| BodyError::BrokenOff)?;
            if bytes.len() + data.len() > longest {
                return Err(BodyError::TooLong);
            }
            bytes.extend_from_slice(&data);
            buffer.hold(bytes.capacity());
        }
        Ok(bytes)
    };
    let bytes = tokio::select! {
        read = timeout(time, reading) => read.unwrap_or(Err(BodyError::TooSlow)),
        () = buffer.given_up() => Err(BodyError::OverMemory),
    }?;
    Ok(ReadBody {
        bytes,
        _buffer: buffer,
    })
}
