//! Words that several sentences share.

use jiff::{SignedDuration, Timestamp};

/// The most tags that a sentence names.
const NAMED_MAX: usize = 5;
/// The most characters of a text that a sentence quotes.
const QUOTED_MAX: usize = 128;

/// `1 tag`, `2 tags`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`, `a, b, c, d, e and 4 more`.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let mut named: Vec<&str> = texts.iter().take(NAMED_MAX).map(AsRef::as_ref).collect();
    let more = texts.len().saturating_sub(NAMED_MAX);
    let last = match more {
        0 => named.pop().unwrap_or_default().to_owned(),
        more => format!("{more} more"),
    };
    if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) }
}

/// A text that a person wrote, in back-quotes, on one line and not too long.
pub(super) fn quoted(text: &str) -> String {
    let shown = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = shown.take(QUOTED_MAX).collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The first characters of a digest: enough to recognise it.
pub(super) fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

/// A moment, to the second.
pub(super) fn moment(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// A length of time, to the second.
pub(super) fn length(duration: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(duration.as_secs()))
}
