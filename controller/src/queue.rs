//! The keyed delay queue: each key stands in it once, however many triggers named it, and is worked on by one worker at a time.
//!
//! What comes in: keys with a priority and a time. What leaves: the next key that is due, urgent ones first. Guarantees: a key
//! that is being worked on is not handed out again until [`Queue::done`]; what is added for it meanwhile is kept; the earliest
//! time and the higher priority win. Why a key was added is deliberately not kept: a turn reads the world, not the cause.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The first delay after a failure; each further one doubles it.
const BACKOFF_FIRST: Duration = Duration::from_secs(2);
/// The longest delay after failures.
const BACKOFF_MAX: Duration = Duration::from_mins(5);

/// How urgent a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A spec changed, or a person asked.
    Urgent,
    /// A rollout is under way.
    Rollout,
    /// Just the regular look at everything.
    Resync,
}

/// A queue of keys, shared by its clones.
#[derive(Debug)]
pub struct Queue<K>(Arc<Shared<K>>);

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Shared<K> {
    state: Mutex<State<K>>,
    wake: Notify,
}

#[derive(Debug)]
struct State<K> {
    entries: HashMap<K, Entry>,
    waiting: BTreeMap<(Instant, u64), K>,
    due: BTreeMap<(Priority, u64), K>,
    working: HashSet<K>,
    failures: HashMap<K, u32>,
    random: fastrand::Rng,
    next_number: u64,
    is_closed: bool,
    added: u64,
    retried: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Instant,
    priority: Priority,
    number: u64,
    is_due: bool,
}

/// Numbers for the metrics page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Keys that are due and wait for a worker.
    pub due: usize,
    /// Keys that wait for their time.
    pub waiting: usize,
    /// Keys that are being worked on.
    pub working: usize,
    /// How often a key was added since the start.
    pub added: u64,
    /// How often a key came back after a failure since the start.
    pub retried: u64,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// An empty queue; the seed decides the jitter of the back-off.
    pub fn new(seed: u64) -> Self {
        let state = State {
            entries: HashMap::new(),
            waiting: BTreeMap::new(),
            due: BTreeMap::new(),
            working: HashSet::new(),
            failures: HashMap::new(),
            random: fastrand::Rng::with_seed(seed),
            next_number: 0,
            is_closed: false,
            added: 0,
            retried: 0,
        };
        Self(Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a turn as soon as possible.
    pub fn add(&self, key: K, priority: Priority) {
        self.add_at(key, priority, Instant::now());
    }

    /// Asks for a turn at a time.
    pub fn add_at(&self, key: K, priority: Priority, at: Instant) {
        let mut state = self.lock();
        if !state.is_closed {
            state.added += 1;
            state.insert(key, priority, at);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// Says that a key's turn is over; `failed` asks for another one after a delay that grows with each failure.
    pub fn done(&self, key: &K, failed: bool) {
        let mut state = self.lock();
        state.working.remove(key);
        if failed {
            state.retried += 1;
            let failures = state.failures.entry(key.clone()).or_default();
            *failures = failures.saturating_add(1);
            let exponent = failures.saturating_sub(1).min(16);
            let delay = BACKOFF_FIRST.saturating_mul(1 << exponent).min(BACKOFF_MAX);
            let jittered = delay.mul_f64(0.75 + state.random.f64() / 2.0);
            let at = Instant::now() + jittered;
            state.insert(key.clone(), Priority::Rollout, at);
        } else {
            state.failures.remove(key);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// The next key that is due; `None` when the queue was closed. Safe to cancel.
    pub async fn next(&self) -> Option<K> {
        loop {
            let notified = self.0.wake.notified();
            let deadline = {
                let mut state = self.lock();
                if state.is_closed {
                    self.0.wake.notify_waiters();
                    return None;
                }
                if let Some(key) = state.take(Instant::now()) {
                    drop(state);
                    self.0.wake.notify_one();
                    return Some(key);
                }
                state.waiting.keys().next().map(|(at, _)| *at)
            };
            match deadline {
                Some(at) => tokio::select! {
                    () = notified => {}
                    () = tokio::time::sleep_until(at) => {}
                },
                None => notified.await,
            }
        }
    }

    /// Hands nothing out any more.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.0.wake.notify_waiters();
        self.0.wake.notify_one();
    }

    /// Forgets a key that nothing wants any more.
    pub fn forget(&self, key: &K) {
        let mut state = self.lock();
        state.remove(key);
        state.failures.remove(key);
    }

    /// How full the queue is.
    pub fn depth(&self) -> Depth {
        let state = self.lock();
        Depth {
            due: state.due.len(),
            waiting: state.waiting.len(),
            working: state.working.len(),
            added: state.added,
            retried: state.retried,
        }
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn insert(&mut self, key: K, priority: Priority, at: Instant) {
        let (priority, at) = match self.entries.get(&key) {
            Some(entry) if entry.is_due && entry.priority <= priority => return,
            Some(entry) if entry.is_due => (priority, entry.at),
            Some(entry) => (priority.min(entry.priority), at.min(entry.at)),
            None => (priority, at),
        };
        self.remove(&key);
        let number = self.next_number;
        self.next_number += 1;
        self.entries.insert(key.clone(), Entry { at, priority, number, is_due: false });
        self.waiting.insert((at, number), key);
    }

    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            if entry.is_due {
                self.due.remove(&(entry.priority, entry.number));
            } else {
                self.waiting.remove(&(entry.at, entry.number));
            }
        }
    }

    fn take(&mut self, now: Instant) -> Option<K> {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            let key = first.remove();
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.is_due = true;
                self.due.insert((entry.priority, entry.number), key);
            }
        }
        let position = self
            .due
            .iter()
            .find(|(_, key)| !self.working.contains(*key))
            .map(|(position, _)| *position)?;
        let key = self.due.remove(&position)?;
        self.entries.remove(&key);
        self.working.insert(key.clone());
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    async fn next_within(queue: &Queue<&'static str>, limit: Duration) -> Option<&'static str> {
        timeout(limit, queue.next()).await.ok().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_named_often_is_handed_out_once() {
        let queue = Queue::new(1);
        for _ in 0..5 {
            queue.add("web", Priority::Resync);
        }
        assert_eq!(queue.next().await, Some("web"));
        assert_eq!(next_within(&queue, Duration::from_mins(1)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn urgent_keys_overtake_the_regular_look() {
        let queue = Queue::new(1);
        queue.add("a", Priority::Resync);
        queue.add("b", Priority::Resync);
        queue.add("c", Priority::Urgent);
        queue.add("b", Priority::Urgent);
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(queue.next().await.unwrap());
        }
        assert_eq!(order, ["c", "b", "a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_time_wins() {
        let queue = Queue::new(1);
        let now = Instant::now();
        queue.add_at("web", Priority::Rollout, now + Duration::from_mins(1));
        queue.add_at("web", Priority::Resync, now + Duration::from_secs(10));
        queue.add_at("web", Priority::Resync, now + Duration::from_secs(30));
        assert_eq!(queue.next().await, Some("web"));
        assert_eq!(now.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn one_worker_a_key_and_what_came_meanwhile_is_kept() {
        let queue = Queue::new(1);
        queue.add("web", Priority::Urgent);
        assert_eq!(queue.next().await, Some("web"));
        queue.add("web", Priority::Urgent);
        assert_eq!(
            next_within(&queue, Duration::from_mins(1)).await,
            None,
            "it is being worked on"
        );
        queue.done(&"web", false);
        assert_eq!(
            next_within(&queue, Duration::ZERO + Duration::from_millis(1)).await,
            Some("web")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn failures_back_off_up_to_five_minutes_and_success_forgets_them() {
        let queue = Queue::new(7);
        queue.add("web", Priority::Urgent);
        let mut delays = Vec::new();
        for _ in 0..12 {
            let before = Instant::now();
            queue.next().await.unwrap();
            delays.push(before.elapsed().as_secs_f64());
            queue.done(&"web", true);
        }
        assert!(delays[1] >= 1.5 && delays[1] <= 2.5, "{delays:?}");
        assert!(delays[2] > delays[1] && delays[3] > delays[2], "{delays:?}");
        assert!(delays[11] <= 375.0 && delays[11] >= 225.0, "{delays:?}");
        queue.next().await.unwrap();
        queue.done(&"web", false);
        queue.add("web", Priority::Urgent);
        queue.next().await.unwrap();
        let before = Instant::now();
        queue.done(&"web", true);
        queue.next().await.unwrap();
        assert!(before.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_queue_lets_every_worker_go() {
        let queue: Queue<&'static str> = Queue::new(1);
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.next().await })
            })
            .collect();
        advance(Duration::from_millis(1)).await;
        queue.close();
        for worker in workers {
            assert_eq!(worker.await.unwrap(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_worker_sees_an_earlier_key() {
        let queue = Queue::new(1);
        queue.add_at("late", Priority::Resync, Instant::now() + Duration::from_mins(10));
        let worker = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.next().await })
        };
        advance(Duration::from_secs(1)).await;
        queue.add("early", Priority::Urgent);
        assert_eq!(worker.await.unwrap(), Some("early"));
    }
}
