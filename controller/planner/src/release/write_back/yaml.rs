//! Which tags YAML reads as text when they stand without quotes.

/// Whether `to` may stand without quotes where `from` did: as text, or as a whole number that takes the place of one.
pub(super) fn stays_the_same(from: &str, to: &str) -> bool {
    is_text(to) || is_count(from) && is_count(to)
}

/// Whether every YAML, 1.1 as well as 1.2, takes a tag or an image for text. In doubt it does not.
fn is_text(text: &str) -> bool {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan"];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return false;
    }
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return !text.is_empty();
    }
    let has_base = ["0x", "0o", "0b"].iter().any(|base| text.starts_with(base));
    let is_wordy =
        text.chars().any(|letter| letter.is_ascii_alphabetic() && letter != 'e' && letter != 'E');
    text.matches('.').count() > 1 || !has_base && is_wordy
}

/// A whole number in the form that YAML writes it in.
fn is_count(text: &str) -> bool {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_would_take_for_something_else_is_no_text() {
        for text in
            ["v1.4.2", "1.4.2", "1.4.2-rc.1", "main", "_1", "1.0-rc1", "20261121-ab12f", "yess"]
        {
            assert!(is_text(text), "{text}");
        }
        for text in [
            "1",
            "1.10",
            "1e5",
            "12345e7",
            "0x1f",
            "0b1",
            "2026-11-21",
            "1_000",
            "yes",
            "NO",
            "Null",
            "true",
            "n",
            "",
        ] {
            assert!(!is_text(text), "{text}");
        }
        // `1.5` is a number to YAML, and so is `1.10`, another one.
        assert!(!stays_the_same("1.5", "1.10"));
        assert!(
            stays_the_same("9", "10") && !stays_the_same("v9", "10") && !stays_the_same("9", "010")
        );
    }
}
