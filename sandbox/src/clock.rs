//! The world's time as a function of tokio's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The world's time: `origin` when this value was made, then `scale` times as fast as tokio's clock.
#[derive(Debug, Clone, Copy)]
pub struct SandboxTime {
    origin: Timestamp,
    scale: f64,
    started: Instant,
}

impl SandboxTime {
    /// Time that stands at `origin` now; must be called within a tokio runtime if its clock is paused.
    pub fn new(origin: Timestamp, scale: f64) -> Self {
        Self { origin, scale, started: Instant::now() }
    }

    /// The world's time now.
    pub fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().as_secs_f64() * self.scale;
        let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::MAX);
        self.origin.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}

/// `duration` after `when`, or the end of time.
pub(crate) fn after(when: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| when.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Epoch seconds with a fraction of milliseconds, the wire form of times (aws.md §0).
pub(crate) fn epoch(when: Timestamp) -> f64 {
    let millis = Timestamp::from_millisecond(when.as_millisecond()).unwrap_or(when);
    millis.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}
