//! The measurements.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::client::{Client, Target};
use crate::histogram::Histogram;
use crate::protocol::{secret, sent, text};
use crate::{Failure, Measure, Settings, restart, rooms, server};

/// How many clients connect at one time.
const CONNECTING: usize = 64;
/// How many messages are sent before the measurement.
const WARM_UP: u64 = 50;
/// How many messages are under way at most.
const WINDOW: u64 = 32;
/// How often it is looked at what has arrived.
const LOOK: Duration = Duration::from_micros(200);
/// A server that delivers nothing for so long has failed.
const STUCK: Duration = Duration::from_secs(60);
/// How long a server rests before its memory is read.
const REST: Duration = Duration::from_secs(2);

/// What has arrived at all clients.
#[derive(Debug)]
struct Arrived {
    since: Instant,
    deliveries: AtomicU64,
    /// From the sending to each client.
    latencies: Histogram,
}

impl Arrived {
    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Waits for so many deliveries.
    async fn until(&self, wanted: u64) -> Result<(), Failure> {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let deliveries = self.deliveries();
            if deliveries >= wanted {
                return Ok(());
            }
            if deliveries > last {
                (last, since) = (deliveries, Instant::now());
            } else if since.elapsed() > STUCK {
                let problem = format!("{deliveries} of {wanted} deliveries have come, and no more");
                return Err(problem.into());
            }
            sleep(LOOK).await;
        }
    }
}

/// Connects all clients and measures what is asked for.
pub(crate) async fn run(settings: &Settings) -> Result<Value, Failure> {
    if settings.measure == Measure::Resume {
        return resume(settings).await;
    }
    if settings.measure == Measure::Rooms {
        return rooms::rooms(settings).await;
    }
    let before = server::memory(&settings.pids)?;
    let clients = connect(settings).await?;
    if settings.measure == Measure::Idle {
        return idle(settings, before, &clients).await;
    }
    if settings.measure == Measure::Restart {
        return restart::restart(settings, clients).await;
    }
    let arrived = Arc::new(Arrived {
        since: Instant::now(),
        deliveries: AtomicU64::new(0),
        latencies: Histogram::new(),
    });
    let (failed, mut failures) = mpsc::channel(1);
    let mut receivers = JoinSet::new();
    for client in clients {
        let (arrived, failed) = (Arc::clone(&arrived), failed.clone());
        receivers.spawn(async move {
            let failure = receive(client, &arrived).await;
            let _ = failed.try_send(failure);
        });
    }
    let mut publishers = Vec::new();
    for space in 0..settings.spaces.get() {
        publishers.push(Client::publisher(&settings.publisher(space)?).await?);
    }
    tokio::select! {
        measured = publish(settings, publishers, &arrived) => measured,
        Some(failure) = failures.recv() => Err(failure),
    }
}

async fn connect(settings: &Settings) -> Result<Vec<Client>, Failure> {
    let targets = (0..settings.receivers).map(|number| settings.receiver(number));
    let connect = |target| async move { Client::receiver(&target).await };
    each(targets.collect::<Result<_, _>>()?, connect).await
}

/// Connects to each target, some at one time, and gives the clients in the targets' order.
async fn each<C: Send + 'static, F: Future<Output = Result<C, Failure>> + Send + 'static>(
    targets: Vec<Target>,
    connect: impl Fn(Target) -> F,
) -> Result<Vec<C>, Failure> {
    let mut clients = Vec::new();
    let mut connecting = JoinSet::new();
    for (number, target) in targets.into_iter().enumerate() {
        if connecting.len() >= CONNECTING
            && let Some(connected) = connecting.join_next().await
        {
            clients.push(connected??);
        }
        let connect = connect(target);
        connecting.spawn(async move { connect.await.map(|client| (number, client)) });
    }
    while let Some(connected) = connecting.join_next().await {
        clients.push(connected??);
    }
    clients.sort_by_key(|(number, _)| *number);
    Ok(clients.into_iter().map(|(_, client)| client).collect())
}

/// What it costs that clients come back, each to the next server.
async fn resume(settings: &Settings) -> Result<Value, Failure> {
    let targets = (0..settings.receivers).map(|number| settings.receiver(number));
    let before = server::processor(&settings.pids)?;
    let first = each(targets.collect::<Result<_, _>>()?, begin).await?;
    let beginning = server::processor(&settings.pids)? - before;
    let mut targets = Vec::new();
    for (number, (_, secret)) in first.into_iter().enumerate() {
        let next = settings.receiver(number + settings.spaces.get())?;
        let session = Some(secret);
        targets.push(Target { session, ..next });
    }
    sleep(REST).await;
    let wanted: HashSet<_> = targets
        .iter()
        .filter_map(|target| target.session.clone())
        .collect();
    let before = server::processor(&settings.pids)?;
    let store_before = server::processor(&settings.store_pids)?;
    let again = each(targets, begin).await?;
    let resuming = server::processor(&settings.pids)? - before;
    let of_store = server::processor(&settings.store_pids)? - store_before;
    let resumed = again.iter().filter(|(_, secret)| wanted.contains(secret));
    let count = settings.receivers as u64;
    Ok(json!({
        "resumed": resumed.count() as f64 / count as f64,
        "processorMicrosecondsPerConnection": microseconds(beginning, count),
        "processorMicrosecondsPerResumption": microseconds(resuming, count),
        "storeMicrosecondsPerResumption": microseconds(of_store, count),
    }))
}

/// Connects, and gives the secret of the session that it has then.
async fn begin(target: Target) -> Result<(Client, String), Failure> {
    let (client, frame) = Client::socket(&target).await?;
    let frame = frame.ok_or("this protocol has no sessions")?;
    let secret = secret(&frame).ok_or("the server names no session")?;
    Ok((client, secret.into()))
}

async fn idle(settings: &Settings, before: u64, clients: &[Client]) -> Result<Value, Failure> {
    sleep(REST).await;
    let grown = server::memory(&settings.pids)?.saturating_sub(before);
    Ok(json!({
        "bytesWithoutConnections": before,
        "bytesPerConnection": grown as f64 / clients.len() as f64,
    }))
}

/// Receives until something fails.
async fn receive(mut client: Client, arrived: &Arrived) -> Failure {
    loop {
        match client.frame().await {
            Ok(frame) => {
                if let Some(sent) = sent(&frame) {
                    arrived
                        .latencies
                        .add(arrived.now().saturating_sub(sent) / 1000);
                    arrived.deliveries.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(failure) => return failure,
        }
    }
}

/// Publishes for as long as the measurement takes.
async fn publish(
    settings: &Settings,
    mut publishers: Vec<Client>,
    arrived: &Arrived,
) -> Result<Value, Failure> {
    // Each message goes to one space.
    let spaces = settings.spaces.get() as u64;
    let receivers = settings.receivers as u64 / spaces;
    let mut messages = 0;
    while messages < WARM_UP.max(spaces) {
        send(settings, &mut publishers, messages, arrived.now()).await?;
        messages += 1;
        arrived.until(messages * receivers).await?;
    }
    arrived.latencies.clear();
    let warm_up = messages;
    let processor = server::processor(&settings.pids)?;
    let store = server::processor(&settings.store_pids)?;
    let start = tokio::time::Instant::now();
    let mut paced = 0.0;
    while start.elapsed() < settings.time() {
        if settings.measure == Measure::Paced {
            sleep_until(start + Duration::from_secs_f64(paced / settings.rate)).await;
            paced += 1.0;
        }
        arrived
            .until((messages + 1).saturating_sub(WINDOW) * receivers)
            .await?;
        send(settings, &mut publishers, messages, arrived.now()).await?;
        messages += 1;
    }
    arrived.until(messages * receivers).await?;
    let seconds = start.elapsed().as_secs_f64();
    let processor = server::processor(&settings.pids)? - processor;
    let store = server::processor(&settings.store_pids)? - store;
    let messages = messages - warm_up;
    let deliveries = messages * receivers;
    let latency = |part| arrived.latencies.quantile(part);
    Ok(json!({
        "deliveries": deliveries,
        "seconds": seconds,
        "messagesPerSecond": messages as f64 / seconds,
        "deliveriesPerSecond": deliveries as f64 / seconds,
        "processorMicrosecondsPerDelivery": microseconds(processor, deliveries),
        "processorMicrosecondsPerMessage": microseconds(processor, messages),
        "storeMicrosecondsPerMessage": microseconds(store, messages),
        "latencyMicroseconds": {"median": latency(0.5), "99": latency(0.99), "99.9": latency(0.999)},
    }))
}

pub(crate) fn microseconds(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// Publishes the message with this number, counted from 0. Whoever publishes takes turns.
async fn send(
    settings: &Settings,
    publishers: &mut [Client],
    number: u64,
    sent: u64,
) -> Result<(), Failure> {
    let text = text(sent, settings.size);
    let several = publishers.len() as u64;
    let publisher = publishers.get_mut((number % several) as usize);
    let publisher = publisher.ok_or("nobody publishes")?;
    publisher
        .publish(settings.protocol.message(number / several + 1, &text))
        .await
}
