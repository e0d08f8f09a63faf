//! The form in which a Socket.IO client is sent what was published.

use std::sync::Arc;

use signal_wire::envelope::UNNAMED;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::packet;
use super::socketio_over_nodejs::{self, User};
use crate::hub::frame::{Encoding, Frame};
use crate::protocols::bare;

/// How envelopes are kept in the form of Socket.IO, which is the same for all members of a space.
const ENCODING: Encoding = Encoding("socket.io");

/// What the page in a namespace understands.
#[derive(Debug, Default)]
pub(super) enum Form {
    /// It has sent nothing that shows it: messages come as they were sent.
    #[default]
    AsSent,
    /// It has shown that its namespaces are channels: it expects nothing here.
    Silent,
    /// It has sent an envelope.
    Envelopes,
    /// It has sent a bare message.
    Bare,
    /// The namespace is a channel of socketio-over-nodejs.
    Channel {
        /// The channel's name.
        channel: Arc<str>,
        /// What the page has said of its user.
        user: Option<User>,
    },
}

impl Form {
    /// The packet for a frame. `None`: there is nothing that the page would understand. Frames that
    /// aren't envelopes are for plain WebSockets.
    pub(super) fn packet(&self, namespace: &str, frame: &Frame) -> Option<Utf8Bytes> {
        let is_unnamed = frame.channel() == Some(UNNAMED);
        let text = match self {
            Self::Silent => None,
            Self::Channel { channel, .. } => {
                frame.channel().filter(|name| *name == &**channel)?;
                let encode = |envelope: &str| socketio_over_nodejs::packet(namespace, envelope);
                frame.encoded(Encoding("socketio-over-nodejs"), encode)
            }
            Self::Bare if is_unnamed => {
                let encode = |envelope: &str| packet::message(namespace, &bare::unnamed(envelope));
                frame.encoded(Encoding("socket.io, bare"), encode)
            }
            Self::AsSent if is_unnamed => {
                let encode = |envelope: &str| packet::message(namespace, &bare::as_sent(envelope));
                frame.encoded(Encoding("socket.io, as sent"), encode)
            }
            _ => frame.encoded(ENCODING, |envelope| packet::message(namespace, envelope)),
        }?;
        (!text.is_empty()).then_some(text)
    }
}
