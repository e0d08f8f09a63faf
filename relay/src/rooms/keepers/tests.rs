//! Who keeps the rooms of a space, with a store in this program.

#![allow(clippy::unwrap_used)]

use tokio::sync::Notify;

use super::*;
use crate::hub::store::{BoxFuture, Note};
use crate::rooms::registry::lock;

#[test]
fn what_a_keeper_writes_is_read() {
    let text = Written::text(7, u64::MAX);
    let (relay, term) = (7, u64::MAX);
    assert_eq!(Written::read(&text), Some(Written { relay, term }));
    for other in ["", "7", "x 8 9", "7 -8 9"] {
        assert!(Written::read(other).is_none(), "{other}");
    }
}

/// A store in this program. Writing into some chains can be held up.
#[derive(Default)]
struct Store {
    chains: Mutex<HashMap<String, Vec<String>>>,
    held_up: Mutex<Option<(String, Arc<Notify>)>>,
}

impl Store {
    fn written(&self, chain: &str) -> usize {
        lock(&self.chains).get(chain).map_or(0, Vec::len)
    }

    fn note(&self, chain: &str, number: u64) -> Option<Note> {
        let chains = lock(&self.chains);
        let index = usize::try_from(number).unwrap().checked_sub(1)?;
        let text = chains.get(chain)?.get(index)?.clone();
        Some(Note { number, text })
    }
}

impl Peers for Store {
    fn write<'a>(&'a self, chain: &'a str, number: u64, text: String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let held_up = lock(&self.held_up).clone();
            if let Some((_, until)) = held_up.filter(|(held_up, _)| held_up == chain) {
                until.notified().await;
            }
            let mut chains = lock(&self.chains);
            let notes = chains.entry(chain.into()).or_default();
            let is_next = notes.len() + 1 == usize::try_from(number).unwrap();
            if is_next {
                notes.push(text);
            }
            Ok(is_next)
        })
    }

    fn read<'a>(&'a self, chain: &'a str, number: u64) -> BoxFuture<'a, Option<Note>> {
        Box::pin(async move { Ok(self.note(chain, number)) })
    }

    fn last<'a>(&'a self, chain: &'a str) -> BoxFuture<'a, Option<Note>> {
        Box::pin(async move {
            let number = self.written(chain);
            Ok(self.note(chain, u64::try_from(number).unwrap()))
        })
    }

    fn kept(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn send(&self, _: u64, _: Bytes) {}

    fn longest(&self) -> usize {
        1024
    }

    fn listen(&self, _: Box<dyn Fn(Bytes) + Send + Sync>) {}
}

#[tokio::test(start_paused = true)]
async fn a_space_that_a_relay_begins_to_keep_when_its_term_ends_is_kept_in_the_next_one() {
    let store = Arc::new(Store::default());
    let keepers = Keepers::new(Arc::clone(&store) as Arc<dyn Peers>, 1, Weak::new());
    let is_here = async |space: &str| {
        let found = keepers.locate(&Arc::from(space)).await;
        matches!(found, Ok(Where::Here))
    };
    assert!(is_here("/first").await);
    let term = keepers.term().unwrap();
    let until = Arc::new(Notify::new());
    *lock(&store.held_up) = Some((chain("/second"), Arc::clone(&until)));
    let ending = async {
        sleep(Duration::from_secs(1)).await;
        // Another relay ends its term meanwhile, and it learns that.
        let chain = format!("term.{term:016x}");
        assert_eq!(store.write(&chain, 2, "ended".into()).await, Ok(true));
        keepers.renew().await;
        *lock(&store.held_up) = None;
        until.notify_one();
    };
    let (is_second_here, ()) = tokio::join!(is_here("/second"), ending);
    assert!(is_second_here);
    assert_ne!(keepers.term(), Some(term));
}
