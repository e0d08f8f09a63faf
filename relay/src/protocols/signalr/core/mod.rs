//! The hub for clients of ASP.NET Core SignalR.

pub mod protocol;
pub mod records;
pub(super) mod socket;
