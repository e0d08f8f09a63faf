//! What the relay counts of all its clients, in front of every protocol.
//!
//! | module | |
//! | --- | --- |
//! | `counters` | the counters |
//! | `tracked` | one client: counted while it is connected, and the log line at its end |
//! | `refused` | which refusals are counted, and under which reason |
//! | `counted` | a stream that counts its bytes |
//!
//! Labels have only values that are in the program's text: nobody can add one from outside.

mod counted;
mod counters;
mod refused;
mod tracked;

pub(crate) use self::counted::Counted;
pub use self::counters::count_panic;
pub(crate) use self::counters::{Metrics, PANICS};
pub(crate) use self::refused::Refused;
pub(crate) use self::tracked::{Protocol, Tracked};
