//! What one connection may do in a space, as long as its token is good.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::select_all;
use signal_wire::{Envelope, UserId};
use tokio::sync::watch;
use tokio::time::sleep;

use super::claims::Grant;
use super::refusal::Refusal;
use super::{Auth, Token};
use crate::hub::audience::Audience;
use crate::hub::frame::PendingMessage;

/// The clock is looked at this often, in case that it was set.
const CLOCK: Duration = Duration::from_secs(3600);

/// What one connection may do in a space: everything, if the relay asks for no tokens.
#[derive(Clone, Debug)]
pub struct Access(Option<Arc<Limited>>);

#[derive(Debug)]
struct Limited {
    auth: Arc<Auth>,
    space: Box<str>,
    grant: watch::Sender<Arc<Grant>>,
}

/// Why a message isn't published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The token doesn't allow publishing on its channel.
    Channel,
    /// Its sender belongs to another user.
    Sender,
    /// It isn't an envelope, so nobody could tell who sent it.
    NoEnvelope,
}

impl Forbidden {
    /// The reason, for the client.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "The token doesn't allow publishing on this channel.",
            Self::Sender => {
                "The sender is neither a number nor a string, or another user uses it now."
            }
            Self::NoEnvelope => {
                "With tokens only envelopes are relayed: an object with the members channel and message."
            }
        }
    }
}

/// The reason for which a channel can't be subscribed to, for the client.
pub const NOT_SUBSCRIBED: &str = "The token doesn't allow subscribing to this channel.";

impl Access {
    /// Everything is allowed.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// What a grant allows in a space.
    pub(super) fn enter(auth: &Arc<Auth>, grant: Arc<Grant>, space: &str) -> Result<Self, Refusal> {
        grant.check_space(space)?;
        Ok(Self(Some(Arc::new(Limited {
            auth: Arc::clone(auth),
            space: space.into(),
            grant: watch::Sender::new(grant),
        }))))
    }

    /// The message of an envelope, with who sent it. `own` is the sender of an envelope that has
    /// none; `with_reference` says whether a member `ref` stays in the text.
    ///
    /// # Errors
    /// It may not be published.
    pub fn message(
        &self,
        envelope: Envelope<'_>,
        own: Option<UserId>,
        with_reference: bool,
    ) -> Result<PendingMessage, Forbidden> {
        let Some(limited) = &self.0 else {
            return Ok(PendingMessage::new(&envelope, own, with_reference));
        };
        let grant = limited.grant();
        if !grant.publish.matches(&envelope.channel) {
            return Err(Forbidden::Channel);
        }
        let generated = own.map(|own| own.get().to_string());
        if let Some(sender) = envelope.sender().or(generated.as_deref())
            && !limited.auth.claim(&limited.space, sender, &grant.user)
        {
            return Err(Forbidden::Sender);
        }
        let mut envelope = envelope;
        envelope.vouch(&grant.user_json);
        Ok(PendingMessage::new(&envelope, own, with_reference))
    }

    /// Whether texts that aren't envelopes may be published and received.
    #[must_use]
    pub fn allows_texts(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a channel may be received.
    #[must_use]
    pub fn may_subscribe(&self, channel: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|limited| limited.grant().subscribe.matches(channel))
    }

    /// Whether a channel may be published on.
    #[must_use]
    pub fn may_publish(&self, channel: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|limited| limited.grant().publish.matches(channel))
    }

    /// Whether the sender with this JSON text may be its own. If so, it is.
    #[must_use]
    pub fn may_be(&self, sender: &str) -> bool {
        self.0.as_ref().is_none_or(|limited| {
            let user = &limited.grant().user;
            limited.auth.claim(&limited.space, sender, user)
        })
    }

    /// Whether it may become its own by [`Access::may_be`], as it seems now.
    #[must_use]
    pub fn could_be(&self, sender: &str) -> bool {
        self.0.as_ref().is_none_or(|limited| {
            let user = &limited.grant().user;
            limited.auth.allows(&limited.space, sender, user)
        })
    }

    /// The user of its token.
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        let limited = self.0.as_ref()?;
        Some(Arc::from(&*limited.grant().user))
    }

    /// What its connection receives.
    #[must_use]
    pub fn audience(&self) -> Audience {
        match &self.0 {
            None => Audience::everything(),
            Some(limited) => {
                let limited = Arc::clone(limited);
                Audience::of(move |channel| limited.grant().subscribe.matches(channel))
            }
        }
    }

    /// Continues with a newer token of the same user. Without tokens it does nothing.
    ///
    /// # Errors
    /// The token is refused, or isn't for this space or user.
    pub async fn renew(&self, token: &str) -> Result<(), Refusal> {
        let Some(limited) = &self.0 else {
            return Ok(());
        };
        let grant = limited.auth.grant(&Token::new(token)).await?;
        grant.check_space(&limited.space)?;
        limited.replace(grant)
    }

    /// Continues with what a newer connection of the same client may do.
    ///
    /// # Errors
    /// That one is another user's.
    pub fn continue_as(&self, newer: &Self) -> Result<(), Refusal> {
        match (&self.0, &newer.0) {
            (Some(limited), Some(newer)) => limited.replace(newer.grant()),
            _ => Ok(()),
        }
    }

    /// How long the token is still good. `None`: there is none.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        Some(self.0.as_ref()?.left())
    }

    /// Resolves when the token has expired.
    pub async fn expired(&self) {
        match &self.0 {
            // On the heap: where there are no tokens, connections don't reserve room for it.
            Some(limited) => Box::pin(limited.expired()).await,
            None => std::future::pending().await,
        }
    }
}

/// Resolves when the token of one of these has expired.
pub(crate) async fn any_expired(accesses: &[Access]) {
    let expiries: Vec<_> = accesses
        .iter()
        .map(|access| Box::pin(access.expired()))
        .collect();
    if expiries.is_empty() {
        return std::future::pending().await;
    }
    select_all(expiries).await;
}

impl Limited {
    async fn expired(&self) {
        let mut renewed = self.grant.subscribe();
        loop {
            let left = self.left();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = sleep(left.min(CLOCK)) => {}
                changed = renewed.changed() => if changed.is_err() { return },
            }
        }
    }

    fn grant(&self) -> Arc<Grant> {
        Arc::clone(&self.grant.borrow())
    }

    fn replace(&self, grant: Arc<Grant>) -> Result<(), Refusal> {
        if grant.user != self.grant().user {
            return Err(Refusal::OTHER_USER);
        }
        self.grant.send_replace(grant);
        Ok(())
    }

    fn left(&self) -> Duration {
        let expires = self.grant.borrow().expires;
        expires
            .duration_since(SystemTime::now())
            .unwrap_or_default()
    }
}
