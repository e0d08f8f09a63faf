//! The end of a link at the relay that keeps rooms: what it does for the pages of another relay.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connection::{Answered, LIVENESS_TIMEOUT, NumberedRequest, Permission, Standing};
use super::keepers::Keepers;
use super::line::Line;
use super::link::Message;
use super::place::Place;
use super::registry::{Entry, lock};
use super::segment::{Kind, Segment};
use super::space::Peer;
use super::wire::{Entering, Rights, Said, Told, decode, encode};
use crate::address::ClientAddress;
use crate::hub::budget::Purpose;
use crate::hub::store::Peers;

/// How many links there are at one time.
const MOST_LINKS: usize = 1024;
/// How many messages of one link wait to be taken.
const MOST_WAITING: usize = 65_536;
/// A relay that is silent for so long may be dead: its link may fill up, and others don't wait for it.
const QUIET: Duration = Duration::from_secs(3);
/// How long another relay may take to ask a page for a sign of life, besides what that may take.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// The links of other relays whose pages' rooms this one keeps.
pub(super) struct Hosts {
    peers: Arc<dyn Peers>,
    relay: u64,
    links: Mutex<HashMap<(u64, u64), Arc<Host>>>,
}

/// One of them.
pub(super) struct Host {
    line: Line,
    inbox: mpsc::Sender<Message>,
    pages: Mutex<Pages>,
    asked: Mutex<HashMap<u64, oneshot::Sender<bool>>>,
    next_ask: AtomicU64,
    /// Nothing that comes is taken for the moment.
    is_waiting: AtomicBool,
    over: CancellationToken,
}

#[derive(Default)]
struct Pages {
    places: HashMap<u64, Arc<Place>>,
    entering: HashSet<u64>,
    is_over: bool,
}

/// A page on another relay.
#[derive(Clone)]
pub(super) struct Guest {
    host: Arc<Host>,
    page: u64,
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest")
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl Guest {
    /// Delivers an event to pages, which are of one or several relays.
    pub(super) fn deliver(guests: Vec<Self>, channel: Option<&str>, list: &str) {
        let mut hosts: Vec<(Arc<Host>, Vec<u64>)> = Vec::new();
        for Self { host, page } in guests {
            let found = hosts
                .iter_mut()
                .find(|(other, _)| Arc::ptr_eq(other, &host));
            match found {
                Some((_, pages)) => pages.push(page),
                None => hosts.push((host, vec![page])),
            }
        }
        for (host, pages) in hosts {
            let channel = channel.map(str::to_owned);
            host.say(&Said::Deliver { pages, channel }, [list]);
        }
    }

    pub(super) fn shares_link(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.host, &other.host)
    }

    /// Whether much waits for its relay, which takes it.
    pub(super) fn is_crowded(&self) -> bool {
        self.host.line.is_crowded() && self.host.line.silence() < QUIET
    }

    /// The page is no user any more, or another connection is that user.
    pub(super) fn end(&self) {
        self.host.say(&Said::Over { page: self.page }, []);
    }

    /// Whether the page gives a sign of life. One whose relay doesn't answer gives none, unless nothing
    /// is taken of what that says.
    pub(super) async fn is_alive(&self) -> bool {
        let ask = self.host.next_ask.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.host.asked).insert(ask, answer);
        let page = self.page;
        self.host.say(&Said::IsAlive { page, ask }, []);
        let is_alive = tokio::select! {
            answered = timeout(LIVENESS_TIMEOUT + ON_THE_WAY, answered) => {
                match answered {
                    Ok(answered) => answered == Ok(true),
                    Err(_) => self.host.is_waiting.load(Ordering::Relaxed),
                }
            }
            () = self.host.over.cancelled() => false,
        };
        lock(&self.host.asked).remove(&ask);
        is_alive
    }
}

impl Hosts {
    pub(super) fn new(peers: Arc<dyn Peers>, relay: u64) -> Self {
        Self {
            peers,
            relay,
            links: Mutex::default(),
        }
    }

    /// Takes what another relay sends.
    pub(super) fn take(&self, segment: &Segment, keepers: &Arc<Keepers>) {
        let name = (segment.relay, segment.link);
        let mut links = lock(&self.links);
        let host = match links.get(&name) {
            Some(host) => Arc::clone(host),
            None if segment.kind == Kind::Ended => return,
            None if segment.number == 1 && links.len() < MOST_LINKS => {
                let host = self.begin(name, keepers);
                links.insert(name, Arc::clone(&host));
                host
            }
            None => {
                drop(links);
                return Line::refuse(&*self.peers, self.relay, true, name);
            }
        };
        drop(links);
        let message = match host.line.take(segment) {
            Ok(message) => message,
            Err(broken) => return host.end(broken.0),
        };
        if let Some(message) = message
            && host.inbox.try_send(message).is_err()
        {
            host.end("too much waits");
        }
    }

    fn begin(&self, (relay, link): (u64, u64), keepers: &Arc<Keepers>) -> Arc<Host> {
        let (inbox, waiting) = mpsc::channel(MOST_WAITING);
        let line = Line::new(Arc::clone(&self.peers), self.relay, true, relay, link);
        let host = Arc::new(Host::new(line, inbox));
        tokio::spawn(run(Arc::clone(&host), waiting, Arc::clone(keepers)));
        host
    }

    /// To be called several times a second.
    pub(super) fn tick(&self) {
        let hosts: Vec<_> = lock(&self.links).values().cloned().collect();
        for host in hosts {
            if let Err(broken) = host.line.tick() {
                host.end(broken.0);
            }
        }
        lock(&self.links).retain(|_, host| !host.over.is_cancelled());
    }

    /// Ends all links.
    pub(super) fn end_all(&self) {
        for (_, host) in lock(&self.links).drain() {
            host.end("this relay keeps no rooms any more");
        }
    }
}

impl Host {
    fn new(line: Line, inbox: mpsc::Sender<Message>) -> Self {
        Self {
            line,
            inbox,
            pages: Mutex::default(),
            asked: Mutex::default(),
            next_ask: AtomicU64::new(0),
            is_waiting: AtomicBool::new(false),
            over: CancellationToken::new(),
        }
    }

    fn say<'a>(&self, said: &Said, texts: impl IntoIterator<Item = &'a str>) {
        if let Err(broken) = self.line.send(&encode(said, texts)) {
            self.end(broken.0);
        }
    }

    fn end(&self, why: &'static str) {
        if !self.over.is_cancelled() {
            tracing::debug!(why, "a link to a relay with pages has ended");
            self.line.end();
            self.over.cancel();
        }
    }

    fn place(&self, page: u64) -> Option<Arc<Place>> {
        lock(&self.pages).places.get(&page).cloned()
    }
}

/// Takes what comes, one after the other, until the link is over. Then its pages have lost their
/// connection.
async fn run(host: Arc<Host>, mut waiting: mpsc::Receiver<Message>, keepers: Arc<Keepers>) {
    let mut term = None;
    loop {
        let message = tokio::select! {
            () = host.over.cancelled() => break,
            message = waiting.recv() => message,
        };
        let Some(Message { number, bytes }) = message else {
            break;
        };
        let Some((told, texts)) = decode::<Told>(&bytes) else {
            host.end("what was said is no message");
            break;
        };
        if let Told::Hello { term: wanted } = told {
            if keepers.term() != Some(wanted) && !keepers.is_kept(wanted).await {
                host.end("this relay keeps no rooms in that term");
                break;
            }
            term = Some(wanted);
            host.say(&Said::Welcome, []);
        } else if let Some(term) = term {
            host.is_waiting.store(true, Ordering::Relaxed);
            let may_take = tokio::select! {
                () = host.over.cancelled() => break,
                may_take = may_take(&host, &told, term, &keepers) => may_take,
            };
            host.is_waiting.store(false, Ordering::Relaxed);
            if !may_take {
                host.end("this relay may keep no rooms");
                break;
            }
            take(&host, told, &texts, &keepers);
        } else {
            host.end("it begins otherwise");
            break;
        }
        host.line.done(number);
    }
    host.end("it is over");
    // Their drop takes other locks.
    let places = {
        let mut pages = lock(&host.pages);
        pages.is_over = true;
        std::mem::take(&mut pages.places)
    };
    drop(places);
}

/// Resolves when something can be taken. `false`: the relay may not act for the rooms any more.
async fn may_take(host: &Host, told: &Told, term: u64, keepers: &Keepers) -> bool {
    let place = match told {
        Told::Take { page, .. }
        | Told::Numbered {
            page,
            request: Some(_),
            ..
        } => host.place(*page),
        _ => None,
    };
    match place {
        Some(place) => place.may_take().await,
        None => keepers.is_kept(term).await,
    }
}

fn take(host: &Arc<Host>, told: Told, texts: &[&str], keepers: &Arc<Keepers>) {
    match told {
        Told::Hello { .. } => {}
        Told::Enter(entering) => {
            let is_new = lock(&host.pages).entering.insert(entering.page);
            if is_new {
                let (host, keepers) = (Arc::clone(host), Arc::clone(keepers));
                tokio::spawn(async move { enter(&host, *entering, &keepers).await });
            }
        }
        Told::Take {
            page,
            ask,
            event,
            rights,
        } => {
            let place = host.place(page);
            let taken = place.map(|place| place.take(&event, texts, Permission::Told(rights)));
            let Some((answered, is_renamed)) = taken else {
                return host.say(&Said::Over { page }, []);
            };
            answer(host, ask, answered, is_renamed);
        }
        Told::Numbered {
            page,
            ask,
            life,
            seen,
            request,
            rights,
        } => {
            let Some(place) = host.place(page) else {
                return host.say(&Said::Over { page }, []);
            };
            let event = request.as_ref();
            let asked = NumberedRequest {
                life: &life,
                seen,
                event: event.map(|(number, event)| (*number, event.as_str(), texts)),
            };
            let is_renamed = place.take_numbered(asked, Permission::Told(rights));
            answer(host, ask, Answered::Known(None), is_renamed);
        }
        Told::Standing { page, ask } => match host.place(page) {
            Some(place) => {
                let said = Said::Standing {
                    ask,
                    standing: place.standing(),
                    keeping: Arc::clone(&place.keeping),
                };
                host.say(&said, []);
            }
            None => host.say(&Said::Over { page }, []),
        },
        Told::Gone { page, for_good } => {
            let place = {
                let mut pages = lock(&host.pages);
                pages.entering.remove(&page);
                pages.places.remove(&page)
            };
            if let Some(place) = place.filter(|_| for_good) {
                place.leave();
            }
        }
        Told::Alive { ask, is_alive } => {
            let asked = lock(&host.asked).remove(&ask);
            if let Some(asked) = asked {
                // Who has asked may not wait any more.
                let _ = asked.send(is_alive);
            }
        }
    }
}

fn answer(host: &Host, ask: u64, answered: Answered, is_renamed: bool) {
    let (is_known, text) = match answered {
        Answered::Unknown => (false, None),
        Answered::Known(text) => (true, text),
    };
    let said = Said::Answered {
        ask,
        is_known,
        is_renamed,
    };
    host.say(&said, text.as_deref());
}

/// A page enters the rooms of a space.
async fn enter(host: &Arc<Host>, entering: Entering, keepers: &Arc<Keepers>) {
    let page = entering.page;
    if try_enter(host, entering, keepers).await.is_none() {
        lock(&host.pages).entering.remove(&page);
        host.say(&Said::Elsewhere { page }, []);
    }
}

async fn try_enter(host: &Arc<Host>, entering: Entering, keepers: &Arc<Keepers>) -> Option<()> {
    let page = entering.page;
    let Entering {
        space,
        address,
        waits,
        may_be,
        entrant,
        ..
    } = entering;
    let registry = keepers.registry()?;
    // Looking for its keeper, it may become that itself.
    if !keepers.keeps(&space).await {
        return None;
    }
    if waits {
        registry.wait_for_id(&space, &entrant, |_| false).await;
    }
    // The space of a group is that without it.
    let paying = space.split('\n').next().map(Arc::from);
    let address = ClientAddress::new(address);
    let account = registry.budget.account(paying.as_ref(), address);
    let entry = Entry {
        entrant,
        peer: Peer::There(Guest {
            host: Arc::clone(host),
            page,
        }),
        charge: account.charge(Purpose::Connections, 0),
        permission: Permission::Told(Rights {
            may_enter: true,
            may_be,
        }),
    };
    let greeted = Arc::clone(host);
    let greet = Box::new(move |standing: Standing, keeping: &str| {
        let said = Said::Entered {
            page,
            standing,
            keeping: keeping.into(),
        };
        greeted.say(&said, []);
    });
    // What the page says then finds it there.
    let mut pages = lock(&host.pages);
    let is_there = pages.entering.remove(&page) && !pages.is_over;
    if is_there {
        let place = keepers.enter_here(&registry, &space, entry, greet).ok()?;
        pages.places.insert(page, Arc::new(place));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::body::Bytes;

    use super::*;
    use crate::rooms::tests::notes::Notes;

    /// A page of a relay, and that relay's end of the link.
    fn guest() -> (Guest, impl Fn(u64) -> Segment) {
        let notes = Notes::new(1, 0, 0, 0);
        let (inbox, _) = mpsc::channel(1);
        let host = Arc::new(Host::new(Line::new(notes, 1, true, 2, 3), inbox));
        let taken = |taken| Segment {
            kind: Kind::Heard,
            is_keepers: false,
            relay: 2,
            link: 3,
            number: 0,
            taken,
            payload: Bytes::new(),
        };
        (Guest { host, page: 7 }, taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_relay_is_waited_for_while_much_waits_for_it_and_it_is_heard() {
        let (guest, taken) = guest();
        let deliver = || Guest::deliver(vec![guest.clone()], None, &"x".repeat(16 * 1024));
        for _ in 0..20 {
            deliver();
        }
        assert!(!guest.is_crowded());
        for _ in 0..200 {
            deliver();
        }
        assert!(guest.is_crowded());
        // One that may be dead holds nobody up.
        tokio::time::sleep(QUIET).await;
        assert!(!guest.is_crowded());
        guest.host.line.take(&taken(0)).unwrap();
        assert!(guest.is_crowded());
        guest.host.line.take(&taken(1_000_000)).unwrap();
        assert!(!guest.is_crowded());
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_not_dead_of_which_nothing_is_taken() {
        let (guest, _) = guest();
        assert!(!guest.is_alive().await);
        guest.host.is_waiting.store(true, Ordering::Relaxed);
        assert!(guest.is_alive().await);
        guest.host.end("test");
        assert!(!guest.is_alive().await);
    }
}
