//! What the fuzz targets do with their bytes, one module for each, and what they compare the
//! answers with.
//!
//! A target is a function of bytes, so that cargo-fuzz can call it, and so can the test that runs
//! the kept corpora again.

pub mod conversation;
pub mod envelope;
pub mod frames;
pub mod json;
pub mod relay_frame;
pub mod relay_signalr;
pub mod relay_socket_io;
pub mod session;
pub mod texts;

// What the host tests run on, too.
#[path = "../../tests/support/full_parse.rs"]
pub mod full_parse;
#[path = "../../tests/support/host.rs"]
pub mod host;
#[path = "../../tests/support/page.rs"]
pub mod page;

/// What a target does with its bytes; it fails by a panic.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("conversation", conversation::run),
    ("envelope", envelope::run),
    ("frames", frames::run),
    ("relay_frame", relay_frame::run),
    ("relay_signalr", relay_signalr::run),
    ("relay_socket_io", relay_socket_io::run),
    ("session", session::run),
    ("texts", texts::run),
];

/// The first bytes as numbers for the test itself, and the rest as a text.
///
/// Bytes that are no text become one: a fuzzer finds its way through those better than past a
/// refusal.
pub fn split<const N: usize>(data: &[u8]) -> Option<([u8; N], std::borrow::Cow<'_, str>)> {
    let (numbers, text) = data.split_first_chunk()?;
    Some((*numbers, String::from_utf8_lossy(text)))
}
