//! Connections: WebSockets, whatever protocol they carry.
//!
//! | module | |
//! | --- | --- |
//! | `upgrade` | from the HTTP request to the WebSocket |
//! | `socket` | one open WebSocket, and how it closes |
//! | `fragments` | the frames of long messages |
//! | `run` | the one read/write loop, which a protocol plugs into |
//! | `meter`, `progress` | how much has arrived of a message, and how long that may take |
//! | `body` | the body of a request |
//! | `heartbeat` | pings after silence |
//! | `pongs` | the answers to a client's pings, within a bound |
//! | `close` | every reason for which a connection closes |

mod body;
mod close;
mod fragments;
mod heartbeat;
mod meter;
mod pongs;
mod progress;
mod run;
mod socket;
mod upgrade;

pub(crate) use self::body::{BodyError, read_body};
pub(crate) use self::close::CloseReason;
pub(crate) use self::heartbeat::Heartbeat;
pub(crate) use self::meter::Meter;
pub(crate) use self::run::{Inbound, Outbound, run};
pub(crate) use self::socket::Connection;
pub(crate) use self::upgrade::{Upgrade, is_upgrade, no_randomness};
