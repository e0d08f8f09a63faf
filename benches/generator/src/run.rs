//! The measurements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::client::Client;
use crate::histogram::Histogram;
use crate::protocol::{sent, text};
use crate::{Failure, Measure, Settings, server};

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
    let before = server::memory(settings.pid)?;
    let clients = connect(settings).await?;
    if settings.measure == Measure::Idle {
        return idle(settings, before, &clients).await;
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
    let publisher = Client::publisher(settings.address, settings.protocol).await?;
    tokio::select! {
        measured = publish(settings, publisher, &arrived) => measured,
        Some(failure) = failures.recv() => Err(failure),
    }
}

async fn connect(settings: &Settings) -> Result<Vec<Client>, Failure> {
    let mut clients = Vec::new();
    let mut connecting = JoinSet::new();
    for _ in 0..settings.receivers {
        if connecting.len() >= CONNECTING
            && let Some(connected) = connecting.join_next().await
        {
            clients.push(connected??);
        }
        connecting.spawn(Client::receiver(settings.address, settings.protocol));
    }
    while let Some(connected) = connecting.join_next().await {
        clients.push(connected??);
    }
    Ok(clients)
}

async fn idle(settings: &Settings, before: u64, clients: &[Client]) -> Result<Value, Failure> {
    sleep(REST).await;
    let grown = server::memory(settings.pid)?.saturating_sub(before);
    Ok(json!({"bytesPerConnection": grown as f64 / clients.len() as f64}))
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
    mut publisher: Client,
    arrived: &Arrived,
) -> Result<Value, Failure> {
    let receivers = settings.receivers as u64;
    let mut messages = 0;
    while messages < WARM_UP {
        messages += 1;
        send(settings, &mut publisher, messages, arrived.now()).await?;
        arrived.until(messages * receivers).await?;
    }
    arrived.latencies.clear();
    let processor = server::processor(settings.pid)?;
    let start = tokio::time::Instant::now();
    let mut paced = 0.0;
    while start.elapsed() < settings.time() {
        if settings.measure == Measure::Paced {
            sleep_until(start + Duration::from_secs_f64(paced / settings.rate)).await;
            paced += 1.0;
        }
        messages += 1;
        arrived
            .until(messages.saturating_sub(WINDOW) * receivers)
            .await?;
        send(settings, &mut publisher, messages, arrived.now()).await?;
    }
    arrived.until(messages * receivers).await?;
    let seconds = start.elapsed().as_secs_f64();
    let processor = server::processor(settings.pid)? - processor;
    let deliveries = (messages - WARM_UP) * receivers;
    let latency = |part| arrived.latencies.quantile(part);
    Ok(json!({
        "deliveries": deliveries,
        "seconds": seconds,
        "messagesPerSecond": (messages - WARM_UP) as f64 / seconds,
        "deliveriesPerSecond": deliveries as f64 / seconds,
        "processorMicrosecondsPerDelivery": processor.as_secs_f64() * 1e6 / deliveries as f64,
        "latencyMicroseconds": {"median": latency(0.5), "99": latency(0.99), "99.9": latency(0.999)},
    }))
}

async fn send(
    settings: &Settings,
    publisher: &mut Client,
    number: u64,
    sent: u64,
) -> Result<(), Failure> {
    let text = text(sent, settings.size);
    publisher
        .publish(settings.protocol.message(number, &text))
        .await
}
