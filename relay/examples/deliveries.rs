//! Measures the CPU time that relays take per delivery, one binary beside another in the same run.
//!
//! ```sh
//! cargo run --profile relay -p signal-relay --example deliveries -- \
//!     --binary old/signal-relay --binary target/relay/signal-relay
//! ```
//!
//! Each round starts a relay as a process of its own, connects 100 receivers and one sender over
//! real sockets, and reads the relay's CPU time from `/proc` before and after. The binaries take
//! turns (A B A B …), so that whatever else the machine does meets both. Printed are the medians,
//! and their ratios to the first binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const RECEIVERS: u64 = 100;
/// Messages that are on their way at one time.
const WINDOW: u64 = 8;
const WARM_UP: u64 = 400;

#[derive(Clone, Copy)]
enum Clients {
    /// Clients that receive everything.
    Plain,
    /// Clients that have a channel open and can resume.
    Resuming,
}

const CASES: [(&str, Clients, usize); 4] = [
    ("plain, 0.2 kB", Clients::Plain, 200),
    ("plain, 1.5 kB", Clients::Plain, 1500),
    ("resuming, 0.2 kB", Clients::Resuming, 200),
    ("resuming, 1.5 kB", Clients::Resuming, 1500),
];

struct Options {
    binaries: Vec<String>,
    rounds: usize,
    messages: u64,
}

fn options() -> Options {
    let mut options = Options {
        binaries: Vec::new(),
        rounds: 7,
        messages: 2000,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().expect("each option has a value");
        match name.as_str() {
            "--binary" => options.binaries.push(value),
            "--rounds" => options.rounds = value.parse().expect("--rounds is a number"),
            "--messages" => options.messages = value.parse().expect("--messages is a number"),
            _ => panic!("unknown option {name}: there are --binary, --rounds and --messages"),
        }
    }
    assert!(!options.binaries.is_empty(), "give at least one --binary");
    options
}

/// A running relay, killed when this is dropped.
struct Relay {
    process: Child,
    address: String,
}

impl Relay {
    fn start(binary: &str) -> Self {
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0", "--log", "off"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("can't start {binary}: {error}"));
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).expect("the relay's line");
        let address = address.trim_end_matches(['/', '\n']).to_owned();
        Self { process, address }
    }

    /// The CPU time of all its threads so far.
    fn cpu_time(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.process.id());
        let nanoseconds = std::fs::read_dir(tasks).unwrap().map(|task| {
            let path = task.unwrap().path().join("schedstat");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let first = text.split(' ').next().and_then(|time| time.parse().ok());
            first.unwrap_or(0)
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    async fn connect(&self) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{}/", self.address);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        socket
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Connects, and subscribes if the client is to resume.
async fn join(relay: &Relay, clients: Clients) -> WebSocketStream<TcpStream> {
    let mut socket = relay.connect().await;
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().starts_with("{\"signal\":"));
    if let Clients::Resuming = clients {
        let open = Message::text(r#"{"open":["a"]}"#);
        socket.send(open).await.unwrap();
        let ack = socket.next().await.unwrap().unwrap();
        assert!(ack.to_text().unwrap().starts_with(r#"{"ack":0"#));
    }
    socket
}

/// Counts deliveries of all receivers.
#[derive(Default)]
struct Deliveries {
    count: AtomicU64,
    changed: Notify,
}

impl Deliveries {
    async fn until(&self, target: u64) {
        while self.count.load(Ordering::Acquire) < target {
            self.changed.notified().await;
        }
    }
}

/// The relay's CPU time per delivery, in microseconds.
async fn measure(binary: &str, clients: Clients, length: usize, messages: u64) -> f64 {
    let relay = Relay::start(binary);
    let deliveries = Arc::new(Deliveries::default());
    let mut tasks = Vec::new();
    for _ in 0..RECEIVERS {
        let mut socket = join(&relay, clients).await;
        let deliveries = Arc::clone(&deliveries);
        tasks.push(tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() {
                    let before = deliveries.count.fetch_add(1, Ordering::AcqRel);
                    if (before + 1).is_multiple_of(RECEIVERS * WINDOW) {
                        deliveries.changed.notify_one();
                    }
                }
            }
        }));
    }
    let (mut sender, mut acks) = join(&relay, clients).await.split();
    tasks.push(tokio::spawn(
        async move { while acks.next().await.is_some() {} },
    ));

    let body = "x".repeat(length);
    let mut sent = 0;
    let mut start = Duration::ZERO;
    while sent < WARM_UP + messages {
        if sent == WARM_UP {
            start = relay.cpu_time();
        }
        for _ in 0..WINDOW {
            sent += 1;
            let reference = match clients {
                Clients::Plain => String::new(),
                Clients::Resuming => format!("\"ref\":{sent},"),
            };
            let text = format!(r#"{{"sender":1,"channel":"a",{reference}"message":"{body}"}}"#);
            sender.feed(Message::text(text)).await.unwrap();
        }
        sender.flush().await.unwrap();
        deliveries.until(sent * RECEIVERS).await;
    }
    let taken = relay.cpu_time() - start;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    taken.as_secs_f64() * 1e6 / (messages * RECEIVERS) as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main]
async fn main() {
    let Options {
        binaries,
        rounds,
        messages,
    } = options();
    let mut out = std::io::stdout();
    let _ = writeln!(
        out,
        "CPU time per delivery in µs, {RECEIVERS} receivers, medians of {rounds}"
    );
    for (name, clients, length) in CASES {
        let mut times = vec![Vec::new(); binaries.len()];
        for _ in 0..rounds {
            for (times, binary) in times.iter_mut().zip(&binaries) {
                times.push(measure(binary, clients, length, messages).await);
            }
        }
        let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
        let first = medians.first().copied().unwrap_or(f64::NAN);
        for (binary, median) in binaries.iter().zip(medians) {
            let ratio = median / first;
            let _ = writeln!(out, "{name:>17}  {median:6.3}  {ratio:5.3}  {binary}");
        }
    }
}
