//! Every attempt goes through here: it waits for its token, is counted, and, if it only reads, is tried again.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::error::{Error, Kind};
use super::meter::Meter;
use super::operation::Operation;
use super::pacing::{Pacer, Pacing, Place};

/// How often a read is tried, the first time included.
pub const READ_TRIES_MAX: usize = 5;

/// The longest time that the pauses between the tries of one read add up to.
const READ_PAUSES_MAX: Duration = Duration::from_secs(20);

/// What all targets have in common: buckets, counters, and the source of jitter.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) meter: Meter,
    pacing: Pacing,
    seeds: Arc<Mutex<fastrand::Rng>>,
}

impl Calls {
    pub(super) fn new(meter: Meter, seed: u64) -> Self {
        let seeds = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        Self { meter, pacing: Pacing::default(), seeds }
    }

    /// The bucket that `operation` draws on at `place`.
    pub(super) fn pacer(&self, operation: Operation, place: &Place) -> Option<Arc<Pacer>> {
        operation.family().map(|family| self.pacing.pacer(place, family, &self.meter))
    }

    /// Makes one attempt.
    pub(super) async fn once<T>(
        &self,
        operation: Operation,
        pacer: Option<&Pacer>,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if let Some(pacer) = pacer {
            pacer.acquire().await;
        }
        let result = attempt.await;
        let code = code_of(&result);
        self.meter.count_attempt(operation, code);
        tracing::debug!(
            service = operation.service(),
            operation = operation.name(),
            code,
            "called"
        );
        if let (Some(pacer), Err(Error { kind: Kind::Throttled, .. })) = (pacer, &result) {
            pacer.throttled();
        }
        result
    }

    /// Makes attempts until one succeeds, fails for good, or enough were made. Only for calls that change nothing.
    pub(super) async fn repeat<T, Attempt>(
        &self,
        operation: Operation,
        pacer: Option<&Pacer>,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Error>
    where
        Attempt: Future<Output = Result<T, Error>>,
    {
        let tries = || self.once(operation, pacer, attempt());
        tries.retry(self.pauses()).sleep(tokio::time::sleep).when(can_try_again).await
    }

    fn pauses(&self) -> ExponentialBuilder {
        let seed = self.seeds.lock().unwrap_or_else(PoisonError::into_inner).u64(..);
        ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_factor(2.0)
            .with_jitter()
            .with_jitter_seed(seed)
            .with_max_times(READ_TRIES_MAX - 1)
            .with_total_delay(Some(READ_PAUSES_MAX))
    }
}

fn can_try_again(error: &Error) -> bool {
    match error.kind {
        Kind::Throttled | Kind::Transient => true,
        Kind::Denied | Kind::NotFound | Kind::Refused | Kind::Ambiguous => false,
    }
}

/// What an attempt is counted under.
fn code_of<T>(result: &Result<T, Error>) -> &str {
    match result {
        Ok(_) => "OK",
        Err(error) => error.code.as_deref().unwrap_or(match error.kind {
            Kind::Throttled => "throttled",
            Kind::Denied => "denied",
            Kind::NotFound => "not-found",
            Kind::Refused => "refused",
            Kind::Transient | Kind::Ambiguous => "no-answer",
        }),
    }
}
