//! One token bucket per account, region and API family, half of it kept free for people and CI.
//!
//! AWS counts every caller of an account against the same bucket (aws.md §1.1), so Longshore draws on half of the
//! documented capacity and refill and leaves the rest alone. When AWS throttles nevertheless, somebody else is using more
//! than the other half: the bucket is emptied, closed for a moment, and its rate halved; it recovers over two minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::meter::Meter;
use super::operation::{Family, Quota};

/// The part of a documented quota that Longshore uses.
pub const SHARE: f64 = 0.5;

/// How long a bucket stays closed after AWS throttled a call. Throttles within it are one event.
const PAUSE: Duration = Duration::from_secs(1);

/// The time in which a rate recovers from nothing to all of our share.
const RECOVERY_SECS: f64 = 120.0;

/// The slowest rate, as a part of our share: even a throttled account is asked now and then.
const RATE_MIN: f64 = 1.0 / 16.0;

/// The buckets of every account and region. Clones draw on the same buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Pacing {
    buckets: Arc<Mutex<Buckets>>,
}

type Buckets = HashMap<(Place, Family), Arc<Pacer>>;

/// Where AWS keeps a bucket: an account and a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

impl Pacing {
    /// The bucket of `family` at `place`, shared by every target that points there.
    pub(super) fn pacer(&self, place: &Place, family: Family, meter: &Meter) -> Arc<Pacer> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let pacer = buckets
            .entry((place.clone(), family))
            .or_insert_with(|| Arc::new(Pacer::new(family, meter.clone())));
        Arc::clone(pacer)
    }
}

/// One token bucket that hands out its tokens in the order in which they were asked for.
#[derive(Debug)]
pub(super) struct Pacer {
    family: Family,
    meter: Meter,
    /// Held by the caller whose turn it is while it waits: tokio's mutex is first come, first served.
    turn: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Pacer {
    fn new(family: Family, meter: Meter) -> Self {
        let bucket = Mutex::new(Bucket::full(share_of(family.documented())));
        Self { family, meter, turn: tokio::sync::Mutex::new(()), bucket }
    }

    /// Waits for a token. A caller that gives up waiting takes none.
    pub(super) async fn acquire(&self) {
        let asked = Instant::now();
        let _turn = self.turn.lock().await;
        loop {
            let step = self.with_bucket(|bucket| bucket.take(Instant::now()));
            match step {
                Step::Taken => break,
                Step::NotBefore(instant) => sleep_until(instant).await,
            }
        }
        let waited = asked.elapsed();
        if !waited.is_zero() {
            self.meter.count_wait(self.family, waited);
        }
    }

    /// Whether at least half of what the bucket holds is there, and nobody waits for a token.
    pub(super) fn has_room(&self) -> bool {
        self.turn.try_lock().is_ok()
            && self.with_bucket(|bucket| bucket.is_half_full(Instant::now()))
    }

    /// Takes note that AWS throttled a call of this family.
    pub(super) fn throttled(&self) {
        self.meter.count_throttle(self.family);
        let slowed = self.with_bucket(|bucket| bucket.throttle(Instant::now()));
        if let Some(rate) = slowed {
            tracing::warn!(family = self.family.name(), rate, "throttled by AWS, slowing down");
        }
    }

    fn with_bucket<T>(&self, change: impl FnOnce(&mut Bucket) -> T) -> T {
        change(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn share_of(documented: Quota) -> Quota {
    Quota { capacity: documented.capacity * SHARE, refill: documented.refill * SHARE }
}

/// What came of asking for a token.
enum Step {
    Taken,
    NotBefore(Instant),
}

#[derive(Debug)]
struct Bucket {
    quota: Quota,
    tokens: f64,
    /// Tokens a second at present: `quota.refill`, less after a throttle.
    rate: f64,
    refilled: Instant,
    closed_until: Option<Instant>,
}

impl Bucket {
    fn full(quota: Quota) -> Self {
        let refilled = Instant::now();
        Self { quota, tokens: quota.capacity, rate: quota.refill, refilled, closed_until: None }
    }

    fn take(&mut self, now: Instant) -> Step {
        self.refill(now);
        if let Some(closed_until) = self.closed_until.filter(|until| *until > now) {
            return Step::NotBefore(closed_until);
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Step::Taken;
        }
        // Rounded up to tokio's grain of a millisecond, or the caller would wake a moment too early and spin.
        let missing = Duration::from_secs_f64((1.0 - self.tokens) / self.rate);
        Step::NotBefore(now + missing + Duration::from_millis(1))
    }

    fn is_half_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        let is_open = self.closed_until.is_none_or(|until| until <= now);
        is_open && self.tokens >= self.quota.capacity / 2.0
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate).min(self.quota.capacity);
        self.rate =
            (self.rate + elapsed * self.quota.refill / RECOVERY_SECS).min(self.quota.refill);
        self.refilled = now;
    }

    /// Slows down once per pause; answers with the new rate if it did.
    fn throttle(&mut self, now: Instant) -> Option<f64> {
        self.refill(now);
        self.tokens = 0.0;
        if self.closed_until.is_some_and(|until| until > now) {
            return None;
        }
        self.rate = (self.rate / 2.0).max(self.quota.refill * RATE_MIN);
        self.closed_until = Some(now + PAUSE);
        Some(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    fn pacer(family: Family) -> Arc<Pacer> {
        let place = Place { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        Pacing::default().pacer(&place, family, &Meter::default())
    }

    /// When each of `count` callers, all asking at once, got its token.
    async fn grants(pacer: &Pacer, count: usize) -> Vec<Instant> {
        join_all((0..count).map(|_| async {
            pacer.acquire().await;
            Instant::now()
        }))
        .await
    }

    /// The most that any window of the grants exceeds half of the documented bucket by; negative if none does.
    fn excess(grants: &[Instant], family: Family) -> f64 {
        let documented = family.documented();
        let mut worst = f64::MIN;
        for (first, start) in grants.iter().enumerate() {
            for (last, end) in grants.iter().enumerate().skip(first) {
                let seconds = end.duration_since(*start).as_secs_f64();
                let allowed = (documented.capacity + documented.refill * seconds) * 0.5;
                let granted = f64::from(u32::try_from(last - first + 1).unwrap());
                worst = worst.max(granted - allowed);
            }
        }
        worst
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_half_the_documented_tokens() {
        for family in [Family::ServiceModify, Family::TaskDefinitionModify, Family::ServiceRead] {
            let pacer = pacer(family);
            let begun = Instant::now();
            let mut grants = grants(&pacer, 300).await;
            // A pause fills the bucket again, and the next rush may spend what it holds but no more.
            tokio::time::sleep(Duration::from_mins(10)).await;
            grants.extend(self::grants(&pacer, 100).await);
            assert!(excess(&grants, family) < 1e-6, "{family:?}: {}", excess(&grants, family));

            let half = share_of(family.documented());
            let fastest = (300.0 - half.capacity) / half.refill;
            let taken = grants[299].duration_since(begun).as_secs_f64();
            assert!(taken < fastest * 1.1, "{family:?} took {taken} s, could take {fastest} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_go_out_in_the_order_of_asking() {
        let pacer = pacer(Family::TaskDefinitionModify);
        let order = Mutex::new(Vec::new());
        join_all((0..40).map(|number| {
            let (pacer, order) = (&pacer, &order);
            async move {
                pacer.acquire().await;
                order.lock().unwrap().push(number);
            }
        }))
        .await;
        assert_eq!(*order.lock().unwrap(), (0..40).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_no_token() {
        let pacer = pacer(Family::TaskDefinitionModify);
        grants(&pacer, 10).await;
        let begun = Instant::now();
        let impatient =
            (0..50).map(|_| tokio::time::timeout(Duration::from_millis(500), pacer.acquire()));
        assert!(join_all(impatient).await.iter().all(Result::is_err));
        pacer.acquire().await;
        // The eleventh token comes two seconds after the tenth, as if nobody else had asked.
        let waited = begun.elapsed();
        assert!(waited < Duration::from_millis(2_100), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_while_half_is_left_and_nobody_waits() {
        let pacer = pacer(Family::TaskDefinitionModify);
        assert!(pacer.has_room());
        grants(&pacer, 6).await;
        assert!(!pacer.has_room(), "four of ten are left");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(pacer.has_room(), "three seconds bring one and a half");
        pacer.throttled();
        assert!(!pacer.has_room());
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_slows_down_and_the_rate_recovers() {
        let pacer = pacer(Family::ServiceRead);
        grants(&pacer, 10).await;
        for _ in 0..20 {
            // A rush of throttles is one event.
            pacer.throttled();
        }
        let begun = Instant::now();
        grants(&pacer, 20).await;
        let slowed = begun.elapsed().as_secs_f64();
        // At half of the usual ten a second, which recovers by a twelfth a second.
        assert!((3.0..5.5).contains(&slowed), "{slowed}");
        tokio::time::sleep(Duration::from_mins(3)).await;
        grants(&pacer, 50).await;
        let begun = Instant::now();
        grants(&pacer, 50).await;
        let recovered = begun.elapsed().as_secs_f64();
        assert!((4.9..5.2).contains(&recovered), "{recovered}");
        assert_eq!(pacer.meter.read().waits[&Family::ServiceRead].throttles, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn however_often_it_is_throttled_a_bucket_never_stops() {
        let pacer = pacer(Family::ServiceModify);
        for _ in 0..100 {
            pacer.throttled();
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let waited = tokio::time::timeout(Duration::from_secs(10), pacer.acquire()).await;
        assert!(waited.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn targets_of_one_account_and_region_share_a_bucket_and_others_do_not() {
        let pacing = Pacing::default();
        let place = |account: &str, region: &str| Place {
            account: account.to_owned(),
            region: region.to_owned(),
        };
        let pacer = |place| pacing.pacer(&place, Family::ServiceRead, &Meter::default());
        let first = pacer(place("111122223333", "eu-west-1"));
        assert!(Arc::ptr_eq(&first, &pacer(place("111122223333", "eu-west-1"))));
        assert!(!Arc::ptr_eq(&first, &pacer(place("111122223333", "us-east-1"))));
        assert!(!Arc::ptr_eq(&first, &pacer(place("444455556666", "eu-west-1"))));
    }
}
