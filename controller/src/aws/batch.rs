//! Callers ask for one thing each, AWS is asked for many at once.
//!
//! A batch stays open for a short window, longer while too many calls are under way, and closes early when it is full.
//! There is no worker behind it: the callers of a batch drive it together, any of them may give up, and when the last
//! one does the batch is gone.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::{Notify, Semaphore};

use super::error::{Error, Kind};

/// How a batcher fills its batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    /// Keys in one call.
    pub(super) keys: usize,
    /// How long a batch waits for more keys.
    pub(super) window: Duration,
    /// Calls under way at once; batches stay open while they wait for their turn.
    pub(super) in_flight: usize,
}

/// Merges questions about single keys of a group into calls about many. Clones share their batches.
pub(super) struct Batcher<G, K, V> {
    inner: Arc<Inner<G, K, V>>,
}

/// What became of each key of a batch.
type Answers<K, V> = Arc<HashMap<K, Result<V, Error>>>;

/// Asks AWS about the keys of one group. Every key must be in the answer.
type Fetch<G, K, V> = dyn Fn(G, Vec<K>) -> BoxFuture<'static, Result<HashMap<K, Result<V, Error>>, Error>>
    + Send
    + Sync;

struct Inner<G, K, V> {
    limits: BatchLimits,
    fetch: Box<Fetch<G, K, V>>,
    in_flight: Semaphore,
    /// The batch of each group that still takes keys.
    open: Mutex<HashMap<G, Open<K, V>>>,
}

struct Open<K, V> {
    basket: Arc<Basket<K>>,
    answers: WeakShared<BoxFuture<'static, Answers<K, V>>>,
}

/// The keys of one batch.
struct Basket<K> {
    keys: Mutex<HashSet<K>>,
    full: Notify,
}

impl<K: Eq + Hash> Basket<K> {
    /// Takes `key` if there is room for it.
    fn put(&self, key: &K, keys_max: usize) -> bool
    where
        K: Clone,
    {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= keys_max && !keys.contains(key) {
            return false;
        }
        keys.insert(key.clone());
        if keys.len() >= keys_max {
            self.full.notify_one();
        }
        true
    }

    fn take(&self) -> Vec<K> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *keys).into_iter().collect()
    }
}

impl<G, K, V> Clone for Batcher<G, K, V> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<G, K, V> std::fmt::Debug for Batcher<G, K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl<G, K, V> Batcher<G, K, V>
where
    G: Clone + Eq + Hash + Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A batcher that asks with `fetch`.
    pub(super) fn new<F, Fetching>(limits: BatchLimits, fetch: F) -> Self
    where
        F: Fn(G, Vec<K>) -> Fetching + Send + Sync + 'static,
        Fetching: Future<Output = Result<HashMap<K, Result<V, Error>>, Error>> + Send + 'static,
    {
        let inner = Inner {
            limits,
            fetch: Box::new(move |group, keys| fetch(group, keys).boxed()),
            in_flight: Semaphore::new(limits.in_flight),
            open: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What AWS says about `key`, asked together with others; `None` if its answer leaves the key out.
    pub(super) async fn get(&self, group: G, key: K) -> Result<Option<V>, Error> {
        let answers = self.join(group, &key).await;
        answers.get(&key).cloned().transpose()
    }

    /// Puts the key into the group's open batch, or into a new one.
    fn join(&self, group: G, key: &K) -> Shared<BoxFuture<'static, Answers<K, V>>> {
        let keys_max = self.inner.limits.keys;
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(batch) = open.get(&group)
            && let Some(answers) = batch.answers.upgrade()
            && batch.basket.put(key, keys_max)
        {
            return answers;
        }
        let basket = Arc::new(Basket { keys: Mutex::default(), full: Notify::new() });
        basket.put(key, keys_max);
        let run = run(Arc::clone(&self.inner), group.clone(), Arc::clone(&basket));
        let answers = run.boxed().shared();
        if let Some(answers) = answers.downgrade() {
            open.insert(group, Open { basket, answers });
        }
        answers
    }
}

/// The life of one batch: collect, close, ask.
async fn run<G, K, V>(inner: Arc<Inner<G, K, V>>, group: G, basket: Arc<Basket<K>>) -> Answers<K, V>
where
    G: Clone + Eq + Hash + Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    tokio::select! {
        () = tokio::time::sleep(inner.limits.window) => {}
        () = basket.full.notified() => {}
    }
    // The semaphore is never closed, so a permit always comes.
    let _permit = inner.in_flight.acquire().await;
    let keys = close(&inner, &group, &basket);
    Arc::new(ask(&inner, group, keys).await)
}

/// Takes the batch out of the open ones, so that nobody joins after its keys were read.
fn close<G, K, V>(inner: &Inner<G, K, V>, group: &G, basket: &Arc<Basket<K>>) -> Vec<K>
where
    G: Eq + Hash,
    K: Clone + Eq + Hash,
{
    let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
    if open.get(group).is_some_and(|batch| Arc::ptr_eq(&batch.basket, basket)) {
        open.remove(group);
    }
    basket.take()
}

/// Asks about all keys; if AWS refuses the call, one bad key must not harm the others, so it asks about the halves.
fn ask<G, K, V>(
    inner: &Inner<G, K, V>,
    group: G,
    keys: Vec<K>,
) -> BoxFuture<'_, HashMap<K, Result<V, Error>>>
where
    G: Clone + Send + Sync,
    K: Clone + Eq + Hash + Send + Sync,
    V: Send + Sync,
{
    async move {
        match (inner.fetch)(group.clone(), keys.clone()).await {
            Ok(answers) => answers,
            Err(Error { kind: Kind::Refused, .. }) if keys.len() > 1 => {
                let (left, right) = keys.split_at(keys.len() / 2);
                let mut answers = ask(inner, group.clone(), left.to_vec()).await;
                answers.extend(ask(inner, group, right.to_vec()).await);
                answers
            }
            Err(error) => keys.into_iter().map(|key| (key, Err(error.clone()))).collect(),
        }
    }
    .boxed()
}
