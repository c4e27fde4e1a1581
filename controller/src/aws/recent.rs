//! Answers that may be a little old, shared by everybody who asks within that time.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;

/// Answers that are kept; the oldest goes first.
const ENTRIES_MAX: usize = 20_000;

/// An answer, and when it was asked for.
type Kept<V> = (Instant, Result<V, Error>);

/// The newest answer about each key, refusals included: what may not be read now may not be read a second later either.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    answers: Mutex<HashMap<K, Kept<V>>>,
    /// Held, key by key, by whoever asks; the others wait for the answer.
    asking: Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { answers: Mutex::default(), asking: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    /// The answer about `key`, if it is not older than `age_max`; otherwise what `ask` says now.
    pub(super) async fn get<Asking>(
        &self,
        key: &K,
        age_max: Duration,
        ask: impl FnOnce() -> Asking,
    ) -> Result<V, Error>
    where
        Asking: Future<Output = Result<V, Error>>,
    {
        if let Some(answer) = self.known(key, age_max) {
            return answer;
        }
        let turn = self.turn(key);
        let _turn = turn.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(answer) = self.known(key, age_max) {
            return answer;
        }
        let answer = ask().await;
        self.keep(key, answer.clone());
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        answer
    }

    /// Lets the next question about these keys be asked anew.
    pub(super) fn forget(&self, is_one: impl Fn(&K) -> bool) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|key, _| !is_one(key));
    }

    /// How many answers are kept.
    pub(super) fn len(&self) -> usize {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn turn(&self, key: &K) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(asking.entry(key.clone()).or_default())
    }

    fn known(&self, key: &K, age_max: Duration) -> Option<Result<V, Error>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = answers.get(key)?;
        (at.elapsed() < age_max).then(|| answer.clone())
    }

    fn keep(&self, key: &K, answer: Result<V, Error>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ENTRIES_MAX && !answers.contains_key(key) {
            let oldest = answers.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                answers.remove(&oldest);
            }
        }
        answers.insert(key.clone(), (Instant::now(), answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::error::Kind;
    use crate::aws::operation::Operation;

    #[tokio::test(start_paused = true)]
    async fn an_answer_serves_everybody_until_it_is_too_old() {
        let recent: Recent<&str, u32> = Recent::default();
        let (minute, second) = (Duration::from_mins(1), Duration::from_secs(1));
        assert_eq!(recent.get(&"a", minute, || async { Ok(1) }).await, Ok(1));
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(recent.get(&"a", minute, || async { Ok(2) }).await, Ok(1));
        assert_eq!(recent.get(&"a", second, || async { Ok(3) }).await, Ok(3));
        assert_eq!(recent.get(&"b", minute, || async { Ok(4) }).await, Ok(4));
        assert_eq!(recent.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_ask_together() {
        let recent: Recent<&str, u32> = Recent::default();
        let asked = std::sync::atomic::AtomicU32::new(0);
        let ask = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        };
        let callers = (0..20).map(|_| recent.get(&"a", Duration::from_mins(1), ask));
        let answers = futures_util::future::join_all(callers).await;
        assert!(answers.iter().all(|answer| *answer == Ok(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_an_answer_too() {
        let recent: Recent<&str, u32> = Recent::default();
        let refused = Error::unanswered(Operation::DescribeAlarms, "a", Kind::Denied, "no");
        let answer = Err(refused);
        let first = recent.get(&"a", Duration::from_mins(1), || async { answer.clone() }).await;
        let second = recent.get(&"a", Duration::from_mins(1), || async { Ok(1) }).await;
        assert_eq!((first, second), (answer.clone(), answer.clone()));
    }
}
