//! What the others receive when a page leaves.

use std::sync::Arc;

use crate::hub::membership::Membership;
use crate::hub::store::Content;

/// A page that has left a channel, and what the others receive.
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) membership: Arc<Membership>,
    pub(super) content: Content,
}
