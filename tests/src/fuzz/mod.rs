//! What must hold whatever bytes come in from outside: one function for each kind of input, which panics where it does not.
//!
//! libFuzzer runs them for as long as one likes (`fuzz/`); the tests here run them over the committed corpus and over
//! disturbed copies of it.

#[cfg(test)]
mod corpus;
mod events;
mod git;
mod listing;
mod ranges;
mod references;
mod releases;
mod spec;
mod tags;
mod tfstate;
mod webhook;

pub use events::events;
pub use git::git;
pub use listing::listing;
pub use ranges::ranges;
pub use references::references;
pub use spec::spec;
pub use tags::tags;
pub use tfstate::tfstate;
pub use webhook::{hmac, webhook};

/// The longest text that a message may be, be the input as long as it likes.
const MESSAGE_MAX: usize = 2_000;

/// What parts the parts of an input.
const DASHES: &[u8] = b"\n----\n";

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

/// The first line of an input, and the rest.
fn first_line(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (first, rest) = data.split_at(end);
    (String::from_utf8_lossy(first).into_owned(), rest.get(1..).unwrap_or_default())
}

/// What stands between lines of dashes, up to so many of it.
fn parted(mut rest: &[u8], most: usize) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while parts.len() < most {
        let Some(end) = rest.windows(DASHES.len()).position(|part| part == DASHES) else {
            parts.push(rest.to_vec());
            break;
        };
        parts.push(rest[..end].to_vec());
        rest = &rest[end + DASHES.len()..];
    }
    parts
}
