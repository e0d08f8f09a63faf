//! Faults, and what pages do meanwhile.

use crate::world::{Item, Server, Wire, World};
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Input, State};

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
    /// The line is cut; which side notices, and how much later.
    Cut {
        page: Option<u16>,
        server: Option<u16>,
    },
    /// What is sent waits on the line, in one direction or both, until it goes on or is cut.
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
    TimeOut,
    Hide,
    Show,
    Online,
    Offline,
    LoseTwice,
    OpenAgain,
    /// Events of an earlier connection.
    Stale,
    /// The server is killed, and started again.
    Kill(u16),
}

const CHANNELS: [&str; 4] = ["a", "b", "日本", "room\n1"];

fn channel(number: u8) -> &'static str {
    CHANNELS[usize::from(number) % CHANNELS.len()]
}

impl World {
    pub fn apply(&mut self, place: u8, op: &Op) {
        let place = usize::from(place) % self.peers.len();
        let now = self.now;
        self.log(format_args!("page {place}: {op:?}"));
        if now < self.peers[place].asleep_until
            && !matches!(
                op,
                Op::Kill(_) | Op::Cut { .. } | Op::Stall { .. } | Op::GoOn | Op::Shut(_)
            )
        {
            return;
        }
        let conn = self.peers[place].conn;
        let client = &mut self.peers[place].client;
        match *op {
            Op::Send {
                channel: name,
                count,
                pad,
                ttl,
            } => {
                for _ in 0..count {
                    let ttl = ttl.map_or(f64::INFINITY, f64::from);
                    client.send(now, channel(name), usize::from(pad), ttl);
                }
            }
            Op::Open(name) => client.open(now, channel(name)),
            Op::Close(name) | Op::Reopen(name) => {
                if client.close(now, channel(name)) {
                    self.due.remove(&(place, channel(name).into()));
                    if matches!(op, Op::Reopen(_)) {
                        client.open(now, channel(name));
                    }
                }
            }
            Op::Flush => client.flush(),
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
                // With 1009 a server has stopped reading at a message, which matters where nothing
                // is acknowledged. These have read all that came.
                let peer = &self.peers[place];
                let code = match self.server {
                    Server::Relay(_) if !peer.is_plain && !peer.has_given_up => code,
                    _ if code == 1009 => 1011,
                    _ => code,
                };
                self.send_down(conn, Wire::Lost(Some(code)));
            }
            Op::Refuse { attempts, hang } => {
                self.peers[place].refuse = attempts;
                self.peers[place].hang = hang;
            }
            Op::Sleep(time) => self.peers[place].asleep_until = now + f64::from(time),
            Op::Throttle(time) => self.peers[place].throttled_until = now + f64::from(time),
            Op::TimeOut => client.times_out(now),
            Op::Hide => client.handle(now, Input::PageHidden),
            Op::Show => client.handle(now, Input::PageShown),
            Op::Online => client.handle(now, Input::Online),
            Op::Offline => client.handle(now, Input::Offline),
            Op::LoseTwice => client.loses_twice(now),
            Op::OpenAgain => {
                if client.session().state() != State::Connecting {
                    client.handle(now, Input::SocketOpen);
                }
            }
            Op::Stale => {
                let Some(stale) = client.session().connection().checked_sub(1) else {
                    return;
                };
                let frame = "{\"sender\":1,\"channel\":\"a\",\"message\":[1,0]}";
                client.handle_from(stale, now, Input::SocketOpen);
                client.receive(now, stale, frame);
                client.loses_socket(now, stale, Some(4500));
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

    pub fn go_on(&mut self, place: usize) {
        for conn in 0..self.nets.len() {
            let net = &mut self.nets[conn];
            if net.peer != place || net.is_cut {
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
}
