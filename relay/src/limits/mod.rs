//! What clients may cost: the one place for it, whatever their protocol.
//!
//! | module | |
//! | --- | --- |
//! | `bounds` | the limits |
//! | `http` | connections that are neither a WebSocket nor another session |
//! | `places` | places for WebSockets and other sessions |
//! | `shares` | what each address may have |
//! | `allowance`, `rate` | how much a client may send |
//! | `write_deadline` | how long a client may read nothing |

mod allowance;
mod bounds;
mod http;
mod places;
mod rate;
mod shares;
mod write_deadline;

pub(crate) use self::allowance::{Allowance, RateExceeded, too_many};
pub use self::bounds::{Limits, Rates};
pub(crate) use self::http::{HttpConnection, HttpConnections};
pub(crate) use self::places::{Place, Places};
pub use self::rate::Rate;
pub(crate) use self::write_deadline::WriteDeadline;

/// The longest name of a space, in bytes.
pub const LONGEST_SPACE: usize = 1024;

/// How many namespaces a Socket.IO client may be in. Each takes a place.
pub(crate) const NAMESPACES: usize = 64;
