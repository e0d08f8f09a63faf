//! Pages, a network and a server in virtual time: what is said takes its time, and faults happen to it. What ought to arrive is noted here,
//! and held against what does.

use crate::broker::Broker;
use crate::page::{Deed, Page, Told, user};
use crate::relay::{Conn, Out, Relay};
use signal_wasm::protocol::Protocol;
use signal_wasm::session::{Config, Millis, State};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

/// What happens to a page, or what it does.
#[derive(Debug, Clone)]
pub enum Op {
    Send {
        channel: u8,
        count: u8,
        pad: u8,
        ttl: Option<u16>,
    },
    Open(u8),
    Close(u8),
    Reopen(u8),
    Flush,
    /// The wire is cut; who notices, and how much later.
    Cut {
        page: Option<u16>,
        server: Option<u16>,
    },
    /// What is said waits on the wire, in one direction or both, until it goes on or is cut.
    Stall {
        up: bool,
        down: bool,
    },
    GoOn,
    /// The server closes the connection with this code.
    Shut(u16),
    /// The next attempts get no connection, or no answer at all.
    Refuse {
        attempts: u8,
        hang: bool,
    },
    /// The laptop sleeps: neither frames nor timers.
    Sleep(u32),
    /// Timers come late, as a hidden page's do.
    Throttle(u32),
    Wake,
    Hide,
    Show,
    Online,
    Offline,
    LostTwice,
    OpenedAgain,
    /// Of a connection that is over.
    Stale,
    /// The server is killed, and comes back.
    Kill(u16),
}

#[derive(Debug, PartialEq)]
enum Wire {
    Opened,
    Frame(String),
    Lost(Option<u16>),
    Answer(String),
}

#[derive(Debug, PartialEq)]
enum Item {
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

struct Net {
    page: usize,
    connection: u32,
    epoch: u64,
    /// When what was said last arrives.
    up_clock: Millis,
    down_clock: Millis,
    stall_up: bool,
    stall_down: bool,
    held_up: Vec<Option<String>>,
    held_down: Vec<Wire>,
    is_cut: bool,
    has_goodbye: bool,
    hangs: bool,
    opened_at: Millis,
}

struct Seat {
    page: Page,
    conn: Option<Conn>,
    asleep_until: Millis,
    throttled_until: Millis,
    backlog: VecDeque<(Conn, Wire)>,
    refuse: u8,
    hang: bool,
    /// How much of what it was told has been looked at.
    told: usize,
    marks_taken: usize,
    dropped: BTreeMap<String, usize>,
    /// The last message on each channel: epoch and id.
    last: BTreeMap<String, (u64, u64)>,
    /// The last of each sender's.
    last_of: BTreeMap<u64, usize>,
    joined_epoch: Option<u64>,
    is_plain: bool,
    /// It waited long for the relay it knows to greet, and took it for another server: nobody acknowledges then.
    has_given_up: bool,
}

/// What a page is due on a channel.
#[derive(Debug, Default)]
struct Due {
    messages: BTreeSet<(u64, u64)>,
    gap_epoch: Option<u64>,
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
    random: u64,
    counter: usize,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    items: BTreeMap<usize, Item>,
    nets: Vec<Net>,
    seats: Vec<Seat>,
    server: Server,
    is_up: bool,
    due: BTreeMap<(usize, String), Due>,
    gap_bounds: BTreeMap<(Conn, String), u64>,
    /// By page and number: in which epochs it was published.
    published: Vec<BTreeMap<usize, u64>>,
    /// The last number of each page's that was published in this epoch.
    last_published: BTreeMap<u64, usize>,
    pub tally: Tally,
    /// What happens is printed.
    is_told: bool,
}

const CHANNELS: [&str; 4] = ["a", "b", "日本", "room\n1"];

fn channel(number: u8) -> &'static str {
    CHANNELS[usize::from(number) % CHANNELS.len()]
}

impl World {
    pub fn new(server: Server, configs: Vec<Config>, seed: u64) -> World {
        let seats: Vec<_> = configs
            .into_iter()
            .enumerate()
            .map(|(number, config)| Seat {
                is_plain: config.protocol != Protocol::Relay
                    && (config.protocol != Protocol::Auto || matches!(server, Server::Broker(_))),
                page: Page::new(number, config),
                conn: None,
                asleep_until: 0.0,
                throttled_until: 0.0,
                backlog: VecDeque::new(),
                refuse: 0,
                hang: false,
                told: 0,
                marks_taken: 0,
                dropped: BTreeMap::new(),
                last: BTreeMap::new(),
                last_of: BTreeMap::new(),
                joined_epoch: None,
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
            published: seats.iter().map(|_| BTreeMap::new()).collect(),
            seats,
            server,
            is_up: true,
            due: BTreeMap::new(),
            gap_bounds: BTreeMap::new(),
            last_published: BTreeMap::new(),
            tally: Tally::default(),
            is_told: std::env::var_os("LOSSLESS_LOG").is_some(),
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    fn note(&self, line: std::fmt::Arguments) {
        if self.is_told {
            eprintln!("{:10.1} {line}", self.now);
        }
    }

    fn at(&mut self, time: Millis, item: Item) {
        self.counter += 1;
        // Positive, so that the bits are in order.
        self.heap.push(Reverse((time.to_bits(), self.counter)));
        self.items.insert(self.counter, item);
    }

    fn epoch(&self) -> u64 {
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
            assert!(steps < 200_000, "no end of it");
            let item = self
                .heap
                .peek()
                .map(|Reverse((bits, _))| f64::from_bits(*bits));
            let timer = (0..self.seats.len())
                .filter_map(|place| Some((self.timer(place)?, place)))
                .min_by(|one, other| one.0.total_cmp(&other.0));
            let backlog = self
                .seats
                .iter()
                .enumerate()
                .filter(|(_, seat)| !seat.backlog.is_empty())
                .map(|(place, seat)| (seat.asleep_until, place))
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
                    self.seats[place].page.woken(self.now);
                    self.pump(place);
                }
                (_, Some((at, place))) if at <= next => {
                    let (conn, wire) = self.seats[place].backlog.pop_front().unwrap();
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

    fn timer(&self, place: usize) -> Option<Millis> {
        let seat = &self.seats[place];
        let mut at = seat.page.session.wake_at()?.max(seat.asleep_until);
        if at < seat.throttled_until {
            at = (at / 60_000.0).ceil() * 60_000.0;
        }
        Some(at)
    }

    fn happen(&mut self, item: Item) {
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

    // The network.

    fn latency(&mut self) -> Millis {
        match self.random(10) {
            0 => 200.0 + self.random(400) as f64,
            _ => 5.0 + self.random(40) as f64,
        }
    }

    fn send_up(&mut self, conn: Conn, frame: Option<String>) {
        let at = (self.now + self.latency()).max(self.nets[conn].up_clock);
        self.nets[conn].up_clock = at;
        self.at(at, Item::Up(conn, frame));
    }

    fn send_down(&mut self, conn: Conn, wire: Wire) {
        let at = (self.now + self.latency()).max(self.nets[conn].down_clock);
        self.nets[conn].down_clock = at;
        self.at(at, Item::Down(conn, wire));
    }

    fn connect(&mut self, conn: Conn) {
        if self.nets[conn].hangs || self.nets[conn].is_cut {
            return;
        }
        if !self.is_up {
            return self.send_down(conn, Wire::Lost(Some(1006)));
        }
        if self.nets[conn].has_goodbye {
            return;
        }
        self.nets[conn].epoch = self.epoch();
        self.send_down(conn, Wire::Opened);
        let now = self.now;
        let outs = match &mut self.server {
            Server::Relay(relay) => relay.join(conn, now),
            Server::Broker(broker) => broker.join(conn),
        };
        self.perform(outs);
        self.at(now + 1_000.0, Item::Tick(conn));
    }

    fn has(&self, conn: Conn) -> bool {
        match &self.server {
            Server::Relay(relay) => relay.has(conn),
            Server::Broker(broker) => broker.has(conn),
        }
    }

    fn leave(&mut self, conn: Conn) {
        match &mut self.server {
            Server::Relay(relay) => relay.leave(conn),
            Server::Broker(broker) => broker.leave(conn),
        }
    }

    fn tick(&mut self, conn: Conn) {
        if !self.has(conn) {
            return;
        }
        let now = self.now;
        let (next, outs) = match &mut self.server {
            Server::Relay(relay) => (500.0, relay.tick(conn, now)),
            Server::Broker(broker) => broker.tick(conn),
        };
        self.perform(outs);
        self.at(now + next, Item::Tick(conn));
    }

    fn serve(&mut self, conn: Conn, frame: Option<String>) {
        let Some(frame) = frame else {
            return self.leave(conn);
        };
        if !self.has(conn) {
            return;
        }
        self.note(format_args!("server < {conn}: {frame}"));
        let now = self.now;
        let outs = match &mut self.server {
            Server::Relay(relay) => relay.frame(conn, now, &frame),
            Server::Broker(broker) => broker.frame(conn, &frame),
        };
        self.perform(outs);
    }

    fn perform(&mut self, outs: Vec<Out>) {
        for out in outs {
            match out {
                Out::Frame(conn, text) => self.send_down(conn, Wire::Frame(text)),
                Out::Close(conn, code) => self.send_down(conn, Wire::Lost(Some(code))),
                Out::AckLater(conn) => {
                    let later = self.now + [0.0, 0.0, 20.0, 80.0][self.random(4) as usize];
                    self.at(later, Item::Ack(conn));
                }
                Out::Opened(conn, channel, from) => self.is_due(conn, channel, from),
                Out::Closed(conn, channel) => {
                    self.due.remove(&(self.nets[conn].page, channel));
                }
                Out::Gap(conn, channel, id) => {
                    self.gap_bounds.insert((conn, channel), id);
                }
                Out::Published(sender, number, channel) => self.published(sender, number, &channel),
            }
        }
    }

    // What ought to be.

    fn is_due(&mut self, conn: Conn, channel: String, from: u64) {
        let (Server::Relay(relay), place) = (&self.server, self.nets[conn].page) else {
            return;
        };
        // What an earlier connection said may come late.
        let seat = &self.seats[place];
        if seat.conn != Some(conn) || !seat.page.open.contains_key(&channel) {
            return;
        }
        let epoch = relay.epoch;
        let key = (place, channel);
        if let Some(due) = self.due.get_mut(&key) {
            // Told of a gap when it came to the new relay, it is due what comes from now on.
            if due.gap_epoch.take_if(|of| *of == epoch).is_some() {
                due.messages.retain(|(of, id)| *of == epoch && *id > from);
            }
            return;
        }
        let seen = self.seats[place].last.get(&key.1).copied();
        let messages = relay.channels.get(&key.1).into_iter().flatten();
        let messages = messages
            .filter(|published| published.id > from && published.sender != user(place))
            .map(|published| (epoch, published.id))
            .filter(|message| seen.is_none_or(|seen| seen < *message))
            .collect();
        self.due.insert(
            key,
            Due {
                messages,
                gap_epoch: None,
            },
        );
    }

    fn published(&mut self, sender: u64, number: usize, channel: &str) {
        let place = (sender - user(0)) as usize;
        let epoch = self.epoch();
        assert_eq!(self.seats[place].page.sent[number].channel, channel);
        let before = self.published[place].insert(number, epoch);
        assert!(
            before != Some(epoch) || self.seats[place].has_given_up,
            "page {place}'s message {number} was published twice"
        );
        if before.is_some() {
            self.tally.again += 1;
            assert!(
                !self.seats[place].is_plain,
                "sent again where nothing is acknowledged"
            );
        }
        // What went out before the relay was known for one is on its own.
        if !self.seats[place].page.sent[number].is_plain || self.seats[place].is_plain {
            let last = self.last_published.insert(sender, number);
            assert!(
                last < Some(number),
                "page {place}'s message {number} was published after {last:?}"
            );
        }
        if let Server::Relay(relay) = &self.server {
            let id = relay.last_id();
            for ((other, name), due) in &mut self.due {
                if name == channel && *other != place {
                    due.messages.insert((epoch, id));
                }
            }
        }
    }

    // Pages.

    fn arrive(&mut self, conn: Conn, wire: Wire) {
        let place = self.nets[conn].page;
        let seat = &mut self.seats[place];
        if self.now < seat.asleep_until {
            return seat.backlog.push_back((conn, wire));
        }
        let connection = self.nets[conn].connection;
        let now = self.now;
        self.note(format_args!("page {place} < {conn}: {wire:?}"));
        if wire == Wire::Opened {
            self.nets[conn].opened_at = now;
        }
        let page = &mut self.seats[place].page;
        match wire {
            Wire::Opened => page.opened(now, connection),
            Wire::Frame(text) => page.frame(now, connection, &text),
            Wire::Lost(code) => page.lost(now, connection, code),
            Wire::Answer(body) => page.answered(now, connection, &body),
        }
        self.pump(place);
    }

    /// Sees to what a page did and was told.
    fn pump(&mut self, place: usize) {
        while let Some(deed) = self.seats[place].page.deeds.pop_front() {
            self.note(format_args!(
                "page {place} > {:?}: {deed:?}",
                self.seats[place].conn
            ));
            match deed {
                Deed::Socket(connection) => {
                    assert_eq!(self.seats[place].conn, None, "more than one socket");
                    let conn = self.new_net(place, connection);
                    self.seats[place].conn = Some(conn);
                    self.tally.connects += 1;
                    let seat = &mut self.seats[place];
                    let refused = seat.refuse > 0;
                    seat.refuse = seat.refuse.saturating_sub(1);
                    let at = self.now + self.latency();
                    if refused && self.seats[place].hang {
                        self.nets[conn].hangs = true;
                    } else if refused {
                        self.nets[conn].hangs = true;
                        self.at(at, Item::PageNotices(conn, Some(1006)));
                    } else {
                        self.at(at, Item::Connect(conn));
                    }
                }
                Deed::Frame(frame) => {
                    let seat = &mut self.seats[place];
                    let conn = seat.conn.expect("a frame for no socket");
                    seat.has_given_up |= seat.joined_epoch.is_some()
                        && !seat.page.session.link().is_relay()
                        && self.now > self.nets[conn].opened_at + 5_000.0;
                    self.send_up(conn, Some(frame));
                }
                Deed::Disconnect => {
                    let conn = self.seats[place].conn.take().expect("no socket to close");
                    self.nets[conn].has_goodbye = true;
                    if self.seats[place].is_plain {
                        // Where nothing is acknowledged, what comes late from an earlier connection comes out of order.
                        self.nets[conn].is_cut = true;
                        self.at(self.now, Item::ServerNotices(conn));
                    }
                    self.send_up(conn, None);
                }
                Deed::Request(url) => {
                    let Server::Broker(broker) = &self.server else {
                        panic!("a request of a relay: {url}")
                    };
                    let body = broker.answer(&url);
                    let connection = self.seats[place].page.session.connection();
                    let conn = self.new_net(place, connection);
                    let at = self.now + self.latency();
                    let wire = if self.is_up {
                        Wire::Answer(body)
                    } else {
                        Wire::Lost(None)
                    };
                    self.at(at, Item::Down(conn, wire));
                }
            }
        }
        let told: Vec<Told> = self.seats[place].page.told[self.seats[place].told..].to_vec();
        self.seats[place].told += told.len();
        for told in told {
            self.look(place, told);
        }
        let now = self.now;
        self.seats[place].page.check(now);
        self.look_at_marks(place);
    }

    fn new_net(&mut self, page: usize, connection: u32) -> Conn {
        self.nets.push(Net {
            page,
            connection,
            epoch: u64::MAX,
            up_clock: 0.0,
            down_clock: 0.0,
            stall_up: false,
            stall_down: false,
            held_up: Vec::new(),
            held_down: Vec::new(),
            is_cut: false,
            has_goodbye: false,
            hangs: false,
            opened_at: f64::INFINITY,
        });
        self.nets.len() - 1
    }

    fn look(&mut self, place: usize, told: Told) {
        let is_relay = matches!(self.server, Server::Relay(_));
        match told {
            Told::Message {
                sender,
                channel,
                number,
                id,
            } => {
                self.tally.delivered += 1;
                if !is_relay {
                    let last = self.seats[place].last_of.insert(sender, number);
                    assert!(
                        last < Some(number),
                        "page {place}: {sender}'s message {number} came after {last:?}"
                    );
                    return;
                }
                let conn = self.seats[place].conn.expect("told by nobody");
                let this = (
                    self.nets[conn].epoch,
                    id.parse().expect("a message without an id"),
                );
                let last = self.seats[place].last.insert(channel.clone(), this);
                assert!(
                    last < Some(this),
                    "page {place} on {channel:?}: {this:?} came after {last:?}"
                );
                if let Some(due) = self.due.get_mut(&(place, channel)) {
                    due.messages.remove(&this);
                }
            }
            Told::Gap(channel) => {
                self.tally.gaps += 1;
                let conn = self.seats[place].conn.expect("told by nobody");
                let epoch = self.nets[conn].epoch;
                let bound = self.gap_bounds.get(&(conn, channel.clone())).copied();
                let joined = self.seats[place].joined_epoch;
                assert!(
                    bound.is_some() || joined.is_some_and(|joined| joined != epoch),
                    "a gap where there is none: {channel:?}"
                );
                if let Some(due) = self.due.get_mut(&(place, channel)) {
                    if bound.is_none() {
                        due.gap_epoch = Some(epoch);
                    }
                    due.messages
                        .retain(|(of, id)| *of >= epoch && bound.is_none_or(|bound| *id > bound));
                }
            }
            Told::Dropped { channel, .. } => {
                self.tally.dropped += 1;
                *self.seats[place].dropped.entry(channel).or_default() += 1;
            }
        }
    }

    /// A mark of the outbox resolves only when all that was sent before it was taken, or told to be dropped.
    fn look_at_marks(&mut self, place: usize) {
        let seat = &mut self.seats[place];
        for (at, (_, count, taken)) in seat.page.marks.iter().enumerate() {
            if !taken || at < seat.marks_taken {
                continue;
            }
            seat.marks_taken = at + 1;
            self.tally.flushed += 1;
            let missing = (0..*count)
                .filter(|number| !self.published[place].contains_key(number))
                .filter(|number| !seat.page.sent[*number].is_plain)
                .count();
            let dropped: usize = seat.dropped.values().sum();
            assert!(
                missing <= dropped,
                "flushed, and {missing} weren't taken, {dropped} dropped"
            );
        }
        if let Some(conn) = seat.conn
            && seat.page.session.link().is_joined()
        {
            seat.joined_epoch = Some(self.nets[conn].epoch);
        }
    }

    // What happens, and what pages do.

    pub fn apply(&mut self, place: u8, op: &Op) {
        let place = usize::from(place) % self.seats.len();
        let now = self.now;
        self.note(format_args!("page {place}: {op:?}"));
        if now < self.seats[place].asleep_until
            && !matches!(
                op,
                Op::Kill(_) | Op::Cut { .. } | Op::Stall { .. } | Op::GoOn | Op::Shut(_)
            )
        {
            return;
        }
        let conn = self.seats[place].conn;
        let page = &mut self.seats[place].page;
        match *op {
            Op::Send {
                channel: name,
                count,
                pad,
                ttl,
            } => {
                for _ in 0..count {
                    let ttl = ttl.map_or(f64::INFINITY, f64::from);
                    page.send(now, channel(name), usize::from(pad), ttl);
                }
            }
            Op::Open(name) => page.open(now, channel(name)),
            Op::Close(name) | Op::Reopen(name) => {
                if page.close(now, channel(name)) {
                    self.due.remove(&(place, channel(name).into()));
                    if matches!(op, Op::Reopen(_)) {
                        page.open(now, channel(name));
                    }
                }
            }
            Op::Flush => page.flush(),
            Op::Cut {
                page: page_notices,
                server,
            } => {
                let Some(conn) = conn else { return };
                self.tally.faults += 1;
                self.nets[conn].is_cut = true;
                if let Some(later) = page_notices {
                    self.at(now + f64::from(later), Item::PageNotices(conn, Some(1006)));
                }
                if let Some(later) = server {
                    self.at(now + f64::from(later), Item::ServerNotices(conn));
                }
            }
            Op::Stall { up, down } => {
                let Some(conn) = conn else { return };
                self.tally.faults += 1;
                self.nets[conn].stall_up |= up;
                self.nets[conn].stall_down |= down;
            }
            Op::GoOn => self.go_on(place),
            Op::Shut(code) => {
                let Some(conn) = conn.filter(|conn| self.has(*conn)) else {
                    return;
                };
                self.tally.faults += 1;
                self.leave(conn);
                self.send_down(conn, Wire::Lost(Some(code)));
            }
            Op::Refuse { attempts, hang } => {
                self.seats[place].refuse = attempts;
                self.seats[place].hang = hang;
            }
            Op::Sleep(time) => self.seats[place].asleep_until = now + f64::from(time),
            Op::Throttle(time) => self.seats[place].throttled_until = now + f64::from(time),
            Op::Wake => page.woken(now),
            Op::Hide => page.hide(now),
            Op::Show => page.show(now),
            Op::Online => page.online(now, true),
            Op::Offline => page.online(now, false),
            Op::LostTwice => page.lost_twice(now),
            Op::OpenedAgain => {
                if page.session.state() != State::Connecting {
                    page.opened_again(now);
                }
            }
            Op::Stale => {
                let Some(stale) = page.session.connection().checked_sub(1) else {
                    return;
                };
                page.opened(now, stale);
                page.frame(
                    now,
                    stale,
                    "{\"sender\":1,\"channel\":\"a\",\"message\":[0]}",
                );
                page.lost(now, stale, Some(4500));
            }
            Op::Kill(time) => self.kill(f64::from(time)),
        }
        self.pump(place);
    }

    fn kill(&mut self, time: Millis) {
        if !self.is_up {
            return;
        }
        self.tally.deaths += 1;
        self.is_up = false;
        match &mut self.server {
            Server::Relay(relay) => {
                relay.die();
                self.last_published.clear();
            }
            Server::Broker(broker) => broker.die(),
        }
        for conn in 0..self.nets.len() {
            let net = &mut self.nets[conn];
            if net.epoch != u64::MAX && !net.is_cut {
                net.is_cut = true;
                let later = self.now + self.random(300) as f64;
                self.at(later, Item::PageNotices(conn, Some(1006)));
            }
        }
        self.at(self.now + time, Item::Revive);
    }

    fn go_on(&mut self, place: usize) {
        for conn in 0..self.nets.len() {
            let net = &mut self.nets[conn];
            if net.page != place || net.is_cut {
                continue;
            }
            (net.stall_up, net.stall_down) = (false, false);
            let (up, down) = (
                std::mem::take(&mut net.held_up),
                std::mem::take(&mut net.held_down),
            );
            for frame in up {
                self.at(self.now, Item::Up(conn, frame));
            }
            for wire in down {
                self.at(self.now, Item::Down(conn, wire));
            }
        }
    }

    /// No more faults: what was lost comes back, and what was sent arrives.
    pub fn finish(&mut self) {
        self.run(self.now + 1_000.0);
        if !self.is_up {
            self.run(self.now + 70_000.0);
        }
        for place in 0..self.seats.len() {
            let now = self.now;
            let seat = &mut self.seats[place];
            seat.refuse = 0;
            seat.asleep_until = seat.asleep_until.min(now);
            seat.throttled_until = now;
            if seat.page.is_hidden {
                seat.page.show(now);
                self.pump(place);
            }
            self.go_on(place);
            // The plain protocol has no signs of life: somebody must notice.
            let (seat, now) = (&self.seats[place], self.now);
            if let Some(conn) = seat.conn
                && self.nets[conn].is_cut
                && seat.page.session.link().protocol() == Protocol::WebSocket
            {
                self.at(now, Item::PageNotices(conn, None));
            }
        }
        self.run(self.now + 200_000.0);
        for place in 0..self.seats.len() {
            self.is_well(place);
        }
        for ((place, channel), due) in &self.due {
            assert!(
                due.messages.is_empty(),
                "page {place} never got {:?} on {channel:?}, and wasn't told",
                due.messages
            );
        }
    }

    fn is_well(&self, place: usize) {
        let seat = &self.seats[place];
        let page = &seat.page;
        assert_eq!(
            page.session.state(),
            State::Open,
            "page {place}: {:?}",
            page.states
        );
        assert!(!page.failed);
        assert_eq!(page.session.stats().queued, 0.0, "page {place}'s outbox");
        assert_eq!(
            page.session.stats().queued_bytes,
            0.0,
            "page {place}'s outbox"
        );
        assert!(
            page.marks.iter().all(|(_, _, taken)| *taken),
            "page {place} isn't flushed"
        );
        let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, sent) in page.sent.iter().enumerate() {
            if sent.is_plain {
                assert!(sent.handed_out);
            } else if !self.published[place].contains_key(&number) {
                *missing.entry(&sent.channel).or_default() += 1;
            }
        }
        for (channel, count) in missing {
            let dropped = seat.dropped.get(channel).copied().unwrap_or_default();
            assert!(
                count <= dropped,
                "page {place} on {channel:?}: {count} messages were lost, {dropped} told"
            );
        }
    }
}
