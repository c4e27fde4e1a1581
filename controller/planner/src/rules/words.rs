//! How findings write lists, and texts whose value is not known yet.

use std::fmt::Display;

/// The most values that a hint lists.
const LISTED_MAX: usize = 10;

/// Whether a text still holds a reference, so that its value is not known.
pub(super) fn is_open(text: &str) -> bool {
    text.contains("${")
}

/// Values in backquotes, in English: `` `a`, `b` and `c` ``.
pub(super) fn quoted<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let mut words: Vec<String> = values.into_iter().map(|value| format!("`{value}`")).collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}

/// Which values there are, as a hint: ``the containers are `a` and `b` ``.
pub(super) fn available<T: Display>(what: &str, values: impl IntoIterator<Item = T>) -> String {
    let mut values = values.into_iter();
    let listed: Vec<T> = values.by_ref().take(LISTED_MAX).collect();
    let others = values.count();
    match (listed.is_empty(), others) {
        (true, _) => format!("there are no {what}"),
        (false, 0) => format!("the {what} are {}", quoted(listed)),
        (false, _) => format!("the {what} are {} and {others} more", quoted(listed)),
    }
}

/// The elements of a list with their paths.
pub(super) fn each<'a, T>(
    at: &str,
    member: &str,
    list: Option<&'a [T]>,
) -> impl Iterator<Item = (String, &'a T)> {
    let elements = list.unwrap_or_default().iter().enumerate();
    elements.map(move |(index, element)| (format!("{at}.{member}[{index}]"), element))
}

/// Whether a list has any element.
pub(super) fn has_any<T>(list: Option<&[T]>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}
