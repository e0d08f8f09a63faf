//! Pages, a network and a server in virtual time: what happens, and when.
//!
//! The network is in `network.rs`, the pages' side of it in `pages.rs`, faults in `faults.rs`. What
//! ought to arrive is noted and compared with what does in `expectations.rs`.

use crate::broker::Broker;
use crate::client::Client;
use crate::relay::{Conn, Relay};
use crate::support::page::Setup;
use signal_wasm::protocol::Millis;
use signal_wasm::session::ConnectionId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

#[derive(Debug, PartialEq)]
pub enum Wire {
    Opened,
    Frame(String),
    Lost(Option<u16>),
    Answer(String),
}

#[derive(Debug, PartialEq)]
pub enum Item {
    Connect(Conn),
    Up(Conn, Option<String>),
    Down(Conn, Wire),
    /// Whatever the wire does.
    PageNotices(Conn, Option<u16>),
    ServerNotices(Conn),
    Tick(Conn),
    Ack(Conn),
    Revive,
}

pub struct Net {
    pub peer: usize,
    pub connection: ConnectionId,
    pub epoch: u64,
    /// When what was sent last arrives.
    pub up_clock: Millis,
    pub down_clock: Millis,
    pub stall_up: bool,
    pub stall_down: bool,
    pub held_up: Vec<Option<String>>,
    pub held_down: Vec<Wire>,
    pub is_cut: bool,
    pub has_goodbye: bool,
    pub hangs: bool,
    pub opened_at: Millis,
}

pub struct Peer {
    pub client: Client,
    pub conn: Option<Conn>,
    /// A second one, which may take its place.
    pub standby: Option<Conn>,
    pub asleep_until: Millis,
    pub throttled_until: Millis,
    pub backlog: VecDeque<(Conn, Wire)>,
    pub refuse: u8,
    pub hang: bool,
    /// How much of what it got has been looked at.
    pub looked_at: usize,
    pub marks_reached: usize,
    pub dropped: BTreeMap<String, usize>,
    /// The last message on each channel: epoch and id.
    pub last: BTreeMap<String, (u64, u64)>,
    /// The last of each sender's.
    pub last_of: BTreeMap<u64, usize>,
    pub subscribed_epoch: Option<u64>,
    pub is_plain: bool,
    /// It waited long for the hello of a relay that it knows, and took it for another server,
    /// which acknowledges nothing.
    pub has_given_up: bool,
}

/// What a page must get on a channel.
#[derive(Debug, Default)]
pub struct Due {
    /// Epochs and ids.
    pub messages: BTreeSet<(u64, u64)>,
    pub gap_epoch: Option<u64>,
}

pub enum Server {
    Relay(Relay),
    Broker(Broker),
}

/// How often things happened, so that a property that is never put to the test is seen.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub delivered: usize,
    pub gaps: usize,
    pub dropped: usize,
    pub again: usize,
    pub deaths: usize,
    pub faults: usize,
    pub flushed: usize,
    pub connects: usize,
}

pub struct World {
    pub now: Millis,
    pub random: u64,
    pub counter: usize,
    pub heap: BinaryHeap<Reverse<(u64, usize)>>,
    pub items: BTreeMap<usize, Item>,
    pub nets: Vec<Net>,
    pub peers: Vec<Peer>,
    pub server: Server,
    pub is_up: bool,
    pub due: BTreeMap<(usize, String), Due>,
    pub gap_bounds: BTreeMap<(Conn, String), u64>,
    /// By page and number: in which epochs it was published.
    pub published: Vec<BTreeMap<usize, u64>>,
    /// The last number of each page's that was published in this epoch.
    pub last_published: BTreeMap<u64, usize>,
    pub tally: Tally,
    /// What happens is printed.
    pub is_logged: bool,
}

impl World {
    pub fn new(server: Server, setups: Vec<Setup>, seed: u64) -> World {
        let peers: Vec<_> = setups
            .into_iter()
            .enumerate()
            .map(|(number, setup)| Peer {
                is_plain: setup.protocol != "relay"
                    && (setup.protocol != "auto" || matches!(server, Server::Broker(_))),
                client: Client::new(number, &setup),
                conn: None,
                standby: None,
                asleep_until: 0.0,
                throttled_until: 0.0,
                backlog: VecDeque::new(),
                refuse: 0,
                hang: false,
                looked_at: 0,
                marks_reached: 0,
                dropped: BTreeMap::new(),
                last: BTreeMap::new(),
                last_of: BTreeMap::new(),
                subscribed_epoch: None,
                has_given_up: false,
            })
            .collect();
        World {
            now: 1_000.0,
            random: seed,
            counter: 0,
            heap: BinaryHeap::new(),
            items: BTreeMap::new(),
            nets: Vec::new(),
            published: peers.iter().map(|_| BTreeMap::new()).collect(),
            peers,
            server,
            is_up: true,
            due: BTreeMap::new(),
            gap_bounds: BTreeMap::new(),
            last_published: BTreeMap::new(),
            tally: Tally::default(),
            is_logged: std::env::var_os("LOSSLESS_LOG").is_some(),
        }
    }

    pub fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    pub fn log(&self, line: std::fmt::Arguments) {
        if self.is_logged {
            eprintln!("{:10.1} {line}", self.now);
        }
    }

    pub fn at(&mut self, time: Millis, item: Item) {
        self.counter += 1;
        // Positive, so that the bits are in order.
        self.heap.push(Reverse((time.to_bits(), self.counter)));
        self.items.insert(self.counter, item);
    }

    pub fn epoch(&self) -> u64 {
        match &self.server {
            Server::Relay(relay) => relay.epoch,
            Server::Broker(_) => 0,
        }
    }

    // Time.

    /// All that happens until then.
    pub fn run(&mut self, until: Millis) {
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 200_000, "this never ends");
            let item = self
                .heap
                .peek()
                .map(|Reverse((bits, _))| f64::from_bits(*bits));
            let timer = (0..self.peers.len())
                .filter_map(|place| Some((self.timer(place)?, place)))
                .min_by(|one, other| one.0.total_cmp(&other.0));
            let backlog = self
                .peers
                .iter()
                .enumerate()
                .filter(|(_, peer)| !peer.backlog.is_empty())
                .map(|(place, peer)| (peer.asleep_until, place))
                .min_by(|one, other| one.0.total_cmp(&other.0));
            let next = [
                item,
                timer.map(|timer| timer.0),
                backlog.map(|backlog| backlog.0),
            ]
            .into_iter()
            .flatten()
            .fold(f64::INFINITY, f64::min);
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            // Of what is due at once, the timer comes first or last.
            let timer_first = self.random(2) == 0;
            match (timer, backlog) {
                (Some((at, place)), _)
                    if at <= next
                        && (timer_first
                            || item.is_none_or(|item| item > next)
                                && backlog.is_none_or(|backlog| backlog.0 > next)) =>
                {
                    self.peers[place].client.times_out(self.now);
                    self.pump(place);
                }
                (_, Some((at, place))) if at <= next => {
                    let (conn, wire) = self.peers[place].backlog.pop_front().unwrap();
                    self.arrive(conn, wire);
                }
                _ if item.is_some_and(|item| item <= next) => {
                    let Reverse((_, number)) = self.heap.pop().unwrap();
                    let item = self.items.remove(&number).unwrap();
                    self.happen(item);
                }
                _ => {}
            }
        }
        self.now = self.now.max(until);
    }

    pub fn timer(&self, place: usize) -> Option<Millis> {
        let peer = &self.peers[place];
        let mut at = peer.client.session().poll_timeout()?.max(peer.asleep_until);
        if at < peer.throttled_until {
            at = (at / 60_000.0).ceil() * 60_000.0;
        }
        Some(at)
    }

    pub fn happen(&mut self, item: Item) {
        match item {
            Item::Connect(conn) => self.connect(conn),
            Item::Up(conn, frame) => {
                let net = &mut self.nets[conn];
                if net.is_cut {
                    return;
                }
                if net.stall_up {
                    return net.held_up.push(frame);
                }
                self.serve(conn, frame);
            }
            Item::Down(conn, wire) => {
                let net = &mut self.nets[conn];
                if net.is_cut {
                    return;
                }
                if net.stall_down {
                    return net.held_down.push(wire);
                }
                self.arrive(conn, wire);
            }
            Item::PageNotices(conn, code) => self.arrive(conn, Wire::Lost(code)),
            Item::ServerNotices(conn) => self.leave(conn),
            Item::Tick(conn) => self.tick(conn),
            Item::Ack(conn) => {
                if let Server::Relay(relay) = &mut self.server {
                    let outs = relay.acknowledge(conn);
                    self.perform(outs);
                }
            }
            Item::Revive => self.is_up = true,
        }
    }
}
