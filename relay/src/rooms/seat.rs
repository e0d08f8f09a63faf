//! A connection's place in rooms that another relay keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_wire::json::quoted;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::{
    Answered, Greet, Liveness, NumberedRequest, RoomConnection, Standing, may_enter,
};
use super::entrant::Entrant;
use super::profile::Profile;
use super::request::Request;
use super::visit::{Answer, Entered, Entering, Page, Visit};
use super::wire::{self, Rights, Told};
use crate::auth::access::Access;
use crate::hub::budget::Charge;

/// How long a keeper may take to let a page in, which may wait for the user of an id.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many arguments of an event count.
const ARGUMENTS: usize = 2;
/// What a page costs here besides its texts, in bytes.
const PAGE: usize = 512;

/// A connection's place in rooms that another relay keeps, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    visit: Arc<Visit>,
    page: u64,
    profile: Profile,
    access: Access,
    liveness: Arc<Liveness>,
    is_left: AtomicBool,
}

type Back = (RoomConnection, Charge, Greet);

impl Seat {
    /// Enters the rooms of a space. An error: their keeper is another one, or doesn't answer.
    pub(super) async fn take(
        visit: &Arc<Visit>,
        entrant: &Entrant,
        connection: RoomConnection,
        mut charge: Charge,
        waits: bool,
        greet: Greet,
    ) -> Result<Self, Option<Back>> {
        charge.set(PAGE + connection.space.len() + connection.address.len());
        let liveness = Arc::clone(&connection.liveness);
        let access = connection.access.clone();
        let (space, address) = (
            Arc::clone(&connection.space),
            charge.account().owner().address,
        );
        let (entered, entering) = oneshot::channel();
        let page = Page {
            connection,
            charge,
            entering: Some(Entering { greet, entered }),
        };
        let back = |page: Page| {
            let Entering { greet, .. } = page.entering?;
            Some((page.connection, page.charge, greet))
        };
        let page = visit.add(page).map_err(|page| back(*page))?;
        // From now on the page leaves when this is dropped.
        let seat = Self {
            visit: Arc::clone(visit),
            page,
            profile: entrant.profile.clone(),
            access,
            liveness: Arc::clone(&liveness),
            is_left: AtomicBool::new(false),
        };
        let user = quoted(&entrant.profile.user);
        let may_be = seat.access.could_be(&user);
        let told = wire::Entering {
            page,
            space,
            address: address.ip(),
            waits,
            may_be,
            entrant: entrant.clone(),
        };
        visit.tell(&Told::Enter(Box::new(told)), []);
        let entered = tokio::select! {
            entered = timeout(PATIENCE, entering) => entered.ok().and_then(Result::ok),
            () = visit.is_over() => None,
        };
        match entered {
            Some(Entered::Is(Standing::User { id, .. })) => {
                if id == entrant.profile.user {
                    // Now it is its own.
                    let _ = seat.access.may_be(&user);
                }
                Ok(seat)
            }
            Some(Entered::Is(Standing::Taken(_))) => Ok(seat),
            Some(Entered::Elsewhere(back)) => Err(Some(*back)),
            None => {
                // The keeper may let it in later.
                let for_good = false;
                visit.tell(&Told::Gone { page, for_good }, []);
                Err(visit.remove(page).and_then(back))
            }
        }
    }

    /// Notes that the page doesn't come back. One whose relay stops does, to another one.
    pub(super) fn leave(&self) {
        if !self.visit.is_stopping() {
            self.is_left.store(true, Ordering::Relaxed);
        }
    }

    /// Without its keeper's answers a page comes back.
    fn end(&self) {
        self.liveness.replaced.cancel();
    }

    fn rights(&self, request: Option<&Request<'_>>) -> Rights {
        let user = request.and_then(Request::user);
        Rights {
            may_enter: request.is_none_or(|request| may_enter(&self.access, request)),
            may_be: user.is_none_or(|user| self.access.could_be(&quoted(&user))),
        }
    }

    /// The page has another id, if so.
    fn note(&self, request: Option<&Request<'_>>, is_renamed: bool) {
        let user = request.and_then(Request::user);
        if let Some(user) = user.filter(|_| is_renamed) {
            let _ = self.access.may_be(&quoted(&user));
        }
    }

    /// Takes an event of the page.
    pub(super) async fn take_event(&self, event: &str, arguments: &[&str]) -> Answered {
        let _waiting = self.liveness.wait();
        let Some(request) = Request::read(event, arguments, &self.profile) else {
            return Answered::Unknown;
        };
        let rights = self.rights(Some(&request));
        let told = |ask| Told::Take {
            page: self.page,
            ask,
            event: event.to_owned(),
            rights,
        };
        let arguments = arguments.iter().take(ARGUMENTS).copied();
        match self.visit.ask(told, arguments).await {
            Some(Answer::Event {
                answered,
                is_renamed,
            }) => {
                self.note(Some(&request), is_renamed);
                answered
            }
            _ => {
                self.end();
                Answered::Known(None)
            }
        }
    }

    /// Takes what a page on a private channel asks for.
    pub(super) async fn take_numbered(&self, asked: NumberedRequest<'_>) {
        let _waiting = self.liveness.wait();
        let NumberedRequest { life, seen, event } = asked;
        let request = event.and_then(|(_, event, arguments)| {
            Request::read_numbered(event, arguments, &self.profile)
        });
        let rights = self.rights(request.as_ref());
        let told = |ask| Told::Numbered {
            page: self.page,
            ask,
            life: life.to_owned(),
            seen,
            request: event.map(|(number, event, _)| (number, event.to_owned())),
            rights,
        };
        let arguments = event.map(|(_, _, arguments)| arguments).unwrap_or_default();
        let arguments = arguments.iter().take(ARGUMENTS).copied();
        match self.visit.ask(told, arguments).await {
            Some(Answer::Event { is_renamed, .. }) => self.note(request.as_ref(), is_renamed),
            _ => self.end(),
        }
    }

    /// What it is in the rooms, and the name of their keeping.
    pub(super) async fn standing(&self) -> Option<(Standing, Arc<str>)> {
        let page = self.page;
        let told = |ask| Told::Standing { page, ask };
        match self.visit.ask(told, []).await {
            Some(Answer::Standing(standing, keeping)) => Some((standing, keeping)),
            _ => {
                self.end();
                None
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.visit.remove(self.page).is_some() {
            let (page, for_good) = (self.page, *self.is_left.get_mut());
            self.visit.tell(&Told::Gone { page, for_good }, []);
        }
    }
}
