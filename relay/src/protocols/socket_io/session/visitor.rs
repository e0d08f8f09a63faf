//! What is known of a client before it has sent a packet.

use std::sync::Arc;

use axum::extract::Request;

use crate::address::ClientAddress;
use crate::auth::access::Access;
use crate::auth::admission::Admission;
use crate::hub::ids::{NoRandomness, Secret};
use crate::limits::Limits;
use crate::protocols::query::member;
use crate::rooms::entrant::Entrant;
use crate::rooms::profile::Profile;
use crate::rooms::registry::PING;

/// What is known of a client before it has sent a packet.
#[derive(Debug)]
pub(in crate::protocols::socket_io) struct Visitor {
    pub(super) address: ClientAddress,
    /// What the token of its first request allows.
    pub(in crate::protocols::socket_io) admission: Admission,
    /// It can't read binary answers.
    pub(super) polls_text: bool,
    /// It is a page of RTCMultiConnection.
    profile: Option<Profile>,
}

impl Visitor {
    /// Who has sent a request.
    pub(in crate::protocols::socket_io) fn of(request: &Request) -> Self {
        Self {
            address: ClientAddress::of(request.extensions()),
            admission: Admission::of(request.extensions()),
            polls_text: member(request.uri(), "b64").is_some(),
            profile: request.uri().query().and_then(Profile::read),
        }
    }

    /// The limits of its session.
    pub(super) fn limits(&self, limits: Limits) -> Limits {
        if self.profile.is_none() {
            return limits;
        }
        limits.with_pings(PING)
    }

    /// What it enters the rooms of a space with, if it does. `shown` is the secret of an earlier
    /// connection.
    pub(super) fn entrant(
        &self,
        shown: Option<String>,
        access: Option<&Access>,
    ) -> Result<Option<Entrant>, NoRandomness> {
        let Some(profile) = &self.profile else {
            return Ok(None);
        };
        Ok(Some(Entrant {
            profile: profile.clone(),
            shown: shown.map(Arc::from),
            secret: Arc::from(Secret::random()?.as_str()),
            token_user: access.and_then(Access::user),
            numbered: None,
        }))
    }
}
