//! What a page asks for: an event and its arguments.

use std::sync::Arc;

use signal_wire::json::member;

use super::profile::{LONGEST_EXTRA, Profile};
use super::user_message::{MessageError, UserMessage};
use super::values::{has, name};

/// The longest description of a session, in bytes.
const LONGEST_SESSION: usize = 4096;

/// What only the relay says, or says with the member `user`. No page can say it to others by naming
/// a custom event so.
const RESERVED: [&str; 18] = [
    "broadcast-stopped",
    "closed-entire-session",
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "error",
    "extra-data-updated",
    "join-broadcaster",
    "logs",
    "message",
    "number-of-broadcast-viewers-updated",
    "rejoin-broadcast",
    "set-isInitiator-true",
    "start-broadcasting",
    "user-connected",
    "user-disconnected",
    "userid-already-taken",
];

/// What a page asks for. The members are JSON text where they aren't names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `open-room`
    Open(RoomRequest<'a>),
    /// `join-room`
    Join(RoomRequest<'a>),
    /// `open-room` or `join-room` with something missing or too long.
    Refused(&'static str),
    /// `close-entire-session`
    Close,
    /// `check-presence` of a room.
    Presence(&'a str),
    /// `set-password`
    SetPassword(Option<Arc<str>>),
    /// `is-valid-password`
    IsPassword {
        /// The password.
        password: Option<Arc<str>>,
        /// The room.
        room: &'a str,
    },
    /// `get-public-rooms` with an identifier.
    PublicRooms(Option<Arc<str>>),
    /// A message for a user, or for all participants of a room.
    Message(UserMessage),
    /// A message that goes nowhere.
    Undelivered(MessageError),
    /// `extra-data-updated`
    Extra(&'a str),
    /// `get-remote-user-extra-data` of a user.
    ExtraOf(&'a str),
    /// `disconnect-with` a user.
    DisconnectWith(Option<Arc<str>>),
    /// `changed-uuid`: another id.
    Rename(Option<Arc<str>>),
    /// `set-custom-socket-event-listener`
    AddEvent(Option<Arc<str>>),
    /// A custom event for everybody, if the page has announced it.
    Custom {
        /// The event.
        event: Arc<str>,
        /// Its argument.
        value: &'a str,
    },
    /// `join-broadcast`
    JoinBroadcast {
        /// The broadcast.
        broadcast: Arc<str>,
        /// The id that the user has from now on.
        user: Option<Arc<str>>,
        /// The kinds of its streams.
        streams: &'a str,
    },
    /// `can-relay-broadcast` and `can-not-relay-broadcast`
    Relay(bool),
    /// `check-broadcast-presence`
    BroadcastPresence(Option<Arc<str>>),
    /// `get-number-of-users-in-specific-broadcast`
    Viewers(Option<Arc<str>>),
    /// `participants`: whom it asks for connections.
    Participants,
}

/// A room that a page opens or joins, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRequest<'a> {
    /// The room's name.
    pub room: Arc<str>,
    /// The session, such as `{"audio":true}`.
    pub session: &'a str,
    /// The user's extra data.
    pub extra: &'a str,
    /// The name under which public rooms are found.
    pub identifier: Option<Arc<str>>,
    /// The password.
    pub password: Option<Arc<str>>,
}

impl<'a> Request<'a> {
    /// Reads an event of a page on a private channel, which may ask for more.
    pub fn read_numbered(event: &str, arguments: &[&'a str], profile: &Profile) -> Option<Self> {
        match event {
            "participants" => Some(Self::Participants),
            _ => Self::read(event, arguments, profile),
        }
    }

    /// Reads an event. `None`: it is none of these.
    pub fn read(event: &str, arguments: &[&'a str], profile: &Profile) -> Option<Self> {
        let at = |index: usize| arguments.get(index).copied().unwrap_or("null");
        let first = at(0);
        if event == &*profile.message_event {
            return match UserMessage::read(first) {
                Ok(message) => Some(Self::Message(message)),
                Err(error) => Some(Self::Undelivered(error)),
            };
        }
        Some(match event {
            "open-room" => RoomRequest::read(first, profile).map_or_else(Self::Refused, Self::Open),
            "join-room" => RoomRequest::read(first, profile).map_or_else(Self::Refused, Self::Join),
            "close-entire-session" => Self::Close,
            "check-presence" => Self::Presence(first),
            "set-password" => Self::SetPassword(name(first)),
            "is-valid-password" => Self::IsPassword {
                password: name(first),
                room: at(1),
            },
            "get-public-rooms" => Self::PublicRooms(name(first)),
            "extra-data-updated" => Self::Extra(first),
            "get-remote-user-extra-data" => Self::ExtraOf(first),
            "disconnect-with" => Self::DisconnectWith(name(first)),
            "changed-uuid" => Self::Rename(name(first)),
            "set-custom-socket-event-listener" => Self::AddEvent(name(first)),
            "join-broadcast" => Self::JoinBroadcast {
                broadcast: name(member(first, "broadcastId")?)?,
                user: member(first, "userid").and_then(name),
                streams: member(first, "typeOfStreams")
                    .filter(|streams| {
                        has(first, "typeOfStreams") && streams.len() <= LONGEST_SESSION
                    })
                    .unwrap_or(r#"{"audio":true,"video":true}"#),
            },
            "can-relay-broadcast" => Self::Relay(true),
            "can-not-relay-broadcast" => Self::Relay(false),
            "check-broadcast-presence" => Self::BroadcastPresence(name(first)),
            "get-number-of-users-in-specific-broadcast" => Self::Viewers(name(first)),
            _ if RESERVED.contains(&event) => return None,
            _ => Self::Custom {
                event: event.into(),
                value: first,
            },
        })
    }

    /// The channel whose rights it needs: a room's name, a broadcast's, or a custom event's.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        match self {
            Self::Open(request) | Self::Join(request) => Some(&request.room),
            Self::JoinBroadcast { broadcast, .. } => Some(broadcast),
            Self::Custom { event, .. } => Some(event),
            _ => None,
        }
    }

    /// The id that the page has, as it says, or takes.
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        match self {
            Self::Rename(user) | Self::JoinBroadcast { user, .. } => user.clone(),
            Self::Message(message) => message.from.clone(),
            _ => None,
        }
    }
}

impl<'a> RoomRequest<'a> {
    fn read(argument: &'a str, profile: &Profile) -> Result<Self, &'static str> {
        let value = |name| member(argument, name);
        let extra = value("extra")
            .filter(|_| has(argument, "extra"))
            .unwrap_or("{}");
        // The page of a scalable broadcast names the broadcast there.
        let broadcast = profile
            .relays
            .and_then(|_| member(extra, "broadcastId"))
            .and_then(name);
        let session = value("session").unwrap_or("{}");
        if extra.len() > LONGEST_EXTRA || session.len() > LONGEST_SESSION {
            return Err("The extra data has at most 16384 bytes, the session 4096");
        }
        let password = match value("password") {
            None | Some("null" | "\"\"") => None,
            Some(password) => Some(name(password).ok_or("A password has at most 256 bytes")?),
        };
        let room = broadcast.or_else(|| value("sessionid").and_then(name));
        Ok(Self {
            room: room.ok_or("The sessionid must have 1 to 256 bytes")?,
            session,
            extra,
            identifier: value("identifier").and_then(name),
            password,
        })
    }
}
