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
//! | `connection` | a page's connection, and what it asks |
//! | `space` | the rooms of one space, and the connections of their users |
//! | `place` | a connection's place in rooms that this relay keeps |
//! | `registry` | the rooms of all spaces |
//!
//! All before `connection` is without I/O and without a clock: times are passed in.
//!
//! Where relays share a store, one of them keeps the rooms of a space, and pages of the others are
//! in them too:
//!
//! ```text
//! a protocol ─ registry ─ seat ─ visit ═ line, link, segment ═ host ─ place ─ space
//! ```
//!
//! | module | |
//! | --- | --- |
//! | `keepers` | which relay keeps the rooms of which space |
//! | `lease` | a relay's right to keep rooms |
//! | `seat` | a connection's place in rooms that another relay keeps |
//! | `visit` | the end of a link at the relay of the pages |
//! | `host` | the end of a link at the relay that keeps the rooms |
//! | `wire` | what they say to each other |
//! | `line`, `link`, `segment` | how it arrives once and in order |

mod broadcast;
mod connection;
mod entering;
pub(crate) mod entrant;
mod host;
mod identity;
mod keepers;
mod lease;
mod line;
mod link;
mod mailbox;
mod numbered;
mod place;
pub(crate) mod profile;
pub(crate) mod registry;
mod request;
mod seat;
mod segment;
mod space;
pub(crate) mod state;
mod talk;
mod user_message;
mod values;
mod viewer;
mod visit;
mod wire;

#[cfg(test)]
mod tests;
