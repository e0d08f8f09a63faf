//! The hub for clients of ASP.NET SignalR 2.

mod history;
pub mod protocol;
pub(super) mod session;
pub(super) mod socket;
