//! What a server that delivers by channel is told when a connection to it begins.

use signal_wire::{Open, Subscription};

use super::channels::{Channel, Channels};

/// What is to be said and reported when a connection begins.
#[derive(Debug)]
pub struct Resumption<'a> {
    /// The requests to subscribe, in this order.
    pub requests: Vec<Open<'a>>,
    /// Channels on which messages may have been missed.
    pub gaps: Vec<String>,
}

/// The requests for all open channels, which count as subscribed from then on. `resume` is the session that the server still has.
///
/// The first request of a resumed session names all the channels that the session has, so that those closed meanwhile end with it. A channel that was
/// closed and opened again meanwhile is a new one, and gets a request of its own. A server that has forgotten the session has
/// forgotten everything: nothing can be replayed, and each channel that was subscribed has a gap.
pub fn resume<S>(channels: &mut Channels<S>, resume: Option<String>) -> Resumption<'_> {
    let resumes = resume.is_some();
    if !resumes {
        channels.forget_ids();
    }
    let gaps = channels
        .iter()
        .filter(|channel| channel.subscribed && !resumes)
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

/// The request for a channel that is opened now.
pub fn open_one(name: &str) -> Open<'_> {
    Open {
        channels: Vec::from([Subscription {
            channel: name.into(),
            after: None,
        }]),
        session: None,
    }
}
