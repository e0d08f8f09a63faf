//! Private channels, on which one page talks with our relay alone. The relay keeps nothing that is
//! said there, and the page asks again by itself, so nothing is missed on them.

/// With what the names begin of pages in rooms of RTCMultiConnection.
pub const ROOMS: &str = "rtcmulticonnection-relay/";
/// With what the names begin of pages that ask who is on a channel.
pub const PRESENCE: &str = "signal-wasm-presence/";

/// Whether a channel is private.
#[must_use]
pub fn is_private(channel: &str) -> bool {
    channel.starts_with(ROOMS) || channel.starts_with(PRESENCE)
}
