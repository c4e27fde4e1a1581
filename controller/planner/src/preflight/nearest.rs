//! The names that are nearest to one that is not there.

/// How many names a hint offers.
const OFFERED: usize = 3;
/// Names are compared up to this length.
const LETTERS_MAX: usize = 128;

/// A hint with the nearest of the known names: ``nearest are `v1` and `v2` ``; nothing if none is known.
pub(super) fn hint(wanted: &str, known: &[String]) -> Option<String> {
    let mut ranked: Vec<(usize, &str)> =
        known.iter().map(|name| (distance(wanted, name), name.as_str())).collect();
    ranked.sort_unstable();
    ranked.dedup();
    let names: Vec<String> =
        ranked.iter().take(OFFERED).map(|(_, name)| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("nearest is {one}")),
        [first @ .., last] => Some(format!("nearest are {} and {last}", first.join(", "))),
    }
}

/// How many letters have to be added, taken away or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(LETTERS_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().take(LETTERS_MAX).enumerate() {
        let mut next = vec![line + 1];
        let mut left = line + 1;
        for ((above, diagonal), candidate) in row.iter().skip(1).zip(row.iter()).zip(&other) {
            let changed = diagonal + usize::from(*candidate != letter);
            left = changed.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn the_nearest_names_come_first() {
        let known: Vec<String> =
            ["v1.2.0", "latest", "v1.3.0", "v2.0.0"].map(str::to_owned).to_vec();
        let offered = hint("v1.3.1", &known).unwrap();
        assert_eq!(offered, "nearest are `v1.3.0`, `v1.2.0` and `v2.0.0`");
        assert_eq!(hint("x", &["y".to_owned()]).unwrap(), "nearest is `y`");
        assert_eq!(hint("x", &[]), None);
    }
}
