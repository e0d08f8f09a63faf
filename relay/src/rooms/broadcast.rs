//! Scalable broadcasts: viewers relay what they receive to other viewers. Pure.
//!
//! A broadcast has the id of its initiator. Each viewer has a *source*, the user that it receives
//! from, and each source has at most as many receivers as its page says; beyond that, the initiator
//! takes them.

use std::sync::Arc;

use signal_wire::json::quoted;

use super::state::Rooms;
use super::values::event;
use super::viewer::Viewer;

impl Rooms {
    /// `join-broadcast`: the user begins the broadcast, or learns whom to receive it from.
    pub(super) fn join_broadcast(
        &mut self,
        id: &Arc<str>,
        broadcast: Arc<str>,
        user: Option<Arc<str>>,
        streams: &str,
    ) {
        // The initiator's page takes the broadcast's id without saying so otherwise.
        let user = user.unwrap_or_else(|| Arc::clone(id));
        if !self.rename(id, Arc::clone(&user)) {
            return;
        }
        let id = &user;
        let Some(limit) = self.users.get(id).and_then(|user| user.profile.relays) else {
            return;
        };
        if self
            .viewers
            .get(id)
            .is_some_and(|viewer| viewer.broadcast != broadcast)
        {
            self.leave_broadcast(id);
        }
        self.detach(id);
        if !self.viewers.contains_key(id) {
            let viewer = Viewer {
                broadcast: Arc::clone(&broadcast),
                is_initiator: false,
                can_relay: false,
                receivers: Vec::new(),
                source: None,
                last_relay: None,
                streams: streams.into(),
            };
            self.viewers.insert(Arc::clone(id), viewer);
            let audience = self.audiences.entry(Arc::clone(&broadcast)).or_default();
            audience.insert(Arc::clone(id));
            self.tell_viewers(&broadcast);
        }
        let source = if *id == broadcast {
            None
        } else {
            self.find_source(id, &broadcast, limit)
        };
        match source {
            Some(source) => self.attach(id, &source, &broadcast),
            None => self.initiate(id),
        }
    }

    fn initiate(&mut self, id: &Arc<str>) {
        let Some(viewer) = self.viewers.get_mut(id) else {
            return;
        };
        viewer.is_initiator = true;
        let started = event("start-broadcasting", &[&viewer.streams]);
        self.emit(id, started);
        self.log(id, &format!("You <{id}> are now serving the broadcast."));
    }

    fn attach(&mut self, id: &Arc<str>, source: &Arc<str>, broadcast: &Arc<str>) {
        let Some(sending) = self.viewers.get_mut(source) else {
            return;
        };
        sending.receivers.push(Arc::clone(id));
        let hints = format!(
            r#"{{"typeOfStreams":{},"userid":{},"broadcastId":{}}}"#,
            sending.streams,
            quoted(source),
            quoted(broadcast)
        );
        if let Some(viewer) = self.viewers.get_mut(id) {
            viewer.is_initiator = false;
            viewer.source = Some(Arc::clone(source));
        }
        if let Some(initiator) = self.viewers.get_mut(broadcast) {
            initiator.last_relay = Some(Arc::clone(source));
        }
        self.emit(id, event("join-broadcaster", &[&hints]));
        self.log(
            id,
            &format!("You <{id}> are getting data/stream from <{source}>"),
        );
        self.log(
            source,
            &format!("You <{source}> are now relaying/forwarding data/stream to <{id}>"),
        );
    }

    fn log(&mut self, id: &Arc<str>, sentence: &str) {
        self.emit(id, event("logs", &[&quoted(sentence)]));
    }

    /// Who has a free place: the initiator, who relayed last, or anybody who can relay. If nobody
    /// has one, the initiator takes one more.
    fn find_source(&self, id: &Arc<str>, broadcast: &Arc<str>, limit: usize) -> Option<Arc<str>> {
        let initiator = self.initiator(broadcast)?;
        let has_place = |candidate: &&Arc<str>| {
            self.viewers.get(*candidate).is_some_and(|viewer| {
                viewer.broadcast == *broadcast && viewer.receivers.len() < limit
            }) && !self.receives_from(candidate, id)
        };
        let can_relay = |candidate: &&Arc<str>| {
            let viewer = self.viewers.get(*candidate);
            viewer.is_some_and(|viewer| viewer.can_relay)
        };
        let audience = self.audiences.get(broadcast).into_iter().flatten();
        let found = [Some(broadcast), initiator.last_relay.as_ref()]
            .into_iter()
            .flatten()
            .find(has_place)
            .or_else(|| audience.filter(can_relay).find(has_place));
        Some(Arc::clone(found.unwrap_or(broadcast)))
    }

    /// Whether `id` is `from`, or receives from it directly or through other viewers.
    fn receives_from(&self, id: &Arc<str>, from: &Arc<str>) -> bool {
        let mut next = Some(id);
        for _ in 0..=self.viewers.len() {
            match next {
                None => return false,
                Some(id) if id == from => return true,
                Some(id) => {
                    next = self
                        .viewers
                        .get(id)
                        .and_then(|viewer| viewer.source.as_ref())
                }
            }
        }
        true
    }

    /// The viewer with the broadcast's id. Its page may be in another broadcast.
    fn initiator(&self, broadcast: &Arc<str>) -> Option<&Viewer> {
        let viewer = self.viewers.get(broadcast)?;
        (viewer.broadcast == *broadcast).then_some(viewer)
    }

    /// It receives from nobody.
    fn detach(&mut self, id: &Arc<str>) {
        let source = self
            .viewers
            .get_mut(id)
            .and_then(|viewer| viewer.source.take());
        if let Some(source) = source.and_then(|source| self.viewers.get_mut(&source)) {
            source.receivers.retain(|receiver| receiver != id);
        }
    }

    /// A user leaves its broadcast. It ends with its initiator; who received from a viewer asks
    /// for another source.
    pub(super) fn leave_broadcast(&mut self, id: &Arc<str>) {
        self.detach(id);
        let Some(viewer) = self.viewers.remove(id) else {
            return;
        };
        let broadcast = viewer.broadcast;
        if let Some(audience) = self.audiences.get_mut(&broadcast) {
            audience.remove(id);
            if audience.is_empty() {
                self.audiences.remove(&broadcast);
            }
        }
        for receiver in &viewer.receivers {
            if let Some(receiving) = self.viewers.get_mut(receiver) {
                receiving.can_relay = false;
                receiving.source = None;
            }
        }
        if viewer.is_initiator {
            let stopped = event("broadcast-stopped", &[&quoted(&broadcast)]);
            let audience = self.audiences.get(&broadcast).into_iter().flatten();
            let audience: Vec<_> = audience.cloned().collect();
            for other in audience {
                self.emit(&other, Arc::clone(&stopped));
            }
            return;
        }
        let rejoin = event("rejoin-broadcast", &[&quoted(&broadcast)]);
        for receiver in viewer.receivers {
            self.emit(&receiver, Arc::clone(&rejoin));
        }
        self.tell_viewers(&broadcast);
    }

    /// The initiator learns how many viewers there are.
    fn tell_viewers(&mut self, broadcast: &Arc<str>) {
        let number = self.viewers_of(Some(Arc::clone(broadcast)));
        let update = format!(
            r#"{{"numberOfBroadcastViewers":{number},"broadcastId":{}}}"#,
            quoted(broadcast)
        );
        if self.initiator(broadcast).is_some() {
            self.emit(
                broadcast,
                event("number-of-broadcast-viewers-updated", &[&update]),
            );
        }
    }

    /// `get-number-of-users-in-specific-broadcast`: without the initiator.
    pub(super) fn viewers_of(&self, broadcast: Option<Arc<str>>) -> usize {
        let audience = broadcast
            .filter(|broadcast| self.initiator(broadcast).is_some())
            .and_then(|broadcast| self.audiences.get(&broadcast));
        audience.map_or(0, |audience| audience.len().saturating_sub(1))
    }

    /// `can-relay-broadcast` and `can-not-relay-broadcast`
    pub(super) fn set_relay(&mut self, id: &Arc<str>, can: bool) {
        if let Some(viewer) = self.viewers.get_mut(id) {
            viewer.can_relay = can;
        }
    }

    /// `check-broadcast-presence`
    pub(super) fn is_broadcasting(&self, user: Option<Arc<str>>) -> bool {
        let viewer = user.and_then(|user| self.viewers.get(&user));
        viewer.is_some_and(|viewer| viewer.is_initiator)
    }

    /// A viewer has another id.
    pub(super) fn rename_viewer(&mut self, id: &Arc<str>, new: &Arc<str>) {
        let Some(viewer) = self.viewers.remove(id) else {
            return;
        };
        if let Some(audience) = self.audiences.get_mut(&viewer.broadcast) {
            audience.remove(id);
            audience.insert(Arc::clone(new));
        }
        for receiver in &viewer.receivers {
            if let Some(receiving) = self.viewers.get_mut(receiver) {
                receiving.source = Some(Arc::clone(new));
            }
        }
        if let Some(source) = viewer
            .source
            .as_ref()
            .and_then(|source| self.viewers.get_mut(source))
        {
            for receiver in source
                .receivers
                .iter_mut()
                .filter(|receiver| *receiver == id)
            {
                *receiver = Arc::clone(new);
            }
        }
        self.viewers.insert(Arc::clone(new), viewer);
    }
}
