//! Rooms that pages of *reliable-signaler* keep at the server, besides the seed's messages.
//!
//! `keep-in-server` with a room's name keeps it as long as the client is connected.
//! `get-session-info` with a name is acknowledged with it as soon as somebody keeps it. Each space
//! has rooms of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use signal_wire::json;

use super::packet;
use crate::hub::budget::{Account, Charge, Purpose};
use crate::limits::{LONGEST_SPACE, NAMESPACES};

/// How many rooms one client may keep or wait for.
const ROOMS: usize = NAMESPACES;
/// What a client in a room costs besides the room's name, in bytes.
const ENTRY: usize = 512;

/// A client that keeps rooms or waits for them.
pub(super) trait Guest: std::fmt::Debug + Send + Sync {
    /// Sends it a packet.
    fn send(&self, packet: String);

    /// Counts one more room that it keeps or waits for. `None`: it has `most` already.
    fn take_room(&self, most: usize) -> Option<()>;

    /// Counts one room fewer.
    fn free_room(&self);

    /// Whether it keeps or waits for rooms.
    fn has_rooms(&self) -> bool;
}

/// The rooms of all Socket.IO clients.
#[derive(Debug, Default)]
pub(super) struct KeptRooms(Mutex<HashMap<Key, Room>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    space: Arc<str>,
    room: String,
}

#[derive(Debug, Default)]
struct Room {
    keepers: Vec<Entry>,
    waiting: Vec<(Entry, String)>,
}

#[derive(Debug)]
struct Entry {
    guest: Weak<dyn Guest>,
    _charge: Charge,
}

/// What a client needs to keep rooms.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) own: Weak<dyn Guest>,
    pub(super) rooms: Arc<KeptRooms>,
}

/// What a client asks for is more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl KeptRooms {
    fn rooms(&self) -> MutexGuard<'_, HashMap<Key, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a room with this JSON text as its name, and answers those who wait for it.
    pub(super) fn keep(
        &self,
        guest: &Arc<dyn Guest>,
        space: &Arc<str>,
        room: &str,
        account: &Arc<Account>,
    ) -> Result<(), TooMuch> {
        let key = key(space, room)?;
        let entry = entry(guest, &key, account);
        let mut rooms = self.rooms();
        let known = rooms.get(&key).is_some_and(|room| room.is_kept_by(guest));
        if !known {
            guest.take_room(ROOMS).ok_or(TooMuch)?;
            rooms.entry(key.clone()).or_default().keepers.push(entry);
        }
        let waiting = rooms
            .get_mut(&key)
            .map(|room| std::mem::take(&mut room.waiting));
        drop(rooms);
        for (entry, ack) in waiting.into_iter().flatten() {
            if let Some(guest) = entry.guest.upgrade() {
                guest.free_room();
                guest.send(packet::answered(space, &ack, room));
            }
        }
        Ok(())
    }

    /// Acknowledges with the room's name, now or as soon as somebody keeps the room.
    pub(super) fn ask(
        &self,
        guest: &Arc<dyn Guest>,
        space: &Arc<str>,
        room: &str,
        ack: &str,
        account: &Arc<Account>,
    ) -> Result<(), TooMuch> {
        let key = key(space, room)?;
        let entry = entry(guest, &key, account);
        let mut rooms = self.rooms();
        if rooms.get(&key).is_some_and(|room| !room.keepers.is_empty()) {
            drop(rooms);
            guest.send(packet::answered(space, ack, room));
            return Ok(());
        }
        guest.take_room(ROOMS).ok_or(TooMuch)?;
        let waiting = (entry, ack.to_owned());
        rooms.entry(key).or_default().waiting.push(waiting);
        Ok(())
    }

    /// A client has left.
    pub(super) fn forget(&self, guest: &Arc<dyn Guest>) {
        if !guest.has_rooms() {
            return;
        }
        self.rooms().retain(|_, room| {
            room.keepers.retain(|entry| !entry.is_of(guest));
            room.waiting.retain(|(entry, _)| !entry.is_of(guest));
            !(room.keepers.is_empty() && room.waiting.is_empty())
        });
    }
}

impl Room {
    fn is_kept_by(&self, guest: &Arc<dyn Guest>) -> bool {
        self.keepers.iter().any(|entry| entry.is_of(guest))
    }
}

impl Entry {
    fn is_of(&self, guest: &Arc<dyn Guest>) -> bool {
        std::ptr::addr_eq(self.guest.as_ptr(), Arc::as_ptr(guest))
    }
}

fn key(space: &Arc<str>, room: &str) -> Result<Key, TooMuch> {
    // JavaScript takes any value for a name; objects and the like would all be one room.
    let room = json::string(room).map_or_else(|| room.to_owned(), |name| name.into_owned());
    if room.len() > LONGEST_SPACE {
        return Err(TooMuch);
    }
    let space = Arc::clone(space);
    Ok(Key { space, room })
}

fn entry(guest: &Arc<dyn Guest>, key: &Key, account: &Arc<Account>) -> Entry {
    Entry {
        guest: Arc::downgrade(guest),
        _charge: account.charge(Purpose::Connections, ENTRY + key.room.len()),
    }
}
