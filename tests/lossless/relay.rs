//! A relay as the wire protocol has it: sessions, refs, ids, a history with bounds, and members
//! that know nothing of all that. It notes what it ought to have delivered, which the properties
//! are held against.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A connection's number, which is never another's.
pub type Conn = usize;

/// A message that the relay has published.
#[derive(Debug, Clone)]
pub struct Published {
    pub id: u64,
    pub sender: u64,
    pub number: usize,
    session: Option<String>,
    text: String,
}

#[derive(Debug, Default)]
struct Member {
    secret: String,
    /// Said `open`.
    session: Option<String>,
    open: BTreeSet<String>,
    /// Taken and not yet acknowledged.
    unacked: bool,
    last_said: f64,
}

#[derive(Debug, Default)]
struct Session {
    last_ref: u64,
    /// The last id when it began.
    began: Option<u64>,
    /// The channels, each with what was the last id when it was opened.
    open: BTreeMap<String, u64>,
    conn: Option<Conn>,
}

/// What is to be sent, in this order.
#[derive(Debug, PartialEq)]
pub enum Out {
    Frame(Conn, String),
    Close(Conn, u16),
    /// An acknowledgement will follow, see [`Relay::acknowledge`].
    AckLater(Conn),
    /// The channel is open from now on: who opened it is due what came after that id.
    Opened(Conn, String, u64),
    Closed(Conn, String),
    /// What came up to that id is reported as missed.
    Gap(Conn, String, u64),
    /// The message with that number was published, by that page.
    Published(u64, usize, String),
}

#[derive(Debug, Default)]
pub struct Relay {
    pub epoch: u64,
    /// Of the relay's protocol.
    version: u64,
    /// How many messages each channel's history may have.
    bound: usize,
    ping: u64,
    members: BTreeMap<Conn, Member>,
    sessions: BTreeMap<String, Session>,
    pub channels: BTreeMap<String, Vec<Published>>,
    last_id: u64,
}

/// Another connection has taken this one's session over.
const RESUMED: u16 = 4009;

impl Relay {
    /// One of this version, whose history keeps so many messages of each channel, and that says so
    /// often that it is there.
    pub fn new(version: u64, bound: usize, ping: u64) -> Relay {
        Relay {
            version,
            bound,
            ping,
            ..Relay::default()
        }
    }

    /// What remains after a death: the settings.
    pub fn die(&mut self) {
        *self = Relay {
            epoch: self.epoch + 1,
            version: self.version,
            bound: self.bound,
            ping: self.ping,
            ..Relay::default()
        };
    }

    pub fn join(&mut self, conn: Conn, now: f64) -> Vec<Out> {
        let secret = format!("{:032x}", (conn as u64 + 1) * 1_000_000 + self.epoch);
        let version = match self.version {
            1 => String::new(),
            version => format!("\"version\":{version},"),
        };
        let hello = format!(
            "{{\"signal\":1,{version}\"session\":\"{secret}\",\"epoch\":\"e{}\",\"ping\":{}}}",
            self.epoch, self.ping
        );
        self.members.insert(
            conn,
            Member {
                secret,
                last_said: now,
                ..Member::default()
            },
        );
        vec![Out::Frame(conn, hello)]
    }

    pub fn has(&self, conn: Conn) -> bool {
        self.members.contains_key(&conn)
    }

    pub fn leave(&mut self, conn: Conn) {
        if let Some(member) = self.members.remove(&conn)
            && let Some(session) = member.session.and_then(|name| self.sessions.get_mut(&name))
            && session.conn == Some(conn)
        {
            session.conn = None;
        }
    }

    /// What is said to a subscriber that nothing else was said to.
    pub fn tick(&mut self, conn: Conn, now: f64) -> Vec<Out> {
        match self.members.get_mut(&conn) {
            Some(member)
                if member.session.is_some() && now >= member.last_said + self.ping as f64 =>
            {
                member.last_said = now;
                vec![Out::Frame(conn, format!("{{\"ping\":{}}}", now as u64))]
            }
            _ => Vec::new(),
        }
    }

    pub fn acknowledge(&mut self, conn: Conn) -> Vec<Out> {
        let Some(member) = self.members.get_mut(&conn).filter(|member| member.unacked) else {
            return Vec::new();
        };
        member.unacked = false;
        let session = &self.sessions[member.session.as_ref().unwrap()];
        vec![Out::Frame(
            conn,
            format!("{{\"ack\":{}}}", session.last_ref),
        )]
    }

    pub fn frame(&mut self, conn: Conn, now: f64, text: &str) -> Vec<Out> {
        if !self.has(conn) {
            return Vec::new();
        }
        let frame: Json = serde_json::from_str(text).unwrap();
        let mut outs = Vec::new();
        if frame.get("channel").is_some() {
            self.envelope(conn, &frame, &mut outs);
        } else if let Some(names) = frame.get("open") {
            let names: Vec<String> = serde_json::from_value(names.clone()).unwrap();
            self.open(conn, &names, &frame, &mut outs);
        } else {
            let member = self.members.get_mut(&conn).unwrap();
            let name = member.session.clone();
            let name = name.unwrap_or_else(|| panic!("said before any open: {text}"));
            if let Some(names) = frame.get("close") {
                let names: Vec<String> = serde_json::from_value(names.clone()).unwrap();
                for channel in names {
                    member.open.remove(&channel);
                    self.sessions.get_mut(&name).unwrap().open.remove(&channel);
                    outs.push(Out::Closed(conn, channel));
                }
            } else if let Some(number) = frame.get("ping") {
                outs.push(Out::Frame(conn, format!("{{\"pong\":{number}}}")));
            } else {
                assert!(
                    frame.get("pong").is_some(),
                    "no frame of the protocol: {text}"
                );
            }
        }
        for out in &outs {
            if let Out::Frame(conn, _) = out
                && let Some(member) = self.members.get_mut(conn)
            {
                member.last_said = now;
            }
        }
        outs
    }

    fn open(&mut self, conn: Conn, names: &[String], frame: &Json, outs: &mut Vec<Out>) {
        let last_id = self.last_id;
        let member = self.members.get_mut(&conn).unwrap();
        let mut is_unknown = false;
        let is_first = member.session.is_none();
        if is_first {
            let said = frame.get("session").map(|said| said.as_str().unwrap());
            let name = String::from(said.unwrap_or(&member.secret));
            let is_known = self.sessions.contains_key(&name);
            // A newer connection has resumed the session of this one's hello.
            if said.is_none() && is_known {
                self.members.remove(&conn);
                outs.push(Out::Close(conn, RESUMED));
                return;
            }
            is_unknown = said.is_some() && !is_known;
            member.session = Some(name.clone());
            let session = self.sessions.entry(name).or_default();
            if let Some(earlier) = session.conn.replace(conn) {
                self.members.remove(&earlier);
                outs.push(Out::Close(earlier, RESUMED));
            }
            // What isn't named was closed meanwhile.
            session.open.retain(|channel, _| names.contains(channel));
        } else {
            assert!(frame.get("session").is_none(), "a second session: {frame}");
        }
        let member = self.members.get_mut(&conn).unwrap();
        let name = member.session.clone().unwrap();
        let session = self.sessions.get_mut(&name).unwrap();
        let proof = if is_first && self.version > 1 {
            format!(",\"session\":\"{name}\"")
        } else {
            String::new()
        };
        outs.push(Out::Frame(
            conn,
            format!("{{\"ack\":{}{proof}}}", session.last_ref),
        ));
        member.unacked = false;
        let mut gaps = Vec::new();
        let mut replayed = Vec::new();
        for channel in names {
            let after = frame["after"].get(channel).map(|id| id.as_str().unwrap());
            let is_live = !member.open.insert(channel.clone());
            let since = session.open.get(channel).copied();
            // From where it was opened, or from what its client had seen before.
            let first = after.map_or(last_id, |id| last_id.min(id.parse().unwrap()));
            session.open.entry(channel.clone()).or_insert(first);
            let from = match (after, since) {
                // The client may name a message of another channel, from before this one's opening.
                (Some(id), since) => {
                    let owed = since.or(session.began);
                    owed.expect("an id in a new session")
                        .max(id.parse().unwrap())
                }
                (None, _) if is_live => continue,
                (None, Some(since)) => since,
                (None, None) => last_id,
            };
            outs.push(Out::Opened(conn, channel.clone(), from));
            if is_unknown && after.is_none() {
                gaps.push((channel.clone(), last_id));
                continue;
            }
            let history = self.channels.get(channel).map_or(&[][..], Vec::as_slice);
            let forgotten = history.len().saturating_sub(self.bound);
            let due = |published: &&Published| {
                published.id > from && published.session.as_ref() != Some(&name)
            };
            if let Some(last) = history[..forgotten].iter().rfind(due) {
                gaps.push((channel.clone(), last.id));
            }
            replayed.extend(history[forgotten..].iter().filter(due).cloned());
        }
        for (channel, id) in gaps {
            outs.push(Out::Gap(conn, channel.clone(), id));
            outs.push(Out::Frame(
                conn,
                format!("{{\"gap\":{}}}", Json::from(channel)),
            ));
        }
        session.began.get_or_insert(last_id);
        replayed.sort_by_key(|published| published.id);
        outs.extend(
            replayed
                .into_iter()
                .map(|published| Out::Frame(conn, published.text)),
        );
    }

    fn envelope(&mut self, conn: Conn, frame: &Json, outs: &mut Vec<Out>) {
        let member = self.members.get_mut(&conn).unwrap();
        if let Some(number) = frame.get("ref").map(|number| number.as_u64().unwrap()) {
            let name = member.session.clone().expect("a ref before any open");
            let session = self.sessions.get_mut(&name).unwrap();
            member.unacked = true;
            outs.push(Out::AckLater(conn));
            if number <= session.last_ref {
                return;
            }
            session.last_ref = number;
        }
        let session = member.session.clone();
        let channel = String::from(frame["channel"].as_str().unwrap());
        let (sender, message) = (&frame["sender"], &frame["message"]);
        self.last_id += 1;
        let text = format!(
            "{{\"sender\":{sender},\"channel\":{},\"id\":\"{}\",\"message\":{message}}}",
            frame["channel"], self.last_id
        );
        let published = Published {
            id: self.last_id,
            sender: sender.as_u64().unwrap(),
            number: message[1].as_u64().unwrap() as usize,
            session,
            text: text.clone(),
        };
        for (other, member) in &self.members {
            let receives = match &member.session {
                None => *other != conn,
                Some(_) => member.open.contains(&channel) && member.session != published.session,
            };
            if receives {
                outs.push(Out::Frame(*other, text.clone()));
            }
        }
        outs.push(Out::Published(
            published.sender,
            published.number,
            channel.clone(),
        ));
        self.channels.entry(channel).or_default().push(published);
    }

    /// The id of the last message.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }
}
