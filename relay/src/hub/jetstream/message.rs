//! A publication as NATS keeps it: its text, and in headers what a relay needs to deliver it.

use std::net::IpAddr;

use async_nats::HeaderMap;

use super::once::{Counter, Turn};
use crate::address::ClientAddress;
use crate::hub::frame::{Frame, PendingMessage};
use crate::hub::ids::PublisherId;
use crate::hub::store::{Content, Publication};

/// Who published it.
const FROM: &str = "Signal-From";
/// The address of the client that did, which pays for it on all relays.
const ADDRESS: &str = "Signal-Address";
/// Which publication it is of those that its publisher, or its lane, has numbered.
const NUMBER: &str = "Signal-Number";
/// The relay and the lane by which it came, if its publisher gave it no number.
const LANE: &str = "Signal-Lane";
/// There if the text isn't an envelope.
const TEXT: &str = "Signal-Text";

/// A publication that came from NATS.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) from: PublisherId,
    pub(super) address: ClientAddress,
    pub(super) content: Content,
    pub(super) turn: Turn,
}

/// The headers and the text of a publication.
pub(super) fn encode(publication: &Publication, turn: Turn) -> (HeaderMap, String) {
    let Publication {
        from,
        account,
        content,
        ..
    } = publication;
    let mut headers = HeaderMap::new();
    headers.insert(FROM, from.to_string());
    headers.insert(ADDRESS, account.owner().address.ip().to_string());
    headers.insert(NUMBER, turn.number.to_string());
    if let Counter::Lane { relay, lane } = turn.counter {
        headers.insert(LANE, format!("{relay:x}-{lane:x}"));
    }
    let text = match content {
        Content::Envelope(message) => message.as_str().to_owned(),
        Content::Text(frame) => {
            headers.insert(TEXT, "1");
            frame.as_str().to_owned()
        }
    };
    (headers, text)
}

/// What a relay published. `None`: no relay did.
pub(super) fn decode(headers: &HeaderMap, payload: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(payload).ok()?;
    let header = |name: &str| headers.get(name).map(|value| value.as_str());
    let address: IpAddr = header(ADDRESS)?.parse().ok()?;
    let content = match header(TEXT) {
        Some(_) => Content::Text(Frame::from(text)),
        None => Content::Envelope(PendingMessage::accepted(text)?),
    };
    let from = header(FROM)?.parse().ok()?;
    let counter = match header(LANE) {
        Some(lane) => {
            let (relay, lane) = lane.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            let (relay, lane) = (number(relay)?, number(lane)?);
            Counter::Lane { relay, lane }
        }
        None => Counter::Publisher(from),
    };
    let number = header(NUMBER)?.parse().ok()?;
    Some(Received {
        from,
        address: ClientAddress::new(address),
        content,
        turn: Turn { counter, number },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use signal_wire::Envelope;

    use super::*;
    use crate::hub::budget::Budget;

    fn publication(content: Content) -> Publication {
        let address = ClientAddress::new("192.0.2.1".parse().unwrap());
        Publication {
            space: "/".into(),
            from: "12-ab".parse().unwrap(),
            account: Budget::new(1_000_000).account(None, address),
            content,
            reference: Some(7),
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let named = r#"{"sender":1,"channel":"a","message":"ä"}"#;
        let bare = r#"{"sender":1,"message":{}}"#;
        let mut vouched = Envelope::read(bare).unwrap();
        vouched.vouch("\"alice\"");
        for content in [
            Content::Envelope(PendingMessage::read(named, None).unwrap()),
            Content::Envelope(PendingMessage::read(bare, None).unwrap()),
            Content::Envelope(PendingMessage::new(&vouched, None, true)),
            Content::Text(Frame::from("any text")),
            Content::Text(Frame::from("")),
        ] {
            let publication = publication(content.clone());
            let own = Counter::Publisher(publication.from);
            let (relay, lane) = (u64::MAX, 0x12);
            for counter in [own, Counter::Lane { relay, lane }] {
                let turn = Turn { counter, number: 7 };
                let (headers, text) = encode(&publication, turn);
                let expected = Received {
                    from: publication.from,
                    address: publication.account.owner().address,
                    content: content.clone(),
                    turn,
                };
                assert_eq!(decode(&headers, text.as_bytes()), Some(expected));
            }
        }
    }

    #[test]
    fn what_no_relay_published_is_nothing() {
        let turn = Turn {
            counter: Counter::Publisher("12-ab".parse().unwrap()),
            number: 1,
        };
        let (good, _) = encode(&publication(Content::Text(Frame::from("x"))), turn);
        assert!(decode(&good, b"text").is_some());
        assert_eq!(decode(&good, b"\xff"), None);
        assert_eq!(decode(&HeaderMap::new(), b"{}"), None);
        for (name, value) in [
            (FROM, "12"),
            (FROM, "x-y"),
            (ADDRESS, "somewhere"),
            (NUMBER, "-1"),
            (LANE, "1"),
            (LANE, "1-x"),
        ] {
            let mut headers = good.clone();
            headers.insert(name, value);
            assert_eq!(decode(&headers, b"text"), None, "{name}");
        }
        let mut envelope = HeaderMap::new();
        envelope.insert(FROM, "12-ab");
        envelope.insert(ADDRESS, "192.0.2.1");
        envelope.insert(NUMBER, "1");
        assert_eq!(decode(&envelope, b"no envelope"), None);
    }
}
