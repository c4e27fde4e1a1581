//! Identifiers that look like AWS's and are the same in every run: they are drawn from what they identify.

use sha2::{Digest, Sha256};

/// `length` lower-case hexadecimal digits, at most 64.
pub(crate) fn hexadecimal(seed: &str, length: usize) -> String {
    let mut digits = hex::encode(Sha256::digest(seed));
    digits.truncate(length);
    digits
}

/// A UUID of version 4.
pub(crate) fn uuid(seed: &str) -> String {
    let digits = hexadecimal(seed, 32);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// `length` letters and digits, at most 32.
pub(crate) fn alphanumeric(seed: &str, length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    Sha256::digest(seed)
        .iter()
        .take(length)
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_form_and_follow_their_seed() {
        let id = uuid("a");
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], &id[19..20]), ("4", "a"));
        assert_eq!(uuid("a"), id);
        assert_ne!(uuid("b"), id);
        assert_eq!(hexadecimal("a", 34).len(), 34);
        assert_eq!(alphanumeric("a", 6).len(), 6);
    }
}
