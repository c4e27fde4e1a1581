//! Finding scalars of the first two levels in braces that do not parse.

use super::recover::Scanned;

/// The most levels that are followed.
const DEPTH_MAX: usize = 64;

/// Walks over braces, names and values, and takes down what is on the first two levels.
pub(super) fn scan(text: &str) -> Scanned {
    let mut scanned = Scanned::default();
    let mut names: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    let mut name: Option<&str> = None;
    let mut after_colon = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = token(rest, first);
        rest = after;
        match first {
            '{' | '[' if depth >= DEPTH_MAX => break,
            '{' | '[' => {
                depth += 1;
                names.push(name.take().filter(|_| first == '{').unwrap_or(""));
                after_colon = false;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                names.pop();
                (name, after_colon) = (None, false);
            }
            ':' => after_colon = true,
            ',' => (name, after_colon) = (None, false),
            _ if token.is_empty() => {}
            _ if after_colon => {
                match (name.take(), depth, names.get(1)) {
                    (Some(name), 1, _) => scanned.push(vec![name], token),
                    (Some(name), 2, Some(block)) => scanned.push(vec![block, name], token),
                    _ => {}
                }
                after_colon = false;
            }
            _ => name = Some(token),
        }
    }
    scanned
}

/// The next word, text or sign; blank space is an empty token.
fn token(text: &str, first: char) -> (&str, &str) {
    if first == '"' || first == '\'' {
        let inside = text.get(1..).unwrap_or_default();
        let end = inside.find([first, '\n']).unwrap_or(inside.len());
        let after = inside.get(end..).unwrap_or_default();
        let after = after.strip_prefix(first).unwrap_or(after);
        return (inside.get(..end).unwrap_or_default(), after);
    }
    if first.is_whitespace() || "{}[]:,".contains(first) {
        return ("", text.get(first.len_utf8()..).unwrap_or_default());
    }
    let end = text
        .find(|letter: char| letter.is_whitespace() || "{}[]:,\"'".contains(letter))
        .unwrap_or(text.len());
    text.split_at(end)
}
