//! A publication as NATS keeps it: its text, and in headers what a relay needs to deliver it.

use std::net::IpAddr;

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;

use crate::address::ClientAddress;
use crate::hub::frame::{Frame, PendingMessage};
use crate::hub::ids::PublisherId;
use crate::hub::store::{Content, Publication};

/// Who published it.
const FROM: &str = "Signal-From";
/// The address of the client that did, which pays for it on all relays.
const ADDRESS: &str = "Signal-Address";
/// There if the text isn't an envelope.
const TEXT: &str = "Signal-Text";

/// A publication that came from NATS.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) from: PublisherId,
    pub(super) address: ClientAddress,
    pub(super) content: Content,
}

/// The headers and the text of a publication, the one with this number on this relay.
pub(super) fn encode(publication: &Publication, relay: u64, number: u64) -> (HeaderMap, String) {
    let Publication {
        from,
        account,
        content,
        reference,
        ..
    } = publication;
    let mut headers = HeaderMap::new();
    headers.insert(FROM, from.to_string());
    headers.insert(ADDRESS, account.owner().address.ip().to_string());
    // NATS takes each id once.
    let id = match reference {
        Some(reference) => format!("{from}-{reference}"),
        None => format!("{relay:016x}/{number}"),
    };
    headers.insert(NATS_MESSAGE_ID, id);
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
        None => Content::Envelope(PendingMessage::read(text, None)?),
    };
    Some(Received {
        from: header(FROM)?.parse().ok()?,
        address: ClientAddress::new(address),
        content,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
        let envelope = PendingMessage::read(r#"{"sender":1,"channel":"a","message":"ä"}"#, None);
        for content in [
            Content::Envelope(envelope.unwrap()),
            Content::Text(Frame::from("any text")),
            Content::Text(Frame::from("")),
        ] {
            let publication = publication(content.clone());
            let (headers, text) = encode(&publication, 0x34, 5);
            let id = |headers: &HeaderMap| headers.get(NATS_MESSAGE_ID).unwrap().to_string();
            assert_eq!(id(&headers), "0000000000000012-00000000000000ab-7");
            let reference = None;
            let unnumbered = Publication {
                reference,
                ..publication.clone()
            };
            assert_eq!(id(&encode(&unnumbered, 0x34, 5).0), "0000000000000034/5");
            let received = decode(&headers, text.as_bytes()).unwrap();
            assert_eq!(received.from, publication.from);
            assert_eq!(received.address, publication.account.owner().address);
            assert_eq!(received.content, content);
        }
    }

    #[test]
    fn what_no_relay_published_is_nothing() {
        let (good, _) = encode(&publication(Content::Text(Frame::from("x"))), 1, 1);
        assert!(decode(&good, b"text").is_some());
        assert_eq!(decode(&good, b"\xff"), None);
        assert_eq!(decode(&HeaderMap::new(), b"{}"), None);
        for (name, value) in [(FROM, "12"), (FROM, "x-y"), (ADDRESS, "somewhere")] {
            let mut headers = good.clone();
            headers.insert(name, value);
            assert_eq!(decode(&headers, b"text"), None, "{name}");
        }
        let mut envelope = HeaderMap::new();
        envelope.insert(FROM, "12-ab");
        envelope.insert(ADDRESS, "192.0.2.1");
        assert_eq!(decode(&envelope, b"no envelope"), None);
    }
}
