//! SignalR, of ASP.NET Core and of ASP.NET.
//!
//! | address | |
//! | --- | --- |
//! | `<space>/hub` | the hub for clients of ASP.NET Core SignalR ([`core`]) |
//! | `<space>/signalr`, `<space>/signalr/hubs` | the hub for clients of SignalR 2 ([`classic`]) |
//! | `<space>/signalr/hubs`, `<space>/signalr/js` | a script for pages of SignalR 2 |
//!
//! Both hubs have the method `Send(string)` and call `onMessageReceived(string)` of their clients.
//! The string is the JSON text of an envelope. Clients of both are members of the space like all
//! others.

pub mod classic;
pub mod core;
mod method;
mod negotiate;
mod proxy;
mod routes;
mod state;
mod tickets;
mod timing;

pub(crate) use self::proxy::routes as script_routes;
pub(crate) use self::routes::routes;
pub use self::timing::Timing;
