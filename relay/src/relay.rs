//! What all connections of one relay share.

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio_util::task::TaskTracker;

use crate::address::ClientAddress;
use crate::changeable::Changeable;
use crate::hub::{self, Hub};
use crate::lifecycle::Lifecycle;
use crate::limits::{Limits, Place, Places};
use crate::metrics::{Metrics, Protocol, Refused, Tracked};
use crate::presence::Presence;
use crate::rooms::registry::Registry;

/// What all connections of one relay share, whatever their protocol.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) hub: Hub,
    /// The limits of a connection that begins now.
    limits: Changeable<Limits>,
    pub(crate) places: Places,
    /// Everything that must end before the relay has stopped.
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) metrics: Arc<Metrics>,
    /// The rooms of RTCMultiConnection's pages.
    pub(crate) rooms: Arc<Registry>,
    /// The pages that are on channels and want to know of each other.
    pub(crate) presence: Arc<Presence>,
}

impl Relay {
    pub(crate) fn new(hub: Hub, limits: Limits) -> Self {
        let presence = Presence::new(&hub);
        let rooms = Registry::new(&hub);
        Self {
            hub,
            places: Places::new(limits),
            limits: Changeable::new(limits),
            tasks: TaskTracker::new(),
            lifecycle: Lifecycle::default(),
            metrics: Arc::default(),
            rooms,
            presence,
        }
    }

    /// The limits of a connection that begins now.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Other limits hold from now on. Open connections keep theirs, except for what their address
    /// shares with others.
    pub(crate) fn set_limits(&self, limits: Limits, of_hub: hub::Limits) {
        self.limits.set(limits);
        self.places.set_limits(limits);
        self.hub.set_limits(of_hub);
    }

    /// Takes a place for a new client at this address. An error is the answer to a request for which
    /// there is none.
    pub(crate) fn admit(&self, address: ClientAddress) -> Result<Place, Box<Response>> {
        self.check_open()?;
        count_refusal(self.places.take(address))
    }

    /// The same for a session that outlives the request that begins it.
    pub(crate) fn admit_session(&self, request: &Extensions) -> Result<Place, Box<Response>> {
        self.check_open()?;
        count_refusal(self.places.take_session(request))
    }

    /// Whether it takes new clients. An error is the answer to a request while it doesn't.
    fn check_open(&self) -> Result<(), Box<Response>> {
        if self.lifecycle.is_draining() {
            let headers = [(RETRY_AFTER, "1")];
            let sentence = "The relay is shutting down; connect again.\n";
            let refused = (StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response();
            return Err(Box::new(Refused::mark(refused, "draining")));
        }
        Ok(())
    }

    /// Counts a client as long as it is connected.
    pub(crate) fn track(&self, protocol: Protocol, space: &str, address: ClientAddress) -> Tracked {
        Tracked::new(Arc::clone(&self.metrics), protocol, space, address)
    }
}

fn count_refusal(place: Result<Place, Box<Response>>) -> Result<Place, Box<Response>> {
    place.map_err(|refused| Box::new(Refused::mark(*refused, "connections")))
}
