//! Rooms whose relay, or whose way to it, is lost.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::hub::jetstream::settings::Settings;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::page::Page;
use super::private::Private;
use super::support::nats::Nats;
use super::support::{Client, Relay, config, within};

/// The way to NATS, which can be cut: what passes then is held, and nobody hears of it.
struct Way {
    settings: Settings,
    is_open: watch::Sender<bool>,
}

impl Way {
    async fn to(nats: &Nats) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let servers = nats.settings().servers.to_string();
        let target: SocketAddr = servers.strip_prefix("nats://").unwrap().parse().unwrap();
        let (is_open, opened) = watch::channel(true);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    if opened.wait_for(|is_open| *is_open).await.is_err() {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(target).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        // Neither end learns that it is cut, until it is open again.
                        _ = async {
                            let _ = opened.wait_for(|is_open| !*is_open).await;
                        } => {
                            let _ = opened.wait_for(|is_open| *is_open).await;
                        }
                    }
                });
            }
        });
        let settings = Settings {
            servers: format!("nats://127.0.0.1:{port}").parse().unwrap(),
            ..nats.settings()
        };
        Self { settings, is_open }
    }

    async fn relay(&self) -> Relay {
        Relay::start(Config {
            store: Some(self.settings.clone()),
            ..config()
        })
        .await
    }

    fn cut(&self) {
        self.is_open.send_replace(false);
    }

    fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

/// Opens a room on a relay, by as many connections as it takes. Returns the answer.
async fn open_room(address: SocketAddr, user: &str, room: &str) -> (Page, Value) {
    within("an answer", async {
        loop {
            let opened = Page::try_open(address, "/", user, "", json!({})).await;
            if let Some(mut page) = opened {
                page.client
                    .send(&format!("421[\"open-room\",{{\"sessionid\":\"{room}\"}}]"))
                    .await;
                if let Some(packet) = packet(&mut page).await {
                    let answer = packet.strip_prefix("431");
                    let answer = answer.unwrap_or_else(|| panic!("{packet}"));
                    return (page, serde_json::from_str(answer).unwrap());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
}

/// The next packet that isn't a ping. `None`: the connection has ended.
async fn packet(page: &mut Page) -> Option<String> {
    next(&mut page.client).await
}

async fn next(client: &mut Client) -> Option<String> {
    loop {
        let text = match within("a message, or the end", client.0.next()).await {
            Some(Ok(message)) if message.is_text() => message.into_text().unwrap(),
            Some(Ok(message)) if !message.is_close() => continue,
            _ => return None,
        };
        match &*text {
            "2" => client.send("3").await,
            text if text.starts_with("{\"ping\":") => {
                client.send(&text.replace("ping", "pong")).await;
            }
            text if text.starts_with('{') && !text.contains("\"event\"") => {}
            text => return Some(text.to_owned()),
        }
    }
}

/// The connection ends, and nothing comes before.
async fn ends(client: &mut Client) {
    let last = next(client).await;
    assert_eq!(last, None);
}

#[tokio::test]
async fn rooms_move_when_their_relay_is_killed() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (mut keeper, second, third) = (
        nats.program(&[]).await,
        nats.relay().await,
        nats.relay().await,
    );
    let mut a = Page::open_at(keeper.address, "/", "a", "", json!({})).await;
    assert_eq!(a.open_room("r").await, json!([true]));
    let mut b = Page::open(&second, "b").await;
    assert_eq!(b.join_room("r", "").await, json!([true]));
    let mut c = Private::open(&third, "c").await;
    assert_eq!(c.join_room("r", "").await, json!([true]));
    let life = c.life.clone();
    keeper.child.kill().unwrap();
    drop(a);
    // Those on other relays lose their connections, and come back.
    tokio::join!(ends(&mut b.client), ends(&mut c.client));
    let ((mut b, one), (mut d, two)) = tokio::join!(
        open_room(second.address, "b", "r"),
        open_room(third.address, "d", "r")
    );
    assert_ne!(one[0], two[0], "{one} {two}");
    c.reconnect(&second, "/").await;
    let answer = c.enter(json!({"asked": c.asked})).await;
    assert_ne!(answer["life"], *life);
    c.life = answer["life"].as_str().unwrap().into();
    (c.asked, c.seen) = (0, 0);
    assert_eq!(c.join_room("r", "").await, json!([true]));
    let winner = if one[0] == true { &mut b } else { &mut d };
    winner.say("c", json!("back")).await;
    c.event().await;
    assert_eq!(c.event().await[1]["message"], "back");
}

#[tokio::test]
async fn a_relay_that_stops_gives_its_rooms_up_at_once() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let mut relays = vec![nats.relay().await, nats.relay().await];
    let (mut page, answer) = open_room(relays[1].address, "a", "r").await;
    assert_eq!(answer, json!([true]));
    for _ in 0..4 {
        let begun = std::time::Instant::now();
        // Its pages, and those of others whose rooms it keeps, come to the other one.
        let stopped = relays.remove(1).stop();
        ends(&mut page.client).await;
        drop(page);
        let (mut next, answer) = open_room(relays[0].address, "a", "r").await;
        assert_eq!(answer, json!([true]));
        assert_eq!(next.open_room("r").await, json!([true]));
        stopped.await.unwrap();
        eprintln!("after {:?}", begun.elapsed());
        relays.push(nats.relay().await);
        let (mut other, answer) = open_room(relays[1].address, "b", "r").await;
        assert_eq!(answer, json!([false, "Room not available"]));
        assert_eq!(other.join_room("r", "").await, json!([true]));
        page = next;
        relays.swap(0, 1);
    }
}

#[tokio::test]
async fn nobody_hears_that_pages_leave_because_their_relay_stops() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut stays = Page::open(&second, "stays").await;
    // The first one keeps these rooms, and the second one those.
    let mut keeper = Page::open_with(&first, "/a", "keeper", "", json!({})).await;
    let mut guest = Page::open_with(&second, "/a", "guest", "", json!({})).await;
    let mut visitor = Page::open(&first, "visitor").await;
    for (page, other, name) in [
        (&mut keeper, &mut guest, "guest"),
        (&mut stays, &mut visitor, "visitor"),
    ] {
        page.open_room("r").await;
        assert_eq!(other.join_room("r", "").await, json!([true]));
        let user = page.user.clone();
        page.say(name, json!("hello")).await;
        assert_eq!(other.event().await, json!(["user-connected", user]));
        assert_eq!(page.event().await, json!(["user-connected", name]));
        assert_eq!(other.event().await[0], super::page::MESSAGE);
    }
    let stopped = first.stop();
    let mut heard = Vec::new();
    within("the end", async {
        while let Some(Ok(message)) = guest.client.next().await {
            heard.extend(message.to_text().map(str::to_owned));
        }
    })
    .await;
    let is_told = heard.iter().any(|text| text.contains("keeper"));
    assert!(!is_told, "{heard:?}");
    visitor.client.ended().await;
    stays.has_heard_nothing().await;
    drop((keeper, visitor));
    stopped.await.unwrap();
}

#[tokio::test]
async fn nothing_is_lost_while_nats_is_away_for_a_moment() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut a = Page::open(&first, "a").await;
    let mut b = Page::open(&second, "b").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    for round in 0..3 {
        nats.kill();
        a.say("b", json!({"from": "a", "round": round})).await;
        b.say("a", json!({"from": "b", "round": round})).await;
        nats.restart().await;
        if round == 0 {
            assert_eq!(a.event().await, json!(["user-connected", "b"]));
            assert_eq!(b.event().await, json!(["user-connected", "a"]));
        }
        assert_eq!(
            a.event().await[1]["message"],
            json!({"from": "b", "round": round})
        );
        assert_eq!(
            b.event().await[1]["message"],
            json!({"from": "a", "round": round})
        );
    }
    a.has_heard_nothing().await;
    b.has_heard_nothing().await;
}

#[tokio::test]
async fn a_keeper_that_is_cut_off_answers_nobody_when_another_one_does() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let way = Way::to(&nats).await;
    let (cut, other) = (way.relay().await, nats.relay().await);
    let mut a = Page::open(&cut, "a").await;
    assert_eq!(a.open_room("r").await, json!([true]));
    let mut b = Page::open(&other, "b").await;
    assert_eq!(b.open_room("r").await, json!([false, "Room not available"]));
    way.cut();
    // Opens rooms there all the time, by one connection, until it ends.
    let opening = async {
        let mut last = std::time::Instant::now();
        for number in 2.. {
            let event = format!("42{number}[\"open-room\",{{\"sessionid\":\"r\"}}]");
            let message = tokio_tungstenite::tungstenite::Message::from(event);
            if a.client.0.send(message).await.is_err() {
                break;
            }
            match packet(&mut a).await {
                Some(packet) if packet.ends_with("[true]") => last = std::time::Instant::now(),
                Some(packet) => panic!("{packet}"),
                None => break,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        last
    };
    let taking = async {
        ends(&mut b.client).await;
        let (page, answer) = open_room(other.address, "c", "r").await;
        assert_eq!(answer, json!([true]));
        (page, std::time::Instant::now())
    };
    let (last, (mut page, taken)) = tokio::join!(opening, taking);
    // Never both.
    assert!(last < taken);
    way.mend();
    let (_d, answer) = open_room(cut.address, "d", "r").await;
    assert_eq!(answer, json!([false, "Room not available"]));
    page.has_heard_nothing().await;
}

#[tokio::test]
async fn a_relay_that_is_cut_off_loses_its_pages() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let way = Way::to(&nats).await;
    let (keeper, cut) = (nats.relay().await, way.relay().await);
    let mut a = Page::open(&keeper, "a").await;
    a.open_room("r").await;
    let mut b = Page::open(&cut, "b").await;
    b.join_room("r", "").await;
    b.say("a", json!("here")).await;
    assert_eq!(a.event().await, json!(["user-connected", "b"]));
    a.event().await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    way.cut();
    // Meanwhile the others answer pings.
    tokio::select! {
        () = ends(&mut b.client) => {}
        event = a.packet() => panic!("{event}"),
    }
    // It comes to a relay that isn't cut off.
    let shown = json!({"pid": b.secret});
    let mut b = Page::open_with(&keeper, "/", "b", "", shown).await;
    b.say("a", json!("again")).await;
    assert_eq!(a.event().await[1]["message"], "again");
    drop(b);
    assert_eq!(a.event().await, json!(["user-disconnected", "b"]));
}

#[tokio::test]
async fn a_note_that_was_written_late_keeps_nobody_out() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let (page, answer) = open_room(first.address, "a", "r").await;
    assert_eq!(answer, json!([true]));
    let client = async_nats::connect(nats.settings().servers.to_string())
        .await
        .unwrap();
    let jetstream = jetstream::new(client);
    let stream = jetstream
        .get_stream("KV_signal-relay-sessions")
        .await
        .unwrap();
    let last = stream
        .get_last_raw_message_by_subject("$KV.signal-relay-sessions.keeper.>")
        .await
        .unwrap();
    drop(page);
    first.stop().await.unwrap();
    // A relay was cut off while it wrote that it keeps the rooms, and died. NATS has it now.
    let subject = last.subject.to_string();
    let (chain, number) = subject.rsplit_once('.').unwrap();
    let next = number.parse::<u64>().unwrap() + 1;
    let late = SystemTime::now() - Duration::from_secs(60);
    let late = late.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let note = format!("{:016x} {:016x} {late}", 7, 8);
    let written = jetstream.publish(format!("{chain}.{next}"), note.into());
    written.await.unwrap().await.unwrap();
    let (_page, answer) = open_room(second.address, "a", "r").await;
    assert_eq!(answer, json!([true]));
}
