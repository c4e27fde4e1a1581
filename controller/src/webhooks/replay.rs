//! Which calls have been received, as far back as is remembered.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

/// How many marks are remembered of one webhook; the oldest goes first.
const REMEMBERED: usize = 4096;
/// How long a body that comes again is taken for the call that came before. Later it may be a new one: a branch that is moved
/// there and back twice is told in the same words each time.
pub(super) const BODY_TIME: SignedDuration = SignedDuration::from_hours(1);

/// What a call is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    hash: [u8; 32],
    is_body: bool,
}

impl Mark {
    /// What no other call has: the number that the host gave it, or a signature that covers its time.
    pub(super) fn of_call(bytes: &[u8]) -> Self {
        Self { hash: hash(b"call\0", bytes), is_body: false }
    }

    /// What it says, which another call may say as well.
    pub(super) fn of_body(bytes: &[u8]) -> Self {
        Self { hash: hash(b"body\0", bytes), is_body: true }
    }
}

fn hash(kind: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update(bytes).finalize().into()
}

/// The marks of the last calls.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// When each was last seen, and which of all marks that was.
    known: HashMap<[u8; 32], (Timestamp, u64)>,
    order: VecDeque<([u8; 32], u64)>,
    count: u64,
}

impl Replays {
    /// Remembers the marks of a call; whether none of them was known.
    pub(super) fn is_new(&mut self, marks: &[Mark], now: Timestamp) -> bool {
        if marks.iter().any(|mark| self.knows(*mark, now)) {
            return false;
        }
        for Mark { hash, .. } in marks {
            if self.order.len() >= REMEMBERED
                && let Some((oldest, number)) = self.order.pop_front()
                && self.known.get(&oldest).is_some_and(|(_, last)| *last == number)
            {
                self.known.remove(&oldest);
            }
            self.count += 1;
            self.known.insert(*hash, (now, self.count));
            self.order.push_back((*hash, self.count));
        }
        true
    }

    fn knows(&self, mark: Mark, now: Timestamp) -> bool {
        let seen = self.known.get(&mark.hash);
        seen.is_some_and(|(at, _)| !mark.is_body || now.duration_since(*at) < BODY_TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn call(number: usize) -> Mark {
        Mark::of_call(number.to_string().as_bytes())
    }

    #[test]
    fn what_was_received_is_known_and_memory_is_bounded() {
        let mut replays = Replays::default();
        assert!(replays.is_new(&[call(0), call(1)], NOW));
        assert!(!replays.is_new(&[call(2), call(1)], NOW), "one known mark is enough");
        assert!(replays.is_new(&[call(2)], NOW), "and then nothing was remembered");
        assert_ne!(Mark::of_call(b"x").hash, Mark::of_body(b"x").hash);
        for number in 10..10_000 {
            assert!(replays.is_new(&[call(number)], NOW));
        }
        assert_eq!((replays.known.len(), replays.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!replays.is_new(&[call(9_999)], NOW));
    }

    #[test]
    fn a_body_is_known_for_an_hour_and_the_number_of_a_call_for_longer() {
        let mut replays = Replays::default();
        let (body, number) = (Mark::of_body(b"{}"), call(0));
        let at = |seconds| NOW + SignedDuration::from_secs(seconds);
        assert!(replays.is_new(&[number, body], at(0)));
        assert!(!replays.is_new(&[call(1), body], at(3_599)));
        assert!(replays.is_new(&[call(1), body], at(3_600)));
        assert!(!replays.is_new(&[call(2), body], at(7_000)), "the hour begins anew");
        assert!(!replays.is_new(&[number], at(1_000_000)));
        // Its first entry goes, and the one that took its place stays.
        for number in 10..10 + REMEMBERED - 2 {
            assert!(replays.is_new(&[call(number)], at(3_600)));
        }
        assert!(!replays.is_new(&[call(3), body], at(3_601)));
    }
}
