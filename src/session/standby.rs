//! The second connection, until it takes the place of the silent one or is closed.

use super::state::ConnectionId;
use crate::protocol::{Frame, Text};

/// With so many frames held, it takes the place of the silent one at once.
const MOST_HELD: usize = 100;

/// The second connection.
#[derive(Debug)]
pub struct Standby<T: Text> {
    connection: ConnectionId,
    is_open: bool,
    /// What was received on it.
    held: Vec<Frame<T>>,
}

impl<T: Text> Standby<T> {
    /// One that isn't open yet.
    pub fn new(connection: ConnectionId) -> Standby<T> {
        Standby {
            connection,
            is_open: false,
            held: Vec::new(),
        }
    }

    /// Which connection it is.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// It is open from now on.
    pub fn set_open(&mut self) {
        self.is_open = true;
    }

    /// Holds a frame that was received on it.
    pub fn hold(&mut self, frame: Frame<T>) {
        self.held.push(frame);
    }

    /// Whether it should hold no more.
    pub fn is_full(&self) -> bool {
        self.held.len() >= MOST_HELD
    }

    /// Takes the frames that it holds, in order.
    pub fn take_held(&mut self) -> Vec<Frame<T>> {
        std::mem::take(&mut self.held)
    }
}
