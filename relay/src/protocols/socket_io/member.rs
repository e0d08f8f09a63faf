//! The namespace that an event is for.

use std::sync::Arc;

use crate::auth::access::Access;
use crate::hub::membership::Membership;
use crate::protocols::referee::Referee;

/// A namespace that an event is for.
pub(super) struct Member {
    pub(super) space: Arc<str>,
    pub(super) membership: Arc<Membership>,
    pub(super) access: Access,
    pub(super) referee: Arc<Referee>,
}
