//! Which calls have been received, as far back as is remembered.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

/// How many marks are remembered of one webhook; the oldest goes first.
const REMEMBERED: usize = 4096;

/// What a call is known by: its signature, or its number where nothing is signed.
pub(super) type Mark = [u8; 32];

/// A mark of any bytes.
pub(super) fn mark(kind: &str, bytes: &[u8]) -> Mark {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

/// The marks of the last calls.
#[derive(Debug, Default)]
pub(super) struct Replays {
    known: HashSet<Mark>,
    order: VecDeque<Mark>,
}

impl Replays {
    /// Remembers the marks of a call; whether none of them was known.
    pub(super) fn is_new(&mut self, marks: &[Mark]) -> bool {
        if marks.iter().any(|mark| self.known.contains(mark)) {
            return false;
        }
        for mark in marks {
            if self.order.len() >= REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            if self.known.insert(*mark) {
                self.order.push_back(*mark);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_received_is_known_and_memory_is_bounded() {
        let mut replays = Replays::default();
        let one = |number: usize| mark("id", number.to_string().as_bytes());
        assert!(replays.is_new(&[one(0), one(1)]));
        assert!(!replays.is_new(&[one(2), one(1)]), "one known mark is enough");
        assert!(replays.is_new(&[one(2)]), "and then nothing was remembered");
        assert_ne!(mark("id", b"x"), mark("signature", b"x"));
        for number in 10..10_000 {
            assert!(replays.is_new(&[one(number)]));
        }
        assert_eq!((replays.known.len(), replays.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!replays.is_new(&[one(9_999)]));
    }
}
