//! What is read for all services at once and kept for a while.
//!
//! Application Auto Scaling describes policies ten a page and takes no list of services, so that asking for each service at
//! each turn would cost more than everything else. One listing serves everybody until it is out of date; the more calls it
//! takes, the longer it is kept, so that listings take less than a call a minute. What was changed, or has to be newer, is
//! forgotten and read again: alone while it is a few keys, with a listing when that is cheaper.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use super::batch::{BatchLimits, Batcher};
use super::error::Error;

/// The shortest time for which a listing is kept.
const KEPT_MIN: Duration = Duration::from_mins(10);
/// The longest one.
const KEPT_MAX: Duration = Duration::from_hours(2);
/// How long a listing is kept for each call that it took.
const KEPT_A_CALL: Duration = Duration::from_secs(75);
/// For how many services listings may take one more call a minute.
const SERVICES_A_CALL: usize = 500;
/// A reading of this age is as good as a new one.
const NEW: Duration = Duration::from_secs(10);
/// So many keys are always read alone rather than listed.
const ALONE: usize = 3;

const LIMITS: BatchLimits =
    BatchLimits { keys: 10_000, window: Duration::from_millis(10), in_flight: 1 };

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything there is.
    Everything,
    /// These keys only.
    Only(Vec<String>),
}

/// What an answer holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By key; what is missing here is not there.
    pub(super) values: HashMap<String, Value>,
    /// How many calls it took.
    pub(super) calls: u32,
}

/// Readings by key. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Readings {
    kept: Arc<Mutex<Kept>>,
    batcher: Batcher<(), String, Arc<Value>>,
}

#[derive(Debug)]
struct Kept {
    /// How many calls a key takes alone.
    calls_alone: u32,
    /// As text: parsed JSON takes several times the memory.
    readings: HashMap<String, Reading>,
    /// What was forgotten, and when: a reading that began before does not count.
    forgotten: HashMap<String, Instant>,
    round: u64,
    began: Instant,
    due: Instant,
    /// Calls that readings of this round took because the last round was over.
    calls: u32,
    /// Calls that the last listing took.
    listing: u32,
}

#[derive(Debug)]
struct Reading {
    text: Box<str>,
    round: u64,
    /// The round in which somebody asked for it last.
    asked: u64,
    began: Instant,
}

impl Readings {
    /// Nothing read yet. `read` asks AWS; `calls_alone` is what it takes for one key.
    pub(super) fn new<F, Asking>(calls_alone: u32, read: F) -> Self
    where
        F: Fn(Scope) -> Asking + Send + Sync + 'static,
        Asking: Future<Output = Result<Found, Error>> + Send + 'static,
    {
        let now = Instant::now();
        let kept = Arc::new(Mutex::new(Kept {
            calls_alone,
            readings: HashMap::new(),
            forgotten: HashMap::new(),
            round: 0,
            began: now,
            due: now,
            calls: 0,
            listing: 0,
        }));
        let shared = Arc::clone(&kept);
        let batcher = Batcher::new(LIMITS, move |(), keys: Vec<String>| {
            let (scope, began, is_regular) = lock(&shared).plan(&keys);
            let answer: BoxFuture<'static, _> = match scope.clone() {
                Scope::Only(keys) if keys.is_empty() => async { Ok(Found::default()) }.boxed(),
                scope @ (Scope::Everything | Scope::Only(_)) => read(scope).boxed(),
            };
            let shared = Arc::clone(&shared);
            async move {
                let found = answer.await?;
                let mut kept = lock(&shared);
                kept.store(&scope, &keys, found, began, is_regular);
                Ok(keys.into_iter().map(|key| (key.clone(), Ok(kept.value(&key)))).collect())
            }
        });
        Self { kept, batcher }
    }

    /// What is known of a key; `null` if there is nothing.
    pub(super) async fn get(&self, key: &str) -> Result<Arc<Value>, Error> {
        let known = {
            let mut kept = lock(&self.kept);
            kept.note_asked(key);
            kept.is_valid(key).then(|| kept.value(key))
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = self.batcher.get((), key.to_owned()).await;
        Ok(answer.map_err(|error| error.about(key))?.unwrap_or_default())
    }

    /// The same, read a moment ago at the most.
    pub(super) async fn newest(&self, key: &str) -> Result<Arc<Value>, Error> {
        if lock(&self.kept).age(key).is_none_or(|age| age > NEW) {
            self.forget(key);
        }
        self.get(key).await
    }

    /// Lets the next reading of a key be a new one.
    pub(super) fn forget(&self, key: &str) {
        let mut kept = lock(&self.kept);
        kept.forgotten.insert(key.to_owned(), Instant::now());
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    fn is_valid(&self, key: &str) -> bool {
        let is_of_this_round = self.readings.get(key).is_some_and(|one| one.round == self.round);
        is_of_this_round && Instant::now() < self.due && !self.is_forgotten(key)
    }

    fn note_asked(&mut self, key: &str) {
        let round = self.round;
        if let Some(reading) = self.readings.get_mut(key) {
            reading.asked = round;
        }
    }

    fn is_forgotten(&self, key: &str) -> bool {
        let (Some(when), Some(reading)) = (self.forgotten.get(key), self.readings.get(key)) else {
            return false;
        };
        reading.began <= *when
    }

    fn age(&self, key: &str) -> Option<Duration> {
        self.readings.get(key).filter(|_| self.is_valid(key)).map(|one| one.began.elapsed())
    }

    fn value(&self, key: &str) -> Arc<Value> {
        let text = self.readings.get(key).map(|reading| &reading.text);
        Arc::new(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    /// What to ask for so that all these keys are known; and whether it is asked because a round is over.
    fn plan(&mut self, keys: &[String]) -> (Scope, Instant, bool) {
        let now = Instant::now();
        if now >= self.due {
            self.round += 1;
            (self.began, self.due, self.calls) = (now, now + KEPT_MIN, 0);
        }
        let missing: Vec<String> = keys.iter().filter(|key| !self.is_valid(key)).cloned().collect();
        let is_old =
            |key: &String| self.readings.get(key).is_some_and(|one| one.round != self.round);
        let is_regular = missing.iter().any(is_old);
        let alone = (self.listing / self.calls_alone.max(1)) as usize;
        let scope = if missing.len() <= alone.max(ALONE) {
            Scope::Only(missing)
        } else {
            Scope::Everything
        };
        (scope, now, is_regular)
    }

    fn store(
        &mut self,
        scope: &Scope,
        asked: &[String],
        mut found: Found,
        began: Instant,
        is_regular: bool,
    ) {
        let keys: HashSet<String> = match scope {
            Scope::Everything => {
                // What nobody asks for any more is not kept.
                let round = self.round;
                self.readings.retain(|_, reading| reading.asked + 1 >= round);
                self.forgotten.retain(|key, _| self.readings.contains_key(key));
                self.readings.keys().chain(asked).cloned().collect()
            }
            Scope::Only(keys) => keys.iter().cloned().collect(),
        };
        for key in keys {
            let text = found.values.remove(&key).unwrap_or_default().to_string().into_boxed_str();
            let last = self.readings.get(&key).map(|reading| reading.asked);
            let asked = if asked.contains(&key) { self.round } else { last.unwrap_or(self.round) };
            let reading = Reading { text, round: self.round, asked, began };
            if self.forgotten.get(&key).is_some_and(|when| *when < began) {
                self.forgotten.remove(&key);
            }
            self.readings.insert(key, reading);
        }
        if *scope == Scope::Everything {
            self.listing = found.calls;
        }
        if is_regular {
            self.calls += found.calls;
            let share = u32::try_from(self.readings.len() / SERVICES_A_CALL).unwrap_or(u32::MAX);
            let kept = KEPT_A_CALL * self.calls / share.max(1);
            let kept = kept.clamp(KEPT_MIN, KEPT_MAX);
            self.due = self.began + kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::error::Kind;
    use crate::aws::operation::Operation;

    type Asked = Arc<Mutex<Vec<Scope>>>;

    /// Every key there is, with the number of the reading; a listing takes this many calls.
    fn readings(listing: u32) -> (Readings, Asked) {
        let asked = Asked::default();
        let record = Arc::clone(&asked);
        let readings = Readings::new(1, move |scope| {
            let mut asked = record.lock().unwrap();
            asked.push(scope.clone());
            let number = asked.len();
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let (keys, calls) = match scope {
                    Scope::Everything => ((0..50).map(|key| format!("k{key}")).collect(), listing),
                    Scope::Only(keys) => (keys, 1),
                };
                let keys = keys.into_iter().filter(|key: &String| key != "k7");
                Ok(Found { values: keys.map(|key| (key, json!(number))).collect(), calls })
            }
        });
        (readings, asked)
    }

    async fn all(readings: &Readings, count: usize) -> Vec<Value> {
        let keys: Vec<String> = (0..count).map(|key| format!("k{key}")).collect();
        let answers = keys.iter().map(|key| readings.get(key));
        let answers = futures_util::future::join_all(answers).await;
        answers.into_iter().map(|answer| (*answer.unwrap()).clone()).collect()
    }

    fn count(asked: &Asked) -> usize {
        asked.lock().unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn one_listing_serves_everybody_until_it_is_out_of_date() {
        let (readings, asked) = readings(5);
        let answers = all(&readings, 20).await;
        assert_eq!((&answers[0], &answers[7]), (&json!(1), &Value::Null));
        assert_eq!(*asked.lock().unwrap(), [Scope::Everything]);
        tokio::time::sleep(Duration::from_mins(9)).await;
        all(&readings, 20).await;
        assert_eq!(count(&asked), 1);
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(all(&readings, 20).await[0], json!(2));
        assert_eq!(count(&asked), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_of_many_calls_is_kept_longer() {
        let (readings, asked) = readings(30);
        for _ in 0..12 * 60 {
            all(&readings, 50).await;
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        // Less than one call a minute over twelve hours.
        assert!((18..=21).contains(&count(&asked)), "{}", count(&asked));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forgotten_is_read_alone() {
        let (readings, asked) = readings(5);
        all(&readings, 20).await;
        readings.forget("k3");
        assert_eq!(*readings.get("k3").await.unwrap(), json!(2));
        assert_eq!(*readings.get("k4").await.unwrap(), json!(1));
        assert_eq!(asked.lock().unwrap()[1], Scope::Only(vec!["k3".to_owned()]));
        assert_eq!(*readings.newest("k3").await.unwrap(), json!(2));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(*readings.newest("k3").await.unwrap(), json!(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_began_before_a_change_does_not_count() {
        let (readings, _) = readings(5);
        let (before, ()) = tokio::join!(readings.get("k3"), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            readings.forget("k3");
        });
        assert_eq!(*before.unwrap(), json!(1));
        assert_eq!(*readings.get("k3").await.unwrap(), json!(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_reading_is_no_reading() {
        let readings = Readings::new(1, |_| async {
            let operation = Operation::DescribeScalableTargets;
            Err(Error::unanswered(operation, "all", Kind::Transient, "no"))
        });
        let error = readings.get("k1").await.unwrap_err();
        assert_eq!(error.subject, "k1");
        assert!(readings.get("k1").await.is_err());
    }
}
