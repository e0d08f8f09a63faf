//! Connections: WebSockets, whatever protocol they carry.
//!
//! | module | |
//! | --- | --- |
//! | `upgrade` | from the HTTP request to the WebSocket |
//! | `socket` | one open WebSocket, and how it closes |
//! | `run` | the one read/write loop, which a protocol plugs into |
//! | `heartbeat` | pings after silence |
//! | `pongs` | the answers to a client's pings, within a bound |
//! | `close` | every reason for which a connection closes |

mod close;
mod heartbeat;
mod pongs;
mod run;
mod socket;
mod upgrade;

pub(crate) use self::close::CloseReason;
pub(crate) use self::heartbeat::Heartbeat;
pub(crate) use self::run::{Inbound, Outbound, run};
pub(crate) use self::socket::{Connection, READ_BUFFER};
pub(crate) use self::upgrade::{Upgrade, is_upgrade, no_randomness};
