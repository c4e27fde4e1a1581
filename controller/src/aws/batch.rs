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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::Operation;
    use futures_util::future::join_all;
    use tokio::time::Instant;

    const LIMITS: BatchLimits =
        BatchLimits { keys: 10, window: Duration::from_millis(10), in_flight: 2 };

    /// The keys of each call so far.
    type Asked = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Squares numbers, a second a call; refuses calls that hold a 13, leaves out 7.
    fn squares(limits: BatchLimits) -> (Batcher<&'static str, u32, u32>, Asked) {
        let asked = Asked::default();
        let record = Arc::clone(&asked);
        let batcher = Batcher::new(limits, move |_, mut keys: Vec<u32>| {
            keys.sort_unstable();
            record.lock().unwrap().push(keys.clone());
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if keys.contains(&13) {
                    return Err(error(Kind::Refused));
                }
                let known = keys.into_iter().filter(|key| *key != 7);
                Ok(known.map(|key| (key, Ok(key * key))).collect())
            }
        });
        (batcher, asked)
    }

    fn error(kind: Kind) -> Error {
        Error::unanswered(Operation::DescribeServices, "shop/web", kind, "no")
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_calls_and_each_gets_its_own_answer() {
        let (batcher, asked) = squares(LIMITS);
        let answers = join_all((20..60).map(|key| batcher.get("group", key))).await;
        let squares: Vec<u32> =
            answers.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
        assert_eq!(squares, (20..60).map(|key| key * key).collect::<Vec<_>>());
        let sizes: Vec<usize> = asked.lock().unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 10, 10, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_caller_waits_no_longer_than_the_window() {
        let (batcher, _) = squares(LIMITS);
        let begun = Instant::now();
        assert_eq!(batcher.get("group", 3).await, Ok(Some(9)));
        assert!(begun.elapsed() < Duration::from_millis(1_015));
    }

    #[tokio::test(start_paused = true)]
    async fn one_key_asked_twice_is_sent_once() {
        let (batcher, asked) = squares(LIMITS);
        let answers = join_all((0..50).map(|_| batcher.get("group", 3))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(Some(9))));
        assert_eq!(*asked.lock().unwrap(), [[3]]);
    }

    #[tokio::test(start_paused = true)]
    async fn groups_do_not_mix_and_later_questions_are_asked_again() {
        let (batcher, asked) = squares(LIMITS);
        let (left, right) = tokio::join!(batcher.get("left", 2), batcher.get("right", 3));
        assert_eq!((left, right), (Ok(Some(4)), Ok(Some(9))));
        assert_eq!(batcher.get("left", 2).await, Ok(Some(4)));
        assert_eq!(asked.lock().unwrap().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_the_answer_leaves_out_is_none() {
        let (batcher, _) = squares(LIMITS);
        let (seven, eight) = tokio::join!(batcher.get("group", 7), batcher.get("group", 8));
        assert_eq!((seven, eight), (Ok(None), Ok(Some(64))));
    }

    #[tokio::test(start_paused = true)]
    async fn one_bad_key_harms_only_itself() {
        let (batcher, asked) = squares(LIMITS);
        let answers = join_all((10..20).map(|key| batcher.get("group", key))).await;
        for (key, answer) in (10..20).zip(answers) {
            let expected = if key == 13 { Err(error(Kind::Refused)) } else { Ok(Some(key * key)) };
            assert_eq!(answer, expected, "{key}");
        }
        // Halves, and halves of the half that holds the bad key: not one call for each key.
        assert!(asked.lock().unwrap().len() <= 9);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_reaches_every_caller_of_the_batch_and_is_not_repeated() {
        let calls = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&calls);
        let batcher: Batcher<(), u32, u32> = Batcher::new(LIMITS, move |(), _| {
            *counted.lock().unwrap() += 1;
            async { Err(error(Kind::Throttled)) }
        });
        let answers = join_all((0..10).map(|key| batcher.get((), key))).await;
        assert!(answers.iter().all(|answer| *answer == Err(error(Kind::Throttled))));
        assert_eq!(*calls.lock().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn batches_fill_while_calls_are_under_way() {
        let (batcher, asked) = squares(BatchLimits { in_flight: 1, ..LIMITS });
        let callers = (20..50).map(|key| {
            let batcher = batcher.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(u64::from(key) * 30)).await;
                batcher.get("group", key).await
            }
        });
        join_all(callers).await;
        // They come one by one over 900 ms; without waiting for the call under way it would take 30 calls.
        assert!(asked.lock().unwrap().len() <= 4, "{:?}", asked.lock().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_others_their_answer() {
        let (batcher, asked) = squares(LIMITS);
        let impatient = tokio::time::timeout(Duration::from_millis(5), batcher.get("group", 2));
        let during = tokio::time::timeout(Duration::from_millis(500), batcher.get("group", 4));
        let (impatient, during, patient) = tokio::join!(impatient, during, batcher.get("group", 3));
        assert!(impatient.is_err() && during.is_err());
        assert_eq!(patient, Ok(Some(9)));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_without_callers_is_gone() {
        let (batcher, asked) = squares(LIMITS);
        for key in 0..100 {
            let answer = tokio::time::timeout(Duration::from_millis(5), batcher.get("group", key));
            assert!(answer.await.is_err());
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(asked.lock().unwrap().is_empty());
        assert_eq!(batcher.get("group", 3).await, Ok(Some(9)));
        assert_eq!(*asked.lock().unwrap(), [[3]]);
        assert_eq!(batcher.inner.in_flight.available_permits(), 2);
        assert!(batcher.inner.open.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn callers_on_many_threads_share_batches_too() {
        let (batcher, _) = squares(BatchLimits { in_flight: 64, ..LIMITS });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let callers: Vec<_> = (100..300)
            .map(|key| {
                let batcher = batcher.clone();
                runtime.spawn(async move { (key, batcher.get("group", key).await) })
            })
            .collect();
        for caller in callers {
            let (key, answer) = caller.await.unwrap();
            assert_eq!(answer, Ok(Some(key * key)));
        }
        runtime.shutdown_background();
    }
}
