//! What must hold whatever bytes come in from outside: one function for each kind of input, which panics where it does not.
//!
//! libFuzzer runs them for as long as one likes (`fuzz/`); the tests here run them over the committed corpus and over
//! disturbed copies of it.

#[cfg(test)]
mod corpus;
mod listing;
mod ranges;
mod releases;
mod spec;
mod tags;
mod tfstate;
mod webhook;

pub use listing::listing;
pub use ranges::ranges;
pub use spec::spec;
pub use tags::tags;
pub use tfstate::tfstate;
pub use webhook::{hmac, webhook};

/// The longest text that a message may be, be the input as long as it likes.
const MESSAGE_MAX: usize = 2_000;

/// A message, or a part of one, has one line, and not a long one.
fn assert_tellable(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.chars().count() <= MESSAGE_MAX, "{text}");
}

/// A number that follows from the bytes, for choices that they do not make themselves.
fn seed(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
