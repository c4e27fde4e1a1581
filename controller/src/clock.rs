//! The time of day, as an argument: the only place that reads the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// What time it is: the machine's clock, or one that follows tokio's and can be paused.
///
/// A virtual clock shows `origin` at the moment of its making and then as much more as tokio's clock has moved, times
/// `scale`. With tokio's clock paused, days pass in a moment and every run shows the same times.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that follows tokio's.
    Virtual(VirtualClock),
}

/// A clock that follows tokio's, see [`Clock::virtual_from`].
#[derive(Debug, Clone)]
pub struct VirtualClock {
    origin: Timestamp,
    started: tokio::time::Instant,
    scale: f64,
    /// By how many milliseconds it was set forwards.
    set_by: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows `origin` now and keeps pace with tokio's clock.
    pub fn virtual_from(origin: Timestamp) -> Self {
        Self::scaled_from(origin, 1.0)
    }

    /// A clock that shows `origin` now and runs `scale` times as fast as tokio's clock.
    pub fn scaled_from(origin: Timestamp, scale: f64) -> Self {
        let started = tokio::time::Instant::now();
        Self::Virtual(VirtualClock { origin, started, scale, set_by: Arc::default() })
    }

    /// Sets a virtual clock and its clones forwards or backwards, as happens to the clock of a machine. The machine's own
    /// clock is left alone.
    pub fn set_by(&self, jump: SignedDuration) {
        if let Self::Virtual(clock) = self {
            let milliseconds = i64::try_from(jump.as_millis()).unwrap_or_default();
            clock.set_by.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the place that the lint sends to"
            )]
            Self::System => Timestamp::now(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// The time now in the standard library's type, which HTTP and TLS libraries ask for.
    pub fn system_time(&self) -> SystemTime {
        self.now().into()
    }
}

impl VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed =
            Duration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * self.scale);
        // A clock that has left jiff's range of years stands still at the end of it.
        elapsed
            .ok()
            .and_then(|elapsed| self.origin.checked_add(elapsed).ok())
            .and_then(|now| now.checked_add(self.jump()).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn jump(&self) -> SignedDuration {
        SignedDuration::from_millis(self.set_by.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_follows_tokio() {
        let origin: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let (plain, fast) = (Clock::virtual_from(origin), Clock::scaled_from(origin, 60.0));
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(plain.now().to_string(), "2026-11-01T00:01:30Z");
        assert_eq!(fast.now().to_string(), "2026-11-01T01:30:00Z");
        assert_eq!(SystemTime::from(plain.now()), plain.system_time());
        let clone = plain.clone();
        plain.set_by(SignedDuration::from_mins(-2));
        assert_eq!(clone.now().to_string(), "2026-10-31T23:59:30Z");
    }

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_never_overflows() {
        let clock = Clock::scaled_from(Timestamp::MAX, 1e300);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn the_system_clock_moves_on() {
        let origin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(Clock::System.now() > origin);
    }
}
