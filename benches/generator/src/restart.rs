//! The server is killed and started again, and all clients come back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Client, Target};
use crate::{Failure, Settings, server};

/// Clients connect again after up to this time, and after this time if that fails.
const JITTER: Duration = Duration::from_secs(1);
/// After so long, clients that aren't back have failed.
const STUCK: Duration = Duration::from_secs(120);
/// The golden ratio without its whole part: its multiples without theirs are spread evenly.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

pub(crate) async fn restart(settings: &Settings, clients: Vec<Client>) -> Result<Value, Failure> {
    println!("connected");
    let count = clients.len();
    let mut returning = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        let target = settings.receiver(number)?;
        let wait = JITTER.mul_f64((number as f64 * GOLDEN).fract());
        returning.spawn(async move { come_back(&target, client, wait).await });
    }
    let mut line = String::new();
    BufReader::new(stdin()).read_line(&mut line).await?;
    let pid = line.trim().parse()?;
    let mut lost: Option<Instant> = None;
    let mut back = Vec::new();
    let all = async {
        while let Some(returned) = returning.join_next().await {
            let (since, client) = returned?;
            lost = Some(lost.map_or(since, |lost| lost.min(since)));
            // Kept open until all are back.
            back.push(client);
        }
        Ok::<_, Failure>(())
    };
    let in_time = timeout(STUCK, all).await;
    in_time.map_err(|_| format!("{} of {count} clients are back, and no more", back.len()))??;
    let seconds = lost.map_or(0.0, |lost| lost.elapsed().as_secs_f64());
    let processor = server::processor(&[pid])?.as_secs_f64();
    Ok(json!({"secondsUntilAllAreBack": seconds, "processorSeconds": processor}))
}

/// Waits until the connection is lost, and connects again until that succeeds. Returns when it was
/// lost, and the client with its new connection.
async fn come_back(target: &Target, mut client: Client, wait: Duration) -> (Instant, Client) {
    while client.frame().await.is_ok() {}
    let lost = Instant::now();
    sleep(wait).await;
    loop {
        if let Ok(client) = Client::receiver(target).await {
            return (lost, client);
        }
        sleep(JITTER).await;
    }
}
