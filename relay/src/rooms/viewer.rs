//! A user in a scalable broadcast.

use std::sync::Arc;

/// A user in a broadcast.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) broadcast: Arc<str>,
    pub(super) is_initiator: bool,
    pub(super) can_relay: bool,
    pub(super) receivers: Vec<Arc<str>>,
    pub(super) source: Option<Arc<str>>,
    /// Of an initiator: who relayed last.
    pub(super) last_relay: Option<Arc<str>>,
    pub(super) streams: Arc<str>,
}
