//! A connection that would be a user.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::profile::Profile;

/// The connection of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomConnectionId(pub u64);

/// A connection that would be a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    /// What its address says.
    pub profile: Profile,
    /// The secret of an earlier connection, if it shows one.
    pub shown: Option<Arc<str>>,
    /// Its own secret, to be shown by the next one.
    pub secret: Arc<str>,
    /// The user of its token.
    pub token_user: Option<Arc<str>>,
    /// Of a page whose deliveries are numbered.
    pub numbered: Option<Numbered>,
}

/// What a page says whose deliveries are numbered, and kept until it has seen them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// The name of its life, if it begins one.
    pub life: Arc<str>,
    /// The name of the life that it knows, and the number up to which it has seen all.
    pub seen: Option<(Arc<str>, u64)>,
}

/// How a connection has become a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It is the user, in place of that connection if there is one, which should end.
    Entered(Option<RoomConnectionId>),
    /// The id belongs to another user.
    Taken,
}

/// What a connection that would be a user has to do with the id that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It shows the secret of the user whose connection it continues.
    Continues,
    /// Nobody has the id, or its user has no connection.
    Free,
    /// The id's user has this connection.
    Connected(RoomConnectionId),
    /// The id's user has another token.
    AnothersToken,
}
