//! The pages' side of the network: what arrives at them, and what they do.

use crate::client::Deed;
use crate::relay::Conn;
use crate::world::{Item, Net, Server, Wire, World};
use signal_wasm::session::{ConnectionId, Input};

impl World {
    pub fn arrive(&mut self, conn: Conn, wire: Wire) {
        let place = self.nets[conn].peer;
        let peer = &mut self.peers[place];
        if self.now < peer.asleep_until {
            return peer.backlog.push_back((conn, wire));
        }
        let connection = self.nets[conn].connection;
        let now = self.now;
        self.log(format_args!("page {place} < {conn}: {wire:?}"));
        if wire == Wire::Opened {
            self.nets[conn].opened_at = now;
        }
        let client = &mut self.peers[place].client;
        match wire {
            Wire::Opened => client.handle_from(connection, now, Input::SocketOpen),
            Wire::Frame(text) => client.receive(now, connection, &text),
            Wire::Lost(code) => client.loses_socket(now, connection, code),
            Wire::Answer(body) => client.is_answered(now, connection, &body),
        }
        self.pump(place);
    }

    /// Carries out what a page did, and looks at what it got.
    pub fn pump(&mut self, place: usize) {
        while let Some(deed) = self.peers[place].client.deeds.pop_front() {
            self.log(format_args!(
                "page {place} > {:?}: {deed:?}",
                self.peers[place].conn
            ));
            match deed {
                Deed::Socket(connection) => {
                    assert_eq!(self.peers[place].conn, None, "more than one socket");
                    self.peers[place].conn = Some(self.new_socket(place, connection));
                }
                Deed::Standby(connection) => {
                    assert_eq!(self.peers[place].standby, None, "more than two sockets");
                    self.peers[place].standby = Some(self.new_socket(place, connection));
                }
                Deed::Frame { text, is_plain } => {
                    let peer = &mut self.peers[place];
                    let conn = peer.conn.expect("a frame for no socket");
                    peer.has_given_up |= peer.subscribed_epoch.is_some()
                        && is_plain
                        && self.now > self.nets[conn].opened_at + 5_000.0;
                    self.send_up(conn, Some(text));
                }
                Deed::UseStandby => {
                    let standby = self.peers[place].standby.take();
                    let silent = std::mem::replace(&mut self.peers[place].conn, standby);
                    self.close_socket(place, silent.expect("no socket to replace"));
                }
                Deed::CloseStandby => {
                    let standby = self.peers[place].standby.take();
                    self.close_socket(place, standby.expect("no second socket to close"));
                }
                Deed::Disconnect => {
                    let conn = self.peers[place].conn.take().expect("no socket to close");
                    self.close_socket(place, conn);
                    if let Some(standby) = self.peers[place].standby.take() {
                        self.close_socket(place, standby);
                    }
                }
                Deed::Request(url) => {
                    let Server::Broker(broker) = &self.server else {
                        panic!("a request of a relay: {url}")
                    };
                    let body = broker.answer(&url);
                    let connection = self.peers[place].client.session().connection();
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
        let peer = &mut self.peers[place];
        let got = peer.client.got[peer.looked_at..].to_vec();
        peer.looked_at += got.len();
        for got in got {
            self.look(place, got);
        }
        let now = self.now;
        self.peers[place].client.check(now);
        self.look_at_marks(place);
    }

    fn new_socket(&mut self, place: usize, connection: ConnectionId) -> Conn {
        let conn = self.new_net(place, connection);
        self.tally.connects += 1;
        let peer = &mut self.peers[place];
        let refused = peer.refuse > 0;
        peer.refuse = peer.refuse.saturating_sub(1);
        let at = self.now + self.latency();
        if refused && self.peers[place].hang {
            self.nets[conn].hangs = true;
        } else if refused {
            self.nets[conn].hangs = true;
            self.at(at, Item::PageNotices(conn, Some(1006)));
        } else {
            self.at(at, Item::Connect(conn));
        }
        conn
    }

    fn close_socket(&mut self, place: usize, conn: Conn) {
        self.nets[conn].has_goodbye = true;
        if self.peers[place].is_plain {
            // Where nothing is acknowledged, what comes late from an earlier connection comes out
            // of order.
            self.nets[conn].is_cut = true;
            self.at(self.now, Item::ServerNotices(conn));
        }
        self.send_up(conn, None);
    }

    pub fn new_net(&mut self, peer: usize, connection: ConnectionId) -> Conn {
        self.nets.push(Net {
            peer,
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
}
