//! The network: what is sent takes its time, in order, and waits or is lost where the line is bad.

use crate::relay::{Conn, Out};
use crate::world::{Item, Server, Wire, World};
use signal_wasm::protocol::Millis;

impl World {
    pub fn latency(&mut self) -> Millis {
        match self.random(10) {
            0 => 200.0 + self.random(400) as f64,
            _ => 5.0 + self.random(40) as f64,
        }
    }

    pub fn send_up(&mut self, conn: Conn, frame: Option<String>) {
        let at = (self.now + self.latency()).max(self.nets[conn].up_clock);
        self.nets[conn].up_clock = at;
        self.at(at, Item::Up(conn, frame));
    }

    pub fn send_down(&mut self, conn: Conn, wire: Wire) {
        let at = (self.now + self.latency()).max(self.nets[conn].down_clock);
        self.nets[conn].down_clock = at;
        self.at(at, Item::Down(conn, wire));
    }

    pub fn connect(&mut self, conn: Conn) {
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

    pub fn has(&self, conn: Conn) -> bool {
        match &self.server {
            Server::Relay(relay) => relay.has(conn),
            Server::Broker(broker) => broker.has(conn),
        }
    }

    pub fn leave(&mut self, conn: Conn) {
        match &mut self.server {
            Server::Relay(relay) => relay.leave(conn),
            Server::Broker(broker) => broker.leave(conn),
        }
    }

    pub fn tick(&mut self, conn: Conn) {
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

    pub fn serve(&mut self, conn: Conn, frame: Option<String>) {
        let Some(frame) = frame else {
            return self.leave(conn);
        };
        if !self.has(conn) {
            return;
        }
        self.log(format_args!("server < {conn}: {frame}"));
        let now = self.now;
        let outs = match &mut self.server {
            Server::Relay(relay) => relay.frame(conn, now, &frame),
            Server::Broker(broker) => broker.frame(conn, &frame),
        };
        self.perform(outs);
    }

    pub fn perform(&mut self, outs: Vec<Out>) {
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
                    self.due.remove(&(self.nets[conn].peer, channel));
                }
                Out::Gap(conn, channel, id) => {
                    self.gap_bounds.insert((conn, channel), id);
                }
                Out::Published(sender, number, channel) => self.published(sender, number, &channel),
            }
        }
    }
}
