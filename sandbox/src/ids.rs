//! Identifiers in the forms of aws.md §2.1.

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// 32 hexadecimal digits.
pub(crate) fn hex32(rng: &mut fastrand::Rng) -> String {
    format!("{:032x}", rng.u128(..))
}

/// 21 characters, the form of service-deployment ids.
pub(crate) fn letters21(rng: &mut fastrand::Rng) -> String {
    (0..21)
        .filter_map(|_| ALPHABET.get(rng.usize(..ALPHABET.len())))
        .map(|letter| char::from(*letter))
        .collect()
}

/// A number of 19 digits, the form of service-revision ids.
pub(crate) fn number19(rng: &mut fastrand::Rng) -> u64 {
    rng.u64(1_000_000_000_000_000_000..=9_223_372_036_854_775_807)
}

/// The form of request ids and event ids.
pub(crate) fn uuid(rng: &mut fastrand::Rng) -> String {
    let digits = hex32(rng);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
