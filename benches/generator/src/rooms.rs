//! Pages of RTCMultiConnection 3 in rooms: what an answer of the server costs, and how long it takes.

use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::client::{Client, Target};
use crate::histogram::Histogram;
use crate::protocol::Protocol;
use crate::run::microseconds;
use crate::{Failure, Settings, server};

/// A page on Socket.IO, in a room.
#[derive(Debug)]
struct Page {
    client: Client,
    room: String,
    asked: u64,
}

impl Page {
    /// Connects a user and enters a room, by `open-room` or `join-room`.
    async fn enter(target: Target, user: &str, room: &str, how: &str) -> Result<Self, Failure> {
        // The query of the library, by which the server knows its pages.
        let query = format!(
            "&userid={user}&sessionid={room}&msgEvent=RTCMultiConnection-Message\
             &socketCustomEvent=RTCMultiConnection-Custom-Message&autoCloseEntireSession=false\
             &maxParticipantsAllowed=1000&extra={{}}"
        );
        let (client, _) = Client::socket(&Target { query, ..target }).await?;
        let room = room.to_owned();
        let asked = 0;
        let mut page = Self {
            client,
            room,
            asked,
        };
        let details = json!({"sessionid": &page.room, "session": {"data": true}, "extra": {}});
        page.ask(how, &details).await?;
        Ok(page)
    }

    /// Asks the server, and waits for an acknowledgement that begins with `true`.
    async fn ask(&mut self, event: &str, argument: &Value) -> Result<(), Failure> {
        self.asked += 1;
        let list = json!([event, argument]);
        self.client
            .publish(format!("42{}{list}", self.asked))
            .await?;
        let acknowledgement = format!("43{}[", self.asked);
        loop {
            let frame = self.client.frame().await?;
            match frame.strip_prefix(&acknowledgement) {
                Some(values) if values.starts_with("true") => return Ok(()),
                Some(_) => return Err(format!("the server answers {event} with {frame}").into()),
                // What the server says by itself.
                None => {}
            }
        }
    }

    /// Asks whether there is its room.
    async fn is_present(&mut self) -> Result<(), Failure> {
        let room = json!(self.room);
        self.ask("check-presence", &room).await
    }
}

/// Measures pages on the first server, which keeps their rooms because they come there first, and
/// then pages on the second, if there is one, which hands on to the first what they ask.
pub(crate) async fn rooms(settings: &Settings) -> Result<Value, Failure> {
    if settings.protocol != Protocol::SocketIo {
        return Err("pages in rooms speak socket-io".into());
    }
    let mut measured = Map::new();
    for (place, address) in ["keeper", "other"].into_iter().zip(&settings.addresses) {
        let first = pair(settings, *address, place, 0).await?;
        let alone = ask(settings, vec![first]).await?;
        let mut pages = alone.pages;
        for number in 1..settings.receivers / 2 {
            pages.extend(pair(settings, *address, place, number).await?);
        }
        let together = ask(settings, pages.into_iter().map(|page| vec![page]).collect()).await?;
        let figures = json!({"alone": alone.figures, "together": together.figures});
        measured.insert(place.into(), figures);
    }
    Ok(measured.into())
}

/// Two pages in a room. No other run of this program has rooms or users of these names.
async fn pair(
    settings: &Settings,
    address: SocketAddr,
    place: &str,
    number: usize,
) -> Result<Vec<Page>, Failure> {
    let room = format!("{}-{place}-{number}", process::id());
    let mut pages = Vec::new();
    for how in ["open-room", "join-room"] {
        let target = Target {
            address,
            ..settings.receiver(0)?
        };
        let user = format!("{room}-{how}");
        pages.push(Page::enter(target, &user, &room, how).await?);
    }
    Ok(pages)
}

struct Asked {
    pages: Vec<Page>,
    figures: Value,
}

/// Pages ask for as long as the measurement takes: those of one group in turns, each when the one
/// before has its answer.
async fn ask(settings: &Settings, groups: Vec<Vec<Page>>) -> Result<Asked, Failure> {
    let latencies = Arc::new(Histogram::new());
    let time = settings.time();
    let processor = server::processor(&settings.pids)?;
    let store = server::processor(&settings.store_pids)?;
    let start = Instant::now();
    let mut asking = JoinSet::new();
    for mut pages in groups {
        let latencies = Arc::clone(&latencies);
        asking.spawn(async move {
            let mut requests = 0;
            while start.elapsed() < time {
                for page in &mut pages {
                    let asked = Instant::now();
                    page.is_present().await?;
                    let took = asked.elapsed().as_micros();
                    latencies.add(u64::try_from(took).unwrap_or(u64::MAX));
                    requests += 1;
                }
            }
            Ok::<_, Failure>((pages, requests))
        });
    }
    let mut pages = Vec::new();
    let mut requests: u64 = 0;
    while let Some(asked) = asking.join_next().await {
        let (of_group, asked) = asked??;
        pages.extend(of_group);
        requests += asked;
    }
    let seconds = start.elapsed().as_secs_f64();
    let processor = server::processor(&settings.pids)? - processor;
    let store = server::processor(&settings.store_pids)? - store;
    let latency = |part| latencies.quantile(part);
    let figures = json!({
        "requestsPerSecond": requests as f64 / seconds,
        "processorMicrosecondsPerRequest": microseconds(processor, requests),
        "storeMicrosecondsPerRequest": microseconds(store, requests),
        "latencyMicroseconds": {"median": latency(0.5), "99": latency(0.99), "99.9": latency(0.999)},
    });
    Ok(Asked { pages, figures })
}
