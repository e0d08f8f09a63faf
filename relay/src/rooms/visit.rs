//! The end of a link at the relay of pages whose rooms another one keeps.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::{Answered, Greet, RoomConnection, Standing};
use super::line::Line;
use super::registry::lock;
use super::segment::{Kind, Segment};
use super::wire::{Said, Told, answered, decode, encode};
use crate::hub::budget::Charge;
use crate::hub::ids::random_bits;
use crate::hub::store::Peers;

/// How long a keeper may take to answer the first message.
const WELCOME: Duration = Duration::from_secs(3);
/// How often is looked whether a keeper was heard.
const LOOK: Duration = Duration::from_millis(50);
/// How long a keeper may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The links to relays that keep rooms of pages of this one.
pub(super) struct Visits {
    peers: Arc<dyn Peers>,
    relay: u64,
    visits: Mutex<HashMap<(u64, u64), Arc<Visit>>>,
    is_stopping: Arc<AtomicBool>,
}

/// A link to the relay that keeps rooms, in a term of it.
pub(super) struct Visit {
    relay: u64,
    link: u64,
    line: Line,
    is_welcome: watch::Sender<bool>,
    pages: Mutex<HashMap<u64, Page>>,
    asked: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    next: AtomicU64,
    over: CancellationToken,
    is_stopping: Arc<AtomicBool>,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").finish_non_exhaustive()
    }
}

/// A page that is in rooms of another relay, or would be.
pub(super) struct Page {
    pub(super) connection: RoomConnection,
    pub(super) charge: Charge,
    pub(super) entering: Option<Entering>,
}

/// Who waits for a page to enter.
pub(super) struct Entering {
    pub(super) greet: Greet,
    pub(super) entered: oneshot::Sender<Entered>,
}

/// What has come of a page's entering.
pub(super) enum Entered {
    /// It is this.
    Is(Standing),
    /// Another relay keeps the rooms.
    Elsewhere(Box<(RoomConnection, Charge, Greet)>),
}

/// What a keeper answers.
pub(super) enum Answer {
    Event {
        answered: Answered,
        is_renamed: bool,
    },
    Standing(Standing, Arc<str>),
}

impl Visits {
    pub(super) fn new(peers: Arc<dyn Peers>, relay: u64) -> Self {
        Self {
            peers,
            relay,
            visits: Mutex::default(),
            is_stopping: Arc::default(),
        }
    }

    /// From now on pages leave because the relay stops. They come back to another one.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// The open link to a relay in a term.
    pub(super) fn find(&self, relay: u64, term: u64) -> Option<Arc<Visit>> {
        let visit = lock(&self.visits).get(&(relay, term)).cloned()?;
        (*visit.is_welcome.borrow() && !visit.over.is_cancelled()).then_some(visit)
    }

    /// Opens the link to a relay in a term. `None`: that doesn't answer, or keeps no rooms in it.
    pub(super) async fn open(&self, relay: u64, term: u64) -> Option<Arc<Visit>> {
        let visit = {
            let mut visits = lock(&self.visits);
            let open = visits.get(&(relay, term)).cloned();
            match open.filter(|visit| !visit.over.is_cancelled()) {
                Some(visit) => visit,
                None => {
                    let visit = Arc::new(self.begin(relay).ok()?);
                    visits.insert((relay, term), Arc::clone(&visit));
                    visit.tell(&Told::Hello { term }, []);
                    visit
                }
            }
        };
        let mut is_welcome = visit.is_welcome.subscribe();
        let is_open = tokio::select! {
            welcome = timeout(WELCOME, is_welcome.wait_for(|is_welcome| *is_welcome)) => {
                matches!(welcome, Ok(Ok(_)))
            }
            () = visit.over.cancelled() => false,
        };
        if !is_open {
            visit.end("the other relay doesn't answer");
        }
        is_open.then_some(visit)
    }

    fn begin(&self, relay: u64) -> Result<Visit, crate::hub::ids::NoRandomness> {
        let link = random_bits()?;
        Ok(Visit {
            relay,
            link,
            line: Line::new(Arc::clone(&self.peers), self.relay, false, relay, link),
            is_welcome: watch::Sender::new(false),
            pages: Mutex::default(),
            asked: Mutex::default(),
            next: AtomicU64::new(1),
            over: CancellationToken::new(),
            is_stopping: Arc::clone(&self.is_stopping),
        })
    }

    /// Takes what a keeper sends.
    pub(super) fn take(&self, segment: &Segment) {
        let visit = {
            let visits = lock(&self.visits);
            let mut visits = visits.values();
            let is_of =
                |visit: &&Arc<Visit>| (visit.relay, visit.link) == (segment.relay, segment.link);
            visits.find(is_of).cloned()
        };
        match visit {
            Some(visit) => visit.take(segment),
            None if segment.kind == Kind::Ended => {}
            None => {
                let name = (segment.relay, segment.link);
                Line::refuse(&*self.peers, self.relay, false, name);
            }
        }
    }

    /// To be called several times a second.
    pub(super) fn tick(&self) {
        let visits: Vec<_> = lock(&self.visits).values().cloned().collect();
        for visit in visits {
            if let Err(broken) = visit.line.tick() {
                visit.end(broken.0);
            }
        }
        lock(&self.visits).retain(|_, visit| !visit.over.is_cancelled());
    }
}

impl Visit {
    pub(super) fn tell<'a>(&self, told: &Told, texts: impl IntoIterator<Item = &'a str>) {
        if let Err(broken) = self.line.send(&encode(told, texts)) {
            self.end(broken.0);
        }
    }

    /// Ends the link. Its pages come back.
    fn end(&self, why: &'static str) {
        if self.over.is_cancelled() {
            return;
        }
        tracing::debug!(why, "a link to a relay that keeps rooms has ended");
        self.line.end();
        self.over.cancel();
        for page in lock(&self.pages).values() {
            page.connection.liveness.replaced.cancel();
        }
        lock(&self.asked).clear();
    }

    /// Adds a page, which has this number from now on. An error: the link is over.
    pub(super) fn add(&self, page: Page) -> Result<u64, Box<Page>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut pages = lock(&self.pages);
        if self.over.is_cancelled() {
            return Err(Box::new(page));
        }
        pages.insert(number, page);
        Ok(number)
    }

    pub(super) fn remove(&self, page: u64) -> Option<Page> {
        lock(&self.pages).remove(&page)
    }

    /// Resolves when the keeper was heard a moment ago. `false`: the link is over.
    pub(super) async fn is_heard(&self) -> bool {
        while self.line.silence() > WELCOME {
            if self.over.is_cancelled() {
                return false;
            }
            sleep(LOOK).await;
        }
        !self.over.is_cancelled()
    }

    /// Whether the relay stops.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(super) async fn is_over(&self) {
        self.over.cancelled().await;
    }

    /// Asks the keeper something. `told` makes the question with this number.
    pub(super) async fn ask<'a>(
        &self,
        told: impl FnOnce(u64) -> Told,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Option<Answer> {
        let ask = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.asked).insert(ask, answer);
        self.tell(&told(ask), texts);
        let answer = tokio::select! {
            answered = timeout(PATIENCE, answered) => answered.ok().and_then(Result::ok),
            () = self.over.cancelled() => None,
        };
        lock(&self.asked).remove(&ask);
        answer
    }

    fn take(self: &Arc<Self>, segment: &Segment) {
        let message = match self.line.take(segment) {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(broken) => return self.end(broken.0),
        };
        match decode::<Said>(&message.bytes) {
            Some((said, texts)) => self.hear(said, &texts),
            None => self.end("what was said is no message"),
        }
        self.line.done(message.number);
    }

    fn answer(&self, ask: u64, answer: Answer) {
        let asked = lock(&self.asked).remove(&ask);
        if let Some(asked) = asked {
            // Who has asked may not wait any more.
            let _ = asked.send(answer);
        }
    }

    fn hear(self: &Arc<Self>, said: Said, texts: &[&str]) {
        match said {
            Said::Welcome => {
                self.is_welcome.send_replace(true);
            }
            Said::Entered {
                page,
                standing,
                keeping,
            } => {
                let entering = {
                    let mut pages = lock(&self.pages);
                    pages.get_mut(&page).and_then(|page| page.entering.take())
                };
                if let Some(Entering { greet, entered }) = entering {
                    greet(standing.clone(), &keeping);
                    let _ = entered.send(Entered::Is(standing));
                }
            }
            Said::Elsewhere { page } => {
                if let Some(Page {
                    connection,
                    charge,
                    entering: Some(Entering { greet, entered }),
                }) = self.remove(page)
                {
                    let back = Box::new((connection, charge, greet));
                    let _ = entered.send(Entered::Elsewhere(back));
                }
            }
            Said::Answered {
                ask,
                is_known,
                is_renamed,
            } => {
                let answered = answered(is_known, texts.first());
                let answer = Answer::Event {
                    answered,
                    is_renamed,
                };
                self.answer(ask, answer);
            }
            Said::Standing {
                ask,
                standing,
                keeping,
            } => self.answer(ask, Answer::Standing(standing, keeping)),
            Said::Deliver { pages, channel } => {
                if let Some(list) = texts.first() {
                    self.deliver(&pages, channel.as_deref(), list);
                }
            }
            Said::Over { page } => {
                if let Some(page) = lock(&self.pages).get(&page) {
                    page.connection.liveness.replaced.cancel();
                }
            }
            Said::IsAlive { page, ask } => {
                let pages = lock(&self.pages);
                let connection = pages.get(&page).map(|page| page.connection.clone());
                drop(pages);
                let visit = Arc::clone(self);
                tokio::spawn(async move {
                    let is_alive = match connection {
                        Some(connection) => connection.is_alive().await,
                        None => false,
                    };
                    visit.tell(&Told::Alive { ask, is_alive }, []);
                });
            }
        }
    }

    /// Queues an event for pages. One for many is one packet, if they have one address.
    fn deliver(&self, numbers: &[u64], channel: Option<&str>, list: &str) {
        let pages = lock(&self.pages);
        let mut made = None;
        for page in numbers.iter().filter_map(|number| pages.get(number)) {
            let connection = &page.connection;
            if !connection.receives(channel) {
                continue;
            }
            let RoomConnection {
                encode,
                address,
                sender,
                ..
            } = connection;
            let is_of = |(of, to, _): &(fn(&str, &str) -> _, Arc<str>, _)| {
                std::ptr::fn_addr_eq(*of, *encode) && to == address
            };
            let (_, _, frame) = match made.take().filter(is_of) {
                Some(made) => made,
                None => (*encode, Arc::clone(address), encode(address, list)),
            };
            sender.push(crate::hub::frame::Frame::clone(&frame));
            made = Some((*encode, Arc::clone(address), frame));
        }
    }
}
