//! What a client does that has subscribed: it speaks the protocol of [`signal_wire::frames`].

use std::sync::Arc;
use std::time::Duration;

use signal_wire::frames::encode_pong;
use signal_wire::{ClientFrame, Envelope, Open, ServerFrame, Subscription};

use crate::auth::access::{Access, NOT_SUBSCRIBED};
use crate::connection::CloseReason;
use crate::hub::frame::{Frame, PendingMessage};
use crate::hub::membership::Membership;
use crate::hub::sessions::Attached;
use crate::limits::Allowance;
use crate::protocols::referee::{Referee, is_private};

/// Why a client that resumes a second session on one connection is closed.
const SECOND_SESSION: &str = "another session than the one that was opened first";

/// What a frame of a client that has subscribed acts on.
pub(super) struct Take<'a> {
    pub(super) session: &'a Attached,
    pub(super) access: &'a Access,
    pub(super) membership: &'a Membership,
    pub(super) allowance: &'a Allowance,
    pub(super) max_frame: usize,
    pub(super) referee: &'a Referee,
}

impl Take<'_> {
    pub(super) async fn frame(self, text: &str) -> Result<(), CloseReason> {
        let Self {
            session,
            access,
            membership,
            ..
        } = &self;
        match ClientFrame::decode(text) {
            ClientFrame::Publish(envelope, reference) => self.publish(envelope, reference).await?,
            ClientFrame::Open(open) => {
                self.allowance.charge_channels(open.channels.len());
                if open
                    .session
                    .as_ref()
                    .is_some_and(|secret| !session.is(secret))
                {
                    return Err(not_ours(SECOND_SESSION));
                }
                if open.token.is_some() {
                    renew(access, open.token.as_deref()).await?;
                    announce_expiry(access, membership);
                }
                let (open, refused) = permitted(access, open);
                session.open(membership, &open).await?;
                refuse_all(membership, &refused);
            }
            ClientFrame::Close(names) => {
                let names = names.iter().map(|name| Arc::from(&**name)).collect();
                session.close(membership, names).await?;
            }
            ClientFrame::Token(token) => {
                renew(access, Some(&token)).await?;
                announce_expiry(access, membership);
            }
            ClientFrame::Ping(number) => answer_ping(membership, number),
            ClientFrame::Pong => {}
            ClientFrame::Text => return Err(not_ours("a frame is a JSON object")),
            ClientFrame::Invalid(problem) => return Err(not_ours(problem)),
        }
        Ok(())
    }

    async fn publish(
        self,
        envelope: Envelope<'_>,
        reference: Option<u64>,
    ) -> Result<(), CloseReason> {
        let (session, membership) = (self.session, self.membership);
        let channel = envelope.channel.clone();
        if is_private(&channel) {
            let message = envelope.message();
            let asks = self
                .referee
                .take(&channel, message, membership, self.access);
            return Ok(session.take(membership, reference, Box::pin(asks)).await?);
        }
        match self.access.message(envelope, None, reference.is_none()) {
            Ok(message) => {
                check_length(&message, self.max_frame)?;
                session.publish(membership, message, reference).await?;
            }
            Err(why) => {
                refuse(membership, &channel, why.as_str(), reference);
                if let Some(reference) = reference {
                    session.skip(membership, reference).await?;
                }
            }
        }
        Ok(())
    }
}

/// The user that the relay adds counts too.
pub(super) fn check_length(message: &PendingMessage, max_frame: usize) -> Result<(), CloseReason> {
    if message.len() > max_frame {
        return Err(CloseReason::FrameTooLarge(max_frame));
    }
    Ok(())
}

pub(super) fn answer_ping(membership: &Membership, number: &str) {
    membership
        .sender()
        .push(Frame::direct(encode_pong(number).into()));
}

/// Continues with a newer token, if there is one. The earlier one counts on if nobody can say
/// whether the newer one is good.
pub(super) async fn renew(access: &Access, token: Option<&str>) -> Result<(), CloseReason> {
    let Some(token) = token else {
        return Ok(());
    };
    match access.renew(token).await {
        Err(refusal) if !refusal.is_temporary() => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// The part of a request that is allowed, and the channels that aren't. On private channels nothing
/// is published that there is to subscribe to.
pub(super) fn permitted<'a>(access: &Access, open: Open<'a>) -> (Open<'a>, Vec<Subscription<'a>>) {
    let (channels, refused) = open
        .channels
        .into_iter()
        .filter(|open| !is_private(&open.channel))
        .partition(|open| access.may_subscribe(&open.channel));
    (Open { channels, ..open }, refused)
}

pub(super) fn refuse_all(membership: &Membership, refused: &[Subscription<'_>]) {
    for open in refused {
        refuse(membership, &open.channel, NOT_SUBSCRIBED, None);
    }
}

pub(super) fn refuse(membership: &Membership, channel: &str, why: &str, reference: Option<u64>) {
    let refused = ServerFrame::Refused {
        channel: channel.into(),
        why: why.into(),
        reference,
    };
    membership
        .sender()
        .push(Frame::direct(refused.encode().into()));
}

/// Tells a client how long its token is good, so that it can send another one before.
pub(super) fn announce_expiry(access: &Access, membership: &Membership) {
    if let Some(left) = access.expires_in() {
        let expires = ServerFrame::Expires(milliseconds(left));
        membership
            .sender()
            .push(Frame::direct(expires.encode().into()));
    }
}

pub(super) fn not_ours(problem: &'static str) -> CloseReason {
    CloseReason::NotProtocol {
        protocol: "the relay's protocol",
        problem,
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
