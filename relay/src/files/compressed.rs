//! Files that were compressed once and are kept in memory.
//!
//! Each version of a file is compressed at most once for each coding, and one after the other, so
//! that nobody keeps the machine busy by asking. What has been asked for lately keeps its place;
//! when there is none for another file, that is sent as it is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout};

use super::coding::Coding;

/// How long a request waits for a file to be compressed. Then it gets the file uncompressed.
const WAIT: Duration = Duration::from_millis(500);
/// Entries that weren't requested for this long are evicted when another file needs room.
const UNUSED: Duration = Duration::from_secs(600);
/// What an entry costs besides its bytes: its path, and its place in the map.
const ENTRY: usize = 512;

/// What is compressed of which file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// Without links, so that each file has one.
    pub(super) path: PathBuf,
    pub(super) coding: Coding,
}

/// Files that were compressed once.
#[derive(Debug)]
pub(super) struct Compressed {
    /// The bytes that all of them may take.
    budget: usize,
    entries: Mutex<Entries>,
    /// One is compressed at a time.
    turn: Semaphore,
}

#[derive(Debug, Default)]
struct Entries {
    by_name: HashMap<Name, Entry>,
    /// The costs of all entries.
    bytes: usize,
}

/// One version of a file.
#[derive(Debug)]
struct Entry {
    version: HeaderValue,
    /// `None` in it: compression doesn't make it shorter.
    made: Made,
    cost: usize,
    asked: Instant,
}

type Made = Arc<OnceCell<Option<Bytes>>>;

impl Compressed {
    /// Keeps up to `budget` bytes. With 0, no file is compressed.
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            entries: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }

    /// What a version of a file is compressed to. `read` gives its bytes, if it still is that
    /// version. `None`: the file is better sent as it is, at least now.
    pub(super) async fn get(
        self: &Arc<Self>,
        name: Name,
        version: &HeaderValue,
        length: usize,
        read: impl Future<Output = Option<Bytes>> + Send + 'static,
    ) -> Option<Bytes> {
        let made = self.entries().find(&name, version, length, self.budget)?;
        if let Some(compressed) = made.get() {
            return compressed.clone();
        }
        // In a task of its own, so that it comes to its end when this request doesn't wait for it.
        let compressing = tokio::spawn(Arc::clone(self).compress(name, made, read));
        timeout(WAIT, compressing).await.ok()?.ok()?
    }

    async fn compress(
        self: Arc<Self>,
        name: Name,
        made: Made,
        read: impl Future<Output = Option<Bytes>> + Send,
    ) -> Option<Bytes> {
        let coding = name.coding;
        let compressed = made.get_or_init(|| async {
            let _turn = self.turn.acquire().await.ok()?;
            let file = read.await?;
            let compressing = tokio::task::spawn_blocking(move || {
                let compressed = coding.compress(&file).ok()?;
                (compressed.len() < file.len()).then(|| Bytes::from(compressed))
            });
            compressing.await.ok()?
        });
        let compressed = compressed.await.clone();
        let length = compressed.as_ref().map_or(0, Bytes::len);
        self.entries().settle(&name, &made, length);
        compressed
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// The entry of a version of a file; a new one if there is room, whatever it is compressed to.
    fn find(
        &mut self,
        name: &Name,
        version: &HeaderValue,
        length: usize,
        budget: usize,
    ) -> Option<Made> {
        let now = Instant::now();
        if let Some(entry) = self.by_name.get_mut(name) {
            if entry.version == *version {
                entry.asked = now;
                return Some(Arc::clone(&entry.made));
            }
            self.remove(&name.clone());
        }
        let cost = length.saturating_add(ENTRY);
        if self.bytes.saturating_add(cost) > budget {
            self.remove_unused(now);
        }
        if self.bytes.saturating_add(cost) > budget {
            return None;
        }
        let made = Made::default();
        self.bytes += cost;
        self.by_name.insert(
            name.clone(),
            Entry {
                version: version.clone(),
                made: Arc::clone(&made),
                cost,
                asked: now,
            },
        );
        Some(made)
    }

    /// From now on, an entry costs what it takes.
    fn settle(&mut self, name: &Name, made: &Made, length: usize) {
        if let Some(entry) = self.by_name.get_mut(name)
            && Arc::ptr_eq(&entry.made, made)
        {
            let cost = length.saturating_add(ENTRY);
            self.bytes = self.bytes.saturating_sub(entry.cost).saturating_add(cost);
            entry.cost = cost;
        }
    }

    fn remove(&mut self, name: &Name) {
        if let Some(entry) = self.by_name.remove(name) {
            self.bytes = self.bytes.saturating_sub(entry.cost);
        }
    }

    fn remove_unused(&mut self, now: Instant) {
        let Self { by_name, bytes } = self;
        by_name.retain(|_, entry| {
            let used = now.saturating_duration_since(entry.asked) < UNUSED;
            if !used {
                *bytes = bytes.saturating_sub(entry.cost);
            }
            used
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const TEXT: &[u8] = &[b'a'; 10_000];

    fn name(path: &str) -> Name {
        Name {
            path: path.into(),
            coding: Coding::Gzip,
        }
    }

    /// Asks for a file of 10,000 bytes; gives what came, and counts how often the file is read.
    async fn ask(
        files: &Arc<Compressed>,
        path: &str,
        version: &str,
        reads: &Arc<AtomicUsize>,
    ) -> Option<usize> {
        let reads = Arc::clone(reads);
        let version = HeaderValue::try_from(version).unwrap_or(HeaderValue::from_static(""));
        let read = async move {
            reads.fetch_add(1, Ordering::Relaxed);
            Some(Bytes::from_static(TEXT))
        };
        // Time stands still here, and so nobody stops waiting.
        let got = files.get(name(path), &version, TEXT.len(), read).await;
        got.map(|bytes| bytes.len())
    }

    #[tokio::test(start_paused = true)]
    async fn each_version_is_compressed_once_and_takes_what_it_needs() {
        let files = Arc::new(Compressed::new(25_000));
        let reads = Arc::default();
        let (one, other) = tokio::join!(
            ask(&files, "/a", "1", &reads),
            ask(&files, "/a", "1", &reads)
        );
        assert!(one.is_some_and(|length| length < 100) && other == one);
        assert_eq!(ask(&files, "/a", "1", &reads).await, one);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert!(files.entries().bytes < 1000, "{files:?}");
        assert_eq!(ask(&files, "/a", "2", &reads).await, one);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        assert_eq!(files.entries().by_name.len(), 1);
        assert!(files.entries().bytes < 1000, "{files:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_used_keeps_its_place() {
        // Room for one that is being compressed, and for three that are.
        let files = Arc::new(Compressed::new(11_700));
        let reads = Arc::default();
        for path in ["/a", "/b", "/c"] {
            assert!(ask(&files, path, "1", &reads).await.is_some(), "{path}");
        }
        for _ in 0..100 {
            assert_eq!(ask(&files, "/d", "1", &reads).await, None);
        }
        assert_eq!(reads.load(Ordering::Relaxed), 3);
        tokio::time::advance(UNUSED / 2).await;
        assert!(ask(&files, "/b", "1", &reads).await.is_some());
        tokio::time::advance(UNUSED / 2).await;
        assert!(ask(&files, "/d", "1", &reads).await.is_some());
        assert!(ask(&files, "/b", "1", &reads).await.is_some());
        assert_eq!(reads.load(Ordering::Relaxed), 4);
        assert!(files.entries().bytes <= 11_700, "{files:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_doesnt_become_shorter_is_remembered() {
        let files = Arc::new(Compressed::new(25_000));
        let version = HeaderValue::from_static("1");
        let first = files.get(name("/a"), &version, 3, async {
            Some(Bytes::from_static(b"xyz"))
        });
        assert_eq!(first.await, None);
        let again = files.get(name("/a"), &version, 3, async {
            Some(Bytes::from_static(TEXT))
        });
        assert_eq!(again.await, None);
    }

    #[tokio::test]
    async fn without_a_budget_nothing_is_compressed() {
        let files = Arc::new(Compressed::new(0));
        assert_eq!(ask(&files, "/a", "1", &Arc::default()).await, None);
    }
}
