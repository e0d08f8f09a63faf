//! A connection's place in rooms that this relay keeps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use super::connection::{Answered, NumberedRequest, Permission, Standing};
use super::entrant::RoomConnectionId;
use super::profile::Profile;
use super::registry::{Registry, lock};
use super::request::Request;
use super::space::Space;

/// How often is looked whether there is room for an event.
const LOOK: Duration = Duration::from_millis(20);

/// A connection's place in the rooms of a space, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) registry: Arc<Registry>,
    pub(super) name: Arc<str>,
    pub(super) space: Arc<Mutex<Space>>,
    pub(super) profile: Profile,
    pub(super) id: RoomConnectionId,
    pub(super) is_left: AtomicBool,
    /// The name of the keeping of these rooms.
    pub(super) keeping: Arc<str>,
    /// The term in which they are kept, if others could keep them.
    pub(super) term: Option<u64>,
}

impl Place {
    /// Notes that the page doesn't come back. One whose relay stops does, to another one.
    pub(super) fn leave(&self) {
        if !self.registry.is_stopping() {
            self.is_left.store(true, Ordering::Relaxed);
        }
    }

    /// Takes an event of the page. What takes long, reading its JSON, is done without a lock. Also
    /// returns whether the page has an id by it that nobody had.
    pub(super) fn take(
        &self,
        event: &str,
        arguments: &[&str],
        permission: Permission,
    ) -> (Answered, bool) {
        match Request::read(event, arguments, &self.profile) {
            Some(request) => lock(&self.space).take(self.id, request, permission),
            None => (Answered::Unknown, false),
        }
    }

    /// Takes what a page on a private channel asks for. The answer is delivered.
    pub(super) fn take_numbered(&self, asked: NumberedRequest<'_>, permission: Permission) -> bool {
        let NumberedRequest { life, seen, event } = asked;
        let request = event.map(|(ask, event, arguments)| {
            let request = Request::read_numbered(event, arguments, &self.profile);
            (ask, request)
        });
        lock(&self.space).take_numbered(self.id, life, seen, request, permission)
    }

    /// Resolves when the relay may act for the rooms. `false`: it may not any more, and the page comes
    /// back.
    pub(super) async fn is_kept(&self) -> bool {
        self.or_end(self.registry.is_kept(self.term)).await
    }

    /// Resolves when an event of the page can be taken. `false`: none can any more, and the page comes
    /// back.
    pub(super) async fn takes(&self) -> bool {
        self.or_end(self.may_take()).await
    }

    /// Resolves when the relay may act for the rooms, and the other relays with pages in the space have
    /// taken most of what was sent to them: one event can be for all, and a link for which too much
    /// waits ends. `false`: the relay may not act any more.
    pub(super) async fn may_take(&self) -> bool {
        loop {
            while lock(&self.space).is_crowded() {
                sleep(LOOK).await;
            }
            if !self.registry.is_kept(self.term).await {
                return false;
            }
            // That may have taken a while.
            if !lock(&self.space).is_crowded() {
                return true;
            }
        }
    }

    async fn or_end(&self, may_act: impl Future<Output = bool>) -> bool {
        if self.term.is_none() {
            return true;
        }
        let liveness = lock(&self.space).liveness(self.id);
        let _waiting = liveness.as_ref().map(|liveness| liveness.wait());
        let may_act = may_act.await;
        if !may_act {
            lock(&self.space).end(self.id);
        }
        may_act
    }

    /// What it is in the rooms.
    pub(super) fn standing(&self) -> Standing {
        lock(&self.space).standing(self.id, &self.profile.user)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let for_good = *self.is_left.get_mut();
        self.registry
            .left(&self.name, &self.space, self.id, for_good);
    }
}
