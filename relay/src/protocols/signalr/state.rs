//! What the relay remembers of SignalR's clients between their requests.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Uri;

use tokio::time::Instant;

use super::classic::session::{Session, Sessions};
use super::tickets::Tickets;
use super::timing::Timing;
use crate::address::ClientAddress;
use crate::base_path::BasePath;
use crate::hub::ids::Secret;
use crate::hub::shares::Owner;
use crate::protocols::query::member;
use crate::relay::Relay;

/// The two kinds of SignalR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Core,
    Classic,
}

/// What a ticket is good for.
#[derive(Debug)]
struct Admission {
    kind: Kind,
    space: Box<str>,
}

/// What the relay remembers of SignalR's clients between their requests.
#[derive(Debug)]
pub(super) struct SignalR {
    pub(super) relay: Arc<Relay>,
    pub(super) timing: Timing,
    /// What the addresses of SignalR 2's hubs begin with, as their clients see them.
    pub(super) base_path: BasePath,
    tickets: Mutex<Tickets<Admission>>,
    /// The clients of SignalR 2.
    pub(super) sessions: Arc<Sessions>,
}

impl SignalR {
    pub(super) fn new(relay: Arc<Relay>, timing: Timing, base_path: BasePath) -> Self {
        Self {
            tickets: Mutex::new(Tickets::new(relay.limits().connections, timing.ticket)),
            relay,
            timing,
            base_path,
            sessions: Arc::default(),
        }
    }

    /// Issues a ticket for one WebSocket in a space.
    pub(super) fn issue(&self, secret: Secret, kind: Kind, space: &str, address: ClientAddress) {
        let owner = Owner {
            space: Some(Arc::from(space)),
            address,
        };
        let admission = Admission {
            kind,
            space: space.into(),
        };
        self.tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .issue(secret, owner, admission, Instant::now());
    }

    /// Uses a ticket up.
    pub(super) fn redeem(&self, digits: &str, kind: Kind, space: &str) -> Option<Secret> {
        let (secret, _) = self
            .tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .redeem(digits, Instant::now(), |admission| {
                admission.kind == kind && *admission.space == *space
            })?;
        Some(secret)
    }

    /// The session of SignalR 2 that a request with this address is about.
    pub(super) fn session(&self, space: &str, uri: &Uri) -> Option<Arc<Session>> {
        self.sessions.find(space, &member(uri, "connectionToken")?)
    }
}
