//! Places for WebSockets and other sessions. There is a limited number, and each address may have a
//! share of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::header::RETRY_AFTER;
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::allowance::Allowance;
use super::bounds::Limits;
use super::http::HttpConnection;
use super::shares::{Share, Shares};
use crate::address::ClientAddress;

/// The places of one relay.
#[derive(Debug)]
pub(crate) struct Places {
    /// How many there may be.
    most: AtomicUsize,
    taken: Arc<AtomicUsize>,
    shares: Shares,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    Relay,
    Address,
    Connection,
}

/// One place, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    taken: Arc<AtomicUsize>,
    /// Among the sessions that were begun over the same HTTP connection.
    _session: Option<OwnedSemaphorePermit>,
    share: Arc<Share>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.share.free_place();
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Place {
    /// What the client that takes this place may send.
    pub(crate) fn allowance(&self) -> Arc<Allowance> {
        Arc::new(Allowance::new(&self.share))
    }
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            most: AtomicUsize::new(limits.connections),
            taken: Arc::default(),
            shares: Shares::new(limits),
        }
    }

    /// Other limits hold from now on. Who has a place keeps it.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.most.store(limits.connections, Ordering::Relaxed);
        self.shares.set_limits(limits);
    }

    /// Takes a place for a client at this address. An error is the answer to a request for which
    /// there is none.
    pub(crate) fn take(&self, address: ClientAddress) -> Result<Place, Box<Response>> {
        let place = self.try_take(&self.shares.of(address), None);
        place.map_err(|full| self.refuse(full, address))
    }

    /// The same for a session that outlives the request that begins it, and of which several could
    /// be begun over one HTTP connection.
    pub(crate) fn take_session(&self, request: &Extensions) -> Result<Place, Box<Response>> {
        let address = ClientAddress::of(request);
        let share = self.shares.of(address);
        let http = request.get::<HttpConnection>();
        let http = http.filter(|http| share.limited && !http.is_of_proxy());
        let session = http.map(|http| http.take_session().ok_or(Full::Connection));
        let place = session
            .transpose()
            .and_then(|session| self.try_take(&share, session));
        place.map_err(|full| self.refuse(full, address))
    }

    fn refuse(&self, full: Full, address: ClientAddress) -> Box<Response> {
        let sentence = match full {
            Full::Relay => {
                tracing::warn!(
                    "refused: all {} connections are in use; --connections sets how many there may be",
                    self.most.load(Ordering::Relaxed)
                );
                "The relay has as many connections as it may have.\n"
            }
            Full::Address => {
                tracing::warn!(
                    "refused: {address} has as many connections as --connections-per-address lets it have; if that is a proxy, name it with --trusted-proxy"
                );
                "Your address has as many connections as it may have.\n"
            }
            Full::Connection => {
                tracing::warn!(
                    "refused: {address} has begun too many sessions over one connection"
                );
                "As many sessions as may be were begun over this connection.\n"
            }
        };
        let headers = [(RETRY_AFTER, "10")];
        Box::new((StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response())
    }

    /// Takes another place for a client that has one.
    pub(crate) fn take_another(&self, place: &Place) -> Option<Place> {
        self.try_take(&place.share, None).ok()
    }

    fn try_take(
        &self,
        share: &Arc<Share>,
        session: Option<OwnedSemaphorePermit>,
    ) -> Result<Place, Full> {
        if !share.take_place() {
            return Err(Full::Address);
        }
        let place = Place {
            taken: Arc::clone(&self.taken),
            _session: session,
            share: Arc::clone(share),
        };
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken >= self.most.load(Ordering::Relaxed) {
            return Err(Full::Relay);
        }
        Ok(place)
    }

    /// The share of an address.
    pub(crate) fn share(&self, address: ClientAddress) -> Arc<Share> {
        self.shares.of(address)
    }

    /// What a client at this address may send that takes no place.
    pub(crate) fn allowance(&self, address: ClientAddress) -> Allowance {
        Allowance::new(&self.shares.of(address))
    }

    /// Forgets addresses that have nothing. To be called regularly.
    pub(crate) fn evict_unused(&self) {
        self.shares.evict_unused();
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}
