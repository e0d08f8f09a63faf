//! The requests that subscribe to the open channels when a connection begins.

use signal_wire::{Open, Subscription};

use super::channels::{Channel, Channels};

/// What follows from the beginning of a connection.
#[derive(Debug)]
pub struct Resumption<'a> {
    /// The requests to send, in order.
    pub requests: Vec<Open<'a>>,
    /// Channels on which messages may have been missed.
    pub gaps: Vec<String>,
}

/// The requests for all open channels, which count as subscribed afterwards. `resume` is the
/// server's secret of the session, if the server still has it.
///
/// The first request of a resumed session lists the channels that were subscribed before, so the
/// server drops those that were closed meanwhile. A channel that was opened or reopened meanwhile
/// gets a request of its own. If the server has lost the session, nothing can be replayed, and each
/// subscribed channel has a gap.
pub fn resume<S>(channels: &mut Channels<S>, resume: Option<String>) -> Resumption<'_> {
    let resumes = resume.is_some();
    if !resumes {
        channels.forget_ids();
    }
    let gaps = channels
        .iter()
        .filter(|channel| channel.subscribed && !channel.is_unnamed && !resumes)
        .map(|channel| (*channel.name).into())
        .collect();
    let mut earlier = Vec::new();
    let mut new = Vec::new();
    for channel in channels.iter_mut() {
        let was_subscribed = std::mem::replace(&mut channel.subscribed, true);
        if was_subscribed || !resumes {
            earlier.push(subscription(channel));
        } else {
            new.push(&*channel.name);
        }
    }
    let mut requests = Vec::new();
    requests.push(Open {
        channels: earlier,
        session: resume.map(Into::into),
        token: None,
    });
    requests.extend(new.into_iter().map(open_one));
    Resumption { requests, gaps }
}

fn subscription<S>(channel: &Channel<S>) -> Subscription<'_> {
    Subscription {
        channel: (&*channel.name).into(),
        after: channel.last_seen_id.as_deref().map(Into::into),
    }
}

/// The request for one new channel.
pub fn open_one(name: &str) -> Open<'_> {
    Open {
        channels: Vec::from([Subscription {
            channel: name.into(),
            after: None,
        }]),
        session: None,
        token: None,
    }
}
