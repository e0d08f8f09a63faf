//! The protocols that clients speak. Each has a module of its own, which exposes `routes()` and
//! knows nothing of the others: they meet in the [hub](crate::hub).

mod bare;
mod entry;
mod late;
pub(crate) mod plain;
mod query;
mod referee;
mod route;
pub mod signalr;
pub mod socket_io;
pub(crate) mod sse;
mod websocket_over_nodejs;

pub(crate) use self::route::Route;
