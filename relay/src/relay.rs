//! What all connections of one relay share.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::hub::Hub;
use crate::limits::{Limits, Places};

/// What all connections of one relay share, whatever their protocol.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) hub: Hub,
    pub(crate) limits: Limits,
    pub(crate) places: Places,
    /// Everything that must end before the relay has stopped.
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

impl Relay {
    pub(crate) fn new(hub: Hub, limits: Limits) -> Self {
        Self {
            hub,
            places: Places::new(limits),
            limits,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }
}
