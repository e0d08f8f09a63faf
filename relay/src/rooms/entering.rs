//! Opening, joining, leaving and closing rooms; passwords; which rooms there are. Pure.

use std::sync::Arc;

use signal_wire::json::{members_without, quoted};

use super::request::RoomRequest;
use super::state::{Answer, DENIED, NO_ROOM, Room, Rooms, refusal};
use super::values::{event, has, name};

/// The most bytes of a list of public rooms.
const LONGEST_LIST: usize = 256 * 1024;

impl Rooms {
    /// `open-room`. The first who asks has the room.
    pub(super) fn open(&mut self, id: &Arc<str>, request: &RoomRequest<'_>) -> Answer {
        let Some(profile) = self.users.get(id).map(|user| user.profile.clone()) else {
            return refusal(NO_ROOM);
        };
        match self.rooms.get(&request.room) {
            Some(room) if room.owner == *id => {}
            // Every page of a scalable broadcast opens the broadcast's room or joins it.
            Some(_) if profile.relays.is_some() => return self.join(id, request),
            // Who is in another room leaves it in any case, as at rtcmulticonnection-server.
            Some(room) => {
                if !room.participants.contains(id) {
                    self.leave_room(id);
                }
                return refusal(NO_ROOM);
            }
            None => self.leave_room(id),
        }
        if let Some(user) = self.users.get_mut(id) {
            user.is_new = false;
        }
        let is_one_way = has(request.session, "oneway") || has(request.session, "broadcast");
        let room = self
            .rooms
            .entry(Arc::clone(&request.room))
            .or_insert_with(|| Room {
                owner: Arc::clone(id),
                participants: vec![Arc::clone(id)],
                most: profile.most,
                password: None,
                identifier: None,
                session: "{}".into(),
                extra: "{}".into(),
                is_one_way,
                closes: false,
            });
        room.most = profile.most;
        room.password.clone_from(&request.password);
        room.identifier.clone_from(&request.identifier);
        room.session = request.session.into();
        room.extra = request.extra.into();
        room.is_one_way = is_one_way;
        room.closes = profile.closes || (is_one_way && profile.relays.is_none());
        self.enter_room(id, request);
        "true".into()
    }

    /// `join-room`. Who is in the room already stays in it.
    pub(super) fn join(&mut self, id: &Arc<str>, request: &RoomRequest<'_>) -> Answer {
        let is_in = |room: &Room| room.participants.contains(id);
        if !self.rooms.get(&request.room).is_some_and(is_in) {
            self.leave_room(id);
            let Some(room) = self.rooms.get_mut(&request.room) else {
                return refusal(NO_ROOM);
            };
            if room.password.is_some() && room.password != request.password {
                return refusal("Invalid password");
            }
            if room.is_full() {
                return refusal("Room full");
            }
            room.participants.push(Arc::clone(id));
            if let Some(user) = self.users.get_mut(id) {
                user.is_new = true;
            }
        }
        self.enter_room(id, request);
        "true".into()
    }

    fn enter_room(&mut self, id: &Arc<str>, request: &RoomRequest<'_>) {
        if let Some(user) = self.users.get_mut(id) {
            user.room = Some(Arc::clone(&request.room));
            user.extra = request.extra.into();
        }
    }

    /// Takes a user out of its room. Another participant becomes the owner, or the room closes.
    pub(super) fn leave_room(&mut self, id: &Arc<str>) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        let Some((name, room)) = user
            .room
            .take()
            .and_then(|name| Some((Arc::clone(&name), self.rooms.get_mut(&name)?)))
        else {
            return;
        };
        room.participants.retain(|participant| participant != id);
        if room.participants.is_empty() {
            self.rooms.remove(&name);
        } else if room.owner == *id {
            if room.closes {
                self.close_room(&name);
            } else {
                self.hand_over(&name);
            }
        }
    }

    /// The participant who came first is the owner; of those with a connection, if there are any.
    fn hand_over(&mut self, name: &Arc<str>) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        let users = &self.users;
        let is_there = |id: &&Arc<str>| users.get(*id).is_some_and(|user| user.is_connected());
        let participants = &room.participants;
        let Some(owner) = participants.iter().find(is_there).or(participants.first()) else {
            return;
        };
        let owner = Arc::clone(owner);
        room.owner = Arc::clone(&owner);
        if let Some(user) = users.get(&owner) {
            room.extra = Arc::clone(&user.extra);
        }
        self.emit(&owner, event("set-isInitiator-true", &[&quoted(name)]));
    }

    /// Ends a room for all.
    fn close_room(&mut self, name: &Arc<str>) {
        let Some(room) = self.rooms.remove(name) else {
            return;
        };
        let closed = event("closed-entire-session", &[&quoted(name), &room.extra]);
        for participant in &room.participants {
            if let Some(user) = self.users.get_mut(participant) {
                user.room = None;
            }
            self.emit(participant, Arc::clone(&closed));
        }
    }

    /// `close-entire-session`. The others learn it.
    pub(super) fn close(&mut self, id: &Arc<str>) -> Answer {
        let Some((name, room)) = self.room_of(id) else {
            return refusal(NO_ROOM);
        };
        if room.owner != *id {
            return refusal(DENIED);
        }
        if let Some(room) = self.rooms.get_mut(&name) {
            room.closes = true;
        }
        self.leave_room(id);
        "true".into()
    }

    pub(super) fn room_of(&self, id: &str) -> Option<(Arc<str>, &Room)> {
        let name = self.users.get(id)?.room.as_ref()?;
        Some((Arc::clone(name), self.rooms.get(name)?))
    }

    /// `participants`: those who were in the room before, or only the owner, if only the owner
    /// sends. Those who come later ask by themselves. The page asks them one by one.
    pub(super) fn participants_before(&mut self, id: &str) -> Answer {
        if let Some(user) = self.users.get_mut(id) {
            user.is_new = false;
        }
        let asked: Vec<_> = match self.room_of(id) {
            None => Vec::new(),
            Some((_, room)) if room.is_one_way => vec![&room.owner],
            Some((_, room)) => room.participants.iter().collect(),
        };
        let before = asked.into_iter().take_while(|other| ***other != *id);
        let names: Vec<_> = before.map(|other| quoted(other)).collect();
        format!("[{}]", names.join(","))
    }

    /// `check-presence`
    pub(super) fn presence(&self, asked: &str) -> Answer {
        let room = name(asked).and_then(|name| self.rooms.get(&name));
        let flags = |is_full, is_protected| {
            format!(r#""_room":{{"isFull":{is_full},"isPasswordProtected":{is_protected}}}"#)
        };
        let Some(room) = room else {
            return format!("false,{asked},{{{}}}", flags(false, false));
        };
        let extra = members_without(&room.extra, &["_room"]);
        let extra = extra.unwrap_or_else(|| format!("\"value\":{},", room.extra));
        let flags = flags(room.is_full(), room.is_protected());
        format!("true,{asked},{{{extra}{flags}}}")
    }

    /// `set-password`
    pub(super) fn set_password(&mut self, id: &Arc<str>, password: Option<Arc<str>>) -> Answer {
        let name = self.users.get(id).and_then(|user| user.room.clone());
        let Some((name, room)) = name.and_then(|name| {
            let room = self.rooms.get_mut(&name)?;
            Some((name, room))
        }) else {
            return "null,null,\"Did not join any room yet\"".into();
        };
        if room.owner != *id {
            return format!("false,{},{}", quoted(&name), quoted(DENIED));
        }
        room.password = password;
        format!("true,{},null", quoted(&name))
    }

    /// `is-valid-password`
    pub(super) fn is_password(&self, password: Option<Arc<str>>, asked: &str) -> Answer {
        let is_blank = |text: &Arc<str>| text.trim().is_empty();
        let wrong = |why| format!("false,{asked},{}", quoted(why));
        let Some(password) = password.filter(|password| !is_blank(password)) else {
            return wrong("You did not enter the password.");
        };
        let Some(name) = name(asked).filter(|name| !is_blank(name)) else {
            return wrong("You did not enter the room-id.");
        };
        let Some(room) = self.rooms.get(&name) else {
            return wrong(NO_ROOM);
        };
        match &room.password {
            None => wrong("This room do not have any password."),
            Some(right) if *right == password => format!("true,{asked},false"),
            Some(_) => wrong("Invalid password"),
        }
    }

    /// `get-public-rooms`: as many as fit.
    pub(super) fn public_rooms(&self, identifier: Option<Arc<str>>) -> Answer {
        let Some(identifier) = identifier.filter(|identifier| !identifier.trim().is_empty()) else {
            return "null,\"publicRoomIdentifier is required\"".into();
        };
        let is_asked = |room: &Room| room.identifier.as_ref() == Some(&identifier);
        let mut list = String::from("[");
        for (name, room) in self.rooms.iter().filter(|(_, room)| is_asked(room)) {
            let participants: Vec<_> = room.participants.iter().map(|id| quoted(id)).collect();
            let room = format!(
                r#"{{"maxParticipantsAllowed":{},"owner":{},"participants":[{}],"extra":{},"session":{},"sessionid":{},"isRoomFull":{},"isPasswordProtected":{}}}"#,
                room.most,
                quoted(&room.owner),
                participants.join(","),
                room.extra,
                room.session,
                quoted(name),
                room.is_full(),
                room.is_protected(),
            );
            if list.len() + room.len() > LONGEST_LIST {
                break;
            }
            if list.len() > 1 {
                list.push(',');
            }
            list.push_str(&room);
        }
        list.push(']');
        list
    }
}

impl Room {
    fn is_full(&self) -> bool {
        self.participants.len() >= self.most
    }

    fn is_protected(&self) -> bool {
        let password = self.password.as_ref();
        password.is_some_and(|password| !password.trim().is_empty())
    }
}
