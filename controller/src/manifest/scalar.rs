//! What an unquoted scalar stands for, by the core schema of YAML 1.2.

/// The meaning of an unquoted scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// A number with a fraction or an exponent.
    Fraction(f64),
    /// Anything else.
    Text,
}

/// Reads an unquoted scalar.
pub(super) fn meaning(text: &str) -> Meaning {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        _ => number(text),
    }
}

fn number(text: &str) -> Meaning {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Meaning::Text;
    }
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16)
            .filter(|_| !digits.starts_with('+'))
            .map_or(Meaning::Text, Meaning::Whole);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8)
            .filter(|_| !digits.starts_with('+'))
            .map_or(Meaning::Text, Meaning::Whole);
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_or(Meaning::Text, Meaning::Whole);
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Meaning::Fraction(f64::NAN);
    }
    let is_decimal = unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !is_decimal {
        return Meaning::Text;
    }
    text.parse().map_or(Meaning::Text, Meaning::Fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        for (text, expected) in [
            ("", Meaning::Null),
            ("~", Meaning::Null),
            ("true", Meaning::Bool(true)),
            ("yes", Meaning::Text),
            ("on", Meaning::Text),
            ("512", Meaning::Whole(512)),
            ("-3", Meaning::Whole(-3)),
            ("0x1F", Meaning::Whole(31)),
            ("0o17", Meaning::Whole(15)),
            ("1.5", Meaning::Fraction(1.5)),
            ("1e3", Meaning::Fraction(1000.0)),
            ("1.2.3", Meaning::Text),
            ("10.0.0.0/16", Meaning::Text),
            ("2026-11-21", Meaning::Text),
            ("15m", Meaning::Text),
            ("0x", Meaning::Text),
            ("-", Meaning::Text),
            (".", Meaning::Text),
            ("e3", Meaning::Text),
        ] {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }
}
