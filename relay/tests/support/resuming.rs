//! A client of the relay's own protocol, as far as a test needs it: it says what it's told to, and
//! reads frame by frame.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::{Client, Relay, within, without_id};

/// A connection that was greeted.
pub struct Page {
    pub client: Client,
    pub secret: String,
    /// The secret that the answer to its first `open` must have.
    proof: Option<String>,
    pub epoch: String,
    waiting: VecDeque<String>,
}

impl Page {
    pub async fn connect(relay: &Relay, space: &str) -> Self {
        Self::connect_to(relay.address, space).await
    }

    pub async fn connect_to(address: SocketAddr, space: &str) -> Self {
        Self::over(Client::open(address, space).await.unwrap()).await
    }

    pub async fn connect_narrow(relay: &Relay, space: &str) -> Self {
        Self::over(Client::open_narrow(relay.address, space).await).await
    }

    /// A page on 127.0.0.`last`, which is another address to the relay.
    pub async fn connect_from(last: u8, relay: &Relay, space: &str) -> Self {
        Self::over(Client::open_from(last, relay.address, space).await.unwrap()).await
    }

    async fn over(mut client: Client) -> Self {
        let hello: serde_json::Value = serde_json::from_str(&client.greeted().await).unwrap();
        let member = |name: &str| hello[name].as_str().unwrap().to_owned();
        Self {
            secret: member("session"),
            proof: Some(member("session")),
            epoch: member("epoch"),
            client,
            waiting: VecDeque::new(),
        }
    }

    /// A new session that has channels open.
    pub async fn open(relay: &Relay, space: &str, channels: &[&str]) -> Self {
        Self::open_on(relay.address, space, channels).await
    }

    pub async fn open_on(address: SocketAddr, space: &str, channels: &[&str]) -> Self {
        let mut page = Self::connect_to(address, space).await;
        let open = serde_json::json!({ "open": channels });
        page.say(&open.to_string()).await;
        page.ack(0).await;
        page
    }

    /// Resumes an earlier session, with its channels and the last ids seen.
    pub async fn resume(&mut self, secret: &str, channels: &[&str], after: &[(&str, u64)]) {
        let after: serde_json::Map<_, _> = after
            .iter()
            .map(|(channel, id)| ((*channel).to_owned(), id.to_string().into()))
            .collect();
        let open = serde_json::json!({ "open": channels, "after": after, "session": secret });
        self.proof = Some(secret.to_owned());
        self.say(&open.to_string()).await;
    }

    pub async fn say(&mut self, frame: &str) {
        self.client.send(frame).await;
    }

    /// Sends a message with its reference.
    pub async fn send(&mut self, sender: u64, reference: u64, channel: &str, message: &str) {
        let frame = format!(
            r#"{{"sender":{sender},"channel":"{channel}","ref":{reference},"message":{message}}}"#
        );
        self.say(&frame).await;
    }

    pub async fn next(&mut self) -> String {
        match self.waiting.pop_front() {
            Some(text) => text,
            None => self.client.text().await,
        }
    }

    /// The answer to an `open`. Messages before it are skipped.
    pub async fn ack(&mut self, taken: u64) {
        let answer = async {
            loop {
                let text = self.next().await;
                if text.starts_with("{\"ack\":") {
                    let proof = self.proof.take();
                    let proof = proof.map(|secret| format!(",\"session\":\"{secret}\""));
                    let proof = proof.unwrap_or_default();
                    assert_eq!(text, format!("{{\"ack\":{taken}{proof}}}"));
                    return;
                }
                assert!(text.starts_with("{\"sender\":"), "{text}");
            }
        };
        within("the answer to an open", answer).await;
    }

    /// The same, whatever was accepted and proven.
    pub async fn acknowledged_open(&mut self) {
        let answer = async {
            loop {
                let text = self.next().await;
                if acknowledgement(&text).is_some() {
                    return;
                }
                assert!(text.starts_with("{\"sender\":"), "{text}");
            }
        };
        within("the answer to an open", answer).await;
        self.proof = None;
    }

    /// Waits until this reference was acknowledged; earlier ones may be before. What else comes
    /// meanwhile is read afterwards.
    pub async fn acknowledged(&mut self, taken: u64) {
        let acknowledged = async {
            let mut before = 0;
            while before < taken {
                let text = self.client.text().await;
                let Some(number) = acknowledgement(&text) else {
                    self.waiting.push_back(text);
                    continue;
                };
                assert!(number >= before && number <= taken, "{text} after {before}");
                before = number;
            }
        };
        within("an acknowledgement", acknowledged).await;
    }

    /// The next frame but for acknowledgements, which has to be a message: its id, and the message
    /// without it.
    pub async fn numbered(&mut self) -> (u64, String) {
        let message = async {
            loop {
                let text = self.next().await;
                if acknowledgement(&text).is_none() {
                    return text;
                }
            }
        };
        let (text, id) = without_id(&within("a message", message).await);
        (id, text)
    }

    pub async fn message(&mut self) -> String {
        self.numbered().await.1
    }
}

fn acknowledgement(text: &str) -> Option<u64> {
    let number = text.strip_prefix("{\"ack\":")?.split([',', '}']).next()?;
    Some(number.parse().unwrap())
}

/// What a page without a reference sends.
pub fn text(sender: u64, channel: &str, message: &str) -> String {
    format!(r#"{{"sender":{sender},"channel":"{channel}","message":{message}}}"#)
}

/// What others get of it, but for the id.
pub fn message(sender: u64, channel: &str, message: &str) -> String {
    text(sender, channel, message)
}
