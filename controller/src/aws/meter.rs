//! What was asked of AWS and what it cost in waiting, counted for the metrics page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::operation::{Family, Operation};

/// Counters of every attempt and every wait. Clones count into the same place.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    counts: Arc<Mutex<MeterReading>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MeterReading {
    /// Attempts by operation and answer: `OK`, AWS's error code, or what kept an answer away.
    ///
    /// The number of codes is bounded: those beyond [`CODES_MAX`] of an operation are counted as `other`.
    pub requests: BTreeMap<(Operation, String), u64>,
    /// Waits for a token, by family.
    pub waits: BTreeMap<Family, WaitReading>,
}

/// Waits for the tokens of one family.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WaitReading {
    /// Calls that had to wait.
    pub waits: u64,
    /// How long they waited together.
    pub waited: Duration,
    /// Calls that AWS throttled nevertheless.
    pub throttles: u64,
}

/// How many different codes of one operation are told apart.
pub const CODES_MAX: usize = 32;

impl Meter {
    /// The counters now.
    pub fn read(&self) -> MeterReading {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often `operation` was sent, whatever came of it.
    pub fn sent(&self, operation: Operation) -> u64 {
        let reading = self.read();
        reading
            .requests
            .iter()
            .filter(|((sent, _), _)| *sent == operation)
            .map(|(_, count)| count)
            .sum()
    }

    pub(super) fn count_attempt(&self, operation: Operation, code: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.requests.contains_key(&(operation, code.to_owned()));
        let codes = counts.requests.keys().filter(|(sent, _)| *sent == operation).count();
        let code = if known || codes < CODES_MAX { code } else { "other" };
        *counts.requests.entry((operation, code.to_owned())).or_default() += 1;
    }

    pub(super) fn count_wait(&self, family: Family, waited: Duration) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = counts.waits.entry(family).or_default();
        reading.waits += 1;
        reading.waited += waited;
    }

    pub(super) fn count_throttle(&self, family: Family) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.waits.entry(family).or_default().throttles += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_codes_is_bounded() {
        let meter = Meter::default();
        for number in 0..1000 {
            meter.count_attempt(Operation::ListTasks, &format!("Code{number}"));
        }
        let reading = meter.read();
        assert_eq!(reading.requests.len(), CODES_MAX + 1);
        assert_eq!(reading.requests[&(Operation::ListTasks, "other".to_owned())], 968);
        assert_eq!(meter.sent(Operation::ListTasks), 1000);
    }
}
