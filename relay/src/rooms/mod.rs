//! Rooms of RTCMultiConnection 3: what its pages expect of rtcmulticonnection-server.
//!
//! A *user* is a page with an id that it chooses. A *room* has an owner, participants and a name,
//! and exists from its first participant to its last. Users and rooms belong to one space. Nothing
//! passes from one space to another.
//!
//! ```text
//! a protocol ─ request ─ registry ─ state (pure: entering, talk, broadcast) ─ deliveries ─ queues
//! ```
//!
//! | module | |
//! | --- | --- |
//! | `values` | names and values in the JSON of pages |
//! | `profile` | what a page's address says of it |
//! | `request` | what a page asks for |
//! | `entrant` | a connection that would be a user |
//! | `viewer` | a user in a scalable broadcast |
//! | `user_message` | a message from one user to others |
//! | `state` | the users and rooms of one space: who is there |
//! | `mailbox` | what a page on a private channel is sent, until it has seen it |
//! | `numbered` | the users who have one |
//! | `identity` | how a connection becomes a user, new or the same as before |
//! | `entering` | opening, joining, leaving and closing rooms |
//! | `talk` | what users tell each other |
//! | `broadcast` | scalable broadcasts: viewers relay to viewers |
//! | `registry` | the rooms of all spaces, and the queues of their pages |
//!
//! All but the registry is without I/O and without a clock: times are passed in.

mod broadcast;
mod entering;
pub(crate) mod entrant;
mod identity;
mod mailbox;
mod numbered;
pub(crate) mod profile;
pub(crate) mod registry;
mod request;
pub(crate) mod state;
mod talk;
mod user_message;
mod values;
mod viewer;

#[cfg(test)]
mod tests;
