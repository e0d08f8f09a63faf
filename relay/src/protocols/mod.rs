//! The protocols that clients speak. Each has a module of its own, which exposes `routes()` and
//! knows nothing of the others: they meet in the [hub](crate::hub).

mod entry;
pub(crate) mod plain;
mod query;
mod route;
pub mod signalr;
pub mod socket_io;
pub(crate) mod sse;

pub(crate) use self::route::Route;
