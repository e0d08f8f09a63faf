//! What all connections of one relay share.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio_util::task::TaskTracker;

use crate::address::ClientAddress;
use crate::config::Config;
use crate::hub::Hub;
use crate::lifecycle::Lifecycle;
use crate::limits::{Limits, Slot, Slots};
use crate::metrics::{Metrics, Protocol, Refused, Tracked};

/// What all connections of one relay share, whatever their protocol.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) hub: Hub,
    /// What the relay runs with now.
    config: RwLock<Config>,
    pub(crate) slots: Slots,
    /// Everything that must end before the relay has stopped.
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) metrics: Arc<Metrics>,
}

impl Relay {
    pub(crate) fn new(hub: Hub, config: Config) -> Self {
        Self {
            hub,
            slots: Slots::new(config.connections),
            config: RwLock::new(config),
            tasks: TaskTracker::new(),
            lifecycle: Lifecycle::default(),
            metrics: Arc::default(),
        }
    }

    /// What the relay runs with now.
    pub(crate) fn config(&self) -> Config {
        self.config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs with another configuration from now on.
    pub(crate) fn set_config(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The limits of a connection that begins now.
    pub(crate) fn limits(&self) -> Limits {
        self.config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .connection_limits()
    }

    /// Takes a slot for a new client. An error is the answer to a request for which there is none.
    pub(crate) fn admit(&self) -> Result<Slot, Box<Response>> {
        if self.lifecycle.is_draining() {
            let headers = [(RETRY_AFTER, "1")];
            let sentence = "The relay is shutting down; connect again.\n";
            let refused = (StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response();
            return Err(Box::new(Refused::mark(refused, "draining")));
        }
        let slot = self.slots.take();
        slot.map_err(|refused| Box::new(Refused::mark(*refused, "connections")))
    }

    /// Counts a client as long as it is connected.
    pub(crate) fn track(
        &self,
        protocol: Protocol,
        space: &str,
        address: Option<ClientAddress>,
    ) -> Tracked {
        Tracked::new(Arc::clone(&self.metrics), protocol, space, address)
    }
}
